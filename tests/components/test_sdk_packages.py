"""A stack says which SDK it lacks before anything is registered; no other stack asks for it."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import program
from components.__main__ import main
from components.sdk_packages import SDK_PACKAGES, missing_packages, sdk_packages
from components.settings import Settings
from components.validation import load
from tests.components.test_program import _configure
from tests.conftest import ROOT, stack_document

STACKS = {
    "local": [],
    "local-vault": ["vault"],
    "example-aws-secret-manager": ["aws"],
    "example-aws-ssm-parameter-store": ["aws"],
    "example-azure-key-vault": ["azure"],
    "example-google-secret-manager": ["gcp"],
}


@pytest.fixture
def without_sdks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which no provider's SDK can be imported."""
    for package in SDK_PACKAGES.values():
        monkeypatch.setitem(sys.modules, package.module, None)


def checked(document: dict[str, Any]) -> Settings:
    return load(document, source="the test").settings


@pytest.mark.parametrize(("stack", "providers"), STACKS.items(), ids=STACKS)
def test_a_stack_needs_the_sdks_of_its_secret_manager_alone(
    stack: str, providers: list[str]
) -> None:
    settings = checked(stack_document(stack))
    assert sdk_packages(settings) == [SDK_PACKAGES[provider] for provider in providers]
    assert missing_packages(settings) is None


@pytest.mark.usefixtures("without_sdks")
@pytest.mark.parametrize("stack", [stack for stack, providers in STACKS.items() if providers])
def test_the_program_names_the_missing_sdk_and_registers_nothing(stack: str) -> None:
    recorder = _configure(stack_document(stack))
    (package,) = sdk_packages(checked(stack_document(stack)))
    with pytest.raises(pulumi.RunError) as caught:
        program.deploy()
    message = str(caught.value)
    assert f"needs {package.name}, which Python does not find" in message
    assert "\n" not in message
    words = shlex.split(message.partition("Install with: ")[2])
    assert words == [sys.executable, "-m", "pip", "install", "-r", package.lock]
    assert (ROOT / package.lock).is_file()
    assert recorder.resources == {}


@pytest.mark.usefixtures("without_sdks")
def test_a_stack_without_a_secret_manager_of_a_cloud_needs_no_sdk() -> None:
    assert missing_packages(checked(stack_document("local"))) is None


@pytest.mark.usefixtures("without_sdks")
def test_a_stack_that_moves_names_the_sdks_of_both_managers() -> None:
    moving: Any = stack_document("example-aws-secret-manager")
    moving["store"]["also"] = stack_document("production")["secret"]
    del moving["declared-secrets"]["DATABASE_PASSWORD"]["rotation"]
    message = missing_packages(checked(moving))
    assert message is not None
    assert "needs pulumi-aws and pulumi-vault, which" in message
    assert message.endswith("-r requirements/aws.txt -r requirements/vault.txt")


@pytest.mark.usefixtures("without_sdks")
def test_check_names_the_missing_sdk_of_a_valid_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(ROOT / "stacks" / "Pulumi.example-azure-key-vault.yaml")]) == 0
    printed = capsys.readouterr()
    assert "valid for Kestra" in printed.out
    assert "needs pulumi-azure-native, which" in printed.err


def test_an_installed_package_names_its_extras(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("components.sdk_packages.ROOT", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    settings = load(stack_document("example-aws-secret-manager"), source="test").settings
    message = missing_packages(settings)
    assert message is not None
    assert "kestra-on-pulumi[aws]" in message
