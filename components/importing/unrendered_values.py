"""Leaves of values that are no values yet: another program has to put in, or decrypt, what they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from components.importing.assembly import Assembly
from components.importing.chart_values import Layer, Path, dotted
from components.importing.installation import Origin
from components.importing.key_tree import canonical_steps, is_sensitive
from components.importing.substitution import UNRESOLVED

#: Blocks of the chart's values that are Kestra's configuration.
_CONFIGURATION: tuple[Path, ...] = (
    ("configurations", "application"),
    ("configuration",),
    ("secrets",),
)
#: Keys that data is bound to: to leave one out would make a new one.
_BOUND = (
    ("kestra", "encryption", "secret-key"),
    ("kestra", "secret", "jdbc", "secret"),
    ("kestra", "secret", "elasticsearch", "secret"),
)
_SOPS = re.compile(r"ENC\[[A-Z0-9_]+,data:")
#: `<path:secret/data/kestra#password>` of Argo CD's Vault plugin.
_VAULT_PLUGIN = re.compile(r"<path:[^>]*>")
#: `ref+vault://…` of helmfile and helm-secrets.
_VALS = re.compile(r"(secret)?ref\+[a-z0-9]+://")
_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def without_unrendered(layer: Layer, assembly: Assembly, *, is_templated: bool = False) -> Layer:
    """The layer without the leaves that hold no value; each is noted.

    Args:
        layer: of a release's values.
        assembly: where the notes go.
        is_templated: whether `{{ … }}` is another program's in all of the values.
    """
    values = _clean(layer.values, (), layer, assembly, is_templated)
    singles = tuple(
        (path, value)
        for path, value in layer.singles
        if not (isinstance(value, str) and _why(value, is_templated))
        or _taken_out(value, tuple(path.split(".")), layer, assembly, is_templated) is not None
    )
    return Layer(layer.file, layer.place, values or {}, singles)


def _clean(node: Any, path: Path, layer: Layer, assembly: Assembly, is_templated: bool) -> Any:
    if isinstance(node, Mapping):
        result = {}
        for key, item in node.items():
            if not path and key == "sops":
                continue
            value = _clean(item, (*path, str(key)), layer, assembly, is_templated)
            if value is not None or item is None:
                result[key] = value
        return result
    if isinstance(node, list):
        items = [
            _clean(item, (*path, i), layer, assembly, is_templated) for i, item in enumerate(node)
        ]
        return [item for item in items if item is not None]
    if isinstance(node, str) and _why(node, is_templated):
        return _taken_out(node, path, layer, assembly, is_templated)
    return node


def _why(text: str, is_templated: bool) -> tuple[str, str, tuple[str, ...]] | None:
    """Why a text is no value, what to do, and the names of variables in it."""
    if names := tuple(UNRESOLVED.findall(text)):
        why = f"another program (Flux, Terraform) puts {', '.join(names)} in here, and no input gives the value"
        return why, "give the rendered values, or the object with the variables, as an input", names
    if _SOPS.match(text):
        return "its value is encrypted with SOPS", "decrypt the file first (sops --decrypt)", ()
    if _VAULT_PLUGIN.search(text):
        why = "the Vault plugin of Argo CD puts the value in here, and no input has it"
        return why, "", ()
    if _VALS.match(text):
        return "helmfile or helm-secrets fetches the value (vals), and no input has it", "", ()
    if is_templated and _TEMPLATE.search(text):
        return "a template that must be rendered first holds its value", "", ()
    return None


def _taken_out(
    text: str, path: Path, layer: Layer, assembly: Assembly, is_templated: bool
) -> str | None:
    """Notes a leaf that holds no value. A key that data is bound to stays, as a placeholder; others go."""
    reason = _why(text, is_templated)
    assert reason is not None
    why, fix, names = reason
    origin = Origin(layer.file, ".".join((layer.place, dotted(path))).strip("."))
    key = _configuration_key(path)
    if key is None:
        assembly.note("not carried", dotted(path), why, fix, origin)
        return None
    words = ".".join(str(step) for step in key)
    option = "--secret " if is_sensitive(key) else ""
    command = f"pulumi config set --path {option}'kestra:{words.removeprefix('kestra.')}'"
    assembly.note("not carried", words, f"{why}; it must be set", command, origin)
    if key in _BOUND:
        return f"${{{names[0] if len(names) == 1 else 'OLD_' + _variable(key)}}}"
    return None


def _variable(key: Path) -> str:
    return "_".join(str(step) for step in key[1:]).replace("-", "_").upper()


def _configuration_key(path: Path) -> Path | None:
    """The key of Kestra's that a leaf of the values is; None where it is none."""
    for prefix in _CONFIGURATION:
        if path[: len(prefix)] != prefix or len(path) == len(prefix):
            continue
        key: Path = ()
        for step in path[len(prefix) :]:
            key += canonical_steps(key, step) if isinstance(step, str) else (step,)
        return key
    return None
