"""Stacks in which every secret is a planted value."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from components.backends.registry import backend
from components.registration_tokens import registration_token
from components.validation.schema import config_path
from components.validation.sensitive import fields, in_clear
from tests.conftest import ROOT

Place = tuple[str | int, ...]


def plant(key: str) -> str:
    """A value that is the key's own, with signs that JSON, YAML, HTML, URLs and base64 write otherwise."""
    mark = hashlib.sha256(key.encode()).hexdigest()[:12]
    return f"Plant-{mark}-Zü%\"\\+/=&'<1>"


def simple(key: str) -> str:
    """A planted value for where those signs would mean something."""
    return f"Plant1{hashlib.sha256(key.encode()).hexdigest()[:20]}"


def key32(key: str) -> str:
    """A planted encryption key."""
    return base64.b64encode(hashlib.sha256(key.encode()).digest()).decode()


def _stack(name: str, namespace: str, **blocks: Any) -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())
    config = document["config"]
    for key, value in blocks.items():
        config[f"kestra:{key.replace('_', '-')}"] = value
    config["kestra:deployment"] = {"namespace": namespace, "mode": "standalone"}
    config["kestra:tags"] = {**config["kestra:tags"], "environment": "development"}
    return document


def _declared(stack: str, **more: Any) -> dict[str, Any]:
    return {
        "GIVEN": {"namespace": "company.team", "value": plant(f"{stack} GIVEN"), **more},
        "MADE": {"namespace": "company.team", "generate": {"length": 40, "special": True}, **more},
    }


def stacks() -> dict[str, dict[str, Any]]:
    """Name to stack file: Vault with AppRole, open source with JDBC, AWS."""
    log_in = {"basic-auth": {"username": "monitoring", "password": plant("management")}}
    url = f"jdbc:postgresql://db.svc:5432/kestra?password={simple('url')}"
    vault = _stack(
        "local-vault",
        "leaks-vault",
        declared_secrets=_declared("vault"),
        encryption={"secret-key": key32("vault")},
        endpoints={"all": log_in},
        datasources={
            "postgres": {
                "url": url,
                "driver-class-name": "org.postgresql.Driver",
                "username": "kestra",
                "password": plant("database"),
            }
        },
        storage={
            "type": "minio",
            "minio": {
                "endpoint": "minio.svc",
                "bucket": "kestra",
                "access-key": plant("minio access key"),
                "secret-key": plant("minio secret key"),
            },
        },
    )
    config = vault["config"]
    config["kestra:secret"]["vault"].pop("kubernetes")
    config["kestra:secret"]["vault"]["app-role"] = {}
    config["kestra:identity"] = {"vault": {"audit-file": "stdout"}}
    config["kestra:security"]["super-admin"]["password"] = plant("super admin")
    oss = _stack(
        "local",
        "leaks-oss",
        declared_secrets=_declared("oss"),
        datasources={
            "postgres": {
                "url": "jdbc:postgresql://db.svc:5432/kestra",
                "driver-class-name": "org.postgresql.Driver",
                "username": "kestra",
                "password": plant("oss database"),
            }
        },
        queue={"type": "postgres"},
        repository={"type": "postgres"},
        storage={
            "type": "s3",
            "s3": {
                "bucket": "kestra",
                "access-key": plant("s3 access key"),
                "secret-key": plant("s3 secret key"),
            },
        },
    )
    oss["config"]["kestra:server"]["basic-auth"]["password"] = plant("basic auth")
    aws = _stack("example-aws-secret-manager", "leaks-aws", declared_secrets=_declared("aws"))
    config = aws["config"]
    config["kestra:identity"] = {"service-account": {"name": "kestra"}}
    config["kestra:secret"]["aws-secret-manager"] |= {
        "filter-on-tags": {"tags": {"application": "kestra"}},
        "access-key-id": plant("aws access key id"),
        "secret-key-id": plant("aws secret key id"),
        "session-token": plant("aws session token"),
    }
    config["kestra:store"]["aws"].pop("replicas")
    config["kestra:datasources"]["postgres"]["password"] = plant("aws database")
    return {"leaks-vault": vault, "leaks-oss": oss, "leaks-aws": aws}


def wrong() -> dict[str, Any]:
    """A stack file with secrets where none belong, and with secrets that are refused."""
    made = copy.deepcopy(stacks()["leaks-oss"])
    config = made["config"]
    config["kestra:tags"]["owner"] = [plant("wrong tag")]
    config["kestra:server"]["liveness"]["timeout"] = plant("wrong duration")
    config["kestra:server"]["basic-auth"] = {
        "username": plant("wrong name"),
        "password": simple("wrong password")
        .lower()
        .translate(str.maketrans("0123456789", "x" * 10)),
    }
    config["kestra:declared-secrets"]["BAD"] = {"value": {"secret": plant("wrong block")}}
    config["kestra:encryption"] = {"secret-key": plant("wrong key")}
    config["kestra:storage"]["type"] = plant("wrong choice")
    config["kestra:edition"] = plant("wrong edition")
    return made


def settings_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a stack file."""
    config = document["config"]
    return {k.removeprefix("kestra:"): v for k, v in config.items() if k.startswith("kestra:")}


def values(document: Mapping[str, Any]) -> dict[str, str]:
    """Setting to planted value."""
    clear = {
        config_path(place).removeprefix("kestra:"): value
        for place, value in in_clear(settings_of(document))
    }
    # Of an address, and of a text with pairs, only the password is secret.
    return {
        path: next((part for mark, end in _MARKS if (part := _between(value, mark, end))), value)
        for path, value in clear.items()
    }


_MARKS = (("?password=", ""), ('"token": "', '"'), ('password="', '";'), ("//kestra:", "@"))


def _between(value: str, mark: str, end: str) -> str:
    rest = value.partition(mark)[2]
    return rest.partition(end)[0] if end else rest


#: Blocks of secret managers and storages that the three stacks do not have: settings path to the block.
_ADDRESS = "https://manager.example.com"
MANAGERS: dict[str, dict[str, Any]] = {
    "aws-ssm-parameter-store": {
        "region": "eu-west-1", "access-key-id": plant("ssm id"), "secret-key-id": plant("ssm key"),
        "session-token": plant("ssm token"),
    },
    "azure-key-vault": {
        "vault-name": "example",
        "client-secret": {"tenant-id": "t", "client-id": "c", "client-secret": plant("azure secret")},
    },
    "google-secret-manager": {
        "project": "example", "service-account": json.dumps({"private_key": plant("google key")}),
    },
    "cyberark": {
        "address": _ADDRESS, "username": "u", "password": plant("cyberark"), "platform-id": "p", "safe-name": "s",
    },
    "doppler": {"token": plant("doppler"), "project": "p", "config": "c"},
    "1password": {"address": _ADDRESS, "token": plant("1password"), "vault-id": "v"},
    "beyondtrust": {"address": _ADDRESS, "api-key": plant("beyondtrust"), "run-as": "u"},
    "delinea": {"address": _ADDRESS, "username": "u", "password": plant("delinea")},
    "bitwarden": {"access-token": plant("bitwarden"), "organization-id": "o"},
    "jdbc": {"secret": plant("jdbc")},
    "elasticsearch": {"secret": plant("elasticsearch")},
    "vault token": {"address": _ADDRESS, "token": {"token": plant("vault token")}},
    "vault password": {"address": _ADDRESS, "password": {"user": "u", "password": plant("vault password")}},
    "vault app-role": {
        "address": _ADDRESS, "app-role": {"role-id": plant("role id"), "secret-id": plant("secret id")},
    },
}  # fmt: skip
STORAGES: dict[str, dict[str, Any]] = {
    "gcs": {"bucket": "kestra", "service-account": json.dumps({"private_key": plant("gcs")})},
    "azure": {
        "endpoint": "https://a.example.com", "container": "kestra", "connection-string": plant("connection"),
        "shared-key-account-name": "a", "shared-key-account-access-key": plant("account key"),
        "sas-token": plant("sas"),
    },
}  # fmt: skip


#: Keys that no model has, with secrets wherever one can stand: below maps, in lists, in texts, in numbers.
CATALOGUE: dict[str, Any] = {
    "kafka": {
        "client": {
            "properties": {
                "bootstrap.servers": "kafka:9092",
                "ssl.keystore.password": plant("keystore"),
                "sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
                f'username="${{KAFKA_USER:}}" password="{simple("jaas")}";',
            }
        }
    },
    "elasticsearch": {
        "client": {
            "http-hosts": ["https://search:9200", f"https://kestra:{simple('host')}@search:9200"],
            "basic-auth": {"username": "kestra", "password": plant("search")},
        }
    },
    "ee": {"license": {"id": "1", "fingerprint": plant("fingerprint"), "key": f"{plant('licence')}\n{plant('2')}"}},
    "micronaut": {
        "security": {
            "oauth2": {"clients": {"my.idp": {"clientSecret": plant("client"), "openid": {"issuer": "https://i"}}}},
            "token": {"jwt": {"signatures": {"secret": {"generator": {"secret": plant("jwt")}}}}},
        }
    },
    "plugins": {
        "defaults": [
            {"type": "a.b", "values": {"token": plant("default"), "list": [{"apiKey": simple("deep")}]}},
        ],
        "repositories": {"central": {"url": f"https://kestra:{simple('maven')}@maven.example.com"}},
    },
    "datasources": {"postgres": {"url": "jdbc:postgresql://db/kestra", "data-source-properties": {"password": plant("pool")}}},
    "otel": {"exporter": {"otlp": {"headers": plant("header")}}},
    "variables": {"globals": {"hook": f"https://hooks.slack.com/services/{simple('hook')}"}},
    "additional-configuration": {"company": {"vendor": {"secret": plant("additional")}}},
}  # fmt: skip


def others() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name to settings of stacks with every other sensitive key."""
    for index, (name, block) in enumerate(MANAGERS.items()):
        kind = name.split()[0]
        storage = list(STORAGES)[index % len(STORAGES)]
        owner = ("super-admin", "instance-owner")[index % 2]
        yield (
            name,
            {
                "version": "2.0" if backend(kind).since == "2.0" or index % 2 else "1.3",
                "edition": "enterprise",
                "secret": {"type": kind, kind: block},
                "security": {
                    owner: {"username": "a@b.example", "password": plant(f"{name} owner")}
                },
                "storage": {"type": storage, storage: STORAGES[storage]},
                "datasources": {"postgres": {"url": "jdbc:postgresql://db.svc:5432/kestra"}},
                "queue": {"type": "postgres"},
                "repository": {"type": "postgres"},
                "tags": {
                    "environment": "development",
                    "owner": "platform",
                    "data-class": "internal",
                },
                **({"deployment": _worker_group(name)} if kind == "delinea" else {}),
                **(
                    {"deployment": {"kubeconfig": _kubeconfig(name)}} if kind == "bitwarden" else {}
                ),
            },
        )


def catalogue_keys() -> dict[str, Any]:
    """Settings of a stack with the secrets of keys that no model has."""
    first = dict(others())["jdbc"]
    return first | {"version": "1.3", "security": {}} | CATALOGUE


def _worker_group(name: str) -> dict[str, Any]:
    # One of another form is refused.
    token = {"registration-token": registration_token(f"{name} token")}
    return {"mode": "distributed", "worker-groups": {"gpu": token}}


def _kubeconfig(name: str) -> str:
    user = {"name": "u", "user": {"token": simple(f"{name} kubeconfig")}}
    return json.dumps({"clusters": [{"name": "c"}], "contexts": [{"name": "c"}], "users": [user]})


def sensitive() -> set[Place]:
    """Every sensitive key of the settings; the second secret manager's are those of the first."""
    return {("secret", *path[2:]) if path[:2] == ("store", "also") else path for path in fields()}
