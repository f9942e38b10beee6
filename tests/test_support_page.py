"""The page of supported versions says what is pinned."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from components import __version__
from components.settings.deployment import DEFAULT_TAGS
from sandbox import kestra
from sandbox.tools import GO_NEEDED, MODULES
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "support.md").read_text()
ROWS = dict(re.findall(r"^\| ([^|]+?) \| ([\d.]+) \|", PAGE, re.MULTILINE))


def pinned(package: str) -> str:
    """The version of a package in the inputs of the locks."""
    pattern = re.compile(rf"^{package}==(\S+)$", re.MULTILINE)
    versions = {
        version
        for file in (ROOT / "requirements").glob("*.in")
        for version in pattern.findall(file.read_text())
    }
    (version,) = versions
    return version


def workflow_version(option: str) -> str:
    """The version that the workflow of the tests sets up."""
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    (version,) = {
        step["with"][option]
        for job in jobs.values()
        for step in job["steps"]
        if option in step.get("with", {})
    }
    return version


EXPECTED = {
    **{f"Kestra {line}": release for line, release in kestra.RELEASES.items()},
    "Kubernetes": MODULES["kubernetes"].version,
    "HashiCorp Vault": MODULES["vault"].version,
    "Pulumi, engine and SDK": MODULES["pulumi"].version,
    "kwok": MODULES["kwok"].version,
    "CNI plugins": MODULES["cni"].version,
    "kube-router": MODULES["kube-router"].version,
    "CoreDNS": MODULES["coredns"].version,
    "kubeconform": MODULES["kubeconform"].version,
    "External Secrets Operator": MODULES["external-secrets"].version,
    **{
        f"pulumi-{name}": pinned(f"pulumi-{name}")
        for name in ("aws", "azure-native", "gcp", "kubernetes", "random", "vault")
    },
    "Python": workflow_version("python-version"),
    "Go": workflow_version("go-version"),
    "Java": workflow_version("java-version"),
    "Node.js": workflow_version("node-version"),
}


@pytest.mark.parametrize("part", EXPECTED)
def test_the_page_names_the_version_that_is_tested(part: str) -> None:
    assert ROWS[part] == EXPECTED[part]


def test_the_page_has_no_row_that_nothing_pins() -> None:
    assert ROWS.keys() == EXPECTED.keys()
    assert f"Version {__version__} of this project" in PAGE


def test_the_pins_agree_with_one_another() -> None:
    assert pinned("pulumi") == MODULES["pulumi"].version
    assert {line: tag.removeprefix("v") for line, tag in DEFAULT_TAGS.items()} == kestra.RELEASES
    assert MODULES["kubelet"].version == MODULES["kubernetes"].version
    assert workflow_version("go-version") == ".".join(map(str, GO_NEEDED))
    assert int(workflow_version("java-version")) >= max(kestra.JAVA_NEEDED.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={workflow_version('python-version')}"
