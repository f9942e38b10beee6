"""The stand-in for the aws plugin, through the real engine, on a local AWS API server."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from sandbox.leak_scan.scan import search
from sandbox.services import AwsServer
from tests.plugins.aws_stack_support import AwsStack, allow, policy, trust
from tests.plugins.vault_stack_support import is_secret

pytestmark = pytest.mark.engine

PLANTED, OTHER = "Pl4nted-Aws-Kx72", "An0ther-Aws-Kx73"
SECRET, PARAMETER = "t/kestra/one", "/t/kestra/two"
ISSUER = "https://oidc.eks.eu-central-1.amazonaws.com/id/T1"


@pytest.fixture
def stack(tmp_path: Path, aws_server: AwsServer, tools: dict[str, Path]) -> AwsStack:
    return AwsStack(tmp_path, aws_server, tools["pulumi"])


@pytest.fixture
def function(stack: AwsStack) -> str:
    """The ARN of a function that rotates nothing."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("f.py", "def handler(event, context):\n    return None\n")
    iam, functions = stack.client("iam"), stack.client("lambda")
    role = iam.create_role(RoleName="rotator", AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    made = functions.create_function(
        FunctionName="rotator",
        Runtime="python3.11",
        Role=role,
        Handler="f.handler",
        Code={"ZipFile": code.getvalue()},
    )
    return made["FunctionArn"]


def _everything(
    function: str,
    value: str = PLANTED,
    team: str = "a",
    days: int = 30,
    action: str = "secretsmanager:GetSecretValue",
    parameter: str = PLANTED,
) -> None:
    tags = {"team": team}
    key = aws.kms.Key("k", enable_key_rotation=True, deletion_window_in_days=7, tags=tags)
    aws.kms.Alias("a", name="alias/t-kestra", target_key_id=key.key_id)
    secret = aws.secretsmanager.Secret(
        "s",
        name=SECRET,
        kms_key_id=key.arn,
        recovery_window_in_days=0,
        tags=tags,
    )
    version = aws.secretsmanager.SecretVersion(
        "v", secret_id=secret.id, secret_string=pulumi.Output.secret(value)
    )
    aws.secretsmanager.SecretPolicy(
        "sp",
        secret_arn=secret.arn,
        policy=secret.arn.apply(
            lambda arn: policy({**allow("secretsmanager:*", arn), "Principal": {"AWS": "*"}})
        ),
        block_public_policy=True,
    )
    aws.secretsmanager.SecretRotation(
        "sr",
        secret_id=secret.id,
        rotation_lambda_arn=function,
        rotate_immediately=False,
        rotation_rules={"automatically_after_days": days},
        opts=pulumi.ResourceOptions(depends_on=[version]),
    )
    aws.ssm.Parameter(
        "p",
        name=PARAMETER,
        type="SecureString",
        value=pulumi.Output.secret(parameter),
        key_id=key.key_id,
        tags=tags,
    )
    provider = aws.iam.OpenIdConnectProvider(
        "o", url=ISSUER, client_id_lists=["sts.amazonaws.com"], tags=tags
    )
    federated: Any = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider.arn},
                "Action": "sts:AssumeRoleWithWebIdentity",
            }
        ],
    }
    role = aws.iam.Role(
        "r",
        name="t-kestra",
        assume_role_policy=federated,
        tags=tags,
    )
    aws.iam.RolePolicy("rp", name="read", role=role.name, policy=policy(allow(action)))
    managed = aws.iam.Policy("mp", policy=policy(allow("kms:Decrypt")), tags=tags)
    aws.iam.RolePolicyAttachment("ra", role=role.name, policy_arn=managed.arn)
    cluster = aws.eks.Cluster(
        "c", name="t-kestra", role_arn=role.arn, vpc_config={"subnet_ids": ["subnet-1"]}, tags=tags
    )
    aws.eks.PodIdentityAssociation(
        "pi",
        cluster_name=cluster.name,
        namespace="kestra",
        service_account="kestra",
        role_arn=role.arn,
        tags=tags,
    )
    pulumi.export("versionId", version.version_id)
    pulumi.export("url", provider.url)
    pulumi.export("managed", managed.name)
    pulumi.export("account", aws.get_caller_identity_output().account_id)
    pulumi.export("region", aws.get_region_output().region)
    pulumi.export("partition", aws.get_partition_output().partition)


def test_a_life_of_every_resource(stack: AwsStack, function: str) -> None:
    def program(**more: Any) -> Callable[[], None]:
        return lambda: _everything(function, **more)

    secrets = stack.client("secretsmanager")
    assert stack.preview(program()) == {"create": 15}
    changes, outputs = stack.up(program())
    assert changes == {"create": 15}
    assert secrets.get_secret_value(SecretId=SECRET)["SecretString"] == PLANTED
    assert outputs["url"] == ISSUER.removeprefix("https://")
    assert outputs["managed"].startswith("mp-")
    assert (outputs["account"], outputs["region"]) == ("123456789012", "eu-central-1")
    assert outputs["partition"] == "aws"
    state = stack.resources()
    assert state["v"]["id"] == f"{state['s']['id']}|{outputs['versionId']}"
    assert is_secret(state["v"]["outputs"]["secretString"])
    assert is_secret(state["p"]["outputs"]["value"])
    assert state["p"]["outputs"]["version"] == 1
    assert state["rp"]["id"] == "t-kestra:read"
    assert search([stack.state], {"planted": PLANTED}) == []
    assert PLANTED not in stack.console

    assert stack.up(program())[0] == {}
    # What others attached to the role shows in its outputs, and is no difference.
    stack.refresh(program())
    assert stack.up(program())[0] == {}
    assert stack.refresh(program()) == {}

    # A new value is a new version; the old one goes.
    changes, outputs = stack.up(program(value=OTHER))
    assert changes == {"replace": 1}
    assert secrets.get_secret_value(SecretId=SECRET)["VersionId"] == outputs["versionId"]
    assert secrets.get_secret_value(SecretId=SECRET)["SecretString"] == OTHER

    changes, _ = stack.up(program(value=OTHER, parameter=OTHER))
    assert changes == {"update": 1}
    assert stack.resources()["p"]["outputs"]["version"] == 2
    got = stack.client("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)
    assert got["Parameter"]["Value"] == OTHER

    changed: dict[str, Any] = {"value": OTHER, "parameter": OTHER, "days": 60}
    assert stack.up(program(**changed))[0] == {"update": 1}
    assert secrets.describe_secret(SecretId=SECRET)["RotationRules"]["AutomaticallyAfterDays"] == 60

    changed |= {"action": "secretsmanager:DescribeSecret"}
    assert stack.up(program(**changed))[0] == {"update": 1}
    document = stack.client("iam").get_role_policy(RoleName="t-kestra", PolicyName="read")
    assert document["PolicyDocument"]["Statement"][0]["Action"] == changed["action"]

    changed |= {"team": "b"}
    assert stack.up(program(**changed))[0] == {"update": 8}
    assert secrets.describe_secret(SecretId=SECRET)["Tags"] == [{"Key": "team", "Value": "b"}]
    assert stack.up(program(**changed))[0] == {}

    assert stack.destroy() == {"delete": 15}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.describe_secret(SecretId=SECRET)
    assert search([stack.state], {"planted": PLANTED, "other": OTHER}) == []
    assert PLANTED not in stack.console
    assert OTHER not in stack.console


def _small(value: str = PLANTED, recovery: int = 0, **version: Any) -> None:
    secret = aws.secretsmanager.Secret(
        "s", name="t/small", recovery_window_in_days=recovery, tags={"team": "a"}
    )
    aws.secretsmanager.SecretVersion(
        "v", secret_id=secret.id, secret_string=pulumi.Output.secret(value), **version
    )
    aws.ssm.Parameter("p", name="/t/small", type="SecureString", value=pulumi.Output.secret(value))


def test_refresh_sees_what_was_changed_behind_the_engines_back(stack: AwsStack) -> None:
    secrets, parameters = stack.client("secretsmanager"), stack.client("ssm")
    stack.up(_small)
    secrets.tag_resource(SecretId="t/small", Tags=[{"Key": "team", "Value": "x"}])
    parameters.put_parameter(Name="/t/small", Value=OTHER, Type="SecureString", Overwrite=True)
    assert stack.refresh(_small) == {"update": 2}
    assert stack.preview(_small) == {"update": 2}
    assert stack.up(_small)[0] == {"update": 2}
    found = parameters.get_parameter(Name="/t/small", WithDecryption=True)["Parameter"]
    assert found["Value"] == PLANTED
    assert secrets.describe_secret(SecretId="t/small")["Tags"] == [{"Key": "team", "Value": "a"}]

    secrets.delete_secret(SecretId="t/small", ForceDeleteWithoutRecovery=True)
    parameters.delete_parameter(Name="/t/small")
    assert stack.refresh(_small) == {"delete": 3}
    assert stack.up(_small)[0] == {"create": 3}
    assert search([stack.state], {"planted": PLANTED, "other": OTHER}) == []
    stack.destroy()


def test_a_value_written_by_others_comes_back_only_where_its_stage_is_given(
    stack: AwsStack,
) -> None:
    secrets = stack.client("secretsmanager")

    def current() -> str:
        # Without a stage, moto gives the version that was written last.
        return secrets.get_secret_value(SecretId="t/small", VersionStage="AWSCURRENT")[
            "SecretString"
        ]

    def staged() -> None:
        _small(version_stages=["AWSCURRENT"])

    stack.up(_small)
    secrets.put_secret_value(SecretId="t/small", SecretString=OTHER)
    stack.refresh(_small)
    # As the official provider: the version that it knows is unchanged, only no longer the current one.
    assert stack.up(_small)[0] == {}
    assert current() == OTHER
    assert stack.up(staged)[0] == {"update": 1}
    assert current() == PLANTED
    assert stack.up(staged)[0] == {}
    stack.destroy()


def test_a_name_that_waits_for_its_deletion_is_refused_in_awss_words(stack: AwsStack) -> None:
    stack.up(lambda: _small(recovery=7))
    stack.destroy()
    waiting = stack.client("secretsmanager").describe_secret(SecretId="t/small")
    assert waiting["DeletedDate"]
    told = stack.refused(_small)
    assert "creating Secrets Manager Secret (t/small)" in told
    assert (
        "InvalidRequestException: You can't create this secret because a secret with this" in told
    )
    assert "scheduled for deletion" in told
    assert PLANTED not in told
    stack.client("secretsmanager").delete_secret(
        SecretId="t/small", ForceDeleteWithoutRecovery=True
    )
    stack.destroy()


def test_what_is_there_is_taken_over_by_its_id(stack: AwsStack) -> None:
    secrets, kms, iam = (stack.client(s) for s in ("secretsmanager", "kms", "iam"))
    key = kms.create_key(Description="found")["KeyMetadata"]["KeyId"]
    made = secrets.create_secret(Name="t/found", SecretString=PLANTED, KmsKeyId=key)
    version = f"{made['ARN']}|{made['VersionId']}"
    iam.create_role(RoleName="t-found", AssumeRolePolicyDocument=trust())
    statement = policy(allow("kms:Decrypt"))
    arn = iam.create_policy(PolicyName="t-found", PolicyDocument=statement)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="t-found", PolicyArn=arn)
    iam.put_role_policy(RoleName="t-found", PolicyName="in", PolicyDocument=statement)

    def program(adopting: bool = True) -> None:
        def by(id_: str) -> pulumi.ResourceOptions:
            return pulumi.ResourceOptions(import_=id_ if adopting else None)

        aws.kms.Key("k", description="found", opts=by(key))
        aws.secretsmanager.Secret("s", name="t/found", kms_key_id=key, opts=by(made["ARN"]))
        aws.secretsmanager.SecretVersion(
            "v",
            secret_id=made["ARN"],
            secret_string=pulumi.Output.secret(PLANTED),
            opts=by(version),
        )
        aws.iam.Role("r", name="t-found", assume_role_policy=trust(), opts=by("t-found"))
        aws.iam.Policy("mp", name="t-found", policy=statement, opts=by(arn))
        aws.iam.RolePolicy("rp", name="in", role="t-found", policy=statement, opts=by("t-found:in"))
        aws.iam.RolePolicyAttachment(
            "ra", role="t-found", policy_arn=arn, opts=by(f"t-found/{arn}")
        )

    assert stack.up(program)[0] == {"create": 1, "import": 7}  # with the stack itself
    assert stack.up(lambda: program(adopting=False))[0] == {}
    state = stack.resources()
    assert is_secret(state["v"]["inputs"]["secretString"])
    assert is_secret(state["v"]["outputs"]["secretString"])
    assert search([stack.state], {"planted": PLANTED}) == []


def test_the_order_of_a_policy_is_no_difference(stack: AwsStack) -> None:
    one = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"}
    same = {"Resource": ["*"], "Action": ["kms:Encrypt", "kms:Decrypt"], "Effect": "Allow"}
    assert stack.up(lambda: _of(json.dumps({"Version": "2012-10-17", "Statement": [one]})))[0]
    assert stack.up(lambda: _of(json.dumps({"Statement": same, "Version": "2012-10-17"})))[0] == {}
    less = policy(allow("kms:Decrypt"))
    assert stack.up(lambda: _of(less))[0] == {"update": 3}
    stack.destroy()


def _of(document: str) -> None:
    role = aws.iam.Role(
        "r", assume_role_policy=trust(), inline_policies=[{"name": "in", "policy": document}]
    )
    aws.iam.RolePolicy("rp", role=role.name, policy=document)
    aws.iam.Policy("mp", policy=document)


def test_the_providers_tags_are_on_everything_and_are_no_difference(stack: AwsStack) -> None:
    def program(default: str = "x") -> None:
        provider = aws.Provider(
            "aws", region="eu-west-1", default_tags={"tags": {"owner": default, "team": "d"}}
        )
        opts = pulumi.ResourceOptions(provider=provider)
        key = aws.kms.Key("k", deletion_window_in_days=7, tags={"team": "a"}, opts=opts)
        pulumi.export("arn", key.arn)
        pulumi.export("all", key.tags_all)

    _, outputs = stack.up(program)
    assert outputs["arn"].split(":")[3] == "eu-west-1"
    assert outputs["all"] == {"owner": "x", "team": "a"}
    assert stack.up(program)[0] == {}
    assert stack.refresh(program) == {}
    changes, outputs = stack.up(lambda: program("y"))
    assert outputs["all"] == {"owner": "y", "team": "a"}
    assert changes == {"update": 2}  # the provider and the key
    stack.destroy(program)


def test_a_denied_action_is_told_with_code_and_name_and_no_value(stack: AwsStack) -> None:
    iam = stack.client("iam")
    iam.create_user(UserName="weak")
    iam.put_user_policy(
        UserName="weak",
        PolicyName="p",
        PolicyDocument=policy(allow("secretsmanager:DescribeSecret")),
    )
    pair = iam.create_access_key(UserName="weak")["AccessKey"]
    stack.act_as(pair["AccessKeyId"], pair["SecretAccessKey"])
    try:
        stack.aws.enforce()
        told = stack.refused(_small)
    finally:
        stack.aws.relax()
    assert "creating Secrets Manager Secret (t/small): operation error Secrets Manager" in told
    assert "AccessDenied" in told
    assert PLANTED not in told
    assert pair["SecretAccessKey"] not in told


def test_what_was_made_before_an_error_is_known_and_completed(stack: AwsStack) -> None:
    arn = "arn:aws:iam::123456789012:policy/t-later"

    def program() -> None:
        aws.iam.Role("r", assume_role_policy=trust(), managed_policy_arns=[arn])

    assert "NoSuchEntity" in stack.refused(program)
    name, iam = stack.resources()["r"]["id"], stack.client("iam")
    assert iam.get_role(RoleName=name)
    iam.create_policy(PolicyName="t-later", PolicyDocument=policy(allow("kms:Decrypt")))
    assert stack.up(program)[0] == {"update": 1}
    assert stack.resources()["r"]["id"] == name
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [arn]
    assert stack.up(program)[0] == {}
    stack.destroy()


def test_a_preview_knows_what_can_be_known_and_touches_nothing(stack: AwsStack) -> None:
    assert stack.preview(_small) == {"create": 4}  # with the stack itself
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        stack.client("secretsmanager").describe_secret(SecretId="t/small")
