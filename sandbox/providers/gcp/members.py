"""Members of policies, by inputs only. Each is added by itself; others of the same policy stay."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import ClassVar

from sandbox.providers.gcp.api import GoogleError
from sandbox.providers.gcp.resource import Google, Recorded
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties

_MEMBER = re.compile(
    r"(?:serviceAccount|user|group|domain|deleted|principal|principalSet|projectOwner|projectEditor|"
    r"projectViewer):.+|allUsers|allAuthenticatedUsers"
)


class Member(Recorded):
    """A member of the policy of one resource."""

    noun = "IAM Member"
    defaults: ClassVar[Properties] = {}
    target: str
    what: str

    def check(self, p: Properties) -> Failures:
        member = p.get("member")
        if isinstance(member, str) and not _MEMBER.fullmatch(member):
            return [
                (
                    "member",
                    "invalid value for member (IAM members must have one of the values outlined here: "
                    "https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding)",
                )
            ]
        role = p.get("role")
        if isinstance(role, str) and not re.match(r"(?:projects/|organizations/|roles/)", role):
            return [("role", 'invalid value for role (a role begins with "roles/" or "projects/")')]
        return []

    def resource(self, g: Google, p: Properties) -> str:
        """The whole name of what the policy is of."""
        return p[self.target]

    def id(self, g: Google, p: Properties) -> str:
        condition = p.get("condition") or {}
        parts = [self.resource(g, p), p["role"], p["member"]]
        if condition:
            parts += [condition.get(k) or "" for k in ("title", "description", "expression")]
        return "/".join(parts)

    def create(self, g: Google, p: Properties) -> tuple[str, Properties]:
        resource = self.resource(g, p)
        self._refuse(g, p, resource)
        # To add who is there already changes nothing.
        g.store.remove(self.id(g, p))
        return super().create(g, p)

    def read(self, g: Google, id_: str, p: Properties) -> Properties | None:
        return super().read(g, id_, p) if self.there(g, self.resource(g, p)) else None

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        etag = base64.b64encode(hashlib.sha256(id_.encode()).digest()[:9]).decode()
        return super().record(g, id_, p) | {self.target: self.resource(g, p), "etag": etag}

    def there(self, g: Google, resource: str) -> bool:
        """Whether what the policy is of exists."""
        return True

    def parse(self, g: Google, id_: str) -> Properties:
        parts = id_.split(" ")
        if len(parts) not in (3, 4):
            raise ProviderError(
                f"Wrong number of parts to Member id [{id_}]; expected 'resource_name role member "
                "[condition_title]'"
            )
        properties = dict(zip((self.target, "role", "member"), parts, strict=False))
        if len(parts) == 4:
            beginning = "/".join([self.resource(g, properties), *parts[1:3], parts[3], ""])
            with g.store.open() as objects:
                for key, kept in objects.items():
                    if key.startswith(beginning):
                        properties["condition"] = kept["condition"]
        return properties

    def _refuse(self, g: Google, p: Properties, resource: str) -> None:
        if not self.there(g, resource):
            words = GoogleError(404, f"{resource} not found.")
            raise ProviderError(
                f'Error retrieving IAM policy for {self.what} "{resource}": {words}'
            )
        account = re.fullmatch(
            r"serviceAccount:([^@]+@([^.]+)\.iam\.gserviceaccount\.com)", p["member"]
        )
        if account and account[2] == g.project:
            # Only those of the provider's project are all known here.
            id_ = f"projects/{account[2]}/serviceAccounts/{account[1]}"
            if g.store.get(id_) is None:
                words = GoogleError(400, f"Service account {account[1]} does not exist.")
                raise ProviderError(
                    f'Error applying IAM policy for {self.what} "{resource}": {words}'
                )


class SecretMember(Member):
    """Of a secret's policy."""

    target, what = "secretId", "secretmanager secret"
    links = frozenset({"secretId"})

    def resource(self, g: Google, p: Properties) -> str:
        secret = p["secretId"]
        return secret if "/" in secret else f"projects/{g.of(p)}/secrets/{secret}"

    def there(self, g: Google, resource: str) -> bool:
        return g.secrets.find(resource) is not None

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        created = super().record(g, id_, p)
        return created | {"project": created["secretId"].split("/")[1]}


class KeyMember(Member):
    """Of a key's policy."""

    target, what = "cryptoKeyId", "KMS CryptoKey"

    def there(self, g: Google, resource: str) -> bool:
        return resource.split("/")[1] != g.project or g.store.get(resource) is not None


class AccountMember(Member):
    """Of a service account's policy: who may act as it."""

    target, what = "serviceAccountId", "service account"

    def there(self, g: Google, resource: str) -> bool:
        return resource.split("/")[1] != g.project or g.store.get(resource) is not None


class ProjectMember(Member):
    """Of a project's policy."""

    target, what = "project", "project"
    computed: frozenset[str] = frozenset()
