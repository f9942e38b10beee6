"""A file of the configuration is found where the pod mounts it, or copies it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.analyzer_support import UNKNOWN, R
from tests.policy.kestra_stack_support import IMAGE, config_map, deployment, said, text

OTHER = "/app/confs/kestra.yml"
CONTENT = text(("kestra.variables.env-vars-prefix", ""))
WEAK = config_map(CONTENT)


def _mount(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "configuration", "mountPath": "/app/confs", **more}]


def _volume(**kind: Any) -> list[dict[str, Any]]:
    return [{"name": "configuration", **kind}]


ITEMS = [{"key": "application.yaml", "path": "kestra.yml"}]
NESTED = [{"key": "application.yaml", "path": "deep/kestra.yml"}]
MAP = {"name": "kestra"}
SECRET = R(
    "kubernetes:core/v1:Secret",
    {"metadata": {"name": "kestra", "namespace": "kestra"}, "stringData": {"application.yaml": CONTENT}},
    "secret",
)  # fmt: skip
COPIED = {
    "volumes": [*_volume(configMap=MAP), {"name": "loaded", "emptyDir": {}}],
    "volumeMounts": [{"name": "loaded", "mountPath": "/app/confs"}],
}


def _copier(command: str) -> list[dict[str, Any]]:
    mounts = [{"name": "configuration", "mountPath": "/in"}, COPIED["volumeMounts"][0]]
    args = {"command": ["sh", "-c", command], "volumeMounts": mounts}
    return [{"name": "copy", "image": IMAGE, **args}]


@pytest.mark.parametrize(
    "stack",
    [
        (deployment(), WEAK),
        (deployment(files="/etc/kestra/../kestra/application.yaml"), WEAK),
        (deployment(files=OTHER, volumeMounts=_mount(), volumes=_volume(configMap={**MAP, "items": ITEMS})), WEAK),
        (deployment(files=OTHER, volumeMounts=_mount(mountPath=OTHER, subPath="application.yaml")), WEAK),
        (deployment(files=OTHER, volumeMounts=_mount(subPath="deep"),
                    volumes=_volume(configMap={**MAP, "items": NESTED})), WEAK),
        (deployment(volumes=_volume(secret={"secretName": "kestra"})), SECRET),
        (deployment(volumes=_volume(projected={"sources": [{"secret": {"name": "none"}}, {"configMap": MAP}]})), WEAK),
        (deployment(volumeMounts=[{"name": "none", "mountPath": "/etc"},
                                  {"name": "configuration", "mountPath": "/etc/kestra/"}]), WEAK),
        (deployment(files=OTHER, init=_copier(f"cp /in/application.yaml {OTHER}"), **COPIED), WEAK),
        (deployment(files=OTHER, init=_copier(f"set -e; cp -f /in/application.yaml {OTHER} && true"), **COPIED), WEAK),
        (deployment(files="/app/confs/application.yaml", init=_copier("cp -r /in/. /app/confs"), **COPIED), WEAK),
        (deployment(files="/app/confs/application.yaml", init=_copier("cp /in/* /app/confs/"), **COPIED), WEAK),
        (deployment(volumes=_volume(configMap={"name": "kestra-1a2b3c"})),
         WEAK.but("metadata", {"namespace": "kestra"})),
        (deployment(), WEAK.but("metadata.namespace", UNKNOWN)),
        (deployment(), WEAK, config_map(text(), name="far").but("metadata",
                                                                {"name": "kestra", "namespace": "other"})),
    ],
)  # fmt: skip
def test_a_mounted_or_copied_file_is_read(stack: tuple[R, ...]) -> None:
    judged = said("ks-kestra-13", *stack)
    assert [m.partition(" (")[0] for m in judged.messages] in (["kestra"], ["secret"]), judged


def test_a_file_whose_object_has_no_name_yet_is_of_the_one_that_the_pod_comes_from() -> None:
    pod = deployment(volumes=[{"name": "configuration", "configMap": {"name": UNKNOWN}}])
    unnamed = WEAK.but("metadata.name", UNKNOWN)
    using = R(pod.type, pod.props, pod.name, uses={"spec": ["kestra"]})
    assert len(said("ks-kestra-13", using, unnamed).messages) == 1
    judged = said("ks-kestra-13", pod, unnamed)
    assert judged.messages == []
    assert "before the update: the name of a ConfigMap" in judged.not_yet[0]


@pytest.mark.parametrize(
    "stack",
    [
        (deployment(files=OTHER),),
        (deployment(), config_map(CONTENT, key="other.yaml")),
        (deployment(volumeMounts=_mount(subPathExpr="$(X)", mountPath="/etc/kestra")),),
        (deployment(files=OTHER, init=_copier("cp /in/none.yml /app/confs/"), **COPIED),),
        (deployment(volumes=_volume(csi={"driver": "x"})),),
        (deployment(volumes=_volume(configMap={"name": "elsewhere"})),),
        (deployment(volumes=_volume(configMap={**MAP, "items": []})), config_map("a: 1")),
    ],
)
def test_a_file_that_the_stack_does_not_hold_is_undecided(stack: tuple[R, ...]) -> None:
    judged = said("ks-kestra-01", *stack)
    assert judged.messages == []
    assert "not decidable from this stack" in judged.not_yet[0]
    path = stack[0].props["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]
    assert path in judged.not_yet[0]
