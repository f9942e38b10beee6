"""A whole release of the files as they lie here: built twice, and its plugin used by the real engine from the archive alone."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from rich.console import Console

from components.package.component import PACKAGE
from components.package.schema import package_schema
from releasing import archives
from releasing.build import SUMS, build_twice
from releasing.source import Source, of_head
from sandbox.progress import Progress
from tests.package.consumer_support import Consumer, Remote
from tests.package.distribution_support import build_wheel
from tests.releasing.language_host_support import write_host
from tests.releasing.repository_support import copy_of_this, git

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return of_head(copy_of_this(tmp_path_factory.mktemp("repository")), is_released=False)


@pytest.fixture(scope="module")
def release(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "dist"
    build_twice(source, folder, Progress(Console(quiet=True)))
    return folder


def test_a_release_has_what_its_page_says(release: Path, source: Source) -> None:
    version = source.version
    assert {file.name for file in release.iterdir()} == {
        f"kestra_on_pulumi-{version}-py3-none-any.whl",
        f"kestra_on_pulumi-{version}.tar.gz",
        *(f"{archives.PLUGIN}-v{version}-{platform}.tar.gz" for platform in archives.PLATFORMS),
        f"kestra_policy_pack-{version}-py3-none-any.whl",
        f"kestra_policy_pack-{version}.tar.gz",
        "schema.json",
        "sbom.cdx.json",
        "sbom-sandbox.cdx.json",
        SUMS,
        "provenance.json",
    }
    done = subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=release)
    assert done.returncode == 0
    statement = json.loads((release / "provenance.json").read_text())
    sums = dict(line.split("  ")[::-1] for line in (release / SUMS).read_text().splitlines())
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == sums
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["commit"] == source.commit
    assert {"digest": {"gitCommit": source.commit}, "uri": "git"} in definition[
        "resolvedDependencies"
    ]
    assert json.loads((release / "schema.json").read_text()) == {
        **package_schema(),
        "version": version,
    }


def test_the_bill_of_materials_is_valid(release: Path) -> None:
    text = (release / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_wheel_of_the_sdist_is_that_of_the_tree(release: Path, tmp_path: Path) -> None:
    (wheel,) = release.glob("kestra_on_pulumi-*.whl")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(build_wheel(tmp_path)) as other:
        released, now = (
            {n: z.read(n) for n in z.namelist() if ".dist-info" not in n} for z in (one, other)
        )
        assert "Name: kestra-on-pulumi" in one.read(_metadata(one)).decode()
    assert set(released) == set(now)
    differing = {name for name in now if released[name] != now[name]}
    assert differing == {"kestra_pulumi/__init__.py", "kestra_pulumi/package/schema.json"}


def _metadata(wheel: zipfile.ZipFile) -> str:
    return next(name for name in wheel.namelist() if name.endswith("/METADATA"))


def test_the_sdist_has_what_builds_the_wheel_and_what_the_law_asks_for(release: Path) -> None:
    (sdist,) = release.glob("kestra_on_pulumi-*.tar.gz")
    with tarfile.open(sdist) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
        assert {(member.uid, member.uname, member.mode) for member in packed} == {(0, "", 0o644)}
    assert {"LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= names
    assert {name.partition("/")[0] for name in names if "/" in name} == {"components", "policy"}


def test_the_engine_installs_the_plugin_from_its_archive_and_runs_it(
    release: Path, source: Source, tools: dict[str, Path], tmp_path: Path
) -> None:
    consumer = Consumer(tmp_path, tools, [write_host(tmp_path / "host")], standins=())
    archive = release / f"{archives.PLUGIN}-v{source.version}-linux-amd64.tar.gz"
    engine = str(tmp_path / "engine" / "bin" / "pulumi")
    named = [PACKAGE, f"v{source.version}"]
    consumer.run(
        [engine, "plugin", "install", "resource", *named, "--file", str(archive)], tmp_path
    )
    (installed,) = (tmp_path / "home" / "plugins").glob("resource-*[!k]")
    assert not (installed / "components").exists()
    schema = consumer.run([engine, "package", "get-schema", "@".join(named)], tmp_path)
    assert json.loads(schema)["version"] == source.version
    assert set(json.loads(schema)["resources"]) == set(package_schema()["resources"])

    def program() -> None:
        args = {"tags": {"owner": "platform", "environment": "staging", "dataClass": "internal"}}
        tags = Remote("TagConvention", "tags", args, outputs=["convention"])
        pulumi.export("labels", tags.output("convention"))

    outputs: Any = consumer.python(program).up().outputs
    assert outputs["labels"].value["environment"] == "staging"


def test_the_pack_is_a_distribution_with_the_same_version(release: Path, source: Source) -> None:
    (wheel,) = release.glob("kestra_policy_pack-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert f"Version: {source.version}\n" in packed.read(_metadata(packed)).decode()
        assert (
            f"version: {source.version}\n"
            in packed.read("kestra_policy_pack/PulumiPolicy.yaml").decode()
        )
    with tarfile.open(release / f"kestra_policy_pack-{source.version}.tar.gz") as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"PulumiPolicy.yaml", "requirements.txt", "__main__.py", "LICENSE", "NOTICE"} <= names
    assert not [name for name in names if "components" in name or "__pycache__" in name]


def test_the_steps_of_the_page_make_a_release(tmp_path: Path) -> None:
    """docs/releases.md, Making a release; the states of the stacks are only named."""
    root = copy_of_this(tmp_path / "repository")

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "releasing", *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    assert run("version", "9.8.7", "--day", "2027-01-02")[0] == 0
    status, text = run("build")
    assert status == 1
    assert "Traceback" not in text
    for lacking in (
        "Commit or remove them",
        "surfaces has no 9.8.7.json",
        "states has no 9.8.7",
        "git tag --sign v9.8.7",
    ):
        assert lacking in text
    assert run("snapshot")[0] == 0
    (root / "tests/upgrade/states/9.8.7").mkdir()
    (root / "tests/upgrade/states/9.8.7/local.json").write_text("{}")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "9.8.7")
    git(root, "tag", "v9.8.7")
    assert run("check") == (0, "Nothing keeps this commit from being released.\n")
    status, text = run("build")
    assert status == 0, text
    assert "built twice with the same bytes" in text
    assert (root / "dist" / "kestra_on_pulumi-9.8.7-py3-none-any.whl").is_file()
    assert run("notes", "--output", "release-notes.md")[0] == 0
    assert "### Added" in (root / "release-notes.md").read_text()
    # What it wrote is nothing of the commit's.
    assert git(root, "status", "--porcelain") == ""
