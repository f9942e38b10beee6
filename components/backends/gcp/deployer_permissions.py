"""What whoever runs `pulumi up` must be allowed in Google Cloud, by resource type.

Sources: the API calls of terraform-provider-google's create, read, update and delete steps; Google Cloud's IAM
permissions reference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .permissions import condition


def _policy(resource: str) -> tuple[str, ...]:
    return (f"{resource}.getIamPolicy", f"{resource}.setIamPolicy")


ACTIONS: Mapping[str, tuple[str, ...]] = {
    "gcp:kms/cryptoKey:CryptoKey": (
        "cloudkms.cryptoKeyVersions.destroy",
        "cloudkms.cryptoKeyVersions.list",
        "cloudkms.cryptoKeys.create",
        "cloudkms.cryptoKeys.get",
        "cloudkms.cryptoKeys.update",
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _policy("cloudkms.cryptoKeys"),
    "gcp:kms/keyRing:KeyRing": ("cloudkms.keyRings.create", "cloudkms.keyRings.get"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": (
        "iam.roles.create",
        "iam.roles.delete",
        "iam.roles.get",
        "iam.roles.undelete",
        "iam.roles.update",
    ),
    "gcp:projects/iAMMember:IAMMember": _policy("resourcemanager.projects"),
    "gcp:projects/service:Service": (
        "serviceusage.services.enable",
        "serviceusage.services.get",
        "serviceusage.services.list",
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": ("serviceusage.services.enable",),
    "gcp:secretmanager/secret:Secret": (
        "secretmanager.secrets.create",
        "secretmanager.secrets.delete",
        "secretmanager.secrets.get",
        "secretmanager.secrets.update",
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _policy("secretmanager.secrets"),
    "gcp:secretmanager/secretVersion:SecretVersion": (
        "secretmanager.versions.access",
        "secretmanager.versions.add",
        "secretmanager.versions.destroy",
        "secretmanager.versions.enable",
        "secretmanager.versions.get",
    ),
    "gcp:serviceaccount/account:Account": (
        "iam.serviceAccounts.create",
        "iam.serviceAccounts.delete",
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.update",
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": _policy("iam.serviceAccounts"),
    "gcp:storage/bucket:Bucket": (
        "storage.buckets.create",
        "storage.buckets.delete",
        "storage.buckets.get",
        "storage.buckets.update",
        "storage.objects.list",
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _policy("storage.buckets"),
}
#: What Google checks on the project, where no condition on a secret's name can hold.
_ON_PROJECT = frozenset({"secretmanager.secrets.create"})


def team_policy(begin: str) -> str:
    """What whoever deploys a stack of secrets alone needs, as JSON: permissions, each list with its condition.

    Args:
        begin: of the names of the team's secrets.
    """
    every = {
        action
        for kind in ("secret:Secret", "secretVersion:SecretVersion")
        for action in ACTIONS[f"gcp:secretmanager/{kind}"]
    }
    below = condition("PROJECT_NUMBER", begin)
    bindings = [
        {"permissions": sorted(every - _ON_PROJECT), "condition": below},
        {"permissions": sorted(_ON_PROJECT)},
    ]
    return json.dumps(bindings, indent=2) + "\n"
