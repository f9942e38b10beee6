"""Whether people can log in at the providers of OpenID Connect that a stack names, by their discovery documents.

Asked are addresses that need no log-in. No secret is sent: no client id, no client secret, nothing of a `.netrc`.
What a document must have follows OpenID Connect Discovery 1.0, and what Micronaut Security makes of it: it reads the
document when Kestra starts, drops the client when it cannot, and compares the issuer of each token with the document's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from components.rendering.web_server import WebServer, public_url
from components.settings import Settings
from components.settings.base import OPAQUE, reveal
from sandbox.doctor.machine import Check
from sandbox.doctor.provider_answers import AnswerError, fetch_object, is_public_address

_DISCOVERY = "/.well-known/openid-configuration"
_CALLBACK = "/oauth/callback"
#: What Micronaut checks with the keys of a provider (RSA and elliptic curves).
_ALGORITHMS = frozenset(f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512))
_AUTHENTICATION = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
_LISTS = frozenset(
    [
        "response_types_supported",
        "grant_types_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_methods_supported",
        "scopes_supported",
        "subject_types_supported",
    ]
)
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Client:
    """A client of a provider, as the settings have it."""

    name: str
    issuer: str
    document: str = _DISCOVERY
    """Path of the discovery document below the issuer."""
    scopes: tuple[str, ...] = ()
    auth_method: str = ""
    """How the token endpoint is asked; empty: as Micronaut chooses."""
    set_endpoints: frozenset[str] = field(default_factory=frozenset)
    """What the settings say in the document's place."""

    @property
    def title(self) -> str:
        """Its name in the list of checks."""
        return f"log-in {self.name}"


def examine_log_in(settings: Settings, *, own: bool) -> Iterator[Check]:
    """The checks of every client; one for each thing that is wrong.

    Args:
        settings: the stack's settings.
        own: whether the providers are asked.
    """
    for client in clients(settings):
        if not own:
            words = "not asked whether its provider answers; `--ask-own` asks it"
            yield Check(client.title, words, None)
            continue
        faults = [*_unusable_issuer(client)] or _ask(client)
        yield from (Check(client.title, words, False, remedy) for words, remedy in faults)
        redirect = _redirect(settings, client)
        if redirect.is_well is False or not faults:
            yield redirect


def clients(settings: Settings) -> list[Client]:
    """The clients of OpenID Connect that are on; those of plain OAuth 2.0 have no discovery document."""
    block = settings.catalogue_value("micronaut", "security", "oauth2")
    if not isinstance(block, Mapping) or str(block.get("enabled", True)).lower() == "false":
        return []
    return [
        _client(name, client, client["openid"])
        for name, client in (block.get("clients") or {}).items()
        if isinstance(client, Mapping)
        and isinstance(client.get("openid"), Mapping)
        and client["openid"].get("issuer")
        and str(client.get("enabled", True)).lower() != "false"
    ]


def _client(name: str, client: Mapping[str, Any], openid: Mapping[str, Any]) -> Client:
    places = {
        "authorization_endpoint": ("authorization", "url"),
        "token_endpoint": ("token", "url"),
        "jwks_uri": ("jwks-uri",),
    }
    token = openid.get("token") or {}
    method = token.get("authentication-method") or token.get("auth-method") or ""
    return Client(
        str(name),
        str(reveal(openid["issuer"])),
        str(openid.get("configuration-path") or _DISCOVERY),
        tuple(str(scope) for scope in client.get("scopes") or ()),
        str(method).lower().replace("-", "_"),
        frozenset(one for one, path in places.items() if _at(openid, path)),
    )


def _at(node: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


Fault = tuple[str, str]
"""What is wrong, and what to do."""


def _key(client: Client, rest: str = "openid.issuer") -> str:
    return f"kestra:micronaut.security.oauth2.clients.{client.name}.{rest}"


def _unusable_issuer(client: Client) -> Iterator[Fault]:
    """Why a provider cannot be asked at all; the address is not shown where it may hold a secret."""
    if "${" in client.issuer or client.issuer == OPAQUE:
        yield (
            "its issuer is not known here: it is encrypted, or a variable of the pods",
            f"Write it in clear under {_key(client)}: an issuer is no secret.",
        )
        return
    try:
        parts = urlsplit(client.issuer)
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.username or parts.password:
        yield (
            "its issuer carries a user or a password",
            f"Write the address alone under {_key(client)}, and change that password.",
        )
    elif not is_public_address(client.issuer):
        yield (
            "its issuer is no https:// address",
            f"Set {_key(client)} to the provider's https:// address: over anything else a token can be replaced on "
            "the way.",
        )
    elif parts.query or parts.fragment:
        yield (
            "its issuer has a ? or a #",
            f"End {_key(client)} with the path: the discovery document is asked below it.",
        )


def _ask(client: Client) -> list[Fault]:
    address = client.issuer.rstrip("/") + "/" + client.document.lstrip("/")
    try:
        document = fetch_object(address)
    except AnswerError as error:
        return [(f"{error.words} ({address})", error.remedy)]
    faults = list(judge(client, document))
    keys = document.get("jwks_uri")
    if "jwks_uri" not in client.set_endpoints and is_public_address(keys):
        faults += _keys(str(keys))
    return faults


def judge(client: Client, document: Mapping[str, Any]) -> Iterator[Fault]:
    """What a discovery document lacks for a client.

    Args:
        client: of the settings.
        document: what the provider answered.
    """
    yield from _issuer(client, document.get("issuer"))
    for name in _ENDPOINTS:
        if name in client.set_endpoints:
            continue
        if not document.get(name):
            yield (
                f"the provider's document has no {name}",
                "Choose a provider (a realm, a user pool) of OpenID Connect; one of OAuth 2.0 alone gives no ID token.",
            )
        elif not is_public_address(document[name]):
            yield (
                f"{name} of the provider's document is no https:// address",
                "Have the provider say its public https:// address (Keycloak: `hostname` and `proxy-headers`).",
            )
    for name in sorted(document.keys() & _LISTS):
        if not _is_list_of_texts(document[name]):
            yield (
                f"{name} of the provider's document is no list of texts",
                "Have the provider answer as OpenID Connect Discovery says: Kestra cannot read such a document, and starts "
                "without this log-in.",
            )
    if not _supports(document, "response_types_supported", ("code",)):
        yield (
            "the provider supports no response type `code`",
            "Switch on the authorization code flow for the client at the provider (Keycloak: Standard flow).",
        )
    if not _supports(document, "grant_types_supported", ("authorization_code",)):
        yield (
            "the provider supports no grant `authorization_code`",
            "Switch on the authorization code flow for the client at the provider.",
        )
    if not _supports(document, "id_token_signing_alg_values_supported", _ALGORITHMS):
        yield (
            "the provider signs no ID token with RSA or an elliptic curve",
            "Have it sign with RS256 or ES256: Kestra knows no other key of the provider's.",
        )
    methods = (client.auth_method,) if client.auth_method else _AUTHENTICATION
    if not _supports(document, "token_endpoint_auth_methods_supported", methods):
        yield (
            f"the provider's token endpoint takes no {' or '.join(methods)}",
            f"Allow one at the provider, or set {_key(client, 'openid.token.auth-method')} to one that it takes.",
        )
    if client.scopes and "openid" not in client.scopes:
        yield (
            "its scopes lack `openid`",
            f"Add openid to {_key(client, 'scopes')}: without it the provider gives no ID token.",
        )


def _issuer(client: Client, issuer: Any) -> Iterator[Fault]:
    # It is another's text, for a terminal.
    actual = "".join(filter(str.isprintable, issuer))[:200] if isinstance(issuer, str) else ""
    if not actual:
        yield (
            "the provider's document has no issuer",
            f"See whether {_key(client)} is an address of OpenID Connect.",
        )
    elif "{" in actual:
        yield (
            f"the provider's document has the issuer {actual}, which no token's is: every log-in is refused",
            f"Put the tenant's own id into {_key(client)}, in place of `common` or `organizations`.",
        )
    elif actual.rstrip("/") != client.issuer.rstrip("/"):
        yield (
            f"the provider says its issuer is {actual}, and the settings say {client.issuer}",
            f"Set {_key(client)} to what the provider says; where that is an address of its inside, have the provider "
            "say the one that people use.",
        )


def _supports(document: Mapping[str, Any], key: str, one_of: Any) -> bool:
    """Whether a list of the document has one of some values; a document that does not say has the usual ones."""
    listed = document.get(key)
    return not _is_list_of_texts(listed) or listed is None or any(one in listed for one in one_of)


def _is_list_of_texts(value: Any) -> bool:
    """Also null, which stands for nothing said."""
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _keys(address: str) -> Iterator[Fault]:
    try:
        keys = fetch_object(address).get("keys")
    except AnswerError as error:
        yield f"{error.words} ({address}, the provider's keys)", error.remedy
        return
    if not isinstance(keys, list) or not any(
        isinstance(one, Mapping) and one.get("kty") in ("RSA", "EC") for one in keys
    ):
        yield (
            f"the provider publishes no RSA or elliptic curve key at {address}",
            "Give the provider a key to sign ID tokens with.",
        )


def _redirect(settings: Settings, client: Client) -> Check:
    """Where the provider sends people back: the address to allow there."""
    url = public_url(settings, WebServer.of(settings.catalogue_keys, settings))
    callback = settings.catalogue_value("micronaut", "security", "oauth2", "callback-uri")
    path = str(callback or _CALLBACK).partition("{")[0].rstrip("/") + f"/{client.name}"
    if url is None:
        return Check(
            client.title,
            f"its provider answers as it must; the redirect URI ends in {path}",
            None,
        )
    address = f"{url.rstrip('/')}{path}"
    if not address.startswith("https://"):
        words = f"its redirect URI would be {address}, which providers refuse"
        return Check(
            client.title, words, False, "Set kestra:deployment.url to an https:// address."
        )
    words = f"its provider answers as it must; redirect URI to allow there: {address}"
    return Check(client.title, words, True)
