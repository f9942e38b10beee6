"""What the components of the package have in common: checked arguments, documented outputs, and their type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pulumi
from pulumi.output import UNKNOWN

from ..program import Scope, with_cluster
from ..sdk_packages import missing_packages
from ..settings import Settings, SettingsError
from .arguments import Arguments, read_arguments
from .property_names import Style, style_of_program
from .report import check_arguments
from .values import from_python

PACKAGE = "kestra-platform"
"""The name of the package, and the beginning of its type tokens. `kestra` is that of Kestra's Terraform provider."""


class Property(NamedTuple):
    """An argument that is no setting, or an output."""

    type: str
    """`string`, `boolean`, `map` or `list` of strings, or the name of an `ObjectType`."""
    text: str
    is_secret: bool = False
    is_required: bool = True
    """Of an output: whether it always has a value."""


class ObjectType(NamedTuple):
    """A type of objects that are no settings."""

    text: str
    properties: Mapping[str, Property]


@dataclass(frozen=True)
class Request:
    """What a component is made of."""

    settings: Settings | None
    """None: a value of them is not known before the update."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that are no settings, by their names in the schema; each plain or an output."""


def check_request(
    component: type[PackageComponent],
    name: str,
    arguments: Arguments,
    extra: Mapping[str, Any],
    style: Style | None = None,
) -> Request:
    """The checked arguments of a component; warnings go to the engine.

    Args:
        component: its class.
        name: its logical name.
        arguments: the settings among its arguments.
        extra: the others.
        style: how the program writes names; None: by the project of the working folder.

    Raises:
        pulumi.RunError: with the report of every problem, before anything is registered.
    """
    style = style or style_of_program(Path.cwd())
    try:
        source = f'{component.__name__} "{name}"'
        loaded = check_arguments(arguments, source, style, component.SETTINGS)
    except SettingsError as error:
        raise pulumi.RunError(error.report()) from None
    for warning in loaded.warnings:
        pulumi.log.warn(warning.line())
    if arguments.unknown:
        return Request(None, extra)
    if component.NEEDS_SDK and (missing := missing_packages(loaded.settings)):
        raise pulumi.RunError(missing)
    return Request(loaded.settings, extra)


class PackageComponent(pulumi.ComponentResource):
    """A component of the package. Its arguments are settings, in the names of its program's language."""

    SETTINGS: ClassVar[tuple[str, ...] | None] = None
    """First-level settings that it takes; None: all."""
    ARGUMENTS: ClassVar[Mapping[str, Property]] = {}
    """Its arguments that are no settings, by their names in the schema; none is required."""
    OUTPUTS: ClassVar[Mapping[str, Property]] = {}
    NEEDS_SDK: ClassVar[bool] = True
    """Whether it imports the SDK of the secret manager's provider."""

    outputs: Mapping[str, Any]
    """Name in the schema to output."""

    def __init__(
        self,
        name: str,
        args: Mapping[str, Any] | Request | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        request = args if isinstance(args, Request) else self._read(name, args or {})
        super().__init__(self.token(), name, None, opts)
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
    def _read(cls, name: str, args: Mapping[str, Any]) -> Request:
        own = {Style.SNAKE.write(key): key for key in cls.ARGUMENTS}
        extra = {
            own.get(key, key): v for key, v in args.items() if own.get(key, key) in cls.ARGUMENTS
        }
        values = {
            key: from_python(value) for key, value in args.items() if own.get(key, key) not in extra
        }
        arguments = read_arguments(values)
        return check_request(cls, name, arguments, extra, Style.SNAKE)

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
