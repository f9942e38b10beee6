"""What to do when a name in AWS is taken."""

from __future__ import annotations

import shlex

from ...safeguards.failed_resource import (
    COMPARE_TAGS,
    ConflictHint,
    FailedResource,
    by_name,
    renamed,
)


def _pending_secret(failed: FailedResource) -> tuple[str, str, str]:
    name = failed.input_text("name")
    region = _region(failed)
    restore = f"aws secretsmanager restore-secret --secret-id {shlex.quote(name)}{region}"
    return (
        f"The secret {name} was deleted and waits for its recovery window to end; until then AWS keeps its name.",
        f"{restore} && {failed.import_command(_secret_arn(failed))}",
        f"aws secretsmanager delete-secret --secret-id {shlex.quote(name)}{region} --force-delete-without-recovery, "
        "which destroys its value for good; or another kestra:secret.aws-secret-manager.prefix.",
    )


def _secret_arn(failed: FailedResource) -> str:
    name = shlex.quote(failed.input_text("name"))
    return (
        f"$(aws secretsmanager describe-secret --secret-id {name}{_region(failed)}"
        " --query ARN --output text)"
    )


def _region(failed: FailedResource) -> str:
    region = failed.input_text("region")
    return f" --region {region}" if region else ""


def _secret_there(failed: FailedResource) -> tuple[str, str, str]:
    return (
        f"AWS has a secret {failed.input_text('name')} already, and this stack did not make it ({COMPARE_TAGS}).",
        failed.import_command(_secret_arn(failed)),
        renamed(failed, "kestra:secret.aws-secret-manager.prefix"),
    )


def _bucket_there(failed: FailedResource) -> tuple[str, str, str]:
    bucket = failed.input_text("bucket")
    return (
        f"This account has a bucket {bucket} already, and this stack did not make it ({COMPARE_TAGS}).",
        failed.import_command(bucket),
        "use it as it is (kestra:storage-bucket.create false), or choose another name (kestra:storage.s3.bucket).",
    )


#: The first one that fits counts.
HINTS: tuple[ConflictHint, ...] = (
    ConflictHint(r"secretsmanager/secret:", r"scheduled for deletion", _pending_secret),
    ConflictHint(r"secretsmanager/secret:", r"ResourceExists|already exists", _secret_there),
    ConflictHint(
        r"^aws:ssm/parameter:",
        r"ParameterAlreadyExists|already exists",
        by_name("a parameter", "kestra:secret.aws-ssm-parameter-store.filter-on-prefix.prefix"),
    ),
    ConflictHint(
        r"^aws:kms/alias:", r"AlreadyExists", by_name("a KMS alias", "kestra:deployment.namespace")
    ),
    ConflictHint(r"^aws:s3/bucket:", r"BucketAlreadyOwnedByYou", _bucket_there),
    ConflictHint(
        r"^aws:iam/role:",
        r"EntityAlreadyExists",
        by_name("an IAM role", "kestra:identity.aws.role-name"),
    ),
)
