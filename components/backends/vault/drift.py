"""Which version of a secret is in force in Vault, and how the stack's value comes back.

terraform-provider-vault reads `data_json` back no more since 5.0.0, but custom metadata; and every update of a
secret writes its value (`vault/resource_kv_secret_v2.go`). Changed custom metadata therefore has the provider write
the stack's value again.
"""

from __future__ import annotations

import shlex

from ..answers import CurrentVersion, VersionQuery, WrittenSecret
from .caller import Caller, version_of

MARK = "drift=seen"
"""Custom metadata that is not the stack's, which the next update takes away."""


def owns(secret_id: str) -> bool:
    """Whether an id of the output `secretIds` is Vault's: `<engine>/data/<path>`."""
    return "/data/" in secret_id and "://" not in secret_id


def current_version(secret: WrittenSecret) -> CurrentVersion:
    """The version in force, from the secret's metadata; takes `read` on `<engine>/metadata/<path>`.

    Raises:
        UnansweredError: there is no address or token, or Vault refuses.
    """
    engine, path = _parts(secret)
    answer = Caller(_namespace(secret)).request("GET", f"{engine}/metadata/{path}")
    if answer is None:
        return CurrentVersion("", "it is deleted with its metadata")
    return version_of(answer["data"])


def remedy(secret: WrittenSecret, current: CurrentVersion) -> list[str]:
    """Commands after which the stack's value is in force again."""
    engine, path = _parts(secret)
    space = f"-namespace={shlex.quote(_namespace(secret))} " if _namespace(secret) else ""
    touch = (
        f"vault kv metadata put {space}-mount={shlex.quote(engine)} -custom-metadata={MARK}"
        f" {shlex.quote(path)}"
    )
    return [touch, "pulumi up --refresh"] if current.number else ["pulumi up --refresh"]


def _parts(secret: WrittenSecret) -> tuple[str, str]:
    engine, _, path = secret.id.partition("/data/")
    return engine, path


def _namespace(secret: WrittenSecret) -> str:
    return (secret.resource.get("inputs") or {}).get("namespace") or ""


QUERY = VersionQuery("vault:kv/secretV2:SecretV2", owns, current_version, remedy)
