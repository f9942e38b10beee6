"""The local AWS API server: found again, judged by actions when asked to, and empty after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.services import AwsServer
from tests.conftest import running
from tests.plugins.aws_stack_support import allow, policy

pytestmark = pytest.mark.engine


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AwsServer]:
    with running(AwsServer(tmp_path / "aws")) as made:
        yield made


def _client(server: AwsServer, service: str, pair: dict[str, str] | None = None) -> Any:
    settings = server.environment
    return boto3.client(
        service,
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_REGION"],
        aws_access_key_id=(pair or {}).get("AccessKeyId", settings["AWS_ACCESS_KEY_ID"]),
        aws_secret_access_key=(pair or {}).get(
            "SecretAccessKey", settings["AWS_SECRET_ACCESS_KEY"]
        ),
    )


def test_a_running_server_is_found_again_with_what_it_holds(server: AwsServer) -> None:
    _client(server, "ssm").put_parameter(Name="/a", Value="b", Type="String")
    again = AwsServer(server.directory).start()
    assert again.server.identity == server.server.identity
    assert again.healthy
    assert _client(again, "ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "b"


def test_a_restart_keeps_the_port_and_forgets_the_rest(server: AwsServer) -> None:
    _client(server, "ssm").put_parameter(Name="/a", Value="b", Type="String")
    identities = Path(server.environment["KESTRA_SANDBOX_POD_IDENTITIES"])
    identities.write_text("{}")
    port = server.port
    server.stop()
    assert not server.healthy
    server.start()
    assert server.port == port
    assert not identities.exists()
    with pytest.raises(ClientError, match="ParameterNotFound"):
        _client(server, "ssm").get_parameter(Name="/a")


def test_it_listens_on_loopback_only(server: AwsServer) -> None:
    assert server.address == f"http://127.0.0.1:{server.port}"
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    bound = {
        line.split()[1].partition(":")[0]
        for line in listening
        if line.split()[1].endswith(f":{server.port:04X}") and line.split()[3] == "0A"
    }
    assert bound == {"0100007F"}


def test_actions_are_judged_while_it_is_told_to(server: AwsServer) -> None:
    iam = _client(server, "iam")
    iam.create_user(UserName="reader")
    document = policy(allow("ssm:GetParameter"))
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=document)
    pair = iam.create_access_key(UserName="reader")["AccessKey"]
    ssm = _client(server, "ssm", pair)
    ssm.put_parameter(Name="/a", Value="b", Type="String")
    server.enforce()
    assert ssm.get_parameter(Name="/a")["Parameter"]["Value"] == "b"
    with pytest.raises(ClientError, match="AccessDenied"):
        ssm.delete_parameter(Name="/a")
    server.relax()
    ssm.delete_parameter(Name="/a")
