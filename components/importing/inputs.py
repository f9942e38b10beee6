"""All inputs of an import: files, directories and standard input, each handed to the reader that recognizes it."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from .application import ApplicationReader
from .assembly import Assembly
from .compose import ComposeReader
from .container_units import ContainerUnitReader
from .documents import MOST_BYTES, Unreadable, decode, load_documents
from .env_files import EnvFileReader, is_env_text
from .foreign import foreign_kind, is_foreign
from .installation import Installation
from .kubernetes_reader import KubernetesReader
from .readers import ImportRefused, Part, Reader
from .systemd import SystemdReader

#: The first that recognizes a part reads it. What others name (a mounted file, an env file) is read with them.
READERS: list[Reader] = [
    ComposeReader(),
    KubernetesReader(),
    SystemdReader(),
    ApplicationReader(),
    EnvFileReader(),
    ContainerUnitReader(),
]
STDIN = "-"
_SKIPPED_FOLDERS = frozenset(
    (
        "node_modules", "__pycache__", "venv", "site-packages", "target", "build", "dist", "vendor",
    )
)  # fmt: skip
#: Files of a directory that are looked into.
_CANDIDATES = re.compile(
    r".*\.(ya?ml|json|env|service|container|conf|properties|tf|tpl|tftpl|tmpl|j2|gotmpl)|\.env.*|.*\.env\..*|env"
)
_MOST_FILES = 1000
_NAMED_FILES = 20


def read(paths: Sequence[str], stdin: TextIO | BinaryIO | None = None) -> Installation:
    """Reads every input into one installation.

    Args:
        paths: files and directories, later ones above earlier ones; `-` is standard input.
        stdin: what `-` reads.

    Raises:
        ImportRefused: where an input is missing or no input can be read; nothing of it was read then.
    """
    collected = _collect(paths, stdin)
    assembly = Assembly(collected)
    by_reader: dict[int, list[Part]] = {}
    unread: list[Part] = []
    for part in collected:
        number = _reader_of(part)
        if number is None:
            unread.append(part)
        else:
            by_reader.setdefault(number, []).append(part)
    _name_unread(unread, collected, assembly)
    if not by_reader:
        raise ImportRefused(_refusal(unread, assembly))
    skipped = _read_all(by_reader, assembly)
    for part in collected:
        number = _reader_of(part)
        if number is not None:
            kind = READERS[number].kind(part)
            _add_source(assembly, part.file, f"not read: {kind}" if part.file in skipped else kind)
        for remark in part.remarks:
            assembly.duplicate(part.origin(), remark)
    return assembly.finish()


def _read_all(by_reader: dict[int, list[Part]], assembly: Assembly) -> set[str]:
    """Lets each reader read its parts: one kind that says how Kestra runs, then files that only add to it.

    Returns:
        The files that were not read after all.
    """
    additions = [n for n in by_reader if isinstance(READERS[n], (ApplicationReader, EnvFileReader))]
    kinds = sorted((n for n in by_reader if n not in additions), key=lambda n: _rank(by_reader[n]))
    refusals: list[str] = []
    skipped: set[str] = set()
    chosen: int | None = None
    count = 0
    for number in (*kinds, *sorted(additions)):
        parts = [p for p in by_reader[number] if not assembly.is_used(p)]
        if not parts:
            continue
        if number in kinds and chosen is not None:
            _name_other_installation(parts, READERS[chosen].kind(by_reader[chosen][0]), assembly)
            skipped |= {p.file for p in parts}
            continue
        try:
            READERS[number].read(parts, assembly)
        except ImportRefused as error:
            refusals.append(str(error))
            skipped |= {p.file for p in parts}
            for part in parts:
                assembly.note("not carried", part.file, str(error), origin=part.origin())
            continue
        count += 1
        if number in kinds:
            chosen = number
    if not count:
        raise ImportRefused(" ".join(dict.fromkeys(refusals)))
    return skipped


def _rank(parts: Sequence[Part]) -> tuple[bool, int]:
    """Files that were given come before those of a directory, and there the highest folder."""
    depth = min(len(Path(p.file).parts) if p.is_of_directory else 0 for p in parts)
    return depth > 0, depth


def _name_other_installation(parts: Sequence[Part], kind: str, assembly: Assembly) -> None:
    for part in {p.file: p for p in parts}.values():
        assembly.note(
            "not carried",
            part.file,
            f"describes another installation; the one of {kind} is read",
            "import it on its own",
            part.origin(),
        )


def _reader_of(part: Part) -> int | None:
    return next((i for i, reader in enumerate(READERS) if reader.recognizes(part)), None)


def _add_source(assembly: Assembly, file: str, kind: str) -> None:
    if (file, kind) not in assembly.installation.sources:
        assembly.installation.sources.append((file, kind))


# Collecting


def _collect(paths: Sequence[str], stdin: TextIO | BinaryIO | None) -> list[Part]:
    parts: list[Part] = []
    problems: list[str] = []
    seen: set[str] = set()
    for path in paths:
        if path in seen:
            continue
        seen.add(path)
        try:
            if path == STDIN:
                parts += _parts(STDIN, _read_stdin(stdin), None)
            elif os.path.isdir(path):
                parts += _of_directory(Path(path))
            else:
                parts += _parts(path, _read_file(Path(path)), Path(path))
        except Unreadable as error:
            if is_foreign(path):
                parts.append(Part(path, "", path=Path(path), problem=str(error)))
            else:
                problems.append(f"{path} {error}.")
    unread = [p for p in parts if not p.is_of_directory and _reader_of(p) is None]
    broken = [p for p in unread if p.problem and foreign_kind(p) is None]
    problems += [
        f"{p.file} {p.problem}, and is no file of variables or unit of systemd either."
        for p in broken
    ]
    if problems:
        # What else is not read is named at once.
        others = [(p.file, kind) for p in unread if (kind := foreign_kind(p))]
        problems += [
            f"{file} is not read: {'; '.join(filter(None, kind))}." for file, kind in others
        ]
        raise ImportRefused(" ".join(dict.fromkeys(problems)))
    return parts


def _read_stdin(stdin: TextIO | BinaryIO | None) -> bytes:
    if stdin is None:
        raise Unreadable("is empty")
    source: Any = getattr(stdin, "buffer", stdin)
    data = source.read(MOST_BYTES + 1)
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data


def _read_file(path: Path) -> bytes:
    try:
        if not path.is_file():
            what = "is no regular file" if path.exists() else "does not exist"
            raise Unreadable(what)
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        raise Unreadable("cannot be read") from None


def _of_directory(directory: Path) -> list[Part]:
    parts: list[Part] = []
    for path in _files_below(directory):
        try:
            text = decode(_read_file(path))
        except Unreadable as error:
            parts.append(Part(str(path), "", path=path, problem=str(error), is_of_directory=True))
            continue
        parts += _parts_of_text(str(path), text, path, is_of_directory=True)
    return parts


def _files_below(directory: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and f not in _SKIPPED_FOLDERS
        )
        for name in sorted(files):
            path = Path(folder, name)
            if not _CANDIDATES.fullmatch(name.lower()) or path.is_symlink() or not path.is_file():
                continue
            count += 1
            if count > _MOST_FILES:
                raise Unreadable(
                    f"has more than {_MOST_FILES:,} files to look into; name the files"
                )
            yield path


def _parts(file: str, data: bytes, path: Path | None) -> list[Part]:
    text = decode(data)
    if not text.strip():
        raise Unreadable("is empty")
    return _parts_of_text(file, text, path)


def _parts_of_text(
    file: str, text: str, path: Path | None, *, is_of_directory: bool = False
) -> list[Part]:
    def part(document: Any = None, index: int = 0, problem: str = "", remarks: Any = ()) -> Part:
        return Part(file, text, document, index, path, problem, remarks, is_of_directory)

    if is_env_text(text) or re.search(r"(?m)^\[(Unit|Service|Install|Container)\]\s*$", text):
        # Such a text is a scalar of YAML, or broken YAML.
        return [part()]
    try:
        loaded = load_documents(text)
    except Unreadable as error:
        return [part(problem=str(error))]
    documents = [d for d in loaded.documents if d is not None]
    if not any(isinstance(d, (dict, list)) for d in documents):
        return [part(problem="holds no mapping of YAML")]
    return [part(d, i, remarks=loaded.remarks) for i, d in enumerate(documents)]


def companion(name: str, part: Part, parts: Sequence[Part]) -> Part | None:
    """The file that an input names: one of the inputs, or one below the folder of the input.

    Absolute names (`/etc/kestra/kestra.env`) are those of another machine; only their last part counts here.
    """
    normal = name.strip().replace("\\", "/").removeprefix("file:")
    base = posixpath.basename(normal)
    if not base:
        return None
    own = part.file.replace("\\", "/")
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(own), normal))
    others = [p for p in parts if p.file != part.file]
    for candidate in others:
        if posixpath.normpath(candidate.file.replace("\\", "/")) == wanted:
            return candidate
    for candidate in others:
        if posixpath.basename(candidate.file.replace("\\", "/")) == base:
            return candidate
    if part.path is None or part.file == STDIN:
        return None
    folder = part.path.parent
    for relative in (normal, base) if not normal.startswith("/") else (base,):
        if (
            relative.startswith("/")
            or re.match(r"[A-Za-z]:", relative)
            or ".." in relative.split("/")
        ):
            continue
        path = folder / relative
        if path.is_symlink() or not path.is_file():
            continue
        try:
            return _parts_of_text(str(path), decode(_read_file(path)), path)[0]
        except Unreadable:
            return None
    return None


# What is not read


def _name_unread(unread: Sequence[Part], parts: Sequence[Part], assembly: Assembly) -> None:
    named = 0
    for file in dict.fromkeys(p.file for p in unread):
        of_file = [p for p in unread if p.file == file]
        is_partly_read = any(p.file == file for p in parts if p not in unread)
        part = of_file[0]
        kind = foreign_kind(part)
        what, fix = kind if kind else _unknown(part)
        if is_partly_read:
            what = (
                f"{len(of_file)} of its documents are of a kind that is not read: the first {what}"
            )
        named += 1
        if part.is_of_directory and named > _NAMED_FILES:
            continue
        assembly.installation.sources.append((file, f"not read: {what}"))
        assembly.note("not carried", file, f"not read: {what}", fix, part.origin())
    if named > _NAMED_FILES:
        assembly.note(
            "not carried",
            f"{named - _NAMED_FILES} more files",
            "not read: they are no configuration of Kestra's",
        )


def _unknown(part: Part) -> tuple[str, str]:
    if part.problem:
        return f"it {part.problem}", "correct it, and import again"
    return (
        "it is YAML of another kind",
        "give an application.yaml, a compose file, values of Kestra's Helm chart, Kubernetes manifests or a systemd "
        "unit",
    )


def _refusal(unread: Sequence[Part], assembly: Assembly) -> str:
    lines = [f"{file} is {kind}." for file, kind in assembly.installation.sources] or [
        "No input was given."
    ]
    fixes = dict.fromkeys(n.fix for n in assembly.installation.notes if n.fix)
    steps = [f"{fix[0].upper()}{fix[1:]}." for fix in fixes]
    return " ".join(["Nothing can be imported:", *lines, *steps])
