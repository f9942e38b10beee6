"""Documents grown from the models and mended until they are valid, and documents that are broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st

from components.backends.registry import BACKENDS, all_backends, backend
from components.settings import SettingsError
from components.settings.base import kebab
from components.validation.stack_file import read_file
from tests.configuration.documents_fixtures import EDITIONS, VERSIONS, document
from tests.conftest import ROOT
from tests.faults.hostile_keys_support import (
    HOSTILE,
    LEAVES,
    NAME,
    NAMES,
    PLANTED,
    SECRETS,
    Key,
    Path,
    keys,
    values,
)

Document = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]
Judge = Callable[[Document], SettingsError | None]
_BY_PATH = {key.path: key for key in keys()}
#: Secret manager to the cloud that it belongs to.
CLOUDS = {backend.type: backend.cloud for backend in all_backends() if backend.cloud}
_STORAGES = ("local", "s3", "gcs", "azure", "minio")
_ROUNDS = 8


@cache
def bases() -> tuple[Document, ...]:
    """The stack files, the documents of the goldens, and the least of each edition and secret manager."""
    stacks = [read_file(p) for p in sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))]
    # A value that is encrypted in its file is not known here.
    stacks = [_without_encrypted(s) for s in stacks]
    goldens = [
        document(like, v, e)
        for like in ("staging", "production")
        for v in VERSIONS
        for e in EDITIONS
    ]
    least: list[Document] = [{"server": {"basic-auth": {"username": "admin@kestra.io"}}}] * 6
    managers = [{"edition": "enterprise", "secret": {"type": kind}} for kind in BACKENDS]
    return (*least, *managers, *stacks, *goldens)


def _without_encrypted(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: _without_encrypted(v) for k, v in value.items()}
        return {k: v for k, v in kept.items() if not (isinstance(v, str) and "\0" in v)}
    return value


def grow(draw: Draw, judge: Judge, key: Key | None = None) -> Document:
    """A document with the key, or any, and some others set to values that fit, mended until it is valid or nothing helps.

    Every document on the way is judged: most are broken in one small place.
    """
    made = copied(draw(_BASE))
    chosen = []
    first = st.just(key) if key else _CHOSEN
    for each in draw(first.flatmap(_with_neighbours)):
        _prepare(made, each.path)
        at = _named(draw, each.path)
        _put(made, at, draw(values(each)))
        chosen.append(at)
    return _mended(draw, made, chosen, judge)


def copied(value: Any) -> Any:
    """A copy of plain data."""
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    return [copied(v) for v in value] if isinstance(value, list) else value


def _named(draw: Draw, path: Path) -> Path:
    return tuple(
        draw(st.sampled_from(NAMES[path[i - 1]])) if p == NAME else p for i, p in enumerate(path)
    )


def _put(document: Document, path: Path, value: Any) -> None:
    block = document
    for part in path[:-1]:
        inner = block.get(part)
        if not isinstance(inner, dict):
            block[part] = inner = {}
        block = inner
    block[path[-1]] = value


def _prepare(made: Document, path: Path) -> None:
    """Chooses edition, version and type so that a key has a meaning."""
    at: Path = path[:2] if ".".join(path[:2]) == "store.also" else path[:1]
    rest = path[len(at) :]
    if path[0] in ("secret", "security") or at == ("store", "also"):
        made["edition"] = "enterprise"
        made.get("server", {}).pop("basic-auth", None)
        made.setdefault("secret", {"type": "jdbc"})
    if path[0] == "server" and path[1] == "basic-auth" and made.get("edition") != "enterprise":
        made.pop("secret", None)
    if rest and rest[0] in BACKENDS:
        block: Any = made
        for part in at:
            block = block.get(part) or {}
        if block.get("type") != rest[0]:
            _put(made, at, {"type": rest[0], "read-only": True, rest[0]: {}})
        if backend(rest[0]).since == "2.0":
            made["version"] = "2.0"
        if at == ("store", "also"):
            kind = "vault" if rest[0] != "vault" else "aws-secret-manager"
            made["secret"] = {"type": kind, "read-only": True, kind: {}}
            made["declared-secrets"] = {"API_KEY": {"namespace": "a", "value": PLANTED}}
    if path[0] in ("store", "identity") and path[1] in CLOUDS.values():
        kind = next(k for k, cloud in CLOUDS.items() if cloud == path[1])
        made["edition"] = "enterprise"
        if CLOUDS.get(made.get("secret", {}).get("type")) != path[1]:
            made["secret"] = {"type": kind, "read-only": True, kind: {}}
    if (
        path[0] == "storage"
        and path[1] in _STORAGES
        and made.get("storage", {}).get("type") != path[1]
    ):
        made["storage"] = {"type": path[1], path[1]: {}}
    block_at = ".".join(path[:2])
    third = path[2] if len(path) > 2 else ""
    if block_at == "deployment.worker-groups":
        made["edition"] = "enterprise"
        made.get("server", {}).pop("basic-auth", None)
        made.setdefault("secret", {"type": "jdbc"})
    if block_at in ("deployment.components", "deployment.worker-groups"):
        distributed = third != "standalone"
        _put(made, ("deployment", "mode"), "distributed" if distributed else "standalone")
        if distributed:
            made |= {
                "queue": {"type": "postgres"},
                "repository": {"type": "postgres"},
                "datasources": {"postgres": {"url": "jdbc:postgresql://db/k"}},
                "storage": {"type": "s3", "s3": {"bucket": "kestra"}},
            }
        if third == "controller":
            made["version"] = "2.0"
    if block_at == "security.basic-auth":
        made["version"] = "1.3" if third == "password-regexp" else "2.0"
    if block_at == "deployment.storage-volume":
        made["storage"] = {"type": "local"}


def _mended(draw: Draw, made: Document, chosen: list[Path], judge: Judge) -> Document:
    """Adds what the report misses and takes out what it refuses, the chosen keys last."""
    for round_ in range(_ROUNDS):
        error = judge(made)
        if error is None:
            break
        wrong = [p for p in error.problems if p.severity == "error"]
        places = written(made)
        before, made = made, copied(made)
        for problem in wrong:
            at = places.get(problem.path)
            if at is None:
                _add(draw, made, problem.path)
            elif round_ > 2 or not any(c[: len(at)] == at for c in chosen):
                _take(made, at)
        if made == before:
            for problem in wrong:
                _take(made, places.get(problem.path, ()))
    return made


def _add(draw: Draw, made: Document, path: str) -> None:
    """A value for a key that is missing."""
    parts = tuple(path.removeprefix("kestra:").split("."))
    generic = tuple(NAME if i and parts[i - 1] in NAMES else p for i, p in enumerate(parts))
    key = _BY_PATH.get(generic)
    if key is not None and key.is_leaf:
        _put(made, parts, draw(values(key)))
    elif key is not None:
        _put(made, parts, {})


def _take(made: Any, path: tuple[Any, ...]) -> None:
    block = made
    for part in path[:-1]:
        try:
            block = block[part]
        except (KeyError, IndexError, TypeError):
            return
    if path and isinstance(block, dict):
        block.pop(path[-1], None)
    elif path and isinstance(block, list) and path[-1] < len(block):
        block.pop(path[-1])


def written(document: Mapping[Any, Any]) -> dict[str, tuple[Any, ...]]:
    """The places of a document as a report writes them, to their paths."""
    return {text: path for text, path in _written(document, "", ()) if text}


def _written(value: Any, text: str, path: tuple[Any, ...]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield text, path
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _written(item, f"{text}.{name}" if text else f"kestra:{name}", (*path, name))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _written(item, f"{text}[{i}]", (*path, i))


# What no key takes, or only few do.
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400, 0, -1, 1e308, 0.1]),
    st.floats(),
    st.sampled_from(HOSTILE),
    st.sampled_from(["\0", "a\0b", "\ud800", "\udfff\ud800", "x" * 1_000_000, "${X}", "2.0", "true", "vault", "5s", b"a", ("a",)]),
    st.text(max_size=20),
    st.sampled_from([PLANTED, f"{PLANTED}\n", PLANTED * 50]),
)  # fmt: skip
_NAMES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["secure", "a.b", "x\ny", "\u202e", "\ud800", "é", ""]),
    st.integers() | st.none() | st.booleans(),
)
_NESTED = st.one_of(
    _SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(_NAMES, _SCALARS, max_size=3)
)
WRONG = st.one_of(
    _SCALARS, st.lists(_NESTED, max_size=3), st.dictionaries(_NAMES, _NESTED, max_size=3)
)


def misplaced() -> Iterator[tuple[Key, Any]]:
    """Every sensitive key with the planted value in every form that it does not take."""
    for key in SECRETS:
        for form in (
            [PLANTED], {"x": PLANTED}, {"secure": {"x": PLANTED}}, {"secure": PLANTED},
            [[{"value": PLANTED}]], f"{PLANTED}\0", f"{PLANTED}\ud800", PLANTED * 100_000, f"{PLANTED}\n{PLANTED}",
            f"${{{PLANTED}", PLANTED.encode(), (PLANTED,), {"value": [PLANTED]},
        ):  # fmt: skip
            yield key, form


def only(key: Key, value: Any) -> Document:
    """A document with nothing but one key, under the names that its mappings may have."""
    made: Document = {}
    _put(
        made,
        tuple(NAMES[key.path[i - 1]][0] if p == NAME else p for i, p in enumerate(key.path)),
        value,
    )
    return made


@st.composite
def broken(draw: st.DrawFn) -> Document:
    """A base with keys renamed, doubled, in the wrong place, or with values that they do not take."""
    made = copied(draw(_BASE))
    for key, change in draw(_CHANGES):
        change(draw, made, key, _named(draw, key.path))
    return made


def _value(draw: Draw, made: Document, key: Key, at: Path) -> None:
    _put(made, at, draw(WRONG))


def _fitting(draw: Draw, made: Document, key: Key, at: Path) -> None:
    _put(made, at, draw(values(key)) if key.is_leaf else draw(st.none() | st.just({})))


def _spelling(draw: Draw, made: Document, key: Key, at: Path) -> None:
    name = at[-1]
    words = name.split("-")
    other = draw(
        st.sampled_from(
            [name.upper(), name.title(), "".join([words[0], *(w.title() for w in words[1:])]), name.replace("-", "_"),
             f"{name}\u200b", f" {name}", f"{name}\n", f"\u202e{name}", name[:-1], f"{name}s", name * 3, f"{name}.x"]
        )
    )  # fmt: skip
    value = draw(values(key)) if key.is_leaf else {}
    _put(made, (*at[:-1], other), value)
    if draw(st.booleans()):
        _put(made, at, value)


def _foreign(draw: Draw, made: Document, key: Key, at: Path) -> None:
    """A secret under a key that does not exist, or that is not sensitive."""
    name = draw(
        st.sampled_from(
            ["passwrod", "secret-access-key", "key", "x" * 300, "token", "\u202e", "a\nb"]
        )
    )
    value = draw(st.sampled_from([PLANTED, [PLANTED], {"value": PLANTED}]))
    _put(made, (*at[:-1], name), value)


_BREAKS = (_value, _value, _fitting, _fitting, _spelling, _foreign)


_BASE = st.deferred(lambda: st.sampled_from(bases()))
_CHOSEN = st.sampled_from(LEAVES)


def _with_neighbours(key: Key) -> st.SearchStrategy[list[Key]]:
    """The key with others, mostly of its own block: only those have a meaning together."""
    near = [k for k in LEAVES if k.path[:2] == key.path[:2]]
    others = st.lists(st.sampled_from(near) | st.sampled_from(LEAVES), max_size=5)
    return others.map(lambda found: [*found, key])


_CHANGES = st.lists(
    st.tuples(st.sampled_from(keys()), st.sampled_from(_BREAKS)), min_size=1, max_size=4
)


def canonical(path: str) -> str:
    """A place as a report writes it, in Kestra's spelling."""
    return ".".join(kebab(part) for part in path.removeprefix("kestra:").split("."))
