"""What a release and its sandbox consist of, as CycloneDX documents: https://cyclonedx.org.

OWASP's tool `cyclonedx-py` reads the locks. What a lock does not say in the form that the tool reads is added with its library:
which package asks for which, which extra brings it, and what is no Python package.
"""

# The decorators of the library's classes hide their constructors and attributes from the type checker.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false
from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from components.kubernetes.pods import COMMON_IMAGE, ENTERPRISE_IMAGE
from components.settings.deployment import DEFAULT_TAGS
from releasing import locks
from releasing.source import Source
from sandbox import kestra
from sandbox.tools import MODULES
from vulnerabilities.pins import go_modules

SBOM, SANDBOX_SBOM = "sbom.cdx.json", "sbom-sandbox.cdx.json"
EXTRAS = ("aws", "azure", "gcp", "vault")
EXTRA = "kestra-on-pulumi:extra"
"""The property that names an extra which brings a package."""
_MAVEN = re.compile(r"<groupId>(io\.kestra)</groupId><artifactId>([\w-]+)</artifactId>")


def of_release(source: Source, tree: Path) -> str:
    """What is installed with any extra, what that runs, and the images that stacks run where they name none.

    Args:
        source: what is released; its time and commit are those of the document.
        tree: its files.
    """
    return _release(tree).text(source, SBOM)


def of_sandbox(source: Source, tree: Path) -> str:
    """What a checkout's sandbox installs, builds and fetches; see `of_release`."""
    return _sandbox(tree).text(source, SANDBOX_SBOM)


class _Bill:
    """A document while it is put together: its components, and who needs whom."""

    def __init__(self, lock: Path, tree: Path) -> None:
        """Reads the packages of a lock, with who asks for them, under the project.

        Raises:
            subprocess.CalledProcessError: when the tool fails; it says why.
        """
        command = [
            sys.executable, "-W", "ignore::UserWarning", "-m", "cyclonedx_py", "requirements", str(lock), "--pyproject",
            str(tree / "pyproject.toml"), "--output-reproducible", "--no-validate", "--spec-version", "1.6", "--output-format", "JSON",
        ]  # fmt: skip
        written = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        self.bom: Bom = Bom.from_json(json.loads(written))  # type: ignore[attr-defined]
        self.root = self.bom.metadata.component or Component(name="")
        self.pins = locks.read(lock)
        self.packages = {locks.normalized(one.name): one for one in self.bom.components}
        self._others: list[Component] = []
        self._needs: dict[BomRef, dict[BomRef, None]] = {}
        for name, component in self.packages.items():
            # The tool names a package by its line in the lock, which is another one in the next release.
            component.bom_ref.value = str(component.purl)
            component.name, component.description = name, None
        for name, pin in self.pins.items():
            asking = [self.packages[one] for one in pin.asked_by] + [self.root] * bool(pin.inputs)
            for component in asking:
                self.needs(component, self.packages[name])

    def needs(self, asking: Component, needed: Component) -> None:
        """Notes that a component needs another."""
        self._needs.setdefault(asking.bom_ref, {})[needed.bom_ref] = None

    def add(
        self,
        asking: Component,
        name: str,
        purl: PackageURL,
        kind: ComponentType = ComponentType.APPLICATION,
    ) -> Component:
        """Adds a component that another needs."""
        component = Component(
            name=name, version=purl.version, purl=purl, bom_ref=str(purl), type=kind
        )
        self._others.append(component)
        self.needs(asking, component)
        return component

    def text(self, source: Source, name: str) -> str:
        """The document as its file has it: of the commit's time, and with an id of commit and version."""
        self.root.version = source.version
        self.bom.serial_number = uuid.uuid5(
            uuid.NAMESPACE_OID, f"{source.commit} {source.version} {name}"
        )
        self.bom.components = [*self.packages.values(), *self._others]
        self.bom.dependencies = [
            Dependency(ref, [Dependency(one) for one in needed])
            for ref, needed in self._needs.items()
        ]
        return JsonV1Dot6(self.bom).output_as_string(indent=1) + "\n"


def _release(tree: Path) -> _Bill:
    bill = _Bill(tree / "requirements.txt", tree)
    core = locks.read(tree / "requirements" / "core.txt")
    by_extra = {one: locks.read(tree / "requirements" / f"{one}.txt") for one in EXTRAS}
    for name, component in bill.packages.items():
        component.scope = ComponentScope.REQUIRED if name in core else ComponentScope.OPTIONAL
        extras = [] if name in core else [extra for extra in EXTRAS if name in by_extra[extra]]
        component.properties = [Property(name=EXTRA, value=extra) for extra in extras]
    engine = PackageURL("github", "pulumi", "pulumi", f"v{bill.pins['pulumi'].version}")
    bill.add(bill.root, "pulumi", engine)
    for name, pin in bill.pins.items():
        if name.startswith("pulumi-"):
            plugin = f"pulumi-resource-{name.removeprefix('pulumi-')}"
            purl = PackageURL("github", "pulumi", name, f"v{pin.version}")
            bill.add(bill.packages[name], plugin, purl)
    for tag in DEFAULT_TAGS.values():
        for image in (COMMON_IMAGE, ENTERPRISE_IMAGE):
            bill.add(bill.root, image, _of_image(image, tag), ComponentType.CONTAINER)
    return bill


def _of_image(image: str, tag: str) -> PackageURL:
    host, _, path = image.partition("/")
    if "." not in host:
        host, path = "", image
    namespace, _, name = path.rpartition("/")
    return PackageURL("docker", namespace, name, tag, {"repository_url": host} if host else None)


def _sandbox(tree: Path) -> _Bill:
    bill = _Bill(tree / "requirements" / "sandbox.txt", tree)
    bill.root.name = "kestra-on-pulumi-sandbox"
    modules: dict[PackageURL, Component] = {}
    for tool in MODULES.values():
        component = bill.add(
            bill.root, tool.name, PackageURL("generic", None, tool.name, tool.version)
        )
        for file in sorted((tree / "sandbox" / "tools" / tool.name).rglob("go.mod")):
            for _, path, version, _ in go_modules(file.read_text(encoding="utf-8")):
                namespace, _, name = path.rpartition("/")
                purl = PackageURL("golang", namespace or None, name, version)
                if purl in modules:
                    bill.needs(component, modules[purl])
                else:
                    modules[purl] = bill.add(component, path, purl, ComponentType.LIBRARY)
    artifacts = _MAVEN.findall(
        (tree / "sandbox" / "kestra" / "pom.xml").read_text(encoding="utf-8")
    )
    for version in kestra.RELEASES.values():
        for group, name in artifacts:
            bill.add(
                bill.root, name, PackageURL("maven", group, name, version), ComponentType.LIBRARY
            )
    return bill
