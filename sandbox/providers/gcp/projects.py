"""Accounts, roles and services of a project, by inputs only."""

from __future__ import annotations

import hashlib
import re
from typing import ClassVar

from sandbox.providers.gcp.resource import Google, Recorded, ids, number
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties

_ACCOUNT = r"^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$"
_ROLE = r"^[a-zA-Z0-9_\.]{3,64}$"


def service_agent(service: str, project_number: str) -> str:
    """The address of a service's own account in a project."""
    name = service.removesuffix(".googleapis.com")
    short = {"compute": "compute-system", "container": "container-engine-robot"}
    return f"service-{project_number}@{short.get(name, f'gcp-sa-{name}')}.iam.gserviceaccount.com"


class Account(Recorded):
    """A service account."""

    noun = "service account"
    named = "accountId"
    defaults: ClassVar[Properties] = {"deletionPolicy": "DELETE", "disabled": False}

    def check(self, p: Properties) -> Failures:
        account = p.get("accountId")
        if isinstance(account, str) and not re.search(_ACCOUNT, account):
            return [("accountId", f'"account_id" ({account!r}) doesn\'t match regexp "{_ACCOUNT}"')]
        return []

    def id(self, g: Google, p: Properties) -> str:
        return f"projects/{g.of(p)}/serviceAccounts/{self._email(g, p)}"

    def taken(self, id_: str) -> str:
        account = id_.rsplit("/", 1)[-1].partition("@")[0]
        return f"Service account {account} already exists within project {'/'.join(id_.split('/')[:2])}."

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        email = self._email(g, p)
        return super().record(g, id_, p) | {
            "project": g.of(p),
            "email": email,
            "member": f"serviceAccount:{email}",
            "name": id_,
            "uniqueId": str(10**20 + int(hashlib.sha256(id_.encode()).hexdigest(), 16) % 10**20),
        }

    def parse(self, g: Google, id_: str) -> Properties:
        parts = ids("projects/{project}/serviceAccounts/{account}@[^/]+", id_)
        return {"project": parts["project"], "accountId": parts["account"]}

    def _email(self, g: Google, p: Properties) -> str:
        return f"{p['accountId']}@{g.of(p)}.iam.gserviceaccount.com"


class IAMCustomRole(Recorded):
    """A role of the project's own. A deleted one keeps its name for a week and comes back when it is made again."""

    noun = "Custom Project Role"
    named = "roleId"
    separator = ""
    sets = frozenset({"permissions"})
    defaults: ClassVar[Properties] = {"deletionPolicy": "DELETE", "stage": "GA"}

    def check(self, p: Properties) -> Failures:
        role = p.get("roleId")
        if isinstance(role, str) and not re.search(_ROLE, role):
            return [("roleId", f'"role_id" ({role!r}) doesn\'t match regexp "{_ROLE}"')]
        return []

    def id(self, g: Google, p: Properties) -> str:
        return f"projects/{g.of(p)}/roles/{p['roleId']}"

    def create(self, g: Google, p: Properties) -> tuple[str, Properties]:
        id_ = self.id(g, p)
        with g.store.open() as objects:
            if objects.get(id_, {}).get("deleted"):
                del objects[id_]
            elif id_ in objects:
                raise ProviderError(
                    f"Custom project role {id_} already exists and must be imported"
                )
        return super().create(g, p)

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        return super().record(g, id_, p) | {"project": g.of(p), "name": id_, "deleted": False}

    def gone(self, kept: Properties) -> bool:
        return kept["deleted"]

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        with g.store.open() as objects:
            if id_ in objects:
                objects[id_]["deleted"] = True

    def parse(self, g: Google, id_: str) -> Properties:
        parts = ids("projects/{project}/roles/{role_id}", id_)
        return {"project": parts["project"], "roleId": parts["role_id"]}


class Service(Recorded):
    """An API that the project may use."""

    noun = "service"

    def id(self, g: Google, p: Properties) -> str:
        return f"{g.of(p)}/{p['service']}"

    def create(self, g: Google, p: Properties) -> tuple[str, Properties]:
        # To enable what is enabled is no error.
        g.store.remove(self.id(g, p))
        return super().create(g, p)

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        return {"project": g.of(p), "service": p["service"]}

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        if p.get("disableOnDestroy"):
            super().delete(g, id_, p)

    def parse(self, g: Google, id_: str) -> Properties:
        return ids("{project}/{service}", id_)


class ServiceIdentity(Recorded):
    """The account by which a service acts in a project. It is there for good once it was asked for."""

    noun = "Service Identity"
    defaults: ClassVar[Properties] = {}

    def id(self, g: Google, p: Properties) -> str:
        return f"projects/{g.of(p)}/services/{p['service']}"

    def create(self, g: Google, p: Properties) -> tuple[str, Properties]:
        g.store.remove(self.id(g, p))
        return super().create(g, p)

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        email = service_agent(p["service"], number(g.of(p)))
        return {
            "project": g.of(p),
            "service": p["service"],
            "email": email,
            "member": f"serviceAccount:{email}",
        }

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        """Only the program forgets it."""

    def parse(self, g: Google, id_: str) -> Properties:
        return ids("projects/{project}/services/{service}", id_)
