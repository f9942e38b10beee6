"""A local AWS API server (moto) on loopback. It keeps everything in memory: what it holds ends with it."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import boto3
import requests
from filelock import FileLock

from sandbox.errors import SandboxError
from sandbox.services.process import (
    LOOPBACK,
    PATIENCE,
    STARTS,
    Server,
    bare_environment,
    free_port,
    private,
)

REGION = "eu-central-1"
ACCOUNT = "123456789012"
"""The account that moto plays."""


class AwsServer:
    """An AWS API server. Restarting it gives an empty account: a stack's state then names what is gone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = Server("aws", directory)
        self._port_file = directory / "port"
        self._pod_identities = directory / "pod-identities.json"

    @property
    def port(self) -> int:
        """The port of the API."""
        return int(self._port_file.read_text())

    @property
    def address(self) -> str:
        """The endpoint of every service."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes."""
        return (self.server,)

    @property
    def healthy(self) -> bool:
        """Whether it runs and answers."""
        return self.server.running and self._answers()

    @property
    def environment(self) -> dict[str, str]:
        """The provider's environment: endpoint, region, and credentials that are none."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_EC2_METADATA_DISABLED": "true",
            "KESTRA_SANDBOX_POD_IDENTITIES": str(self._pod_identities),
        }

    def start(self) -> AwsServer:
        """Starts it, or finds it running.

        Raises:
            SandboxError: when it does not become healthy.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self.directory / "lock"):
            for attempt in range(1, STARTS + 1):
                if self.healthy:
                    break
                if not self.server.running:
                    self._launch()
                try:
                    self.server.wait(self._answers, 30)
                    # Functions that rotate secrets are called without Docker, and do nothing.
                    self._tell("config", json={"lambda": {"use_docker": False}})
                except SandboxError:
                    if attempt == STARTS or not self.server.port_taken:
                        raise
        return self

    def stop(self) -> None:
        """Ends it, and with it all that it holds."""
        self.server.stop()

    def enforce(self, after: float = 0) -> None:
        """Judges requests by the actions of IAM policies; resources and conditions are not judged.

        Args:
            after: requests that still pass unjudged, for making the first user.

        Raises:
            SandboxError: when the server does not take it.
        """
        self._tell("reset-auth", data=str(after), headers={"Content-Type": "text/plain"})

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

    def _tell(self, what: str, **content: Any) -> None:
        answer = _session().post(f"{self.address}/moto-api/{what}", timeout=30, **content)
        if not answer.ok:
            raise SandboxError(f"The AWS API server refuses {what}: HTTP {answer.status_code}.")

    def _launch(self) -> None:
        before = self.port if self._port_file.exists() else 0
        private(self._port_file, str(free_port(before)))
        self._pod_identities.unlink(missing_ok=True)  # part of the account, which begins anew
        command = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]
        self.server.start(command, bare_environment(self.directory))

    def _answers(self) -> bool:
        try:
            return _session().get(f"{self.address}/moto-api/", timeout=PATIENCE).ok
        except requests.RequestException:
            return False


def _session() -> requests.Session:
    # The caller's proxy settings are for the outside.
    session = requests.Session()
    session.trust_env = False
    return session
