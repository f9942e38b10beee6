"""Where in AWS the provider of a stack works."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from .permissions import AwsLocation


def lookup_location(region: str | None, parent: pulumi.Resource) -> pulumi.Output[AwsLocation]:
    """Account and partition of the provider, and the region, or where it is None the provider's."""
    ask = pulumi.InvokeOutputOptions(parent=parent)
    partition = aws.get_partition_output(opts=ask)
    here: pulumi.Output[str] = (
        pulumi.Output.from_input(region) if region else aws.get_region_output(opts=ask).region
    )
    return pulumi.Output.all(
        aws.get_caller_identity_output(opts=ask).account_id,
        here,
        partition.partition,
        partition.dns_suffix,
    ).apply(lambda known: AwsLocation(*known))
