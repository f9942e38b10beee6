"""Small Kubernetes stacks with Kestra, for tests of what Kestra is configured with in the end."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tests.policy.analyzer_support import ABSENT, Judged, R, judge, pack
from tests.policy.kestra_fixtures import settings
from tests.policy.kubernetes_fixtures import LABELS

IMAGE = "kestra/kestra@sha256:" + "a" * 64
FILE = "/etc/kestra/application.yaml"
CLEAR = "Planted9Secret8Value7"
BEFORE, NEVER = "not decidable before the update", "not decidable from this stack"


def text(*changes: tuple[str, Any]) -> str:
    """The text of good settings with some changed."""
    document = R("", settings())
    for path, value in changes:
        document = document.but(path, value)
    return yaml.safe_dump(dict(document.props))


def without(*paths: str) -> str:
    """The text of good settings with some left out."""
    return text(*((path, ABSENT) for path in paths))


def config_map(content: Any, name: str = "kestra", key: str = "application.yaml") -> R:
    metadata = {"name": name, "namespace": "kestra"}
    return R("kubernetes:core/v1:ConfigMap", {"metadata": metadata, "data": {key: content}}, name)


def variables(name: str = "variables", /, **values: Any) -> R:
    """A ConfigMap with variables."""
    metadata = {"name": name, "namespace": "kestra"}
    return R("kubernetes:core/v1:ConfigMap", {"metadata": metadata, "data": values}, name)


def secret(name: str = "credentials", /, **values: str) -> R:
    """A Secret as the cluster holds it."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": "kestra"}
    return R("kubernetes:core/v1:Secret", {"metadata": metadata, "data": data}, name)


def written_secret(name: str = "credentials", /, **values: Any) -> R:
    """A Secret as a program writes it."""
    metadata = {"name": name, "namespace": "kestra"}
    return R("kubernetes:core/v1:Secret", {"metadata": metadata, "stringData": values}, name)


def env(**values: Any) -> list[dict[str, Any]]:
    """Entries of `env`: a text is a value, a map is a valueFrom."""
    return [
        {"name": name, "valueFrom" if isinstance(value, Mapping) else "value": value}
        for name, value in values.items()
    ]


def deployment(
    entries: Sequence[Mapping[str, Any]] = (),
    *,
    name: str = "server",
    container_name: str = "kestra",
    files: str | None = FILE,
    more: Sequence[Mapping[str, Any]] = (),
    volumes: Sequence[Mapping[str, Any]] | None = None,
    init: Sequence[Mapping[str, Any]] = (),
    **container: Any,
) -> R:
    """A Deployment whose one container reads a file of the ConfigMap `kestra`.

    Args:
        entries: of `env`.
        name: of the resource.
        container_name: of the container.
        files: MICRONAUT_CONFIG_FILES; None: not set.
        more: containers beside it.
        volumes: of the pod; None: the ConfigMap.
        init: init containers.
        container: properties of the container.
    """
    listed = env(MICRONAUT_CONFIG_FILES=files) if files is not None else []
    main = {
        "name": container_name,
        "image": IMAGE,
        "command": ["/app/kestra"],
        "args": ["server", "standalone"],
        "env": [*listed, *entries],
        "volumeMounts": [{"name": "configuration", "mountPath": "/etc/kestra"}],
        **container,
    }
    mounted = [{"name": "configuration", "configMap": {"name": "kestra"}}]
    pod = {
        "containers": [main, *more],
        "volumes": mounted if volumes is None else volumes,
        "initContainers": list(init),
        "terminationGracePeriodSeconds": 360,
    }
    spec = {"replicas": 1, "template": {"metadata": {"labels": LABELS}, "spec": pod}}
    metadata = {"name": name, "namespace": "kestra"}
    return R("kubernetes:apps/v1:Deployment", {"metadata": metadata, "spec": spec}, name)


def said(control: str, *stack: R) -> Judged:
    """What a control says of a stack in production."""
    return judge(pack("production"), control, stack)


def refused(judged: Judged, *words: str) -> None:
    """A control says one thing, in these words, and shows no secret."""
    assert len(judged.messages) == 1, judged
    for word in words:
        assert word in judged.messages[0]
    assert CLEAR not in judged.messages[0]


def passed(judged: Judged) -> None:
    """A control says nothing, and has decided."""
    assert (judged.messages, judged.not_yet) == ([], [])


def undecided(judged: Judged, *words: str) -> None:
    """A control says nothing, and why it could not decide."""
    assert judged.messages == []
    assert len(judged.not_yet) == 1, judged
    for word in words:
        assert word in judged.not_yet[0]
