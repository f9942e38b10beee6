"""From an installation to a stack file's settings and a report."""

from __future__ import annotations

from pydantic import SecretStr

from ..settings import Problem
from ..settings.base import OPAQUE
from ..validation.sensitive import is_sensitive
from . import (
    acceptance,
    bound_keys,
    log_in,
    placeholders,
    settings_map,
    side_containers,
    translation,
    variables,
)
from .conversion import Conversion
from .draft import UNKNOWN, Sealed, Value
from .installation import Installation
from .sealing import Seal, seal_secrets
from .secret_values import annotation_of, is_secret, mark_secrets
from .settings_map import setting_place

#: Settings that say where Kestra keeps what it knows.
_PLATFORM = ("queue", "repository", "datasources")


def convert(
    installation: Installation,
    seal: Seal,
    *,
    username: str | None = None,
    namespace: str | None = None,
) -> tuple[Conversion, tuple[Problem, ...]]:
    """Makes settings of an installation that the check accepts, but for what is to be set.

    Args:
        installation: what the readers found.
        seal: how secrets are encrypted.
        username: e-mail address for a log-in where there is none that can be used.
        namespace: Kubernetes namespace, where it is another than the installation's.

    Returns:
        The import, and the check's warnings.
    """
    c = Conversion(installation, username=username, namespace=namespace)
    c.notes += installation.notes
    settings_map.start(c)
    _see_secrets(c)
    side_containers.move_secrets(c)
    resolution = placeholders.resolve(c)
    settings_map.write_types(c.draft)
    mark_secrets(c.draft, c.secrets)
    _ask_for_missing(c)
    log_in.convert(c)
    bound_keys.convert(c)
    translation.convert(c)
    variables.convert(c, resolution)
    _namespace(c)
    mark_secrets(c.draft, c.secrets)
    acceptance.accept(c, _revealed)
    translation.remark(c)
    variables.namespaces(c)
    placeholders.unprovided(c)
    seal_secrets(c, seal)
    warnings = acceptance.accept(c, _sealed)
    _forget_written(c)
    _mark_incomplete(c)
    return c, warnings


def _see_secrets(c: Conversion) -> None:
    """Collects secrets before anything is left out, so that none of them is ever shown."""
    for place, value in c.draft.leaves():
        text = value.value
        if isinstance(text, str) and is_secret(place, text):
            c.secrets.add(text)
            c.secrets |= {m[2] for m in placeholders.PLACEHOLDER.finditer(text) if m[2]}
            for match in placeholders.PLACEHOLDER.finditer(text):
                if known := placeholders.value_of(c, match[1]):
                    c.secrets.add(known)
    c.secrets |= {v.value for v in c.installation.declared_secrets.values() if v.value}
    for name, variable in c.installation.environment.items():
        text = variable.value
        if not text:
            continue
        if name.startswith("SECRET_"):
            c.secrets.add(text)
            if plain := variables.decoded(text):
                c.secrets.add(plain)
        elif is_secret(("deployment", "environment", name), text):
            c.secrets.add(text)
    for place, value in c.draft.leaves():
        # A lone placeholder in a secret's place: the variable's value is the secret.
        if isinstance(value.value, str) and is_secret(place, "x9-Any-Secret"):
            for match in placeholders.PLACEHOLDER.finditer(value.value):
                if known := placeholders.value_of(c, match[1]):
                    c.secrets.add(known)


def _ask_for_missing(c: Conversion) -> None:
    """Keys that the installation sets and whose values no input holds."""
    for missing in c.installation.missing:
        place = setting_place(missing.path)
        if c.draft.at(*place) is not None:
            continue
        known, annotation = annotation_of(place)
        secret = (known and is_sensitive(annotation)) or is_secret(place, "x9-Any-Secret")
        names = ", ".join(f"${{{name}}}" for name in missing.variables)
        why = f"the inputs name {names} for it" if names else "no input has its value"
        why = missing.why or why
        if place in bound_keys.bound_places():
            c.draft.put(
                (*place[:-1], "existing"),
                Value(True, missing.origin, comment="data is bound to this key"),
            )
            why += "; data is bound to it: give the same one"
        c.ask(place, f"{why} ({c.where(missing.origin)})", secret=secret)


def _namespace(c: Conversion) -> None:
    if c.namespace and c.draft.text("deployment", "namespace") != c.namespace:
        before = c.draft.text("deployment", "namespace")
        was = f"{before} in the inputs; " if before else ""
        c.note("changed", "deployment.namespace", f"{was}--namespace says {c.namespace}")
        c.draft.put(("deployment", "namespace"), Value(c.namespace, comment="from --namespace"))


def _forget_written(c: Conversion) -> None:
    """What stands in the file after all is not to be set."""
    places = {acceptance.spelled(place) for place, _ in c.draft.leaves()}
    c.to_set = [item for item in c.to_set if item.setting not in places or "${" in item.why]


def _mark_incomplete(c: Conversion) -> None:
    """Lets the check refuse a stack of whose platform nothing is known: it would run on a database of its own."""
    absent = c.installation.absent_configuration
    if not absent or any(c.draft.at(key) is not None for key in _PLATFORM):
        return
    why = "no input holds the configuration that says it"
    for key in _PLATFORM[:2]:
        c.draft.put((key, "type"), Value(UNKNOWN, comment=why))
        c.ask((key, "type"), f"{why}; check refuses the stack until it is set")
    c.note(
        "changed",
        ", ".join(absent),
        "Kestra's configuration is not among the inputs, so its database, queue and storage are unknown here: this "
        "stack is not the installation yet, and check refuses it",
        "give it as a further input, and import again",
    )


def _revealed(value: Value) -> object:
    return SecretStr(str(value.value)) if value.is_secret else value.value


def _sealed(value: Value) -> object:
    return SecretStr(OPAQUE) if isinstance(value.value, Sealed) else value.value
