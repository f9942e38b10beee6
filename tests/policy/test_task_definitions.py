"""Kestra as a task of ECS: its configuration, credentials, release and Docker are judged as those of a pod."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policy.analyzer_support import UNKNOWN, R, judge, pack, secret

TASK = "aws:ecs/taskDefinition:TaskDefinition"
REFERENCE = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kestra"


def task(text: Any = None, *, secrets: list[str] | None = None, **container: Any) -> R:
    definition = {
        "name": "app",
        "image": "kestra/kestra:v1.3.31",
        "command": ["server", "standalone"],
        "secrets": [{"name": name, "valueFrom": REFERENCE} for name in secrets or ()],
        **container,
    }
    return R(
        TASK, {"containerDefinitions": json.dumps([definition]) if text is None else text}, "task"
    )


def environment(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def said(control: str, resource: R) -> list[str]:
    return judge(pack("production"), control, [resource]).messages


def test_a_variable_that_refers_to_a_secret_counts_as_given() -> None:
    assert said("ks-kestra-01", task(secrets=["KESTRA_ENCRYPTION_SECRET_KEY"])) == []
    (message,) = said("ks-kestra-01", task())
    assert "Change containerDefinitions.0.environment: kestra.encryption.secret-key" in message


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "KESTRA_STORAGE_S3_SECRET_KEY"])
def test_a_credential_in_its_environment_is_found_also_when_pulumi_keeps_the_text(
    name: str,
) -> None:
    open_task = task(environment=environment(A="b", **{name: "Planted-1x"}))
    kept = open_task.but("containerDefinitions", secret(open_task.props["containerDefinitions"]))
    for resource in (open_task, kept):
        (message,) = said("ks-kestra-04", resource)
        assert f"Change containerDefinitions.0.environment.1.value: the variable {name}" in message
        assert "Wanted: secrets of the container, with valueFrom" in message
        assert "Planted" not in message


def test_a_configuration_in_a_variable_is_read() -> None:
    text = "kestra:\n  encryption:\n    secret-key: Planted-2x\n"
    resource = task(environment=environment(KESTRA_CONFIGURATION=text))
    assert said("ks-kestra-01", resource) == []
    (message,) = said("ks-kestra-04", resource)
    assert "environment.0.value: kestra.encryption.secret-key" in message


def test_docker_beside_kestra_and_its_socket_are_found() -> None:
    assert len(said("ks-kestra-19", task(image="docker:27-dind"))) == 1
    mounted = task().but("volumes", [{"name": "docker", "hostPath": "/var/run/docker.sock"}])
    assert len(said("ks-kestra-19", mounted)) == 1
    assert said("ks-kestra-19", task()) == []


@pytest.mark.parametrize("text", [UNKNOWN, "no json", secret(UNKNOWN)], ids=str)
def test_what_is_not_known_is_not_decided(text: Any) -> None:
    for control in ("ks-kestra-01", "ks-kestra-04", "ks-kestra-19", "ks-kestra-20"):
        judged = judge(pack("production"), control, [task(text)])
        assert judged.messages == []
        assert judged.not_yet == ["not decidable before the update: containerDefinitions"]


def test_other_tasks_have_no_configuration_of_kestras() -> None:
    other = task(
        image="nginx:1", command=["nginx"], environment=environment(KESTRA_URL="https://a")
    )
    assert said("ks-kestra-01", other) == []
