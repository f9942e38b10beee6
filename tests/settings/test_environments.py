"""Stack files whose other half is an environment of Pulumi ESC: what `check` makes of them, opened and not."""

from __future__ import annotations

import copy
import functools
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from components.__main__ import main
from components.settings import SettingsError
from components.stack_config import decode_config
from components.validation import Loaded, load_file
from components.validation.environments import merged, opened
from components.validation.loader import load_stack
from tests.conftest import ROOT

PLANTED = "Pl4nted-Environment-Vz58"


def detailed(value: Any, *, secret: bool = False) -> dict[str, Any]:
    """A value in the form that `pulumi env open --format detailed` prints."""
    if isinstance(value, SecretStr):
        return detailed(value.get_secret_value(), secret=True)
    if isinstance(value, dict):
        value = {name: detailed(item) for name, item in value.items()}
    elif isinstance(value, list):
        value = [detailed(item) for item in value]
    return {"value": value, **({"secret": True} if secret else {}), "trace": {"def": {}}}


def plain(value: Any) -> Any:
    """The same in the form `json`."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def stack_file(
    folder: Path, config: Mapping[str, Any], environment: Any = ("kestra/test",)
) -> Path:
    """A stack file that names an environment."""
    file = folder / "Pulumi.test.yaml"
    environment = list(environment) if isinstance(environment, tuple) else environment
    document = {"environment": environment, "config": dict(config)}
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def load(file: Path, *environments: Mapping[str, Any]) -> Loaded:
    """The file with environments that bring this configuration."""
    values = [detailed({"pulumiConfig": dict(one)}) for one in environments]
    return load_file(file, None, [opened(one) for one in values])


LOG_IN = {"kestra:server": {"basic-auth": {"username": "a@b.c"}}}


def test_what_the_file_has_wins_and_blocks_are_merged_key_by_key(tmp_path: Path) -> None:
    file = stack_file(
        tmp_path,
        {
            "kestra:datasources": {
                "postgres": {"url": "jdbc:file", "password": {"secure": "v1:x"}}
            },
            "deployment": {"environment-from": ["file"], "url": None},
        },
    )
    environment = {
        "server": LOG_IN["kestra:server"],
        "kestra:datasources": {
            "postgres": {"url": "jdbc:environment", "username": "kestra", "password": SecretStr(PLANTED)}
        },
        "kestra:deployment": {"environment-from": ["a", "b"], "namespace": "brought", "url": "https://a.b"},
        "kestra:tags": {"owner": "first"},
        "aws:region": "eu-west-1",
    }  # fmt: skip
    later = {"kestra:tags": {"owner": "second"}}
    settings = load(file, environment, later).settings
    postgres = settings.datasources["postgres"]
    assert (postgres.url, postgres.username) == ("jdbc:file", "kestra")
    # What is encrypted in the file is a value, and no block to merge with.
    assert postgres.password != SecretStr(PLANTED)
    assert settings.deployment.environment_from == ("file",)
    assert (settings.deployment.namespace, settings.deployment.url) == ("brought", None)
    assert settings.tags.owner == "second"


@pytest.mark.parametrize("form", [detailed, plain])
def test_secrets_of_an_environment_are_secrets_of_the_settings(form: Any, tmp_path: Path) -> None:
    file = stack_file(tmp_path, LOG_IN)
    config = {
        "kestra:datasources": {"postgres": {"url": "jdbc:x", "password": SecretStr(PLANTED)}},
        "kestra:deployment": {"environment": {"TOKEN": SecretStr(PLANTED)}, "namespace": "kestra"},
    }
    loaded = load_file(file, None, [opened(form({"pulumiConfig": config}))])
    assert loaded.settings.datasources["postgres"].password == SecretStr(PLANTED)
    assert loaded.settings.deployment.environment == {"TOKEN": SecretStr(PLANTED)}
    assert loaded.is_complete
    assert not loaded.warnings
    assert PLANTED not in repr(loaded)


def test_a_secret_in_clear_in_an_environment_is_warned_of(tmp_path: Path) -> None:
    loaded = load(
        stack_file(tmp_path, LOG_IN),
        {"kestra:datasources": {"h2": {"url": "jdbc:x", "password": PLANTED}}},
    )
    (warning,) = loaded.warnings
    assert warning.path == "kestra:datasources.h2.password"
    assert PLANTED not in warning.line()


#: What an environment brings, and what is wrong with it or with the whole.
WRONG: dict[str, tuple[Any, str]] = {
    "kestra:deployment": ({"namespace": "Not_A_Name"}, "kestra:deployment.namespace: has a form"),
    "kestra:queue": ({"type": "mysql"}, "mysql has no datasource"),
    "kestra:deploymnt": ({"namespace": "x"}, "kestra:deploymnt: is no known key"),
    "kestra:server": ({"basicAuth": {"username": "c@d.e"}}, "is written twice"),
}


@pytest.mark.parametrize("key", WRONG)
def test_errors_of_the_whole_are_found_with_the_opened_environment(
    key: str, tmp_path: Path
) -> None:
    value, message = WRONG[key]
    with pytest.raises(SettingsError) as raised:
        load(stack_file(tmp_path, LOG_IN), {key: value})
    assert message in raised.value.report()


def test_without_the_environment_nothing_is_said_of_what_the_file_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = stack_file(
        tmp_path, {"kestra:queue": {"type": "postgres"}, "kestra:datasources": {"postgres": {}}}
    )
    assert main(["check", str(file)]) == 0
    said = capsys.readouterr().err
    assert "environment brings settings from kestra/test, which nobody has opened here" in said
    assert "is missing" not in said
    for command in ("render", "network"):
        assert main([command, str(file)]) == 1
        assert "add --esc FILE" in capsys.readouterr().err
    wrong = stack_file(tmp_path, {"kestra:deployment": {"namespace": "Not_A_Name", "modus": 1}})
    assert main(["check", str(wrong)]) == 1
    said = capsys.readouterr().err
    assert "2 problems" in said


def test_a_file_without_environments_is_judged_as_a_whole(tmp_path: Path) -> None:
    for nothing in (None, [], {}, {"imports": []}):
        with pytest.raises(SettingsError) as raised:
            load_file(stack_file(tmp_path, {}, nothing))
        assert "kestra:server.basic-auth: is missing" in raised.value.report()


@pytest.mark.parametrize("wrong", ["a/b", 5, [5], [["a"]], {"imports": "a"}, [{"a": {}, "b": {}}]])
def test_a_block_that_names_no_environments_is_refused(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load_file(stack_file(tmp_path, LOG_IN, wrong))
    assert "environment: is no list of environments" in raised.value.report()


@pytest.mark.parametrize(
    "form",
    [["a/b", {"c/d": {"merge": False}}], {"imports": ["a/b"], "values": {"pulumiConfig": {}}}],
)
def test_environments_are_named_in_each_of_pulumis_forms(form: Any, tmp_path: Path) -> None:
    loaded = load_file(stack_file(tmp_path, LOG_IN, form))
    assert any("a/b" in note for note in loaded.notes)
    assert not loaded.is_complete


def test_what_an_environment_does_not_show_is_said_and_not_judged(tmp_path: Path) -> None:
    file = stack_file(tmp_path, LOG_IN)
    hidden = {"pulumiConfig": {"kestra:deployment": {"namespace": "[unknown]", "mode": "standalone"},
                               "kestra:datasources": {"h2": {"url": "jdbc:x", "password": "[secret]"}}}}  # fmt: skip
    loaded = load_file(file, None, [opened(hidden)])
    assert {one.path for one in loaded.unread} == {
        "kestra:deployment.namespace",
        "kestra:datasources.h2.password",
    }
    with pytest.raises(SettingsError):
        loaded.completed()
    unknown = detailed({"pulumiConfig": {}})
    unknown["value"]["pulumiConfig"]["value"]["kestra:url"] = {"unknown": True, "secret": True}
    assert [one.path for one in load_file(file, None, [opened(unknown)]).unread] == ["kestra:url"]


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "x",
        {"pulumiConfig": 5},
        {"value": {"pulumiConfig": 5}},
        {"value": {"pulumiConfig": {"value": {"kestra:url": 5}}}},
        {
            "pulumiConfig": {
                "kestra:tags": functools.reduce(lambda inner, _: [inner], range(900), "x")
            }
        },
    ],
)
def test_what_is_no_opened_environment_is_refused(
    wrong: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((ValueError, RecursionError)):
        opened(wrong)
    values = tmp_path / "environment.json"
    values.write_text(json.dumps(wrong))
    with pytest.raises(SystemExit):
        main(["check", str(stack_file(tmp_path, LOG_IN)), "--esc", str(values)])
    assert "pulumi env open NAME --format detailed" in capsys.readouterr().err


def test_an_environment_comes_by_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = stack_file(tmp_path, {"kestra:tags": {"owner": "a"}})
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"pulumiConfig": LOG_IN})))
    assert main(["check", str(file), "--esc", "-"]) == 0
    assert "opened" not in capsys.readouterr().err


def test_any_block_of_a_stack_file_may_be_in_an_environment(tmp_path: Path) -> None:
    """No error without the environment, the same settings with it."""
    original = ROOT / "stacks" / "Pulumi.local.yaml"
    config, whole = yaml.safe_load(original.read_text())["config"], load_file(original).settings
    for key in config:
        rest = {other: value for other, value in config.items() if other != key}
        file = stack_file(tmp_path, rest)
        assert not load_file(file).is_complete
        assert load(file, {key: config[key]}).settings == whole, key


def test_the_program_refuses_what_check_refuses_where_an_environment_brings_more(
    tmp_path: Path,
) -> None:
    """Encrypted in the file under a key that is not sensitive, in a block of which the environment has a part."""
    encrypted = {"secure": "v1:x"}
    config = LOG_IN | {"kestra:deployment": {"namespace": encrypted}}
    file, environment = stack_file(tmp_path, config), {"kestra:deployment": {"url": "https://a.b"}}
    with pytest.raises(SettingsError) as by_check:
        load(file, environment)
    # As Pulumi's engine hands the whole on: decrypted, with the keys that hold a secret.
    values = {
        "server": json.dumps(LOG_IN["kestra:server"]),
        "deployment": json.dumps({"namespace": PLANTED.lower(), "url": "https://a.b"}),
    }
    with pytest.raises(SettingsError) as by_engine:
        load_stack(decode_config(values, ["deployment"], file), source=str(file))
    assert [one.message for one in by_engine.value.problems] == [
        one.message for one in by_check.value.problems
    ]
    assert PLANTED.lower() not in by_engine.value.report()


def test_the_example_is_valid_as_far_as_it_stands_in_the_file() -> None:
    file = ROOT / "examples" / "esc" / "stacks" / "Pulumi.production.yaml"
    loaded = load_file(file)
    assert not loaded.warnings
    (note,) = loaded.notes
    assert "brings settings from kestra/production" in note
    for name in yaml.safe_load(file.read_text())["environment"]:
        assert (file.parents[1] / "environments" / f"{name}.yaml").exists()


def test_merging_changes_neither_side() -> None:
    over, under = {"kestra:a": {"b": {"c": 1}}}, {"kestra:a": {"b": {"d": 2}, "e": [1]}}
    before = copy.deepcopy((over, under))
    assert merged(over, [under]) == {"kestra:a": {"b": {"c": 1, "d": 2}, "e": [1]}}
    assert (over, under) == before
