"""Whole stacks, resource by resource, as they are meant to be; a change shows as a difference to review."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.inventory_support import COMMAND, FOLDER, documents, text


@pytest.mark.parametrize(("name", "document"), documents().items(), ids=documents().keys())
def test_a_stack_is_what_its_inventory_says(name: str, document: dict[str, Any]) -> None:
    known = (FOLDER / f"{name}.yaml").read_text()
    inventory = text(document)
    assert inventory == known, (
        f"the stack differs from its inventory; if that is meant, run: {COMMAND}"
    )
    assert "Password-1-of" not in inventory
    assert "bytes-of" not in inventory
