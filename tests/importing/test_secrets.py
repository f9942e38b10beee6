"""Secrets of an import: encrypted, or left out with the command that sets them; never shown."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.importing.installation import Variable
from components.importing.readers import ImportRefused
from components.stack_encryption import decrypted, key_of, new_salt
from tests.importing.installation_support import ORIGIN, Imported, imported, installation

PLANTED = "Planted-Value-Zq81"
#: Configuration with the planted value, and the setting that must hold it encrypted.
PLACES = {
    "a sensitive key": (
        f"datasources: {{postgres: {{password: {PLANTED}}}}}",
        "datasources.postgres.password",
    ),
    "a log-in": (
        f"kestra: {{server: {{basic-auth: {{password: {PLANTED}}}}}}}",
        "server.basic-auth.password",
    ),
    "the query of a JDBC URL": (
        f"datasources: {{postgres: {{url: 'jdbc:postgresql://h.example.com/k?user=u&password={PLANTED}&ssl=true'}}}}",
        "datasources.postgres.password",
    ),
    "the authority of a JDBC URL": (
        f"datasources: {{postgres: {{url: 'jdbc:postgresql://u:{PLANTED}@h.example.com/k'}}}}",
        "datasources.postgres.password",
    ),
    "a JDBC URL of another form": (
        f"datasources: {{postgres: {{url: 'jdbc:sqlserver://h.example.com;user=u;password={PLANTED}'}}}}",
        "datasources.postgres.url",
    ),
    "a default of a placeholder": (
        f"datasources: {{postgres: {{password: '${{DB_PASSWORD:{PLANTED}}}'}}}}",
        "datasources.postgres.password",
    ),
}


def _secrets(imported_: Imported, passphrase: str) -> dict[str, str]:
    """Setting to the value that is encrypted there."""
    text = imported_.text
    salt = next(line for line in text.splitlines() if line.startswith("encryptionsalt"))
    key = key_of(passphrase, salt.split(": ")[1].strip('"').split(":")[1])
    return {path: decrypted(key, sealed).decode() for path, sealed in _sealed(imported_.config)}


def _sealed(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if set(node) == {"secure"}:
            yield path.lstrip("."), node["secure"]
            return
        for name, item in node.items():
            yield from _sealed(item, f"{path}.{name}")
    elif isinstance(node, list):
        for i, item in enumerate(node):
            yield from _sealed(item, f"{path}[{i}]")


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_encrypted_with_the_passphrase_at_hand(
    place: str, tmp_path: Path, passphrase: str
) -> None:
    text, setting = PLACES[place]
    result = imported(tmp_path, installation(text))
    assert PLANTED in _secrets(result, passphrase)[setting]
    _shows_nothing(result)
    assert result.commands() == []
    assert result.unexpected_problems() == []


@pytest.mark.parametrize("place", PLACES)
def test_without_a_passphrase_a_secret_is_left_out_with_its_command(
    place: str, tmp_path: Path
) -> None:
    text, setting = PLACES[place]
    result = imported(tmp_path, installation(text))
    assert f"pulumi config set --path --secret 'kestra:{setting}'" in result.commands()
    assert "secure:" not in result.text
    _shows_nothing(result)
    assert result.unexpected_problems() == []


def _shows_nothing(result: Imported) -> None:
    for text in (PLANTED, base64.b64encode(PLANTED.encode()).decode().rstrip("=")):
        assert text not in result.shown()


def test_a_url_without_its_credentials_stays_readable(tmp_path: Path, passphrase: str) -> None:
    result = imported(tmp_path, installation(PLACES["the query of a JDBC URL"][0]))
    assert (
        result.config["datasources"]["postgres"]["url"]
        == "jdbc:postgresql://h.example.com/k?ssl=true"
    )
    assert result.config["datasources"]["postgres"]["username"] == "u"


def test_a_variable_is_a_secret_by_its_name_or_by_what_it_holds(
    tmp_path: Path, passphrase: str
) -> None:
    environment: dict[str, str | None] = {
        "OPENAI_API_KEY": PLANTED,
        "SENTRY_DSN": f"https://{PLANTED}@sentry.example.com/7",
        "ENV_REGION": "north",
    }
    result = imported(tmp_path, installation(environment=environment))
    variables = result.config["deployment"]["environment"]
    assert variables["ENV_REGION"] == "north"
    assert set(variables["OPENAI_API_KEY"]) == set(variables["SENTRY_DSN"]) == {"secure"}
    _shows_nothing(result)


def test_declared_secrets_are_decoded_and_what_kestra_drops_is_named(
    tmp_path: Path, passphrase: str
) -> None:
    encoded = base64.b64encode(PLANTED.encode()).decode()
    environment: dict[str, str | None] = {
        "SECRET_TOKEN": encoded,
        "SECRET_PLAIN": PLANTED,
        "SECRET_UNKNOWN": None,
    }
    result = imported(tmp_path, installation(environment=environment))
    assert _secrets(result, passphrase) == {"declared-secrets.TOKEN.value": PLANTED}
    assert "namespace" not in result.config["declared-secrets"]["TOKEN"]
    result.line("TOKEN", "namespace")
    result.line("SECRET_PLAIN", "not base64")
    assert result.commands() == [
        "pulumi config set --path --secret 'kestra:declared-secrets.UNKNOWN.value'"
    ]
    _shows_nothing(result)


def test_a_placeholder_stays_and_a_variable_that_nothing_gives_is_to_be_set(
    tmp_path: Path,
) -> None:
    text = "datasources: {postgres: {password: '${DB_PASSWORD}', username: '${DB_USER}'}}"
    result = imported(tmp_path, installation(text))
    assert result.config["datasources"]["postgres"]["password"] == "${DB_PASSWORD}"
    assert result.commands() == [
        "pulumi config set --path 'kestra:datasources.postgres.username'",
        "pulumi config set --path --secret 'kestra:datasources.postgres.password'",
    ]
    result.line("DB_USER", "DB_PASSWORD", "no input gives")


def test_a_placeholder_of_a_key_that_no_input_has_is_to_be_set(tmp_path: Path) -> None:
    text = "kestra: {url: 'https://${global.domain}/', environment: {name: '${kestra.queue.type}'}}"
    result = imported(tmp_path, installation(text))
    assert "pulumi config set --path 'kestra:deployment.url'" in result.commands()
    assert "global.domain" in result.line("kestra:deployment.url", "no input has the key")
    assert not [line for line in result.lines if "has the key kestra.queue.type" in line]


def test_a_placeholder_whose_variable_comes_from_a_secret_of_the_cluster_stays(
    tmp_path: Path,
) -> None:
    text = f"datasources: {{postgres: {{password: '${{DB_PASSWORD:{PLANTED}}}'}}}}"
    source = installation(text, extra_env_from=[{"secretRef": {"name": "kestra-db"}}])
    result = imported(tmp_path, source)
    assert result.config["datasources"]["postgres"]["password"] == "${DB_PASSWORD}"
    assert result.config["deployment"]["environment-from"] == ["kestra-db"]
    assert result.commands() == []
    _shows_nothing(result)


def test_a_password_among_the_options_of_java_is_moved_to_an_encrypted_variable(
    tmp_path: Path, passphrase: str
) -> None:
    options = f"-Xmx2g -Djavax.net.ssl.trustStorePassword={PLANTED}"
    result = imported(tmp_path, installation(environment={"JAVA_OPTS": options}))
    assert _secrets(result, passphrase) == {"deployment.environment.JAVA_OPTS": options}
    assert result.unexpected_problems() == []
    result.line("trustStorePassword", "command line")
    _shows_nothing(result)


def test_a_secret_stands_nowhere_else_either(tmp_path: Path, passphrase: str) -> None:
    text = f"datasources: {{postgres: {{password: {PLANTED}, driver-class-name: {PLANTED}}}}}"
    source = installation(text, environment={"NOTE": f"the password is {PLANTED}"})
    source.environment["OTHER"] = Variable(ORIGIN, PLANTED)
    result = imported(tmp_path, source)
    _shows_nothing(result)
    assert result.unexpected_problems() == []


def test_the_salt_of_an_existing_stack_is_kept(tmp_path: Path, passphrase: str) -> None:
    salt = new_salt(passphrase)
    stack = tmp_path / "Pulumi.company.yaml"
    stack.write_text(f"encryptionsalt: {salt}\n")
    result = imported(
        tmp_path, installation(PLACES["a log-in"][0]), stack=str(stack), output=None, force=False
    )
    assert result.report.file == str(stack)
    result.file = stack
    assert salt in stack.read_text()
    assert _secrets(result, passphrase) == {"server.basic-auth.password": PLANTED}


def test_another_passphrase_than_that_of_the_stack_is_refused(
    tmp_path: Path, passphrase: str
) -> None:
    stack = tmp_path / "Pulumi.company.yaml"
    stack.write_text(f"encryptionsalt: {new_salt('another')}\n")
    with pytest.raises(ImportRefused, match="is not the passphrase"):
        imported(tmp_path, installation(), stack=str(stack))
    assert not (tmp_path / "Pulumi.test.yaml").exists()


def test_a_stack_of_another_secrets_provider_leaves_secrets_to_pulumi(
    tmp_path: Path, passphrase: str
) -> None:
    stack = tmp_path / "Pulumi.company.yaml"
    stack.write_text("secretsprovider: awskms://alias/x\nencryptedkey: abc\n")
    result = imported(tmp_path, installation(PLACES["a log-in"][0]), stack=str(stack))
    assert (
        "pulumi config set --path --secret 'kestra:server.basic-auth.password'" in result.commands()
    )
    assert "secretsprovider" in result.text
    _shows_nothing(result)


@pytest.mark.parametrize("block", ["extra-env", "init-containers"])
def test_a_secret_variable_in_kubernetes_own_form_is_no_text_of_the_file(
    block: str, tmp_path: Path, passphrase: str
) -> None:
    variables = [{"name": "GITHUB_TOKEN", "value": PLANTED}]
    container = [{"name": "fetch", "image": "busybox:1.37", "env": variables}]
    value = variables if block == "extra-env" else container
    source = installation(settings={"deployment": {block: value}})
    result = imported(tmp_path, source)
    _shows_nothing(result)
    assert result.unexpected_problems() == []


def test_a_number_in_the_place_of_a_secret_is_a_secret(tmp_path: Path, passphrase: str) -> None:
    """`password: 12345678` without quotes: Kestra reads its digits."""
    number = "86420975"
    text = f"""
datasources: {{postgres: {{password: {number}}}}}
kestra:
  storage: {{type: s3, s3: {{bucket: flows, access-key: {number}, secret-key: {number}}}}}
  variables: {{globals: {{password: {number}}}}}
  plugins: {{defaults: [{{type: a.b, values: {{api-token: {number}, retries: 3}}}}]}}
  secret: {{type: vault, vault: {{address: "https://v.example.com", token: {{token: {number}}}}}}}
"""
    result = imported(tmp_path, installation(text))
    secrets = _secrets(result, passphrase)
    assert [value for value in secrets.values() if number in value] == [number] * 6
    assert number not in result.shown()
    assert result.config["plugins"]["defaults"][0]["values"]["retries"] == 3
