"""Keys of the Key Management Service and their aliases."""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.providers.aws.connection import Aws, absent, code
from sandbox.providers.aws.policies import kept
from sandbox.providers.aws.resource import AwsResource, Tagged, final_name, present
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties

_PENDING = ("PendingDeletion", "PendingReplicaDeletion")


class Key(Tagged):
    """A key. One that waits for its deletion is gone."""

    service, label = "kms", "KMS Key"
    pair = ("TagKey", "TagValue")
    computed = frozenset({"description", "multiRegion", "policy", "region", "rotationPeriodInDays"})
    defaults: ClassVar[Properties] = {
        "bypassPolicyLockoutSafetyCheck": False,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
    }
    policies = frozenset({"policy"})
    ranges: ClassVar = {"deletionWindowInDays": (7, 30), "rotationPeriodInDays": (90, 2560)}
    together: ClassVar = {"xksKeyId": "customKeyStoreId"}

    def start(self, aws: Aws, p: Properties) -> str:
        answer = self.client(aws, p).create_key(
            **present(
                Description=p.get("description"),
                KeySpec=p["customerMasterKeySpec"],
                KeyUsage=p["keyUsage"],
                MultiRegion=p.get("multiRegion"),
                Policy=p.get("policy"),
                CustomKeyStoreId=p.get("customKeyStoreId"),
                XksKeyId=p.get("xksKeyId"),
                Tags=self.tags(aws, p),
            ),
            BypassPolicyLockoutSafetyCheck=p["bypassPolicyLockoutSafetyCheck"],
        )
        return answer["KeyMetadata"]["KeyId"]

    def settle(self, aws: Aws, id_: str, p: Properties) -> None:
        if p["enableKeyRotation"]:
            self._rotate(aws, id_, p)
        if not p["isEnabled"]:
            self.client(aws, p).disable_key(KeyId=id_)

    def _rotate(self, aws: Aws, id_: str, p: Properties) -> None:
        client = self.client(aws, p)
        if not p["enableKeyRotation"]:
            client.disable_key_rotation(KeyId=id_)
            return
        period = present(RotationPeriodInDays=p.get("rotationPeriodInDays"))
        client.enable_key_rotation(KeyId=id_, **period)

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        current = absent(lambda: client.describe_key(KeyId=id_), "NotFound")
        if current is None or current["KeyMetadata"]["KeyState"] in _PENDING:
            return None
        about = current["KeyMetadata"]
        policy = client.get_key_policy(KeyId=id_, PolicyName="default")["Policy"]
        rotation = client.get_key_rotation_status(KeyId=id_)
        # moto does not keep the period.
        period = rotation.get("RotationPeriodInDays") or p.get("rotationPeriodInDays")
        return (
            p
            | {
                "arn": about["Arn"],
                "keyId": about["KeyId"],
                "description": about.get("Description", ""),
                "customerMasterKeySpec": about["KeySpec"],
                # moto leaves it out where the request did.
                "keyUsage": about.get("KeyUsage") or "ENCRYPT_DECRYPT",
                "isEnabled": about["Enabled"],
                "multiRegion": about.get("MultiRegion", False),
                "policy": kept(p.get("policy"), policy),
                "enableKeyRotation": rotation["KeyRotationEnabled"],
                "rotationPeriodInDays": period if rotation["KeyRotationEnabled"] else None,
                "region": about["Arn"].split(":")[3],
            }
            | self.tagged(aws, p, client.list_resource_tags(KeyId=id_)["Tags"])
        )

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        client = self.client(aws, p)
        turned = self.differ(("isEnabled",), p, olds)
        if turned and p["isEnabled"]:
            client.enable_key(KeyId=id_)  # first: a disabled key cannot be changed
        if self.differ(("enableKeyRotation",), p, olds) or (
            p["enableKeyRotation"] and self.differ(("rotationPeriodInDays",), p, olds)
        ):
            self._rotate(aws, id_, p)
        if self.differ(("description",), p, olds):
            client.update_key_description(KeyId=id_, Description=p.get("description") or "")
        if self.differ(("policy",), p, olds):
            client.put_key_policy(
                KeyId=id_,
                PolicyName="default",
                Policy=p["policy"],
                BypassPolicyLockoutSafetyCheck=p["bypassPolicyLockoutSafetyCheck"],
            )
        self.retag(aws, id_, p, olds)
        if turned and not p["isEnabled"]:
            client.disable_key(KeyId=id_)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        window = present(PendingWindowInDays=p.get("deletionWindowInDays"))
        try:
            self.client(aws, p).schedule_key_deletion(KeyId=id_, **window)
        except ClientError as error:
            gone = code(error) == "NotFound" or "is pending deletion" in str(error)
            if not gone:
                raise

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        client.tag_resource(KeyId=id_, Tags=tags)

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        client.untag_resource(KeyId=id_, TagKeys=keys)


class Alias(AwsResource):
    """A name for a key."""

    service, label = "kms", "KMS Alias"
    name_prefix = "alias/"
    computed = frozenset({"name", "namePrefix", "region"})
    conflicts: ClassVar = (("name", "namePrefix"),)

    def check(self, p: Properties) -> Failures:
        return super().check(p) + [
            (n, f"{n} must begin with 'alias/' and only be comprised of [0-9A-Za-z_/-]")
            for n in ("name", "namePrefix")
            if isinstance(p.get(n), str) and not p[n].startswith("alias/")
        ]

    def start(self, aws: Aws, p: Properties) -> str:
        name = final_name(p, "alias/")
        self.client(aws, p).create_alias(AliasName=name, TargetKeyId=p["targetKeyId"])
        return name

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        pages = self.client(aws, p).get_paginator("list_aliases").paginate()
        every = (alias for page in pages for alias in page["Aliases"])
        current = next((alias for alias in every if alias["AliasName"] == id_), None)
        if current is None or "TargetKeyId" not in current:
            return None
        head = current["AliasArn"].rsplit(":", 1)[0]
        key = current["TargetKeyId"].rsplit("/", 1)[-1]
        return p | {
            "arn": current["AliasArn"],
            "name": id_,
            "targetKeyId": key,
            "targetKeyArn": f"{head}:key/{key}",
            "region": head.split(":")[3],
        }

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        self.client(aws, p).update_alias(AliasName=id_, TargetKeyId=p["targetKeyId"])

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        absent(lambda: self.client(aws, p).delete_alias(AliasName=id_), "NotFound")

    def same(self, name: str, before: Any, after: Any) -> bool:
        if name == "targetKeyId" and isinstance(before, str) and isinstance(after, str):
            # The id and the ARN of a key name the same.
            return before.rsplit("/", 1)[-1] == after.rsplit("/", 1)[-1]
        return super().same(name, before, after)

    def moving(self, changed: set[str]) -> set[str]:
        return {"targetKeyArn"} if "targetKeyId" in changed else set()
