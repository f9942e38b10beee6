"""What holds for any document: a report that a person can use and that tells no secret, or settings that render."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.rendering.configuration import Configuration, ProvidedValue, render
from components.settings import SettingsError
from components.settings import report as report_of
from components.validation import Loaded, load
from components.validation.schema import LONG_NAME
from components.validation.sensitive import in_clear
from tests.faults.hostile_documents_support import Document, canonical, written
from tests.faults.hostile_keys_support import NAME, NAMES, PLANTED

_OURS = re.compile(r"\$\{(STACK_[A-Z0-9_]+)\}")
_LITERAL = "${STACK_LITERAL:`${`}"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Tally:
    """What the documents were."""

    seen: set[int] = field(default_factory=set)
    valid: list[Document] = field(default_factory=list)
    invalid: list[Document] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    keys: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def judge(self, document: Document, *, rendered: bool = True) -> SettingsError | None:
        """Loads a document and checks what must hold for it; the report where it is invalid."""
        self.seen.add(hash(repr(document)))
        try:
            loaded = load(document, source="f.yaml")
        except SettingsError as error:
            self.invalid.append(document)
            self.rules.update(p.message for p in error.problems)
            check_report(error, document)
            return error
        self.valid.append(document)
        self.keys.update(_generic(path) for path in written(document).values())
        if rendered:  # a value of a key that is not sensitive may stand in the file
            check_rendered(loaded, is_planted=not _stands_in_the_open(document))
        return None


def _generic(path: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(NAME if i and path[i - 1] in NAMES else str(p) for i, p in enumerate(path))


def check_report(error: SettingsError, document: Any) -> None:
    """Every problem says where, what, why and what to do; one line each; no secret."""
    text = error.report()
    text.encode()
    assert PLANTED not in text
    assert "Traceback" not in text
    errors = [p for p in error.problems if p.severity == "error"]
    assert errors
    assert all(p.message and p.rule and p.fix for p in error.problems)
    headings = 1 + (len(errors) < len(error.problems))
    assert len(text.splitlines()) == len(error.problems) + headings
    spelled: dict[str, set[str]] = {}
    for path in written(document) if isinstance(document, dict) else ():
        if len(path) < LONG_NAME:
            spelled.setdefault(canonical(path), set()).add(path)
    for problem in error.problems:
        if (ways := spelled.get(canonical(problem.path))) is not None:
            assert problem.path in ways, f"{problem.path} is written {ways}"


def _stands_in_the_open(document: Any) -> bool:
    """Whether the planted word is the value of a key that is not sensitive, where it may be shown."""
    secret = {place for place, _ in in_clear(document)}

    def found(value: Any, at: tuple[str, ...]) -> bool:
        if isinstance(value, dict):
            return any(PLANTED in str(k) or found(v, (*at, str(k))) for k, v in value.items())
        if isinstance(value, (list, tuple)):
            return any(found(item, at) for item in value)
        return isinstance(value, str) and PLANTED in value and at not in secret

    return found(document, ())


def check_rendered(loaded: Loaded, *, is_planted: bool = True) -> Configuration:
    """The text is the document, holds no secret, and its variables are all in the environment.

    Args:
        loaded: valid settings.
        is_planted: whether the planted word stands in places of secrets alone.
    """
    settings = loaded.settings
    assert PLANTED not in report_of(loaded.warnings)
    configuration = render(settings)
    text = configuration.yaml()
    text.encode()
    assert len(text.encode()) < 2**20, "a ConfigMap holds 1 MiB"
    assert _exact(yaml.load(text, Loader=_LOADER)) == _exact(configuration.document)
    assert not is_planted or PLANTED not in text
    assert render(settings).yaml() == text
    assert set(_OURS.findall(text)) == set(configuration.environment)
    for name, source in configuration.environment.items():
        assert re.fullmatch(r"STACK_[A-Z0-9_]+", name)
        assert not isinstance(source, ProvidedValue) or "\0" not in source.value.get_secret_value()
    if settings.is_secrets_alone:
        # There is no Kestra to be told anything.
        assert configuration.document == {}
        return configuration
    kestra = configuration.document["kestra"]
    if not settings.is_enterprise:
        assert "secret" not in kestra
        # Of this block one key is open source, on 2.0.
        assert set(kestra.get("security", {})) <= {"zip-bomb-protection"}
    assert not re.search(r"\$\{(?![A-Za-z_`])", text.replace(_LITERAL, "")), (
        "Micronaut would not start"
    )
    return configuration


def _exact(value: Any) -> Any:
    """With the kinds of values, since True equals 1; and in order."""
    if isinstance(value, dict):
        return [(k, _exact(v)) for k, v in value.items()]
    if isinstance(value, list):
        return [[_exact(v)] for v in value]
    return (type(value), value)
