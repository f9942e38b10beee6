"""Kestra: what its configuration says about its security."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from policy.application import (
    CARRIERS,
    Application,
    applications,
    is_reference,
    look_up,
    seconds,
)
from policy.model import Context, Finding, Problem, Resource, control
from policy.values import Undecided, leaves, many, number, per

_SUPER = ("kestra.security.super-admin", "kestra.security.instance-owner")
_EMAIL = re.compile(r"[\w!#$%&'*+/=?`{|}~^.-]+@[A-Za-z0-9.-]+")


def _where(found: Application, path: str) -> str:
    return f"{found.path}: {path}"


def _over(
    judge: Callable[[Application, Context], Iterator[Finding]],
) -> Callable[[Resource, Context], Iterator[Finding]]:
    """A judge of configurations as a judge of what carries them."""

    def judging(resource: Resource, context: Context) -> Iterator[Finding]:
        return per(applications(resource), lambda found: judge(found, context))

    return judging


@control(
    "ks-kestra-01",
    "The encryption key is set",
    "critical",
    risk="Without a key, SECRET inputs fail and encrypted outputs of tasks are kept in clear.",
    steps=("Set kestra.encryption.secret-key to ${NAME} and give 32 bytes in base64.",),
    setting="kestra:encryption.secret-key (generated when left out)",
    types=CARRIERS,
)
@_over
def encryption_key(found: Application, _: Context) -> Iterator[Finding]:
    path = "kestra.encryption.secret-key"
    if not found.get(path):
        yield Problem("has no encryption key", "${NAME}", _where(found, path))


@control(
    "ks-kestra-02",
    "A log-in is set, so that the setup page is not public",
    "critical",
    risk="Without a log-in in the configuration, whoever opens Kestra first becomes its administrator.",
    steps=(
        "Open source: set kestra.server.basic-auth.username (an e-mail address) and password.",
        "Enterprise: set kestra.security.super-admin (2.0: instance-owner), or single sign-on.",
    ),
    setting="kestra:server.basic-auth, or kestra:security.super-admin",
    types=CARRIERS,
)
@_over
def log_in(found: Application, _: Context) -> Iterator[Finding]:
    path = "kestra.server.basic-auth"
    accounts = [p for p in (path, *_SUPER) if found.has(p)]
    if look_up(found.document, "micronaut.security.oauth2") or look_up(
        found.document, "micronaut.security.ldap"
    ):
        return
    if not accounts:
        yield Problem("has no log-in", "a user and a password", _where(found, path))
    for account in accounts:
        for name in ("username", "password"):
            if not found.get(f"{account}.{name}"):
                yield Problem(f"has no {name}", "one", _where(found, f"{account}.{name}"))
        user = found.get(f"{account}.username")
        if account == path and user and not is_reference(user) and not _EMAIL.fullmatch(str(user)):
            has = "has a user that Kestra refuses, and so shows its setup page"
            yield Problem(has, "an e-mail address", _where(found, f"{path}.username"))
    if str(found.get(f"{path}.enabled")).lower() == "false":
        where = _where(found, f"{path}.enabled")
        yield Problem("switches the log-in off", "no such key (Kestra ignores it)", where)


@control(
    "ks-kestra-03",
    "The super-admin's password comes from a secret",
    "critical",
    risk="The strongest password of Kestra, in a file, is everybody's who may read files.",
    steps=("Write ${NAME} and give the value in a Secret.",),
    setting="kestra:security.super-admin.password (generated when left out)",
    types=CARRIERS,
)
@_over
def super_admin(found: Application, _: Context) -> Iterator[Finding]:
    for account in _SUPER:
        password = found.get(f"{account}.password")
        if password and not is_reference(password):
            has = "has the super-admin's password in clear"
            yield Problem(has, "${NAME}", _where(found, f"{account}.password"))


_SECRETIVE = re.compile(
    r"(password|secret|secret-?key|secret-?key-?id|access-?key(-?id)?|token|api-?key|private-?key|client-?secret"
    r"|credential(s)?|session-?token|connection-?string|sas-?token|shared-?key-?account-?access-?key"
    r"|service-?account|fingerprint|signing-?key)$",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"kestra\.(security\.(super-?admin|instance-?owner)|secret\.vault)\.", re.IGNORECASE
)


@control(
    "ks-kestra-04",
    "No credential stands in Kestra's configuration",
    "critical",
    risk="A ConfigMap, or the chart's configurations.application, is not secret: anyone who may look, sees.",
    steps=("Write ${NAME} in its place.", "Give the value in a Secret, and change it."),
    setting="pulumi config set --secret --path kestra:<the same path>",
    types=CARRIERS,
)
@_over
def no_credentials(found: Application, _: Context) -> Iterator[Finding]:
    for path, value in leaves(found.document):
        key = path.rsplit(".", 1)[-1]
        if not isinstance(value, (str, int)) or isinstance(value, bool) or not value:
            continue
        has = ""
        if _SECRETIVE.fullmatch(key) and not is_reference(value):
            has = "has a credential in clear"
        elif re.search(r"://[^/\s:@]+:[^/\s@$]+@|[?&;]password=[^&;$]", str(value), re.IGNORECASE):
            has = "has a credential in an address"
        if has and not _ELSEWHERE.match(path):
            yield Problem(
                has,
                "${NAME}",
                _where(found, path),
                setting=f"kestra:{path.removeprefix('kestra.')}",
            )


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
    types=CARRIERS,
)
@_over
def workload_identity(found: Application, _: Context) -> Iterator[Finding]:
    for store, keys in _STATIC:
        for key in keys:
            path = f"kestra.secret.{store}.{key}"
            if found.get(path):
                yield Problem(
                    f"uses a static {key}",
                    "workload identity",
                    _where(found, path),
                    setting=f"kestra:secret.{store}.{key}",
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
    types=CARRIERS,
)
@_over
def password_rules(found: Application, _: Context) -> Iterator[Finding]:
    block = "kestra.security.basic-auth"
    for name, least in _RULES.items():
        value = number(found.get(f"{block}.{name}"))
        if value is not None and value < least:
            yield Problem(
                f"has {name} {value:.0f}",
                f"{least} or more",
                _where(found, f"{block}.{name}"),
                setting=f"kestra:security.basic-auth.{name}",
            )
    rule = found.get(f"{block}.password-regexp")
    if not rule:
        return
    where = _where(found, f"{block}.password-regexp")
    try:
        pattern = re.compile(str(rule))
    except re.error:
        raise Undecided(where) from None
    missing = [name for name, weak in _WEAK.items() if pattern.fullmatch(weak)]
    if missing:
        yield Problem(
            "accepts weak passwords",
            f"{', '.join(missing)} demanded",
            where,
            setting="kestra:security.basic-auth.password-regexp",
        )


@control(
    "ks-kestra-07",
    "Secrets are cached for a short time",
    "medium",
    risk="A long cache goes on with a secret that was changed because it leaked.",
    steps=("Set expire-after-write to the configured seconds (default 300) or less.",),
    setting="kestra:secret.cache.expire-after-write",
    types=CARRIERS,
)
@_over
def short_cache(found: Application, context: Context) -> Iterator[Finding]:
    path, most = "kestra.secret.cache", context.options.maximum_cache_seconds
    if str(found.get(f"{path}.enabled")).lower() != "true":
        return
    written = found.get(f"{path}.expire-after-write")
    life = seconds(written) if written is not None else None
    if life is None:
        has = (
            "caches secrets without an end"
            if written is None
            else "has a life that Kestra does not read"
        )
        yield Problem(has, f"{most:.0f}s or less", _where(found, f"{path}.expire-after-write"))
    elif life > most:
        yield Problem(
            f"caches secrets {life:.0f}s",
            f"{most:.0f}s or less",
            _where(found, f"{path}.expire-after-write"),
        )


_NEEDED_BY_NOBODY = {"EXECUTOR", "INDEXER", "SCHEDULER"}


@control(
    "ks-kestra-08",
    "In production only the services that need secrets resolve them",
    "medium",
    risk="Every service that may resolve secrets is one more place to steal them from.",
    steps=("Set isolation.enabled: true with denied-services [EXECUTOR, INDEXER, SCHEDULER].",),
    setting="kestra:secret.isolation",
    types=CARRIERS,
)
@_over
def isolation(found: Application, context: Context) -> Iterator[Finding]:
    path = "kestra.secret.isolation"
    if not context.is_production or not found.has("kestra.secret.type"):
        return
    if str(found.get(f"{path}.enabled")).lower() != "true":
        yield Problem("has no isolation of secrets", "true", _where(found, f"{path}.enabled"))
        return
    open_ = _NEEDED_BY_NOBODY - {str(s).upper() for s in many(found.get(f"{path}.denied-services"))}
    if open_:
        yield Problem(
            f"lets {', '.join(sorted(open_))} resolve secrets",
            "them denied",
            _where(found, f"{path}.denied-services"),
        )


@control(
    "ks-kestra-09",
    "In production Kestra only reads its secrets",
    "medium",
    risk="A Kestra that may write secrets can be made to replace them.",
    steps=(
        "Set kestra.secret.read-only: true and write the secrets with this stack or their owner.",
    ),
    setting="kestra:secret.read-only",
    types=CARRIERS,
)
@_over
def read_only(found: Application, context: Context) -> Iterator[Finding]:
    path = "kestra.secret"
    store = str(found.get(f"{path}.type") or "jdbc")
    if not context.is_production or store in ("jdbc", "elasticsearch"):
        return
    if str(found.get(f"{path}.read-only")).lower() != "true":
        yield Problem("may write its secrets", "true", _where(found, f"{path}.read-only"))


@control(
    "ks-kestra-10",
    "Liveness times fit together",
    "high",
    risk="When a heartbeat takes longer than the timeout, living workers are declared dead and tasks run twice.",
    steps=("Keep liveness enabled, and heartbeat-interval and interval below timeout.",),
    setting="kestra:server.liveness",
    types=CARRIERS,
)
@_over
def liveness(found: Application, _: Context) -> Iterator[Finding]:
    path = "kestra.server.liveness"
    if str(found.get(f"{path}.enabled")).lower() == "false":
        yield Problem("never notices dead workers", "true", _where(found, f"{path}.enabled"))
    times: dict[str, float] = {}
    for name, default in {"timeout": 45, "interval": 5, "heartbeat-interval": 3}.items():
        written = found.get(f"{path}.{name}")
        times[name] = default
        if written is not None:
            read = seconds(written)
            if read is None or read <= 0:
                yield Problem(
                    f"has a {name} that is no time",
                    "a time such as 45s",
                    _where(found, f"{path}.{name}"),
                    setting=f"kestra:server.liveness.{name}",
                )
            else:
                times[name] = read
    for name in ("interval", "heartbeat-interval"):
        if times[name] >= times["timeout"]:
            yield Problem(
                f"has {name} {times[name]:.0f}s, timeout {times['timeout']:.0f}s",
                f"{name} below timeout",
                _where(found, f"{path}.{name}"),
                setting=f"kestra:server.liveness.{name}",
            )


@control(
    "ks-kestra-11",
    "Only webhooks are open",
    "high",
    risk="An open URL is answered without a log-in, whatever lies behind it.",
    steps=("Open /api/v1/<tenant>/executions/webhook/ only.",),
    setting="kestra:server.basic-auth.open-urls",
    types=CARRIERS,
)
@_over
def open_urls(found: Application, _: Context) -> Iterator[Finding]:
    path = "kestra.server.basic-auth.open-urls"
    for position, url in enumerate(many(found.get(path))):
        if not re.fullmatch(r"/api/v1/([\w.-]+/)?executions/webhook/.*", str(url)):
            yield Problem(
                f"opens {url}",
                "/api/v1/<tenant>/executions/webhook/",
                _where(found, f"{path}.{position}"),
            )


@control(
    "ks-kestra-12",
    "Management endpoints ask for a log-in",
    "high",
    risk="Without a log-in whoever reaches the port reads metrics and the inside of Kestra, or ends it; env shows "
    "its configuration, and stop ends it, for everybody who has the log-in.",
    steps=("Set endpoints.all.basic-auth.", "Leave endpoints.env and endpoints.stop off."),
    setting="kestra:endpoints.all.basic-auth",
    types=CARRIERS,
)
@_over
def management_log_in(found: Application, _: Context) -> Iterator[Finding]:
    path = "endpoints.all.basic-auth"
    if not found.get(f"{path}.username") or not found.get(f"{path}.password"):
        yield Problem("has open management endpoints", "a log-in", _where(found, path))
    for name, effect in (("env", "shows its environment"), ("stop", "is ended by a request")):
        enabled = f"endpoints.{name}.enabled"
        if str(found.get(enabled)).lower() == "true":
            yield Problem(effect, "false", _where(found, enabled), setting=f"kestra:{enabled}")


@control(
    "ks-kestra-13",
    "Flows do not see the environment's secrets",
    "high",
    risk="A prefix that fits the variables of secrets puts them into every flow as envs.*.",
    steps=("Set kestra.variables.env-vars-prefix to ENV_, and call no secret so.",),
    setting="the program sets ENV_; see components/rendering",
    types=CARRIERS,
)
@_over
def environment_prefix(found: Application, _: Context) -> Iterator[Finding]:
    path = "kestra.variables.env-vars-prefix"
    prefix = found.get(path)
    if prefix is not None and (
        not prefix or str(prefix).upper().startswith(("KESTRA", "SECRET", "STACK"))
    ):
        yield Problem(f"shows {prefix or 'every'} variables to flows", "ENV_", _where(found, path))


@control(
    "ks-kestra-14",
    "Production has a real database",
    "medium",
    risk="In an embedded database everything that Kestra knows ends with its pod.",
    steps=("Use PostgreSQL or MySQL (enterprise: Kafka and Elasticsearch).",),
    setting="kestra:datasources, kestra:queue and kestra:repository",
    types=CARRIERS,
)
@_over
def real_database(found: Application, context: Context) -> Iterator[Finding]:
    if context.environment == "development":
        return
    for path in ("kestra.queue.type", "kestra.repository.type"):
        if found.get(path) in ("h2", "memory"):
            yield Problem(
                f"keeps it in {found.get(path)}",
                "a database",
                _where(found, path),
                setting=path.replace("kestra.", "kestra:"),
            )
