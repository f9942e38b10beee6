"""The schema extracts say what the installed SDKs say, so that a wrong input cannot hide behind a stand-in."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi import _types

from sandbox import plugins
from sandbox.plugins.inputs import Schemas
from sandbox.plugins.random.provider import make_bytes, make_text
from sandbox.plugins.values import UNKNOWN, Secret, has_secret, has_unknown, marshal, unmarshal

FOLDER = Path(plugins.__file__).parent
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


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_values_survive_the_protocol(properties: dict[str, Any]) -> None:
    assert unmarshal(marshal(properties)) == properties


def test_marks_survive_the_protocol_and_secrets_are_never_shown() -> None:
    properties = {"a": Secret({"b": "hidden"}), "c": [UNKNOWN], "d": Secret(UNKNOWN)}
    back = unmarshal(marshal(properties))
    assert back["a"] == Secret({"b": "hidden"})
    assert has_secret(back["a"])
    assert not has_secret(back["c"])
    assert has_unknown(back["c"])
    assert has_unknown(back["d"])
    assert "hidden" not in repr(back)


@given(
    st.integers(8, 200),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 2),
    st.booleans(),
)
def test_a_random_text_has_what_is_asked_for(
    length: int, low: int, up: int, digits: int, special: bool
) -> None:
    text = make_text(
        {"length": length, "minLower": low, "minUpper": up, "minNumeric": digits, "special": special,
         "overrideSpecial": "-_"}
    )  # fmt: skip
    assert len(text) == length
    assert sum(c.islower() for c in text) >= low
    assert sum(c.isupper() for c in text) >= up
    assert sum(c.isdigit() for c in text) >= digits
    assert special or text.isalnum()


def test_random_bytes_are_as_many_as_asked_for() -> None:
    _, made = make_bytes({"length": 32})
    assert len(bytes.fromhex(made["hex"])) == 32
