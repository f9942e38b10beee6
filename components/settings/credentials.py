"""Whether a variable in clear is a credential: by its name, or by the form of its value."""

from __future__ import annotations

import re

from .placeholders import PLACEHOLDER

#: What the environment of a container provides, in Kubernetes' form.
_REFERENCE = re.compile(r"\$\([A-Za-z_]\w*\)")
_SWITCH = re.compile(r"(?i)true|false|yes|no|on|off|none|null|enabled|disabled")
_PATH = re.compile(r"(file:)?\.{0,2}/[\w./-]*(\.[A-Za-z0-9]{2,8}|/[a-z._-]+)")

#: Words behind the one that counts: `DB_PASSWORD_PROD`, `TOKEN_2`, `KEY_BASE64`.
_QUALIFIERS = frozenset(
    [
        "PROD", "PRODUCTION", "STAGING", "STAGE", "DEV", "DEVELOPMENT", "TEST", "OLD", "NEW",
        "CURRENT", "PREVIOUS", "PRIMARY", "SECONDARY", "VALUE", "BASE", "B", "HEX", "JSON",
    ]
)  # fmt: skip
#: Words behind `PASSWORD` that say that something about the password is meant, and not the password.
_ABOUT = frozenset(
    [
        "FILE", "PATH", "LOCATION", "DIR", "POLICY", "RULE", "RULES", "MIN", "MAX", "LENGTH",
        "REGEX", "REGEXP", "PATTERN", "REQUIRED", "ENABLED", "DISABLED", "ALGORITHM", "ENCODER",
        "EXPIRY", "EXPIRATION", "EXPIRES", "TTL", "AGE", "NAME", "KEY", "ID", "ARN", "REF", "URL",
        "URI", "RESET", "FIELD", "HEADER", "TYPE", "MODE", "SOURCE", "PROVIDER", "ATTEMPTS",
        "RETRIES", "TIMEOUT", "LOGIN", "GRANT", "HINT",
    ]
)  # fmt: skip
_PASSWORD = r"(PASSWORDS?|PASSWD|PASSPHRASE|PASSCODE)"  # noqa: S105 - a pattern
_NAME = re.compile(
    rf"({_PASSWORD}|_PWD|_PASS|_PAT|SECRETS?|TOKENS?|CREDENTIALS?|SECRET_?KEY_?ID"
    r"|(API|ACCESS|SECRET|PRIVATE|ENCRYPTION|ENCRYPT|DECRYPTION|CRYPTO|CIPHER|SIGNING|SIGNATURE|MASTER|ROOT|ACCOUNT"
    r"|SHARED|STORAGE|LICENSE|AUTH|HMAC|JWT|SESSION|COOKIE|ADMIN|APP|APPLICATION|SERVICE|CLIENT|SUBSCRIPTION"
    r"|INTEGRATION|DEPLOY|WEBHOOK|SSH|TLS|SSL|RSA|AES|GPG|PGP)_?KEYS?)$"
)
_KEY = re.compile(r"_KEYS?$")
_OPEN_KEY = re.compile(
    r"(PUBLIC|PUBLISHABLE|SITE|HOST|PARTITION|SORT|PRIMARY|FOREIGN|CACHE|KMS|OBJECT|ROUTING|INDEX|FEATURE|LABEL|TAG"
    r"|CONFIG|HEADER|GROUP|MESSAGE|MAP|LOOKUP)_?KEYS?$"
)
#: A text that nobody thought up: long, without spaces, with letters and digits.
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/=_-]{16,}")

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
#: `https://user:password@host`.
_IN_ADDRESS = re.compile(r"://[^/?#@\s:]*:[^/?#@\s]+@")
#: `;password=…`, `password="…"`, `-Djavax.net.ssl.keyStorePassword=…`, `AccountKey=…`, `"password": "…"` of JSON.
_IN_PAIR = re.compile(
    r"(?i)(?:^|[?&;,({\s\"'])[\w.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|account[_-]?key"
    r"|access[_-]?key|private[_-]?key)(?:[\"']?\s*=|[\"']\s*:)\s*(?P<value>\"[^\"]+\"|'[^']+'|[^\s\"'&;,)}]+)"
)
#: Addresses whose path or signature lets whoever knows them in: webhooks, signed URLs.
_SECRET_ADDRESS = re.compile(
    r"https://(hooks\.slack\.com/(services|workflows|triggers)/|discord(app)?\.com/api/webhooks/"
    r"|[\w.-]*webhook\.office\.com/|api\.telegram\.org/bot|hooks\.zapier\.com/hooks/)\S+|[?&]sig=[\w%+/=-]{8,}"
    r"|^jdbc:oracle:\w+:[^/@\s]+/[^@\s]+@"
)
#: Tokens that are known by their form.
_TOKEN = re.compile(
    r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{15,}|xox[abeprs]-[\w-]{10,}|hv[sb]\.[\w-]{20,}"
    r"|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)
_IN_HEADER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/._~=-]{8,}")


def credential_sign(name: str, value: str) -> str | None:
    """What shows that a variable in clear is a credential, for a sentence; None where nothing does.

    Args:
        name: of the variable.
        value: its text; what comes from elsewhere (`${NAME}`, `$(NAME)`) is no credential in clear.
    """
    rest = PLACEHOLDER.sub(lambda match: match[0] if match["rest"] else "", value)
    rest = _REFERENCE.sub("", rest)
    if _PRIVATE_KEY.search(rest):
        return "holds a private key"
    pairs = (match["value"].strip("\"'") for match in _IN_PAIR.finditer(rest))
    if (
        _IN_ADDRESS.search(rest)
        or _SECRET_ADDRESS.search(rest)
        or _TOKEN.search(rest)
        or _IN_HEADER.search(rest)
        or any(not _SWITCH.fullmatch(text) for text in pairs)
    ):
        return "holds a credential"
    if not rest or rest != value or _SWITCH.fullmatch(value):
        return None
    return "has the name of a secret" if _is_secret_name(name, value) else None


def _is_secret_name(name: str, value: str) -> bool:
    words = [w.upper() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
    while len(words) > 1 and (words[-1].isdigit() or words[-1] in _QUALIFIERS):
        words.pop()
    text = "_".join(words)
    if match := _NAME.search(text):
        is_about = match[1].startswith("TOKENS") and value.isdigit()
        is_path = not match[2] and _PATH.fullmatch(value) is not None
        return not is_about and not is_path
    if match := re.search(_PASSWORD, text):
        return not _ABOUT.intersection(text[match.end() :].split("_"))
    return (
        _KEY.search(text) is not None
        and not _OPEN_KEY.search(text)
        and _RANDOM.fullmatch(value) is not None
        and not _PATH.fullmatch(value)
    )
