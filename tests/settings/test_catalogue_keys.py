"""Keys of Kestra's that no model has: types, spelling, secrets, versions, editions, owners, hints."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from components.rendering.configuration import Configuration, ProvidedValue, render
from components.rendering.web_server import WebServer
from components.settings import Problem, SettingsError
from components.settings.base import OPAQUE
from components.stack_config import decode_config
from components.validation import load
from components.validation.loader import load_stack
from tests.settings.catalogue_secrets_fixtures import SECRET, SECRETS
from tests.settings.malformed_fixtures import enterprise, oss

FROM = {"environment-from": ["secrets"]}


def _rendered(**changed: Any) -> Configuration:
    return render(load(oss(**{"deployment": FROM} | changed), source="f").settings)


def _at(configuration: Configuration, *path: str | int) -> Any:
    node: Any = configuration.document
    for part in path:
        node = node[part]
    return node


def _problems(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(document, source="f")
    return {p.path: p.line() for p in caught.value.problems if p.severity == "error"}


def _warnings(document: dict[str, Any]) -> list[Problem]:
    return list(load_stack(document, source="f").warnings)


@pytest.mark.parametrize(
    ("settings", "path", "value"),
    [
        ({"tasks": {"tmpDir": {"path": "/t"}}}, ("kestra", "tasks", "tmp-dir", "path"), "/t"),
        ({"otel": {"resource": {"attributes": "service.name=kestra,team=a"}}}, ("otel", "resource", "attributes"), "service.name=kestra,team=a"),
        ({"micronaut": {"server": {"port": "9090"}}}, ("micronaut", "server", "port"), 9090),
        ({"jdbc": {"queues": {"poll_size": 7.0}}}, ("kestra", "jdbc", "queues", "poll-size"), 7),
        ({"traces": {"root": 7}}, ("kestra", "traces", "root"), 7),
        ({"ai": {"enabled": "true"}}, ("kestra", "ai", "enabled"), True),
        ({"retries": {"delay": "0s"}}, ("kestra", "retries", "delay"), "0s"),
        ({"retries": {"delay": "${DELAY}"}}, ("kestra", "retries", "delay"), "${DELAY}"),
        ({"retries": {"attempts": "${TRIES:5}"}}, ("kestra", "retries", "attempts"), "${TRIES:5}"),
        ({"micronaut": {"server": {"maxRequestSize": "10MB"}}}, ("micronaut", "server", "max-request-size"), "10MB"),
        ({"local-files": {"allowed-paths": "/a,/b"}}, ("kestra", "local-files", "allowed-paths"), "/a,/b"),
        ({"local-files": {"allowed-paths": ["/a", 5]}}, ("kestra", "local-files", "allowed-paths"), ["/a", 5]),
        ({"local-files": {"allowed-paths": []}}, ("kestra", "local-files", "allowed-paths"), []),
        ({"logger": {"levels": {"io.kestra.core": "DEBUG"}}}, ("logger", "levels", "io.kestra.core"), "DEBUG"),
        ({"logger": {"levels": {"io": {"kestra": "TRACE"}}}}, ("logger", "levels", "io", "kestra"), "TRACE"),
        ({"plugins": {"defaults": [{"type": "a", "values": {"camelCase": {"a.b": [1]}}}]}}, ("kestra", "plugins", "defaults", 0, "values", "camelCase", "a.b"), [1]),
        ({"micronaut.server": {"context-path": "k"}}, ("micronaut", "server", "context-path"), "k"),
        ({"otel": {"traces": {"sampler": "ratio", "sampler.arg": 0.5}}}, ("otel", "traces", "sampler.arg"), 0.5),
        ({"otel": {"traces": {"sampler.arg": 0.5}}}, ("otel", "traces", "sampler", "arg"), 0.5),
        ({"variables": {"env-vars-prefix": "ENV_"}}, ("kestra", "variables", "env-vars-prefix"), "ENV_"),
        ({"tutorial-flows": {"enabled": True}, "tags": {"environment": "production", "owner": "x"}}, ("kestra", "tutorial-flows", "enabled"), True),
        ({"anonymous-usage-report": {"enabled": True}}, ("kestra", "anonymous-usage-report", "enabled"), True),
        ({"url": "https://k.example.com/"}, ("kestra", "url"), "https://k.example.com/"),
        ({"tasks": {"sdk": {"authentication": {"username": "u"}}}}, ("kestra", "tasks", "sdk", "authentication", "username"), "u"),
        ({"grpc": {"server": {"enabled": False}}, "version": "2.0"}, ("grpc", "server", "enabled"), False),
        ({"security": {"zip-bomb-protection": {"enabled": True}}, "version": "2.0"}, ("kestra", "security", "zip-bomb-protection", "enabled"), True),
        ({"datasources": {"postgres": {"url": "jdbc:x", "connectionTimeout": "60000"}}}, ("datasources", "postgres", "connection-timeout"), 60000),
        ({"additional-configuration": {"company": {"A": 1}, "kestra": {"new": {"x": "y"}}}}, ("kestra", "new", "x"), "y"),
    ],
)  # fmt: skip
def test_a_key_stands_in_the_file_in_kestras_spelling_and_of_its_type(
    settings: dict[str, Any], path: tuple[str | int, ...], value: Any
) -> None:
    rendered = _at(_rendered(**settings), *path)
    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize(
    ("settings", "path", "words"),
    [
        ({"ai": {"enabled": "yes"}}, "kestra:ai.enabled", "is not true or false"),
        ({"jdbc": {"queues": {"poll-size": "many"}}}, "kestra:jdbc.queues.poll-size", "is not a number"),
        ({"jdbc": {"queues": {"poll-size": True}}}, "kestra:jdbc.queues.poll-size", "is not a number"),
        ({"retries": {"delay": 25}}, "kestra:retries.delay", "for seconds write 25s"),
        ({"traces": {"root": 1.1}}, "kestra:traces.root", "is not text"),
        ({"traces": {"root": {"a": 1}}}, "kestra:traces.root", "is not text"),
        ({"traces": "x"}, "kestra:traces", "is not a block of keys"),
        ({"micronaut": {"server": {"max-request-size": "10 mega"}}}, "kestra:micronaut.server.max-request-size", "is no size"),
        ({"localFiles": {"allowedPaths": {"a": 1}}}, "kestra:localFiles.allowedPaths", "is not a list"),
        ({"plugins": {"defaults": {"type": "a"}}}, "kestra:plugins.defaults", "is not a list"),
        ({"plugins": {"defaults": [{"values": "x"}]}}, "kestra:plugins.defaults[0].values", "is not a block of keys"),
        ({"variables": {"globals": {"a": [None]}}}, "kestra:variables.globals.a[0]", "is a kind of value"),
        ({"tasks": {"tmpDir": {"path": "a"}, "tmp-dir": {"path": "b"}}}, "kestra:tasks.tmpDir", "as kestra:tasks.tmp-dir too"),
        ({"server": {"basic-auth": {"username": "a@b.c"}, "liveness.timeout": "60s"}}, "kestra:server.liveness.timeout", "written with dots"),
        ({"traces": {"root": SecretStr(OPAQUE)}, "jdbc": SecretStr(OPAQUE)}, "kestra:jdbc", "is encrypted"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_in_the_words_of_the_models(
    settings: dict[str, Any], path: str, words: str
) -> None:
    problems = _problems(oss(**settings))
    assert path in problems, problems
    assert words in problems[path]


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (oss(version="2.0", plugins={"defaults": [{"type": "a"}]}), "kestra:plugins.defaults", "kestra:policies"),
        (enterprise(policies=[{"id": "p"}]), "kestra:policies", "kestra:plugins.defaults"),
        (oss(version="2.0", jdbc={"cleaner": {"retention": "7d"}}), "kestra:jdbc.cleaner", "kestra:jdbc.queue.cleaner"),
        (oss(regex={"timeout": "5s"}), "kestra:regex", "set kestra:version to 2.0"),
        (enterprise(mail_service={"host": "h"}), "kestra:mail-service", "kestra:ee.mail-service"),
        (oss(version="2.0", flyway={"enabled": True}), "kestra:flyway", "kestra migrate"),
        (oss(ee={"license": {"id": "1"}}), "kestra:ee", "Enterprise Edition"),
        (oss(kafka={"client": {"properties": {"a": 1}}}), "kestra:kafka", "Enterprise Edition"),
        (oss(micronaut={"security": {"enabled": True}}), "kestra:micronaut.security.enabled", "kestra:server.basic-auth"),
        (enterprise(micronaut={"security": {"enabled": False}}), "kestra:micronaut.security.enabled", "switches off"),
        (oss(micronaut={"environments": "k8s"}), "kestra:micronaut.environments", "use the settings"),
        (oss(micronaut={"config": {"files": "x"}}), "kestra:micronaut.config", "use the settings"),
        (oss(micronaut={"server": {"host": "127.0.0.1"}}), "kestra:micronaut.server.host", "restart for ever"),
        (oss(micronaut={"server": {"port": "${PORT}"}}), "kestra:micronaut.server.port", "is no port that can be read here"),
        (oss(micronaut={"server": {"port": 80}}), "kestra:micronaut.server.port", "1024"),
        (oss(endpoints={"all": {"path": "/x"}}), "kestra:endpoints.all.path", "probes"),
        (oss(server_type="WORKER"), "kestra:server-type", "kestra:deployment.mode"),
        (oss(worker={"group-key": "gpu"}), "kestra:worker.group-key", "deployment.worker-groups"),
        (oss(variables={"env-vars-prefix": ""}), "kestra:variables.env-vars-prefix", "encryption key included"),
        (oss(variables={"env-vars-prefix": "STACK_"}), "kestra:variables.env-vars-prefix", "STACK_"),
        (oss(url="https://a.example.com", deployment={"url": "https://b.example.com"}), "kestra:url", "keep one of them"),
        (enterprise(queue={"type": "kafka"}), "kestra:queue.type", 'add kestra:kafka.client.properties["bootstrap.servers"]'),
        (enterprise(repository={"type": "elasticsearch"}), "kestra:repository.type", "kestra:elasticsearch.client.http-hosts"),
        (enterprise(queue={"type": "amqp"}), "kestra:queue.type", "set kestra:version to 2.0"),
        (oss(version="2.0", queue={"type": "redis"}), "kestra:queue.type", "Enterprise Edition"),
        (oss(storage={"type": "seaweedfs"}), "kestra:storage.seaweedfs", "is missing"),
        (oss(storage={"type": "local", "seaweedfs": {"filer-host": "x"}}), "kestra:storage.seaweedfs", "is not the block"),
    ],
)  # fmt: skip
def test_a_key_of_another_version_edition_or_owner_is_refused_with_what_to_use(
    document: dict[str, Any], path: str, words: str
) -> None:
    problems = _problems(document)
    assert path in problems, problems
    assert words in problems[path]


def test_controllers_are_the_stacks_own_where_it_is_distributed() -> None:
    worker = {"controllers": {"type": "DNS", "dns": {"hostname": "h"}}}
    database = {"postgres": {"url": "jdbc:x"}}
    document = oss(version="2.0", worker=worker, datasources=database, queue={"type": "postgres"})
    document |= {
        "repository": {"type": "postgres"},
        "storage": {"type": "gcs", "gcs": {"bucket": "abc"}},
    }
    assert load(document, source="f").settings.catalogue_value("kestra", "worker") is not None
    problems = _problems(document | {"deployment": {"mode": "distributed"}})
    assert "kestra:deployment.components.controller" in problems["kestra:worker.controllers.type"]


@pytest.mark.parametrize(
    ("settings", "path", "hint"),
    [
        ({"gcp-secret-manager": {"a": 1}}, "kestra:gcp-secret-manager", "google-secret-manager"),
        ({"extra-volumes": []}, "kestra:extra-volumes", "kestra:deployment.extra-volumes"),
        ({"extraEnv": []}, "kestra:extraEnv", "kestra:deployment.extra-env"),
        ({"tenants": {"enabled": True}}, "kestra:tenants", "kestra:ee.tenants"),
        ({"secrets": {"a": 1}}, "kestra:secrets", "kestra:declared-secrets"),
        ({"webservr": {"html-head": "x"}}, "kestra:webservr", "webserver"),
        ({"configurations": {"application": {"kestra": {}}}}, "kestra:configurations.application", "Helm"),
        ({"tasks": {"temp-dir": {"path": "/t"}}}, "kestra:tasks.temp-dir", "tmp-dir"),
        ({"server": {"basic-auth": {"username": "a@b.c"}, "context-path": "/k"}}, "kestra:server.context-path", "kestra:micronaut.server.context-path"),
        ({"configuration": {"kestra": {}}}, "kestra:configuration", "Helm"),
        ({"logging": {"level": "debug"}}, "kestra:logging.level", "kestra:logger.levels"),
        ({"jvm": {"heap": "1g"}}, "kestra:jvm", "java-options"),
        ({"deployment": {"ingress": {"host": "k.example.com", "path": "/"}}}, "kestra:deployment.ingress.path", "not Kestra's, and has no other keys. Fix: use one of annotations"),
        ({"oidc": {"issuer": "x"}}, "kestra:oidc", "kestra:micronaut.security.oauth2"),
        ({"tasks": {"tmp-dir": {"paths": "x"}}}, "kestra:tasks.tmp-dir.paths", "did you mean path"),
        ({"kestra": {"server": {}}}, "kestra:kestra", "leave out this level"),
        ({"storage": {"type": "s3", "s3": {"bucket": "abc", "sts-role-externalid": "x"}}}, "kestra:storage.s3.sts-role-externalid", "sts-role-external-id"),
        ({"storage": {"type": "s3", "s3": {"bucket": "abc", "zzz": "x"}}}, "kestra:storage.s3.zzz", "additional-configuration"),
        ({"micronaut": {"zzz": "x"}}, "kestra:micronaut.zzz", "additional-configuration"),
    ],
)  # fmt: skip
def test_a_key_that_nobody_knows_is_told_with_what_may_be_meant(
    settings: dict[str, Any], path: str, hint: str
) -> None:
    problem = _problems(oss(**settings))[path]
    assert "is no known key" in problem
    assert hint in problem
    assert "remove it" not in problem


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_clear_becomes_a_placeholder_and_a_warning_with_its_command(name: str) -> None:
    settings, path, setting = SECRETS[name]
    document = oss(**{"deployment": FROM} | settings)
    warned = [w for w in _warnings(document) if "stands in clear" in w.message]
    assert [w.path for w in warned] == [setting]
    assert f"pulumi config set --path --secret '{setting}'" in warned[0].fix
    configuration = render(load(document, source="f").settings)
    assert SECRET not in configuration.yaml()
    assert SECRET not in repr(load(document, source="f"))
    variable = configuration.environment[_at(configuration, *path)[2:-1]]
    assert isinstance(variable, ProvidedValue)
    assert SECRET in variable.value.get_secret_value()


@pytest.mark.parametrize("name", SECRETS)
def test_an_encrypted_value_becomes_a_placeholder_without_a_word(name: str) -> None:
    settings, path, _ = SECRETS[name]

    def encrypted(node: Any) -> Any:
        if isinstance(node, dict):
            return {k: encrypted(v) for k, v in node.items()}
        if isinstance(node, list):
            return [encrypted(item) for item in node]
        return SecretStr(node) if isinstance(node, str) and SECRET in node else node

    document = oss(**{"deployment": FROM} | encrypted(settings))
    assert not [w for w in _warnings(document) if "in clear" in w.message]
    configuration = render(load(document, source="f").settings)
    assert _at(configuration, *path).startswith("${STACK_")
    assert SECRET not in configuration.yaml()


@pytest.mark.parametrize(
    "value",
    ["${TOKEN}", "${TOKEN:}", "Bearer ${TOKEN}", "x?password=${PW}", "${A}:${B}"],
)
def test_what_another_place_provides_stays_as_it_is_written(value: str) -> None:
    document = oss(deployment=FROM, variables={"globals": {"apiToken": value}})
    assert not [w for w in _warnings(document) if "in clear" in w.message]
    rendered = _at(render(load(document, source="f").settings), "kestra", "variables", "globals")
    assert rendered == {"apiToken": value}


@pytest.mark.parametrize(
    ("value", "variables"),
    [
        ("${LOST}", {"LOST"}),
        ("https://${HOST}:${PORT}/x", {"HOST", "PORT"}),
        ("${LOST:}", set()),
        ("${HOSTNAME}", set()),
        ("${kestra.url}", set()),
        ("${GIVEN}${STORED}", set()),
        ("${KUBERNETES_SERVICE_HOST}", set()),
        ("$LOST", set()),
    ],
)
@pytest.mark.parametrize("place", ["models", "keys", "additional"])
def test_each_variable_that_nothing_provides_is_told(
    value: str, variables: set[str], place: str
) -> None:
    settings: dict[str, dict[str, Any]] = {
        "models": {"server": {"basic-auth": {"username": "a@b.c", "realm": value}}},
        "keys": {"traces": {"root": value}},
        "additional": {"additional-configuration": {"vendor": {"a": value}}},
    }
    environment = {"GIVEN": "x", "STORED": SecretStr("y")}
    document = oss(**settings[place], deployment={"environment": environment})
    warned = [w for w in load(document, source="f").warnings if "provides" in w.message]
    assert len(warned) == len(variables)
    for name in variables:
        assert value == f"${{{name}}}" or any(name in w.message for w in warned)


def test_variables_of_a_jdbc_address_stay_variables_even_beside_a_password() -> None:
    url = f"jdbc:postgresql://${{HOST}}:5432/kestra?password={SECRET}"
    configuration = _rendered(datasources={"postgres": {"url": url}})
    name = _at(configuration, "datasources", "postgres", "url")[2:-1]
    variable = configuration.environment[name]
    assert isinstance(variable, ProvidedValue)
    assert variable.value.get_secret_value() == url


def test_what_is_additional_is_told_as_not_checked_and_is_not_for_what_the_settings_have() -> None:
    document = oss(**{"additional-configuration": {"vendor": {"a": 1, "b": 2}}})
    assert [w.message for w in _warnings(document) if w.path.startswith("kestra:additional")] == [
        "is not checked"
    ]
    known = {
        "kestra": {"tasks": {"tmp-dir": {"path": "/t"}}, "server": {"liveness": {"timeout": "1m"}}}
    }
    known |= {"micronaut": {"environments": "x", "security": {"enabled": True}}}
    problems = _problems(oss(**{"additional-configuration": known}))
    assert {path.removeprefix("kestra:additional-configuration.") for path in problems} == {
        "kestra.tasks.tmp-dir.path", "kestra.server.liveness.timeout", "micronaut.environments",
        "micronaut.security.enabled",
    }  # fmt: skip
    assert "kestra:server.liveness.timeout" in " ".join(problems.values())
    for block in ({"kestra": {"secret": "x"}}, {"kestra": {}}, {"micronaut": "x"}):
        assert "is the setting" in " ".join(
            _problems(oss(**{"additional-configuration": block})).values()
        )


@pytest.mark.parametrize(
    ("settings", "is_told"),
    [
        ({}, True),
        ({"ee": {"license": {"id": "1", "key": "${KEY:}"}}}, False),
        ({"ee": {"license": {"id": "1"}}}, True),
        ({"ee": {}, "deployment": FROM}, False),
        ({"ee": {}, "deployment": {"environment": {"KESTRA_EE_LICENSE_ID": "1", "KESTRA_EE_LICENSE_KEY": SecretStr("x")}}}, False),
    ],
)  # fmt: skip
def test_an_enterprise_edition_without_a_licence_is_told(
    settings: dict[str, Any], is_told: bool
) -> None:
    document = enterprise(**settings) if settings else enterprise(ee={})
    warned = [w for w in load(document, source="f").warnings if w.path == "kestra:ee.license"]
    assert bool(warned) == is_told


@pytest.mark.parametrize(
    ("server", "port", "path", "tls"),
    [
        ({}, 8080, "", False),
        ({"port": 9090, "context-path": "kestra/"}, 9090, "/kestra", False),
        ({"port": 9090, "ssl": {"enabled": True}}, 8443, "", True),
        ({"ssl": {"enabled": "true", "port": "9443"}}, 9443, "", True),
    ],
)
def test_what_the_pods_follow_is_read_from_the_settings(
    server: dict[str, Any], port: int, path: str, tls: bool
) -> None:
    s = load(oss(micronaut={"server": server}), source="f").settings
    web = WebServer.of(render(s).document, s)
    assert (web.port, web.context_path, web.is_tls) == (port, path, tls)


def test_a_stack_without_such_keys_reads_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AssertionError("the catalogue was read")

    monkeypatch.setattr("components.catalogue.catalogue", refuse)
    load(oss(), source="f")


def test_without_a_stack_file_every_text_that_may_be_a_secret_is_one() -> None:
    values = {
        "kafka": '{"client": {"properties": {"a.b": "x"}}}',
        "micronaut": '{"server": {"port": "9090", "ssl": {"key-store": {"password": "y"}}}}',
        "additional-configuration": '{"vendor": {"a": ["z"]}}',
        "deployment": '{"namespace": "kestra"}',
    }
    document: dict[str, Any] = decode_config(values, list(values), None)
    assert document["kafka"]["client"]["properties"]["a.b"] == SecretStr("x")
    assert document["micronaut"]["server"]["port"] == "9090"
    assert document["micronaut"]["server"]["ssl"]["key-store"]["password"] == SecretStr("y")
    assert document["additional-configuration"]["vendor"]["a"] == [SecretStr("z")]
    assert document["deployment"] == {"namespace": "kestra"}
