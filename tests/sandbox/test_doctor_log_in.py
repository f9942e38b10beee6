"""`doctor` reads the discovery document of each provider of log-ins, says what is wrong with it, and sends no secret.

The provider is a small one on loopback with TLS. What a document must have: OpenID Connect Discovery 1.0, sections 3 and
4; how Micronaut Security 4.15 reads it: `DefaultOpenIdProviderMetadataFetcher` and `IssuerClaimValidator`.
"""

from __future__ import annotations

import datetime
import itertools
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from components.settings import Settings
from components.validation import load
from sandbox.doctor import provider_answers
from sandbox.doctor.log_in import clients, examine_log_in
from sandbox.doctor.machine import Check
from tests.conftest import stack_document

PLANTED = "Pl4nted-Client-Secret-Zq81"
DOCUMENT = "/realms/company/.well-known/openid-configuration"


@dataclass
class Provider:
    """A provider of OpenID Connect, and what it was asked."""

    address: str
    changes: dict[str, Any] = field(default_factory=dict)
    """Key of its discovery document to another value; None leaves it out."""
    answers: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    """Path to status, Location and body, in place of its own."""
    requests: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"{self.address}/realms/company"

    def document(self) -> dict[str, Any]:
        own = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/certs",
            "response_types_supported": ["code", "id_token"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        return {k: v for k, v in (own | self.changes).items() if v is not None}

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == DOCUMENT:
            return 200, "", json.dumps(self.document()).encode()
        if path == "/realms/company/certs":
            return 200, "", json.dumps({"keys": [{"kty": "RSA", "use": "sig"}]}).encode()
        return 404, "", b"not here"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, *names: str, **certificate: Any) -> Iterator[Provider]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost",)), **certificate).configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.requests.append(f"GET {self.path} {self.headers}")
            status, location, body = provider.answer(self.path)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider = Provider(f"https://localhost:{server.server_address[1]}")
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def provider(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Provider]:
    _trust(authority, monkeypatch, tmp_path)
    yield from serving(authority)


def _trust(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "authority.pem"))
    # A log-in for the provider's host, which must not be sent.
    (folder / "netrc").write_text(f"machine localhost login operator password {PLANTED}\n")
    (folder / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(folder / "netrc"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def settings(issuer: str, **changes: Any) -> Settings:
    document: dict[str, Any] = stack_document("example-oidc")
    client = document["micronaut"]["security"]["oauth2"]["clients"]["keycloak"]
    client["client-secret"] = PLANTED
    client["openid"] |= {"issuer": issuer}
    for path, value in changes.items():
        node, *_, last = client, *path.split("__")
        for part in path.split("__")[:-1]:
            node = node.setdefault(part, {})
        node[last.replace("_", "-")] = value
    return load(document, source="t").settings


def faults(issuer: str, **changes: Any) -> list[str]:
    checks = list(examine_log_in(settings(issuer, **changes), own=True))
    lacking = [check for check in checks if check.is_well is False]
    assert all(check.remedy for check in lacking)
    assert PLANTED not in str(checks)
    return [check.state for check in lacking]


def test_a_provider_that_answers_as_it_must_is_said_with_the_redirect_uri(
    provider: Provider,
) -> None:
    assert list(examine_log_in(settings(provider.issuer), own=True)) == [
        Check(
            "log-in keycloak",
            "its provider answers as it must; redirect URI to allow there: "
            "https://kestra-oidc.example.com/oauth/callback/keycloak",
            True,
        )
    ]
    assert [line.split()[1] for line in provider.requests] == [DOCUMENT, "/realms/company/certs"]


def test_no_secret_is_sent_not_even_after_a_redirect(provider: Provider) -> None:
    provider.answers[DOCUMENT] = (302, "/moved", b"")
    provider.answers["/moved"] = (200, "", json.dumps(provider.document()).encode())
    assert faults(provider.issuer) == []
    asked = "\n".join(provider.requests)
    assert "/moved" in asked
    for word in (PLANTED, "Authorization", "Cookie", "kestra", "operator"):
        assert word not in asked.replace("/realms/company", "")


def test_without_being_told_to_ask_nobody_is_asked(provider: Provider) -> None:
    checks = list(examine_log_in(settings(provider.issuer), own=False))
    assert [check.is_well for check in checks] == [None]
    assert "--ask-own" in checks[0].state
    assert provider.requests == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("issuer", "https://inside:8080/realms/company", "says its issuer is https://inside:8080"),
        ("issuer", "https://login.example.com/{tenantid}/v2.0", "every log-in is refused"),
        ("issuer", None, "has no issuer"),
        ("issuer", 7, "has no issuer"),
        ("authorization_endpoint", None, "has no authorization_endpoint"),
        ("token_endpoint", None, "has no token_endpoint"),
        ("jwks_uri", None, "has no jwks_uri"),
        ("token_endpoint", "http://inside/token", "token_endpoint of the provider's document is no https://"),
        ("token_endpoint", {"url": "https://a"}, "token_endpoint of the provider's document is no https://"),
        ("authorization_endpoint", "https://[::1", "authorization_endpoint of the provider's document is no https://"),
        ("jwks_uri", "https://host:99999/keys", "jwks_uri of the provider's document is no https://"),
        ("jwks_uri", f"https://a:{PLANTED}@localhost/keys", "jwks_uri of the provider's document is no https://"),
        ("jwks_uri", "https://localhost/\x1b[2J", "jwks_uri of the provider's document is no https://"),
        ("jwks_uri", f"https://{'a' * 1900}/", "it cannot be asked"),
        ("jwks_uri", f"https://localhost/{'a' * 2000}", "jwks_uri of the provider's document is no https://"),
        ("response_types_supported", "code", "response_types_supported of the provider's document is no list"),
        ("grant_types_supported", {"authorization_code": True}, "grant_types_supported of the provider's document is no list"),
        ("scopes_supported", [{}], "scopes_supported of the provider's document is no list"),
        ("response_types_supported", ["id_token"], "no response type `code`"),
        ("grant_types_supported", ["implicit"], "no grant `authorization_code`"),
        ("id_token_signing_alg_values_supported", ["HS256", "none"], "no ID token with RSA"),
        ("token_endpoint_auth_methods_supported", ["tls_client_auth"], "takes no client_secret_basic or"),
    ],
)  # fmt: skip
def test_what_a_document_lacks_is_said_with_a_fix(
    provider: Provider, key: str, value: Any, words: str
) -> None:
    provider.changes[key] = value
    [state] = faults(provider.issuer)
    assert words in state


def test_everything_that_is_wrong_is_said_at_once(provider: Provider) -> None:
    provider.changes |= {"issuer": "https://other", "token_endpoint": None}
    provider.changes |= {"response_types_supported": ["token"]}
    provider.answers["/realms/company/certs"] = (200, "", b'{"keys": []}')
    assert len(faults(provider.issuer)) == 4


def test_a_slash_at_the_end_of_the_issuer_makes_no_difference(provider: Provider) -> None:
    assert faults(provider.issuer + "/") == []
    assert all("//.well-known" not in line for line in provider.requests)


def test_what_the_settings_say_themselves_is_not_looked_for(provider: Provider) -> None:
    provider.changes |= {"token_endpoint": None, "jwks_uri": None}
    own = {"openid__token": {"url": "https://a/t"}, "openid__jwks_uri": "https://a/k"}
    assert faults(provider.issuer, **own) == []
    [state] = faults(provider.issuer, **own | {"openid__token": {"url": "https://a/t", "auth-method": "private_key_jwt"}})  # fmt: skip
    assert "takes no private_key_jwt" in state


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        (DOCUMENT, (404, "", b""), "HTTP 404"),
        (DOCUMENT, (503, "", b""), "HTTP 503"),
        (DOCUMENT, (200, "", b"<html>log in</html>"), "something else than a JSON object"),
        (DOCUMENT, (200, "", b"[" * 100_000), "something else than a JSON object"),
        (DOCUMENT, (200, "", b'["issuer"]'), "something else than a JSON object"),
        (DOCUMENT, (200, "", b""), "something else than a JSON object"),
        (DOCUMENT, (204, "", b""), "something else than a JSON object"),
        (DOCUMENT, (200, "", '{"issuer": "é"}'.encode("latin-1")), "something else than a JSON object"),
        (DOCUMENT, (200, "", b"9" * 5000), "something else than a JSON object"),
        (DOCUMENT, (200, "", b'{"issuer": "' + b"a" * 1_000_001), "longer than 1000000 bytes"),
        (DOCUMENT, (302, "https://[::1", b""), "to an address that is none"),
        (DOCUMENT, (302, "https://\xff/", b""), "to an address that is none"),
        (DOCUMENT, (302, "https://localhost:99999/", b""), "an address without TLS, or to none"),
        (DOCUMENT, (302, f"https://{'a' * 1900}/", b""), "it cannot be asked"),
        (DOCUMENT, (302, "http://localhost/plain", b""), "an address without TLS"),
        (DOCUMENT, (302, DOCUMENT, b""), "HTTP 302"),
        ("/realms/company/certs", (404, "", b""), "HTTP 404"),
        ("/realms/company/certs", (200, "", b'{"keys": [{"kty": "oct"}]}'), "no RSA or elliptic"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_document_is_said(
    provider: Provider, path: str, answer: tuple[int, str, bytes], words: str
) -> None:
    provider.answers[path] = answer
    [state] = faults(provider.issuer)
    assert words in state


def test_an_answer_that_does_not_end_is_not_waited_for(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every look at the clock is later than a whole answer may take.
    clock = SimpleNamespace(monotonic=itertools.count(0, 2 * provider_answers.SECONDS).__next__)
    monkeypatch.setattr(provider_answers, "time", clock)
    [state] = faults(provider.issuer)
    assert "takes more than 10 s" in state


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("http://sso.example.com/realms/company", "no https:// address"),
        ("sso.example.com", "no https:// address"),
        ("https://[::1", "no https:// address"),
        ("https://sso.example.com:99999/realms/company", "no https:// address"),
        ("https://sso.example.com/realms/ company", "no https:// address"),
        (f"https://kestra:{PLANTED}@sso.example.com", "carries a user or a password"),
        ("https://sso.example.com/realms/company?x=1", "has a ? or a #"),
        ("${ISSUER}", "is not known here"),
    ],
)
def test_an_issuer_that_cannot_be_asked_is_said_and_not_asked(
    monkeypatch: pytest.MonkeyPatch, issuer: str, words: str
) -> None:
    monkeypatch.setattr(provider_answers.requests, "Session", None)
    [state] = faults(issuer)
    assert words in state


def test_a_certificate_of_another_authority_name_or_time_is_said(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _trust(authority, monkeypatch, tmp_path)
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    for by, names, certificate, words in (
        (trustme.CA(), ("localhost",), {}, "is of an authority that is not known"),
        (authority, ("sso.example.com",), {}, "is for another name"),
        (authority, ("localhost",), {"not_after": yesterday}, "has expired"),
    ):
        servers = serving(by, *names, **certificate)
        [state] = faults(next(servers).issuer)
        assert f"its provider's certificate {words}" in state
        assert list(servers) == []


def test_a_server_that_is_not_there_or_speaks_no_tls_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    plain.handle_error = lambda request, client_address: None
    thread = threading.Thread(
        target=plain.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    [state] = faults(f"https://127.0.0.1:{plain.server_address[1]}/realms/company")
    assert "it speaks no TLS there" in state
    plain.shutdown()
    thread.join()
    plain.server_close()
    [state] = faults(f"https://127.0.0.1:{plain.server_address[1]}/realms/company")
    assert "nothing answers there" in state
    [state] = faults("https://no-such-host.invalid/realms/company")
    assert "the name of its provider is not known" in state


def test_only_clients_of_openid_connect_that_are_on_are_asked() -> None:
    document: dict[str, Any] = stack_document("example-oidc")
    oauth2 = document["micronaut"]["security"]["oauth2"]
    oauth2["clients"]["github"] = {"client-id": "a", "client-secret": "${OIDC_CLIENT_SECRET}"}
    oauth2["clients"]["old"] = oauth2["clients"]["keycloak"] | {"enabled": False}
    assert [client.name for client in clients(load(document, source="t").settings)] == ["keycloak"]
    oauth2["enabled"] = False
    assert clients(load(document, source="t").settings) == []
    assert clients(load(stack_document("local"), source="t").settings) == []


def test_the_redirect_uri_follows_the_settings(provider: Provider) -> None:
    document: dict[str, Any] = stack_document("example-oidc")
    security = document["micronaut"]["security"]
    security["oauth2"]["clients"]["keycloak"]["openid"]["issuer"] = provider.issuer
    security["oauth2"]["callback-uri"] = "/sso{/provider}"
    [check] = examine_log_in(load(document, source="t").settings, own=True)
    assert check.state.endswith("https://kestra-oidc.example.com/sso/keycloak")
    document["deployment"]["url"] = "http://kestra.example.com"
    [check] = examine_log_in(load(document, source="t").settings, own=True)
    assert (check.is_well, "providers refuse" in check.state) == (False, True)
