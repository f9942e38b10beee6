"""Stack files that are checked in one command: which of them write, or let Kestra read, what is another one's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..backends.registry import backend_of
from ..settings.declared import DeclaredSecret
from ..settings.model import Settings
from ..settings.report import Problem

_SHOWN = 3
#: Any secret of a Kestra that writes its own, whose names are not in its settings.
_ANY = DeclaredSecret(namespace="any")


def shared_secrets(stacks: Sequence[tuple[str, Settings]]) -> Iterator[Problem]:
    """Warnings of pairs of stacks in one secret manager; none where the settings do not say which server it is.

    - Two stacks that write a secret of one name.
    - A Kestra that may read the secrets of another Kestra's stack. Those of a team are there to be read.

    Args:
        stacks: each with the name of its file.
    """
    for position, (file, settings) in enumerate(stacks):
        for other_file, other in stacks[position + 1 :]:
            if not _server(settings) or _server(settings) != _server(other):
                continue
            yield from _written_twice(file, settings, other_file, other)
        for other_file, other in stacks:
            if other_file != file and _server(settings) and _server(settings) == _server(other):
                yield from _read(file, settings, other_file, other)


def _server(settings: Settings) -> str:
    backend = backend_of(settings)
    name = backend.server(settings) if settings.secret and settings.secret.backend else ""
    return f"{backend.title} ({name})" if name else ""


def _names(settings: Settings) -> set[str]:
    """The names in the secret manager of what a stack writes there."""
    backend = backend_of(settings)
    if not backend.provisions(settings):
        return set()
    written = settings.written_secrets.items()
    return {backend.secret_name(settings, name, one) for name, one in written}


def _written_twice(
    file: str, settings: Settings, other_file: str, other: Settings
) -> Iterator[Problem]:
    if common := _names(settings) & _names(other):
        yield Problem(
            "kestra:declared-secrets",
            file,
            f"writes {_listed(common)} in {_server(settings)}, and so does {other_file}",
            "each update of one stack puts the other's value out of force, or fails as the name is taken",
            "give one of them another prefix, folder, namespace or name",
            "warning",
        )


def _read(file: str, settings: Settings, other_file: str, other: Settings) -> Iterator[Problem]:
    if settings.is_secrets_alone or other.is_secrets_alone:
        return
    backend, names = backend_of(settings), _names(other)
    if other.access_mode == "managed":
        names.add(backend.secret_name(other, "ANY", _ANY))
    readable = {name for name in names - _names(settings) if backend.may_read(settings, name)}
    if readable:
        yield Problem(
            "kestra:store" if settings.uses_external_secrets else "kestra:secret",
            file,
            f"lets its Kestra read {_listed(readable)} in {_server(settings)}, which {other_file} writes",
            "a Kestra reads what is below its engine, folder or prefix, and two Kestras share none of these",
            "give one of them an engine, a folder or a prefix of its own (docs/teams.md)",
            "warning",
        )


def _listed(names: set[str]) -> str:
    first, more = sorted(names)[:_SHOWN], len(names) - _SHOWN
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")
