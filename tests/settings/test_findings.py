"""What is wrong with settings travels as objects: no text of it means more than it says."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import AfterValidator, ValidationError

from components.settings.base import Model
from components.settings.findings import Finding, invalid_setting
from components.settings.walk import dotted, walk_values
from components.validation import load
from components.validation.schema import translate_error
from tests.settings.malformed_fixtures import oss

TEXTS = ("holds a | b", "one of a|b|c", "write {a} | {b}")


def _refuse(_: str) -> str:
    raise invalid_setting(*TEXTS)


class _Block(Model):
    """A block whose one key is never valid."""

    key: Annotated[str, AfterValidator(_refuse)] = ""


def test_a_bar_or_a_brace_in_a_text_of_an_error_is_a_part_of_it() -> None:
    with pytest.raises(ValidationError) as error:
        _Block.model_validate({"key": "x"})
    [detail] = error.value.errors(include_url=False)
    assert translate_error(detail) == TEXTS


def test_only_what_depends_on_others_may_be_the_consequence_of_an_invalid_neighbour() -> None:
    place = ("server", "liveness", "timeout")
    assert not Finding(place, "is missing", "", "").depends_on_neighbours
    assert Finding(place, "lacks a letter", "", "", kind="relation").depends_on_neighbours
    assert Finding(place, "lacks a letter", "", "", kind="missing").depends_on_neighbours


def test_every_value_is_met_once_with_its_place() -> None:
    settings = load(oss(traces={"root": "a"}), source="f").settings
    places = [place for place, _ in walk_values(settings)]
    assert len(places) == len(set(places))
    assert (("server", "basic-auth", "username"), "admin@kestra.io") in list(walk_values(settings))
    assert list(walk_values({"a": [{"b": 1}, []], "c": {}})) == [
        (("a", 0, "b"), 1),
        (("a", 1), []),
        (("c",), {}),
    ]
    assert dotted(("a", 0, "b")) == "a[0].b"
    assert not list(walk_values({}))
