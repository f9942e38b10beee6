"""What components of the package know of each other: the interfaces of a store and of an identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from ..backends.existing_store import ExistingStore
from ..backends.interface import Identity, Store
from ..backends.registry import is_provisioned
from ..generated_secrets import ENCRYPTION_KEY
from ..rendering.configuration import Configuration, GeneratedValueRef
from ..settings import Settings
from ..settings.report import Problem
from .property_names import Style, folded
from .property_types import ObjectType, Property
from .values import UNKNOWN, Value

STORE_INTERFACE = ObjectType(
    "A secret store, as far as an identity and Kestra need to know it: the `interface` of a SecretStore, or what "
    "another program made.",
    {
        "secretIds": Property("map", "Declared secret to its id in the secret manager."),
        "versionIds": Property(
            "map", "Declared secret to the id of its version; another one rolls the pods."
        ),
        "environment": Property(
            "map", "What the store provides, by settings path (`secret.vault.token`).", True
        ),
        "keyArn": Property("string", "Of AWS: ARN of the KMS key of the secrets."),
        "vaultId": Property("string", "Of Azure: resource id of the key vault."),
        "policy": Property("string", "Of Vault: name of the policy of Kestra's role."),
        "shortIds": Property("map", "Of Google: declared secret to its id in the project."),
    },
)
IDENTITY_INTERFACE = ObjectType(
    "Who Kestra is to its secret store: the `interface` of a KestraIdentity, or what another program made.",
    {
        "principal": Property(
            "string", "Who Kestra is to the secret manager: an ARN, a member, a client id."
        ),
        "serviceAccountAnnotations": Property(
            "map", "Annotations of Kestra's Kubernetes service account.", is_plain=True
        ),
        "podLabels": Property("map", "Labels of the pods that use the identity.", is_plain=True),
        "needsToken": Property(
            "boolean", "Whether the pods mount the token of their service account.", is_plain=True
        ),
        "environment": Property(
            "map", "Credentials of the identity, by settings path (`secret.vault.app-role.secret-id`).", True
        ),
    },
)  # fmt: skip
OBJECT_TYPES = {"StoreInterface": STORE_INTERFACE, "IdentityInterface": IDENTITY_INTERFACE}


_FORMS = {
    "map": "a map of texts",
    "string": "a text",
    "boolean": "true or false",
}


class InterfaceReader:
    """Reads interfaces among the arguments of a component, and says what is wrong with them."""

    def __init__(self, source: str, style: Style) -> None:
        """
        Args:
            source: what a problem names as the place of the arguments.
            style: how the program writes names.
        """
        self._source, self._style = source, style
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def read(self, value: Value, type_: ObjectType, name: str) -> Any:
        """An interface as inputs of resources, in the names of the schema; what is wrong is left out.

        Args:
            value: of the argument.
            type_: its type.
            name: of the argument, in the schema.
        """
        at = self._style.write(name)
        if not self._is_there(
            value, at, is_plain=any(p.is_plain for p in type_.properties.values())
        ):
            return value.to_input()
        if not isinstance(value.content, Mapping):
            self._refuse(
                at,
                "is no interface",
                "it is an object",
                "pass the output `interface` of a component",
            )
            return None
        names = {folded(key): key for key in type_.properties}
        read: dict[str, Any] = {}
        for written, part in value.content.items():
            key = names.get(folded(written))
            if key is None:
                known = ", ".join(map(self._style.write, type_.properties))
                self._refuse(f"{at}.{written}", "is no known key", f"one of {known}", "remove it")
                continue
            part = part.within(is_secret=value.is_secret)
            read[key] = self._property(
                part, type_.properties[key], f"{at}.{self._style.write(key)}"
            )
        return read

    def _property(self, value: Value, one: Property, at: str) -> Any:
        if self._is_there(value, at, is_plain=one.is_plain):
            content = value.content
            fits = {"map": Mapping, "string": str, "boolean": bool}[one.type]
            if not isinstance(content, fits):
                self._refuse(
                    at, f"is not {_FORMS[one.type]}", f"it takes {_FORMS[one.type]}", "correct it"
                )
                return None
            if isinstance(content, Mapping):
                wrong = [name for name, item in content.items() if not _is_text(item)]
                for name in wrong:
                    self._refuse(
                        f"{at}.{name}", "is no text", f"it takes {_FORMS['map']}", "correct it"
                    )
            if one.type == "boolean":
                return content
        return value.to_input()

    def _is_there(self, value: Value, at: str, *, is_plain: bool) -> bool:
        """Whether a value is known by now; says so where it has to be."""
        content = value.content
        if content is UNKNOWN and is_plain:
            self.warnings.append(
                Problem(
                    at,
                    self._source,
                    "is not known before the update",
                    "it has annotations and labels of the pods, which this preview leaves out",
                    "nothing: the update has them",
                    "warning",
                )
            )
        if isinstance(content, pulumi.Output) and is_plain:
            self._refuse(
                at,
                "is an output",
                "it has annotations and labels of the pods, and the value of an output is known only after they are registered",
                "pass the `interface` of a component, or a mapping whose values are outputs",
            )
        return not (content is None or content is UNKNOWN or isinstance(content, pulumi.Output))

    def _refuse(self, at: str, message: str, rule: str, fix: str) -> None:
        self.problems.append(Problem(at, self._source, message, rule, fix))


def _is_text(value: Value) -> bool:
    content = value.content
    return content is None or content is UNKNOWN or isinstance(content, (str, pulumi.Output))


def of_store(store: Store) -> dict[str, Any]:
    """The interface of a store."""
    optional = {
        "keyArn": getattr(store, "key_arn", None),
        "vaultId": getattr(store, "vault_id", None),
        "policy": getattr(store, "policy", None),
        "shortIds": getattr(store, "declared", None),
        "environment": pulumi.Output.secret(dict(store.environment)) if store.environment else None,
    }
    return {
        "secretIds": store.secret_ids,
        "versionIds": store.version_ids,
        **{name: value for name, value in optional.items() if value is not None},
    }


def of_identity(identity: Identity) -> dict[str, Any]:
    """The interface of an identity."""
    environment = pulumi.Output.secret(dict(identity.environment))
    return {
        "principal": identity.principal,
        "serviceAccountAnnotations": identity.service_account_annotations,
        "podLabels": identity.pod_labels,
        "needsToken": identity.needs_token,
        **({"environment": environment} if identity.environment else {}),
    }


def existing_store(settings: Settings, interface: Any) -> ExistingStore:
    """The store of an interface.

    Args:
        settings: those of the component that uses it.
        interface: plain, an output, or None for none.
    """
    return ExistingStore(
        {},
        {name: _part(interface, "secretIds", name) for name in settings.stored_secrets},
        _versions(settings, interface),
        _part(interface, "keyArn") if interface is not None else None,
        _part(interface, "vaultId").apply(_text),
        _part(interface, "policy").apply(_text),
        {name: _part(interface, "shortIds", name) for name in settings.written_secrets},
    )


def _versions(settings: Settings, interface: Any) -> dict[str, pulumi.Output[str]]:
    versions = interface.get("versionIds") if isinstance(interface, Mapping) else interface
    if versions is None:
        return {}
    if isinstance(versions, Mapping):
        return {name: pulumi.Output.from_input(version) for name, version in versions.items()}
    # Which secrets have a version is not known before the update; the hash of the pods takes all of them.
    names = (*settings.stored_secrets, ENCRYPTION_KEY)
    return {name: _part(interface, "versionIds", name).apply(_text) for name in names}


def existing_identity(interface: Any) -> Identity:
    """The identity of an interface, which is plain, an output, or None for none."""
    plain = interface if isinstance(interface, Mapping) else {}
    annotations, labels = plain.get("serviceAccountAnnotations"), plain.get("podLabels")
    return Identity(
        annotations if isinstance(annotations, Mapping) else {},
        labels if isinstance(labels, Mapping) else {},
        _part(interface, "principal").apply(_text),
        needs_token=plain.get("needsToken") is True,
    )


def credentials(
    configuration: Configuration, store: Any, identity: Any
) -> dict[str, pulumi.Output[str]]:
    """What a store and an identity provide of a configuration, by settings path.

    Args:
        configuration: of the component that uses them.
        store: the interface of the store.
        identity: the interface of the identity.
    """
    values = configuration.environment.values()
    keys = {one.key for one in values if isinstance(one, GeneratedValueRef)}
    return {
        key: pulumi.Output.all(
            _part(store, "environment", key), _part(identity, "environment", key)
        ).apply(lambda both, key=key: _provided(key, *both))
        for key in sorted(keys)
        if is_provisioned(key)
    }


def _provided(key: str, of_store: str | None, of_identity: str | None) -> str:
    value = of_store or of_identity
    if value is None:
        raise pulumi.RunError(
            f"{key} is needed, and neither storeInterface.environment nor identityInterface.environment has it. Pass "
            "the interface of the component that provides it, or set the key."
        )
    return value


def _part(value: Any, *path: str) -> pulumi.Output[Any]:
    """What stands at a path of a value, as an output: None where there is nothing."""
    for place, name in enumerate(path):
        if isinstance(value, pulumi.Output):
            rest = path[place:]
            return value.apply(lambda known, rest=rest: _at(known, rest))
        value = value.get(name) if isinstance(value, Mapping) else None
    return pulumi.Output.from_input(value)


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: str | None) -> str:
    return value or ""
