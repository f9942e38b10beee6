"""Secrets with which nodes pull the image, as charts and pods name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .assembly import Assembly
from .chart_values import Values, dotted
from .installation import Origin, Sourced

KEYS = ("imagePullSecrets", "imagePullSecret", "pullSecrets", "pullSecret")
"""Names that charts give to them."""
#: The only place that the official chart reads.
_READ = ("imagePullSecrets",)
#: Blocks in which people write them besides, since other charts read them there.
_BLOCKS = ((), ("image",), ("common",), ("common", "image"), ("global",), ("serviceAccount",))
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


def names_of(value: Any) -> list[str]:
    """The names in a list of texts or of `{name: …}`, or in one of them alone."""
    entries = value if isinstance(value, list) else [value]
    names = [entry.get("name") if isinstance(entry, Mapping) else entry for entry in entries]
    return [name for name in names if isinstance(name, str) and _NAME.fullmatch(name)]


def add(names: Iterable[str], origin: Origin, assembly: Assembly) -> None:
    """Adds Secrets to those of the stack's image, each once."""
    image = assembly.installation.settings.get("deployment", {}).get("image", {})
    there = list(image.get("pull-secrets", ()))
    known = {leaf.value for leaf in there}
    new = [name for name in dict.fromkeys(names) if name not in known]
    if new:
        leaves = [*there, *(Sourced(name, origin) for name in new)]
        assembly.add_setting("deployment.image.pull-secrets", leaves, origin)


def add_of_chart(values: Values, blocks: Iterable[tuple[str, str]], assembly: Assembly) -> None:
    """Adds what a release's values name, wherever they name it.

    Args:
        values: of the release.
        blocks: the enabled deployments and worker groups: `("deployments", "worker")`.
        assembly: where the setting and the notes go.
    """
    for block in (*_BLOCKS, *blocks, *((*block, "image") for block in blocks)):
        for key in KEYS:
            path = (*block, key)
            names = names_of(values.get(*path))
            if not names:
                continue
            origin = values.origin(*path)
            add(names, origin, assembly)
            if path != _READ:
                assembly.note(
                    "changed",
                    dotted(path),
                    "no template of the official chart reads this key; it is carried all the same, since the image "
                    "of a private registry cannot be pulled without it",
                    "take it out of kestra:deployment.image.pull-secrets if nodes have the log-in themselves",
                    origin,
                )
