"""Worker groups: what version, edition and mode can run, and who their pods are.

Source: Kestra documentation, worker groups: `kestra server worker --worker-group KEY` on 1.x, a registration token
since 2.0, in which the option is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...backends.interface import Backend
from ...backends.registry import backends_of
from ...policy_tables import bind
from ...settings.deployment import WorkerGroup
from ...settings.extra_variables import missing_in
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.placeholders import as_placeholder, variable_of
from ...storage.interface import ObjectStorage
from ...storage.registry import storage_of

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


def check(s: Settings) -> Iterator[Finding]:
    """Every worker group."""
    at = ("deployment", "worker-groups")
    groups = s.deployment.worker_groups
    if groups and not s.is_enterprise:
        yield Finding(
            at,
            "are of the Enterprise Edition",
            "open-source Kestra has one pool of workers",
            "remove it, or set kestra:edition to enterprise",
        )
    if groups and s.deployment.mode != "distributed":
        yield Finding(
            at,
            "need mode distributed",
            "in mode standalone one pod holds every component",
            "set kestra:deployment.mode to distributed",
        )
    accounts: dict[str, str] = {}
    for name, group in groups.items():
        loc = (*at, name)
        if not _NAME.fullmatch(name):
            yield Finding(
                loc,
                "is no name of a worker group",
                "it is part of the names of objects: at most 40 lower-case letters, digits and -",
                "rename it, and write Kestra's key of the group under key",
            )
        yield from _version(s, group, loc)
        yield from _variable(s, f"worker-{name}", group, loc)
        yield from _account(s, name, group, loc, accounts)
        for option in group.extra_args:
            if re.match(r"--worker-group(=|$)|-g", option):
                yield Finding(
                    (*loc, "extra-args"),
                    "names the worker group again",
                    "this project writes --worker-group",
                    "remove it, and write the key under key",
                )


def _version(s: Settings, group: WorkerGroup, loc: tuple[str, ...]) -> Iterator[Finding]:
    if s.version == "1.3" and group.registration_token is not None:
        yield Finding(
            (*loc, "registration-token"),
            "is not known to Kestra 1.3",
            "registration tokens came with 2.0; workers of 1.3 join the group of their key",
            "remove it, or set kestra:version to 2.0",
        )
    if s.version == "2.0" and group.group_key is not None:
        yield Finding(
            (*loc, "key"),
            "is not known to Kestra 2.0",
            "keys of groups ended with 1.3; workers of 2.0 join the group of their registration token",
            "remove it, and set registration-token",
        )
    if s.version == "2.0" and group.registration_token is None and not s.registration_groups:
        yield Finding(
            (*loc, "registration-token"),
            "is missing",
            "a worker of 2.0 without one joins the default group",
            "set kestra:deployment.worker-authentication to {} and the stack makes one; or make one in Kestra under "
            "Instance Owner, Infrastructure, Worker Groups, and set it with --secret",
            kind="missing",
        )
    if group.registration_token is not None and not group.registration_token.get_secret_value():
        yield Finding(
            (*loc, "registration-token"), "is empty", "a token has a value", "set it, or remove it"
        )


def _variable(
    s: Settings, workload: str, group: WorkerGroup, loc: tuple[str, ...]
) -> Iterator[Finding]:
    if group.registration_token is None:
        return
    text = group.registration_token.get_secret_value()
    placeholder = as_placeholder(text)
    if (
        placeholder is not None
        and placeholder.rest is None
        and workload in missing_in(s, variable_of(placeholder.name))
    ):
        yield Finding(
            (*loc, "registration-token"),
            "names a variable that nothing here provides",
            "Kestra reads ${NAME} from the environment of its pods",
            f"add {variable_of(placeholder.name)} to extra-env of the group, with the secretKeyRef of the Secret that has it",
            warning=True,
        )
    for i, variable in enumerate(group.extra_env):
        name = variable.get("name")
        if isinstance(name, str) and bind(name).sets("kestra.worker.auth.registration-token"):
            yield Finding(
                (*loc, "extra-env", i, "name"),
                "sets the registration token again",
                "registration-token is a variable of the pods",
                "keep one of the two",
            )


def _account(
    s: Settings, name: str, group: WorkerGroup, loc: tuple[str, ...], accounts: dict[str, str]
) -> Iterator[Finding]:
    account, shared = group.service_account, s.identity.service_account.name
    at = (*loc, "service-account")
    if account.name == shared:
        if account.annotations:
            yield Finding(
                (*at, "annotations"),
                "have no use on a shared account",
                f"{shared} is Kestra's own account, which kestra:identity describes",
                "remove them, or choose another name",
            )
        return
    own = account.name or f"kestra-worker-{name}"
    if own in accounts:
        yield Finding(
            (*at, "name"),
            f"is the account of the group {accounts[own]} too",
            "each group has an account of its own, or Kestra's",
            "choose another name",
        )
    accounts[own] = name
    storage = storage_of(s)
    known_by: dict[str, tuple[Backend | ObjectStorage, str]] = {
        backend.cloud: (backend, "read secrets") for backend in backends_of(s)
    }
    if storage is not None:
        known_by.setdefault(storage.cloud, (storage, "keep files"))
    for owner, what in known_by.values():
        annotation = owner.account_annotation
        if annotation not in account.annotations and owner.is_account_identity(s):
            yield Finding(
                (*at, "annotations"),
                f"give the group no identity in {owner.provider_title}",
                f"its workers {what} with their own account, to which this stack grants nothing",
                f"add {annotation} (docs/pods.md), or set name to {shared} to share Kestra's account",
                warning=True,
            )
