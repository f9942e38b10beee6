"""What stands in for Kestra's command line and web server in an image, compiled with the release's own Micronaut."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sandbox import kestra
from sandbox.tools import cache_folder

SERVER = Path(__file__).parent


def compile_server(version: str, harness: kestra.Harness, target: Path) -> None:
    """Compiles the harness and the server for a Kestra version.

    Args:
        version: Kestra version of the settings.
        harness: the version's, already built.
        target: folder of the classes; created.

    Raises:
        SandboxError: when Maven or the compiler fails, with the end of the log.
    """
    log = cache_folder() / "logs" / f"build-kestra-server-{version}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="kestra-server-") as folder:
        processor = Path(folder) / "processor"
        kestra.run_build(
            [kestra.find_maven(), "-B", "-q", "-f", str(SERVER / "processor.xml"),
             f"-Dkestra.version={harness.release}", f"-Dmaven.repo.local={cache_folder() / 'm2'}",
             "dependency:build-classpath", f"-Dmdep.outputFile={processor}"],
            harness.java, log,
        )  # fmt: skip
        # The class paths are too long for some systems' argument limit.
        arguments = Path(folder) / "arguments"
        arguments.write_text(
            f'-cp "{harness.classpath}"\n-processorpath "{processor.read_text().strip()}"\n'
        )
        sources = [*kestra.sources(version), *sorted(SERVER.rglob("*.java"))]
        kestra.run_build(
            [str(harness.java.parent / "javac"), "-parameters", "-d", str(target), f"@{arguments}",
             *map(str, sources)],
            harness.java, log,
        )  # fmt: skip
