"""Pod Security `restricted`, asked of the containers and volumes that the settings add.

Source: Kubernetes documentation, Pod Security Standards; `pod-security-admission` of Kubernetes 1.34. The namespace
enforces it: the API server would refuse the pods, and the Deployment would wait for them without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.pods import Object, containers
from ...settings.workloads import places
from ..schema import Loc

ALLOWED_VOLUMES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
)  # fmt: skip
_RULE = "Pod Security `restricted`, which the namespace enforces, {}"
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_HANDLERS = (
    "livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop",
)  # fmt: skip


def check(s: Settings) -> Iterator[Finding]:
    """What the API server would refuse of the pods."""
    for loc, pod in places(s):
        for i, volume in enumerate(pod.extra_volumes):
            yield from _volume(volume, (*loc, "extra-volumes", i))
        yield from _propagation(pod.extra_volume_mounts, (*loc, "extra-volume-mounts"))
        for name, i, container in containers(pod):
            yield from _container(container, (*loc, name, i))
            mounts = container.get("volumeMounts") or ()
            yield from _propagation(mounts, (*loc, name, i, "volumeMounts"))


def _propagation(mounts: Iterable[Object], loc: Loc) -> Iterator[Finding]:
    for i, mount in enumerate(mounts):
        if mount.get("mountPropagation") == "Bidirectional":
            yield Finding(
                (*loc, i, "mountPropagation"),
                "is not allowed",
                "only a privileged container may hand mounts on, and none may be privileged",
                "remove it",
            )


def _volume(volume: Object, loc: Loc) -> Iterator[Finding]:
    for kind in volume:
        if kind != "name" and kind not in ALLOWED_VOLUMES:
            yield Finding(
                (*loc, kind),
                "is a kind of volume that the pods may not have",
                _RULE.format(f"allows {', '.join(ALLOWED_VOLUMES)}"),
                "claim a PersistentVolumeClaim for it, and name it under persistentVolumeClaim",
            )
    for path, mode in secret_modes(volume):
        if mode & 0o007:
            yield Finding(
                (*loc, *path),
                f"lets every user of the pod read the files of a Secret ({mode:04o})",
                "Kestra reads them as the pod's group, for which 0440 is enough",
                "remove it, or write 0440",
                warning=True,
            )


def secret_modes(volume: Object) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Place and mode of every mode that files of a Secret get in a volume."""
    secret, projected = _block(volume, "secret"), _block(volume, "projected")
    sources = [
        (("projected", "sources", i, "secret"), source["secret"])
        for i, source in enumerate(projected.get("sources") or ())
        if isinstance(source, dict) and source.get("secret")
    ]
    if "defaultMode" in secret:
        yield ("secret", "defaultMode"), secret["defaultMode"]
    if sources and "defaultMode" in projected:
        yield ("projected", "defaultMode"), projected["defaultMode"]
    for path, block in [(("secret",), secret), *sources]:
        for i, item in enumerate(block.get("items") or ()):
            if "mode" in item:
                yield (*path, "items", i, "mode"), item["mode"]


def _block(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _container(container: Object, loc: Loc) -> Iterator[Finding]:
    context = _block(container, "securityContext")
    at = (*loc, "securityContext")
    capabilities = _block(context, "capabilities")
    drops = capabilities.get("drop")
    added = [c for c in capabilities.get("add") or () if c != "NET_BIND_SERVICE"]
    selinux = _block(context, "seLinuxOptions")
    wrong: list[tuple[tuple[str | int, ...], bool, str, str]] = [
        (("privileged",), context.get("privileged") is True, "allows no privileged container", "remove it"),
        (
            ("allowPrivilegeEscalation",),
            context.get("allowPrivilegeEscalation") is True,
            "asks for allowPrivilegeEscalation: false",
            "remove it",
        ),
        (("runAsNonRoot",), context.get("runAsNonRoot") is False, "asks for runAsNonRoot: true", "remove it"),
        (("runAsUser",), context.get("runAsUser") == 0, "allows no user 0", "write another user, or remove it"),
        (
            ("capabilities", "drop"),
            drops is not None and "ALL" not in drops,
            "asks for drop: [ALL]",
            "write [ALL], or remove it",
        ),
        (("capabilities", "add"), bool(added), "allows NET_BIND_SERVICE alone to be added", "remove the others"),
        (
            ("seccompProfile", "type"),
            _block(context, "seccompProfile").get("type") == "Unconfined",
            "asks for RuntimeDefault or Localhost",
            "remove it",
        ),
        (
            ("appArmorProfile", "type"),
            _block(context, "appArmorProfile").get("type") == "Unconfined",
            "asks for RuntimeDefault or Localhost",
            "remove it",
        ),
        (("procMount",), context.get("procMount") == "Unmasked", "asks for the default /proc", "remove it"),
        (
            ("seLinuxOptions",),
            bool(selinux.get("user") or selinux.get("role"))
            or selinux.get("type", "") not in _SELINUX_TYPES,
            "allows no SELinux user or role, and few types",
            "remove it",
        ),
        (
            ("windowsOptions", "hostProcess"),
            _block(context, "windowsOptions").get("hostProcess") is True,
            "allows no process of the node",
            "remove it",
        ),
    ]  # fmt: skip
    for path, is_wrong, rule, fix in wrong:
        if is_wrong:
            yield Finding((*at, *path), "is not allowed", _RULE.format(rule), fix)
    for i, port in enumerate(container.get("ports") or ()):
        for name in ("hostPort", "hostIP"):
            if port.get(name):
                rule = _RULE.format("gives pods no port of their node")
                yield Finding((*loc, "ports", i, name), "is not allowed", rule, "remove it")
    yield from _hosts(container, loc)


def _hosts(container: Object, loc: Loc) -> Iterator[Finding]:
    """Probes and hooks of other hosts than the pod itself."""
    for name in _HANDLERS:
        *outer, last = name.split(".")
        block = _block(container, outer[0]) if outer else container
        for kind in ("httpGet", "tcpSocket"):
            host = _block(_block(block, last), kind).get("host")
            if host and host not in ("127.0.0.1", "::1"):
                yield Finding(
                    (*loc, *outer, last, kind, "host"),
                    "is not allowed",
                    _RULE.format("lets a probe ask the pod itself"),
                    "remove it",
                )
