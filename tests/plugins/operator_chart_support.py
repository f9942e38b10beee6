"""The chart of External Secrets Operator from its Go module, as a repository of charts on loopback."""

from __future__ import annotations

import functools
import io
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from components.kubernetes.operator_install import OPERATOR_VERSION
from sandbox.tools import EXTERNAL_SECRETS_SOURCE, sources

_CHART = "external-secrets"


def packed_chart(folder: Path) -> Path:
    """The chart as its release has it, as far as the module does.

    The release adds the definitions, which the module has in another folder, and a chart for Bitwarden, which is off by
    default and not in the module.
    """
    (folder / "module").mkdir(parents=True)
    module = sources.fetch(EXTERNAL_SECRETS_SOURCE, folder / "module")
    chart = folder / _CHART
    shutil.copytree(module / "deploy" / "charts" / _CHART, chart, copy_function=shutil.copyfile)
    shutil.copytree(
        module / "config" / "crds" / "bases", chart / "crds", copy_function=shutil.copyfile
    )
    (chart / "crds" / "kustomization.yaml").unlink(missing_ok=True)
    shutil.rmtree(chart / "templates" / "crds")
    (chart / "Chart.lock").unlink()
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    del about["dependencies"]
    about |= {"version": OPERATOR_VERSION, "appVersion": f"v{OPERATOR_VERSION}"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
    packed = folder / "served" / f"{_CHART}-{OPERATOR_VERSION}.tgz"
    packed.parent.mkdir()
    with tarfile.open(packed, "w:gz") as archive:
        for file in sorted(chart.rglob("*")):
            if file.is_file():
                entry = tarfile.TarInfo(str(file.relative_to(folder)))
                data = file.read_bytes()
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    index = {
        "apiVersion": "v1",
        "entries": {_CHART: [{**about, "urls": [packed.name]}]},
    }
    (packed.parent / "index.yaml").write_text(yaml.safe_dump(index))
    return packed.parent


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def repository(folder: Path) -> Iterator[str]:
    """The address of a folder on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
