"""How the rows of the catalogue come to be, from facts of artifacts and rows of the documentation."""

from __future__ import annotations

from typing import Any

import pytest

from components.catalogue import CatalogueKey
from components.catalogue.evidence import Evidence
from components.catalogue.generate import merged
from components.catalogue.java_types import keys_of, parse

ENTRY: dict[str, Any] = {"parent": "java.lang.Record", "enum": False}
CLASSES = {
    "io.kestra.Endpoint": ENTRY
    | {
        "fields": [
            {"name": "hostName", "type": "Ljava/lang/String;"},
            {"name": "port", "type": "I"},
        ]
    },
    "io.kestra.Level": ENTRY | {"enum": True, "fields": []},
}


@pytest.mark.parametrize(
    ("signature", "keys"),
    [
        ("boolean", [("", "boolean")]),
        ("java.lang.String", [("", "text")]),
        ("java.time.Duration", [("", "duration")]),
        ("J", [("", "number")]),
        ("[Ljava/lang/String;", [("", "list")]),
        ("Ljava/util/List<Ljava/lang/String;>;", [("", "list")]),
        ("Ljava/util/Optional<Ljava/time/Duration;>;", [("", "duration")]),
        ("Ljava/util/Map<Ljava/lang/String;Ljava/lang/Object;>;", [("", "map")]),
        ("Ljava/util/Map<Ljava/lang/String;Lio/kestra/Level;>;", [("", "map")]),
        ("Ljava/util/List<Lio/kestra/Level;>;", [("", "list")]),
        ("Ljava/util/List<Lio/kestra/Endpoint;>;", [("[].host-name", "text"), ("[].port", "number")]),
        (
            "Ljava/util/Map<Ljava/lang/String;Lio/kestra/Endpoint;>;",
            [(".*.host-name", "text"), (".*.port", "number")],
        ),
        ("io.kestra.Endpoint", [(".host-name", "text"), (".port", "number")]),
        # What no text gives has no keys.
        ("java.util.concurrent.ThreadFactory", []),
        ("Ljava/util/List<Lio/grpc/ClientInterceptor;>;", []),
    ],
)  # fmt: skip
def test_a_java_type_has_these_keys(signature: str, keys: list[tuple[str, str]]) -> None:
    assert list(keys_of(parse(signature), CLASSES)) == keys


def fact(key: str, version: str = "2.0", kind: str = "text", **more: Any) -> Evidence:
    fields: dict[str, Any] = {"default": "", "source": "a jar", "rank": 0} | more
    return Evidence(key=key, type=kind, version=version, **fields)


def page(key: str, kind: str = "text", versions: str = "1.3+", **more: str) -> dict[str, str]:
    fields = {"edition": "oss", "sensitive": "no", "page": "/docs/page"} | more
    return {"key": key, "type": kind, "versions": versions} | fields


def one(facts: list[Evidence], pages: list[dict[str, str]], *decisions: str) -> CatalogueKey:
    rows = merged(facts, pages, [], [_decision(text) for text in decisions])
    assert len(rows) == 1
    return rows[0]


def _decision(text: str) -> dict[str, str]:
    key, column, value = text.split(" ")
    return {"key": key, "column": column, "value": value, "reason": ""}


def test_an_artifact_says_type_and_default_and_the_documentation_secrecy_and_edition() -> None:
    facts = [
        fact("kestra.a.b", "1.3", "duration", default="1s", rank=1),
        fact("kestra.a.b", "2.0", "number", default="7"),
    ]
    row = one(facts, [page("kestra.a.b", edition="enterprise", sensitive="yes")])
    assert row == CatalogueKey(
        "kestra.a.b", "number", "enterprise", "1.3", "", True, "7", "a jar", ""
    )


@pytest.mark.parametrize(
    ("versions", "documented", "since", "until"),
    [
        (["2.0"], None, "2.0", ""),
        (["1.3"], None, "", "1.3"),
        (["1.3", "2.0"], None, "", ""),
        # A module that is not published may read what a page names.
        (["2.0"], "1.3+", "1.3", ""),
        (["1.3"], "1.3+", "1.3", ""),
        # A page of 2.0 does not say that 1.3 lacks it.
        (["1.3", "2.0"], "2.0+", "1.3", ""),
        (["2.0"], "unknown", "2.0", ""),
        (["1.3"], "unknown", "", "1.3"),
        ([], "-0.22", "", "0.22"),
        ([], "2.0+", "2.0", ""),
    ],
)
def test_versions_come_from_artifacts_and_pages(
    versions: list[str], documented: str | None, since: str, until: str
) -> None:
    pages = [page("kestra.a", versions=documented)] if documented else []
    row = one([fact("kestra.a", version) for version in versions], pages)
    assert (row.since, row.until) == (since, until)


def test_a_name_of_a_secret_is_sensitive_unless_it_is_decided_otherwise() -> None:
    assert one([fact("kestra.a.client-secret")], []).sensitive
    assert one([fact("kestra.a.connection-string")], []).sensitive
    assert not one([fact("kestra.a.password-enabled", kind="boolean")], []).sensitive
    assert not one([fact("kestra.a.token")], [], "kestra.a.token sensitive no").sensitive


def test_a_condition_that_names_a_block_is_no_key() -> None:
    facts = [fact("kestra.a", rank=3), fact("kestra.a.b")]
    assert [row.key for row in merged(facts, [], [], [])] == ["kestra.a.b"]


def test_a_decision_drops_a_key_or_all_below_a_block() -> None:
    facts = [fact("kestra.a"), fact("kestra.b.c"), fact("kestra.d")]
    decisions = [_decision("kestra.a drop "), _decision("kestra.b. drop ")]
    assert [row.key for row in merged(facts, [], [], decisions)] == ["kestra.d"]


def test_a_key_that_a_model_has_names_its_setting() -> None:
    row = one([], [page("kestra.server.liveness.timeout", "duration")])
    assert row.owner == "model:server.liveness.timeout"
    row = one([], [page("datasources.*.url")])
    assert row.owner == "model:datasources.*.url"
