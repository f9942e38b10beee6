"""Ingress and HTTPRoute of an installation."""

from __future__ import annotations

from collections.abc import Sequence

from .assembly import Assembly
from .kubernetes_objects import KubernetesObject, Objects, dig, listed
from .workloads import annotation_texts, sourced

_CLASS = "kubernetes.io/ingress.class"
_TLS = "pulumi config set --path kestra:deployment.ingress.tls-secret <name of the Secret>"


def add_ingress(objects: Objects, services: Sequence[KubernetesObject], assembly: Assembly) -> None:
    names = {service.name for service in services}
    every = objects.of("Ingress")
    own = [item for item in every if item.label or not names or _backends(item) & names]
    for item in every:
        if item not in own or item is not own[0]:
            assembly.note(
                "not carried",
                item.title,
                "the stack makes one Ingress, for Kestra's web port",
                origin=item.origin(),
            )
    if not own:
        return
    item = own[0]
    hosts = [str(h) for h in (dig(r, "host") for r in item.sequence("spec", "rules")) if h]
    host = hosts[0] if hosts else ""
    if host:
        assembly.add_setting("deployment.ingress.host", host, item.origin("spec.rules"))
    else:
        assembly.note(
            "not carried",
            item.title,
            "no input says its host, and the stack's Ingress needs one",
            "pulumi config set --path kestra:deployment.ingress.host <host name>",
            item.origin("spec.rules"),
        )
    for other in hosts[1:]:
        assembly.note(
            "not carried",
            f"{item.title}: host {other}",
            f"the stack's Ingress has one host, {host}",
            "make a further Ingress beside the stack",
            item.origin("spec.rules"),
        )
    _note_paths(item, assembly)
    annotations = annotation_texts(
        item.mapping("metadata", "annotations"), item.origin("annotations"), assembly
    )
    class_name = item.get("spec", "ingressClassName") or annotations.get(_CLASS)
    if class_name:
        assembly.add_setting(
            "deployment.ingress.class-name", str(class_name), item.origin("spec.ingressClassName")
        )
    if _CLASS in annotations:
        same = annotations.pop(_CLASS) == class_name
        says = "says the same as" if same else "is replaced by"
        assembly.note(
            "changed",
            f"{item.title}: annotation {_CLASS}",
            f"{says} the class name of the Ingress (kestra:deployment.ingress.class-name); left out",
            origin=item.origin("annotations"),
        )
    if annotations:
        origin = item.origin("annotations")
        assembly.add_setting("deployment.ingress.annotations", sourced(annotations, origin), origin)
    _add_certificate(item, host, assembly)


def _backends(item: KubernetesObject) -> set[str]:
    names = {str(dig(item.get("spec"), "defaultBackend", "service", "name"))}
    for rule in item.sequence("spec", "rules"):
        for path in listed(rule, "http", "paths"):
            names.add(str(dig(path, "backend", "service", "name")))
            names.add(str(dig(path, "backend", "serviceName")))
    return names


def _note_paths(item: KubernetesObject, assembly: Assembly) -> None:
    for rule in item.sequence("spec", "rules")[:1]:
        for path in listed(rule, "http", "paths"):
            text = dig(path, "path")
            if isinstance(text, str) and text.rstrip("*/"):
                assembly.note(
                    "changed",
                    f"{item.title}: path {text}",
                    "the stack's Ingress leads / of its host to Kestra",
                    "serve Kestra at / of a host of its own, or see micronaut.server.context-path",
                    item.origin("spec.rules"),
                )


def _add_certificate(item: KubernetesObject, host: str, assembly: Assembly) -> None:
    secrets = [
        dig(entry, "secretName")
        for entry in item.sequence("spec", "tls")
        if not host or not dig(entry, "hosts") or host in listed(entry, "hosts")
    ]
    secret = next((name for name in secrets if isinstance(name, str) and name), None)
    if secret is not None:
        assembly.add_setting("deployment.ingress.tls-secret", secret, item.origin("spec.tls"))
        return
    why = "names no Secret for TLS" if secrets else "had no TLS"
    assembly.note(
        "changed",
        f"{item.title}: tls",
        f"the Ingress {why}; the stack's Ingress has TLS only, so a Secret with the certificate must be named (tls)",
        _TLS,
        item.origin("spec.tls"),
    )


def add_route(item: KubernetesObject, assembly: Assembly) -> None:
    hosts = item.sequence("spec", "hostnames")
    parent = next((p for p in item.sequence("spec", "parentRefs") if dig(p, "name")), None)
    if not hosts or parent is None:
        assembly.note(
            "not carried",
            item.title,
            "it names no host or no gateway",
            "set kestra:deployment.http-route",
            item.origin("spec"),
        )
        return
    at, origin = "deployment.http-route", item.origin("spec")
    assembly.add_setting(f"{at}.host", str(hosts[0]), origin)
    for key, name in (
        ("name", "name"),
        ("namespace", "namespace"),
        ("sectionName", "section-name"),
    ):
        if value := dig(parent, key):
            assembly.add_setting(f"{at}.gateway.{name}", str(value), origin)
    for other in hosts[1:]:
        why = f"the stack's route has one host, {hosts[0]}"
        assembly.note("not carried", f"{item.title}: host {other}", why, origin=origin)
