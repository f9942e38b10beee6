"""`kestra:storage-bucket`: what goes with it, and what the report says of what does not."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import SettingsError
from components.validation import load
from tests.settings.malformed_fixtures import LICENCE, OIDC, enterprise, oss, secret

IRSA = {"aws": {"irsa": {"oidc-provider-arn": OIDC}}}
S3 = {"bucket": "files-of-kestra", "region": "eu-west-1"}
ROLE = "arn:aws:iam::111122223333:role/a"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/k"
PLANTED = "Pl4nted-Files-Zq81"


def s3(**changed: Any) -> dict[str, Any]:
    """A storage of type s3."""
    return {"type": "s3", "s3": S3 | {k.replace("_", "-"): v for k, v in changed.items()}}


def bucket(**changed: Any) -> dict[str, Any]:
    """A valid document with a bucket of S3, some first-level keys changed."""
    base = oss(storage=s3(), storage_bucket={"create": True}, identity=IRSA)
    return base | {k.replace("_", "-"): v for k, v in changed.items()}


def aws(**changed: Any) -> dict[str, Any]:
    """`storage-bucket` with a block of AWS."""
    return {"create": True, "aws": {k.replace("_", "-"): v for k, v in changed.items()}}


EXISTING = {"create": False}
OPERATOR = {"type": "aws-secret-manager", "aws": {"region": "eu-west-1"}}
LONG = "n" * 60
#: Name, document, place of the finding, words of it.
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("no create", bucket(storage_bucket={"aws": {"role-name": "x"}}), "storage-bucket.create", "is missing"),
    ("no storage", bucket(storage={}), "storage-bucket", "s3"),
    ("local", bucket(storage={"type": "local"}), "storage-bucket", "no bucket that it belongs to"),
    ("minio", bucket(storage={"type": "minio", "minio": {"endpoint": "m", "bucket": "abc"}}), "storage-bucket", "no bucket"),
    ("access key", bucket(storage=s3(access_key=PLANTED)), "storage.s3.access-key", "Kestra would use this credential"),
    ("secret key", bucket(storage=s3(secret_key=PLANTED)), "storage.s3.secret-key", "Kestra would use this credential"),
    ("no identity", bucket(identity={}), "identity.aws", "irsa or pod-identity"),
    ("two identities", bucket(identity={"aws": IRSA["aws"] | {"role-arn": ROLE}}), "identity.aws", "at most one"),
    ("a described role", bucket(identity={"aws": {"role-name": "x"}}), "identity.aws", "not made"),
    ("a long name", bucket(deployment={"namespace": LONG}), "identity.aws.role-name", "64 characters"),
    ("an annotation", bucket(identity=IRSA | {"service-account": {"annotations": {"eks.amazonaws.com/role-arn": ROLE}}}), "identity.service-account.annotations.eks.amazonaws.com/role-arn", "stands beside"),
    ("the operator's role", bucket(store=OPERATOR, identity={"aws": {"role-arn": ROLE}}), "identity.aws.role-arn", "External Secrets"),
    ("a long second name", bucket(store=OPERATOR, identity={"aws": IRSA["aws"] | {"role-name": "x"}}, deployment={"namespace": LONG}), "storage-bucket.aws.role-name", "64 characters"),
    ("a second name", bucket(storage_bucket=aws(role_name="x")), "storage-bucket.aws.role-name", "identity.aws.role-name"),
    ("a name", bucket(storage=s3(bucket="Files")), "storage.s3.bucket", "lower-case"),
    ("an address", bucket(storage=s3(bucket="10.0.0.1")), "storage.s3.bucket", "no name of a bucket"),
    ("two dots", bucket(storage=s3(bucket="a..bc")), "storage.s3.bucket", "no name of a bucket"),
    ("a dot", bucket(storage=s3(bucket="files.kestra")), "storage.s3.bucket", "certificate"),
    ("a placeholder", bucket(storage=s3(bucket="${BUCKET}")), "storage.s3.bucket", "placeholder"),
    ("a region to come", bucket(storage=s3(region="${REGION}")), "storage.s3.region", "placeholder"),
    ("a path to come", bucket(storage=s3(path="${PATH_OF}")), "storage.s3.path", "placeholder"),
    ("a star", bucket(storage=s3(path="a*")), "storage.s3.path", "cannot stand in a permission"),
    ("a slash", bucket(storage=s3(path="/a")), "storage.s3.path", "none at the beginning"),
    ("no folder", bucket(storage=s3(path="a//b")), "storage.s3.path", "cannot stand"),
    ("upwards", bucket(storage=s3(path="a/../b")), "storage.s3.path", "cannot stand"),
    ("a role", bucket(storage=s3(sts_role_arn="role/x")), "storage.s3.sts-role-arn", "no ARN"),
    ("every role", bucket(storage=s3(sts_role_arn="arn:aws:iam::111122223333:role/*")), "storage.s3.sts-role-arn", "no ARN"),
    ("files", bucket(storage=s3(s3_files_compatible=True)), "storage.s3.s3-files-compatible", "deletes versions"),
    ("another server", bucket(storage=s3(endpoint="http://minio:9000")), "storage.s3.endpoint", "not Amazon S3"),
    ("a key elsewhere", bucket(storage_bucket=aws(kms={"arn": KEY.replace("eu-west-1", "us-east-1")})), "storage-bucket.aws.kms.arn", "a key in us-east-1"),
    ("administrators", bucket(storage_bucket=aws(kms={"administrators": ["*"]})), "storage-bucket.aws.kms.administrators[0]", "no ARN"),
    ("a key of others", bucket(storage_bucket=aws(kms={"arn": KEY, "deletion-window-days": 7})), "storage-bucket.aws.kms.deletion-window-days", "did not make"),
    ("days of others", bucket(storage_bucket=EXISTING | {"aws": {"noncurrent-days": 3}}), "storage-bucket.aws.noncurrent-days", "did not make"),
    ("a key for others", bucket(storage_bucket=EXISTING | {"aws": {"kms": {"rotation-period-days": 90}}}), "storage-bucket.aws.kms.rotation-period-days", "no key is made"),
    ("no day", bucket(storage_bucket=aws(noncurrent_days=0)), "storage-bucket.aws.noncurrent-days", "1"),
    ("a word", bucket(storage_bucket={"create": "perhaps"}), "storage-bucket.create", "true or false"),
]  # fmt: skip


def findings(document: dict[str, Any]) -> dict[str, str]:
    """Path of each error, without the namespace, to its text."""
    with pytest.raises(SettingsError) as caught:
        load(document, source="test")
    return {p.path.removeprefix("kestra:"): p.line() for p in caught.value.problems}


@pytest.mark.parametrize(("document", "path", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])  # fmt: skip
def test_what_does_not_go_with_a_bucket_is_told_at_its_place(
    document: dict[str, Any], path: str, words: str
) -> None:
    errors = findings(document)
    assert words in errors[path]
    assert not any(PLANTED in text for text in errors.values())


RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("a new bucket", bucket()),
    ("an existing one", bucket(storage_bucket=EXISTING)),
    ("an existing one with its key", bucket(storage_bucket=EXISTING | {"aws": {"kms": {"arn": KEY}}})),
    ("a name with a dot, existing", bucket(storage=s3(bucket="files.kestra"), storage_bucket=EXISTING)),
    ("pod identity", bucket(identity={"aws": {"pod-identity": {"cluster-name": "c"}}})),
    ("a role", bucket(identity={"aws": {"role-arn": ROLE}})),
    ("a folder", bucket(storage=s3(path="team/kestra/"))),
    ("an endpoint of AWS", bucket(storage=s3(endpoint="https://s3-fips.eu-west-1.amazonaws.com"))),
    ("with secrets in AWS", bucket(**secret("aws-secret-manager", {"region": "eu-west-1"}, read_only=True) | {"ee": LICENCE})),
    ("with secrets in Vault", bucket(**enterprise())),
    ("open source with a store", bucket(store=OPERATOR)),
    ("open source with Vault", bucket(store={"type": "vault", "vault": {"address": "https://v:8200"}})),
]  # fmt: skip


@pytest.mark.parametrize("document", [row[1] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_a_bucket_goes_with_every_secret_manager_and_every_identity_of_aws(
    document: dict[str, Any],
) -> None:
    loaded = load(document, source="test").settings
    assert loaded.storage_bucket is not None


def test_a_path_in_the_enterprise_edition_leaves_out_what_belongs_to_the_instance() -> None:
    loaded = load(bucket(**enterprise(), storage=s3(path="kestra")), source="test")
    (warning,) = [w for w in loaded.warnings if w.path == "kestra:storage.s3.path"]
    assert "bucket of its own" in warning.line()


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        (s3(access_key=PLANTED, secret_key=PLANTED), True),
        (s3(), False),
        (s3(access_key=PLANTED, secret_key=PLANTED, endpoint="http://minio:9000"), False),
    ],
    ids=["keys of AWS", "no keys", "keys of another server"],
)
def test_a_static_credential_of_a_cloud_is_warned_of(storage: dict[str, Any], told: bool) -> None:
    loaded = load(oss(storage=storage), source="test")
    hints = [w.line() for w in loaded.warnings if "is a static credential" in w.line()]
    assert len(hints) == told
    assert not any(PLANTED in hint for hint in hints)
    assert all("kestra:storage-bucket" in hint for hint in hints)
