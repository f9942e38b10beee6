"""What stands below the errors of a failed operation of the sandbox: what to do, and how to go on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from components.kubernetes.rollout_report import MARK
from components.safeguards.failed_rollout import WAITED
from components.safeguards.hints import suggest_fixes

GO_ON = (
    "What was made is recorded. When the cause is mended, run the same command again: it goes on from there, and starts"
    " and unseals the sandbox's own servers."
)

_IMPORT = re.compile(r"pulumi import (.+?) --protect=false --generate-code=false --yes")


def with_advice(errors: Iterable[str]) -> str:
    """The errors, a line each, and below them what to do."""
    lines = list(dict.fromkeys(errors))
    # A report on pods says itself what to do, and quotes words of many servers.
    servers = [line for line in lines if MARK not in line and WAITED not in line]
    advice = [f"→ {text}" for text in suggest_fixes(servers)]
    return "\n".join([*lines, *advice, GO_ON] if lines else lines)


def own_commands(text: str, stack: str, options: str = "") -> str:
    """The text with the sandbox's command in place of Pulumi's, which needs a log-in and a language plugin.

    Args:
        text: what was said.
        stack: the stack's name.
        options: of the sandbox's command line, each with a space before it.
    """
    return _IMPORT.sub(lambda found: f"python -m sandbox import {stack} {found[1]}{options}", text)
