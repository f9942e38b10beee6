"""What of a changed schema breaks programs that use the package, in the words of the changelog."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def breaking_changes(before: Schema, after: Schema) -> list[str]:
    """One line for the changelog of each change after which a program does not compile or run as before.

    Args:
        before: the schema of a release.
        after: that of now.
    """
    return list(_changes(before, after))


def released_form(schema: Schema) -> dict[str, Any]:
    """A schema without what no program compiles against: texts, and how SDKs are packed."""
    return {
        part: {name: _without_texts(one) for name, one in schema[part].items()}
        for part in ("resources", "types")
    }


def _without_texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        # A property may itself have the name `description`; its schema is no text.
        return {
            name: _without_texts(item)
            for name, item in value.items()
            if not (name == "description" and isinstance(item, str))
        }
    return value


def _changes(before: Schema, after: Schema) -> Iterator[str]:
    for token, old in before["resources"].items():
        name, new = _name(token), after["resources"].get(token)
        if new is None:
            yield f"The component `{name}` is removed."
            continue
        yield from _inputs(f"of `{name}`", old.get("inputProperties"), new.get("inputProperties"))
        needed = set(new.get("requiredInputs", ())) - set(old.get("requiredInputs", ()))
        for one in sorted(needed):
            yield f"The argument `{one}` of `{name}` is required."
        yield from _outputs(f"of `{name}`", old, new)
    for token, old in before["types"].items():
        name, new = _name(token), after["types"].get(token)
        if new is None:
            yield f"The type `{name}` is removed."
            continue
        yield from _inputs(f"of the type `{name}`", old.get("properties"), new.get("properties"))
        for one in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"The argument `{one}` of the type `{name}` is required."


def _inputs(where: str, old: Schema | None, new: Schema | None) -> Iterator[str]:
    yield from _properties("argument", where, old or {}, new or {})


def _outputs(where: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    yield from _properties("output", where, before, after)
    for name in before:
        if name in after and before[name].get("secret") and not after[name].get("secret"):
            yield f"The output `{name}` {where} is no secret any more."
    for name in sorted(set(old.get("required", ())) - set(new.get("required", ()))):
        if name in after:
            yield f"The output `{name}` {where} can be absent."


def _properties(kind: str, where: str, old: Schema, new: Schema) -> Iterator[str]:
    added = [name for name in new if name not in old]
    for name, before in old.items():
        if name not in new:
            alike = [one for one in added if _type(new[one]) == _type(before)]
            close = [one for one in alike if _is_alike(name, one)]
            what = f"is renamed to `{close[0]}`" if close else "is removed"
            yield f"The {kind} `{name}` {where} {what}."
        elif _type(before) != _type(new[name]):
            types = f"{_type(new[name])}, before {_type(before)}"
            yield f"The {kind} `{name}` {where} has another type: {types}."


def _is_alike(name: str, other: str) -> bool:
    within = name.lower() in other.lower() or other.lower() in name.lower()
    return within or difflib.SequenceMatcher(None, name, other).ratio() >= 0.5


def _type(one: Schema) -> str:
    if reference := one.get("$ref"):
        return _name(str(reference))
    if items := one.get("items"):
        return f"list of {_type(items)}"
    if values := one.get("additionalProperties"):
        return f"map of {_type(values)}"
    return str(one.get("type"))


def _name(token: str) -> str:
    return token.rpartition(":")[2].rpartition("/")[2]
