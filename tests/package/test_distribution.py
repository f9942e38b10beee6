"""The package as it is installed: what the wheel has, under what name, and that it needs one cloud's SDK at most."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from components.package.schema import FILE
from tests.conftest import ROOT
from tests.package.consumer_support import Consumer
from tests.package.distribution_support import build_wheel, install
from tests.package.relative_imports_support import relative, stale
from tests.test_requirements import pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXAMPLE = str(ROOT / "examples" / "package" / "python-package" / "store_and_identity.py")
_PROGRAM = textwrap.dedent(
    """
    import runpy
    import sys
    import pulumi

    class Mocks(pulumi.runtime.Mocks):
        def new_resource(self, args):
            return args.name, {**args.inputs, "arn": f"arn:aws:x:::{args.name}", "result": "r" * 64}

        def call(self, args):
            return {"accountId": "123456789012", "partition": "aws", "region": "eu-west-1"}

    pulumi.runtime.set_mocks(Mocks(), "project", "stack")
    OIDC = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
    config = {"project:oidcProviderArn": OIDC, "project:apiToken": "x"}
    pulumi.runtime.set_all_config(config, ["project:apiToken"])

    @pulumi.runtime.test
    def act():
        names = runpy.run_path(sys.argv[1])
        known = pulumi.Output.all(names["store"].secret_ids, names["identity"].principal)
        return known.apply(lambda known: print(*known))

    act()
    others = [m for m in sys.modules if m.startswith(("pulumi_azure", "pulumi_gcp", "pulumi_vault", "components"))]
    assert not others, others
    """
)

#: What the plugin's command does with `--help`.
_USAGE = textwrap.dedent(
    """
    from importlib.metadata import entry_points

    (plugin,) = entry_points(group="console_scripts", name="pulumi-resource-kestra-platform")
    sys.argv[1:] = ["--help"]
    plugin.load()()
    """
)


def test_imports_within_the_package_are_relative() -> None:
    files = "\n".join(str(file.relative_to(ROOT)) for file in stale())
    assert not files, f"run `python -m tests.package.relative_imports_support`:\n{files}"


@pytest.mark.parametrize(
    ("file", "module", "expected"),
    [
        ("program.py", ".settings.base", ".settings.base"),
        ("package/schema.py", "", ".."),
        ("package/schema.py", ".package.values", ".values"),
        ("backends/aws/backend.py", ".settings.model", "...settings.model"),
        ("backends/aws/backend.py", ".backends.cloud", "..cloud"),
        ("backends/aws/__init__.py", ".backends.aws.names", ".names"),
    ],
)
def test_an_import_is_written_from_where_it_stands(file: str, module: str, expected: str) -> None:
    assert relative(ROOT / "components" / file, module) == expected


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("dist"))


def test_the_wheel_has_the_package_under_its_own_name_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "kestra_pulumi",
        f"kestra_on_pulumi-{wheel.name.split('-')[1]}.dist-info",
    }
    assert {"kestra_pulumi/py.typed", "kestra_pulumi/package/schema.json"} <= set(names)
    assert not [name for name in names if "artifacts.py" in name or "__pycache__" in name]
    data = [p for p in (ROOT / "components").rglob("*") if p.suffix in (".tsv", ".json")]
    packed = {name.partition("/")[2] for name in names}
    assert {str(path.relative_to(ROOT / "components")) for path in data} <= packed


def test_an_extra_is_what_the_locks_of_its_cloud_have() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(extras) == {"aws", "azure", "gcp", "vault"}
    lists = {"core": PROJECT["project"]["dependencies"], **extras}
    for name, requirements in lists.items():
        locked = pins(ROOT / "requirements" / f"{name}.in")
        for requirement in requirements:
            package, lowest = re.split(r">=|,", requirement)[:2]
            assert locked[package.lower()].startswith(lowest), requirement


def test_the_builder_is_the_one_that_the_tests_have() -> None:
    pinned = pins(ROOT / "requirements" / "dev.in")["hatchling"]
    assert PROJECT["build-system"]["requires"] == [f"hatchling=={pinned}"]


def test_the_installed_package_runs_with_mocks_and_without_the_source_tree(
    wheel: Path, tmp_path: Path
) -> None:
    python = install(wheel, tmp_path / "environment") / "python"
    done = subprocess.run(
        [str(python), "-c", _PROGRAM + _USAGE, EXAMPLE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "kestra-identity-role" in done.stdout
    assert "usage: pulumi-resource-kestra-platform" in done.stdout
    command = [str(python), "-m", "kestra_pulumi", "--help"]
    usage = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    assert usage.startswith("usage: python -m kestra_pulumi")


@pytest.mark.engine
def test_the_engine_reads_the_schema_of_the_installed_plugin_by_its_path(
    wheel: Path, tmp_path: Path, tools: dict[str, Path]
) -> None:
    """As `pulumi package add PATH` does for programs in other languages."""
    plugin = install(wheel, tmp_path / "environment") / "pulumi-resource-kestra-platform"
    consumer = Consumer(tmp_path / "consumer", tools, [])
    command = [str(tools["pulumi"]), "package", "get-schema", str(plugin)]
    schema = json.loads(consumer.run(command, tmp_path))
    assert set(schema["resources"]) == set(json.loads(FILE.read_text())["resources"])


@pytest.mark.engine
def test_a_fresh_environment_has_the_extra_of_one_cloud_alone(wheel: Path, tmp_path: Path) -> None:
    """Needs the package index, or pip's cache of it; prints seconds and size for docs/package.md."""
    environment = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python, began = environment / "bin" / "python", time.monotonic()
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", f"{wheel}[aws]"]
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.monotonic() - began
    size = sum(file.lstat().st_size for file in environment.rglob("*") if file.is_file())
    print(f"{seconds:.0f} s, {size / 2**20:.0f} MiB")
    done = subprocess.run(
        [str(python), "-c", _PROGRAM, EXAMPLE], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    installed = {path.name for path in environment.glob("lib/python*/site-packages/pulumi_*")}
    assert "pulumi_aws" in installed
    assert not installed & {"pulumi_azure_native", "pulumi_gcp", "pulumi_vault"}
