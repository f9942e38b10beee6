"""The release of Kestra and its known holes on the security report."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.report.page import html
from tests.conftest import stack_document
from tests.sandbox.report_support import report_of


def test_the_known_holes_of_the_release_are_on_the_page_with_their_addresses() -> None:
    document: dict[str, Any] = stack_document("local")
    document["deployment"] = {**document["deployment"], "image": {"tag": "v1.3.5"}}
    page = html(report_of(document)).replace("<wbr>", "")
    assert "The release of Kestra has known holes." in page
    assert "Run v1.3.24 or later (v1.3.31 has none)" in page
    assert "https://github.com/kestra-io/kestra/security/advisories/GHSA-2q47-568g-9h4f" in page
    verdict = {j.control.id: j for j in report_of(document).judgements.all}["ks-kestra-20"]
    assert verdict.result == "violated"


@pytest.mark.parametrize(
    ("image", "words", "result"),
    [
        ({}, "v1.3.31: no open hole of", "satisfied"),
        ({"digest": "sha256:" + "a" * 64}, "a digest alone does not say which", "undecided"),
        (
            {"digest": "sha256:" + "a" * 64, "tag": "v1.3.31"},
            "v1.3.31, by the tag beside the digest: no open hole of",
            "satisfied",
        ),
    ],
)
def test_a_release_without_known_holes_and_a_digest_alone_are_reported(
    image: dict[str, str], words: str, result: str
) -> None:
    document: dict[str, Any] = stack_document("local")
    document["deployment"] = {**document["deployment"], "image": image}
    report = report_of(document)
    page = html(report).replace("<wbr>", "")
    assert words in page
    assert "The release of Kestra has known holes." not in page
    assert "a scanner of images" in page
    assert {j.control.id: j for j in report.judgements.all}["ks-kestra-20"].result == result
