"""Who logs in to a secret manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pulumi


@dataclass(frozen=True)
class Identity:
    """Who Kestra is to its store, and the least it may do; as it is here, the identity of a store that needs none."""

    service_account_annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    principal: pulumi.Input[str] = ""
    needs_token: bool = False
    """Whether the pods need their service account's token."""
    environment: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Credentials that it provisioned: settings path to secret output."""
    resources: Sequence[pulumi.Resource] = ()
    """What has to be there before somebody logs in."""


class IdentityComponent(Protocol):
    """The interface of a component that makes an identity."""

    service_account_annotations: Mapping[str, pulumi.Input[str]]
    pod_labels: Mapping[str, str]
    principal: pulumi.Output[str]
    needs_token: bool
    environment: Mapping[str, pulumi.Output[str]]


def to_identity(component: IdentityComponent, *resources: pulumi.Resource) -> Identity:
    """What the rest of the program needs of an identity's component, and what belongs to the log-in."""
    return Identity(
        component.service_account_annotations,
        component.pod_labels,
        component.principal,
        component.needs_token,
        component.environment,
        resources,
    )


def combined(first: Identity, second: Identity) -> Identity:
    """One service account that is known as two: annotations and labels of both, those of the second before the first."""
    return Identity(
        {**first.service_account_annotations, **second.service_account_annotations},
        {**first.pod_labels, **second.pod_labels},
        first.principal or second.principal,
        first.needs_token or second.needs_token,
        {**first.environment, **second.environment},
        (*first.resources, *second.resources),
    )
