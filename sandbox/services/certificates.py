"""The certificates of the sandbox's control plane (by trustme), made once and kept beside its data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trustme import CA

from sandbox.services.process import private


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
            ca = CA(organization_name="kestra-sandbox")
            private(self.pair.key, ca.private_key_pem.bytes())
            private(self.pair.certificate, ca.cert_pem.bytes())

    def issue(self, name: str, common: str, group: str = "", hosts: tuple[str, ...] = ()) -> Pair:
        """A certificate for a client, or for a server with its hosts.

        Args:
            name: of its files.
            common: the user's name to Kubernetes.
            group: the user's group to Kubernetes.
            hosts: names and addresses of the server.
        """
        pair = Pair(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        if not pair.certificate.exists():
            ca = CA.from_pem(self.pair.certificate.read_bytes(), self.pair.key.read_bytes())
            leaf = ca.issue_cert(
                # Kubernetes takes no certificate without any.
                *(hosts or (f"{name}.invalid",)),
                common_name=common,
                # It would be trustme's own name, and a group in Kubernetes, otherwise.
                organization_name=group or common,
            )
            private(pair.key, leaf.private_key_pem.bytes())
            private(pair.certificate, leaf.cert_chain_pems[0].bytes())
        return pair

    def signing_key(self, name: str) -> Path:
        """A private key for signing tokens, from which Kubernetes also takes the public one."""
        file = self._directory / f"{name}.key"
        return file if file.exists() else private(file, CA().private_key_pem.bytes())
