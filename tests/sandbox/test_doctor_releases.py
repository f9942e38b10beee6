"""`doctor` says which known holes a release has, how old the table is, and when Azure ends an API."""

from __future__ import annotations

import datetime
import sys
from typing import Any

import pytest

from components.backends.azure import management_api
from components.settings import Settings
from components.validation import load
from policy.advisories import table
from sandbox.doctor.machine import Check
from sandbox.doctor.releases import OLD_AFTER, examine_releases
from tests.conftest import stack_document

TODAY = table().as_of
DIGEST = "sha256:" + "a" * 64


def settings(stack: str = "local", **image: str) -> Settings:
    document: dict[str, Any] = stack_document(stack)
    document["deployment"] = {**document.get("deployment", {}), "image": image}
    return load(document, source="Pulumi.test.yaml").settings


def checks(chosen: Settings, today: datetime.date = TODAY) -> dict[str, Check]:
    return {check.name: check for check in examine_releases(chosen, today)}


def test_a_release_with_known_holes_is_lacking_and_the_remedy_names_another() -> None:
    check = checks(settings(tag="v1.3.5"))["Kestra's release"]
    assert check.is_well is False
    assert "9 known holes, the worst GHSA-2q47-568g-9h4f (CVE-2026-53576), critical" in check.state
    assert "v1.3.24 or later (v1.3.31 has none)" in check.remedy


@pytest.mark.parametrize(
    ("image", "is_well", "words"),
    [
        ({}, True, "v1.3.31: no open hole of"),
        ({"tag": "v1.3.31", "digest": DIGEST}, True, "by the tag beside the digest"),
        ({"tag": "v1.3.5", "digest": DIGEST}, False, "by the tag beside the digest"),
        ({"digest": DIGEST}, None, "a digest alone does not say which"),
        ({"tag": "build-77"}, None, "does not say which release"),
        ({"tag": "v1.3"}, None, "may have known holes"),
    ],
)
def test_each_kind_of_image_is_described(
    image: dict[str, str], is_well: bool | None, words: str
) -> None:
    check = checks(settings(**image))["Kestra's release"]
    assert check.is_well is is_well
    assert words in check.state


def test_a_hole_that_the_settings_leave_open_is_lacking() -> None:
    document: dict[str, Any] = stack_document("local")
    policy = {"network-policy": {"enabled": False}}
    document["deployment"] = {**document["deployment"], **policy}
    check = checks(load(document, source="Pulumi.test.yaml").settings)["Kestra's release"]
    assert check.is_well is False
    assert "the settings leave open GHSA-r56g-q4p6-m3p6" in check.state


def test_the_table_says_its_day_and_when_it_is_old() -> None:
    def words_after(days: int) -> str:
        today = TODAY + datetime.timedelta(days=days)
        return checks(settings(), today)["table of advisories"].state

    assert f"as of {TODAY}" in words_after(0)
    assert "docs/advisories.md" not in words_after(OLD_AFTER)
    assert f"more than {OLD_AFTER} days ago" in words_after(OLD_AFTER + 1)


def test_a_stack_with_azure_shows_the_day_on_which_its_api_ends() -> None:
    azure = settings("example-azure-key-vault")
    before = checks(azure, management_api.RETIREMENT - datetime.timedelta(days=30))[
        "Key Vault's API"
    ]
    after = checks(azure, management_api.RETIREMENT)["Key Vault's API"]
    assert "2027-02-27" in before.state
    assert "in 30 days" in before.state
    assert "docs/backends/azure-key-vault.md" in before.state
    assert before.is_well is None
    assert after.is_well is False
    assert "2026-02-01 or later" in after.remedy
    assert "Key Vault's API" not in checks(settings())


def test_an_sdk_with_a_later_api_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    azure = settings("example-azure-key-vault")
    for version, is_well in (("2026-02-01", True), (None, None)):
        monkeypatch.setattr("sandbox.doctor.releases.sdk_api_version", lambda v=version: v)
        check = checks(azure, management_api.RETIREMENT)["Key Vault's API"]
        assert check.is_well is is_well


def test_without_azures_sdk_nothing_is_said_of_its_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pulumi_azure_native", None)
    azure = settings("example-azure-key-vault")
    assert "Key Vault's API" not in checks(azure, management_api.RETIREMENT)
