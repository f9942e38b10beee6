"""The rotation of secrets."""

from __future__ import annotations

import secrets
from typing import ClassVar

from sandbox.providers.aws.connection import Aws
from sandbox.providers.aws.resource import AwsResource, present
from sandbox.providers.aws.secretsmanager import described
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import ZERO
from sandbox.providers.runtime.values import Properties


class SecretRotation(AwsResource):
    """The rotation of a secret by a function."""

    service, label = "secretsmanager", "Secrets Manager Secret Rotation"
    computed = frozenset({"region", "rotationEnabled"})
    defaults: ClassVar[Properties] = {"rotateImmediately": True}

    def name(self, p: Properties) -> str:
        return p["secretId"]

    def check(self, p: Properties) -> Failures:
        failures, rules = super().check(p), p.get("rotationRules")
        disabled = p.get("rotationEnabled") is False
        if disabled and rules not in ZERO:
            failures.append(
                (
                    "rotationRules",
                    "`rotation_rules` cannot be set when `rotation_enabled` is `false`",
                )
            )
        elif not disabled and rules in ZERO:
            failures.append(
                (
                    "rotationRules",
                    "`rotation_rules` is required unless `rotation_enabled` is `false`",
                )
            )
        if isinstance(rules, dict):
            chosen = [n for n in ("automaticallyAfterDays", "scheduleExpression") if rules.get(n)]
            if len(chosen) != 1:
                failures.append(
                    (
                        "rotationRules",
                        "Invalid combination of arguments. one of `rotation_rules.0.automatically_after_"
                        "days,rotation_rules.0.schedule_expression` must be specified",
                    )
                )
        return failures

    def start(self, aws: Aws, p: Properties) -> str:
        client, rules = self.client(aws, p), p.get("rotationRules") or {}
        if p.get("rotationEnabled") is False:
            return client.cancel_rotate_secret(SecretId=p["secretId"])["ARN"]
        metadata = [
            {"Key": one["key"], "Value": one["value"]}
            for one in p.get("externalSecretRotationMetadatas") or []
        ]
        answer = client.rotate_secret(
            SecretId=p["secretId"],
            ClientRequestToken=secrets.token_hex(16),
            RotateImmediately=p["rotateImmediately"],
            **present(
                RotationLambdaARN=p.get("rotationLambdaArn"),
                ExternalSecretRotationMetadata=metadata,
                ExternalSecretRotationRoleArn=p.get("externalSecretRotationRoleArn"),
                RotationRules=present(
                    AutomaticallyAfterDays=rules.get("automaticallyAfterDays"),
                    ScheduleExpression=rules.get("scheduleExpression"),
                    Duration=rules.get("duration"),
                ),
            ),
        )
        return answer["ARN"]

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        current = described(self.client(aws, p), id_)
        if current is None:
            return None
        enabled, rules = bool(current.get("RotationEnabled")), current.get("RotationRules") or {}
        asked = p.get("rotationRules") or {}
        if asked.get("scheduleExpression") and "ScheduleExpression" not in rules:
            # The local API server keeps no schedules, and takes a rotation by schedule for none.
            enabled = bool(current.get("RotationLambdaARN"))
            rules = {"ScheduleExpression": asked["scheduleExpression"]} | present(
                Duration=asked.get("duration")
            )
        by_days = None if rules.get("ScheduleExpression") else rules.get("AutomaticallyAfterDays")
        shown = present(
            automaticallyAfterDays=by_days,
            scheduleExpression=rules.get("ScheduleExpression"),
            duration=rules.get("Duration"),
        )
        return p | {
            "rotationEnabled": enabled,
            "rotationLambdaArn": current.get("RotationLambdaARN", "") if enabled else "",
            "rotationRules": shown if enabled else None,
            "secretId": id_,
            "region": id_.split(":")[3],
        }

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        # `rotateImmediately` alone asks for nothing.
        names = ("rotationEnabled", "rotationLambdaArn", "rotationRules")
        external = ("externalSecretRotationMetadatas", "externalSecretRotationRoleArn")
        if self.differ((*names, *external), p, olds):
            self.start(aws, p)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        self.client(aws, p).cancel_rotate_secret(SecretId=p["secretId"])
