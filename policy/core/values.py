"""Values as the controls see them: plain, unknown at preview, or secret. Nothing here needs Pulumi."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


class Undecided(Exception):
    """A value that a control needs is not known before the update."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class OutOfView(Undecided):
    """A value that a control needs is nowhere in the stack, so that no update decides it."""


class Misshapen(Undecided):
    """A value that a control needs has another type than its key takes: what the provider or the server refuses."""


#: What reading a value of another type than expected raises.
SHAPE_ERRORS = (TypeError, ValueError, AttributeError, LookupError, OverflowError, RecursionError)


class Unknown:
    """A value that is not known at preview. Whoever looks at it cannot decide, by any operator."""

    def _refuse(self, *_: object) -> NoReturn:
        raise Undecided("a value")

    __bool__ = __iter__ = __len__ = __getitem__ = __contains__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __str__ = __format__ = _refuse
    __eq__ = __ne__ = _refuse  # type: ignore[assignment]
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True, repr=False, eq=False)
class Sealed:
    """A value that Pulumi keeps as a secret. Messages can hold it: they show `[secret]`."""

    value: Any
    """Text, or UNKNOWN for one that is encrypted."""

    def __repr__(self) -> str:
        return "[secret]"

    __str__ = __repr__


def reveal(value: Any) -> Any:
    """The value itself, for judging only, never for a message."""
    return value.value if isinstance(value, Sealed) else value


def is_unknown(value: Any) -> bool:
    """Whether nothing is known of a value but, perhaps, that it is secret."""
    return reveal(value) is UNKNOWN


def get_path(value: Any, path: str | Sequence[str]) -> Any:
    """What lies at a path (`spec.containers.0.image`); None where something is missing.

    Raises:
        Undecided: when it, or something on the way, is unknown. A secret that is encrypted is one.
    """
    steps = path.split(".") if isinstance(path, str) else list(path)
    if value is UNKNOWN:
        raise Undecided(".".join(steps))
    for position, step in enumerate(steps):
        if is_unknown(value):
            raise Undecided(".".join(steps[:position]) or "a value")
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, (list, tuple)) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
        if value is UNKNOWN:
            raise Undecided(".".join(steps[: position + 1]))
    return value


def raw(value: Any, *steps: str) -> Any:
    """What lies at a path; UNKNOWN when it, or something on the way, is; None where something is missing."""
    for step in steps:
        if is_unknown(value):
            return UNKNOWN
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything that is neither map nor list."""
    if isinstance(value, Mapping):
        entries: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, (list, tuple)):
        entries = enumerate(value)
    else:
        yield path, value
        return
    for key, inner in entries:
        yield from leaves(inner, f"{path}.{key}" if path else str(key))


def as_list(value: Any) -> list[Any]:
    """A list as it is, nothing as an empty list, anything else as a list of one."""
    if value is None:
        return []
    if is_unknown(value):
        raise Undecided("a list")
    return list(value) if isinstance(value, (list, tuple)) else [value]


def check_each(
    items: Iterable[Item], check: Callable[[Item], Iterable[Made]]
) -> Iterator[Made | Undecided]:
    """Judges one by one, so that an unknown value of one does not hide what is wrong with another."""
    for item in items:
        try:
            yield from check(item)
        except Undecided as undecided:
            yield undecided
        except SHAPE_ERRORS:
            yield Misshapen(f"a value of {getattr(item, 'name', None) or 'the stack'}")


def number(value: Any) -> float | None:
    """A number, also when it is written as text; None when it is none. Raises Undecided when unknown."""
    if is_unknown(value):
        raise Undecided("a number")
    try:
        return None if value is None or isinstance(value, bool) else float(reveal(value))
    except (TypeError, ValueError, OverflowError):
        return None
