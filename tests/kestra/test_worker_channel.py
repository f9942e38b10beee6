"""A real controller of Kestra 2.0: with mutual TLS a worker needs a certificate of the stack's authority.

The open-source classes have no TLS: they leave two methods for the Enterprise Edition, which is closed. The controller and
the workers' channels here are theirs; the two methods are overridden, and read the rendered settings and key stores of the
form that cert-manager writes (PKCS #12, profile Modern2023), with the names and usages of the stack's certificates.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from components.rendering.configuration import render
from components.rendering.worker_channel import STORES_FOLDER
from components.validation import load
from sandbox import kestra
from sandbox.progress import Progress
from sandbox.verify import overlay
from sandbox.verify.boot import boot
from tests.components.pods_support import distributed_document
from tests.components.test_worker_channel import certificate_specs
from tests.kestra.harness_support import on_free_ports, with_class

pytestmark = [pytest.mark.kestra]

PASSWORD = "Pl4ntedStorePassword"
_USAGES = {
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
}


@dataclass
class Authority:
    """What cert-manager's issuer signs with."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kestra-grpc-authority")])
        builder = _builder(name, name, key).add_extension(x509.BasicConstraints(True, None), True)
        return cls(key, builder.sign(key, hashes.SHA256()))

    def write(self, folder: Path, spec: dict[str, Any]) -> None:
        """The key store and the trust store of a Certificate."""
        folder.mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, spec["commonName"])])
        usages = [_USAGES[usage] for usage in spec["usages"] if usage in _USAGES]
        signed = (
            _builder(name, self.certificate.subject, key)
            .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, spec["dnsNames"])), False)
            .add_extension(x509.ExtendedKeyUsage(usages), False)
            .sign(self.key, hashes.SHA256())
        )
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2000)
            .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            .hmac_hash(hashes.SHA256())
            .build(PASSWORD.encode())
        )
        store = pkcs12.serialize_key_and_certificates(
            b"certificate", key, signed, [self.certificate], encryption
        )
        (folder / "keystore.p12").write_bytes(store)
        trusted = [pkcs12.PKCS12Certificate(self.certificate, b"ca")]
        trust = pkcs12.serialize_java_truststore(trusted, encryption)
        (folder / "truststore.p12").write_bytes(trust)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def _asks(folder: Path) -> list[dict[str, Any]]:
    own, foreign = folder / "worker", folder / "foreign-worker"
    trusting: dict[str, Any] = {"tls": True, "trustStore": str(own / "truststore.p12")}
    right = trusting | {"keyStore": str(own / "keystore.p12")}
    return [
        {"name": "right", **right},
        {"name": "none", **trusting},
        {"name": "foreign", **trusting, "keyStore": str(foreign / "keystore.p12")},
        {"name": "of a server", **trusting, "keyStore": str(folder / "controller/keystore.p12")},
        {"name": "trusts another", **right, "trustStore": str(foreign / "truststore.p12")},
        {"name": "without override", **right, "override": False},
        {"name": "plain", "tls": False},
        {
            "name": "after a renewal",
            **trusting,
            "keyStore": str(foreign / "keystore.p12"),
            "replace": str(folder / "controller/truststore.p12"),
            "with": str(foreign / "truststore.p12"),
        },
        {"name": "right again", **right},
    ]


@pytest.fixture(scope="module")
def answers(
    tmp_path_factory: pytest.TempPathFactory, progress: Progress
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What workers were answered by the open-source controller, and by the one with mutual TLS."""
    folder = tmp_path_factory.mktemp("channel")
    java = Path(__file__).with_name("WorkerChannel.java")
    harness = with_class(kestra.ensure("2.0", progress), java, folder)
    document = distributed_document({"grpc-tls": {}}, version="2.0")
    configuration = render(load(document, source="test").settings)
    specs = certificate_specs(document)
    authority = Authority.new()
    for kind, spec in specs.items():
        authority.write(folder / kind, spec)
    Authority.new().write(folder / "foreign-worker", specs["worker"])

    def attempt() -> list[Any]:
        runs = []
        for name in ("open", "tls"):
            files = overlay.files(_grpc(configuration, folder), "2.0", folder / name)
            asks = _asks(folder)
            asks = [a for a in asks if a["name"] in ("plain", "right")] if name == "open" else asks
            runs.append({"files": files, "overridden": name == "tls", "asks": asks})
        names = [n for n in configuration.environment if "GRPC" in n]
        environment = dict.fromkeys(names, PASSWORD)
        return boot(harness, environment, folder, {"runs": runs}, main="WorkerChannel")["runs"]

    open_source, with_tls = on_free_ports(folder, attempt)
    return open_source, with_tls


def _grpc(configuration: Any, folder: Path) -> str:
    """The rendered file's channel, with the controller's stores where they are here."""
    grpc = configuration.document["kestra"]["grpc"]
    return yaml.safe_dump({"kestra": {"grpc": grpc}}).replace(
        STORES_FOLDER, str(folder / "controller")
    )


def test_the_open_source_controller_talks_without_tls_whatever_is_set(
    answers: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    open_source, _ = answers
    assert open_source["plain"] == "SERVING"
    assert open_source["right"].startswith("UNAVAILABLE")


def test_a_worker_with_a_certificate_of_the_stack_is_accepted(
    answers: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    assert answers[1]["right"] == "SERVING"


@pytest.mark.parametrize("worker", ["none", "foreign", "plain", "of a server"])
def test_a_worker_without_one_or_with_anothers_is_refused(
    answers: tuple[dict[str, Any], dict[str, Any]], worker: str
) -> None:
    assert answers[1][worker].startswith("UNAVAILABLE"), answers[1][worker]


def test_a_worker_refuses_a_controller_of_another_authority_or_name(
    answers: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    assert answers[1]["trusts another"].startswith("UNAVAILABLE")
    assert "controllers" in answers[1]["without override"]


def test_renewed_stores_are_not_read_until_the_process_starts_again(
    answers: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    assert answers[1]["after a renewal"].startswith("UNAVAILABLE")
    assert answers[1]["right again"] == "SERVING"
    assert answers[1]["credentials created"] == 1
