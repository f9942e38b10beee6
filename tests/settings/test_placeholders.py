"""Placeholders as Micronaut reads them: variables and properties, several names, defaults."""

from __future__ import annotations

from typing import Any

import pytest

from components.rendering.configuration import ProvidedValue, render
from components.settings import SettingsError
from components.settings.placeholders import as_placeholder, resolve_placeholders
from components.settings.report import Problem
from components.validation import load
from components.validation.loader import load_stack
from tests.settings.malformed_fixtures import PLANTED, deployment, enterprise, oss, vault


# What Micronaut 4.10.26 made of each, with SET=set and db.password=stored.
@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("${SET}", "set"),
        ("${ SET }", "set"),
        ("${db.password}", "stored"),
        ("${NO:x}", "x"),
        ("${NO:}", ""),
        ("${NO:SET:x}", "set"),
        ("${NO:db.password:x}", "stored"),
        ("${NO:NO2:x}", "x"),
        ("${NO:`a:b`}", "a:b"),
        ("${NO:a$b}", "a$b"),
        ("${NO: x }", " x"),
        ("${NO:http://h:80/}", "80/"),
        ("${NO:`http://h:80/`}", "http://h:80/"),
        ("a${SET}b${NO:c}", "asetbc"),
        ("${SET :x}", "${SET :x}"),
        ("${NO}", "${NO}"),
    ],
)
def test_placeholders_are_resolved_as_micronaut_resolves_them(text: str, resolved: str) -> None:
    assert resolve_placeholders(text, {"SET": "set", "DB_PASSWORD": "stored"}) == resolved


@pytest.mark.parametrize("text", ["a${B}", "${A", "${A:${B}}", "${A b}", "${}", "${é}", "${1A}"])
def test_a_text_that_is_more_or_less_than_one_placeholder_is_none(text: str) -> None:
    assert as_placeholder(text) is None


def _problems(document: dict[str, Any]) -> list[Problem]:
    try:
        return list(load_stack(document, source="f").warnings)
    except SettingsError as error:
        return list(error.problems)


SENSITIVE = {
    "a field": lambda text: vault(token={"token": text}),
    "a key of the catalogue": lambda text: enterprise(ee={"license": {"key": text}}),
    "a variable of a client": lambda text: enterprise(
        kafka={"client": {"properties": {"ssl.keystore.password": text}}}
    ),
}


@pytest.mark.parametrize("place", SENSITIVE)
@pytest.mark.parametrize("text", ["${db.password}", "${db.pass-word}", "${db[0].key}", "${a.b:}"])
def test_a_property_in_a_sensitive_setting_is_no_secret_in_clear_and_stays(
    place: str, text: str
) -> None:
    document = SENSITIVE[place](text)
    assert not [p for p in _problems(document) if "in clear" in p.message]
    rendered = render(load(document, source="f").settings)
    assert text in rendered.yaml()


@pytest.mark.parametrize("place", SENSITIVE)
def test_the_default_of_a_property_in_a_sensitive_setting_is_a_secret(place: str) -> None:
    document = SENSITIVE[place](f"${{a.b:{PLANTED}}}")
    assert [p for p in _problems(document) if "in clear" in p.message]
    assert not [p for p in _problems(document) if PLANTED in p.line()]
    configuration = render(load(document, source="f").settings)
    assert PLANTED not in configuration.yaml()
    values = [v.value for v in configuration.environment.values() if isinstance(v, ProvidedValue)]
    assert f"${{a.b:{PLANTED}}}" in [value.get_secret_value() for value in values]


@pytest.mark.parametrize(
    ("text", "others", "is_warned"),
    [
        ("${global.domain}", {}, True),
        ("https://${global.domain}/x", {}, True),
        ("${global.domain:}", {}, False),
        ("${GLOBAL.DOMAIN}", {"additional-configuration": {"global": {"domain": "a.b"}}}, False),
        ("${global.domain}", {"additional-configuration": {"global": {"domain": "a.b"}}}, False),
        ("${global.domain}", {"deployment": {"environment": {"GLOBAL_DOMAIN": "a.b"}}}, False),
        ("${global.domain}", {"deployment": {"environment-from": ["all"]}}, False),
        ("${micronaut.application.name}", {}, False),
        ("${user.home}", {}, False),
        ("${random.uuid}", {}, False),
    ],
)
def test_a_property_that_nothing_provides_is_told(
    text: str, others: dict[str, Any], is_warned: bool
) -> None:
    document = oss(traces={"root": text}, **others)
    warned = [p for p in _problems(document) if "that nothing here provides" in p.message]
    assert [p.path for p in warned] == (["kestra:traces.root"] if is_warned else [])
    assert all("GLOBAL_DOMAIN" in p.fix for p in warned)


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("${A:${B:x}}", "placeholder in the default of another", "${FIRST:SECOND:default}"),
        ("${A:http://h:80/}", "default with a colon", "${A:`http://h:80/`}"),
        ("${A:jdbc:h2:mem:x}", "default with a colon", "${A:`jdbc:h2:mem:x`}"),
        ("${A:db.example.com:5432}", "default with a colon", "${A:`db.example.com:5432`}"),
        ("${A:localhost:8080}", "default with a colon", "${A:`localhost:8080`}"),
    ],
)
def test_what_micronaut_reads_otherwise_than_it_looks_is_told_with_the_form_that_works(
    text: str, message: str, fix: str
) -> None:
    [warned] = [p for p in _problems(oss(traces={"root": text})) if message in p.message]
    assert fix in warned.fix


@pytest.mark.parametrize("text", ["${A:B:5}", "${A:b.c:x}", "${A:`http://h:80/`}", "${A:http}"])
def test_several_names_and_a_default_in_backticks_are_as_they_are_meant(text: str) -> None:
    assert not [p for p in _problems(oss(traces={"root": text})) if "default" in p.message]


@pytest.mark.parametrize("text", ["${endpoints.password}", "${A:B:x}"])
def test_the_log_in_that_probes_carry_is_one_variable(text: str) -> None:
    log_in = {"all": {"basic-auth": {"username": "u", "password": text}}}
    [problem] = [p for p in _problems(oss(endpoints=log_in)) if p.severity == "error"]
    assert problem.path == "kestra:endpoints.all.basic-auth.password"
    assert "property" in problem.message


def test_an_encryption_key_may_be_a_property() -> None:
    document = deployment() | {"encryption": {"secret-key": "${keys.encryption}"}}
    assert not [p for p in _problems(document) if p.severity == "error"]
    assert "${keys.encryption}" in render(load(document, source="f").settings).yaml()
