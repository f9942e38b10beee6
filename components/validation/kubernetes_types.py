"""`python -m components.validation.kubernetes_types`: writes kubernetes_types.json, the fields of Kubernetes' objects.

They are read from the sources of pulumi-kubernetes, which are generated from Kubernetes' own OpenAPI document. The
settings are checked against the file, for importing the SDK's types takes half a second.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_suffix(".json")
#: The objects that stand in settings; what these hold follows from them.
ROOTS = (
    "Affinity", "Container", "EnvFromSource", "EnvVar", "HostAlias", "PodDNSConfig", "Toleration",
    "TopologySpreadConstraint", "Volume", "VolumeMount",
)  # fmt: skip
#: Fields that take a quantity: the SDK calls them texts, the API server takes numbers too.
QUANTITIES = {
    "EmptyDirVolumeSource.sizeLimit",
    "ResourceFieldSelector.divisor",
    "ResourceRequirements.limits",
    "ResourceRequirements.requests",
    "VolumeResourceRequirements.limits",
    "VolumeResourceRequirements.requests",
}
_BASIC = {"str": "text", "int": "int", "bool": "flag", "float": "number", "Any": "any"}


def types() -> dict[str, dict[str, str]]:
    """Name of a type to its fields, in camelCase, each with its type; `!` ends that of a required one.

    A type is `text`, `int`, `flag`, `number`, `quantity`, `int-or-text`, the name of another one, `[TYPE]` for a list
    or `{TYPE}` for a map.
    """
    folder = Path(importlib.util.find_spec("pulumi_kubernetes").origin).parent  # type: ignore[union-attr,arg-type]
    classes: dict[str, ast.ClassDef] = {}
    for module in ("meta", "core"):
        tree = ast.parse((folder / module / "v1" / "_inputs.py").read_text(encoding="utf-8"))
        classes |= {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    known: dict[str, dict[str, str]] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known[name] = {}
        for field, annotation in _fields(classes[f"{name}Args"]):
            type_, is_required = _type(annotation)
            if f"{name}.{field}" in QUANTITIES:
                type_ = type_.replace("text", "quantity")
            known[name][field] = type_ + ("!" if is_required else "")
            waiting += re.findall(r"[A-Z]\w+", type_)
    return dict(sorted(known.items()))


def _fields(node: ast.ClassDef) -> list[tuple[str, ast.expr]]:
    """Name in the API's spelling and annotation of each field of a class of arguments."""
    fields: list[tuple[str, ast.expr]] = []
    for item in node.body:
        if not isinstance(item, ast.FunctionDef) or item.returns is None:
            continue
        for decorator in map(ast.unparse, item.decorator_list):
            if decorator.startswith("pulumi.getter"):
                named = re.search(r"name='(\w+)'", decorator)
                fields.append((named[1] if named else item.name, item.returns))
    return fields


def _type(node: ast.expr) -> tuple[str, bool]:
    """The type of an annotation, and whether the field is required."""
    if isinstance(node, ast.Constant):
        node = ast.parse(str(node.value), mode="eval").body
    if not isinstance(node, ast.Subscript):
        name = ast.unparse(node).rpartition(".")[2]
        return _BASIC.get(name, name.removesuffix("Args")), True
    kind = ast.unparse(node.value).rpartition(".")[2]
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    type_, is_required = _type(inner[-1])
    if kind == "Optional":
        return type_, False
    if kind == "Union":
        return "int-or-text", True
    if kind == "Sequence":
        return f"[{type_}]", True
    if kind == "Mapping":
        return f"{{{type_}}}", True
    return type_, is_required


def document() -> dict[str, Any]:
    """What the file holds."""
    version = importlib.metadata.version("pulumi-kubernetes")
    return {"source": f"pulumi-kubernetes {version}", "types": types()}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TARGET.name}")
