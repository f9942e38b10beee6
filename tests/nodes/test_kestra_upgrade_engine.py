"""Kestra 1.3, then 2.0, then 1.3 again in one real pod whose volume stays: database and internal storage are on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from kubernetes import watch

from sandbox import kestra
from sandbox.engine.outcome import EngineFailure
from sandbox.nodes.kestra_api import KestraPod
from tests.nodes.kestra_pods_support import (
    NAMESPACE,
    Pods,
    RunningStack,
    api_of,
    require_stand_in,
    run_sleeping_task,
    running_stack,
    waiting_at_most,
)
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

PLANTED = "pl4nted-Input-of-a-flow-3b9e"
FLOW = (kestra.HERE / "flows" / "my_secret_flow.yml").read_text()
#: Database and internal storage on one volume, which is claimed.
CHANGES: dict[str, Any] = {
    "kestra:datasources": {
        "h2": {"url": "jdbc:h2:file:/app/storage/database/kestra;DB_CLOSE_ON_EXIT=FALSE"}
    },
    "kestra:deployment": {"storage-volume": {"size": "1Gi"}},
}


class _Step(NamedTuple):
    """Something that the API server saw, in its order."""

    at: int
    what: str
    name: str
    live: Any


class _History:
    """What happens to the pods and ConfigMaps of the namespace from here on."""

    def __init__(self, pods: Pods) -> None:
        core: Any = pods.core
        self._listings = {
            "pod": core.list_namespaced_pod,
            "configuration": core.list_namespaced_config_map,
        }
        self._since = core.list_namespaced_pod(NAMESPACE).metadata.resource_version

    def steps(self, kind: str) -> list[_Step]:
        """The steps of one kind: `pod`, `configuration`."""
        events: Any = watch.Watch().stream(
            self._listings[kind], NAMESPACE, resource_version=self._since, timeout_seconds=2
        )
        return [
            _Step(int(live.metadata.resource_version), event["type"], live.metadata.name, live)
            for event in events
            for live in [event["object"]]
        ]


def _first(steps: list[_Step], holds: Callable[[_Step], bool]) -> int:
    """When something happened for the first time; fails where it did not."""
    return min(step.at for step in steps if holds(step))


def _is_ready(step: _Step) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in step.live.status.conditions or ())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningStack, Pods]]:
    """The stack `local` on 1.3 with a volume."""
    require_stand_in()
    with running_stack(tmp_path_factory.mktemp("pods"), changes=CHANGES) as both:
        yield both


def _image(pods: Pods) -> str:
    (pod,) = pods.all()
    return pod["spec"]["containers"][0]["image"]


def test_an_execution_goes_on_in_the_pod_that_takes_the_place_of_the_one_it_began_in(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    api = api_of(stack, pods.ready())
    sleeping = run_sleeping_task(api)
    stack.change({"kestra:server": {"liveness": {"timeout": "47s"}}})
    stack.up()
    after = api_of(stack, pods.ready())
    assert after.pod != api.pod
    assert after.await_end(sleeping)["state"]["current"] == "SUCCESS"


def test_2_0_starts_when_1_3_has_finished_its_task_and_finds_what_1_3_wrote(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    api = api_of(stack, pods.ready())
    api.import_flow(FLOW)
    before = api.await_end(api.execute("company.team", "my_secret_flow", {"secret": PLANTED})["id"])
    assert before["state"]["current"] == "SUCCESS"
    assert pods.run(api.pod, "echo kept >/app/storage/kept").code == 0
    sleeping = run_sleeping_task(api)
    referred, history, said = pods.referred(), _History(pods), len(stack.printed)
    stack.change({"kestra:version": "2.0"})
    stack.up()

    new = api_of(stack, pods.ready())
    assert new.pod != api.pod
    assert _image(pods).endswith(f":v{kestra.RELEASES['2.0']}")
    after = new.await_end(before["id"], 0)
    assert after["state"]["current"] == "SUCCESS"
    assert after["inputs"] == before["inputs"]
    assert after["outputs"] == before["outputs"]
    assert PLANTED not in str(after)
    # The result of its task was in 1.3's queue, which 2.0 drops (docs/upgrade.md).
    assert new.await_end(sleeping, 20)["state"]["current"] == "RUNNING"
    assert pods.run(new.pod, "cat /app/storage/kept").out == "kept\n"
    again = new.await_end(new.execute("company.team", "my_secret_flow", {"secret": PLANTED})["id"])
    assert again["state"]["current"] == "SUCCESS"

    # What the new pod refers to is there first; the old pod ends, with its task; the new one starts and is ready; what
    # the old one referred to goes last.
    seen = history.steps("pod")
    asked = _first(seen, lambda s: s.name == api.pod.name and s.live.metadata.deletion_timestamp)
    ended = _first(seen, lambda s: s.name == api.pod.name and s.what == "DELETED")
    started = _first(seen, lambda s: s.name == new.pod.name and s.what == "ADDED")
    ready = _first(seen, lambda s: s.name == new.pod.name and _is_ready(s))
    assert asked < ended < started < ready
    steps = history.steps("configuration")
    assert _first(steps, lambda s: s.what == "ADDED" and s.name not in referred) < asked
    assert _first(steps, lambda s: s.what == "DELETED" and s.name in referred) > ready
    # The Secret is the same one: 2.0 has the same variables.
    assert {name for name in referred if "secret" in name} <= pods.referred()

    # And so a person reads it.
    lines = stack.printed[said:]
    order = [
        lines.index(text)
        for text in (
            "kubernetes:ConfigMap               kestra-configuration                       created anew",
            "kubernetes:Deployment              kestra-standalone                          updated",
            "kubernetes:ConfigMap               kestra-configuration                       deleted (replaced)",
        )
    ]
    assert order == sorted(order)
    assert PLANTED not in stack.printed


def test_a_pod_that_cannot_start_leaves_nothing_that_serves_and_says_so_until_it_is_mended(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    old = pods.ready()
    stack.change({"kestra:deployment": {"extra-env-from": [{"configMapRef": {"name": "proxy"}}]}})
    with waiting_at_most(60), pytest.raises(EngineFailure) as failure:
        stack.up()
    report = str(failure.value)
    assert 'CreateContainerConfigError: configmap "proxy" not found' in report
    assert (
        "No pod serves: with the strategy Recreate the old pod ends before the new one starts."
        in report
    )
    assert pods.is_gone(old)
    assert pods.ready_names("standalone") == []
    stack.change({"kestra:deployment": {"extra-env-from": None}})
    stack.up()
    api = api_of(stack, pods.ready())
    assert pods.run(api.pod, "cat /app/storage/kept").out == "kept\n"
    ended = api.await_end(api.execute("company.team", "my_secret_flow", {"secret": PLANTED})["id"])
    assert ended["state"]["current"] == "SUCCESS"


def test_1_3_ends_itself_again_and_again_on_what_2_0_wrote(
    running: tuple[RunningStack, Pods],
) -> None:
    stack, pods = running
    pods.ready()
    stack.change({"kestra:version": "1.3"})
    # It may be ready for a moment, which is all that an update waits for.
    with waiting_at_most(120), contextlib.suppress(EngineFailure):
        stack.up()
    (pod,) = (one for one in pods.all() if "deletionTimestamp" not in one["metadata"])
    assert pod["spec"]["containers"][0]["image"].endswith(f":v{kestra.RELEASES['1.3']}")
    name = KestraPod(pods.plane.kubeconfig, NAMESPACE, pod["metadata"]["name"], "standalone")
    # It ends itself, at its end or while it still starts, and nobody kills it.
    assert pods.restarted(name, 300)["exitCode"] in (0, 1)
    assert "Initiating shutdown" in pods.log(name, previous=True)
