"""What a killed update was creating is found on its server, and is in the state once."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.safeguards.interrupted_updates import Adopted, adopt_pending
from sandbox.clouds import Clouds
from sandbox.engine.pending import Finder
from sandbox.services import AwsServer, GoogleCloud

URN = "urn:pulumi:local::kestra::"
AWS_SECRET = "aws:secretsmanager/secret:Secret"
AWS_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
GOOGLE_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
PROVIDER = f"{URN}pulumi:providers:aws::default::1234"
REGION = "eu-west-1"


def resource(type_: str, inputs: dict[str, Any], name: str = "x", **more: Any) -> dict[str, Any]:
    return {"urn": f"{URN}{type_}::{name}", "type": type_, "inputs": inputs, **more}


def pending(
    type_: str, inputs: dict[str, Any], kind: str = "creating", **more: Any
) -> dict[str, Any]:
    return {"resource": resource(type_, inputs, **more), "type": kind}


def adopted(before: dict[str, Any], clouds: Clouds | None = None, azure: Path = Path()) -> Adopted:
    return adopt_pending(before, Finder(before, clouds or Clouds(), azure))


@pytest.mark.parametrize(
    ("type_", "inputs", "id_"),
    [
        ("kubernetes:core/v1:Namespace", {"metadata": {"name": "kestra"}}, "kestra"),
        (
            "kubernetes:core/v1:Service",
            {"metadata": {"name": "web", "namespace": "kestra"}},
            "kestra/web",
        ),
        ("vault:index/mount:Mount", {"path": "kestra", "type": "kv-v2"}, "kestra"),
        ("vault:index/authBackend:AuthBackend", {"type": "approle"}, "approle"),
        ("vault:index/audit:Audit", {"type": "file", "path": "kestra-file"}, "kestra-file"),
        ("vault:kv/secretV2:SecretV2", {"mount": "kestra", "name": "a/B"}, "kestra/data/a/B"),
    ],
)
def test_what_a_server_would_refuse_or_double_counts_as_created(
    type_: str, inputs: dict[str, Any], id_: str
) -> None:
    before = {
        "resources": [{"urn": "first", "type": "t"}],
        "pending_operations": [pending(type_, inputs)],
    }
    after = adopted(before)
    assert "pending_operations" not in after.deployment
    assert after.deployment["resources"][0] == {"urn": "first", "type": "t"}
    assert after.deployment["resources"][1]["id"] == id_
    assert after.deployment["resources"][1]["outputs"] == inputs
    assert after.adopted == ("x",)


def test_the_rest_is_created_again_and_what_may_be_left_is_told() -> None:
    operations = [
        pending("random:index/randomPassword:RandomPassword", {"length": 32}, name="password"),
        pending("vault:index/policy:Policy", {"name": "kestra"}, name="policy"),
        pending("kubernetes:core/v1:Service", {"metadata": {"name": "web"}}, "updating"),
        pending("kubernetes:core/v1:ConfigMap", {}, name="unnamed"),
        pending("vault:index/token:Token", {}, name="token"),
        # There is no server to ask.
        pending(AWS_SECRET, {"name": "s"}, name="elsewhere"),
    ]
    after = adopted({"pending_operations": operations})
    assert after.deployment == {"resources": []}
    assert after.again == ("password", "policy", "unnamed", "token", "elsewhere")
    assert after.left == ("a token of token",)


MAP = "kubernetes:core/v1:ConfigMap"


def replaced(old: dict[str, Any], needs: list[str]) -> list[dict[str, Any]]:
    """The state's resources after a killed replacement."""
    inputs = {"metadata": {"name": "new"}}
    needed = resource("kubernetes:core/v1:Namespace", {}, name="later", id="later")
    before = {
        "resources": [resource(MAP, {}, id="old", **old), needed],
        "pending_operations": [pending(MAP, inputs, dependencies=needs)],
    }
    return adopted(before).deployment["resources"]


def test_a_replacement_stands_before_the_old_one_which_is_to_be_deleted() -> None:
    first, second, _ = replaced({}, [])
    assert (first["id"], second["id"], second["delete"]) == ("new", "old", True)
    assert "delete" not in first


def test_a_replacement_takes_the_place_of_what_is_deleted_already() -> None:
    first, second = replaced({"pendingReplacement": True}, [])
    assert (first["id"], second["id"]) == ("new", "later")


def test_a_replacement_that_needs_what_comes_later_is_created_again() -> None:
    first, _ = replaced({}, [f"{URN}kubernetes:core/v1:Namespace::later"])
    assert first["id"] == "old"
    assert "delete" not in first


@pytest.mark.engine
def test_what_aws_has_is_found_by_its_name_or_by_what_only_it_can_be(
    aws_server: AwsServer, tmp_path: Path
) -> None:
    secrets, kms = aws_server.client("secretsmanager", REGION), aws_server.client("kms", REGION)
    arn = secrets.create_secret(Name="pending/S", SecretString="1")["ARN"]
    first = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    (known,) = first
    new = secrets.put_secret_value(SecretId=arn, SecretString="2")["VersionId"]
    tags = [{"TagKey": "application", "TagValue": "kestra"}]
    key = kms.create_key(Description="Secrets of pending", Tags=tags)["KeyMetadata"]["KeyId"]
    kms.create_key(Description="Secrets of pending")
    file = aws_server.directory / "pod-identities.json"
    before = file.read_bytes() if file.exists() else None
    place = {"clusterName": "c", "namespace": "pending", "serviceAccount": "kestra"}
    file.write_text(json.dumps({"a-1": place | {"namespace": "other"}, "a-2": place}))
    asked = {
        AWS_SECRET: ({"name": "pending/S"}, arn),
        AWS_VERSION: ({"secretId": arn}, f"{arn}|{new}"),
        "aws:kms/key:Key": (
            {"description": "Secrets of pending", "tags": {"application": "kestra"}},
            key,
        ),
        "aws:secretsmanager/secretRotation:SecretRotation": ({"secretId": arn}, None),
        "aws:kms/alias:Alias": ({"name": "alias/pending"}, "alias/pending"),
        "aws:iam/role:Role": ({"name": "pending"}, "pending"),
        "aws:ssm/parameter:Parameter": ({"name": "/pending"}, "/pending"),
        "aws:eks/podIdentityAssociation:PodIdentityAssociation": (place, "a-2"),
        "aws:iam/rolePolicy:RolePolicy": ({"role": "pending", "name": "p"}, None),
    }
    state = {
        "resources": [
            {**resource("pulumi:providers:aws", {"region": REGION}, "default"), "id": "1234"},
            resource(AWS_VERSION, {}, "old", id=f"{arn}|{known}"),
        ]
    }
    find = Finder(state, Clouds(aws=aws_server), tmp_path)
    try:
        for type_, (inputs, id_) in asked.items():
            assert find(resource(type_, inputs, provider=PROVIDER)) == id_, type_
        assert find(resource(AWS_SECRET, {"name": "pending/none"}, provider=PROVIDER)) is None
        # A secret that waits for its deletion is somebody's to recover.
        secrets.delete_secret(SecretId=arn)
        assert find(resource(AWS_SECRET, {"name": "pending/S"}, provider=PROVIDER)) is None
    finally:
        file.unlink() if before is None else file.write_bytes(before)


@pytest.mark.engine
def test_what_google_has_is_found_by_its_name(tmp_path: Path) -> None:
    server = GoogleCloud(tmp_path / "gcp")
    try:
        server.start()
        secret = "projects/sandbox/secrets/S"
        body = {"replication": {"automatic": {}}}
        server.call("POST", "/v1/projects/sandbox/secrets?secretId=S", json=body)
        for data in ("MQ==", "Mg=="):
            server.call("POST", f"/v1/{secret}:addVersion", json={"payload": {"data": data}})
        state = {"resources": [resource(GOOGLE_VERSION, {}, id=f"{secret}/versions/1")]}
        find = Finder(state, Clouds(google=server), tmp_path)
        asked = {
            "gcp:secretmanager/secret:Secret": ({"secretId": "S"}, secret),
            GOOGLE_VERSION: ({"secret": secret}, f"{secret}/versions/2"),
            "gcp:kms/keyRing:KeyRing": (
                {"location": "europe-west1", "name": "ring"},
                "projects/sandbox/locations/europe-west1/keyRings/ring",
            ),
        }
        for type_, (inputs, id_) in asked.items():
            assert find(resource(type_, inputs)) == id_, type_
    finally:
        server.stop()


def test_what_azure_has_is_found_by_its_path(tmp_path: Path) -> None:
    path = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kestra"
    file = tmp_path / "recorded.json"
    file.write_text(json.dumps({path.lower(): {"id": path}}))
    find = Finder({}, Clouds(), file)
    named = {"resourceGroupName": "RG", "vaultName": "kestra"}
    assert find(resource("azure-native:keyvault:Vault", named)) == path
    assert find(resource("azure-native:keyvault:Vault", named | {"vaultName": "b"})) is None


def test_a_type_that_no_server_has_is_created_again() -> None:
    clouds: Any = SimpleNamespace(aws=None, google=None)
    find = Finder({}, clouds, Path())
    assert find(resource("random:index/randomPassword:RandomPassword", {})) is None
