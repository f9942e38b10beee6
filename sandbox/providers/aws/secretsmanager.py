"""Secrets of Secrets Manager, and their policies."""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.providers.aws.connection import Aws, absent, code
from sandbox.providers.aws.policies import kept
from sandbox.providers.aws.resource import AwsResource, Tagged, final_name, present
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import normalize_json
from sandbox.providers.runtime.values import Properties


def described(client: Any, id_: str) -> Any:
    """A secret; None when it is gone or waits for its deletion."""
    current = absent(lambda: client.describe_secret(SecretId=id_), "ResourceNotFound")
    return None if current is None or current.get("DeletedDate") else current


OWN_KEY = "alias/aws/secretsmanager"


class SecretsManagerSecret(Tagged):
    """A secret, without its value.

    The official provider tries for two minutes when the name is one of a secret that waits for its
    deletion; this one says so at once.
    """

    service, label = "secretsmanager", "Secrets Manager Secret"
    computed = frozenset({"name", "namePrefix", "policy", "region", "replicas"})
    defaults: ClassVar[Properties] = {
        "forceOverwriteReplicaSecret": False,
        "recoveryWindowInDays": 30,
    }
    policies = frozenset({"policy"})
    conflicts: ClassVar = (("name", "namePrefix"),)

    def check(self, p: Properties) -> Failures:
        failures, days = super().check(p), p.get("recoveryWindowInDays")
        if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
            failures.append(
                (
                    "recoveryWindowInDays",
                    "expected recovery_window_in_days to be 0 or in the range (7 - 30)",
                )
            )
        return failures

    def start(self, aws: Aws, p: Properties) -> str:
        name, client = final_name(p), self.client(aws, p)
        try:
            answer = client.create_secret(
                Name=name,
                Description=p.get("description") or "",
                ForceOverwriteReplicaSecret=p["forceOverwriteReplicaSecret"],
                **present(
                    KmsKeyId=p.get("kmsKeyId"),
                    Tags=self.tags(aws, p),
                    Type=p.get("type"),
                    AddReplicaRegions=_regions(p.get("replicas")),
                ),
            )
        except ClientError as error:
            # moto says that it exists; AWS says what became of it.
            if code(error) != "ResourceExists" or described(client, name) is not None:
                raise
            said = {
                "Code": "InvalidRequestException",
                "Message": "You can't create this secret because a secret with this name is already "
                "scheduled for deletion.",
            }
            response: Any = error.response | {"Error": said}
            raise ClientError(response, error.operation_name) from None
        return answer["ARN"]

    def settle(self, aws: Aws, id_: str, p: Properties) -> None:
        if p.get("policy") not in (None, "", "{}"):
            self.client(aws, p).put_resource_policy(
                SecretId=id_, ResourcePolicy=normalize_json(p["policy"])
            )

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        current = described(client, id_)
        if current is None:
            return None
        policy = client.get_resource_policy(SecretId=id_).get("ResourcePolicy")
        # The local API server keeps no key of a replica and names AWS's own.
        keys = {r["region"]: r.get("kmsKeyId") for r in p.get("replicas") or []}
        replicas = [
            present(
                region=r["Region"],
                kmsKeyId=(r.get("KmsKeyId") == OWN_KEY and keys.get(r["Region"]))
                or r.get("KmsKeyId"),
                status=r.get("Status"),
                statusMessage=r.get("StatusMessage"),
            )
            for r in current.get("ReplicationStatus") or []
        ]
        return (
            p
            | {
                "arn": current["ARN"],
                "name": current["Name"],
                "description": current.get("Description", ""),
                "kmsKeyId": current.get("KmsKeyId", ""),
                "policy": kept(p.get("policy"), policy) if policy else "",
                "replicas": replicas,
                "region": current["ARN"].split(":")[3],
            }
            | self.tagged(aws, p, current.get("Tags"))
        )

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        client = self.client(aws, p)
        before, after = olds.get("replicas"), p.get("replicas")
        if not self.same("replicas", before, after):
            gone = {r["region"] for r in before or []} - {r["region"] for r in after or []}
            known = {r["region"] for r in before or []}
            new = [r for r in after or [] if r["region"] not in known]
            if gone:
                client.remove_regions_from_replication(
                    SecretId=id_, RemoveReplicaRegions=sorted(gone)
                )
            if new:
                client.replicate_secret_to_regions(
                    SecretId=id_,
                    AddReplicaRegions=_regions(new),
                    ForceOverwriteReplicaSecret=p["forceOverwriteReplicaSecret"],
                )
        if self.differ(("description", "kmsKeyId"), p, olds):
            client.update_secret(
                SecretId=id_,
                Description=p.get("description") or "",
                **present(KmsKeyId=p.get("kmsKeyId")),
            )
        if self.differ(("policy",), p, olds):
            if p.get("policy") in (None, "", "{}"):
                client.delete_resource_policy(SecretId=id_)
            else:
                self.settle(aws, id_, p)
        self.retag(aws, id_, p, olds)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        client, days = self.client(aws, p), p.get("recoveryWindowInDays", 30)
        if replicas := p.get("replicas"):
            absent(
                lambda: client.remove_regions_from_replication(
                    SecretId=id_, RemoveReplicaRegions=sorted(r["region"] for r in replicas)
                ),
                "ResourceNotFound",
            )
        how: Properties = (
            {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": days}
        )
        absent(lambda: client.delete_secret(SecretId=id_, **how), "ResourceNotFound")

    def same(self, name: str, before: Any, after: Any) -> bool:
        if name == "replicas" and isinstance(before, list) and isinstance(after, list):
            by_region = {r["region"]: r for r in before}
            return len(before) == len(after) and all(
                r["region"] in by_region
                and r.get("kmsKeyId") in (None, "", by_region[r["region"]].get("kmsKeyId"))
                for r in after
            )
        return super().same(name, before, after)

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        client.tag_resource(SecretId=id_, Tags=tags)

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        client.untag_resource(SecretId=id_, TagKeys=keys)


def _regions(replicas: Any) -> list[dict[str, str]]:
    return [present(Region=r["region"], KmsKeyId=r.get("kmsKeyId")) for r in replicas or []]


class SecretPolicy(AwsResource):
    """The resource policy of a secret."""

    service, label = "secretsmanager", "Secrets Manager Secret Policy"
    computed = frozenset({"region"})
    policies = frozenset({"policy"})

    def name(self, p: Properties) -> str:
        return p["secretArn"]

    def start(self, aws: Aws, p: Properties) -> str:
        answer = self.client(aws, p).put_resource_policy(
            SecretId=p["secretArn"],
            ResourcePolicy=normalize_json(p["policy"]),
            **present(BlockPublicPolicy=p.get("blockPublicPolicy")),
        )
        return answer["ARN"]

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        if described(client, id_) is None:
            return None
        current = client.get_resource_policy(SecretId=id_).get("ResourcePolicy")
        return p | {
            "policy": kept(p.get("policy"), current) if current else "",
            "secretArn": id_,
            "region": id_.split(":")[3],
        }

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        self.start(aws, p | {"blockPublicPolicy": bool(p.get("blockPublicPolicy"))})

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        client = self.client(aws, p)
        absent(lambda: client.delete_resource_policy(SecretId=id_), "ResourceNotFound")
