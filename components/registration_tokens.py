"""Registration tokens of workers, in the form that Kestra 2.0 takes.

Source: kestra-io/kestractl, `workers registration-tokens generate`: `kwreg_`, 32 bytes in base32 (lower case, no
padding), `_`, and 6 hexadecimal digits of the CRC-32 of what stands before.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib

_TOKEN = re.compile(r"(?P<start>kwreg_[a-z2-7]{52})_(?P<checksum>[0-9a-f]{6})")


def registration_token(password: str) -> str:
    """The token of the 32 bytes of a long random password's hash."""
    digest = hashlib.sha256(password.encode()).digest()
    start = "kwreg_" + base64.b32encode(digest).decode().rstrip("=").lower()
    return f"{start}_{_checksum(start)}"


def is_registration_token(text: str) -> bool:
    """Whether a text has the form of a token, its checksum included."""
    match = _TOKEN.fullmatch(text)
    return match is not None and match["checksum"] == _checksum(match["start"])


def _checksum(start: str) -> str:
    return f"{zlib.crc32(start.encode()) & 0xFFFFFF:06x}"
