"""Secrets of AWS: their key, their recovery, their rotation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.model import Context, Finding, Problem, Resource, Stack, control, fsbp
from ..core.values import (
    UNKNOWN,
    check_each,
    number,
    reveal,
)
from ..secret_types import (
    AWS_ROTATION,
    AWS_SECRET,
    PROTECT_SETTING,
    stays,
)


@control(
    "ks-secret-stores-01",
    "AWS secrets have a key of the customer",
    "medium",
    risk="With AWS's own key nobody can withdraw access to the secrets, or see who decrypted them.",
    steps=("Create a KMS key and name it in kmsKeyId.",),
    setting="kestra:secret.aws-secret-manager and kestra:identity",
    types=(AWS_SECRET,),
)
def customer_key(secret: Resource, _: Context) -> Iterator[Finding]:
    key = secret.get_path("kmsKeyId")
    if not key or str(key).endswith("alias/aws/secretsmanager"):
        yield Problem("is encrypted with AWS's key", "a KMS key of the stack", "kmsKeyId")


@control(
    "ks-secret-stores-02",
    "AWS secrets can be recovered",
    "medium",
    risk="A secret that is deleted at once is lost at once, with everything that was opened by it.",
    steps=("Set recoveryWindowInDays to 7 or more (30 in production).",),
    setting=PROTECT_SETTING,
    types=(AWS_SECRET,),
)
def recoverable(secret: Resource, context: Context) -> Iterator[Finding]:
    days = number(secret.get_path("recoveryWindowInDays"))
    if days is None or days >= 7 or (days == 0 and context.environment == "development"):
        return
    yield Problem(f"can be recovered for {days:.0f} days", "7 or more", "recoveryWindowInDays")


@control(
    "ks-secret-stores-03",
    "AWS secrets rotate, or say why not",
    "medium",
    risk="A secret that never changes stays open to everybody who ever saw it.",
    steps=(
        "Add a SecretRotation.",
        "Where another system rotates it, or it must not rotate, set the tag rotation to external or none.",
    ),
    setting="kestra:declared-secrets.<name>.tags.rotation",
    frameworks=fsbp("SecretsManager.1"),
)
def rotates(stack: Stack, _: Context) -> Iterator[Finding]:
    rotations = stack.of(AWS_ROTATION)

    def check(secret: Resource) -> Iterator[Finding]:
        if stays(secret, "tags"):
            return
        if any(r.refers_to(secret, "secretId") for r in rotations):
            return
        own = {
            reveal(secret.props.get(n))
            for n in ("arn", "id", "name")
            if secret.props.get(n) is not UNKNOWN
        }
        if any(reveal(r.get_path("secretId")) in own - {None} for r in rotations):
            return
        expected = "a SecretRotation, or the tag rotation: external or none"
        yield Problem("does not rotate", expected, "tags.rotation", secret)

    yield from check_each(stack.of(AWS_SECRET), check)


@control(
    "ks-secret-stores-04",
    "Rotation comes often enough",
    "low",
    risk="The longer a secret lives, the longer a copy of it is worth something.",
    steps=("Set automaticallyAfterDays to the configured days (default 90) or less.",),
    setting="maximumRotationDays of the pack's configuration",
    types=(AWS_ROTATION,),
    frameworks=fsbp("SecretsManager.4"),
)
def rotates_often(rotation: Resource, context: Context) -> Iterator[Finding]:
    days = number(rotation.get_path("rotationRules.automaticallyAfterDays"))
    rate = re.fullmatch(
        r"rate\((\d+) days?\)", str(rotation.get_path("rotationRules.scheduleExpression") or "")
    )
    days = days if days is not None or not rate else float(rate[1])
    most = context.options.maximum_rotation_days
    if days is not None and days > most:
        yield Problem(f"rotates every {days:.0f} days", f"{most:.0f} or less", "rotationRules")
