"""`application.yaml` and its like: configuration files of Kestra's that are inputs of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..settings.base import kebab
from .assembly import Assembly, Rank
from .env_files import parse
from .readers import Part

#: Roots that make a document configuration, and those that do it only in a file of the usual name.
_ROOTS = frozenset(("kestra", "datasources", "micronaut", "endpoints", "flyway"))
_OTHER_ROOTS = frozenset(("logger", "otel", "tasks", "jackson", "netty"))
_NAME = re.compile(r"(application|bootstrap|kestra|config)([-_.].*)?\.(ya?ml|json|properties)")
_ENVIRONMENT = re.compile(r"application-(?P<name>[a-z0-9_]+)\.(ya?ml|json|properties)")
#: Keys below `kestra:` that only values of a chart have, which stand below a key of an umbrella chart.
_OF_A_CHART = frozenset(
    (
        "image", "deployments", "configurations", "configuration", "common", "extra-env", "service-account",
        "ingress", "dind", "postgresql", "minio", "replica-count", "image-pull-secrets",
    )
)  # fmt: skip


class ApplicationReader:
    """Reads configuration files in the order in which they are given; later ones win."""

    def recognizes(self, part: Part) -> bool:
        """Whether it has keys of Kestra's at its first level, and is no file of a chart."""
        if _properties(part) is not None:
            return True
        if not isinstance(part.document, Mapping):
            return False
        roots = {kebab(str(key)).split(".")[0] for key in part.document}
        if {"api-version", "kind", "services"} & roots or {"id", "namespace"} <= roots:
            return False
        block = part.document.get("kestra")
        if isinstance(block, Mapping) and _OF_A_CHART & {kebab(str(k)) for k in block}:
            return False
        return bool(_ROOTS & roots) or bool(_OTHER_ROOTS & roots and _NAME.fullmatch(part.name))

    def kind(self, part: Part) -> str:
        """What it is."""
        return "configuration of Kestra"

    def read(self, parts: Sequence[Part], assembly: Assembly) -> None:
        """Adds every file that no other input has read already."""
        is_alone = not assembly.has_configuration
        unused = [part for part in parts if not assembly.is_used(part)]
        for part in sorted(_of_one_folder(unused, assembly), key=_is_for_environment):
            if not is_alone:
                assembly.note(
                    "changed",
                    part.file,
                    "no other input says that Kestra reads this file: its keys count where the others say nothing",
                    "leave the file out of the import if Kestra did not read it",
                    part.origin(),
                )
            if _is_for_environment(part):
                name = _ENVIRONMENT.fullmatch(part.name)
                assembly.note(
                    "changed",
                    part.file,
                    f"Kestra reads it only where the environment {name['name'] if name else ''} is active; it is "
                    "carried, above the other files",
                    "leave the file out of the import if the environment was not active",
                    part.origin(),
                )
            rank = Rank.FILE if is_alone else Rank.BASE
            assembly.add_configuration(_document(part), part.origin(), rank)


def _of_one_folder(parts: Sequence[Part], assembly: Assembly) -> list[Part]:
    """Of a directory only the files of its highest folder that has some: others are those of other programs."""
    folders = sorted(
        {p.folder for p in parts if p.is_of_directory}, key=lambda f: (f.count("/"), f)
    )
    chosen = [p for p in parts if not p.is_of_directory or p.folder == folders[0]]
    for part in parts:
        if part not in chosen:
            assembly.note(
                "not carried",
                part.file,
                f"a configuration in another folder than {folders[0]}, whose files are read",
                "give the files themselves, in the order in which Kestra reads them",
                part.origin(),
            )
    return chosen


def _is_for_environment(part: Part) -> bool:
    return part.is_of_directory and _ENVIRONMENT.fullmatch(part.name) is not None


def _document(part: Part) -> Mapping[Any, Any]:
    properties = _properties(part)
    return properties if properties is not None else part.document


def _properties(part: Part) -> dict[str, Any] | None:
    """The keys of a file like application.properties; None for any other."""
    if part.document is not None or not part.text:
        return None
    lines, wrong = parse(part.text, "raw")
    names = [line.name for line in lines]
    if wrong or not names or not all("." in name for name in names):
        return None
    if not any(kebab(name).split(".")[0] in _ROOTS for name in names):
        return None
    return {line.name: (line.value or "").strip() for line in lines}
