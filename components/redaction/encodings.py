"""How a value can be written so that a plain search misses it: encoded, escaped, cut, compressed."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import re
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator

SHORTEST = 10
"""Letters and digits that a value needs to be found when what stands between them is not looked at."""
_LARGEST = 256 * 1024 * 1024
"""Bytes of a compressed file that are looked into."""
_DEEPEST = 3
"""Archives in archives."""

_NOT_ALPHANUMERIC = bytes(b for b in range(256) if not (b < 128 and chr(b).isalnum()))
_WHITE = bytes(b for b in range(256) if not 32 < b < 127 and b != 0x1B)
_QUOTED = re.compile(rb"%\s?[0-9A-Fa-f]\s?[0-9A-Fa-f]|%\W*$", re.MULTILINE)
_ENTITY = re.compile(rb"&\s*(?:#|quot|amp|lt|gt|apos)")
_TERMINAL = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]")
_NUMBER = re.compile(rb"\\(?:u\{?([0-9A-Fa-f]{4})\}?|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|e)")
_BACKSLASHES = re.compile(rb"\\{2,}")
_WHITE_ESCAPES = (b"\\n", b"\\r", b"\\t", b"\\N", b"\\_")


def squeezed(data: bytes) -> bytes:
    """Letters and digits only: no line break, quote, backslash, indentation or frame is left that cuts a value."""
    if b"\x1b" in data:
        data = _TERMINAL.sub(b"", data)
    return data.translate(None, _NOT_ALPHANUMERIC)


def unescaped(data: bytes) -> Iterator[bytes]:
    """The escapes of JSON, YAML and Python as the characters that they stand for: once, twice, all at once."""
    once = _unescaped(data)
    yield once
    if b"\\" in once:
        yield _unescaped(once)
        # However often it was escaped; a backslash before `n` or `u` is taken for an escape.
        yield _unescaped(_BACKSLASHES.sub(rb"\\", data))


def _unescaped(data: bytes) -> bytes:
    data = data.replace(b"\\\\", b"\0")
    for escape in _WHITE_ESCAPES:
        data = data.replace(escape, b" ")
    return _NUMBER.sub(_character, data).replace(b"\0", b"\\")


def _character(match: re.Match[bytes]) -> bytes:
    number = match[1] or match[2] or match[3]
    if number is None:
        return b"\x1b"
    # Half of a surrogate pair is no letter or digit, and may go.
    code = int(number, 16)
    return chr(code).encode("utf-8", "ignore") if code < 0x110000 else b""


def readings(data: bytes) -> Iterator[bytes]:
    """The bytes without what cuts values, as they are and with escapes undone; each reading once."""
    seen: set[int] = set()
    for decoded in _decoded(data.replace(b"\0", b"")):  # UTF-16
        reading = squeezed(decoded)
        known = hash(reading)
        if known not in seen:
            seen.add(known)
            yield reading


def _decoded(data: bytes) -> Iterator[bytes]:
    yield data
    escaped, quoted = b"\\" in data, _QUOTED.search(data) is not None
    entities = _ENTITY.search(data) is not None
    if not (entities or escaped or quoted):
        return
    # A terminal's width cuts escapes too.
    for text in (data, _TERMINAL.sub(b"", data.translate(None, _WHITE))):
        plain = _without_entities(text) if entities else text
        for each in (plain, *(unescaped(plain) if escaped else ())):
            yield each
            if quoted:
                yield urllib.parse.unquote_to_bytes(each)


def _without_entities(data: bytes) -> bytes:
    text = data.decode(errors="surrogateescape")
    # Twice: a page shows a text that is HTML itself.
    return html.unescape(html.unescape(text)).encode(errors="ignore")


def written(value: str) -> Iterator[tuple[str, bytes]]:
    """The value and its usual encodings, byte for byte."""
    raw = value.encode(errors="surrogateescape")
    yield "in clear", raw
    for inner in _base64(raw):
        yield "base64", inner
        yield "base64", inner.translate(bytes.maketrans(b"+/", b"-_"))
    # A Kubernetes Secret of a value that is base64 already.
    for twice in _base64(base64.b64encode(raw)):
        yield "base64 of base64", twice
    yield "hexadecimal", raw.hex().encode()
    yield "hexadecimal", raw.hex().upper().encode()
    for quoted in (urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)):
        if quoted != value:
            yield "URL-encoded", quoted.encode()


def _base64(raw: bytes) -> Iterator[bytes]:
    """At each alignment the characters that do not depend on what stands before and after the value."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        inner = encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        if len(inner) >= 8:
            yield inner


def cut(value: str) -> Iterator[tuple[str, bytes]]:
    """The value and its encodings as `readings` leave them, where enough of them is left to be told apart."""
    seen: set[bytes] = set()
    for form, encoded in written(value):
        reading = squeezed(encoded)
        if form != "URL-encoded" and len(reading) >= SHORTEST and reading not in seen:
            seen.add(reading)
            yield form, reading


def inside(data: bytes, place: str, depth: int = _DEEPEST) -> Iterator[tuple[str, bytes]]:
    """The bytes, and those of everything that is compressed in them, with the name of each."""
    yield place, data
    if depth == 0:
        return
    if data[:2] == b"\x1f\x8b":
        unpacked = bytearray()
        rest = data
        # As far as it goes: a file that is cut off, or still written, counts too.
        with contextlib.suppress(zlib.error):
            while rest[:2] == b"\x1f\x8b" and len(unpacked) < _LARGEST:
                unpacking = zlib.decompressobj(wbits=31)
                unpacked += unpacking.decompress(rest, _LARGEST)
                rest = unpacking.unused_data
        yield from inside(bytes(unpacked), f"{place} (gzip)", depth - 1)
    elif data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir() and entry.file_size <= _LARGEST:
                        content = archive.read(entry)
                        yield from inside(content, f"{place} ({entry.filename})", depth - 1)
        except (OSError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return  # half written, or encrypted
