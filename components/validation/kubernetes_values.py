"""What the Kubernetes API's validation asks of fields besides their types.

Source: Kubernetes API reference, and `pkg/apis/core/validation` of Kubernetes 1.34.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

Problem = tuple[str, str, str]
"""What is wrong, the rule, the fix."""

QUANTITY = re.compile(r"[+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|[eE][+-]?[0-9]+)?")
NO_QUANTITY = ("is no quantity", "a quantity is a number with a unit, as 500m, 1Gi", "correct it")
NO_BLOCK = ("is not a block of keys", "this key takes a block of keys", "write keys under it")
#: Type to what it is called, and the fix.
KINDS = {
    "text": ("text", "write it in quotes"),
    "int": ("a whole number", "write a number"),
    "number": ("a number", "write a number"),
    "flag": ("true or false", "write true or false"),
    "int-or-text": ("a number or a text", "write one of them"),
    "quantity": ("a quantity", "write for example 500m or 1Gi"),
}

_ENUMS: dict[str, tuple[str, ...]] = {
    "AppArmorProfile.type": ("RuntimeDefault", "Localhost", "Unconfined"),
    "Container.imagePullPolicy": ("IfNotPresent", "Always", "Never"),
    "Container.restartPolicy": ("Always", "OnFailure", "Never"),
    "Container.terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
    "ContainerPort.protocol": ("TCP", "UDP", "SCTP"),
    "HTTPGetAction.scheme": ("HTTP", "HTTPS"),
    "LabelSelectorRequirement.operator": ("In", "NotIn", "Exists", "DoesNotExist"),
    "NodeSelectorRequirement.operator": ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
    "PersistentVolumeClaimSpec.volumeMode": ("Filesystem", "Block"),
    "SeccompProfile.type": ("RuntimeDefault", "Localhost", "Unconfined"),
    "SecurityContext.procMount": ("Default", "Unmasked"),
    "Toleration.effect": ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    "Toleration.operator": ("Exists", "Equal"),
    "TopologySpreadConstraint.nodeAffinityPolicy": ("Honor", "Ignore"),
    "TopologySpreadConstraint.nodeTaintsPolicy": ("Honor", "Ignore"),
    "TopologySpreadConstraint.whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    "VolumeMount.mountPropagation": ("None", "HostToContainer", "Bidirectional"),
    "VolumeMount.recursiveReadOnly": ("Disabled", "IfPossible", "Enabled"),
}
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_DNS_LABEL = (re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"), "lower-case letters, digits and -")
_SUBDOMAIN = (
    re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"),
    "the name of an object: lower-case letters, digits, - and .",
)
_VARIABLE = (re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), "letters, digits and _, no digit first")
_KEY = (re.compile(r"[-._A-Za-z0-9]{1,253}"), "letters, digits, -, _ and .")
_ABSOLUTE = (re.compile(r"/[^:\0]*"), "an absolute path without :")
_INSIDE = (
    re.compile(r"(?!/)(?!(.*/)?\.\.(/|$))[^\0]+"),
    "a relative path that does not leave the volume by ..",
)
_PATTERNS: dict[str, tuple[re.Pattern[str], str]] = {
    "ConfigMapEnvSource.name": _SUBDOMAIN,
    "ConfigMapKeySelector.key": _KEY,
    "ConfigMapKeySelector.name": _SUBDOMAIN,
    "ConfigMapProjection.name": _SUBDOMAIN,
    "ConfigMapVolumeSource.name": _SUBDOMAIN,
    "Container.name": _DNS_LABEL,
    "DownwardAPIVolumeFile.path": _INSIDE,
    "EnvFromSource.prefix": _VARIABLE,
    "EnvVar.name": _VARIABLE,
    "KeyToPath.key": _KEY,
    "KeyToPath.path": _INSIDE,
    "PersistentVolumeClaimVolumeSource.claimName": _SUBDOMAIN,
    "SecretEnvSource.name": _SUBDOMAIN,
    "SecretKeySelector.key": _KEY,
    "SecretKeySelector.name": _SUBDOMAIN,
    "SecretProjection.name": _SUBDOMAIN,
    "SecretVolumeSource.secretName": _SUBDOMAIN,
    "ServiceAccountTokenProjection.path": _INSIDE,
    "Volume.name": _DNS_LABEL,
    "VolumeMount.mountPath": _ABSOLUTE,
    "VolumeMount.name": _DNS_LABEL,
    "VolumeMount.subPath": _INSIDE,
    "Container.image": (re.compile(r"\S+"), "the address of an image"),
    "ContainerPort.name": (
        re.compile(r"(?=.*[a-z])[a-z0-9](-?[a-z0-9]){0,14}"),
        "at most 15 lower-case letters, digits and -",
    ),
    "EmptyDirVolumeSource.medium": (re.compile(r"|Memory|HugePages(-\w+)?"), "Memory or nothing"),
    "ObjectFieldSelector.fieldPath": (
        re.compile(
            r"metadata\.(name|namespace|uid|labels|annotations|(labels|annotations)\['[^']+'\])"
            r"|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?)"
        ),
        "a field of the pod, as metadata.name, spec.nodeName, status.podIP",
    ),
    "ResourceFieldSelector.resource": (
        re.compile(r"(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-\w+)"),
        "limits or requests of cpu, memory or ephemeral-storage, as limits.memory",
    ),
}
_MODE = (0, 0o777, "a mode from 0 to 0777, which is 511 in decimal")
_PORT = (1, 65535, "a port from 1 to 65535")
_RANGES: dict[str, tuple[int, int, str]] = {
    "ConfigMapVolumeSource.defaultMode": _MODE,
    "ContainerPort.containerPort": _PORT,
    "DownwardAPIVolumeFile.mode": _MODE,
    "DownwardAPIVolumeSource.defaultMode": _MODE,
    "HTTPGetAction.port": _PORT,
    "KeyToPath.mode": _MODE,
    "PreferredSchedulingTerm.weight": (1, 100, "a weight from 1 to 100"),
    "ProjectedVolumeSource.defaultMode": _MODE,
    "SecretVolumeSource.defaultMode": _MODE,
    "TCPSocketAction.port": _PORT,
    "TopologySpreadConstraint.maxSkew": (1, 2**31 - 1, "at least 1"),
    "WeightedPodAffinityTerm.weight": (1, 100, "a weight from 1 to 100"),
}
#: Fields that the API's validation requires although its schema does not.
_REQUIRED = {
    "ConfigMapEnvSource": ("name",),
    "ConfigMapKeySelector": ("name",),
    "ConfigMapProjection": ("name",),
    "ConfigMapVolumeSource": ("name",),
    "Container": ("image",),
    "SecretEnvSource": ("name",),
    "SecretKeySelector": ("name",),
    "SecretProjection": ("name",),
    "SecretVolumeSource": ("secretName",),
    "PersistentVolumeClaimSpec": ("accessModes", "resources"),
}
#: Types of which exactly one field is written, and those that do not count.
_EXACTLY_ONE: dict[str, tuple[str, ...]] = {
    "DownwardAPIVolumeFile": ("mode", "path"),
    "EnvFromSource": ("prefix",),
    "EnvVarSource": (),
    "LifecycleHandler": (),
    "Probe": (
        "failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold",
        "terminationGracePeriodSeconds", "timeoutSeconds",
    ),
    "Volume": ("name",),
    "VolumeProjection": (),
}  # fmt: skip


def required(type_: str, fields: Mapping[str, str]) -> Iterator[str]:
    """Names of the fields that an object of the type has."""
    yield from (name for name, inner in fields.items() if inner.endswith("!"))
    yield from _REQUIRED.get(type_, ())


def field_problem(type_: str, field: str, value: Any) -> Problem | None:
    """What is wrong with the value of a field, whose type is right."""
    name = f"{type_}.{field}"
    if name in _ENUMS and value not in _ENUMS[name]:
        allowed = " or ".join(_ENUMS[name])
        return (
            "is not an allowed value",
            f"one of {allowed}, spelled exactly so",
            "write one of them",
        )
    if name in _PATTERNS and not _PATTERNS[name][0].fullmatch(value):
        return ("has a form that is not allowed", f"it is {_PATTERNS[name][1]}", "correct it")
    # A port may be a name instead.
    if name in _RANGES:
        return _range_problem(value, *_RANGES[name])
    if name == "HostAlias.ip" and not _is_address(value):
        return (
            "is no IP address",
            "an entry of /etc/hosts begins with an IP address",
            "correct it",
        )
    if name == "PodDNSConfig.nameservers":
        if not all(map(_is_address, value)):
            return ("holds what is no IP address", "name servers are IP addresses", "correct it")
        if len(value) > 3:
            return ("has more than three", "a pod has at most three name servers", "shorten it")
    if name.endswith((".matchLabels", "ObjectMeta.labels")):
        return labels_problem(value)
    return None


def _range_problem(value: int | str, least: int, most: int, rule: str) -> Problem | None:
    if isinstance(value, str) or least <= value <= most:
        return None
    fix = "write an octal number, as 0440" if rule is _MODE[2] else "correct it"
    return ("is out of range", f"it is {rule}", fix)


def labels_problem(labels: Mapping[str, str]) -> Problem | None:
    """What is wrong with labels, as a whole."""
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            return (
                "holds what is no label",
                "key and value have at most 63 letters, digits, -, _ and ., with a letter or digit at both ends; "
                "a domain and / may stand before the key",
                "correct it",
            )
    return None


def is_label_key(key: str) -> bool:
    """Whether a text can be the key of a label, or of an annotation."""
    return _LABEL_KEY.fullmatch(key) is not None


def is_label_value(value: str) -> bool:
    """Whether a text can be the value of a label."""
    return _LABEL_VALUE.fullmatch(value) is not None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def relations(
    type_: str, fields: Collection[str], written: Collection[str], clean: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    """Where in an object, what is wrong, rule and fix, for what depends on several of its fields.

    Args:
        type_: of the object.
        fields: that the type has.
        written: that are there, valid or not.
        clean: that are there and valid, with their values.
    """
    if type_ in _EXACTLY_ONE:
        options = [name for name in fields if name not in _EXACTLY_ONE[type_]]
        chosen = [name for name in options if name in written]
        # A volume without a kind is an emptyDir.
        if len(chosen) > 1 or (not chosen and type_ != "Volume"):
            some = ", ".join(_USUAL.get(type_, options))
            what = f"has {' and '.join(chosen)}" if chosen else "has none of its kinds"
            fix = "keep one of them" if chosen else f"add one of {some}"
            yield (), what, f"a Kubernetes {type_} has exactly one of {some}", fix
    if type_ == "EnvVar" and {"value", "valueFrom"} <= set(written) and clean.get("value") != "":
        yield (
            ("valueFrom",),
            "stands beside value",
            "a variable has either value or valueFrom",
            "keep one of them",
        )
    if type_ == "Toleration":
        yield from _toleration(written, clean)
    if type_ in ("NodeSelectorRequirement", "LabelSelectorRequirement"):
        takes_values = clean.get("operator") in ("In", "NotIn", "Gt", "Lt")
        if clean.get("operator") and takes_values is not bool(clean.get("values")):
            yield (
                ("values",),
                "does not fit its operator",
                "In, NotIn, Gt and Lt have values, Exists and DoesNotExist have none",
                "correct one of the two",
            )


_USUAL = {
    "Volume": (
        "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
    ),
    "EnvVarSource": ("secretKeyRef", "configMapKeyRef", "fieldRef", "resourceFieldRef"),
}  # fmt: skip


def _toleration(
    written: Collection[str], clean: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    exists = clean.get("operator") == "Exists"
    if exists and clean.get("value"):
        yield (
            ("value",),
            "stands beside operator Exists",
            "Exists tolerates every value",
            "remove it",
        )
    if "operator" in written and "operator" not in clean:
        return
    if not exists and "key" not in written:
        yield (
            ("key",),
            "is missing",
            "a toleration without key has the operator Exists",
            "add it, or set operator to Exists",
        )
    if "tolerationSeconds" in clean and clean.get("effect") != "NoExecute":
        yield (
            ("tolerationSeconds",),
            "has no use",
            "it holds for the effect NoExecute alone",
            "remove it, or set effect to NoExecute",
        )
