"""`kestra:version` is changed on a stack: every setting means the same afterwards, or an error says what to write."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest

from components.rendering.configuration import render
from components.settings import Problem, Settings, SettingsError
from components.settings.findings import Finding
from components.settings.password_rules import expression, structured
from components.validation import load
from tests.components.inventory_support import documents
from tests.configuration import golden_support
from tests.configuration.documents_fixtures import document
from tests.conftest import of_version
from tests.upgrade import every_key_support as keys

RICHEST: dict[str, dict[str, Any]] = documents() | {
    f"golden-{'-'.join(case)}": document(*case) for case in golden_support.CASES
}
OTHER = {"1.3": "2.0", "2.0": "1.3"}


def moved(name: str) -> dict[str, Any]:
    """The document with the other version, and nothing else changed."""
    settings = deepcopy(RICHEST[name])
    return settings | {"version": OTHER[settings.get("version", "1.3")]}


def refused(settings: dict[str, Any]) -> dict[str, Problem]:
    try:
        load(deepcopy(settings), source="test")
    except SettingsError as error:
        return {p.path: p for p in error.problems if p.severity == "error"}
    return {}


def test_every_key_of_the_model_is_looked_at() -> None:
    assert len(keys.every_key()) > 500
    missed = [path for path in keys.every_key() if keys.around(path) is None]
    assert not missed, "add a value that such a key takes to _TEXTS"


def _differences() -> dict[str, dict[str, set[Any]]]:
    """Key to what the checks say for one version only; what is rendered for one version only is there too."""
    result = {}
    for path in keys.every_key():
        settings = keys.around(path)
        assert settings is not None
        first, second = (keys.of_version(settings, version) for version in keys.VERSIONS)
        said, also = keys.findings(first), keys.findings(second)
        once, twice = keys.rendered(first), keys.rendered(second)
        changed = {at for at in once.keys() | twice.keys() if once.get(at) != twice.get(at)}
        if said != also or changed:
            result[path] = {"1.3": said - also, "2.0": also - said, "rendered": changed}
    return result


def test_no_key_silently_vanishes_or_appears_when_the_version_changes() -> None:
    differences = _differences()
    rendered = {path for path, difference in differences.items() if difference["rendered"]}
    assert rendered == {"deployment.task-runner.scripts"}, "it is refused on 2.0"
    limited = {}
    for path, (since, until) in keys.every_key().items():
        lacking = {v for v in keys.VERSIONS if v < since or (until and v > until)}
        # What neither version has is a warning in both.
        if len(lacking) == 1:
            limited[path] = lacking.pop()
    # A block that is switched off says nothing.
    for path in ("deployment.grpc-tls.enabled", "deployment.worker-authentication.enabled"):
        del limited[path]
    assert differences.keys() == limited.keys()
    for path, lacking in limited.items():
        # Its own version alone judges the value of a key: the one here is no object of Kubernetes.
        for finding in differences[path][OTHER[lacking]]:
            assert finding.warning or _starts(path, finding), path
        (finding,) = [f for f in differences[path][lacking] if not f.warning]
        place = ".".join(map(str, finding.loc))
        assert _starts(path, finding) or place in ("secret.type", "store.also.type"), path
        assert finding.fix


def _starts(path: str, finding: Finding) -> bool:
    place = [str(part) for part in finding.loc if isinstance(part, str)]
    parts = path.replace("<name>", "name").split(".")
    return parts[: len(place)] == place[: len(parts)]


#: What keeps each document from the other version.
PASSWORDS = {
    "1.3": {"kestra:security.basic-auth.password-regexp"},
    "2.0": {"kestra:security.basic-auth.password-min-length"},
}
ROLES = {f"kestra:security.default-role.permissions.{r}[0]" for r in ("FLOW", "EXECUTION")}
CONTROLLER = {"kestra:deployment.components.controller"}
ENTERPRISE = {
    "golden-production-1.3-enterprise",
    "golden-production-2.0-enterprise",
    *(name for name in RICHEST if not name.startswith(("golden", "oss-")) and "2.0" not in name),
} - {"local"}
KEEPS: dict[str, set[str]] = {name: set() for name in RICHEST}
for _name in ENTERPRISE:
    KEEPS[_name] |= PASSWORDS[RICHEST[_name].get("version", "1.3")]
for _name in ("aws-ssm-parameter-store-production", "aws-ssm-parameter-store-staging"):
    KEEPS[_name] |= {"kestra:secret.type", "kestra:grpc", *ROLES}
for _name in RICHEST:
    if "controller" in RICHEST[_name].get("deployment", {}).get("components", {}):
        KEEPS[_name] |= CONTROLLER
for _name in RICHEST:
    if "scripts" in (RICHEST[_name].get("deployment", {}).get("task-runner") or {}):
        KEEPS[_name] |= {"kestra:deployment.task-runner.scripts"}
for _name in RICHEST:
    if "tag" in RICHEST[_name].get("deployment", {}).get("image", {}):
        KEEPS[_name] |= {"kestra:deployment.image.tag"}
KEEPS["golden-production-2.0-enterprise"] |= {"kestra:security.basic-auth.password-require-special"}


@pytest.mark.parametrize("name", sorted(RICHEST))
def test_a_stack_is_told_all_at_once_what_keeps_it_from_the_other_version(name: str) -> None:
    problems = refused(moved(name))
    assert set(problems) == KEEPS[name]
    assert all(problem.fix for problem in problems.values())


def mended(name: str) -> dict[str, Any]:
    """The moved document with what the errors say to write."""
    changed, problems = moved(name), refused(moved(name))
    changed = of_version(changed, changed["version"])
    if "kestra:deployment.task-runner.scripts" in problems:
        del changed["deployment"]["task-runner"]["scripts"]
    if any("password-regexp" in path for path in problems):
        fix = problems["kestra:security.basic-auth.password-regexp"].fix
        rules = re.findall(r"(password-[a-z-]+): (\w+)", fix)
        assert len(rules) == 5
        values = {"true": True, "false": False}
        changed["security"]["basic-auth"] = {
            k: values.get(v) or (v != "false" and int(v)) for k, v in rules
        }
    return changed


@pytest.mark.parametrize("name", [n for n in sorted(RICHEST) if RICHEST[n].get("version") != "2.0"])
def test_with_what_the_errors_say_every_stack_of_1_3_is_valid_for_2_0(name: str) -> None:
    settings = load(mended(name), source="test").settings
    assert settings.version == "2.0"
    text = render(settings).yaml()
    assert "super-admin" not in text
    before = load(deepcopy(RICHEST[name]), source="test").settings
    first, second = keys.rendered(before), keys.rendered(settings)
    changed = {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}
    # Defaults of plugins ended with 1.3.
    expected = ("kestra.security.basic-auth.password-", "kestra.plugins.defaults")
    assert all(path.startswith(expected) for path in changed)


def test_rules_for_passwords_are_suggested_in_the_words_of_2_0() -> None:
    assert structured(r"^(?=.*[a-z])(?=.*\d).{12,}$") == {
        "password-min-length": 12,
        "password-min-lower-case": 1,
        "password-min-upper-case": 0,
        "password-min-digits": 1,
        "password-require-special": False,
    }
    assert structured("(?=.{4,}).*") == structured(".*"), "2.0 takes none under 8 characters"
    assert structured("[a-z]{12}") is None


@pytest.mark.parametrize(
    ("rules", "accepted", "refused_"),
    [
        ({}, "Abcdef1!", "Abcdefg1"),
        ({"password-require-special": False}, "Abcdefg1", "abcdefg1"),
        ({"password-min-length": 12, "password-min-digits": 2}, "Abcdefghi1!2", "Abcdefghij!2"),
        ({"password-allowed-special-characters": "]^-"}, "Abcdef1]", "Abcdef1!"),
        ({"password-min-upper-case": 0}, "abcdef1!", "Abcdefg!"),
    ],
)
def test_rules_for_passwords_are_suggested_as_an_expression_for_1_3(
    rules: dict[str, Any], accepted: str, refused_: str
) -> None:
    assert re.fullmatch(expression(rules), accepted)
    assert not re.fullmatch(expression(rules), refused_)


def test_a_release_named_beside_the_digest_is_held_against_the_version() -> None:
    image = {"tag": "v1.3.31", "digest": "sha256:" + "a" * 64}
    settings: dict[str, Any] = deepcopy(RICHEST["local"])
    settings["deployment"]["image"] = image
    assert refused(settings) == {}
    assert set(refused(settings | {"version": "2.0"})) == {"kestra:deployment.image.tag"}


def test_a_version_that_is_none_is_one_error() -> None:
    assert set(refused(RICHEST["local"] | {"version": "2.1"})) == {"kestra:version"}
    assert Settings.model_fields["version"].default == "1.3"
