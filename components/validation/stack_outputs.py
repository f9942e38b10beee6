"""Settings that are outputs of other stacks: their form, their values, and what a report says of these."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from pydantic import SecretStr

from ..backends.settings_model import settings_model
from ..settings.base import OPAQUE, Model, kebab
from ..settings.findings import Finding
from ..settings.references import (
    FROM_STACK,
    OUTPUT,
    STACK_NAME,
    OutputReference,
    UnreadValue,
    is_reference,
    output_path,
)
from ..settings.report import Problem
from .schema import ENCRYPTED, KeySpelling, models_in, printable_key
from .sensitive import Place

MASKED = "[secret]"
"""What `pulumi stack output --json` prints for a secret."""

#: First-level settings that Pulumi.yaml says are texts: Pulumi refuses anything else there.
_TEXTS = {
    "version": "write the version itself",
    "edition": "write the edition itself",
    "url": "write it under kestra:deployment.url",
}
#: Settings that take an object as its JSON: EKS clusters are exported with one.
_AS_TEXT = (("deployment", "kubeconfig"),)
_FORM = (
    "an output of another stack is written {from-stack: organization/project/stack, output: name}, and the name may go "
    "on with keys and positions: database.host, subnets[0]"
)
_STACK_FORM = (
    "a stack is named organization/project/stack (the organization of a backend of your own is the word organization), "
    "and one of this project by its name alone"
)
_EXPORTED = "a stack has the outputs that its last update exported"
_LISTED = 20


class UnreadStackError(Exception):
    """The outputs of a stack cannot be read."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


@dataclass(frozen=True)
class StackOutputs:
    """The outputs of a stack."""

    values: Mapping[str, Any]
    secret: Collection[str] = ()
    """Names of those that are secret, or hold a secret."""


ReadOutputs = Callable[[str], StackOutputs | None]
"""Name of a stack to its outputs, None where nobody reads them now; may raise `UnreadStackError`."""


@dataclass
class Resolved:
    """A document with the values of other stacks in it."""

    document: dict[str, Any] = field(default_factory=dict)
    origins: dict[Place, OutputReference] = field(default_factory=dict)
    """Where a value was read, as it is written, to the output that it is."""
    secret: set[Place] = field(default_factory=set)
    """Those of them whose output is secret."""
    unread: dict[Place, OutputReference] = field(default_factory=dict)
    """Where nobody has read the value; the document has an `UnreadValue` there."""
    problems: list[Problem] = field(default_factory=list)

    def origin(self, place: Place) -> OutputReference | None:
        """The output that a value is, or is a part of."""
        ends = range(len(place), 0, -1) if self.origins else ()
        return next((self.origins[place[:e]] for e in ends if place[:e] in self.origins), None)

    def own_keys(self, place: Place) -> Place:
        """A place without the keys that only a secret output has, which a report does not say."""
        ends = range(1, len(place)) if self.secret else ()
        if (start := next((end for end in ends if place[:end] in self.secret), None)) is None:
            return place
        inner = (part if isinstance(part, int) else _own_key(part) for part in place[start:])
        return (*place[:start], *inner)


def _own_key(key: str) -> str:
    return key if kebab(key) in _known_names() else MASKED


@lru_cache(maxsize=1)
def _known_names() -> frozenset[str]:
    """The names of all settings."""

    def names(model: type[Model]) -> Iterator[str]:
        for name, one in model.model_fields.items():
            yield one.alias or name
            for inner in filter(None, models_in(one.annotation)):
                yield from names(inner)

    return frozenset(names(settings_model()))


def resolve(document: Mapping[str, Any], source: str, read: ReadOutputs | None = None) -> Resolved:
    """The document with each output of another stack as its value: a secret one as `SecretStr`, an unread one as
    `UnreadValue`.

    Args:
        document: first-level key to value.
        source: the stack file.
        read: gives the outputs of a stack; None: nobody reads any.
    """
    reader = _Reader(source, read or (lambda _: None))
    reader.resolved.document = {
        name: reader.walk(value, (printable_key(name),)) for name, value in document.items()
    }
    return reader.resolved


def misplaced_references(config: Mapping[Any, Any], source: str) -> Iterator[Problem]:
    """What is said of options of a provider that are meant as outputs of another stack.

    Args:
        config: the stack's configuration, each key with its namespace; blocks as they are or as JSON.
        source: the stack file.
    """
    for key, value in config.items():
        if isinstance(key, str) and ":" in key and not key.startswith("kestra:"):
            if isinstance(value, str) and value.startswith("{"):
                try:
                    value = json.loads(value)
                except (ValueError, RecursionError):
                    continue
            if is_reference(value):
                yield Problem(
                    printable_key(key),
                    source,
                    "is an output of another stack",
                    "only settings of this program (kestra:) are read from other stacks; Pulumi hands this block on to "
                    "the provider as it is",
                    _ELSEWHERE.get(
                        key,
                        "write the value itself, or bring it with an environment of Pulumi ESC (docs/stacks-that-compose.md)",
                    ),
                )


_ELSEWHERE = {"kubernetes:kubeconfig": "write it under kestra:deployment.kubeconfig"}


class _WrongOutputError(Exception):
    """Message, rule and fix."""


class _Reader:
    def __init__(self, source: str, read: ReadOutputs) -> None:
        self._source, self._read = source, read
        self._stacks: dict[str, StackOutputs | UnreadStackError | None] = {}
        self.resolved = Resolved()

    def walk(self, value: Any, place: Place) -> Any:
        if is_reference(value):
            try:
                return self._value(_parse(value, place), place)
            except _WrongOutputError as error:
                self.resolved.problems.append(
                    Problem(KeySpelling().path(place), self._source, *error.args)
                )
                return UnreadValue()
        if isinstance(value, Mapping):
            return {name: self.walk(v, (*place, printable_key(name))) for name, v in value.items()}
        if isinstance(value, list):
            return [self.walk(item, (*place, i)) for i, item in enumerate(value)]
        return value

    def _value(self, reference: OutputReference, place: Place) -> Any:
        outputs = self._outputs(reference.stack)
        if outputs is None:
            self.resolved.unread[place] = reference
            return UnreadValue()
        value = _looked_up(reference, outputs)
        if isinstance(value, Mapping) and tuple(kebab(str(part)) for part in place) in _AS_TEXT:
            # Another text would be another provider.
            value = json.dumps(value, sort_keys=True)
        self.resolved.origins[place] = reference
        if reference.path[0] not in outputs.secret:
            return _plain(value)
        self.resolved.secret.add(place)
        return _secret(value)

    def _outputs(self, stack: str) -> StackOutputs | None:
        if stack not in self._stacks:
            try:
                self._stacks[stack] = self._read(stack)
            except UnreadStackError as error:
                self._stacks[stack] = error
        outputs = self._stacks[stack]
        if isinstance(outputs, UnreadStackError):
            rule = "its outputs are read before the settings are checked"
            raise _WrongOutputError(f"names stack {stack}, {outputs.message}", rule, outputs.fix)
        return outputs


def _parse(value: Mapping[Any, Any], place: Place) -> OutputReference:
    if len(place) == 1 and kebab(str(place[0])) in _TEXTS:
        rule = "Pulumi.yaml declares this key as a text, and Pulumi takes no block there"
        raise _WrongOutputError("is an output of another stack", rule, _TEXTS[kebab(str(place[0]))])
    keys = {kebab(name) if isinstance(name, str) else name: name for name in value}
    others = sorted(printable_key(n) for n in value if kebab(str(n)) not in (FROM_STACK, OUTPUT))
    if others or len(keys) != len(value):
        what = (
            f"has {', '.join(others)} beside from-stack and output" if others else "has a key twice"
        )
        raise _WrongOutputError(what, _FORM, "remove what is not from-stack or output")
    if OUTPUT not in keys:
        raise _WrongOutputError("names a stack and no output", _FORM, "add output: and its name")
    stack, output = value[keys[FROM_STACK]], value[keys[OUTPUT]]
    for name, text in ((FROM_STACK, stack), (OUTPUT, output)):
        if isinstance(text, SecretStr):
            fix = "write it in clear; the output itself may be secret"
            raise _WrongOutputError(f"has an encrypted {name}", _FORM, fix)
        if not isinstance(text, str):
            what = f"has {'an' if name == OUTPUT else 'a'} {name} that is no text"
            raise _WrongOutputError(what, _FORM, "write it in quotes")
    if not STACK_NAME.fullmatch(stack):
        fix = "write the name that `pulumi stack ls --all` prints, in full"
        raise _WrongOutputError("has a from-stack that names no stack", _STACK_FORM, fix)
    if output_path(output) is None:
        raise _WrongOutputError("has an output that is no name of one", _FORM, "correct it")
    return OutputReference(stack, output)


def _looked_up(reference: OutputReference, outputs: StackOutputs) -> Any:
    """The value of an output, or of the part of it.

    Raises:
        _WrongOutputError: there is none.
    """
    name, *rest = reference.path
    is_secret = name in outputs.secret
    if outputs.values.get(str(name)) is None:
        what = f"names {reference}, which is not there"
        raise _WrongOutputError(what, _EXPORTED, _another(str(name), outputs.values, reference))
    value = outputs.values[str(name)]
    if is_secret and value == {}:
        raise _undecrypted(reference)
    for depth, part in enumerate(rest):
        if value == MASKED:
            return value
        value = _part(value, part)
        if value is None:
            where = OutputReference(reference.stack, _written((name, *rest[:depth])))
            what = f"names {reference}, but {where} has no {_written((part,))}"
            # The keys of a secret are not said.
            fix = f"name a part that {where} has, or export the value as an output of its own"
            raise _WrongOutputError(what, _EXPORTED, fix)
    if is_secret and _is_undecrypted(value):
        raise _undecrypted(reference)
    if not _is_plain(value):
        what = f"names {reference}, which is a file or a resource"
        rule = "a setting is a text, a number, true, false, a list or a block of keys"
        raise _WrongOutputError(what, rule, "export the one value of it that is needed")
    return value


def _undecrypted(reference: OutputReference) -> _WrongOutputError:
    return _WrongOutputError(
        f"names {reference}, which is secret and cannot be decrypted here",
        "the secrets of another stack open with that stack's own key",
        f"give this update what {reference.stack} is encrypted with: the same passphrase (PULUMI_CONFIG_PASSPHRASE), or "
        "the right to decrypt with its KMS key",
    )


def _is_undecrypted(value: Any) -> bool:
    """Whether a secret holds what Pulumi could not decrypt, for which it gives an empty object."""
    if isinstance(value, Mapping):
        return not value or any(map(_is_undecrypted, value.values()))
    return isinstance(value, list) and any(map(_is_undecrypted, value))


def _another(name: str, values: Mapping[str, Any], reference: OutputReference) -> str:
    if name in values:
        return "it is exported without a value: have it export one, or name another output"
    names = sorted(n for n, value in values.items() if value is not None)
    if not names:
        return f"it has no outputs yet: run `pulumi up --stack {reference.stack}` first"
    if near := difflib.get_close_matches(name, names, n=1, cutoff=0.6):
        return f"did you mean {near[0]}"
    more = ", …" if len(names) > _LISTED else ""
    return f"export it there, or name one of {', '.join(names[:_LISTED])}{more}"


def _part(value: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return value[part] if isinstance(value, list) and part < len(value) else None
    return value.get(part) if isinstance(value, Mapping) else None


def _written(path: tuple[str | int, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_plain(item) for name, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int, float))


def _plain(value: Any) -> Any:
    """A value as a stack file would have it; keys in the order of the alphabet, since Pulumi keeps none."""
    if isinstance(value, Mapping):
        return {name: _plain(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value == MASKED:
        return SecretStr(OPAQUE)
    # Pulumi hands every number on as a fraction.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _secret(value: Any) -> Any:
    """The same of a secret, each value in it as a `SecretStr`. Which of them are the secret, Pulumi does not say."""
    if isinstance(value, Mapping):
        return {name: _secret(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_secret(item) for item in value]
    value = _plain(value)
    if value is None or isinstance(value, SecretStr):
        return value
    return SecretStr(value if isinstance(value, str) else str(value).lower())


def of_output(finding: Finding, reference: OutputReference) -> Finding:
    """What was found at a value of another stack, so that its message and fix name the output."""
    if finding.message == ENCRYPTED[0]:
        return replace(
            finding,
            message=f"is {reference}, which is secret, but its key is not sensitive",
            fix=f"if it is no secret, export it from {reference.stack} as an output of its own that is not marked as one "
            "(pulumi.Output.unsecret); if it is one, name it under a key that takes a secret",
        )
    fix = finding.fix
    if finding.encrypts:
        fix = f"have {reference.stack} export it as a secret"
    elif finding.kind in ("value", "not-a-list", "unknown-key"):
        fix = f"have {reference.stack} export such a value, or name another output"
    message = f"comes from {reference}, and {finding.message}"
    return replace(finding, message=message, fix=fix, encrypts=False)


def clear_output(place: Place, reference: OutputReference, source: str) -> Problem:
    """The warning of a secret that the other stack does not keep as one."""
    return Problem(
        KeySpelling().path(place),
        source,
        f"comes from {reference}, which is not marked as a secret there",
        "this stack keeps it as a secret; the state of the other one and `pulumi stack output` show it in clear",
        f"have {reference.stack} export it as a secret (pulumi.Output.secret)",
        "warning",
    )


def unread_setting(place: Place, reference: OutputReference, source: str) -> Problem:
    """What is said of a value that is read at preview."""
    return Problem(
        KeySpelling().path(place),
        source,
        f"is {reference}, which is not read here",
        "preview and update read it, and check it then",
        f"to have it checked here, save `pulumi stack output --json --stack {reference.stack}` in a file and add "
        f"--outputs {reference.stack}=FILE",
        "warning",
    )
