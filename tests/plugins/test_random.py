"""The makers and importers of the random stand-in."""

from __future__ import annotations

import base64
import string
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.providers.random import makers
from sandbox.providers.random.provider import RandomProvider
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Urn
from sandbox.providers.runtime.values import UNKNOWN, Secret

KINDS = {"Lower": str.islower, "Upper": str.isupper, "Numeric": str.isdigit}


@given(
    least=st.fixed_dictionaries({f"min{kind}": st.integers(0, 5) for kind in KINDS}),
    more=st.integers(1, 20),
)
@settings(max_examples=50, deadline=None)
def test_a_text_has_the_least_number_of_each_kind(least: dict[str, int], more: int) -> None:
    length = sum(least.values()) + more
    text = makers.make_text({"length": length, "special": False, **least})
    assert len(text) == length
    for kind, is_kind in KINDS.items():
        assert sum(map(is_kind, text)) >= least[f"min{kind}"]


def test_special_characters_are_those_that_are_wanted() -> None:
    text = makers.make_text({"length": 200, "overrideSpecial": "-_.~", "minSpecial": 20})
    special = [c for c in text if c not in string.ascii_letters + string.digits]
    assert len(special) >= 20
    assert set(special) <= set("-_.~")


def test_a_text_of_no_kind_is_refused() -> None:
    nothing = dict.fromkeys(("lower", "upper", "numeric", "special"), False)
    with pytest.raises(ProviderError, match="no kind of characters"):
        makers.make_text({"length": 4, **nothing})


def test_the_id_of_a_password_says_nothing_of_it() -> None:
    plugin, type_ = RandomProvider(), "random:index/randomPassword:RandomPassword"
    id_, outputs = plugin.create(Urn.of(type_, "n"), {"length": 32})
    assert id_ == "none"
    assert {k for k, v in outputs.items() if isinstance(v, Secret)} == {"result", "bcryptHash"}


def test_bytes_are_secret_outputs_but_their_id_is_their_value() -> None:
    plugin, type_ = RandomProvider(), "random:index/randomBytes:RandomBytes"
    id_, outputs = plugin.create(Urn.of(type_, "n"), {"length": 32})
    assert outputs["base64"] == Secret(id_)
    assert {k for k, v in outputs.items() if isinstance(v, Secret)} == {"base64", "hex"}


@pytest.mark.parametrize("inputs", [{"numeric": False}, {"number": False}], ids=str)
def test_the_old_name_of_numeric_means_the_same(inputs: dict[str, Any]) -> None:
    plugin, type_ = RandomProvider(), "random:index/randomPassword:RandomPassword"
    _, outputs = plugin.create(Urn.of(type_, "n"), {"length": 300, **inputs})
    assert not any(map(str.isdigit, outputs["result"].value))
    assert outputs["numeric"] is outputs["number"] is False


def test_an_id_has_four_spellings_of_the_same_bytes() -> None:
    id_, made = makers.make_id({"byteLength": 5, "prefix": "p-"})
    data = base64.urlsafe_b64decode(id_ + "===")
    assert made == {
        "b64Url": f"p-{id_}",
        "b64Std": "p-" + base64.b64encode(data).decode(),
        "hex": "p-" + data.hex(),
        "dec": f"p-{int.from_bytes(data)}",
    }
    assert makers.import_id(f"p-,{id_}") == (id_, {"byteLength": 5, "prefix": "p-"}, made)


def test_a_number_lies_in_its_range_and_follows_its_seed() -> None:
    assert {makers.make_integer({"min": 3, "max": 4})[1]["result"] for _ in range(60)} == {3, 4}
    seeded = {"min": 0, "max": 10**9, "seed": "one"}
    assert makers.make_integer(seeded) == makers.make_integer(seeded)
    with pytest.raises(ProviderError, match="smaller than or equal"):
        makers.make_integer({"min": 2, "max": 1})


def test_imports_give_back_what_was_made() -> None:
    known = base64.b64encode(b"x" * 16).decode()
    assert makers.import_bytes(known)[1:] == (
        {"length": 16},
        {"base64": known, "hex": (b"x" * 16).hex()},
    )
    assert makers.import_password("secret word")[:2] == ("none", {"length": 11})
    assert makers.import_string("plain") == ("plain", {"length": 5}, {"result": "plain"})
    assert makers.import_integer("7,1,9,s") == (
        "7",
        {"min": 1, "max": 9, "seed": "s"},
        {"result": 7},
    )
    one = str(uuid.uuid4())
    assert makers.import_uuid(one) == (one, {}, {"result": one})


@pytest.mark.parametrize(
    "type_", [t for t in makers.TYPES if not t.endswith(("RandomPassword", "RandomString"))]
)
def test_a_malformed_import_is_refused_without_its_text(type_: str) -> None:
    with pytest.raises(ProviderError) as caught:
        makers.TYPES[type_].importer("!not one!")
    assert "!not one!" not in str(caught.value)


def test_an_unknown_keeper_replaces_in_a_preview() -> None:
    plugin, type_ = RandomProvider(), "random:index/randomBytes:RandomBytes"
    before = {"length": 32, "keepers": {"a": "1"}}
    diff = plugin.diff(
        Urn.of(type_, "n"), before, before, {"length": 32, "keepers": {"a": UNKNOWN}}
    )
    assert diff.replacing == {"keepers"}
