"""What to do when a name in Google Cloud is taken."""

from __future__ import annotations

from collections.abc import Callable

from ...safeguards.failed_resource import ConflictHint, FailedResource, renamed


def _google(noun: str, id_: str, setting: str) -> Callable[[FailedResource], tuple[str, str, str]]:
    def advice(failed: FailedResource) -> tuple[str, str, str]:
        keys = {k: v for k, v in failed.inputs.items() if isinstance(v, str)}
        full = id_.format_map(_Missing(keys))
        kept = (
            " Google never deletes one."
            if "KeyRing" in failed.type or "CryptoKey" in failed.type
            else ""
        )
        return (
            f"Google Cloud has {noun} {full} already, and this stack did not make it (compare its labels first).{kept}",
            failed.import_command(full),
            renamed(failed, setting),
        )

    return advice


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key.upper()


_CONFLICT = r"Error 409|already exists"

#: The first one that fits counts.
HINTS: tuple[ConflictHint, ...] = (
    ConflictHint(
        r"^gcp:secretmanager/secret:",
        _CONFLICT,
        _google(
            "a secret",
            "projects/{project}/secrets/{secretId}",
            "kestra:secret.google-secret-manager.filter-on-prefix.prefix",
        ),
    ),
    ConflictHint(
        r"^gcp:kms/keyRing:",
        _CONFLICT,
        _google(
            "a key ring",
            "projects/{project}/locations/{location}/keyRings/{name}",
            "kestra:deployment.namespace",
        ),
    ),
    ConflictHint(
        r"^gcp:kms/cryptoKey:",
        _CONFLICT,
        _google("a key", "{keyRing}/cryptoKeys/{name}", "kestra:deployment.namespace"),
    ),
    ConflictHint(
        r"^gcp:storage/bucket:",
        r"already own it",
        _google("a bucket", "{project}/{name}", "kestra:storage.gcs.bucket"),
    ),
    ConflictHint(
        r"^gcp:serviceaccount/account:",
        _CONFLICT,
        _google(
            "a service account",
            "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
            "kestra:identity.gcp",
        ),
    ),
)
