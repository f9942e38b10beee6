"""The names of settings as arguments of a component: `open-urls` is `openUrls`, in Python `open_urls`, in Go `OpenUrls`.

In the schema of the package, and between programs, engine and provider, every name is in camelCase.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from ..settings.base import Model

OTHERS = "others"
"""The argument that holds the keys of a block that has keys of any name (`Model.OTHERS`)."""
CATALOGUE = "catalogueKeys"
"""The argument that holds the keys of Kestra's that no model has."""


class Style(Enum):
    """How a language writes the names of arguments."""

    CAMEL = "camelCase"
    SNAKE = "snake_case"
    PASCAL = "PascalCase"

    def write(self, name: str) -> str:
        """A name of the schema as the language writes it."""
        if self is Style.SNAKE:
            return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        return name[:1].upper() + name[1:] if self is Style.PASCAL else name


_STYLES = {"python": Style.SNAKE, "go": Style.PASCAL, "dotnet": Style.PASCAL}
_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


def style_of_program(folder: Path) -> Style:
    """How the program of a folder writes names, by the `runtime` of its project; camelCase where there is none."""
    for parent in (folder, *folder.parents):
        for name in _PROJECT_FILES:
            try:
                project = yaml.safe_load((parent / name).read_text(encoding="utf-8"))
            except (OSError, ValueError, yaml.YAMLError):
                continue
            runtime = project.get("runtime") if isinstance(project, dict) else None
            language = runtime.get("name") if isinstance(runtime, dict) else runtime
            return _STYLES.get(str(language), Style.CAMEL)
    return Style.CAMEL


def folded(name: str) -> str:
    """A name without what its spellings differ in: `secretKey`, `secret_key` and `secret-key` are one."""
    return name.replace("-", "").replace("_", "").lower()


def property_name(name: str, field: FieldInfo) -> str:
    """The name of a settings key in the schema.

    Args:
        name: of the attribute.
        field: the attribute of the model.
    """
    key = field.alias or name
    # A name begins with a letter in every language: `1password` is `onePassword`.
    words = re.split(r"[-_]", key if key[0].isalpha() else name)
    return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])


@cache
def properties(model: type[Model]) -> tuple[tuple[str, str, FieldInfo], ...]:
    """Every key of a model: its name in the schema, its key in a stack file, and the attribute."""
    return tuple(
        (property_name(name, field), field.alias or name, field)
        for name, field in model.model_fields.items()
    )


def element_annotation(annotation: Any) -> Any:
    """The type of the items of a list or of the values of a map; None where it is not known."""
    for part in (annotation, *get_args(annotation)):
        arguments = get_args(part)
        if get_origin(part) is dict:
            return arguments[1]
        if get_origin(part) is tuple:
            return arguments[0]
    return None
