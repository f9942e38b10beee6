"""The log-in of the open-source edition: an installation without a valid one gets one."""

from __future__ import annotations

from ..settings.placeholders import is_placeholder
from ..validation.rules.server import USERNAME as EMAIL
from ..validation.rules.server import password_rules_broken
from .conversion import Conversion
from .draft import Value

BLOCK = ("server", "basic-auth")
USERNAME, PASSWORD = (*BLOCK, "username"), (*BLOCK, "password")


def convert(conversion: Conversion) -> None:
    """A log-in that Kestra accepts; what was there and does not do is reported."""
    draft = conversion.draft
    if draft.at(*BLOCK, "enabled") is not None:
        conversion.drop(
            (*BLOCK, "enabled"),
            "left out: Kestra ignores enabled since 0.24, authentication is always on",
        )
    if draft.text("edition") == "enterprise":
        return
    name, password = draft.at(*USERNAME), draft.at(*PASSWORD)
    asked = any(item.setting.startswith(_path(BLOCK)) for item in conversion.to_set)
    if name is None and password is None and not asked:
        conversion.note(
            "changed",
            "kestra.server.basic-auth",
            "no log-in was configured; since 0.24 the first visitor takes over the set-up page, so the stack has one",
            "its password is generated: `pulumi stack output generated --show-secrets` shows it",
        )
    elif isinstance(name, Value) and not _is_email(str(name.value)):
        conversion.drop(
            USERNAME,
            f"{_quoted(str(name.value))} is no e-mail address: Kestra refuses it since 0.24 and stays open on its "
            "set-up page",
            "give an e-mail address",
        )
    if isinstance(password, Value):
        _password(conversion, str(password.value))
    if draft.at(*USERNAME) is None:
        if conversion.username:
            draft.put(USERNAME, Value(conversion.username, comment="from --username"))
        else:
            conversion.ask(USERNAME, "the e-mail address to log in with", covers=(_path(BLOCK),))


def _password(conversion: Conversion, password: str) -> None:
    if is_placeholder(password):
        return
    if broken := password_rules_broken(password):
        what = "is empty" if not password else f"is weak (it lacks {', '.join(broken)})"
        conversion.drop(
            PASSWORD,
            f"{what}: Kestra itself refuses it and stays open on its set-up page; a new one is generated",
            f"or set one: pulumi config set --path --secret '{_path(PASSWORD)}'",
        )


def _is_email(name: str) -> bool:
    return is_placeholder(name) or (len(name) <= 256 and EMAIL.fullmatch(name) is not None)


def _quoted(name: str) -> str:
    return f"{name!r}" if name.isprintable() and 0 < len(name) <= 60 else "what stands there"


def _path(place: tuple[str, ...]) -> str:
    return "kestra:" + ".".join(place)
