"""The jars of a Kestra version, and what their classes and metadata say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

HERE = Path(__file__).parent
#: Of pom.xml's class path: what it names, without what that brings along.
LIBRARY = re.compile(r"/io/micronaut/(security|cache|micrometer)/")
METADATA = "META-INF/spring-configuration-metadata.json"


class ArtifactsError(Exception):
    """Why the jars of a Kestra version could not be read."""


@dataclass(frozen=True)
class Artifacts:
    """The class path of a Kestra version.

    `jars` is the open core's class path, `libraries` what the closed modules use besides (pom.xml); `java` runs
    the reader of classes.
    """

    version: str
    release: str
    java: Path
    jars: tuple[Path, ...]
    libraries: tuple[Path, ...]

    @cached_property
    def classes(self) -> dict[str, dict[str, Any]]:
        """Class name to what ReadClasses.java says of it; Kestra's, Micronaut's and OpenTelemetry's classes."""
        chosen = [
            str(jar)
            for jar in (*self.jars, *self.libraries)
            if any(f"/io/{group}/" in jar.as_posix() for group in ("kestra", "micronaut"))
            or jar.name.startswith("opentelemetry-")
        ]
        result = subprocess.run(
            [self.java, "-cp", os.pathsep.join(map(str, self.jars)), HERE / "ReadClasses.java", *chosen],
            capture_output=True, text=True,
        )  # fmt: skip
        if result.returncode:
            raise ArtifactsError(f"Kestra's classes could not be read: {result.stderr[-600:]}")
        read = (json.loads(line) for line in result.stdout.splitlines())
        return {line["name"]: line for line in read}

    def metadata(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Each property of the jars' configuration metadata, with its jar."""
        for jar in (*self.jars, *self.libraries):
            with zipfile.ZipFile(jar) as archive:
                if METADATA in archive.namelist():
                    for row in json.loads(archive.read(METADATA)).get("properties", ()):
                        yield jar, row


@cache
def artifacts(version: str) -> Artifacts:
    """The jars of a Kestra version of the settings (`1.3`, `2.0`), fetched by Maven when the cache lacks them.

    Raises:
        ArtifactsError: when they cannot be had.
    """
    # The product does not need the sandbox; only this generator does.
    from sandbox.errors import SandboxError
    from sandbox.kestra import ensure
    from sandbox.progress import Progress

    try:
        harness = ensure(version, Progress())
    except SandboxError as error:
        raise ArtifactsError(str(error)) from error
    _, *jars = harness.classpath.split(os.pathsep)
    libraries = _libraries(harness.release, harness.java)
    known = {Path(jar).name for jar in jars}
    return Artifacts(
        version,
        harness.release,
        harness.java,
        tuple(map(Path, jars)),
        tuple(jar for jar in libraries if jar.name not in known and LIBRARY.search(jar.as_posix())),
    )


def _libraries(release: str, java: Path) -> Sequence[Path]:
    from sandbox.tools import cache_folder

    pom = HERE / "pom.xml"
    entry = cache_folder() / "kestra" / f"catalogue-{release}"
    if not entry.is_file() or entry.stat().st_mtime < pom.stat().st_mtime:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{entry}.lock"):
            result = subprocess.run(
                ["mvn", "-B", "-q", "-f", pom, f"-Dkestra.version={release}",
                 f"-Dmaven.repo.local={cache_folder() / 'm2'}", "dependency:build-classpath",
                 f"-Dmdep.outputFile={entry}"],
                env=os.environ | {"JAVA_HOME": str(java.parents[1])}, capture_output=True, text=True,
            )  # fmt: skip
        if result.returncode:
            raise ArtifactsError(f"Maven could not fetch the libraries: {result.stdout[-600:]}")
    return [Path(jar) for jar in entry.read_text().strip().split(os.pathsep)]
