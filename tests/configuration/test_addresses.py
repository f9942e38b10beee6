"""Every form in which people write an address gives its hosts and ports, and no text gives an error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.rendering.addresses import UNKNOWN, read_address, read_port

URLS = [
    ("http://minio:9000", ["minio:9000"]),
    ("https://s3.example.com", ["s3.example.com:443?"]),
    ("http://s3.example.com/bucket", ["s3.example.com:80?"]),
    ("minio:9000", ["minio:9000"]),
    ("minio", ["minio:1234?"]),
    ("https://user:1234@host:8443/path?x=http://other:1", ["host:8443"]),
    ("kafka-0:9093, kafka-1:9094,kafka-2", ["kafka-0:9093", "kafka-1:9094", "kafka-2:1234?"]),
    ("https://a:9200,https://b:9201", ["a:9200", "b:9201"]),
    ("SASL_SSL://kafka:9096", ["kafka:9096"]),
    ("ldaps://ldap.example.com", ["ldap.example.com:636?"]),
    ("amqps://u:p@rabbit/vhost", ["rabbit:5671?"]),
    ("rediss://:secret@redis:6380/0", ["redis:6380"]),
    ("http://[2001:db8::1]:9000/x", ["2001:db8::1:9000"]),
    ("http://[2001:db8::1]/", ["2001:db8::1:80?"]),
    ("2001:db8::1", ["2001:db8::1:1234?"]),
    ("", []),
    (" , ,", []),
    # What is no port is none, and the usual one counts.
    ("host:0", ["host:1234?"]),
    ("host:65536", ["host:1234?"]),
    ("host:99999999999999999999", ["host:1234?"]),
    ("host:٣٤", ["host:1234?"]),
    ("host:", ["host:1234?"]),
    ("https://host:port/", ["host:443?"]),
    # What is not known here.
    (UNKNOWN, [":1234?"]),
    (f"http://{UNKNOWN}:9000", [":9000"]),
    (f"http://{UNKNOWN}", [":80?"]),
    (f"http://host:{UNKNOWN}", ["host:80?"]),
]
JDBC = [
    ("jdbc:postgresql://db/kestra", ["db:5432?"]),
    ("jdbc:postgresql://db:6432/kestra?ssl=true", ["db:6432"]),
    ("jdbc:postgresql://a:5433,b/kestra", ["a:5433", "b:5432?"]),
    ("jdbc:postgresql://u:1234@db:7000/kestra", ["db:7000"]),
    ("jdbc:postgresql://[::1]:5432/kestra", ["::1:5432"]),
    ("jdbc:postgresql:kestra", []),
    ("jdbc:postgresql:///kestra?cloudSqlInstance=p:r:i&socketFactory=x", [":3307", ":443"]),
    ("jdbc:aws-wrapper:postgresql://db:5444/kestra", ["db:5444"]),
    ("jdbc:mysql://db/kestra", ["db:3306?"]),
    ("jdbc:mysql:loadbalance://a:3307,b:3308/kestra", ["a:3307", "b:3308"]),
    ("jdbc:mysql:replication://a,b:3308/kestra", ["a:3306?", "b:3308"]),
    ("jdbc:mysql://address=(host=a)(port=3310),(host=b,port=3311)/k", ["a:3310", "b:3311"]),
    ("jdbc:mysql+srv://_mysql._tcp.example.com/k", ["_mysql._tcp.example.com:?"]),
    ("jdbc:mariadb:sequential://a:3307/kestra", ["a:3307"]),
    ("jdbc:h2:mem:public;DB_CLOSE_DELAY=-1", []),
    ("jdbc:h2:file:/tmp/x:9", []),
    ("jdbc:h2:tcp://h2:9099/~/test", ["h2:9099"]),
    ("jdbc:sqlserver://sql:1444;databaseName=k", ["sql:1444"]),
    ("jdbc:sqlserver://;serverName=sql;portNumber=1445", ["sql:1445"]),
    ("jdbc:sqlserver://sql\\instance;databaseName=k", ["sql:?"]),
    ("jdbc:oracle:thin:@ora:1522:SID", ["ora:1522"]),
    ("jdbc:oracle:thin:@//ora/service", ["ora:1521?"]),
    ("jdbc:oracle:thin:scott/tiger@tcps://ora:2484/service", ["ora:2484"]),
    (
        "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=a)(PORT=1531))(ADDRESS=(HOST=b)(PORT=1532)))",
        ["a:1531", "b:1532"],
    ),
    ("jdbc:clickhouse://ch:8443/x", ["ch:8443"]),
    (f"jdbc:postgresql://{UNKNOWN}:{UNKNOWN}/kestra", [":5432?"]),
    (f"jdbc:{UNKNOWN}", [":1234?"]),
    ("jdbc:", []),
]


def _shown(text: str) -> list[str]:
    return [
        f"{a.host}:{a.port or ''}{'?' if a.is_usual or a.port is None else ''}"
        for a in read_address(text, 1234)
    ]


@pytest.mark.parametrize(("text", "shown"), [*URLS, *JDBC])
def test_an_address_gives_its_hosts_and_ports(text: str, shown: list[str]) -> None:
    assert _shown(text) == shown


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("http://10.1.2.3:9000", "10.1.2.3"),
        ("http://[2001:db8::1]:9000", "2001:db8::1"),
        ("http://10.1.2:9000", None),
        ("http://010.1.2.3:9000", None),
        ("http://0x0a.1.2.3:9000", None),
        ("http://[fe80::1%eth0]:9000", None),
        ("http://10.1.2.3.example.com:9000", None),
    ],
)
def test_only_an_ip_address_is_one(text: str, ip: str | None) -> None:
    (address,) = read_address(text)
    assert (str(address.ip) if address.ip else None) == ip


@pytest.mark.parametrize("text", ["http://127.0.0.1:1", "http://localhost:1", "http://[::]:1"])
def test_the_pod_itself_is_known(text: str) -> None:
    (address,) = read_address(text)
    assert address.is_own_pod


@pytest.mark.parametrize("value", [True, 0, -1, 65536, 10**30, "", "1e3", " 80x", None, 1.5, []])
def test_what_is_no_port_is_none(value: object) -> None:
    assert read_port(value) is None


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="abj:/@,[]()=;?%\\.${}0123456789\0 \t٣", max_size=60),
    st.sampled_from(["", "jdbc:mysql://", "jdbc:oracle:thin:@(", "jdbc:sqlserver://", "http://["]),
)
def test_no_text_is_an_error(text: str, start: str) -> None:
    for address in read_address(start + text, 5):
        assert address.port is None or 1 <= address.port <= 65535
        assert address.ip is None or address.host


def test_a_hostile_text_takes_no_time() -> None:
    for text in (
        "jdbc:mysql://" + "(" * 50_000,
        "jdbc:oracle:thin:@" + "(host=" * 20_000,
        "," * 100_000,
    ):
        read_address(text)
