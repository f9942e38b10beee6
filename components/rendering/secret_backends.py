"""``kestra.secret``: the block of one backend in the shape that the backend takes."""

from __future__ import annotations

from collections.abc import Iterable

from components.settings.managers import VaultAppRole, VaultKubernetes

from .leaves import GeneratedValueRef, Node

_VAULT_AUTH = ("password", "token", "app-role", "kubernetes")
# Kestra has no defaults for these; they are those of the settings, which the provisioning uses too.
_KUBERNETES: dict[str, Node] = {
    name: VaultKubernetes.model_fields[name].default for name in ("path", "role")
}
_APP_ROLE_PATH: str = VaultAppRole.model_fields["path"].default


#: Beginnings of keys that a store or an identity provides, not the generator.
PROVIDED = ("secret.vault.", "secret.azure-key-vault.", "secret.aws-ssm-parameter-store.")


def secret(settings: dict[str, Node], provided: Iterable[str] = ()) -> dict[str, Node]:
    """The ``secret`` settings as Kestra's ``kestra.secret`` block.

    Only the block of ``type`` is rendered. What the stack provides (see the settings reference)
    appears as :class:`GeneratedValueRef`; ``provided`` names what its cloud provides, keys of the block.
    """
    kind = str(settings["type"])
    block = settings.get(kind)
    backend: dict[str, Node] = dict(block) if isinstance(block, dict) else {}
    if kind in ("jdbc", "elasticsearch"):
        # A word for this project's checks, unknown to Kestra.
        backend.pop("existing", None)
        backend.setdefault("secret", GeneratedValueRef(f"secret.{kind}.secret"))
    for name in provided:
        backend.setdefault(name, GeneratedValueRef(f"secret.{kind}.{name}"))
    if kind == "vault":
        backend = _vault(backend, settings.get("read-only"))
    out: dict[str, Node] = {"type": kind}
    if "read-only" in settings or backend.get("read-only") is not None:
        # For Vault the documentation names both places; the same value stands in both.
        out["read-only"] = settings.get("read-only", backend.get("read-only", False))
    if backend:
        out[kind] = backend
    out |= {key: settings[key] for key in ("cache", "isolation") if key in settings}
    return out


def _vault(backend: dict[str, Node], read_only: Node | None) -> dict[str, Node]:
    out = dict(backend)
    if read_only is not None:
        out.setdefault("read-only", read_only)
    for method in _VAULT_AUTH:
        if method not in out:
            continue
        login = out[method]
        out[method] = _vault_auth(method, dict(login) if isinstance(login, dict) else {})
    return out


def _vault_auth(method: str, block: dict[str, Node]) -> Node:
    if method == "kubernetes":
        return _KUBERNETES | block
    if method == "app-role":
        return {
            "path": _APP_ROLE_PATH,
            "role-id": GeneratedValueRef("secret.vault.app-role.role-id"),
            "secret-id": GeneratedValueRef("secret.vault.app-role.secret-id"),
        } | block
    if method == "token":
        return {"token": GeneratedValueRef("secret.vault.token.token")} | block
    return block | {
        "password": block.get("password", GeneratedValueRef("secret.vault.password.password"))
    }
