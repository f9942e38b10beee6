"""What is taken for a pin, and that no lock of the repository is left out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sandbox import kestra
from sandbox.tools import MODULES
from tests.conftest import ROOT
from vulnerabilities.pins import (
    KESTRA,
    Pin,
    actions,
    file_pins,
    go_modules,
    kestra_pins,
    maven_artifacts,
    npm_packages,
    package_key,
    python_packages,
)

PINS = file_pins(ROOT)


def test_a_lock_of_python_is_read_line_by_line() -> None:
    text = "# made by uv\nmoto[server]==5.2.5 \\\n    --hash=sha256:00\nPy_YAML==6.0.3 ; python_version < '4'\n-r x.in\n"
    assert list(python_packages(text)) == [
        ("PyPI", "moto", "5.2.5", 2),
        ("PyPI", "py-yaml", "6.0.3", 4),
    ]


def test_a_replaced_go_module_is_judged_by_what_stands_in_its_place() -> None:
    text = """module example
go 1.26
require example.com/single v0.1.0
require (
\texample.com/a v1.0.0
\texample.com/b/v2 v2.0.0+incompatible // indirect
\texample.com/copied v1.2.3
\texample.com/other v1.0.0
)
replace (
\texample.com/a => example.com/fork v1.0.1
)
replace example.com/copied => ./source
replace example.com/other v9.9.9 => example.com/never v1.0.0
"""
    assert list(go_modules(text)) == [
        ("Go", "example.com/single", "v0.1.0", 3),
        ("Go", "example.com/fork", "v1.0.1", 11),
        ("Go", "example.com/b/v2", "v2.0.0+incompatible", 6),
        ("Go", "example.com/copied", "v1.2.3", 7),
        ("Go", "example.com/other", "v1.0.0", 8),
    ]


def test_a_lock_of_npm_gives_the_packages_inside_packages_and_aliases() -> None:
    text = """{
  "lockfileVersion": 3,
  "packages": {
    "": {"name": "ours", "version": "1.0.0"},
    "node_modules/a/node_modules/@scope/b": {
      "version": "2.0.0"
    },
    "node_modules/alias": {
      "name": "real",
      "version": "3.0.0"
    },
    "node_modules/linked": {"link": true}
  }
}"""
    assert list(npm_packages(text)) == [
        ("npm", "@scope/b", "2.0.0", 5),
        ("npm", "real", "3.0.0", 8),
    ]


def test_an_old_lock_of_npm_is_refused() -> None:
    with pytest.raises(ValueError, match="version 1"):
        list(npm_packages('{"lockfileVersion": 1, "dependencies": {}}'))


def test_maven_artifacts_get_their_version_from_properties() -> None:
    text = """<project>
  <properties><v.a>4.15.1</v.a></properties>
  <dependencies>
    <dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v.a}</version></dependency>
    <dependency><groupId>g</groupId><artifactId>b</artifactId></dependency>
    <dependency>
      <groupId>g</groupId><artifactId>c</artifactId><version>${from.command.line}</version>
    </dependency>
    <dependency>
      <groupId>g</groupId><artifactId>d</artifactId>
      <version>1</version>
    </dependency>
  </dependencies>
</project>"""
    assert list(maven_artifacts(text)) == [
        ("Maven", "g:a", "4.15.1", 4),
        ("Maven", "g:d", "1", 9),
    ]


def test_an_action_is_judged_by_the_release_beside_its_commit() -> None:
    text = f"steps:\n  - uses: Owner/action/sub@{'0' * 40} # v4.2.1\n  - uses: ./local\n"
    assert list(actions(text)) == [("GitHub Actions", "owner/action", "v4.2.1", 2)]


def test_all_modules_of_kestra_are_one_package_and_its_plugins_are_not() -> None:
    assert package_key("Maven", "io.kestra:webserver") == KESTRA
    assert package_key("Maven:https://repo.example", "io.kestra:core") == KESTRA
    assert package_key("Maven", "io.kestra.plugin:plugin-script-python") != KESTRA


def test_every_file_of_the_repository_that_pins_something_is_read() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    pattern = re.compile(
        r"(.*/)?(go\.mod|package-lock\.json|pom\.xml|requirements[^/]*\.txt|requirements/[^/]+\.txt)"
        r"|(\.github/workflows|examples/github-actions)/[^/]+\.yml"
    )
    # They require nothing, or what the command line says.
    empty = {
        "sandbox/kestra/pom.xml",
        "sandbox/tools/pause/go.mod",
        "tests/nodes/fixtures/agent/go.mod",
    }
    assert {pin.file for pin in PINS} == {
        name for name in tracked if pattern.fullmatch(name)
    } - empty


def test_every_tool_that_is_built_is_judged_in_its_version() -> None:
    pinned = {(pin.file, pin.version) for pin in PINS if pin.ecosystem == "Go"}
    for module in MODULES.values():
        folder = f"sandbox/tools/{module.name}/go.mod"
        # Its provider is required by a commit, and the pause container is this repository's own.
        if module.name not in ("pulumi-kubernetes", "pause"):
            assert (folder, f"v{module.version}") in pinned, module.name
    versions = {pin.version for pin in PINS if pin.name == "k8s.io/kubernetes"}
    assert versions == {f"v{MODULES['kubernetes'].version}"}


def test_kestras_releases_are_judged_where_they_stand() -> None:
    pins = kestra_pins()
    assert {pin.version for pin in pins} >= set(kestra.RELEASES.values())
    for pin in pins:
        assert pin.version in Path(ROOT, pin.file).read_text().splitlines()[pin.line - 1]


def test_vault_kubernetes_and_kestra_are_judged_by_their_repositories_too() -> None:
    pins = PINS | kestra_pins()
    repositories = {name for pin in pins for ecosystem, name in pin.keys if ecosystem == "GIT"}
    assert repositories == {
        "https://github.com/hashicorp/vault",
        "https://github.com/kestra-io/kestra",
        "https://github.com/kubernetes/kubernetes",
    }


def test_a_pin_says_where_it_stands() -> None:
    assert Pin("PyPI", "a", "1", "requirements.txt", 7).place == "requirements.txt:7"
