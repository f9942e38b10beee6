"""A stack in AWS: what it provisions, for whom, how it is protected, and what it leaves alone."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from components.backends.aws.permissions import AwsLocation, access, policy
from components.backends.aws.policy_documents import irsa_trust, key_policy, pod_identity_trust
from components.validation import load
from tests.components.aws_support import ACCOUNT
from tests.components.inventory_support import SECRET_MARK
from tests.components.recording_support import Recorder, register, run
from tests.conftest import of_version, stack_document
from tests.settings.malformed_fixtures import OIDC

SECRET = "secretsmanager/secret:Secret"
HERE = AwsLocation(ACCOUNT, "eu-west-1")
SECRETS = "example-aws-secret-manager"
PARAMETERS = "example-aws-ssm-parameter-store"


def _stack(name: str = SECRETS, **changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(stack_document(name))
    document["deployment"]["namespace"] = "kestra"
    return document | {key.replace("_", "-"): value for key, value in changed.items()}


def _in(environment: str, name: str = SECRETS, **changed: Any) -> dict[str, Any]:
    """The example in another environment, with the stack's own choices left to it."""
    document = _stack(name, **changed)
    block = document["secret"][document["secret"]["type"]]
    block.pop("filter-on-tags", None)
    deployment = {k: v for k, v in document["deployment"].items() if k != "protect"}
    tags = document["tags"] | {"environment": environment}
    return document | {"tags": tags, "deployment": deployment, "store": {"aws": {}}} | changed


def _value(properties: dict[str, Any]) -> Any:
    """What stands behind the engine's mark of a secret."""
    assert SECRET_MARK in properties
    return properties["value"]


def _aws(recorded: Recorder) -> dict[str, str]:
    return {n: t for n, (t, _) in recorded.resources.items() if t.startswith("aws:")}


def test_a_declared_secret_is_plain_text_under_the_stacks_key_with_the_tags_that_kestra_reads() -> (
    None
):
    recorded = run(_stack())
    secret = recorded.of(SECRET)["store-declared-DATABASE_PASSWORD"]
    assert secret["name"] == "kestra-production/main/company.team/DATABASE_PASSWORD"
    assert secret["kmsKeyId"] == HERE.arn("kms", "key/store-key")
    assert secret["recoveryWindowInDays"] == 30
    assert secret["tags"] == {
        "application": "kestra",
        "environment": "production",
        "owner": "platform",
        "data-class": "confidential",
        "namespace": "company.team",
        "tenant": "main",
        "key": "DATABASE_PASSWORD",
        "prefix": "kestra-production",
    }
    assert secret["replicas"][0]["region"] == "eu-central-1"
    value = recorded.of("SecretVersion")["store-declared-DATABASE_PASSWORD-value"]
    assert _value(value["secretString"]) == "Password-1-of-generated-declared-DATABASE_PASSWORD"


def test_a_value_is_nowhere_in_clear() -> None:
    planted = "Given-Aws-Zq81"
    for name in (SECRETS, PARAMETERS):
        document = _stack(name)
        document["declared-secrets"]["API_TOKEN"] = {"namespace": "a", "value": planted}
        recorded = run(document)
        shown = {
            f"{name}.{key}": value
            for name, (_, inputs) in recorded.resources.items()
            for key, value in inputs.items()
            if not (isinstance(value, dict) and SECRET_MARK in value)
        }
        assert planted not in json.dumps(shown, default=str)
        assert recorded.secret_outputs == {"generated"}
        assert planted not in json.dumps(
            {k: v for k, v in recorded.outputs.items() if k != "generated"}
        )


def test_every_secret_has_a_policy_that_blocks_the_public() -> None:
    recorded = run(_stack())
    policies = recorded.of("SecretPolicy")
    assert set(policies) == {f"{name}-policy" for name in recorded.of(SECRET)}
    for secret_policy in policies.values():
        assert secret_policy["blockPublicPolicy"] is True
        statements = {s["Sid"]: s for s in json.loads(secret_policy["policy"])["Statement"]}
        assert {"NoOtherAccount", "NoConnectionWithoutTls"} <= set(statements)
        assert {s["Effect"] for s in statements.values()} == {"Deny"}


def test_rotation_is_by_the_given_function_at_the_given_time_and_not_at_once() -> None:
    recorded = run(_stack())
    (rotation,) = recorded.of("SecretRotation").values()
    (request,) = (r for r, _ in recorded.registered.values() if "Rotation" in r.type)
    # AWS rotates what has a value.
    assert any("-value" in urn for urn in request.dependencies)
    assert rotation["rotationLambdaArn"].endswith(":function:rotate-reporting-database")
    assert rotation["rotationRules"] == {"scheduleExpression": "rate(30 days)"}
    assert rotation["rotateImmediately"] is False


def test_the_key_rotates_and_its_policy_sets_managers_and_users_apart() -> None:
    document = _stack()
    (key,) = run(document).of("Key").values()
    administrators = tuple(document["store"]["aws"]["kms"]["administrators"])
    assert key["enableKeyRotation"] is True
    assert (key["rotationPeriodInDays"], key["deletionWindowInDays"]) == (365, 30)
    assert json.loads(key["policy"]) == key_policy(HERE, "secretsmanager", administrators)
    (alias,) = run(document).of("Alias").values()
    assert (alias["name"], alias["targetKeyId"]) == ("alias/kestra-secrets", "store-key")
    (other,) = run(_stack(PARAMETERS)).of("Key").values()
    assert json.loads(other["policy"]) == key_policy(HERE, "ssm", administrators)


def test_each_manager_has_an_alias_of_its_own() -> None:
    aliases = [
        a["name"] for n in (SECRETS, PARAMETERS) for a in run(_stack(n)).of("Alias").values()
    ]
    assert aliases == ["alias/kestra-secrets", "alias/kestra-parameters"]


def test_a_key_that_exists_already_is_used_and_none_is_made() -> None:
    key = HERE.arn("kms", "key/1234abcd")
    recorded = run(_stack(store={"aws": {"kms": {"arn": key}}}))
    assert recorded.of("Key") == recorded.of("Alias") == {}
    assert {s["kmsKeyId"] for s in recorded.of(SECRET).values()} == {key}
    assert key in recorded.resources["identity-policy"][1]["policy"]


@pytest.mark.parametrize(
    ("environment", "key", "secret"),
    [("development", 7, 0), ("staging", 30, 30), ("production", 30, 30)],
)
def test_what_was_deleted_can_be_had_back_for_as_long_as_the_environment_says(
    environment: str, key: int, secret: int
) -> None:
    recorded = run(_in(environment))
    assert recorded.of("Key")["store-key"]["deletionWindowInDays"] == key
    windows = {n: s["recoveryWindowInDays"] for n, s in recorded.of(SECRET).items()}
    assert windows.pop("store-encryption-key") == 30
    assert set(windows.values()) == {secret}


def test_the_recovery_copy_and_its_key_stay_and_production_protects_them() -> None:
    guarded = {"generated-encryption-secret-key", "store-key", "store-encryption-key"}
    kept = guarded | {"store-encryption-key-policy", "store-encryption-key-value"}
    recorded = run(_in("staging"))
    assert recorded.retained == kept
    assert recorded.protected == {"generated-encryption-secret-key"}
    recorded = run(_in("production"))
    assert recorded.retained == kept
    assert recorded.protected == guarded | {"guard", "kestra-namespace"}
    parameters = run(_in("production", PARAMETERS))
    assert {"store-key", "store-encryption-key"} <= parameters.retained & parameters.protected


def test_the_recovery_copy_lies_outside_of_what_kestra_sees() -> None:
    recorded = run(_stack())
    copy = recorded.of(SECRET)["store-encryption-key"]
    assert copy["name"] == "stack-kestra/encryption-key"
    assert not {"namespace", "tenant", "key", "prefix"} & set(copy["tags"])
    guard = json.loads(recorded.of("SecretPolicy")["store-encryption-key-policy"]["policy"])
    (never,) = (s for s in guard["Statement"] if s["Sid"] == "NeverKestra")
    assert never["Condition"]["ArnEquals"]["aws:PrincipalArn"] == [HERE.role("kestra-kestra")]
    assert never["Action"] == "secretsmanager:*"


def test_the_recovery_copy_names_every_role_that_kestra_has() -> None:
    existing, target = HERE.role("existing"), f"arn:aws:iam::{ACCOUNT}:role/secrets"
    document = _stack(identity={"aws": {"role-arn": existing}})
    document["secret"]["aws-secret-manager"]["sts-role-arn"] = target
    guard = run(document).of("SecretPolicy")["store-encryption-key-policy"]["policy"]
    (never,) = (s for s in json.loads(guard)["Statement"] if s["Sid"] == "NeverKestra")
    assert never["Condition"]["ArnEquals"]["aws:PrincipalArn"] == [existing, target]


def test_parameters_are_secure_strings_under_the_stacks_key() -> None:
    recorded = run(_stack(PARAMETERS))
    parameters = recorded.of("Parameter")
    assert {p["name"] for p in parameters.values()} == {
        "kestra-production-DATABASE_PASSWORD",
        "kestra-production-API_TOKEN",
        "stack-kestra-encryption-key",
    }
    for parameter in parameters.values():
        assert parameter["type"] == "SecureString"
        assert parameter["keyId"] == HERE.arn("kms", "key/store-key")
        assert SECRET_MARK in parameter["value"]
    assert recorded.of(SECRET) == {}
    assert recorded.outputs["versionIds"]["API_TOKEN"] == "1"


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("name", [SECRETS, PARAMETERS])
def test_the_roles_policy_is_that_of_the_mode(name: str, read_only: bool) -> None:
    document = _stack(name)
    document["secret"]["read-only"] = read_only
    if not read_only:
        del document["declared-secrets"]
        for key in ("filter-on-tags", "filter-on-prefix"):
            document["secret"][document["secret"]["type"]].pop(key, None)
    (granted,) = run(document).of("RolePolicy").values()
    settings = load(document, source="test").settings
    expected = policy(access(settings, HERE, HERE.arn("kms", "key/store-key")))
    assert json.loads(granted["policy"]) == expected
    writes = "PutSecretValue" in granted["policy"] or "PutParameter" in granted["policy"]
    assert writes is not read_only


def test_a_token_of_the_service_account_gives_the_role_and_is_not_mounted_by_the_stack() -> None:
    document = _stack()
    recorded = run(document)
    role = recorded.of("Role")["identity-role"]
    provider = document["identity"]["aws"]["irsa"]["oidc-provider-arn"]
    assert json.loads(role["assumeRolePolicy"]) == irsa_trust(provider, "kestra", "kestra")
    assert role["permissionsBoundary"] == "arn:aws:iam::111122223333:policy/workloads"
    account = recorded.of("ServiceAccount")["kestra-service-account"]
    assert account["metadata"]["annotations"] == {
        "eks.amazonaws.com/role-arn": HERE.role("kestra-kestra")
    }
    assert account["automountServiceAccountToken"] is False
    assert recorded.outputs["principal"] == HERE.role("kestra-kestra")
    assert recorded.of("PodIdentityAssociation") == recorded.of("ClusterRoleBinding") == {}


def test_pod_identity_gives_the_role_and_the_service_account_waits_for_it() -> None:
    recorded = run(_stack(PARAMETERS))
    role = recorded.of("Role")["identity-role"]
    trust = pod_identity_trust(HERE, "production", "kestra", "kestra")
    assert json.loads(role["assumeRolePolicy"]) == trust
    (association,) = recorded.of("PodIdentityAssociation").values()
    assert association["roleArn"] == HERE.role("kestra-kestra")
    assert (association["clusterName"], association["serviceAccount"]) == ("production", "kestra")
    account = recorded.of("ServiceAccount")["kestra-service-account"]
    assert account["metadata"]["annotations"] == {
        "kestra.pulumi/pod-identity-association": "a-of-mock"
    }
    agent = recorded.of("NetworkPolicy")["kestra-node"]["spec"]["egress"]
    assert agent[0]["to"][0] == {"ipBlock": {"cidr": "169.254.170.23/32"}}
    assert "kestra-node" not in run(_stack()).resources


def test_a_role_that_exists_already_is_only_named() -> None:
    recorded = run(_stack(identity={"aws": {"role-arn": HERE.role("existing")}}))
    assert recorded.of("RolePolicy") == {}
    assert "identity-role" not in recorded.resources
    account = recorded.of("ServiceAccount")["kestra-service-account"]
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": HERE.role("existing")}  # fmt: skip
    assert recorded.outputs["principal"] == HERE.role("existing")


def test_with_a_role_to_assume_the_pods_role_may_only_take_it() -> None:
    document = _stack()
    target = "arn:aws:iam::444455556666:role/secrets"
    document["secret"]["aws-secret-manager"] |= {
        "sts-role-arn": target,
        "sts-role-external-id": "kestra-7",
    }
    (granted,) = run(document).of("RolePolicy").values()
    assert json.loads(granted["policy"])["Statement"] == [
        {
            "Sid": "AssumeOneRole",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": target,
            "Condition": {"StringEquals": {"sts:ExternalId": "kestra-7"}},
        }
    ]


@pytest.mark.parametrize("name", [SECRETS, PARAMETERS])
def test_without_its_block_the_store_is_someone_elses(name: str) -> None:
    document = _stack(name, store={})
    del document["declared-secrets"]
    recorded = run(document)
    allowed = {"iam/role:Role", "iam/rolePolicy:RolePolicy", "eks/podIdentityAssociation:PodIdentityAssociation"}  # fmt: skip
    assert {t.removeprefix("aws:") for t in _aws(recorded).values()} <= allowed
    (granted,) = recorded.of("RolePolicy").values()
    assert "kms:" not in granted["policy"]
    assert recorded.outputs["secretIds"] == recorded.outputs["versionIds"] == {}


def test_static_keys_of_the_seed_travel_as_secrets_and_no_identity_is_made() -> None:
    document = _stack(identity={}, store={})
    del document["declared-secrets"]
    planted = {
        name: f"Pl4nted-{name}" for name in ("access-key-id", "secret-key-id", "session-token")
    }
    document["secret"]["aws-secret-manager"] |= planted
    recorded = run(document)
    assert _aws(recorded) == {}
    sent = _value(recorded.resources["kestra-secret"][1]["stringData"])
    assert set(planted.values()) <= {_clear(value) for value in sent.values()}
    configuration = recorded.outputs["configuration"]
    for name, value in planted.items():
        assert f"{name}: ${{STACK_" in configuration
        assert value not in configuration


def _clear(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and SECRET_MARK in value else value


def test_managed_parameters_are_encrypted_with_the_stacks_key() -> None:
    document = _stack(PARAMETERS)
    del document["declared-secrets"]
    document["secret"] = {"type": "aws-ssm-parameter-store", "aws-ssm-parameter-store": {"region": "eu-west-1"}}  # fmt: skip
    recorded = run(document)
    generated = recorded.outputs["generated"]
    assert generated["secret.aws-ssm-parameter-store.kms-key-id"] == HERE.arn("kms", "key/store-key")  # fmt: skip
    assert "kms-key-id: ${STACK_" in recorded.outputs["configuration"]


def test_the_region_is_the_providers_where_none_is_set() -> None:
    document = _stack()
    del document["secret"]["aws-secret-manager"]["region"]
    del document["store"]["aws"]["replicas"]
    recorded = run(document)
    assert "region" not in recorded.of("Key")["store-key"]
    assert "secretsmanager.eu-west-1.amazonaws.com" in recorded.of("Key")["store-key"]["policy"]


def test_the_role_can_have_a_name_of_its_own() -> None:
    identity = {"aws": {"irsa": {"oidc-provider-arn": OIDC}, "role-name": "kestra-reader"}}
    recorded = run(_stack(identity=identity))
    assert recorded.of("Role")["identity-role"]["name"] == "kestra-reader"
    guard = recorded.of("SecretPolicy")["store-encryption-key-policy"]["policy"]
    assert HERE.role("kestra-reader") in guard


def test_the_roles_region_is_that_of_the_secrets_and_the_clusters_that_of_the_provider() -> None:
    document = _stack(PARAMETERS)
    document["secret"]["aws-ssm-parameter-store"]["region"] = "us-east-1"
    recorded = run(document)
    trust = recorded.of("Role")["identity-role"]["assumeRolePolicy"]
    assert "arn:aws:eks:eu-west-1:" in trust
    (granted,) = recorded.of("RolePolicy").values()
    assert "arn:aws:ssm:us-east-1:" in granted["policy"]
    assert "eu-west-1" not in granted["policy"]


def test_a_stack_that_moves_between_the_managers_of_aws_has_both_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, str]] = []
    record = Recorder.new_resource

    def listing(self: Recorder, args: Any) -> Any:
        seen.append((args.typ, args.name))
        return record(self, args)

    monkeypatch.setattr(Recorder, "new_resource", listing)
    document = _stack()
    also = {"type": "aws-ssm-parameter-store", "read-only": True, "aws-ssm-parameter-store": {"region": "eu-west-1"}}  # fmt: skip
    document = of_version(document, "2.0")
    document["security"] = {"instance-owner": {"username": "admin@example.com"}}
    del document["declared-secrets"]["DATABASE_PASSWORD"]["rotation"]
    document["store"] = {"aws": {}, "also": also}
    document["secret"]["aws-secret-manager"].pop("filter-on-tags")
    register(document)
    # The type of the parent is part of a resource's address: the two keys are two.
    assert {("kestra:stores:AwsStore", "store"), ("kestra:stores:AwsParameterStore", "store")} <= set(seen)  # fmt: skip
    assert seen.count(("aws:kms/key:Key", "store-key")) == 2


EXTERNAL = {
    "API_TOKEN": {"namespace": "company.team", "external": True},
    "MADE": {"namespace": "company.team", "generate": {"keep-from-state": True}},
}


def test_an_external_secret_has_its_place_and_policy_and_no_value() -> None:
    recorded = run(_stack(declared_secrets=EXTERNAL))
    assert recorded.of(SECRET).keys() == {
        "store-declared-API_TOKEN", "store-declared-MADE", "store-encryption-key",
    }  # fmt: skip
    assert recorded.of("SecretPolicy").keys() == {f"{name}-policy" for name in recorded.of(SECRET)}
    assert recorded.of("SecretVersion").keys() == {"store-encryption-key-value"}
    assert not any("declared" in name for name in recorded.of("RandomPassword"))
    assert recorded.outputs["secretIds"].keys() == {*EXTERNAL, "encryption.secret-key"}
    assert "API_TOKEN" not in recorded.outputs["versionIds"]
    assert recorded.outputs["secretIds"]["API_TOKEN"].startswith("arn:")


def test_there_is_no_parameter_without_a_value() -> None:
    recorded = run(_stack(PARAMETERS, declared_secrets=EXTERNAL))
    assert recorded.of("Parameter").keys() == {"store-encryption-key"}
    assert recorded.outputs["secretIds"]["API_TOKEN"].endswith("API_TOKEN")
    assert "API_TOKEN" not in recorded.outputs["versionIds"]
