"""Hostile inputs of the import: the shared cases, broken in ways that a seed decides."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).parent / "fixtures" / "cases"
NUMBER = 2_000

_NASTY: tuple[Any, ...] = (
    None, "", " ", True, False, 0, -1, 10**30, 1.5, float("nan"), float("inf"), [], {}, [None], {"": None},
    "on", "~", "${", "${}", "${A:${B:${C:}}}", "${A-B}", "$(X)", "{{ x }}", "a\nb", "a\0b", "\ud800", "\x1b[31m",
    "%s%n", "../../etc/passwd", "x" * 100_000, "é" * 300, "jdbc:", "jdbc:postgresql://", "http://[", "://", "@",
    {"secure": "v1:a:b"}, {"secure": 1}, [[[[[[]]]]]], {"a": {"b": {"c": {"d": {}}}}}, {1: 2, None: 3}, [1, "a", {}],
    "SECRET_", "-----BEGIN PRIVATE KEY-----", "2026-11-28", "12:30:45", "1e400", "0x", "١٢",
)  # fmt: skip
_KEYS = (
    "", " ", "a.b", "a b", "${A}", "x" * 300, "\n", "'", '"', "kestra:x", "secure", "<<", "on", "é", "deployment",
    "basicAuth", "BASIC_AUTH", "0", "[0]", "secret-key", "*", "&a",
)  # fmt: skip
_BYTES = (b"\xff\xfe", b"\0", b"\t", b"\r\n", b"\xef\xbb\xbf", b"*x", b"&x ", b"!!python/object:os.system ", b"{", b"]", b": ", b"- ", b"---\n", b"...\n", b"%YAML 9\n", b"<<: *x\n", b"${", b"'", b'"', b"|\n")  # fmt: skip


@dataclass(frozen=True)
class HostileInput:
    """One input."""

    name: str
    """Of its file: the reader is chosen by it too."""
    content: bytes
    planted: tuple[str, ...]
    """Texts that nothing may show; none where the content was broken in the middle of a text."""


def hostile_inputs(number: int = NUMBER) -> Iterator[HostileInput]:
    """Hostile inputs, always the same ones."""
    bases = list(_bases())
    for seed in range(number):
        chance = random.Random(seed)
        yield _WAYS[seed % len(_WAYS)](chance, *chance.choice(bases))


def _bases() -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    for file in sorted(CASES.glob("*.expected.yaml")):
        expected = yaml.safe_load(file.read_text())
        for name in expected["inputs"]:
            planted = tuple(str(text) for text in expected["planted"])
            yield Path(name).name, (CASES / name).read_bytes(), planted


def _broken_bytes(chance: random.Random, name: str, content: bytes, _: object) -> HostileInput:
    for _round in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        if chance.random() < 0.3:
            content = content[:at]
        else:
            content = content[:at] + chance.choice(_BYTES) + content[at + chance.randint(0, 3) :]
    return HostileInput(name, content, ())


def _broken_lines(chance: random.Random, name: str, content: bytes, _: object) -> HostileInput:
    lines = content.splitlines(keepends=True)
    for _round in range(chance.randint(1, 5)):
        if not lines:
            break
        at = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[chance.randrange(len(lines))])
            case 2:
                lines[at] = b"  " * chance.randint(0, 40) + lines[at]
            case _:
                lines[at] = lines[at].replace(b":", chance.choice([b"", b"::", b" :", b": -"]), 1)
    return HostileInput(name, b"".join(lines), ())


def _broken_values(
    chance: random.Random, name: str, content: bytes, planted: tuple[str, ...]
) -> HostileInput:
    """Values of the documents replaced by nasty ones, keys renamed, blocks doubled."""
    try:
        documents = list(yaml.safe_load_all(content))
    except yaml.YAMLError:
        return _broken_lines(chance, name, content, None)
    if not all(isinstance(document, (dict, list)) for document in documents):
        return _broken_lines(chance, name, content, None)
    for _round in range(chance.randint(1, 8)):
        places = [place for document in documents for place in _places(document)]
        if not places:
            break
        block, key = chance.choice(places)
        if isinstance(block, dict) and chance.random() < 0.3:
            # What stood under a key that is renamed is nobody's secret any more, and goes.
            block.pop(key)
            block[chance.choice(_KEYS)] = chance.choice(_NASTY)
        elif _holds(block[key], planted) and not isinstance(block[key], str):
            continue
        else:
            block[key] = chance.choice(_NASTY)
    text = yaml.safe_dump_all(documents, allow_unicode=True)
    return HostileInput(name, text.encode("utf-8", "replace"), planted)


def _holds(node: Any, planted: tuple[str, ...]) -> bool:
    return any(text in str(node) for text in planted)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, (dict, list)):
        for key, item in list(node.items() if isinstance(node, dict) else enumerate(node)):
            yield node, key
            yield from _places(item)


def _generated(chance: random.Random, *_: object) -> HostileInput:
    """An `application.yaml` of Kestra's roots with nasty values, some as deep as nothing is."""

    def node(depth: int) -> Any:
        if depth > 8 or chance.random() < 0.35:
            return chance.choice(_NASTY)
        keys = ("kestra", "datasources", "postgres", "url", "server", "basic-auth", "password", "storage", "type", "local", "secret", "encryption", "secret-key", "micronaut", *_KEYS)  # fmt: skip
        if chance.random() < 0.2:
            return [node(depth + 1) for _ in range(chance.randint(0, 3))]
        return {chance.choice(keys): node(depth + 1) for _ in range(chance.randint(0, 4))}

    document = {"kestra": node(0), "datasources": node(1), chance.choice(_KEYS): node(2)}
    text = yaml.safe_dump(document, allow_unicode=True)
    if chance.random() < 0.1:
        text += "deep: " + "[" * chance.choice([50, 5_000]) + "\n"
    return HostileInput("application.yaml", text.encode("utf-8", "replace"), ())


def _with_an_alias_of_itself(
    chance: random.Random, name: str, content: bytes, planted: tuple[str, ...]
) -> HostileInput:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(ord('a') + i)}: &{chr(ord('a') + i)} [*{chr(ord('a') + i - 1)}, *{chr(ord('a') + i - 1)}]\n"
        for i in range(1, chance.randint(2, 24))
    )
    loop = "kestra: &k\n  server: *k\n"
    return HostileInput("application.yml", (chance.choice([bomb, loop]) + "\n").encode(), ())


_WAYS: tuple[Callable[..., HostileInput], ...] = (
    _broken_values, _broken_bytes, _broken_values, _broken_lines, _generated, _broken_values,
    _with_an_alias_of_itself, _broken_values,
)  # fmt: skip
