"""RandomBytes, RandomPassword, RandomString, RandomId, RandomInteger, RandomUuid, as the official provider makes them."""

from __future__ import annotations

import base64
import math
import secrets
import string
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcrypt

from sandbox.plugins.inputs import Schemas
from sandbox.plugins.server import Diff, Engine, ProviderError, take_urn
from sandbox.plugins.values import UNKNOWN, Secret, has_unknown, plain

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_ALPHABETS = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
}


def make_bytes(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """`length` bytes as base64 and hexadecimal."""
    length = int(inputs["length"])
    if length < 1:
        raise ProviderError("Attribute length value must be at least 1")
    data = secrets.token_bytes(length)
    text = base64.b64encode(data).decode()
    return text, {"base64": text, "hex": data.hex()}


def make_text(inputs: dict[str, Any]) -> str:
    """`length` characters of the wanted kinds, with at least the wanted number of each."""
    length = int(inputs["length"])
    alphabets = {k: v for k, v in _ALPHABETS.items() if inputs.get(k, True)}
    if inputs.get("special", True):
        alphabets["special"] = inputs.get("overrideSpecial") or _SPECIAL
    least = {kind: int(inputs.get(f"min{kind.title()}") or 0) for kind in alphabets}
    if sum(least.values()) > length or length < 1 or not alphabets:
        raise ProviderError(
            "Attribute length value must be at least sum of min_upper + min_lower + min_numeric + "
            f"min_special, got: {length}"
        )
    generator = secrets.SystemRandom()
    chosen = [generator.choice(alphabets[kind]) for kind, n in least.items() for _ in range(n)]
    everything = "".join(alphabets.values())
    chosen += [generator.choice(everything) for _ in range(length - len(chosen))]
    generator.shuffle(chosen)
    return "".join(chosen)


def make_password(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A password and its bcrypt hash; the id says nothing of it."""
    result = make_text(inputs)
    # bcrypt reads 72 bytes; the official provider hashes those too.
    hashed = bcrypt.hashpw(result.encode()[:72], bcrypt.gensalt(10)).decode()
    return "none", {"result": result, "bcryptHash": hashed}


def make_string(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A text that is no secret."""
    result = make_text(inputs)
    return result, {"result": result}


def make_id(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """`byteLength` bytes in four spellings, behind a prefix."""
    data = secrets.token_bytes(int(inputs["byteLength"]))
    prefix = inputs.get("prefix") or ""
    url = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return url, {
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(data).decode(),
        "hex": prefix + data.hex(),
        "dec": f"{prefix}{int.from_bytes(data)}",
    }


def make_integer(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A whole number in a range."""
    low, high = math.ceil(inputs["min"]), math.floor(inputs["max"])
    if high < low:
        raise ProviderError(
            "The minimum (min) value needs to be smaller than or equal to maximum (max) value."
        )
    result = low + secrets.randbelow(high - low + 1)
    return str(result), {"result": result}


def make_uuid(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A UUID of version 4."""
    result = str(uuid.uuid4())
    return result, {"result": result}


MAKERS: dict[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "random:index/randomBytes:RandomBytes": make_bytes,
    "random:index/randomPassword:RandomPassword": make_password,
    "random:index/randomString:RandomString": make_string,
    "random:index/randomId:RandomId": make_id,
    "random:index/randomInteger:RandomInteger": make_integer,
    "random:index/randomUuid:RandomUuid": make_uuid,
}


class RandomPlugin:
    """The provider. Every changed input replaces; nothing is ever read from anywhere."""

    version = "4.21.4"

    def __init__(self) -> None:
        self._schemas = Schemas(Path(__file__).with_name("schema.json"))

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        """There is nothing to configure."""

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        schema = self._schemas.of(type_)
        if "number" in news and "number" in schema.inputs:  # the deprecated name of `numeric`
            news = {"numeric": news["number"]} | news
        return news, schema.check(news)

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        names = self._schemas.of(type_).inputs
        before, after = plain(old_inputs), plain(news)
        changed = {n for n in names if before.get(n) != after.get(n) or has_unknown(news.get(n))}
        return Diff(changed, changed)

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        take_urn(news)
        schema = self._schemas.of(type_)
        known = {k: v for k, v in news.items() if not k.startswith("__")}
        if preview:
            made: dict[str, Any] = {k: UNKNOWN for k in schema.outputs if k not in known}
            id_ = ""
        else:
            id_, made = MAKERS[type_](plain(known))
        marked = {k: Secret(v) if schema.outputs[k].get("secret") else v for k, v in made.items()}
        return id_, known | marked

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        if olds:
            return id_, inputs, olds
        if type_ != "random:index/randomBytes:RandomBytes":
            raise ProviderError(f"this stand-in imports RandomBytes only, not {type_}")
        data = base64.b64decode(id_, validate=True)
        wanted = {"length": len(data)}
        return id_, wanted, wanted | {"base64": Secret(id_), "hex": Secret(data.hex())}

    def update(
        self,
        type_: str,
        id_: str,
        old_inputs: dict[str, Any],
        olds: dict[str, Any],
        news: dict[str, Any],
        preview: bool,
        timeout: float,
    ) -> dict[str, Any]:
        raise ProviderError("a random value is replaced, never updated")

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        """The value lives in state only."""
