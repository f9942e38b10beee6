"""Kestra: what its configuration says about its security."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..application import Application, seconds
from ..core.model import VARIABLE, Context, Finding, Problem, control
from ..core.values import Undecided, number
from ..effective_configuration import each_application
from ..environment_variables import SECRET_FAMILIES


@control(
    "ks-kestra-01",
    "The encryption key is set",
    "critical",
    risk="Without a key, SECRET inputs fail and encrypted outputs of tasks are kept in clear.",
    steps=("Set kestra.encryption.secret-key to ${NAME} and give 32 bytes in base64.",),
    setting="kestra:encryption.secret-key (generated when left out)",
)
@each_application
def encryption_key(application: Application, _: Context) -> Iterator[Finding]:
    key = "kestra.encryption.secret-key"
    if not application.is_set(key):
        yield application.problem("has no encryption key", VARIABLE, key)


_STATIC = (
    ("aws-secret-manager", ("access-key-id", "secret-key-id", "session-token")),
    ("azure-key-vault", ("client-secret",)),
    ("google-secret-manager", ("service-account",)),
)


@control(
    "ks-kestra-05",
    "Kestra reaches its secret store as itself",
    "high",
    risk="A static key works from anywhere and until somebody remembers it.",
    steps=("Remove the key and bind the service account to a role of the cloud.",),
    setting="kestra:identity",
)
@each_application
def workload_identity(application: Application, _: Context) -> Iterator[Finding]:
    for store, names in _STATIC:
        for name in names:
            key = f"kestra.secret.{store}.{name}"
            # Google's is a text, Azure's a block.
            if application.has_inside(key) or (
                application.setting(key) is not None and application.is_set(key)
            ):
                yield application.problem(
                    f"uses a static {name}",
                    "workload identity",
                    key,
                    setting=f"kestra:secret.{store}.{name}",
                )


#: Each lacks one thing that Kestra's default asks for: length, lower case, upper case, a digit.
_WEAK = {
    "8 characters": "Abcde1x",
    "a lower-case letter": "ABCDEFG1",
    "an upper-case letter": "abcdefg1",
    "a digit": "Abcdefgh",
}
_RULES = {
    "password-min-length": 8,
    "password-min-digits": 1,
    "password-min-lower-case": 1,
    "password-min-upper-case": 1,
}


@control(
    "ks-kestra-06",
    "Password rules are no weaker than Kestra's",
    "medium",
    risk="A rule that is weaker than the default lets passwords in that are guessed in minutes.",
    steps=(
        "Ask for 8 characters, lower case, upper case and a digit at least, or leave the rule out.",
    ),
    setting="kestra:security.basic-auth",
)
@each_application
def password_rules(application: Application, _: Context) -> Iterator[Finding]:
    block = "kestra.security.basic-auth"
    for name, least in _RULES.items():
        value = number(application.seen(f"{block}.{name}"))
        if value is not None and value < least:
            yield application.problem(
                f"has {name} {application.shown(f'{block}.{name}', f'{value:.0f}')}",
                f"{least} or more",
                f"{block}.{name}",
                setting=f"kestra:security.basic-auth.{name}",
            )
    key = f"{block}.password-regexp"
    rule = application.seen(key)
    if not rule:
        return
    try:
        pattern = re.compile(str(rule))
    except re.error:
        raise Undecided(key) from None
    missing = [name for name, weak in _WEAK.items() if pattern.fullmatch(weak)]
    if missing:
        yield application.problem(
            "accepts weak passwords",
            f"{', '.join(missing)} demanded",
            key,
            setting="kestra:security.basic-auth.password-regexp",
        )


@control(
    "ks-kestra-07",
    "Secrets are cached for a short time",
    "medium",
    risk="A long cache goes on with a secret that was changed because it leaked.",
    steps=("Set expire-after-write to the configured seconds (default 300) or less.",),
    setting="kestra:secret.cache.expire-after-write",
)
@each_application
def short_cache(application: Application, context: Context) -> Iterator[Finding]:
    block, most = "kestra.secret.cache", context.options.maximum_cache_seconds
    if not application.is_true(f"{block}.enabled"):
        return
    key = f"{block}.expire-after-write"
    written = application.get(key)
    life = seconds(written) if written is not None else None
    if life is None:
        actual = (
            "caches secrets without an end"
            if written is None
            else "has a life that Kestra does not read"
        )
        yield application.problem(actual, f"{most:.0f}s or less", key)
    elif life > most:
        actual = f"caches secrets {application.shown(key, f'{life:.0f}s')}"
        yield application.problem(actual, f"{most:.0f}s or less", key)


_NEEDED_BY_NOBODY = {"EXECUTOR", "INDEXER", "SCHEDULER"}


@control(
    "ks-kestra-08",
    "In production only the services that need secrets resolve them",
    "medium",
    risk="Every service that may resolve secrets is one more place to steal them from.",
    steps=("Set isolation.enabled: true with denied-services [EXECUTOR, INDEXER, SCHEDULER].",),
    setting="kestra:secret.isolation",
)
@each_application
def isolation(application: Application, context: Context) -> Iterator[Finding]:
    block = "kestra.secret.isolation"
    if not context.is_production or not application.has("kestra.secret.type"):
        return
    if str(application.get(f"{block}.enabled")).lower() != "true":
        yield application.problem("has no isolation of secrets", "true", f"{block}.enabled")
        return
    key = f"{block}.denied-services"
    allowed = _NEEDED_BY_NOBODY - {str(s).upper() for s in application.get_list(key)}
    if allowed:
        actual = f"lets {', '.join(sorted(allowed))} resolve secrets"
        yield application.problem(actual, "them denied", key)


@control(
    "ks-kestra-09",
    "In production Kestra only reads its secrets",
    "medium",
    risk="A Kestra that may write secrets can be made to replace them.",
    steps=(
        "Set kestra.secret.read-only: true and write the secrets with this stack or their owner.",
    ),
    setting="kestra:secret.read-only",
)
@each_application
def read_only(application: Application, context: Context) -> Iterator[Finding]:
    block = "kestra.secret"
    if not context.is_production or not application.has(f"{block}.type"):
        return
    store = str(application.get(f"{block}.type") or "jdbc")
    if store in ("jdbc", "elasticsearch"):
        return
    if str(application.get(f"{block}.read-only")).lower() != "true":
        yield application.problem("may write its secrets", "true", f"{block}.read-only")


@control(
    "ks-kestra-10",
    "Liveness times fit together",
    "high",
    risk="When a heartbeat takes longer than the timeout, living workers are declared dead and tasks run twice.",
    steps=("Keep liveness enabled, and heartbeat-interval and interval below timeout.",),
    setting="kestra:server.liveness",
)
@each_application
def liveness(application: Application, _: Context) -> Iterator[Finding]:
    block = "kestra.server.liveness"
    if application.is_false(f"{block}.enabled"):
        yield application.problem("never notices dead workers", "true", f"{block}.enabled")
    times: dict[str, float] = {}
    for name, default in {"timeout": 45, "interval": 5, "heartbeat-interval": 3}.items():
        written = application.seen(f"{block}.{name}")
        times[name] = default
        if written is not None:
            read = seconds(written)
            if read is None or read <= 0:
                yield application.problem(
                    f"has a {name} that is no time",
                    "a time such as 45s",
                    f"{block}.{name}",
                    setting=f"kestra:server.liveness.{name}",
                )
            else:
                times[name] = read
    shown = {n: application.shown(f"{block}.{n}", f"{t:.0f}s") for n, t in times.items()}
    for name in ("interval", "heartbeat-interval"):
        if times[name] >= times["timeout"]:
            yield application.problem(
                f"has {name} {shown[name]}, timeout {shown['timeout']}",
                f"{name} below timeout",
                application.strongest(f"{block}.{name}", f"{block}.timeout"),
                setting=f"kestra:server.liveness.{name}",
            )


@control(
    "ks-kestra-11",
    "Only webhooks are open",
    "high",
    risk="An open URL is answered without a log-in, whatever lies behind it.",
    steps=("Open /api/v1/<tenant>/executions/webhook/ only.",),
    setting="kestra:server.basic-auth.open-urls",
)
@each_application
def open_urls(application: Application, _: Context) -> Iterator[Finding]:
    key = "kestra.server.basic-auth.open-urls"
    if application.setting(key) is None:
        return
    for position, url in enumerate(application.get_list(key)):
        if not re.fullmatch(r"/api/v1/([\w.-]+/)?executions/webhook/.*", str(url)):
            actual, expected = (
                f"opens {application.shown(key, url)}",
                "/api/v1/<tenant>/executions/webhook/",
            )
            yield application.problem(actual, expected, key, position=position)


@control(
    "ks-kestra-12",
    "Management endpoints ask for a log-in",
    "high",
    risk="Without a log-in whoever reaches the port reads metrics and the inside of Kestra, or ends it; env shows "
    "its configuration, and stop ends it, for everybody who has the log-in.",
    steps=("Set endpoints.all.basic-auth.", "Leave endpoints.env and endpoints.stop off."),
    setting="kestra:endpoints.all.basic-auth",
)
@each_application
def management_log_in(application: Application, _: Context) -> Iterator[Finding]:
    block = "endpoints.all.basic-auth"
    try:
        missing = [
            k for n in ("username", "password") if not application.is_set(k := f"{block}.{n}")
        ]
    except Undecided as reason:
        missing = []
        yield reason
    if missing:
        # An empty key is named itself, one that is absent by its block.
        empty = [key for key in missing if application.setting(key) is not None]
        key = empty[0] if empty else block
        yield application.problem("has open management endpoints", "a log-in", key)
    for name, effect in (("env", "shows its environment"), ("stop", "is ended by a request")):
        key = f"endpoints.{name}.enabled"
        if application.is_true(key):
            yield application.problem(effect, "false", key, setting=f"kestra:{key}")


_DEFAULT_PREFIX = "ENV_"


@control(
    "ks-kestra-13",
    "Flows do not see the environment's secrets",
    "high",
    risk="A prefix that fits the variables of secrets puts them into every flow as envs.*.",
    steps=("Set kestra.variables.env-vars-prefix to ENV_, and call no secret so.",),
    setting="always ENV_ (components/rendering)",
)
@each_application
def environment_prefix(application: Application, _: Context) -> Iterator[Finding]:
    key = "kestra.variables.env-vars-prefix"
    setting = application.setting(key)
    prefix = _DEFAULT_PREFIX if setting is None else str(application.get(key))
    families = [f for f in SECRET_FAMILIES if f.startswith(prefix) or prefix.startswith(f)]
    if setting is not None and (not prefix or families):
        shown = f"{application.shown(key, prefix)} variables" if prefix else "every variable"
        yield application.problem(f"shows {shown} to flows", "ENV_", key)
        return
    for variable in application.variables.known.values() if application.variables else ():
        if variable.is_secret and variable.name.startswith(prefix):
            yield Problem(
                f"shows the variable {variable.name}, which holds a secret, to flows",
                "a name that does not begin with kestra.variables.env-vars-prefix",
                variable.path,
                variable.resource,
            )


@control(
    "ks-kestra-14",
    "Production has a real database",
    "medium",
    risk="In an embedded database everything that Kestra knows ends with its pod.",
    steps=("Use PostgreSQL or MySQL (enterprise: Kafka and Elasticsearch).",),
    setting="kestra:datasources, kestra:queue and kestra:repository",
)
@each_application
def real_database(application: Application, context: Context) -> Iterator[Finding]:
    if context.environment == "development":
        return
    for key in ("kestra.queue.type", "kestra.repository.type"):
        kind = application.seen(key)
        if kind in ("h2", "memory"):
            yield application.problem(
                f"keeps it in {application.shown(key, kind)}",
                "a database",
                key,
                setting=key.replace("kestra.", "kestra:"),
            )
