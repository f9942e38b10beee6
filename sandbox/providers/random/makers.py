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
from dataclasses import dataclass

import bcrypt

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.schema_provider import ResourceType
from sandbox.providers.runtime.schema_validation import snake
from sandbox.providers.runtime.values import Properties

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
    known, created = _bytes(data)
    return known, {"length": len(data)}, created


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
    known, created = _password(id_)
    return known, {"length": len(id_)}, created


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
    known, created = _id(data, prefix)
    return known, {"byteLength": len(data)} | ({"prefix": prefix} if prefix else {}), created


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


@dataclass(frozen=True)
class RandomType(ResourceType[None]):
    """How a value is made, and taken over from its id: id, inputs and outputs."""

    maker: Callable[[Properties], Made]
    importer: Callable[[str], tuple[str, Properties, Properties]]
    is_text: bool = False
    """Whether kinds of characters can be chosen, which have defaults."""
    length: str = "length"

    def whole(self, inputs: Properties) -> Properties:
        """The inputs with their defaults; `number` is the deprecated name of `numeric`, and both are kept."""
        if not self.is_text:
            return dict(inputs)
        numeric = inputs.get("numeric", inputs.get("number", True))
        return TEXT_DEFAULTS | inputs | {"numeric": numeric, "number": numeric}

    def check(self, p: Properties) -> Failures:
        length = p.get(self.length)
        if not isinstance(length, int):
            return []
        if length < 1:
            said = f"Attribute {snake(self.length)} value must be at least 1, got: {length}"
            return [(self.length, f"Invalid Attribute Value. {said}")]
        kinds = ("Upper", "Lower", "Numeric", "Special")
        least = [p.get(f"min{kind}") for kind in kinds]
        if sum(n for n in least if isinstance(n, int)) > length:
            names = " + ".join(f"min_{kind.lower()}" for kind in kinds)
            said = f"Attribute length value must be at least sum of {names}, got: {length}"
            return [(self.length, f"Invalid Attribute Value. {said}")]
        return []

    def create(self, client: None, p: Properties) -> tuple[str, Properties]:
        whole = self.whole(p)
        id_, outputs = self.maker(whole)
        return id_, whole | outputs

    def delete(self, client: None, id_: str, p: Properties) -> None:
        """The value lives in the state only."""


TYPES: dict[str, RandomType] = {
    "random:index/randomBytes:RandomBytes": RandomType(make_bytes, import_bytes),
    "random:index/randomPassword:RandomPassword": RandomType(make_password, import_password, True),
    "random:index/randomString:RandomString": RandomType(make_string, import_string, True),
    "random:index/randomId:RandomId": RandomType(make_id, import_id, length="byteLength"),
    "random:index/randomInteger:RandomInteger": RandomType(make_integer, import_integer),
    "random:index/randomUuid:RandomUuid": RandomType(make_uuid, import_uuid),
}
