"""Secrets in files that variables name, of digits alone, in commands of side containers and in annotations."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.importing.inputs import read
from components.importing.secret_values import Redaction, is_secret_text
from tests.importing.installation_support import BASE, Imported, imported, installation
from tests.importing.kubernetes_support import VOLUME, config_map, deployment
from tests.importing.reading_support import Inputs

NUMBER = "86420975"


def _asked(result: Imported) -> dict[str, str]:
    return {item.setting: item.command for item in result.report.conversion.to_set}


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("DATASOURCES_POSTGRES_PASSWORD_FILE", "kestra:datasources.postgres.password"),
        ("KESTRA_ENCRYPTION_SECRET_KEY_FILE", "kestra:encryption.secret-key"),
        ("KESTRA_SERVER_BASIC_AUTH_PASSWORD__FILE", "kestra:server.basic-auth.password"),
        ("FILE__DATASOURCES_POSTGRES_PASSWORD", "kestra:datasources.postgres.password"),
        ("POSTGRES_PASSWORD_FILE", "kestra:deployment.environment.POSTGRES_PASSWORD"),
        ("SECRET_TOKEN_FILE", "kestra:declared-secrets.TOKEN.value"),
    ],
)
def test_a_secret_that_is_in_a_file_is_to_be_set(
    variable: str, setting: str, tmp_path: Path
) -> None:
    inputs = Inputs(tmp_path)
    files = [
        inputs.write("application.yml", BASE),
        inputs.write(".env", f"{variable}=/run/secrets/x\n"),
    ]
    result = imported(tmp_path, read(files))
    assert _asked(result)[setting] == f"pulumi config set --path --secret '{setting}'"
    result.line(variable, "Kestra reads no file")
    assert variable not in result.text
    assert result.unexpected_problems() == []


def test_a_file_beside_the_value_itself_asks_for_nothing(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path)
    rows = "DATASOURCES_POSTGRES_PASSWORD=${P}\nP_FILE=/run/p\nDATASOURCES_POSTGRES_PASSWORD_FILE=/run/x\nSSL_CERT_FILE=/etc/ca.pem\n"
    result = imported(
        tmp_path, read([inputs.write("application.yml", BASE), inputs.write(".env", rows)])
    )
    result.line("DATASOURCES_POSTGRES_PASSWORD_FILE", "and is there")
    assert result.config["deployment"]["environment"]["SSL_CERT_FILE"] == "/etc/ca.pem"


def test_a_secret_of_digits_is_shown_nowhere(tmp_path: Path, passphrase: str) -> None:
    text = f"""
datasources: {{postgres: {{password: {NUMBER}}}}}
kestra:
  unknown-block: {{a: {NUMBER}}}
  server: {{basic-auth: {{username: {NUMBER}}}}}
  variables: {{globals: {{x: {NUMBER}, "y": "a-{NUMBER}-b", tokens: [{NUMBER}1]}}}}
  jdbc: {{executor: {{thread-count: {NUMBER}}}}}
micronaut: {{server: {{port: {NUMBER}}}}}
endpoints: {{all: {{port: "{NUMBER}"}}}}
"""
    result = imported(tmp_path, installation(text, {"NOTE": f"pin {NUMBER}"}))
    assert NUMBER not in result.shown()


def test_redaction_takes_out_whole_numbers_alone() -> None:
    redact = Redaction({"123456", "8080"})
    assert redact("port 8080, 123456 and 91234567") == "port 8080, [secret] and 91234567"


SECRET_WORDS = (
    "curl -u admin:Planted-Word-1 https://h.example.com",
    "mysqldump -h db -pPlanted-Word-1 kestra",
    "sshpass -p Planted-Word-1 ssh h",
    "redis-cli -h r -a Planted-Word-1 ping",
    "login --password Planted-Word-1",
    "--api-token=Planted-Word-1",
    "PGPASSWORD=Planted-Word-1 psql",
    "curl -H 'X-Api-Key: Planted-Word-1' https://h.example.com",
    "curl -H 'Authorization: Bearer Planted-Word-1-abcdef' x",
    "wget https://u:Planted-Word-1@h.example.com",
    "the password is Planted-Word-1",
)
PLAIN_WORDS = (
    "sleep 5; exec nginx -g 'daemon off;'",
    "login --password $DB_PASSWORD --token ${TOKEN}",
    "docker login --password-stdin",
    "run --password-file /run/secrets/x",
    "docker run -u 1000:1000 -p 8080:8080 nginx",
    "--token $(TOKEN)",
    "kubectl get secret kestra-db",
)


@pytest.mark.parametrize("text", SECRET_WORDS)
def test_a_secret_in_a_command_is_recognized(text: str) -> None:
    assert is_secret_text(text)


def test_a_secret_in_a_command_becomes_an_encrypted_variable(
    tmp_path: Path, passphrase: str
) -> None:
    text = SECRET_WORDS[0]
    container = {"name": "side", "image": "busybox:1.37", "command": ["sh", "-c", text]}
    result = imported(
        tmp_path, installation(settings={"deployment": {"extra-containers": [container]}})
    )
    (side,) = result.config["deployment"]["extra-containers"]
    assert side["command"] == ["sh", "-c", "$(IMPORTED_ARGUMENT_1)"]
    (entry,) = side["env"]
    assert entry["name"] == "IMPORTED_ARGUMENT_1"
    assert set(entry["value"]) == {"secure"}
    result.line("extra-containers[0].command", "IMPORTED_ARGUMENT_1")
    assert "Planted" not in result.shown()
    assert result.unexpected_problems() == []


@pytest.mark.parametrize("text", PLAIN_WORDS)
def test_a_command_without_a_secret_stays(text: str) -> None:
    assert not is_secret_text(text)


def test_the_word_behind_an_option_is_the_secret(tmp_path: Path) -> None:
    container = {
        "name": "side",
        "image": "busybox:1.37",
        "args": ["--user", "ops", "--password", "Planted-Word-1", "--port", "80"],
        "env": [{"name": "A", "value": "b"}],
        "livenessProbe": {"exec": {"command": ["check", "--token=Planted-Word-2"]}},
    }
    result = imported(
        tmp_path, installation(settings={"deployment": {"init-containers": [container]}})
    )
    (side,) = result.config["deployment"]["init-containers"]
    assert side["args"] == ["--user", "ops", "--password", "$(IMPORTED_ARGUMENT_2)", "--port", "80"]
    assert "livenessProbe" not in side
    setting = "kestra:deployment.init-containers[0].env[1].value"
    assert _asked(result)[setting].endswith(f"--secret '{setting}'")
    assert "Planted" not in result.shown()


@pytest.mark.parametrize(
    "annotation",
    [
        'example.com/config: \'{"user": "x", "password": "Planted-Word-1"}\'',
        "example.com/hook: https://hooks.slack.com/services/T0/B0/PlantedWord1",
        "example.com/run: curl -u admin:Planted-Word-1 https://h.example.com",
        "example.com/note: the api-key is Planted-Word-1",
        "vault.example.com/secret: Authorization Basic UGxhbnRlZC1Xb3JkLTE=",
    ],
)
def test_an_annotation_is_judged_by_its_text_too(annotation: str, tmp_path: Path) -> None:
    objects = deployment("volumeMounts: [{name: v, mountPath: /app/confs}]", VOLUME) + config_map()
    objects = objects.replace(
        "labels: {app: kestra}}",
        f"labels: {{app: kestra}}, annotations: {{{annotation}, ok.example/a: hello}}}}",
    )
    account = f"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: runner, annotations: {{{annotation}}}}}\n"
    objects = objects.replace("containers:", "serviceAccountName: runner, containers:")
    result = imported(tmp_path, read([Inputs(tmp_path).write("objects.yaml", objects + account)]))
    name = annotation.partition(":")[0]
    result.line(f"annotation {name}", "credential")
    assert result.config["deployment"]["annotations"] == {"ok.example/a": "hello"}
    for planted in ("Planted", "UGxhbnRlZC1Xb3JkLTE"):
        assert planted not in result.shown()
