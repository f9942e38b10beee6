"""Addresses of an installation that mean something else in a cluster, and credentials in them."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from ..settings.base import CREDENTIAL_IN_URL
from ..validation.schema import config_path
from .conversion import Conversion, set_command
from .draft import Place, Value

URL = ("deployment", "url")
_LOCAL = re.compile(r"localhost|127(\.[0-9]+){3}|0\.0\.0\.0|::1|host\.docker\.internal")


def convert(c: Conversion) -> None:
    """The address of Kestra, and those of its databases."""
    _url(c)
    _datasources(c)


def _url(c: Conversion) -> None:
    url = c.draft.text(*URL)
    if url is None:
        return
    parts = _split(url)
    host = parts.hostname if parts else None
    if not url.strip():
        c.drop(URL, "empty; left out")
    elif host and _LOCAL.fullmatch(host):
        c.drop(
            URL,
            f"{host} is the address of one machine; kestra:deployment.url must be the address that users see",
        )
        c.ask(URL, "the address that users see")
    elif url.startswith("http://") and host:
        port = f":{parts.port}" if parts and parts.port else ""
        c.changed(
            URL,
            f"http://{host}{port} is carried; the ingress of this program has TLS only, so the address must change",
            "set kestra:deployment.ingress and an https:// address",
        )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
        return parts
    except ValueError:
        return None


def _datasources(c: Conversion) -> None:
    for name in c.draft.keys("datasources"):
        place: Place = ("datasources", name, "url")
        url = c.draft.text(*place)
        if url is None:
            continue
        url = _without_credentials(c, place, url)
        match = re.match(r"jdbc:[a-z]+://([^/:,?;$]+)(:\d+)?(?=[/?;,]|$)", url)
        host = match[1] if match else ""
        if _LOCAL.fullmatch(host):
            c.changed(
                place,
                f"{host} is the database of that machine; no pod has it",
                f"give the address at which the cluster reaches the database: {set_command(config_path(place), secret=False)}",
            )
        elif host and "." not in host:
            c.changed(
                place,
                f"{host} is the name of a host of one machine or compose network; it does not exist in a cluster "
                "unless a Service of the namespace is called so",
                f"give the address at which the cluster reaches the database: {set_command(config_path(place), secret=False)}",
            )


def _without_credentials(c: Conversion, place: Place, url: str) -> str:
    """The URL with user name and password taken out of it into settings of their own, where it has them."""
    if not CREDENTIAL_IN_URL.search(url):
        return url
    rest, user, password = _credentials(url)
    if not password or CREDENTIAL_IN_URL.search(rest) or "${" in (user or "") + password:
        c.changed(place, "holds a credential, so the whole URL is a secret")
        return url
    value = c.draft.at(*place)
    value.value, value.is_secret = rest, False
    c.secrets.add(password)
    for key, text in (("username", user), ("password", password)):
        if text is not None:
            c.draft.put(
                (*place[:-1], key),
                Value(text, value.origin, "taken out of the URL", key == "password"),
            )
    names = "user name and password" if user is not None else "password"
    c.changed(place, f"{names} stood in the URL; they are settings of their own now")
    return rest


def _credentials(url: str) -> tuple[str, str | None, str | None]:
    """A JDBC URL without its credentials, its user name and its password."""
    user = password = None
    if match := re.match(r"(jdbc:[a-z]+://)([^/?@:]*):([^/?@]*)@(.*)", url, re.DOTALL):
        user, password = unquote(match[2]) or None, unquote(match[3])
        url = match[1] + match[4]
    base, mark, query = url.partition("?")
    kept: list[str] = []
    for pair in query.split("&") if mark else ():
        key, _, text = pair.partition("=")
        if key.lower() in ("user", "username"):
            user = unquote_plus(text)
        elif key.lower() == "password":
            password = unquote_plus(text)
        else:
            kept.append(pair)
    return base + (f"?{'&'.join(kept)}" if kept else ""), user, password
