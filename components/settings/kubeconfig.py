"""The text of a kubeconfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import yaml
from pydantic import AfterValidator, SecretStr

from .base import OPAQUE
from .findings import invalid_setting

_PARTS = ("clusters", "contexts", "users")


def _kubeconfig(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text == OPAQUE:
        return value
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping) or not all(document.get(part) for part in _PARTS):
        raise invalid_setting(
            "is no kubeconfig",
            "this key takes the text of one, with clusters, contexts and users; Pulumi and kubectl read it as it is",
            "write what `kubectl config view --raw --minify` prints; a file's path stands under kubernetes:kubeconfig",
        )
    return value


Kubeconfig = Annotated[SecretStr, AfterValidator(_kubeconfig)]
"""The text of a kubeconfig, YAML or JSON; a secret."""
