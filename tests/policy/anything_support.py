"""A provider that takes everything, served by `python -m tests.policy.anything_support`.

It notes each creation in the file that CREATED names. An input `later` becomes the output `found`, which
nobody knows at preview.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from sandbox.providers.server import Diff, Engine, serve
from sandbox.providers.values import UNKNOWN
from tests.conftest import ROOT


class Anything:
    """The provider."""

    version = "1.0.0"

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        """There is nothing to configure."""

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return news, []

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        return Diff(set(), set())

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        made = {k: v for k, v in news.items() if not k.startswith("__")}
        if preview:
            return "", made | {"found": UNKNOWN}
        with Path(os.environ["CREATED"]).open("a") as out:
            out.write(f"{type_}\n")
        return "an-id", made | {"found": made.get("later")}

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        return id_, inputs, olds

    def update(
        self,
        type_: str,
        id_: str,
        old_inputs: dict[str, Any],
        olds: dict[str, Any],
        news: dict[str, Any],
        preview: bool,
        timeout: float,
    ) -> dict[str, Any]:
        return news

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        """Nothing was made."""


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
