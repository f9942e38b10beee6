"""The provider: checks, differences and life cycle of the resources, with secrets marked."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from sandbox.providers.bridge import (
    DEFAULTS,
    asked,
    automatic,
    checked,
    is_named,
    read_back,
    unknown_outputs,
)
from sandbox.providers.gcp.api import REQUEST_SECONDS
from sandbox.providers.gcp.keys import CryptoKey, KeyRing
from sandbox.providers.gcp.labels import labels_wanted
from sandbox.providers.gcp.members import AccountMember, KeyMember, ProjectMember, SecretMember
from sandbox.providers.gcp.projects import Account, IAMCustomRole, Service, ServiceIdentity
from sandbox.providers.gcp.resource import Google, Resource, number
from sandbox.providers.gcp.secrets import Secret as GoogleSecret
from sandbox.providers.gcp.secrets import SecretVersion
from sandbox.providers.inputs import Schemas
from sandbox.providers.recorded import Store, changes
from sandbox.providers.server import Begun, Diff, Engine, ProviderError, take_urn
from sandbox.providers.values import has_unknown, plain

STATE = "KESTRA_SANDBOX_GCP_STATE"
"""Names the file in which is kept what has no server."""
_PROJECT = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
_ATTRIBUTION = {"goog-pulumi-provisioned": "true"}

RESOURCES: dict[str, Resource] = {
    "gcp:secretmanager/secret:Secret": GoogleSecret(),
    "gcp:secretmanager/secretVersion:SecretVersion": SecretVersion(),
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
}


class GcpPlugin:
    """The provider. It needs no credentials, for it never calls Google."""

    version = "10.2.0"

    def __init__(self) -> None:
        self._schemas = Schemas(Path(__file__).with_name("schema.json"))
        self._google: Google | None = None

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        store = Store.named_by(STATE)
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

    @property
    def google(self) -> Google:
        """What the provider is configured with."""
        assert self._google is not None
        return self._google

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        filled = {k: v for k, v in resource.defaults.items() if news.get(k) is None}
        if (named := resource.named) and news.get(named) is None:
            filled[named] = automatic(olds, named, name, resource.separator)
        inputs = news | filled
        return inputs | {DEFAULTS: sorted(filled)}, checked(schema, resource.check, name, inputs)

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        before, after = plain(olds), plain(news)
        changed: set[str] = set()
        for name in schema.inputs:
            old, new = before.get(name), after.get(name)
            if name.endswith("Wo") or (new is None and name in resource.computed):
                continue
            if name in resource.sets and not has_unknown(new):
                old, new = sorted(old or []), sorted(new or [])
            changed |= changes(old, new, lambda a, b, n=name: resource.same(n, a, b), name)
        if resource.labelled and not has_unknown(after.get("labels")):
            wanted = labels_wanted(self.google, after)
            if wanted != (before.get("pulumiLabels") or {}):
                changed.add("pulumiLabels")
        replacing = {path for path in changed if schema.replaces(path)}
        named = resource.named
        taken = is_named(schema, after, named or "") and before.get(named) == after.get(named)
        return Diff(changed, replacing, delete_first=taken)

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        take_urn(news)
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        known = asked(news)
        if preview:
            return "", schema.mark(known, known) | unknown_outputs(schema, known, resource.computed)
        try:
            id_, outputs = resource.create(self.google, plain(known))
        except Begun as error:
            raise error.kept(lambda outputs: schema.mark(outputs, known)) from None
        return id_, schema.mark(outputs, known)

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        before = plain(olds)
        if not olds:
            before = {**resource.defaults, **resource.parse(self.google, id_)}
            id_ = resource.id(self.google, {"name": id_} | before)
        outputs = resource.read(self.google, id_, before)
        if outputs is None:
            return None
        return read_back(schema, id_, inputs, olds, outputs, resource.computed)

    def update(
        self,
        type_: str,
        id_: str,
        old_inputs: dict[str, Any],
        olds: dict[str, Any],
        news: dict[str, Any],
        preview: bool,
        timeout: float,
    ) -> dict[str, Any]:
        take_urn(news)
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        known = asked(news)
        # What Google filled in stays known to the resource; what nobody sets any more does not.
        filled = {
            k: v
            for k, v in olds.items()
            if k not in schema.inputs or k in resource.computed
            if k not in ("pulumiLabels", "effectiveLabels")
        }
        if preview:
            return filled | schema.mark(known, known)
        wanted = plain(filled) | plain(known)
        outputs = resource.update(self.google, id_, wanted, plain(olds))
        return schema.mark(outputs, known)

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        take_urn(olds)
        before = plain(olds)
        policy = before.get("deletionPolicy")
        if policy == "PREVENT":
            raise ProviderError(
                f"cannot destroy {id_} while its deletion_policy is PREVENT; set it to DELETE and run "
                "`pulumi up` first"
            )
        if policy != "ABANDON":
            RESOURCES[type_].delete(self.google, id_, before)

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]:
        if token != "gcp:organizations/getProject:getProject":  # noqa: S105 - a function's name
            raise ProviderError(
                f"{token} is not known to this stand-in; install the official plugin to use it"
            )
        project = self.google.of({"project": args.get("projectId")})
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


def _seconds(duration: Any) -> float:
    """Of Go's `90s` or `2m`; the default of the provider where it is neither."""
    found = re.fullmatch(r"(\d+)(s|m)", str(duration or ""))
    return float(found[1]) * (60 if found[2] == "m" else 1) if found else REQUEST_SECONDS


def _decoded(value: Any) -> Any:
    """The engine hands on whatever is not text as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
