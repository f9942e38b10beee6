"""Values of external secrets in AWS Secrets Manager and SSM Parameter Store."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from ... import tags
from ...settings.declared import SPECIAL, Generate
from ...settings.model import Settings
from ..answers import SECONDS, CurrentVersion, UnansweredError, own_words
from ..external_values import ENCRYPTION_KEY, NO_PLACE, NO_VALUE, Option
from ..secret_naming import filtered_name, secret_tags
from ..secret_naming import recovery_name as recovery_parameter
from .names import RECOVERY_TEXT, recovery_name, secret_name
from .principals import aws_block
from .tag_limits import AWS_TAGS


class AwsValues:
    """What both managers share: who asks, and in which region."""

    service: str

    def __init__(self, settings: Settings, option: Option) -> None:
        block = aws_block(settings)
        self._settings = settings
        self._region = (block and block.region) or option("aws:region")
        self._profile = option("aws:profile")

    @cached_property
    def _client(self) -> Any:
        session = boto3.Session(profile_name=self._profile, region_name=self._region)
        limits = Config(
            connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 3}
        )
        return session.client(self.service, config=limits)

    def _call(self, action: str, hidden: Collection[str] = (), **request: Any) -> dict[str, Any]:
        """The answer.

        Raises:
            ClientError: what is asked for does not exist.
            UnansweredError: AWS does not answer, or refuses with the words that follow.
        """
        try:
            call: Callable[..., dict[str, Any]] = getattr(self._client, action)
            return call(**request)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ("ResourceNotFoundException", "ParameterNotFound"):
                raise
            words = own_words(str(error.response.get("Error", {}).get("Message", "")), hidden)
            raise UnansweredError(f"AWS refuses the question ({code}): {words}") from None
        except ParamValidationError:
            # Its text repeats what was sent.
            raise UnansweredError("AWS takes no such value.") from None
        except BotoCoreError as error:
            words = own_words(str(error), hidden)
            raise UnansweredError(
                f"AWS does not answer ({type(error).__name__}): {words}"
            ) from None

    def _tags(self, name: str) -> dict[str, str]:
        labels = tags.convention(self._settings.tags)
        if name != ENCRYPTION_KEY:
            labels = secret_tags(self._settings, name, self._settings.declared_secrets[name])
        return tags.translate(labels, AWS_TAGS)

    def random(self, generate: Generate) -> str | None:
        return None


class SecretsManagerValues(AwsValues):
    """The external secrets of a stack in AWS Secrets Manager; see `ExternalValues`."""

    service = "secretsmanager"

    def _name(self, name: str) -> str:
        if name == ENCRYPTION_KEY:
            return recovery_name(self._settings)
        return secret_name(self._settings, name, self._settings.declared_secrets[name])

    def version(self, name: str) -> CurrentVersion:
        try:
            secret = self._call("describe_secret", SecretId=self._name(name))
        except ClientError:
            return CurrentVersion("", NO_PLACE)
        if secret.get("DeletedDate"):
            return CurrentVersion("", "it is being deleted")
        versions = secret.get("VersionIdsToStages") or {}
        number = next((v for v, stages in versions.items() if "AWSCURRENT" in stages), "")
        if not number:
            return CurrentVersion("", NO_VALUE)
        return CurrentVersion(number, "", _moment(secret.get("LastChangedDate")))

    def write(self, name: str, value: str) -> CurrentVersion:
        try:
            written = self._call(
                "put_secret_value", (value,), SecretId=self._name(name), SecretString=value
            )
        except ClientError:
            raise UnansweredError(
                f"AWS Secrets Manager has no secret {self._name(name)}: `pulumi up` makes it first."
            ) from None
        return CurrentVersion(written["VersionId"])

    def read(self, name: str) -> str:
        try:
            secret = self._call("get_secret_value", SecretId=self._name(name))
        except ClientError:
            raise UnansweredError(f"{name} has no value in AWS Secrets Manager.") from None
        if "SecretString" not in secret:
            raise UnansweredError(f"{name} is no text in AWS Secrets Manager.")
        return secret["SecretString"]

    def random(self, generate: Generate) -> str | None:
        others = "".join(c for c in string.punctuation if c not in SPECIAL)
        chosen: dict[str, Any] = (
            {"ExcludeCharacters": others} if generate.special else {"ExcludePunctuation": True}
        )
        answer = self._call(
            "get_random_password",
            PasswordLength=generate.length,
            RequireEachIncludedType=True,
            **chosen,
        )
        return answer["RandomPassword"]


class ParameterValues(AwsValues):
    """The external secrets of a stack in SSM Parameter Store; see `ExternalValues`.

    There is no parameter without a value: the first write makes it, with the stack's key and tags.
    """

    service = "ssm"

    def version(self, name: str) -> CurrentVersion:
        chosen = {"Key": "Name", "Option": "Equals", "Values": [self._name(name)]}
        parameters = self._call("describe_parameters", ParameterFilters=[chosen])["Parameters"]
        if not parameters:
            return CurrentVersion("", NO_VALUE)
        one = parameters[0]
        return CurrentVersion(str(one["Version"]), "", _moment(one.get("LastModifiedDate")))

    def write(self, name: str, value: str) -> CurrentVersion:
        store = self._settings.store.aws
        key = store.kms.arn if store else None
        is_new = not self.version(name).number
        labels = [{"Key": k, "Value": v} for k, v in self._tags(name).items()]
        declared = self._settings.declared_secrets.get(name)
        text = declared.description if declared else RECOVERY_TEXT
        described = {"Description": text} if text else {}
        written = self._call(
            "put_parameter",
            (value,),
            Name=self._name(name),
            Value=value,
            Type="SecureString",
            Tier="Standard",
            KeyId=key or f"alias/{self._settings.deployment.namespace}-parameters",
            # Tags are taken for new parameters only.
            **({"Tags": labels} if is_new else {"Overwrite": True}),
            **described,
        )
        return CurrentVersion(str(written["Version"]))

    def read(self, name: str) -> str:
        try:
            answer = self._call("get_parameter", Name=self._name(name), WithDecryption=True)
        except ClientError:
            raise UnansweredError(f"{name} has no value in AWS Parameter Store.") from None
        return answer["Parameter"]["Value"]

    def _name(self, name: str) -> str:
        if name == ENCRYPTION_KEY:
            return recovery_parameter(self._settings)
        return filtered_name(self._settings, name)


def _moment(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else ""
