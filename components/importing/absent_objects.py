"""Secrets and ConfigMaps that the pods refer to and that no input holds: the cluster must have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .assembly import Assembly
from .installation import Origin
from .kubernetes_objects import FILES, REFERENCES, Objects, Source, dig, listed
from .workloads import Workload

_KEYS: tuple[tuple[str, Source], ...] = (
    ("configMapKeyRef", "ConfigMap"),
    ("secretKeyRef", "Secret"),
)
#: Beginnings of variables whose references are not carried: other notes name their objects.
_NOT_CARRIED = ("SECRET_", "STACK_", "KESTRA_CONFIGURATION", "MICRONAUT_CONFIG_FILES")
#: Objects of operators to where the name of the Secret that they make stands.
_MAKERS = {
    "ExternalSecret": ("spec", "target", "name"),
    "SealedSecret": ("metadata", "name"),
    "Certificate": ("spec", "secretName"),
    "VaultStaticSecret": ("spec", "destination", "name"),
    "VaultDynamicSecret": ("spec", "destination", "name"),
    "OnePasswordItem": ("metadata", "name"),
    "BitwardenSecret": ("spec", "secretName"),
    "InfisicalSecret": ("spec", "managedSecretReference", "secretName"),
}


def note_absent(workloads: Sequence[Workload], objects: Objects, assembly: Assembly) -> None:
    """Notes each object that pods need, and that neither is among the inputs nor made by one of them.

    Args:
        workloads: with those volumes alone that are carried.
        objects: of the inputs.
        assembly: where the notes go.
    """
    generated = set(_generated_names(objects))
    parts: dict[tuple[Source, str], dict[str, None]] = {}
    origins: list[Origin] = []
    for workload in workloads:
        for source, name, part in _references(workload):
            is_generated = source == "Secret" and name in generated
            if objects.entries(source, name) is None and not is_generated:
                parts.setdefault((source, name), {})[part] = None
                origins.append(workload.origin(part))
    if not parts:
        return
    names = [f"{source} {name} ({', '.join(where)})" for (source, name), where in parts.items()]
    assembly.note(
        "changed",
        ", ".join(names),
        "pods refer to it, and no input holds it: the references are carried, and pods do not start where the stack's "
        "namespace has no such object",
        "look for each with kubectl get secret,configmap; given as further inputs (-o yaml), their keys are read too",
        origins[0] if len(set(origins)) == 1 else None,
    )


def _generated_names(objects: Objects) -> Iterator[str]:
    for item in objects.of(*_MAKERS):
        name = item.get(*_MAKERS[item.kind])
        yield name if isinstance(name, str) else item.name
    for item in objects.of("Cluster"):
        if str(item.get("apiVersion")).startswith("postgresql.cnpg.io"):
            yield from (f"{item.name}-app", f"{item.name}-superuser")


def _references(workload: Workload) -> Iterator[tuple[Source, str, str]]:
    """Kind and name of each object, and the part of the pod that names it; optional ones are left out."""
    yield from _of_container(workload.container)
    for part in ("initContainers", "containers"):
        for container in listed(workload.pod, part):
            if isinstance(container, Mapping):
                for source, name, _ in _of_container(container):
                    yield source, name, part
    for volume in listed(workload.pod, "volumes"):
        for part in (volume, *listed(volume, "projected", "sources")):
            for field_name, source in FILES:
                yield from _named(dig(part, field_name), source, "volumes", "secretName", "name")


def _of_container(container: Mapping[str, Any]) -> Iterator[tuple[Source, str, str]]:
    for entry in listed(container, "envFrom"):
        if str(dig(entry, "prefix") or "").startswith(_NOT_CARRIED):
            continue
        for field_name, source in REFERENCES:
            yield from _named(dig(entry, field_name), source, "envFrom", "name")
    for entry in listed(container, "env"):
        if str(dig(entry, "name")).startswith(_NOT_CARRIED):
            continue
        for field_name, source in _KEYS:
            yield from _named(dig(entry, "valueFrom", field_name), source, "env", "name")


def _named(
    block: Any, source: Source, part: str, *fields: str
) -> Iterator[tuple[Source, str, str]]:
    name = next((dig(block, f) for f in fields if isinstance(dig(block, f), str)), None)
    if name and dig(block, "optional") is not True:
        yield source, name, part
