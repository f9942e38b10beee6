"""What a variable sets, asked of a real Micronaut context of Kestra's class path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.validation.rules.setting_names import setting_keys
from policy.environment_variables import bind, canonical
from sandbox.kestra import RELEASES, ensure
from sandbox.progress import Progress
from sandbox.verify.boot import boot
from tests.kestra.harness_support import with_class

pytestmark = pytest.mark.kestra

#: Each of them below a key of its own, since all of them are the environment of one process.
TABLE = (
    "KESTRA_A1_PLAIN", "KESTRA_A2_TWO_WORDS", "kestra_a3_lower_case", "Kestra_aFour_mIxed",
    "KESTRA_A5__DOUBLE", "KESTRA_A6_TRAIL_", "KESTRA__A7", "_KESTRA_A8", "KESTRAA9",
    "KESTRA_B1_0", "KESTRA_B2_12", "KESTRA_B3_123", "KESTRA_B4_0_NAME", "KESTRA_B5_0__NAME",
    "KESTRA_B6_0__TWO_WORDS", "KESTRA_B7_0_1", "KESTRA_B8_0__LIST_1", "KESTRA_B9_0_NAME_2",
    "KESTRA_C1_0__LIST_1__NAME", "KESTRA_C2_1A_X", "KESTRA_C3_0___X", "KESTRA_C4_0__A_0_B",
    "KESTRA_SERVER_BASICAUTH_PASSWORD", "KESTRA_SERVER_BASIC__AUTH_REALM",
    "KESTRA_STORAGE_S3_STS_ROLE_EXTERNAL_ID", "KESTRA_STORAGE_S3_BUCKET", "KESTRA_STORAGE_TYPE",
    "KESTRA_VARIABLES_ENV_VARS_PREFIX", "MICRONAUT_SERVER_CONTEXTPATH", "MICRONAUT_SERVER_PORT",
    "MICRONAUT_SERVER_SSL_ENABLED", "MICRONAUT_SECURITY_ENABLED", "ENDPOINTS_ALL_PORT",
    "ENDPOINTS_ANY_ID_ENABLED", "DATASOURCES_POSTGRES_CONNECTION_TIMEOUT",
    "DATASOURCES_MY_DB_URL", "STACK_KESTRA_URL", "ENV_KESTRA_URL", "X_SERVICE_PORT",
)  # fmt: skip

#: Keys that some of them could be taken to set.
MEANT = (
    "kestra.a2.two-words", "kestra.a3.lower-case", "kestra.a-four.m-ixed", "kestra.afour.mixed",
    "kestra.a5.double", "kestra.a6.trail", "kestra.a7", "kestra.a8", "kestra.b3", "kestra.b3[123]",
    "kestra.b4", "kestra.b4[0].name", "kestra.b5[0].name", "kestra.b6[0].two-words", "kestra.b7[0]",
    "kestra.b8[0].list[1]", "kestra.c1[0].list[1].name", "kestra.server.basic-auth.password",
    "kestra.server.basic-auth.realm", "kestra.url", "micronaut.server.context-path",
    "kestra.storage.s3.sts-role-external-id", "kestra.variables.env-vars-prefix",
)  # fmt: skip


#: Texts of JSON that are configuration where Micronaut reads them.
SPRING = {"SPRING_APPLICATION_JSON": '{"kestra": {"from": {"spring": "1"}}}'}
MICRONAUT = {"MICRONAUT_APPLICATION_JSON": '{"kestra": {"from": {"micronaut": "1"}}}'}
OF_JSON = ["kestra.from.spring", "kestra.from.micronaut"]


def _ask(
    version: str, folder: Path, job: dict[str, Any], texts: dict[str, str] | None = None
) -> dict[str, Any]:
    source = Path(__file__).with_name("Variables.java")
    harness = with_class(ensure(version, Progress()), source, folder)
    variables = {name: f"value of {name}" for name in TABLE} | (texts or {})
    return boot(harness, variables, folder, {"runs": [job]}, main="Variables")["runs"][0]


def _keys() -> Iterator[str]:
    yield from MEANT
    yield from (key.replace("*", "postgres") for key in setting_keys())
    for binding in map(bind, TABLE):
        yield binding.key
        yield from binding.names()


@pytest.mark.parametrize("version", list(RELEASES))
def test_micronaut_finds_a_key_where_one_of_the_variables_sets_it(
    version: str, tmp_path: Path
) -> None:
    keys = [key for key in dict.fromkeys(_keys()) if key[0].isalpha()]
    job = {"properties": [*keys, *OF_JSON], "maps": ["kestra.storage.s3"]}
    answer = _ask(version, tmp_path, job, SPRING | MICRONAUT)
    values = answer["values"]
    assert [key for key in OF_JSON if key in values] == ["kestra.from.spring"]
    bindings = [bind(name) for name in TABLE]
    for key in keys:
        setting = [b for b in bindings if b.sets(key)]
        assert (key in values) is bool(setting), key
        if setting and key in values and not setting[0].has_index:
            assert values[key] == f"value of {setting[0].variable}"
    for binding in bindings:
        if binding.has_index and binding.key[0].isalpha():
            items = values[binding.key]
            assert isinstance(items, list)
            index = int(re.search(r"\[(\d+)\]", binding.path)[1])  # type: ignore[index]
            lost = f"value of {binding.variable}" not in _texts(items)
            assert lost is binding.is_null_item, binding.variable
            if lost and binding.path.count("[") == 1:
                assert items[index] is None
    storage = answer["maps"]["kestra.storage.s3"]
    for binding in bindings:
        block: Any = storage
        for name in binding.map_names("kestra.storage.s3"):
            block = block[name]
        assert block is storage or block == f"value of {binding.variable}"


@pytest.mark.parametrize("version", list(RELEASES))
def test_micronaut_reads_its_own_json_where_that_of_spring_is_not_set(
    version: str, tmp_path: Path
) -> None:
    values = _ask(version, tmp_path, {"properties": OF_JSON}, MICRONAUT)["values"]
    assert list(values) == ["kestra.from.micronaut"]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for item in node.values():
            yield from _texts(item)
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif node is not None:
        yield str(node)


def test_spellings_of_a_key_are_one() -> None:
    spellings = ("kestra.server.basicAuth.openUrls", "kestra.server.basic-auth.open-urls")
    assert len({canonical(key) for key in spellings}) == 1
    assert bind("KESTRA_SERVER_BASIC_AUTH_OPEN_URLS_0").sets(spellings[0])
