"""Sensitive values leave the file: whatever the settings, and however odd the values are."""

from __future__ import annotations

import base64
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from components.rendering.configuration import (
    Configuration,
    GeneratedValueRef,
    ProvidedValue,
    render,
)
from components.rendering.document import dump
from components.rendering.leaves import Environment, literal, resolve, text, unliteral
from components.settings import Settings
from components.validation import load

from .documents_fixtures import EDITIONS, PLANTED, VERSIONS

PLACEHOLDER = re.compile(r"\$\{(STACK_[A-Z0-9_]+)\}")
#: Alternatives for a sensitive leaf: given, or absent so that the stack provides it.
secret = st.text("abcABC123!-_.~ äß", min_size=8, max_size=24).map(lambda t: f"{PLANTED}x{t}")
key = st.binary(min_size=32, max_size=32).map(lambda b: base64.b64encode(b).decode())
long_secret = secret.map(lambda t: t.ljust(32, "x"))


def block(required: dict[str, Any], sensitive: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({k: st.just(v) for k, v in required.items()}, optional=sensitive)


@st.composite
def backends(draw: st.DrawFn) -> dict[str, Any]:
    pair = st.tuples(secret, secret).map(
        lambda p: {"access-key-id": p[0], "secret-key-id": p[1], "session-token": p[0] + "s"}
    )
    address = {"address": "https://vault.example.com:8200"}
    app_role = st.tuples(secret, secret).map(lambda p: {"role-id": p[0], "secret-id": p[1]})
    auth = st.one_of(
        st.fixed_dictionaries({"kubernetes": st.just({})}),
        st.fixed_dictionaries({"token": block({}, {"token": secret})}),
        st.fixed_dictionaries({"password": block({"user": "kestra"}, {"password": secret})}),
        st.fixed_dictionaries({"app-role": st.one_of(st.just({}), app_role)}),
    )
    account = block({"tenant-id": "t", "client-id": "c"}, {}).flatmap(
        lambda b: secret.map(lambda s: b | {"client-secret": s})
    )
    shapes: dict[str, st.SearchStrategy[dict[str, Any]]] = {
        "aws-secret-manager": st.one_of(st.just({}), pair),
        "azure-key-vault": account.map(lambda a: {"vault-name": "vault1", "client-secret": a}),
        "google-secret-manager": block(
            {"project": "p"},
            {"service-account": secret.map(lambda s: f'{{\n "private_key": "{s}"\n}}\n')},
        ),
        "vault": auth.map(lambda a: address | a),
        "jdbc": block({}, {"secret": long_secret}),
        "elasticsearch": block({}, {"secret": long_secret}),
    }
    kind = draw(st.sampled_from(sorted(shapes)))
    return {"type": kind, kind: draw(shapes[kind])}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    edition = draw(st.sampled_from(EDITIONS))
    document: dict[str, Any] = {
        "version": draw(st.sampled_from(VERSIONS)),
        "edition": edition,
        "encryption": draw(block({}, {"secret-key": key})),
        "server": {"basic-auth": draw(block({"username": "a@b.c"}, {"password": secret}))},
        "endpoints": {"all": {"basic-auth": draw(block({"username": "u"}, {"password": secret}))}},
        "datasources": {
            "postgres": draw(block({"url": "jdbc:postgresql://db/kestra"}, {"password": secret}))
        },
        "storage": {
            "type": "s3",
            "s3": draw(block({"bucket": "bucket"}, {"access-key": secret, "secret-key": secret})),
        },
        "declared-secrets": {},
    }
    if edition == "enterprise":
        document["secret"] = draw(backends())
        document["security"] = {
            "super-admin": draw(block({"username": "a@b.c"}, {"password": secret}))
        }
    return document


def secrets_in(node: Any) -> list[str]:
    """Every secret value of settings."""
    if isinstance(node, SecretStr):
        return [node.get_secret_value()]
    if isinstance(node, dict):
        return [s for v in node.values() for s in secrets_in(v)]
    if hasattr(type(node), "model_fields"):
        return [s for name in type(node).model_fields for s in secrets_in(getattr(node, name))]
    return []


def intended(configuration: Configuration) -> dict[str, Any]:
    sources = configuration.environment.values()
    return configuration.intended(
        {s.key: f"<{s.key}>" for s in sources if isinstance(s, GeneratedValueRef)}
    )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(documents())
def test_the_file_holds_no_secret_and_its_placeholders_are_exactly_the_environment(
    document: dict[str, Any],
) -> None:
    loaded = load(document, source="test").settings
    configuration = render(loaded)
    file = configuration.yaml()

    values = secrets_in(loaded)
    assert PLANTED not in file
    assert not [value for value in values if value in file]
    assert PLANTED not in repr(configuration)

    named = PLACEHOLDER.findall(file)
    assert sorted(named) == sorted(configuration.environment)
    assert yaml.safe_load(file) == configuration.document

    given_values = [
        s.value.get_secret_value()
        for s in configuration.environment.values()
        if isinstance(s, ProvidedValue)
    ]
    assert sorted(given_values) == sorted(values)
    reached = str(intended(configuration))
    assert all(repr(value)[1:-1] in reached for value in values if "'" not in value)


odd = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from(["$", "{", "}", "${", "`", ":", "a", "STACK_X", "\n"])).map("".join),
)


@given(odd)
@settings(derandomize=True)
def test_any_password_reaches_kestra_as_it_is(value: str) -> None:
    # Without the checks, which refuse most of these: the rendering itself must not depend on them.
    stack = Settings.model_validate(
        {"server": {"basic-auth": {"username": "a@b.c", "password": "p-" + value}}}
    )
    configuration = render(stack)
    reached = intended(configuration)["kestra"]["server"]["basic-auth"]["password"]
    assert reached == "p-" + value
    source = configuration.environment["STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD"]
    assert isinstance(source, ProvidedValue)
    # The only placeholder that Micronaut meets in the variable is the one that stands for `${`.
    assert "${" not in source.value.get_secret_value().replace(literal("${"), "")


@given(odd)
@settings(derandomize=True)
def test_text_that_is_no_placeholder_stays_literal(value: str) -> None:
    assert unliteral(literal(value)) == value
    assert unliteral(text(value)) == value


@given(odd)
@settings(derandomize=True)
def test_any_text_survives_the_file(value: str) -> None:
    document = {"a": {"b": value, "c": [value, {"d": value}]}}
    assert yaml.safe_load(dump(document)) == document


def test_a_dollar_brace_in_the_middle_of_a_secret_is_written_in_the_form_that_was_measured() -> (
    None
):
    # Measured with Kestra's Micronaut (4.10.20): this variable binds as `pa${HOME}ss`, while the
    # value as it is would bind as `pa/rootss`.
    assert literal("pa${HOME}ss") == "pa${STACK_LITERAL:`${`}HOME}ss"


def test_a_value_that_is_one_placeholder_passes_through_without_a_variable() -> None:
    stack = load(
        {"server": {"basic-auth": {"username": "a@b.c", "password": "${MY_PASSWORD}"}}},
        source="test",
    ).settings
    configuration = render(stack)
    assert configuration.document["kestra"]["server"]["basic-auth"]["password"] == "${MY_PASSWORD}"
    assert list(configuration.environment) == ["STACK_KESTRA_ENCRYPTION_SECRET_KEY"]


def test_the_default_of_a_pass_through_placeholder_stays_out_of_the_file() -> None:
    written = "${MY_PASSWORD:Planted1-default}"
    stack = load(
        {"server": {"basic-auth": {"username": "a@b.c", "password": written}}}, source="test"
    ).settings
    configuration = render(stack)
    assert PLANTED not in configuration.yaml()
    source = configuration.environment["STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD"]
    assert isinstance(source, ProvidedValue)
    assert source.value.get_secret_value() == written


def test_a_password_inside_a_jdbc_url_leaves_the_file() -> None:
    for url in (
        "jdbc:postgresql://db/kestra?user=kestra&password=Planted1",
        "jdbc:postgresql://kestra:Planted1@db/kestra",
    ):
        stack = Settings.model_validate({"datasources": {"postgres": {"url": url}}})
        configuration = render(stack)
        assert PLANTED not in configuration.yaml()
        assert intended(configuration)["datasources"]["postgres"]["url"] == url


def test_two_paths_that_spell_alike_get_two_variables() -> None:
    environment = Environment()
    document = environment.write(
        {"my-db": {"x": SecretStr("one")}, "my_db": {"x": SecretStr("two")}}
    )
    assert len(environment.variables) == 2
    values = {
        name: source.value.get_secret_value()
        for name, source in environment.variables.items()
        if isinstance(source, ProvidedValue)
    }
    assert resolve(document, values) == {"my-db": {"x": "one"}, "my_db": {"x": "two"}}


def test_no_variable_is_named_like_an_override_of_kestra() -> None:
    foreign = ("KESTRA_", "MICRONAUT_", "DATASOURCES_", "ENDPOINTS_", "ENV_", "SECRET_")
    configuration = render(Settings.model_validate({"endpoints": {"all": {"basic-auth": {}}}}))
    assert configuration.environment
    assert not [name for name in configuration.environment if name.startswith(foreign)]


def test_text_that_snakeyaml_takes_for_a_number_is_quoted() -> None:
    assert dump({"a": ["1e5", "12", "0123", "60s", "1_000"]}).splitlines() == [
        "a:",
        "  - '1e5'",
        "  - '12'",
        "  - '0123'",
        "  - 60s",
        "  - '1_000'",
    ]


def test_text_of_several_lines_is_a_block() -> None:
    assert dump({"a": "one\ntwo\n"}) == "a: |\n  one\n  two\n"
