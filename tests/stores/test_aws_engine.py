"""The life of a store in AWS, through the real engine on a local AWS API server."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pytest

from components.configuration import render
from components.identity import create_identity
from components.settings import load
from components.stores import StoreArgs, create_store
from sandbox.leaks import search
from sandbox.services import AwsServer
from tests.conftest import stack_document
from tests.plugins.aws_stack_support import AwsStack

pytestmark = pytest.mark.engine

MANAGERS = ["aws-secret-manager", "aws-ssm-parameter-store"]
FIRST, SECOND, RECOVERED = "First-Aws-Zq81", "Second-Aws-Zq82", "k" * 44


class Life:
    """A stack of one manager and AWS behind its back."""

    def __init__(self, manager: str, stack: AwsStack, server: AwsServer) -> None:
        self.manager, self.stack, self.server = manager, stack, server
        self.document: dict[str, Any] = deepcopy(stack_document(f"example-{manager}"))
        self.document["tags"]["environment"] = "staging"
        self.document["deployment"] = {"namespace": f"life-{manager[4:7]}"}
        self.document["store"] = {"aws": {}}
        self.document["secret"][manager].pop("filter-on-tags")
        self.document["declared-secrets"]["DATABASE_PASSWORD"].pop("rotation", None)
        for component in ("queue", "repository"):
            self.document.pop(component)
        self.values = dict.fromkeys(self.document["declared-secrets"], FIRST)

    def program(self) -> None:
        settings = load(self.document, source="test").settings
        given = {n: pulumi.Output.secret(self.values[n]) for n in settings.declared_secrets}
        fragment = render(settings).document["kestra"]["secret"]
        args = StoreArgs(settings, fragment, given, pulumi.Output.secret(RECOVERED))
        store = create_store("store", args)
        pulumi.export("principal", create_identity("identity", settings, store).principal)
        pulumi.export("ids", store.secret_ids)
        pulumi.export("versions", store.version_ids)

    def client(self, service: str) -> Any:
        """At AWS, where the secrets are."""
        return boto3.client(
            service,
            endpoint_url=self.server.environment["AWS_ENDPOINT_URL"],
            region_name="eu-west-1",
            aws_access_key_id="behind",
            aws_secret_access_key="behind",
        )

    def read(self, arn: str) -> str:
        if self.manager == "aws-secret-manager":
            return self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        name = arn.split(":parameter/")[1]
        found = self.client("ssm").get_parameter(Name=name, WithDecryption=True)
        return found["Parameter"]["Value"]

    def retag(self, arn: str) -> None:
        if self.manager == "aws-secret-manager":
            self.client("secretsmanager").untag_resource(SecretId=arn, TagKeys=["key"])
        else:
            self.client("ssm").remove_tags_from_resource(
                ResourceType="Parameter", ResourceId=arn.split(":parameter/")[1], TagKeys=["key"]
            )


@pytest.fixture(params=MANAGERS)
def life(
    request: pytest.FixtureRequest, tmp_path: Path, aws_server: AwsServer, tools: dict[str, Path]
) -> Iterator[Life]:
    found = Life(request.param, AwsStack(tmp_path, aws_server, tools["pulumi"]), aws_server)
    yield found
    found.stack.destroy(found.program)


def test_a_store_lives_as_long_as_its_stack_and_the_recovery_copy_longer(life: Life) -> None:
    _, outputs = life.stack.up(life.program)
    ids, versions = outputs["ids"], outputs["versions"]
    assert {life.read(ids[name]) for name in life.values} == {FIRST}
    assert life.read(ids["encryption.secret-key"]) == RECOVERED
    assert life.stack.up(life.program)[0] == {}

    life.values["API_TOKEN"] = SECOND
    changes, outputs = life.stack.up(life.program)
    assert sum(changes.values()) == 1
    assert life.read(ids["API_TOKEN"]) == SECOND
    changed = {name for name in versions if outputs["versions"][name] != versions[name]}
    assert changed == {"API_TOKEN"}

    life.retag(ids["API_TOKEN"])
    assert life.stack.refresh(life.program) == {"update": 1}
    assert life.stack.up(life.program)[0] == {"update": 1}
    assert life.stack.up(life.program)[0] == {}

    del life.document["declared-secrets"]["API_TOKEN"]
    changes, outputs = life.stack.up(life.program)
    assert set(changes) == {"delete"}
    assert set(outputs["ids"]) == {"DATABASE_PASSWORD", "encryption.secret-key"}
    hidden = {"first": FIRST, "second": SECOND, "recovered": RECOVERED}
    assert search([life.stack.state], hidden) == []

    life.stack.destroy(life.program)
    assert life.read(ids["encryption.secret-key"]) == RECOVERED
    with pytest.raises(Exception, match=r"NotFound|InvalidRequest|marked"):
        life.read(ids["DATABASE_PASSWORD"])
