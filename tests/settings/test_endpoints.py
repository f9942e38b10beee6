"""Management endpoints: what is refused, what is warned of, and that a warning's fix ends it."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import Problem, SettingsError
from components.validation import load

LOG_IN = {"basic-auth": {"username": "monitoring"}}
WATCHED = {"network-policy": {"monitoring-namespace": "monitoring"}}
#: The block with which Kestra's documentation opens what 2.0 closed.
REOPENED = {
    "all": {"sensitive": False},
    "env": {"enabled": True},
    "health": {"details-visible": "ANONYMOUS"},
    "loggers": {"write-sensitive": False},
    "worker": {"sensitive": False},
    "scheduler": {"sensitive": False},
}


def said(
    endpoints: dict[str, Any],
    deployment: dict[str, Any] | None = None,
    **settings: Any,
) -> dict[str, Problem]:
    """Path to what the checks say, about endpoints and the port that monitoring gets; not of known holes."""
    document: dict[str, Any] = {
        "server": {"basic-auth": {"username": "admin@kestra.io"}},
        "endpoints": endpoints,
        "deployment": deployment or {},
    } | settings
    try:
        problems = load(document, source="test").warnings
    except SettingsError as error:
        problems = error.problems
    return {p.path: p for p in problems if "endpoints." in p.path or "monitoring" in p.path}


@pytest.mark.parametrize("version", ["1.3", "2.0"])
@pytest.mark.parametrize("edition", ["oss", "enterprise"])
def test_a_log_in_alone_and_nothing_at_all_are_fine(version: str, edition: str) -> None:
    account = {"security": {"super-admin": {"username": "a@b.io"}}} if edition != "oss" else {}
    for endpoints in ({}, {"all": LOG_IN}):
        assert said(endpoints, version=version, edition=edition, **account) == {}
    assert said({"all": LOG_IN}, WATCHED, version=version, edition=edition, **account) == {}


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_a_port_opened_to_monitoring_where_nobody_reads_is_a_warning(version: str) -> None:
    path = "kestra:deployment.network-policy.monitoring-namespace"
    for endpoints in ({}, {"prometheus": {"enabled": True}}, {"all": {"sensitive": True}}):
        (problem,) = said(endpoints, WATCHED, version=version).values()
        assert (problem.path, problem.severity) == (path, "warning")
        assert "endpoints.all.basic-auth.username" in problem.fix
    assert path not in said({"prometheus": {"sensitive": False}}, WATCHED, version=version)
    assert path not in said({"all": {"sensitive": False}}, WATCHED, version=version)
    assert said({"all": LOG_IN}, WATCHED, version=version) == {}


def test_the_documented_block_that_reopens_everything_is_warned_of_key_by_key() -> None:
    problems = said(REOPENED)
    assert {path: p.severity for path, p in problems.items()} == dict.fromkeys(
        (
            "kestra:endpoints.all.sensitive",
            "kestra:endpoints.env.enabled",
            "kestra:endpoints.loggers.write-sensitive",
            "kestra:endpoints.worker.sensitive",
            "kestra:endpoints.scheduler.sensitive",
        ),
        "warning",
    )
    assert all("basic-auth.username" in p.fix for p in problems.values())
    assert said(REOPENED | {"all": LOG_IN | {"sensitive": False}}) == {}


@pytest.mark.parametrize("name", ["stop", "refresh", "caches"])
@pytest.mark.parametrize(
    ("endpoints", "key"),
    [({"sensitive": False, "enabled": True}, "sensitive"), ({"enabled": True}, "enabled")],
)
def test_what_changes_the_server_is_never_open(
    name: str, endpoints: dict[str, Any], key: str
) -> None:
    opened = {} if "sensitive" in endpoints else {"all": {"sensitive": False}}
    problem = said(opened | {name: endpoints})[f"kestra:endpoints.{name}.{key}"]
    assert problem.severity == "error"
    assert f"/{name} without a log-in" in problem.message
    # Each of the two ways out is one.
    assert said({"all": LOG_IN, name: endpoints}) == {}
    assert said({}) == {}


@pytest.mark.parametrize("name", ["env", "stop", "caches"])
def test_what_is_off_is_not_called_open(name: str) -> None:
    assert said({name: {"sensitive": False}}) == {}
    assert said({name: {"enabled": True}}) == {}


@pytest.mark.parametrize("name", ["beans", "routes", "threaddump", "flyway", "worker"])
def test_what_shows_the_inside_is_a_warning_where_it_is_open(name: str) -> None:
    (problem,) = said({name: {"sensitive": False}}).values()
    assert problem.severity == "warning"
    assert said({name: {"sensitive": False}, "all": LOG_IN}) == {}


@pytest.mark.parametrize("key", [{"enabled": False}, {"sensitive": True}])
@pytest.mark.parametrize("log_in", [{}, {"all": LOG_IN}])
def test_what_the_probes_ask_stays_there(key: dict[str, Any], log_in: dict[str, Any]) -> None:
    (problem,) = said(log_in | {"health": key}).values()
    assert problem.severity == "error"
    assert "probes" in problem.rule


@pytest.mark.parametrize("name", ["info", "metrics", "prometheus", "loggers", "all"])
def test_closed_to_everybody_is_not_only_with_the_log_in(name: str) -> None:
    block = {name: {"sensitive": True}} if name != "all" else {}
    every = LOG_IN | ({"sensitive": True} if name == "all" else {})
    (problem,) = said({"all": every} | block).values()
    assert problem.severity == "warning"
    assert "logged in or not" in problem.message
    account = {"super-admin": {"username": "a@b.io"}}
    assert said({"all": every} | block, edition="enterprise", security=account) == {}


def test_authenticated_details_are_nobodys_on_the_open_source_edition() -> None:
    block = {"all": LOG_IN, "health": {"details-visible": "AUTHENTICATED"}}
    (problem,) = said(block).values()
    assert (problem.severity, "nobody" in problem.message) == ("warning", True)
    account = {"super-admin": {"username": "a@b.io"}}
    assert said(block, edition="enterprise", security=account) == {}


def test_any_id_is_taken_and_one_that_nobody_knows_is_named() -> None:
    (problem,) = said({"all": LOG_IN, "of-a-plugin": {"enabled": True}}).values()
    assert (problem.path, problem.severity) == ("kestra:endpoints.of-a-plugin", "warning")
    (problem,) = said({"all": LOG_IN, "threadDump": {"sensitive": False}}).values()
    assert (problem.path, problem.severity) == ("kestra:endpoints.threadDump", "error")
    assert problem.fix == "did you mean threaddump"


@pytest.mark.parametrize("name", ["prometheus", "of-a-plugin", "stop", "env"])
def test_keys_that_an_endpoint_does_not_have_are_refused(name: str) -> None:
    problems = said({"all": LOG_IN, name: {"sensitve": False}})
    assert problems[f"kestra:endpoints.{name}.sensitve"].severity == "error"
    problems = said({"all": LOG_IN, name: {"sensitive": "yes"}})
    assert problems[f"kestra:endpoints.{name}.sensitive"].severity == "error"
    problems = said({"all": LOG_IN, name: True})
    assert problems[f"kestra:endpoints.{name}"].severity == "error"
