"""The search finds what is planted, in every disguise and in every kind of place."""

from __future__ import annotations

import base64
import gzip
import json
import string
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.leak_scan.scan import Search, redacted, search, search_text
from tests.sandbox.places_support import FORMS, PLACES, VALUE

SECRETS = {"PASSWORD": VALUE}
#: Without letters enough for a search between other signs.
SHORT = "ab+/12=%"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", FORMS)
def test_a_planted_value_is_found_in_every_form_and_place(
    form: str, place: str, tmp_path: Path
) -> None:
    file = tmp_path / "below" / "file"
    file.parent.mkdir()
    file.write_bytes(PLACES[place](FORMS[form](VALUE), tmp_path))
    found = search([file.parent], SECRETS)
    assert {leak.name for leak in found} == {"PASSWORD"}
    assert VALUE not in repr(found)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", FORMS)
def test_another_value_in_the_same_place_is_no_leak(form: str, place: str, tmp_path: Path) -> None:
    data = PLACES[place](FORMS[form](VALUE.replace("Given", "Taken")), tmp_path)
    assert search_text(data, place, SECRETS) == []


@given(
    st.text(string.ascii_letters + string.digits, min_size=10, max_size=60),
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(sorted(set(PLACES) - {"database"})),
)
def test_whatever_the_value_it_is_found(value: str, form: str, place: str) -> None:
    data = PLACES[place](FORMS[form](value), Path())
    assert search_text(data, place, {"x": value})


@pytest.mark.parametrize(
    "encoded",
    [
        SHORT,
        base64.b64encode(SHORT.encode()).decode(),
        SHORT.encode().hex(),
        urllib.parse.quote(SHORT, safe=""),
    ],
)
def test_a_value_of_few_letters_is_found_as_it_is(encoded: str) -> None:
    assert search_text(f"<{encoded}>".encode(), "log", {"x": SHORT})


def test_other_bytes_are_no_leak(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("nothing here\n" + base64.b64encode(b"another value").decode())
    assert search([tmp_path], SECRETS) == []
    assert search_text(b"", "nowhere", SECRETS) == []
    assert search_text(b"anything", "somewhere", {"EMPTY": ""}) == []


def test_a_folder_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(VALUE)
    assert search([tmp_path], SECRETS, without=[tmp_path / "log"]) == []


def test_the_name_of_a_file_is_searched_too(tmp_path: Path) -> None:
    (tmp_path / "of-Given-01-Kq81-x.log").write_text("")
    assert search([tmp_path], {"PASSWORD": "Given-01-Kq81"})


def test_a_clean_file_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("clean")
    looking = Search(SECRETS)
    assert looking.files([tmp_path]) == []
    before = looking.places
    assert looking.files([tmp_path]) == []
    assert looking.places == before
    file.write_text(f"clean no more: {VALUE}")
    assert [leak.place for leak in looking.files([tmp_path])] == [str(file)]
    assert looking.files([tmp_path]), "a leak is told again"


def test_archives_that_are_broken_are_searched_as_far_as_they_go(tmp_path: Path) -> None:
    whole = gzip.compress(f"{VALUE}{'x' * 100}".encode() + bytes(range(256)) * 40)
    assert search_text(whole[:-9], "cut.gz", SECRETS)
    assert search_text(b"PK\x03\x04 no archive", "broken.zip", SECRETS) == []
    assert search_text(b"\x1f\x8b no archive", "broken.gz", SECRETS) == []


def test_a_text_that_people_write_is_searched_for_whole_values_only() -> None:
    words = {"PASSWORD": "production-database"}
    assert search_text(b"the production database", "page", words, whole=True) == []
    assert search_text(b"the production-database", "page", words, whole=True)


@pytest.mark.parametrize("form", FORMS)
def test_an_error_is_told_without_the_values_that_it_quotes(form: str) -> None:
    text = f"Secret is invalid: {FORMS[form](VALUE)}: too long"
    told = redacted(text, [VALUE, "", "abc"])
    assert search_text(told.encode(), "told", SECRETS) == []
    assert told.startswith("Secret is invalid: ") or "are not shown" in told


def test_an_error_that_quotes_nothing_is_told_as_it_is() -> None:
    text = 'Secret "a" is invalid: data: Too long: must have at most 1048576 bytes'
    assert redacted(text, [VALUE, "", "abc", "data"[:3]]) == text
    assert redacted(f"{VALUE} and {json.dumps('x')}", [VALUE]) == '[secret] and "x"'
