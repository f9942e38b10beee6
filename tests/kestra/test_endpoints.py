"""Every management endpoint, with and without the log-in, at a real management server of each version."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kestra import RELEASES
from sandbox.progress import Progress
from tests.kestra.endpoints_support import LOG_IN, Answers, ask, rendered

pytestmark = [pytest.mark.kestra]

PROBES = ("/health", "/health/liveness", "/health/readiness")
READABLE = ("/info", "/metrics", "/prometheus", "/loggers")
INSIDE = ("/worker", "/scheduler", "/beans", "/routes", "/threaddump", "/flyway", "/refresh")
OFF = ("/env", "/stop", "/caches")
WRITE = "/loggers/io.kestra"
PATHS = (*PROBES, *READABLE, WRITE, *INSIDE, "/ways", "/env", "/caches", "/stop")

SETTINGS: dict[str, dict[str, Any]] = {
    "log-in": {"all": LOG_IN},
    "no log-in": {},
    "all closed by hand": {"all": LOG_IN | {"sensitive": True}},
    "all opened to the log-in": {"all": LOG_IN | {"sensitive": False}},
    "all opened": {"all": {"sensitive": False}},
    "by id": {
        "all": LOG_IN,
        "health": {"details-visible": "NEVER"},
        "prometheus": {"enabled": False},
        "loggers": {"write-sensitive": False},
        "scheduler": {"sensitive": False},
        "threaddump": {"sensitive": False},
        "routes": {"sensitive": False, "path": "/ways"},
        "stop": {"enabled": True, "sensitive": False},
    },
    "prometheus opened": {"prometheus": {"sensitive": False}},
}


@pytest.fixture(scope="module", params=list(RELEASES))
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def answers(
    version: str, tmp_path_factory: pytest.TempPathFactory, progress: Progress
) -> dict[str, Answers]:
    configurations = {name: rendered(version, settings) for name, settings in SETTINGS.items()}
    # What was rendered until 0.1.0: nobody reads anything.
    configurations["as it was"] = {
        "all": LOG_IN | {"sensitive": True},
        "health": {"sensitive": False, "details-visible": "AUTHENTICATED"},
    }
    return ask(version, configurations, PATHS, tmp_path_factory.mktemp("endpoints"), progress)


@pytest.mark.parametrize(
    "name", [name for name, block in SETTINGS.items() if "basic-auth" in block.get("all", {})]
)
def test_without_the_log_in_nothing_answers(answers: dict[str, Answers], name: str) -> None:
    for path in PATHS:
        for who in ("nobody", "wrong"):
            assert answers[name].status(path, who) in (401, 404), (path, who)
            assert "levels" not in answers[name].body(path, who)


def test_with_the_log_in_probes_and_monitoring_read(answers: dict[str, Answers]) -> None:
    answer = answers["log-in"]
    assert {path: answer.status(path) for path in (*PROBES, *READABLE)} == dict.fromkeys(
        (*PROBES, *READABLE), 200
    )
    assert "# TYPE" in answer.body("/prometheus")
    assert '"details"' in answer.body("/health")


def test_with_the_log_in_what_shows_or_changes_the_inside_stays_closed(
    answers: dict[str, Answers],
) -> None:
    answer = answers["log-in"]
    assert answer.status(WRITE) == 401
    assert {answer.status(path) for path in INSIDE} <= {401, 404}
    assert {answer.status(path) for path in OFF} <= {401, 404}


def test_what_was_rendered_before_let_nobody_read(answers: dict[str, Answers]) -> None:
    answer = answers["as it was"]
    assert {answer.status(path) for path in READABLE} == {401}


def test_without_a_log_in_only_probes_read(answers: dict[str, Answers], version: str) -> None:
    answer = answers["no log-in"]
    assert {answer.status(path, "nobody") for path in PROBES} == {200}
    assert '"details"' not in answer.body("/health", "nobody")
    # 2.0 leaves metrics and levels of the log to whoever reaches the port.
    open_to_all = {path for path in READABLE if answer.status(path, "nobody") == 200}
    assert open_to_all == (set() if version == "1.3" else {"/metrics", "/loggers"})
    for path in (WRITE, *INSIDE, *OFF):
        assert answer.status(path, "nobody") in (401, 404), path


def test_who_closes_all_by_hand_keeps_it_closed(answers: dict[str, Answers]) -> None:
    answer = answers["all closed by hand"]
    assert {answer.status(path) for path in PROBES} == {200}
    assert {answer.status(path) for path in (*READABLE, WRITE, *INSIDE)} <= {401, 404}


def test_who_opens_all_by_hand_keeps_it_open(answers: dict[str, Answers]) -> None:
    for name, who in (("all opened to the log-in", "log-in"), ("all opened", "nobody")):
        answer = answers[name]
        for path in (*READABLE, "/routes", "/threaddump"):
            assert answer.status(path, who) == 200, (name, path)
        # The inside, and what changes the server, is closed all the same.
        closed = {answer.status(path, who) for path in (*OFF, WRITE)}
        assert closed <= {401, 404}, name


def test_every_id_is_opened_and_closed_by_itself(answers: dict[str, Answers]) -> None:
    answer = answers["by id"]
    assert answer.status("/prometheus") == 404
    assert answer.status(WRITE) == 200
    assert {answer.status(path) for path in ("/scheduler", "/threaddump", "/ways", "/stop")} == {
        200
    }
    assert answer.status("/routes") == 404
    assert answer.body("/health") == '{"status":"UP"}'
    assert answer.status("/metrics") == 200
    opened = answers["prometheus opened"]
    assert opened.status("/prometheus", "nobody") == 200
    assert opened.status("/threaddump", "nobody") == 401
