"""What the pack says of the release that Kestra's containers run."""

from __future__ import annotations

import json

from policy.advisories import table
from policy.core.model import REGISTRY, Context, Problem, Resource, Stack, evaluate
from tests.policy.analyzer_support import R, judge, pack
from tests.policy.kubernetes_fixtures import DIGEST, FIRST, POD, WORKLOAD

CONTROL = "ks-kestra-20"


def _problem(resource: R) -> Problem:
    """The one problem of a resource."""
    control = REGISTRY[CONTROL]
    subject = Resource(resource.type, resource.name, resource.props)
    whole = Stack([subject]) if control.is_stack else subject
    (problem,) = evaluate(control, whole, Context("production")).problems
    return problem


def test_a_message_names_the_worst_holes_and_a_release_without_them() -> None:
    problem = _problem(WORKLOAD.but(f"{FIRST}.image", "kestra/kestra:v1.3.5"))
    assert "runs v1.3.5, which has 9 known holes: " in problem.actual
    assert "GHSA-2q47-568g-9h4f (CVE-2026-53576), critical" in problem.actual
    assert problem.actual.endswith("; and 6 more")
    assert problem.expected == "a release without them, v1.3.24 or later"
    assert problem.property_path == f"{FIRST}.image"
    assert REGISTRY[CONTROL].setting.startswith("kestra:deployment.image.tag")


def test_an_image_of_several_containers_is_reported_once() -> None:
    old = "kestra/kestra:v1.3.5"
    copier = [{"name": "configuration", "image": old}]
    stack = [WORKLOAD.but(f"{FIRST}.image", old).but(f"{POD}.initContainers", copier)]
    assert len(judge(pack("production"), CONTROL, stack).messages) == 1


def test_a_digest_is_judged_by_the_tag_that_the_settings_of_the_stack_name_beside_it() -> None:
    stack = [WORKLOAD.but(f"{FIRST}.image", f"kestra/kestra@{DIGEST}")]
    for tag, problems in (("v1.3.31", 0), ("v1.3.5", 1)):
        image = {"image": {"tag": tag, "digest": DIGEST}}
        analyzer = pack("production", config={"kestra:deployment": json.dumps(image)})
        said = judge(analyzer, CONTROL, stack)
        assert (len(said.messages), said.not_yet) == (problems, [])


def test_a_digest_alone_is_not_decided_and_the_reason_is_reported() -> None:
    stack = [WORKLOAD.but(f"{FIRST}.image", f"kestra/kestra@{DIGEST}")]
    said = judge(pack("production"), CONTROL, stack)
    assert said.messages == []
    assert "a digest alone does not say which release it is" in said.not_yet[0]


def test_a_hole_that_configuration_closes_does_not_refuse_a_release() -> None:
    assert any(advisory.closed_by for advisory in table().advisories)
    stack = [WORKLOAD.but(f"{FIRST}.image", "kestra/kestra:v1.3.31")]
    assert judge(pack("production"), CONTROL, stack).messages == []


def _chart(name: str = "kestra", **values: object) -> R:
    return R("kubernetes:helm.sh/v3:Release", {"chart": name, "values": values}, "chart")


def test_the_release_that_the_charts_values_name_is_judged() -> None:
    for image in (
        {"tag": "v1.3.5"},
        {"repository": "mirror.example.com/kestra-ee", "tag": "v1.3.5"},
    ):
        problem = _problem(_chart(image=image))
        assert "the chart runs v1.3.5, which has 9 known holes: " in problem.actual
        assert problem.property_path == "values.image.tag"
    good = judge(pack("production"), CONTROL, [_chart(image={"tag": "v1.3.31"})])
    assert (good.messages, good.not_yet) == ([], [])


def test_what_a_chart_runs_by_default_is_not_decided_and_other_charts_are_not_judged() -> None:
    said = judge(pack("production"), CONTROL, [_chart()])
    assert said.messages == []
    assert "the release is the chart's default" in said.not_yet[0]
    other = judge(pack("production"), CONTROL, [_chart("postgresql", image={"tag": "1.3.5"})])
    assert (other.messages, other.not_yet) == ([], [])


def test_an_image_of_another_name_that_runs_kestra_is_not_decided() -> None:
    stack = [WORKLOAD.but(f"{FIRST}.image", "mirror.example.com/workflows:v1.3.5")]
    said = judge(pack("production"), CONTROL, stack)
    assert said.messages == []
    assert "an image built on Kestra does not say on which release" in said.not_yet[0]
