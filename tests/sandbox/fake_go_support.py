"""A stand-in for the `go` command: writes small scripts where the real one would write programs."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from pathlib import Path

SCRIPT = '''\
#!{python}
"""go env GOVERSION, go mod download, go list PACKAGE… and go build -o FOLDER/ PACKAGE…; the files of {control} tell it how to behave."""
import json, os, pathlib, sys, time

control = pathlib.Path({control!r})
setting = lambda name: (control / name).read_text() if (control / name).exists() else ""
if sys.argv[1] == "env":
    print(setting("version") or "go1.26.8")
    sys.exit()
if sys.argv[1] == "mod":
    print(json.dumps({{"Dir": str(control / "module"), "Sum": setting("sum")}}))
    sys.exit()
if sys.argv[1] == "list":
    with (control / "lists").open("a") as lists:
        lists.write(" ".join(sys.argv[1:]) + "\\n")
    while setting("hold downloads"):
        time.sleep(0.02)
    sys.exit()
with (control / "calls").open("a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
with (control / "files").open("w") as files:
    files.write("\\n".join(map(str, sorted(pathlib.Path().rglob("*.go")))))
with (control / "environment").open("w") as environment:
    environment.write("\\n".join(f"{{k}}={{v}}" for k, v in os.environ.items()))
print("go: downloading example.com/module v1.0.0", flush=True)
while len(setting("lists").splitlines()) < int(setting("await downloads") or 0):
    time.sleep(0.02)
folder, packages = sys.argv[sys.argv.index("-o") + 1], sys.argv[sys.argv.index("-o") + 2:]
for package in packages:
    print(package, flush=True)
    program = pathlib.Path(folder) / pathlib.Path(package).name
    program.write_text("#!/bin/sh\\necho built\\n")
    program.chmod(0o755)
    (control / "half").touch()
    while setting("hold"):
        time.sleep(0.02)
if setting("fail"):
    print(setting("fail"), flush=True)
    sys.exit(1)
'''


class FakeGo:
    """The stand-in, and what it was asked."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / "go"
        self.control = directory / "control"
        self.folder.mkdir(parents=True)
        self.control.mkdir()
        write_script(
            self.folder / "go", SCRIPT.format(python=sys.executable, control=str(self.control))
        )

    def tell(self, name: str, text: str = "") -> None:
        """Sets how it behaves: version, fail (with this text), hold (until it is taken back)."""
        (self.control / name).write_text(text)

    @property
    def builds(self) -> list[str]:
        """The build commands, one each."""
        calls = self.control / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def downloads(self) -> list[str]:
        """The commands that downloaded modules before their build, one each."""
        lists = self.control / "lists"
        return lists.read_text().splitlines() if lists.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the last build."""
        lines = (self.control / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    @property
    def files(self) -> list[str]:
        """Go's files in the folder of the last build."""
        return (self.control / "files").read_text().splitlines()

    @property
    def half_way(self) -> bool:
        """Whether a build has written something."""
        return (self.control / "half").exists()

    def remove(self) -> None:
        """Takes it off the machine."""
        shutil.rmtree(self.folder)


def write_script(path: Path, text: str) -> Path:
    """An executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    path.chmod(0o755)
    return path


def tool(folder: Path, name: str, says: str) -> Path:
    """A program that says this text whatever it is asked."""
    return write_script(folder / name, f"#!/bin/sh\necho '{says}'\n")


def search_path(*folders: Path) -> str:
    """A PATH of these folders and the system's own, without the tools of this machine."""
    return os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])
