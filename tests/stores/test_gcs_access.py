"""What Kestra's pods may do in Google Cloud Storage, request by request, computed from the bindings that a stack makes."""

from __future__ import annotations

from functools import cache

import pytest

from components.storage.gcp.permissions import GRANTS
from tests.components.recording_support import run
from tests.components.test_storage_gcp import MAIL, NAME, PROJECT, bucket, storage
from tests.settings.malformed_fixtures import oss
from tests.stores.gcp_iam_support import Binding, bindings

KESTRA = f"serviceAccount:{MAIL}"
B = f"projects/_/buckets/{NAME}"
FILE, NEXT = f"{B}/objects/kestra/main/file.ion", f"{B}/objects/kestra-b/main/file.ion"
ROOT, OTHER = f"{B}/objects/main/file.ion", "projects/_/buckets/files-of-others"
KEY = "storage-key-id"

# permission (below storage. unless it names its service), resource, prefix of a list, allowed with a path, without one
REQUESTS: list[tuple[str, str, str, bool, bool]] = [
    ("objects.get", FILE, "", True, True),
    ("objects.create", FILE, "", True, True),
    ("objects.delete", FILE, "", True, True),
    ("objects.create", f"{B}/objects/kestra/", "", True, True),
    ("objects.list", B, "kestra/main/", True, True),
    ("objects.list", B, "kestra/", True, True),
    # the whole bucket
    ("objects.list", B, "", False, True),
    ("objects.list", B, "main/", False, True),
    ("objects.get", ROOT, "", False, True),
    ("objects.create", ROOT, "", False, True),
    ("objects.delete", ROOT, "", False, True),
    # another stack in the bucket
    ("objects.get", NEXT, "", False, True),
    ("objects.create", NEXT, "", False, True),
    ("objects.delete", NEXT, "", False, True),
    ("objects.list", B, "kestra-b/", False, True),
    ("objects.list", B, "kestra", False, True),
    ("objects.get", f"{B}/objects/team/kestra/file.ion", "", False, True),
    ("objects.get", NEXT, "kestra/", False, True),
    # another bucket
    ("objects.get", f"{OTHER}/objects/kestra/main/file.ion", "", False, False),
    ("objects.create", f"{OTHER}/objects/kestra/main/file.ion", "", False, False),
    ("objects.list", OTHER, "kestra/", False, False),
    ("objects.get", f"{B}-b/objects/kestra/main/file.ion", "", False, False),
    # what Kestra never asks for
    ("objects.update", FILE, "", False, False),
    ("objects.getIamPolicy", FILE, "", False, False),
    ("objects.setIamPolicy", FILE, "", False, False),
    ("objects.setRetention", FILE, "", False, False),
    ("objects.overrideUnlockedRetention", FILE, "", False, False),
    ("objects.restore", FILE, "", False, False),
    ("objects.createContext", FILE, "", False, False),
    ("folders.create", B, "", False, False),
    ("managedFolders.create", B, "", False, False),
    ("multipartUploads.list", B, "", False, False),
    ("hmacKeys.create", f"projects/{PROJECT}", "", False, False),
    # the bucket itself
    ("buckets.get", B, "", False, False),
    ("buckets.update", B, "", False, False),
    ("buckets.delete", B, "", False, False),
    ("buckets.create", f"projects/{PROJECT}", "", False, False),
    ("buckets.list", f"projects/{PROJECT}", "", False, False),
    ("buckets.getIamPolicy", B, "", False, False),
    ("buckets.setIamPolicy", B, "", False, False),
    ("buckets.enableObjectRetention", B, "", False, False),
    # keys: Cloud Storage decrypts, Kestra does not
    ("cloudkms.cryptoKeyVersions.useToDecrypt", KEY, "", False, False),
    ("cloudkms.cryptoKeyVersions.useToEncrypt", KEY, "", False, False),
    # nothing else in the project
    ("secretmanager.versions.access", f"projects/{PROJECT}/secrets/kestra-A/versions/1", "", False, False),
    ("iam.serviceAccounts.getAccessToken", f"projects/{PROJECT}/serviceAccounts/{MAIL}", "", False, False),
    ("resourcemanager.projects.setIamPolicy", f"projects/{PROJECT}", "", False, False),
]  # fmt: skip


@cache
def _bindings(*, path: bool) -> tuple[Binding, ...]:
    document = bucket(oss(), storage=storage(path="kestra")) if path else bucket(oss())
    return tuple(bindings(run(document)))


def _may(permission: str, resource: str, prefix: str, *, path: bool) -> bool:
    other = ("cloudkms.", "iam.", "resourcemanager.", "secretmanager.")
    full = permission if permission.startswith(other) else f"storage.{permission}"
    return any(one.allows(KESTRA, full, resource, prefix) for one in _bindings(path=path))


@pytest.mark.parametrize("path", [True, False], ids=["a folder", "the whole bucket"])
def test_each_request_is_allowed_or_denied_as_the_table_says(path: bool) -> None:
    assert len(REQUESTS) >= 40
    wrong = [
        (permission, resource, prefix)
        for permission, resource, prefix, below, whole in REQUESTS
        if _may(permission, resource, prefix, path=path) != (below if path else whole)
    ]
    assert wrong == []


def test_nobody_else_is_given_anything() -> None:
    members = {one.member for one in _bindings(path=True)}
    own = {m for m in members if m != KESTRA}
    # The pod, which may act as the account, and Cloud Storage's own account, which uses the key.
    assert {m.partition(":")[0] for m in own} == {"serviceAccount"}
    assert len(own) == 2


def test_the_permissions_are_those_of_the_requests_that_kestra_makes() -> None:
    # kestra-io/storage-gcs, GcsStorage.java: get, list, create, writer, copy, and deletes in batches.
    assert {p for grant in GRANTS for p in grant.permissions} == {
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.get",
        "storage.objects.list",
    }
