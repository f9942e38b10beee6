"""Files that the settings name: certificates, key stores, key tabs. Kestra finds those of its image and its volumes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from ...settings.base import TextInClear
from ...settings.extra_variables import literal
from ...settings.findings import Finding
from ...settings.java import READ_BY_JAVA, VARIABLE
from ...settings.model import Settings
from ...settings.pods import PodSettings
from ...settings.workloads import Workload
from ..schema import Loc
from .pods import own_mounts
from .values import leaves

#: First-level settings that are no configuration of Kestra's.
_NOT_READ = (
    "declared-secrets", "deployment", "identity", "rotation", "storage-bucket", "store", "tags",
)  # fmt: skip
#: What a worker of 2.0 does not read, since it talks to the controller alone.
_NOT_OF_WORKERS = ("datasources", "elasticsearch", "kafka", "queue", "repository")
#: What a few of the server components read alone.
#: Source: Kestra documentation, enterprise-and-advanced (gRPC TLS/mTLS) and worker groups (declarative configuration).
_OF_SERVERS: Mapping[Loc, tuple[str, ...]] = {
    ("grpc", "tls"): ("controller", "worker", "standalone"),
    ("ee", "setup"): ("webserver", "standalone"),
}
#: Folders and files of Kestra's image, and what Kubernetes or a cloud mounts by itself.
_PROVIDED = (
    "/app/kestra", "/app/plugins/", "/bin/", "/dev/", "/etc/hosts", "/etc/pki/", "/etc/resolv.conf", "/etc/ssl/",
    "/lib/", "/opt/java/", "/proc/", "/run/secrets/kubernetes.io/", "/sys/", "/usr/", "/var/run/secrets/azure/",
    "/var/run/secrets/eks.amazonaws.com/", "/var/run/secrets/kubernetes.io/", "/var/run/secrets/pods.eks.amazonaws.com/",
)  # fmt: skip

_OPTIONS = ("java-options", "KESTRA_JAVA_OPTS", VARIABLE, *READ_BY_JAVA)

_PATH = r"(?:file:(?://)?)?(?P<path>/[^\s\"'`,;:?&*<>|${}()\\]+)"
_WHOLE = re.compile(_PATH)
#: `?sslrootcert=/a/ca.crt`, `&trustCertificateKeyStoreUrl=file:/a/b.jks`, `;trustStore=/a`.
_OF_ADDRESS = re.compile(rf"[?&;]\s*(?P<name>[\w.-]+)={_PATH}")
#: `keyTab="/a/kestra.keytab"` of JAAS, `-Djavax.net.ssl.trustStore=/a` of Java.
_OF_OPTION = re.compile(rf"""\b(?P<name>[\w.-]+)\s*=\s*["']?{_PATH}""")
#: Names of secrets, whose values may begin like a path; those of a file with one end otherwise.
_SECRET = re.compile(r"(?i)(pass|pwd|secret|token|credential)(?!.*(file|path|location|store)$)")
#: Keys of paths that are asked for over HTTP.
_OF_ADDRESSES = re.compile(r"(?i)(^|[.-])(urls?|uris?|patterns?|routes?)$")
_FILE = re.compile(
    r"(?i).*\.(p12|pfx|jks|jceks|bcfks|keystore|truststore|pem|crt|cer|cert|key|pk8|der|p7b|keytab|json|conf|cfg|cnf|ini"
    r"|properties|xml|ya?ml|lic|license|token|jwt|so|jar)"
)
_KEY_OF_FILE = re.compile(
    r"(?i)(^|[.-])((key|trust)-?stores?|certs?|certificates?|certificate-?chain|ca|cacerts|key-?tab|pem)"
    r"([.-]?(location|path|file|url))?$|(^|[.-])(location|file|filename)$|tmp-dir\.path$|credentials-path$"
)
#: Folders in which Kestra writes.
_WRITTEN = re.compile(r"tmp-dir\.path$")


def check(s: Settings) -> Iterator[Finding]:
    """Each value that names files which pods lack."""
    own = own_mounts(s)
    for loc, key, text, workloads in _texts(s):
        lacking: dict[str, list[str]] = {}
        for path in dict.fromkeys(paths(key, text)) if "/" in text else ():
            names = [w.name for w in workloads if not _is_mounted(path, w, own)]
            if names:
                lacking[path] = names
        if lacking:
            everywhere = all(len(names) == len(workloads) for names in lacking.values())
            who = sorted({name for names in lacking.values() for name in names})
            yield Finding(
                loc,
                f"names {' and '.join(lacking)}, which no volume of "
                + ("the pods holds" if everywhere else f"{', '.join(who)} holds"),
                "Kestra's container has the files of its image and those of its volumes",
                f"mount {'an emptyDir' if _WRITTEN.search(key) else 'the Secret or the ConfigMap that has it'} with "
                "kestra:deployment.extra-volumes and kestra:deployment.extra-volume-mounts (docs/pods.md)",
                warning=True,
            )


def paths(key: str, text: str) -> Iterator[str]:
    """The files that a value names.

    Args:
        key: the last keys of the value, or the name of the variable, which say what it means.
        text: the value, in clear.
    """
    if text.startswith("jdbc:"):
        matches = _OF_ADDRESS.finditer(text)
    elif match := _WHOLE.fullmatch(text):
        if _names_file(key, text, match["path"]) and not _SECRET.search(key):
            yield posixpath.normpath(unquote(match["path"]))
        return
    elif key in _OPTIONS or "LoginModule" in text:
        matches = _OF_OPTION.finditer(text)
    else:
        return
    for match in matches:
        if not _SECRET.search(match["name"]):
            yield posixpath.normpath(unquote(match["path"]))


def _names_file(key: str, text: str, path: str) -> bool:
    if text.startswith("file:") or _KEY_OF_FILE.search(key):
        return True
    return _FILE.fullmatch(path) is not None and not _OF_ADDRESSES.search(key)


def _is_mounted(path: str, workload: Workload, own: dict[str, str]) -> bool:
    folders = [
        *own,
        *(m["mountPath"] for m in workload.pod.extra_volume_mounts if m.get("mountPath")),
    ]
    return path.startswith(_PROVIDED) or any(
        f"{path}/".startswith(f"{posixpath.normpath(folder).rstrip('/')}/") for folder in folders
    )


def _texts(s: Settings) -> Iterator[tuple[Loc, str, str, list[Workload]]]:
    """Place, key and text of every value in clear that Kestra reads, with the Deployments whose containers read it."""
    everyone = list(s.workloads)
    without_workers = [w for w in everyone if s.version == "1.3" or w.server != "worker"]
    for loc, value in leaves(s):
        text = value.get_secret_value() if isinstance(value, TextInClear) else value
        if isinstance(text, str) and loc[0] not in _NOT_READ:
            readers = without_workers if loc[0] in _NOT_OF_WORKERS else everyone
            if (servers := _OF_SERVERS.get(loc[:2])) is not None:
                readers = [w for w in everyone if w.server in servers]
            yield loc, ".".join(part for part in loc[-2:] if isinstance(part, str)), text, readers
    for name, value in s.deployment.plain_environment.items():
        yield ("deployment", "environment", name), _variable_key(name), value, everyone
    yield from _of_pod(s.deployment, ("deployment",), everyone)
    for workload in everyone:
        if options := workload.component.java_options:
            yield (*workload.loc, "java-options"), "java-options", options, [workload]
        yield from _of_pod(workload.component, workload.loc, [workload])


def _of_pod(
    pod: PodSettings, loc: Loc, readers: list[Workload]
) -> Iterator[tuple[Loc, str, str, list[Workload]]]:
    for i, variable in enumerate(pod.extra_env):
        if text := literal(variable):
            key = _variable_key(str(variable.get("name")))
            yield (*loc, "extra-env", i, "value"), key, text, readers


def _variable_key(name: str) -> str:
    return name if name in _OPTIONS else name.lower().replace("_", "-")
