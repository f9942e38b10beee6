"""What the components of the package have in common: checked arguments, documented outputs, and their type."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import pulumi
from pulumi.output import UNKNOWN

from ..program import Scope, with_cluster
from ..sdk_packages import missing_packages
from ..settings import Settings, SettingsError
from ..settings.report import Problem
from ..validation.schema import printable_key
from .arguments import read_arguments
from .interfaces import OBJECT_TYPES, InterfaceReader
from .property_names import CATALOGUE, Style, style_of_program
from .property_types import Property
from .report import check_arguments, in_arguments
from .values import Value, from_python

PACKAGE = "kestra-platform"
"""The name of the package, and the beginning of its type tokens. `kestra` is that of Kestra's Terraform provider."""
#: What Kubernetes takes as the beginning of an object's name, and as the value of a label.
OBJECT_NAME = r"[a-z0-9](?:[-a-z0-9.]{0,61}[a-z0-9])?"


@dataclass(frozen=True)
class Request:
    """What a component is made of."""

    settings: Settings | None
    """None: a value of them is not known before the update."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that are no settings, by their names in the schema; each plain or an output."""
    style: Style = Style.CAMEL
    """How its program writes names."""


def check_request(
    component: type[PackageComponent],
    name: str,
    values: Mapping[str, Value],
    style: Style | None = None,
    takes: Collection[str] | None = None,
) -> Request:
    """The checked arguments of a component; warnings go to the engine.

    Args:
        component: its class.
        name: its logical name.
        values: its arguments, by their names in the schema.
        style: how the program writes names; None: by the project of the working folder.
        takes: the settings that it takes, by their names in the schema; others are refused. None: they are left out.

    Raises:
        pulumi.RunError: with the report of every problem, before anything is registered.
    """
    style = style or style_of_program(Path.cwd())
    source = f'{component.__name__} "{name}"'
    reader = InterfaceReader(source, style)
    extra = {
        key: reader.read(values[key], OBJECT_TYPES[one.type], key)
        for key, one in component.ARGUMENTS.items()
        if key in values
    }
    settings = {key: value for key, value in values.items() if key not in component.ARGUMENTS}
    refused = [
        *_refused_name(component, name, source),
        *reader.problems,
        *_refused_settings(component, settings, takes, source, style),
    ]
    if takes is not None:
        settings = {key: value for key, value in settings.items() if key in takes}
    arguments = read_arguments(settings)
    try:
        loaded = check_arguments(
            arguments, source, style, component.SETTINGS, refused, component.ALONE
        )
        if loaded.settings.is_secrets_alone and not component.TAKES_SECRETS_ALONE:
            raise SettingsError([_without_kestra(source, style)])
    except SettingsError as error:
        raise pulumi.RunError(error.report()) from None
    for warning in (*loaded.warnings, *reader.warnings):
        pulumi.log.warn(warning.line())
    if arguments.unknown:
        return Request(None, extra, style)
    if component.NEEDS_SDK and (missing := missing_packages(loaded.settings)):
        raise pulumi.RunError(missing)
    return Request(loaded.settings, extra, style)


def _refused_name(component: type[PackageComponent], name: str, source: str) -> list[Problem]:
    if not isinstance(name, str):
        rule = "a resource is known by its name in the program"
        return [Problem("name", source, "is no text", rule, "write one")]
    if not component.NAMES_OBJECTS or re.fullmatch(OBJECT_NAME, name):
        return []
    rule = (
        "ConfigMap and Secret are named after the component, and labels have its name: at most 63 lower-case letters, "
        "digits, - and ., with a letter or digit at both ends"
    )
    return [Problem("name", source, "is none that Kubernetes takes", rule, "choose another")]


def _refused_settings(
    component: type[PackageComponent],
    settings: Mapping[str, Value],
    takes: Collection[str] | None,
    source: str,
    style: Style,
) -> list[Problem]:
    if takes is None:
        return []
    known = sorted(style.write(name) for name in {*takes, *component.ARGUMENTS})
    others = (
        f"; a key of Kestra's stands under {style.write(CATALOGUE)}" if CATALOGUE in takes else ""
    )
    problems = []
    for name in settings:
        if name in takes or name.startswith("__"):
            continue
        written = style.write(name)
        close = get_close_matches(written, known, 1)
        rule = f"it takes {', '.join(known)}{others}"
        fix = f"write {close[0]}" if close else "remove it"
        problems.append(Problem(written, source, "is no argument of this component", rule, fix))
    return problems


def _without_kestra(source: str, style: Style) -> Problem:
    return Problem(
        f"{style.write('deployment')}.{style.write('enabled')}",
        source,
        "is false, and this component is about Kestra",
        "the secrets of a team alone are a SecretStore",
        "use SecretStore, or remove it",
    )


class PackageComponent(pulumi.ComponentResource):
    """A component of the package. Its arguments are settings, in the names of its program's language."""

    SETTINGS: ClassVar[tuple[str, ...] | None] = None
    """First-level settings that it takes; None: all."""
    ALONE: ClassVar[tuple[str, ...]] = ()
    """Those of which it reads single keys, so that they need not go together with others."""
    ARGUMENTS: ClassVar[Mapping[str, Property]] = {}
    """Its arguments that are no settings, by their names in the schema; none is required."""
    OUTPUTS: ClassVar[Mapping[str, Property]] = {}
    NAMES_OBJECTS: ClassVar[bool] = False
    """Whether objects of Kubernetes have its name."""
    NEEDS_SDK: ClassVar[bool] = True
    """Whether it imports the SDK of the secret manager's provider."""
    TAKES_SECRETS_ALONE: ClassVar[bool] = False
    """Whether it makes sense without Kestra (`deployment.enabled: false`)."""

    outputs: Mapping[str, Any]
    """Name in the schema to output."""
    says: Callable[[str], str]
    """Makes of a text about settings one about arguments."""

    def __init__(
        self,
        name: str,
        args: Mapping[str, Any] | Request | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        request = (
            args if isinstance(args, Request) else self._read(name, {} if args is None else args)
        )
        super().__init__(self.token(), name, None, opts)
        self.says = in_arguments(request.style)
        settings = request.settings
        if settings is None:
            outputs = {key: pulumi.Output.from_input(UNKNOWN) for key in self.OUTPUTS}
            pulumi.log.warn(
                f"{type(self).__name__} {name!r}: arguments are not known before the update, so that this preview "
                "shows none of its resources.",
                self,
            )
        else:
            if opts is not None and opts.protect and settings.deployment.protect is None:
                # The parts that are protected with the stack say so themselves.
                deployment = settings.deployment.model_copy(update={"protect": True})
                settings = settings.model_copy(update={"deployment": deployment})
            scope = Scope(name, self)
            scope = with_cluster(settings, scope) if self.NEEDS_SDK else scope
            outputs = self.build(name, settings, request.extra, scope)
        self.outputs = {
            key: pulumi.Output.secret(value) if self.OUTPUTS[key].is_secret else value
            for key, value in outputs.items()
        }
        # Not the outputs: the state would hold each secret once more, and a program gets them without.
        self.register_outputs({})

    @classmethod
    def token(cls) -> str:
        """The type token."""
        return f"{PACKAGE}:index:{cls.__name__}"

    @classmethod
    def _read(cls, name: str, args: Any) -> Request:
        if not isinstance(args, Mapping):
            kind = type(args).__name__
            raise pulumi.RunError(
                f'{cls.__name__} "{name}": the arguments are a mapping of names to values, and not {kind}.'
            )
        own = {Style.SNAKE.write(key): key for key in cls.ARGUMENTS}
        names = {key: printable_key(key) for key in args}
        try:
            values = {own.get(names[key], names[key]): from_python(args[key]) for key in args}
            return check_request(cls, name, values, Style.SNAKE)
        except RecursionError:
            raise pulumi.RunError(
                f'{cls.__name__} "{name}": an argument is nested too deeply, or has itself in it. Rule: arguments are '
                "what YAML can hold. Fix: flatten it."
            ) from None

    def build(
        self, name: str, settings: Settings, extra: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Registers the resources; returns the outputs by their names in the schema."""
        raise NotImplementedError

    def __getattr__(self, attribute: str) -> Any:
        """An output by its name in Python; None for one that this component does not have."""
        for key in self.OUTPUTS:
            if Style.SNAKE.write(key) == attribute:
                return self.__dict__.get("outputs", {}).get(key)
        raise AttributeError(f"{type(self).__name__} has no attribute {attribute!r}")
