"""The provider for Google Cloud: its project, its labels, and what may be deleted."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from sandbox.providers.gcp.api import REQUEST_SECONDS
from sandbox.providers.gcp.buckets import Bucket, BucketMember, service_account
from sandbox.providers.gcp.keys import CryptoKey, KeyRing
from sandbox.providers.gcp.labels import labels_wanted
from sandbox.providers.gcp.members import AccountMember, KeyMember, ProjectMember, SecretMember
from sandbox.providers.gcp.projects import Account, IAMCustomRole, Service, ServiceIdentity
from sandbox.providers.gcp.resource import Google, GoogleResource, number
from sandbox.providers.gcp.secrets import GoogleSecret, GoogleSecretVersion
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects
from sandbox.providers.runtime.provider import Engine, Urn
from sandbox.providers.runtime.schema_provider import SchemaProvider
from sandbox.providers.runtime.schemas import ResourceSchema
from sandbox.providers.runtime.values import Properties, has_unknown

STATE = "KESTRA_SANDBOX_GCP_STATE"
"""Names the file in which is kept what has no server."""
_PROJECT = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
_ATTRIBUTION = {"goog-pulumi-provisioned": "true"}

RESOURCES: dict[str, GoogleResource] = {
    "gcp:secretmanager/secret:Secret": GoogleSecret(),
    "gcp:secretmanager/secretVersion:SecretVersion": GoogleSecretVersion(),
    "gcp:secretmanager/secretIamMember:SecretIamMember": SecretMember(),
    "gcp:kms/keyRing:KeyRing": KeyRing(),
    "gcp:kms/cryptoKey:CryptoKey": CryptoKey(),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": KeyMember(),
    "gcp:serviceaccount/account:Account": Account(),
    "gcp:serviceaccount/iAMMember:IAMMember": AccountMember(),
    "gcp:projects/iAMMember:IAMMember": ProjectMember(),
    "gcp:projects/iAMCustomRole:IAMCustomRole": IAMCustomRole(),
    "gcp:projects/service:Service": Service(),
    "gcp:projects/serviceIdentity:ServiceIdentity": ServiceIdentity(),
    "gcp:storage/bucket:Bucket": Bucket(),
    "gcp:storage/bucketIAMMember:BucketIAMMember": BucketMember(),
}


def _project(google: Google, args: Properties) -> Properties:
    """What is known of a project."""
    project = google.of({"project": args.get("projectId")})
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "name": project,
        "number": number(project),
        "autoCreateNetwork": False,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": {},
        "folderId": "",
        "labels": {},
        "orgId": "",
        "pulumiLabels": {},
        "tags": {},
    }


class GoogleProvider(SchemaProvider[Google, GoogleResource]):
    """The provider. It needs no credentials, for it never calls Google."""

    version = "10.2.0"
    types = RESOURCES
    functions = {  # noqa: RUF012
        "gcp:organizations/getProject:getProject": _project,
        "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": service_account,
    }

    def __init__(self) -> None:
        super().__init__()
        self._google: Google | None = None

    def configure(self, config: Properties, engine: Engine) -> None:
        store = FileBackedObjects.named_by(STATE)
        project = config.get("project") or next(
            (os.environ[n] for n in _PROJECT if os.environ.get(n)), None
        )
        labels = _decoded(config.get("defaultLabels")) or {}
        if _decoded(config.get("addPulumiAttributionLabel")) is not False:
            labels = _ATTRIBUTION | labels
        endpoint = config.get("secretManagerCustomEndpoint") or os.environ.get(
            "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT"
        )
        self._google = Google(
            store, project, labels, endpoint, _seconds(config.get("requestTimeout"))
        )

    def connect(self, p: Properties) -> Google:
        assert self._google is not None
        return self._google

    def settings_changes(
        self, schema: ResourceSchema, kind: GoogleResource, before: Properties, after: Properties
    ) -> set[str]:
        if not kind.labelled or has_unknown(after.get("labels")):
            return set()
        labels = labels_wanted(self.connect(after), after)
        return {"pulumiLabels"} if labels != (before.get("pulumiLabels") or {}) else set()

    def delete(self, urn: Urn, id_: str, olds: Properties, timeout: float = 0) -> None:
        policy = olds.get("deletionPolicy")
        if policy == "PREVENT":
            raise ProviderError(
                f"cannot destroy {id_} while its deletion_policy is PREVENT; set it to DELETE and run "
                "`pulumi up` first"
            )
        if policy != "ABANDON":
            super().delete(urn, id_, olds, timeout)


def _seconds(duration: Any) -> float:
    """Of Go's `90s` or `2m`; the default of the provider where it is neither."""
    parts = re.fullmatch(r"(\d+)(s|m)", str(duration or ""))
    return float(parts[1]) * (60 if parts[2] == "m" else 1) if parts else REQUEST_SECONDS


def _decoded(value: Any) -> Any:
    """The engine hands on whatever is not text as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
