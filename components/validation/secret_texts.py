"""Texts of settings as secrets, where nothing says which of them are encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import SecretStr

from ..backends.settings_model import settings_model
from ..settings.base import Model, kebab
from ..settings.pods import kubernetes_type
from ..settings.references import is_reference
from .catalogue_keys import may_be_secret
from .schema import models_in
from .sensitive import takes_secret


def all_secret(key: str, value: Any) -> object:
    """The value of a first-level key with each text as a secret whose key takes one."""
    return _all_secret(value, _annotation(settings_model(), key), (key,))


def _all_secret(value: Any, annotation: Any, at: tuple[str | int, ...]) -> object:
    """The value with each text as a secret whose key takes one."""
    if is_reference(value):
        return value
    annotation = None if annotation is Any else annotation
    one, many = models_in(annotation)
    if kubernetes_type(annotation) is not None:
        return with_secret_variables(value)
    if isinstance(value, Mapping):
        inner = many or next(iter(get_args(annotation)[1:]), None)
        return {
            name: _all_secret(item, _annotation(one, name) if one else inner, (*at, name))
            for name, item in value.items()
        }
    if isinstance(value, list) and annotation is None:
        return [_all_secret(item, None, (*at, i)) for i, item in enumerate(value)]
    takes = takes_secret(annotation) if annotation is not None else may_be_secret(at)
    return SecretStr(value) if isinstance(value, str) and takes else value


def with_secret_variables(value: Any, key: str = "") -> object:
    """An object of Kubernetes, or a list of them, with the text of each variable of a container as a secret."""
    if isinstance(value, Mapping):
        names = {kebab(str(name)) for name in value}
        is_variable = (
            key in ("", "env") and "name" in names and names <= {"name", "value", "value-from"}
        )
        return {
            name: SecretStr(item)
            if is_variable and kebab(str(name)) == "value" and isinstance(item, str)
            else with_secret_variables(item, kebab(str(name)))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [with_secret_variables(item, key) for item in value]
    return value


def _annotation(model: type[Model], key: object) -> Any:
    """The type of a key, however it is spelled; None where there is no such key."""
    name = kebab(str(key))
    return next(
        (f.annotation for n, f in model.model_fields.items() if (f.alias or n) == name), None
    )
