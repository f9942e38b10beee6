"""Whether the External Secrets Operator is in the cluster, which version of its API is served, and how it gets there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from sandbox.doctor import callers
from sandbox.doctor.machine import Check
from sandbox.errors import SandboxError
from sandbox.inspection.resources import StackResources
from sandbox.state import State
from sandbox.status import is_healthy, services

GROUP = "external-secrets.io"
VERSION = "v1"
"""Of the operator's API, in which the program writes its objects; 0.16 is the first that serves it."""
_NAME = "External Secrets"
_INSTALL = (
    "`helm install external-secrets external-secrets/external-secrets --namespace external-secrets "
    "--create-namespace` (https://external-secrets.io, Getting started)"
)


def examine_operator(
    state: State, resources: StackResources, *, own: bool, installs: bool
) -> Iterator[Check]:
    """One check of a stack whose secrets the operator brings; asks the sandbox's cluster, or the caller's own.

    Args:
        state: the sandbox's state.
        resources: the stack's resources.
        own: whether the caller's own cluster is asked.
        installs: whether the stack itself installs the operator.
    """
    if not any(r.type.startswith(f"kubernetes:{GROUP}/") for r in resources.resources):
        return
    plane, *_, operator = services(state)
    kubeconfig: Path | None = None if own else plane.kubeconfig
    if not own and not is_healthy(plane):
        yield Check(_NAME, "not asked, the cluster does not run", None)
        return
    try:
        versions = callers.api_versions(GROUP, kubeconfig)
        controllers = callers.operator_deployments(kubeconfig) if own and versions else {}
    except SandboxError as error:
        yield Check(_NAME, f"could not be asked. {error}", None)
        return
    if not own and VERSION in versions:
        runs = is_healthy(operator)
        words = "runs" if runs else "does not run; `up` starts it"
        yield Check(
            _NAME, f"the cluster serves {VERSION}; the sandbox's operator {words}", runs or None
        )
        return
    yield judge(versions, controllers, installs=installs)


def judge(
    versions: Collection[str], controllers: dict[str, bool] | None, *, installs: bool
) -> Check:
    """What a cluster has of the operator, and what is to be done.

    Args:
        versions: of its API that the cluster serves.
        controllers: its Deployments, `namespace/name` to whether one of its pods is ready; None: may not be listed.
        installs: whether the stack itself installs the operator.
    """
    if not versions and installs:
        return Check(_NAME, "not there; this stack installs it (kestra:store.install)", None)
    if not versions:
        remedy = f"Install it: {_INSTALL}; or set kestra:store.install to true."
        return Check(_NAME, f"missing: the cluster serves no {GROUP}", False, remedy)
    served = ", ".join(sorted(versions))
    if VERSION not in versions:
        remedy = (
            f"Upgrade the operator to 0.16 or later, the first that serves {VERSION}; objects of {served} that others "
            "wrote stay as they are."
        )
        text = f"the cluster serves {served} only, and this stack's objects are of {VERSION}"
        return Check(_NAME, text, False, remedy)
    if controllers is None:
        return Check(_NAME, f"the cluster serves {served}; its pods may not be listed", True)
    if not controllers:
        text = f"the cluster serves {served}, and no Deployment of the operator is labelled as its chart does"
        return Check(_NAME, f"{text}; without it nothing becomes ready", None)
    if ready := [name for name, is_ready in controllers.items() if is_ready]:
        return Check(_NAME, f"the cluster serves {served}; {', '.join(ready)} runs", True)
    name = next(iter(controllers))
    namespace, _, deployment = name.partition("/")
    return Check(
        _NAME,
        f"the cluster serves {served}, and no pod of {name} is ready",
        False,
        f"See why: `kubectl --namespace {namespace} describe deployment {deployment}`.",
    )
