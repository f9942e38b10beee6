"""The version of Azure's management API for key vaults, and the day on which the old ones end.

Source: https://github.com/Azure/azure-cli/issues/34020 and
https://learn.microsoft.com/en-us/azure/key-vault/general/migrate-api-version; docs/backends/azure-key-vault.md.
"""

from __future__ import annotations

import datetime
import re

RETIREMENT = datetime.date(2027, 2, 27)
"""From this day on Azure serves no management API for key vaults that is older than `OLDEST_SERVED`."""
OLDEST_SERVED = "2026-02-01"


def sdk_api_version() -> str | None:
    """The oldest API version that the installed SDK uses for vaults, secrets and keys by default.

    The SDK says it in its documentation only. None where it does not.
    """
    from pulumi_azure_native import keyvault

    documents = (
        f.__doc__ or "" for f in (keyvault.get_vault, keyvault.get_secret, keyvault.get_key)
    )
    versions = [re.search(r"Uses Azure REST API version (\d{4}-\d\d-\d\d)", d) for d in documents]
    return min((match[1] for match in versions if match), default=None) if all(versions) else None


def is_retired(version: str) -> bool:
    """Whether an API version ends with the retirement; versions are dates, which sort as texts."""
    return version < OLDEST_SERVED
