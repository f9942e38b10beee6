"""What is wrong with the arguments of a component, in the names that its program writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ..backends.registry import BACKENDS
from ..backends.settings_model import settings_model
from ..settings.base import Model
from ..settings.report import Problem, SettingsError
from ..validation import Loaded
from ..validation.loader import load
from ..validation.schema import ENCRYPTED, OURS, KeySpelling, Loc, models_in
from ..validation.sensitive import in_clear
from .arguments import Arguments
from .property_names import CATALOGUE, OTHERS, Style, properties


class ArgumentNames(KeySpelling):
    """Places of settings as arguments in the language of the program.

    Args:
        style: how the program writes names.
        in_place: the settings that stand in their own places; other keys that no argument has are in `catalogueKeys`.
    """

    def __init__(self, style: Style, in_place: Mapping[str, Any] = {}) -> None:
        super().__init__()
        self._style = style
        self._in_place = in_place

    def path(self, loc: Loc) -> str:
        """`server.basicAuth.openUrls[0]`."""
        text = ""
        for part in self.names(loc):
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text or "arguments"

    def written(self, word: str) -> str:
        """A key of a stack file as an argument; another word as it is."""
        name = _names().get(word)
        return word if name is None else self._style.write(name)

    def names(self, loc: Loc) -> list[str | int]:
        """The arguments of a place; map keys and what no argument is stay as they were written."""
        if loc == (CATALOGUE,):
            return [self._style.write(CATALOGUE)]
        written = self.place(loc)
        names: list[str | int] = []
        one: type[Model] | None = settings_model()
        many: type[Model] | None = None
        for depth, part in enumerate(loc):
            if one is None:
                names.append(written[depth])
                one, many = many, None
                continue
            fields = {key: (name, field) for name, key, field in properties(one)}
            if part in fields:
                name, field = fields[str(part)]
                names.append(self._style.write(name))
                one, many = models_in(field.annotation)
            elif loc[0] in OURS or self._stands_in_place(loc[: depth + 1]):
                return [*names, *written[depth:]]
            elif one.OTHERS is not None:
                names += [self._style.write(OTHERS), written[depth]]
                one, many = one.OTHERS, None
            else:
                return [self._style.write(CATALOGUE), *written]
        return names

    def _stands_in_place(self, loc: Loc) -> bool:
        block: Any = self._in_place
        for part in loc:
            if not isinstance(block, Mapping) or part not in block:
                return False
            block = block[part]
        return True


@cache
def _names() -> dict[str, str]:
    """Key to its name in the schema, for all keys whose name is another one."""
    names: dict[str, str] = {}
    models: list[type[Model]] = [settings_model()]
    for model in models:
        for name, key, field in properties(model):
            names |= {key: name} if key != name else {}
            models += [one for one in models_in(field.annotation) if one and one not in models]
    return names


#: Commands and values of settings are left as they are.
_WORD = re.compile(
    r"`[^`]*`|'[^']*'|\"[^\"]*\"|(?<![\w./<-])(1password|[a-z0-9]+(?:-[a-z0-9]+)+)(?![\w/>-]|\.\w)"
)
_KEY = r"[\w*<>-]+"
_PATH = re.compile(rf"kestra:(?P<path>{_KEY}(?:\.{_KEY}|\[\d+\]|\[\"[^\"]*\"\])*)")
_OPTIONS = r"(?:--(?:path|plaintext|secret) )+"
_ASKS = r"(?:, which asks for the value)?"
#: Commands of stack files, and what a program does instead.
_COMMANDS = (
    (re.compile(rf"^pulumi config set (?=[^']*--secret){_OPTIONS}'([^']+)'{_ASKS}"), r"mark \1 as a secret"),
    (re.compile(rf"`pulumi config set (?=[^']*--secret){_OPTIONS}'([^']+)'`{_ASKS}"), r"a secret value of \1"),
    (re.compile(rf"`pulumi config set (?=[^']*--plaintext){_OPTIONS}'([^']+)'`{_ASKS}"), r"a value of \1 that is no secret"),
    (re.compile(r"`pulumi config rm --path '([^']+)'`"), r"no value of \1"),
    (re.compile(rf"`pulumi config set (?=[^`]*--secret){_OPTIONS.removesuffix('+')}*(?:--\w+)?`"), "a secret value"),
    (re.compile(r"\bas a YAML list\b"), "as a list"),
    (re.compile(r"\bstands in the stack file\b"), "stands in the program"),
    (re.compile(r"\bwrite it in quotes\b"), "write it as a text, in quotes"),
)  # fmt: skip

#: What is said of a secret whose argument takes none, in place of `ENCRYPTED` and its fix.
_SECRET = (
    "is a secret, but takes none",
    "a secret goes to an argument that docs/settings.md marks secret, or to a variable of kestra:deployment.environment; "
    "other values stand readable in the rendered configuration and in Kubernetes",
    "if it is none, pass it without that mark (pulumi.unsecret); if it has one in it, mark that value alone",
)


def check_arguments(
    arguments: Arguments,
    source: str,
    style: Style,
    settings: Collection[str] | None = None,
    refused: Sequence[Problem] = (),
    alone: Collection[str] = (),
) -> Loaded:
    """The checked settings of a component.

    Args:
        arguments: of the component.
        source: what the report names as the place of the arguments: `KestraStack "prod"`.
        style: how the program writes names.
        settings: the first-level settings that the component takes; of others nothing is said. None: all.
        refused: what is wrong with other arguments.
        alone: settings of which the component reads single keys, so that they need not go together with others.

    Raises:
        SettingsError: with every problem at once.
    """
    names = ArgumentNames(style, arguments.in_place)
    clear = [
        Problem(
            names.path(place),
            source,
            "is a secret, and is passed in clear",
            "what a program does not mark as a secret stands readable in previews, logs and plans",
            "take it from a secret of the stack's configuration or of another resource, or mark it with pulumi.secret "
            "(in YAML fn::secret)",
            "warning",
        )
        for place, _ in in_clear(arguments.document)
    ]
    refused = [
        *refused,
        *(
            Problem(names.path(o.place), source, o.message, o.rule, o.fix)
            for o in arguments.refused
        ),
    ]
    unknown = [*arguments.unknown, *(one.place for one in arguments.refused)]
    try:
        loaded = load(
            arguments.document,
            source=source,
            spelling=names,
            unknown=unknown,
            concerns=settings,
            alone=alone,
        )
    except SettingsError as error:
        problems = [*refused, *(_translated(p, names) for p in error.problems)]
        raise SettingsError([*problems, *clear]) from None
    if refused:
        raise SettingsError([*refused, *clear])
    return Loaded(loaded.settings, (*(_translated(p, names) for p in loaded.warnings), *clear))


def _translated(problem: Problem, names: ArgumentNames) -> Problem:
    if problem.message == ENCRYPTED[0]:
        problem = replace(problem, message=_SECRET[0], rule=_SECRET[1], fix=_SECRET[2])
    # Listed are keys, of which some have the names of secret managers.
    is_key = problem.kind == "unknown-key"
    texts = {
        name: translate(getattr(problem, name), names, names_managers=is_key)
        for name in ("message", "rule", "fix")
    }
    # A file's line can only be one of the arguments' source.
    return replace(problem, path=translate(problem.path, names), **texts)


def translate(text: str, names: ArgumentNames, *, names_managers: bool = False) -> str:
    """A text about settings with the arguments that they are.

    Args:
        text: of a problem.
        names: how the program writes arguments.
        names_managers: whether `aws-secret-manager` and its like are keys in it, and not types.
    """
    for command, instead in _COMMANDS:
        text = command.sub(instead, text)

    def written(match: re.Match[str]) -> str:
        word: str = match[1] or ""
        is_value = not word or (word in BACKENDS and not names_managers)
        return match[0] if is_value else names.written(word)

    return _WORD.sub(written, _PATH.sub(lambda match: names.path(_place(match["path"])), text))


def in_arguments(style: Style) -> Callable[[str], str]:
    """What makes of a text about settings one about arguments, as the language of the program writes them."""
    names = ArgumentNames(style)
    return lambda text: translate(text, names)


def _place(path: str) -> Loc:
    """The place of a path, in the spelling of stack files where it is a key."""
    parts = re.findall(r"\[(\d+)\]|\[\"([^\"]*)\"\]|([^.\[]+)", path)
    return tuple(int(i) if i else quoted or key for i, quoted, key in parts)
