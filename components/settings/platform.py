"""`datasources`, `kestra.queue`, `kestra.repository` and `kestra.storage`: what a deployment cannot do without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, SecretStr
from pydantic_core import PydanticKnownError

from .base import (
    CREDENTIAL_IN_URL,
    OPAQUE,
    Model,
    Secret,
    StrictBool,
    StrictInt,
    TextOrSecret,
    key,
    reveal,
)

FULL = "Kestra documentation, configuration/full-reference"

_JDBC_URL = r"^jdbc:|^\$\{"


def _jdbc_url(value: str | SecretStr) -> str | SecretStr:
    text = reveal(value) or ""
    if text != OPAQUE and not re.search(_JDBC_URL, text):
        raise PydanticKnownError("string_pattern_mismatch", {"pattern": _JDBC_URL})
    return value


JdbcUrl = Annotated[TextOrSecret, AfterValidator(_jdbc_url)]


class Datasource(Model):
    """A database connection."""

    url: JdbcUrl = key(text="JDBC URL; encrypt it when it holds a credential.", source=FULL)
    driver_class_name: str | None = key(None, "Java class of the driver.", source=FULL)
    username: str | None = key(None, "User name.", source=FULL)
    password: Secret | None = key(None, "Password, or `${NAME}`.", source=FULL)
    maximum_pool_size: StrictInt | None = key(
        None, "Connections at most (10).", unit="connections", ge=1, le=1000, source=FULL
    )
    minimum_idle: StrictInt | None = key(
        None, "Idle connections kept.", unit="connections", ge=0, le=1000, source=FULL
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            is_secret = name == "url" and CREDENTIAL_IN_URL.search(reveal(value) or "")
            yield name, "[secret]" if is_secret else value


class Queue(Model):
    """The queue between the components."""

    type: Literal["h2", "memory", "postgres", "mysql", "kafka", "amqp", "redis"] = key(
        text="Kind of queue; amqp and redis since 2.0, Enterprise.", source=FULL
    )


class Repository(Model):
    """Where flows and executions are kept."""

    type: Literal["h2", "memory", "postgres", "mysql", "elasticsearch"] = key(
        text="Kind of repository.", source=FULL
    )


class LocalStorage(Model):
    """Files in the container's own file system or volume."""

    base_path: str = key("/app/storage", "Folder.", pattern=r"^/", source=FULL)


class S3Storage(Model):
    """Amazon S3. Without keys Kestra uses the identity of its pod."""

    bucket: str = key(text="Bucket.", min_length=3, max_length=63, source=FULL)
    region: str | None = key(None, "Region.", source=FULL)
    endpoint: str | None = key(None, "Other endpoint.", source=FULL)
    access_key: Secret | None = key(None, "Static access key id.", source=FULL)
    secret_key: Secret | None = key(None, "Static secret access key.", source=FULL)
    force_path_style: StrictBool | None = key(None, "Bucket in the path.", source=FULL)
    sts_role_arn: str | None = key(None, "Role to assume.", source=FULL)


class GcsStorage(Model):
    """Google Cloud Storage."""

    bucket: str = key(text="Bucket.", min_length=3, source=FULL)
    project_id: str | None = key(None, "Project.", source=FULL)
    service_account: Secret | None = key(None, "Key as JSON text.", source=FULL)


class AzureStorage(Model):
    """Azure Blob Storage, without hierarchical namespace."""

    endpoint: str = key(text="Account endpoint.", pattern=r"^https?://", source=FULL)
    container: str = key(text="Container.", min_length=3, source=FULL)
    connection_string: Secret | None = key(None, "Connection string.", source=FULL)
    shared_key_account_name: str | None = key(None, "Account name.", source=FULL)
    shared_key_account_access_key: Secret | None = key(None, "Account key.", source=FULL)
    sas_token: Secret | None = key(None, "Shared access signature.", source=FULL)


class MinioStorage(Model):
    """MinIO."""

    endpoint: str = key(text="Host.", min_length=1, source=FULL)
    port: StrictInt | None = key(None, "Port.", ge=1, le=65535, source=FULL)
    secure: StrictBool | None = key(None, "Whether TLS is used.", source=FULL)
    bucket: str = key(text="Bucket.", min_length=3, source=FULL)
    access_key: Secret | None = key(None, "Access key.", source=FULL)
    secret_key: Secret | None = key(None, "Secret key.", source=FULL)


StorageType = Literal[
    "local", "s3", "gcs", "azure", "minio", "s3files", "seaweedfs", "cloudflare", "obs"
]


class Storage(Model):
    """Kestra's internal storage."""

    type: StorageType = key(text="Kind of storage.", source=FULL)
    local: LocalStorage | None = key(None, "Block of its type.", source=FULL)
    s3: S3Storage | None = key(None, "Block of its type.", source=FULL)
    gcs: GcsStorage | None = key(None, "Block of its type.", source=FULL)
    azure: AzureStorage | None = key(None, "Block of its type.", source=FULL)
    minio: MinioStorage | None = key(None, "Block of its type.", source=FULL)
