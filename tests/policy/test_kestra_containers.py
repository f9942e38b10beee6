"""Which containers the pack takes for Kestra, and what it asks of the others in the pod."""

from __future__ import annotations

from typing import Any

import pytest

from policy.controls.kestra_containers import (
    component_of,
    config_option,
    runs_kestras_image,
    serves,
)
from policy.core.values import UNKNOWN, Undecided
from policy.pods import Container
from tests.policy.kestra_stack_support import IMAGE, config_map, deployment, said, text

BUSYBOX = {"name": "wait", "image": "busybox:1.36"}
AGENT = {"name": "agent", "image": "registry.example.com/kestra-logs/agent@sha256:" + "c" * 64}


def _container(kind: str = "containers", name: str = "app", **props: Any) -> Container:
    return Container(name, f"spec.{kind}.0", props, kind)


@pytest.mark.parametrize(
    "container",
    [
        _container(image="kestra/kestra"),
        _container(image="kestra/kestra:v1.3.31"),
        _container(image=IMAGE),
        _container(image="registry.kestra.io/docker/kestra-ee:v1"),
        _container(image="mirror.example.com:5000/hub/kestra/kestra@sha256:1"),
        _container(image="mirror.example.com:5000/kestra-ee"),
        _container(name="kestra", image="mirror.example.com/workflows:1"),
        _container(image="workflows", command=["/app/kestra"], args=["server", "worker"]),
        _container(image="workflows", command=["sh", "-c", "exec /app/kestra server worker"]),
        _container(image="team/my-kestra:1", args=["server", "standalone"]),
        _container(image=UNKNOWN, args=["/app/kestra", "server", "standalone"]),
        _container("initContainers", image="kestra/kestra:v1", command=["cp", "/a", "/b"]),
        _container(image="flows:1", env=[{"name": "KESTRA_CONFIGURATION", "value": "kestra: {}"}]),
        _container(
            image="flows:1", args=["server", "worker"], env=[None, {"name": "KESTRA_URL"}, UNKNOWN]
        ),
    ],
)
def test_kestras_image_is_known_by_repository_command_or_name(container: Container) -> None:
    assert runs_kestras_image(container)


@pytest.mark.parametrize(
    "container",
    [
        _container(image="registry.example.com/kestra/exporter:1"),
        _container(image="kestra/kestractl:1"),
        _container(image="postgres:16", args=["--dbname", "kestra"]),
        _container(image="docker:dind", args=["--group=1000"]),
        _container(image="busybox", command=["cp", "x", "/app/kestra-confs/x"]),
        _container("initContainers", name="kestra", image="busybox"),
        _container(image="exporter", env=[{"name": "KESTRA_URL", "value": "https://example.com"}]),
        _container(image="nats", args=["server", "worker"], env=[{"name": "PORT", "value": "1"}]),
        _container("initContainers", image="x", env=[{"name": "KESTRA_CONFIGURATION"}]),
        _container(image="x", env=UNKNOWN),
        _container(),
    ],
)
def test_what_only_names_kestra_is_not_its_image(container: Container) -> None:
    assert not runs_kestras_image(container)


def test_an_unknown_image_is_undecided_unless_something_else_tells() -> None:
    with pytest.raises(Undecided):
        runs_kestras_image(_container(image=UNKNOWN))
    assert runs_kestras_image(_container(name="kestra", image=UNKNOWN))


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (_container(image=IMAGE), True),
        (_container(image=IMAGE, args=["server", "webserver"]), True),
        (_container(image=IMAGE, args=["migrate", "run"]), False),
        (_container("initContainers", image=IMAGE, args=["server", "standalone"]), False),
        (_container("ephemeralContainers", image=IMAGE), False),
    ],
)
def test_a_server_is_distinguished_from_single_commands(
    container: Container, expected: bool
) -> None:
    assert serves(container) is expected


@pytest.mark.parametrize(
    ("command", "component", "file"),
    [
        ("/app/kestra server webserver", "webserver", ""),
        ("/bin/sh -c cp /a /b && exec /app/kestra server standalone --config=/c.yml", "standalone", "/c.yml"),
        ("/app/kestra server worker -c /a.yml --thread=1 --config '/b.yml'", "worker", "/b.yml"),
        ("/app/kestra server standalone --config-x=/c.yml", "standalone", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_component_and_file_of_a_command(command: str, component: str, file: str) -> None:
    assert (component_of(command), config_option(command)) == (component, file)


def test_side_and_init_containers_are_not_asked_to_be_kestras_image() -> None:
    pod = deployment(more=[AGENT], init=[BUSYBOX])
    assert said("ks-kubernetes-07", pod).messages == []
    (message,) = said("ks-kubernetes-07", deployment(more=[{"name": "x", "image": "x"}])).messages
    assert "container x uses the tag latest. Wanted: a digest, or a version's tag." in message


def test_what_every_container_must_keep_is_asked_of_the_others_as_well() -> None:
    privileged = {**BUSYBOX, "securityContext": {"privileged": True}}
    for pod in (deployment(more=[privileged]), deployment(init=[privileged])):
        assert any("wait is privileged" in m for m in said("ks-kubernetes-01", pod).messages)


def test_variables_of_other_containers_configure_no_kestra() -> None:
    weak = {"env": [{"name": "KESTRA_VARIABLES_ENV_VARS_PREFIX", "value": ""}]}
    good = config_map(text())
    for pod in (deployment(more=[AGENT | weak]), deployment(init=[BUSYBOX | weak])):
        judged = said("ks-kestra-13", pod, good)
        assert (judged.messages, judged.not_yet) == ([], [])
    (message,) = said("ks-kestra-13", deployment(weak["env"], more=[AGENT]), good).messages
    assert "containers.0.env.1" in message
