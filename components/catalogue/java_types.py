"""What a Java type is in the catalogue, and which keys an object of Kestra's has below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..settings.base import kebab

#: Classes of the catalogue's simple types; enumerations are texts besides.
SIMPLE = {
    "boolean": ("Z", "java.lang.Boolean", "java.util.concurrent.atomic.AtomicBoolean"),
    "number": (
        *"BSIJFD", "java.lang.Byte", "java.lang.Short", "java.lang.Integer", "java.lang.Long",
        "java.lang.Float", "java.lang.Double", "java.math.BigDecimal", "java.math.BigInteger",
    ),
    "text": (
        "C", "java.lang.String", "java.lang.CharSequence", "java.lang.Character", "java.net.URI",
        "java.net.URL", "java.io.File", "java.nio.file.Path", "java.nio.charset.Charset",
        "java.util.Locale", "java.util.TimeZone", "java.time.ZoneId", "java.lang.Class",
        "java.net.SocketAddress", "java.net.InetSocketAddress", "java.util.regex.Pattern",
    ),
    "duration": ("java.time.Duration",),
    "map": ("java.lang.Object", "java.util.Properties"),
}  # fmt: skip
_SIMPLE = {java: kind for kind, names in SIMPLE.items() for java in names}
#: Enumerations, and what converts from a name, of Java itself and of libraries whose classes are not read.
_ENUMS = frozenset(
    [
        "java.net.Proxy$Type", "java.time.temporal.ChronoUnit", "java.util.concurrent.TimeUnit",
        "com.fasterxml.jackson.annotation.JsonInclude$Include", "io.netty.handler.logging.LogLevel",
        "com.fasterxml.jackson.databind.ObjectMapper$DefaultTyping", "org.jooq.SQLDialect",
        "io.netty.util.ResourceLeakDetector$Level", "io.grpc.netty.NegotiationType",
        "org.flywaydb.core.internal.configuration.resolvers.ProvisionerMode",
        "io.netty.pkitesting.CertificateBuilder$Algorithm", "com.nimbusds.jose.JWSAlgorithm",
        "com.nimbusds.jose.JWEAlgorithm", "com.nimbusds.jose.EncryptionMethod",
        "com.nimbusds.jose.jwk.KeyType", "io.micronaut.http.MediaType",
    ]
)  # fmt: skip
_LISTS = ("List", "Set", "Collection", "Iterable", "SequencedCollection")
_PRIMITIVES = {
    "boolean": "Z", "byte": "B", "short": "S", "int": "I", "long": "J", "float": "F", "double": "D",
    "char": "C",
}  # fmt: skip
#: Objects within objects, at most.
_DEPTH = 4

Classes = Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class JavaType:
    """A type with what stands in its angle brackets."""

    name: str
    arguments: tuple[JavaType, ...] = ()


def parse(signature: str) -> JavaType:
    """The type of a class file's signature (`Ljava/util/List<Ljava/lang/String;>;`) or of a source's name."""
    if len(signature) > 1 and "/" not in signature and not signature.startswith("["):
        return JavaType(_PRIMITIVES.get(signature, signature))
    return _parse(signature, 0)[0]


def _parse(text: str, at: int) -> tuple[JavaType, int]:
    if text[at] in "+-":
        at += 1
    if text[at] == "[":
        item, end = _parse(text, at + 1)
        return JavaType("java.util.List", (item,)), end
    if text[at] == "T":
        return JavaType("java.lang.Object"), text.index(";", at) + 1
    if text[at] != "L":
        # A primitive type, or `*` of `List<*>`.
        return JavaType("java.lang.Object" if text[at] == "*" else text[at]), at + 1
    end = next(i for i in range(at, len(text)) if text[i] in "<;")
    name = text[at + 1 : end].replace("/", ".")
    arguments: list[JavaType] = []
    if text[end] == "<":
        end += 1
        while text[end] != ">":
            argument, end = _parse(text, end)
            arguments.append(argument)
        end += 1
    # What follows an inner class of a generic one (`.Inner`) says nothing here.
    return JavaType(name, tuple(arguments)), text.index(";", end) + 1


def keys_of(java: JavaType, classes: Classes, depth: int = 0) -> Iterator[tuple[str, str]]:
    """What follows the key of a value of this type, with its type: `("", "text")`, `("[].type", "text")`.

    Nothing where a value cannot come from text: a connection, a thread factory.
    """
    name, short = java.name, java.name.rsplit(".", 1)[-1]
    if kind := _SIMPLE.get(name):
        yield "", kind
    elif name in _ENUMS or classes.get(name, {}).get("enum"):
        yield "", "text"
    elif name == "java.util.Optional" or short == "Provider":
        yield from keys_of(java.arguments[0], classes, depth) if java.arguments else (("", "text"),)
    elif name.startswith("java.util.") and short.endswith("Map"):
        yield from _below(java, 1, ".*", "map", classes, depth)
    elif name.startswith("java.util.") and short in _LISTS:
        yield from _below(java, 0, "[]", "list", classes, depth)
    elif name.startswith("io.kestra.") and depth < _DEPTH:
        yield from _fields(name, classes, depth)


def _below(
    java: JavaType, at: int, sign: str, kind: str, classes: Classes, depth: int
) -> Iterator[tuple[str, str]]:
    """The keys of what a list or map holds; the list or map itself where it holds no objects.

    A list of what no text gives (interceptors) has none.
    """
    inner = java.arguments[at] if len(java.arguments) > at else JavaType("java.lang.Object")
    simple = _SIMPLE.get(inner.name) or ("text" if inner.name in _ENUMS else None)
    if simple and not (sign == "[]" and simple == "map" and inner.name != "java.lang.Object"):
        yield "", kind
        return
    for rest, inner_kind in keys_of(inner, classes, depth):
        yield (f"{sign}{rest}", inner_kind) if rest or inner_kind != "text" else ("", kind)


def _fields(name: str, classes: Classes, depth: int) -> Iterator[tuple[str, str]]:
    """The keys of an object: its fields, and those of its parent."""
    entry = classes.get(name)
    if entry is None:
        return
    if entry["parent"].startswith("io.kestra."):
        yield from _fields(entry["parent"], classes, depth)
    for field in entry["fields"]:
        for rest, kind in keys_of(parse(field["type"]), classes, depth + 1):
            yield f".{kebab(field['name'])}{rest}", kind
