"""Egress: the port of every address that the settings name, and the list that says why."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from components.kubernetes.egress import Destination, destinations, shared_ports
from components.kubernetes.network import policies
from components.kubernetes.open_ports import as_text, open_ports
from components.settings import Settings
from components.settings.base import OPAQUE
from components.validation import load

LABELS = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "kestra"}
PLANTED = "Pl4nted-Egress-Zq81"
POSTGRES: dict[str, Any] = {
    "version": "1.3",
    "server": {"basic-auth": {"username": "admin@example.com"}},
    "datasources": {"postgres": {"url": "jdbc:postgresql://db:5432/kestra", "username": "kestra"}},
    "queue": {"type": "postgres"},
    "repository": {"type": "postgres"},
    "storage": {"type": "local"},
}
ENTERPRISE = {k: v for k, v in POSTGRES.items() if k != "server"} | {"edition": "enterprise"}
ANYWHERE = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]


def _settings(document: dict[str, Any], **changes: Any) -> Settings:
    return load(document | changes, source="test").settings


def _named(settings: Settings) -> dict[str, list[str]]:
    """Setting to `host:port` of what it names."""
    named: dict[str, list[str]] = {}
    for d in destinations(settings):
        named.setdefault(d.key.removeprefix("kestra:"), []).append(f"{d.host}:{d.port or ''}")
    return named


def _backends(settings: Settings) -> list[tuple[str, list[int]]]:
    """Networks to ports of the rules that are made for addresses."""
    spec = policies(settings, LABELS).get("backends", {"egress": []})
    return [
        (",".join(p["ipBlock"]["cidr"] for p in rule["to"]), [p["port"] for p in rule["ports"]])
        for rule in spec["egress"]
    ]


STORAGES = [
    ({"type": "s3", "s3": {"bucket": "kestra"}}, "*.amazonaws.com:443"),
    ({"type": "s3", "s3": {"bucket": "kestra", "endpoint": "http://versitygw:7070"}}, "versitygw:7070"),
    ({"type": "s3", "s3": {"bucket": "kestra", "endpoint": "https://s3.corp"}}, "s3.corp:443"),
    ({"type": "minio", "minio": {"endpoint": "http://minio:9000", "bucket": "kestra"}}, "minio:9000"),
    ({"type": "minio", "minio": {"endpoint": "minio", "port": 9001, "bucket": "kestra"}}, "minio:9001"),
    ({"type": "minio", "minio": {"endpoint": "minio", "secure": False, "bucket": "kestra"}}, "minio:80"),
    ({"type": "minio", "minio": {"endpoint": "minio", "bucket": "kestra"}}, "minio:443"),
    ({"type": "azure", "azure": {"endpoint": "http://azurite:10000/a", "container": "kestra"}}, "azurite:10000"),
    ({"type": "gcs", "gcs": {"bucket": "kestra"}}, "*.googleapis.com:443"),
]  # fmt: skip


@pytest.mark.parametrize(("storage", "address"), STORAGES)
def test_the_port_of_a_storage_is_open(storage: dict[str, Any], address: str) -> None:
    settings = _settings(
        POSTGRES, storage=storage, deployment={"network-policy": {"egress-ports": []}}
    )
    addressed = [
        f"{d.host}:{d.port}" for d in destinations(settings) if d.reason == "internal storage"
    ]
    assert addressed == [address]
    assert _backends(settings) == [("0.0.0.0/0", sorted({5432, int(address.rpartition(":")[2])}))]


SECRETS = [
    ({"type": "vault", "vault": {"address": "http://vault:8210"}}, ["vault:8210"]),
    (
        {"type": "1password", "1password": {"address": "http://op:8087", "vault-id": "v", "token": "${T}"}},
        ["op:8087"],
    ),
    (
        {
            "type": "cyberark",
            "cyberark": {
                "address": "https://ca.corp:8444", "username": "u", "password": "${P}", "platform-id": "p",
                "safe-name": "s",
            },
        },
        ["ca.corp:8444"],
    ),
    (
        {
            "type": "aws-secret-manager",
            "aws-secret-manager": {"region": "eu-west-1", "endpoint-override": "https://vpce.corp:8445"},
        },
        ["vpce.corp:8445", "*.amazonaws.com:443"],
    ),
    (
        {"type": "doppler", "doppler": {"token": "${T}", "project": "p", "config": "c"}},
        ["api.doppler.com:443"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("secret", "addresses"), SECRETS)
def test_the_port_of_a_secret_manager_is_open(secret: dict[str, Any], addresses: list[str]) -> None:
    addressed = [
        f"{d.host}:{d.port}"
        for d in destinations(_settings(ENTERPRISE, secret=secret))
        if d.reason.startswith("secret manager")
    ]
    assert addressed == addresses


def test_keys_that_no_model_has_count_as_well() -> None:
    settings = _settings(
        ENTERPRISE,
        queue={"type": "kafka"},
        repository={"type": "elasticsearch"},
        kafka={
            "client": {
                "properties": {
                    "bootstrap.servers": "k-0:24950,k-1:24951",
                    "schema.registry.url": "http://registry:8085",
                }
            }
        },
        elasticsearch={"client": {"http-hosts": ["https://es-0:24947", "http://10.9.8.7:9201"]}},
        micronaut={
            "http": {"client": {"proxy-address": "proxy.corp:3128"}},
            "security": {
                "oauth2": {
                    "clients": {"sso": {"openid": {"issuer": "https://sso.corp:8443/realms/k"}}}
                },
                "ldap": {"default": {"context": {"server": "ldaps://ldap.corp"}}},
            },
        },
        ee={"mail-service": {"host": "smtp.corp", "port": 587}},
        otel={"exporter": {"otlp": {"endpoint": "http://collector:4317"}}},
    )
    named = _named(settings)
    assert named["kafka.client.properties.bootstrap.servers"] == ["k-0:24950", "k-1:24951"]
    assert named["kafka.client.properties.schema.registry.url"] == ["registry:8085"]
    assert named["elasticsearch.client.http-hosts[0]"] == ["es-0:24947"]
    assert named["micronaut.http.client.proxy-address"] == ["proxy.corp:3128"]
    assert named["micronaut.security.oauth2.clients.sso.openid.issuer"] == ["sso.corp:8443"]
    assert named["micronaut.security.ldap.default.context.server"] == ["ldap.corp:636"]
    assert named["ee.mail-service.host"] == ["smtp.corp:587"]
    assert named["otel.exporter.otlp.endpoint"] == ["collector:4317"]
    # Their addresses are known, so that no usual port is open beside them.
    assert not {9092, 9200} & set(shared_ports(settings))
    assert ("10.9.8.7/32", [9201]) in _backends(settings)


def test_variables_of_the_pods_name_addresses_too() -> None:
    settings = _settings(
        POSTGRES,
        storage={
            "type": "s3",
            "s3": {"bucket": "kestra", "endpoint": "http://${S3_HOST}:${S3_PORT:7072}"},
        },
        deployment={
            "environment": {
                "S3_HOST": "s3.corp",
                "HTTPS_PROXY": "http://proxy.corp:3129",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
                "JAVA_OPTS": "-Dhttps.proxyHost=jproxy -Dhttps.proxyPort=3130 -Xmx1g",
                "MY_URL": "http://flows:1",
            },
        },
    )
    named = _named(settings)
    assert named["storage.s3.endpoint"] == ["s3.corp:7072"]
    assert named["deployment.environment.HTTPS_PROXY"] == ["proxy.corp:3129"]
    assert named["deployment.environment.OTEL_EXPORTER_OTLP_ENDPOINT"] == ["collector:4318"]
    assert named["deployment.environment.JAVA_OPTS"] == ["jproxy:3130"]
    assert "deployment.environment.MY_URL" not in named


def test_variables_in_kubernetes_form_name_addresses_too() -> None:
    settings = _settings(
        POSTGRES,
        datasources={"postgres": {"url": "jdbc:postgresql://${DB}/k", "username": "k"}},
        deployment={
            "extra-env": [
                {"name": "DB", "value": "db:6543"},
                {"name": "HTTPS_PROXY", "value": "http://proxy:3131"},
                {"name": "HTTP_PROXY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ]
        },
    )
    named = _named(settings)
    assert named["datasources.postgres.url"] == ["db:6543"]
    assert named["deployment.extra-env[1]"] == ["proxy:3131"]


def test_what_kestra_shows_or_listens_at_is_no_destination() -> None:
    settings = _settings(
        POSTGRES,
        url="https://kestra.example.com:8443/",
        micronaut={"server": {"cors": {"enabled": True}, "port": 9080}},
    )
    assert [d.key for d in destinations(settings)] == ["kestra:datasources.postgres.url"]


def test_an_ip_address_is_open_by_itself_and_a_name_in_every_network() -> None:
    settings = _settings(
        POSTGRES,
        datasources={
            "postgres": {"url": "jdbc:postgresql://10.0.0.5:6432,db:5433/k", "username": "k"}
        },
        storage={
            "type": "minio",
            "minio": {"endpoint": "http://[2001:db8::9]:9000", "bucket": "kestra"},
        },
        deployment={"network-policy": {"egress-cidrs": ["10.0.0.0/8"], "egress-ports": [443]}},
    )
    assert _backends(settings) == [
        ("10.0.0.0/8", [443, 5433]),
        ("10.0.0.5/32", [6432]),
        ("2001:db8::9/128", [9000]),
    ]


def test_only_the_address_is_open_where_no_network_is() -> None:
    settings = _settings(
        POSTGRES,
        datasources={"postgres": {"url": "jdbc:postgresql://10.0.0.5/k", "username": "k"}},
        deployment={"network-policy": {"egress-cidrs": []}},
    )
    assert _backends(settings) == [("10.0.0.5/32", [5432])]


@pytest.mark.parametrize("url", ["${DATABASE_URL}", SecretStr(OPAQUE)])
def test_an_address_that_is_not_known_has_the_usual_port_and_the_list_says_so(url: Any) -> None:
    settings = _settings(
        POSTGRES,
        datasources={"postgres": {"url": url, "username": "k"}},
        deployment={"environment-from": ["database"]},
    )
    (destination,) = [d for d in destinations(settings) if d.reason == "database"]
    assert (destination.host, destination.port, destination.is_usual) == ("", 5432, True)
    assert "add the port to kestra:deployment.network-policy.egress-ports" in as_text(settings)


def test_a_port_that_nothing_tells_is_in_the_list_and_not_open() -> None:
    settings = _settings(
        POSTGRES, micronaut={"http": {"client": {"proxy-address": "${PROXY}"}}},
        deployment={"environment-from": ["proxy"]},
    )  # fmt: skip
    (row,) = [row for row in open_ports(settings) if not row.is_open]
    assert row.setting == "kestra:micronaut.http.client.proxy-address"
    assert "its port is not known here: add the port to" in as_text(settings)


def test_of_a_secret_only_the_port_is_shown_and_no_address_leaves_it() -> None:
    url = f"jdbc:postgresql://10.0.0.5:6432/k?user=k&password={PLANTED}"
    settings = _settings(POSTGRES, datasources={"postgres": {"url": url}})
    (destination,) = [d for d in destinations(settings) if d.reason == "database"]
    assert (destination.host, destination.cidr, destination.port) == ("", "", 6432)
    text = as_text(settings)
    assert PLANTED not in text
    assert "10.0.0.5" not in text
    assert "TCP 6432   a secret value (any of 0.0.0.0/0): database" in text


def test_every_open_port_is_in_the_list_with_a_reason() -> None:
    settings = _settings(
        ENTERPRISE,
        version="2.0",
        deployment={
            "mode": "distributed",
            "storage-volume": {"size": "1Gi"},
            "network-policy": {"monitoring-namespace": "watch", "ingress-namespace": "edge"},
        },
    )
    listed = {(r.direction, r.protocol, r.port) for r in open_ports(settings)}
    for spec in policies(settings, LABELS).values():
        for direction, rules in (("in", "ingress"), ("out", "egress")):
            for rule in spec.get(rules, []):
                for port in rule["ports"]:
                    assert (direction, port["protocol"], port["port"]) in listed
    assert all(row.why and row.peer for row in open_ports(settings))


def test_without_policies_nothing_is_denied_and_the_list_says_so() -> None:
    settings = _settings(POSTGRES, deployment={"network-policy": {"enabled": False}})
    assert open_ports(settings) == []
    assert "this stack denies nothing" in as_text(settings)


def test_a_destination_is_told_once() -> None:
    assert (
        len(destinations(_settings(POSTGRES))) == len(set(destinations(_settings(POSTGRES)))) == 1
    )


def test_metrics_of_statsd_leave_by_udp() -> None:
    settings = _settings(
        POSTGRES,
        micronaut={
            "metrics": {"export": {"statsd": {"enabled": True, "host": "statsd", "port": 8125}}}
        },
    )
    (destination,) = [d for d in destinations(settings) if d.reason == "metrics"]
    assert destination == Destination(
        "kestra:micronaut.metrics.export.statsd.host", "metrics", "statsd", 8125, protocol="UDP"
    )
    assert {"protocol": "UDP", "port": 8125} in policies(settings, LABELS)["backends"]["egress"][0][
        "ports"
    ]


def test_dns_goes_where_the_settings_say() -> None:
    def dns(**network: Any) -> Any:
        return policies(_settings(POSTGRES, deployment={"network-policy": network}), LABELS)["dns"][
            "egress"
        ]

    cluster = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    node_local = {"ipBlock": {"cidr": "169.254.20.10/32"}}
    both = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    assert dns() == [{"to": [cluster], "ports": both}]
    assert dns(**{"dns-cidrs": ["169.254.20.10/32"]}) == [
        {"to": [cluster, node_local], "ports": both}
    ]
    assert dns(**{"dns-cidrs": ["169.254.20.10/32"], "dns-namespaces": []}) == [
        {"to": [node_local], "ports": both}
    ]
    # None is none, and not all.
    assert dns(**{"dns-namespaces": []}) == []
    (openshift,) = dns(**{"dns-namespaces": ["openshift-dns"]})
    assert {p["port"] for p in openshift["ports"]} == {53, 5353}
