"""The certificates of the sandbox's control plane, made once and kept beside its data."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.services.process import private

YEARS = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority in a folder; what it issued before is used again."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.pair = Pair(directory / "ca.crt", directory / "ca.key")
        if not self.pair.certificate.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("kestra-sandbox")
            certificate = (
                _builder(name, name, key.public_key())
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .sign(key, hashes.SHA256())
            )
            _write(self.pair, key, certificate)

    def issue(self, name: str, common: str, *groups: str, hosts: tuple[str, ...] = ()) -> Pair:
        """A certificate for a client, or for a server with its hosts."""
        pair = Pair(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        if pair.certificate.exists():
            return pair
        ca_key = serialization.load_pem_private_key(self.pair.key.read_bytes(), None)
        assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
        ca = x509.load_pem_x509_certificate(self.pair.certificate.read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = _builder(_name(common, *groups), ca.subject, key.public_key())
        if hosts:
            usage.append(ExtendedKeyUsageOID.SERVER_AUTH)
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(h) for h in hosts]), False
            )
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        _write(pair, key, builder.sign(ca_key, hashes.SHA256()))
        return pair

    def signing_key(self, name: str) -> Pair:
        """A key pair for signing tokens; the certificate file holds the public key."""
        pair = Pair(self._directory / f"{name}.pub", self._directory / f"{name}.key")
        if not pair.certificate.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            private(pair.key, _pem(key))
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            private(pair.certificate, public)
        return pair


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common: str, *groups: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        + [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + YEARS)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write(pair: Pair, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    private(pair.key, _pem(key))
    private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
