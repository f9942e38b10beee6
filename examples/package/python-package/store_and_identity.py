"""A secret manager and who Kestra is to it, without its pods: AWS and EKS (docs/package.md)."""

import pulumi
from kestra_pulumi import KestraIdentity, SecretStore

config = pulumi.Config()

settings = {
    "edition": "enterprise",
    "secret": {
        "type": "aws-secret-manager",
        "read_only": True,
        "aws_secret_manager": {"region": "eu-west-1"},
    },
    "store": {"aws": {}},
    "identity": {"aws": {"irsa": {"oidc_provider_arn": config.require("oidcProviderArn")}}},
    "declared_secrets": {
        "API_TOKEN": {"namespace": "company.team", "value": config.require_secret("apiToken")}
    },
}
store = SecretStore("secrets", settings)
identity = KestraIdentity("kestra", {**settings, "store_interface": store.interface})

pulumi.export("secretIds", store.secret_ids)
pulumi.export("principal", identity.principal)
