"""What all settings models share: Kestra's kebab-case keys, frozen, nothing unknown, nothing leaked."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    SecretStr,
)
from pydantic_core import PydanticKnownError

from .durations import KESTRA_DURATION, PROJECT_DURATION
from .findings import invalid_setting
from .placeholders import is_placeholder
from .sizes import check_size

#: The text of a `SecretStr` that stands for a value that is encrypted in the stack file: present, but not readable
#: here.
OPAQUE = "\0encrypted\0"

#: A JDBC URL can carry the password itself (`?password=…`, `//user:password@host`).
CREDENTIAL_IN_URL = re.compile(r"(?i)[?&;,(]\s*[a-z0-9_.-]*(password|pwd)\s*=|//[^/?@]*:[^/?@]*@")


@lru_cache(maxsize=4096)
def kebab(name: str) -> str:
    """Kestra's canonical spelling of a key: `initialDelay` and `initial_delay` give `initial-delay`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    return spaced.replace("_", "-").lower()


def is_readable(value: str) -> bool:
    """Whether the value's form can be judged here: neither encrypted nor a placeholder."""
    return value != OPAQUE and not is_placeholder(value)


class Model(BaseModel):
    """A block of settings."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=kebab,
        validate_by_alias=True,
        validate_by_name=False,
        hide_input_in_errors=True,
        protected_namespaces=(),
        # A block is built within the whole, once, instead of again on its own.
        defer_build=True,
    )

    OTHERS: ClassVar[type[Model] | None] = None
    """The model of every key that is no field, where the block takes such keys."""


def key(
    default: Any = ...,
    text: str = "",
    *,
    unit: str = "",
    since: str = "1.3",
    until: str = "",
    source: str = "Kestra documentation, configuration",
    alias: str | None = None,
    **limits: Any,
) -> Any:
    """A settings key with what the reference prints about it.

    Args:
        default: the value when the key is absent; a model stands for an empty block of it; `...` when the key
            is required.
        text: what the key means.
        unit: the unit of the value, where it has one.
        since: the first Kestra version that this project renders it for.
        until: the last version, where it ended.
        source: where the meaning, the default and the limits come from.
        alias: the key's spelling where it is not the kebab-case of the attribute.
        limits: pydantic's own (`ge`, `le`, `pattern`, `min_length` …).
    """
    extra: Any = {"unit": unit, "since": since, "until": until, "source": source}
    if alias is not None:
        limits |= {"alias": alias}
    if isinstance(default, type):
        return Field(default_factory=default, description=text, json_schema_extra=extra, **limits)
    if isinstance(default, (dict, list)):
        factory = type(default)
        value = default
        limits["default_factory"] = lambda: factory(value)
        return Field(description=text, json_schema_extra=extra, **limits)
    return Field(default, description=text, json_schema_extra=extra, **limits)


SOURCE_PROJECT = "this project"


_duration, _project_duration = KESTRA_DURATION.check, PROJECT_DURATION.check

Duration = Annotated[str, BeforeValidator(_duration)]
"""A duration as Kestra binds it: `500ms`, `5s`, `1m`, `2h`, `7d` or ISO 8601 (`PT1M30S`, `P7D`)."""

ProjectDuration = Annotated[str, BeforeValidator(_project_duration)]
"""A duration of the same forms that Kestra never reads."""


def _boolean(rule: str) -> BeforeValidator:
    def check(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        raise invalid_setting("is not true or false", rule, "write true or false")

    return BeforeValidator(check)


StrictBool = Annotated[bool, _boolean("Kestra reads anything else as false")]
"""`true` or `false`. Kestra reads anything else as false, so anything else is refused."""

ProjectBool = Annotated[bool, _boolean("this key takes true or false")]
"""`true` or `false` of a key that Kestra never reads."""


def _no_flag(value: Any) -> Any:
    # YAML reads `yes` as true, and Python takes true for 1.
    if isinstance(value, bool):
        raise invalid_setting(
            "is not a whole number", "this key takes a whole number", "write a number"
        )
    return value


StrictInt = Annotated[int, BeforeValidator(_no_flag)]
"""A whole number; `true` is none."""


Size = Annotated[int | str, PlainValidator(check_size)]
"""An amount of bytes as Micronaut binds it: `10485760`, `10MB`."""


def _text(value: Any) -> Any:
    # `pulumi config set --path … 2` writes a number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _printable(value: str) -> str:
    if not value.strip():
        raise invalid_setting("is empty", "this key takes a name", "write the name")
    if not value.isprintable() or value != value.strip():
        raise invalid_setting(
            "begins or ends with a space, or holds a character that cannot be printed",
            "this key takes a name on one line",
            "write the name alone",
        )
    return value


def _name(value: str) -> str:
    if " " in _printable(value):
        raise invalid_setting("holds a space", "this key takes one word", "write it without spaces")
    return value


Title = Annotated[str, AfterValidator(_printable)]
"""What something is called that is elsewhere, on one line."""

Name = Annotated[str, AfterValidator(_name)]
"""The same in one word."""

VersionName = Annotated[Name, BeforeValidator(_text)]
"""A version of something that is elsewhere; a number is one, too."""


RotationToken = Annotated[
    str, BeforeValidator(_text), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")
]
"""Any short text that says nothing but that it is another than the last one: `2026-11`, `3`."""

Fingerprint = Annotated[str, BeforeValidator(_text), Field(pattern=r"^[0-9a-f]{8}$")]
"""The first 8 hexadecimal digits of a key's SHA-256."""

#: The largest number that Kestra's integers hold.
LARGEST = 2**31 - 1

Secret = SecretStr
"""A sensitive value. It leaves the settings only as a Pulumi secret."""


class PendingSecret(SecretStr):
    """A secret of a program that is known only while its resources are made; its text is `OPAQUE`."""

    def __init__(self, output: Any) -> None:
        super().__init__(OPAQUE)
        self.output = output
        """The value, a `pulumi.Output[str]`."""

    def __deepcopy__(self, _: Any) -> PendingSecret:
        return self


class SecretText(SecretStr):
    """A text that holds a secret: kept as one, while Kestra resolves the `${NAME}` in it as in any text."""


class TextInClear(SecretText):
    """Such a text that stands in clear in the stack file, so that its `${NAME}` can be judged here."""


def _text_or_secret(value: Any) -> str | SecretStr:
    if isinstance(value, (str, SecretStr)):
        return value
    raise PydanticKnownError("string_type")


TextOrSecret = Annotated[str | SecretStr, PlainValidator(_text_or_secret)]
"""A text where it is written in clear, a secret where it is encrypted in the stack file."""


def reveal(value: SecretStr | str | None) -> str | None:
    """The value of a secret, or of what may be one, for a check; never for a message."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value
