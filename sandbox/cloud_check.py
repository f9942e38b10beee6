"""Reads the declared secrets from the clouds' local API servers as Kestra would, and tries what its role may do."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping
from typing import Any

import requests
from botocore.exceptions import ClientError

from components.backends.aws.permissions import PARAMETERS
from components.backends.aws.principals import aws_block
from components.backends.registry import backend_of
from components.settings import Settings
from sandbox.clouds import Clouds
from sandbox.services import AwsServer, GoogleCloud
from sandbox.services.gcp import PROJECT

PROBE = "kestra-sandbox-probe"


def check_clouds(
    clouds: Clouds, settings: Settings, declared: Mapping[str, str], principal: str
) -> list[dict[str, Any]]:
    """One group of checks a server.

    Args:
        clouds: the servers.
        settings: the stack's settings.
        declared: name to value of the declared secrets. Secret.
        principal: who Kestra is to the cloud, as the stack's output says.
    """
    backend = backend_of(settings)
    names = {
        backend.secret_name(settings, name, settings.declared_secrets[name]): value
        for name, value in declared.items()
    }
    if backend.cloud == "aws" and clouds.aws is not None:
        return [{"id": "aws", "checks": _aws(clouds.aws, settings, names, principal)}]
    if backend.cloud == "gcp" and clouds.google is not None:
        return [{"id": "gcp", "checks": _google(clouds.google, names)}]
    return []


def _aws(
    server: AwsServer, settings: Settings, names: Mapping[str, str], principal: str
) -> list[dict[str, Any]]:
    manager = settings.secret
    assert manager is not None
    block = aws_block(settings)
    region = (block and block.region) or server.environment["AWS_REGION"]
    if block is not None and block.access_key_id and block.secret_key_id:
        return [
            check_row("static keys belong to another account: what they may do is not tried", True)
        ]
    if not principal:
        return [check_row("no identity is made: what Kestra may do is not tried", True)]
    credentials = as_role(server, principal, region)
    secrets = server.client("secretsmanager", region, **credentials)
    parameters = server.client("ssm", region, **credentials)
    is_parameter = manager.type == PARAMETERS
    # The server judges actions from here on, as long as Kestra's role is tried.
    server.enforce()
    try:
        checks = []
        for name, value in names.items():
            if is_parameter:
                read = answer_of(parameters.get_parameter, Name=name, WithDecryption=True)
                found = (read or {}).get("Parameter", {}).get("Value")
            else:
                found = (
                    answer_of(secrets.get_secret_value, SecretId=name, VersionStage="AWSCURRENT")
                    or {}
                ).get("SecretString")
            checks.append(check_row(f"{name} holds the declared value", found == value))
        written = (
            answer_of(parameters.put_parameter, Name=PROBE, Value="probe", Type="SecureString")
            if is_parameter
            else answer_of(secrets.create_secret, Name=PROBE, SecretString="probe")
        )
        refused = "refused" if manager.is_read_only else "allowed"
        checks.append(check_row(f"writing is {refused}", (written is None) == manager.is_read_only))
        if written is not None:
            removed = (
                answer_of(parameters.delete_parameter, Name=PROBE)
                if is_parameter
                else answer_of(
                    secrets.delete_secret, SecretId=PROBE, ForceDeleteWithoutRecovery=True
                )
            )
            checks.append(check_row("what was written can be deleted", removed is not None))
        users = answer_of(server.client("iam", region, **credentials).list_users)
        checks.append(check_row("IAM itself is out of reach", users is None))
    finally:
        server.relax()
    return checks


def as_role(server: AwsServer, principal: str, region: str) -> dict[str, str]:
    """Credentials of a role with the actions that Kestra's role is allowed.

    On all resources, without conditions and without its `Deny`: this server judges actions only, each against
    the resource `*`, and would refuse what is allowed for some and apply to all what is denied for one.
    """
    iam, name = server.client("iam", region), principal.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=PROBE, AssumeRolePolicyDocument=json.dumps(trust))
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        document["Statement"] = [
            {"Effect": "Allow", "Action": statement["Action"], "Resource": "*"}
            for statement in document["Statement"]
            if statement["Effect"] == "Allow"
        ]
        iam.put_role_policy(RoleName=PROBE, PolicyName=policy, PolicyDocument=json.dumps(document))
    role = iam.get_role(RoleName=PROBE)["Role"]["Arn"]
    given = server.client("sts", region).assume_role(RoleArn=role, RoleSessionName=PROBE)
    return {
        "aws_access_key_id": given["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": given["Credentials"]["SecretAccessKey"],
        "aws_session_token": given["Credentials"]["SessionToken"],
    }


def _google(server: GoogleCloud, names: Mapping[str, str]) -> list[dict[str, Any]]:
    session = requests.Session()
    session.trust_env = False
    checks = []
    for name, value in names.items():
        path = f"{server.address}/v1/projects/{PROJECT}/secrets/{name}/versions/latest:access"
        answer = session.get(path, timeout=30)
        found = None
        with contextlib.suppress(KeyError, ValueError):
            found = base64.b64decode(answer.json()["payload"]["data"]).decode()
        checks.append(check_row(f"{name} holds the declared value", found == value))
    return checks


def answer_of(act: Any, **arguments: Any) -> dict[str, Any] | None:
    """The answer; None when the server refuses."""
    try:
        return act(**arguments)
    except ClientError:
        return None


def check_row(what: str, ok: bool) -> dict[str, Any]:
    """A line of the report."""
    return {"what": what, "ok": ok}
