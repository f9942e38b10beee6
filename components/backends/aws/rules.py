"""What is provisioned in AWS: values that AWS accepts, and one way to an identity."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.store import KMS_ARN, AwsStore
from ...settings.tag_rules import problems
from ..secret_naming import required_tags
from .identity_rules import is_described, one_identity, ways
from .key_rules import key_of_the_stack
from .permissions import PARAMETERS, SECRETS, SERVICES
from .principals import aws_block, makes_role, role_name
from .tag_limits import AWS_TAGS


def credentials(s: Settings) -> Iterator[Finding]:
    """Static keys come in pairs."""
    block = aws_block(s)
    if block is None or s.secret is None:
        return
    at = ("secret", s.secret.type)
    have = {
        "access-key-id": block.access_key_id is not None,
        "secret-key-id": block.secret_key_id is not None,
    }
    if len(set(have.values())) == 2:
        missing = next(name for name, there in have.items() if not there)
        yield Finding(
            (*at, missing),
            "is missing",
            "access-key-id and secret-key-id go together",
            "set both, or neither to use the pod's identity",
            kind="missing",
        )
    if block.session_token is not None and not all(have.values()):
        yield Finding(
            (*at, "session-token"),
            "stands without its keys",
            "a session token belongs to access-key-id and secret-key-id",
            "set both, or remove it",
            kind="missing",
        )


def provisioned(s: Settings) -> Iterator[Finding]:
    """Windows that AWS accepts, one way to an identity, and what Parameter Store lacks."""
    if s.secret is None or s.secret.type not in SERVICES:
        return
    yield from _aws_identity(s)
    yield from _aws_names(s)
    store = s.store.aws
    if store is None:
        return
    at = ("store", "aws")
    yield from _aws_keys(s, store)
    days = store.recovery_window_days
    if days is not None and 0 < days < 7:
        yield Finding(
            (*at, "recovery-window-days"),
            "is not between 7 and 30",
            "AWS waits 7 to 30 days, or not at all with 0",
            "write 7 or more",
        )
    if days == 0 and s.tags.environment != "development":
        yield Finding(
            (*at, "recovery-window-days"),
            f"is 0 in {s.tags.environment}",
            "a secret deleted by mistake could not be recovered",
            "write 7 or more; 0 is for kestra:tags.environment development",
        )
    if all(manager.type != SECRETS for manager in s.managers):
        for name, is_set in (
            ("recovery-window-days", days is not None),
            ("replicas", bool(store.replicas)),
        ):
            if is_set:
                yield Finding(
                    (*at, name),
                    "does not exist for Parameter Store",
                    "it belongs to AWS Secrets Manager",
                    "remove it",
                )
    seen: set[str] = set()
    block = aws_block(s)
    for i, replica in enumerate(store.replicas):
        if replica.region in seen:
            yield Finding(
                (*at, "replicas", i), "is listed twice", "one replica a region", "remove one"
            )
        seen.add(replica.region)
        if block is not None and replica.region == block.region:
            yield Finding(
                (*at, "replicas", i, "region"),
                "is the region of the secrets themselves",
                "a replica is in another region",
                "remove it or change it",
            )


def _aws_keys(s: Settings, store: AwsStore) -> Iterator[Finding]:
    at, block = ("store", "aws"), aws_block(s)
    yield from key_of_the_stack((*at, "kms"), store.kms)
    for path, arn, region in (
        (("kms", "arn"), store.kms.arn, block.region if block else None),
        *(
            (("replicas", i, "kms-key-arn"), replica.kms_key_arn, replica.region)
            for i, replica in enumerate(store.replicas)
        ),
    ):
        if arn and region and arn.split(":")[3] != region:
            yield Finding(
                (*at, *path),
                f"is a key in {arn.split(':')[3]}",
                f"secrets in {region} are encrypted with a key of that region",
                "name a key there",
            )
    parameters = s.secret.aws_ssm_parameter_store if s.secret else None
    if parameters is not None and parameters.kms_key_id is not None:
        yield Finding(
            ("secret", PARAMETERS, "kms-key-id"),
            "stands beside kestra:store.aws",
            "with it Kestra is told the stack's key, which its role may use",
            "write the key's ARN as kestra:store.aws.kms.arn",
        )


def _aws_names(s: Settings) -> Iterator[Finding]:
    """Prefixes and tags that stand in the policy of the role, where `*`, `?` and `${` would mean more."""
    manager, block = s.secret, aws_block(s)
    if manager is None:
        return
    at = ("secret", manager.type)
    parameters = manager.type == PARAMETERS
    allowed = r"[A-Za-z0-9_.-]+" if parameters else r"[A-Za-z0-9/_+=.@-]+"
    restriction = block.filter_on_prefix if block else None
    for path, prefix in (
        (("prefix",), block.prefix if block else None),
        (("filter-on-prefix", "prefix"), restriction.prefix if restriction else None),
    ):
        if prefix is not None and not re.fullmatch(allowed, prefix):
            yield Finding(
                (*at, *path),
                "cannot be the beginning of a name in AWS",
                "letters, digits, _ . -" + ("" if parameters else " / + = @"),
                "rename it",
            )
    for tag, message, rule in problems(required_tags(s), AWS_TAGS):
        yield Finding((*at, "filter-on-tags", "tags", tag), message, rule, "correct it")
    if not makes_role(s) or (block and block.sts_role_arn):
        return
    if parameters and manager.is_read_only and restriction is None and not s.declared_secrets:
        yield Finding(
            (*at, "filter-on-prefix"),
            "is missing",
            "the role that is made may read parameters by the beginning of their names, and not all of them",
            "add filter-on-prefix, for example {prefix: kestra-}",
            kind="missing",
        )
    key = manager.aws_ssm_parameter_store and manager.aws_ssm_parameter_store.kms_key_id
    if key and s.store.aws is None and not re.fullmatch(KMS_ARN, key):
        yield Finding(
            (*at, "kms-key-id"),
            "is no ARN of a key",
            "the role that is made may use one key, which its policy names by ARN",
            "write the key's ARN",
        )


def _aws_identity(s: Settings) -> Iterator[Finding]:
    yield from one_identity(s, role_name(s))
    named, block = ways(s), aws_block(s)
    static = block is not None and block.access_key_id is not None
    if static and named:
        yield Finding(
            ("identity", "aws", named[0]),
            "stands beside static keys",
            "Kestra would use the keys of its block and not this identity",
            "remove access-key-id and secret-key-id, or this block",
        )
    reads = not s.uses_external_secrets and not s.is_secrets_alone
    if not static and not named and not is_described(s) and reads:
        yield Finding(
            ("identity", "aws"),
            "names no identity",
            "without keys Kestra uses whatever its pod or node has",
            "add irsa or pod-identity to have a role made with the least it needs",
            warning=True,
        )
    if block is not None and block.sts_role_arn is None:
        for name in ("external-id", "session-name", "session-duration"):
            if getattr(block, f"sts_role_{name.replace('-', '_')}") is not None:
                yield Finding(
                    ("secret", s.secret.type if s.secret else "", f"sts-role-{name}"),
                    "stands without sts-role-arn",
                    "it belongs to the role that Kestra assumes",
                    "add sts-role-arn, or remove it",
                    kind="missing",
                )
