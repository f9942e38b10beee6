"""Which checks look at a value that nobody knows yet: what they find may be no fault once it is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..settings.base import Model
from ..settings.model import Settings
from .schema import Loc

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

    def reads(self, check: Callable[[], Collection[Any]]) -> tuple[Collection[Any], bool]:
        """What a check finds, and whether it looks at one of the places, or at what is above one."""
        self._was_read = False
        return check(), self._was_read

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
