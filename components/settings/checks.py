"""What the models cannot say: relations between keys, versions, editions, and values that Kestra misreads."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from components.settings import permissions as words
from components.settings import tag_rules
from components.settings.base import is_readable, revealed
from components.settings.durations import milliseconds
from components.settings.findings import Finding
from components.settings.model import Settings
from components.settings.secret import CloudManager, Manager, Vault


def check_all(settings: Settings) -> Iterator[Finding]:
    """Everything that the checks find, in the order of the settings."""
    for check in CHECKS:
        yield from check(settings)


def encryption_key(s: Settings) -> Iterator[Finding]:
    """Exactly 32 bytes: Kestra would take 16 and 24 too, and fail on others at first use."""
    value = revealed(s.encryption.secret_key)
    if value is None or not is_readable(value):
        return
    try:
        size = len(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        size = -1
    if size != 32:
        is_text = "is no standard base64" if size < 0 else f"decodes to {size} bytes"
        yield Finding(
            ("encryption", "secret-key"),
            is_text,
            "base64 of exactly 32 bytes; Kestra checks nothing at start and fails, or encrypts weaker, at first use",
            "make one with `openssl rand -base64 32`, or leave the key out to have it generated",
        )


_USERNAME = re.compile(r"[a-zA-Z0-9_!#$%&'*+/=?`{|}~^.-]+@[a-zA-Z0-9.-]+")


def password_rules_broken(password: str) -> list[str]:
    """The rules of Kestra's log-in that a password breaks."""
    rules = (
        (len(password) >= 8, "8 characters at least"),
        (len(password) <= 256, "256 characters at most"),
        (re.search(r"[a-z]", password) is not None, "a lower-case letter"),
        (re.search(r"[A-Z]", password) is not None, "an upper-case letter"),
        (re.search(r"[0-9]", password) is not None, "a digit"),
        ("\n" not in password, "no line break"),
    )
    return [rule for holds, rule in rules if not holds]


def basic_auth(s: Settings) -> Iterator[Finding]:
    """An invalid log-in does not stop Kestra: it opens the public set-up page instead."""
    auth = s.server.basic_auth
    at = ("server", "basic-auth")
    if auth is None:
        if not s.is_enterprise:
            yield Finding(
                at,
                "is missing",
                "without a log-in the first visitor takes over the open-source edition at its set-up page",
                "set username; the password is generated when it is left out",
            )
        return
    if auth.enabled is not None:
        yield Finding(
            (*at, "enabled"),
            "has no effect and is not rendered",
            "Kestra ignores it since 0.24; authentication is always on",
            "remove it",
            warning=True,
        )
    if auth.username is None:
        yield Finding(
            (*at, "username"),
            "is missing",
            "Kestra needs a user name beside the password",
            "set an e-mail address",
        )
    elif is_readable(auth.username) and (
        len(auth.username) > 256 or not _USERNAME.fullmatch(auth.username)
    ):
        yield Finding(
            (*at, "username"),
            "is no e-mail address of 256 characters at most",
            "Kestra refuses other user names and opens its set-up page",
            "write an e-mail address",
        )
    password = revealed(auth.password)
    if (
        password is not None
        and is_readable(password)
        and (broken := password_rules_broken(password))
    ):
        yield Finding(
            (*at, "password"),
            f"lacks {', '.join(broken)}"
            if "most" not in str(broken)
            else "is too long or lacks something",
            "8 to 256 characters with a lower-case letter, an upper-case letter and a digit, no line break; "
            "Kestra opens its set-up page otherwise",
            "choose another, or leave it out to have one generated",
        )
    for i, url in enumerate(auth.open_urls):
        if not url.startswith("/") or url.strip("/") == "":
            yield Finding(
                (*at, "open-urls", i),
                "opens everything or is no path",
                "a prefix of a path, beginning with / and naming more than the root",
                "write for example /api/v1/main/executions/webhook/",
            )


def endpoints(s: Settings) -> Iterator[Finding]:
    """The management endpoints' log-in is compared word by word."""
    auth = s.endpoints.all and s.endpoints.all.basic_auth
    if auth and not auth.username:
        yield Finding(
            ("endpoints", "all", "basic-auth", "username"),
            "is missing",
            "a log-in of the management endpoints has a user name",
            "add it",
        )
    elif auth and auth.username and ":" in auth.username:
        yield Finding(
            ("endpoints", "all", "basic-auth", "username"),
            "holds a colon",
            "HTTP basic authentication ends the user name at the first colon",
            "choose another",
        )


def liveness(s: Settings) -> Iterator[Finding]:
    """Kestra takes any relation and then declares living servers dead."""
    live = s.server.liveness
    if live is None:
        return
    at = ("server", "liveness")
    kafka = s.queue is not None and s.queue.type == "kafka"
    timeout = milliseconds(live.timeout or ("1m" if kafka else "45s")) or 0
    if (milliseconds(live.heartbeat_interval or "3s") or 0) >= timeout:
        yield Finding(
            (*at, "heartbeat-interval" if live.heartbeat_interval else "timeout"),
            "is not below the timeout"
            if live.heartbeat_interval
            else "is not above heartbeat-interval (3s)",
            "heartbeat-interval < timeout; otherwise living servers count as dead",
            "shorten heartbeat-interval or lengthen timeout",
        )
    if (milliseconds(live.interval or "5s") or 0) > timeout:
        yield Finding(
            (*at, "interval" if live.interval else "timeout"),
            "is above the timeout" if live.interval else "is below interval (5s)",
            "interval <= timeout",
            "shorten interval or lengthen timeout",
        )
    if not live.enabled:
        yield Finding(
            (*at, "enabled"),
            "is off, so dead workers are never detected",
            "liveness is on in every environment that runs real work",
            "remove it",
            warning=True,
        )


def ignored(s: Settings) -> Iterator[Finding]:
    """Keys that Kestra accepts and that do nothing."""
    if s.heartbeat is not None:
        yield Finding(
            ("heartbeat",),
            "has no effect and is not rendered",
            "Kestra ignores kestra.heartbeat since 0.16",
            "use kestra:server.liveness.heartbeat-interval and timeout",
            warning=True,
        )


def editions(s: Settings) -> Iterator[Finding]:
    """Open-source Kestra ignores Enterprise blocks without a word."""
    if s.is_enterprise:
        return
    for name, block, instead in (
        (
            "secret",
            s.secret,
            "declare them under kestra:declared-secrets; flows read them with secret('NAME')",
        ),
        ("security", s.security, "use kestra:server.basic-auth for the log-in"),
    ):
        if block is not None:
            yield Finding(
                (name,),
                "is a block of the Enterprise Edition",
                "open-source Kestra would ignore it without a word",
                f"{instead}; or set kestra:edition to enterprise",
            )
    for name, kind in (("queue", s.queue), ("repository", s.repository)):
        if kind is not None and kind.type in ("kafka", "elasticsearch"):
            yield Finding(
                (name, "type"),
                f"{kind.type} needs the Enterprise Edition",
                "open-source Kestra knows h2, memory, postgres and mysql",
                "use postgres, or set kestra:edition to enterprise",
            )


def secret_manager(s: Settings) -> Iterator[Finding]:
    """The block of the type, and what each mode can use."""
    manager = s.secret
    if manager is None:
        return
    block = manager.backend
    if block is None and manager.type in ("azure-key-vault", "vault"):
        yield Finding(
            ("secret", manager.type),
            "is missing",
            f"type {manager.type} needs its block",
            "add it",
        )
    for other in (
        "aws-secret-manager",
        "azure-key-vault",
        "google-secret-manager",
        "vault",
        "jdbc",
        "elasticsearch",
    ):
        if other != manager.type and getattr(manager, other.replace("-", "_")) is not None:
            yield Finding(
                ("secret", other),
                f"is not the block of type {manager.type}",
                "Kestra reads only the block of its type",
                "remove it, or change kestra:secret.type",
            )
    if not isinstance(block, Manager):
        if manager.read_only:
            yield Finding(
                ("secret", "read-only"),
                f"does not exist for {manager.type}",
                "only external managers can be read-only; this store belongs to Kestra",
                "remove it",
            )
        return
    at = ("secret", manager.type)
    if not manager.is_read_only:
        for name in ("filter-on-tags", "filter-on-prefix", "excluded-tags"):
            if getattr(block, name.replace("-", "_"), None):
                yield Finding(
                    (*at, name),
                    "works in read-only mode only",
                    "in managed mode Kestra finds its secrets by its own tags",
                    "set kestra:secret.read-only to true, or remove it",
                )
    elif block.tags:
        yield Finding(
            (*at, "tags"),
            "has no effect in read-only mode",
            "tags are put on secrets that Kestra creates; a read-only Kestra creates none",
            "use filter-on-tags to choose what is visible",
            warning=True,
        )


def aws(s: Settings) -> Iterator[Finding]:
    """Static keys come in pairs."""
    block = s.secret and s.secret.aws_secret_manager
    if not block:
        return
    at = ("secret", "aws-secret-manager")
    have = {
        "access-key-id": block.access_key_id is not None,
        "secret-key-id": block.secret_key_id is not None,
    }
    if len(set(have.values())) == 2:
        missing = next(name for name, there in have.items() if not there)
        yield Finding(
            (*at, missing),
            "is missing",
            "access-key-id and secret-key-id go together",
            "set both, or neither to use the pod's identity",
        )
    if block.session_token is not None and not all(have.values()):
        yield Finding(
            (*at, "session-token"),
            "stands without its keys",
            "a session token belongs to access-key-id and secret-key-id",
            "set both, or remove it",
        )


def azure(s: Settings) -> Iterator[Finding]:
    """Kestra's own example lacks the vault and does not start."""
    block = s.secret and s.secret.azure_key_vault
    if not block:
        return
    at = ("secret", "azure-key-vault")
    if block.vault_name is None and block.key_vault_uri is None:
        yield Finding(
            (*at, "vault-name"),
            "is missing",
            "one of vault-name and key-vault-uri names the vault",
            "add vault-name",
        )
    if block.vault_name is not None and block.key_vault_uri is not None:
        yield Finding(
            (*at, "vault-name"),
            "stands beside key-vault-uri",
            "exactly one of vault-name and key-vault-uri",
            "keep one of them",
        )
    if block.vault_name is not None and "--" in block.vault_name:
        yield Finding(
            (*at, "vault-name"),
            "has two hyphens in a row",
            "letters, digits and single hyphens, 3 to 24 characters",
            "correct it",
        )
    if block.managed_identity_client_id and block.managed_identity_resource_id:
        yield Finding(
            (*at, "managed-identity-client-id"),
            "stands beside managed-identity-resource-id",
            "a managed identity is named once",
            "keep one of them",
        )


VAULT_METHODS = ("password", "token", "app-role", "kubernetes")


def vault_method(block: Vault) -> str | None:
    """The auth method whose block is set, when it is exactly one."""
    methods = [m for m in VAULT_METHODS if getattr(block, m.replace("-", "_")) is not None]
    return methods[0] if len(methods) == 1 else None


def vault(s: Settings) -> Iterator[Finding]:
    """Exactly one way to log in; lives of tokens that Vault accepts."""
    block = s.secret and s.secret.vault
    if not block or s.secret is None:
        return
    at = ("secret", "vault")
    if vault_method(block) is None:
        count = sum(getattr(block, m.replace("-", "_")) is not None for m in VAULT_METHODS)
        yield Finding(
            at,
            "has no auth method" if count == 0 else f"has {count} auth methods",
            "exactly one of password, token, app-role and kubernetes",
            "keep one; `kubernetes: {}` needs no credential",
        )
    if block.read_only is not None and block.read_only != s.secret.read_only:
        yield Finding(
            (*at, "read-only"),
            "differs from kestra:secret.read-only",
            "both places say the same, since Kestra's documentation names either",
            "set only kestra:secret.read-only",
        )
    app_role = block.app_role
    if app_role and (app_role.role_id is None) != (app_role.secret_id is None):
        missing = "role-id" if app_role.role_id is None else "secret-id"
        yield Finding(
            (*at, "app-role", missing),
            "is missing",
            "role-id and secret-id go together",
            "set both, or neither to have them provisioned",
        )
    identity = s.identity.vault
    if (milliseconds(identity.token_ttl) or 0) > (milliseconds(identity.token_max_ttl) or 0):
        yield Finding(
            ("identity", "vault", "token-ttl"),
            "is above token-max-ttl",
            "token-ttl <= token-max-ttl",
            "shorten token-ttl or lengthen token-max-ttl",
        )
    for name, value in (
        ("token-ttl", identity.token_ttl),
        ("token-max-ttl", identity.token_max_ttl),
        ("secret-id-ttl", identity.secret_id_ttl),
    ):
        if (milliseconds(value) or 0) % 1000:
            yield Finding(
                ("identity", "vault", name),
                "is no whole second",
                "Vault counts seconds",
                "round it",
            )


def internal_stores(s: Settings) -> Iterator[Finding]:
    """The key of Kestra's own store."""
    if s.secret is None or s.secret.type not in ("jdbc", "elasticsearch"):
        return
    block = s.secret.jdbc if s.secret.type == "jdbc" else s.secret.elasticsearch
    value = revealed(block.secret) if block else None
    if value is None or not is_readable(value):
        return
    at = ("secret", s.secret.type, "secret")
    if len(value) < 32:
        yield Finding(
            at,
            "is shorter than 32 characters",
            "32 characters at least",
            "make one with `openssl rand -base64 32`, or leave it out to have it generated",
        )
    if value == revealed(s.encryption.secret_key):
        yield Finding(
            at,
            "is the key of kestra:encryption.secret-key",
            "one key, one purpose",
            "make another, or leave it out to have it generated",
        )


def cache(s: Settings) -> Iterator[Finding]:
    """Settings of a cache that is off."""
    block = s.secret and s.secret.cache
    if block and not block.enabled and (block.maximum_size or block.expire_after_write):
        yield Finding(
            ("secret", "cache", "enabled"),
            "is off, so the cache's other settings have no effect",
            "the cache works when it is enabled",
            "set it to true, or remove the block",
            warning=True,
        )


def isolation(s: Settings) -> Iterator[Finding]:
    """Services that exist, and those that flows need."""
    block = s.secret and s.secret.isolation
    if not block:
        return
    at = ("secret", "isolation")
    for i, service in enumerate(block.denied_services):
        if service == "CONTROLLER" and s.version != "2.0":
            yield Finding(
                (*at, "denied-services", i),
                "CONTROLLER does not exist in Kestra 1.3",
                "EXECUTOR, INDEXER, SCHEDULER, WEBSERVER or WORKER",
                "remove it, or set kestra:version to 2.0",
            )
        if service in ("WORKER", "WEBSERVER"):
            what = (
                "flows cannot read secrets"
                if service == "WORKER"
                else "the user interface cannot manage secrets"
            )
            yield Finding(
                (*at, "denied-services", i),
                f"denies {service}, so {what}",
                "EXECUTOR, INDEXER and SCHEDULER can do without secrets",
                "remove it unless that is meant",
                warning=True,
            )
        if service in block.denied_services[:i]:
            yield Finding(
                (*at, "denied-services", i), "is listed twice", "each service once", "remove one"
            )
    if block.enabled and not block.denied_services:
        yield Finding(
            (*at, "denied-services"),
            "is empty while isolation is enabled",
            "isolation denies the services of this list",
            "name the services, for example [EXECUTOR, INDEXER, SCHEDULER]",
        )
    if not block.enabled and block.denied_services:
        yield Finding(
            (*at, "enabled"),
            "is off, so denied-services has no effect",
            "isolation works when it is enabled",
            "set it to true",
            warning=True,
        )


def super_admin(s: Settings) -> Iterator[Finding]:
    """One break-glass account."""
    security = s.security
    if not security:
        return
    if security.super_admin and security.instance_owner:
        yield Finding(
            ("security", "instance-owner"),
            "stands beside super-admin",
            "both name the same account: super-admin on 1.3, instance-owner on 2.0",
            "keep one of them",
        )


def default_role(s: Settings) -> Iterator[Finding]:
    """Words of the version, or words that can be translated faithfully."""
    role = s.security and s.security.default_role
    if not role:
        return
    at = ("security", "default-role", "permissions")
    first = words.is_first_vocabulary(role.permissions)
    if s.version == "1.3" or first:
        resources: frozenset[str] = words.RESOURCES_1
        actions: frozenset[str] = frozenset(words.ACTIONS_1)
        vocabulary = "Kestra 1.x"
    else:
        resources, actions, vocabulary = words.RESOURCES_2, words.ACTIONS_2, "Kestra 2.0"
    for resource, granted in role.permissions.items():
        if resource not in resources:
            yield Finding(
                (*at, resource),
                f"is no resource of {vocabulary}",
                "Kestra would grant nothing for an unknown resource",
                f"use one of {', '.join(sorted(resources))}",
            )
        elif s.version == "2.0" and resource in words.DROPPED:
            yield Finding(
                (*at, resource),
                "has no counterpart in Kestra 2.0",
                "a permission is translated only where 2.0 has the same",
                "remove it; for IMPERSONATE write USER: [IMPERSONATE] in 2.0's words",
            )
        if not granted:
            yield Finding(
                (*at, resource), "grants nothing", "a resource lists its actions", "remove it"
            )
        for i, action in enumerate(granted):
            if action not in actions:
                yield Finding(
                    (*at, resource, i),
                    f"is no action of {vocabulary}",
                    f"one of {', '.join(sorted(actions))}",
                    "correct it; words of 2.0 have no faithful counterpart on 1.3",
                )


_STRUCTURED = (
    "password-min-length",
    "password-require-special",
    "password-min-digits",
    "password-min-lower-case",
    "password-min-upper-case",
    "password-allowed-special-characters",
)


def password_rules(s: Settings) -> Iterator[Finding]:
    """One regular expression on 1.3, structured rules on 2.0; neither can be translated."""
    rules = s.security and s.security.basic_auth
    if not rules:
        return
    at = ("security", "basic-auth")
    if rules.password_regexp is not None:
        if s.version == "2.0":
            yield Finding(
                (*at, "password-regexp"),
                "does not exist in Kestra 2.0",
                "2.0 has structured rules, and a regular expression cannot be translated faithfully",
                f"use {', '.join(_STRUCTURED[:5])}",
            )
        elif not rules.password_regexp or _unbalanced(rules.password_regexp):
            yield Finding(
                (*at, "password-regexp"),
                "is no regular expression",
                "a Java regular expression with balanced brackets",
                "correct it",
            )
    if s.version == "1.3":
        for name in _STRUCTURED:
            if name.replace("-", "_") in rules.model_fields_set:
                yield Finding(
                    (*at, name),
                    "does not exist in Kestra 1.3",
                    "1.3 takes one regular expression",
                    "use password-regexp, or set kestra:version to 2.0",
                )


def _unbalanced(expression: str) -> bool:
    # Only what Python and Java agree on is judged: possessive quantifiers and classes differ.
    try:
        re.compile(expression)
    except (re.error, OverflowError, RecursionError) as error:
        return any(
            w in str(error)
            for w in ("missing )", "unbalanced", "unterminated", "nothing to repeat")
        )
    return False


def declared_secrets(s: Settings) -> Iterator[Finding]:
    """Names that Kestra can look up, a value or a generator, and a mode in which Kestra sees them."""
    names: dict[str, str] = {}
    for name, secret in s.declared_secrets.items():
        at = ("declared-secrets", name)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,126}", name):
            yield Finding(
                at,
                "is no name that flows can use",
                "a letter, then letters, digits and _ (127 characters at most)",
                "rename it",
            )
        if name.upper() in names and not s.is_enterprise:
            yield Finding(
                at,
                f"is the same as {names[name.upper()]} to Kestra",
                "open-source Kestra upper-cases the names of secrets",
                "rename one of them",
            )
        names.setdefault(name.upper(), name)
        if (secret.value is None) == (secret.generate is None):
            both = secret.value is not None
            yield Finding(
                at,
                "has both value and generate" if both else "has neither value nor generate",
                "exactly one of value and generate",
                "remove one"
                if both
                else "set value with `pulumi config set --path --secret`, or add generate: {}",
            )
        if secret.value is not None and not revealed(secret.value):
            yield Finding((*at, "value"), "is empty", "a secret has a value", "set it")
    if not s.declared_secrets or s.secret is None:
        return
    if s.secret.type in ("jdbc", "elasticsearch"):
        yield Finding(
            ("declared-secrets",),
            f"cannot be written to {s.secret.type}",
            "only Kestra itself writes to its internal store",
            "create them in Kestra, or choose an external manager",
        )
    elif not s.secret.is_read_only:
        yield Finding(
            ("declared-secrets",),
            "needs read-only mode",
            "in managed mode Kestra is the index of its secrets and does not see those that others wrote",
            "set kestra:secret.read-only to true, or create them in Kestra",
        )


def platform(s: Settings) -> Iterator[Finding]:
    """A database for the queue and the repository, and storage that every pod reaches."""
    for name, kind in (("queue", s.queue), ("repository", s.repository)):
        if (
            kind is not None
            and kind.type in ("postgres", "mysql", "h2")
            and kind.type not in s.datasources
        ):
            yield Finding(
                (name, "type"),
                f"{kind.type} has no datasource",
                "Kestra takes the datasource of the same name",
                f"add kestra:datasources.{kind.type}",
            )
    for name in s.datasources:
        if name not in ("h2", "postgres", "mysql"):
            yield Finding(
                ("datasources", name),
                "is no datasource of Kestra",
                "h2, postgres or mysql",
                "rename it",
            )
    storage = s.storage
    if storage:
        for kind in ("s3", "gcs", "azure", "minio"):
            if storage.type == kind and getattr(storage, kind) is None:
                yield Finding(
                    ("storage", kind), "is missing", f"type {kind} needs its block", "add it"
                )
        for kind in ("local", "s3", "gcs", "azure", "minio"):
            if storage.type != kind and getattr(storage, kind) is not None:
                yield Finding(
                    ("storage", kind),
                    f"is not the block of type {storage.type}",
                    "Kestra reads only the block of its type",
                    "remove it, or change kestra:storage.type",
                )


MOVING_TAGS = re.compile(r"(latest|develop|edge|main|master|stable)(-.*)?")


def deployment(s: Settings) -> Iterator[Finding]:
    """What the chosen mode can run."""
    d = s.deployment
    at = ("deployment",)
    if d.image.tag and MOVING_TAGS.fullmatch(d.image.tag) and not d.image.digest:
        yield Finding(
            (*at, "image", "tag"),
            "is a tag that moves",
            "a digest, or the tag of one release",
            "write for example v1.3.31",
        )
    if d.image.tag and (major := re.match(r"v?(\d+)\.", d.image.tag)) and major[1] != s.version[0]:
        yield Finding(
            (*at, "image", "tag"),
            f"is not of Kestra {s.version}",
            "the configuration is rendered for kestra:version",
            "change the tag or kestra:version",
        )
    shared = {"h2", "memory"}
    if d.mode == "distributed" and (
        s.queue is None
        or s.queue.type in shared
        or s.repository is None
        or s.repository.type in shared
    ):
        yield Finding(
            (*at, "mode"),
            "distributed needs a shared queue and repository",
            "h2 and memory live in one process",
            "set kestra:queue and kestra:repository to postgres, or mode to standalone",
        )
    replicas = d.components.standalone.replicas
    if d.mode == "standalone" and replicas > 1:
        yield Finding(
            (*at, "components", "standalone", "replicas"),
            "is more than one",
            "one pod holds every component in mode standalone",
            "set mode to distributed for more",
        )
    for name in d.components.model_fields_set:
        if name not in s.components:
            yield Finding(
                (*at, "components", name),
                f"is not deployed in mode {d.mode} of Kestra {s.version}",
                f"deployed are {', '.join(s.components)}",
                "remove it",
            )
    for name in d.environment:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            yield Finding(
                (*at, "environment", name),
                "is no name of a variable",
                "letters, digits and _",
                "rename it",
            )
        elif name.startswith(("STACK_", "SECRET_", "MICRONAUT_CONFIG_FILES")):
            yield Finding(
                (*at, "environment", name),
                "is a name that this project sets",
                "STACK_*, SECRET_* and MICRONAUT_CONFIG_FILES are its own",
                "rename it; secrets belong under kestra:declared-secrets",
            )


def production(s: Settings) -> Iterator[Finding]:
    """What only production asks for."""
    if s.is_production and s.tags.owner is None:
        yield Finding(
            ("tags", "owner"),
            "is missing",
            "production has an owner",
            "set the team that answers for it",
        )


def prefixes(s: Settings) -> Iterator[Finding]:
    """An empty tag name or value."""
    block = s.secret and s.secret.backend
    if s.secret is None or not isinstance(block, Manager):
        return
    nested = block.filter_on_tags if isinstance(block, CloudManager) else None
    groups = {
        ("tags",): block.tags,
        ("excluded-tags",): block.excluded_tags,
        ("filter-on-tags",): block.filter_on_tags if isinstance(block, Vault) else {},
        ("filter-on-tags", "tags"): nested.tags if nested else {},
    }
    for at, tags in groups.items():
        for name, value in tags.items():
            if not name.strip() or not value.strip():
                yield Finding(
                    ("secret", s.secret.type, *at, name),
                    "is empty",
                    "a tag has a name and a value",
                    "set it",
                )


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    encryption_key,
    editions,
    secret_manager,
    aws,
    azure,
    vault,
    internal_stores,
    prefixes,
    cache,
    isolation,
    declared_secrets,
    basic_auth,
    endpoints,
    liveness,
    ignored,
    super_admin,
    default_role,
    password_rules,
    platform,
    deployment,
    production,
    tag_rules.check,
)
