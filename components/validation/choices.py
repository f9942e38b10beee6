"""What the checks find where a choice that they depend on is invalid: what holds whatever was meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from ..backends.registry import BACKENDS
from ..settings.findings import Finding
from ..settings.model import Settings
from ..settings.open_source_store import BLOCKS
from ..settings.secret import SecretManager
from .rules import check_all
from .rules.external_secrets import beside_secret
from .schema import LONG_NAME, Loc

_FIRST_LEVEL = {field.alias or name for name, field in Settings.model_fields.items()}


def findings(
    settings: Settings,
    wrong: Sequence[Loc],
    complete: Callable[[Settings], Settings],
    unknown: Sequence[Loc] = (),
) -> list[Finding]:
    """What the checks find; where version, edition or secret manager is invalid, what they find for every choice.

    Args:
        settings: as far as they are valid.
        wrong: the places that are refused.
        complete: what makes of settings those that are checked.
        unknown: places whose values nobody knows yet.
    """
    # A document that is too large as a whole has its choices all the same.
    somewhere = [loc for loc in wrong if loc]
    first, *others = [_findings(one, complete, unknown) for one in _possible(settings, somewhere)]
    common = set(first).intersection(*others)
    return [finding for finding in first if finding in common]


def _findings(
    settings: Settings, complete: Callable[[Settings], Settings], unknown: Sequence[Loc]
) -> list[Finding]:
    # One of the two managers goes; the rest is judged by the one that this edition has.
    both = list(beside_secret(settings))
    judged = settings.model_copy(update={"secret": None}) if both else settings
    return [*both, *check_all(complete(judged), unknown)]


def _possible(settings: Settings, wrong: Sequence[Loc]) -> Iterator[Settings]:
    versions = ("1.3", "2.0") if _is_open(("version",), wrong) else (settings.version,)
    editions = ("oss", "enterprise") if _is_open(("edition",), wrong) else (settings.edition,)
    for version, edition in product(versions, editions):
        chosen = settings.model_copy(update={"version": version, "edition": edition})
        for change in _managers(chosen, wrong):
            yield chosen.model_copy(update=change)


def _managers(settings: Settings, wrong: Sequence[Loc]) -> Iterator[Mapping[str, Any]]:
    """Changes to every secret manager that may be meant; none where the settings say which."""
    store = settings.store
    if not settings.is_enterprise:
        is_open = store.type is None and _is_open(("store", "type"), wrong)
        for type_ in BLOCKS if is_open else (store.type,):
            yield {"store": store.model_copy(update={"type": type_})}
        return
    types = tuple(BACKENDS)
    first = types if settings.secret is None and _is_open(("secret", "type"), wrong) else ()
    second = types if store.also is None and _is_open(("store", "also"), wrong) else ()
    if not first and not second:
        yield {}
    # Side by side and not each with each: what holds for all of these holds whatever was meant.
    for one, other in zip(first or types, (*types[1:], types[0]), strict=True):
        change: dict[str, Any] = {"secret": _manager(one)} if first else {}
        if second:
            change["store"] = store.model_copy(update={"also": _manager(other)})
        if change:
            yield change


def _manager(type_: str) -> SecretManager:
    return SecretManager.model_construct(type=type_, read_only=True)


def _is_open(loc: Loc, wrong: Sequence[Loc]) -> bool:
    """Whether what is refused may be, or hold, the value of a place."""
    misspelled = (place[0] for place in wrong if len(place) == 1 and place[0] not in _FIRST_LEVEL)
    return is_consequence_of_invalid_key(loc, wrong) or any(
        _are_alike(name, loc[0]) for name in misspelled
    )


def is_consequence_of_invalid_key(loc: Loc, wrong: Sequence[Loc]) -> bool:
    """Whether a relation may only be broken because a neighbour was left out as invalid.

    Neighbours in the same block count where blocks are small and their keys belong together (three
    levels and more); nearer to the root only a key that looks like a misspelling of this one.
    """

    def neighbour(w: Loc) -> bool:
        if len(w) != len(loc) or w[:-1] != loc[:-1] or len(w) < 2:
            return False
        (*_, written), (*_, name) = w, loc
        return len(loc) > 2 or _are_alike(written, name)

    return any(w[: len(loc)] == loc or loc[: len(w)] == w or neighbour(w) for w in wrong)


def _are_alike(written: object, name: object) -> bool:
    return difflib.SequenceMatcher(None, str(written)[:LONG_NAME], str(name)).ratio() >= 0.6
