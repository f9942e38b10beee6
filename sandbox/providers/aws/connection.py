"""The connection to an AWS API server, as the provider's settings and the environment describe it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.retry import deadline

SETTINGS = frozenset(
    {
        "accessKey",
        "allowedAccountIds",
        "defaultTags",
        "endpoints",
        "forbiddenAccountIds",
        "insecure",
        "maxRetries",
        "region",
        "secretKey",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "token",
    }
)
"""The provider's settings that this stand-in has; each other one is refused by its name."""
ATTEMPTS = 25
_SERVICES = {"secretsmanager": "Secrets Manager"}


def code(error: ClientError) -> str:
    """AWS's code of an error. IAM leaves out the word Exception; the others have it."""
    return error.response.get("Error", {}).get("Code", "").removesuffix("Exception")


def absent(call: Callable[[], Any], *codes: str) -> Any:
    """The answer; None when AWS says one of the codes (without the word Exception)."""
    try:
        return call()
    except ClientError as error:
        if code(error) in codes:
            return None
        raise


def words(error: Exception, service: str) -> str:
    """An error in the official provider's form, with AWS's code and message."""
    if isinstance(error, (Foreign, Late)):
        return str(error)
    if not isinstance(error, ClientError):
        # botocore's own text may quote what was sent.
        return f"the AWS API server does not answer as expected ({type(error).__name__})"
    said = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return (
        f"operation error {_SERVICES.get(service, service.upper())}: {error.operation_name}, https "
        f"response error StatusCode: {status}, {said.get('Code', '')}: "
        f"{' '.join(str(said.get('Message', '')).split())}"
    )


class Late(BotoCoreError):
    """The operation's time is over: nothing more is sent, for nobody would record what it makes."""

    fmt = "context deadline exceeded"


class Foreign(BotoCoreError):
    """Something answered that is not AWS, or an answer broke off; botocore takes it for an empty one."""

    fmt = "the answer is not JSON, so it is not AWS's"


#: What a call can end with but an answer.
ERRORS = (ClientError, BotoCoreError, ResponseParserError)


def _is_json(http_response: Any, model: Any, **_: Any) -> None:
    promised = "json" in model.service_model.metadata.get("protocol", "")
    if not promised or http_response.status_code >= 300:
        return
    try:
        json.loads(http_response.content or b"{}")
    except ValueError:
        raise Foreign from None


def _in_time(**_: Any) -> None:
    if time.monotonic() >= deadline():
        raise Late


class Aws:
    """Clients for a region.

    Without an endpoint there is nothing to talk to: a real AWS account is for the official plugin only.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = {k: _decoded(v) for k, v in config.items()}
        unknown = sorted(k for k in config if k not in SETTINGS | {"version"} and k[:2] != "__")
        if unknown:
            raise ProviderError(
                f"this stand-in does not have the provider setting {unknown[0]}; "
                "install the official plugin to use it"
            )
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._refused: ProviderError | None = None

    @property
    def region(self) -> str:
        """The provider's region.

        Raises:
            ProviderError: when there is none.
        """
        name = self._text("region", "AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
        if not name:
            raise ProviderError("missing region: set AWS_REGION or `pulumi config set aws:region`")
        return name

    @property
    def default_tags(self) -> dict[str, str]:
        """Tags of every resource that does not say otherwise."""
        return dict((self._config.get("defaultTags") or {}).get("tags") or {})

    def client(self, service: str, region: str | None = None) -> Any:
        """A client; the same one each time.

        Raises:
            ProviderError: when region, endpoint or credentials are missing, or the credentials are not
                valid or not for an account that the settings allow.
        """
        with self._lock:  # one check of the credentials, however many resources start at once; one failure tells of all
            if self._refused is not None:
                raise self._refused
            if self._session is None:
                try:
                    self._session = self._started()
                except ProviderError as error:
                    self._refused = error
                    raise
            return self._client(service, region or self.region, self._session)

    def _client(self, service: str, region: str, session: Session) -> Any:
        if (service, region) not in self._clients:
            # hashicorp/aws-sdk-go-base, aws_config.go: the standard mode; the provider's default is 25 attempts.
            attempts = int(self._text("maxRetries", "AWS_MAX_ATTEMPTS") or ATTEMPTS)
            client = session.client(
                service,
                region_name=region,
                endpoint_url=self._endpoint(service),
                verify=not self._flag("insecure"),
                config=Config(
                    connect_timeout=10,
                    read_timeout=60,
                    retries={"total_max_attempts": attempts, "mode": "standard"},
                    max_pool_connections=64,
                    proxies={},  # the caller's proxies are for the outside
                ),
            )
            client.meta.events.register("before-send", _in_time)
            client.meta.events.register("after-call", _is_json)
            self._clients[service, region] = client
        return self._clients[service, region]

    def _endpoint(self, service: str) -> str:
        stated = self._config.get("endpoints") or []
        named = {k: v for one in stated for k, v in one.items()}.get(service)
        endpoint = (
            named
            or os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
            or os.environ.get("AWS_ENDPOINT_URL")
        )
        if not endpoint:
            raise ProviderError(
                f"this stand-in talks to a local AWS API server, and has no endpoint for {service}: set "
                "AWS_ENDPOINT_URL; for an AWS account, install the official plugin"
            )
        return endpoint

    def _started(self) -> Session:
        access, secret = (
            self._text("accessKey", "AWS_ACCESS_KEY_ID"),
            self._text("secretKey", "AWS_SECRET_ACCESS_KEY"),
        )
        if not access or not secret:
            raise ProviderError(
                "No valid credential sources found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "aws:accessKey and aws:secretKey."
            )
        core = botocore.session.Session()
        # Nothing of the caller's profiles.
        core.set_config_variable("config_file", os.devnull)
        core.set_config_variable("credentials_file", os.devnull)
        session = Session(
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            aws_session_token=self._text("token", "AWS_SESSION_TOKEN") or None,
            botocore_session=core,
        )
        if not self._flag("skipCredentialsValidation") or not self._flag("skipRequestingAccountId"):
            self._verify(session)
        return session

    def _verify(self, session: Session) -> None:
        try:
            account = self._client("sts", self.region, session).get_caller_identity()["Account"]
        except ERRORS as error:
            raise ProviderError(
                f"validating provider credentials: retrieving caller identity from STS: {words(error, 'sts')}"
            ) from None
        allowed = self._config.get("allowedAccountIds")
        if (allowed and account not in allowed) or account in (
            self._config.get("forbiddenAccountIds") or []
        ):
            raise ProviderError(f"AWS account ID not allowed: {account}")

    def _text(self, name: str, variable: str) -> str:
        value = self._config.get(name)
        return str(value) if value not in (None, "") else os.environ.get(variable, "")

    def _flag(self, name: str) -> bool:
        return str(self._config.get(name, "")).lower() == "true"


def _decoded(value: Any) -> Any:
    # The engine hands on everything but text as JSON.
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
