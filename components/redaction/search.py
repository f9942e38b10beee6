"""Finds values in texts, in clear or in a disguise, and takes them out."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .encodings import SHORTEST, cut, inside, readings, written

_PIECE = 5
_STEP = SHORTEST - _PIECE + 1
_CUTTER = struct.Struct(f"{_PIECE}s{_STEP - _PIECE}x")


@dataclass(frozen=True)
class Leak:
    """A secret found where it must not be. Names the secret, never its value."""

    name: str
    form: str
    place: str


class Search:
    """Looks for some secrets in texts.

    What is searched: the value and its encodings byte for byte, and both again in the bytes without anything but
    letters and digits (`components.redaction.encodings`), in one pass for all of them, which finds a value that a line
    break, a terminal's width, quotes or escapes cut. A value with fewer than ten letters and digits is only searched
    byte for byte.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._written: dict[str, list[tuple[str, bytes]]] = {}
        self._cut: list[tuple[str, str, bytes]] = []
        self._short: set[str] = set()
        self._pieces: dict[bytes, list[int]] = {}
        self.secrets = 0
        self.forms = 0
        """How many byte sequences are looked for."""
        self.places = self.bytes = 0
        """What was searched so far, an unchanged file once."""
        self.add(secrets)

    def add(self, secrets: Mapping[str, str]) -> None:
        """Looks for these too from here on."""
        for name, value in secrets.items():
            if not value:
                continue
            forms, needles = list(dict.fromkeys(written(value))), list(cut(value))
            self._written[name] = forms
            if not any(form == "in clear" for form, _ in needles):
                self._short.add(name)
            for form, needle in needles:
                # Every occurrence of a needle has one of its pieces at a multiple of the step.
                for offset in range(_STEP):
                    piece = needle[offset : offset + _PIECE]
                    self._pieces.setdefault(piece, []).append(len(self._cut))
                self._cut.append((name, form, needle))
            self.secrets += 1
            self.forms += len(forms) + len(needles)

    @property
    def names(self) -> list[str]:
        """Names of the secrets."""
        return list(self._written)

    def text(self, data: bytes, place: str, *, whole: bool = False) -> list[Leak]:
        """Leaks in some bytes, and in what is compressed in them.

        Args:
            data: the bytes.
            place: their name.
            whole: whether to look for whole values only, not for cut ones. For a text that people write themselves,
                in which a value of plain words can stand without being it.
        """
        found: dict[Leak, None] = {}
        for name, content in inside(data, place):
            self.places += 1
            self.bytes += len(content)
            for secret in self._written if whole else self._short:
                found |= {Leak(secret, form, name): None for form in self._forms(secret, content)}
            hits = set() if whole else {hit for text in readings(content) for hit in self._in(text)}
            for secret, form in hits:
                exact = self._forms(secret, content) or [f"{form}, cut or escaped"]
                found |= {Leak(secret, form, name): None for form in exact}
        return list(found)

    def _forms(self, secret: str, content: bytes) -> list[str]:
        """The forms in which a secret stands there byte for byte."""
        return list(
            dict.fromkeys(form for form, needle in self._written[secret] if needle in content)
        )

    def _in(self, reading: bytes) -> Iterator[tuple[str, str]]:
        """Secret and form of what stands in bytes that nothing cuts any more."""
        padded = reading + b"\0" * (_STEP - len(reading) % _STEP)
        pieces = self._pieces
        hits = {piece for (piece,) in _CUTTER.iter_unpack(padded) if piece in pieces}
        for index in {index for piece in hits for index in pieces[piece]}:
            secret, form, needle = self._cut[index]
            if needle in reading:
                yield secret, form


def search_text(
    data: bytes, place: str, secrets: Mapping[str, str], *, whole: bool = False
) -> list[Leak]:
    """Leaks in some bytes; see `Search.text`."""
    return Search(secrets).text(data, place, whole=whole)


_WORD = re.compile(r"[A-Za-z]{4,9}")
#: Before a word: an escape, whose last letter is no part of the word, or what makes the word a part of another one.
_BEFORE = (
    r"(?P<escape>\x1b\[[0-9;]*[A-Za-z]|%[0-9A-Fa-f]{2}|\\[nrt]|\\u[0-9A-Fa-f]{4})?(?P<part>[\w-])?"
)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets; nothing of it where one stands in it in a form that cannot be taken out.

    A short value of letters alone is taken out as a word of its own: as a part of others (`pass` in `password`) it is
    not the value, and its place would show what it is.
    """
    values = sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True)
    for value in values:
        for form, encoded in written(value):
            # What base64 makes of the value together with its neighbours goes too.
            more = "[A-Za-z0-9+/=_-]{0,3}" if "base64" in form else ""
            pattern = more + re.escape(encoded.decode(errors="surrogateescape")) + more
            if form == "in clear" and _WORD.fullmatch(value):
                text = re.sub(rf"{_BEFORE}{pattern}(?![\w-])", _word_taken_out, text)
                continue
            text = re.sub(pattern, "[secret]", text)
    leaks = search_text(text.encode(errors="replace"), "", {v: v for v in values}) if values else []
    if any(leak.form != "in clear" or not _WORD.fullmatch(leak.name) for leak in leaks):
        return "the server's words quote a secret value and are not shown"
    return text


def _word_taken_out(match: re.Match[str]) -> str:
    return match[0] if match["part"] else f"{match['escape'] or ''}[secret]"
