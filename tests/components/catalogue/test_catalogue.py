"""The committed catalogue: its form, what is in it, and how a path is looked up."""

from __future__ import annotations

import re

import pytest

from components.catalogue import (
    COLUMNS,
    KEYS,
    TYPES,
    KeyPath,
    Kind,
    catalogue,
    lookup,
    read,
    segments,
)
from components.catalogue.generate import rows
from tests.components.catalogue.coverage_support import blocks

#: Keys of Kestra's documentation, the denominator of coverage: it may only grow.
DOCUMENTED = 635
_KEY = re.compile(r"[\w*-]+(\[\])*(\.[\w*-]+(\[\])*)*")
_VERSION = re.compile(r"(\d+\.\d+)?")
_OWNER = re.compile(r"|deployment\.[a-z-]+|identity|store|model:[\w.*-]+")


def test_every_row_has_the_form_of_its_columns() -> None:
    head, *lines = KEYS.read_text(encoding="utf-8").splitlines()
    assert tuple(head.split("\t")) == COLUMNS
    assert {len(line.split("\t")) for line in lines} == {len(COLUMNS)}
    wrong = [
        row.key
        for row in read()
        if not _KEY.fullmatch(row.key)
        or row.type not in TYPES
        or row.edition not in ("oss", "enterprise", "unknown")
        or not _VERSION.fullmatch(row.since)
        or not _VERSION.fullmatch(row.until)
        or not row.source
        or not _OWNER.fullmatch(row.owner)
    ]
    assert wrong == []
    assert {line.split("\t")[5] for line in lines} == {"yes", "no"}


def test_rows_are_sorted_and_each_key_stands_once() -> None:
    keys = [row.key for row in read()]
    assert keys == sorted(set(keys))


def test_every_documented_key_is_in_the_catalogue() -> None:
    documented = {row["key"] for row in rows("documented.tsv")}
    assert len(documented) >= DOCUMENTED
    assert documented - catalogue().keys.keys() == set()


def test_a_key_that_is_documented_as_sensitive_is_so_here() -> None:
    secret = {row["key"] for row in rows("documented.tsv") if row["sensitive"] == "yes"}
    assert {key for key in secret if not catalogue().keys[key].sensitive} == set()


def test_every_key_of_every_documented_block_is_known() -> None:
    unknown = {
        key
        for _, keys in blocks()
        for key in keys
        if lookup(tuple(0 if part == "[]" else part for part in segments(key))).kind == "unknown"
    }
    # Written on one page in the place of the name of a secret manager.
    assert unknown == {"kestra.secret.*.tags"}


def test_every_decision_is_about_a_key_that_there_is_or_drops_one() -> None:
    for decision in rows("decisions.tsv"):
        keys = [
            key
            for key in catalogue().keys
            if key == decision["key"]
            or (decision["key"].endswith(".") and key.startswith(decision["key"]))
        ]
        assert (keys == []) is (decision["column"] == "drop"), decision["key"]


#: A path, what it is, its canonical path, and how many of its parts are known.
LOOKUPS: list[tuple[KeyPath, Kind, KeyPath, int]] = [
    (("kestra", "url"), "key", ("kestra", "url"), 2),
    (("kestra", "server", "liveness", "initialDelay"), "key", ("kestra", "server", "liveness", "initial-delay"), 4),
    (("kestra.server.liveness", "initial_delay"), "key", ("kestra", "server", "liveness", "initial-delay"), 4),
    (("kestra", "ai", "providers", 3, "displayName"), "key", ("kestra", "ai", "providers", 3, "display-name"), 5),
    (("kestra", "ai", "providers"), "block", ("kestra", "ai", "providers"), 3),
    (("kestra", "ai", "providers", "type"), "unknown", ("kestra", "ai", "providers", "type"), 3),
    (("datasources", "myDb", "maximumPoolSize"), "key", ("datasources", "myDb", "maximum-pool-size"), 3),
    (("micronaut", "http", "services", "api", "followRedirects"), "key", ("micronaut", "http", "services", "api", "follow-redirects"), 5),
    (("micronaut", "http", "services", "api", "pathX"), "unknown", ("micronaut", "http", "services", "api", "pathX"), 4),
    # What only the row with the star has.
    (("micronaut", "http", "services", "api", "readTimeout"), "key", ("micronaut", "http", "services", "api", "read-timeout"), 5),
    (("kestra", "variables", "globals", "aB", "c.d"), "inside", ("kestra", "variables", "globals", "aB", "c.d"), 3),
    (("kestra.variables.globals.aB",), "inside", ("kestra", "variables", "globals", "aB"), 3),
    (("kestra", "local-files", "allowedPaths", 0), "inside", ("kestra", "local-files", "allowed-paths", 0), 3),
    (("kestra", "local-files", "allowedPaths", "a"), "unknown", ("kestra", "local-files", "allowed-paths", "a"), 3),
    (("otel", "traces", "sampler.arg"), "key", ("otel", "traces", "sampler", "arg"), 4),
    (("kestra", "securty"), "unknown", ("kestra", "securty"), 1),
    (("kestra",), "block", ("kestra",), 1),
    (("nothing", "here"), "unknown", ("nothing", "here"), 0),
    (("kestra", "ai", "gemini", "apiKey"), "key", ("kestra", "ai", "gemini", "api-key"), 4),
    (("micronaut", "security", "ldap", "corp", "context", "server"), "key", ("micronaut", "security", "ldap", "corp", "context", "server"), 6),
    # Nobody means so many levels.
    (("datasources." + "a." * 40 + "url",), "unknown", ("datasources." + "a." * 40 + "url",), 0),
    (("datasources.a.b.url",), "key", ("datasources", "a.b", "url"), 3),
    (("kestra", -1), "unknown", ("kestra", -1), 1),
    (("kestra", ""), "unknown", ("kestra", ""), 1),
    ((), "block", (), 0),
]  # fmt: skip


@pytest.mark.parametrize(("path", "kind", "canonical", "known"), LOOKUPS)
def test_a_path_is_looked_up(path: KeyPath, kind: Kind, canonical: KeyPath, known: int) -> None:
    match = lookup(path)
    assert (match.kind, match.path, match.known) == (kind, canonical, known)
    assert (match.key is not None) is (kind in ("key", "inside"))


def test_an_unknown_path_tells_the_names_beside_it() -> None:
    assert "security" in lookup(("kestra", "securty")).names
    assert set(lookup(("nothing",)).names) == set(catalogue().roots)


def test_a_key_knows_its_versions() -> None:
    keys = catalogue().keys
    assert [keys["kestra.plugins.defaults[].type"].is_in(v) for v in ("1.3", "2.0")] == [
        True,
        False,
    ]
    assert [keys["kestra.grpc.reflection-enabled"].is_in(v) for v in ("1.3", "2.0")] == [
        False,
        True,
    ]
    assert [keys["kestra.heartbeat.frequency"].is_in(v) for v in ("1.3", "2.0")] == [False, False]
    assert [keys["kestra.ee.tenants.fallback-tenant"].is_in(v) for v in ("1.3", "2.0")] == [
        True,
        True,
    ]
    assert [keys["kestra.url"].is_in(v) for v in ("1.3", "2.0")] == [True, True]
