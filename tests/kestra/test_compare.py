"""What was meant against what was bound, without a Kestra."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sandbox import kestra
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.verify import Report
from sandbox.verify.compare import compare, flatten, same
from sandbox.verify.overlay import describe, left_out, without

TIMEOUT = "kestra.server.liveness.timeout"
PASSWORD = "kestra.server.basic-auth.password"


def compared(meant: dict[str, Any], bound: dict[str, Any], written: dict[str, Any]) -> Report:
    report = Report("1.3.31")
    seen = {path: {"by": "property", "value": value} for path, value in bound.items()}
    compare(meant, seen, report, written)
    return report


@pytest.mark.parametrize(
    ("meant", "bound", "expected"),
    [
        ("60s", "PT1M", True),
        ("1m", "PT60S", True),
        ("45s", "PT1M", False),
        ("7d", "P7D", True),
        ("60s", None, False),
    ],
)
def test_durations_are_compared_by_length(meant: str, bound: str | None, expected: bool) -> None:
    assert same(TIMEOUT, meant, bound) is expected


@pytest.mark.parametrize(
    ("meant", "bound", "expected"),
    [
        (True, "true", True),
        (False, "true", False),
        (1000, "1000", True),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], False),
        ("60s", "PT1M", False),
    ],
)
def test_other_values_are_compared_by_text(meant: object, bound: object, expected: bool) -> None:
    assert same("kestra.some.key", meant, bound) is expected


def test_a_wrong_setting_is_named_with_both_values() -> None:
    report = compared({TIMEOUT: "60s"}, {TIMEOUT: "PT45S"}, {TIMEOUT: "banana"})
    assert report.mismatches == [{"path": TIMEOUT, "meant": "60s", "bound": "PT45S"}]
    assert not report.ok


def test_a_wrong_secret_is_named_without_either_value() -> None:
    report = compared({PASSWORD: "Meant-1234"}, {PASSWORD: "Other-5678"}, {PASSWORD: "${STACK_P}"})
    assert [m["path"] for m in report.mismatches] == [PASSWORD]
    out = io.StringIO()
    report.render(Console(file=out, width=200))
    for text in (out.getvalue(), report.to_json()):
        assert "Meant-1234" not in text
        assert "Other-5678" not in text


def test_a_secret_that_contains_a_placeholder_is_compared_like_any_other() -> None:
    report = compared(
        {PASSWORD: "pa${HOME}ss"}, {PASSWORD: "pa/appss"}, {PASSWORD: "${STACK_PASSWORD}"}
    )
    assert [m["path"] for m in report.mismatches] == [PASSWORD]


def test_a_placeholder_that_was_meant_is_listed_as_not_checked() -> None:
    path = "kestra.security.super-admin.password"
    report = compared(
        {path: "${KESTRA_SUPERADMIN_PASSWORD}"}, {}, {path: "${KESTRA_SUPERADMIN_PASSWORD}"}
    )
    assert not report.mismatches
    assert path in report.unchecked


def test_a_setting_that_kestra_lacks_is_a_mismatch() -> None:
    report = Report("1.3.31")
    compare({"kestra.url": "https://k"}, {}, report, {"kestra.url": "https://k"})
    assert report.mismatches[0]["bound"] == "nothing"


def test_closed_and_web_settings_are_compared_and_listed_as_not_checked_further() -> None:
    leaves = {"kestra.secret.type": "vault", "endpoints.all.enabled": True}
    report = compared(leaves, {"kestra.secret.type": "vault", "endpoints.all.enabled": "true"}, {})
    assert set(report.bound) == set(report.unchecked) == set(leaves)


def test_every_leaf_of_a_document_has_one_path() -> None:
    document = {"kestra": {"a": {"b": 1}, "list": [1, 2]}, "endpoints": {"all": {"enabled": True}}}
    assert dict(flatten(document)) == {
        "kestra.a.b": 1,
        "kestra.list": [1, 2],
        "endpoints.all.enabled": True,
    }


def test_the_overlay_says_what_it_replaces_and_what_it_leaves_out(tmp_path: Path) -> None:
    document = {
        "datasources": {"postgres": {"url": "jdbc:postgresql://db/kestra"}},
        "kestra": {"storage": {"type": "s3", "s3": {"bucket": "b"}}},
    }
    assert left_out(document) == ["datasources.postgres", "kestra.storage.s3"]
    assert "datasources.postgres" in describe(document, tmp_path, "1.3")["left out"]
    cut = without(document, left_out(document))
    assert cut == {"datasources": {}, "kestra": {"storage": {"type": "s3"}}}
    assert "postgres" in document["datasources"], "the document itself stays whole"


def test_a_report_without_a_single_bound_setting_is_not_ok() -> None:
    assert not Report("1.3.31").ok


def test_a_failed_check_fails_the_report() -> None:
    report = Report("1.3.31", bound={"kestra.url": "property"})
    assert report.ok
    report.flows.append({"id": "f", "state": "FAILED", "checks": [{"what": "ends", "ok": False}]})
    assert not report.ok
    assert json.loads(report.to_json())["ok"] is False


def test_a_version_without_a_harness_is_one_clear_sentence() -> None:
    with pytest.raises(SandboxError, match=r"Kestra 0\.9 cannot be verified"):
        kestra.ensure("0.9", Progress())


@pytest.mark.parametrize("is_well", [True, False])
def test_a_secret_with_another_value_in_its_store_comes_with_where_to_read_on(
    is_well: bool,
) -> None:
    report, console = Report("1.3.31"), Console(file=io.StringIO(), width=200)
    report.stores.append(
        {"id": "vault", "checks": [{"what": "a holds the declared value", "ok": is_well}]}
    )
    report.render(console)
    assert isinstance(console.file, io.StringIO)
    assert ("docs/runbook.md, Drift" in console.file.getvalue()) is not is_well
