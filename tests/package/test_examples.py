"""The examples without an engine: what they say is valid, the same in every Python, fit for production, and in the README."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
import pytest
import yaml

from components.package.arguments import Arguments, read_arguments
from components.package.property_names import Style
from components.package.report import check_arguments
from components.package.values import from_python
from components.validation import Loaded
from tests.conftest import ROOT
from tests.package.sdks_support import EXAMPLES, PROGRAMS
from tests.policy.stack_findings_support import findings_of
from tests.tiers import long

README = (ROOT / "README.md").read_text()
CONFIG = {
    "databasePassword": "a-password",
    "vaultAddress": "https://vault.example.com:8200",
    "kubernetesHost": "https://kubernetes.example.com",
    "kubernetesCaCertificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "kestraNamespace": "kestra-production",
    "apiToken": "a-token",
}
SECRET = {"databasePassword", "apiToken"}


def _resolved(value: Any) -> Any:
    """A value of a program in YAML, with its configuration."""
    if isinstance(value, dict):
        return {name: _resolved(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{(\w+)\}", value)
    if whole and whole[1] in SECRET:
        return _Secret(CONFIG[whole[1]])
    text = re.sub(r"(?<!\$)\$\{(\w+)\}", lambda match: CONFIG[match[1]], value)
    return text.replace("$${", "${")


class _Secret(pulumi.Output[str]):
    """A secret of the configuration; no engine runs."""

    def __init__(self, text: str) -> None:
        self.text = text


def in_yaml(program: str) -> Arguments:
    """The arguments of an example in YAML."""
    text = (EXAMPLES / "yaml" / program / "Pulumi.yaml").read_text()
    (component,) = yaml.safe_load(text)["resources"].values()
    assert component["type"] == "kestra-platform:KestraStack"
    return read_arguments(from_python(_resolved(component["properties"])).content)  # type: ignore[arg-type]


class _Config:
    def get(self, name: str) -> str | None:
        return CONFIG.get(name)

    def require(self, name: str) -> str:
        return CONFIG[name]

    def require_secret(self, name: str) -> Any:
        return _Secret(CONFIG[name])


def in_python(folder: str, program: str, monkeypatch: pytest.MonkeyPatch) -> Arguments:
    """The arguments of an example in Python, by the generated SDK or by the package itself."""
    seen: list[dict[str, Any]] = []

    class KestraStack:
        def __init__(self, name: str, args: Any = None, **more: Any) -> None:
            seen.append({**(args or {}), **more})

        def __getattr__(self, name: str) -> str:
            return name

    for name in ("pulumi_kestra_platform", "kestra_pulumi"):
        module = ModuleType(name)
        module.KestraStack = KestraStack  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(pulumi, "Config", _Config)
    monkeypatch.setattr(pulumi, "export", lambda name, value: None)
    runpy.run_path(str(EXAMPLES / folder / f"{program}.py"))
    return read_arguments(from_python(seen[0]).content)  # type: ignore[arg-type]


def checked(arguments: Arguments) -> Loaded:
    return check_arguments(arguments, 'KestraStack "kestra"', Style.CAMEL)


def _shown(value: Any) -> Any:
    """A document of settings with the texts of its secrets."""
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    output = getattr(value, "output", None)
    return f"secret {output.text}" if isinstance(output, _Secret) else value


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_example_is_valid_and_warned_of_nothing(program: str) -> None:
    arguments = in_yaml(program)
    assert not arguments.refused
    assert [one.line() for one in checked(arguments).warnings] == []


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("folder", ["python", "python-package"])
def test_an_example_says_the_same_in_python(
    folder: str, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        said = in_python(folder, program, patched)
    assert _shown(said.document) == _shown(in_yaml(program).document)


@long("stacks")
def test_the_production_example_passes_the_policy_pack_as_production() -> None:
    document = dict(in_yaml("production").document)
    token = document["declared-secrets"]["API_TOKEN"]
    token["value"] = "planted"
    assert findings_of(document, "production", {}) == []


@pytest.mark.parametrize(
    ("file", "fence"),
    [("yaml/minimal/Pulumi.yaml", "yaml"), ("python-package/minimal.py", "python")],
)
def test_the_readme_has_a_minimal_example_word_for_word(file: str, fence: str) -> None:
    text = (EXAMPLES / file).read_text()
    body = text.partition("\n\n")[2] if fence == "python" else text.partition("\n")[2]
    blocks = re.findall(rf"```{fence}\n# [\w.]+\n(.+?)```", README, re.DOTALL)
    assert body in blocks


def test_the_package_page_has_the_example_of_single_components_word_for_word() -> None:
    text = (EXAMPLES / "python-package" / "store_and_identity.py").read_text()
    page = (ROOT / "docs" / "package.md").read_text()
    assert f"```python\n{text.partition(chr(10) * 2)[2]}```" in page


def test_the_readme_installs_each_way_in_three_lines_and_links_both_examples() -> None:
    ways = README.partition("## Three ways to use it")[2].partition("\n## ")[0].split("\n### ")[1:]
    assert len(ways) == 3
    for way in ways:
        install = re.findall(r"```sh\n(.+?)```", way, re.DOTALL)[0]
        assert len(install.strip().splitlines()) <= 3, way.splitlines()[0]
        links = re.findall(r"\]\(([^)#]+)\)", way)
        assert [one for one in links if "minimal" in one or "local" in one]
        assert [one for one in links if "production" in one]
        assert not [one for one in links if not (ROOT / one).exists()]


def test_every_language_has_both_examples() -> None:
    for folder, pattern in {
        "yaml": "{}/Pulumi.yaml",
        "typescript": "{}.ts",
        "go": "{}/main.go",
        "python": "{}.py",
        "python-package": "{}.py",
    }.items():
        for program in PROGRAMS:
            assert (EXAMPLES / folder / Path(pattern.format(program))).is_file()
            assert f"examples/package/{folder}/{pattern.format(program)}" in README
