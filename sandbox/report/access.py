"""Who may read what: Kestra's identity in its store, the cluster, and those who run the stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.backends.registry import backend_of
from components.kubernetes.task_namespaces import ROLE
from components.settings import Settings
from components.settings.task_places import task_places
from components.storage.registry import storage_of
from policy.core.model import Resource
from policy.core.values import UNKNOWN, Sealed
from sandbox.report.paths import recovery_place

_BINDINGS = ("RoleBinding", "ClusterRoleBinding")


@dataclass(frozen=True)
class Access:
    """A row: somebody, something, and why."""

    who: str
    what: str
    on: str
    why: str
    verdict: str = "may"
    """`may` or `may not`."""


@dataclass(frozen=True)
class Accesses:
    """The tables of the section."""

    principal: str
    mode: str
    store: tuple[Access, ...]
    policy: str
    """Vault's policy as text; empty elsewhere."""
    cluster: tuple[Access, ...]
    people: tuple[Access, ...]
    files: tuple[Access, ...]
    """In the bucket of Kestra's files; empty where others gave it."""
    bucket: str
    """Which one, for people."""


def accesses(settings: Settings, resources: Sequence[Resource]) -> Accesses:
    """Who may read what in a stack."""
    backend = backend_of(settings)
    if settings.is_secrets_alone:
        return Accesses(
            "nobody: the Kestra that reads these secrets is another stack's",
            settings.access_mode, (_of_another(settings),), "", (), tuple(_people(settings)), (), "",
        )  # fmt: skip
    return Accesses(
        backend.login_description(settings),
        settings.access_mode,
        tuple(_store(settings)),
        backend.policy_text(settings),
        (*_cluster(settings, resources), *worker_channel(settings)),
        tuple(_people(settings)),
        tuple(_files(settings)),
        storage.title if (storage := storage_of(settings)) else "",
    )


def _of_another(settings: Settings) -> Access:
    return Access(
        "the Kestra of another stack", "what its mode allows", ", ".join(settings.store.teams),
        "this stack grants nobody anything; that one's kestra:store.teams says whose secrets its Kestra reads",
    )  # fmt: skip


def _store(settings: Settings) -> Iterator[Access]:
    backend = backend_of(settings)
    reader = backend.reader(settings).value
    for row in backend.access(settings):
        who = f"{reader}, by {row.role}" if row.role else reader
        verdict = "may" if row.is_allowed else "may not"
        yield Access(who, row.actions, row.scope, row.reason, verdict)
    place = recovery_place(settings)
    if place:
        why = backend.recovery_protection(settings)
        yield Access(reader, "anything", place, why, "may not")
    if settings.secondary is not None:
        title = backend_of(settings.secondary).title
        yield Access(
            reader, "anything", f"{title}, where the stack moves from or to",
            "its identity is bound to the first store only", "may not",
        )  # fmt: skip


def _files(settings: Settings) -> Iterator[Access]:
    storage, bucket = storage_of(settings), settings.storage_bucket
    if storage is None or bucket is None:
        return
    account = f"{settings.deployment.namespace}/{settings.identity.service_account.name}"
    for row in storage.access(settings):
        verdict = "may" if row.is_allowed else "may not"
        who = f"Kestra's pods, by the workload identity of service account {account}"
        yield Access(who, row.actions, row.scope, row.reason, verdict)


def _cluster(settings: Settings, resources: Sequence[Resource]) -> Iterator[Access]:
    account = f"service account {settings.store_account}"
    namespace = settings.deployment.namespace
    yield Access(
        "Kestra's pods", "values, as environment variables", f"the stack's Secret in {namespace}",
        "the kubelet hands them over; no RBAC is needed and none is given",
    )  # fmt: skip
    for binding in (r for r in resources if r.type.rsplit(":", 1)[-1] in _BINDINGS):
        role = binding.props.get("roleRef")
        name = role.get("name") if isinstance(role, dict) else None
        if name == ROLE:
            yield _task_runner(binding)
            continue
        yield Access(
            account, _known(name), "the cluster" if "Cluster" in binding.type else namespace,
            "Vault reviews the account's token with the token itself; it shows no Secret"
            if name == "system:auth-delegator" else f"bound by {binding.name}",
        )  # fmt: skip
    mounted = any(_mounts_token(r) for r in resources if r.type.endswith(":Deployment"))
    makes_pods = settings.deployment.task_runner is not None
    yield Access(
        account, "any other object of the API", namespace,
        "no Role is bound to it there; its token is "
        + ("mounted into the pods that run tasks, for the task runner" if makes_pods
           else "mounted for the log-in to the secret store only" if mounted
           else "not mounted into the pods"),
        "may not",
    )  # fmt: skip
    for place in task_places(settings):
        yield Access(
            f"service account {place.settings.service_account}, of the pods of tasks",
            "anything of the API", place.namespace,
            "no Role is bound to it, and no token of it is in the pods", "may not",
        )  # fmt: skip
    if settings.uses_external_secrets:
        yield Access(
            "External Secrets Operator", "tokens of service accounts, Secrets",
            "the namespaces that it serves",
            "it logs in to the secret manager as a service account of the stack, and writes the Secrets that the pods "
            "read; its own chart binds its roles",
        )  # fmt: skip
    yield Access(
        "whoever has get or list on Secrets", "values", f"namespace {namespace}",
        "the cluster's own RBAC decides, and so does whoever may create pods there; this stack binds nobody",
    )  # fmt: skip
    yield Access(
        "whoever has get on ConfigMaps", "application.yaml", f"namespace {namespace}",
        "it holds no secret: ${…} stands in place of each",
    )  # fmt: skip


def worker_channel(settings: Settings) -> Iterator[Access]:
    """Who may be a worker, where workers talk to controllers over the network."""
    if "controller" not in settings.components:
        return
    what, where = "tasks to run, with their inputs", "the controllers"
    written = settings.catalogue_value("kestra", "grpc", "tls", "enabled")
    if settings.grpc_tls is not None:
        tls = settings.grpc_tls
        issuer = tls.issuer or tls.cluster_issuer or "the stack's own authority"
        who = f"pods with a worker's certificate of {issuer}"
        yield Access(who, what, where, "mutual TLS (kestra:deployment.grpc-tls)")
    elif str(written).lower() == "true":
        yield Access("pods by kestra:grpc.tls", what, where, "TLS with certificates of others")
    else:
        yield Access(
            "any pod that the network lets there", what, where,
            "the channel has no TLS; the network policies let the workers' pods there alone",
        )  # fmt: skip
    if settings.registration_groups:
        groups = ", ".join(settings.registration_groups)
        yield Access(
            f"workers with the token of {groups}", "tasks of their group", where,
            "registration tokens (kestra:deployment.worker-authentication); each pod has its own alone",
        )  # fmt: skip


def _task_runner(binding: Resource) -> Access:
    metadata, subjects = binding.props.get("metadata"), binding.props.get("subjects")
    names = [str(_known(s.get("name"))) for s in subjects or () if isinstance(s, dict)]
    where = metadata.get("namespace") if isinstance(metadata, dict) else None
    return Access(
        f"service account {', '.join(names)}",
        "pods of tasks: make, read, run commands in, delete",
        f"namespace {_known(where)}",
        "Kestra's task runner asks for them; no Secret, no account and no role there",
    )


def _mounts_token(deployment: Resource) -> bool:
    spec = deployment.props.get("spec")
    pod = spec.get("template", {}).get("spec", {}) if isinstance(spec, dict) else {}
    volumes = pod.get("volumes") or []
    projected = any("serviceAccountToken" in s for v in volumes if isinstance(v, dict)
                    for s in ((v.get("projected") or {}).get("sources") or []))  # fmt: skip
    return projected or pod.get("automountServiceAccountToken") is True


def _known(value: object) -> str:
    if value is None or value is UNKNOWN or isinstance(value, Sealed):
        return "known after the update"
    return str(value)


def _people(settings: Settings) -> Iterator[Access]:
    yield Access(
        "whoever runs Pulumi for this stack", "every secret of the stack",
        "Pulumi's state, opened by its secrets provider",
        "a passphrase, or a key in KMS, Key Vault, Cloud KMS or Vault: give the key to the pipeline only",
    )  # fmt: skip
    backend = backend_of(settings)
    title = backend.title
    if backend.provisions(settings) and (administrators := backend.key_administrators(settings)):
        yield Access(
            ", ".join(administrators), "manage the key", "the stack's KMS key",
            "the key policy gives administrators no decryption",
        )  # fmt: skip
    if settings.is_secrets_alone:
        return
    isolation = settings.secret.isolation if settings.secret else None
    if isolation is not None and isolation.enabled and isolation.denied_services:
        yield Access(
            f"Kestra's services {', '.join(isolation.denied_services)}", "resolve secrets",
            title, "kestra:secret.isolation", "may not",
        )  # fmt: skip
    elif settings.secret is not None and not settings.uses_external_secrets:
        yield Access(
            "every service of Kestra", "resolve secrets", title,
            "kestra:secret.isolation is off",
        )  # fmt: skip
    who = "authors of flows in a namespace" if settings.is_enterprise else "authors of any flow"
    what = (
        "secrets of that namespace and its parents"
        if settings.is_enterprise
        else "SECRET_… variables"
    )
    yield Access(
        who, f"{what}, through secret()", "Kestra",
        "Kestra masks them in its logs; a flow can still send them elsewhere",
    )  # fmt: skip
