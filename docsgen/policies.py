"""docs/policies.md, from the controls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from docsgen.templates import render
from policy import controls
from policy.core.levels import ENVIRONMENTS, LEVELS, VARIABLE, level
from policy.core.model import Control
from policy.core.options import NAME, SCHEMA, Exemption, Options

_TITLES = {
    "secret-stores": "Secret stores",
    "keys": "Keys",
    "identity": "Identity",
    "kubernetes": "Kubernetes",
    "kestra": "Kestra",
    "database": "Database",
    "vault": "Vault",
    "external-secrets": "External Secrets",
    "storage": "Storage",
    "task-runner": "Task runner",
    "conventions": "Conventions",
}

_ENGINE = "3.254"
"""The first engine that starts a pack that is a command."""
_EXAMPLE = {
    NAME: {
        "registries": ["registry.example.com/kestra/"],
        "managedElsewhere": ["vault-audit"],
        "exemptions": [
            {
                "control": "ks-kubernetes-07",
                "resource": "kestra-webserver",
                "reason": "trying a release candidate",
                "owner": "platform",
                "expires": "2027-03-31",
            }
        ],
    },
    "ks-kubernetes-09": "advisory",
}


def page() -> str:
    """The reference as Markdown."""
    return render(
        "policies.md.jinja",
        count=len(controls.ALL),
        engine=_ENGINE,
        variable=VARIABLE,
        options_key=NAME,
        example=json.dumps(_EXAMPLE, indent=2),
        environments=ENVIRONMENTS,
        levels=LEVELS,
        options=option_rows(),
        areas=[(_TITLES[a], [c for c in controls.ALL if c.area == a]) for a in controls.AREAS],
        level_row=lambda control: " | ".join(level(control, e) for e in ENVIRONMENTS),
        cited=_cited,
    )


def option_rows() -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and meaning of the pack's options."""
    defaults = Options()
    for name, entry in SCHEMA.items():
        field = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        value = getattr(defaults, field)
        text = ", ".join(value) if isinstance(value, (tuple, list, dict)) else f"{value}".lower()
        meaning = entry["description"]
        if name == "exemptions":
            meaning += f": {', '.join(Exemption.__dataclass_fields__)}"
        yield name, _type(entry), text.removesuffix(".0"), meaning


def _type(schema: Mapping[str, Any]) -> str:
    """`list of texts`, `map of texts`, `whole number from 1`, as people say it."""
    kind = schema["type"]
    if kind == "array":
        return "list of entries" if schema["items"]["type"] == "object" else "list of texts"
    if kind == "object":
        return "map of texts"
    return f"whole number from {schema['minimum']}" if kind == "integer" else "true or false"


def _cited(control: Control) -> str:
    """`CIS AWS Foundations Benchmark 6.0: 4.6; …`."""
    cited: dict[str, list[str]] = {}
    for framework in control.frameworks:
        cited.setdefault(f"{framework.name} {framework.version}", []).append(framework.id)
    return "; ".join(f"{standard}: {', '.join(ids)}" for standard, ids in cited.items())
