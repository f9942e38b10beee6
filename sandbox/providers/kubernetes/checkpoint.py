"""What the state keeps of an object: the live object, the inputs, the kind and the manager."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sandbox.providers.runtime.values import Properties, Secret, has_secret, plain

INPUTS = "__inputs"
INITIAL_VERSION = "__initialApiVersion"
MANAGER = "__fieldManager"

_DASHED = {
    name.replace("_", "-"): name
    for name in (
        "x_kubernetes_embedded_resource",
        "x_kubernetes_int_or_string",
        "x_kubernetes_list_map_keys",
        "x_kubernetes_list_type",
        "x_kubernetes_map_type",
        "x_kubernetes_preserve_unknown_fields",
        "x_kubernetes_validations",
    )
}
_UNDERSCORED = {underscored: dashed for dashed, underscored in _DASHED.items()}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


def manifest(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as an object for the API server: no secret marks, no bookkeeping."""
    bare = {key: value for key, value in properties.items() if not key.startswith("__")}
    return _renamed(plain(bare), _UNDERSCORED)


def write(
    inputs: Mapping[str, Any],
    live: Mapping[str, Any],
    news: Mapping[str, Any],
    initial_version: str,
    manager: str,
) -> dict[str, Any]:
    """The state of an object; secret wherever the given inputs are, and all data of a Secret.

    A value that the server derived from a secret ``stringData`` is in ``data`` and secret too.
    """
    outputs = mark_secrets(_renamed(copy.deepcopy(dict(live)), _DASHED), news)
    kept = mark_secrets(_renamed(copy.deepcopy(dict(inputs)), _DASHED), news)
    if live.get("kind") != "Secret" and has_secret(news):
        # kubectl's annotation repeats the whole object in one text.
        annotations = (outputs.get("metadata") or {}).get("annotations")
        key = "kubectl.kubernetes.io/last-applied-configuration"
        if isinstance(annotations, dict) and key in annotations:
            annotations[key] = Secret(annotations[key])
    outputs[INPUTS] = kept
    outputs[INITIAL_VERSION] = initial_version
    outputs[MANAGER] = manager
    return outputs


def read(state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The old inputs and the live object that a state holds."""
    inputs = state.get(INPUTS)
    return manifest(inputs if isinstance(inputs, Mapping) else plain(inputs or {})), manifest(state)


def mark_secrets(outputs: Properties, inputs: Mapping[str, Any]) -> Properties:
    """Outputs with the secretness of the inputs: objects part by part, lists as a whole.

    ``data`` and ``stringData`` of a Secret are secret whatever the inputs say.
    """
    if outputs.get("kind") == "Secret":
        return outputs | {k: _hide(outputs[k]) for k in ("data", "stringData") if k in outputs}
    for key, value in inputs.items():
        output = outputs.get(key)
        if isinstance(output, dict) and isinstance(value, Mapping):
            outputs[key] = mark_secrets(output, value)
        elif key in outputs and has_secret(value):
            outputs[key] = _hide(output)
    return outputs


def _hide(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(plain(value))
