"""Whole stacks, resource by resource, as they are meant to be; a change shows as a difference to review."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest

from tests.components.inventory_support import (
    COMMAND,
    FOLDER,
    FULL,
    SECRET_MARK,
    documents,
    inventory,
    text,
)
from tests.components.recording_support import Recorder, run


@pytest.mark.parametrize(("name", "document"), documents().items(), ids=documents().keys())
def test_a_stack_is_what_its_inventory_says(name: str, document: dict[str, Any]) -> None:
    known = (FOLDER / f"{name}.yaml").read_text()
    now = text(name, document)
    assert now == known, f"the stack differs from its inventory; if that is meant, run: {COMMAND}"
    assert "Password-1-of" not in now
    assert "bytes-of" not in now


def test_the_folder_has_an_inventory_of_each_stack_and_no_other() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(documents())
    assert set(documents()) >= FULL


Change = Callable[[Recorder, str], None]


def _renamed(recorded: Recorder, urn: str) -> None:
    request, inputs = recorded.registered.pop(urn)
    other = type(request)()
    other.CopyFrom(request)
    other.name += "-2"
    recorded.registered[f"{urn}-2"] = (other, inputs)


def _below_another_component(recorded: Recorder, urn: str) -> None:
    moved = urn.replace("kestra:generated:GeneratedSecrets$", "kestra:kestra:Kestra$")
    assert moved != urn
    recorded.registered[moved] = recorded.registered.pop(urn)


def _without(option: str) -> Change:
    def change(recorded: Recorder, urn: str) -> None:
        request, inputs = recorded.registered[urn]
        other = type(request)()
        other.CopyFrom(request)
        assert getattr(other, option)
        setattr(other, option, False)
        recorded.registered[urn] = (other, inputs)

    return change


def _in_clear(recorded: Recorder, urn: str) -> None:
    """A secret loses its mark; its value stays."""
    request, inputs = recorded.registered[urn]
    assert SECRET_MARK in inputs["stringData"]
    recorded.registered[urn] = (request, inputs | {"stringData": inputs["stringData"]["value"]})


def _output_in_clear(recorded: Recorder, _: str) -> None:
    recorded.secret_outputs = recorded.secret_outputs - {"generated"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("generated-encryption-secret-key", _renamed),
        ("generated-encryption-secret-key", _below_another_component),
        ("generated-encryption-secret-key", _without("protect")),
        ("generated-encryption-secret-key", _without("retainOnDelete")),
        ("kestra-secret", _in_clear),
        ("kestra-secret", _output_in_clear),
    ],
    ids=["renamed", "moved", "not protected", "not retained", "in clear", "output in clear"],
)
def test_a_reduced_inventory_shows_a_resource_that_is_made_anew_unprotected_or_shown(
    name: str, change: Change
) -> None:
    assert "local" not in FULL
    recorded = copy(run(documents()["local"]))
    before = inventory(recorded, full=False)
    recorded.registered = dict(recorded.registered)
    (urn,) = (u for u, (request, _) in recorded.registered.items() if request.name == name)
    change(recorded, urn)
    assert inventory(recorded, full=False) != before
