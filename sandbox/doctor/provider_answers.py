"""What a provider of log-ins answers at a public address. Nothing that says who asks is sent."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

SECONDS = 10
"""How long a provider may take to answer, and then for all of its answer."""
MOST_BYTES = 1_000_000
_LONGEST_ADDRESS = 2000
_REDIRECTS = 3
_REACHING = (
    "See whether the name and the port are right, and whether this machine may reach it; Kestra's pods must as well "
    "(docs/network.md)."
)


class AnswerError(Exception):
    """A provider did not answer as it must."""

    def __init__(self, words: str, remedy: str) -> None:
        super().__init__(words)
        self.words, self.remedy = words, remedy


def is_public_address(text: Any) -> bool:
    """Whether something is an address with TLS that can be asked, without a user, and can be shown on a terminal."""
    if not isinstance(text, str) or len(text) > _LONGEST_ADDRESS:
        return False
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_whole and not (parts.username or parts.password)


def fetch_object(address: str) -> Mapping[str, Any]:
    """The JSON object at an address, also after redirects to others with TLS.

    Raises:
        AnswerError: in words, with what to do.
    """
    with requests.Session() as session:
        # In place of what `.netrc` has for the host.
        session.auth = lambda request: request
        answer = _get(session, address)
        for _ in range(_REDIRECTS):
            location = answer.headers.get("Location")
            if not answer.is_redirect or location is None:
                break
            address = _redirected(address, location)
            answer = _get(session, address)
        if not answer.ok or answer.is_redirect:
            raise AnswerError(
                f"its provider answers HTTP {answer.status_code}",
                "See whether the issuer is the whole address: Keycloak https://HOST/realms/REALM, Entra ID "
                "https://login.microsoftonline.com/TENANT/v2.0, Cognito "
                "https://cognito-idp.REGION.amazonaws.com/POOL.",
            )
        return _content(answer)


def _redirected(address: str, location: str) -> str:
    try:
        target = urljoin(address, location)
    except ValueError:
        target = ""
    if not is_public_address(target):
        raise AnswerError(
            "its provider sends the question on to an address without TLS, or to none",
            "Have the provider answer at its https:// address.",
        )
    return target


def _get(session: requests.Session, address: str) -> requests.Response:
    try:
        return session.get(
            address,
            timeout=SECONDS,
            stream=True,
            allow_redirects=False,
            headers={"Accept": "application/json"},
        )
    except requests.exceptions.SSLError as error:
        raise _certificate_error(str(error)) from None
    except requests.exceptions.Timeout:
        raise AnswerError(f"its provider gave no answer in {SECONDS} s", _REACHING) from None
    except requests.exceptions.ConnectionError as error:
        is_unknown = "NameResolution" in str(error) or "getaddrinfo" in str(error)
        words = "the name of its provider is not known" if is_unknown else "nothing answers there"
        raise AnswerError(words, _REACHING) from None
    except requests.RequestException as error:
        raise AnswerError(f"it cannot be asked ({type(error).__name__})", _REACHING) from None
    # Of what requests builds upon, also for an address that it is sent on to.
    except ValueError:
        words = "it cannot be asked, or sends the question on to an address that is none"
        raise AnswerError(words, _REACHING) from None


def _certificate_error(text: str) -> AnswerError:
    if "Hostname mismatch" in text or "IP address mismatch" in text:
        words, remedy = "is for another name", "Set the issuer to a name that the certificate has."
    elif "expired" in text:
        words, remedy = "has expired", "Renew it."
    elif "CERTIFICATE_VERIFY_FAILED" in text:
        words = "is of an authority that is not known here"
        remedy = (
            "For this command set REQUESTS_CA_BUNDLE to the authority's file; for Kestra's pods mount a trust store "
            "that has it, and name it in java-options (docs/pods.md)."
        )
    else:
        return AnswerError(
            "it speaks no TLS there, or none that is still safe",
            "Serve https:// there, with TLS 1.2 or newer.",
        )
    return AnswerError(f"its provider's certificate {words}", remedy)


def _content(answer: requests.Response) -> Mapping[str, Any]:
    content, end = b"", time.monotonic() + SECONDS
    try:
        # What is there, not whole chunks: a provider that sends a byte at a time ends, too.
        while part := answer.raw.read1(65536, decode_content=True):
            content += part
            if len(content) > MOST_BYTES or time.monotonic() > end:
                raise AnswerError(
                    f"its provider's answer is longer than {MOST_BYTES} bytes, or takes more than {SECONDS} s",
                    "See in a browser what answers there: a download, a proxy.",
                )
        document = json.loads(content)
    except (ValueError, RecursionError, OSError, urllib3.exceptions.HTTPError):
        document = None
    if not isinstance(document, Mapping):
        raise AnswerError(
            "its provider answers with something else than a JSON object",
            "See in a browser what answers there: a log-in page, a proxy.",
        )
    return document
