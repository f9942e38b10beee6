"""The effective configuration under the real engine, with names and values that only the update knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.policy.analyzer_support import R
from tests.policy.engine_support import JudgedStack
from tests.policy.kestra_stack_support import CLEAR, config_map, deployment, env, without
from tests.policy.test_engine import Found

pytestmark = pytest.mark.engine

ADVICE = {"all": "advisory"}
PREFIX = "KESTRA_VARIABLES_ENV_VARS_PREFIX"
KEY = "KESTRA_ENCRYPTION_SECRET_KEY"


@pytest.fixture
def judged(tmp_path: Path, tools: dict[str, Path]) -> Callable[[str], JudgedStack]:
    return lambda name: JudgedStack(tmp_path / name, tools["pulumi"], name)


def _program(prefix: str, entries: list[dict[str, Any]]) -> Callable[[], None]:
    """A stack whose file has no encryption key, and whose names and prefix come from other resources."""

    def program() -> None:
        named = Found(R("kubernetes:core/v1:ConfigMap", {"metadata": {}}, "names"), later="kestra")
        prefixed = Found(
            R("kubernetes:core/v1:ConfigMap", {"metadata": {}}, "prefix"), later=prefix
        )
        file = config_map(without("kestra.encryption"))
        Found(R(file.type, {"data": file.props["data"]}, "file"),
              metadata={"name": named.found, "namespace": "kestra"})  # fmt: skip
        Found(
            R("kubernetes:core/v1:Secret", {"metadata": {"name": "key", "namespace": "kestra"}}, "secret"),
            stringData={KEY: pulumi.Output.secret(CLEAR)},
        )  # fmt: skip
        spec = deployment(
            [*entries, {"name": PREFIX, "value": prefixed.found}],
            volumes=[{"name": "configuration", "configMap": {"name": named.found}}],
            envFrom=[{"secretRef": {"name": "key"}}],
        )
        Found(R(spec.type, spec.props, "server"))

    return program


def test_a_variable_of_a_secret_and_a_file_of_a_later_name_are_seen(
    judged: Callable[[str], JudgedStack],
) -> None:
    stack = judged("kestra-prod")
    accepted, said = stack.run(_program("", []), ADVICE, preview=True)
    assert accepted, said
    assert "ks-kestra-01" not in said
    assert "ks-kestra-13" not in said
    accepted, said = stack.run(_program("", []), ADVICE)
    assert accepted, said
    assert "ks-kestra-01" not in said
    assert f"the variable {PREFIX}" in said
    assert CLEAR not in said


def test_a_variable_that_empties_the_key_refuses_the_preview(
    judged: Callable[[str], JudgedStack],
) -> None:
    levels = ADVICE | {"ks-kestra-01": "mandatory"}
    stack = judged("kestra-prod")
    program = _program("ENV_", env(**{KEY: ""}))
    accepted, said = stack.run(program, levels, preview=True)
    assert not accepted
    assert "has no encryption key" in said
    assert f"the variable {KEY}" in said
    assert "ks-kestra-13" not in said
    assert stack.run(_program("ENV_", []), levels, preview=True)[0]
