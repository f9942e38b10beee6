"""A person can follow an update, and sees no secret."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from pulumi.automation import OutputValue
from rich.console import Console

from components.kubernetes.rollout_report import MARK
from sandbox.display import Events, short_type, summary
from sandbox.engine.automation import Outcome
from sandbox.progress import Progress

URN = "urn:pulumi:local::kestra::kubernetes:core/v1:Secret::kestra-secret"
NOTHING = dict.fromkeys(
    (
        "resource_pre_event", "res_outputs_event", "res_op_failed_event", "diagnostic_event",
        "policy_event",
    )
)  # fmt: skip


def event(**parts: Any) -> Any:
    return SimpleNamespace(**{**NOTHING, **parts})


def step(kind: str, op: str, urn: str = URN, type_: str = "kubernetes:core/v1:Secret") -> Any:
    return event(**{kind: SimpleNamespace(metadata=SimpleNamespace(urn=urn, op=op, type=type_))})


def diagnostic(severity: str, message: str, urn: str = URN, ephemeral: bool = False) -> Any:
    return event(
        diagnostic_event=SimpleNamespace(
            severity=severity, message=message, urn=urn, ephemeral=ephemeral
        )
    )


def follow(*events: Any, preview: bool = False) -> tuple[Events, Console]:
    console = Console(file=io.StringIO(), width=200, highlight=False, soft_wrap=True)
    followed = Events(Progress(console), preview=preview)
    for one in events:
        followed(one)
    return followed, console


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_finished_resource_is_a_line_with_type_name_and_operation() -> None:
    _, console = follow(step("resource_pre_event", "create"), step("res_outputs_event", "create"))
    line = text(console)
    assert "kubernetes:Secret" in line
    assert "kestra-secret" in line
    assert "created" in line
    assert line.rstrip().endswith(" s")


def test_what_stays_and_what_groups_is_no_line() -> None:
    followed, console = follow(
        step("res_outputs_event", "same"),
        step("res_outputs_event", "create", type_="kestra:kestra:Kestra"),
        step("res_outputs_event", "create", type_="pulumi:pulumi:Stack"),
    )
    assert text(console) == ""
    assert followed.changes == {"same": 1, "create": 1}


def test_a_preview_speaks_of_what_would_be() -> None:
    _, console = follow(step("res_outputs_event", "replace"), preview=True)
    assert "would be replaced" in text(console)


def test_an_error_names_the_resource_and_has_the_servers_words() -> None:
    followed, console = follow(
        step("res_op_failed_event", "create"),
        diagnostic("error", "<{%reset%}>namespaces is\n forbidden<{%reset%}>\n"),
        diagnostic(
            "error",
            "update failed",
            urn="urn:pulumi:local::kestra::pulumi:pulumi:Stack::kestra-local",
        ),
    )
    followed(
        diagnostic(
            "error",
            "python inline source runtime error: resource a [b] failed to register\nTraceback ...\n"
            "pulumi.runtime.stack.ResourceRegistrationFailed: resource a [b] failed to register",
            urn="urn:pulumi:local::kestra::pulumi:pulumi:Stack::kestra-local",
        )
    )
    assert "failed" in text(console)
    assert followed.errors == ["kubernetes:Secret kestra-secret: namespaces is forbidden"]


def test_the_plugins_search_is_no_warning_and_waiting_is_no_line() -> None:
    followed, console = follow(
        diagnostic("warning", "using pulumi-resource-random from $PATH at /x"),
        diagnostic("info", "[1/2] Waiting for pods", ephemeral=True),
        diagnostic("warning", "kestra:heartbeat has no effect"),
    )
    assert followed.warnings == ["kubernetes:Secret kestra-secret: kestra:heartbeat has no effect"]
    assert text(console) == ""


def test_the_summary_counts_masks_secrets_and_tells_the_time() -> None:
    followed, console = follow()
    outputs = {
        "namespace": OutputValue("kestra", False),
        "generated": OutputValue({"key": "Pl4nted"}, True),
        "deployments": OutputValue({"standalone": "kestra"}, False),
        "versionIds": OutputValue({}, False),
    }
    summary(console, "local", Outcome({"create": 3, "same": 1}, outputs, 2.0), followed)
    told = text(console)
    assert "Stack local: 3 created, 1 unchanged (2.0 s)" in told
    assert "standalone=kestra" in told
    assert "[secret]" in told
    assert "Pl4nted" not in told


def test_a_second_run_says_that_nothing_changed() -> None:
    followed, console = follow()
    summary(console, "local", Outcome({"same": 20}, {}, 1.0), followed)
    assert "Stack local: no change, 20 unchanged" in text(console)
    summary(console, "local", Outcome({"same": 20}, {}, 1.0), followed, preview=True)
    assert "would change nothing" in text(console)


def test_types_are_short() -> None:
    assert short_type("kubernetes:networking.k8s.io/v1:NetworkPolicy") == "kubernetes:NetworkPolicy"
    assert short_type("random:index/randomBytes:RandomBytes") == "random:RandomBytes"


def test_while_it_waits_a_person_sees_what_runs_longest_and_how_many_beside_it() -> None:
    seen: list[str] = []
    progress = Progress(Console(file=io.StringIO()))
    progress.detail = seen.append  # pyright: ignore[reportAttributeAccessIssue]
    followed = Events(progress)
    other = URN.replace("kestra-secret", "other")
    followed(step("resource_pre_event", "create"))
    followed(step("resource_pre_event", "create", other))
    followed(step("res_outputs_event", "create"))
    followed(step("res_op_failed_event", "create", other))
    assert seen == ["create kestra-secret", "create kestra-secret and 1 more", "create other", ""]


def test_the_programs_own_words_are_progress_and_its_report_on_pods_keeps_its_lines() -> None:
    seen: list[str] = []
    progress = Progress(Console(file=io.StringIO()))
    progress.detail = seen.append  # pyright: ignore[reportAttributeAccessIssue]
    followed = Events(progress)
    stack = "urn:pulumi:local::kestra::pulumi:pulumi:Stack::kestra-local"
    report = f"worker: 0 of 1 {MARK}.\nPod a: OOMKilled\n  a  line"
    followed(diagnostic("info", "worker: 0 of 1 new pods ready", urn="", ephemeral=True))
    followed(diagnostic("error", f"<{{%reset%}}>{report}<{{%reset%}}>\n", urn=stack))
    assert seen == ["worker: 0 of 1 new pods ready"]
    assert followed.errors == [report]
