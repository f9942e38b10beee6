"""What Kestra may do in Google Secret Manager, request by request, computed from the bindings that the stack makes."""

from __future__ import annotations

from functools import cache

import pytest

from tests.components.gcp_fixtures import AGENT, google
from tests.components.recording_support import run
from tests.stores.gcp_iam_support import PROJECT, Binding, bindings, holds

KESTRA = "serviceAccount:kestra-production@company-data-production.iam.gserviceaccount.com"
ACCOUNT = f"projects/company-data-production/serviceAccounts/{KESTRA.split(':')[1]}"
POD = "serviceAccount:company-data-production.svc.id.goog[kestra/kestra]"

S = f"{PROJECT}/secrets"
OWN, OWN_VERSION = f"{S}/kestra-DATABASE_PASSWORD", f"{S}/kestra-DATABASE_PASSWORD/versions/1"
UNDECLARED = f"{S}/kestra-UNDECLARED"
OTHER, OTHER_PREFIX = f"{S}/billing-password", f"{S}/Kestra-DATABASE_PASSWORD"
RECOVERY = f"{S}/stack-kestra-encryption-key"
ELSEWHERE = "projects/999999999999/secrets/kestra-DATABASE_PASSWORD"
KEY = "store-key-europe-west1-id"
VALUE = "secretmanager.versions.access"

# permission (below secretmanager. unless it names its service), resource, allowed read-only, allowed managed
REQUESTS: list[tuple[str, str, bool, bool]] = [
    # values
    ("versions.access", OWN_VERSION, True, True),
    ("versions.access", OWN, True, True),
    ("versions.access", f"{S}/kestra-API_TOKEN/versions/latest", True, True),
    ("versions.access", f"{UNDECLARED}/versions/1", False, True),
    ("versions.access", f"{OTHER}/versions/1", False, False),
    ("versions.access", f"{OTHER_PREFIX}/versions/1", False, False),
    ("versions.access", f"{S}/kestr/versions/1", False, False),
    ("versions.access", f"{S}/not-kestra-X/versions/1", False, False),
    ("versions.access", f"{RECOVERY}/versions/1", False, False),
    ("versions.access", f"{ELSEWHERE}/versions/1", False, False),
    ("versions.access", PROJECT, False, False),
    # what listing needs
    ("secrets.list", PROJECT, True, True),
    ("secrets.get", OWN, True, True),
    ("secrets.get", OTHER, True, False),
    ("secrets.list", "projects/999999999999", False, False),
    ("versions.list", OWN, False, True),
    ("versions.get", OWN_VERSION, False, True),
    ("versions.list", RECOVERY, False, False),
    # writing
    ("secrets.create", PROJECT, False, True),
    ("versions.add", OWN, False, True),
    ("versions.add", OTHER, False, False),
    ("versions.add", RECOVERY, False, False),
    ("secrets.update", OWN, False, True),
    ("secrets.update", OTHER, False, False),
    ("secrets.delete", OWN, False, True),
    ("secrets.delete", OTHER, False, False),
    ("secrets.delete", RECOVERY, False, False),
    ("versions.destroy", OWN_VERSION, False, True),
    ("versions.destroy", f"{RECOVERY}/versions/1", False, False),
    ("versions.disable", f"{OTHER}/versions/1", False, False),
    # who may do what
    ("secrets.setIamPolicy", OTHER, False, False),
    ("secrets.setIamPolicy", RECOVERY, False, False),
    ("secrets.getIamPolicy", PROJECT, False, False),
    ("resourcemanager.projects.setIamPolicy", PROJECT, False, False),
    # keys: Secret Manager decrypts, Kestra does not
    ("cloudkms.cryptoKeyVersions.useToDecrypt", KEY, False, False),
    ("cloudkms.cryptoKeyVersions.useToEncrypt", KEY, False, False),
    ("iam.serviceAccounts.getAccessToken", ACCOUNT, False, False),
]


@cache
def _bindings(*, read_only: bool) -> tuple[Binding, ...]:
    return tuple(bindings(run(google(read_only=read_only))))


def _may(member: str, permission: str, resource: str, *, read_only: bool) -> bool:
    full = (
        permission
        if permission.startswith(("cloudkms.", "iam.", "resourcemanager."))
        else f"secretmanager.{permission}"
    )
    return any(b.allows(member, full, resource) for b in _bindings(read_only=read_only))


@pytest.mark.parametrize("mode", ["read-only", "managed"])
@pytest.mark.parametrize(
    ("permission", "resource", "read_only", "managed"),
    REQUESTS,
    ids=[f"{p} {r.removeprefix(S)}" for p, r, _, _ in REQUESTS],
)
def test_kestra_may_do_what_its_mode_needs_and_no_more(
    permission: str, resource: str, read_only: bool, managed: bool, mode: str
) -> None:
    expected = read_only if mode == "read-only" else managed
    assert _may(KESTRA, permission, resource, read_only=mode == "read-only") is expected


def test_the_table_tells_both_modes_and_both_answers_apart() -> None:
    assert len(REQUESTS) >= 20
    assert {(r, m) for _, _, r, m in REQUESTS} == {
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    }


@pytest.mark.parametrize(
    ("member", "permission", "resource", "allowed"),
    [
        (AGENT, "cloudkms.cryptoKeyVersions.useToDecrypt", KEY, True),
        (AGENT, "cloudkms.cryptoKeyVersions.useToEncrypt", "store-key-europe-west4-id", True),
        (AGENT, "cloudkms.cryptoKeyVersions.useToDecrypt", "key-of-another-service", False),
        (AGENT, VALUE.removeprefix("secretmanager."), OWN_VERSION, False),
        (POD, "iam.serviceAccounts.getAccessToken", ACCOUNT, True),
        (POD, "iam.serviceAccounts.getAccessToken", f"{ACCOUNT}-other", False),
        (POD.replace("/kestra]", "/default]"), "iam.serviceAccounts.getAccessToken", ACCOUNT, False),
        (POD.replace("[kestra/", "[other/"), "iam.serviceAccounts.getAccessToken", ACCOUNT, False),
        (POD, "versions.access", OWN_VERSION, False),
    ],
)  # fmt: skip
def test_only_the_service_agent_uses_the_key_and_only_kestras_pods_are_kestra(
    member: str, permission: str, resource: str, allowed: bool
) -> None:
    assert _may(member, permission, resource, read_only=True) is allowed


@pytest.mark.parametrize("read_only", [True, False])
def test_nothing_is_granted_to_anybody_else(read_only: bool) -> None:
    assert {b.member for b in _bindings(read_only=read_only)} == {KESTRA, POD, AGENT}


def test_an_existing_store_is_readable_below_the_prefix_of_the_filter_only() -> None:
    document = google()
    document.pop("store")
    document.pop("declared-secrets")
    found = tuple(bindings(run(document)))
    assert any(b.allows(KESTRA, VALUE, f"{OWN}/versions/1") for b in found)
    assert not any(b.allows(KESTRA, VALUE, f"{OTHER}/versions/1") for b in found)
    document["secret"]["google-secret-manager"].pop("filter-on-prefix")
    found = tuple(bindings(run(document)))
    assert not any(b.allows(KESTRA, VALUE, f"{OWN}/versions/1") for b in found)
    assert any(b.allows(KESTRA, "secretmanager.secrets.list", PROJECT) for b in found)


@pytest.mark.parametrize(
    ("condition", "holding"),
    [
        ('resource.name.startsWith("projects/123456789012/secrets/kestra-")', True),
        ('resource.name.startsWith("projects/123456789012/secrets/other")', False),
        ('resource.nome == "a"', False),
    ],
)
def test_the_judge_of_conditions_judges(condition: str, holding: bool) -> None:
    assert holds(condition, OWN) is holding
