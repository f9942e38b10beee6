"""Kestra: nobody uses it without logging in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..application import SUPER_ADMINS, Application, is_reference
from ..core.model import Context, Finding, control
from ..core.values import OutOfView, Undecided
from ..effective_configuration import each_application
from .kestra_containers import WEB_COMPONENTS

_EMAIL = re.compile(r"[\w!#$%&'*+/=?`{|}~^.-]+@[A-Za-z0-9.-]+")
#: What the open-source edition does not have.
_ENTERPRISE_BLOCKS = ("kestra.ee", "kestra.security", "kestra.secret")


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
)
@each_application
def log_in(application: Application, _: Context) -> Iterator[Finding]:
    component = application.server.component if application.server else ""
    if component and component not in WEB_COMPONENTS:
        # Nobody logs in there.
        return
    block = "kestra.server.basic-auth"
    if any(application.has_inside(f"micronaut.security.{name}") for name in ("oauth2", "ldap")):
        return
    accounts = [account for account in (block, *SUPER_ADMINS) if application.has(account)]
    if not accounts:
        application.refuse_unseen(f"{block}.password")
        yield application.problem("has no log-in", "a user and a password", block)
    for account in accounts:
        for name in ("username", "password"):
            key = f"{account}.{name}"
            if not application.is_set(key):
                yield application.problem(f"has no {name}", "one", key)
        user = application.known(f"{account}.username")
        if account == block and user and not is_reference(user) and not _EMAIL.fullmatch(str(user)):
            actual = "has a user that Kestra refuses, and so shows its setup page"
            yield application.problem(actual, "an e-mail address", f"{block}.username")
    if application.is_false(f"{block}.enabled"):
        expected = "no such key (Kestra ignores it)"
        yield application.problem("switches the log-in off", expected, f"{block}.enabled")


_SECURITY = "micronaut.security.enabled"


@control(
    "ks-kestra-21",
    "The open-source edition keeps its log-in",
    "critical",
    risk="With micronaut.security.enabled the open-source edition answers everybody: its own log-in steps back.",
    steps=(
        "Remove micronaut.security.enabled and the variable MICRONAUT_SECURITY_ENABLED.",
        "Single sign-on needs the Enterprise Edition, whose image is kestra-ee.",
    ),
    setting="kestra:server.basic-auth; no MICRONAUT_SECURITY_ENABLED in kestra:deployment.environment",
)
@each_application
def own_log_in(application: Application, _: Context) -> Iterator[Finding]:
    if not application.is_true(_SECURITY):
        return
    enterprise = application.server.is_enterprise if application.server else None
    if enterprise is None and not any(map(application.has, _ENTERPRISE_BLOCKS)):
        raise OutOfView("the edition")
    if enterprise is False:
        yield application.problem("drops Kestra's log-in", "no such key", _SECURITY)


_CLIENTS, _LDAP = "micronaut.security.oauth2.clients", "micronaut.security.ldap"
#: What Kestra asks of a provider, below a client.
_ADDRESSES = (
    "openid.issuer", "openid.authorization.url", "openid.token.url", "openid.jwks-uri", "openid.user-info.url",
    "openid.end-session.url", "authorization.url", "token.url", "introspection.url",
)  # fmt: skip


@control(
    "ks-kestra-22",
    "People log in at their provider over TLS",
    "high",
    risk="Without TLS whoever is on the way reads passwords of the directory, or hands out keys that sign any log-in.",
    steps=(
        "OpenID Connect: an issuer, and endpoints where they are set, of https://.",
        "LDAP: a server of ldaps://, with the directory's authority in the trust store.",
    ),
    setting="kestra:micronaut.security.oauth2.clients, kestra:micronaut.security.ldap",
)
@each_application
def provider_tls(application: Application, _: Context) -> Iterator[Finding]:
    addresses = [
        (f"{_CLIENTS}.{name}.{address}", "https://")
        for name in application.names(_CLIENTS)
        for address in _ADDRESSES
    ] + [(f"{_LDAP}.{name}.context.server", "ldaps://") for name in application.names(_LDAP)]
    undecided: Undecided | None = None
    for key, scheme in addresses:
        try:
            address = application.seen(key)
        except Undecided as reason:
            undecided = reason
            continue
        if address is None or str(address).lower().startswith(scheme):
            continue
        if "${" in str(address):
            undecided = undecided or OutOfView(key)
        else:
            yield application.problem("is asked without TLS", scheme, key, setting=f"kestra:{key}")
    if undecided is not None:
        raise undecided
