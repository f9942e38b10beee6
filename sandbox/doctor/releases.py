"""What is known of the releases that a stack runs with: published holes of Kestra, the end of a cloud's API."""

from __future__ import annotations

import datetime
import importlib.metadata
from collections.abc import Iterator

from components.backends.azure.management_api import (
    OLDEST_SERVED,
    RETIREMENT,
    is_retired,
    sdk_api_version,
)
from components.backends.registry import clouds
from components.sdk_packages import SDK_PACKAGES
from components.settings import Settings
from policy.advisories import table
from sandbox.doctor.machine import Check
from sandbox.release import release

OLD_AFTER = 90
"""Days after which the table of advisories is called old."""
_HOW = "docs/advisories.md says how to bring it up to date"


def examine_releases(settings: Settings, today: datetime.date | None = None) -> Iterator[Check]:
    """The checks; nothing is fetched.

    Args:
        settings: the stack's settings.
        today: the day of the checks; default: today.
    """
    today = today or datetime.datetime.now(datetime.UTC).date()
    if not settings.is_secrets_alone:
        runs = release(settings)
        yield Check("Kestra's release", runs.words, runs.is_clean, runs.remedy)
        yield _table(today)
    # A missing SDK is a lack of the machine's.
    if "azure" in clouds(settings) and SDK_PACKAGES["azure"].is_installed:
        yield _azure(today)


def _table(today: datetime.date) -> Check:
    as_of = table().as_of
    words = f"{len(table().advisories)} of Kestra, as of {as_of}"
    if (today - as_of).days > OLD_AFTER:
        words += f", more than {OLD_AFTER} days ago: {_HOW}"
    return Check("table of advisories", words, None)


def _azure(today: datetime.date) -> Check:
    package = f"pulumi-azure-native {importlib.metadata.version('pulumi-azure-native')}"
    version, name = sdk_api_version(), "Key Vault's API"
    if version is None:
        words = (
            f"{package} does not say which; Azure ends those before {OLDEST_SERVED} on {RETIREMENT}"
        )
        return Check(name, words, None)
    if not is_retired(version):
        return Check(name, f"{version} ({package})", True)
    days = (RETIREMENT - today).days
    when = f"in {days} days, on {RETIREMENT}" if days > 0 else f"since {RETIREMENT}"
    words = f"{version} ({package}); Azure serves it no longer {when}"
    remedy = (
        f"Raise pulumi-azure-native to a release with {OLDEST_SERVED} or later"
        " (docs/backends/azure-key-vault.md); what Kestra reads is not concerned."
    )
    return Check(
        name, words if days <= 0 else f"{words}. {remedy}", False if days <= 0 else None, remedy
    )
