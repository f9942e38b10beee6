"""Components in a program of Python's own, with mocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from tests.components.recording_support import Recorder

OIDC = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
AWS: Mapping[str, Any] = {
    "edition": "enterprise",
    "secret": {
        "type": "aws-secret-manager",
        "read_only": True,
        "aws_secret_manager": {"region": "eu-west-1"},
    },
    "store": {"aws": {}},
    "identity": {"aws": {"irsa": {"oidc_provider_arn": OIDC}}},
    "deployment": {"namespace": "kestra"},
    "declared_secrets": {"TOKEN": {"namespace": "a.b", "generate": {}}},
}
OPEN_SOURCE: Mapping[str, Any] = {
    "server": {"basic_auth": {"username": "a@b.example"}},
    "queue": {"type": "postgres"},
    "repository": {"type": "postgres"},
    "storage": {"type": "local"},
    "datasources": {"postgres": {"url": "jdbc:postgresql://db:5432/kestra", "username": "kestra"}},
}


class Mocks(Recorder):
    """Answers with what was asked for and what providers fill in, and keeps it."""

    def types(self) -> set[str]:
        return {type_ for type_, _ in self.resources.values()}


def run(program: Callable[[], Mapping[str, Any]]) -> tuple[Mocks, dict[str, Any]]:
    """What a program registers, and the values that it returns."""
    mocks, known = Mocks(), {}
    pulumi.runtime.set_mocks(mocks, "project", "stack")

    @pulumi.runtime.test
    def act() -> Any:
        return pulumi.Output.all(**program()).apply(known.update)

    act()
    return mocks, known
