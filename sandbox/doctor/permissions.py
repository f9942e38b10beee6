"""Asks who would deploy a stack what of it they may not do. Reads only.

By default the sandbox's own servers are asked. The caller's own clouds, cluster and Vault are asked only on request,
since nothing else in the sandbox uses the caller's credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from components.deployer_permissions import Need, needed, owners
from components.settings import Settings
from sandbox.doctor import callers
from sandbox.errors import SandboxError
from sandbox.inspection.resources import StackResources
from sandbox.state import State
from sandbox.status import is_healthy, services

_UNJUDGED: Mapping[str, str] = {
    "aws": "the sandbox's API server lets its owner do everything",
    "azure": "the sandbox has no server of it",
    "gcp": "the sandbox's API server judges nobody",
}
Asked = Callable[[Sequence[Need]], callers.CallerPermissions]


@dataclass(frozen=True)
class Answer:
    """What one cloud, cluster or Vault said."""

    owner: str
    headline: str
    lacking: tuple[Need, ...] = ()
    remedy: str = ""
    was_asked: bool = True


def ask(state: State, settings: Settings, resources: StackResources, *, own: bool) -> list[Answer]:
    """Every owner of permissions that the stack's resources need, each asked once.

    Args:
        state: the sandbox's state.
        settings: the stack's settings.
        resources: its resources.
        own: whether the caller's own are asked.
    """
    namespace = settings.deployment.namespace
    needs = needed(((r.type, r.props) for r in resources.resources), namespace)
    askers = _own(settings) if own else _sandbox(state)
    return [
        _answer(cloud, [n for n in needs if n.cloud == cloud], askers.get(cloud))
        for cloud in sorted({n.cloud for n in needs})
    ]


def _answer(cloud: str, needs: Sequence[Need], asked: Asked | None) -> Answer:
    name = owners()[cloud]
    if asked is None:
        return Answer(
            name,
            f"{name}: {len(needs)} needed; not asked, {_UNJUDGED.get(cloud, 'its server does not run')}.",
            remedy="`--ask-own` asks with your own credentials (reads only).",
            was_asked=False,
        )
    try:
        answer = asked(needs)
    except SandboxError as error:
        headline = f"{name}: {len(needs)} needed; could not be asked."
        return Answer(name, headline, remedy=str(error), was_asked=False)
    denied = tuple(n for n in needs if n in answer.denied)
    verdict = f"{len(denied)} lacking" if denied else "none lacking"
    note = f" {answer.note}" if answer.note else ""
    return Answer(name, f"{name}: {len(needs)} needed, {verdict}, as {answer.who}.{note}", denied)


def _sandbox(state: State) -> dict[str, Asked]:
    plane, vault, *_ = services(state)
    askers: dict[str, Asked] = {}
    if is_healthy(plane):
        askers["kubernetes"] = partial(callers.kubernetes, kubeconfig=plane.kubeconfig)
    if is_healthy(vault):
        askers["vault"] = partial(callers.vault, address=vault.address, token=vault.root_token)
    return askers


def _own(settings: Settings) -> dict[str, Asked]:
    azure = settings.store.azure
    google = (m.google_secret_manager for m in settings.managers)
    project = next((block.project for block in google if block is not None), None)
    return {
        "aws": callers.aws,
        "azure": partial(callers.azure, group=azure.resource_group if azure else ""),
        "gcp": partial(callers.google, project=project or ""),
        "kubernetes": callers.kubernetes,
        "vault": callers.vault,
    }
