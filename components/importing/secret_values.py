"""Which leaves of a draft are secrets: by the models, by the catalogue, by their names, by what they hold."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any, get_args

from ..backends.settings_model import settings_model
from ..catalogue import CatalogueKey, lookup
from ..settings.base import CREDENTIAL_IN_URL, kebab
from ..settings.credentials import credential_sign
from ..validation.schema import models_in
from ..validation.sensitive import in_clear, is_sensitive
from .draft import Draft, Place, Value, kestra_path

#: `https://key@host`: what Sentry and the like call a DSN.
_KEY_IN_ADDRESS = re.compile(r"://[^/?#@\s:]{8,}@")
#: An address that lets whoever knows it post somewhere.
_WEBHOOK = re.compile(r"(?i)https?://(hooks?\.|[^\s/]*webhook|[^\s?#]*/(services|webhooks?)/\S)")
#: `…?token=…`, `…&sig=…`.
_KEY_IN_QUERY = re.compile(
    r"(?i)[?&](key|sig|code|auth|access[_-]?token|x-amz-signature)=[^&\s]{8,}"
)
#: `DB_PASS=…` of a shell, in a longer text.
_SHELL_PAIR = re.compile(
    r"(?i)\b\w*(_pass|_pwd|_pat|_key|password|secret|token)=['\"]?[^\s'\"$]{4,}"
)
#: An expression of a flow's, resolved by the executor: `{{ secret('NAME') }}`.
_EXPRESSION = re.compile(r"\{\{-?\s*(secret\(\s*['\"][\w-]+['\"]\s*\)|[A-Za-z_][\w.]*)\s*-?\}\}")
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_][\w.-]*:?\}")
#: `--password Planted`, `--db-token=…` in a command.
_OPTION = re.compile(
    r"(?i)(^|[\s'\"])--?[\w-]*(password|passwd|passphrase|pwd|pass|secret|token|api-?key|secret-?key)"
    r"([=\s]+|$)(?P<value>['\"]?[^\s'\"$/<{(-][^\s'\"$]{3,})?"
)
#: `curl -u user:password`; numbers are user and group.
_USER = re.compile(
    r"(^|\s)(-u|--user|--proxy-user)[=\s]?['\"]?[^\s:'\"$/]+:(?![0-9]{1,6}\b)[^\s'\"$/{<]{4,}"
)
#: Programs that take a password right behind a short option.
_SHORT_OPTION = re.compile(
    r"\b((mysql|mariadb)[\w-]*\b[^|;&\n]*\s-p(?!ort\b)|redis-cli\b[^|;&\n]*\s(-a|--pass)\s+|sshpass\s+-p\s*"
    r"|(docker|helm|podman|mongo\w*)\b[^|;&\n]*\s-p\s+)['\"]?[^\s'\"$<{:-][^\s'\"$:]{3,}(?=$|[\s'\"])"
)
#: `X-Api-Key: …`, `password: …` in a text.
_IN_TEXT = re.compile(
    r"(?i)\b(x-[\w-]*(key|token)|private-token|authorization|password|passwd|passphrase|secret|token|api[_-]?key)"
    r"\s*(:|\bis\b)\s*['\"]?(?=[^\s'\"]*[0-9A-Z])[^\s'\"$<{(]{6,}"
)
_COLLECTIONS = re.compile(r"(?i)(passwords|secrets|tokens|credentials|api-?keys|headers)$")


def mark_secrets(draft: Draft, known: set[str]) -> None:
    """Marks every leaf that is a secret.

    Args:
        draft: the settings.
        known: secrets that were seen; those of the draft are added.
    """
    for place, value in draft.leaves():
        if isinstance(value.value, str) and (
            is_secret(place, value.value) or _is_secret_variable(draft, place, value.value)
        ):
            value.is_secret = True
    # What the check itself would warn of.
    for place, _ in in_clear(draft.document(lambda value: "" if value.is_secret else value.value)):
        value = draft.at(*place)
        if isinstance(value, Value) and isinstance(value.value, str):
            value.is_secret = True
    known |= {v.value for _, v in draft.leaves() if v.is_secret and isinstance(v.value, str)}
    distinctive = [_pattern(text) for text in known if is_distinctive(text)]
    for _, value in draft.leaves():
        # The same text in another place is the same secret.
        if isinstance(value.value, str | int) and any(
            p.search(str(value.value)) for p in distinctive
        ):
            value.value, value.is_secret = str(value.value), True


def _is_secret_variable(draft: Draft, place: Place, text: str) -> bool:
    """Whether it is the value of a container's variable, in Kubernetes' form, that is a secret by its name."""
    name = draft.text(*place[:-1], "name") if place[-1] == "value" else None
    return name is not None and not is_reference(text) and credential_sign(name, text) is not None


def is_secret(place: Place, text: str) -> bool:
    """Whether a text at a place of the settings is a secret; not for a lone placeholder."""
    if not text or is_reference(text):
        return False
    if place[:2] == ("deployment", "environment") or "extra-env" in place:
        return bool(credential_sign(str(place[-1]), text)) or holds_secret(text)
    known, annotation = annotation_of(place)
    if known:
        return is_sensitive(annotation) or (place[0] != "tags" and holds_secret(text))
    if place[0] == "deployment":
        return holds_secret(text)
    names = [str(part) for part in place if isinstance(part, str)]
    above = names[-1] if isinstance(place[-1], int) else names[-2] if len(names) > 1 else ""
    return (
        catalogue_sensitive(place)
        or holds_secret(text)
        or credential_sign(names[-1], text) is not None
        or (_COLLECTIONS.search(above) is not None and not re.fullmatch(r"[0-9]{1,7}", text))
    )


def is_reference(text: str) -> bool:
    """Whether a text only names where a value comes from: placeholders without a default, expressions of flows."""
    return not _EXPRESSION.sub("", _PLACEHOLDER.sub("", text)).strip()


def holds_secret(text: str) -> bool:
    """Whether a text holds a secret whatever its name is: a password in an address, JAAS, PEM, a connection string."""
    rest = _EXPRESSION.sub("", text)
    return bool(
        credential_sign("", rest)
        or CREDENTIAL_IN_URL.search(_PLACEHOLDER.sub("", rest))
        or _KEY_IN_ADDRESS.search(rest)
        or _WEBHOOK.search(rest)
        or _KEY_IN_QUERY.search(rest)
        or _SHELL_PAIR.search(rest)
        or (len(rest) > 40 and _holds_encoded_key(rest))
    )


def is_secret_text(text: str) -> bool:
    """Whether a free text (a command, an annotation) holds a secret."""
    rest = _EXPRESSION.sub("", _PLACEHOLDER.sub("", text))
    return (
        holds_secret(text)
        or any(match["value"] for match in _OPTION.finditer(rest))
        or any(p.search(rest) for p in (_USER, _SHORT_OPTION, _IN_TEXT))
    )


def asks_for_secret(text: str) -> bool:
    """Whether a word of a command is an option whose value, a secret, is the next word: `--password`."""
    return any(match.end() == len(text) and not match["value"] for match in _OPTION.finditer(text))


def _holds_encoded_key(text: str) -> bool:
    """Whether it is base64 of a private key or of a service account."""
    if not re.fullmatch(r"[A-Za-z0-9+/\s]+=*\s*", text):
        return False
    try:
        plain = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return False
    return b"PRIVATE KEY" in plain or b'"private_key"' in plain


def is_distinctive(text: str) -> bool:
    """Whether a secret is no word that stands in other places for itself, as `postgres` and `kestra-db` do."""
    return len(text) >= 8 and re.fullmatch(r"[a-z_-]+|[A-Z_-]+", text) is None


def _pattern(text: str) -> re.Pattern[str]:
    """Where a secret stands: digits are not part of a longer number."""
    if text.isdigit():
        return re.compile(rf"(?<!\d){text}(?!\d)")
    return re.compile(re.escape(text))


def annotation_of(place: Place) -> tuple[bool, Any]:
    """Whether the models have a key, and the type of its value."""
    model: Any = settings_model()
    for i, part in enumerate(place):
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        field = fields.get(kebab(str(part)))
        if field is None:
            if model.OTHERS is None or i + 1 == len(place):
                return False, None
            model = model.OTHERS
            continue
        one, many = models_in(field.annotation)
        rest = place[i + 1 :]
        if one is not None and rest:
            model = one
        elif many is not None and len(rest) > 1:
            return _below(many, rest[1:])
        else:
            return True, _item(field.annotation, rest)
    return False, None


def _below(model: Any, place: Place) -> tuple[bool, Any]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    field = fields.get(kebab(str(place[0])))
    if field is None:
        return False, None
    one, many = models_in(field.annotation)
    if one is not None and len(place) > 1:
        return _below(one, place[1:])
    if many is not None and len(place) > 2:
        return _below(many, place[2:])
    return True, _item(field.annotation, place[1:])


def _item(annotation: Any, rest: Place) -> Any:
    """The type of what stands in a list or a map of texts."""
    return next(iter(get_args(annotation)[-1:]), annotation) if rest else annotation


def catalogue_row(place: Place) -> CatalogueKey | None:
    """The catalogue's row of a key that is no field of a model; None where it has none."""
    match = lookup(kestra_path(place))
    return match.key if match.kind == "key" else None


def catalogue_sensitive(place: Place) -> bool:
    """Whether the catalogue calls a key a secret."""
    row = catalogue_row(place)
    return row is not None and row.sensitive


class Redaction:
    """Takes the values of secrets out of what is shown."""

    def __init__(self, values: Iterable[str]) -> None:
        texts: set[str] = set()
        for value in values:
            lines = [value, *value.splitlines()]
            texts |= {line.strip() for line in lines if _is_to_hide(line.strip())}
        encoded = {base64.b64encode(t.encode()).decode().rstrip("=") for t in texts}
        self._patterns = [_pattern(t) for t in sorted(texts | encoded, key=len, reverse=True)]

    def __call__(self, text: str) -> str:
        """The text with `[secret]` in place of each value and of its base64."""
        for pattern in self._patterns:
            text = pattern.sub("[secret]", text)
        return text


def _is_to_hide(text: str) -> bool:
    return is_distinctive(text) or re.fullmatch(r"[0-9]{6,}", text) is not None
