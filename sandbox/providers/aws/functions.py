"""What a program asks about the account, the partition and the region."""

from __future__ import annotations

from typing import Any

import botocore.session

from sandbox.providers.aws.connection import Aws
from sandbox.providers.runtime.errors import ProviderError


def caller_identity(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """Whose credentials they are."""
    identity = aws.client("sts").get_caller_identity()
    account = identity["Account"]
    return {
        "accountId": account,
        "arn": identity["Arn"],
        "userId": identity["UserId"],
        "id": account,
    }


def partition(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The partition of the region."""
    described = _partition(aws.region)
    suffix = described["dnsSuffix"]
    name = described["partition"]
    reverse = ".".join(reversed(suffix.split(".")))
    return {"partition": name, "dnsSuffix": suffix, "reverseDnsPrefix": reverse, "id": name}


def region(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """A region: the one asked for, or the provider's."""
    name = args.get("region") or args.get("name") or aws.region
    described = _partition(name)
    endpoint = f"ec2.{name}.{described['dnsSuffix']}"
    if args.get("endpoint") not in (None, endpoint):
        raise ProviderError(f"this stand-in finds a region by its name, not by {args['endpoint']}")
    description = (described["regions"].get(name) or {}).get("description", "")
    return {
        "region": name,
        "name": name,
        "id": name,
        "endpoint": endpoint.removeprefix("https://"),
        "description": description,
    }


def _partition(name: str) -> dict[str, Any]:
    session = botocore.session.Session()
    partition = session.get_partition_for_region(name)
    every = session.get_component("data_loader").load_data("endpoints")["partitions"]
    return next(one for one in every if one["partition"] == partition)


FUNCTIONS = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getRegion:getRegion": region,
}
