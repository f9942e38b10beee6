"""The schema extracts say what the installed SDKs say, so that a wrong input cannot hide behind a stand-in."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi import _types

from sandbox import providers
from sandbox.providers.runtime.schemas import Schemas
from sandbox.providers.runtime.values import (
    UNKNOWN,
    Secret,
    has_secret,
    has_unknown,
    marshal,
    unmarshal,
)

FOLDER = Path(providers.__file__).parent
SCHEMAS = [s for name in ("random", "vault") for s in Schemas(FOLDER / name / "schema.json")]


def _sdk(token: str) -> type:
    package, module, name = token.split(":")
    folder = module.split("/")[0]
    path = f"pulumi_{package}" + ("" if folder == "index" else f".{folder.lower()}")
    return getattr(importlib.import_module(path), f"{name}Args")


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda s: s.token)
def test_the_inputs_are_those_of_the_sdks_class(schema: Any) -> None:
    arguments = _sdk(schema.token)
    names = _types.input_type_py_to_pulumi_names(arguments)
    assert set(schema.inputs) == set(names.values())
    parameters = inspect.signature(arguments.__init__).parameters
    required = {names[a] for a in names if parameters[a].default is inspect.Parameter.empty}
    assert set(schema.required) == required


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_values_survive_the_protocol_but_for_nulls_of_objects(properties: dict[str, Any]) -> None:
    assert unmarshal(marshal(properties)) == _without_nulls(properties)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


def test_marks_survive_the_protocol_and_secrets_are_never_shown() -> None:
    properties = {"a": Secret({"b": "hidden"}), "c": [UNKNOWN], "d": Secret(UNKNOWN)}
    back = unmarshal(marshal(properties))
    assert back["a"] == Secret({"b": "hidden"})
    assert has_secret(back["a"])
    assert not has_secret(back["c"])
    assert has_unknown(back["c"])
    assert has_unknown(back["d"])
    assert "hidden" not in repr(back)


def _check(token: str, news: dict[str, Any]) -> list[tuple[str, str]]:
    return next(s for s in SCHEMAS if s.token == token).check("name", news)


@pytest.mark.parametrize(
    ("token", "news", "words"),
    [
        ("vault:index/mount:Mount", {"path": "x"}, 'The argument "type" is required'),
        ("vault:index/mount:Mount", {"path": "x", "type": None}, "name.type"),
        ("vault:index/mount:Mount", {"path": "x", "type": "kv", "colour": 1}, "unknown key. Examine values at 'name.colour'"),
        ("vault:index/mount:Mount", {"path": "x", "type": "kv", "options": "2"}, "expected object type, got string type"),
        ("vault:index/mount:Mount", {"path": "x", "type": "kv", "options": {"version": [2]}}, "Unexpected type: expected string type, got array type. Examine values at 'name.options.version'"),
        ("vault:index/mount:Mount", {"path": "x", "type": "kv", "local": "perhaps"}, "expected boolean type"),
        ("vault:index/mount:Mount", {"path": "x", "type": "kv", "allowedManagedKeys": [{}]}, "in the list, expected string type, got object type. Examine values at 'name.allowedManagedKeys[0]'"),
        ("vault:index/token:Token", {"numUses": "many"}, "expected integer type"),
        ("vault:index/token:Token", {"numUses": True}, "expected integer type, got boolean type"),
        ("random:index/randomBytes:RandomBytes", {}, "name.length"),
    ],
)  # fmt: skip
def test_a_wrong_input_is_refused_with_its_name(
    token: str, news: dict[str, Any], words: str
) -> None:
    failures = _check(token, news)
    assert len(failures) == 1
    property_, reason = failures[0]
    assert words in reason
    # The engine prints the value of a property that is named here.
    assert property_ == ""


@pytest.mark.parametrize(
    "news",
    [
        {"numUses": "3", "renewable": "true", "ttl": 60},
        {"numUses": UNKNOWN, "policies": [UNKNOWN], "metadata": UNKNOWN},
        {"policies": Secret(["a"]), "__defaults": []},
    ],
    ids=["what the bridge converts", "what is not known yet", "what is marked"],
)
def test_what_the_official_provider_takes_is_taken(news: dict[str, Any]) -> None:
    assert _check("vault:index/token:Token", news) == []


def test_a_refusal_never_quotes_a_value() -> None:
    failures = _check("vault:kv/secretV2:SecretV2", {"mount": Secret({"hidden": 1})})
    assert failures
    assert "hidden" not in str(failures)


def test_secrets_are_marked_by_the_schema_and_by_the_inputs() -> None:
    schema = next(s for s in SCHEMAS if s.token == "vault:kv/secretV2:SecretV2")
    outputs = {"dataJson": "{}", "data": {}, "path": "a", "metadata": {}, "mount": "m", "cas": None}
    marked = schema.mark(outputs, {"mount": Secret("m")})
    assert {k for k, v in marked.items() if isinstance(v, Secret)} == {"dataJson", "data", "mount"}
    assert "cas" not in marked


@given(st.dictionaries(st.text(max_size=12), JSON, max_size=4))
def test_no_input_whatever_breaks_the_check(news: dict[str, Any]) -> None:
    for schema in SCHEMAS:
        schema.check("name", news)
