"""Roles of IAM, and the policies in them and at them. IAM has no regions."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.providers.aws.connection import Aws, absent
from sandbox.providers.aws.policies import kept, same_policy
from sandbox.providers.aws.resource import (
    AwsResource,
    Tagged,
    final_name,
    present,
    two_parts,
)
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import is_json_object, normalize_json
from sandbox.providers.runtime.values import Properties


class Role(Tagged):
    """A role. Policies that others attach to it show in its outputs, and are no difference."""

    service, label = "iam", "IAM Role"
    computed = frozenset({"inlinePolicies", "managedPolicyArns", "name", "namePrefix"})
    defaults: ClassVar[Properties] = {
        "forceDetachPolicies": False,
        "maxSessionDuration": 3600,
        "path": "/",
    }
    policies = frozenset({"assumeRolePolicy"})
    sets = frozenset({"managedPolicyArns"})
    ranges: ClassVar = {"maxSessionDuration": (3600, 43200)}
    conflicts: ClassVar = (("name", "namePrefix"),)

    def check(self, p: Properties) -> Failures:
        return super().check(p) + [
            ("inlinePolicies", '"inline_policy" contains an invalid JSON policy')
            for one in p.get("inlinePolicies") or []
            if isinstance(one, dict)
            and isinstance(one.get("policy"), str)
            and not is_json_object(one["policy"])
        ]

    def start(self, aws: Aws, p: Properties) -> str:
        answer = self.client(aws, p).create_role(
            RoleName=final_name(p),
            AssumeRolePolicyDocument=normalize_json(p["assumeRolePolicy"]),
            Path=p["path"],
            **present(
                Description=p.get("description"),
                MaxSessionDuration=p.get("maxSessionDuration"),
                PermissionsBoundary=p.get("permissionsBoundary"),
                Tags=self.tags(aws, p),
            ),
        )
        return answer["Role"]["RoleName"]

    def settle(self, aws: Aws, id_: str, p: Properties) -> None:
        self._bind(aws, id_, p, {})

    def _bind(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        client = self.client(aws, p)
        before, after = _named(olds.get("inlinePolicies")), _named(p.get("inlinePolicies"))
        for name in sorted(before.keys() - after.keys()):
            self._delete(client, id_, name)
        for name, policy in after.items():
            if name not in before or not same_policy(before[name], policy):
                client.put_role_policy(
                    RoleName=id_, PolicyName=name, PolicyDocument=normalize_json(policy)
                )
        had, desired = (
            set(olds.get("managedPolicyArns") or []),
            set(p.get("managedPolicyArns") or []),
        )
        for arn in sorted(had - desired):
            self._detach(client, id_, arn)
        for arn in sorted(desired - had):
            client.attach_role_policy(RoleName=id_, PolicyArn=arn)

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        current = absent(lambda: client.get_role(RoleName=id_), "NoSuchEntity")
        if current is None:
            return None
        role = current["Role"]
        inline = [
            {
                "name": name,
                "policy": kept(
                    _named(p.get("inlinePolicies")).get(name),
                    client.get_role_policy(RoleName=id_, PolicyName=name)["PolicyDocument"],
                ),
            }
            for name in sorted(self._inline(client, id_))
        ]
        boundary = role.get("PermissionsBoundary") or {}
        return (
            p
            | {
                "arn": role["Arn"],
                "assumeRolePolicy": kept(
                    p.get("assumeRolePolicy"), role["AssumeRolePolicyDocument"]
                ),
                "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                "description": role.get("Description", ""),
                "inlinePolicies": inline,
                "managedPolicyArns": sorted(self._attached(client, id_)),
                "maxSessionDuration": role.get("MaxSessionDuration", 3600),
                "name": role["RoleName"],
                "path": role["Path"],
                "permissionsBoundary": boundary.get("PermissionsBoundaryArn", ""),
                "uniqueId": role["RoleId"],
            }
            | self.tagged(aws, p, role.get("Tags"))
        )

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        client = self.client(aws, p)
        if self.differ(("assumeRolePolicy",), p, olds):
            client.update_assume_role_policy(
                RoleName=id_, PolicyDocument=normalize_json(p["assumeRolePolicy"])
            )
        if self.differ(("description", "maxSessionDuration"), p, olds):
            client.update_role(
                RoleName=id_,
                Description=p.get("description") or "",
                MaxSessionDuration=int(p["maxSessionDuration"]),
            )
        if self.differ(("permissionsBoundary",), p, olds):
            if p.get("permissionsBoundary"):
                client.put_role_permissions_boundary(
                    RoleName=id_, PermissionsBoundary=p["permissionsBoundary"]
                )
            else:
                client.delete_role_permissions_boundary(RoleName=id_)
        self._bind(aws, id_, p, olds)
        self.retag(aws, id_, p, olds)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        client, every = self.client(aws, p), bool(p.get("forceDetachPolicies"))

        def remove() -> None:
            # What the role's own state lists goes with it; the rest only when it is forced to.
            if every or p.get("inlinePolicies"):
                for name in self._inline(client, id_):
                    self._delete(client, id_, name)
            if every or p.get("managedPolicyArns"):
                for arn in self._attached(client, id_):
                    self._detach(client, id_, arn)
            client.delete_role(RoleName=id_)

        absent(remove, "NoSuchEntity")

    def _delete(self, client: Any, id_: str, name: str) -> None:
        absent(lambda: client.delete_role_policy(RoleName=id_, PolicyName=name), "NoSuchEntity")

    def _detach(self, client: Any, id_: str, arn: str) -> None:
        absent(lambda: client.detach_role_policy(RoleName=id_, PolicyArn=arn), "NoSuchEntity")

    def _inline(self, client: Any, id_: str) -> list[str]:
        pages = client.get_paginator("list_role_policies").paginate(RoleName=id_)
        return [name for page in pages for name in page["PolicyNames"]]

    def _attached(self, client: Any, id_: str) -> list[str]:
        pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=id_)
        return [one["PolicyArn"] for page in pages for one in page["AttachedPolicies"]]

    def same(self, name: str, before: Any, after: Any) -> bool:
        if name == "inlinePolicies" and isinstance(before, list) and isinstance(after, list):
            one, other = _named(before), _named(after)
            return one.keys() == other.keys() and all(same_policy(one[k], other[k]) for k in one)
        return super().same(name, before, after)

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        client.tag_role(RoleName=id_, Tags=tags)

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        client.untag_role(RoleName=id_, TagKeys=keys)


def _named(policies: Any) -> dict[str, str]:
    return {one["name"]: one.get("policy") or "" for one in policies or [] if one.get("name")}


class RolePolicy(AwsResource):
    """A policy inside a role."""

    service, label = "iam", "IAM Role Policy"
    computed = frozenset({"name", "namePrefix"})
    policies = frozenset({"policy"})
    conflicts: ClassVar = (("name", "namePrefix"),)

    def start(self, aws: Aws, p: Properties) -> str:
        name = final_name(p)
        self._put(aws, p["role"], name, p)
        return f"{p['role']}:{name}"

    def _put(self, aws: Aws, role: str, name: str, p: Properties) -> None:
        self.client(aws, p).put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=normalize_json(p["policy"])
        )

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        role, name = two_parts(id_, ":", "<role name>:<policy name>")
        current = absent(
            lambda: self.client(aws, p).get_role_policy(RoleName=role, PolicyName=name),
            "NoSuchEntity",
        )
        if current is None:
            return None
        return p | {
            "name": name,
            "role": role,
            "policy": kept(p.get("policy"), current["PolicyDocument"]),
        }

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        self._put(aws, *two_parts(id_, ":", "<role name>:<policy name>"), p)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        role, name = two_parts(id_, ":", "<role name>:<policy name>")
        absent(
            lambda: self.client(aws, p).delete_role_policy(RoleName=role, PolicyName=name),
            "NoSuchEntity",
        )


class RolePolicyAttachment(AwsResource):
    """A policy's attachment to a role."""

    service, label = "iam", "IAM Role Policy Attachment"

    def name(self, p: Properties) -> str:
        return f"{p['role']}/{p['policyArn']}"

    def start(self, aws: Aws, p: Properties) -> str:
        self.client(aws, p).attach_role_policy(RoleName=p["role"], PolicyArn=p["policyArn"])
        return final_name({"namePrefix": f"{p['role']}-"})

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        listing = self.client(aws, p).get_paginator("list_attached_role_policies")
        pages = absent(lambda: list(listing.paginate(RoleName=p["role"])), "NoSuchEntity")
        every = {one["PolicyArn"] for page in pages or [] for one in page["AttachedPolicies"]}
        return p if p["policyArn"] in every else None

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        client = self.client(aws, p)
        absent(
            lambda: client.detach_role_policy(RoleName=p["role"], PolicyArn=p["policyArn"]),
            "NoSuchEntity",
        )

    def parse(self, id_: str) -> Properties:
        role, arn = two_parts(id_, "/", "<role-name>/<policy_arn>")
        return {"role": role, "policyArn": arn}

    def imported(self, id_: str) -> str:
        return id_.replace("/", "-", 1)
