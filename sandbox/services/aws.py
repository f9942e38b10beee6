"""A local AWS API server (moto) on loopback. It keeps everything in memory: what it holds ends with it."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3

from sandbox.services.process import LOOPBACK
from sandbox.services.single import SingleServer

REGION = "eu-central-1"
ACCOUNT = "123456789012"
"""The account that moto plays."""


class AwsServer(SingleServer):
    """An AWS API server. Restarting it gives an empty account: a stack's state then names what is gone."""

    name = "aws"
    health = "/moto-api/"

    @property
    def _pod_identities(self) -> Path:
        return self.directory / "pod-identities.json"

    @property
    def environment(self) -> dict[str, str]:
        """The provider's environment: endpoint, region, and credentials that are none."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_EC2_METADATA_DISABLED": "true",
            # The provider's own 25 attempts take minutes, and a server on loopback that is gone stays gone.
            "AWS_MAX_ATTEMPTS": "4",
            "KESTRA_SANDBOX_POD_IDENTITIES": str(self._pod_identities),
        }

    def command(self) -> Sequence[str | Path]:
        self._pod_identities.unlink(missing_ok=True)  # part of the account, which begins anew
        return [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]

    def began(self) -> None:
        # Functions that rotate secrets are called without Docker, and do nothing.
        self.call("POST", "/moto-api/config", json={"lambda": {"use_docker": False}})

    def enforce(self, after: float = 0) -> None:
        """Judges requests by the actions of IAM policies; resources and conditions are not judged.

        Args:
            after: requests that still pass unjudged, for making the first user.

        Raises:
            SandboxError: when the server does not take it.
        """
        headers = {"Content-Type": "text/plain"}
        self.call("POST", "/moto-api/reset-auth", data=str(after), headers=headers)

    def relax(self) -> None:
        """Judges no request any more."""
        self.enforce(float("inf"))

    def client(self, service: str, region: str = REGION, **credentials: str) -> Any:
        """A boto3 client; as the account's owner, or with the given credentials (boto3's own arguments)."""
        owner = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        return boto3.client(
            service, region_name=region, endpoint_url=self.address, **(credentials or owner)
        )

    def make_function(self, arn: str) -> None:
        """A function that does nothing, under a name that a stack wants to call; left as it is where it exists.

        Args:
            arn: of this server's account.
        """
        region, name = arn.split(":")[3], arn.split(":")[6]
        functions, iam = self.client("lambda", region), self.client("iam", region)
        with contextlib.suppress(functions.exceptions.ResourceNotFoundException):
            functions.get_function(FunctionName=name)
            return
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        role = f"{name}-role"[:64]
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as file:
            file.writestr("f.py", "def handler(event, context):\n    return None\n")
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=iam.get_role(RoleName=role)["Role"]["Arn"],
            Handler="f.handler",
            Code={"ZipFile": code.getvalue()},
        )
