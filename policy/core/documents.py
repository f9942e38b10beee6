"""Permission documents of AWS, as text or as objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .model import Resource
from .values import UNKNOWN, Undecided, as_list, get_path, reveal


@dataclass(frozen=True)
class Statement:
    """A statement of a permission document."""

    allows: bool
    actions: tuple[str, ...]
    """In lower case."""
    resources: tuple[str, ...]
    principals: tuple[str, ...]
    """`AWS:*`, `Service:lambda.amazonaws.com`, `Federated:arn…`."""
    condition: Mapping[str, Any]
    is_inverted: bool
    """Whether it says what is not meant (NotAction, NotResource, NotPrincipal)."""

    @property
    def is_public(self) -> bool:
        return any(p in ("AWS:*", "*") for p in self.principals)


def statements(resource: Resource, path: str) -> Iterator[Statement]:
    """The statements of a document in a property.

    Raises:
        Undecided: when the document, or what a statement says, is unknown.
    """
    document = reveal(resource.get_path(path))
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            raise Undecided(path) from None
    for entry in as_list(get_path(document, "Statement")):
        if entry is UNKNOWN:
            raise Undecided(path)
        yield Statement(
            get_path(entry, "Effect") != "Deny",
            tuple(str(a).lower() for a in as_list(get_path(entry, "Action"))),
            tuple(str(r) for r in as_list(get_path(entry, "Resource"))),
            tuple(_principals(get_path(entry, "Principal"))),
            get_path(entry, "Condition") or {},
            any(get_path(entry, name) for name in ("NotAction", "NotResource", "NotPrincipal")),
        )


def _principals(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for kind in value:
            yield from (f"{kind}:{entry}" for entry in as_list(get_path(value, (kind,))))
    elif value is not None:
        yield str(value)


#: Type to the properties that hold documents of identities.
IDENTITY_POLICIES: Mapping[str, tuple[str, ...]] = {
    "aws:iam/policy:Policy": ("policy",),
    "aws:iam/rolePolicy:RolePolicy": ("policy",),
    "aws:iam/userPolicy:UserPolicy": ("policy",),
    "aws:iam/groupPolicy:GroupPolicy": ("policy",),
    "aws:iam/role:Role": (),
}


def identity_statements(resource: Resource) -> Iterator[tuple[str, Statement]]:
    """Path and statement of what a policy, or a role's inline policies, allow."""
    paths = list(IDENTITY_POLICIES[resource.type])
    if resource.type == "aws:iam/role:Role":
        inline = as_list(resource.get_path("inlinePolicies"))
        paths = [f"inlinePolicies.{position}.policy" for position in range(len(inline))]
    for path in paths:
        for statement in statements(resource, path):
            if statement.allows:
                yield path, statement
