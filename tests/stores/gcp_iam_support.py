"""Google Cloud IAM, as far as Kestra's bindings need it: who may do what, computed from recorded resources.

An independent judge of `components/backends/gcp/permissions.py`: what the predefined roles hold is written down here
once more, and conditions are evaluated by the CEL project's own interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from tests.components.gcp_fixtures import NUMBER
from tests.components.recording_support import Recorder

PROJECT = f"projects/{NUMBER}"
_ENVIRONMENT = cel.NewEnv(
    variables={"resource": cel.Type.DYN, "object_list_prefix": cel.Type.STRING}
)
#: An attribute of a request, which the interpreter knows as a variable: the prefix of a list of objects, empty where
#: the request has none. Source: Google Cloud documentation, attribute reference for IAM conditions.
_LIST_PREFIX = 'api.getAttribute("storage.googleapis.com/objectListPrefix", "")'

#: Permissions on secrets and keys of the predefined roles that Kestra's stacks use.
#: Source: Google Cloud documentation, IAM roles and permissions index. A role that is not here is an error.
ROLES: dict[str, frozenset[str]] = {
    "roles/secretmanager.secretAccessor": frozenset({"secretmanager.versions.access"}),
    "roles/secretmanager.admin": frozenset(
        f"secretmanager.{permission}"
        for permission in (
            "locations.get",
            "locations.list",
            "secrets.create",
            "secrets.delete",
            "secrets.get",
            "secrets.getIamPolicy",
            "secrets.list",
            "secrets.setIamPolicy",
            "secrets.update",
            "versions.access",
            "versions.add",
            "versions.destroy",
            "versions.disable",
            "versions.enable",
            "versions.get",
            "versions.list",
        )
    ),
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": frozenset(
        {"cloudkms.cryptoKeyVersions.useToEncrypt", "cloudkms.cryptoKeyVersions.useToDecrypt"}
    ),
    "roles/iam.workloadIdentityUser": frozenset(
        {"iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"}
    ),
}


@dataclass(frozen=True)
class Binding:
    """A member of a role on a resource and all below it."""

    member: str
    permissions: frozenset[str]
    resource: str
    condition: str | None

    def allows(self, member: str, permission: str, resource: str, list_prefix: str = "") -> bool:
        """Whether this binding lets the member do it; list_prefix is that of a list of objects."""
        inside = resource == self.resource or resource.startswith(f"{self.resource}/")
        return (
            member == self.member
            and permission in self.permissions
            and inside
            and (self.condition is None or holds(self.condition, resource, list_prefix))
        )


def holds(condition: str, resource: str, list_prefix: str = "") -> bool:
    """Whether a condition is true of a request; one that cannot be evaluated is not."""
    expression = condition.replace(_LIST_PREFIX, "object_list_prefix")
    data = {"resource": {"name": resource}, "object_list_prefix": list_prefix}
    return _ENVIRONMENT.compile(expression).eval(data=data).value() is True


def bindings(recorded: Recorder) -> Iterator[Binding]:
    """Every binding that a stack makes."""
    own = {
        f"projects/{role['project']}/roles/{role['roleId']}": frozenset(role["permissions"])
        for role in recorded.of("IAMCustomRole").values()
    }
    for type_, inputs in recorded.resources.values():
        if type_.startswith("gcp:") and "role" in inputs:
            yield Binding(
                inputs["member"],
                {**ROLES, **own}[inputs["role"]],
                _resource(type_, inputs),
                (inputs.get("condition") or {}).get("expression"),
            )


def _resource(type_: str, inputs: dict[str, Any]) -> str:
    match type_:
        case "gcp:projects/iAMMember:IAMMember":
            return PROJECT
        case "gcp:secretmanager/secretIamMember:SecretIamMember":
            return f"{PROJECT}/secrets/{inputs['secretId']}"
        case "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember":
            return inputs["cryptoKeyId"]
        case "gcp:storage/bucketIAMMember:BucketIAMMember":
            return f"projects/_/buckets/{inputs['bucket']}"
        case "gcp:serviceaccount/iAMMember:IAMMember":
            return inputs["serviceAccountId"]
        case _:
            # Bindings and policies of a whole role or resource would drop those of others.
            raise AssertionError(f"{type_} is no binding of one member")
