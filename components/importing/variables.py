"""The variables of Kestra's containers: declared secrets, options of Java, variables of the deployment."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from .conversion import Conversion
from .draft import Place, Value, as_values
from .installation import Variable
from .placeholders import PLACEHOLDER, Resolution
from .secret_values import holds_secret, is_secret

_JAVA = "JAVA_OPTS"


def convert(c: Conversion, resolution: Resolution) -> None:
    """Writes each variable where it belongs; what cannot be kept is reported."""
    _declared(c)
    moved: list[str] = []
    nameless: list[str] = []
    needless: list[str] = []
    empty: list[str] = []
    named = _named(c)
    for name, variable in c.installation.environment.items():
        if name.startswith("SECRET_"):
            continue
        if variable.value_from is not None:
            _reference(c, name, variable)
        elif variable.value is None:
            nameless.append(name)
        elif variable.references:
            _composed(c, name, variable)
        elif name == _JAVA:
            _java_variable(c, variable)
        elif name in named or name.startswith("ENV_"):
            _literal(c, name, variable)
        elif not variable.value:
            empty.append(name)
        elif name.startswith("COMPOSE_") or (
            name in c.installation.interpolated and name not in resolution.consumed
        ):
            needless.append(name)
        elif name in resolution.consumed and is_secret(_place(name), variable.value):
            moved.append(name)
        else:
            _literal(c, name, variable)
    if moved:
        c.note(
            "changed",
            ", ".join(moved),
            "secrets that settings named; the settings have them, and the pods have no variables of these names",
        )
    if needless:
        c.note(
            "changed",
            ", ".join(needless),
            "variables of compose itself, or whose values compose put into other settings, which are carried; as "
            "variables of the pods they are not",
            "set kestra:deployment.environment for those that tasks read as variables",
        )
    if empty:
        c.note(
            "changed",
            ", ".join(empty),
            "empty, which is as good as absent; left out",
            "set kestra:deployment.environment where a task needs the empty variable",
        )
    if nameless:
        c.note(
            "not carried",
            ", ".join(nameless),
            "the inputs name these variables without a value of their own",
            'placeholders that need one are named under "to set"',
        )
    _sources(c)
    _java_secrets(c)


def _named(c: Conversion) -> set[str]:
    """Variables that placeholders of the draft still name."""
    texts = [value.value for _, value in c.draft.leaves() if isinstance(value.value, str)]
    return {match[1] for text in texts for match in PLACEHOLDER.finditer(text)}


def _place(name: str) -> Place:
    return ("deployment", "environment", name)


def _literal(c: Conversion, name: str, variable: Variable) -> None:
    value = Value(str(variable.value), variable.origin)
    if variable.component and not is_secret(_place(name), str(variable.value)):
        _append(
            c,
            ("deployment", "components", variable.component, "extra-env"),
            {"name": Value(name, variable.origin), "value": value},
        )
        return
    if variable.component:
        c.note(
            "changed",
            name,
            f"a secret that only {variable.component} had; encrypted variables go to all components",
        )
    c.draft.put(_place(name), value)


def _reference(c: Conversion, name: str, variable: Variable) -> None:
    base: Place = ("deployment",)
    if variable.component:
        base = ("deployment", "components", variable.component)
    entry = {
        "name": Value(name, variable.origin),
        "valueFrom": as_values(dict(variable.value_from or {}), variable.origin),
    }
    _append(c, (*base, "extra-env"), entry)


def _composed(c: Conversion, name: str, variable: Variable) -> None:
    """A value into which Kubernetes puts other variables: in Kubernetes' own form."""
    text = re.sub(
        r"\$\{(\w+)\}",
        lambda m: f"$({m[1]})" if m[1] in variable.references else m[0],
        str(variable.value),
    )
    base: Place = ("deployment",)
    if variable.component:
        base = ("deployment", "components", variable.component)
    entry = {"name": Value(name, variable.origin), "value": Value(text, variable.origin)}
    _append(c, (*base, "extra-env"), entry)


def _append(c: Conversion, place: Place, entry: Any) -> None:
    there = c.draft.at(*place)
    if isinstance(there, list):
        there.append(entry)
    else:
        c.draft.put(place, [entry])


def _sources(c: Conversion) -> None:
    """`envFrom`: Secrets without a prefix have a setting of their own."""
    names = c.draft.at("deployment", "environment-from") or []
    names = list(names) if isinstance(names, list) else []
    for entry in c.installation.extra_env_from:
        secret = entry.get("secretRef")
        secret = secret if isinstance(secret, dict) else {}
        name = secret.get("name")
        if name and not entry.get("prefix") and not secret.get("optional"):
            names.append(Value(str(name), comment="envFrom of the inputs"))
        else:
            _append(
                c,
                ("deployment", "extra-env-from"),
                as_values(entry, comment="envFrom of the inputs"),
            )
    unique: dict[str, Value] = {}
    for value in names:
        unique.setdefault(str(value.value), value)
    if unique:
        c.draft.put(("deployment", "environment-from"), list(unique.values()))


def _declared(c: Conversion) -> None:
    """`SECRET_NAME` is base64 of what flows read as `secret('NAME')`."""
    for own, variable in c.installation.declared_secrets.items():
        if variable.value is None:
            _declare(c, own)
        elif variable.value:
            _put_declared(c, own, variable.value, variable)
    wrong: list[str] = []
    for name, variable in c.installation.environment.items():
        if not name.startswith("SECRET_") or variable.value_from is not None:
            continue
        own = name.removeprefix("SECRET_")
        if variable.value is None or "${" in variable.value:
            c.note(
                "not carried",
                name,
                "the inputs have no value for it",
                f"kestra:declared-secrets.{own}.value must be set",
                variable.origin,
            )
            _declare(c, own)
        elif (plain := decoded(variable.value)) is None:
            wrong.append(name)
        elif plain:
            _put_declared(c, own, plain, variable)
    if wrong:
        c.note(
            "not carried",
            ", ".join(wrong),
            "not base64: Kestra logs an error and the secret does not exist",
            "set it anew: pulumi config set --path --secret "
            f"'kestra:declared-secrets.{wrong[0].removeprefix('SECRET_')}.value'",
        )
    _references(c)


def _references(c: Conversion) -> None:
    for name, variable in c.installation.environment.items():
        if name.startswith("SECRET_") and variable.value_from is not None:
            own = name.removeprefix("SECRET_")
            source = variable.value_from.get("secretKeyRef")
            where = f" of the Secret {source.get('name')}" if isinstance(source, dict) else ""
            c.note(
                "not carried",
                name,
                f"comes from a key{where}, whose value no input has; SECRET_ variables are this program's own",
                f"set kestra:declared-secrets.{own}.value to the decoded value",
                variable.origin,
            )
            _declare(c, own)


def _put_declared(c: Conversion, name: str, value: str, variable: Variable) -> None:
    place: Place = ("declared-secrets", name, "value")
    c.draft.put(place, Value(value, variable.origin, is_secret=True))


def _declare(c: Conversion, name: str) -> None:
    c.ask(
        ("declared-secrets", name, "value"),
        "no input has its value",
        secret=True,
    )


def namespaces(c: Conversion) -> None:
    """Says what became of the declared secrets' namespace."""
    names = c.draft.keys("declared-secrets")
    if names and c.draft.text("edition") != "enterprise":
        c.note(
            "changed",
            "SECRET_" + ", SECRET_".join(names),
            f"declared secrets here ({', '.join(names)}), decoded; in open source they belong to no namespace, so "
            "none is written: every flow reads them with secret('NAME')",
        )


def decoded(text: str) -> str | None:
    """What Kestra makes of the value; None for what it drops. It takes line breaks out first, and no more."""
    try:
        packed = re.sub(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", "", text)
        padding = "" if "=" in packed else "=" * (-len(packed) % 4)
        return base64.b64decode(packed + padding, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _java_variable(c: Conversion, variable: Variable) -> None:
    names = [variable.component] if variable.component else running(c)
    for name in names:
        place: Place = ("deployment", "components", name, "java-options")
        own = c.draft.text(*place)
        text = f"{variable.value} {own}" if own else str(variable.value)
        if text.strip():
            c.draft.put(place, Value(text.strip(), variable.origin))


def running(c: Conversion) -> list[str]:
    """The components that the stack deploys."""
    if c.draft.text("deployment", "mode") != "distributed":
        return ["standalone"]
    names = ["webserver", "executor", "scheduler", "indexer", "worker"]
    return [*names, "controller"] if str(c.draft.text("version")) == "2.0" else names


def _java_secrets(c: Conversion) -> None:
    """Java's options stand readable in the pods; with a password among them they are an encrypted variable."""
    options = {
        place: _words(str(value.value))
        for place, value in c.draft.leaves("deployment", "components")
        if place[-1] == "java-options"
    }
    secret = dict.fromkeys(w for words in options.values() for w in words if holds_secret(w))
    if not secret:
        return
    shared = [w for w in next(iter(options.values())) if all(w in ws for ws in options.values())]
    names = ", ".join(re.split(r"[=:]", word)[0].strip("\"'") for word in secret)
    c.note(
        "changed",
        ", ".join(c.draft.name(place) for place in options),
        f"{names}: a password on the command line of Java; Java's options are the encrypted variable JAVA_OPTS of every "
        "component now, beside which there are no others",
        "change the password, since it was readable",
        c.draft.origin(next(iter(options))),
    )
    for place, words in options.items():
        own = [w for w in words if w not in shared and w not in secret]
        if own:
            c.note(
                "not carried",
                c.draft.name(place),
                f"{' '.join(w for w in own if re.fullmatch(r'-[A-Za-z0-9:+=%._-]+', w))}: only this component had them",
                "write them into kestra:deployment.environment.JAVA_OPTS",
            )
        c.draft.remove(*place)
    there = c.draft.text(*_place(_JAVA))
    text = " ".join([*([there] if there else []), *dict.fromkeys([*shared, *secret])])
    value = Value(text, comment="options of Java with a password", is_secret=True)
    c.draft.put(_place(_JAVA), value)


def _words(options: str) -> list[str]:
    return re.findall(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""", options)
