"""Placeholders of the configuration: those that the inputs resolve, those that stay, those that nothing gives."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..validation.schema import config_path
from ..validation.sensitive import is_sensitive
from .conversion import Conversion
from .draft import Place, Value, kestra_path
from .secret_values import annotation_of, is_secret

ENCRYPTION: Place = ("encryption", "secret-key")
PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][\w.-]*)(?::([^{}]*))?\}")


@dataclass
class Resolution:
    """What became of the placeholders."""

    consumed: dict[str, list[Place]] = field(default_factory=dict)
    """A variable to the settings that its value went into."""
    defaults: dict[str, list[Place]] = field(default_factory=dict)
    """A variable that nothing gives to the settings where its default was in force."""


def resolve(conversion: Conversion) -> Resolution:
    """Writes values in place of placeholders where the inputs have all of a text's; the rest stays as it is."""
    result = Resolution()
    for place, value in conversion.draft.leaves():
        if place[0] == "deployment" and place[:2] != ("deployment", "url"):
            continue
        if isinstance(value.value, str) and "${" in value.value:
            _resolve(conversion, place, value, result)
    if result.consumed:
        conversion.note(
            "changed",
            ", ".join(f"${{{name}}}" for name in result.consumed),
            "the inputs have the values of these variables; the settings that named them get the values themselves "
            '(a secret that cannot be encrypted now is under "To set")',
        )
    for name, places in result.defaults.items():
        names = ", ".join(dict.fromkeys(conversion.draft.name(place) for place in places))
        conversion.note(
            "changed",
            f"${{{name}:…}}",
            f"no input gives the variable {name}, so its default was in force and is written into {names}",
        )
    return result


def _resolve(c: Conversion, place: Place, value: Value, result: Resolution) -> None:
    text = str(value.value)
    used: dict[str, bool] = {}
    for _ in range(20):
        # From the inside out: a default may hold a placeholder.
        complete = True

        def replace(match: re.Match[str]) -> str:
            nonlocal complete
            name, default = match[1], match[2]
            known = value_of(c, name)
            if known is not None:
                used[name] = False
                return known
            if default is not None and _default_holds(c, place, name, default):
                used[name] = True
                return default
            complete = False
            return f"\0{name}\0" if default is None else f"\0{name}\1{default}\0"

        new = PLACEHOLDER.sub(replace, text)
        if not complete:
            _keep(c, place, value)
            return
        if new == text:
            break
        text = new
    if PLACEHOLDER.search(text):
        # A variable that names itself.
        _keep(c, place, value)
        return
    value.value = text
    if not text and place != ENCRYPTION:
        # An empty text is no value to Kestra, and of an empty key the report has more to say.
        names = ", ".join(used)
        c.drop(place, f"empty, as {names} is; left out")
        return
    for name, is_default in used.items():
        (result.defaults if is_default else result.consumed).setdefault(name, []).append(place)


def value_of(c: Conversion, name: str) -> str | None:
    """The value that an input gives a variable, which may name others; None where it has none."""
    variable = c.installation.environment.get(name)
    return variable.value if variable is not None else None


def _default_holds(c: Conversion, place: Place, name: str, default: str) -> bool:
    """Whether the default of a placeholder was in force: nothing that the inputs name could give the variable."""
    if name in c.installation.environment or c.installation.extra_env_from:
        return False
    if place == ENCRYPTION:
        # Without a value nobody knows that there was no key, and a new one loses what the old one encrypted.
        return bool(default)
    return True


def _keep(c: Conversion, place: Place, value: Value) -> None:
    """A text whose variables come from elsewhere stays; a default that is a secret does not stand in it."""
    text = str(value.value)
    known, annotation = annotation_of(place)
    sensitive = (known and is_sensitive(annotation)) or is_secret(place, text)
    defaults = [m for m in PLACEHOLDER.finditer(text) if m[2]]
    if sensitive and defaults:
        names = ", ".join(m[1] for m in defaults)
        c.changed(
            place,
            f"the default of {names} is a secret in clear and is left out; the variable is provided from elsewhere",
        )
        value.value = PLACEHOLDER.sub(lambda m: f"${{{m[1]}}}", text)


def unprovided(c: Conversion) -> None:
    """Names every variable that the draft's placeholders need and that nothing gives."""
    named: dict[str, list[tuple[Place, Value]]] = {}
    texts = [v.value for p, v in c.draft.leaves() if p[0] != "deployment" or p[1] == "url"]
    needed = {m[1] for t in texts if isinstance(t, str) for m in PLACEHOLDER.finditer(t)}
    for place, value in c.draft.leaves():
        # The text of a variable is none of Kestra's placeholders, unless a placeholder of Kestra's names it.
        is_needed = place[:2] == ("deployment", "environment") and place[-1] in needed
        if place[0] == "deployment" and not is_needed and place[1] != "url":
            continue
        if isinstance(value.value, str):
            for match in PLACEHOLDER.finditer(value.value):
                if match[2] is None:
                    named.setdefault(match[1], []).append((place, value))
    provided = set(c.draft.keys("deployment", "environment"))
    for place, value in c.draft.leaves("deployment"):
        if place[-1] == "name" and "extra-env" in place:
            provided.add(str(value.value))
    from_elsewhere = any(
        c.draft.at("deployment", key) is not None for key in ("environment-from", "extra-env-from")
    )
    own = {".".join(map(str, kestra_path(place))) for place, _ in c.draft.leaves()}
    missing: list[str] = []
    for name, leaves in named.items():
        if name in provided or from_elsewhere:
            continue
        # `${global.domain}` is a key of the configuration, or the variable that sets it.
        if "." in name and (name in own or f"kestra.additional-configuration.{name}" in own):
            continue
        if re.sub(r"[.-]", "_", name).upper() in provided:
            continue
        missing.append(name)
        settings = ", ".join(dict.fromkeys(config_path(place) for place, _ in leaves))
        _ask(c, name, settings, leaves)
    if missing:
        c.note(
            "changed",
            ", ".join(f"${{{name}}}" for name in missing),
            "no input gives these variables: their placeholders are kept, and Kestra does not start without their "
            'values; each is named under "to set"',
        )


def _ask(c: Conversion, name: str, settings: str, leaves: list[tuple[Place, Value]]) -> None:
    lone = [place for place, value in leaves if str(value.value) == f"${{{name}}}"]
    why = (
        f"${{{name}}} in {settings}; nothing gives the variable {name} (or name a Secret that has it under "
        "kestra:deployment.environment-from, or a reference under kestra:deployment.extra-env)"
    )
    if "." in name:
        for place, _ in leaves:
            c.ask(
                place,
                f"${{{name}}} in {settings}; no input has the key {name}",
                secret=is_secret(place, "x9-Any"),
            )
    elif len(lone) == len(leaves) == 1:
        place = lone[0]
        known, annotation = annotation_of(place)
        secret = (known and is_sensitive(annotation)) or is_secret(place, "x9-Placeholder-Value")
        c.ask(place, why, secret=secret)
    else:
        c.ask(("deployment", "environment", name), why, secret=False)
