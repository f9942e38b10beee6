"""What AWS answers to a program with mocks: who asks, where, and the outputs of what was made."""

from __future__ import annotations

from typing import Any

ACCOUNT, REGION = "111122223333", "eu-west-1"
ANSWERS: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:role/deployer",
        "id": ACCOUNT,
        "userId": "AIDA",
    },
    "aws:index/getPartition:getPartition": {
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
        "id": "aws",
    },
    "aws:index/getRegion:getRegion": {"region": REGION, "name": REGION, "id": REGION},
}


def outputs(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the provider fills in."""
    region = inputs.get("region", REGION)

    def arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"

    match type_.rsplit(":", 1)[-1]:
        case "Key":
            return {"arn": arn("kms", f"key/{name}"), "keyId": name}
        case "Secret":
            return {"arn": arn("secretsmanager", f"secret:{inputs['name']}-AbCdEf")}
        case "SecretVersion":
            return {"versionId": f"version-of-{name}"}
        case "Parameter":
            return {"arn": arn("ssm", f"parameter/{inputs['name']}"), "version": 1}
        case "Role":
            return {"arn": f"arn:aws:iam::{ACCOUNT}:role/{inputs['name']}"}
        case "PodIdentityAssociation":
            return {"associationId": "a-of-mock"}
    return {}
