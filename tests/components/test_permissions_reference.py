"""The pages say what Kestra may do, from the data that its policies come from."""

from __future__ import annotations

from components.backends.aws import permissions as aws_permissions
from components.backends.azure import permissions as azure_permissions
from components.backends.gcp import permissions as gcp_permissions
from components.backends.vault import permissions as vault_permissions
from components.storage.aws import permissions as s3_permissions
from components.storage.azure import permissions as blob_permissions
from components.storage.gcp import permissions as gcs_permissions
from docsgen.permissions import deployers, files, filled, managers, places, storages, table

PAGES = {file.name: file.read_text() for file in files()}


def test_each_table_stands_in_exactly_one_page() -> None:
    assert sorted(m for page in PAGES.values() for m in places(page)) == sorted(
        (*managers(), *storages(), *deployers())
    )


def test_a_page_whose_table_says_less_is_rewritten() -> None:
    page = PAGES["vault.md"]
    lines = page.splitlines(keepends=True)
    lines.remove(next(line for line in lines if line.startswith("| managed |")))
    assert "".join(lines) != page
    assert filled("".join(lines)) == page


def test_the_tables_hold_all_that_the_policies_allow() -> None:
    for manager, permissions in aws_permissions.PERMISSIONS.items():
        for action in (a for p in permissions for a in p.actions):
            assert f"`{action}`" in table(manager)
    for permission in s3_permissions.PERMISSIONS:
        for action in permission.actions:
            assert f"`{action}`" in table("storage-aws")
    for of_bucket in gcs_permissions.GRANTS:
        for item in of_bucket.permissions:
            assert f"`{item}`" in table("storage-gcp")
    for operation in blob_permissions.PERMISSIONS:
        assert f"`{operation.action}`" in table("storage-azure")
    for role in azure_permissions.ROLES.values():
        for permission in role.permissions:
            assert f"`{permission.action}`" in table("azure-key-vault")
    for grant in (*gcp_permissions.READ_ONLY, *gcp_permissions.MANAGED):
        for item in (grant.role, *grant.permissions):
            assert not item or f"`{item}`" in table("google-secret-manager")
    for mode, permissions in vault_permissions.PERMISSIONS.items():
        for p in permissions:
            said = ", ".join(f"`{c}`" for c in p.capabilities)
            word = "<secret>" if p.extent == "secret" else "<folder>"
            path = p.on("<root-engine>", word)
            assert f"| {mode} | {said} | `{path}` | {p.reason} |" in table("vault")
