"""The draft against the real check: what it refuses goes out to the report, what it lacks is to be set."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence

from ..catalogue import lookup
from ..settings import Problem, Settings, SettingsError
from ..validation import load_stack
from ..validation.schema import ENCRYPTED, config_path, models_in
from ..validation.sensitive import is_sensitive
from .conversion import Conversion, shown
from .draft import OURS, Place, Value, as_values, kestra_path
from .placeholders import PLACEHOLDER, value_of
from .secret_values import annotation_of

_ROUNDS = 60
#: Where keys go that nobody checks.
ADDITIONAL = "additional-configuration"


def accept(c: Conversion, plain: Callable[[Value], object]) -> tuple[Problem, ...]:
    """Takes out of the draft what the check refuses, until only what is to be set is missing.

    Args:
        c: the import.
        plain: a leaf as the check is to see it.

    Returns:
        The check's warnings.
    """
    problems: tuple[Problem, ...] = ()
    for _ in range(_ROUNDS):
        try:
            problems = load_stack(c.draft.document(plain), source="").warnings
            break
        except SettingsError as error:
            problems = error.problems
        if not _answer(c, [p for p in problems if p.severity == "error"]):
            break
    paths = {p.path for p in problems if p.severity == "error"}
    c.to_set = [i for i in c.to_set if not i.is_asked_by_check or paths.intersection(i.covers)]
    return tuple(p for p in problems if p.severity == "warning")


def _answer(c: Conversion, problems: Sequence[Problem]) -> bool:
    """Whether the draft was changed because of the problems."""
    places = _places(c)
    wrong: list[tuple[Place, Problem]] = []
    for problem in problems:
        if problem.path in places:
            wrong.append((places[problem.path], problem))
        else:
            _ask(c, places, problem)
    changed = False
    # Items of a list go from its end, so that the places of the others stay right.
    for place, problem in sorted(wrong, key=lambda item: _order(item[0]), reverse=True):
        if c.draft.at(*place) is not None:
            changed |= (
                _mend(c, place, problem)
                or _carry_unchecked(c, place, problem)
                or _refuse(c, place, problem)
            )
    return changed


def _order(place: Place) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (-1, part) for part in place]


def _places(c: Conversion) -> dict[str, Place]:
    """Each path, in the spellings that the check uses, to its place."""
    places: dict[str, Place] = {}

    def add(node: object, place: Place) -> None:
        if place:
            places[spelled(place)] = place
            places.setdefault(config_path(place), place)
        items = (
            node.items()
            if isinstance(node, dict)
            else enumerate(node)
            if isinstance(node, list)
            else ()
        )
        for part, item in items:
            add(item, (*place, part))

    add(c.draft.tree, ())
    return places


def spelled(place: Place) -> str:
    first, *rest = place
    return f"kestra:{first}" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in rest)


def _ask(c: Conversion, places: dict[str, Place], problem: Problem) -> None:
    """What the check finds missing has no place in the draft."""
    parent = problem.path
    while parent and parent not in places:
        parent = parent.rpartition(".")[0]
    rest = problem.path.removeprefix(parent).lstrip(".").removeprefix("kestra:")
    place = (*places.get(parent, ()), *(rest.split(".") if rest else ()))
    if not place or any(problem.path in (i.setting, *i.covers) for i in c.to_set):
        return
    place = _required(place)
    known, annotation = annotation_of(place)
    c.ask(
        place,
        f"{problem.message}: {problem.rule}; {problem.fix}",
        secret=known and is_sensitive(annotation),
        covers=(problem.path,),
        by_check=True,
    )


def _required(place: Place) -> Place:
    """A block's first key that it cannot be without; another place is itself."""
    model = models_in(annotation_of(place)[1])[0]
    if model is None:
        return place
    names = [f.alias or n for n, f in model.model_fields.items() if f.is_required()]
    return _required((*place, names[0])) if names else place


def _mend(c: Conversion, place: Place, problem: Problem) -> bool:
    """Whether the value can be written in the way that the setting takes it."""
    node = c.draft.at(*place)
    if isinstance(node, Value) and isinstance(node.value, str):
        if (text := _resolved(c, node.value)) is not None and text != node.value:
            names = ", ".join(m[1] for m in PLACEHOLDER.finditer(node.value))
            c.changed(place, f"takes no placeholder; the value that {names} had is written instead")
            node.value = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text
            if text in ("true", "false"):
                node.value = text == "true"
            return True
        if problem.kind == "not-a-list":
            c.changed(place, "a single text; it became a list of what it names")
            items = [item.strip() for item in node.value.split(",") if item.strip()]
            c.draft.put(place, as_values(items, node.origin))
            return True
    return False


def _resolved(c: Conversion, text: str) -> str | None:
    if not PLACEHOLDER.search(text):
        return None

    def replace(match: re.Match[str]) -> str:
        known = value_of(c, match[1])
        return known if known is not None else match[2] or match[0]

    new = PLACEHOLDER.sub(replace, text)
    return None if "${" in new else new


def _carry_unchecked(c: Conversion, place: Place, problem: Problem) -> bool:
    """Whether a key that nobody knows here goes through as it is; one that looks misspelt does not."""
    if (
        problem.kind != "unknown-key"
        or place[0] in (*OURS, ADDITIONAL)
        or ADDITIONAL.replace("-", "_") not in Settings.model_fields
        or _is_misspelt(place)
    ):
        return False
    node = c.draft.at(*place)
    if isinstance(node, Value) and node.value == "":
        return False
    name = c.draft.name(place)
    note_unchecked(c, place)
    c.draft.remove(*place)
    target = (ADDITIONAL, *kestra_path(place))
    c.draft.names[target] = name
    c.draft.put(target, node)
    return True


def note_unchecked(c: Conversion, place: Place) -> None:
    """Says that a key goes through as it is."""
    leaves = [part for inner, _ in c.draft.leaves(*place) for part in inner]
    is_kebab = any(isinstance(part, str) and "-" in part for part in leaves)
    c.changed(
        place,
        f"no key that this program knows; carried unchecked, under kestra:{ADDITIONAL}"
        + (", with names in kebab-case, as Micronaut binds them" if is_kebab else ""),
        "compare it with Kestra's documentation",
    )


def _is_misspelt(place: Place) -> bool:
    """Whether the last key nearly is another one of its block."""
    *above, last = kestra_path(place)
    names = [n for n in lookup(tuple(above)).names if n not in ("*", "[]")]
    return bool(difflib.get_close_matches(str(last), names, n=1, cutoff=0.7))


def _refuse(c: Conversion, place: Place, problem: Problem) -> bool:
    """Takes a setting out of the draft; False where another setting is what is missing."""
    if any(problem.path in item.covers for item in c.to_set):
        return False
    if place_added := problem.adds:
        if c.cover(config_path(place_added), problem.path):
            return False
        if c.draft.at(*place_added) is None:
            if place_added[0] == "datasources" and len(place_added) == 2:
                place_added = (*place_added, "url")
            c.ask(
                _required(place_added),
                f"{problem.message}: {problem.rule}",
                covers=(problem.path,),
                by_check=True,
            )
            return False
    node = c.draft.at(*place)
    name = c.draft.name(place)
    message, fix = problem.message, problem.fix
    if message == ENCRYPTED[0]:
        message = "holds a secret, at a key that takes none"
    if isinstance(node, Value):
        value = shown(node.value)
        text = str(node.value)
        if PLACEHOLDER.search(text):
            c.ask(
                place,
                f"{text if value else 'a placeholder'} was there; {problem.rule}",
                secret=False,
            )
        name += f" ({value})" if value and not node.is_secret else ""
    else:
        inner = [_inner(c, place, item) for item in _ends(node, place)]
        name += f" ({', '.join(inner[:40])}{', …' if len(inner) > 40 else ''})" if inner else ""
    kind = "not carried" if place[0] == "deployment" else "refused"
    c.note(kind, name, f"{message}; {problem.rule}", fix, c.draft.origin(place))
    c.draft.remove(*place)
    path = config_path(place)
    # Nothing says any more that it is carried.
    c.notes = [n for n in c.notes if n.kind != "changed" or n.fix != path]
    c.to_set = [i for i in c.to_set if not i.setting.startswith((path + ".", path + "["))]
    return True


def _ends(node: object, place: Place) -> Iterator[Place]:
    """The places of leaves and of empty blocks."""
    if isinstance(node, (dict, list)) and node:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for part, item in items:
            yield from _ends(item, (*place, part))
    else:
        yield place


def _inner(c: Conversion, place: Place, inner: Place) -> str:
    """A leaf of a block that is left out, with its value where that may be shown."""
    name = c.draft.name(inner).removeprefix(c.draft.name(place)).lstrip(".")
    value = c.draft.at(*inner)
    is_plain = inner[0] == "deployment" and not {"environment", "java-options", "value"} & {*inner}
    is_shown = isinstance(value, Value) and not value.is_secret
    return f"{name} {shown(value.value, names=is_plain) if is_shown else ''}".strip()
