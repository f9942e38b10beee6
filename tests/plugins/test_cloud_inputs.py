"""Schemas from SDK classes, with objects inside objects, and what is refused of them and how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import providers
from sandbox.providers.runtime.schema_validation import AzureNative, Bridge
from sandbox.providers.runtime.schemas import ResourceSchema, Schemas
from sandbox.providers.runtime.values import UNKNOWN, Secret
from sandbox.providers.schema_from_sdk import extract

FOLDER = Path(providers.__file__).parent
TABLES = sorted(f.parent.name for f in FOLDER.glob("*/replacing.yaml"))


def _schema(tmp_path: Path, package: str, name: str, words: Any) -> ResourceSchema:
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(extract(package, {name: []})))
    return next(iter(Schemas(file, words)))


@pytest.mark.parametrize("plugin", TABLES)
def test_the_committed_schema_is_that_of_the_installed_sdk(plugin: str) -> None:
    folder = FOLDER / plugin
    table = yaml.safe_load((folder / "replacing.yaml").read_text())
    assert extract(plugin, table) == json.loads((folder / "schema.json").read_text())


def test_a_table_that_names_no_input_of_the_class_is_refused() -> None:
    with pytest.raises(ValueError, match="gcp:kms/keyRing:KeyRing has no input colour"):
        extract("gcp", {"kms.KeyRing": ["colour"]})


def test_types_that_hold_each_other_are_followed_once() -> None:
    found = extract("azure_native", {"network.PrivateEndpoint": []})
    subnet = found["types"]["network.SubnetArgs"]["properties"]
    assert subnet["privateEndpointNetworkPolicies"] == {"type": "string"}
    assert found["azure-native:network:PrivateEndpoint"]["inputs"]["subnet"] == {
        "ref": "network.SubnetArgs"
    }


SECRET = {"secretId": "a", "replication": {"auto": {}}}


@pytest.mark.parametrize(
    ("news", "words"),
    [
        ({"secretId": "a"}, 'Missing required argument. The argument "replication" is required, but no definition was found.. Examine values at \'n.replication\'.'),
        ({"replication": {"userManaged": {"replicas": [{}]}}}, 'Missing required argument. The argument "replication.0.user_managed.0.replicas.0.location" is required, but no definition was found.. Examine values at \'n.replication.userManaged.replicas[0].location\'.'),
        ({"replication": {"automatic": True}}, "Invalid or unknown key. Examine values at 'n.replication.automatic'."),
        ({"replication": "auto"}, "Unexpected type: expected object type, got string type. Examine values at 'n.replication'."),
        ({"replication": {"userManaged": {"replicas": [{"location": {}}]}}}, "Unexpected type: expected string type, got object type. Examine values at 'n.replication.userManaged.replicas[0].location'."),
        (SECRET | {"topics": ["a"]}, "Unexpected type: in the list, expected object type, got string type. Examine values at 'n.topics[0]'."),
        (SECRET | {"labels": {"a": []}}, "Unexpected type: expected string type, got array type. Examine values at 'n.labels.a'."),
    ],
)  # fmt: skip
def test_a_bridged_provider_names_the_place_inside_an_object(
    tmp_path: Path, news: dict[str, Any], words: str
) -> None:
    schema = _schema(tmp_path, "gcp", "secretmanager.Secret", Bridge())
    assert schema.check("n", news) == [("", words)]


VAULT = {"sku": {"family": "A", "name": "standard"}, "tenantId": "t"}


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"sku": VAULT["sku"]}, "missing required property 'properties.tenantId'"),
        (VAULT | {"colour": 1}, "unknown property 'properties.colour'"),
        (VAULT | {"softDeleteRetentionInDays": "7"}, "'properties.softDeleteRetentionInDays' should be of type 'integer' but got a string"),
        (VAULT | {"accessPolicies": {}}, "'properties.accessPolicies' should be of type 'array' but got an object"),
        (VAULT | {"sku": {"family": "A", "name": "gold"}}, "'properties.sku.name' should be one of standard, premium"),
        (VAULT | {"networkAcls": {"ipRules": [{}]}}, "missing required property 'properties.networkAcls.ipRules[0].value'"),
    ],
)  # fmt: skip
def test_azure_native_names_the_place_inside_an_object(
    tmp_path: Path, properties: dict[str, Any], words: str
) -> None:
    schema = _schema(tmp_path, "azure_native", "keyvault.Vault", AzureNative())
    news = {"resourceGroupName": "g", "properties": properties}
    assert schema.check("n", news) == [("", words)]


@pytest.mark.parametrize(
    "value",
    ['{"Version": "2012-10-17"}', {"Version": "2012-10-17", "Statement": []}, UNKNOWN, Secret("a")],
)
def test_an_input_of_several_types_takes_each_of_them(tmp_path: Path, value: Any) -> None:
    schema = _schema(tmp_path, "aws", "iam.Role", Bridge())
    assert schema.check("n", {"assumeRolePolicy": value}) == []


@pytest.mark.parametrize("value", [["a"], {"Version": "2012-10-17", "Statements": []}])
def test_an_input_of_several_types_takes_no_other(tmp_path: Path, value: Any) -> None:
    schema = _schema(tmp_path, "aws", "iam.Role", Bridge())
    assert schema.check("n", {"assumeRolePolicy": value})


def test_secret_outputs_and_what_replaces_are_in_the_schema(tmp_path: Path) -> None:
    found = extract("gcp", {"secretmanager.SecretVersion": ["secret"]})
    schema = found["gcp:secretmanager/secretVersion:SecretVersion"]
    assert schema["outputs"]["secretData"] == {"secret": True, "type": "string"}
    assert [k for k, v in schema["inputs"].items() if "willReplaceOnChanges" in v] == ["secret"]
