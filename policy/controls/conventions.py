"""Conventions: tags, and what is exempt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.levels import ENVIRONMENTS
from ..core.model import REGISTRY, Context, Finding, Problem, Resource, Stack, control
from ..core.values import get_path
from ..pods import WORKLOADS

#: Type to where its tags are.
TAGGED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "aws:secretsmanager/secret:Secret",
            "aws:kms/key:Key",
            "aws:iam/role:Role",
            "aws:iam/policy:Policy",
            "aws:ssm/parameter:Parameter",
            "azure-native:keyvault:Vault",
            "azure-native:keyvault:Secret",
            "azure-native:managedidentity:UserAssignedIdentity",
        ),
        "tags",
    ),
    "gcp:secretmanager/secret:Secret": "labels",
    "gcp:kms/cryptoKey:CryptoKey": "labels",
    "vault:kv/secretV2:SecretV2": "customMetadata.data",
    **dict.fromkeys(
        (
            *WORKLOADS,
            "kubernetes:core/v1:Namespace",
            "kubernetes:core/v1:Secret",
            "kubernetes:core/v1:ConfigMap",
        ),
        "metadata.labels",
    ),
}


def tags_of(resource: Resource) -> dict[str, Any]:
    """Tags by key, a label's prefix (`kestra.pulumi/owner`) left out. Raises Undecided when unknown.

    Those that a provider of AWS gives every resource (`defaultTags`) count.
    """
    where = TAGGED[resource.type]
    shared = resource.get_path("tagsAll") if where == "tags" else None
    tags = {**(shared or {}), **(resource.get_path(where) or {})}
    return {key.rsplit("/", 1)[-1].lower().replace("_", "-"): tags[key] for key in tags}


def add_tags(resource: Resource, context: Context) -> dict[str, Any]:
    """The tags that the pack knows itself; the others only a person can give."""
    where = TAGGED[resource.type]
    if "." in where:
        return {}
    known = {"environment": context.environment, **context.options.default_tags}
    actual = tags_of(resource)
    missing = {k: v for k, v in known.items() if k not in actual}
    return {where: {**(resource.get_path(where) or {}), **missing}} if missing else {}


@control(
    "ks-conventions-01",
    "Everything says whose it is",
    "low",
    risk="What has no owner, environment and class of data is nobody's when it leaks or is left behind.",
    steps=(
        "Set the tags of the stack: owner, environment, data-class.",
        "In production the pack adds environment and the configured defaultTags itself.",
    ),
    setting="kestra:tags",
    types=tuple(TAGGED),
    remedy=add_tags,
)
def tagged(resource: Resource, context: Context) -> Iterator[Finding]:
    actual, where = tags_of(resource), TAGGED[resource.type]
    for key in context.options.required_tags:
        if not get_path(actual, (key,)):
            yield Problem(f"has no {key}", "one", f"{where}.{key}", setting=f"kestra:tags.{key}")
    vocabularies = {"environment": ENVIRONMENTS, "data-class": context.options.data_classes}
    for key, vocabulary in vocabularies.items():
        value = get_path(actual, (key,))
        if value and value not in vocabulary:
            expected, setting = f"one of {', '.join(vocabulary)}", f"kestra:tags.{key}"
            yield Problem(f"has {key} {value}", expected, f"{where}.{key}", setting=setting)


@control(
    "ks-conventions-02",
    "Exemptions are complete and in date",
    "high",
    risk="An exemption without an owner and an end is a hole that nobody closes.",
    steps=(
        "Give control, resource, reason, owner and expires (YYYY-MM-DD).",
        "Mend what it excused, or renew it with its owner.",
    ),
    setting="exemptions of ks-configuration in the file of --policy-pack-config",
)
def complete_exemptions(stack: Stack, context: Context) -> Iterator[Finding]:
    for position, exemption in enumerate(context.options.exemptions):
        for fault in exemption.faults(context.today, tuple(REGISTRY)):
            who = f"of {exemption.control or '?'} for {exemption.resource or '?'}"
            yield Problem(
                f"the exemption {who} {fault}",
                "control, resource, reason, owner, and an expiry date to come",
                f"exemptions.{position}",
            )


@control(
    "ks-conventions-03",
    "Exemptions in force",
    "low",
    risk="What is exempt is a risk that somebody has accepted, and everybody should see it.",
    steps=("Nothing, until it expires; then mend what it excused.",),
    setting="exemptions of ks-configuration in the file of --policy-pack-config",
    always="advisory",
)
def reported_exemptions(stack: Stack, context: Context) -> Iterator[Finding]:
    for position, exemption in enumerate(context.options.exemptions):
        if not any(exemption.faults(context.today, tuple(REGISTRY))):
            yield Problem(
                f"{exemption.control} does not apply to {exemption.resource} until {exemption.expires}"
                f" ({exemption.reason}; {exemption.owner})",
                "an end of the exemption",
                f"exemptions.{position}",
            )
