"""A real Kestra from its Maven artifacts: built once into the cache, then started with a configuration."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.tools import cache_folder
from sandbox.tools.building import build_folder

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
#: Kestra version of the settings to the Java that its classes need.
JAVA_NEEDED = {"1.3": 21, "2.0": 25}
#: Kestra version of the settings to the release that is fetched, only when a stack of that version is verified.
RELEASES = {"1.3": "1.3.31", "2.0": "2.0.0"}


@dataclass(frozen=True)
class Harness:
    """What starts a Kestra."""

    java: Path
    classpath: str
    release: str


def ensure(version: str, progress: Progress) -> Harness:
    """The harness of a Kestra version, built when it is not in the cache.

    Raises:
        SandboxError: when Java or Maven is missing, or the build fails.
    """
    if version not in RELEASES:
        raise SandboxError(f"Kestra {version} cannot be verified: only {', '.join(RELEASES)} can.")
    java = find_java(JAVA_NEEDED[version])
    release = RELEASES[version]
    entry = entry_of(version, java)
    if not entry.is_dir():
        entry.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{entry}.lock"):
            if not entry.is_dir():
                with progress.step(f"Fetching Kestra {release} and building its harness (once)"):
                    _build(version, java, entry, progress)
    jars = (entry / "classpath").read_text().strip()
    return Harness(java, f"{entry / 'classes'}{os.pathsep}{jars}", release)


def entry_of(version: str, java: Path) -> Path:
    """The cache's folder of a version's harness; it exists once the harness is built."""
    digest = hashlib.sha256()
    for file in (POM, *sources(version)):
        digest.update(file.read_bytes())
    name = f"{RELEASES[version]}-java{java_version(java)}-{digest.hexdigest()[:12]}"
    return cache_folder() / "kestra" / name


def sources(version: str) -> list[Path]:
    """The harness's classes: what every version has, and what is particular to one."""
    return sorted((HERE / "harness").glob("*.java")) + sorted((HERE / version).glob("*.java"))


def _build(version: str, java: Path, entry: Path, progress: Progress) -> None:
    log = cache_folder() / "logs" / f"build-kestra-{version}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with build_folder(entry.parent, ".kestra-") as folder:
        complete = folder / "done"
        (complete / "classes").mkdir(parents=True)
        progress.detail("artifacts")
        run_build(
            [find_maven(), "-B", "-q", "-f", str(POM), f"-Dkestra.version={RELEASES[version]}",
             f"-Dmaven.repo.local={cache_folder() / 'm2'}", "dependency:build-classpath",
             f"-Dmdep.outputFile={complete / 'classpath'}"],
            java, log,
        )  # fmt: skip
        progress.detail("compiling")
        # The class path is too long for some systems' argument limit.
        arguments = folder / "arguments"
        arguments.write_text(f'-cp "{(complete / "classpath").read_text().strip()}"')
        run_build(
            [str(java.parent / "javac"), "-proc:none", "-d", str(complete / "classes"), f"@{arguments}",
             *map(str, sources(version))],
            java, log,
        )  # fmt: skip
        os.replace(complete, entry)


def find_maven() -> str:
    """The command of Maven.

    Raises:
        SandboxError: when it is not installed.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise SandboxError("Maven is not installed. Install it (Debian: apt-get install maven).")
    return maven


def run_build(command: list[str], java: Path, log: Path) -> None:
    """Runs a step of a build of Kestra's classes with a JDK; what it prints goes to the end of `log`.

    Raises:
        SandboxError: when it fails, with the end of the log.
    """
    with log.open("a", encoding="utf-8") as out:
        status = subprocess.run(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | {"JAVA_HOME": str(java.parents[1])},
        ).returncode
    if status:
        last = " ".join(log.read_text(errors="replace").split("\n")[-6:]).strip()
        raise SandboxError(
            f"Kestra's harness could not be built: {last[-600:]}. The whole log is {log}. "
            "Check that Maven reaches a repository and run the command again."
        )


def find_java(needed: int) -> Path:
    """A Java of at least the needed version, with its compiler.

    Raises:
        SandboxError: when the machine has none.
    """
    candidates = [Path(os.environ[v]) / "bin" / "java" for v in ("JAVA_HOME",) if os.environ.get(v)]
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path).resolve())
    candidates += sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    candidates += sorted(Path("/opt").glob("*/bin/java"))
    fitting = [
        (java_version(java), java)
        for java in candidates
        if (java.parent / "javac").exists() and java_version(java) >= needed
    ]
    if not fitting:
        raise SandboxError(
            f"Kestra needs a JDK {needed} or later, and there is none. Install one (https://adoptium.net) "
            "or set JAVA_HOME."
        )
    return min(fitting)[1]


def java_version(java: Path) -> int:
    """The major version of a Java; 0 when it does not say."""
    release = java.parents[1] / "release"
    try:
        found = re.search(r'JAVA_VERSION="(\d+)', release.read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0
