"""Buckets of Amazon S3, and what belongs to one: each setting of a bucket is a resource of its own."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from sandbox.providers.aws.connection import Aws, absent
from sandbox.providers.aws.policies import kept
from sandbox.providers.aws.resource import AwsResource, Tagged, final_name, present
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import normalize_json
from sandbox.providers.runtime.values import Properties

#: Inputs of a bucket that are resources of their own since version 4 of the Terraform provider.
_PARTS = (
    "accelerationStatus", "acl", "corsRules", "grants", "lifecycleRules", "logging", "objectLockConfiguration",
    "policy", "replicationConfiguration", "requestPayer", "serverSideEncryptionConfiguration", "versioning", "website",
)  # fmt: skip
#: us-east-1 is no constraint.
_DEFAULT_REGION = "us-east-1"


class Bucket(Tagged):
    """A bucket, whose settings are resources of their own."""

    service, label = "s3", "S3 Bucket"
    named = "bucket"
    computed = frozenset(
        {"bucket", "bucketNamespace", "bucketPrefix", "objectLockEnabled", "region", *_PARTS}
    )
    defaults: ClassVar[Properties] = {"forceDestroy": False}
    conflicts: ClassVar = (("bucket", "bucketPrefix"),)

    def check(self, p: Properties) -> Failures:
        return super().check(p) + [
            (name, "this stand-in has it as a resource of its own only")
            for name in _PARTS
            if p.get(name) is not None
        ]

    def name(self, p: Properties) -> str:
        return p.get("bucket") or p.get("bucketPrefix") or ""

    def start(self, aws: Aws, p: Properties) -> str:
        name = final_name({"name": p.get("bucket"), "namePrefix": p.get("bucketPrefix")})
        client = self.client(aws, p)
        region = client.meta.region_name
        place = {"LocationConstraint": region} if region != _DEFAULT_REGION else {}
        client.create_bucket(
            Bucket=name,
            **present(
                CreateBucketConfiguration=place,
                ObjectLockEnabledForBucket=p.get("objectLockEnabled"),
            ),
        )
        return name

    def settle(self, aws: Aws, id_: str, p: Properties) -> None:
        if tags := self.tags(aws, p):
            self.client(aws, p).put_bucket_tagging(Bucket=id_, Tagging={"TagSet": tags})

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        if absent(lambda: client.head_bucket(Bucket=id_), "404", "NoSuchBucket") is None:
            return None
        region = client.get_bucket_location(Bucket=id_)["LocationConstraint"] or _DEFAULT_REGION
        tags = absent(lambda: client.get_bucket_tagging(Bucket=id_)["TagSet"], "NoSuchTagSet")
        return (
            p
            | {
                "arn": f"arn:aws:s3:::{id_}",
                "bucket": id_,
                "bucketDomainName": f"{id_}.s3.amazonaws.com",
                "bucketRegion": region,
                "bucketRegionalDomainName": f"{id_}.s3.{region}.amazonaws.com",
                "region": region,
            }
            | self.tagged(aws, p, tags)
        )

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        tags = self.tags(aws, p)
        client = self.client(aws, p)
        if tags:
            client.put_bucket_tagging(Bucket=id_, Tagging={"TagSet": tags})
        else:
            client.delete_bucket_tagging(Bucket=id_)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        client = self.client(aws, p)
        if p.get("forceDestroy"):
            absent(lambda: _emptied(client, id_), "NoSuchBucket")
        absent(lambda: client.delete_bucket(Bucket=id_), "NoSuchBucket")

    def parse(self, id_: str) -> Properties:
        return {"bucket": id_}


def _emptied(client: Any, bucket: str) -> None:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        every = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if every:
            objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in every]
            client.delete_objects(Bucket=bucket, Delete={"Objects": objects})


class Setting(AwsResource):
    """A setting of a bucket: one resource a bucket, known by the bucket's name."""

    service = "s3"
    named = None
    computed = frozenset({"region"})
    missing: ClassVar[tuple[str, ...]] = ()
    """What AWS says where the bucket has no such setting."""

    def name(self, p: Properties) -> str:
        return p["bucket"]

    def parse(self, id_: str) -> Properties:
        return {"bucket": id_}

    def start(self, aws: Aws, p: Properties) -> str:
        self.put(self.client(aws, p), p["bucket"], p)
        return p["bucket"]

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        self.put(self.client(aws, p), id_, p)

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        current = absent(lambda: self.get(client, id_, p), "NoSuchBucket", *self.missing)
        return (
            None
            if current is None
            else p | {"bucket": id_, "region": client.meta.region_name} | current
        )

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        client = self.client(aws, p)
        absent(lambda: self.remove(client, id_), "NoSuchBucket", *self.missing)

    def put(self, client: Any, bucket: str, p: Properties) -> None:
        """Sets it."""
        raise NotImplementedError

    def get(self, client: Any, bucket: str, p: Properties) -> Properties | None:
        """What the bucket has, by the inputs' names."""
        raise NotImplementedError

    def remove(self, client: Any, bucket: str) -> None:
        """Takes it away."""
        raise NotImplementedError


class Versioning(Setting):
    """Whether versions are kept. It cannot be taken away: a bucket keeps those that it has."""

    label = "S3 Bucket Versioning"

    def put(self, client: Any, bucket: str, p: Properties) -> None:
        status = p["versioningConfiguration"]["status"]
        if status != "Disabled":
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})

    def get(self, client: Any, bucket: str, p: Properties) -> Properties | None:
        status = client.get_bucket_versioning(Bucket=bucket).get("Status")
        if status is None and p.get("versioningConfiguration", {}).get("status") != "Disabled":
            return None
        return {"versioningConfiguration": {"status": status or "Disabled"}}

    def remove(self, client: Any, bucket: str) -> None:
        if client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
            client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
            )


class Encryption(Setting):
    """How objects are encrypted that do not say it themselves. Without it AWS uses keys of its own."""

    label = "S3 Bucket Server-side Encryption Configuration"
    missing = ("ServerSideEncryptionConfigurationNotFoundError",)

    def put(self, client: Any, bucket: str, p: Properties) -> None:
        rules = []
        for rule in p["rules"]:
            default = rule.get("applyServerSideEncryptionByDefault") or {}
            rules.append(
                {
                    "ApplyServerSideEncryptionByDefault": present(
                        SSEAlgorithm=default.get("sseAlgorithm"),
                        KMSMasterKeyID=default.get("kmsMasterKeyId"),
                    ),
                    "BucketKeyEnabled": bool(rule.get("bucketKeyEnabled")),
                }
            )
        client.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules}
        )

    def get(self, client: Any, bucket: str, p: Properties) -> Properties | None:
        current = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        return {
            "rules": [
                {
                    "applyServerSideEncryptionByDefault": present(
                        sseAlgorithm=rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
                        kmsMasterKeyId=rule["ApplyServerSideEncryptionByDefault"].get(
                            "KMSMasterKeyID"
                        ),
                    ),
                    # moto answers with a text.
                    "bucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
                }
                for rule in current["Rules"]
            ]
        }

    def remove(self, client: Any, bucket: str) -> None:
        client.delete_bucket_encryption(Bucket=bucket)


_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


class PublicAccessBlock(Setting):
    """What of a bucket can become public."""

    label = "S3 Bucket Public Access Block"
    missing = ("NoSuchPublicAccessBlockConfiguration",)
    defaults: ClassVar[Properties] = dict.fromkeys(_BLOCKS, False)

    def put(self, client: Any, bucket: str, p: Properties) -> None:
        chosen = {f"{name[0].upper()}{name[1:]}": bool(p.get(name)) for name in _BLOCKS}
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=chosen)

    def get(self, client: Any, bucket: str, p: Properties) -> Properties | None:
        current = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        return {name: current.get(f"{name[0].upper()}{name[1:]}", False) for name in _BLOCKS}

    def remove(self, client: Any, bucket: str) -> None:
        client.delete_public_access_block(Bucket=bucket)


class OwnershipControls(Setting):
    """Whose the objects are, and whether ACLs count."""

    label = "S3 Bucket Ownership Controls"
    missing = ("OwnershipControlsNotFoundError",)

    def put(self, client: Any, bucket: str, p: Properties) -> None:
        rules = [{"ObjectOwnership": p["rule"]["objectOwnership"]}]
        client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": rules})

    def get(self, client: Any, bucket: str, p: Properties) -> Properties | None:
        current = client.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return {"rule": {"objectOwnership": current[0]["ObjectOwnership"]}} if current else None

    def remove(self, client: Any, bucket: str) -> None:
        client.delete_bucket_ownership_controls(Bucket=bucket)


class LifecycleConfiguration(Setting):
    """What goes after its time. This stand-in has the rules about old versions, markers and incomplete uploads."""

    label = "S3 Bucket Lifecycle Configuration"
    missing = ("NoSuchLifecycleConfiguration",)
    computed = frozenset({"region", "transitionDefaultMinimumObjectSize"})

    def check(self, p: Properties) -> Failures:
        failures = super().check(p)
        for position, rule in enumerate(p.get("rules") or []):
            for name in ("noncurrentVersionTransitions", "transitions", "prefix"):
                if isinstance(rule, dict) and rule.get(name) is not None:
                    failures.append((f"rules[{position}].{name}", "this stand-in does not have it"))
        return failures

    def put(self, client: Any, bucket: str, p: Properties) -> None:
        client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [_to_aws(r) for r in p["rules"]]}
        )

    def get(self, client: Any, bucket: str, p: Properties) -> Properties | None:
        current = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        return {"rules": [_from_aws(rule) for rule in current]}

    def remove(self, client: Any, bucket: str) -> None:
        client.delete_bucket_lifecycle(Bucket=bucket)


def _to_aws(rule: Properties) -> dict[str, Any]:
    noncurrent = rule.get("noncurrentVersionExpiration") or {}
    expiration = rule.get("expiration") or {}
    uploads = rule.get("abortIncompleteMultipartUpload") or {}
    return present(
        ID=rule["id"],
        Status=rule["status"],
        NoncurrentVersionExpiration=present(
            NoncurrentDays=noncurrent.get("noncurrentDays"),
            NewerNoncurrentVersions=noncurrent.get("newerNoncurrentVersions"),
        ),
        Expiration=present(
            Days=expiration.get("days"),
            ExpiredObjectDeleteMarker=expiration.get("expiredObjectDeleteMarker"),
        ),
        AbortIncompleteMultipartUpload=present(
            DaysAfterInitiation=uploads.get("daysAfterInitiation")
        ),
    ) | {"Filter": {"Prefix": (rule.get("filter") or {}).get("prefix") or ""}}


def _from_aws(rule: dict[str, Any]) -> Properties:
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    expiration = rule.get("Expiration") or {}
    uploads = rule.get("AbortIncompleteMultipartUpload") or {}
    return present(
        id=rule["ID"],
        status=rule["Status"],
        noncurrentVersionExpiration=present(
            noncurrentDays=noncurrent.get("NoncurrentDays"),
            newerNoncurrentVersions=noncurrent.get("NewerNoncurrentVersions"),
        ),
        expiration=present(
            days=expiration.get("Days"),
            expiredObjectDeleteMarker=expiration.get("ExpiredObjectDeleteMarker"),
        ),
        abortIncompleteMultipartUpload=present(
            daysAfterInitiation=uploads.get("DaysAfterInitiation")
        ),
    ) | {"filter": {"prefix": (rule.get("Filter") or {}).get("Prefix", "")}}


class BucketPolicy(Setting):
    """The policy of a bucket."""

    label = "S3 Bucket Policy"
    missing = ("NoSuchBucketPolicy",)
    policies = frozenset({"policy"})

    def put(self, client: Any, bucket: str, p: Properties) -> None:
        client.put_bucket_policy(Bucket=bucket, Policy=normalize_json(p["policy"]))

    def get(self, client: Any, bucket: str, p: Properties) -> Properties | None:
        current = client.get_bucket_policy(Bucket=bucket)["Policy"]
        return {"policy": kept(p.get("policy"), json.loads(current))}

    def remove(self, client: Any, bucket: str) -> None:
        client.delete_bucket_policy(Bucket=bucket)
