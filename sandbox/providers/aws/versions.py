"""Versions of a secret: its values."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.providers.aws.connection import Aws, code
from sandbox.providers.aws.resource import AwsResource, present, two_parts
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties

_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_FORM = "SecretID|VersionID"


class SecretVersion(AwsResource):
    """A version. A new value is a new version.

    A value that somebody else writes is another version: this one only loses its stage, which the official
    provider takes for a difference only where `versionStages` is given.
    """

    service, label = "secretsmanager", "Secrets Manager Secret Version"
    computed = frozenset({"region", "versionStages"})
    sets = frozenset({"versionStages"})
    conflicts: ClassVar = (("secretString", "secretBinary", "secretStringWo"),)
    together: ClassVar = {
        "secretStringWo": "secretStringWoVersion",
        "secretStringWoVersion": "secretStringWo",
    }

    def check(self, p: Properties) -> Failures:
        failures = super().check(p)
        if isinstance(p.get("secretBinary"), str) and not _is_base64(p["secretBinary"]):
            failures.append(("secretBinary", '"secret_binary" must be base64-encoded'))
        return failures

    def name(self, p: Properties) -> str:
        return p["secretId"]

    def start(self, aws: Aws, p: Properties) -> str:
        binary = p.get("secretBinary")
        answer = self.client(aws, p).put_secret_value(
            SecretId=p["secretId"],
            ClientRequestToken=secrets.token_hex(16),
            **present(
                SecretBinary=base64.b64decode(binary) if binary else None,
                SecretString=p.get("secretStringWo") or p.get("secretString"),
                VersionStages=p.get("versionStages"),
            ),
        )
        return f"{p['secretId']}|{answer['VersionId']}"

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        secret, version = two_parts(id_, "|", _FORM)
        try:
            current = self.client(aws, p).get_secret_value(SecretId=secret, VersionId=version)
        except ClientError as error:
            if _is_gone(error):
                return None
            raise
        written_only = p.get("secretStringWoVersion") is not None
        binary, text = current.get("SecretBinary"), current.get("SecretString")
        out = p | {
            "arn": current["ARN"],
            "secretArn": current["ARN"],
            "secretId": secret,
            "secretBinary": base64.b64encode(binary).decode() if binary else "",
            "secretString": None if written_only else text or "",
            "hasSecretStringWo": written_only or None,
            "versionId": current["VersionId"],
            "versionStages": sorted(current.get("VersionStages") or []),
            "region": current["ARN"].split(":")[3],
        }
        # A write-only value is in the program and at AWS, never in the state.
        out.pop("secretStringWo", None)
        return out

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        client, (secret, version) = self.client(aws, p), two_parts(id_, "|", _FORM)
        before, after = set(olds.get("versionStages") or []), set(p.get("versionStages") or [])
        added = after - before
        for stage in sorted(added):
            source = _holder(client, secret, stage) if stage == _CURRENT else None
            client.update_secret_version_stage(
                SecretId=secret,
                VersionStage=stage,
                MoveToVersionId=version,
                **present(RemoveFromVersionId=source),
            )
        # The current stage can only move on, and takes the previous one along.
        kept = {_CURRENT} | ({_PREVIOUS} if _CURRENT in added else set())
        self._drop(client, secret, version, before - after - kept)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        secret, version = two_parts(id_, "|", _FORM)
        try:
            stages = set(p.get("versionStages") or []) - {_CURRENT}
            self._drop(self.client(aws, p), secret, version, stages)
        except ClientError as error:
            if not _is_gone(error):
                raise

    def _drop(self, client: Any, secret: str, version: str, stages: set[str]) -> None:
        for stage in sorted(stages):
            client.update_secret_version_stage(
                SecretId=secret, VersionStage=stage, RemoveFromVersionId=version
            )

    def parse(self, id_: str) -> Properties:
        return {"secretId": two_parts(id_, "|", _FORM)[0]}


def _holder(client: Any, secret: str, stage: str) -> str | None:
    every = client.list_secret_version_ids(SecretId=secret)["Versions"]
    return next((v["VersionId"] for v in every if stage in v.get("VersionStages", [])), None)


def _is_gone(error: ClientError) -> bool:
    # AWS: "because it was marked for deletion"; moto: "that's currently marked deleted".
    return code(error) == "ResourceNotFound" or (
        code(error) == "InvalidRequest" and "delet" in str(error)
    )


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True)) or not text
    except binascii.Error:
        return False
