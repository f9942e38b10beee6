"""Installations as they are in the wild: each input with what its expected file says of it (fixtures/cases)."""

from __future__ import annotations

import base64
import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.__main__ import main
from components.settings import SettingsError
from components.validation import load_file, load_stack

CASES = Path(__file__).parent / "fixtures" / "cases"
NAMES = sorted(f.name.removesuffix(".expected.yaml") for f in CASES.glob("*.expected.yaml"))
ROOTS = ("kestra", "micronaut", "logger", "otel", "flyway", "tasks", "datasources", "endpoints")


@dataclass
class Outcome:
    """What the command did with a case."""

    status: int
    output: str
    errors: str
    file: Path

    @cached_property
    def text(self) -> str:
        return self.file.read_text() if self.file.exists() else ""

    @cached_property
    def lines(self) -> list[str]:
        return self.output.splitlines()

    @cached_property
    def config(self) -> dict[str, Any]:
        config = yaml.safe_load(self.text)["config"]
        return {key.removeprefix("kestra:"): value for key, value in config.items()}

    @property
    def to_set(self) -> str:
        """The section of the report."""
        match = re.search(r"^To set \(.*?(?=^\S|\Z)", self.output, re.M | re.S)
        return match[0] if match else ""


@cache
def _expected(name: str) -> dict[str, Any]:
    return yaml.safe_load((CASES / f"{name}.expected.yaml").read_text())


def _import(name: str, folder: Path, *options: str) -> Outcome:
    file = folder / "Pulumi.case.yaml"
    inputs = [str(CASES / path) for path in _expected(name)["inputs"]]
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = main(["import", *inputs, "--output", str(file), "--force", *options])
    return Outcome(status, output.getvalue(), errors.getvalue(), file)


_DONE: dict[tuple[str, bool], Outcome] = {}


@pytest.fixture
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The outcome of a case; each is imported once a process, with a passphrase and without one."""
    name, encrypts = request.param
    if encrypts:
        request.getfixturevalue("passphrase")
    if request.param not in _DONE:
        _DONE[request.param] = _import(name, tmp_path_factory.mktemp("case"))
    return _DONE[request.param]


def every(*, encrypts: bool = True) -> Any:
    return pytest.mark.parametrize(
        ("name", "outcome"),
        [pytest.param(name, (name, encrypts), id=name) for name in NAMES],
        indirect=["outcome"],
    )


def _parts(path: str) -> list[str]:
    """`kafka.client["a.b"]` as keys; a setting's path or Kestra's own."""
    parts = [a or b for a, b in re.findall(r'\["([^"]+)"\]|([^.\["]+)', path)]
    return parts[1:] if parts[0] == "kestra" else parts


def _at(config: Any, path: str) -> Any:
    """What stands at a path; kebab-case and camelCase are equal. A key with dots may also be written in full."""
    node = config
    for part in _parts(path):
        if not isinstance(node, dict):
            return None
        spellings = {re.sub(r"[-_]", "", key).lower(): value for key, value in node.items()}
        node = spellings.get(re.sub(r"[-_]", "", part).lower())
    return node


def _is_known(path: str) -> bool:
    """Whether `check` knows the key of a path."""
    first, *rest = _parts(path)
    node: Any = "x"
    for part in reversed(rest):
        node = {part: node}
    try:
        load_stack({first: node}, source="")
    except SettingsError as error:
        return not any(
            "is no known key" in p.message or "is no first-level key" in p.message
            for p in error.problems
        )
    return True


def _equal(actual: Any, expected: Any) -> bool:
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(_equal(actual.get(key), value) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(actual) == len(expected) and all(map(_equal, actual, expected))
    return str(actual).lower() == str(expected).lower()


def _described(expected: Any) -> bool:
    """Whether an expected value is a sentence about a list or a text."""
    return isinstance(expected, str) and (
        expected.startswith("list of ") or expected.startswith("the three lines")
    )


@every()
def test_the_outcome_is_the_expected_one(name: str, outcome: Outcome) -> None:
    expected = _expected(name)
    if expected["outcome"] == "refused":
        assert outcome.status == 1
        assert not outcome.file.exists()
        assert "Traceback" not in outcome.errors
        for item in expected["not_carried"]:
            assert all(word in outcome.errors + outcome.output for word in item["mentions"])
    else:
        assert outcome.status == 0, outcome.errors


@every()
def test_the_check_finds_nothing_but_what_is_to_be_set(name: str, outcome: Outcome) -> None:
    if outcome.status == 0:
        assert list(_unexpected(outcome)) == []


@every(encrypts=False)
def test_without_a_passphrase_too(name: str, outcome: Outcome) -> None:
    if outcome.status == 0:
        assert list(_unexpected(outcome)) == []
        assert "secure: v1:" not in outcome.text


def _unexpected(outcome: Outcome) -> Iterator[str]:
    try:
        load_file(outcome.file)
    except SettingsError as error:
        for problem in error.problems:
            if problem.severity == "error" and problem.path not in outcome.to_set:
                yield problem.line()


@every()
def test_each_setting_arrives_or_is_reported(name: str, outcome: Outcome) -> None:
    wrong: list[str] = []
    for path, value in _expected(name)["settings"].items():
        actual = _at(outcome.config, path)
        if actual is None and not _is_known(path):
            actual = _at(outcome.config.get("additional-configuration", {}), f"kestra.{path}")
        if actual is None and not _is_known(path):
            last = _parts(path)[-1]
            if not any(
                path.removeprefix("kestra.") in line or last in line for line in outcome.lines
            ):
                wrong.append(f"{path} is not named")
        elif actual is None or not (_described(value) or _equal(actual, value)):
            wrong.append(f"{path}: {value!r} expected, {actual!r} written")
    assert wrong == []


@every()
def test_what_must_not_be_there_is_not(name: str, outcome: Outcome) -> None:
    for path in _expected(name).get("absent", []):
        assert _at(outcome.config, path) is None


@every()
def test_every_secret_is_encrypted_or_to_be_set(name: str, outcome: Outcome) -> None:
    wrong: list[str] = []
    for item in _expected(name)["secrets"]:
        if "*" in item["path"]:
            continue
        path = item["path"]
        actual = _at(outcome.config, path)
        if isinstance(actual, str) and not re.fullmatch(r"\$\{[A-Za-z_]\w*\}", actual):
            readable = path.endswith(".url") and "password" not in actual
            if not readable:
                wrong.append(f"{path} stands in clear")
        if actual is None and not any(
            _parts(path)[-1] in line or _parts(path)[-2] in line for line in outcome.lines
        ):
            wrong.append(f"{path} is neither there nor named")
    assert wrong == []


@every()
def test_no_planted_text_is_shown(name: str, outcome: Outcome) -> None:
    _assert_hidden(name, outcome)


@every(encrypts=False)
def test_no_planted_text_is_shown_without_a_passphrase(name: str, outcome: Outcome) -> None:
    _assert_hidden(name, outcome)


def _assert_hidden(name: str, outcome: Outcome) -> None:
    everything = outcome.output + outcome.errors + outcome.text
    for text in _expected(name)["planted"]:
        assert text not in everything
        for cut in range(3):
            encoded = base64.b64encode(b"x" * cut + text.encode()).decode()
            # The same text at another place of a longer one: without the characters that its neighbours decide.
            assert encoded[4 if cut else 0 : -4] not in everything


@every()
def test_what_is_changed_and_what_is_not_carried_is_reported(name: str, outcome: Outcome) -> None:
    expected = _expected(name)
    if outcome.status:
        return
    missing: list[str] = []
    for item in [*expected["changed"], *expected["not_carried"]]:
        words = [str(word) for word in item["mentions"]]
        if not any(all(word in line for word in words) for line in outcome.lines):
            missing.append(f"{item['what']}: {words}")
    assert missing == []


@every()
def test_every_option_of_the_pods_is_carried_or_named(name: str, outcome: Outcome) -> None:
    missing: list[str] = []
    for item in _expected(name).get("pod_options", []):
        for words in _words_of({k: v for k, v in item.items() if k not in ("component", "note")}):
            if words not in outcome.text and words not in outcome.output:
                missing.append(words)
    assert missing == []


def _words_of(node: Any) -> Iterator[str]:
    """Names and values of an option, as they would be written."""
    if isinstance(node, dict):
        for item in node.values():
            yield from _words_of(item)
    elif isinstance(node, list):
        for item in node:
            yield from _words_of(item)
    elif isinstance(node, str):
        yield node.split(" ")[0]
