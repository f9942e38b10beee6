"""Environments of Pulumi ESC that a stack file names: what they bring, and what is said where nobody has opened them.

Pulumi merges the `pulumiConfig` of the environments under the stack file's `config` (pkg/workspace/config.go, 3.259): what
the stack file has wins, blocks are merged key by key, anything else is taken whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..settings.base import Model
from ..settings.model import Settings
from ..settings.references import UnreadValue
from ..settings.report import Problem, SettingsError
from .schema import KeySpelling, Loc, printable_key
from .secret_texts import all_secret
from .sensitive import Place

NAMESPACE = "kestra:"
#: What `pulumi env get` prints for what it does not show, and for what only an opened environment has.
_HIDDEN = ("[secret]", "[unknown]")
#: Pulumi's own name of an environment that stands in the stack file.
_OWN = "yaml"
OPEN = "pulumi env open {} --format detailed"


def names_of(written: Any, source: str) -> tuple[str, ...]:
    """The environments of the block `environment` of a stack file, and `yaml` for values that it has itself.

    Raises:
        SettingsError: the block has another form.
    """
    if written is None:
        return ()
    imports = written.get("imports") if isinstance(written, Mapping) else written
    names = [_name(one) for one in imports] if isinstance(imports, list) else []
    is_wrong = not isinstance(written, (Mapping, list)) or not isinstance(
        imports, (list, type(None))
    )
    if is_wrong or None in names:
        raise SettingsError(
            [
                Problem(
                    "environment",
                    source,
                    "is no list of environments",
                    "a stack file names environments of Pulumi ESC as a list, or holds one with imports and values",
                    "write environment: [project/name]",
                )
            ]
        )
    own = isinstance(written, Mapping) and bool(written.get("values"))
    return (*(str(name) for name in names), *([_OWN] if own else []))


def _name(written: Any) -> str | None:
    """An environment of an import list, which may carry options: `{project/name: {merge: false}}`."""
    if isinstance(written, Mapping) and len(written) == 1:
        written = next(iter(written))
    return written if isinstance(written, str) else None


def opened(document: Any) -> dict[str, Any]:
    """The configuration that an opened environment brings: key with its namespace to value.

    A text of `kestra:` is a `SecretStr` where its key takes a secret, and the environment says that the block holds
    one, or does not say. What is masked is an `UnreadValue`.

    Args:
        document: what `pulumi env open` prints, as `detailed` or `json`.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(document, Mapping):
        raise ValueError
    inner = document.get("value")
    is_detailed = isinstance(inner, Mapping) and "pulumiConfig" not in document
    values = inner if is_detailed else document
    assert isinstance(values, Mapping)
    config = values.get("pulumiConfig", {})
    if is_detailed and "pulumiConfig" in values:
        config = config.get("value") if isinstance(config, Mapping) else None
    if not isinstance(config, Mapping):
        raise ValueError
    brought: dict[str, Any] = {}
    for name, written in config.items():
        key = name if ":" in name else NAMESPACE + name
        value = _value(written) if is_detailed else _shown(written)
        if key.startswith(NAMESPACE) and (not is_detailed or _holds_secret(written)):
            value = all_secret(key.removeprefix(NAMESPACE), value)
        brought[key] = value
    return brought


def _value(written: Any) -> Any:
    """A value of the form `detailed`."""
    if not isinstance(written, Mapping):
        raise ValueError
    if written.get("unknown"):
        return UnreadValue()
    value = written.get("value")
    if isinstance(value, Mapping):
        return {name: _value(item) for name, item in value.items()}
    return [_value(item) for item in value] if isinstance(value, list) else value


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return UnreadValue() if value in _HIDDEN else value


def _holds_secret(written: Any) -> bool:
    if not isinstance(written, Mapping):
        return False
    value = written.get("value")
    below = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    )
    return bool(written.get("secret")) or any(map(_holds_secret, below))


def merged(config: Mapping[Any, Any], environments: Sequence[Mapping[str, Any]]) -> dict[Any, Any]:
    """The configuration of a stack file with that of its environments under it, of which later ones win."""
    under: dict[str, Any] = {}
    for one in environments:
        under = _merged(one, under)
    # The file may write a key of this project without its namespace.
    spelled = {_full(name): name for name in config}
    under = {spelled.get(name, name): value for name, value in under.items()}
    return _merged(config, under)


def _full(name: object) -> object:
    return NAMESPACE + name if isinstance(name, str) and ":" not in name else name


def _merged(over: Any, under: Any) -> Any:
    if not _is_block(over) or not _is_block(under):
        return over
    both = {
        name: _merged(value, under[name]) if name in under else value
        for name, value in over.items()
    }
    return {**under, **both}


def _is_block(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) != {"secure"}


def absent(settings: Settings) -> Iterator[Loc]:
    """Every place where the settings say nothing, or are a map, so that an environment may bring more."""
    yield from _absent(settings, ())


def _absent(node: Model, at: Loc) -> Iterator[Loc]:
    for name, field in type(node).model_fields.items():
        loc, value = (*at, field.alias or name), getattr(node, name)
        if name not in node.model_fields_set or isinstance(value, dict):
            yield loc
        elif isinstance(value, Model):
            yield from _absent(value, loc)


def without_empty_blocks(value: Any) -> Any:
    """The settings without blocks that are empty, of which an environment may bring the keys."""
    if not isinstance(value, dict):
        return value
    inner = {name: without_empty_blocks(item) for name, item in value.items()}
    return {name: item for name, item in inner.items() if item != {}}


def unopened(names: Sequence[str], source: str) -> Problem:
    """What is said of environments that nobody has opened."""
    listed = ", ".join(name for name in names if name != _OWN) or "the environment in the file"
    command = OPEN.format(next((name for name in names if name != _OWN), "NAME"))
    return Problem(
        "environment",
        source,
        f"brings settings from {listed}, which nobody has opened here",
        "preview and update have them; until then nothing is said of what the file lacks, nor of what depends on it",
        f"to have the whole checked here, save `{command}` in a file and add --esc FILE",
        "warning",
    )


def masked(place: Place, source: str) -> Problem:
    """What is said of a value that an environment does not show."""
    return Problem(
        KeySpelling().path(place),
        source,
        "is a value that the given environment does not show",
        "preview and update have it, and check it then",
        "give the opened environment with its values: `pulumi env open … --format detailed`",
        "warning",
    )


def masked_places(document: Any, at: Place = ()) -> Iterator[Place]:
    """The places of the values that an environment does not show."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield from masked_places(value, (*at, printable_key(name)))
    elif isinstance(document, list):
        for i, value in enumerate(document):
            yield from masked_places(value, (*at, i))
    elif isinstance(document, UnreadValue):
        yield at
