"""`kestra.secret.vault`: the block as Kestra takes it."""

from __future__ import annotations

from ...rendering.leaves import GeneratedValueRef, Node
from ...settings.managers import VaultAppRole, VaultKubernetes

_METHODS = ("password", "token", "app-role", "kubernetes")
# Kestra has no defaults for these; they are those of the settings, which the provisioning uses too.
_KUBERNETES: dict[str, Node] = {
    name: VaultKubernetes.model_fields[name].default for name in ("path", "role")
}
_APP_ROLE_PATH: str = VaultAppRole.model_fields["path"].default


def rendered(block: dict[str, Node], read_only: Node | None) -> dict[str, Node]:
    """The block with its auth method, and with the mode, since sources differ on where Kestra reads that."""
    out = dict(block)
    if read_only is not None:
        out.setdefault("read-only", read_only)
    for method in _METHODS:
        if method in out:
            chosen = out[method]
            out[method] = _log_in(method, dict(chosen) if isinstance(chosen, dict) else {})
    return out


def _log_in(method: str, block: dict[str, Node]) -> Node:
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
