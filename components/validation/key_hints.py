"""What a person may have meant by a key that nobody knows: by its meaning, by its place, by its letters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import cache

from ..backends.settings_model import settings_model
from ..catalogue import catalogue, segments
from ..settings.base import Model, kebab
from ..settings.model import Settings
from .schema import OURS, Loc, config_path, models_in

#: First-level keys that belong to another level of another file, with what to do.
_LEVELS = {
    "kestra": "leave out this level: the keys under `kestra:` in Kestra's file are first-level settings here",
    "common": "this is a level of the values of Kestra's Helm chart: what it says of pods belongs under "
    "kestra:deployment",
    "deployments": "this is a level of the values of Kestra's Helm chart: write kestra:deployment.components",
    "dind": "this is a level of the values of Kestra's Helm chart: no container of Docker is deployed here; run tasks "
    "with the task runner Process or Kubernetes",
    "configuration": "this is a level of the values of Kestra's Helm chart: its children go to the first level, those of "
    "`kestra:` too",
    "config": "leave out this level: its keys are first-level settings",
    "application": "leave out this level: its children go to the first level",
}
_APPLICATION = (
    "this is the level of Kestra's Helm chart: its children go to the first level, those of `kestra:` too; "
    "configurations.configmaps and configurations.secrets are files, whose content goes there as well"
)

#: First-level key to the setting of this meaning.
_SETTINGS = {
    "secrets": "declared-secrets", "secret-manager": "secret", "vault": "secret.vault",
    "aws-secret-manager": "secret.aws-secret-manager", "azure-key-vault": "secret.azure-key-vault",
    "google-secret-manager": "secret.google-secret-manager",
    "tenants": "ee.tenants", "license": "ee.license", "licence": "ee.license", "mail": "ee.mail-service",
    "smtp": "ee.mail-service", "email": "ee.mail-service", "java-security": "ee.java-security",
    "sidebar": "ee.right-sidebar", "custom-links": "ee.right-sidebar.custom-links",
    "oidc": "micronaut.security.oauth2", "oauth2": "micronaut.security.oauth2", "sso": "micronaut.security.oauth2",
    "oauth": "micronaut.security.oauth2", "saml": "micronaut.security", "ldap": "micronaut.security.ldap",
    "jwt": "micronaut.security.token.jwt", "ssl": "micronaut.server.ssl", "tls": "micronaut.server.ssl",
    "cors": "micronaut.server.cors", "context-path": "micronaut.server.context-path", "port": "micronaut.server.port",
    "base-path": "micronaut.server.context-path", "http": "micronaut.server", "netty": "micronaut.server.netty",
    "database": "datasources", "databases": "datasources", "db": "datasources", "datasource": "datasources",
    "postgres": "datasources.postgres", "postgresql": "datasources.postgres", "mysql": "datasources.mysql",
    "hikari": "datasources", "pool": "datasources",
    "s3": "storage.s3", "minio": "storage.minio", "gcs": "storage.gcs", "azure": "storage.azure",
    "bucket": "storage", "internal-storage": "storage", "storages": "storage", "local-storage": "storage.local",
    "logging": "logger.levels", "loggers": "logger.levels", "log": "logger.levels", "log-level": "logger.levels",
    "tracing": "traces", "opentelemetry": "otel", "telemetry": "otel", "prometheus": "endpoints.prometheus",
    "management": "endpoints", "health": "endpoints.health",
    "redis": "queue.redis", "amqp": "queue.amqp", "rabbitmq": "queue.amqp", "opensearch": "elasticsearch",
    "elastic": "elasticsearch", "broker": "kafka", "repositories": "repository", "queues": "queue",
    "plugin-defaults": "plugins.defaults", "task-defaults": "plugins.defaults", "plugin": "plugins",
    "temp-dir": "tasks.tmp-dir", "tmp-dir": "tasks.tmp-dir", "tmp": "tasks.tmp-dir",
    "basic-auth": "server.basic-auth", "auth": "server.basic-auth", "authentication": "server.basic-auth",
    "users": "security", "super-admin": "security.super-admin", "instance-owner": "security.instance-owner",
    "rbac": "security.default-role", "roles": "security.default-role", "invitations": "security.invitations",
    "liveness": "server.liveness", "encryption-key": "encryption.secret-key", "secret-key": "encryption.secret-key",
    "usage-report": "anonymous-usage-report", "tutorials": "tutorial-flows", "tutorial": "tutorial-flows",
    "env-vars-prefix": "variables.env-vars-prefix", "globals": "variables.globals", "retry": "retries",
    "ui": "webserver", "web": "webserver", "frontend": "webserver", "llm": "ai", "copilot": "ai",
    "env": "deployment.environment", "environment-variables": "deployment.environment",
    "extra-env": "deployment.extra-env", "env-from": "deployment.environment-from",
    "extra-env-from": "deployment.extra-env-from", "extra-volumes": "deployment.extra-volumes",
    "volumes": "deployment.extra-volumes", "extra-volume-mounts": "deployment.extra-volume-mounts",
    "volume-mounts": "deployment.extra-volume-mounts", "init-containers": "deployment.init-containers",
    "extra-containers": "deployment.extra-containers", "sidecars": "deployment.extra-containers",
    "node-selector": "deployment.node-selector", "tolerations": "deployment.tolerations",
    "affinity": "deployment.affinity", "priority-class-name": "deployment.priority-class",
    "topology-spread-constraints": "deployment.topology-spread-constraints",
    "pod-annotations": "deployment.annotations", "annotations": "deployment.annotations",
    "pod-labels": "deployment.labels", "labels": "deployment.labels",
    "resources": "deployment.components.standalone.resources", "replicas": "deployment.components.standalone.replicas",
    "replica-count": "deployment.components.standalone.replicas", "components": "deployment.components",
    "image": "deployment.image", "image-pull-secrets": "deployment.image.pull-secrets",
    "ingress": "deployment.ingress", "http-route": "deployment.http-route", "namespace": "deployment.namespace",
    "service-account": "identity.service-account", "service-account-name": "identity.service-account.name",
    "autoscaling": "deployment.autoscaling", "hpa": "deployment.autoscaling",
    "pod-disruption-budget": "deployment.disruption-budget", "network-policy": "deployment.network-policy",
    "worker-groups": "deployment.worker-groups", "service-monitor": "deployment.monitoring",
    "persistence": "deployment.storage-volume", "mode": "deployment.mode", "standalone": "deployment.components.standalone",
    "java-opts": "deployment.components.standalone.java-options", "jvm": "deployment.components.standalone.java-options",
}  # fmt: skip

#: Word to the words that Kestra has for it.
_WORDS = {
    "gcp": ("google", "gcs"), "google": ("gcs", "google"), "temp": ("tmp",), "temporary": ("tmp",),
    "user": ("username",), "login": ("username",), "pass": ("password",), "pwd": ("password",),
    "passwd": ("password",), "uri": ("url",), "address": ("url", "endpoint", "host"), "url": ("endpoint", "uri"),
    "hosts": ("http-hosts",), "host": ("http-hosts", "hostname"), "dir": ("path",), "directory": ("path",),
    "folder": ("path", "base-path"), "key": ("secret-key",), "access": ("access-key",), "token": ("api-token",),
    "enable": ("enabled",), "disabled": ("enabled",), "org": ("organization",), "max": ("maximum",),
    "min": ("minimum",), "minimum": ("min",), "maximum": ("max",), "license": ("licence",), "licence": ("license",),
    "store": ("storage",), "keystore": ("key-store",), "truststore": ("trust-store",), "mail": ("mail-service",),
    "smtp": ("mail-service",), "aws": ("aws-secret-manager", "s3"), "azure": ("azure-key-vault",),
    "clients": ("client",), "client": ("clients",), "bootstrap": ("client",), "brokers": ("client",),
    "permission": ("permissions",), "group": ("groups",), "admin": ("super-admin",), "expire": ("expire-after",),
}  # fmt: skip
_BEYOND = "what the catalogue lacks can stand under kestra:additional-configuration"


def hint(name: str, known: Iterable[str], block: Loc) -> str:
    """What to do about a key that nobody knows.

    Args:
        name: the key, as it was written or in kebab-case.
        known: the keys of its block.
        block: the place of the block; empty at the first level.
    """
    name = kebab(name)
    names = sorted({one for one in known if one not in ("*", "[]")})
    if not block:
        names = sorted({*names, *first_level()})
    if level := _level(name, block):
        return level
    if setting := meant_setting(name, block):
        return f"write {config_path(setting.split('.'))}"
    if near := _by_meaning(name, names) or _by_letters(name, names):
        return f"did you mean {near}"
    own = block[:1] and block[0] in OURS
    if not own and (places := _elsewhere(name, block)):
        return f"did you mean {' or '.join(places)}"
    listing = f"use one of {', '.join(names)}" if names and len(names) <= 40 else ""
    if own:
        return listing or "remove it"
    return f"{listing}; {_BEYOND}" if listing else f"docs/catalogue.md lists the keys; {_BEYOND}"


def _level(name: str, block: Loc) -> str | None:
    if block == ("configurations",) and name in ("application", "configmaps", "secrets"):
        return _APPLICATION
    return _LEVELS.get(name) if not block else None


def meant(words: Sequence[str]) -> str | None:
    """The setting that a key of Kestra's with these words, which nobody knows, was meant to be: `server`, `port`."""
    meanings = _meanings()
    for end in range(len(words), 0, -1):
        if setting := meanings.get("".join(words[:end])):
            return ".".join((setting, *words[end:]))
    return None


@cache
def _meanings() -> dict[str, str]:
    """Keys without dots and hyphens, as variables have them, to the settings of their meaning."""
    return {
        re.sub(r"[.-]", "", key): setting for key, setting in (*_SETTINGS.items(), *_PATHS.items())
    }


def meant_setting(name: str, block: Loc) -> str | None:
    """The setting of the meaning that a key has in a block; None where the key says nothing of another one."""
    if not block:
        return _SETTINGS.get(name)
    path = ".".join(map(str, (*block, name)))
    return _PATHS.get(path)


#: Setting with a key of another place to the setting of this meaning.
_PATHS = {
    "kafka.bootstrap-servers": "kafka.client.properties",
    "kafka.client.bootstrap-servers": "kafka.client.properties",
    "elasticsearch.http-hosts": "elasticsearch.client.http-hosts",
    "elasticsearch.hosts": "elasticsearch.client.http-hosts",
    "server.port": "micronaut.server.port",
    "logging.level": "logger.levels",
    "server.context-path": "micronaut.server.context-path",
    "server.ssl": "micronaut.server.ssl",
    "security.oauth2": "micronaut.security.oauth2",
    "security.ldap": "micronaut.security.ldap",
    "security.enabled": "micronaut.security",
    "queue.kafka": "kafka.client.properties",
    "repository.elasticsearch": "elasticsearch.client",
    "security.super-admins": "security.super-admin",
    "identity.service-account-name": "identity.service-account.name",
}


def _by_meaning(name: str, names: list[str]) -> str | None:
    words = name.split("-")
    for i, word in enumerate(words):
        for other in _WORDS.get(word, ()):
            for candidate in ("-".join([*words[:i], other, *words[i + 1 :]]), other):
                if candidate in names:
                    return candidate
    return None


def _by_letters(name: str, names: Iterable[str]) -> str | None:
    squeezed = {re.sub(r"[-_.]", "", one): one for one in names}
    if (same := squeezed.get(re.sub(r"[-_.]", "", name))) is not None:
        return same
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
    return near[0] if near else None


def _elsewhere(name: str, block: Loc) -> list[str]:
    """Settings of this name, or of nearly this name, elsewhere: the nearest to the block first."""
    index = _by_last_word()
    last = name.rpartition(".")[2]
    key = last if last in index else _by_meaning(last, list(index)) or _by_letters(last, index)
    if key is None:
        return []
    beginning = ".".join(map(str, block))
    places = sorted(
        index[key], key=lambda s: (-_common(s, beginning), s.count("."), "*" in s or "[]" in s, s)
    )
    return [f"kestra:{place}" for place in places[:2]]


def _common(one: str, other: str) -> int:
    pairs = zip(one.split("."), other.split("."), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), 0)


@cache
def first_level() -> frozenset[str]:
    """First-level settings: those of the models, keys below `kestra`, root keys."""
    models = {field.alias or name for name, field in Settings.model_fields.items()}
    roots = set(catalogue().roots) - {"kestra"}
    below = {segments(key.key)[1] for key in catalogue() if key.key.startswith("kestra.")}
    return frozenset(models | roots | below)


@cache
def _by_last_word() -> dict[str, list[str]]:
    """Last word of every setting and block, but names of the user's, to the settings."""
    index: dict[str, list[str]] = {}
    for key in catalogue():
        parts = key.key.removeprefix("kestra.").split(".")
        for end in range(2, len(parts) + 1):
            _put(index, parts[:end])
    for path in _of_models(settings_model()):
        if path[:2] == ["store", "also"]:
            # The second secret manager has the keys of the first.
            continue
        for end in range(2, len(path) + 1):
            _put(index, path[:end])
    return index


def _put(index: dict[str, list[str]], path: list[str]) -> None:
    last, setting = path[-1].removesuffix("[]"), ".".join(path)
    if last != "*" and setting not in index.setdefault(last, []):
        index[last].append(setting)


def _of_models(model: type[Model]) -> Iterable[list[str]]:
    for name, field in model.model_fields.items():
        one, many = models_in(field.annotation)
        alias = field.alias or name
        if one is None and many is None:
            yield [alias]
        for inner in _of_models(one) if one else ():
            yield [alias, *inner]
        for inner in _of_models(many) if many else ():
            yield [alias, "*", *inner]
