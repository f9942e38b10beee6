"""`kestra:storage-bucket`: what goes with it, and what the report says of what does not."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import SettingsError
from components.validation import load
from tests.settings.malformed_fixtures import LICENCE, OIDC, POOL, enterprise, oss, secret

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
    ("a name of AWS's own", bucket(storage=s3(bucket="files-s3alias"), storage_bucket=EXISTING), "storage.s3.bucket", "keeps for itself"),
    ("no region", bucket(storage=s3(region="EU-West-1")), "storage.s3.region", "no region of AWS"),
    ("here", bucket(storage=s3(path=".")), "storage.s3.path", "cannot stand"),
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

GKE = {"gcp": {"workload-pool": POOL}}
PLACE = {"create": True, "gcp": {"location": "europe-west1"}}
ON_GOOGLE = {"type": "google-secret-manager", "gcp": {"project": "company-data"}}


def gcs(**changed: Any) -> dict[str, Any]:
    """A storage of type gcs."""
    block = {"bucket": "files-of-kestra", "project-id": "company-data"}
    return {"type": "gcs", "gcs": block | {k.replace("_", "-"): v for k, v in changed.items()}}


def google(**changed: Any) -> dict[str, Any]:
    """A valid document with a bucket of Google, some first-level keys changed."""
    return bucket(storage=gcs(), storage_bucket=PLACE, identity=GKE) | {
        k.replace("_", "-"): v for k, v in changed.items()
    }


def place(**changed: Any) -> dict[str, Any]:
    """`storage-bucket` with a block of Google."""
    return {"create": True, "gcp": {"location": "europe-west1"} | {k.replace("_", "-"): v for k, v in changed.items()}}  # fmt: skip


GCP_KEY = "projects/p/locations/us/keyRings/r/cryptoKeys/k"
WRONG += [
    ("a key of Google", google(storage=gcs(service_account=PLANTED)), "storage.gcs.service-account", "Kestra would use this credential"),
    ("no pool", google(identity={}), "identity.gcp", "workload-pool"),
    ("a long account", google(deployment={"namespace": LONG}), "identity.gcp.account-id", "30 lower-case"),
    ("a second account", google(storage_bucket=place(account_id="kestra-files")), "storage-bucket.gcp.account-id", "identity.gcp.account-id"),
    ("a long second account", google(store=ON_GOOGLE, identity={"gcp": {"workload-pool": POOL, "account-id": "kestra-x"}}, deployment={"namespace": LONG}), "storage-bucket.gcp.account-id", "30 lower-case"),
    ("an annotation of Google", google(identity=GKE | {"service-account": {"annotations": {"iam.gke.io/gcp-service-account": "a@b"}}}), "identity.service-account.annotations.iam.gke.io/gcp-service-account", "stands beside"),
    ("a name of Google", google(storage=gcs(bucket="my-google-files")), "storage.gcs.bucket", "no name of a bucket"),
    ("another name of Google", google(storage=gcs(bucket="g00gle-files")), "storage.gcs.bucket", "no name of a bucket"),
    ("an address of Google", google(storage=gcs(bucket="10.0.0.1")), "storage.gcs.bucket", "no address"),
    ("two dots of Google", google(storage=gcs(bucket="a..bc")), "storage.gcs.bucket", "no name of a bucket"),
    ("a key that no place has", google(storage_bucket=place(location="EU", kms={"name": GCP_KEY.replace("/us/", "/eu/")})), "storage-bucket.gcp.kms.name", "with a key in europe"),
    ("a key beside none", google(storage_bucket=place(kms={"enabled": False, "name": GCP_KEY})), "storage-bucket.gcp.kms.name", "stands beside enabled"),
    ("a rotation of others", google(storage_bucket=place(location="us", kms={"name": GCP_KEY, "rotation-period": "30d"})), "storage-bucket.gcp.kms.rotation-period", "did not make"),
    ("no project", google(storage={"type": "gcs", "gcs": {"bucket": "files-of-kestra"}}), "storage.gcs.project-id", "is missing"),
    ("a project to come", google(storage=gcs(project_id="${PROJECT}")), "storage.gcs.project-id", "placeholder"),
    ("two folders", google(storage=gcs(path="team/kestra")), "storage.gcs.path", "one folder"),
    ("no location", google(storage_bucket={"create": True}), "storage-bucket.gcp.location", "is missing"),
    ("a key of Google elsewhere", google(storage_bucket=place(kms={"name": GCP_KEY})), "storage-bucket.gcp.kms.name", "a key in us"),
    ("a short rotation", google(storage_bucket=place(kms={"rotation-period": "1h"})), "storage-bucket.gcp.kms.rotation-period", "out of range"),
    ("a location of others", google(storage_bucket={"create": False, "gcp": {"location": "EU"}}), "storage-bucket.gcp.location", "did not make"),
    ("the block of another cloud", google(storage_bucket=PLACE | {"aws": {"noncurrent-days": 3}}), "storage-bucket.aws", "not the block of type gcs"),
]  # fmt: skip

AKS = {"azure": {"oidc-issuer-url": "https://westeurope.oic.prod-aks.azure.com/t/c/"}}
GROUP = {"create": True, "azure": {"resource-group": "files"}}
IN_GROUP = {"create": False, "azure": {"resource-group": "files"}}
IN_KEY_VAULT = {"type": "azure-key-vault", "azure": {"vault-name": "kestra-v", "resource-group": "g"}}  # fmt: skip


def blob(**changed: Any) -> dict[str, Any]:
    """A storage of type azure."""
    block = {"endpoint": "https://filesofkestra.blob.core.windows.net", "container": "kestra"}
    return {"type": "azure", "azure": block | {k.replace("_", "-"): v for k, v in changed.items()}}


def azure(**changed: Any) -> dict[str, Any]:
    """A valid document with a container of Azure, some first-level keys changed."""
    return bucket(storage=blob(), storage_bucket=GROUP, identity=AKS) | {
        k.replace("_", "-"): v for k, v in changed.items()
    }


def group(**changed: Any) -> dict[str, Any]:
    """`storage-bucket` with a block of Azure."""
    return {"create": True, "azure": {"resource-group": "files"} | {k.replace("_", "-"): v for k, v in changed.items()}}  # fmt: skip


WRONG += [
    ("a connection string", azure(storage=blob(connection_string=PLANTED)), "storage.azure.connection-string", "Kestra would use this credential"),
    ("an account key", azure(storage=blob(shared_key_account_access_key=PLANTED)), "storage.azure.shared-key-account-access-key", "Kestra would use"),
    ("a signature", azure(storage=blob(sas_token=PLANTED)), "storage.azure.sas-token", "Kestra would use"),
    ("no issuer", azure(identity={}), "identity.azure", "oidc-issuer-url"),
    ("a second identity", azure(storage_bucket=group(identity_name="kestra-files")), "storage-bucket.azure.identity-name", "identity.azure.name"),
    ("an annotation of Azure", azure(identity=AKS | {"service-account": {"annotations": {"azure.workload.identity/client-id": "a"}}}), "identity.service-account.annotations.azure.workload.identity/client-id", "stands beside"),
    ("an emulator", azure(storage=blob(endpoint="http://azurite:10000/a")), "storage.azure.endpoint", "does not name a storage account"),
    ("no TLS", azure(storage=blob(endpoint="http://filesofkestra.blob.core.windows.net")), "storage.azure.endpoint", "https://"),
    ("no account", azure(storage=blob(endpoint="https://blob.storage.azure.net")), "storage.azure.endpoint", "does not name a storage account"),
    ("no zone", azure(storage=blob(endpoint="https://filesofkestra.blob.storage.azure.net")), "storage.azure.endpoint", "does not name a storage account"),
    ("a long account of Azure", azure(storage=blob(endpoint=f"https://{'a' * 25}.z01.blob.storage.azure.net"), storage_bucket=IN_GROUP), "storage.azure.endpoint", "3 to 24 lower-case"),
    ("an account with a hyphen", azure(storage=blob(endpoint="https://files-kestra.z1.blob.storage.azure.net"), storage_bucket=IN_GROUP), "storage.azure.endpoint", "3 to 24 lower-case"),
    ("a zone of another service", azure(storage=blob(endpoint="https://filesofkestra.z1.dfs.storage.azure.net"), storage_bucket=IN_GROUP), "storage.azure.endpoint", "does not name a storage account"),
    ("a zone to be chosen", azure(storage=blob(endpoint="https://filesofkestra.z12.blob.storage.azure.net")), "storage.azure.endpoint", "Fix: write https://filesofkestra.blob.core.windows.net, or create: false"),
    ("a signature in the address", azure(storage=blob(endpoint=f"https://filesofkestra.blob.core.windows.net?sv=1&sig={PLANTED}")), "storage.azure.endpoint", "names more"),
    ("a container in the address", azure(storage=blob(endpoint="https://filesofkestra.blob.core.windows.net/kestra")), "storage.azure.endpoint", "names more"),
    ("no place", azure(storage_bucket=group(location="${PLACE}")), "storage-bucket.azure.location", "form"),
    ("half a subnet", azure(storage_bucket=group(allowed_subnet_ids=["/subscriptions/a/subnets/b"])), "storage-bucket.azure.allowed-subnet-ids[0]", "no id of a subnet"),
    ("a container to come", azure(storage=blob(container="${CONTAINER}")), "storage.azure.container", "placeholder"),
    ("a name of no container", azure(storage=blob(container="Kestra--files")), "storage.azure.container", "no name of a container"),
    ("no group", azure(storage_bucket={"create": True}), "storage-bucket.azure.resource-group", "is missing"),
    ("no subnet", azure(storage_bucket=group(allowed_subnet_ids=["aks"])), "storage-bucket.azure.allowed-subnet-ids[0]", "no id of a subnet"),
    ("days of others at Azure", azure(storage_bucket={"create": False, "azure": {"resource-group": "g", "noncurrent-days": 3}}), "storage-bucket.azure.noncurrent-days", "did not make"),
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
    ("a container of Azure", azure()),
    ("an existing one of Azure", azure(storage_bucket={"create": False, "azure": {"resource-group": "g"}})),
    ("an existing one in a DNS zone", azure(storage=blob(endpoint="https://filesofkestra.z1.blob.storage.azure.net/"), storage_bucket=IN_GROUP)),
    ("a container of Azure with secrets there", azure(store=IN_KEY_VAULT)),
    ("a container of Azure with secrets in AWS", azure(store=OPERATOR, identity=AKS | IRSA)),
    ("a bucket of Google", google()),
    ("an existing one of Google", google(storage_bucket=EXISTING)),
    ("a key for Europe", google(storage_bucket=place(location="EU", kms={"name": GCP_KEY.replace("/us/", "/europe/")}))),
    ("a domain, existing", google(storage=gcs(bucket=f"{'a' * 60}.example.com"), storage_bucket=EXISTING)),
    ("a folder at Google", google(storage=gcs(path="kestra"))),
    ("a bucket of Google with secrets there", google(store=ON_GOOGLE)),
    ("a bucket of Google with secrets in AWS", google(store=OPERATOR, identity=GKE | IRSA)),
    ("open source with Vault", bucket(store={"type": "vault", "vault": {"address": "https://v:8200"}})),
]  # fmt: skip


@pytest.mark.parametrize("document", [row[1] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_a_bucket_goes_with_every_secret_manager_and_every_identity_of_aws(
    document: dict[str, Any],
) -> None:
    loaded = load(document, source="test").settings
    assert loaded.storage_bucket is not None


@pytest.mark.parametrize(
    "changed", [{"storage_bucket": True}, {"storage_bucket": {"create": "soon"}}, {"storage": {"type": "minio"}}]
)  # fmt: skip
def test_an_identity_is_not_refused_for_a_bucket_that_is_wrong(changed: dict[str, Any]) -> None:
    assert "identity.aws" not in findings(bucket(**changed))


def test_an_identity_without_use_is_told_both_uses() -> None:
    document = bucket()
    del document["storage-bucket"]
    (line,) = [text for path, text in findings(document).items() if path == "identity.aws"]
    assert "kestra:storage-bucket and kestra:storage.type s3" in line


def test_a_new_bucket_of_google_that_is_a_domain_is_told() -> None:
    loaded = load(google(storage=gcs(bucket="files.example.com")), source="test")
    (warning,) = [w for w in loaded.warnings if w.path == "kestra:storage.gcs.bucket"]
    assert "is the name of a domain" in warning.line()


def test_a_path_in_the_enterprise_edition_leaves_out_what_belongs_to_the_instance() -> None:
    loaded = load(bucket(**enterprise(), storage=s3(path="kestra")), source="test")
    (warning,) = [w for w in loaded.warnings if w.path == "kestra:storage.s3.path"]
    assert "bucket of its own" in warning.line()


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        (s3(access_key=PLANTED, secret_key=PLANTED), True),
        (s3(), False),
        (gcs(service_account=PLANTED), True),
        (blob(connection_string=PLANTED), True),
        (s3(access_key=PLANTED, secret_key=PLANTED, endpoint="http://minio:9000"), False),
    ],
    ids=[
        "keys of AWS",
        "no keys",
        "a key of Google",
        "a connection string",
        "keys of another server",
    ],
)
def test_a_static_credential_of_a_cloud_is_warned_of(storage: dict[str, Any], told: bool) -> None:
    loaded = load(oss(storage=storage), source="test")
    hints = [w.line() for w in loaded.warnings if "is a static credential" in w.line()]
    assert len(hints) == told
    assert not any(PLANTED in hint for hint in hints)
    assert all("kestra:storage-bucket" in hint for hint in hints)
