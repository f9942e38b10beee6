"""A stack in the namespace of a running Helm release: what becomes of each of the release's objects.

A stack does not take an object over unless it is imported; an object that another owner made with the same kind and
name stops the first update at it (`components/safeguards/name_conflicts.py` prints the way out then). Nothing of the release is deleted
by the stack: what it does not know, it leaves alone.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..kubernetes.monitoring import monitor_kind
from ..kubernetes.pods import STORAGE_CLAIM, stores_locally
from ..kubernetes.scaling import autoscaling_of, budget_of
from ..rendering.sections import CONTROLLER_SERVICE
from ..settings import Settings
from ..settings.workloads import group_accounts
from ..validation.schema import KeySpelling, validate

Fate = Literal["adopted", "replaced", "stays"]

#: Kinds of the release's own Kestra: they run it, or act on what runs it.
_RUNNING = ("Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget")
#: Kinds that are taken over, since others refer to them or they hold data; others of the same name are made anew.
_ADOPTED = ("Namespace", "ServiceAccount", "PersistentVolumeClaim")
#: Kinds that hold data, or that a database of the release needs.
_DATA = ("PersistentVolumeClaim", "PersistentVolume", "Secret", "StatefulSet")


@dataclass(frozen=True, order=True)
class KubernetesObject:
    """An object by what tells it from others of its namespace."""

    kind: str
    name: str


@dataclass(frozen=True, order=True)
class Step:
    """What becomes of an object of the release."""

    fate: Fate
    object: KubernetesObject
    why: str
    command: str = ""

    def line(self) -> str:
        """One line of the plan."""
        end = f": {self.command}" if self.command else ""
        return f"{self.object.kind} {self.object.name} {'is ' if self.fate != 'stays' else ''}{self.fate}: {self.why}{end}"


def plan(
    release: Iterable[KubernetesObject],
    inventory: Collection[KubernetesObject],
    *,
    namespace: str,
    stack: str = "STACK",
    database: str = "",
) -> list[Step]:
    """What becomes of each object of a release when a stack comes up in its namespace.

    Args:
        release: the objects that the chart made.
        inventory: the objects with names of their own that the program makes (`inventory_of`).
        namespace: of both.
        stack: its name, for the commands.
        database: host of the database, where it is known.

    Returns:
        Adopted, replaced, and what stays, each in the order of kinds and names.
    """
    names = {(item.kind, item.name) for item in inventory}
    steps: list[Step] = []
    for item in sorted(set(release)):
        delete = f"kubectl -n {namespace} delete {item.kind.lower()} {item.name} --ignore-not-found"
        is_taken = (item.kind, item.name) in names
        if is_taken and item.kind in _ADOPTED:
            steps.append(Step("adopted", item, *_adoption(item, namespace, stack)))
        elif is_taken or item.kind in _RUNNING:
            why = (
                "the stack makes one of this name, with another selector or content"
                if is_taken
                else "the stack runs Kestra in pods of its own, and two installations must not share a database"
            )
            steps.append(
                Step("replaced", item, f"{why}; delete it right before `pulumi up`", delete)
            )
        elif item.kind in _DATA:
            steps.append(Step("stays", item, _data(item, database)))
        else:
            steps.append(
                Step(
                    "stays",
                    item,
                    "no resource of the stack; remove it when the new one has run for a while",
                )
            )
    return steps


def _adoption(item: KubernetesObject, namespace: str, stack: str) -> tuple[str, str]:
    if item.kind == "Namespace":
        return (
            "it holds what stays; keep its owner",
            "set kestra:deployment.create-namespace to false",
        )
    parent = f"urn:pulumi:{stack}::kestra::kestra:kestra:Kestra::kestra"
    logical = "kestra-service-account" if item.kind == "ServiceAccount" else item.name
    return (
        "the stack has one of this kind and name. Take Helm's labels off; the first `pulumi up` stops at it, then import",
        f"kubectl -n {namespace} label {item.kind.lower()} {item.name} app.kubernetes.io/managed-by-"
        f" app.kubernetes.io/instance-; pulumi import kubernetes:core/v1:{item.kind} {logical} {namespace}/{item.name}"
        f" --parent 'kestra={parent}' --protect=false --generate-code=false --yes",
    )


def _data(item: KubernetesObject, database: str) -> str:
    what = {
        "Secret": "the stack makes a Secret of its own; pods and the database may still read this one",
        "StatefulSet": "a database or a broker; the stack uses it where its address says so",
    }.get(item.kind, "it holds data, and no resource of the stack is bound to it")
    return f"{what}{f' (database {database})' if database and item.kind == 'StatefulSet' else ''}"


def inventory_of(settings: Settings) -> list[KubernetesObject]:
    """The objects whose names the program chooses itself; ConfigMap and Secret get generated names."""
    deployment, account = settings.deployment, settings.identity.service_account
    items = {
        ("ServiceAccount", account.name),
        *(("ServiceAccount", name) for name, _ in group_accounts(settings).values()),
        ("Service", "kestra-web"),
        ("Service", "kestra-management"),
    }
    if settings.uses_external_secrets:
        items.add(("ServiceAccount", settings.store_account))
    if deployment.create_namespace:
        items.add(("Namespace", deployment.namespace))
    if "controller" in settings.components:
        items.add(("Service", CONTROLLER_SERVICE))
    if deployment.ingress is not None:
        items.add(("Ingress", "kestra"))
    if deployment.http_route is not None:
        items.add(("HTTPRoute", "kestra"))
    if deployment.monitoring is not None:
        items.add((monitor_kind(deployment.monitoring), "kestra"))
    volume = deployment.storage_volume
    if volume is not None and not volume.existing_claim and stores_locally(settings):
        items.add(("PersistentVolumeClaim", STORAGE_CLAIM))
    for workload in settings.workloads:
        name, component = f"kestra-{workload.name}", workload.component
        items.add(("Deployment", name))
        if autoscaling_of(deployment, component) is not None:
            items.add(("HorizontalPodAutoscaler", name))
        if budget_of(deployment, component) is not None:
            items.add(("PodDisruptionBudget", name))
    return sorted(KubernetesObject(*item) for item in items)


def as_far_as_valid(document: Mapping[str, object]) -> Settings:
    """The parts of settings that name objects, where other settings are still to be set.

    Args:
        document: first-level setting to value; valid or not.
    """
    deployment = document.get("deployment")
    block = {**deployment} if isinstance(deployment, Mapping) else {}
    if isinstance(ingress := block.get("ingress"), Mapping):
        block["ingress"] = {"tls-secret": "to-be-set", **ingress}
    data = {
        "version": document.get("version", "1.3"),
        "deployment": block,
        "identity": document.get("identity", {}),
    }
    return validate(copy.deepcopy(data), KeySpelling())[0]


def release_objects(
    settings: Settings, release: str = "kestra", account: str | None = "kestra"
) -> list[KubernetesObject]:
    """The objects that the official chart makes for what the settings were imported from.

    Args:
        settings: imported from the values of a release.
        release: the chart's full name: that of the release where it holds `kestra`, else `<release>-kestra`.
        account: the service account that the release makes; None: it makes none.
    """
    items = [
        ("ConfigMap", f"{release}-config"),
        ("Service", release),
        *(("Deployment", f"{release}-{name}") for name in settings.components),
    ]
    if account is not None:
        items.append(("ServiceAccount", account))
    if settings.deployment.ingress is not None:
        items.append(("Ingress", release))
    return sorted(KubernetesObject(*item) for item in items)
