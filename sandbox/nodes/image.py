"""The image that stands in for Kestra's own in pods: Kestra's published engine under the official names.

What it is and is not: docs/real-pods.md, and the first line of its log. It is made on this machine from Kestra's Maven
artifacts, a runtime of the JDK at hand, and a root file system of a few programs that the machine has.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from sandbox import kestra
from sandbox.errors import SandboxError
from sandbox.kestra.server import SERVER, compile_server
from sandbox.nodes import archive
from sandbox.nodes.root_files import program_files, write_root
from sandbox.progress import Progress
from sandbox.tools.building import build_folder
from sandbox.verify.overlay import command_line

#: Names of Kestra's images, without tags.
REPOSITORIES = ("docker.io/kestra/kestra", "registry.kestra.io/docker/kestra-ee")
USER = 1000
#: Options of jlink: everything of Java SE, what Kestra's engine and its libraries load besides, and nothing for debuggers.
_JLINK = (
    "--add-modules", "java.se,jdk.charsets,jdk.crypto.cryptoki,jdk.crypto.ec,jdk.httpserver,jdk.jfr,jdk.management,"
    "jdk.naming.dns,jdk.net,jdk.nio.mapmode,jdk.security.auth,jdk.security.jgss,jdk.unsupported,jdk.zipfs",
    "--strip-debug", "--no-header-files", "--no-man-pages", "--compress", "zip-6",
)  # fmt: skip
#: The management endpoints as Kestra's command line has them.
#: Source: Kestra documentation, migration-guide/v2.0.0/management-endpoint-hardening.
_ENDPOINTS = {
    "1.3": {
        "all": {"port": 8081, "enabled": True, "sensitive": False},
        "health": {"details-visible": "ANONYMOUS"},
        "loggers": {"write-sensitive": False},
        "env": {"enabled": True},
    },
    "2.0": {
        "all": {"port": 8081, "enabled": True},
        "health": {"details-visible": "AUTHENTICATED"},
        "loggers": {"write-sensitive": True},
        "env": {"enabled": False},
    },
}
#: Where a worker of 2.0 that shares its process with the controller looks for it.
_OWN_CONTROLLER = {"host": "127.0.0.1", "port": 50051}


@dataclass(frozen=True)
class Image:
    """An image as a file."""

    archive: Path
    """In the layout of the Open Container Initiative; what `ctr images import` takes."""
    names: tuple[str, ...]
    """Full names with tags: `docker.io/kestra/kestra:v1.3.31`."""


def build(release: str, cache: Path, progress: Progress) -> Image:
    """The image that stands in for Kestra's of a release, made when the cache does not have it.

    Args:
        release: `1.3.31`, or the `kestra:version` of the settings, `1.3`.
        cache: folder of everything that is built.
        progress: shows the build.

    Raises:
        SandboxError: when this machine lacks what the image is made of, or a build fails.
    """
    version = {v: k for k, v in kestra.RELEASES.items()}.get(release, release)
    harness = kestra.ensure(version, progress)
    parts = _Parts(version, harness, program_files(_linked(harness.java)))
    folder = cache / "images"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"kestra-{harness.release}-{parts.key()}.tar"
    if not file.exists():
        with FileLock(f"{file}.lock"):
            if not file.exists():
                with progress.step(f"Building an image with Kestra {harness.release} (once)"):
                    _build(parts, file, progress)
    return Image(file, parts.names)


@dataclass(frozen=True)
class _Parts:
    """What an image is put together from."""

    version: str
    harness: kestra.Harness
    programs: Mapping[str, Path]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{name}:v{self.harness.release}" for name in REPOSITORIES)

    def key(self) -> str:
        """A digest of everything that the image consists of, and of the code that puts it together."""
        own = [
            Path(__file__).with_name(name) for name in ("image.py", "archive.py", "root_files.py")
        ]
        server = sorted(p for p in SERVER.rglob("*") if p.is_file() and p.suffix != ".pyc")
        files = [*self.programs.items(), *((path.name, path) for path in (*own, *server))]
        texts = [
            _java_key(self.harness.java),
            # The harness's folder is named by what it is made of, a jar by its version.
            self.harness.classpath,
            yaml.safe_dump(configuration(self.version)),
        ]
        return _key(texts, sorted(files))


def _key(texts: Iterable[str], files: Iterable[tuple[str, Path]] = ()) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    for name, path in files:
        digest.update(name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _java_key(java: Path) -> str:
    return _key([(java.parents[1] / "release").read_text(), *_JLINK])


def configuration(version: str) -> dict[str, Any]:
    """`application.yaml` on the class path: what Kestra's command line brings, which is not published."""
    document = yaml.safe_load(command_line(version))
    document["micronaut"]["server"] = {"port": 8080}
    document["endpoints"] = _ENDPOINTS[version]
    if version != "1.3":
        # Micronaut would start a server of its own in every component: at the port of Kestra's controller, and with
        # services that need a database, which a worker does not have.
        document["grpc"] = {"server": {"enabled": False, "health": {"enabled": False}}}
        document["kestra"]["controller"] = {"port": _OWN_CONTROLLER["port"]}
        document["kestra"]["worker"] = {
            "controllers": {"type": "STATIC", "static": {"endpoints": [dict(_OWN_CONTROLLER)]}}
        }
    return document


def _build(parts: _Parts, target: Path, progress: Progress) -> None:
    java = _java_layer(parts.harness.java, target.parent, progress)
    with build_folder(target.parent, ".image-") as folder:
        progress.detail("programs of this machine")
        write_root(parts.programs, folder / "root")
        root = archive.layer(folder / "root.tar", [(folder / "root", "", 0)])
        progress.detail("Kestra's engine")
        _write_app(parts, folder / "app")
        app = archive.layer(folder / "app.tar", [(folder / "app", "app", USER)])
        progress.detail("archive")
        config = {
            "Entrypoint": ["/app/kestra"],
            "Cmd": ["--help"],
            "WorkingDir": "/app",
            "User": "kestra",
            "Env": ["PATH=/opt/java/bin:/usr/bin:/bin", "JAVA_HOME=/opt/java", "LANG=C.UTF-8"],
        }
        image = archive.write(folder / "image.tar", parts.names, [root, java, app], config)
        os.replace(image, target)


def _java_layer(java: Path, cache: Path, progress: Progress) -> Path:
    """The runtime of a JDK, which the images of all releases share."""
    file = cache / f"java-{kestra.java_version(java)}-{_java_key(java)}.tar"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            progress.detail("Java")
            with build_folder(cache, ".java-") as folder:
                runtime = folder / "java"
                _link_java(java, runtime)
                layer = archive.layer(folder / "layer.tar", [(runtime, "opt/java", 0)])
                os.replace(layer, file)
    return file


def _link_java(java: Path, target: Path) -> None:
    jlink = java.parent / "jlink"
    if not jlink.exists():
        raise SandboxError(
            f"The JDK at {java.parents[1]} has no jlink. Install a whole JDK (https://adoptium.net), or set JAVA_HOME to one."
        )
    answer = subprocess.run([jlink, *_JLINK, "--output", target], capture_output=True, text=True)
    if answer.returncode:
        message = (answer.stdout + answer.stderr).strip()
        raise SandboxError(f"jlink made no runtime: {message[-400:]}")


def _linked(java: Path) -> list[Path]:
    """The program and the libraries of a JDK, which need libraries of the machine."""
    return [java, *sorted((java.parents[1] / "lib").rglob("*.so"))]


def _write_app(parts: _Parts, app: Path) -> None:
    for name in ("confs", "etc", "lib", "plugins", "storage"):
        (app / name).mkdir(parents=True)
    compile_server(parts.version, parts.harness, app / "classes")
    _, *jars = parts.harness.classpath.split(os.pathsep)
    # Two artifacts may have files of the same name.
    for number, jar in enumerate(jars):
        shutil.copyfile(jar, app / "lib" / f"{number:03}-{Path(jar).name}")
    shutil.copyfile(SERVER / "logback.xml", app / "etc" / "logback.xml")
    (app / "etc" / "application.yaml").write_text(yaml.safe_dump(configuration(parts.version)))
    shutil.copyfile(SERVER / "kestra", app / "kestra")
    (app / "kestra").chmod(0o755)
