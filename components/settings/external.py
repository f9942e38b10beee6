"""Blocks of secret managers that this project configures and does not provision (Enterprise Edition)."""

from __future__ import annotations

from typing import Literal

from .base import Duration, Secret, StrictBool, StrictInt, key
from .managers import MANAGER, FlatManager

ADDRESS = r"^https?://[^\s/]+"


def _timeout(default: str, what: str) -> str | None:
    return key(None, f"{what} timeout (Kestra: {default}).", unit="duration", source=MANAGER)


class PathManager(FlatManager):
    """Managers whose names are paths."""

    secret_path_prefix: str | None = key(
        None, "Prefix of the names in the manager (Kestra: none).", source=MANAGER
    )


class CyberArk(PathManager):
    """CyberArk Privilege Cloud."""

    address: str = key(text="Address.", pattern=ADDRESS, source=MANAGER)
    username: str = key(text="User name.", min_length=1, source=MANAGER)
    password: Secret = key(text="Password.", source=MANAGER)
    platform_id: str = key(text="Platform of the accounts.", min_length=1, source=MANAGER)
    safe_name: str = key(text="Safe that holds the accounts.", min_length=1, source=MANAGER)
    use_proxy: StrictBool | None = key(None, "Whether the system's proxy is used.", source=MANAGER)
    validate_certs: StrictBool | None = key(
        None, "Whether the server's certificate is checked.", source=MANAGER
    )


class Doppler(FlatManager):
    """Doppler."""

    token: Secret = key(
        text="Service token; a read token is enough in read-only mode.", source=MANAGER
    )
    project: str = key(text="Project.", min_length=1, source=MANAGER)
    config: str = key(text="Config of the project.", min_length=1, source=MANAGER)
    secret_name_prefix: str | None = key(None, "Prefix of the names.", source=MANAGER)
    connect_timeout: Duration | None = _timeout("PT15S", "Connection")
    read_timeout: Duration | None = _timeout("PT60S", "Read")


class OnePassword(PathManager):
    """1Password Connect."""

    address: str = key(text="Address of the Connect server.", pattern=ADDRESS, source=MANAGER)
    token: Secret = key(text="Connect token.", source=MANAGER)
    vault_id: str = key(text="Id of the vault.", min_length=1, source=MANAGER)
    validate_certs: StrictBool | None = key(
        None, "Whether the server's certificate is checked.", source=MANAGER
    )


class BeyondTrust(PathManager):
    """BeyondTrust Password Safe, Secrets Safe."""

    address: str = key(text="Address.", pattern=ADDRESS, source=MANAGER)
    api_key: Secret = key(text="API key.", source=MANAGER)
    run_as: str = key(text="User that the API key acts as.", min_length=1, source=MANAGER)
    folder_id: str | None = key(None, "Folder of the secrets.", min_length=1, source=MANAGER)
    owner_id: StrictInt | None = key(None, "Owner of new secrets.", ge=0, source=MANAGER)
    owner_type: Literal["User", "Group"] | None = key(
        None, "Kind of owner (Kestra: User).", source=MANAGER
    )
    api_version: Literal["V3_0", "V3_1"] | None = key(
        None, "Version of the API (Kestra: V3_0).", source=MANAGER
    )
    connect_timeout: Duration | None = _timeout("PT15S", "Connection")
    read_timeout: Duration | None = _timeout("PT1M", "Read")


class Delinea(PathManager):
    """Delinea Secret Server. `folder-id` and `secret-template-id` are needed to write."""

    address: str = key(text="Address.", pattern=ADDRESS, source=MANAGER)
    username: str = key(text="User name.", min_length=1, source=MANAGER)
    password: Secret = key(text="Password.", source=MANAGER)
    domain: str | None = key(None, "Domain of the user.", min_length=1, source=MANAGER)
    folder_id: StrictInt | None = key(None, "Folder of the secrets.", ge=-1, source=MANAGER)
    secret_template_id: StrictInt | None = key(
        None, "Template of new secrets.", ge=1, source=MANAGER
    )
    site_id: StrictInt | None = key(None, "Site of new secrets.", ge=1, source=MANAGER)
    connect_timeout: Duration | None = _timeout("PT15S", "Connection")
    read_timeout: Duration | None = _timeout("PT1M", "Read")


class Bitwarden(FlatManager):
    """Bitwarden Secrets Manager."""

    access_token: Secret = key(text="Access token of a machine account.", source=MANAGER)
    organization_id: str = key(text="Id of the organization.", min_length=1, source=MANAGER)
    api_url: str | None = key(
        None, "API (Kestra: https://api.bitwarden.com).", pattern=ADDRESS, source=MANAGER
    )
    identity_url: str | None = key(
        None, "Log-in (Kestra: https://identity.bitwarden.com).", pattern=ADDRESS, source=MANAGER
    )
    project_id: str | None = key(None, "Id of the project.", min_length=1, source=MANAGER)
    secret_name_prefix: str | None = key(None, "Prefix of the names.", source=MANAGER)
    connect_timeout: Duration | None = _timeout("PT15S", "Connection")
    read_timeout: Duration | None = _timeout("PT1M", "Read")
