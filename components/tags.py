"""The tag convention, translated into what each target can express.

A tag that cannot be expressed is an error that names the limit; nothing is cut or renamed silently.
"""

from __future__ import annotations

from collections.abc import Mapping

from .settings.tag_rules import KUBERNETES_LABELS, TagLimits, convention, problems

__all__ = ["KUBERNETES_PREFIX", "convention", "translate"]

KUBERNETES_PREFIX = "kestra.pulumi/"


def translate(tags: Mapping[str, str], limits: TagLimits) -> dict[str, str]:
    """Tags as the target of these limits takes them.

    Raises:
        ValueError: naming tag and limit, for a tag that the target cannot express.
    """
    for _, message, rule in problems(tags, limits):
        raise ValueError(f"{message}: {rule}")
    if limits is KUBERNETES_LABELS:
        return {f"{KUBERNETES_PREFIX}{name}": value for name, value in tags.items()}
    return dict(tags)
