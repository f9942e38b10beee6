"""`kestra:store.type`: the secret manager of open-source Kestra, which External Secrets Operator reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ...backends.aws.permissions import SERVICES, AwsLocation, access, policy
from ...backends.aws.principals import makes_role
from ...backends.registry import clouds
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.open_source_store import BLOCKS
from ...storage.registry import storage_of

#: Keys of `kestra:store` and `kestra:identity` that only open source with a type uses, by their block.
_OWN: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("store",): ("refresh-interval", "install"),
    ("store", "aws"): ("region", "prefix"),
    ("store", "azure"): ("vault-name", "prefix"),
    ("store", "gcp"): ("project", "prefix"),
    ("identity", "gcp"): ("cluster",),
}
#: Block of a type to the key without which nothing can be found there.
_NEEDED: Mapping[str, tuple[str, str]] = {
    "aws": ("region", "the region of the secrets, for example eu-central-1"),
    "azure": ("vault-name", "the name of the vault"),
    "gcp": ("project", "the id of the Google Cloud project"),
}
#: Characters of a role's inline policies without white space. IAM and STS quotas, AWS documentation.
_POLICY_SIZE = 10_240


def edition(s: Settings) -> Iterator[Finding]:
    """One edition, one secret manager."""
    chosen = s.store.type
    if chosen is not None and s.is_enterprise:
        yield Finding(
            ("store", "type"),
            "belongs to the open-source edition",
            "the Enterprise Edition reads its secret manager itself, which kestra:secret names",
            f"write kestra:secret with type {chosen} and read-only: true, and remove this; or set kestra:edition to oss"
            + (" and remove kestra:secret" if s.secret is not None else ""),
        )


def beside_secret(s: Settings) -> Iterator[Finding]:
    """The manager of each edition in one stack; asked before that of open source takes the other one's place."""
    if s.is_enterprise or s.store.type is None or s.secret is None:
        return
    yield Finding(
        ("secret",),
        "is a block of the Enterprise Edition",
        "open-source Kestra would ignore it without a word; the secret manager here is that of kestra:store.type",
        "remove it; or set kestra:edition to enterprise and remove kestra:store.type",
    )
    yield Finding(
        ("store", "type"),
        "stands beside kestra:secret",
        "kestra:secret is the Enterprise Edition's, kestra:store.type that of open source",
        "remove kestra:secret",
    )


def without_type(s: Settings) -> Iterator[Finding]:
    """Keys that only a stack with `kestra:store.type` uses."""
    chosen = s.store.type
    if s.store.vault is not None and chosen != "vault":
        yield Finding(
            ("store", "vault"),
            "has no secret manager that it belongs to"
            if chosen is None
            else f"is not the block of type {chosen}",
            "in the Enterprise Edition kestra:secret.vault says the same"
            if s.is_enterprise
            else "it belongs to kestra:store.type vault",
            "remove it" if s.is_enterprise else "set kestra:store.type to vault, or remove it",
            kind="missing",
        )
    if s.uses_external_secrets or (chosen is not None and not s.is_enterprise):
        return
    for at, keys in _OWN.items():
        block = getattr(s, at[0]) if len(at) == 1 else getattr(getattr(s, at[0]), at[1])
        for key in keys:
            # A block without a manager is reported as a whole.
            is_whole = len(at) == 2 and not clouds(s) and storage_of(s) is None
            if block is None or is_whole:
                continue
            if key.replace("-", "_") in block.model_fields_set:
                yield Finding(
                    (*at, key),
                    "has no kestra:store.type that it belongs to",
                    "only open-source Kestra uses it; in the Enterprise Edition kestra:secret and its block say such "
                    "things"
                    if s.is_enterprise
                    else "it says how External Secrets reads the secret manager of kestra:store.type",
                    "remove it"
                    if s.is_enterprise
                    else "set kestra:store.type to the secret manager, or remove it",
                    kind="missing",
                )


def blocks(s: Settings) -> Iterator[Finding]:
    """The block of the type, and what says where the secrets are."""
    chosen = s.store.type
    if chosen is None or s.is_enterprise:
        return
    name = BLOCKS[chosen]
    block = getattr(s.store, name)
    if block is None:
        yield Finding(
            ("store", name),
            "is missing",
            f"type {chosen} needs its block, which says where the secrets are",
            "add it, with address" if name == "vault" else f"add it, with {_NEEDED[name][0]}",
            kind="missing",
            adds=("store", name),
        )
    elif name in _NEEDED:
        key, what = _NEEDED[name]
        # That of Google and of Azure is asked for by their own rules, too.
        if name == "aws" and getattr(block, key) is None:
            yield Finding(
                ("store", name, key),
                "is missing",
                f"External Secrets is told {what}",
                "add it",
                kind="missing",
            )


def identity(s: Settings) -> Iterator[Finding]:
    """A workload identity of External Secrets' own service account, and no credential."""
    if not s.uses_external_secrets or s.store.type is None:
        return
    chosen, cloud = s.identity, BLOCKS[s.store.type]
    if cloud == "vault":
        yield from _vault_log_in(s)
    elif cloud == "aws" and chosen.aws.pod_identity is not None:
        yield Finding(
            ("identity", "aws", "pod-identity"),
            "cannot be used by External Secrets for one service account",
            "the operator takes a role by the OIDC token of a service account; Pod Identity is of the operator's own "
            "pods, and would be that of every store in the cluster",
            "write irsa, with the ARN of the cluster's OIDC provider",
        )
    elif cloud == "aws" and chosen.aws.irsa is None and chosen.aws.role_arn is None:
        yield _no_identity(
            "aws", "irsa or role-arn", "add irsa to have a role made for exactly these secrets"
        )
    elif cloud == "azure" and chosen.azure.oidc_issuer_url is None:
        yield _no_identity(
            "azure", "oidc-issuer-url", "add oidc-issuer-url, the issuer of the AKS cluster"
        )
    elif cloud == "gcp" and chosen.gcp.workload_pool is None:
        yield _no_identity("gcp", "workload-pool", "add workload-pool, `<project>.svc.id.goog`")


def _no_identity(cloud: str, keys: str, fix: str) -> Finding:
    return Finding(
        ("identity", cloud),
        "names no identity",
        f"External Secrets logs in by workload identity, which {keys} sets up; there is no credential to keep",
        fix,
        kind="missing",
    )


def _vault_log_in(s: Settings) -> Iterator[Finding]:
    at, vault = ("identity", "vault"), s.identity.vault
    if not vault.reach_cluster:
        yield Finding(
            (*at, "reach-cluster"),
            "is false, so that External Secrets cannot log in",
            "the operator logs in by Kubernetes auth, for which Vault asks the cluster's API server",
            "let Vault reach the API server, or leave kestra:store out",
        )
    if vault.paths:
        yield Finding(
            (*at, "paths"),
            "has no effect with kestra:store.type",
            "the policy names each secret that is declared, and no folder",
            "remove it; a secret that others made is declared with existing.name",
        )


def limits(s: Settings) -> Iterator[Finding]:
    """A policy that fits into a role."""
    is_enterprise = s.is_enterprise and s.is_shared_with_teams
    if s.secret is None or not (s.uses_external_secrets or is_enterprise):
        return
    if s.secret.type not in SERVICES or s.store.aws is None or s.identity.aws.role_arn is not None:
        return
    if is_enterprise and not makes_role(s):
        return
    region = getattr(s.secret.backend, "region", None) or "ap-southeast-1"
    key = s.store.aws.kms.arn or f"arn:aws:kms:{region}:111122223333:key/{'0' * 36}"
    document = policy(access(s, AwsLocation("111122223333", region), key))
    size = len(json.dumps(document, separators=(",", ":")))
    if size > _POLICY_SIZE:
        yield Finding(
            ("store", "teams") if is_enterprise else ("declared-secrets",),
            f"are too many for the policy of one role: it would have {size:,} characters",
            f"AWS takes {_POLICY_SIZE:,}, and the policy names "
            + (
                "every namespace or beginning of names twice"
                if is_enterprise
                else "every secret (shorter names take less)"
            ),
            "put the teams' namespaces below one, or let their names begin alike, and grant that; or divide Kestra"
            if is_enterprise
            else "keep several values in one secret as JSON and read them with existing.name and existing.property, or "
            "divide the stack",
        )
