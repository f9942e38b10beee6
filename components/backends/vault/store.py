"""HashiCorp Vault as the secret store: KV version 2, the policy of the mode, the declared secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_vault as vault

from ... import tags
from ...settings.managers import Vault as VaultBlock
from ..external_values import ENCRYPTION_KEY, keeps_key, record_version
from ..interface import StoreArgs
from .paths import (
    ENCRYPTION_KEY_PATH,
    KEY_FIELD,
    VALUE,
    secret_path,
    stack_engine,
)
from .permissions import policy_text, scope
from .tag_limits import VAULT_METADATA


class VaultStore(pulumi.ComponentResource):
    """Kestra's secrets in Vault.

    - A KV v2 engine at `root-engine`, protected in production.
    - A policy with exactly the paths and capabilities of the mode, and nothing else: in an engine that others use
      too, only what is Kestra's in it.
    - Declared secrets at `<root-engine>/<secret-path-prefix>/<tenant>/<namespace parts>/<NAME>`, with tags as custom
      metadata.
    - The encryption key in an engine of its own, `<root-engine>-stack`, which Kestra's policy does not
      reach: a copy to recover from.
    - A changed value is a new version; `version_ids` change with it.
    - Of an external secret the path's metadata alone: others write its value, and `version_ids` have their version.
    - Where a file is named, an audit device that writes every request.

    Example:
        >>> VaultStore("store", StoreArgs(settings, {"TOKEN": token}))  # doctest: +SKIP
    """

    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]
    policy: pulumi.Output[str]
    """Name of the policy of Kestra's role; empty in a stack of secrets alone."""

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:stores:VaultStore", name, None, opts)
        manager = args.settings.secret
        assert manager is not None
        assert manager.vault is not None
        block, settings = manager.vault, args.settings
        kept = pulumi.ResourceOptions(parent=self, protect=settings.protect)
        metadata = tags.translate(tags.convention(settings.tags), VAULT_METADATA)

        self._name = name
        self._first: list[pulumi.Resource] = []
        audit = settings.identity.vault.audit_file
        if audit is not None:
            device = vault.Audit(
                f"{name}-audit",
                type="file",
                path=f"{settings.deployment.namespace}-file",
                options={"file_path": audit},
                description="Every request, secrets as hashes",
                opts=kept,
            )
            self._first = [device]
        # All that follows is in the audit log; and a request that ends while a device begins may be refused
        # by the device although Vault did it.
        child = pulumi.ResourceOptions(parent=self, depends_on=self._first)
        kept = pulumi.ResourceOptions.merge(kept, child)
        engine: pulumi.Input[str] = block.root_engine
        mounted: list[pulumi.Resource] = []
        if settings.identity.vault.mount_engine:
            mount = _engine(f"{name}-engine", block.root_engine, "Secrets of Kestra", block, kept)
            engine, mounted = mount.path, [mount]
        self.policy = pulumi.Output.from_input("")
        if not settings.is_secrets_alone:
            # Who may read a team's secrets is said by the stack of the Kestra that reads them.
            self.policy = vault.Policy(
                f"{name}-policy",
                name=f"{settings.deployment.namespace}-{settings.access_mode}",
                policy=policy_text(
                    block.root_engine, mode=settings.access_mode, scope=scope(settings)
                ),
                namespace=block.namespace,
                # Vault overwrites a policy of that name; another stack's engine is refused before that.
                opts=pulumi.ResourceOptions.merge(
                    child, pulumi.ResourceOptions(depends_on=mounted)
                ),
            ).name

        self._ids: dict[str, pulumi.Output[str]] = {}
        self._versions: dict[str, pulumi.Output[str]] = {}
        self.secret_ids, self.version_ids = self._ids, self._versions
        for secret_name, declared in settings.written_secrets.items():
            described = {"description": declared.description} if declared.description else {}
            labels = metadata | described | declared.tags
            path = secret_path(secret_name, declared, block.secret_path_prefix)
            if declared.is_external:
                self._place(f"{name}-place-{secret_name}", engine, path, labels, block, child)
                self._record_external(args, secret_name, engine, path)
                continue
            written = vault.kv.SecretV2(
                f"{name}-declared-{secret_name}",
                mount=engine,
                name=path,
                data_json=_data(VALUE, args.secrets[secret_name]),
                custom_metadata={"data": labels},
                delete_all_versions=True,
                namespace=block.namespace,
                opts=child,
            )
            self._record_version(secret_name, written)
        if keeps_key(args):
            self._keep_key(args, block, metadata, kept)

        self.environment = {}
        self.register_outputs(
            {
                "environment": self.environment,
                "policy": self.policy,
            }
        )

    def _place(
        self,
        label: str,
        engine: pulumi.Input[str],
        path: str,
        labels: Mapping[str, str],
        block: VaultBlock,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """The metadata of a secret whose value others write; there is no version yet, and one that is there stays."""
        vault.generic.Endpoint(
            label,
            path=pulumi.Output.concat(engine, "/metadata/", path),
            data_json=json.dumps({"custom_metadata": dict(labels)}),
            ignore_absent_fields=True,
            namespace=block.namespace,
            opts=opts,
        )

    def _keep_key(
        self,
        args: StoreArgs,
        block: VaultBlock,
        labels: Mapping[str, str],
        kept: pulumi.ResourceOptions,
    ) -> None:
        """The encryption key, or its place, in an engine of its own; both stay when the stack goes."""
        retained = pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(retain_on_delete=True))
        engine = _engine(
            f"{self._name}-stack-engine",
            stack_engine(block.root_engine),
            "What Kestra's stack keeps for recovery",
            block,
            retained,
        ).path
        if args.encryption_key is None:
            label = f"{self._name}-place-encryption-key"
            self._place(label, engine, ENCRYPTION_KEY_PATH, labels, block, retained)
            self._record_external(args, ENCRYPTION_KEY, engine, ENCRYPTION_KEY_PATH)
            return
        written = vault.kv.SecretV2(
            f"{self._name}-encryption-key",
            mount=engine,
            name=ENCRYPTION_KEY_PATH,
            data_json=_data(KEY_FIELD, args.encryption_key),
            custom_metadata={"data": labels},
            namespace=block.namespace,
            opts=retained,
        )
        self._record_version(ENCRYPTION_KEY, written)

    def _record_external(
        self, args: StoreArgs, name: str, engine: pulumi.Input[str], path: str
    ) -> None:
        self._ids[name] = pulumi.Output.concat(engine, "/data/", path)
        record_version(args, name, self._versions)

    @property
    def first(self) -> list[pulumi.Resource]:
        """What everything else in Vault comes after."""
        return self._first

    def _record_version(self, name: str, written: vault.kv.SecretV2) -> None:
        # The output `metadata` is a map of text; a version is no secret.
        self._ids[name] = written.path
        self._versions[name] = pulumi.Output.unsecret(written.metadata).apply(
            lambda metadata: str((metadata or {}).get("version", ""))
        )


def _data(field: str, value: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.secret(value).apply(lambda known: json.dumps({field: known}))


def _engine(
    name: str, path: str, description: str, block: VaultBlock, opts: pulumi.ResourceOptions
) -> vault.Mount:
    """Registers a secrets engine of KV version 2."""
    return vault.Mount(
        name,
        path=path,
        type="kv",
        options={"version": "2"},
        description=description,
        namespace=block.namespace,
        opts=opts,
    )
