"""A declared secret in AWS, its KMS key, and the copy of the encryption key, with the commands of docs/rotation.md."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.clouds import Clouds
from sandbox.services import AwsServer
from tests.conftest import stack_document
from tests.rotation.rotation_support import Rotating, documented

pytestmark = pytest.mark.engine

FIRST, SECOND = "Pl4nted-First-Zq81", "Pl4nted-Second-Zq82"
NAMESPACE, NAME = "rotation-aws", "rotation-aws/main/company.team.billing/API_TOKEN"


@pytest.fixture(scope="module")
def stack(rotating: Callable[..., Rotating], aws_server: AwsServer) -> Rotating:
    document: dict[str, Any] = stack_document("example-aws-secret-manager")
    document["secret"]["aws-secret-manager"] = {
        "region": aws_server.environment["AWS_REGION"],
        "prefix": NAMESPACE,
    }
    document["store"] = {"aws": {}}
    document["declared-secrets"] = {
        "API_TOKEN": {"namespace": "company.team.billing", "value": FIRST}
    }
    document["deployment"] |= {"namespace": NAMESPACE, "components": {}, "protect": False}
    document["identity"]["aws"].pop("permissions-boundary")
    rotating_stack = rotating(
        "rotation",
        document,
        clouds=Clouds(aws=aws_server),
        config={"aws:region": aws_server.environment["AWS_REGION"]},
    )
    rotating_stack.up()
    return rotating_stack


def of_the_page(server: AwsServer, line: str) -> str:
    """Does what a command of AWS's own tool does, by the tool's own rule: options are the API's parameters."""
    for name in ("stack-kestra/", "alias/kestra-"):
        line = line.replace(name, name.replace("kestra", NAMESPACE))
    _, service, operation, *options = shlex.split(line)
    options_by_name = dict(zip(options[::2], options[1::2], strict=True))
    query, output = options_by_name.pop("--query", None), options_by_name.pop("--output", "json")
    assert output == ("text" if query else "json")
    parameters = {
        name.removeprefix("--").title().replace("-", ""): value
        for name, value in options_by_name.items()
    }
    answer = getattr(server.client(service), operation.replace("-", "_"))(**parameters)
    for part in query.split(".") if query else ():
        answer = answer[part]
    return answer if query else ""


def test_a_given_declared_secret_is_a_new_version_and_rolls_those_that_may_read_it(
    stack: Rotating, aws_server: AwsServer
) -> None:
    rotated = stack.rotate("Declared secret, given", SECOND)
    assert rotated.new_versions == {"API_TOKEN"}
    assert rotated.rehashed == rotated.rolled == {"kestra-webserver", "kestra-worker"}
    assert rotated.before.secret == rotated.after.secret
    assert rotated.changed == set()
    secrets = aws_server.client("secretsmanager")
    staged = {
        stage: secrets.get_secret_value(SecretId=NAME, VersionStage=stage)["SecretString"]
        for stage in ("AWSCURRENT", "AWSPREVIOUS")
    }
    assert staged == {"AWSCURRENT": SECOND, "AWSPREVIOUS": FIRST}


def test_a_rotated_kms_key_keeps_its_name_and_rolls_nothing(
    stack: Rotating, aws_server: AwsServer
) -> None:
    before = stack.picture()
    describe, rotate = documented("KMS keys", "aws ")
    key = of_the_page(aws_server, describe)
    of_the_page(aws_server, rotate.replace("KEY_ID", key))
    assert aws_server.client("kms").list_key_rotations(KeyId=key)["Rotations"]
    assert stack.up() == {}
    assert stack.picture() == before
    answer = aws_server.client("secretsmanager").get_secret_value(SecretId=NAME)
    assert answer["SecretString"] == SECOND


def test_the_copy_of_the_encryption_key_is_the_key(stack: Rotating, aws_server: AwsServer) -> None:
    line = documented("What must be backed up, and how it comes back", "aws ")[0]
    key = stack.outputs["generated"]["encryption.secret-key"]
    assert of_the_page(aws_server, line.split("|")[0]) == key
