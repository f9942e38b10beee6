"""The page says which outputs a stack has, of which type, and which are secret: what other stacks may take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from components.package.components import KestraStack
from tests.components.recording_support import run
from tests.conftest import ROOT, stack_document

_ROW = re.compile(
    r"^\| `(\w+)` \| (text|map of texts) \| (no|\*\*secret\*\*) \| (.+) \|$", re.MULTILINE
)
#: Beginnings of what is said of outputs that not every stack has.
_CONDITIONS = ("While", "With")
_STACKS = ("local", "example-oss-aws")
#: Where the component has another name, since an argument has this one.
_OF_COMPONENT = {"secret": "kubernetesSecret", "tags": "resourceTags"}


class Row(NamedTuple):
    """What the page says of an output."""

    type: str
    is_secret: bool
    is_always: bool


def rows() -> dict[str, Row]:
    """Name to row."""
    page = (ROOT / "docs" / "stacks-that-compose.md").read_text()
    return {
        name: Row(type_, secret != "no", not text.startswith(_CONDITIONS))
        for name, type_, secret, text in _ROW.findall(page)
    }


def _fits(value: Any, type_: str) -> bool:
    if type_ == "text":
        return isinstance(value, str)
    return isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values())


@pytest.mark.parametrize("stack", _STACKS)
def test_a_stack_has_the_outputs_of_the_page(stack: str) -> None:
    recorded, documented = run(stack_document(stack)), rows()
    assert {name for name, row in documented.items() if row.is_always} <= set(recorded.outputs)
    assert set(recorded.outputs) <= set(documented)
    for name, value in recorded.outputs.items():
        assert _fits(value, documented[name].type), name
    assert recorded.secret_outputs == {name for name, row in documented.items() if row.is_secret}


def test_the_component_has_the_same_outputs() -> None:
    component = {
        name: Row(
            {"string": "text", "map": "map of texts"}[one.type], one.is_secret, one.is_required
        )
        for name, one in KestraStack.OUTPUTS.items()
    }
    assert {_OF_COMPONENT.get(name, name): row for name, row in rows().items()} == component
