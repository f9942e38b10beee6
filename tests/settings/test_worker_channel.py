"""Certificates and tokens of the channel between workers and controllers: what is refused, and with which fix."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from components.registration_tokens import registration_token
from components.settings import SettingsError
from components.settings.base import OPAQUE
from components.validation import load
from tests.components.pods_support import distributed_document
from tests.settings.malformed_fixtures import oss

TLS, TOKENS = "kestra:deployment.grpc-tls", "kestra:deployment.worker-authentication"
NONE = "kwreg_" + "a" * 52 + "_000000"


def lines(deployment: dict[str, Any], version: str = "2.0", **more: Any) -> list[str]:
    """The lines of the report that speak of the channel."""
    try:
        loaded = load(distributed_document(deployment, version=version, **more), source="t")
    except SettingsError as error:
        text = error.report().splitlines()
    else:
        text = [warning.line() for warning in loaded.warnings]
    words = (
        "grpc",
        "ee.setup",
        "worker-authentication",
        "registration-token",
        "ee.worker",
        "kestra:rotation",
    )
    return [line for line in text if any(word in line for word in words)]


@pytest.mark.parametrize(
    "token", [registration_token("a"), "${WORKER_TOKEN}", "kwreg_${REST_OF_IT}", SecretStr(OPAQUE)]
)
def test_a_token_of_the_right_form_and_one_that_is_not_known_here_are_taken(token: Any) -> None:
    setup = {"worker-groups": [{"id": "a", "registration-tokens": [{"name": "a", "token": token}]}]}
    said = lines(
        {"worker-groups": {"gpu": {"registration-token": token}}},
        ee={"setup": setup},
        worker={"auth": {"registration-token": token}},
    )
    assert [line for line in said if "is no registration token" in line] == []


@pytest.mark.parametrize(
    ("deployment", "more", "place", "says"),
    [
        ({"grpc-tls": {}}, {"version": "1.3"}, TLS, "is not known to Kestra 1.3"),
        ({"worker-authentication": {}}, {"version": "1.3"}, TOKENS, "is not known to Kestra 1.3"),
        ({"grpc-tls": {}, "mode": "standalone"}, {}, TLS, "one process"),
        ({"worker-authentication": {}, "mode": "standalone"}, {}, TOKENS, "one process"),
        ({"grpc-tls": {"issuer": "a", "cluster-issuer": "b"}}, {}, f"{TLS}.issuer", "one issuer"),
        ({"grpc-tls": {"duration": "59m", "renew-before": "5m"}}, {}, f"{TLS}.duration", "shorter than an hour"),
        ({"grpc-tls": {"renew-before": "4m"}}, {}, f"{TLS}.renew-before", "shorter than 5 minutes"),
        ({"grpc-tls": {"duration": "30d", "renew-before": "30d"}}, {}, f"{TLS}.renew-before", "not shorter than duration"),
        ({"grpc-tls": {"duration": "90"}}, {}, f"{TLS}.duration", "no duration"),
        ({"grpc-tls": {"issuer": "No Name"}}, {}, f"{TLS}.issuer", ""),
        ({"grpc-tls": {"isuer": "a"}}, {}, f"{TLS}.isuer", "issuer"),
        ({"grpc-tls": {}}, {"grpc": {"tls": {"enabled": True}}}, "kestra:grpc.tls", "keep one of the two"),
        ({"worker-authentication": {}}, {"ee": {"worker": {"auth": {"enabled": True}}}}, "kestra:ee.worker.auth.enabled", "keep one of the two"),
        ({"worker-authentication": {}, "worker-groups": {"gpu": {"registration-token": NONE}}}, {}, "worker-groups.gpu.registration-token", "is no registration token"),
        ({"worker-groups": {"gpu": {"registration-token": NONE}}}, {}, "worker-groups.gpu.registration-token", "Fix: make one with kestractl"),
        ({}, {"worker": {"auth": {"registration-token": NONE}}}, "kestra:worker.auth.registration-token", "is no registration token"),
        ({}, {"ee": {"setup": {"worker-groups": [{"id": "a", "registration-tokens": [{"name": "a", "token": NONE}]}]}}}, "kestra:ee.setup.worker-groups[0].registration-tokens[0].token", "is no registration token"),
        ({"worker-authentication": {}}, {"rotation": {"worker-groups.default.registration-token": "2"}}, "kestra:rotation", "revoke the old one"),
        ({"worker-authentication": {}}, {"ee": {"setup": {"enabled": False}}}, "kestra:ee.setup.enabled", "keeps the workers' tokens from Kestra"),
        ({"worker-authentication": {}}, {"ee": {"setup": {"worker-groups": [{"id": "default", "registration-tokens": [{"name": "a", "token": "${T}"}]}]}}}, "kestra:ee.setup.worker-groups[0].registration-tokens", "gets no other"),
        ({}, {"rotation": {"grpc.tls.key-store.password": "2"}}, "kestra:rotation", "nothing that this stack makes"),
    ],
)  # fmt: skip
def test_what_the_channel_cannot_be_is_said_with_a_fix(
    deployment: dict[str, Any], more: dict[str, Any], place: str, says: str
) -> None:
    said = [line for line in lines(deployment, **more) if place in line and says in line]
    assert said
    assert NONE not in str(said)


def test_open_source_has_neither() -> None:
    both = {"grpc-tls": {}, "worker-authentication": {}, "mode": "distributed"}
    with pytest.raises(SettingsError) as refused:
        load(oss(version="2.0", deployment=both), source="t")
    report = refused.value.report()
    for place in (TLS, TOKENS):
        assert f"{place}: is of the Enterprise Edition" in report


def test_files_of_the_channel_are_looked_for_where_they_are_read() -> None:
    tls = {"enabled": True, "key-store": {"path": "/etc/own/keystore.p12", "password": "${P}"}}
    setup = {
        "worker-groups": [
            {"id": "a", "registration-tokens": [{"name": "t", "token-file": "/etc/own/a"}]}
        ]
    }
    mount = {
        "extra-volumes": [{"name": "own", "secret": {"secretName": "own"}}],
        "extra-volume-mounts": [{"name": "own", "mountPath": "/etc/own"}],
    }
    grpc: dict[str, Any] = {"grpc": {"tls": tls}}
    [missing] = [line for line in lines({}, **grpc) if "no volume" in line]
    assert "no volume of controller, worker holds" in missing or "of the pods holds" in missing
    both = {"components": {"controller": mount, "worker": mount}}
    assert [line for line in lines(both, **grpc) if "no volume" in line] == []
    [missing] = [line for line in lines(both, ee={"setup": setup}) if "no volume" in line]
    assert "token-file" in missing
    servers = {"components": {"webserver": mount}}
    assert [line for line in lines(servers, ee={"setup": setup}) if "no volume" in line] == []


def test_the_tokens_of_groups_may_be_left_to_the_stack() -> None:
    groups = {"worker-groups": {"gpu": {}}}
    [missing] = lines(groups)
    assert "set kestra:deployment.worker-authentication to {}" in missing
    assert lines({**groups, "worker-authentication": {}}) == []


def test_what_the_stack_makes_can_be_made_anew() -> None:
    rotation = {"grpc.tls.key-store.password": "2", "ee.worker.auth.jwt-signing-key": "2"}
    both = {"grpc-tls": {}, "worker-authentication": {}}
    assert lines(both, rotation=rotation) == []
