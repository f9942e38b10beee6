"""Amazon S3 by identity: one role, values that stand in its policy, and a bucket that AWS makes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...backends.aws.identity_rules import is_described, one_identity, ways
from ...backends.aws.key_rules import OF_A_NEW_KEY, key_of_the_stack
from ...backends.aws.permissions import SERVICES
from ...backends.aws.principals import ROLE_ARN, makes_role
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.placeholders import find_placeholders
from ..interface import hostname, storage_key
from ..rules import AT, annotation_of_account, of_a_new_bucket, path_below, read_here
from .principals import makes_own_role, operator_has_role, own_role_name

_BUCKET = r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]"
#: Source: AWS documentation, Amazon S3 user guide, bucket naming rules.
_KEPT = r"(xn--|sthree-|amzn-s3-demo-).*|.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)"
_REGION = r"[a-z]{2,}(-[a-z]+)+-\d+"
_ROLE = r"arn:aws[a-z-]*:iam::\d{12}:role/[^*?$\s]+"


def is_amazon(s: Settings) -> bool:
    """Whether the storage of type s3 is Amazon's own."""
    endpoint = s.storage.s3.endpoint if s.storage and s.storage.s3 else None
    host = hostname(endpoint)
    return host is None or re.search(r"\.amazonaws\.com(\.cn)?$", host) is not None


def identity(s: Settings) -> Iterator[Finding]:
    """A role that Kestra's own service account takes."""
    if s.secret is None or s.secret.type not in SERVICES:
        yield from one_identity(s, own_role_name(s))
    at = ("identity", "aws")
    if not ways(s) and not is_described(s):
        yield Finding(
            at,
            "names no identity",
            f"kestra:{AT} gives the bucket to the role of Kestra's pods",
            "add irsa or pod-identity to have a role made with the least it needs, or role-arn",
            kind="missing",
        )
    if operator_has_role(s) and s.identity.aws.role_arn is not None:
        yield Finding(
            (*at, "role-arn"),
            "is the role of External Secrets, and of nobody else",
            f"kestra:{AT} needs a role of Kestra's own pods beside it, which irsa makes",
            f"write irsa in its place, or remove kestra:{AT} and name a role in "
            "kestra:identity.service-account.annotations",
        )
    yield from annotation_of_account(
        s,
        ROLE_ARN,
        "the role of Kestra's service account is the one that kestra:identity.aws describes",
    )
    bucket = s.storage_bucket
    assert bucket is not None
    if bucket.aws.role_name is not None and not operator_has_role(s):
        yield Finding(
            (AT, "aws", "role-name"),
            "names a role that is not made",
            "Kestra's pods have one role in AWS, which kestra:identity.aws.role-name names",
            "remove it",
        )
    if makes_own_role(s) and len(own_role_name(s)) > 64 and operator_has_role(s):
        yield Finding(
            (AT, "aws", "role-name"),
            "is missing",
            "<namespace>-<service account> is longer than the 64 characters of a role's name",
            "add a shorter one",
            kind="missing",
        )


def names(s: Settings) -> Iterator[Finding]:
    """Values that stand in the policies."""
    block = s.storage.s3 if s.storage else None
    bucket = s.storage_bucket
    assert block is not None
    assert bucket is not None
    yield from read_here(s, "bucket", "region")
    if makes_role(s):
        yield from _in_policy(s)
    at = ("storage", "s3")
    has_placeholder = any(find_placeholders(block.bucket))
    if not has_placeholder and not re.fullmatch(_BUCKET, block.bucket):
        yield Finding(
            (*at, "bucket"),
            "is no name of a bucket",
            "3 to 63 lower-case letters, digits, . and -, beginning and ending with a letter or digit",
            "correct it",
        )
    elif re.fullmatch(_KEPT, block.bucket):
        yield Finding(
            (*at, "bucket"),
            "is a name that AWS keeps for itself",
            "no bucket begins with xn--, sthree- or amzn-s3-demo-, or ends in -s3alias, --ol-s3, .mrap, --x-s3 or "
            "--table-s3; what has such a name knows no policy like the one that is made",
            "name a bucket of your own",
        )
    elif bucket.create and "." in block.bucket:
        yield Finding(
            (*at, "bucket"),
            "has a dot",
            "the certificate of Amazon S3 does not cover such a name, and Kestra reaches buckets by TLS",
            "choose a name with hyphens",
        )
    region = block.region
    if (
        region is not None
        and not any(find_placeholders(region))
        and not re.fullmatch(_REGION, region)
    ):
        yield Finding(
            (*at, "region"),
            "is no region of AWS",
            f"with kestra:{AT} this stack asks AWS there, by names like eu-west-1",
            "write the region of the bucket, or remove the key where it is that of the stack",
        )
    if storage_key(s, "s3-files-compatible") is True:
        yield Finding(
            (*at, "s3-files-compatible"),
            "is not possible with the identity that the stack makes",
            "with it Kestra changes the bucket's versioning and deletes versions for good, which the role may not",
            f"remove it, or remove kestra:{AT}",
        )
    if not is_amazon(s):
        yield Finding(
            (*at, "endpoint"),
            "is not Amazon S3",
            "other servers do not know the roles of AWS",
            f"remove it, or remove kestra:{AT}",
        )


def _in_policy(s: Settings) -> Iterator[Finding]:
    """What the policy of the role names."""
    at = ("storage", "s3")
    yield from read_here(s, "path", "sts-role-arn", "sts-role-external-id")
    yield from path_below(
        s, r"[A-Za-z0-9!_.'()-]+(/[A-Za-z0-9!_.'()-]+)*/?", "letters, digits and ! _ . ' ( ) -"
    )
    role = s.storage.s3.sts_role_arn if s.storage and s.storage.s3 else None
    if role is not None and not any(find_placeholders(role)) and not re.fullmatch(_ROLE, role):
        yield Finding(
            (*at, "sts-role-arn"),
            "is no ARN of a role",
            "the role that is made may take one other role, which its policy names",
            "write for example arn:aws:iam::111122223333:role/storage",
        )


def bucket(s: Settings) -> Iterator[Finding]:
    """The key of the bucket, and nothing about a bucket of others."""
    chosen = s.storage_bucket
    block = s.storage.s3 if s.storage else None
    assert chosen is not None
    assert block is not None
    at, kms = (AT, "aws", "kms"), chosen.aws.kms
    yield from key_of_the_stack(at, kms)
    yield from of_a_new_bucket(s, "aws", "noncurrent-days", "incomplete-upload-days")
    if not chosen.create and kms.arn is None:
        for name in OF_A_NEW_KEY:
            if name.replace("-", "_") in kms.model_fields_set:
                yield Finding(
                    (*at, name),
                    "stands beside create: false",
                    "no key is made for a bucket that exists already",
                    "remove it; the key of such a bucket is named by arn",
                )
    if kms.arn and block.region and kms.arn.split(":")[3] != block.region:
        yield Finding(
            (*at, "arn"),
            f"is a key in {kms.arn.split(':')[3]}",
            f"objects in {block.region} are encrypted with a key of that region",
            "name a key there",
        )
