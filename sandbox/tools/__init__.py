"""The programs that the sandbox runs: taken from the machine where they fit, else built once.

A module folder beside this file (`go.mod`, `go.sum`) pins what is built. A built tool lies in the cache under
`tools/<module>-<version>-<hash of the module>/`; a build happens in a folder of its own and is moved there
when it is complete, so that a half-written tool is never used, and a lock keeps two runs apart.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from sandbox.errors import SandboxError
from sandbox.progress import Progress

HERE = Path(__file__).parent
GO_NEEDED = (1, 26)


@dataclass(frozen=True)
class Module:
    """A Go module that tools are built from."""

    name: str
    version: str
    packages: Mapping[str, str]
    """Tool to package path."""
    ldflags: str = ""
    compiles: int = 0
    """About how many packages are compiled, for the progress."""


MODULES = {
    m.name: m
    for m in (
        Module(
            "pulumi",
            "3.259.0",
            {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
            "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.259.0",
            1500,
        ),
        Module(
            "kubernetes",
            "1.34.3",
            {
                "etcd": "./etcd",
                "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
                "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
                "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
            },
            "-X k8s.io/component-base/version.gitVersion=v1.34.3"
            " -X k8s.io/component-base/version.gitMajor=1"
            " -X k8s.io/component-base/version.gitMinor=34",
            2300,
        ),
        Module("kwok", "0.8.0", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}, "", 1200),
        Module("vault", "1.21.1", {"vault": "github.com/hashicorp/vault"}, "", 3500),
    )
}

#: How a tool found on the machine tells its version, and which versions fit.
FITS = {
    "pulumi": (("version",), r"v?3\.259\."),
    "etcd": (("--version",), r"etcd Version: 3\.6\."),
    "kube-apiserver": (("--version",), r"v1\.34\."),
    "kube-controller-manager": (("--version",), r"v1\.34\."),
    "kube-scheduler": (("--version",), r"v1\.34\."),
    "kwok": (("--version",), r"0\.8\."),
    "vault": (("version",), r"Vault v1\.(1[6-9]|2[0-9])\."),
}

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


def cache_folder() -> Path:
    """The one folder of everything that is built; KESTRA_SANDBOX_CACHE moves it."""
    chosen = os.environ.get("KESTRA_SANDBOX_CACHE")
    return Path(chosen).resolve() if chosen else user_cache_path("kestra-pulumi")


def ensure(names: Iterable[str], progress: Progress) -> dict[str, Path]:
    """Paths of the tools, building those that are missing.

    A folder named by KESTRA_SANDBOX_TOOLS is looked at first, then PATH, then the cache.

    Raises:
        SandboxError: when a tool cannot be built, with what to do.
    """
    wanted = list(dict.fromkeys(names))
    found = {name: path for name in wanted if (path := _on_machine(name))}
    missing = [
        m for m in MODULES.values() if any(n in wanted and n not in found for n in m.packages)
    ]
    to_build = [m for m in missing if not _entry(m).is_dir()]
    for i, module in enumerate(to_build, 1):
        with progress.step(f"Building {_listing(module)} (once)", i, len(to_build)):
            _build(module, progress)
    for module in missing:
        for name in module.packages:
            if name in wanted and name not in found:
                found[name] = _entry(module) / name
    return {name: found[name] for name in wanted}


def _listing(module: Module) -> str:
    names = list(module.packages)
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"{names[0]}"


def _on_machine(name: str) -> Path | None:
    folders = [os.environ.get("KESTRA_SANDBOX_TOOLS", ""), os.environ.get("PATH", "")]
    for folder in filter(None, folders):
        path = shutil.which(name, path=folder)
        if path and _fits(name, path):
            return Path(path)
    return None


def _fits(name: str, path: str) -> bool:
    arguments, pattern = FITS[name]
    try:
        answer = subprocess.run(
            [path, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": tempfile.gettempdir(),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            },
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return re.search(pattern, answer.stdout + answer.stderr) is not None


def _entry(module: Module) -> Path:
    digest = hashlib.sha256(module.ldflags.encode())
    for file in sorted((HERE / module.name).rglob("*")):
        if file.suffix in (".mod", ".sum", ".go"):
            digest.update(file.read_bytes())
    return cache_folder() / "tools" / f"{module.name}-{module.version}-{digest.hexdigest()[:12]}"


def _build(module: Module, progress: Progress) -> None:
    entry = _entry(module)
    entry.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{entry}.lock"):
        if entry.is_dir():
            return
        go = _go()
        with tempfile.TemporaryDirectory(dir=entry.parent, prefix=f".{module.name}-") as folder:
            log = cache_folder() / "logs" / f"build-{module.name}.log"
            log.parent.mkdir(exist_ok=True)
            _compile(go, module, Path(folder), log, progress)
            made = Path(folder) / "done"
            made.mkdir()
            for name in module.packages:
                os.replace(Path(folder) / name, made / name)
            os.replace(made, entry)


def _compile(go: str, module: Module, folder: Path, log: Path, progress: Progress) -> None:
    command = [
        go, "build", "-v", "-trimpath", "-mod=readonly", "-buildvcs=false",
        "-ldflags", f"-s -w {module.ldflags}".strip(),
        "-o", f"{folder}/", *module.packages.values(),
    ]  # fmt: skip
    environment = {k: v for k, v in os.environ.items() if k not in ("GOFLAGS", "GOOS", "GOARCH")}
    compiled = 0
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command,
            cwd=HERE / module.name,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                out.write(line)
                compiled += not line.startswith("go: ")
                text = line.strip().removeprefix("go: ") if line.startswith("go: ") else ""
                progress.detail(text or f"{compiled} of about {module.compiles} packages")
            status = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if status != 0:
        last = " ".join(log.read_text(encoding="utf-8").split("\n")[-4:]).strip()
        raise SandboxError(
            f"{_listing(module)} could not be built: {last[-600:]}. The whole log is {log}. "
            "Run the command again to go on where it stopped."
        )


def _go() -> str:
    go = shutil.which("go")
    need = ".".join(map(str, GO_NEEDED))
    if not go:
        raise SandboxError(
            f"Go is not installed. Install Go {need} or later (https://go.dev/doc/install), or put the "
            "finished tools on PATH."
        )
    text = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True).stdout
    version = tuple(int(n) for n in re.findall(r"\d+", text)[:2])
    if version < GO_NEEDED:
        raise SandboxError(f"Go {text.strip()} is too old. Install Go {need} or later.")
    return go
