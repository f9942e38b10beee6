"""ministack: an AWS API server on loopback whose own IAM decides, asked with real requests of Kestra's role.

Each request is made by boto3 with the credentials of the role, on secrets, parameters and keys that are there with the
tags and policies that a row names. ministack knows no `kms:ViaService`: it makes no request to KMS for a caller, so
that what KMS would see of one through a service cannot be asked of it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.services.process import LOOPBACK
from sandbox.services.single import SingleServer
from tests.conftest import ROOT
from tests.installed_support import environment

REQUIREMENTS = ROOT / "tests" / "tools" / "ministack" / "requirements.txt"
REGION, ROLE, SESSION = "eu-west-1", "kestra-kestra", "kestra"
VALUE = "a value"
_DENIED = ("AccessDenied", "AccessDeniedException")
Call = Callable[[Any, str, Mapping[str, str]], Any]


class Ministack(SingleServer):
    """The server: the IAM of one account decides about every request."""

    name = "ministack"
    health = "/_ministack/health"

    def command(self) -> Sequence[str | Path]:
        folder = environment("ministack", "ministack/app.py", REQUIREMENTS)
        # By default it decides nothing, and binds every interface.
        settings = {
            "AUTH": "true",
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "S3_DATA_DIR": str(self.directory / "s3"),
            "DOCKER_HOST": f"unix://{self.directory}/none",
        }
        pairs = [f"{name}={value}" for name, value in settings.items()]
        return ["env", *pairs, folder / "bin" / "python", "-I", "-m", "ministack"]


class Account:
    """An account on the server: its owner, and the role of Kestra."""

    def __init__(self, server: Ministack, account: str) -> None:
        self.server, self.number = server, account
        self.role = f"arn:aws:iam::{account}:role/{ROLE}"
        self.session = f"arn:aws:sts::{account}:assumed-role/{ROLE}/{SESSION}"
        self._credentials: dict[str, str] = {}

    def owner(self, service: str, region: str = REGION) -> Any:
        """A client of the account's root: the server takes the account's number for its key."""
        return self._client(
            service, region, aws_access_key_id=self.number, aws_secret_access_key="root"
        )

    def kestra(self, service: str, region: str = REGION, *, tls: bool = True) -> Any:
        """A client with the credentials of Kestra's role; without `tls` as over a plain connection."""
        return self._client(service, region, tls=tls, **self._credentials)

    def _client(self, service: str, region: str, *, tls: bool = True, **more: Any) -> Any:
        client = boto3.client(
            service,
            endpoint_url=self.server.address,
            region_name=region,
            **({"config": Config(retries={"max_attempts": 0}, proxies={})} | more),
        )
        # What a proxy that ends TLS before the server tells it.
        scheme = "https" if tls else "http"
        client.meta.events.register(
            "before-sign.*.*", lambda request, **_: request.headers.add_header("X-Forwarded-Proto", scheme)
        )  # fmt: skip
        return client

    def create_role(self, trust: Mapping[str, Any]) -> None:
        """Kestra's role, with who may take it."""
        self.owner("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))

    def attach(self, policy: Mapping[str, Any]) -> None:
        """Makes a policy the only one of the role."""
        self.owner("iam").put_role_policy(
            RoleName=ROLE, PolicyName="kestra", PolicyDocument=json.dumps(policy)
        )

    def assume(self, issuer: str, subject: str, audience: str = "sts.amazonaws.com") -> bool:
        """Takes the role with a token of a service account; whether the server lets it."""
        sts = self._client("sts", REGION, config=Config(signature_version=UNSIGNED))
        claims = {"iss": f"https://{issuer}", "sub": subject, "aud": audience}
        try:
            answer = sts.assume_role_with_web_identity(
                RoleArn=self.role,
                RoleSessionName=SESSION,
                WebIdentityToken=_unsigned(claims | {"exp": int(time.time()) + 3600}),
            )["Credentials"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _DENIED:
                raise
            return False
        self._credentials = {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }
        return True

    def key(self, policy: Mapping[str, Any]) -> str:
        """ARN of a new key."""
        key = self.owner("kms").create_key(Policy=json.dumps(policy))
        return key["KeyMetadata"]["Arn"]

    @contextlib.contextmanager
    def secret(
        self,
        arn: str,
        tags: Mapping[str, str],
        policy: Mapping[str, Any] | None = None,
    ) -> Iterator[str]:
        """A secret of the name in an ARN, in its region; gives its own ARN."""
        owner = self.owner("secretsmanager", arn.split(":")[3])
        name = arn.split(":secret:")[1].rpartition("-")[0]
        own = owner.create_secret(Name=name, SecretString=VALUE, Tags=pairs(tags))["ARN"]
        if policy is not None:
            owner.put_resource_policy(SecretId=own, ResourcePolicy=json.dumps(policy))
        try:
            yield own
        finally:
            with contextlib.suppress(owner.exceptions.ResourceNotFoundException):
                owner.delete_secret(SecretId=own, ForceDeleteWithoutRecovery=True)

    @contextlib.contextmanager
    def parameter(self, name: str) -> Iterator[str]:
        """A parameter."""
        owner = self.owner("ssm")
        owner.put_parameter(Name=name, Value=VALUE, Type="String")
        try:
            yield name
        finally:
            with contextlib.suppress(owner.exceptions.ParameterNotFound):
                owner.delete_parameter(Name=name)


def is_allowed(call: Callable[[], Any]) -> bool:
    """Whether the server's IAM lets a request through; what the service says of it afterwards does not matter."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] not in _DENIED
    return True


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _unsigned(claims: Mapping[str, Any]) -> str:
    # The server looks at the claims only.
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    encoded = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts
    ]
    return ".".join([*encoded, "none"])


SECRET_CALLS: Mapping[str, Call] = {
    "GetSecretValue": lambda c, id_, _: c.get_secret_value(SecretId=id_),
    "DescribeSecret": lambda c, id_, _: c.describe_secret(SecretId=id_),
    "PutSecretValue": lambda c, id_, _: c.put_secret_value(SecretId=id_, SecretString="b"),
    "UpdateSecret": lambda c, id_, _: c.update_secret(SecretId=id_, Description="b"),
    "DeleteSecret": lambda c, id_, _: c.delete_secret(SecretId=id_, RecoveryWindowInDays=7),
    "RestoreSecret": lambda c, id_, _: c.restore_secret(SecretId=id_),
    "TagResource": lambda c, id_, tags: c.tag_resource(SecretId=id_, Tags=pairs(tags)),
    "UntagResource": lambda c, id_, _: c.untag_resource(SecretId=id_, TagKeys=["prefix"]),
    "RotateSecret": lambda c, id_, _: c.rotate_secret(SecretId=id_),
    "PutResourcePolicy": lambda c, id_, _: c.put_resource_policy(
        SecretId=id_, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": []})
    ),
}
_PARAMETER = {"ResourceType": "Parameter"}
PARAMETER_CALLS: Mapping[str, Call] = {
    "GetParameter": lambda c, name, _: c.get_parameter(Name=name),
    "GetParameterHistory": lambda c, name, _: c.get_parameter_history(Name=name),
    "PutParameter": lambda c, name, _: c.put_parameter(
        Name=name, Value="b", Type="String", Overwrite=True
    ),
    "DeleteParameter": lambda c, name, _: c.delete_parameter(Name=name),
    "ListTagsForResource": lambda c, name, _: c.list_tags_for_resource(
        ResourceId=name, **_PARAMETER
    ),
    "AddTagsToResource": lambda c, name, _: c.add_tags_to_resource(
        ResourceId=name, Tags=pairs({"a": "b"}), **_PARAMETER
    ),
    "RemoveTagsFromResource": lambda c, name, _: c.remove_tags_from_resource(
        ResourceId=name, TagKeys=["a"], **_PARAMETER
    ),
}
KEY_CALLS: Mapping[str, Callable[[Any, str, Mapping[str, str], bytes], Any]] = {
    "Decrypt": lambda c, key, context, blob: c.decrypt(
        CiphertextBlob=blob, KeyId=key, EncryptionContext=context
    ),
    "Encrypt": lambda c, key, context, _: c.encrypt(
        KeyId=key, Plaintext=b"a", EncryptionContext=context
    ),
    "GenerateDataKey": lambda c, key, context, _: c.generate_data_key(
        KeyId=key, KeySpec="AES_256", EncryptionContext=context
    ),
    "ScheduleKeyDeletion": lambda c, key, *_: c.schedule_key_deletion(
        KeyId=key, PendingWindowInDays=7
    ),
    "PutKeyPolicy": lambda c, key, *_: c.put_key_policy(
        KeyId=key, PolicyName="default", Policy="{}"
    ),
    "CreateGrant": lambda c, key, *_: c.create_grant(
        KeyId=key, GranteePrincipal="arn:aws:iam::111122223333:role/other", Operations=["Decrypt"]
    ),
}
