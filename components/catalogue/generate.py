"""Writes `keys.tsv`: `python -m components.catalogue.generate [--check]`.

From the artifacts of Kestra 1.3 and 2.0 (metadata, annotations, look-ups in code), from what open code reads whose
artifacts are not published (`source-keys.tsv`) and from Kestra's documentation (`documented.tsv`). What a person
decided stands in `decisions.tsv`, each with its reason. docs/catalogue.md says more.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ..settings.credentials import credential_sign
from . import COLUMNS, KEYS, CatalogueKey, segments
from .artifacts import ArtifactsError, artifacts
from .evidence import Evidence, gather
from .owners import model_owners

HERE = Path(__file__).parent
VERSIONS = ("1.3", "2.0")
#: A text that no one thought up: with it, a name alone decides whether a value is a secret.
_RANDOM = "k3JH8s2Lq0Xv7Tz1"
_SECRET_NAME = re.compile(r"connection-string|(^|-)jaas(-|$)|(^|-)sas-token|secret-key-id")
#: The types of which a value can be a secret.
_SECRET_TYPES = ("text", "list", "map")


def generate() -> list[CatalogueKey]:
    """The rows of the catalogue, from artifacts, sources and documentation.

    Raises:
        ArtifactsError: when Kestra's artifacts cannot be had.
    """
    evidence = [fact for version in VERSIONS for fact in gather(artifacts(version))]
    return merged(evidence, rows("documented.tsv"), rows("source-keys.tsv"), rows("decisions.tsv"))


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table beside this file."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def merged(
    evidence: Iterable[Evidence],
    documented: list[dict[str, str]],
    sources: list[dict[str, str]],
    decisions: list[dict[str, str]],
) -> list[CatalogueKey]:
    """One row a key: an artifact says type, default and versions, the documentation edition and secrecy."""
    facts: dict[str, list[Evidence]] = defaultdict(list)
    for fact in evidence:
        facts[fact.key].append(fact)
    pages = {row["key"]: _documented(row) for row in documented}
    # What is documented is no longer transcribed from code.
    pages = {row["key"]: _transcribed(row) for row in sources} | pages
    names = facts.keys() | pages.keys()
    blocks = {block for key in names for block in _blocks(key)}
    owners = model_owners()
    result: list[CatalogueKey] = []
    for key in sorted(names):
        said = [fact for fact in facts[key] if not (key in blocks and _is_only_named(fact))]
        page = pages.get(key)
        if not said and page is None:
            continue
        row = _from_artifacts(key, said, page) if said else page
        if row is None:
            continue
        row = _decided(_with_secrecy(_with_owner(row, owners)), decisions)
        if row is not None:
            result.append(row)
    return result


def _is_only_named(fact: Evidence) -> bool:
    """Whether code asks for a block as a whole (a condition, a prefix), and reads its keys elsewhere."""
    return fact.rank > 1 and fact.type != "map"


def _documented(row: Mapping[str, str]) -> CatalogueKey:
    versions = row["versions"]
    since = versions.removesuffix("+") if versions.endswith("+") else ""
    until = versions.removeprefix("-") if versions.startswith("-") else ""
    page = row["page"]
    return CatalogueKey(
        key=row["key"],
        type="text" if row["type"] == "secret text" else row["type"],
        edition=row["edition"],
        since=since,
        until=until,
        sensitive=row["sensitive"] == "yes",
        default="",
        source=f"docs:{page}" if page.startswith("/") else page,
        owner="",
    )


def _transcribed(row: Mapping[str, str]) -> CatalogueKey:
    return CatalogueKey(
        row["key"], row["type"], row["edition"], row["since"], row["until"],
        row["sensitive"] == "yes", row["default"], row["source"], "",
    )  # fmt: skip


def _from_artifacts(key: str, said: list[Evidence], page: CatalogueKey | None) -> CatalogueKey:
    """A key that an artifact has. Of several facts the newest version's best one says type and default."""
    newest = sorted(said, key=lambda fact: -VERSIONS.index(fact.version))
    best = min(newest, key=lambda fact: fact.rank)
    # A library's own setter takes the number, the class around it reads a size.
    kind = "size" if any(fact.type == "size" for fact in said) else best.type
    default = next((fact.default for fact in newest if fact.default), "")
    edition = "oss" if any(fact.open_core for fact in said) else "enterprise"
    if page is not None and page.edition != "unknown":
        edition = page.edition
    since, until = _versions({fact.version for fact in said}, page)
    sensitive = page is not None and page.sensitive
    text = " ".join(default.split())
    return CatalogueKey(key, kind, edition, since, until, sensitive, text, best.source, "")


def _versions(versions: set[str], page: CatalogueKey | None) -> tuple[str, str]:
    """The first and the last version of a key that artifacts of these versions have.

    Modules that are not published read some keys too, so what a page names is believed where no artifact shows it.
    """
    documented = page is not None and bool(page.since)
    if "1.3" in versions:
        since = "1.3" if documented else ""
    else:
        since = page.since if page is not None and documented else "2.0"
    until = "1.3" if "2.0" not in versions and not documented else ""
    return since, (page.until if page is not None else "") or until


def _decided(row: CatalogueKey, decisions: list[dict[str, str]]) -> CatalogueKey | None:
    for decision in decisions:
        name = decision["key"]
        if row.key == name or (name.endswith(".") and row.key.startswith(name)):
            if decision["column"] == "drop":
                return None
            value = decision["value"]
            is_flag = decision["column"] == "sensitive"
            row = replace(row, **{decision["column"]: value == "yes" if is_flag else value})
    return row


def _with_owner(row: CatalogueKey, owners: Mapping[str, str]) -> CatalogueKey:
    return replace(row, owner=owners.get(row.key, ""))


def _with_secrecy(row: CatalogueKey) -> CatalogueKey:
    name = next((part for part in reversed(segments(row.key)) if part not in ("*", "[]")), "")
    is_secret = row.type in _SECRET_TYPES and (
        credential_sign(name.replace("-", "_"), _RANDOM) is not None
        or _SECRET_NAME.search(name) is not None
    )
    return replace(row, sensitive=row.sensitive or is_secret)


def _blocks(key: str) -> Iterable[str]:
    parts = segments(key)
    return (".".join(parts[:size]).replace(".[]", "[]") for size in range(1, len(parts)))


def written(keys: Iterable[CatalogueKey]) -> str:
    """The text of `keys.tsv`."""
    out = io.StringIO()
    out.write("\t".join(COLUMNS) + "\n")
    for row in keys:
        values = (getattr(row, column) for column in COLUMNS)
        texts = ("yes" if v is True else "no" if v is False else v for v in values)
        out.write("\t".join(texts) + "\n")
    return out.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Writes the file, or says with `--check` whether it is as it would be written."""
    parser = argparse.ArgumentParser(prog="python -m components.catalogue.generate")
    parser.add_argument(
        "--check", action="store_true", help="only say whether keys.tsv is up to date"
    )
    options = parser.parse_args(arguments)
    try:
        text = written(generate())
    except ArtifactsError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.check:
        KEYS.write_text(text, encoding="utf-8")
        print(f"{KEYS.name}: {text.count(chr(10)) - 1} keys")
        return 0
    old = KEYS.read_text(encoding="utf-8")
    for line in sorted(set(text.splitlines()) ^ set(old.splitlines())):
        print(("+ " if line in text.splitlines() else "- ") + line)
    print(
        "keys.tsv is up to date"
        if text == old
        else "keys.tsv is not up to date: run without --check"
    )
    return int(text != old)


if __name__ == "__main__":
    sys.exit(main())
