"""The guard of Kestra's files: another place, or none, is refused with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from components.safeguards.irreversible_changes import find_losses, snapshot
from components.validation import load
from tests.settings.malformed_fixtures import oss
from tests.settings.test_storage_bucket import azure, bucket, gcs, google, s3

STAGING = {"tags": {"environment": "staging", "owner": "platform", "application": "kestra"}}


def facts(document: dict[str, Any]) -> dict[str, Any]:
    """What the guard knows of settings in staging."""
    return snapshot(load(document | STAGING, source="test").settings)


def losses(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [loss.text for loss in find_losses(facts(before), facts(after))]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (bucket(), bucket(storage=s3(bucket="other-files")), "storage.s3.bucket would change from files-of-kestra to other-files"),
        (bucket(), bucket(storage=s3(path="kestra")), "storage.s3.path would change from nothing to kestra/"),
        (google(), google(storage=gcs(bucket="other-files")), "storage.gcs.bucket would change"),
        (bucket(), google(), "storage.gcs.bucket would change from nothing to files-of-kestra"),
        (azure(), google(), "storage.azure.container would change from kestra to nothing"),
        (bucket(), oss(storage=s3()), "kestra:storage-bucket would go"),
    ],
    ids=["another bucket", "a path", "another bucket of Google", "another cloud", "from Azure", "none"],
)  # fmt: skip
def test_another_place_of_the_files_is_refused(
    before: dict[str, Any], after: dict[str, Any], words: str
) -> None:
    assert any(words in text for text in losses(before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (bucket(), bucket(storage=s3(region="eu-west-1", path=None))),
        (bucket(storage=s3(path="kestra")), bucket(storage=s3(path="kestra/"))),
        (oss(storage=s3()), bucket(storage_bucket={"create": False})),
    ],
    ids=["nothing", "a slash", "the first time"],
)
def test_what_loses_no_file_is_let_through(before: dict[str, Any], after: dict[str, Any]) -> None:
    for document in (before, after):
        document["storage"]["s3"] = {k: v for k, v in document["storage"]["s3"].items() if v is not None}  # fmt: skip
    assert losses(before, after) == []


def test_a_stack_without_the_setting_notes_nothing() -> None:
    assert "storage" not in facts(oss(storage=s3()))
