"""A key in KMS that the stack makes, or that exists already."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...settings.findings import Finding
from ...settings.store import AwsKey

#: Keys that say something about a key that the stack makes.
OF_A_NEW_KEY = ("administrators", "deletion-window-days", "rotation-period-days")


def key_of_the_stack(at: tuple[str, ...], kms: AwsKey) -> Iterator[Finding]:
    """Administrators that are principals, and nothing about a key that the stack did not make.

    Args:
        at: place of the key's block in the settings.
        kms: the block.
    """
    for i, administrator in enumerate(kms.administrators):
        if not re.fullmatch(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:[^*?]+", administrator):
            yield Finding(
                (*at, "administrators", i),
                "is no ARN of one principal",
                "for example arn:aws:iam::111122223333:role/administrators, without wildcards",
                "correct it",
            )
    if kms.arn is not None:
        for name in OF_A_NEW_KEY:
            if name.replace("-", "_") in kms.model_fields_set:
                yield Finding(
                    (*at, name),
                    "stands beside the ARN of an existing key",
                    "this stack changes nothing about a key that it did not make",
                    "remove it, or remove arn",
                )
