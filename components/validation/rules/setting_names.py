"""Which setting a key of Kestra's is: a field of the models, or a key of the catalogue."""

from __future__ import annotations

import re
from functools import cache

from ...backends.settings_model import settings_model
from ...catalogue import catalogue
from ...policy_tables import canonical
from ...settings.base import Model
from ...settings.model import Settings
from ..schema import OURS, models_in


@cache
def setting_keys() -> dict[str, str]:
    """Kestra's keys that the settings have, to the setting; `*` stands for a name that the user chooses."""
    return _keys(settings_model(), "kestra")


def _keys(model: type[Model], prefix: str) -> dict[str, str]:
    top = issubclass(model, Settings)
    keys: dict[str, str] = {"kestra.url": "deployment.url"} if top else {}
    for name, field in model.model_fields.items():
        alias = field.alias or name
        if top and alias in (*OURS, "url"):
            continue
        block, many = models_in(field.annotation)
        key = alias if top and alias in ("endpoints", "datasources") else f"{prefix}.{alias}"
        if block is not None:
            keys |= {k: f"{alias}.{path}" for k, path in _keys(block, key).items()}
        elif many is not None:
            inner = _keys(many, f"{key}.*")
            keys |= {k: f"{alias}.*.{path}" for k, path in inner.items()}
        else:
            keys[key] = alias
    return keys


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(re.escape(canonical(key)).replace(r"\*", "([^.]+)")), setting)
        for key, setting in setting_keys().items()
    )


@cache
def setting_names() -> frozenset[str]:
    """The keys of the models' settings in the canonical form."""
    return frozenset(map(canonical, setting_keys()))


def setting_of(path: str) -> str | None:
    """The setting of a key in the canonical form, or of what stands in it; None where there is none."""
    for pattern, setting in _patterns():
        if (match := pattern.match(path)) and path[match.end() :][:1] in ("", ".", "["):
            return setting.replace("*", match[1]) if "*" in setting else setting
    return _of_catalogue(path)


def is_modelled(path: str) -> bool:
    """Whether a key in the canonical form is a field of the models, or stands in one."""
    return any(
        (match := pattern.match(path)) and path[match.end() :][:1] in ("", ".", "[")
        for pattern, _ in _patterns()
    )


@cache
def catalogue_names() -> tuple[str, ...]:
    """The catalogue's keys that have one name each."""
    return tuple(key.key for key in catalogue() if "*" not in key.key and "[]" not in key.key)


@cache
def _canonical_keys() -> tuple[tuple[str, str], ...]:
    """Each key of the catalogue in the canonical form, up to the first name of the user's, and the key."""
    return tuple(
        (canonical(re.split(r"\*|\[\]", key.key)[0]).rstrip("."), key.key) for key in catalogue()
    )


@cache
def _pattern(key: str) -> re.Pattern[str]:
    text = re.escape(canonical(key.replace("[]", "[0]")))
    return re.compile(text.replace(r"\[0\]", r"\[([0-9]+)\]").replace(r"\*", "([^.]+)"))


def _of_catalogue(path: str) -> str | None:
    longest, setting = 0, None
    for beginning, key in _canonical_keys():
        if not path.startswith(beginning):
            continue
        match = _pattern(key).match(path)
        if match and path[match.end() :][:1] in ("", ".", "[") and match.end() > longest:
            longest = match.end()
            names = iter(match.groups())
            setting = re.sub(r"\*|\[\]", lambda m, n=names: _name(m[0], next(n)), key)
    return setting.removeprefix("kestra.") if setting else None


def _name(place: str, name: str) -> str:
    return name if place == "*" else f"[{name}]"
