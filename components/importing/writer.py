"""The stack file: settings with comments that say where each value came from."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .draft import Draft, Sealed, Value
from .installation import Origin

_PLAIN = re.compile(
    r"[A-Za-z/][A-Za-z0-9_./@-]*(:[A-Za-z0-9_./@-]+)*|[0-9]+(ms|s|m|h|d|Ki|Mi|Gi|Ti|GB|MB)"
)
#: Words that one of the YAML readers takes for something else than a text.
_WORDS = re.compile(r"(?i)true|false|yes|no|on|off|null|y|n|nan|inf|~")
_WIDTH = 1 << 30


def text_of(
    draft: Draft,
    header: Mapping[str, str],
    sources: Sequence[str],
    redact: Callable[[str], str],
    where: Callable[[Origin | None], str] = lambda origin: str(origin or ""),
) -> str:
    """The text of a stack file.

    Args:
        draft: the settings; secrets in it are `Sealed`.
        header: keys beside `config`.
        sources: what was read, for the first lines.
        redact: takes secrets out of comments.
        where: an origin as a comment says it.
    """

    def comment(value: Value) -> str:
        return redact(_printable(value.comment or where(value.origin)))

    lines = ["# Written by `python -m components import`; comments say where a value came from."]
    lines += [f"# Read: {redact(_printable(source))}" for source in sources]
    lines += [f"{key}: {_scalar(value)}" for key, value in header.items()]
    lines.append("config:" if draft.tree else "config: {}")
    for name, node in draft.tree.items():
        lines += _entry(f"kestra:{name}", node, 1, "", comment)
    return "\n".join(lines) + "\n"


def _entry(
    key: str, node: Any, depth: int, above: str, comment: Callable[[Value], str]
) -> Iterator[str]:
    """The lines of a key and what is under it.

    Args:
        key: as it is written.
        node: a block, a list or a leaf.
        depth: levels above it.
        above: where the block above comes from, when a comment says so there.
        comment: where a leaf comes from.
    """
    pad = "  " * depth
    texts = {comment(value) for value in _values(node)}
    origin = texts.pop() if len(texts) == 1 else ""
    remark = f"  # {origin}" if origin and origin != above else ""
    above = origin or above
    if isinstance(node, Value):
        if isinstance(node.value, Sealed):
            yield f"{pad}{_key(key)}:{remark}"
            yield f"{pad}  secure: {node.value.secure}"
        else:
            yield f"{pad}{_key(key)}: {_scalar(node.value)}{remark}"
    elif not node:
        yield f"{pad}{_key(key)}: {'[]' if isinstance(node, list) else '{}'}"
    elif isinstance(node, dict):
        yield f"{pad}{_key(key)}:{remark}"
        for name, item in node.items():
            yield from _entry(str(name), item, depth + 1, above, comment)
    else:
        yield f"{pad}{_key(key)}:{remark}"
        for item in node:
            yield from _item(item, depth + 1, above, comment)


def _item(node: Any, depth: int, above: str, comment: Callable[[Value], str]) -> Iterator[str]:
    pad = "  " * depth
    block = node
    if isinstance(node, Value):
        if not isinstance(node.value, Sealed):
            yield f"{pad}- {_scalar(node.value)}"
            return
        block = {"secure": Value(node.value.secure)}
    if not isinstance(block, dict):
        # A list in a list: under a dash of its own.
        yield f"{pad}-" if block else f"{pad}- []"
        for item in block:
            yield from _item(item, depth + 1, above, comment)
        return
    if not block:
        yield f"{pad}- {{}}"
        return
    first = True
    for name, item in block.items():
        for line in _entry(str(name), item, depth + 1, above, comment):
            yield f"{pad}- {line[len(pad) + 2 :]}" if first else line
            first = False


def _values(node: Any) -> Iterator[Value]:
    if isinstance(node, Value):
        yield node
    elif isinstance(node, dict):
        for item in node.values():
            yield from _values(item)
    elif isinstance(node, list):
        for item in node:
            yield from _values(item)


def _key(key: str) -> str:
    return key if _PLAIN.fullmatch(key) and not _WORDS.fullmatch(key) else _quoted(key)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value)
        return value if is_plain else _quoted(value)
    return yaml.safe_dump(value, width=_WIDTH).removesuffix("\n...\n").strip()


def _quoted(text: str) -> str:
    return yaml.safe_dump(text, default_style='"', width=_WIDTH, allow_unicode=True).strip()


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)[:300]


def write(file: Path, text: str) -> None:
    """Writes a file whole or not at all.

    Raises:
        OSError: where it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as part:
            part.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
