"""Objects with entries that are null or not known yet, wherever they stand: every control judges or says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policy.core.judge import Judge, Judged
from policy.core.model import Resource, Stack
from policy.core.values import UNKNOWN
from tests.policy.kestra_stack_support import CLEAR, config_map, deployment, text, written_secret

_RELEASE = Resource(
    "kubernetes:helm.sh/v3:Release",
    "release",
    {
        "chart": "kestra",
        "values": {
            "common": {
                "extraEnv": [{"name": "A", "value": "b"}],
                "extraEnvFrom": [{"secretRef": {"name": "credentials"}}],
            },
            "deployments": {"standalone": {"enabled": True, "extraArgs": ["--worker-thread=1"]}},
            "workerGroups": {"gpu": {"enabled": True, "securityContext": {"runAsNonRoot": True}}},
            "ingress": {"enabled": True, "hosts": [{"host": "a"}], "tls": [{"hosts": ["a"]}]},
            "service": {"type": "ClusterIP", "ports": {"http": {"port": 80}}},
            "extraManifests": [{"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}],
            "configurations": {
                "application": {"kestra": {"url": "https://kestra.example.com"}},
                "configmaps": [{"name": "kestra", "key": "application.yaml"}],
                "secrets": [{"name": "credentials", "key": "KEY"}],
            },
        },
    },
)
_WORKLOAD = deployment(
    [
        {"name": "A", "value": "x$(B)"},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "credentials", "key": "KEY"}}},
        {"name": "C"},
    ],
    envFrom=[{"secretRef": {"name": "credentials"}}, {"configMapRef": {"name": "kestra"}}],
    more=[{"name": "proxy", "image": "mirror.example.com/envoy:v1"}],
    init=[{"name": "copy", "image": "busybox", "command": ["cp", "/a", "/b"]}],
)


def _plain(resource: Any) -> Resource:
    return Resource(resource.type, resource.name, resource.props, f"urn:{resource.name}")


STACK = [
    *map(_plain, (_WORKLOAD, config_map(text()), written_secret(KEY=CLEAR))),
    _RELEASE,
]


#: What no key of the clouds or of Kubernetes takes.
MISSHAPEN: tuple[Any, ...] = (
    [[]], {"a": {"b": None}}, 5, -1.5, float("nan"), 10**400, True, "{", "[" * 100_000, "kestra: {a: &x [*x]}", {"kestra": 5},
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    entries = (
        value.items()
        if isinstance(value, Mapping)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in entries:
        yield from _places(inner, (*path, key))


def _put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy = dict(value) if isinstance(value, Mapping) else list(value)
    copy[path[0]] = _put(value[path[0]], path[1:], other)
    return copy


def _judged(resources: list[Resource], changed: Resource) -> list[Judged]:
    """What the controls say of a resource that was changed, and of the whole."""
    judge = Judge("production")
    return [*judge.of_resource(changed), *judge.of_stack(Stack(resources))]


@pytest.mark.parametrize("other", [None, UNKNOWN], ids=["null", "unknown"])
def test_every_control_judges_what_is_null_or_unknown_anywhere(other: Any) -> None:
    workload, *objects, release = STACK
    for stack in ([workload, *objects], [release, *objects]):
        # The objects are changed once, beside the workload.
        for position, resource in enumerate(stack if stack[0] is workload else stack[:1]):
            for path in _places(resource.props):
                changed = list(stack)
                changed[position] = Resource(
                    resource.type, resource.name, _put(resource.props, path, other), resource.urn
                )
                _judged(changed, changed[position])


def test_every_control_judges_what_has_another_type_than_its_key_takes() -> None:
    judge = Judge("production")
    for position, resource in enumerate(STACK):
        for number, path in enumerate(list(_places(resource.props))[::6]):
            changed = list(STACK)
            other = MISSHAPEN[number % len(MISSHAPEN)]
            props = _put(resource.props, path, other)
            changed[position] = Resource(resource.type, resource.name, props, resource.urn)
            said = [*judge.of_resource(changed[position]), *judge.of_stack(Stack(changed))]
            assert all(len(v.text) < 3000 for one in said for v in one.violations)


def test_a_control_that_cannot_read_a_value_says_so_and_finds_the_rest() -> None:
    key = Resource("aws:kms/key:Key", "key", {"deletionWindowInDays": 7, "tags": ["a"]}, "urn:key")
    said = {one.control.id: one for one in Judge("production").of_resource(key)}
    assert said["ks-keys-02"].violations
    assert said["ks-conventions-01"].undecided == (
        "not decidable, since its type is none that its key takes: a value of key"
    )
    assert Judge("production").remedy(said["ks-conventions-01"].control, key) == {}


@pytest.mark.parametrize(
    ("path", "control"),
    [
        (("containers", 0), "ks-kubernetes-01"),
        (("initContainers", 0), "ks-kubernetes-07"),
        (("containers", 0, "env", 1), "ks-kubernetes-10"),
        (("containers", 0, "env", 1), "ks-kestra-03"),
    ],
)
def test_an_entry_of_a_list_that_is_unknown_is_not_decided(
    path: tuple[Any, ...], control: str
) -> None:
    workload, *others = STACK
    props = _put(workload.props, ("spec", "template", "spec", *path), UNKNOWN)
    changed = Resource(workload.type, workload.name, props, workload.urn)
    judged = _judged([changed, *others], changed)
    assert any(one.undecided for one in judged if one.control.id == control)
