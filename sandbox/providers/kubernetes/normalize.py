"""Inputs in the form in which the API server gives them back, and live objects cut to their shape.

Without it every refresh would show differences that are none: ``stringData`` that came back as
``data``, ``1000m`` that came back as ``1``, fields that the server filled in.
"""

from __future__ import annotations

import base64
import binascii
import copy
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.providers.runtime.values import has_unknown

READ_ONLY_METADATA = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
_BUILT_IN_GROUPS = frozenset({"", "apps", "batch", "autoscaling", "policy", "extensions"})
_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d+|[a-zA-Z]*)$")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {
    "n": -3,
    "u": -2,
    "m": -1,
    "": 0,
    "k": 1,
    "M": 2,
    "G": 3,
    "T": 4,
    "P": 5,
    "E": 6,
}
_QUANTITY_MAPS = frozenset(
    {
        "limits",
        "requests",
        "hard",
        "capacity",
        "overhead",
        "default",
        "defaultRequest",
        "max",
        "min",
    }
)


def canonical_quantity(quantity: Any) -> Any:
    """A resource quantity as the server writes it: ``1000m`` -> ``1``, ``1024Mi`` -> ``1Gi``.

    What is no quantity is given back unchanged (the server refuses it with its own message).
    """
    if isinstance(quantity, bool) or not isinstance(quantity, str | int | float):
        return quantity
    match = _QUANTITY.match(str(quantity))
    if match is None:
        return quantity
    number, suffix = Decimal(match[1]), match[2]
    if suffix in _BINARY:
        value = number * 1024 ** _BINARY[suffix]
        return _binary(value) if value >= 1024 else _decimal(value)
    if suffix in _DECIMAL:
        return _decimal(number.scaleb(3 * _DECIMAL[suffix]))
    if suffix[:1] in "eE" and suffix[1:]:
        power = int(suffix[1:])
        return _decimal(number.scaleb(power)) if power % 3 else str(quantity)
    return quantity


def _binary(value: Decimal) -> str:
    if value != value.to_integral_value():
        return _decimal(value)
    whole = int(value)
    for suffix, power in reversed(_BINARY.items()):
        if whole and whole % 1024**power == 0:
            return f"{whole // 1024**power}{suffix}"
    return str(whole)


def _decimal(value: Decimal) -> str:
    if value == 0:
        return "0"
    for suffix, power in reversed(_DECIMAL.items()):
        scaled = value.scaleb(-3 * power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return f"{int(value.scaleb(9).to_integral_value(rounding='ROUND_UP'))}n"


def is_built_in(manifest: Mapping[str, Any]) -> bool:
    """Whether the kind is one of Kubernetes' own (custom resources are left as they are)."""
    group, slash, _ = str(manifest.get("apiVersion", "")).rpartition("/")
    name = group if slash else ""
    return name in _BUILT_IN_GROUPS or name.endswith(".k8s.io")


def normalize(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in the server's form; without read-only metadata. Unknown parts keep it as written."""
    result: dict[str, Any] = copy.deepcopy(dict(manifest))
    if not has_unknown(result) and is_built_in(result):
        if result.get("kind") == "Secret":
            _secret(result)
        elif result.get("kind") != "CustomResourceDefinition":
            result = {
                key: value if key in ("data", "binaryData", "metadata") else _quantities(value)
                for key, value in result.items()
            }
    if result.get("kind") == "CustomResourceDefinition":
        result.pop("status", None)
        spec = result.get("spec")
        if isinstance(spec, dict) and spec.get("preserveUnknownFields") is False:
            del spec["preserveUnknownFields"]
    meta = result.get("metadata")
    if isinstance(meta, dict):
        for key in READ_ONLY_METADATA:
            meta.pop(key, None)
    return result


def _secret(manifest: dict[str, Any]) -> None:
    data = dict(manifest.get("data") or {})
    plain = manifest.get("stringData")
    if isinstance(plain, dict) and plain:
        for key, value in plain.items():
            data[key] = base64.b64encode(str(value).encode()).decode()
        del manifest["stringData"]
    else:
        for key, value in data.items():
            if isinstance(value, str):
                try:
                    data[key] = base64.b64encode(base64.b64decode(value)).decode()
                except (binascii.Error, ValueError):
                    continue  # the server refuses it with its own message
    if data or "data" in manifest:
        manifest["data"] = data


def _quantities(value: Any) -> Any:
    if isinstance(value, list):
        return [_quantities(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for key, item in value.items():
        if key in _QUANTITY_MAPS and isinstance(item, dict):
            result[key] = {name: canonical_quantity(amount) for name, amount in item.items()}
        elif key in ("sizeLimit", "divisor"):
            result[key] = canonical_quantity(item)
        else:
            result[key] = _quantities(item)
    return result


def prune(live: Mapping[str, Any], shape: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a live object that the inputs speak of.

    Lists are compared by position; a list that grew is cut to the length that the inputs have.
    """
    result: dict[str, Any] = {}
    for key, value in live.items():
        if key not in shape:
            continue
        desired = shape[key]
        if isinstance(value, dict) and isinstance(desired, Mapping):
            result[key] = prune(value, desired)
        elif isinstance(value, list) and isinstance(desired, list):
            result[key] = _prune_list(value, desired)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _prune_list(live: list[Any], shape: list[Any]) -> list[Any]:
    if not live or not shape:
        return []
    if type(live[0]) is not type(shape[0]):
        return copy.deepcopy(live)
    result: list[Any] = []
    for value, desired in zip(live, shape, strict=False):
        if isinstance(value, dict) and isinstance(desired, dict):
            result.append(prune(value, desired))
        elif isinstance(value, list) and isinstance(desired, list):
            result.append(_prune_list(value, desired))
        else:
            result.append(copy.deepcopy(value))
    return result
