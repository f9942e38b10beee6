"""Variables in clear that are secrets are warned of with the command that encrypts them; others are not."""

from __future__ import annotations

import pytest

from components.settings.credentials import credential_sign
from components.validation import load
from tests.settings.malformed_fixtures import PLANTED, deployment

SECRET_NAMES = """
DB_PASSWORD MICRONAUT_SECURITY_OAUTH2_CLIENTS_KEYCLOAK_CLIENT_SECRET KESTRA_EE_MAIL_SERVICE_PASSWORD GITHUB_TOKEN
API_KEY API_KEYS OPENAI_APIKEY apiKey DD_API_KEY AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN MY_PRIVATE_KEY KEY_PASSPHRASE
APP_CREDENTIALS SMTP_PASS DB_PWD MYSQL_PWD PGPASSWORD clientSecret db_password DB_PASSWORD_PROD TOKEN_2 PASSWORD
PASSWORD_ADMIN KESTRA_EE_LICENSE_KEY ENCRYPTION_KEY SIGNING_KEY HMAC_KEY SECRET_KEY SECRET_KEY_ID SSL_KEYSTORE_PASSWORD
AUTHTOKEN GITHUB_PAT SLACK_BOT_TOKEN CLIENT_SECRET_BASE64 ACCOUNT_KEY
""".split()  # fmt: skip # noqa: SIM905
OTHER_NAMES = """
SSH_PUBLIC_KEY KEYSTORE_LOCATION PASSWORD_FILE DB_PASSWORD_PATH TOKEN_TTL SECRET_NAME SECRET_ARN AWS_ACCESS_KEY_ID
KMS_KEY_ID PARTITION_KEY SORT_KEY PUBLIC_KEY COMPAT PWD OLDPWD BYPASS COMPASS MONKEY KEY TOKEN_URL OAUTH_TOKEN_ENDPOINT
PASSWORD_MIN_LENGTH PASSWORD_REGEXP SECRETS_MANAGER_REGION CLIENT_ID KESTRA_SECRET_TYPE TOKENIZER API_KEY_HEADER TZ
""".split()  # fmt: skip # noqa: SIM905
CREDENTIALS = {
    "an address": ("X", "https://user:planted@host/path"),
    "a queue's address": ("BROKER", "amqp://guest:planted@rabbit:5672/"),
    "a JDBC address": ("X", "jdbc:postgresql://host/db?user=a&password=planted"),
    "a JDBC address with a user": ("X", "jdbc:mysql://user:planted@host/db"),
    "a private key": ("X", "-----BEGIN RSA PRIVATE KEY-----\nplanted"),
    "a key in JSON": ("X", '{"private_key": "-----BEGIN PRIVATE KEY-----\\nplanted"}'),
    "JSON": ("X", '{"user": "a", "password": "planted"}'),
    "JAAS": ("X", 'o.a.k.PlainLoginModule required username="a" password="planted";'),
    "Java's options": ("JAVA_OPTS", "-Xmx1g -Djavax.net.ssl.trustStorePassword=planted"),
    "a connection string": ("X", "AccountName=a;AccountKey=cGxhbnRlZA==;EndpointSuffix=x"),
    "a header": ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer plantedplanted"),
    "a default": ("DB_PASSWORD", "${DB_PASSWORD_OF_OTHERS:planted}"),
    "a number": ("DB_PASSWORD", "12345678"),
    "a key like a path": ("API_KEY", "/9j4AAQSkZJRg+planted=="),
    "a random key": ("OPENAI_KEY", "sk-planted123def456ghi789"),
}
OTHERS = {
    "a placeholder": ("DB_PASSWORD", "${DB_PASSWORD_OF_OTHERS}"),
    "a placeholder with an empty default": ("DB_PASSWORD", "${DB_PASSWORD_OF_OTHERS:}"),
    "a reference of Kubernetes": ("API_TOKEN", "$(OTHER)"),
    "nothing": ("DB_PASSWORD", ""),
    "a placeholder in an address": ("X", "https://user:${PASSWORD}@host"),
    "a placeholder in a JDBC address": ("X", "jdbc:postgresql://host/db?password=${PASSWORD}"),
    "a placeholder in JSON": ("X", '{"user": "a", "password": "${PASSWORD}"}'),
    "a switch in JSON": ("X", '{"token": true}'),
    "a placeholder in JAAS": ("X", 'required username="a" password="${PASSWORD}";'),
    "an address with a user": ("X", "https://user@host"),
    "an address with a port": ("X", "http://host:80/a@b"),
    "a file": ("GOOGLE_APPLICATION_CREDENTIALS", "/var/run/secrets/key.json"),
    "another file": ("SSL_KEY", "/etc/ssl/private/tls.key"),
    "a file of a token": ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
    "a switch": ("ALLOW_EMPTY_PASSWORD", "yes"),
    "a number of tokens": ("OPENAI_MAX_TOKENS", "4096"),
    "a public key": ("SSH_PUBLIC_KEY", "ssh-rsa AAAAB3NzaC1yc2E1234567890"),
    "a name in a bucket": ("S3_OBJECT_KEY", "folder1folder2file9999"),
    "Java's options": ("JAVA_OPTS", "-Xmx1g -Dcom.sun.management.jmxremote.password=false"),
}


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_says_that_a_variable_is_a_secret(name: str) -> None:
    assert credential_sign(name, "examplevalue") == "has the name of a secret"


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_a_name_that_only_speaks_of_secrets_says_nothing(name: str) -> None:
    assert credential_sign(name, "examplevalue") is None


@pytest.mark.parametrize(("name", "value"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
def test_a_value_says_that_a_variable_is_a_secret(name: str, value: str) -> None:
    assert credential_sign(name, value)


@pytest.mark.parametrize(("name", "value"), OTHERS.values(), ids=OTHERS.keys())
def test_a_value_in_which_nothing_secret_stands_says_nothing(name: str, value: str) -> None:
    assert credential_sign(name, value) is None


def test_a_secret_in_clear_is_a_warning_with_the_command_that_encrypts_it() -> None:
    variables = {"CLIENT_SECRET": PLANTED, "PROXY": f"https://a:{PLANTED}@b", "TZ": "UTC"}
    loaded = load(deployment(environment=variables), source="f.yaml")
    assert loaded.settings.deployment.environment == variables
    for warning, name in zip(loaded.warnings, ("CLIENT_SECRET", "PROXY"), strict=True):
        path = f"kestra:deployment.environment.{name}"
        assert (warning.path, warning.severity) == (path, "warning")
        assert f"pulumi config set --path --secret '{path}'" in warning.fix
        assert PLANTED not in warning.line()


@pytest.mark.parametrize(
    "value", ["a" * 100_000, "://" * 30_000, "a:b@" * 20_000, "-" * 90_000, ";a" * 40_000, "/a" * 40_000]
)  # fmt: skip
@pytest.mark.timeout(60)
def test_a_long_value_is_judged_at_once(value: str) -> None:
    for name in ("DB_PASSWORD", "API_KEY", "OPENAI_KEY", "X"):
        credential_sign(name, value)
