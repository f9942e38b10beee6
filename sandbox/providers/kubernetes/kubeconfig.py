"""Which API server, and as whom: the kubeconfig, read as kubectl reads it."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ConfigurationError(Exception):
    """The kubeconfig is missing or cannot be used; the text says why, without credentials."""


@dataclass(frozen=True)
class Access:
    """An API server and the credentials for it."""

    server: str
    namespace: str
    tls: ssl.SSLContext | None = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    tls_server_name: str = ""


def _from_files(text: str) -> list[tuple[dict[str, Any], Path]]:
    documents = []
    for name in text.split(os.pathsep):
        path = Path(name).expanduser()
        if name and path.is_file():
            documents.append((_parse(path.read_text(encoding="utf-8")), path.parent))
    return documents


def _parse(text: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        # The parser's own message would quote the document, and that may hold a key.
        raise ConfigurationError("failed to parse kubeconfig: not valid YAML or JSON") from None
    if not isinstance(document, dict):
        raise ConfigurationError("failed to parse kubeconfig: not a kubeconfig document")
    return document


def _documents(config: str) -> list[tuple[dict[str, Any], Path]]:
    if config:
        if "\n" not in config and not config.lstrip().startswith("{"):
            documents = _from_files(config)
            if documents or ":" not in config.replace(os.pathsep + "/", ""):
                if not documents:
                    raise ConfigurationError(f'stat "{config}": no such file or directory')
                return documents
        return [(_parse(config), Path.cwd())]
    named = os.environ.get("KUBECONFIG", "")
    return _from_files(named) if named else _from_files(str(Path.home() / ".kube" / "config"))


def load(config: str = "", *, context: str = "", cluster: str = "") -> Access:
    """The access that a kubeconfig gives.

    Args:
        given: contents of a kubeconfig, or the path of one; empty: KUBECONFIG, else
            ``~/.kube/config``, else the service account of the pod that this runs in.
        context: the context to use (default: the current one).
        cluster: the cluster to use instead of the context's.

    Raises:
        ConfigurationError: when nothing usable is found.
    """
    documents = _documents(config)
    if not documents:
        if (IN_CLUSTER / "token").is_file():
            return _in_cluster()
        raise ConfigurationError(
            "unable to load Kubernetes client configuration from kubeconfig file. Make sure you "
            "have: \n\n \t• set up the provider as per "
            "https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ \n\n "
            "invalid configuration: no configuration has been provided, try setting "
            "KUBERNETES_MASTER environment variable"
        )
    current = context or next(
        (d["current-context"] for d, _ in documents if d.get("current-context")), ""
    )
    chosen, _ = _find(documents, "contexts", "context", current)
    user, user_directory = _find(documents, "users", "user", str(chosen.get("user", "")))
    name = cluster or str(chosen.get("cluster", ""))
    target, directory = _find(documents, "clusters", "cluster", name)
    server = target.get("server")
    if not isinstance(server, str) or not server:
        raise ConfigurationError(f'invalid configuration: cluster "{name}" has no server')
    for unsupported in ("exec", "auth-provider"):
        if unsupported in user:
            raise ConfigurationError(
                f"the kubeconfig's user authenticates with {unsupported!r}, which this plugin "
                "does not run: use a client certificate or a token"
            )
    return Access(
        server=server.rstrip("/"),
        namespace=str(chosen.get("namespace") or "default"),
        tls=_tls(target, directory, user, user_directory) if server.startswith("https") else None,
        headers=_headers(user, user_directory),
        tls_server_name=str(target.get("tls-server-name") or ""),
    )


def _find(
    documents: list[tuple[dict[str, Any], Path]], plural: str, singular: str, name: str
) -> tuple[dict[str, Any], Path]:
    for document, directory in documents:
        for entry in document.get(plural) or []:
            if entry.get("name") == name:
                return entry.get(singular) or {}, directory
    if not name and singular == "user":
        return {}, Path.cwd()
    raise ConfigurationError(f'invalid configuration: {singular} "{name}" does not exist')


def _bytes(entry: dict[str, Any], key: str, directory: Path) -> bytes:
    data = entry.get(f"{key}-data")
    if data:
        return base64.b64decode(data)
    name = entry.get(key)
    if not name:
        return b""
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{key} {name}: {error.strerror}") from None


def _tls(
    target: dict[str, Any], directory: Path, user: dict[str, Any], user_directory: Path
) -> ssl.SSLContext:
    authority = _bytes(target, "certificate-authority", directory)
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if target.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate = _bytes(user, "client-certificate", user_directory)
    key = _bytes(user, "client-key", user_directory)
    if certificate and key:
        # The ssl module reads key pairs from files only.
        with tempfile.NamedTemporaryFile(suffix=".pem") as pair:
            pair.write(certificate + b"\n" + key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def _headers(user: dict[str, Any], directory: Path) -> dict[str, str]:
    token = user.get("token")
    if not token and user.get("tokenFile"):
        token = (directory / str(user["tokenFile"])).read_text(encoding="utf-8").strip()
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    return {}


def _in_cluster() -> Access:
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    token = (IN_CLUSTER / "token").read_text(encoding="utf-8").strip()
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=(IN_CLUSTER / "namespace").read_text(encoding="utf-8").strip() or "default",
        tls=ssl.create_default_context(cafile=str(IN_CLUSTER / "ca.crt")),
        headers={"Authorization": f"Bearer {token}"},
    )
