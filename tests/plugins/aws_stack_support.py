"""A small Pulumi stack with the aws stand-in, run by the real engine against a local AWS API server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from pulumi import automation as auto

from sandbox.providers import write_launchers
from sandbox.services import AwsServer
from tests.plugins.vault_stack_support import counts
from tests.plugins.workspace_support import workspace


class AwsStack:
    """Runs programs as one stack; `client` acts at AWS behind the engine's back."""

    def __init__(self, directory: Path, aws: AwsServer, pulumi: Path) -> None:
        self.aws, self.directory, self.console = aws, directory, ""
        self.events = directory / "events.jsonl"
        launchers = write_launchers(directory / "launchers", ["aws"])
        self.state = directory / "state"
        self._options = workspace(
            directory, pulumi, [launchers, os.environ["PATH"]], aws.environment
        )

    def act_as(self, key_id: str, key: str) -> None:
        """From now on the provider is this user."""
        self._options.env_vars = {
            **(self._options.env_vars or {}),
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": key,
        }

    def client(self, service: str) -> Any:
        settings = self.aws.environment
        return boto3.client(
            service,
            endpoint_url=settings["AWS_ENDPOINT_URL"],
            region_name=settings["AWS_REGION"],
            aws_access_key_id="behind",
            aws_secret_access_key="behind",
        )

    def _with(self, program: Callable[[], None]) -> auto.Stack:
        return auto.create_or_select_stack("dev", "aws-tests", program, opts=self._options)

    def _told(self) -> dict[str, Any]:
        return {"on_output": self._note, "color": "never"}

    def _note(self, line: str) -> None:
        self.console += line + "\n"

    def up(self, program: Callable[[], None]) -> tuple[dict[str, int], Mapping[str, Any]]:
        """Changes by operation, and outputs."""
        result = self._with(program).up(**self._told())
        outputs = {name: output.value for name, output in result.outputs.items()}
        return counts(result.summary.resource_changes), outputs

    def preview(self, program: Callable[[], None]) -> dict[str, int]:
        return counts(self._with(program).preview(**self._told()).change_summary)

    def refused(self, program: Callable[[], None], *, preview: bool = False) -> str:
        """What the engine says of a program that it refuses, in one line."""
        stack = self._with(program)
        try:
            (stack.preview if preview else stack.up)(**self._told())
        except auto.CommandError as error:
            return " ".join(str(error).split())
        raise AssertionError("the engine accepted the program")

    def refresh(self, program: Callable[[], None]) -> dict[str, int]:
        return counts(self._with(program).refresh(**self._told()).summary.resource_changes)

    def destroy(self, program: Callable[[], None] = lambda: None) -> dict[str, int]:
        return counts(self._with(program).destroy(**self._told()).summary.resource_changes)

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources as the state has them, by name; their secrets marked and in clear."""
        deployment = self._with(lambda: None).export_stack().deployment or {}
        return {r["urn"].rsplit("::", 1)[1]: r for r in deployment.get("resources", [])}


def policy(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows an action."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(service: str = "ec2.amazonaws.com") -> str:
    """A trust policy for a service."""
    return policy(
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    )
