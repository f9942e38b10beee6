"""Values that nobody knows yet: left out of what is validated, and which checks look at them, whose findings may be no
fault once they are there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, get_args

from ..settings.base import Model
from ..settings.model import Settings
from ..settings.pods import field_type
from ..settings.references import UnreadValue
from .schema import Loc, models_in
from .sensitive import takes_secret

T = TypeVar("T")

#: Attributes of the settings that are made of other ones.
_DERIVED = {"store": "secret"}
_CATALOGUE = "_catalogue_keys"


class Watch:
    """Settings that note when one of some places is looked at."""

    def __init__(self, settings: Settings, places: Sequence[Loc]) -> None:
        self._was_read = False
        derived: list[Loc] = [(_DERIVED[place[0]],) for place in places if place[0] in _DERIVED]
        self._is_modelled = True
        watched = self._watched(settings, [*places, *derived])
        self.settings: Settings = (
            watched if self._is_modelled else self._watching(watched, [_CATALOGUE])
        )
        """The same settings."""

    def reads(self, check: Callable[[Settings], Iterable[T]]) -> tuple[Collection[T], bool]:
        """What a check finds, and whether it looks at one of the places, or at what is above one."""
        self._was_read = False
        findings = list(check(self.settings))
        return findings, self._was_read

    def _note(self) -> None:
        self._was_read = True

    def _watched(self, node: Any, places: Iterable[Loc]) -> Any:
        """A copy of a model in which the places are watched."""
        below: dict[str, list[Loc]] = {}
        fields = {one.alias or name: name for name, one in type(node).model_fields.items()}
        for first, *rest in places:
            if name := fields.get(str(first)):
                below.setdefault(name, []).append(tuple(rest))
            else:
                # The settings keep it beside their fields.
                self._is_modelled = False
        names, update = [], {}
        for name, rests in below.items():
            child = getattr(node, name)
            if all(rests) and isinstance(child, Model):
                update[name] = self._watched(child, rests)
            elif all(rests) and (items := self._items(child, rests)) is not None:
                update[name] = items
            else:
                names.append(name)
        copy = node.model_copy(update=update)
        return self._watching(copy, names) if names else copy

    def _watching(self, node: Any, names: Sequence[str]) -> Any:
        """The model, which notes when one of these attributes is read."""
        watched = [*names, *node.__dict__.get(_NAMES, ())]
        if _NAMES not in node.__dict__:
            object.__setattr__(node, "__class__", _watching(type(node)))
        node.__dict__.update({_NAMES: watched, _NOTE: self._note})
        return node

    def _items(self, child: Any, rests: Sequence[Loc]) -> dict[Any, Any] | None:
        """A mapping of models in which the places are watched; None where one of them is in no model."""
        below: dict[Any, list[Loc]] = {}
        for first, *rest in rests:
            if (
                not rest
                or not isinstance(child, Mapping)
                or not isinstance(child.get(first), Model)
            ):
                return None
            below.setdefault(first, []).append(tuple(rest))
        watched = {name: self._watched(child[name], places) for name, places in below.items()}
        return {**child, **watched}


def without_entries(settings: Settings, places: Sequence[Loc]) -> tuple[Settings, list[Loc]]:
    """The settings without each entry of a first-level mapping that a place is in; the places that are in none."""
    fields = {one.alias or name: name for name, one in Settings.model_fields.items()}
    removed: dict[str, set[Any]] = {}
    others = []
    for place in places:
        name = fields.get(str(place[0]))
        if name and len(place) > 1 and isinstance(getattr(settings, name), Mapping):
            removed.setdefault(name, set()).add(place[1])
        else:
            others.append(place)
    update = {
        name: {key: entry for key, entry in getattr(settings, name).items() if key not in keys}
        for name, keys in removed.items()
    }
    return settings.model_copy(update=update), others


_NAMES, _NOTE = "__watched_names", "__note"


@lru_cache(maxsize=256)
def _watching(model: type[Model]) -> type[Model]:
    """The model as one whose instances call their note when one of their watched names is read."""

    def read(self: Any, name: str) -> Any:
        if not name.startswith("__"):
            own = object.__getattribute__(self, "__dict__")
            if name in own.get(_NAMES, ()):
                own[_NOTE]()
        return super(watching, self).__getattribute__(name)

    watching: Any = type(
        model.__name__, (model,), {"__getattribute__": read, "__module__": __name__}
    )
    return watching


def leave_out_unread(data: dict[str, Any], model: type[Model], at: Loc = ()) -> Iterator[Loc]:
    """Takes out each unread value whose key takes no secret, and yields its place; a list goes with its item.

    Args:
        data: settings in the canonical spelling.
        model: of them.
        at: where they stand.
    """
    fields = {one.alias or name: one for name, one in model.model_fields.items()}
    for name, value in list(data.items()):
        one = fields.get(name)
        loc = (*at, name)
        if one is None:
            if isinstance(value, dict) and model.OTHERS is not None:
                yield from leave_out_unread(value, model.OTHERS, loc)
            elif isinstance(value, UnreadValue):
                del data[name]
                yield loc
            continue
        inner, many = models_in(one.annotation)
        if isinstance(value, UnreadValue):
            if not takes_secret(one.annotation):
                del data[name]
                yield loc
        elif inner is not None and isinstance(value, dict):
            yield from leave_out_unread(value, inner, loc)
        elif many is not None and isinstance(value, dict):
            for key, block in list(value.items()):
                if isinstance(block, dict):
                    yield from leave_out_unread(block, many, (*loc, key))
                elif isinstance(block, UnreadValue):
                    del value[key]
                    yield (*loc, key)
        elif field_type(one) is None:
            yield from _leave_out_items(data, name, one.annotation, loc)


def _leave_out_items(data: dict[str, Any], name: str, annotation: Any, loc: Loc) -> Iterator[Loc]:
    value = data[name]
    if isinstance(value, list) and _holds_unread(value):
        # What follows an item would change its position.
        del data[name]
        yield loc
    elif isinstance(value, dict) and not any(map(takes_secret, get_args(annotation)[1:])):
        for key in [key for key, item in value.items() if _holds_unread(item)]:
            del value[key]
            yield (*loc, key)


def _holds_unread(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_unread, value.values()))
    if isinstance(value, list):
        return any(map(_holds_unread, value))
    return isinstance(value, UnreadValue)
