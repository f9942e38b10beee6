"""Stack files around documented keys: a value of its type at each, and what its blocks need to be valid."""

from __future__ import annotations

import copy
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from components.catalogue import CatalogueKey, lookup
from components.registration_tokens import registration_token
from components.rendering.configuration import ProvidedValue, render
from components.settings import SettingsError
from components.validation import load
from tests.conftest import ROOT

DOCUMENTED = ROOT / "components" / "catalogue" / "documented.tsv"
BLOCKS = Path(__file__).parent / "fixtures" / "documented-blocks.tsv"

#: A value of each type, unlike every default.
VALUES: dict[str, Any] = {
    "text": "planted-text",
    "secret text": "Planted-secret-0123456789-0123456789",
    "number": 1357,
    "boolean": True,
    "duration": "1357s",
    "size": 1357,
    "list": ["planted-item"],
    "map": {"planted.name": "planted-value"},
}
#: Keys that take words or forms of their own.
OWN: dict[str, Any] = {
    "datasources.*.url": "jdbc:postgresql://planted.example.com/kestra",
    "datasources.*.minimum-idle": 13,
    "datasources.*.maximum-pool-size": 135,
    "endpoints.all.basic-auth.password": "Planted-0123456789",
    "endpoints.all.port": 9357,
    "endpoints.health.details-visible": "NEVER",
    "kestra.ee.setup.worker-groups[].registration-tokens[].token": registration_token("planted"),
    "kestra.worker.auth.registration-token": registration_token("planted"),
    "kestra.encryption.secret-key": "UGxhbnRlZDEtZW5jcnlwdGlvbi1rZXktMDEyMzQ1Njc=",
    "kestra.queue.type": "mysql",
    "kestra.repository.type": "mysql",
    "kestra.storage.type": "gcs",
    "kestra.secret.type": "jdbc",
    "kestra.url": "https://planted.example.com/",
    "kestra.server.basic-auth.open-urls": ["/api/v1/planted/"],
    "kestra.server.worker-task-restart-strategy": "NEVER",
    "kestra.server.liveness.heartbeat-interval": "13s",
    "kestra.server.liveness.interval": "13s",
    "kestra.storage.azure.endpoint": "https://planted.blob.core.windows.net",
    "kestra.storage.local.base-path": "/planted",
    "kestra.storage.minio.endpoint": "https://planted.example.com",
    "kestra.secret.isolation.denied-services": ["EXECUTOR"],
    "kestra.secret.aws-secret-manager.endpoint-override": "https://planted.example.com",
    "kestra.security.default-role.permissions": {"FLOW": ["READ"]},
    "kestra.security.basic-auth.password-min-length": 13,
    "kestra.security.basic-auth.password-min-digits": 13,
    "kestra.security.basic-auth.password-min-lower-case": 13,
    "kestra.security.basic-auth.password-min-upper-case": 13,
    "kestra.secret.aws-secret-manager.region": "eu-west-3",
    "kestra.secret.aws-ssm-parameter-store.region": "eu-west-3",
    "kestra.secret.azure-key-vault.key-vault-uri": "https://planted.vault.azure.net",
    "kestra.secret.beyondtrust.api-version": "V3_1",
    "kestra.secret.beyondtrust.owner-type": "Group",
    "kestra.secret.vault.engine-version": 2,
    **{
        f"kestra.secret.{key}": "https://planted.example.com"
        for key in (
            "1password.address",
            "beyondtrust.address",
            "bitwarden.api-url",
            "bitwarden.identity-url",
            "cyberark.address",
            "delinea.address",
            "vault.address",
        )
    },
    "kestra.server.basic-auth.username": "planted@example.com",
    "kestra.variables.env-vars-prefix": "ENV_",
    "micronaut.server.max-request-size": "13MB",
    "micronaut.server.multipart.max-file-size": "13MB",
    "micronaut.server.netty.max-chunk-size": "13MB",
    "micronaut.server.port": 9357,
    "micronaut.server.ssl.port": 9357,
    "micronaut.server.context-path": "/planted",
}
#: Secret manager to what its block needs.
MANAGERS: dict[str, dict[str, Any]] = {
    "aws-secret-manager": {"region": "eu-west-1"},
    "aws-ssm-parameter-store": {"region": "eu-west-1"},
    "azure-key-vault": {"vault-name": "vault1"},
    "google-secret-manager": {"project": "project-one"},
    "vault": {"address": "https://vault.example.com:8200"},
    "cyberark": {
        "address": "https://a.example.com", "username": "u", "password": "p", "platform-id": "p", "safe-name": "s",
    },
    "doppler": {"token": "t", "project": "p", "config": "c"},
    "1password": {"address": "https://a.example.com", "token": "t", "vault-id": "v"},
    "beyondtrust": {"address": "https://a.example.com", "api-key": "k", "run-as": "r"},
    "delinea": {"address": "https://a.example.com", "username": "u", "password": "p"},
    "bitwarden": {"access-token": "t", "organization-id": "o"},
    "jdbc": {},
    "elasticsearch": {},
}  # fmt: skip
#: A key within a manager's block, and the block that it stands in, to what stands beside it.
PARTNERS: tuple[tuple[tuple[str, str], dict[str, Any]], ...] = (
    (("access-key-id", ""), {"secret-key-id": "${KEY:}"}),
    (("secret-key-id", ""), {"access-key-id": "${KEY:}"}),
    (("session-token", ""), {"access-key-id": "${KEY:}", "secret-key-id": "${KEY:}"}),
    (("sts-role-external-id", ""), {"sts-role-arn": "arn:aws:iam::111122223333:role/r"}),
    (("sts-role-session-duration", ""), {"sts-role-arn": "arn:aws:iam::111122223333:role/r"}),
    (("sts-role-session-name", ""), {"sts-role-arn": "arn:aws:iam::111122223333:role/r"}),
    (("keep-prefix", "filter-on-prefix"), {"prefix": "p"}),
    (("client-id", "client-secret"), {"tenant-id": "t", "client-secret": "${KEY:}"}),
    (("client-secret", "client-secret"), {"tenant-id": "t", "client-id": "c"}),
    (("tenant-id", "client-secret"), {"client-id": "c", "client-secret": "${KEY:}"}),
    (("role-id", "app-role"), {"secret-id": "${KEY:}"}),
    (("secret-id", "app-role"), {"role-id": "r"}),
    (("password", "password"), {"user": "u"}),
)
#: Storage to what its block needs.
STORAGES: dict[str, dict[str, Any]] = {
    "local": {},
    "s3": {"bucket": "bucket"},
    "gcs": {"bucket": "bucket"},
    "azure": {"endpoint": "https://a.blob.core.windows.net", "container": "container"},
    "minio": {"endpoint": "minio.example.com", "bucket": "bucket"},
}
DATABASE = {"postgres": {"url": "jdbc:postgresql://db/kestra", "password": "${DB:}"}}


@dataclass(frozen=True)
class Documented:
    """A key of Kestra's documentation."""

    key: str
    type: str
    edition: str
    versions: str

    @property
    def possible(self) -> tuple[str, ...]:
        """The versions, of those that are rendered for, that may have the key by what its page says."""
        return {"2.0+": ("2.0",), "unknown": ("1.3", "2.0")}.get(self.versions, ("1.3",))


@cache
def documented() -> list[Documented]:
    """The keys of Kestra's documentation."""
    with DOCUMENTED.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Documented(r["key"], r["type"], r["edition"], r["versions"]) for r in rows]


def blocks() -> Iterator[tuple[str, list[str]]]:
    """Page and number of each block of the documentation, and its keys."""
    with BLOCKS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["leaf-keys"]:
                yield f"{row['page']} {row['block']}", row["leaf-keys"].split(",")


def base(edition: str, version: str) -> dict[str, Any]:
    """A valid document with nothing in it that a key is tested by."""
    document: dict[str, Any] = {
        "version": version,
        "edition": edition,
        "datasources": copy.deepcopy(DATABASE),
        "queue": {"type": "postgres"},
        "repository": {"type": "postgres"},
        "deployment": {"environment-from": ["secrets"]},
    }
    if edition == "oss":
        return document | {"server": {"basic-auth": {"username": "admin@example.com"}}}
    return document | {"secret": {"type": "jdbc"}}


def setting_path(key: str) -> list[str]:
    """The parts of the setting of a key, names of the user's filled in, `[]` for items."""
    parts = list(_parts(key))
    names = iter(("postgres",) if parts[0] == "datasources" else ())
    parts = [next(names, "planted") if part == "*" else part for part in parts]
    return parts[1:] if parts[0] == "kestra" else parts


def _parts(key: str) -> Iterator[str]:
    # `properties.[bootstrap.servers]` is one name with dots.
    while key:
        if key.startswith("["):
            if key.startswith("[]"):
                part, key = "[]", key[2:]
            else:
                part, _, key = key[1:].partition("]")
            yield part
            key = key.removeprefix(".")
            continue
        head, separator, rest = key.partition(".")
        if "[]" in head:
            name, _, rest_of_head = head.partition("[]")
            yield name
            key = "[]" + rest_of_head + separator + rest
        else:
            yield head
            key = rest


def put(document: dict[str, Any], parts: list[str], value: Any) -> None:
    """Writes a value at a place."""
    node: Any = document
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        is_last = part is parts[-1] and after == ""
        new: Any = value if is_last else [] if after == "[]" else {}
        if part == "[]":
            if not node:
                node.append(new)
            node = node[0]
        elif is_last:
            node[part] = new
        else:
            if not isinstance(node.get(part), (dict, list)):
                node[part] = new
            node = node[part]


def complete(document: dict[str, Any], keys: Iterable[str]) -> None:
    """What the blocks of the keys need."""
    keys = list(keys)
    storage = document.get("storage", {})
    for kind, block in STORAGES.items():
        if isinstance(storage.get(kind), dict):
            storage[kind] = block | storage[kind]
    kinds = [name for name in storage if name not in ("type", "isolation", "temp-file-deletion")]
    if kinds:
        storage["type"] = kinds[0]
    elif storage:
        storage.setdefault("type", "local")
        if storage["type"] in ("s3", "gcs", "azure", "minio"):
            storage[storage["type"]] = dict(STORAGES[storage["type"]])
    secret = document.get("secret", {})
    kinds = [name for name in secret if name in MANAGERS]
    if kinds:
        kind = secret["type"] = kinds[0]
        block = secret[kind] = MANAGERS[kind] | secret[kind]
        for names, needed in PARTNERS:
            at = block.get(names[1], {}) if names[1] else block
            if isinstance(at, dict) and names[0] in at:
                at |= {name: value for name, value in needed.items() if name not in at}
        if "key-vault-uri" in block:
            block.pop("vault-name")
        if {"filter-on-tags", "filter-on-prefix", "excluded-tags"} & block.keys():
            secret["read-only"] = True
    elif "read-only" in secret:
        secret |= {"type": "vault", "vault": dict(MANAGERS["vault"])}
    elif secret.get("type") in MANAGERS:
        secret[secret["type"]] = dict(MANAGERS[secret["type"]])
    if "isolation" in secret:
        secret["isolation"].setdefault("denied-services", ["EXECUTOR"])
    if secret.get("vault", {}).get("read-only"):
        secret["read-only"] = True
    security = document.get("security", {})
    for name in ("super-admin", "instance-owner"):
        if name in security:
            security[name].setdefault("username", "admin@example.com")
    if "default-role" in security:
        security["default-role"] = {"name": "r", "permissions": {"FLOW": ["READ"]}} | security[
            "default-role"
        ]
    for name in ("queue", "repository"):
        if document[name].get("type") == "mysql":
            document["datasources"].setdefault("mysql", {"url": "jdbc:mysql://db/kestra"})
    if document["queue"].get("type") == "kafka":
        put(document, ["kafka", "client", "properties", "bootstrap.servers"], "kafka:9092")
    if document["repository"].get("type") == "elasticsearch":
        put(document, ["elasticsearch", "client", "http-hosts"], ["https://e:9200"])
    login = document.get("endpoints", {}).get("all", {}).get("basic-auth")
    if login is not None:
        login.setdefault("username", "monitoring")


def value_of(key: str, kind: str) -> Any:
    """The value that stands for a key."""
    return copy.deepcopy(OWN.get(key, VALUES[kind]))


@dataclass(frozen=True)
class Outcome:
    """What became of a document: whether each value stands in the file, and what was said where not."""

    missing: list[str]
    report: str


def outcome(document: dict[str, Any], expected: dict[str, Any]) -> Outcome:
    """Loads and renders a document and looks for its values.

    Args:
        document: the settings.
        expected: key to the value that it was given.
    """
    try:
        settings = load(document, source="f").settings
    except SettingsError as error:
        return Outcome(list(expected), error.report())
    configuration = render(settings)
    values = {
        name: value.value.get_secret_value()
        for name, value in configuration.environment.items()
        if isinstance(value, ProvidedValue)
    }
    return Outcome(
        [k for k, v in expected.items() if not _stands(configuration.document, values, v)], ""
    )


def _stands(node: Any, values: dict[str, str], value: Any) -> bool:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(node, str) and node.startswith("${STACK_"):
        node = values.get(node[2:-1], node)
    if node == value and isinstance(node, bool) == isinstance(value, bool):
        return True
    if isinstance(value, list) and isinstance(node, list) and len(node) == len(value):
        return all(_stands(n, values, v) for n, v in zip(node, value, strict=True))
    if isinstance(node, dict) and isinstance(value, dict) and set(value) <= set(node):
        return all(_stands(node[name], values, v) for name, v in value.items())
    if isinstance(node, dict):
        return any(_stands(inner, values, value) for inner in node.values())
    return isinstance(node, list) and any(_stands(inner, values, value) for inner in node)


def around(row: Documented, version: str) -> tuple[dict[str, Any], Any]:
    """A document with a documented key, and the value that it gives it."""
    edition = "oss" if row.edition == "oss" else "enterprise"
    document = base(edition, version)
    value = value_of(row.key, row.type)
    put(document, setting_path(row.key), value)
    complete(document, [row.key])
    return document, value


def of_block(name: str, keys: list[str]) -> Outcome:
    """What becomes of a block of the documentation with values of its own: valid, and every value rendered."""
    keys = [key.replace("kestra.secret.*", "kestra.secret.vault") for key in keys]
    rows = {key: row for key in keys if (row := _row(key)) is not None}
    edition = "enterprise" if any(row.edition == "enterprise" for row in rows.values()) else "oss"
    versions = ("2.0", "1.3") if "2.0" in name else ("1.3", "2.0")
    reports = []
    result = Outcome(keys, "")
    for version in versions:
        document = base(edition, version)
        expected = {key: value_of(key, _type(key, rows.get(key))) for key in keys}
        for key, value in expected.items():
            put(document, setting_path(key), value)
        complete(document, keys)
        # The type follows from the block that is there.
        for key in ("kestra.storage.type", "kestra.secret.type"):
            if key in expected:
                expected[key] = document[key.split(".")[1]]["type"]
        result = outcome(document, {k: v for k, v in expected.items() if k not in NOT_RENDERED})
        if not result.missing:
            return result
        reports.append(result.report)
    return Outcome(result.missing, "\n".join(reports))


def _type(key: str, row: CatalogueKey | None) -> str:
    # What stands in a map is a text.
    if row is None or key.endswith("]"):
        return "text"
    return "secret text" if row.sensitive and row.type == "text" else row.type


#: Keys that are accepted with a warning, as Kestra ignores them.
NOT_RENDERED = (
    "kestra.server.basic-auth.enabled", "kestra.heartbeat.frequency", "kestra.heartbeat.heartbeat-missed",
)  # fmt: skip


def _row(key: str) -> CatalogueKey | None:
    path = tuple(0 if part == "[]" else part for part in _parts(key))
    match = lookup(path)
    return (
        match.key if match.kind == "key" else _row(key.rpartition(".[")[0]) if ".[" in key else None
    )


def of_key(row: Documented) -> Outcome:
    """What becomes of a documented key, on the version that takes it where there is one."""
    result = Outcome([row.key], "")
    for version in row.possible:
        document, value = around(row, version)
        result = outcome(document, {row.key: value})
        if not result.missing:
            break
    return result
