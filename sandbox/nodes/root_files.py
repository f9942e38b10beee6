"""A small root file system of programs that this machine has, with the libraries that they link to."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.errors import SandboxError

#: What start scripts, probes and a person in a pod call.
PROGRAMS = (
    "base64", "bash", "cat", "cp", "cut", "date", "dash", "dd", "df", "env", "getent", "grep", "head", "id", "kill",
    "ls", "mkdir", "mv", "printf", "ps", "rm", "sed", "sleep", "sort", "stat", "tail", "timeout", "touch", "tr", "true",
)  # fmt: skip
_REQUIRED = {"bash", "base64", "cat", "cp", "dash", "id", "rm", "sleep"}
_SEARCHED = "/usr/bin:/bin:/usr/sbin:/sbin"
#: Read by the C library when it looks up users and hosts; no program names them.
_LOOKUPS = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
_FOLDERS = ("etc", "proc", "sys", "dev", "run", "var/tmp", "home/kestra", "opt", "tmp")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nkestra:x:1000:1000::/home/kestra:/bin/bash\n",
    "etc/group": "root:x:0:\nkestra:x:1000:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def program_files(others: Sequence[Path] = ()) -> dict[str, Path]:
    """Path in the image to file of this machine: the programs, and all libraries that they and `others` link to.

    Args:
        others: programs and libraries that come into the image otherwise.

    Raises:
        SandboxError: when this machine lacks a program that start scripts and probes call.
    """
    programs = {
        name: Path(path).resolve()
        for name in PROGRAMS
        if (path := shutil.which(name, path=_SEARCHED)) is not None
    }
    if missing := sorted(_REQUIRED - set(programs)):
        raise SandboxError(
            f"This machine lacks {', '.join(missing)}, which the image of the pods takes from it. "
            "Install them (Debian: apt-get install bash coreutils dash)."
        )
    files = {f"usr/bin/{name}": path for name, path in programs.items()}
    linked = [*programs.values(), *others]
    for path in linked:
        for library in _libraries(path):
            if library.resolve() in linked:
                continue
            files.setdefault(_merged(library), library.resolve())
            for lookup in _LOOKUPS:
                if library.name == "libc.so.6" and (library.parent / lookup).exists():
                    path_of_lookup = library.parent / lookup
                    files.setdefault(_merged(path_of_lookup), path_of_lookup.resolve())
    return files


def write_root(files: Mapping[str, Path], root: Path) -> None:
    """Writes the file system: the files of `program_files`, users, and empty folders."""
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    for name, source in files.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(0o755)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    (root / "usr/bin/sh").symlink_to("dash")
    for name, text in _FILES.items():
        (root / name).write_text(text)


def _libraries(path: Path) -> list[Path]:
    """What the dynamic linker loads for a program or a library; nothing for a static one."""
    answer = subprocess.run(["ldd", path], capture_output=True, text=True)
    return [Path(name) for name in re.findall(r"(/\S+) \(0x", answer.stdout)]


def _merged(library: Path) -> str:
    """`/lib/…` and `/usr/lib/…` are one folder in the image, as on most systems."""
    path = library.as_posix().lstrip("/")
    return path if path.startswith("usr/") else f"usr/{path}"
