"""The components of the package, each of them alone in a program or several together.

Existing resources are arguments: a secret manager that is there (`secret` without `store`), a role, a namespace
(`deployment.createNamespace: false`), a store or an identity that another program made (`storeInterface`,
`identityInterface`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from .. import tags
from ..backends.aws.tag_limits import AWS_TAGS
from ..backends.azure.tag_limits import AZURE_TAGS
from ..backends.gcp.tag_limits import GOOGLE_LABELS
from ..backends.interface import Identity
from ..backends.registry import backend_of, create_identity
from ..generated_secrets import ENCRYPTION_KEY
from ..program import (
    Provisioned,
    Scope,
    create_stores,
    deploy_kestra,
    generate,
    guard_keys,
    needed_values,
    provision,
    read_versions,
)
from ..rendering.configuration import GeneratedValueRef, render
from ..safeguards.change_guard import watched
from ..secret_outputs import encryption_key, given_secrets, provided_values
from ..settings import Settings
from ..settings.tag_rules import KUBERNETES_LABELS
from ..storage.registry import create_storage
from . import interfaces
from .component import PackageComponent
from .property_types import Property

#: Settings of who reads and keeps secrets.
_STORE_SETTINGS = (
    "version", "edition", "encryption", "secret", "declared-secrets", "rotation", "deployment", "identity", "store",
    "tags",
)  # fmt: skip
#: Outputs of the program that the whole stack has by another name, since its arguments have theirs.
OUTPUT_NAMES = {"secret": "kubernetesSecret", "tags": "resourceTags"}


class KestraStack(PackageComponent):
    """Kestra on Kubernetes, whole: configuration, generated values, secret store, identity and pods."""

    NAMES_OBJECTS = True
    OUTPUTS: ClassVar[Mapping[str, Property]] = {
        "endpoint": Property("string", "Address of Kestra's web server within the cluster."),
        "namespace": Property("string", "Kubernetes namespace."),
        "serviceAccount": Property("string", "Kubernetes service account of the pods."),
        "principal": Property(
            "string", "Who Kestra is to the secret manager: an ARN, a member, a client id; empty for none."
        ),
        "deployments": Property("map", "Server component to the name of its Deployment."),
        "configMap": Property("string", "ConfigMap with the rendered configuration."),
        "kubernetesSecret": Property("string", "Kubernetes Secret of the pods' environment."),
        "secretIds": Property("map", "Declared secret to its id in the secret manager."),
        "alsoSecretIds": Property(
            "map", "The same in the second secret manager, while the stack moves.", is_required=False
        ),
        "versionIds": Property("map", "Declared secret to the id of its version."),
        "kmsKeyArn": Property(
            "string", "Of `store.teams` in AWS: ARN of the key that the stacks of teams name.", is_required=False
        ),
        "bucket": Property("string", "Of `storageBucket`: name of the bucket.", is_required=False),
        "storagePrincipal": Property(
            "string", "Of `storageBucket`: who Kestra's pods are to the bucket.", is_required=False
        ),
        "configuration": Property("string", "The rendered application.yaml; it holds no secret."),
        "resourceTags": Property("map", "The tags of every resource."),
        "generated": Property("map", "The values that the stack made, by settings path.", True),
    }  # fmt: skip

    def build(
        self, name: str, settings: Settings, extra: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        resources = provision(
            settings, _watched(self, settings), read_versions(settings, self.says), scope
        )
        return _outputs(deploy_kestra(name, settings, resources, scope))


class SecretStore(PackageComponent):
    """A secret manager for Kestra, of any kind: its key, the declared secrets, their policies, a copy of the
    encryption key to recover from. Without a block of its cloud in `store`, what exists is used. With
    `deployment.enabled: false` the secrets of a team alone, in the store of another Kestra."""

    SETTINGS = _STORE_SETTINGS
    ALONE = ("deployment",)
    TAKES_SECRETS_ALONE = True
    OUTPUTS: ClassVar[Mapping[str, Property]] = {
        "secretIds": Property("map", "Declared secret to its id in the secret manager."),
        "alsoSecretIds": Property(
            "map", "The same in the second secret manager, while the stack moves.", is_required=False
        ),
        "versionIds": Property("map", "Declared secret to the id of its version."),
        "encryptionKey": Property(
            "string", "The encryption key, given or generated, for `encryption.secretKey` of Kestra.", True, False
        ),
        "generated": Property("map", "The values that the component made, by settings path.", True),
        "interface": Property("StoreInterface", "What KestraIdentity and KestraDeployment need to know."),
    }  # fmt: skip

    def build(
        self, name: str, settings: Settings, extra: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        own = settings.encryption.secret_key is None and not settings.encryption.external
        keeps = own and not settings.is_secrets_alone and backend_of(settings).provisions(settings)
        generated = generate(settings, [ENCRYPTION_KEY] if keeps else [], scope)
        guard = guard_keys(settings, generated, _watched(self, settings), scope)
        key = encryption_key(settings, generated)
        secrets = given_secrets(settings) | generated.declared
        after = scope.options(guard.passed)
        versions = read_versions(settings, self.says)
        store, second = create_stores(settings, secrets, key, after, versions, scope)
        values = {f"declared-secrets.{name}": value for name, value in generated.declared.items()}
        return {
            "secretIds": store.secret_ids,
            **({} if second is None else {"alsoSecretIds": second.secret_ids}),
            "versionIds": store.version_ids,
            **({} if key is None else {"encryptionKey": key}),
            "generated": generated.values | values,
            "interface": interfaces.of_store(store),
        }


class KestraIdentity(PackageComponent):
    """Who Kestra's pods are to a secret store, with the least permissions that its mode needs. A role that exists
    (`identity.aws.roleArn` …) is named to the service account, and nothing is made."""

    SETTINGS = _STORE_SETTINGS
    ALONE = ("deployment",)
    ARGUMENTS: ClassVar[Mapping[str, Property]] = {
        "storeInterface": Property("StoreInterface", "The store whose secrets Kestra reads."),
    }
    OUTPUTS: ClassVar[Mapping[str, Property]] = {
        "principal": Property(
            "string", "Who Kestra is to the secret manager: an ARN, a member, a client id; empty for none."
        ),
        "serviceAccountAnnotations": Property("map", "Annotations of Kestra's Kubernetes service account."),
        "podLabels": Property("map", "Labels of the pods that use the identity."),
        "needsToken": Property("boolean", "Whether the pods mount the token of their service account."),
        "interface": Property("IdentityInterface", "What KestraDeployment needs to know."),
    }  # fmt: skip

    def build(
        self, name: str, settings: Settings, extra: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        store = interfaces.existing_store(settings, extra.get("storeInterface"))
        identity = create_identity(scope.logical("identity"), settings, store, scope.options())
        face = interfaces.of_identity(identity)
        shown = {name: value for name, value in face.items() if name != "environment"}
        return {**shown, "interface": face}


class KestraDeployment(PackageComponent):
    """Kestra's configuration and pods, given the interfaces of a store and of an identity that are there."""

    NAMES_OBJECTS = True
    ARGUMENTS: ClassVar[Mapping[str, Property]] = {
        "storeInterface": Property("StoreInterface", "The store whose secrets Kestra reads."),
        "identityInterface": Property("IdentityInterface", "Who Kestra is to the store."),
    }
    OUTPUTS: ClassVar[Mapping[str, Property]] = {
        name: KestraStack.OUTPUTS[name]
        for name in (
            "endpoint", "namespace", "serviceAccount", "deployments", "configMap", "kubernetesSecret",
            "bucket", "storagePrincipal", "configuration", "resourceTags", "generated",
        )
    }  # fmt: skip

    def build(
        self, name: str, settings: Settings, extra: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        configuration = render(settings)
        store, identity = extra.get("storeInterface"), extra.get("identityInterface")
        provided = interfaces.credentials(configuration, store, identity)
        generated = generate(settings, needed_values(settings, configuration), scope)
        guard = guard_keys(settings, generated, _watched(self, settings), scope)
        who = interfaces.existing_identity(identity)
        own = Identity() if settings.uses_external_secrets else who
        after = scope.options(guard.passed)
        resources = Provisioned(
            configuration,
            generated,
            given_secrets(settings) | generated.declared,
            replace(interfaces.existing_store(settings, store), environment=provided),
            who,
            guard,
            storage=create_storage(scope.logical("storage"), settings, own, after),
        )
        outputs = _outputs(deploy_kestra(name, settings, resources, scope))
        return {name: outputs[name] for name in self.OUTPUTS if name in outputs}


class KestraConfiguration(PackageComponent):
    """Kestra's application.yaml, checked and rendered. No resource is made, and nothing is generated."""

    NEEDS_SDK = False
    OUTPUTS: ClassVar[Mapping[str, Property]] = {
        "yaml": Property("string", "The rendered application.yaml. Secrets in it are `${VARIABLE}`."),
        "environment": Property("map", "Variable of the configuration to its value, as given.", True),
        "missing": Property(
            "map", "Variable of the configuration that needs a value of yours, to the settings path that it is of."
        ),
    }  # fmt: skip

    def build(
        self, name: str, settings: Settings, extra: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        configuration = render(settings)
        return {
            "yaml": configuration.yaml(),
            "environment": provided_values(settings, configuration),
            "missing": {
                variable: source.key
                for variable, source in configuration.environment.items()
                if isinstance(source, GeneratedValueRef)
            },
        }


class TagConvention(PackageComponent):
    """The tags of every resource, in the form that each target can hold. No resource is made."""

    NEEDS_SDK = False
    TAKES_SECRETS_ALONE = True
    SETTINGS = ("tags",)
    OUTPUTS: ClassVar[Mapping[str, Property]] = {
        "convention": Property("map", "The tags in one spelling."),
        "aws": Property("map", "Tags of AWS; absent where AWS cannot hold them.", is_required=False),
        "azure": Property("map", "Tags of Azure; absent where Azure cannot hold them.", is_required=False),
        "google": Property("map", "Labels of Google Cloud; absent where it cannot hold them.", is_required=False),
        "kubernetes": Property("map", "Labels of Kubernetes."),
    }  # fmt: skip

    def build(
        self, name: str, settings: Settings, extra: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        convention = tags.convention(settings.tags)
        targets = {
            "aws": AWS_TAGS,
            "azure": AZURE_TAGS,
            "google": GOOGLE_LABELS,
            "kubernetes": KUBERNETES_LABELS,
        }
        outputs: dict[str, Any] = {"convention": convention}
        for target, limits in targets.items():
            try:
                outputs[target] = tags.translate(convention, limits)
            except ValueError as error:
                pulumi.log.warn(f"TagConvention {name!r} has no output {target}: {error}", self)
        return outputs


COMPONENTS: dict[str, type[PackageComponent]] = {
    one.__name__: one
    for one in (
        KestraStack,
        SecretStore,
        KestraIdentity,
        KestraDeployment,
        KestraConfiguration,
        TagConvention,
    )
}


def _outputs(of_stack: Mapping[str, Any]) -> dict[str, Any]:
    return {OUTPUT_NAMES.get(name, name): value for name, value in of_stack.items()}


def _watched(component: PackageComponent, settings: Settings) -> pulumi.ResourceOptions | None:
    """Options of a guard that refuses; none under mocks, which know no hooks."""
    if isinstance(get_monitor(), MockMonitor):
        return None
    return watched(
        settings, f"kestra-guard of {component.token()} {component.pulumi_resource_name}"
    )
