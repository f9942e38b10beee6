"""What to do when a name in Vault is taken."""

from __future__ import annotations

from ...safeguards.failed_resource import ConflictHint, FailedResource


def _vault_path(failed: FailedResource) -> tuple[str, str, str]:
    path = failed.input_text("path") or failed.input_text("type")
    noun, setting = {
        "vault:index/mount:Mount": ("a secrets engine", "kestra:secret.vault.root-engine"),
        "vault:index/authBackend:AuthBackend": (
            "an auth method",
            "kestra:secret.vault.kubernetes.path or .app-role.path",
        ),
    }.get(failed.type, ("an audit device", "kestra:deployment.namespace"))
    own = (
        " To use an engine that another owner keeps, set kestra:identity.vault.mount-engine to false."
        if noun == "a secrets engine"
        else ""
    )
    return (
        f"Vault has {noun} at {path} already, and this stack did not make it.",
        failed.import_command(path),
        f"choose another path ({setting}).{own}",
    )


def _audit_file(failed: FailedResource) -> tuple[str, str, str]:
    return (
        "Vault has an audit device with this file already, and this stack did not make it. `vault audit list -detailed` "
        "shows its path.",
        failed.import_command("<path>"),
        "leave kestra:identity.vault.audit-file out, since the device that is there has every request of this stack "
        "too; or name another file there.",
    )


#: The first one that fits counts.
HINTS: tuple[ConflictHint, ...] = (
    ConflictHint(r"^vault:index/audit:", r"file_path already in use", _audit_file),
    ConflictHint(
        r"^vault:", r"path is already in use|already in use at|path already in use", _vault_path
    ),
)
