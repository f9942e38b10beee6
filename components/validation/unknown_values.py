"""Values that nobody knows yet: left out of what is validated, and which checks look at them, whose findings may be no
fault once they are there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

from ..settings.base import Model
from ..settings.findings import Finding
from ..settings.model import Settings
from ..settings.pods import field_type
from ..settings.references import UnreadValue
from .schema import Loc, models_in
from .sensitive import takes_secret

#: Attributes of the settings that are made of other ones.
_DERIVED = {"store": "secret"}
_CATALOGUE = "_catalogue_keys"


class Watch:
    """Settings that note when one of some places is looked at."""

    def __init__(self, settings: Settings, places: Sequence[Loc]) -> None:
        self._read: set[_Watched] = set()
        derived: list[Loc] = [(_DERIVED[place[0]],) for place in places if place[0] in _DERIVED]
        self._is_modelled = True
        watched = self._watched(settings, [*places, *derived], ())
        if not self._is_modelled:
            watched = self._watching(watched, {_CATALOGUE: (_Watched(()),)})
        self.settings: Settings = watched
        """The same settings."""

    def sure(self, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
        """What a check finds without a look at one of the places; of a map with an unknown item, what it finds at the
        other items."""
        self._read = set()
        findings = list(check())
        return [one for one in findings if all(at.is_beside(one.loc) for at in self._read)]

    def _watched(self, node: Any, places: Iterable[Loc], at: Loc, item: int | None = None) -> Any:
        """A copy of a model in which the places are watched."""
        below: dict[str, list[Loc]] = {}
        fields = {one.alias or name: name for name, one in type(node).model_fields.items()}
        for first, *rest in places:
            if name := fields.get(str(first)):
                below.setdefault(name, []).append(tuple(rest))
            else:
                # The settings keep it beside their fields.
                self._is_modelled = False
        names: dict[str, tuple[_Watched, ...]] = {}
        update: dict[str, Any] = {}
        for name, rests in below.items():
            child, loc = getattr(node, name), (*at, type(node).model_fields[name].alias or name)
            if not all(rests) or not isinstance(child, (Model, dict)):
                names[name] = (_Watched(loc, item),)
            elif isinstance(child, Model):
                update[name] = self._watched(child, rests, loc, item)
            else:
                update[name], unknown = self._items(child, rests, loc)
                if unknown:
                    names[name] = unknown
        copy = node.model_copy(update=update)
        return self._watching(copy, names) if names else copy

    def _items(
        self, items: dict[Any, Any], rests: Iterable[Loc], at: Loc
    ) -> tuple[dict[Any, Any], tuple[_Watched, ...]]:
        """A map in which the places are watched, and its items that are not there or no models."""
        below: dict[Any, list[Loc]] = {}
        for first, *rest in rests:
            below.setdefault(first, []).append(tuple(rest))
        watched, unknown = dict(items), []
        for name, places in below.items():
            if all(places) and isinstance(items.get(name), Model):
                watched[name] = self._watched(items[name], places, (*at, name), len(at))
            else:
                unknown.append(_Watched((*at, name), len(at)))
        return watched, tuple(unknown)

    def _watching(self, node: Any, names: Mapping[str, tuple[_Watched, ...]]) -> Any:
        """The model, which notes when one of these attributes is read."""
        before = node.__dict__.get(_NAMES)
        if before is None:
            object.__setattr__(node, "__class__", _watching(type(node)))
        node.__dict__.update({_NAMES: {**(before or {}), **names}, _NOTE: self._read_one})
        return node

    def _read_one(self, places: Iterable[_Watched]) -> None:
        self._read.update(places)


@dataclass(frozen=True)
class _Watched:
    """A place whose value nobody knows."""

    loc: Loc
    item: int | None = None
    """Where in the place the name of an item of a map stands, which has others beside it; None: in no map."""

    def is_beside(self, loc: Loc) -> bool:
        """Whether a place is in another item of the same map."""
        end = self.item
        if end is None or len(loc) <= end:
            return False
        return loc[:end] == self.loc[:end] and loc[end] != self.loc[end]


_NAMES, _NOTE = "__watched_names", "__note"


@lru_cache(maxsize=256)
def _watching(model: type[Model]) -> type[Model]:
    """The model as one whose instances call their note when one of their watched names is read."""

    def read(self: Any, name: str) -> Any:
        if not name.startswith("__"):
            own = object.__getattribute__(self, "__dict__")
            if places := own.get(_NAMES, {}).get(name):
                own[_NOTE](places)
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
