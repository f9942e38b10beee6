"""What settings may add to pods: each key accepted, refused and unknown, and the same under the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import SettingsError
from components.settings.pods import PodSettings
from components.validation import kubernetes_types, load, stack_file
from components.validation.rules.file_paths import paths
from tests.settings.engine_support import by_check, by_engine, lines, project, report_lines
from tests.settings.pod_rows_fixtures import REFUSED, SECRET, VALID, WARNED
from tests.tiers import long


def text(rows: str) -> str:
    """A stack file with these lines below `kestra:deployment`."""
    log_in = "kestra:server: {basic-auth: {username: admin@example.com}}"
    return f"config:\n  {log_in}\n  kestra:deployment:\n    {rows}\n"


def report(rows: str) -> tuple[list[Any], list[Any]]:
    """Errors and warnings of a stack with these lines."""
    config = yaml.load(text(rows), Loader=stack_file.BoundedLoader)["config"]
    document = {k.removeprefix("kestra:"): stack_file.mark_encrypted(v) for k, v in config.items()}
    try:
        return [], list(load(document, source="f").warnings)
    except SettingsError as error:
        return [p for p in error.problems if p.severity == "error"], list(error.problems)


def test_every_key_has_rows_of_both_kinds() -> None:
    for field in PodSettings.model_fields.values():
        key = str(field.alias)
        assert any(key in rows for rows in VALID.values()), key
        assert any(path.startswith(key) for _, path, _ in REFUSED.values()), key


@pytest.mark.parametrize("name", VALID)
def test_a_valid_row_is_accepted_without_a_word(name: str) -> None:
    assert report(VALID[name]) == ([], [])


@pytest.mark.parametrize("name", WARNED)
def test_a_doubtful_row_is_accepted_with_a_warning(name: str) -> None:
    rows, words = WARNED[name]
    errors, warnings = report(rows)
    assert errors == []
    (warning,) = warnings
    for word in words.split(" | "):
        assert word in warning.line()
    assert SECRET not in warning.line()


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_row_is_refused_where_it_is_wrong(name: str) -> None:
    rows, path, words = REFUSED[name]
    errors, _ = report(rows)
    there = [e for e in errors if e.path == f"kestra:deployment.{path}"]
    assert there, [e.line() for e in errors]
    assert words in "\n".join(e.line() for e in there)
    assert all(e.fix for e in errors)


ALL = {
    **{f"valid {n}": rows for n, rows in VALID.items()},
    **{f"warned {n}": rows for n, (rows, _) in WARNED.items()},
    **{f"refused {n}": rows for n, (rows, *_) in REFUSED.items()},
}


@pytest.mark.parametrize("name", ALL)
def test_check_and_the_program_under_the_engine_agree(name: str, tmp_path: Path) -> None:
    loaded, said = by_check(project(tmp_path, text(ALL[name])))
    settings, errors = by_engine(tmp_path, text(ALL[name]))
    assert (loaded is None) == (settings is None), (said, errors)
    assert SECRET not in errors
    if loaded is None:
        assert report_lines(errors) == lines(said)
    else:
        assert settings is not None
        assert [w.fix for w in settings.warnings] == [w.fix for w in loaded.warnings]
        dumped = (one.settings.model_dump_json() for one in (loaded, settings))
        assert len(set(dumped)) == 1


def test_without_a_stack_file_every_value_counts_as_encrypted(tmp_path: Path) -> None:
    """The Automation API names the first-level key that holds a secret, and no place in it."""
    rows = (
        f"extra-env: [{{name: A, value: {{secure: {SECRET}}}}}]\n"
        f"    init-containers: [{{name: a, image: 'b:1', env: [{{name: A, value: {{secure: {SECRET}}}}}]}}]"
    )
    loaded, errors = by_engine(tmp_path, text(rows))
    assert loaded, errors
    assert SECRET not in loaded.settings.model_dump_json()
    assert SECRET not in repr(loaded.settings)


DISTRIBUTED: dict[str, Any] = {
    "edition": "enterprise",
    "secret": {"type": "vault", "vault": {"address": "https://v:8200", "kubernetes": {}}},
    "datasources": {"postgres": {"url": "jdbc:postgresql://a/b", "password": "${DB_PASSWORD}"}},
    "queue": {"type": "postgres"},
    "repository": {"type": "postgres"},
}
VOLUME = {"extra-volumes": [{"name": "a", "secret": {"secretName": "a"}}]}
MOUNT = {"extra-volume-mounts": [{"name": "a", "mountPath": "/app/certs"}]}


def problems(deployment: dict[str, Any], **changed: Any) -> dict[str, str]:
    """Path to line of what is said of a stack in mode distributed."""
    document = DISTRIBUTED | changed
    document["deployment"] = {
        "mode": "distributed",
        "environment-from": ["a"],
        "storage-volume": {"size": "1Gi"},
        **deployment,
    }
    try:
        said = load(document, source="f").warnings
    except SettingsError as error:
        said = error.problems
    lines = {p.path.removeprefix("kestra:"): f"{p.severity}: {p.line()}" for p in said}
    return {path: line for path, line in lines.items() if path != "ee.license"}


def test_a_variable_of_one_component_is_not_one_of_all() -> None:
    one = {"extra-env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]}  # fmt: skip
    nowhere: dict[str, Any] = {"environment-from": []}
    path = "datasources.postgres.password"
    assert "that nothing here provides" in problems(nowhere)[path]
    assert problems(nowhere | one) == {}
    workers = nowhere | {"components": {"worker": one}}
    line = problems(workers)[path]
    assert "webserver, executor, scheduler, indexer does not have" in line
    assert problems(nowhere | {"extra-env-from": [{"secretRef": {"name": "a"}}]}) == {}


def test_a_variable_of_a_setting_is_there_where_the_setting_asks_for_it() -> None:
    name = "DATASOURCES_POSTGRES_PASSWORD"
    variable = {"name": name, "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
    datasources = {"postgres": {"url": "jdbc:postgresql://a/b", "password": f"${{{name}}}"}}
    assert problems({"extra-env": [variable]}, datasources=datasources) == {}
    absent = {"postgres": {"url": "jdbc:postgresql://a/b"}}
    assert problems({"extra-env": [variable]}, datasources=absent) == {}
    other = {"postgres": {"url": "jdbc:postgresql://a/b", "password": "${OTHER}"}}
    line = problems({"extra-env": [variable]}, datasources=other)["deployment.extra-env[0].name"]
    assert "overrides kestra:datasources.postgres.password" in line
    assert f"or to ${{{name}}}" in line


def test_a_mount_needs_its_volume_in_every_component() -> None:
    assert problems(VOLUME | MOUNT) == {}
    assert problems({"components": {"worker": VOLUME | MOUNT}}) == {}
    assert problems(VOLUME | {"components": {"worker": MOUNT}}) == {}
    partly = problems(MOUNT | {"components": {"worker": VOLUME}})
    assert "not every component has" in partly["deployment.extra-volume-mounts[0].name"]


def test_several_pods_ask_for_a_volume_that_all_of_them_mount() -> None:
    at = "deployment.storage-volume."
    assert problems({"storage-volume": {"existing-claim": "a"}})[f"{at}existing-claim"].startswith("warning")  # fmt: skip
    assert problems({"storage-volume": {"existing-claim": "a", "access-mode": "ReadWriteMany"}}) == {}  # fmt: skip
    line = problems({"storage-volume": {"existing-claim": "a", "access-mode": "ReadWriteOnce"}})
    assert line[f"{at}access-mode"].startswith("error")


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("jdbc:postgresql://a/b?sslmode=verify-full&sslrootcert=/app/certs/ca.crt", ["/app/certs/ca.crt"]),
        ("jdbc:postgresql://a/b?sslcert=/x/a&sslkey=/x/b.pk8", ["/x/a", "/x/b.pk8"]),
        ("jdbc:mysql://a/b?trustCertificateKeyStoreUrl=file:///x/t.jks&useSSL=true", ["/x/t.jks"]),
        ("jdbc:mysql://a/b?clientCertificateKeyStoreUrl=file:/x%20y/t.jks", ["/x y/t.jks"]),
        ("jdbc:postgresql://a/b?sslmode=require", []),
        ("jdbc:postgresql://a/b?user=k&password=/Pl4nted&sslpassword=/Pl4nted", []),
        ("jdbc:postgresql://a/b?sslrootcert=${CERTS}/ca.crt", []),
    ],
)  # fmt: skip
def test_a_jdbc_address_names_its_files(url: str, named: list[str]) -> None:
    assert list(paths("postgres.url", url)) == named


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("properties.ssl.keystore.location", "/app/ssl/client.keystore.p12", "/app/ssl/client.keystore.p12"),
        ("properties.ssl.truststore.location", "/app/ssl/trust", "/app/ssl/trust"),
        ("key-store.path", "file:/app/ssl/server.p12", "/app/ssl/server.p12"),
        ("properties.sasl.jaas.config", 'com.sun.security.auth.module.Krb5LoginModule required keyTab="/k/a.keytab";', "/k/a.keytab"),
        ("ssl.certificate", "/certs/tls.crt", "/certs/tls.crt"),
        ("java-options", "-Djavax.net.ssl.trustStore=/agents/a.jks -Xmx1g", "/agents/a.jks"),
        ("basic-auth.open-urls", "/api/v1/main/executions/webhook/", None),
        ("basic-auth.open-urls", "/api/v1/main/x.json", None),
        ("properties.ssl.keystore.password", "/Pl4nted.key", None),
        ("properties.sasl.jaas.config", 'a.LoginModule required password="/Pl4nted";', None),
        ("java-options", "-Djavax.net.ssl.trustStorePassword=/Pl4nted", None),
        ("db-password", "/Pl4nted.key", None),
        ("db-password-file", "/run/db/password", "/run/db/password"),
        ("oauth2.token-file", "/run/token", "/run/token"),
        ("micronaut.server.context-path", "/kestra", None),
        ("local.base-path", "/app/storage", None),
        ("s3.endpoint", "https://minio:9000/a.pem", None),
        ("deployment.url", "https://a.b/c.json", None),
    ],
)  # fmt: skip
def test_a_value_names_a_file_by_its_key_or_its_form(
    key: str, value: str, named: str | None
) -> None:
    assert next(paths(key, value), None) == named


def test_a_file_that_a_volume_holds_is_no_word_worth() -> None:
    source = {"postgres": {"url": "jdbc:postgresql://a/b?sslrootcert=/app/certs/ca.crt"}}
    line = problems({}, datasources=source)["datasources.postgres.url"]
    assert "/app/certs/ca.crt" in line
    assert "no volume of the pods holds" in line
    assert problems(VOLUME | MOUNT, datasources=source) == {}
    file = {"extra-volume-mounts": [{"name": "a", "mountPath": "/app/certs/ca.crt", "subPath": "x"}]}  # fmt: skip
    assert problems(VOLUME | file, datasources=source) == {}
    partly = problems({"components": {"webserver": VOLUME | MOUNT}}, datasources=source)
    assert "no volume of executor, indexer, scheduler, worker" in partly["datasources.postgres.url"]
    system = {"postgres": {"url": "jdbc:postgresql://a/b?sslrootcert=/etc/ssl/certs/ca-certificates.crt"}}  # fmt: skip
    assert problems({}, datasources=system) == {}


@pytest.mark.parametrize(
    "block",
    [
        {"kafka": {"client": {"properties": {"ssl.keystore.location": "/app/ssl/a.p12"}}}},
        {"additional-configuration": {"acme": {"tls": {"trust-store": "/app/ssl/a.p12"}}}},
        {
            "micronaut": {
                "http": {"client": {"ssl": {"key-store": {"path": "file:/app/ssl/a.p12"}}}}
            }
        },
    ],
    ids=["kafka", "additional", "micronaut"],
)
def test_a_file_is_missed_wherever_the_configuration_names_it(block: dict[str, Any]) -> None:
    lines = [
        line for line in problems({}, **block).values() if "which no volume of the pods" in line
    ]
    assert len(lines) == 1
    assert "names /app/ssl/a.p12" in lines[0]
    mount = {"extra-volume-mounts": [{"name": "a", "mountPath": "/app/ssl"}]}
    assert not [line for line in problems(VOLUME | mount, **block).values() if "/app/ssl" in line]


def test_a_folder_in_which_kestra_writes_needs_an_empty_volume() -> None:
    lines = problems({}, tasks={"tmp-dir": {"path": "/data/tmp"}}).values()
    assert any("/data/tmp" in line and "mount an emptyDir" in line for line in lines)


def test_workers_of_2_0_read_no_database() -> None:
    source = {"postgres": {"url": "jdbc:postgresql://a/b?sslrootcert=/app/certs/ca.crt"}}
    names = ("webserver", "executor", "scheduler", "indexer", "controller")
    components = dict.fromkeys(names, VOLUME | MOUNT)
    assert problems({"components": components}, datasources=source, version="2.0") == {}


GROUPS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "1.3 with a token": ({"gpu": {"registration-token": "${T}"}}, {}, "gpu.registration-token", "not known to Kestra 1.3"),
    "2.0 with a key": ({"gpu": {"key": "a", "registration-token": "${T}"}}, {"version": "2.0"}, "gpu.key", "not known to Kestra 2.0"),
    "2.0 without a token": ({"gpu": {}}, {"version": "2.0"}, "gpu.registration-token", "default group"),
    "an empty token": ({"gpu": {"registration-token": ""}}, {"version": "2.0"}, "gpu.registration-token", "is empty"),
    "a name": ({"GPU_1": {}}, {}, "GPU_1", "no name of a worker group"),
    "a long name": ({"a" * 41: {}}, {}, "a" * 41, "at most 40"),
    "the option again": ({"gpu": {"extra-args": ["--worker-group=x"]}}, {}, "gpu.extra-args", "under key"),
    "an account twice": ({"a": {"service-account": {"name": "x"}}, "b": {"service-account": {"name": "x"}}}, {}, "b.service-account.name", "group a too"),
    "a shared account with annotations": ({"a": {"service-account": {"name": "kestra", "annotations": {"a": "b"}}}}, {}, "a.service-account.annotations", "no use"),
    "an unknown key": ({"gpu": {"replica": 1}}, {}, "gpu.replica", "did you mean replicas"),
    "a variable of the program": ({"gpu": {"extra-env": [{"name": "STACK_A", "value": "b"}]}}, {}, "gpu.extra-env[0].name", "this project sets"),
    "the token twice": ({"gpu": {"registration-token": "${T}", "extra-env": [{"name": "KESTRA_WORKER_AUTH_REGISTRATION_TOKEN", "value": "${U}"}]}}, {"version": "2.0"}, "gpu.extra-env[0].name", "registration-token"),
    "an argument of Kestra's": ({"gpu": {"extra-args": ["--config=x"]}}, {}, "gpu.extra-args[0]", "another configuration file"),
    "resources": ({"gpu": {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}}, {}, "gpu.resources.requests.cpu", "above the limit"),
}  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_a_wrong_worker_group_is_refused(name: str) -> None:
    groups, changed, path, words = GROUPS[name]
    line = problems({"worker-groups": groups}, **changed)[f"deployment.worker-groups.{path}"]
    assert line.startswith("error")
    assert words in line


def test_worker_groups_need_mode_distributed() -> None:
    line = problems({"worker-groups": {"gpu": {}}, "mode": "standalone"})
    assert "need mode distributed" in line["deployment.worker-groups"]
    assert problems({"worker-groups": {"gpu": {"key": "x"}}}) == {}
    group: dict[str, Any] = {"registration-token": "${T}"}
    assert problems({"worker-groups": {"gpu": group}}, version="2.0") == {}
    nowhere = {"environment-from": [], "environment": {"DB_PASSWORD": "${X}"}}
    path = "deployment.worker-groups.gpu.registration-token"
    line = problems(nowhere | {"worker-groups": {"gpu": group}}, version="2.0")[path]
    assert line.startswith("warning")
    own = {"extra-env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]}
    assert path not in problems(nowhere | {"worker-groups": {"gpu": group | own}}, version="2.0")


def test_a_group_without_an_identity_in_the_cloud_is_told_so() -> None:
    aws: dict[str, Any] = {
        "secret": {"type": "aws-secret-manager", "aws-secret-manager": {"region": "eu-west-1"}},
        "identity": {"aws": {"role-arn": "arn:aws:iam::123456789012:role/kestra"}},
        "tags": {"environment": "development"},
    }
    path = "deployment.worker-groups.gpu.service-account.annotations"
    line = problems({"worker-groups": {"gpu": {}}}, **aws)[path]
    assert line.startswith("warning")
    assert "eks.amazonaws.com/role-arn" in line
    own = {
        "service-account": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}}
    }
    shared = {"service-account": {"name": "kestra"}}
    for group in (own, shared):
        assert path not in problems({"worker-groups": {"gpu": group}}, **aws)


@long("stacks")
def test_the_types_are_those_of_the_installed_sdk() -> None:
    written = json.loads(kubernetes_types.TARGET.read_text())
    assert written == kubernetes_types.document(), (
        "run: python -m components.validation.kubernetes_types"
    )


@long("stacks")
@pytest.mark.parametrize("name", ["EnvVar", "Volume", "Container", "Toleration", "VolumeMount"])
def test_the_types_agree_with_kubernetes_own_client(name: str) -> None:
    from kubernetes.client import models

    known = set(getattr(models, f"V1{name}").attribute_map.values())
    ours = set(json.loads(kubernetes_types.TARGET.read_text())["types"][name])
    assert known - ours == set()
