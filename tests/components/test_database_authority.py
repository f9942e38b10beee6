"""TLS to Kestra's database: what the drivers are told, what the pods mount, and what is refused or told."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.database_authority import configuration_data
from components.rendering.configuration import render
from components.settings import Settings, SettingsError
from components.validation import load
from policy.database_tls import database_tls
from tests.components.pods_support import distributed_document, settings, specs
from tests.components.recording_support import run

PG, MYSQL = "jdbc:postgresql://db.example.com:5432/kestra", "jdbc:mysql://db.example.com/kestra"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
AUTHORITY = {"config-map": "database-authority"}
MOUNT = "/app/database-authority"
PLANTED = "Pl4nted-Database-Password"
FULL, JAVAS = f"{PG}?sslmode=verify-full", "sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"


def _document(
    url: str, authority: Any = AUTHORITY, *, name: str = "postgres", **more: Any
) -> dict[str, Any]:
    deployment = {} if authority is None else {"database-authority": authority}
    changed = {
        "datasources": {name: {"url": url, **more}},
        "queue": {"type": name},
        "repository": {"type": name},
    }
    return distributed_document(deployment, **changed)


def _settings(*arguments: Any, **more: Any) -> Settings:
    return load(_document(*arguments, **more), source="test").settings


def _properties(chosen: Settings, name: str = "postgres") -> dict[str, Any]:
    return render(chosen).document["datasources"][name].get("data-source-properties", {})


@pytest.mark.parametrize(
    ("url", "authority", "name", "expected"),
    [
        (PG, AUTHORITY, "postgres", {"sslmode": "verify-full", "sslrootcert": f"{MOUNT}/ca.crt"}),
        # A variable of the pods: the driver is that of Kestra's name for it.
        ("${JDBC_URL}", AUTHORITY, "postgres", {"sslmode": "verify-full", "sslrootcert": f"{MOUNT}/ca.crt"}),
        (
            MYSQL, AUTHORITY | {"file": "ca.p12"}, "mysql",
            {
                "sslMode": "VERIFY_IDENTITY",
                "trustCertificateKeyStoreUrl": f"file://{MOUNT}/ca.p12",
                "trustCertificateKeyStoreType": "PKCS12",
                "trustCertificateKeyStorePassword": "changeit",
            },
        ),
        (
            "jdbc:mariadb://db/kestra", AUTHORITY, "mysql",
            {"sslMode": "verify-full", "serverSslCert": f"{MOUNT}/ca.crt"},
        ),
    ],
)  # fmt: skip
def test_the_driver_checks_the_certificate(
    url: str, authority: Any, name: str, expected: dict[str, str]
) -> None:
    chosen = _settings(url, authority, name=name)
    assert _properties(chosen, name) == expected
    if "${" not in url and expected:
        tls = database_tls(url, expected)
        assert tls is not None
        assert tls.is_checked


def test_what_the_settings_say_of_the_driver_stays() -> None:
    own = {"sslmode": "verify-ca", "connectTimeout": "5"}
    chosen = _settings(PG, **{"data-source-properties": own})
    assert _properties(chosen) == own | {"sslrootcert": f"{MOUNT}/ca.crt"}


def test_a_stack_without_it_has_nothing_of_it() -> None:
    chosen = _settings(PG, None)
    assert _properties(chosen) == {}
    for pod in specs(chosen).values():
        assert not [v for v in pod["volumes"] if v["name"] == "kestra-database-authority"]
    assert configuration_data(chosen) == {}


@pytest.mark.parametrize(
    ("authority", "source"),
    [
        ({"config-map": "ca"}, {"configMap": {"name": "ca"}}),
        ({"secret": "ca", "file": "root.pem"}, {"secret": {"secretName": "ca"}}),
        ({"certificates": PEM}, {"configMap": {"name": "configuration"}}),
    ],
)
def test_every_pod_mounts_the_authority(authority: dict[str, str], source: dict[str, Any]) -> None:
    file = authority.get("file", "ca.crt")
    for pod in specs(_settings(PG, authority)).values():
        (volume,) = (v for v in pod["volumes"] if v["name"] == "kestra-database-authority")
        (kind,) = source
        assert volume[kind] == source[kind] | {
            "defaultMode": 0o444,
            "items": [{"key": file, "path": file}],
        }
        (mount,) = (m for m in pod["containers"][0]["volumeMounts"] if m["name"] == volume["name"])
        assert mount == {"name": volume["name"], "mountPath": MOUNT, "readOnly": True}


def test_certificates_of_the_settings_are_in_the_stacks_config_map() -> None:
    recorded = run(_document(PG, {"certificates": PEM}))
    kind, inputs = recorded.resources["kestra-configuration"]
    assert kind.endswith(":ConfigMap")
    assert inputs["data"]["ca.crt"] == PEM
    assert set(inputs["data"]) == {"application.yaml", "ca.crt"}


@pytest.mark.parametrize(
    ("document", "key", "words"),
    [
        (_document(PG, {}), "", "has none of config-map"),
        (_document(PG, {"config-map": "a", "secret": "b"}), "", "has config-map and secret"),
        (_document(PG, {"certificates": "x"}), "certificates", "holds no certificate"),
        (
            _document(PG, {"certificates": f"{PEM}-----BEGIN PRIVATE KEY-----{PLANTED}"}),
            "certificates",
            "holds a private key",
        ),
        (
            _document(PG, {"certificates": PEM, "file": "application.yaml"}),
            "file",
            "is the name of Kestra's own file",
        ),
        (
            _document(PG, {"certificates": PEM.replace("\n", " ")}),
            "certificates",
            "holds no certificate",
        ),
        (
            _document(PG, {"certificates": PEM.replace("MIIB", PLANTED)}),
            "certificates",
            "holds no certificate",
        ),
        (
            _document(MYSQL, {"certificates": PEM, "file": "ca.p12"}, name="mysql"),
            "certificates",
            "is text",
        ),
        (_document(PG, AUTHORITY | {"file": "ca.p12"}), "file", "does not read"),
        (_document(MYSQL, AUTHORITY, name="mysql"), "file", "is no trust store"),
        (_document("jdbc:h2:mem:x", AUTHORITY, name="h2"), "", "has no use"),
        (
            _document(PG)
            | {
                "deployment": {
                    "mode": "distributed",
                    "database-authority": AUTHORITY,
                    "extra-volumes": [{"name": "x", "emptyDir": {}}],
                    "extra-volume-mounts": [{"name": "x", "mountPath": MOUNT}],
                }
            },
            None,
            "is where this project mounts its volume kestra-database-authority",
        ),
    ],
)
def test_what_cannot_work_is_refused(document: dict[str, Any], key: str | None, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(document, source="test")
    text = str(refused.value)
    place = "kestra:deployment.database-authority" + (f".{key}" if key else "")
    assert words in text
    assert key is None or f"{place}:" in text
    assert PLANTED not in text


@pytest.mark.parametrize(
    ("url", "authority", "environment", "words"),
    [
        (f"jdbc:postgresql://u:{PLANTED}@db/kestra", None, "staging", "has sslmode prefer"),
        (f"{PG}?sslmode=require", None, "production", "takes any certificate"),
        (MYSQL, None, "production", "has sslMode PREFERRED"),
        # The URL's own parameter wins over that of the driver's properties.
        (f"{PG}?sslmode=require", AUTHORITY, "development", "has sslmode require"),
        (f"{PG}?sslmode=verify-full", None, "production", ""),
        (PG, AUTHORITY, "production", ""),
        (PG, None, "development", ""),
        ("jdbc:postgresql://localhost/kestra", None, "production", ""),
    ],
)
def test_a_certificate_that_nobody_checks_is_told(
    url: str, authority: Any, environment: str, words: str
) -> None:
    name = "mysql" if url == MYSQL else "postgres"
    document = _document(url, authority, name=name)
    document["tags"] = {**document.get("tags", {}), "environment": environment, "owner": "platform"}
    warnings = [
        w for w in load(document, source="test").warnings
        if w.path == f"kestra:datasources.{name}.url" and "ssl" in w.message.lower()
    ]  # fmt: skip
    assert [words in w.message for w in warnings] == ([True] if words else [])
    assert not any(PLANTED in str(w) for w in warnings)


@pytest.mark.parametrize(
    ("url", "more", "authority", "key", "fix"),
    [
        (PG, {}, None, "url", "set kestra:deployment.database-authority, or write"),
        (f"{PG}?sslmode=require", {}, None, "url", "remove sslmode, or write sslmode=verify-full in its place; and set"),
        (f"{PG}?sslmode=require", {}, AUTHORITY, "url", "remove sslmode, or write sslmode=verify-full in its place ("),
        (PG, {"data-source-properties": {"sslmode": "require"}}, AUTHORITY, "data-source-properties", "remove sslmode, or"),
        (f"{FULL}&sslfactory=org.postgresql.ssl.NonValidatingFactory", {}, AUTHORITY, "url", "remove sslfactory ("),
        (f"{MYSQL}?useSSL=false", {}, None, "url", "remove useSSL, or write sslMode=VERIFY_IDENTITY"),
    ],
)  # fmt: skip
def test_the_fix_is_at_what_keeps_the_certificate_unchecked(
    url: str, more: dict[str, Any], authority: Any, key: str, fix: str
) -> None:
    name = "mysql" if url.startswith(MYSQL) else "postgres"
    document = _document(url, authority, name=name, **more)
    document["tags"] = {"environment": "production", "owner": "platform"}
    said = [w for w in load(document, source="test").warnings if f"datasources.{name}" in w.path]
    assert [w.path for w in said] == [f"kestra:datasources.{name}.{key}"]
    assert said[0].fix.startswith(fix)


HOME = {"extra-volumes": [{"name": "own", "secret": {"secretName": "own"}}], "extra-volume-mounts": [{"name": "own", "mountPath": "/home/kestra/.postgresql"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("url", "more", "deployment", "key"),
    [
        (FULL, {}, {}, "url"),
        (f"{PG}?sslmode=verify-ca&password={PLANTED}", {}, {}, "url"),
        (f"{PG}?ssl=true&sslfactory=org.postgresql.ssl.LibPQFactory", {}, {}, "url"),
        ("jdbc:postgresql://${DB_HOST}/kestra?sslmode=verify-full", {}, {}, "url"),
        (PG, {"data-source-properties": {"sslmode": "verify-full"}}, {}, "data-source-properties"),
        (f"{PG}?sslmode=verify-full&sslRootCert=/etc/ssl/certs/ca-certificates.crt", {}, {}, "url"),
        (FULL, {}, HOME, ""),
        (FULL, {}, {"database-authority": AUTHORITY}, ""),
        (f"{FULL}&{JAVAS}", {}, {}, ""),
        (f"{FULL}&sslrootcert=/etc/ssl/certs/ca-certificates.crt", {}, {}, ""),
        (FULL, {"data-source-properties": {"sslrootcert": "/etc/ssl/certs/ca-certificates.crt"}}, {}, ""),
        (f"{PG}?sslmode=require", {}, {}, ""),
        (f"{PG}?sslmode=${{MODE}}", {}, {}, ""),
    ],
)  # fmt: skip
def test_a_driver_without_an_authority_is_told(
    url: str, more: dict[str, Any], deployment: dict[str, Any], key: str
) -> None:
    document = _document(url, None, **more)
    document["deployment"] |= deployment
    document["tags"] = {"environment": "production", "owner": "platform"}
    said = [w for w in load(document, source="test").warnings if "names nobody who" in w.message]
    assert [w.path for w in said] == ([f"kestra:datasources.postgres.{key}"] if key else [])
    assert PLANTED not in str(said)
    for warning in said:
        assert "kestra:deployment.database-authority" in warning.fix
        assert JAVAS in warning.fix


def test_an_authority_that_the_driver_leaves_unread_is_told() -> None:
    name, _, value = JAVAS.partition("=")
    in_properties: dict[str, Any] = {"data-source-properties": {name: value}}
    for url, more, key in (
        (f"{PG}?{JAVAS}", {}, "url"),
        (PG, in_properties, "data-source-properties"),
    ):
        warnings = load(_document(url, **more), source="test").warnings
        (said,) = [w for w in warnings if "unread" in w.message]
        assert said.path == f"kestra:datasources.postgres.{key}"


def test_a_parameter_in_another_case_is_none_for_the_driver_of_postgresql() -> None:
    tls = database_tls(f"{PG}?sslMode=verify-full")
    assert tls is not None
    assert not tls.is_checked


def test_the_open_edition_has_it_too() -> None:
    chosen = settings(
        {"database-authority": AUTHORITY},
        datasources={"postgres": {"url": PG}},
        queue={"type": "postgres"},
        repository={"type": "postgres"},
    )
    assert _properties(chosen)["sslmode"] == "verify-full"


def test_a_volume_and_a_folder_of_the_projects_are_not_for_others() -> None:
    both = {"grpc-tls": {}, "worker-authentication": {}, "database-authority": AUTHORITY}
    names = ("kestra-database-authority", "grpc-tls", "worker-tokens")
    folders = (MOUNT, "/etc/kestra-grpc", "/etc/kestra-worker-tokens")
    document = distributed_document(
        both
        | {
            "extra-volumes": [{"name": name, "emptyDir": {}} for name in (*names, "own")],
            "extra-volume-mounts": [{"name": "own", "mountPath": folder} for folder in folders],
        },
        version="2.0",
    )
    with pytest.raises(SettingsError) as refused:
        load(document, source="test")
    paths = [p.path for p in refused.value.problems if "this project" in p.message]
    at = "kestra:deployment.extra-volume"
    assert paths == [f"{at}-mounts[{i}].mountPath" for i in range(3)] + [
        f"{at}s[{i}].name" for i in range(3)
    ]
