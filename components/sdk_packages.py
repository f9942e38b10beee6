"""Which Python packages a stack needs besides those of every stack: the SDKs of its secret managers' providers."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from components.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class SdkPackage:
    """The SDK of a Pulumi provider."""

    name: str
    """As the package index has it."""
    module: str
    """As Python imports it."""
    lock: str
    """The locked requirements that have it, relative to the project."""

    @property
    def is_installed(self) -> bool:
        """Whether Python finds it; nothing is imported."""
        return importlib.util.find_spec(self.module) is not None


SDK_PACKAGES = {
    "aws": SdkPackage("pulumi-aws", "pulumi_aws", "requirements/aws.txt"),
    "azure": SdkPackage("pulumi-azure-native", "pulumi_azure_native", "requirements/azure.txt"),
    "gcp": SdkPackage("pulumi-gcp", "pulumi_gcp", "requirements/gcp.txt"),
    "vault": SdkPackage("pulumi-vault", "pulumi_vault", "requirements/vault.txt"),
}


def sdk_packages(settings: Settings) -> list[SdkPackage]:
    """The SDKs that a stack imports: those of its secret manager, and of the second one while it moves."""
    providers: set[str] = set(settings.clouds)
    if any(manager.type == "vault" for manager in settings.managers):
        providers.add("vault")
    return [SDK_PACKAGES[provider] for provider in sorted(providers)]


def missing_packages(settings: Settings) -> str | None:
    """What to install before the stack can run, as one sentence with the command; None when all is there."""
    missing = [package for package in sdk_packages(settings) if not package.is_installed]
    if not missing:
        return None
    files = [os.path.relpath(ROOT / package.lock) for package in missing]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *(word for file in files for word in ("-r", file)),
    ]
    return (
        f"The stack's secret manager needs {' and '.join(package.name for package in missing)}, which Python does "
        f"not find. Install with: {shlex.join(command)}"
    )
