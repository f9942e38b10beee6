"""What this repository pins, and where: packages of its locks, Go modules, Maven artifacts, actions, Kestra."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from components.settings import deployment
from sandbox import kestra

ROOT = Path(__file__).parents[1]
KESTRA = ("Maven", "io.kestra")
"""The group of Kestra's modules, which have one version; its plugins have groups of their own."""
#: Package to the repository that records without a package name: those of Vault's and Kestra's CVE numbers.
REPOSITORIES = {
    KESTRA: "https://github.com/kestra-io/kestra",
    ("Go", "github.com/hashicorp/vault"): "https://github.com/hashicorp/vault",
    ("Go", "k8s.io/kubernetes"): "https://github.com/kubernetes/kubernetes",
}
#: Folders whose name begins with a dot hold what is built or installed, but for this one.
_HIDDEN_BUT_OURS = ".github"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[A-Za-z0-9,._-]+\])?==([^\s;\\]+)")
_GO_REQUIRED = re.compile(r"(?:require\s+)?([^\s()]+)\s+(v\d\S*)(?:\s*//.*)?")
_GO_REPLACED = re.compile(
    r"(?:replace\s+)?(\S+)(?:\s+(v\S+))?\s+=>\s+(\S+)(?:\s+(v\d\S*))?(?:\s*//.*)?"
)
_ACTION = re.compile(r"uses:\s*([\w.-]+/[\w.-]+)(?:/[\w./-]+)?@[0-9a-f]{40}\s+#\s*(v\d\S*)")
_DEPENDENCY = re.compile(r"<(dependency|plugin|parent)>(.*?)</\1>", re.DOTALL)
_PROPERTY = re.compile(r"<([\w.-]+)>([^<]+)</\1>")


@dataclass(frozen=True, order=True)
class Pin:
    """A version that stands in a file."""

    ecosystem: str
    """As OSV spells it: PyPI, Go, npm, Maven, GitHub Actions."""
    name: str
    version: str
    file: str
    """Relative to the repository's root."""
    line: int

    @property
    def keys(self) -> list[tuple[str, str]]:
        """What records are looked up by: the package, and its repository where records name that."""
        package = package_key(self.ecosystem, self.name)
        repository = REPOSITORIES.get(package)
        return [package, package_key("GIT", repository)] if repository else [package]

    @property
    def place(self) -> str:
        """`sandbox/tools/vault/go.mod:12`."""
        return f"{self.file}:{self.line}"


def package_key(ecosystem: str, name: str) -> tuple[str, str]:
    """Ecosystem and name in the form that is compared; all of Kestra's modules are one package.

    Args:
        ecosystem: with or without a suffix (`Maven:https://…`); GIT for a repository.
        name: as a record or a file spells it; the address of a repository.
    """
    ecosystem = ecosystem.partition(":")[0]
    if ecosystem == "PyPI":
        return ecosystem, canonicalize_name(name)
    if (ecosystem, name.partition(":")[0]) == KESTRA:
        return KESTRA
    if ecosystem == "GIT":
        return ecosystem, name.lower().rstrip("/").removesuffix(".git")
    if ecosystem == "GitHub Actions":
        return ecosystem, name.lower()
    return ecosystem, name


def file_pins(root: Path) -> set[Pin]:
    """The pins of a folder's locks, modules and workflows.

    Raises:
        ValueError: for a `package-lock.json` that is none.
    """
    return {
        Pin(ecosystem, name, version, file.relative_to(root).as_posix(), line)
        for file in _files(root)
        if (reader := _reader(file))
        for ecosystem, name, version, line in reader(file.read_text("utf-8"))
    }


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in ("node_modules", "__pycache__")
            and (not name.startswith(".") or name == _HIDDEN_BUT_OURS)
        ]
        yield from (Path(folder, name) for name in names)


Reader = Callable[[str], Iterator[tuple[str, str, str, int]]]
"""Text of a file to ecosystem, name, version and line of each pin."""


def _reader(file: Path) -> Reader | None:
    folder = file.parent.name
    if file.name == "go.mod":
        return go_modules
    if file.name == "package-lock.json":
        return npm_packages
    if file.name == "pom.xml":
        return maven_artifacts
    if file.suffix == ".txt" and (file.name.startswith("requirements") or folder == "requirements"):
        return python_packages
    if file.suffix in (".yml", ".yaml") and folder in ("workflows", "github-actions"):
        return actions
    return None


def python_packages(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Of a locked requirements file."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _REQUIREMENT.match(line):
            yield "PyPI", canonicalize_name(match[1]), match[2], number


def go_modules(text: str) -> Iterator[tuple[str, str, str, int]]:
    """What a `go.mod` builds: the required modules, or what stands in their place.

    A module that a folder replaces is still judged by the version that is required: the folder is a copy of it.
    """
    required: dict[str, tuple[str, int]] = {}
    replaced: dict[str, tuple[str, str, str, int]] = {}
    block = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if opened := re.fullmatch(r"(\w+)\s*\(", line):
            block = opened[1]
        elif line == ")":
            block = ""
        elif (block or line.partition(" ")[0]) == "require":
            if match := _GO_REQUIRED.fullmatch(line):
                required[match[1]] = match[2], number
        elif (block or line.partition(" ")[0]) == "replace" and (
            match := _GO_REPLACED.fullmatch(line)
        ):
            replaced[match[1]] = match[2] or "", match[3], match[4] or "", number
    for name, (version, number) in required.items():
        only, other, other_version, other_number = replaced.get(name, ("", "", "", 0))
        if other_version and only in ("", version):
            name, version, number = other, other_version, other_number
        yield "Go", name, version, number


def npm_packages(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Of a `package-lock.json` of version 2 or 3; links and the package itself are left out.

    Raises:
        ValueError: for another document.
    """
    packages = json.loads(text).get("packages")
    if not isinstance(packages, dict):
        raise ValueError("a package-lock.json of version 1 is not read: npm 7 or later writes one")
    lines = {line.strip(): number for number, line in enumerate(text.splitlines(), 1)}
    for path, entry in packages.items():
        if "node_modules/" in path and "version" in entry:
            name = entry.get("name", path.rpartition("node_modules/")[2])
            yield "npm", name, entry["version"], lines.get(f"{json.dumps(path)}: {{", 1)


def maven_artifacts(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Artifacts of a `pom.xml` with a version of their own or of one of its properties."""
    properties = dict(_PROPERTY.findall(text))
    for match in _DEPENDENCY.finditer(text):
        fields = dict(_PROPERTY.findall(match[2]))
        version = re.sub(
            r"\$\{([^}]+)\}",
            lambda name: properties.get(name[1], name[0]),
            fields.get("version", ""),
        )
        # The release of Kestra comes from the command line: it is a pin of the program.
        if version and "${" not in version:
            name = f"{fields['groupId']}:{fields['artifactId']}"
            yield "Maven", name, version, text.count("\n", 0, match.start()) + 1


def actions(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Actions that a workflow uses by commit, with the release that the comment names."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _ACTION.search(line):
            yield "GitHub Actions", match[1].lower(), match[2], number


def kestra_pins() -> set[Pin]:
    """Releases that the sandbox runs, and those that a stack without an image's tag gets."""
    pins = set()
    for module, releases in ((kestra, kestra.RELEASES), (deployment, deployment.DEFAULT_TAGS)):
        file = Path(str(module.__file__))
        lines = file.read_text("utf-8").splitlines()
        for release in releases.values():
            number = next(n for n, line in enumerate(lines, 1) if f'"{release}"' in line)
            place = file.relative_to(ROOT).as_posix(), number
            pins.add(Pin(*KESTRA, release.removeprefix("v"), *place))
    return pins
