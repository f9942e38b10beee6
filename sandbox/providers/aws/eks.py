"""EKS: clusters as far as moto has them, and pod identity associations, which moto 5.2.5 does not have.

An association is therefore kept by its inputs only, in a JSON file beside the server's state, which
`KESTRA_SANDBOX_POD_IDENTITIES` names: nothing judges whether role, cluster and service account exist.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, ClassVar

from filelock import FileLock

from sandbox.providers.aws.connection import Aws, absent
from sandbox.providers.aws.resource import AwsResource, Tagged, all_tags, present
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties

POD_IDENTITIES = "KESTRA_SANDBOX_POD_IDENTITIES"
_NETWORK = ("subnetIds", "securityGroupIds", "endpointPublicAccess", "endpointPrivateAccess")


class Cluster(Tagged):
    """A cluster, for tests: no node, no Kubernetes API. Only its tags can be changed."""

    service, label = "eks", "EKS Cluster"
    computed = frozenset(
        {
            "accessConfig",
            "controlPlaneScalingConfig",
            "deletionProtection",
            "kubernetesNetworkConfig",
            "name",
            "region",
            "upgradePolicy",
            "version",
        }
    )
    defaults: ClassVar[Properties] = {"bootstrapSelfManagedAddons": True}

    def start(self, aws: Aws, p: Properties) -> str:
        network = {n: p["vpcConfig"].get(n) for n in (*_NETWORK, "publicAccessCidrs")}
        self.client(aws, p).create_cluster(
            name=p["name"],
            roleArn=p["roleArn"],
            resourcesVpcConfig=present(**network),
            **present(version=p.get("version"), tags=all_tags(aws, p)),
        )
        return p["name"]

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        current = absent(
            lambda: self.client(aws, p).describe_cluster(name=id_)["cluster"], "ResourceNotFound"
        )
        if current is None:
            return None
        issuer = ((current.get("identity") or {}).get("oidc") or {}).get("issuer")
        network = current.get("resourcesVpcConfig") or {}
        return (
            p
            | {
                "arn": current["arn"],
                "certificateAuthority": {
                    "data": (current.get("certificateAuthority") or {}).get("data", "")
                },
                "createdAt": str(current["createdAt"]),
                "endpoint": current.get("endpoint", ""),
                "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
                "name": current["name"],
                "platformVersion": current.get("platformVersion", ""),
                "region": current["arn"].split(":")[3],
                "roleArn": current["roleArn"],
                "status": current["status"],
                "version": current.get("version", ""),
                "vpcConfig": (p.get("vpcConfig") or {})
                | {n: network[n] for n in _NETWORK if n in network},
            }
            | self.tagged(aws, p, current.get("tags") or {})
        )

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        rest = tuple(p.keys() - {"tags", "tagsAll"})
        if self.differ(rest, p, olds):
            raise ProviderError("this stand-in changes only the tags of a cluster")
        self.retag(aws, id_, p, olds)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        absent(lambda: self.client(aws, p).delete_cluster(name=id_), "ResourceNotFound")

    def same(self, name: str, before: Any, after: Any) -> bool:
        if name == "vpcConfig" and isinstance(before, dict) and isinstance(after, dict):
            return all(AwsResource.same(self, n, before.get(n), after[n]) for n in after)
        return super().same(name, before, after)

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        arn = client.describe_cluster(name=id_)["cluster"]["arn"]
        client.tag_resource(resourceArn=arn, tags={t["Key"]: t["Value"] for t in tags})

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        arn = client.describe_cluster(name=id_)["cluster"]["arn"]
        client.untag_resource(resourceArn=arn, tagKeys=keys)


class PodIdentityAssociation(Tagged):
    """The association of a role with a service account of a cluster, by its inputs."""

    service, label = "eks", "EKS Pod Identity Association"
    computed = frozenset({"region"})
    defaults: ClassVar[Properties] = {"disableSessionTags": False}

    def name(self, p: Properties) -> str:
        return f"{p['clusterName']}/{p['namespace']}/{p['serviceAccount']}"

    def check(self, p: Properties) -> Failures:
        failures = super().check(p)
        if p.get("policy") is not None and p.get("disableSessionTags") is not True:
            failures.append(("policy", "policy requires disable_session_tags to be true"))
        return failures

    def start(self, aws: Aws, p: Properties) -> str:
        with _kept() as every:
            if any(self.name(other) == self.name(p) for other in every.values()):
                raise ProviderError(
                    f"ResourceInUseException: Association already exists for {self.name(p)}"
                )
            id_ = f"a-{secrets.token_hex(9)[:17]}"
            every[id_] = self._record(aws, id_, p)
        return id_

    def _record(self, aws: Aws, id_: str, p: Properties) -> Properties:
        region = p.get("region") or aws.region
        account = aws.client("sts").get_caller_identity()["Account"]
        arn = f"arn:aws:eks:{region}:{account}:podidentityassociation/{p['clusterName']}/{id_}"
        external = f"{region}/{account}/{p['clusterName']}/{id_}" if p.get("targetRoleArn") else ""
        tags = {"tags": all_tags(aws, p)}
        return p | tags | {"associationArn": arn, "externalId": external, "region": region}

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        with _kept() as every:
            current = every.get(id_)
        if current is None:
            return None
        return p | current | {"associationId": id_} | self.tagged(aws, p, current["tags"])

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        with _kept() as every:
            every[id_] = self._record(aws, id_, p)

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        with _kept() as every:
            every.pop(id_, None)

    def parse(self, id_: str) -> Properties:
        return {"clusterName": id_.partition(",")[0]}

    def imported(self, id_: str) -> str:
        return id_.rpartition(",")[2]


class _kept:  # noqa: N801 - used like a function
    """The associations, written back at the end."""

    def __init__(self) -> None:
        name = os.environ.get(POD_IDENTITIES)
        if not name:
            raise ProviderError(
                "moto has no EKS pod identity associations; set KESTRA_SANDBOX_POD_IDENTITIES to the file that "
                "is to keep them, or install the official plugin"
            )
        self._file = Path(name)
        self._lock = FileLock(f"{name}.lock")

    def __enter__(self) -> dict[str, Properties]:
        self._lock.acquire()
        self._every = json.loads(self._file.read_text()) if self._file.exists() else {}
        return self._every

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            self._file.write_text(json.dumps(self._every, indent=1, sort_keys=True))
        self._lock.release()
