"""`python -m policy.reference`: writes docs/policies.md from the controls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from policy import controls
from policy.core.levels import ENVIRONMENTS, LEVELS, level
from policy.core.model import Control
from policy.core.options import NAME, SCHEMA, Exemption, Options

TARGET = Path(__file__).parents[1] / "docs" / "policies.md"

_TITLES = {
    "secret-stores": "Secret stores",
    "keys": "Keys",
    "identity": "Identity",
    "kubernetes": "Kubernetes",
    "kestra": "Kestra",
    "vault": "Vault",
    "conventions": "Conventions",
}

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

INTRODUCTION = f"""# Policy

Written from the controls by `python -m policy.reference`; do not edit.

The pack in `policy/` judges every preview and update of a stack: {{count}} controls on the resources of AWS,
Azure, Google Cloud, Vault and Kubernetes, and on the configuration that Kestra has in the end. It looks at
resources, not at this project's components, so it judges other people's Kestra stacks as well.

## Use

    make venv
    pulumi preview --policy-pack policy
    pulumi up --policy-pack policy --policy-pack-config policy.json

The pack runs with the packages of `.venv` beside it (`PulumiPolicy.yaml` says so); it needs pulumi,
pulumi-policy, PyYAML and packaging. A rule for whole stacks is judged when the whole stack is known, which at an update is
when everything has been made: `pulumi up` previews first and so refuses in time; with `--skip-preview`, and
with the Automation API, preview yourself.

A value that is not known at preview is never a violation: the control says that it cannot be decided before the
update, and decides then. Messages hold no secret value.

A value that the stack does not hold (a Secret that something else made, a file of the image) is no violation
either: the control says what it lacks.

## Which configuration is judged

Each container that runs a Kestra server is judged by its own configuration, and so is each component of the
official chart. A container is Kestra's by its image's repository (`…/kestra`, `…/kestra-ee`), its command
(`/app/kestra`, `kestra server`), its name (`kestra`), or its variables (`KESTRA_CONFIGURATION`, or `server` with a
component and another variable `KESTRA_…`); init and side containers of other images are judged as containers, not as
Kestra. Later sources win over earlier ones:

1. the files of `MICRONAUT_CONFIG_FILES`, a later one over an earlier one, then those of
   `-Dmicronaut.config.files`. Files are looked up in the ConfigMaps and Secrets that the pod mounts, or copies
   with `cp`. A `KESTRA_CONFIGURATION` that is not empty takes the place of `MICRONAUT_CONFIG_FILES`;
2. environment variables that are named as settings (`KESTRA_SERVER_BASIC_AUTH_PASSWORD`): `envFrom` in its order,
   then `env`, with `$(NAME)` expanded. `KEY_0` replaces one entry of a list;
3. `-D` options in `JAVA_TOOL_OPTIONS`, `JDK_JAVA_OPTIONS`, `JAVA_OPTS`, `_JAVA_OPTIONS` and the command;
4. the file of `--config`. That it is above variables is read in the source of Kestra's command line, which the
   artifacts do not include, and was not run; that such properties are above variables and `-D` options was run
   with their Micronaut (4.10.20).

`${{NAME}}` and `${{NAME:default}}` are resolved where the container's variables are known. A variable that refers to a
Secret counts as given, whatever its value. Where nothing that the stack shows gives a setting, but a source that
it does not show may, the control cannot decide. A value that is seen counts, even if an unseen source might
replace it. A ConfigMap or Secret with a document of Kestra's (a first-level key `kestra`) that no server of the
stack refers to is judged by itself.

## Environment and levels

The environment of a stack is the first of these that says one: the setting `kestra-policy:environment`, the tag
of this project's settings (`kestra:tags.environment`), a word of the stack's name (`kestra-prod`, `dev.eu`). A
stack that says nothing is production.

{{levels}}
`remediate` mends what is harmless to mend (rotation of keys, tags that the pack knows) and is mandatory for the
rest. A level can be changed for one control in the configuration, or for `all`.

## Configuration

A JSON file, with this pack's options under `{NAME}` and levels under the controls:

```json
{json.dumps(_EXAMPLE, indent=2)}
```

{{options}}
An exemption needs a control, a resource (its name or URN, `*` for any part of it), a reason, an owner and the last
day. One that lacks any of them, has expired, or is for every resource excuses nothing and is a violation itself
(`ks-conventions-02`). Exemptions in force are reported at every run (`ks-conventions-03`).

## Controls

Rules of published standards have other numbers in other versions; both are given.
"""


def reference() -> str:
    """The reference as Markdown."""
    head = (
        INTRODUCTION.replace("{count}", str(len(controls.ALL)))
        .replace("{levels}", "".join(_levels()))
        .replace("{options}", "".join(_options()))
    )
    return head + "".join(_area(area) for area in controls.AREAS)


def _levels() -> Iterator[str]:
    yield "| environment | level | of what can be mended |\n|---|---|---|\n"
    for environment in ENVIRONMENTS:
        plain, mending = LEVELS[environment]
        yield f"| {environment} | {plain} | {mending} |\n"


def _options() -> Iterator[str]:
    yield "| option | default | meaning |\n|---|---|---|\n"
    defaults = Options()
    for name, entry in SCHEMA.items():
        field = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        value = getattr(defaults, field)
        told = ", ".join(value) if isinstance(value, (tuple, list, dict)) else f"{value}".lower()
        meaning = entry["description"]
        if name == "exemptions":
            meaning += f": {', '.join(Exemption.__dataclass_fields__)}"
        yield f"| `{name}` | {told.removesuffix('.0')} | {meaning} |\n"


def _area(area: str) -> str:
    chosen = [c for c in controls.ALL if c.area == area]
    head = f"| id | severity | what | {' | '.join(ENVIRONMENTS)} |\n|---|---|---|---|---|---|\n"
    rows = "".join(
        f"| [{c.id}](#{c.id}) | {c.severity} | {c.title} |"
        f" {' | '.join(level(c, environment) for environment in ENVIRONMENTS)} |\n"
        for c in chosen
    )
    return f"\n### {_TITLES[area]}\n\n{head}{rows}" + "".join(map(_control, chosen))


def _control(control: Control) -> str:
    kind = "whole stacks" if control.is_stack else "resources"
    lines = [
        f"\n#### {control.id}",
        f"\n**{control.title}.** {control.risk}\n",
        *(f"- {step}" for step in control.steps),
        f"- In this project: {control.setting}.",
        f"- Judges {kind}.",
    ]
    if control.frameworks:
        cited: dict[str, list[str]] = {}
        for found in control.frameworks:
            cited.setdefault(f"{found.name} {found.version}", []).append(found.id)
        lines.append("- " + "; ".join(f"{k}: {', '.join(v)}" for k, v in cited.items()) + ".")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
