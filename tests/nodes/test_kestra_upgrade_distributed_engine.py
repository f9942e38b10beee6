"""Kestra 1.3, then 2.0 in several real pods over one database, step by step as docs/upgrade.md says."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import kestra
from tests.nodes.kestra_pods_support import (
    api_of,
    distributed,
    eventually,
    require_stand_in,
    running_stack,
)
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

PLANTED = "pl4nted-Input-of-a-flow-9d01"
FLOW = (kestra.HERE / "flows" / "my_secret_flow.yml").read_text()
SERVING = ("webserver", "executor", "worker")


def _replicas(number: int, *components: str) -> dict[str, Any]:
    return {"components": {name: {"replicas": number} for name in components}}


def test_the_steps_of_the_documentation_take_several_pods_to_2_0_and_back_to_work(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    require_stand_in()
    # The test's own folder has too long a name for kubelet's sockets.
    folder = tmp_path_factory.mktemp("pods")
    with running_stack(folder, changes=distributed(*SERVING)) as (stack, pods):
        api = api_of(stack, pods.ready("webserver"))
        api.import_flow(FLOW)
        before = api.await_end(
            api.execute("company.team", "my_secret_flow", {"secret": PLANTED})["id"]
        )
        assert before["state"]["current"] == "SUCCESS"

        stack.change({"kestra:deployment": _replicas(0, *SERVING)})
        stack.up()
        eventually(lambda: not pods.all(), 120, "pods of 1.3 do not end")
        stack.change(
            {
                "kestra:version": "2.0",
                "kestra:deployment": _replicas(0, "controller"),
            }
        )
        stack.up()
        assert not pods.all()
        stack.change({"kestra:deployment": _replicas(1, *SERVING, "controller")})
        stack.up()

        names = {component: pods.ready(component).name for component in (*SERVING, "controller")}
        images = {pod["spec"]["containers"][0]["image"] for pod in pods.all()}
        assert images == {f"kestra/kestra:v{kestra.RELEASES['2.0']}"}
        api = api_of(stack, pods.ready("webserver"))
        after = api.await_end(before["id"], 0)
        assert after["state"]["current"] == "SUCCESS"
        assert after["outputs"] == before["outputs"]
        again = api.await_end(
            api.execute("company.team", "my_secret_flow", {"secret": PLANTED})["id"]
        )
        assert again["state"]["current"] == "SUCCESS"
        stack.up()
        assert {name: pods.ready(name).name for name in names} == names
        assert PLANTED not in stack.printed
