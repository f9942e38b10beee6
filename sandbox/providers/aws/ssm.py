"""Parameters of the Systems Manager Parameter Store."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.providers.aws.connection import Aws, absent
from sandbox.providers.aws.resource import Tagged, present
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties

_VALUES = ("value", "insecureValue", "valueWo")
_VERSIONED = (
    "allowedPattern",
    "dataType",
    "description",
    "insecureValue",
    "keyId",
    "tier",
    "type",
    "value",
    "valueWoVersion",
)


class Parameter(Tagged):
    """A parameter. Each change of more than its tags is a new version."""

    service, label = "ssm", "SSM Parameter"
    computed = frozenset({"arn", "dataType", "insecureValue", "keyId", "region", "tier", "value"})
    choices: ClassVar = {
        "type": ("String", "StringList", "SecureString"),
        "tier": ("Standard", "Advanced", "Intelligent-Tiering"),
        "dataType": ("text", "aws:ssm:integration", "aws:ec2:image"),
    }
    together: ClassVar = {"valueWo": "valueWoVersion", "valueWoVersion": "valueWo"}

    def check(self, p: Properties) -> Failures:
        failures = super().check(p)
        if len([n for n in _VALUES if p.get(n) is not None]) != 1:
            failures.append(
                (
                    "value",
                    "Invalid combination of arguments. one of `insecure_value,value,value_wo` must be specified",
                )
            )
        if p.get("type") == "SecureString" and p.get("insecureValue") is not None:
            failures.append(
                (
                    "insecureValue",
                    "invalid configuration, cannot set type = SecureString and insecure_value",
                )
            )
        return failures

    def start(self, aws: Aws, p: Properties) -> str:
        overwrite, tags = bool(p.get("overwrite")), self.tags(aws, p)
        self._put(aws, p, overwrite, {} if overwrite else present(Tags=tags))
        return p["name"]

    def settle(self, aws: Aws, id_: str, p: Properties) -> None:
        if p.get("overwrite") and (tags := self.tags(aws, p)):
            self.tag(self.client(aws, p), id_, tags)  # not taken together with an overwrite

    def _put(self, aws: Aws, p: Properties, overwrite: bool, more: Properties) -> None:
        key = p.get("keyId") if p["type"] == "SecureString" else None
        value = p.get("valueWo") or p.get("insecureValue") or p.get("value")
        self.client(aws, p).put_parameter(
            Name=p["name"],
            Type=p["type"],
            Value=value,
            Overwrite=overwrite,
            **present(
                AllowedPattern=p.get("allowedPattern"),
                DataType=p.get("dataType"),
                Description=p.get("description"),
                KeyId=key,
                Tier=p.get("tier"),
            ),
            **more,
        )

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client, name = self.client(aws, p), p.get("name") or id_
        current = absent(
            lambda: client.get_parameter(Name=name, WithDecryption=True), "ParameterNotFound"
        )
        filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
        listed = (
            client.describe_parameters(ParameterFilters=filters)["Parameters"] if current else []
        )
        if not current or not listed:
            return None
        parameter, about = current["Parameter"], listed[0]
        written_only = p.get("valueWoVersion") is not None
        open_ = p.get("insecureValue") is not None and parameter["Type"] != "SecureString"
        out = p | {
            "arn": parameter["ARN"],
            "name": parameter["Name"],
            "type": parameter["Type"],
            "version": parameter["Version"],
            "value": None if written_only or open_ else parameter["Value"],
            "insecureValue": parameter["Value"] if open_ else None,
            "hasValueWo": written_only or None,
            "allowedPattern": about.get("AllowedPattern", ""),
            "dataType": about.get("DataType", "text"),
            "description": about.get("Description", ""),
            "keyId": about.get("KeyId", ""),
            "tier": about.get("Tier", "Standard"),
            "region": parameter["ARN"].split(":")[3],
        }
        out.pop("valueWo", None)
        tags = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
        return out | self.tagged(aws, p, tags)

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        if self.differ(_VERSIONED, p, olds):
            self._put(aws, p, p.get("overwrite") is not False, {})
        self.retag(aws, id_, p, olds)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        name = p.get("name") or id_
        absent(lambda: self.client(aws, p).delete_parameter(Name=name), "ParameterNotFound")

    def parse(self, id_: str) -> Properties:
        return {"name": id_}

    def same(self, name: str, before: Any, after: Any) -> bool:
        # AWS picks one of the others.
        if name == "tier" and before and after == "Intelligent-Tiering":
            return True
        return super().same(name, before, after)

    def replaces(self, before: Properties, after: Properties) -> set[str]:
        down = before.get("tier") == "Advanced" and after.get("tier") == "Standard"
        return {"tier"} if down else set()

    def moving(self, changed: set[str]) -> set[str]:
        return {"version"} if changed & set(_VERSIONED) else set()

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        client.add_tags_to_resource(ResourceType="Parameter", ResourceId=id_, Tags=tags)

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        client.remove_tags_from_resource(ResourceType="Parameter", ResourceId=id_, TagKeys=keys)
