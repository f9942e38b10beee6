"""A provider that takes everything, served by `python -m tests.policy.anything_support`.

It notes each creation in the file that CREATED names. An input `later` becomes the output `found`, which
nobody knows at preview.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from sandbox.providers.runtime.provider import Provider, Urn
from sandbox.providers.runtime.servicer import serve
from sandbox.providers.runtime.values import UNKNOWN, Properties
from tests.conftest import ROOT


class Anything(Provider):
    """The provider."""

    version = "1.0.0"

    def create(
        self, urn: Urn, news: Properties, preview: bool = False, timeout: float = 0
    ) -> tuple[str, Properties]:
        outputs = {k: v for k, v in news.items() if not k.startswith("__")}
        if preview:
            return "", outputs | {"found": UNKNOWN}
        with Path(os.environ["CREATED"]).open("a") as out:
            out.write(f"{urn.type}\n")
        return "an-id", outputs | {"found": outputs.get("later")}


def write_plugins(directory: Path) -> Path:
    """Writes the executables by which the engine finds it in place of the clouds' providers."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("aws", "azure-native", "gcp", "vault", "kubernetes", "random"):
        file = directory / f"pulumi-resource-{name}"
        file.write_text(
            f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} "
            f'-m {__spec__.name} "$@"\n'
        )
        file.chmod(0o755)
    return directory


if __name__ == "__main__":
    serve(Anything())
