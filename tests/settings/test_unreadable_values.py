"""Values that no reader of a number, a size, a date or an address takes: a report, and never a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from components.catalogue import catalogue, segments
from components.rendering.addresses import url_path
from components.rendering.configuration import render
from components.settings import SettingsError
from components.settings.report import Problem
from components.stack_config import decode_config
from components.validation import load
from components.validation.catalogue_keys import read
from components.validation.loader import load_stack
from components.validation.schema import Unmodelled
from tests.settings.malformed_fixtures import enterprise, oss, vault

_DIGITS = "9" * 5000


def _problems(document: dict[str, Any]) -> list[Problem]:
    try:
        return list(load_stack(document, source="f").warnings)
    except SettingsError as error:
        return list(error.problems)


@pytest.mark.parametrize(
    "address", ["https://a[9]", "https://[::1", "https://a[9]/x", "http://[x]:9", "https://\u2100"]
)
@pytest.mark.parametrize(
    "place",
    [
        lambda address: oss(url=address, traces={"root": "x"}),
        lambda address: oss(
            deployment={"url": address}, micronaut={"server": {"context-path": "/kestra"}}
        ),
        lambda address: vault(address=address, kubernetes={}),
    ],
    ids=["url", "deployment.url", "vault"],
)
def test_an_address_that_is_none_is_refused(place: Any, address: str) -> None:
    problems = [p for p in _problems(place(address)) if p.severity == "error"]
    assert "names no host and port" in {p.message for p in problems}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a", ""),
        ("https://a/", "/"),
        ("https://a/b/c?d=/e#/f", "/b/c"),
        ("https://u:p@a:1/b", "/b"),
        ("https://a[9]/b", "/b"),
        ("https://a?b=/c", ""),
        ("/only/a/path", ""),
    ],
)
def test_the_path_of_an_address_is_read_whatever_the_host_is(url: str, path: str) -> None:
    assert url_path(url) == path


@pytest.mark.parametrize("port", ["abc", "\u00b2", "", "1e3", _DIGITS, 10**30, True, 1.5])
@pytest.mark.parametrize("key", ["port", "ssl"])
def test_a_port_that_is_none_is_refused_in_additional_configuration(key: str, port: Any) -> None:
    value = port if key == "port" else {"port": port}
    document = oss(additional_configuration={"micronaut": {"server": {key: value}}})
    assert [p for p in _problems(document) if p.severity == "error"]


@pytest.mark.parametrize("expression", [f"^.{{{_DIGITS},}}$", f"^(?=.{{{_DIGITS},}}).*$"])
def test_an_expression_with_an_endless_number_is_refused(expression: str) -> None:
    document = enterprise(version="2.0", security={"basic-auth": {"password-regexp": expression}})
    assert [p for p in _problems(document) if "password-regexp" in p.path]


def test_a_text_that_only_looks_like_a_date_stays_one() -> None:
    text = "2025-13-45 00:00:00 +0000 UTC"
    assert decode_config({"a": f'"{text}"'}, [], None) == {"a": text}


_SIZES = [0, 10485760, "10485760", "10MB", "64mb", "1Gb", "100kb", 20 * 1024**3]
_NO_SIZES = ["10 MB", "10M", "1.5MB", "-1", -1, True, "MB", "10TB", "9" * 40, 2**63, [], "10MiB"]


@pytest.mark.parametrize("size", _SIZES)
def test_a_disk_may_need_every_amount_of_bytes_that_micronaut_reads(size: Any) -> None:
    endpoints = {"health": {"disk-space": {"threshold": size}}}
    document = render(load(oss(endpoints=endpoints), source="f").settings).document
    assert document["endpoints"]["health"]["disk-space"]["threshold"] == size


@pytest.mark.parametrize("size", _NO_SIZES, ids=lambda size: str(size)[:20])
def test_an_amount_that_micronaut_does_not_read_is_refused_with_one_that_it_reads(
    size: Any,
) -> None:
    endpoints = {"health": {"disk-space": {"threshold": size}}}
    [problem] = [p for p in _problems(oss(endpoints=endpoints)) if p.severity == "error"]
    assert problem.path == "kestra:endpoints.health.disk-space.threshold"
    assert problem.fix.endswith(("10MB", "write a smaller number"))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("size", _SIZES, _NO_SIZES),
        ("duration", ["5s", "500ms", "PT1M30S", "P7D"], ["5", "5 s", "1M", "0.5s", "1m30s"]),
    ],
)
def test_every_key_of_a_size_or_a_duration_takes_the_forms_that_micronaut_reads(
    kind: str, good: list[Any], bad: list[Any]
) -> None:
    keys = [key for key in catalogue() if key.type == kind and not key.owner]
    assert len(keys) > 15
    forms = [*((value, True) for value in good), *((value, False) for value in bad)]
    for position, key in enumerate(keys):
        parts = segments(key.key)
        first, *below = parts[1:] if parts[0] == "kestra" else parts
        # Every form for some keys, and of each other one a right and a wrong one.
        for value, is_good in forms if position % 16 == 0 else (forms[0], forms[-1]):
            node = value
            for part in reversed(below):
                node = [node] if part == "[]" else {"one" if part == "*" else part: node}
            problems = read([Unmodelled((first,), (first,), node)]).problems
            assert bool(problems) is not is_good, (key.key, value, problems)
