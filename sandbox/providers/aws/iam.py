"""Policies that roles refer to, and identity providers. IAM has no regions."""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.providers.aws.connection import Aws, absent, code
from sandbox.providers.aws.policies import kept
from sandbox.providers.aws.resource import Tagged, final_name, present
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import ZERO, normalize_json
from sandbox.providers.runtime.values import Properties

_VERSIONS = 5
"""How many versions of a policy IAM keeps."""


class Policy(Tagged):
    """A policy that roles refer to. A change makes a new version and the default of it."""

    service, label = "iam", "IAM Policy"
    computed = frozenset({"name", "namePrefix"})
    defaults: ClassVar[Properties] = {"path": "/"}
    policies = frozenset({"policy"})
    conflicts: ClassVar = (("name", "namePrefix"),)

    def start(self, aws: Aws, p: Properties) -> str:
        answer = self.client(aws, p).create_policy(
            PolicyName=final_name(p),
            Path=p["path"],
            PolicyDocument=normalize_json(p["policy"]),
            **present(Description=p.get("description"), Tags=self.tags(aws, p)),
        )
        return answer["Policy"]["Arn"]

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        current = absent(lambda: client.get_policy(PolicyArn=id_), "NoSuchEntity")
        if current is None:
            return None
        policy = current["Policy"]
        version = client.get_policy_version(PolicyArn=id_, VersionId=policy["DefaultVersionId"])
        return (
            p
            | {
                "arn": policy["Arn"],
                "attachmentCount": policy.get("AttachmentCount", 0),
                "description": policy.get("Description", ""),
                "name": policy["PolicyName"],
                "path": policy["Path"],
                "policy": kept(p.get("policy"), version["PolicyVersion"]["Document"]),
                "policyId": policy["PolicyId"],
            }
            | self.tagged(aws, p, policy.get("Tags"))
        )

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        client = self.client(aws, p)
        if self.differ(("policy",), p, olds):
            every = client.list_policy_versions(PolicyArn=id_)["Versions"]
            spare = [v for v in every if not v["IsDefaultVersion"]]
            if len(every) >= _VERSIONS and spare:
                oldest = min(spare, key=lambda v: v["CreateDate"])
                client.delete_policy_version(PolicyArn=id_, VersionId=oldest["VersionId"])
            client.create_policy_version(
                PolicyArn=id_, PolicyDocument=normalize_json(p["policy"]), SetAsDefault=True
            )
        self.retag(aws, id_, p, olds)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        client = self.client(aws, p)

        def remove() -> None:
            for version in client.list_policy_versions(PolicyArn=id_)["Versions"]:
                if not version["IsDefaultVersion"]:
                    client.delete_policy_version(PolicyArn=id_, VersionId=version["VersionId"])
            client.delete_policy(PolicyArn=id_)

        absent(remove, "NoSuchEntity")

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        client.tag_policy(PolicyArn=id_, Tags=tags)

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        client.untag_policy(PolicyArn=id_, TagKeys=keys)


class OpenIdConnectProvider(Tagged):
    """An identity provider. IAM keeps its URL without the scheme, and so does the output `url`."""

    service, label = "iam", "IAM OIDC Provider"
    computed = frozenset({"thumbprintLists"})
    sets = frozenset({"clientIdLists"})

    def check(self, p: Properties) -> Failures:
        failures, url = super().check(p), p.get("url")
        if isinstance(url, str) and not url.startswith("https://"):
            failures.append(("url", 'expected "url" to begin with https://'))
        thumbprints = p.get("thumbprintLists")
        if any(isinstance(t, str) and len(t) != 40 for t in thumbprints or []):
            failures.append(
                (
                    "thumbprintLists",
                    "expected length of thumbprint_list to be in the range (40 - 40)",
                )
            )
        return failures

    def name(self, p: Properties) -> str:
        return p["url"]

    def start(self, aws: Aws, p: Properties) -> str:
        answer = self.client(aws, p).create_open_id_connect_provider(
            Url=p["url"],
            ClientIDList=p["clientIdLists"],
            **present(ThumbprintList=p.get("thumbprintLists"), Tags=self.tags(aws, p)),
        )
        return answer["OpenIDConnectProviderArn"]

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        client = self.client(aws, p)
        current = absent(
            lambda: client.get_open_id_connect_provider(OpenIDConnectProviderArn=id_),
            "NoSuchEntity",
        )
        if current is None:
            return None
        return (
            p
            | {
                "arn": id_,
                "url": current["Url"].removeprefix("https://"),
                "clientIdLists": current["ClientIDList"],
                "thumbprintLists": current["ThumbprintList"],
            }
            | self.tagged(aws, p, current.get("Tags"))
        )

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        client = self.client(aws, p)
        if self.differ(("thumbprintLists",), p, olds) and p.get("thumbprintLists"):
            client.update_open_id_connect_provider_thumbprint(
                OpenIDConnectProviderArn=id_, ThumbprintList=p["thumbprintLists"]
            )
        before, after = set(olds.get("clientIdLists") or []), set(p["clientIdLists"])
        for one in sorted(after - before):
            client.add_client_id_to_open_id_connect_provider(
                OpenIDConnectProviderArn=id_, ClientID=one
            )
        for one in sorted(before - after):
            client.remove_client_id_from_open_id_connect_provider(
                OpenIDConnectProviderArn=id_, ClientID=one
            )
        self.retag(aws, id_, p, olds)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        try:
            self.client(aws, p).delete_open_id_connect_provider(OpenIDConnectProviderArn=id_)
        except ClientError as error:
            if code(error) != "NoSuchEntity":
                raise

    def same(self, name: str, before: Any, after: Any) -> bool:
        if name == "url" and before not in ZERO and after not in ZERO:
            return before.removeprefix("https://") == after.removeprefix("https://")
        return super().same(name, before, after)

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        client.tag_open_id_connect_provider(OpenIDConnectProviderArn=id_, Tags=tags)

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        client.untag_open_id_connect_provider(OpenIDConnectProviderArn=id_, TagKeys=keys)
