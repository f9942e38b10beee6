"""An encrypted variable is in the stack's Secret and nowhere else, whatever way its value came to the program."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pydantic import SecretStr
from rich.console import Console

from components.program import read_settings
from components.rendering.configuration import render
from components.settings import SettingsError
from components.stack_config import read_config
from components.validation import Loaded, load, load_file
from sandbox.doctor import _settings as print_settings
from sandbox.leak_scan.scan import Search
from sandbox.providers.runtime.values import unmarshal
from sandbox.report import build, html
from sandbox.state import State
from tests.components.recording_support import Recorder, run
from tests.secrets_support import without_secrets
from tests.settings.engine_support import configure, engine_config, project

PLANTED = "Pl4nted-Variable-Zq81"
OTHER = "Pl4nted-Other-Zq82"
FILE = f"""
config:
  kestra:server: {{basic-auth: {{username: a@b.c}}}}
  kestra:deployment:
    namespace: kestra
    environment-from: [of-others]
    environment: {{TOKEN: {{secure: {PLANTED}}}, TZ: UTC}}
"""
#: As `set_config` of the Automation API gives them, without a file that the program could read.
CONFIG = {
    "kestra:server": json.dumps({"basic-auth": {"username": "a@b.c"}}),
    "kestra:deployment": json.dumps(
        {"namespace": "kestra", "environment": {"TOKEN": PLANTED, "TZ": "UTC"}}
    ),
}
KEY = "kestra:deployment"


def _from_file(folder: Path, text: str = FILE) -> dict[str, Any]:
    project(folder, text)
    configure(*engine_config(yaml.safe_load(text)["config"]))
    return read_config(folder)


def _environment(loaded: Loaded) -> tuple[dict[str, str], dict[str, str]]:
    """Variables in clear, and encrypted ones."""
    deployment = loaded.settings.deployment
    hidden = deployment.secret_environment.items()
    return deployment.plain_environment, {n: v.get_secret_value() for n, v in hidden}


def _container(recorder: Recorder) -> dict[str, Any]:
    (deployment,) = recorder.of("Deployment").values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def test_an_encrypted_variable_is_in_the_secret_and_not_in_the_pods(tmp_path: Path) -> None:
    recorder = run(_from_file(tmp_path))
    container = _container(recorder)
    assert {"name": "TZ", "value": "UTC"} in container["env"]
    assert "TOKEN" not in {entry["name"] for entry in container["env"]}
    (secret,) = recorder.of("Secret").values()
    assert secret["stringData"]["value"]["TOKEN"] == PLANTED
    assert "TZ" not in secret["stringData"]["value"]
    # Of two Secrets with the same variable the last one counts.
    assert [s["secretRef"]["name"] for s in container["envFrom"]] == ["of-others", "kestra-secret"]


def test_without_an_encrypted_variable_the_order_of_the_secrets_stays(tmp_path: Path) -> None:
    recorder = run(_from_file(tmp_path, FILE.replace(f"{{secure: {PLANTED}}}", "x")))
    references = [s["secretRef"]["name"] for s in _container(recorder)["envFrom"]]
    assert references == ["kestra-secret", "of-others"]


def test_no_resource_output_file_or_page_shows_the_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looking = Search({"variable": PLANTED})
    document = _from_file(tmp_path)
    recorder = run(document)
    for name, request in recorder.requests.items():
        inputs = json.dumps(without_secrets(unmarshal(request.object)))
        assert looking.text(inputs.encode(), name) == []
    open_outputs = {k: v for k, v in recorder.outputs.items() if k not in recorder.secret_outputs}
    loaded = load(document, source="f")
    console = Console(file=io.StringIO(), width=500)
    print_settings(console, loaded.settings, everything=True)
    file = tmp_path / "stacks" / "Pulumi.test.yaml"
    for place, text in {
        "outputs": repr(open_outputs),
        "configuration": render(loaded.settings).yaml(),
        "repr": f"{document!r}{loaded!r}{loaded.settings!s}",
        "JSON": loaded.settings.model_dump_json(),
        "report": html(build(State(tmp_path / "state"), "planted", file)),
        "doctor": console.file.getvalue(),  # type: ignore[attr-defined]
        "terminal": "".join(capsys.readouterr()),
    }.items():
        assert looking.text(text.encode(), place) == []
    assert "deployment.environment.TOKEN: secret, not shown" in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_report_names_the_way_of_an_encrypted_variable(tmp_path: Path) -> None:
    file = project(tmp_path, FILE)
    report = build(State(tmp_path / "state"), "planted", file)
    (path,) = (p for p in report.paths if p.variable == "TOKEN")
    assert (path.name, path.origin, path.kept) == (
        "deployment.environment.TOKEN",
        "settings",
        "",
    )
    page = html(report)
    assert "deployment.environment.TOKEN" in page.replace("<wbr>", "")


def test_an_error_about_an_encrypted_variable_does_not_tell_it(tmp_path: Path) -> None:
    text = FILE.replace("TOKEN:", "STACK_TOKEN:").replace("namespace: kestra", "namespace: K")
    project(tmp_path, text)
    configure(*engine_config(yaml.safe_load(text)["config"]))
    with pytest.raises(pulumi.RunError) as refused:
        read_settings(tmp_path)
    assert "2 problems" in str(refused.value)
    assert PLANTED not in str(refused.value)


def test_an_encrypted_address_of_a_database_is_no_part_of_the_configuration(tmp_path: Path) -> None:
    text = f"""
config:
  kestra:server: {{basic-auth: {{username: a@b.c}}}}
  kestra:datasources: {{postgres: {{url: {{secure: "jdbc:postgresql://db:6000/{PLANTED}"}}}}}}
"""
    settings = load(_from_file(tmp_path, text), source="f").settings
    assert PLANTED not in render(settings).yaml()
    assert PLANTED not in repr(settings)
    assert "${STACK_DATASOURCES_POSTGRES_URL}" in render(settings).yaml()
    recorder = run(_from_file(tmp_path, text))
    (secret,) = recorder.of("Secret").values()
    assert secret["stringData"]["value"]["STACK_DATASOURCES_POSTGRES_URL"].endswith(PLANTED)
    ports = json.dumps(recorder.of("NetworkPolicy"))
    assert "6000" in ports


def test_without_a_file_every_variable_of_a_secret_key_is_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recorder = configure(CONFIG, [KEY])
    plain, hidden = _environment(read_settings())
    assert (plain, hidden) == ({}, {"TOKEN": PLANTED, "TZ": "UTC"})
    assert read_settings().settings.deployment.namespace == "kestra"
    assert recorder.resources == {}


def test_a_key_that_pulumi_does_not_name_as_secret_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    configure(CONFIG, [])
    loaded = read_settings()
    assert _environment(loaded) == ({"TOKEN": PLANTED, "TZ": "UTC"}, {})
    (warning,) = loaded.warnings
    assert "pulumi config set --path --secret 'kestra:deployment.environment.TOKEN'" in warning.fix
    assert PLANTED not in warning.line()


def test_the_file_is_found_in_the_working_directory_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, FILE)
    monkeypatch.chdir(tmp_path)
    configure(CONFIG, [KEY])
    assert _environment(read_settings()) == ({"TZ": "UTC"}, {"TOKEN": PLANTED})


#: Files that do not explain why Pulumi takes the key for a secret one.
UNEXPLAINED = {
    "no encrypted value": f"{{TOKEN: {PLANTED}, TZ: UTC}}",
    "another key": "{OTHER: {secure: x}}",
    "another place": "{TOKEN: {secure: x}, TZ: Europe/Paris}",
    "a variable less": "{TOKEN: {secure: x}}",
    "a list": "[{secure: x}]",
    "an encrypted block": "{secure: x}",
    "an encrypted variable that is gone": f"{{GONE: {{secure: x}}, TOKEN: {PLANTED}, TZ: UTC}}",
    "nothing": "{}",
}


@pytest.mark.parametrize("environment", UNEXPLAINED.values(), ids=UNEXPLAINED.keys())
def test_a_file_that_does_not_explain_a_secret_key_is_not_believed(
    environment: str, tmp_path: Path
) -> None:
    project(
        tmp_path,
        f"config:\n  kestra:deployment: {{namespace: kestra, environment: {environment}}}\n",
    )
    configure(CONFIG, [KEY])
    plain, hidden = _environment(read_settings(tmp_path))
    assert (plain, hidden) == ({}, {"TOKEN": PLANTED, "TZ": "UTC"})


def test_a_secret_key_in_another_spelling_is_marked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    block = {"serviceAccount": {"annotations": {"a": "b"}}}
    secrets = {"A": {"value": PLANTED}}
    config = CONFIG | {
        "kestra:identity": json.dumps(block),
        "kestra:declaredSecrets": json.dumps(secrets),
        "kestra:datasources": json.dumps({"postgres": {"url": f"jdbc:x:{OTHER}", "username": "u"}}),
    }
    keys = [KEY, "kestra:identity", "kestra:declaredSecrets", "kestra:datasources"]
    configure(config, keys)
    loaded = read_settings()
    # What takes no secret is taken as it is: nothing says that it was encrypted.
    assert loaded.settings.identity.service_account.annotations == {"a": "b"}
    assert loaded.settings.datasources["postgres"].username == "u"
    assert isinstance(loaded.settings.datasources["postgres"].url, SecretStr)
    assert loaded.warnings == ()


@pytest.mark.parametrize("extension", ["yaml", "yml", "json"])
def test_project_and_stack_file_have_the_ending_that_pulumi_takes(
    extension: str, tmp_path: Path
) -> None:
    config = yaml.safe_load(FILE)
    (tmp_path / f"Pulumi.{extension}").write_text(json.dumps({"name": "kestra"}))
    (tmp_path / f"Pulumi.test.{extension}").write_text(json.dumps(config))
    configure(*engine_config(config["config"]))
    assert _environment(read_settings(tmp_path)) == ({"TZ": "UTC"}, {"TOKEN": PLANTED})


def test_a_file_that_check_cannot_read_is_refused_by_the_program_too(tmp_path: Path) -> None:
    project(tmp_path, "config: [")
    configure(CONFIG, [KEY])
    with pytest.raises(pulumi.RunError, match="is no valid YAML"):
        read_settings(tmp_path)


def test_values_that_are_no_text_are_refused_encrypted_or_not(tmp_path: Path) -> None:
    text = FILE.replace("TZ: UTC", "FLAG: true, NUMBER: 5")
    project(tmp_path, text)
    configure(*engine_config(yaml.safe_load(text)["config"]))
    with pytest.raises(pulumi.RunError) as refused:
        read_settings(tmp_path)
    for name in ("FLAG", "NUMBER"):
        assert f"kestra:deployment.environment.{name}: is not text" in str(refused.value)


def _with_java_options(component: str) -> str:
    return FILE.replace("TOKEN:", "JAVA_OPTS:").replace(
        "namespace: kestra", f"namespace: kestra\n    components: {{standalone: {component}}}"
    )


@pytest.mark.parametrize("component", ["{java-options: -Xmx1g}", "{heap-percentage: 40}"])
def test_an_encrypted_java_opts_is_not_replaced_by_options_of_a_component(
    tmp_path: Path, component: str
) -> None:
    with pytest.raises(SettingsError, match="stands beside an encrypted variable JAVA_OPTS"):
        load_file(project(tmp_path, _with_java_options(component)))


def test_an_encrypted_java_opts_comes_from_the_secret_behind_the_share_of_the_heap(
    tmp_path: Path,
) -> None:
    container = _container(run(_from_file(tmp_path, _with_java_options("{}"))))
    assert "JAVA_OPTS" not in {variable["name"] for variable in container["env"]}
    assert 'export JAVA_OPTS="-XX:MaxRAMPercentage=50.0 ${JAVA_OPTS-}"' in container["command"][2]


def test_check_and_program_load_the_same_settings(tmp_path: Path) -> None:
    file = project(tmp_path, FILE)
    assert load_file(file).settings.deployment.secret_environment.keys() == {"TOKEN"}
    configure(*engine_config(yaml.safe_load(FILE)["config"]))
    assert _environment(read_settings(tmp_path)) == ({"TZ": "UTC"}, {"TOKEN": PLANTED})
