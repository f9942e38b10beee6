"""Every key that the settings have, read from the models, and values that fit it: new keys come by themselves."""

from __future__ import annotations

import re
import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from hypothesis import strategies as st
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

from components.settings import Settings, base, networks
from components.settings.base import Model
from components.settings.durations import DurationForm
from components.settings.pods import KubernetesType
from components.validation.kubernetes_objects import types as types_of_kubernetes
from components.validation.schema import models_in

#: Every value that is given for a sensitive key holds this; nothing that people read may.
PLANTED = "plantedZqValue9"

Path = tuple[str, ...]
NAME = "NAME"
"""Stands in a path for a name that the user chooses."""


@dataclass(frozen=True)
class Key:
    """One key of the settings."""

    path: Path
    field: FieldInfo
    block: type[Model] | None
    """The model of the block under it."""
    blocks: type[Model] | None
    """The model of the blocks under its names."""

    @property
    def is_leaf(self) -> bool:
        return self.block is None and self.blocks is None

    @property
    def is_secret(self) -> bool:
        return _is_secret(self.field.annotation)

    def __str__(self) -> str:
        return ".".join(self.path)


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


@cache
def keys(model: type[Model] = Settings, path: Path = ()) -> tuple[Key, ...]:
    """All keys below a model, blocks before what they hold."""
    found: list[Key] = []
    for name, field in model.model_fields.items():
        at = (*path, field.alias or name)
        one, many = models_in(field.annotation)
        found.append(Key(at, field, one, many))
        found += keys(one, at) if one else ()
        found += keys(many, (*at, NAME)) if many else ()
    return tuple(found)


LEAVES = tuple(k for k in keys() if k.is_leaf)
SECRETS = tuple(k for k in keys() if k.is_secret)

#: Text that YAML, Micronaut, Pebble, a shell, a terminal or a cloud may take for something else.
HOSTILE = (
    "", " ", "x y", "'", '"', "it's \"so\"", "\\", "}", "{{ secret('X') }}", "{% raw %}", "a}b${c", "${", "$${X}",
    "${X:`y`}", "${kestra.url}", "${random.uuid}", "`", "#{1+1}", "a: b", "a #b", "- a", "? a", "&a", "*a", "!!set",
    "%a", "@a", "|", ">", "{a: b}", "[a]", "<<", "=", "~", "null", "yes", "off", "1e3", ".5e3", "0x10", "0o17", "010",
    "1_000", "1:30", ".inf", ".nan", "NaN", "-0", "+1", "2001-01-01", "2001-01-01T00:00:00Z", "9" * 400,
    "a\nserver: {basic-auth: {username: x@y.z}}", "\nkestra:\n  url: x", "a\r\nb", "\ta", "a\t", " a ", "a\n", "\n",
    "\n\n a", "a\u2028b", "a\x85b", "\ufeffa", "\u200ba\u200b", "\u202eabc\u202c", "e\u0301", "\u05d0\u05d1",
    "\U0001f600", "\x1b[31m", "\x7f", "\x01", "\ufffe", "---", "...", "--- a", "é" * 50, "x" * 5000, "../../etc/passwd",
    "$(id)", "; rm", "a,b", "a=b",
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from([t for t in HOSTILE if t]),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True),
)
DURATIONS = ("500ms", "1s", "45s", "2m", "24h", "7d", "PT1M30S", "P30D", "PT0.5S", "720h", "1h")
_NETWORKS = ("10.0.0.0/8", "0.0.0.0/0", "::/0", "192.168.1.1/24", "fd00::/8")
#: Values of keys whose form only a check knows.
_FORMED: dict[str, st.SearchStrategy[Any]] = {
    "endpoints.health.disk-space.threshold": st.sampled_from([0, 10485760, "10MB", "1gb"]),
    "encryption.secret-key": st.sampled_from([f"{PLANTED}{'A' * 28}=", f"{'z' * 27}{PLANTED}Q="]),
    "server.basic-auth.username": st.sampled_from(["a@b.c", "admin@kestra.io", "o'x{y}|z@h-.i"]),
    "server.basic-auth.open-urls": st.lists(
        st.one_of(
            st.sampled_from(["/a/", "/api/v1/main/executions/webhook/", "/${x}", "/#", "/%00"]),
            TEXTS.map(lambda t: f"/x{t}"),
        ),
        max_size=3,
    ),
    "datasources.NAME.url": st.one_of(
        st.sampled_from(
            ["jdbc:h2:mem:x", "jdbc:postgresql://db:5432/kestra", "${DB_URL}", "${DB_URL:jdbc:h2:mem:y}"]
        ),
        st.sampled_from(
            [f"jdbc:postgresql://db/k?user=k&password={PLANTED}", f"jdbc:mysql://k:{PLANTED}@db/k",
             f"jdbc:mysql://db/k?trustCertificateKeyStorePassword={PLANTED}",
             f"jdbc:mysql://address=(host=db)(user=k)(password={PLANTED})/k",
             f"jdbc:mysql://(host=db,user=k,password={PLANTED})/k", f"jdbc:h2:mem:x;PASSWORD={PLANTED}",
             f"jdbc:postgresql://db/k?ssl=true&sslpassword={PLANTED}#{{x}}"]
        ),
    ),
    "deployment.environment": st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True), TEXTS, max_size=3
    ),
    "security.default-role.permissions": st.dictionaries(
        st.sampled_from(["FLOW", "EXECUTION", "SETTING", "AUDITLOG", "USER", "GROUP", "SECRET"]),
        st.lists(st.sampled_from(["CREATE", "READ", "UPDATE", "DELETE"]), min_size=1, max_size=4, unique=True),
        min_size=1,
        max_size=4,
    ),
    "security.basic-auth.password-regexp": st.sampled_from([r"^(?=.*\d).{12,}$", "[a-z]++", ".*"]),
    "deployment.image.tag": st.sampled_from(["v1.3.31", "v2.0.0", "kestra-1"]),
    "store.aws.kms.administrators": st.lists(
        st.sampled_from(["arn:aws:iam::111122223333:role/admin", "arn:aws:iam::111122223333:root"]), max_size=2
    ),
    "store.azure.allowed-addresses": st.lists(st.sampled_from(["203.0.114.0/24", "8.8.8.8"]), max_size=2),
    "store.gcp.regions": st.lists(st.sampled_from(["europe-west1", "us-central1"]), max_size=2, unique=True),
    "declared-secrets.NAME.expires": st.sampled_from(["2027-01-31T00:00:00Z", "2030-12-31T23:59:59Z"]),
}  # fmt: skip
#: Names of a mapping of blocks.
NAMES = {
    "datasources": ("h2", "postgres", "mysql"),
    "declared-secrets": ("API_KEY", "DB_PASSWORD", "x", "A1"),
    "worker-groups": ("gpu", "a-b", "x1"),
    "teams": ("billing", "a-b", "x1"),
}


def secrets() -> st.SearchStrategy[str]:
    """Secret values, each with the planted word; most satisfy the rules for passwords."""
    return st.one_of(
        st.just(PLANTED),
        st.sampled_from(
            ["${", "}", "${X:", "{{", "'", '"', "\\", "\U0001f600", "\t", "#", " "]
        ).map(lambda t: f"{t}{PLANTED}{t}"),
        st.just(f"{PLANTED}{'x' * 40}"),
        st.just(f"${{VARIABLE:{PLANTED}}}"),
    )


def values(key: Key) -> st.SearchStrategy[Any]:
    """Values that fit a leaf, as far as its type says."""
    if key.path not in _MADE:
        _MADE[key.path] = _values(key)
    return _MADE[key.path]


_MADE: dict[Path, st.SearchStrategy[Any]] = {}


def _values(key: Key) -> st.SearchStrategy[Any]:
    path = str(key)
    for form, made in _FORMED.items():
        if path == form or path == f"store.also.{form}":
            return made
    return _of(key.field.annotation, tuple(key.field.metadata))


def _of(annotation: Any, limits: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    origin, parts = get_origin(annotation), get_args(annotation)
    if (mark := next((m for m in limits if isinstance(m, KubernetesType)), None)) is not None:
        return kubernetes_objects(mark.name)
    if origin is typing.Annotated:
        return _of(parts[0], (*limits, *parts[1:]))
    if origin in (Union, types.UnionType):
        (part,) = (p for p in parts if p is not type(None))
        return _of(part, limits)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(_of(parts[0], ()), max_size=3)
    if origin is dict:
        names = st.sampled_from(["a", "team", "cost-centre", "ns_1"])
        least = _limit(limits, annotated_types.MinLen, "min_length", 0)
        return st.dictionaries(
            names, st.one_of(_plain(), _of(parts[1], ())), min_size=least, max_size=3
        )
    if annotation is SecretStr:
        return secrets()
    if annotation is bool:
        return st.sampled_from([True, False, "true", "false"])
    if annotation is int:
        low = _limit(limits, annotated_types.Ge, "ge", 0)
        high = _limit(limits, annotated_types.Le, "le", base.LARGEST)
        number = st.sampled_from([low, high]) | st.integers(low, high)
        return number | number.map(str)
    return _text(limits)


#: Texts of fields that few texts fit.
_FITTING = {
    "name": ("a", "certs", "A_B"), "secretName": ("a",), "claimName": ("a",), "key": ("a", "b.c"), "image": ("a:1",),
    "mountPath": ("/a", "/app/certs"), "operator": ("Exists", "Equal", "In"), "effect": ("NoSchedule", "NoExecute"),
    "whenUnsatisfiable": ("DoNotSchedule",), "ip": ("10.0.0.1",), "fieldPath": ("metadata.name",),
    "resource": ("limits.cpu",), "path": ("a/b",), "type": ("RuntimeDefault",), "prefix": ("A_",),
}  # fmt: skip


@cache
def kubernetes_objects(type_: str, depth: int = 0) -> st.SearchStrategy[Any]:
    """Objects of a type of Kubernetes, most of whose values fit."""
    if type_ not in types_of_kubernetes():
        return _kubernetes_scalar(type_, "", depth)
    fields = types_of_kubernetes()[type_]
    needed = {n: t for n, t in fields.items() if t.endswith("!") or n in ("name", "secretName")}
    others = {n: t for n, t in fields.items() if n not in needed} if depth < 5 else {}
    least = st.fixed_dictionaries(
        {n: _kubernetes_scalar(t.removesuffix("!"), n, depth + 1) for n, t in needed.items()}
    )
    if not others:
        return least
    # Few fields at a time: two kinds of a volume are one too many.
    extra = st.sampled_from(sorted(others)).flatmap(
        lambda n: st.builds(lambda v: {n: v}, _kubernetes_scalar(others[n], n, depth + 1))
    )
    return st.builds(lambda first, second: first | second, least, extra)


def _kubernetes_scalar(type_: str, field: str, depth: int) -> st.SearchStrategy[Any]:
    if type_.startswith("["):
        return st.lists(_kubernetes_scalar(type_[1:-1], field, depth), max_size=2)
    if type_.startswith("{"):
        return st.dictionaries(_plain(), _kubernetes_scalar(type_[1:-1], field, depth), max_size=2)
    if type_ in types_of_kubernetes():
        return st.deferred(lambda: kubernetes_objects(type_, depth))
    match type_:
        case "flag":
            return st.booleans()
        case "int" | "number" | "int-or-text":
            return st.sampled_from([0, 1, 80, 0o440, 10**9])
        case "quantity":
            return st.sampled_from(["1Gi", "500m", 1, "x"])
    return st.sampled_from(_FITTING.get(field, ("a", "b c", ""))) | TEXTS


def _plain() -> st.SearchStrategy[Any]:
    return st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


def _text(limits: tuple[Any, ...]) -> st.SearchStrategy[str]:
    calls = {m.func for m in limits if isinstance(m, (AfterValidator, BeforeValidator))}
    if any(isinstance(getattr(call, "__self__", None), DurationForm) for call in calls):
        return st.sampled_from(DURATIONS)
    if networks._network in calls:
        return st.sampled_from(_NETWORKS)
    pattern = next((p for m in limits if (p := getattr(m, "pattern", None))), None)
    most = _limit(limits, annotated_types.MaxLen, "max_length", 10_000)
    least = _limit(limits, annotated_types.MinLen, "min_length", 0)
    if pattern is not None:
        # Anything after an end that the pattern leaves open.
        text: st.SearchStrategy[Any] = st.from_regex(
            re.compile(pattern), fullmatch=pattern.endswith("$")
        )
        ascii_: st.SearchStrategy[Any] = st.from_regex(
            re.compile(pattern, re.ASCII),
            fullmatch=True,
            alphabet=st.characters(min_codepoint=32, max_codepoint=126),
        )
        return st.one_of(ascii_, text).filter(lambda t: least <= len(t) <= most and "\0" not in t)
    return st.one_of(TEXTS, _plain()).map(lambda t: t[:most]).filter(lambda t: len(t) >= least)


def _limit(limits: tuple[Any, ...], kind: type, name: str, default: int) -> int:
    return next((getattr(m, name) for m in limits if isinstance(m, kind)), default)
