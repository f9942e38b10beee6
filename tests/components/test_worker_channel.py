"""Workers and controllers of 2.0 talk by mutual TLS and know each other by tokens, where the settings ask for it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml
from pydantic import SecretStr as encrypted

from components.kubernetes.existing_secrets import RELOAD
from components.kubernetes.operator_hints import explain_not_ready
from components.kubernetes.pod_additions import REGISTRATION_TOKEN
from components.registration_tokens import is_registration_token, registration_token
from components.rendering.configuration import render
from components.validation import load
from sandbox.report.access import worker_channel
from tests.components.inventory_support import SECRET_MARK
from tests.components.pods_support import distributed_document, variables
from tests.components.recording_support import Recorder, run
from tests.conftest import ROOT, stack_document

PLANTED = registration_token("planted")
SECRET, CERTIFICATE = "kubernetes:core/v1:Secret", "kubernetes:cert-manager.io/v1:Certificate"
ISSUER = "kubernetes:cert-manager.io/v1:Issuer"
GROUPS = {"gpu": {"replicas": 2}, "etl": {"registration-token": encrypted(PLANTED)}}
BOTH = {"grpc-tls": {}, "worker-authentication": {}, "worker-groups": GROUPS}


def document(deployment: dict[str, Any], **more: Any) -> dict[str, Any]:
    return distributed_document(deployment, version="2.0", **more)


@cache
def with_tls() -> Recorder:
    return run(document({"grpc-tls": {}, "namespace": "flows"}))


def opened(value: Any) -> Any:
    """A value without the engine's marks of secrets."""
    if isinstance(value, dict):
        return (
            opened(value["value"])
            if SECRET_MARK in value
            else {k: opened(v) for k, v in value.items()}
        )
    return value


def secret_data(recorded: Recorder, name: str) -> dict[str, str]:
    written = of_type(recorded, SECRET)[name]
    assert SECRET_MARK in written["stringData"]
    return opened(written["stringData"])


def of_type(recorded: Recorder, type_: str) -> dict[str, dict[str, Any]]:
    return {n: inputs for n, (kind, inputs) in recorded.resources.items() if kind == type_}


def certificate_specs(written: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`controller` and `worker` to the specification of its certificate."""
    certificates = of_type(run(written), CERTIFICATE)
    return {kind: certificates[f"kestra-grpc-{kind}"]["spec"] for kind in ("controller", "worker")}


def pods(recorded: Recorder) -> dict[str, dict[str, Any]]:
    deployments = of_type(recorded, "kubernetes:apps/v1:Deployment")
    return {
        n.removeprefix("kestra-"): i["spec"]["template"]["spec"] for n, i in deployments.items()
    }


def configuration(recorded: Recorder) -> dict[str, Any]:
    [file] = of_type(recorded, "kubernetes:core/v1:ConfigMap").values()
    return yaml.safe_load(file["data"]["application.yaml"])


def volumes(pod: dict[str, Any]) -> dict[str, Any]:
    mounts = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    return {mounts[v["name"]]: v for v in pod["volumes"] if v["name"] in mounts}


def test_kestra_is_told_to_ask_for_certificates_with_passwords_from_the_secret() -> None:
    recorded = with_tls()
    tls = configuration(recorded)["kestra"]["grpc"]["tls"]
    assert tls == {
        "enabled": True,
        "client-auth": "REQUIRE",
        "authority-override": "kestra-controller",
        "key-store": {
            "path": "/etc/kestra-grpc/keystore.p12",
            "type": "PKCS12",
            "password": "${STACK_KESTRA_GRPC_TLS_KEY_STORE_PASSWORD}",
        },
        "trust-store": {
            "path": "/etc/kestra-grpc/truststore.p12",
            "type": "PKCS12",
            "password": "${STACK_KESTRA_GRPC_TLS_TRUST_STORE_PASSWORD}",
        },
    }
    data = secret_data(recorded, "kestra-secret")
    password = secret_data(recorded, "kestra-grpc-key-store")["password"]
    assert {data[f"STACK_KESTRA_GRPC_TLS_{kind}_STORE_PASSWORD"] for kind in ("KEY", "TRUST")} == {
        password
    }
    assert "generated-grpc-tls-key-store-password" in str(password)


def test_what_the_settings_say_of_the_channel_stays() -> None:
    recorded = run(document({"grpc-tls": {}}, grpc={"channel": {"keep-alive-time": "30m"}}))
    grpc = configuration(recorded)["kestra"]["grpc"]
    assert grpc["channel"] == {"keep-alive-time": "30m"}
    assert grpc["tls"]["enabled"] is True


def test_controllers_and_workers_have_a_certificate_each_that_cannot_be_the_others() -> None:
    recorded = with_tls()
    certificates = of_type(recorded, CERTIFICATE)
    controller = certificates["kestra-grpc-controller"]["spec"]
    worker = certificates["kestra-grpc-worker"]["spec"]
    # What workers look for: `authority-override`, and the Service by its whole name.
    assert controller["dnsNames"] == ["kestra-controller", "kestra-controller.flows.svc"]
    assert set(worker["dnsNames"]).isdisjoint(controller["dnsNames"])
    assert controller["usages"] == ["digital signature", "server auth"]
    assert worker["usages"] == ["digital signature", "client auth"]
    assert (controller["secretName"], worker["secretName"]) == (
        "kestra-grpc-controller",
        "kestra-grpc-worker",
    )
    for spec in (controller, worker):
        assert (spec["duration"], spec["renewBefore"]) == ("7776000s", "2592000s")
        assert spec["issuerRef"] == {"kind": "Issuer", "name": "kestra-grpc"}
        pkcs12 = spec["keystores"]["pkcs12"]
        # Java reads it without options, and OpenSSL 3 does.
        assert (pkcs12["create"], pkcs12["profile"]) == (True, "Modern2023")
        assert pkcs12["passwordSecretRef"]["key"] == "password"


def test_without_an_issuer_the_stack_makes_an_authority_that_keeps_its_key() -> None:
    recorded = with_tls()
    authority = of_type(recorded, CERTIFICATE)["kestra-grpc-authority"]["spec"]
    assert authority["isCA"] is True
    # What it signed before a renewal, and what trusts it, stay good.
    assert authority["privateKey"]["rotationPolicy"] == "Never"
    issuers = of_type(recorded, ISSUER)
    assert issuers["kestra-grpc-self-signed"]["spec"] == {"selfSigned": {}}
    assert issuers["kestra-grpc-issuer"]["spec"] == {"ca": {"secretName": "kestra-grpc-authority"}}


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ({"issuer": "vault-pki"}, {"kind": "Issuer", "name": "vault-pki"}),
        ({"cluster-issuer": "company"}, {"kind": "ClusterIssuer", "name": "company"}),
    ],
)
def test_an_issuer_of_the_settings_signs_and_no_authority_is_made(
    written: dict[str, str], reference: dict[str, str]
) -> None:
    recorded = run(document({"grpc-tls": written}))
    certificates = of_type(recorded, CERTIFICATE)
    assert sorted(certificates) == ["kestra-grpc-controller", "kestra-grpc-worker"]
    assert of_type(recorded, ISSUER) == {}
    assert all(c["spec"]["issuerRef"] == reference for c in certificates.values())


def test_each_pod_has_the_stores_of_its_side_and_is_rolled_when_they_are_renewed() -> None:
    recorded = run(document({"grpc-tls": {}, "worker-groups": GROUPS, "worker-authentication": {}}))
    deployments = of_type(recorded, "kubernetes:apps/v1:Deployment")
    sides = {
        "controller": "controller",
        "webserver": "controller",
        "worker": "worker",
        "worker-gpu": "worker",
        "worker-etl": "worker",
        "executor": None,
        "scheduler": None,
        "indexer": None,
    }
    assert {n.removeprefix("kestra-") for n in deployments} == sides.keys()
    for name, side in sides.items():
        pod = pods(recorded)[name]
        annotations = deployments[f"kestra-{name}"]["metadata"]["annotations"]
        if side is None:
            assert "/etc/kestra-grpc" not in volumes(pod)
            assert RELOAD not in annotations
            continue
        secret = volumes(pod)["/etc/kestra-grpc"]["secret"]
        assert secret["secretName"] == f"kestra-grpc-{side}"
        # The private key as PEM and the authority's file stay out of the pod.
        assert [item["key"] for item in secret["items"]] == ["keystore.p12", "truststore.p12"]
        assert annotations[RELOAD] == f"kestra-grpc-{side}"
        request = recorded.requests[f"kestra-{name}"]
        assert any(u.endswith(f"::kestra-grpc-{side}") for u in request.dependencies)


def test_tokens_are_made_told_to_the_web_server_and_given_to_their_workers_alone() -> None:
    recorded = run(document(BOTH))
    tokens = secret_data(recorded, "kestra-worker-authentication")
    keys = {g: f"worker-groups.{g}.registration-token" for g in ("default", "gpu", "etl")}
    assert tokens.keys() == {*keys.values(), "ee.worker.auth.jwt-signing-key"}
    assert all(is_registration_token(tokens[key]) for key in keys.values())
    assert len(set(tokens.values())) == 4
    assert tokens[keys["etl"]] == PLANTED
    setup = configuration(recorded)["kestra"]["ee"]["setup"]
    assert setup == {
        "enabled": True,
        "worker-groups": [
            {
                "id": group,
                "name": group,
                "registration-tokens": [
                    {"name": "stack", "token-file": f"/etc/kestra-worker-tokens/{group}"}
                ],
            }
            for group in ("default", "gpu", "etl")
        ],
    }
    running = pods(recorded)
    items = volumes(running["webserver"])["/etc/kestra-worker-tokens"]["secret"]["items"]
    assert items == [{"key": keys[g], "path": g} for g in ("default", "gpu", "etl")]
    for name, group in (("worker", "default"), ("worker-gpu", "gpu")):
        reference = variables(running[name])[REGISTRATION_TOKEN]["valueFrom"]["secretKeyRef"]
        assert reference["key"] == keys[group]
    for name, pod in running.items():
        text = str(pod)
        assert ("/etc/kestra-worker-tokens" in text) == (name == "webserver")
        is_server = name in ("controller", "webserver")
        assert ("KESTRA_EE_WORKER_AUTH_JWT_SIGNING_KEY" in text) == is_server
        assert (REGISTRATION_TOKEN in text) == name.startswith("worker")
        # Neither the key nor a token of another group is a variable of every pod.
        assert not any(value in text for value in tokens.values())
    shared = secret_data(recorded, "kestra-secret")
    generated = {v for k, v in tokens.items() if k != keys["etl"]}
    assert generated.isdisjoint(shared.values())


def test_a_group_that_the_settings_declare_keeps_its_queues_and_gets_its_token() -> None:
    queues = [{"worker-queue-id": "gpu", "reserved-percent": 70}]
    setup = {
        "worker-queues": [{"id": "gpu", "tags": ["gpu"]}],
        "worker-groups": [
            {"id": "gpu", "name": "GPU workers", "subscriptions": queues},
            {"id": "abroad", "name": "Abroad"},
        ],
    }
    loaded = load(document(BOTH, ee={"license": {"id": "a"}, "setup": setup}), source="t")
    rendered = render(loaded.settings).document["kestra"]["ee"]
    assert rendered["license"] == {"id": "a"}
    groups = {group["id"]: group for group in rendered["setup"]["worker-groups"]}
    assert list(groups) == ["gpu", "abroad", "default", "etl"]
    assert groups["gpu"]["subscriptions"] == queues
    assert groups["gpu"]["name"] == "GPU workers"
    assert groups["gpu"]["registration-tokens"][0]["token-file"].endswith("/gpu")
    assert groups["abroad"] == {"id": "abroad", "name": "Abroad"}
    assert rendered["setup"]["worker-queues"] == setup["worker-queues"]


def test_a_token_of_anothers_secret_is_left_to_its_owner() -> None:
    groups = {"gpu": {"registration-token": "${GPU_TOKEN}"}}
    recorded = run(document({"worker-authentication": {}, "worker-groups": groups}))
    setup = configuration(recorded)["kestra"]["ee"]["setup"]
    assert [group["id"] for group in setup["worker-groups"]] == ["default"]
    token = variables(pods(recorded)["worker-gpu"])[REGISTRATION_TOKEN]
    assert token["value"] == "${GPU_TOKEN}"


@pytest.mark.parametrize(
    "deployment",
    [{}, {"grpc-tls": {"enabled": False}, "worker-authentication": {"enabled": False}}],
)
def test_nothing_of_it_is_there_unless_it_is_asked_for(deployment: dict[str, Any]) -> None:
    recorded = run(document(deployment))
    assert "cert-manager" not in str(recorded.resources)
    assert "kestra-grpc" not in str(recorded.resources)
    kestra = configuration(recorded)["kestra"]
    assert "grpc" not in kestra
    assert "setup" not in kestra.get("ee", {})
    assert "WORKER_AUTH" not in str(recorded.resources)


def test_a_token_has_the_form_that_kestra_takes() -> None:
    # 32 bytes of zero, as the published command encodes them, and their CRC-32.
    assert is_registration_token(f"kwreg_{'a' * 52}_52268f")
    token = registration_token("some password")
    assert is_registration_token(token)
    assert registration_token("some password") == token != registration_token("another")
    start, payload, checksum = token.split("_")
    assert (start, len(payload), len(checksum)) == ("kwreg", 52, 6)
    broken = token[:-1] + ("0" if token[-1] != "0" else "1")
    for text in (broken, token.upper(), token[:-1], f"{token} ", "", "kwreg__", payload):
        assert not is_registration_token(text)


def test_a_certificate_that_does_not_come_is_said_with_where_to_look() -> None:
    inputs = {
        "kind": "Certificate",
        "metadata": {"namespace": "flows", "name": "kestra-grpc-worker"},
    }
    said = explain_not_ready("timed out waiting for the condition", inputs)
    assert "kubectl --namespace flows describe certificate kestra-grpc-worker" in said
    assert "cert-manager" in said
    assert explain_not_ready("forbidden", inputs) == ""


def test_the_report_says_who_may_be_a_worker() -> None:
    def said(deployment: dict[str, Any], **more: Any) -> list[str]:
        settings = load(document(deployment, **more), source="t").settings
        return [f"{row.who}: {row.why}" for row in worker_channel(settings)]

    [plain] = said({})
    assert "any pod that the network lets there" in plain
    with_both = said({"grpc-tls": {"issuer": "vault-pki"}, "worker-authentication": {}})
    assert with_both[0].startswith("pods with a worker's certificate of vault-pki: mutual TLS")
    assert with_both[1].startswith("workers with the token of default")
    assert "TLS with certificates of others" in said({}, grpc={"tls": {"enabled": True}})[0]
    standalone = load(distributed_document({"mode": "standalone"}, version="2.0"), source="t")
    assert list(worker_channel(standalone.settings)) == []


def test_the_example_is_valid_and_has_both() -> None:
    file = ROOT / "examples" / "worker-channel.yaml"
    own = yaml.safe_load(file.read_text())["config"]
    production: dict[str, Any] = stack_document("production")
    config: dict[str, Any] = {key.removeprefix("kestra:"): value for key, value in own.items()}
    config["deployment"] = {**production["deployment"], **config["deployment"]}
    config["security"] = {**production["security"], **config["security"]}
    oidc: dict[str, Any] = stack_document("example-oidc")
    license_ = {"license": oidc["ee"]["license"]}
    config["ee"] = {**config.get("ee", {}), **license_}
    config["deployment"]["image"] = {}
    loaded = load(production | config, source="t")
    assert [warning.line() for warning in loaded.warnings] == []
    assert loaded.settings.grpc_tls is not None
    assert list(loaded.settings.registration_groups) == ["default", "gpu"]
    queues = render(loaded.settings).document["kestra"]["ee"]["setup"]["worker-queues"]
    assert [queue["id"] for queue in queues] == ["gpu"]
