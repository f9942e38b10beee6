"""What is provisioned in a cloud: the blocks of the chosen manager."""

from __future__ import annotations

from collections.abc import Iterator

from ...backends.registry import all_backends, clouds
from ...settings.findings import Finding
from ...settings.model import Settings
from ...storage.registry import all_storages, storage_of


def blocks(s: Settings) -> Iterator[Finding]:
    """Blocks of another cloud than the secret manager's, which would do nothing."""
    types: dict[str, list[str]] = {}
    for backend in all_backends():
        types.setdefault(backend.cloud, []).append(backend.type)
    storage = storage_of(s)
    if s.storage_bucket is not None and storage is None:
        return  # It has no storage that it belongs to, which is said at its own place.
    storages = {one.cloud: one.type for one in all_storages()}
    for cloud in set(types) - {"", *clouds(s)}:
        # Of a stack of secrets alone no identity has an effect, which is said at its own place.
        for section in ("store",) if s.is_secrets_alone else ("store", "identity"):
            is_of_storage = section == "identity" and storage is not None and cloud == storage.cloud
            if cloud in getattr(s, section).model_fields_set and not is_of_storage:
                setting = "kestra:secret.type" if s.is_enterprise else "kestra:store.type"
                yield Finding(
                    (section, cloud),
                    "has no secret manager that it belongs to",
                    f"it works with {setting} {' or '.join(types[cloud])}"
                    + (
                        f", or with kestra:storage-bucket and kestra:storage.type {storages[cloud]}"
                        if section == "identity" and cloud in storages
                        else ""
                    ),
                    f"remove it, or change {setting}",
                    kind="missing",
                    sections=("storage", "storage-bucket") if section == "identity" else (),
                )
