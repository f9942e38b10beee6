"""Which settings are sensitive, and where a document holds them in clear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import SecretStr

from ..backends.registry import data_keys
from ..backends.settings_model import settings_model
from ..settings.base import Model, kebab
from ..settings.credentials import credential_sign
from ..settings.placeholders import as_placeholder
from ..settings.report import Problem
from .catalogue_keys import ADDITIONAL, clear_secrets
from .schema import OURS, Unmodelled, config_path, models_in

Place = tuple[str | int, ...]
"""Keys from the first level on, and positions in lists."""


def is_sensitive(annotation: Any) -> bool:
    """Whether a field of this type always holds a secret, and no text in clear."""
    parts = get_args(annotation)
    return annotation is SecretStr or (str not in parts and any(map(is_sensitive, parts)))


def takes_secret(annotation: Any) -> bool:
    """Whether a value of this type can be a secret, be it besides a text in clear."""
    parts = () if get_origin(annotation) is dict else get_args(annotation)
    return annotation is SecretStr or any(map(takes_secret, parts))


def fields(model: type[Model] | None = None, at: Place = ()) -> Iterator[Place]:
    """Every sensitive key of the settings, or of one model of them; `*` is the name of one of several."""
    for name, field in (model or settings_model()).model_fields.items():
        path = (*at, field.alias or name)
        one, many = models_in(field.annotation)
        if one is not None:
            yield from fields(one, path)
        elif many is not None:
            yield from fields(many, (*path, "*"))
        elif is_sensitive(field.annotation):
            yield path


def in_clear(
    document: Mapping[Any, Any], model: type[Model] | None = None, at: Place = ()
) -> Iterator[tuple[Place, str]]:
    """Sensitive values that a document holds in clear, each with its place as it is written there.

    Args:
        document: first-level key (without namespace) to value; valid or not.
        model: of the document; default: the settings.
        at: where it stands.
    """
    fields = (model or settings_model()).model_fields
    known = {field.alias or name: field for name, field in fields.items()}
    for written, value in document.items():
        # A key that is no text is refused elsewhere; a huge number could not even be written as one.
        if not isinstance(written, str):
            continue
        field = known.get(written if written in known else kebab(written))
        path = (*at, written)
        if field is None or path == (ADDITIONAL,):
            if kebab(str(path[0])) not in OURS or path == (ADDITIONAL,):
                yield from clear_secrets(Unmodelled(path, path, value))
            continue
        one, many = models_in(field.annotation)
        if one is not None and isinstance(value, Mapping):
            yield from in_clear(value, one, path)
        elif many is not None and isinstance(value, Mapping):
            for name, block in value.items():
                if isinstance(name, str) and isinstance(block, Mapping):
                    yield from in_clear(block, many, (*path, name))
        elif isinstance(value, str) and _holds_secret(path, field.annotation, value):
            yield path, value


def _holds_secret(path: Place, annotation: Any, value: str) -> bool:
    if not value:
        return False
    if not is_sensitive(annotation):
        is_url = kebab(str(path[0])) == "datasources" and path[-1] == "url"
        return is_url and credential_sign("", value) is not None
    # The default of `${NAME:default}` is a secret too.
    placeholder = as_placeholder(value)
    return placeholder is None or bool(placeholder.rest)


def plain_secret(place: Place, source: str) -> Problem:
    """The warning of a sensitive value that a stack file holds in clear, with the command that encrypts it."""
    return Problem(
        config_path(place),
        source,
        "stands in clear in the stack file",
        "a secret in a stack file is encrypted; Pulumi keeps what is in clear in its history too, "
        "and whoever reads the repository reads it",
        encrypt_fix(place),
        "warning",
    )


def plain_secrets(document: Mapping[str, object], source: str) -> list[Problem]:
    """A warning for each sensitive value that a stack file holds in clear."""
    return [plain_secret(place, source) for place, _ in in_clear(document)]


def encrypt_fix(place: Sequence[str | int]) -> str:
    """What to do about a secret that stands in clear under a key, whose place is as it is written."""
    command = f"pulumi config set --path --secret '{config_path(place)}', which asks for the value"
    if ".".join(kebab(str(part)) for part in place) in ("encryption.secret-key", *data_keys()):
        return f"{command}; give it the same one, since Kestra reads what it stored with no other"
    return f"{command}; then give the secret a new value, since the old one was readable"
