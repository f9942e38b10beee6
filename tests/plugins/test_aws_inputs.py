"""What the aws stand-in refuses before anything is sent, and what it takes for the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi_aws
import pytest
import yaml
from botocore.exceptions import ClientError
from pulumi import _types

from sandbox.providers import aws
from sandbox.providers.aws.connection import SETTINGS, Aws
from sandbox.providers.aws.policies import same_policy
from sandbox.providers.aws.provider import AwsProvider
from sandbox.providers.aws.resources import RESOURCES
from sandbox.providers.runtime.errors import NotReadyError, ProviderError
from sandbox.providers.runtime.provider import Engine, Urn
from sandbox.providers.runtime.schemas import Schemas
from sandbox.providers.runtime.values import UNKNOWN, Secret
from sandbox.providers.schema_from_sdk import extract

FOLDER = Path(aws.__file__).parent
SCHEMAS = {s.token: s for s in Schemas(FOLDER / "schema.json")}
SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"
ROLE, PARAMETER = "aws:iam/role:Role", "aws:ssm/parameter:Parameter"
TRUST = '{"Version": "2012-10-17", "Statement": []}'
PLANTED = "Pl4nted-Aws-Kx72"


def _check(token: str, news: dict[str, Any], name: str = "x") -> list[str]:
    return [reason for _, reason in AwsProvider().check(Urn.of(token, name), {}, news)[1]]


def test_the_schema_is_what_the_installed_sdk_says() -> None:
    table = yaml.safe_load((FOLDER / "replacing.yaml").read_text())
    assert extract("aws", table) == json.loads((FOLDER / "schema.json").read_text())


def test_every_type_of_the_schema_is_one_that_the_stand_in_makes() -> None:
    assert set(SCHEMAS) == set(RESOURCES)


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_a_type_speaks_only_of_inputs_that_the_official_one_has(token: str) -> None:
    resource, inputs = RESOURCES[token], SCHEMAS[token].inputs
    stated = resource.computed | resource.sets | resource.policies
    stated |= resource.defaults.keys() | resource.ranges.keys() | resource.choices.keys()
    stated |= {name for names in resource.conflicts for name in names}
    assert stated <= set(inputs)


@pytest.mark.parametrize(
    ("token", "news", "words"),
    [
        (SECRET, {"colour": 1}, "Invalid or unknown key. Examine values at 'x.colour'"),
        (SECRET, {"recoveryWindowInDays": "soon"}, "expected integer type"),
        (SECRET, {"recoveryWindowInDays": 3}, "to be 0 or in the range (7 - 30)"),
        (SECRET, {"name": "a", "namePrefix": "b"}, 'Conflicting configuration arguments. "name"'),
        (SECRET, {"replicas": [{"kmsKeyId": "k"}]}, "x.replicas[0].region"),
        (SECRET, {"replicas": [{"region": "r", "zone": "z"}]}, "x.replicas[0].zone"),
        (SECRET, {"tags": {"a": ["b"]}}, "expected string type, got array type"),
        (SECRET, {"policy": "{"}, "invalid JSON policy"),
        (VERSION, {"secretString": "s"}, 'argument "secret_id" is required'),
        (VERSION, {"secretId": "i", "secretString": "s", "secretBinary": "cw=="}, "conflicts with"),
        (VERSION, {"secretId": "i", "secretBinary": "!"}, "must be base64-encoded"),
        (VERSION, {"secretId": "i", "secretStringWo": "s"}, "`secret_string_wo,secret_string_wo_version`"),
        (ROTATION, {"secretId": "i"}, "`rotation_rules` is required"),
        (ROTATION, {"secretId": "i", "rotationRules": {"days": 3}}, "x.rotationRules.days"),
        (ROTATION, {"secretId": "i", "rotationRules": {"duration": "3h"}}, "one of `rotation_rules.0.automatically"),
        (KEY, {"deletionWindowInDays": 5}, "in the range (7 - 30)"),
        (KEY, {"enableKeyRotation": "perhaps"}, "expected boolean type"),
        (KEY, {"rotationPeriodInDays": 30}, "in the range (90 - 2560)"),
        (ALIAS, {"targetKeyId": "k", "name": "kestra"}, "must begin with 'alias/'"),
        (PARAMETER, {"type": "SecureString"}, "one of `insecure_value,value,value_wo`"),
        (PARAMETER, {"type": "Secure", "value": "v"}, "to be one of [String, StringList, SecureString]"),
        (PARAMETER, {"type": "SecureString", "insecureValue": "v"}, "cannot set type = SecureString and insecure_value"),
        (ROLE, {"description": "d"}, 'argument "assume_role_policy" is required'),
        (ROLE, {"assumeRolePolicy": "nonsense"}, "invalid JSON policy"),
        (ROLE, {"assumeRolePolicy": TRUST, "inlinePolicies": [{"document": "{}"}]}, "x.inlinePolicies[0].document"),
        (ROLE, {"assumeRolePolicy": TRUST, "maxSessionDuration": 60}, "in the range (3600 - 43200)"),
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", {"url": "http://a", "clientIdLists": ["c"]}, "begin with https://"),
        ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", {"url": "https://a", "clientIdLists": "c"}, "expected array type"),
        ("aws:eks/podIdentityAssociation:PodIdentityAssociation", {"clusterName": "c", "namespace": "n", "roleArn": "r"}, '"service_account" is required'),
        ("aws:eks/cluster:Cluster", {"roleArn": "r", "vpcConfig": {"subnets": []}}, "x.vpcConfig.subnets"),
    ],
)  # fmt: skip
def test_a_wrong_input_is_refused_with_its_name(
    token: str, news: dict[str, Any], words: str
) -> None:
    assert any(words in reason for reason in _check(token, news)), _check(token, news)


@pytest.mark.parametrize(
    ("token", "news"),
    [
        (SECRET, {"recoveryWindowInDays": 0, "replicas": [{"region": "eu-west-1"}]}),
        (SECRET, {"kmsKeyId": UNKNOWN, "tags": UNKNOWN, "policy": UNKNOWN}),
        (VERSION, {"secretId": UNKNOWN, "secretString": Secret(UNKNOWN)}),
        (KEY, {"deletionWindowInDays": "7", "enableKeyRotation": "true"}),
        (ROLE, {"assumeRolePolicy": {"Version": "2012-10-17", "Statement": []}}),
        (PARAMETER, {"type": "SecureString", "value": Secret("v")}),
    ],
)
def test_what_the_official_provider_takes_is_taken(token: str, news: dict[str, Any]) -> None:
    assert _check(token, news) == []


def test_a_refusal_never_quotes_a_value() -> None:
    for token, news in (
        (VERSION, {"secretId": "i", "secretString": Secret({"a": PLANTED})}),
        (VERSION, {"secretId": "i", "secretBinary": Secret(PLANTED)}),
        (PARAMETER, {"type": "SecureString", "insecureValue": Secret(PLANTED)}),
    ):
        failures = _check(token, news)
        assert failures
        assert PLANTED not in str(failures)


@pytest.mark.parametrize(
    ("token", "news", "begin"),
    [(SECRET, {}, "x-"), (ALIAS, {"targetKeyId": "k"}, "alias/x-"), (ROLE, {"assumeRolePolicy": TRUST}, "x-")],
)  # fmt: skip
def test_a_name_that_is_not_given_is_made_once(token: str, news: Any, begin: str) -> None:
    first, _ = AwsProvider().check(Urn.of(token, "x"), {}, news)
    again, _ = AwsProvider().check(Urn.of(token, "x"), first, news)
    assert first["name"].startswith(begin)
    assert len(first["name"]) == len(begin) + 7
    assert again["name"] == first["name"]


def test_a_prefix_leaves_the_name_to_the_provider() -> None:
    inputs, failures = AwsProvider().check(Urn.of(SECRET, "x"), {}, {"namePrefix": "kestra-"})
    assert not failures
    assert "name" not in inputs


_ONE = {"Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": "*"}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"Resource": ["*"], "Action": ["a:C", "a:B"], "Effect": "Allow"}, True),
        ({**_ONE, "Action": ["a:B"]}, False),
        ({**_ONE, "Effect": "Deny"}, False),
        ({**_ONE, "Condition": {"StringEquals": {"a": "b"}}}, False),
    ],
    ids=["order and single values", "fewer actions", "effect", "a condition"],
)
def test_policies_are_compared_by_what_they_say(other: dict[str, Any], same: bool) -> None:
    one = json.dumps({"Version": "2012-10-17", "Statement": [_ONE]})
    assert same_policy(one, json.dumps({"Statement": other, "Version": "2012-10-17"})) is same


def test_an_account_and_its_root_user_are_the_same_principal() -> None:
    def document(principal: Any) -> str:
        return json.dumps({"Statement": [{**_ONE, "Principal": {"AWS": principal}}]})

    assert same_policy(document("123456789012"), document(["arn:aws:iam::123456789012:root"]))
    assert not same_policy(document("123456789012"), document("arn:aws:iam::210987654321:root"))


@pytest.mark.parametrize(
    ("region", "replacing"), [("eu-central-1", set()), ("eu-west-1", {"region"})]
)
def test_a_resource_that_names_no_region_follows_the_providers(
    region: str, replacing: set[str]
) -> None:
    plugin = AwsProvider()
    plugin.configure({"region": region}, Engine(""))
    inputs, _ = plugin.check(Urn.of(KEY, "x"), {}, {})
    difference = plugin.diff(Urn.of(KEY, "x"), {}, {**inputs, "region": "eu-central-1"}, inputs)
    assert difference.replacing == replacing


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_setting_of_the_provider_is_one_that_the_official_one_has(name: str) -> None:
    assert name in _types.input_type_py_to_pulumi_names(pulumi_aws.ProviderArgs).values()


def test_a_provider_setting_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(ProviderError, match="provider setting assumeRoles; install the official"):
        AwsProvider().configure({"assumeRoles": "[]"}, Engine(""))


@pytest.mark.parametrize("missing", ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"])
def test_what_the_connection_lacks_is_named_and_nothing_is_called(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    given = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(missing)
    with pytest.raises(ProviderError, match=missing):
        Aws({"skipCredentialsValidation": "true"}).client("kms")


def test_an_error_that_quotes_a_secret_is_told_without_its_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    response: Any = {
        "Error": {"Code": "ValidationException", "Message": f"value {PLANTED} is too long"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }

    def refuse(*_: Any) -> str:
        raise ClientError(response, "PutParameter")

    monkeypatch.setattr(RESOURCES[PARAMETER], "start", refuse)
    news = {"name": "kestra", "type": "SecureString", "value": Secret(PLANTED)}
    with pytest.raises(ProviderError, match=r"creating SSM Parameter \(kestra\): ") as caught:
        AwsProvider().create(Urn.of(PARAMETER, "x"), news)
    assert PLANTED not in str(caught.value)
    # Without the mark on the input, the schema says that it is secret.
    with pytest.raises(ProviderError) as caught:
        AwsProvider().create(Urn.of(PARAMETER, "x"), news | {"value": PLANTED})
    assert PLANTED not in str(caught.value)


def test_what_follows_a_creation_and_fails_leaves_the_resource_in_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RESOURCES[PARAMETER], "start", lambda *_: "kestra")

    def refuse(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "Throttling", "Message": PLANTED}}, "GetParameter")

    monkeypatch.setattr(RESOURCES[PARAMETER], "settle", refuse)
    monkeypatch.setattr(RESOURCES[PARAMETER], "read", refuse)
    news = {"name": "kestra", "type": "SecureString", "valueWo": "no", "value": Secret(PLANTED)}
    with pytest.raises(NotReadyError) as caught:
        AwsProvider().create(Urn.of(PARAMETER, "x"), news)
    error = caught.value
    assert (error.id, error.outputs["value"]) == ("kestra", Secret(PLANTED))
    assert "valueWo" not in error.outputs
    assert PLANTED not in str(error)
    assert PLANTED not in str(error.reasons)
