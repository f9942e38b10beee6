"""External Secrets: declared secrets from a secret manager to the pods of open-source Kestra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi

from ..backends.interface import Identity
from ..backends.registry import backend_of
from ..settings import Settings
from ..settings.declared import DeclaredSecret
from ..settings.durations import seconds
from .custom_resources import custom_resource
from .operator_install import install_operator
from .rollout import WAIT_FOR
from .service_accounts import service_account, token_review

API = "external-secrets.io/v1"
#: The operator says with this condition that a store can be used, and that a Secret is written.
READY = {WAIT_FOR: "condition=Ready"}
#: A store that is not ready is asked again after 1, 2, 4 … seconds.
_PATIENCE = pulumi.CustomTimeouts(create="5m", update="5m")


@dataclass(frozen=True)
class ExternalSecretsArgs:
    """What External Secrets needs to know."""

    settings: Settings
    namespace: pulumi.Input[str]
    labels: Mapping[str, str]
    identity: Identity
    version_ids: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Declared secret to the id of the version that this stack wrote."""
    after: Sequence[pulumi.Resource] = ()
    """What is there before the operator asks for a secret."""


class ExternalSecrets(pulumi.ComponentResource):
    """Declared secrets as variables `SECRET_<NAME>` in Secrets that External Secrets Operator writes.

    - A service account of its own, with the stack's identity in the secret manager: it may read exactly the declared
      secrets. Kestra's pods themselves may do nothing there.
    - A SecretStore in the stack's namespace, which logs in as that account. There is no credential.
    - What this stack wrote is read at the very version: an ExternalSecret for each set of versions, auto-named, whose
      Secret is immutable. Another version is another Secret, which rolls the pods; the old one stays until they are
      rolled.
    - What others rotate is read anew every `refresh-interval`. `followed` names its Secret for Reloader.
    - `up` waits until the operator says Ready.

    The values are in the secret manager and in these Secrets. None is in a Secret that Pulumi makes.

    Example:
        >>> ExternalSecrets("kestra-external", ExternalSecretsArgs(settings, "kestra", {}, identity))  # doctest: +SKIP
    """

    secrets: Sequence[pulumi.Output[str]]
    """Names of the Secrets whose keys are variables of the pods."""
    followed: Sequence[pulumi.Output[str]]
    """Names of those whose values others rotate."""

    def __init__(
        self, name: str, args: ExternalSecretsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:kestra:ExternalSecrets", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self._backend = backend_of(args.settings)
        self._child = pulumi.ResourceOptions(parent=self)
        installed = self._install()
        account = self._account()
        before = [*args.after, *args.identity.resources, *installed, *account]
        store = self._object(
            "store",
            "SecretStore",
            {"provider": self._backend.secret_store(args.settings, args.identity)},
            before,
        )
        pinned, floating = split(args.settings, args.version_ids)
        self.secrets, self.followed = [], []
        for suffix, names, spec in (
            ("declared", pinned, {"refreshPolicy": "CreatedOnce", "refreshInterval": "1h"}),
            (
                "followed",
                floating,
                {
                    "refreshPolicy": "Periodic",
                    "refreshInterval": f"{seconds(args.settings.store.refresh_interval)}s",
                },
            ),
        ):
            if names:
                written = self._object(
                    suffix,
                    "ExternalSecret",
                    {**spec, **self._secret(store, names, immutable=suffix == "declared")},
                    [],
                )
                self.secrets.append(written)
                if suffix == "followed":
                    self.followed.append(written)
        self.register_outputs({"secrets": self.secrets, "followed": self.followed})

    def _metadata(self, **more: Any) -> dict[str, Any]:
        return {"namespace": self._args.namespace, "labels": dict(self._args.labels), **more}

    def _install(self) -> list[pulumi.Resource]:
        if not self._settings.store.install:
            return []
        return install_operator(self._name, self._args.namespace, self._args.labels, self._child)

    def _account(self) -> list[pulumi.Resource]:
        """The service account, and where the secret manager asks the cluster about its token, the right to answer."""
        identity, name = self._args.identity, self._settings.store_account
        annotations = dict(identity.service_account_annotations)
        account = service_account(
            f"{self._name}-account", self._metadata(name=name), annotations, self._child
        )
        if not identity.needs_token:
            return [account]
        binding = token_review(
            f"{self._name}-token-review",
            f"{self._settings.deployment.namespace}-{name}-token-review",
            self._args.labels,
            [account.metadata["name"]],
            self._args.namespace,
            self._child,
        )
        return [account, binding]

    def _object(
        self, suffix: str, kind: str, spec: Any, before: Sequence[pulumi.Resource]
    ) -> pulumi.Output[str]:
        """Its name. Another specification is another object: the operator's condition does not say of which
        specification it is, and what is used is left alone until the other one is ready."""
        opts = pulumi.ResourceOptions(
            parent=self,
            depends_on=list(before),
            replace_on_changes=["spec"],
            custom_timeouts=_PATIENCE,
        )
        metadata = self._metadata(annotations=READY)
        written = custom_resource(f"{self._name}-{suffix}", API, kind, metadata, spec, opts)
        # A generic object: what the SDK has of it are the inputs and outputs themselves.
        return cast(Any, written).metadata["name"]

    def _secret(
        self,
        store: pulumi.Input[str],
        names: Mapping[str, pulumi.Input[str] | None],
        *,
        immutable: bool,
    ) -> dict[str, Any]:
        declared = self._settings.declared_secrets
        target: dict[str, Any] = {
            # The Secret goes with its ExternalSecret, and stays whatever happens in the secret manager.
            "creationPolicy": "Owner",
            "deletionPolicy": "Retain",
            "template": {
                "engineVersion": "v2",
                "mergePolicy": "Replace",
                "type": "Opaque",
                "metadata": {"labels": dict(self._args.labels)},
                "data": {variable(name): template(name, declared[name]) for name in names},
            },
        }
        if immutable:
            target["immutable"] = True
        return {
            "secretStoreRef": {"kind": "SecretStore", "name": store},
            "target": target,
            "data": [self._data_entry(name, declared[name], names[name]) for name in names],
        }

    def _data_entry(
        self, name: str, declared: DeclaredSecret, version: pulumi.Input[str] | None
    ) -> dict[str, Any]:
        settings, backend = self._settings, self._backend
        remote: dict[str, Any] = {"key": backend.secret_name(settings, name, declared)}
        if (of_value := backend.remote_field(declared)) is not None:
            remote["property"] = of_value
        if version is not None:
            remote["version"] = pulumi.Output.from_input(version).apply(backend.remote_version)
        return {"secretKey": name, "remoteRef": remote}


def variable(name: str) -> str:
    """The variable that open-source Kestra reads a secret from."""
    return f"SECRET_{name.upper()}"


def template(name: str, declared: DeclaredSecret) -> str:
    """What the operator makes of a value: base64, as Kestra reads it, besides that of the Secret's own data."""
    is_encoded = declared.existing is not None and declared.existing.encoding == "base64"
    return f'{{{{ index . "{name}" }}}}' if is_encoded else f'{{{{ index . "{name}" | b64enc }}}}'


def split(
    settings: Settings, version_ids: Mapping[str, pulumi.Input[str]]
) -> tuple[dict[str, pulumi.Input[str] | None], dict[str, pulumi.Input[str] | None]]:
    """Secrets at a version, and secrets whose newest value counts: name to version.

    A version is known of what this stack wrote, unless the secret manager rotates it, of external secrets that have a
    value, and where the settings name one. An external secret without a value is left out, which `up` warns of.
    """
    pinned: dict[str, pulumi.Input[str] | None] = {}
    floating: dict[str, pulumi.Input[str] | None] = {}
    for name, declared in sorted(settings.stored_secrets.items()):
        version = declared.existing.version if declared.existing else version_ids.get(name)
        if version is None and declared.is_external:
            continue
        if version is None or declared.rotation is not None:
            floating[name] = None
        else:
            pinned[name] = version
    return pinned, floating
