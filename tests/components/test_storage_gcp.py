"""A bucket of Google Cloud Storage that Kestra's pods use as a Google service account."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from components.storage.gcp.permissions import KEY_USER, Scope, condition
from tests.components.gcp_fixtures import STORAGE_AGENT, google
from tests.components.recording_support import Recorder, run
from tests.conftest import stack_document
from tests.settings.malformed_fixtures import POOL, oss

PROJECT, NAME = "company-data", "files-of-kestra"
STORAGE = {"type": "gcs", "gcs": {"bucket": NAME, "project-id": PROJECT}}
IDENTITY = {"gcp": {"workload-pool": POOL}}
MAIL = f"kestra-kestra@{PROJECT}.iam.gserviceaccount.com"
ANNOTATION = "iam.gke.io/gcp-service-account"


def bucket(document: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A document with a bucket that Kestra's pods use by Workload Identity."""
    base = {
        "storage": STORAGE,
        "storage-bucket": {"create": True, "gcp": {"location": "europe-west1"}},
        "identity": IDENTITY,
        "deployment": {"namespace": "kestra"},
    }
    return document | base | {k.replace("_", "-"): v for k, v in changed.items()}


def storage(**changed: Any) -> dict[str, Any]:
    """Keys of the storage's block beside bucket and project."""
    more = {k.replace("_", "-"): v for k, v in changed.items()}
    return {"type": "gcs", "gcs": STORAGE["gcs"] | more}  # type: ignore[operator]


def account(recorded: Recorder) -> dict[str, Any]:
    """Annotations of Kestra's own service account."""
    return recorded.of("ServiceAccount")["kestra-service-account"]["metadata"].get("annotations", {})  # fmt: skip


def test_a_bucket_is_encrypted_versioned_private_and_without_acls() -> None:
    recorded = run(bucket(oss()))
    inputs = recorded.of("Bucket")["storage-bucket"]
    assert inputs["name"] == NAME
    assert inputs["publicAccessPrevention"] == "enforced"
    assert inputs["uniformBucketLevelAccess"] is True
    assert inputs["versioning"] == {"enabled": True}
    assert inputs["forceDestroy"] is False
    assert inputs["encryption"] == {"defaultKmsKeyName": "storage-key-id"}
    assert inputs["lifecycleRules"] == [
        {
            "action": {"type": "Delete"},
            "condition": {"daysSinceNoncurrentTime": 30, "withState": "ARCHIVED"},
        },
        {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
    ]
    grant = recorded.of("CryptoKeyIAMMember")["storage-key-grant"]
    assert grant == {"cryptoKeyId": "storage-key-id", "role": KEY_USER, "member": STORAGE_AGENT}
    assert {"storage-key", "storage-key-ring"} <= recorded.retained


@pytest.mark.parametrize(("environment", "protected"), [("production", True), ("development", False)])  # fmt: skip
def test_bucket_and_key_are_protected_as_the_stores_are(environment: str, protected: bool) -> None:
    tags = {"environment": environment, "owner": "platform", "application": "kestra"}
    recorded = run(bucket(oss(), tags=tags))
    assert ({"storage-bucket", "storage-key"} <= recorded.protected) == protected


def test_without_a_secret_manager_kestras_pods_have_an_account_for_the_bucket_alone() -> None:
    recorded = run(bucket(oss(), storage=storage(path="kestra")))
    assert recorded.of("Account")["storage-account"]["accountId"] == "kestra-kestra"
    bound = recorded.resources["storage-workload-identity"][1]
    assert bound["member"] == f"serviceAccount:{POOL}[kestra/kestra]"
    assert account(recorded) == {ANNOTATION: MAIL}
    grants = recorded.of("BucketIAMMember")
    assert {g["member"] for g in grants.values()} == {f"serviceAccount:{MAIL}"}
    assert {name: g["condition"]["expression"] for name, g in grants.items()} == {
        "storage-files": condition(Scope.OBJECTS, NAME, "kestra/"),
        "storage-list": condition(Scope.LIST, NAME, "kestra/"),
    }
    rules = [rule for p in recorded.of("NetworkPolicy").values() for rule in p["spec"].get("egress", [])]  # fmt: skip
    blocks = [peer.get("ipBlock", {}).get("cidr") for rule in rules for peer in rule.get("to", [])]
    assert "169.254.169.252/32" in blocks


def test_with_secrets_in_google_cloud_one_account_has_both_grants() -> None:
    recorded = run(google(storage=STORAGE, storage_bucket={"create": False}))
    assert list(recorded.of("Account")) == ["identity-account"]
    members = {m["member"] for m in recorded.of("BucketIAMMember").values()}
    assert members == {m["member"] for m in recorded.of("SecretIamMember").values()}
    assert recorded.of("Bucket") == {}


def test_where_external_secrets_reads_the_store_each_account_has_its_own() -> None:
    document: dict[str, Any] = deepcopy(stack_document("example-oss-gcp"))
    recorded = run(document)
    mails = {n: a["accountId"] for n, a in recorded.of("Account").items()}
    assert mails == {
        "identity-account": "kestra-oss-secrets",
        "storage-account": "kestra-oss-gcp-kestra",
    }
    of_files = {m["member"] for m in recorded.of("BucketIAMMember").values()}
    of_secrets = {m["member"] for m in recorded.of("SecretIamMember").values()}
    assert not of_files & of_secrets


def test_a_bucket_without_a_key_of_its_own_and_one_that_exists_already() -> None:
    plain = {"create": True, "gcp": {"location": "EU", "kms": {"enabled": False}}}
    recorded = run(bucket(oss(), storage_bucket=plain))
    assert recorded.of("CryptoKey") == {}
    assert "encryption" not in recorded.of("Bucket")["storage-bucket"]
    theirs = run(bucket(oss(), storage_bucket={"create": False}))
    assert theirs.of("Bucket") == theirs.of("KeyRing") == {}
    assert "condition" not in theirs.of("BucketIAMMember")["storage-files"]
