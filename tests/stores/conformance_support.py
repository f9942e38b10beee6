"""The page of the docs that shows the conformance table; `python -m docsgen --tests` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT
from tests.stores.conformance_rows_support import CASES, ROWS, Row

TARGET = ROOT / "docs" / "backends" / "conformance.md"
_SAID = ("not_here", "shown", "protected", "stays")
COMMAND = "python -m docsgen --tests"

_HEAD = f"""<!-- Written by `{COMMAND}`; do not edit. -->
# What holds for which backend

One set of cases is run for every value of `kestra:secret.type`, and for Kestra without one, through the real Pulumi
engine: the program's own settings, generated values, store and identity, without the Kubernetes deployment
([test_conformance.py](../../tests/stores/test_conformance.py), table in
[conformance_rows_support.py](../../tests/stores/conformance_rows_support.py)). A case that cannot hold is not left
out: what follows from the reason is asserted in its place.

"""
_LIFE = """
A life is one stack: up; up again; tags taken away and a value written behind the engine's back, refresh, up; a value
rotated; a tag changed; a secret added and removed; destroyed with protection on; destroyed without. After each step
stand the resources that the engine touched, the outputs, and what is outside, read without the engine. State, event
output (without the SDK's debug lines, which the sandbox does not keep) and the files of servers and stand-ins are
searched for every value, in clear, base64, hexadecimal and URL-encoded.

External secrets have a life of their own, in which the command puts the values there
([test_external_values_engine.py](../../tests/stores/test_external_values_engine.py)), on Vault and on AWS's server; for
Azure and Google by their requests ([test_managers.py](../../tests/secret_values/test_managers.py)).
"""


def page() -> str:
    """The page."""
    return "".join([_HEAD, *_matrix(), _LIFE, *_reasons(), *_shown(), *_stays()])


def _groups() -> dict[str, Row]:
    """Names to one row of those that say the same."""
    groups: list[list[Row]] = []
    for row in ROWS:
        last = groups[-1][0] if groups else None
        if last and all(getattr(last, said) == getattr(row, said) for said in _SAID):
            groups[-1].append(row)
        else:
            groups.append([row])
    return {", ".join(row.name.split(" (")[0] for row in group): group[0] for group in groups}


def _matrix() -> Iterator[str]:
    groups = _groups()
    yield f"| case | {' | '.join(groups)} |\n|---|{'---|' * len(groups)}\n"
    for case in CASES:
        yield f"| {case} | {' | '.join(_cell(row, case) for row in groups.values())} |\n"
    yield ("\n✓ holds; – does not apply, for the reasons below.\n")


def _cell(row: Row, case: str) -> str:
    return "–" if case in row.not_here else "✓"


def _reasons() -> Iterator[str]:
    yield "\n## What does not apply, and why\n\n"
    yield "| backend | case | reason |\n|---|---|---|\n"
    for name, row in _groups().items():
        by_reason: dict[str, list[str]] = {}
        for case, reason in row.not_here.items():
            by_reason.setdefault(reason, []).append(case)
        for reason, cases in by_reason.items():
            yield f"| {name} | {'; '.join(cases)} | {reason} |\n"


def _shown() -> Iterator[str]:
    yield "\n## What it is shown by\n\n| backend | shown by |\n|---|---|\n"
    for name, row in _groups().items():
        yield f"| {name} | {row.shown} |\n"


def _stays() -> Iterator[str]:
    yield "\n## What a destroyed stack leaves\n\n"
    yield "With `deployment.protect` (production) `destroy --exclude-protected` keeps these resources and what they need:\n\n"
    yield "| backend | resources |\n|---|---|\n"
    for name, row in _groups().items():
        yield f"| {name} | {', '.join(f'`{kept}`' for kept in sorted(row.protected))} |\n"
    yield "\nWithout protection nothing is left in the state. Outside, this stays:\n\n"
    yield "| backend | what | why |\n|---|---|---|\n"
    for name, row in _groups().items():
        for what, why in row.stays.items():
            yield f"| {name} | {what} | {why} |\n"
        if not row.stays:
            yield f"| {name} | nothing | nothing was there |\n"


def files() -> dict[Path, str]:
    """For `docsgen`."""
    return {TARGET: page()}
