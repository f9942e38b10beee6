"""The external encryption key: made or given once, never overwritten, and brought to the cluster."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess

from .. import COMMAND
from ..backends.answers import SECONDS, UnansweredError, own_words
from ..backends.external_values import ENCRYPTION_KEY, ExternalValues
from ..safeguards.irreversible_changes import fingerprint
from ..settings import Settings
from ..settings.external_key import SECRET_KEY, SECRET_NAME
from ..validation.rules.keys import CIPHERS, decoded_size


def refusal_to_write(settings: Settings, values: ExternalValues, key: str | None) -> str:
    """Why a key is not put into the secret manager; empty where it may be.

    Args:
        settings: of the stack.
        values: of the manager.
        key: the key; None: one is to be made. Secret.

    Raises:
        UnansweredError: the manager cannot be asked.
    """
    block = settings.encryption
    current = values.version(ENCRYPTION_KEY)
    if current.number:
        return (
            f"There is a key already, version {current.number}: Kestra has one key and no re-encryption, and could "
            "never again read what it encrypted with that one. docs/rotation.md says what another key costs."
        )
    if key is None:
        if block.existing or block.fingerprint:
            word = "existing" if block.existing else f"fingerprint {block.fingerprint}"
            return (
                f"kestra:encryption has {word}: there was a key, and none is made in its place. Put it there with "
                f"`{COMMAND} secret set {ENCRYPTION_KEY}`."
            )
        return ""
    size = decoded_size(key)
    if size != 32 and not (block.existing and size in CIPHERS):
        return (
            "This is no key: Kestra takes base64 of exactly 32 bytes (`openssl rand -base64 32`)."
        )
    if block.fingerprint and fingerprint(key) != block.fingerprint:
        return (
            f"This is another key: its fingerprint is {fingerprint(key)}, that of kestra:encryption.fingerprint is "
            f"{block.fingerprint}."
        )
    return ""


def new_key() -> str:
    """Base64 of 32 random bytes. Secret."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def next_steps(key: str, stack: str) -> str:
    """What is left to do once the key is in the secret manager; the fingerprint tells nothing of it."""
    return (
        f"Its fingerprint is {fingerprint(key)}. Next:\n"
        f"  pulumi config set --stack {stack} --path kestra:encryption.fingerprint {fingerprint(key)}\n"
        f"  {COMMAND} secret copy {ENCRYPTION_KEY} --to-cluster --stack {stack}"
    )


def write_to_cluster(settings: Settings, key: str, context: str | None) -> str:
    """Makes the Secret that the pods take the key from, by kubectl, which reads it from standard input.

    Args:
        settings: of the stack.
        key: the key. Secret.
        context: of kubectl; None: the current one.

    Returns:
        What was done.

    Raises:
        UnansweredError: it is another key than the settings say, or kubectl failed.
    """
    known = settings.encryption.fingerprint
    if known and fingerprint(key) != known:
        raise UnansweredError(
            f"The key in the secret manager has the fingerprint {fingerprint(key)}, kestra:encryption.fingerprint is "
            f"{known}: nothing was written to the cluster."
        )
    namespace = settings.deployment.namespace
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET_NAME, "namespace": namespace},
        "type": "Opaque",
        "immutable": True,
        "stringData": {SECRET_KEY: key},
    }
    command = ["kubectl", *(["--context", context] if context else []), "create", "-f", "-"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(manifest),
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise UnansweredError("`kubectl` is not installed, or does not answer.") from None
    if done.returncode:
        words = own_words(done.stderr, (key, base64.b64encode(key.encode()).decode()))
        raise UnansweredError(f"`kubectl create` failed: {words}")
    return (
        f"Secret {SECRET_NAME} in namespace {namespace} has the key; pods that wait for it start."
    )
