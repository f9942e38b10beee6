"""How each random value is made, and how an existing one is taken over by `import`."""

from __future__ import annotations

import base64
import binascii
import math
import random
import secrets
import string
import uuid
from collections.abc import Callable
from typing import Any

import bcrypt

from sandbox.providers.server import ProviderError

Properties = dict[str, Any]
#: Id in the state, which is not encrypted, and the outputs.
Made = tuple[str, Properties]

#: The id of a password: an id is shown and stored in clear.
NO_ID = "none"

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_ALPHABETS = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
}
TEXT_DEFAULTS: Properties = {
    "lower": True,
    "upper": True,
    "numeric": True,
    "special": True,
    "minLower": 0,
    "minUpper": 0,
    "minNumeric": 0,
    "minSpecial": 0,
}


def make_bytes(inputs: Properties) -> Made:
    """`length` bytes as base64 and hexadecimal.

    Their base64 is the id too, so that it is in the state in clear: a trap of the official provider
    (`computeRandomBytesID` of pulumi-random), kept so that no program falls into it unseen.
    """
    return _bytes(secrets.token_bytes(int(inputs["length"])))


def import_bytes(id_: str) -> tuple[str, Properties, Properties]:
    """Bytes from their base64."""
    data = _decoded(id_)
    known, made = _bytes(data)
    return known, {"length": len(data)}, made


def _bytes(data: bytes) -> Made:
    text = base64.b64encode(data).decode()
    return text, {"base64": text, "hex": data.hex()}


def make_text(inputs: Properties) -> str:
    """`length` characters of the wanted kinds, with at least the wanted number of each."""
    alphabets = {k: v for k, v in _ALPHABETS.items() if inputs.get(k, True)}
    special = inputs.get("overrideSpecial") or _SPECIAL
    if inputs.get("special", True):
        alphabets["special"] = special
    generator = secrets.SystemRandom()
    chosen: list[str] = []
    # A least number counts even where its kind is switched off, as in the official provider.
    for kind, alphabet in (*_ALPHABETS.items(), ("special", special)):
        least = int(inputs.get(f"min{kind.title()}") or 0)
        chosen += [generator.choice(alphabet) for _ in range(least)]
    everything = "".join(alphabets.values())
    rest = int(inputs["length"]) - len(chosen)
    if rest and not everything:
        raise ProviderError(
            "Random Read Error: no kind of characters is wanted: set one of lower, upper, numeric "
            "and special"
        )
    chosen += [generator.choice(everything) for _ in range(rest)]
    generator.shuffle(chosen)
    return "".join(chosen)


def make_password(inputs: Properties) -> Made:
    """A password and its bcrypt hash; the id says nothing of it."""
    return _password(make_text(inputs))


def import_password(id_: str) -> tuple[str, Properties, Properties]:
    """A password from its text."""
    known, made = _password(id_)
    return known, {"length": len(id_)}, made


def _password(result: str) -> Made:
    # bcrypt reads 72 bytes; the official provider hashes just those too.
    hashed = bcrypt.hashpw(result.encode()[:72], bcrypt.gensalt(10)).decode()
    return NO_ID, {"result": result, "bcryptHash": hashed}


def make_string(inputs: Properties) -> Made:
    """A text that is no secret: it is the id too."""
    result = make_text(inputs)
    return result, {"result": result}


def import_string(id_: str) -> tuple[str, Properties, Properties]:
    """A text as it is."""
    return id_, {"length": len(id_)}, {"result": id_}


def make_id(inputs: Properties) -> Made:
    """`byteLength` bytes in four spellings, behind a prefix."""
    return _id(secrets.token_bytes(int(inputs["byteLength"])), inputs.get("prefix") or "")


def import_id(id_: str) -> tuple[str, Properties, Properties]:
    """Bytes from `[prefix,]base64url`."""
    prefix, _, text = id_.rpartition(",")
    standard = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    data = _decoded(standard)
    known, made = _id(data, prefix)
    return known, {"byteLength": len(data)} | ({"prefix": prefix} if prefix else {}), made


def _id(data: bytes, prefix: str) -> Made:
    url = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return url, {
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(data).decode(),
        "hex": prefix + data.hex(),
        "dec": f"{prefix}{int.from_bytes(data)}",
    }


def make_integer(inputs: Properties) -> Made:
    """A whole number in a range; the same one for the same seed, though not the official provider's."""
    low, high = math.ceil(inputs["min"]), math.floor(inputs["max"])
    if high < low:
        raise ProviderError(
            "Create Random Integer Error: The minimum (min) value needs to be smaller than or equal "
            "to maximum (max) value."
        )
    seed = inputs.get("seed")
    generator = random.Random(seed) if seed else secrets.SystemRandom()  # noqa: S311
    result = generator.randint(low, high)
    return str(result), {"result": result}


def import_integer(id_: str) -> tuple[str, Properties, Properties]:
    """A number from `result,min,max[,seed]`."""
    parts = id_.split(",")
    try:
        result, low, high = map(int, parts[:3])
    except ValueError:
        raise ProviderError(
            "Import Random Integer Error: Invalid import usage: expecting {result},{min},{max} or "
            "{result},{min},{max},{seed}"
        ) from None
    inputs: Properties = {"min": low, "max": high}
    if len(parts) > 3:
        inputs["seed"] = parts[3]
    return str(result), inputs, {"result": result}


def make_uuid(inputs: Properties) -> Made:
    """A UUID of version 4."""
    result = str(uuid.uuid4())
    return result, {"result": result}


def import_uuid(id_: str) -> tuple[str, Properties, Properties]:
    """A UUID as it is."""
    try:
        result = str(uuid.UUID(id_))
    except ValueError:
        raise ProviderError(
            "Import Random UUID Error: There was an error during the parsing of the UUID."
        ) from None
    return result, {}, {"result": result}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProviderError(
            "Import Random Error: There was an error during the parsing of the base64 string."
        ) from None


def limits(type_: str, inputs: Properties) -> list[tuple[str, str]]:
    """Property and reason for what the official provider refuses before it makes anything."""
    name = "byteLength" if "byteLength" in inputs else "length"
    length = inputs.get(name)
    if not isinstance(length, int) or type_.split(":")[-1] == "RandomInteger":
        return []
    attribute = "byte_length" if name == "byteLength" else name
    if length < 1:
        said = f"Attribute {attribute} value must be at least 1, got: {length}"
        return [(name, f"Invalid Attribute Value. {said}")]
    kinds = ("Upper", "Lower", "Numeric", "Special")
    least = [inputs.get(f"min{kind}") for kind in kinds]
    if sum(n for n in least if isinstance(n, int)) > length:
        names = " + ".join(f"min_{kind.lower()}" for kind in kinds)
        said = f"Attribute length value must be at least sum of {names}, got: {length}"
        return [(name, f"Invalid Attribute Value. {said}")]
    return []


MAKERS: dict[str, Callable[[Properties], Made]] = {
    "random:index/randomBytes:RandomBytes": make_bytes,
    "random:index/randomPassword:RandomPassword": make_password,
    "random:index/randomString:RandomString": make_string,
    "random:index/randomId:RandomId": make_id,
    "random:index/randomInteger:RandomInteger": make_integer,
    "random:index/randomUuid:RandomUuid": make_uuid,
}
IMPORTERS: dict[str, Callable[[str], tuple[str, Properties, Properties]]] = {
    "random:index/randomBytes:RandomBytes": import_bytes,
    "random:index/randomPassword:RandomPassword": import_password,
    "random:index/randomString:RandomString": import_string,
    "random:index/randomId:RandomId": import_id,
    "random:index/randomInteger:RandomInteger": import_integer,
    "random:index/randomUuid:RandomUuid": import_uuid,
}
#: What the state holds where the program says nothing.
DEFAULTS: dict[str, Properties] = {
    "random:index/randomPassword:RandomPassword": TEXT_DEFAULTS,
    "random:index/randomString:RandomString": TEXT_DEFAULTS,
}
