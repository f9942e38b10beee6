"""An encryption key that the stack never has: where the pods take it from."""

from __future__ import annotations

from pydantic import SecretStr

from .model import Settings

SECRET_NAME = "kestra-encryption-key"  # noqa: S105 - the name of a Secret
SECRET_KEY = "secret-key"  # noqa: S105 - of its data
VARIABLE = "EXTERNAL_ENCRYPTION_KEY"
PLACEHOLDER = f"${{{VARIABLE}}}"


def with_external_key(settings: Settings) -> Settings:
    """The settings in which Kestra takes an external encryption key from a variable of a Secret that others write."""
    if not settings.encryption.external or settings.encryption.secret_key is not None:
        return settings
    reference = {"secretKeyRef": {"name": SECRET_NAME, "key": SECRET_KEY}}
    variable = {"name": VARIABLE, "valueFrom": reference}
    deployment = settings.deployment
    # One of the settings' own may take it from another Secret.
    own = [one for one in deployment.extra_env if one.get("name") == VARIABLE]
    return settings.model_copy(
        update={
            "encryption": settings.encryption.model_copy(
                update={"secret_key": SecretStr(PLACEHOLDER)}
            ),
            "deployment": deployment.model_copy(
                update={"extra_env": (*deployment.extra_env, *(() if own else (variable,)))}
            ),
        }
    )


def has_external_key(settings: Settings) -> bool:
    """Whether others make the encryption key, and this stack keeps its place in the secret manager only."""
    key = settings.encryption.secret_key
    return settings.encryption.external and (key is None or key.get_secret_value() == PLACEHOLDER)
