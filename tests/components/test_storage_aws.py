"""A bucket of Amazon S3 that Kestra's pods use by their role: what is made, for whom, and how it is protected."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from components.backends.aws.permissions import AwsLocation
from components.backends.aws.policy_documents import (
    assume_policy,
    irsa_trust,
    key_policy,
    pod_identity_trust,
)
from components.sdk_packages import sdk_packages
from components.storage.aws.permissions import BucketAccess, bucket_policy, policy
from components.validation import load
from tests.components.aws_support import ACCOUNT
from tests.components.recording_support import Recorder, run
from tests.conftest import stack_document
from tests.settings.malformed_fixtures import OIDC, enterprise, oss, secret

HERE = AwsLocation(ACCOUNT, "eu-west-1")
IRSA = {"aws": {"irsa": {"oidc-provider-arn": OIDC}}}
STORAGE = {"type": "s3", "s3": {"bucket": "files-of-kestra", "region": "eu-west-1"}}
NAMESPACE = {"deployment": {"namespace": "kestra"}}
ROLE_ARN = "eks.amazonaws.com/role-arn"
KEY = HERE.arn("kms", "key/storage-key")


def bucket(document: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A document with a bucket that Kestra's pods use by IRSA."""
    base = {"storage": STORAGE, "storage-bucket": {"create": True}, "identity": IRSA}
    return document | NAMESPACE | base | {k.replace("_", "-"): v for k, v in changed.items()}


def storage(**changed: Any) -> dict[str, Any]:
    """Keys of the storage's block beside bucket and region."""
    more = {k.replace("_", "-"): v for k, v in changed.items()}
    return {"type": "s3", "s3": STORAGE["s3"] | more}  # type: ignore[operator]


def of_storage(recorded: Recorder) -> dict[str, str]:
    """Logical names of the resources in AWS, with the last part of their types."""
    return {
        name: type_.rsplit(":", 1)[-1]
        for name, (type_, _) in recorded.resources.items()
        if type_.startswith("aws:") and name.startswith("storage")
    }


def granted(recorded: Recorder) -> Any:
    """The policy that the role of Kestra's pods has for its files."""
    return json.loads(recorded.of("RolePolicy")["storage-policy"]["policy"])


def account(recorded: Recorder) -> dict[str, Any]:
    """Annotations of Kestra's own service account."""
    return recorded.of("ServiceAccount")["kestra-service-account"]["metadata"].get(
        "annotations", {}
    )


def test_a_bucket_is_encrypted_versioned_private_and_closed_to_connections_without_tls() -> None:
    recorded = run(bucket(oss()))
    resources = recorded.resources
    inputs = resources["storage-bucket"][1]
    assert inputs == {
        "bucket": "files-of-kestra",
        "forceDestroy": False,
        "region": "eu-west-1",
        "tags": inputs["tags"],
    }
    assert inputs["tags"]["environment"] == "development"
    encryption = resources["storage-encryption"][1]["rules"][0]
    assert encryption == {
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY},
        "bucketKeyEnabled": True,
    }
    assert resources["storage-versioning"][1]["versioningConfiguration"] == {"status": "Enabled"}
    closed = resources["storage-public-access"][1]
    assert {name for name, value in closed.items() if value is True} == {
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    }
    assert resources["storage-ownership"][1]["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    own = json.loads(resources["storage-bucket-policy"][1]["policy"])
    assert own == bucket_policy(HERE, "files-of-kestra")
    assert json.loads(resources["storage-key"][1]["policy"]) == key_policy(HERE, "s3")
    assert resources["storage-key"][1]["enableKeyRotation"] is True


def test_versions_and_uploads_go_after_their_time() -> None:
    days = {"create": True, "aws": {"noncurrent-days": 90, "incomplete-upload-days": 2}}
    rule = run(bucket(oss(), storage_bucket=days)).resources["storage-lifecycle"][1]["rules"][0]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 2}
    assert rule["expiration"] == {"expiredObjectDeleteMarker": True}
    assert rule["status"] == "Enabled"


@pytest.mark.parametrize(
    ("environment", "protected"), [("production", True), ("development", False)]
)
def test_bucket_and_key_are_protected_as_the_stores_are(environment: str, protected: bool) -> None:
    tags = {"environment": environment, "owner": "platform", "application": "kestra"}
    recorded = run(bucket(oss(), tags=tags))
    kept = {"storage-bucket", "storage-key", "storage-public-access", "storage-bucket-policy"}
    assert (kept <= recorded.protected) == protected
    window = recorded.resources["storage-key"][1]["deletionWindowInDays"]
    assert window == (30 if protected else 7)


def test_without_a_secret_manager_kestras_pods_have_a_role_for_the_bucket_alone() -> None:
    recorded = run(bucket(oss(), storage=storage(path="kestra")))
    role = recorded.resources["storage-role"][1]
    assert role["name"] == "kestra-kestra"
    assert json.loads(role["assumeRolePolicy"]) == irsa_trust(OIDC, "kestra", "kestra")
    access = BucketAccess("files-of-kestra", "kestra/", HERE, KEY)
    assert granted(recorded) == policy(access)
    assert account(recorded) == {ROLE_ARN: f"arn:aws:iam::{ACCOUNT}:role/kestra-kestra"}
    assert recorded.outputs["bucket"] == "files-of-kestra"
    assert recorded.outputs["storagePrincipal"] == account(recorded)[ROLE_ARN]


def test_with_secrets_in_aws_one_identity_has_two_grants() -> None:
    manager = secret("aws-secret-manager", {"region": "eu-west-1"}, read_only=True)
    recorded = run(bucket(manager | {"store": {"aws": {}}}))
    assert list(recorded.of("Role")) == ["identity-role"]
    policies = recorded.of("RolePolicy")
    assert {p["role"] for p in policies.values()} == {"kestra-kestra"}
    assert {p["name"] for p in policies.values()} == {"kestra-secrets", "kestra-storage"}
    assert account(recorded) == {ROLE_ARN: f"arn:aws:iam::{ACCOUNT}:role/kestra-kestra"}
    # The files have a key of their own: who may use one of the two has nothing of the other.
    assert set(recorded.of("Key")) == {"store-key", "storage-key"}


def test_with_secrets_in_vault_the_account_is_known_to_both() -> None:
    vault = {
        "type": "vault",
        "read-only": True,
        "vault": {"address": "https://vault:8200", "kubernetes": {"role": "kestra"}},
    }
    recorded = run(bucket(enterprise(secret=vault)))
    assert account(recorded) == {ROLE_ARN: f"arn:aws:iam::{ACCOUNT}:role/kestra-kestra"}
    assert "vault:kubernetes/authBackendRole:AuthBackendRole" in {t for t, _ in recorded.resources.values()}  # fmt: skip


def test_where_external_secrets_reads_the_store_each_account_has_its_own_role() -> None:
    document: dict[str, Any] = deepcopy(stack_document("example-oss-aws"))
    recorded = run(document)
    roles = {name: json.loads(r["assumeRolePolicy"]) for name, r in recorded.of("Role").items()}
    subjects = {
        name: next(v for k, v in trust["Statement"][0]["Condition"]["StringEquals"].items() if k.endswith(":sub"))
        for name, trust in roles.items()
    }  # fmt: skip
    namespace = "system:serviceaccount:kestra-oss-aws"
    assert subjects == {
        "identity-role": f"{namespace}:kestra-secrets",
        "storage-role": f"{namespace}:kestra",
    }
    assert account(recorded)[ROLE_ARN].endswith(":role/kestra-oss-aws-kestra")
    operator = recorded.of("ServiceAccount")["kestra-external-secrets-account"]["metadata"]
    assert operator["annotations"][ROLE_ARN].endswith(":role/kestra-oss-aws-kestra-secrets")
    secrets = {a for s in granted(recorded)["Statement"] for a in s["Action"]}
    assert not any(action.startswith("secretsmanager:") for action in secrets)
    boundary = document["identity"]["aws"]["permissions-boundary"]
    assert recorded.of("Role")["storage-role"]["permissionsBoundary"] == boundary


def test_a_bucket_that_exists_already_is_left_alone() -> None:
    recorded = run(bucket(oss(), storage_bucket={"create": False}))
    assert of_storage(recorded) == {"storage-role": "Role", "storage-policy": "RolePolicy"}
    assert {a for s in granted(recorded)["Statement"] for a in s["Action"]} == {
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    }
    key = HERE.arn("kms", "key/theirs")
    theirs = run(bucket(oss(), storage_bucket={"create": False, "aws": {"kms": {"arn": key}}}))
    assert granted(theirs) == policy(BucketAccess("files-of-kestra", "", HERE, key))


def test_by_pod_identity_an_association_gives_the_role_and_the_agent_is_reachable() -> None:
    recorded = run(bucket(oss(), identity={"aws": {"pod-identity": {"cluster-name": "c"}}}))
    association = recorded.of("PodIdentityAssociation")["storage-association"]
    assert (association["namespace"], association["serviceAccount"]) == ("kestra", "kestra")
    trust = json.loads(recorded.resources["storage-role"][1]["assumeRolePolicy"])
    assert trust == pod_identity_trust(HERE, "c", "kestra", "kestra")
    assert account(recorded) == {"kestra.pulumi/pod-identity-association": "a-of-mock"}
    rules = [
        rule for p in recorded.of("NetworkPolicy").values() for rule in p["spec"].get("egress", [])
    ]
    blocks = [peer.get("ipBlock", {}).get("cidr") for rule in rules for peer in rule.get("to", [])]
    assert "169.254.170.23/32" in blocks


def test_a_role_that_exists_already_gets_no_policy_and_one_to_assume_is_all_that_is_allowed() -> (
    None
):
    arn = f"arn:aws:iam::{ACCOUNT}:role/theirs"
    theirs = run(bucket(oss(), identity={"aws": {"role-arn": arn}}))
    assert theirs.of("Role") == {} == theirs.of("RolePolicy")
    assert account(theirs) == {ROLE_ARN: arn}
    target = "arn:aws:iam::444455556666:role/files"
    keys = storage(sts_role_arn=target, sts_role_external_id="kestra-7")
    assert granted(run(bucket(oss(), storage=keys))) == assume_policy(target, "kestra-7")


def test_without_the_setting_nothing_is_made() -> None:
    document = oss(storage=STORAGE) | NAMESPACE
    recorded = run(document)
    assert of_storage(recorded) == {}
    assert account(recorded) == {}
    assert not {"bucket", "storagePrincipal"} & set(recorded.outputs)
    assert sdk_packages(load(document, source="test").settings) == []


def test_the_sdk_of_the_buckets_cloud_is_needed() -> None:
    packages = sdk_packages(load(bucket(oss()), source="test").settings)
    assert [package.name for package in packages] == ["pulumi-aws"]
