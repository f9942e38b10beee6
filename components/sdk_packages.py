"""Which Python packages a stack needs besides those of every stack: the SDKs of its providers in clouds."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from .backends.external_values import external_names
from .backends.interface import SdkPackage
from .backends.registry import all_backends, backends_of
from .settings import Settings
from .storage.registry import storage_of

ROOT = Path(__file__).resolve().parents[1]


#: Owner of a provider (`Backend.owner`) to its SDK.
SDK_PACKAGES = {one.owner: one.sdk_package for one in all_backends() if one.sdk_package}


def sdk_packages(settings: Settings) -> list[SdkPackage]:
    """The SDKs that a stack imports: of its secret manager, of the second one while it moves, and of its bucket."""
    backends = backends_of(settings)
    packages = {one.sdk_package for one in backends}
    if storage := storage_of(settings):
        packages.add(storage.sdk_package)
    if external_names(settings):
        packages |= {one.values_package for one in backends}
    return sorted(filter(None, packages), key=lambda package: package.name)


def missing_packages(settings: Settings) -> str | None:
    """What to install before the stack can run, as one sentence with the command; None when all is there."""
    missing = [package for package in sdk_packages(settings) if not package.is_installed]
    if not missing:
        return None
    command = [sys.executable, "-m", "pip", "install", *_what(missing)]
    what = "secret manager" if storage_of(settings) is None else "secret manager or bucket"
    return (
        f"The stack's {what} needs {' and '.join(package.name for package in missing)}, which Python does "
        f"not find. Install with: {shlex.join(command)}"
    )


def _what(missing: list[SdkPackage]) -> list[str]:
    """What pip installs: locked requirements, or where this is an installed package, extras of it."""
    if all((ROOT / package.lock).is_file() for package in missing):
        files = [os.path.relpath(ROOT / package.lock) for package in missing]
        return [word for file in files for word in ("-r", file)]
    extras = sorted({Path(package.lock).stem for package in missing})
    return [f"kestra-on-pulumi[{','.join(extras)}]"]
