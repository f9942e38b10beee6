"""The bills of materials: every dependency of every extra, who needs it, and the same text for the same commit."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from components.settings.deployment import DEFAULT_TAGS
from releasing import locks
from releasing.bill_of_materials import EXTRA, EXTRAS, SBOM, of_release, of_sandbox
from releasing.source import Source
from sandbox.kestra import RELEASES
from sandbox.tools import MODULES
from tests.conftest import ROOT
from tests.package.test_distribution import PROJECT
from tests.test_requirements import asked_for, pins

_SOURCE = Source(ROOT, "a" * 40, 1_795_935_230, "1.2.3", True)


@pytest.fixture(scope="module")
def text() -> str:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOURCE_DATE_EPOCH", str(_SOURCE.epoch))
        return of_release(_SOURCE, ROOT)


@pytest.fixture(scope="module")
def release(text: str) -> dict[str, Any]:
    return json.loads(text)


def _packages(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        one["name"]: one for one in document["components"] if one["purl"].startswith("pkg:pypi/")
    }


def test_every_package_that_an_extra_installs_is_named_with_its_version(
    release: dict[str, Any],
) -> None:
    """Pip's own data of the installed packages says what needs what."""
    project = PROJECT["project"]
    named = {name: one["version"] for name, one in _packages(release).items()}
    asked = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    needed = _installed(asked)
    assert len(needed) > 40
    assert needed.items() <= named.items()
    assert named.keys() == _installed(asked_for("all")).keys()
    assert pins(ROOT / "policy" / "requirements.txt").items() <= named.items()


def _installed(asked: Iterable[str]) -> dict[str, str]:
    """Name and version of everything that requirements need, as it is installed here."""
    versions: dict[str, str] = {}
    left = [Requirement(text) for text in asked]
    while left:
        requirement = left.pop()
        name = locks.normalized(requirement.name)
        if name not in versions:
            distribution = metadata.distribution(name)
            versions[name] = distribution.version
            others = map(Requirement, distribution.requires or ())
            left += [
                one for one in others if one.marker is None or one.marker.evaluate({"extra": ""})
            ]
    return versions


def test_a_package_of_one_cloud_alone_says_which_extra_brings_it(release: dict[str, Any]) -> None:
    core = pins(ROOT / "requirements" / "core.txt")
    for name, component in _packages(release).items():
        extras = {one["value"] for one in component.get("properties", ()) if one["name"] == EXTRA}
        assert component["scope"] == ("required" if name in core else "optional")
        assert bool(extras) == (name not in core), name
        for extra in extras:
            assert name in pins(ROOT / "requirements" / f"{extra}.txt")
    assert set(EXTRAS) == set(PROJECT["project"]["optional-dependencies"])


def test_a_package_has_all_hashes_of_the_lock(release: dict[str, Any]) -> None:
    for name, pin in locks.read(ROOT / "requirements.txt").items():
        references = _packages(release)[name]["externalReferences"]
        hashes = {one["content"] for reference in references for one in reference["hashes"]}
        assert hashes == set(pin.hashes) != set()


def test_the_graph_says_who_needs_whom(release: dict[str, Any]) -> None:
    needs = {one["ref"]: one.get("dependsOn", []) for one in release["dependencies"]}
    root = release["metadata"]["component"]
    named = _packages(release)
    reached, left = set(), [root["bom-ref"]]
    while left:
        ref = left.pop()
        if ref not in reached:
            reached.add(ref)
            left += needs[ref]
    assert {one["bom-ref"] for one in release["components"]} == reached - {root["bom-ref"]}
    assert named["botocore"]["bom-ref"] in needs[named["boto3"]["bom-ref"]]
    assert not [ref for ref in needs[root["bom-ref"]] if "/botocore@" in ref]


def test_plugins_engine_and_images_are_named_too(release: dict[str, Any]) -> None:
    urls = {one["purl"] for one in release["components"]}
    core = pins(ROOT / "requirements" / "all.in") | pins(ROOT / "requirements" / "core.in")
    assert f"pkg:github/pulumi/pulumi@v{core['pulumi']}" in urls
    assert f"pkg:github/pulumi/pulumi-kubernetes@v{core['pulumi-kubernetes']}" in urls
    assert "pkg:github/pulumi/pulumi-aws@v" in " ".join(urls)
    for tag in DEFAULT_TAGS.values():
        assert f"pkg:docker/kestra/kestra@{tag}" in urls
        assert f"pkg:docker/docker/kestra-ee@{tag}?repository_url=registry.kestra.io" in urls


@pytest.mark.long("stacks")
def test_the_sandbox_names_its_packages_tools_modules_and_kestra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(_SOURCE.epoch))
    text = of_sandbox(_SOURCE, ROOT)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    sandbox = json.loads(text)
    locked = pins(ROOT / "requirements" / "sandbox.txt")
    assert {name: one["version"] for name, one in _packages(sandbox).items()} == locked
    urls = {one["purl"] for one in sandbox["components"]}
    for tool in MODULES.values():
        assert f"pkg:generic/{tool.name}@{tool.version}" in urls
    assert f"pkg:golang/k8s.io/kubernetes@v{MODULES['kubernetes'].version}" in urls
    assert f"pkg:golang/github.com/hashicorp/vault@v{MODULES['vault'].version}" in urls
    for release in RELEASES.values():
        assert f"pkg:maven/io.kestra/core@{release}" in urls
    modules = {url for url in urls if url.startswith("pkg:golang/")}
    assert len(modules) > 1000


def test_the_text_is_of_the_commit_and_its_time(text: str) -> None:
    document = json.loads(text)
    assert document["metadata"]["timestamp"].startswith("2026-11-29T06:53:50")
    assert document["metadata"]["component"]["version"] == "1.2.3"
    assert (
        document["serialNumber"]
        == f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'{_SOURCE.commit} 1.2.3 {SBOM}')}"
    )
    assert str(ROOT) not in text
