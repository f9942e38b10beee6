"""Where a key stands in the artifacts of a Kestra version: metadata, annotations, look-ups in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..settings.base import kebab
from .artifacts import Artifacts
from .java_types import Classes, JavaType, keys_of, parse

#: `${kestra.url}` and `${kestra.url:default}` in an annotation.
_PLACEHOLDER = re.compile(r"\$\{([a-z][\w-]*(?:\.[\w-]+)+)(?::([^}]*))?\}")
_KEY = re.compile(r"[a-z][\w-]*(\.[\w*-]+)+")
#: Roots that Kestra's file has; other texts in code are names of something else.
ROOTS = (
    "kestra", "micronaut", "endpoints", "datasources", "flyway", "jooq", "jackson", "logger", "netty",
    "otel", "grpc", "micrometer", "hibernate", "r2dbc", "tracing", "reactor",
)  # fmt: skip
_ANNOTATION_KEYS = {"Requires": ("property", "missingProperty"), "Property": ("name",)}
#: What a look-up's method says of the type, where no class is handed to it.
_METHOD_TYPES = {
    "getBoolean": "boolean", "getInt": "number", "getLong": "number", "getDouble": "number",
    "getDuration": "duration", "getList": "list", "getMap": "map", "getProperties": "map",
}  # fmt: skip
_SIZE = "io.micronaut.core.convert.format.ReadableBytes"


@dataclass(frozen=True)
class Evidence:
    """That a version reads a key.

    `rank` orders what is said of the same key: 0 for metadata, 1 for an annotation with a type, 2 for a look-up
    in code, 3 for a condition. `open_core` is false for libraries that only closed modules use.
    """

    key: str
    type: str
    default: str
    source: str
    version: str
    rank: int
    open_core: bool = True


def gather(artifacts: Artifacts) -> Iterator[Evidence]:
    """Everything that the artifacts of a version say of keys."""
    classes = artifacts.classes
    closed = {jar.name for jar in artifacts.libraries if "/security/" in jar.as_posix()}
    yield from _metadata(artifacts, classes, closed)
    for entry in classes.values():
        yield from _annotations(entry, artifacts.version, entry["jar"] not in closed)
        yield from _lookups(entry, artifacts.version)


def _metadata(artifacts: Artifacts, classes: Classes, closed: set[str]) -> Iterator[Evidence]:
    for jar, row in artifacts.metadata():
        if row["type"] == "java.lang.Object":
            continue
        name = row["name"].replace("[*]", "[]")
        key = ".".join(part if part == "*" else kebab(part) for part in name.split("."))
        field = _camel(key.rsplit(".", 1)[-1])
        java, is_size = _declared(classes, row.get("sourceType", ""), field)
        named = parse(row["type"])
        # The metadata names an array by its items.
        if java is None or named.name not in (java.name, *(a.name for a in java.arguments[:1])):
            java = named
        default = row.get("defaultValue")
        source = f"{jar.stem} configuration metadata"
        for rest, kind in keys_of(java, classes):
            kind = "size" if is_size and kind in ("number", "text") else kind
            text = "" if default is None or rest or kind == "map" else _text(default)
            yield Evidence(
                f"{key}{rest}", kind, text, source, artifacts.version, 0, jar.name not in closed
            )


def unsettable(artifacts: Artifacts) -> Iterator[tuple[str, str]]:
    """Properties of the metadata that no text gives (a thread factory), with their Java type."""
    for _, row in artifacts.metadata():
        if not _from_text(row["type"], artifacts.classes):
            yield row["name"], row["type"]


def _from_text(java: str, classes: Classes) -> bool:
    return java != "java.lang.Object" and any(True for _ in keys_of(parse(java), classes))


def _declared(classes: Classes, owner: str, field: str) -> tuple[JavaType | None, bool]:
    """A field's type with what stands in its angle brackets, and whether it is read as a size (`10MB`)."""
    while entry := classes.get(owner):
        setter = f"set{field[:1].upper()}{field[1:]}"
        for method in entry["methods"]:
            names = [p["name"] for p in method["parameters"]]
            if method["name"] == setter and len(names) == 1:
                inner = method["signature"][1 : method["signature"].index(")")]
                return parse(inner), _has(method["parameters"][0]["annotations"], _SIZE)
        for part in entry["fields"]:
            if part["name"] == field:
                return parse(part["type"]), _has(part["annotations"], _SIZE)
        owner = entry["parent"]
    return None, False


def _annotations(entry: dict[str, Any], version: str, open_core: bool) -> Iterator[Evidence]:
    is_kestras = entry["name"].startswith("io.kestra.")
    for annotation, signature in _annotated(entry):
        short = annotation["name"].rsplit(".", 1)[-1]
        source = f"@{short} in {entry['name']}"
        if is_kestras:
            for key, default in _placeholders(annotation):
                kind = "duration" if short == "Scheduled" else _kind(signature)
                yield Evidence(key, kind, default, source, version, 1, open_core)
        for key, is_flag in _conditions(annotation, short):
            kind = "boolean" if is_flag else _kind(signature)
            # Micronaut's conditions name many a key that only tests or clouds set.
            if is_kestras or kind == "boolean":
                yield Evidence(key, kind, "", source, version, 3, open_core)


def _annotated(entry: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every annotation of a class, with the signature of the value that it is for, where there is one."""
    for annotation in entry["annotations"]:
        yield annotation, ""
    for part in entry["fields"]:
        for annotation in part["annotations"]:
            yield annotation, part["type"]
    for method in entry["methods"]:
        for annotation in method["annotations"]:
            yield annotation, ""
        for parameter, signature in zip(method["parameters"], _signatures(method), strict=True):
            for annotation in parameter["annotations"]:
                yield annotation, signature


def _placeholders(annotation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys that an annotation's texts name as `${key:default}`, and their defaults."""
    for values in annotation["values"].values():
        for text in values:
            for match in _PLACEHOLDER.finditer(text):
                # Quotes keep a colon in a default.
                yield _canonical(match[1]), (match[2] or "").strip("`'")


def _conditions(annotation: dict[str, Any], short: str) -> Iterator[tuple[str, bool]]:
    """The keys that an annotation names as they are, and whether it compares them with true or false."""
    values = annotation["values"]
    compared = {
        text for name in ("value", "notEquals", "defaultValue") for text in values.get(name, ())
    }
    for name in _ANNOTATION_KEYS.get(short, ()):
        for text in values.get(name, ()):
            if _KEY.fullmatch(text) and text.split(".")[0] in ROOTS:
                yield _canonical(text), not compared.isdisjoint({"true", "false"})


def _lookups(entry: dict[str, Any], version: str) -> Iterator[Evidence]:
    is_kestras = entry["name"].startswith("io.kestra.")
    is_otel = entry["name"].startswith("io.opentelemetry.")
    for read in entry["reads"]:
        text = read["text"]
        is_read_there = is_kestras or (is_otel and text.startswith("otel."))
        is_key = _KEY.fullmatch(text) and text.split(".")[0] in ROOTS and "_" not in text
        if is_read_there and is_key:
            kind = _METHOD_TYPES.get(read["method"]) or _kind(read["type"])
            yield Evidence(_canonical(text), kind, "", f"look-up in {entry['name']}", version, 2)


def _signatures(method: dict[str, Any]) -> list[str]:
    """The signatures of a method's parameters, generic where the class file has them."""
    plain = [parameter["type"] for parameter in method["parameters"]]
    text = method["signature"][1 : method["signature"].rindex(")")]
    parts: list[str] = []
    depth, begin = 0, 0
    for at, sign in enumerate(text):
        depth += (sign == "<") - (sign == ">")
        is_name = text[begin : at + 1].lstrip("[").startswith(("L", "T"))
        if depth == 0 and sign != "[" and (sign == ";" or not is_name):
            parts.append(text[begin : at + 1])
            begin = at + 1
    return parts if len(parts) == len(plain) else plain


def _kind(signature: str) -> str:
    """The catalogue's type of a value that is injected or looked up; `text` where nothing says it."""
    if not signature:
        return "text"
    below = list(keys_of(parse(signature), {}))
    return below[0][1] if below else "text"


def _has(annotations: list[dict[str, Any]], name: str) -> bool:
    return any(annotation["name"] == name for annotation in annotations)


def _canonical(key: str) -> str:
    return ".".join(map(kebab, key.split(".")))


def _camel(name: str) -> str:
    return re.sub(r"-(\w)", lambda match: match[1].upper(), name)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip()
