"""Vault: who may log in, for how long, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..application import CARRIERS, Application, documents, is_reference
from ..cluster_objects import SECRET
from ..configuration_texts import flatten
from ..core.model import VARIABLE, Context, Finding, Problem, Resource, Stack, control
from ..core.values import as_list, check_each, number, reveal
from ..effective_configuration import each_application

_KUBERNETES = "vault:kubernetes/authBackendRole:AuthBackendRole"
_JWT = "vault:jwt/authBackendRole:AuthBackendRole"
_APP_ROLE = "vault:appRole/authBackendRole:AuthBackendRole"
_ROLES = (_KUBERNETES, _JWT, _APP_ROLE)
_HOUR = 3600
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


_BLOCK = "kestra.secret.vault"


@control(
    "ks-vault-01",
    "No Vault token or password in Kestra's configuration",
    "critical",
    risk="A token in the configuration is Vault for everybody who may read the configuration.",
    steps=(
        "Log in with kubernetes.",
        "Where a token is needed, give it as ${NAME} from a Secret.",
    ),
    setting="kestra:secret.vault.kubernetes",
)
def no_token(stack: Stack, context: Context) -> Iterator[Finding]:
    def in_clear(carrier: Resource) -> Iterator[Finding]:
        for document in documents(carrier):
            settings = flatten(document.content)
            for name in ("token.token", "password.password", "app-role.secret-id"):
                leaf = settings.get(f"{_BLOCK}.{name}")
                if leaf and leaf.value and not is_reference(leaf.value):
                    where, setting = (
                        f"{document.path}: {leaf.written}",
                        f"kestra:secret.vault.{name}",
                    )
                    yield Problem("has a credential in clear", VARIABLE, where, carrier, setting)

    # A file in a Secret is where credentials belong.
    carriers = [carrier for carrier in stack.of(*CARRIERS) if carrier.type != SECRET]
    yield from check_each(carriers, in_clear)
    yield from log_in_to_vault(stack, context)


@each_application
def log_in_to_vault(application: Application, context: Context) -> Iterator[Finding]:
    """In production a token and a password are refused, wherever they come from."""
    for name in ("token", "password") if context.is_production else ():
        key = f"{_BLOCK}.{name}"
        if application.has(key):
            actual = f"logs in to Vault with a {name}"
            yield application.problem(actual, "kubernetes or app-role", key)


@control(
    "ks-vault-02",
    "Vault is spoken to over TLS",
    "high",
    risk="Without TLS every secret crosses the network in clear.",
    steps=("Use an address with https.",),
    setting="kestra:secret.vault.address",
)
@each_application
def over_tls(application: Application, _: Context) -> Iterator[Finding]:
    key = f"{_BLOCK}.address"
    address = str(application.seen(key) or "")
    if address.startswith("http://") and not _LOOPBACK.match(address):
        yield application.problem("speaks to Vault without TLS", "https://…", key)


@control(
    "ks-vault-03",
    "Roles of Vault are for named accounts",
    "critical",
    risk="A role with a wildcard gives Kestra's secrets to every pod of the cluster.",
    steps=(
        "Name accounts in boundServiceAccountNames and namespaces in boundServiceAccountNamespaces.",
        "Give a JWT role boundSubject and boundAudiences, exact.",
    ),
    setting="kestra:identity.service-account and kestra:deployment.namespace",
    types=(_KUBERNETES, _JWT),
)
def named_accounts(role: Resource, _: Context) -> Iterator[Finding]:
    if role.type == _KUBERNETES:
        for name in ("boundServiceAccountNames", "boundServiceAccountNamespaces"):
            bound = as_list(role.get_path(name))
            if not bound or any("*" in str(b) for b in bound):
                yield Problem(f"has {name} {', '.join(bound) or 'of nobody'}", "names", name)
        return
    if not role.get_path("boundSubject") and not role.get_path("boundClaims"):
        yield Problem("is for every subject", "boundSubject", "boundSubject")
    if role.get_path("boundClaimsType") == "glob":
        yield Problem("is for a pattern of claims", "string", "boundClaimsType")
    if not as_list(role.get_path("boundAudiences")):
        yield Problem("is for every audience", "boundAudiences", "boundAudiences")


@control(
    "ks-vault-04",
    "Tokens of Vault are short",
    "medium",
    risk="A token that lives for days is a password.",
    steps=(
        "Set tokenTtl to 3600 or less, tokenMaxTtl no less than tokenTtl.",
        "Give an AppRole secretIdTtl or secretIdNumUses.",
    ),
    setting="kestra:identity.vault.token-ttl and kestra:identity.vault.token-max-ttl",
    types=_ROLES,
)
def short_tokens(role: Resource, _: Context) -> Iterator[Finding]:
    period = number(role.get_path("tokenPeriod"))
    life, most = number(role.get_path("tokenTtl")), number(role.get_path("tokenMaxTtl"))
    if not period and not life:
        yield Problem("has tokens of Vault's own default life", "3600 or less", "tokenTtl")
    for name, value in (("tokenPeriod", period), ("tokenTtl", life)):
        if value and value > _HOUR:
            yield Problem(f"has {name} {value:.0f}", "3600 or less", name)
    if life and most and most < life:
        yield Problem("has tokenMaxTtl below tokenTtl", "no less than it", "tokenMaxTtl")
    if (
        role.type == _APP_ROLE
        and not role.get_path("secretIdTtl")
        and not role.get_path("secretIdNumUses")
    ):
        yield Problem("has secret ids without an end", "a time or a count", "secretIdTtl")


@control(
    "ks-vault-05",
    "Policies of Vault give paths by name",
    "critical",
    risk="A policy on every path, with sudo or on sys/ is root.",
    steps=("Give <engine>/data/… and <engine>/metadata/… only.",),
    setting="kestra:secret.vault.root-engine and kestra:secret.read-only",
    types=("vault:index/policy:Policy",),
)
def narrow_policy(policy: Resource, _: Context) -> Iterator[Finding]:
    for path, body in _allowed(policy):
        if path.strip("/") in ("*", "+", "+/*", ""):
            yield Problem(f"allows the path {path}", "paths of one engine", "policy")
        if re.search(r'"(sudo|root)"', body):
            yield Problem(f"allows sudo on {path}", "no sudo", "policy")
        if path.startswith("sys/") and not path.startswith(("sys/leases/", "sys/wrapping/")):
            yield Problem(f"allows {path}", "nothing of sys/", "policy")


def _allowed(policy: Resource) -> Iterator[tuple[str, str]]:
    """Path and body of each rule that denies nothing."""
    text = re.sub(r"(?m)(#|//).*$", "", str(reveal(policy.get_path("policy")) or ""))
    for rule in re.finditer(r'path\s+"([^"]*)"\s*\{(.*?)\}', text, re.DOTALL):
        if not re.search(r'"deny"', rule[2]):
            yield rule[1], rule[2]


@control(
    "ks-vault-06",
    "Secrets in Vault have versions",
    "medium",
    risk="In an engine without versions the first wrong write is the last of a secret.",
    steps=(
        'Use options {version: "2"} or type kv-v2.',
        "Set no deleteVersionAfter: it would delete the current version too.",
    ),
    setting="components/backends/vault/store.py (always version 2)",
    types=("vault:index/mount:Mount", "vault:kv/secretBackendV2:SecretBackendV2"),
)
def versioned(engine: Resource, _: Context) -> Iterator[Finding]:
    if engine.type.endswith("SecretBackendV2"):
        if engine.get_path("deleteVersionAfter"):
            actual = "deletes the secrets themselves after a time"
            yield Problem(actual, "maxVersions instead", "deleteVersionAfter")
        return
    if engine.get_path("type") == "kv" and str(engine.get_path("options.version")) != "2":
        yield Problem("keeps no versions", 'version "2"', "options.version")


@control(
    "ks-vault-07",
    "Vault writes an audit log",
    "high",
    risk="Without an audit device nobody can say who read a secret.",
    steps=("Add an Audit to the stack, or name vault-audit in managedElsewhere.",),
    setting="managedElsewhere of the pack's configuration",
)
def audit_device(stack: Stack, context: Context) -> Iterator[Finding]:
    devices = [r for r in stack.resources if r.type == "vault:index/audit:Audit"]
    if devices or "vault-audit" in context.options.managed_elsewhere:
        return
    engines = [
        m for m in stack.of("vault:index/mount:Mount") if m.get_path("type") in ("kv", "kv-v2")
    ]
    for engine in engines[:1]:
        yield Problem("is in a Vault without audit device", "an Audit", "the stack", engine)


_HALVES = re.compile(r"(.+?)/(data|metadata|subkeys|delete|undelete|destroy)/(.*)")
_BUILT_IN = ("auth", "cubbyhole", "identity", "sys")


@control(
    "ks-vault-08",
    "Policies of Vault leave a shared engine's other secrets alone",
    "high",
    risk="In an engine that others use too, a path of the whole engine is the secrets of all of them.",
    steps=(
        "Give the stack an engine of its own (a Mount in the stack).",
        "In an engine that others use too, give <engine>/data/<folder>/* and <engine>/metadata/<folder>/*, with a / "
        "before the *, or secrets one by one.",
    ),
    setting="kestra:secret.vault.secret-path-prefix and kestra:identity.vault.paths",
)
def within_engine(stack: Stack, _: Context) -> Iterator[Finding]:
    engines = [
        str(m.get_path("path") or "").strip("/") for m in stack.of("vault:index/mount:Mount")
    ]

    def judge(policy: Resource) -> Iterator[Finding]:
        for path, _ in _allowed(policy):
            own = any(engine and path.startswith(f"{engine}/") for engine in engines)
            if not own and (actual := _too_wide(path)):
                yield Problem(actual, "a folder or secrets of it", "policy", policy)

    yield from check_each(stack.of("vault:index/policy:Policy"), judge)


def _too_wide(path: str) -> str:
    """What a path of an engine that the stack does not mount allows too much; empty when it does not."""
    names = path.split("/")
    if names[0] in _BUILT_IN:
        return ""
    halves = _HALVES.fullmatch(path)
    if halves is None:
        # Shorter than any secret's: `secret/*`, `secret*`. A bare `*` is ks-vault-05's.
        is_whole = path.endswith("*") and len(names) < 3 and path not in ("*", "+/*")
        return f"allows all of an engine of others, {path}" if is_whole else ""
    engine, _, below = halves.groups()
    if "+" in engine.split("/") or below.split("/")[0] in ("", "*", "+"):
        return f"allows all of an engine of others, {path}"
    if below.endswith("*") and not below.endswith("/*"):
        return f"allows what merely begins like it, {path}"
    return ""
