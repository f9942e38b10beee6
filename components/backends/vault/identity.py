"""How Kestra logs in to Vault: Kubernetes auth, AppRole, userpass or a token."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_random as random
import pulumi_vault as vault

from ...generated_secrets import keepers
from ...settings import Settings
from ...settings.durations import seconds
from ...settings.managers import Vault
from ...settings.workloads import group_accounts
from .rules import vault_method


class VaultIdentity(pulumi.ComponentResource):
    """Kestra's log-in to Vault, with the policy of the store and nothing else.

    - Kubernetes auth: a role bound to exactly one service account in one namespace, and to those of worker groups,
      which log in with the same configuration. Vault reviews a token
      with the token itself (`system:auth-delegator` for that account), so no reviewer token is kept anywhere.
    - AppRole: secret ids end after a bounded time and number of log-ins.
    - Userpass: a user with a generated password. Token: an orphan with a bounded life.
    - With another text in `kestra:rotation` there is another secret id, password or token. A secret id or a token
      is made before, and the one of before is revoked after, everything that uses it.
    - A credential that the settings give is used as it is, and nothing is provisioned for it.
    - Tokens live `token-ttl`, renewed `token-max-ttl` at most, without Vault's default policy.

    Example:
        >>> VaultIdentity("identity", settings, store.policy)  # doctest: +SKIP
    """

    principal: pulumi.Output[str]
    """Role, user or token name in Vault."""
    needs_token: bool
    """Whether the pods need their service account's token."""
    environment: Mapping[str, pulumi.Output[str]]
    """Provisioned credentials: settings path to secret output."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        policy: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("kestra:identity:VaultIdentity", name, None, opts)
        assert settings.secret is not None
        assert settings.secret.vault is not None
        self._name, self._settings, self._block = name, settings, settings.secret.vault
        self._limits, self._policy = settings.identity.vault, policy
        self._after = list(after)
        self._child = pulumi.ResourceOptions(parent=self, depends_on=self._after)
        self.environment = {}
        self.needs_token = False
        self.principal = pulumi.Output.from_input("")
        method = vault_method(self._block)
        {
            "kubernetes": self._kubernetes,
            "app-role": self._app_role,
            "password": self._userpass,
            "token": self._token,
        }[method or ""](self._block)
        self.register_outputs(
            {
                "principal": self.principal,
                "needs_token": self.needs_token,
                "environment": self.environment,
            }
        )

    @property
    def _token_life(self) -> dict[str, Any]:
        return {
            "token_policies": [self._policy],
            "token_no_default_policy": True,
            "token_ttl": seconds(self._limits.token_ttl),
            "token_max_ttl": seconds(self._limits.token_max_ttl),
            "namespace": self._block.namespace,
        }

    def _rotation(self, name: str) -> dict[str, str] | None:
        """What makes another credential when it changes."""
        return keepers(self._settings.rotation.get(f"secret.vault.{name}"))

    def _mounted(self, kind: str, path: str) -> pulumi.Input[str]:
        if not self._limits.mount_auth:
            return path
        mounted = vault.AuthBackend(
            f"{self._name}-auth",
            type=kind,
            path=path,
            namespace=self._block.namespace,
            opts=self._child,
        )
        return mounted.path.apply(lambda known: (known or path).rstrip("/"))

    def _kubernetes(self, block: Vault) -> None:
        assert block.kubernetes is not None
        authority = self._limits.kubernetes_ca_certificate
        backend = self._mounted("kubernetes", block.kubernetes.path)
        vault.kubernetes.AuthBackendConfig(
            f"{self._name}-auth-config",
            backend=backend,
            kubernetes_host=self._limits.kubernetes_host,
            kubernetes_ca_cert=authority,
            disable_local_ca_jwt=authority is not None,
            namespace=block.namespace,
            opts=self._child,
        )
        role = vault.kubernetes.AuthBackendRole(
            f"{self._name}-role",
            backend=backend,
            role_name=block.kubernetes.role,
            bound_service_account_names=[
                self._settings.store_account,
                *(name for name, _ in group_accounts(self._settings).values()),
            ],
            bound_service_account_namespaces=[self._settings.deployment.namespace],
            audience=self._limits.audience,
            alias_name_source="serviceaccount_uid",
            opts=self._child,
            **self._token_life,
        )
        self.needs_token = True
        self.principal = role.role_name

    def _app_role(self, block: Vault) -> None:
        assert block.app_role is not None
        if block.app_role.role_id is not None:
            return
        life, uses = seconds(self._limits.secret_id_ttl), self._limits.secret_id_num_uses
        backend = self._mounted("approle", block.app_role.path)
        role = vault.approle.AuthBackendRole(
            f"{self._name}-role",
            backend=backend,
            role_name=self._settings.identity.service_account.name,
            secret_id_ttl=life,
            secret_id_num_uses=uses,
            # Half of a credential, which the provider itself does not mark.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=self._after, additional_secret_outputs=["role_id"]
            ),
            **self._token_life,
        )
        marked = self._rotation("app-role.secret-id")
        # The same limits as the role's: with others the provider would replace the id at every update.
        secret_id = vault.approle.AuthBackendRoleSecretId(
            f"{self._name}-secret-id",
            backend=backend,
            role_name=role.role_name,
            ttl=life,
            num_uses=uses,
            metadata=json.dumps(marked) if marked else None,
            namespace=block.namespace,
            opts=self._child,
        )
        self.principal = role.role_name
        self.environment = {
            "secret.vault.app-role.role-id": pulumi.Output.secret(role.role_id),
            "secret.vault.app-role.secret-id": pulumi.Output.secret(secret_id.secret_id),
        }

    def _userpass(self, block: Vault) -> None:
        assert block.password is not None
        user = block.password.user
        self.principal = pulumi.Output.from_input(user)
        if block.password.password is not None:
            return
        password = random.RandomPassword(
            f"{self._name}-password",
            length=40,
            special=False,
            keepers=self._rotation("password.password"),
            opts=self._child,
        ).result
        life = {
            "token_no_default_policy": True,
            "token_ttl": seconds(self._limits.token_ttl),
            "token_max_ttl": seconds(self._limits.token_max_ttl),
        }
        data = pulumi.Output.all(password=password, policy=self._policy).apply(
            lambda known: json.dumps(
                {"password": known["password"], "token_policies": [known["policy"]], **life},
                sort_keys=True,
            )
        )
        backend = self._mounted("userpass", "userpass")
        # A generic endpoint, since the resource for users takes write-only passwords, which the engine
        # cannot compare, so that a rotated one would not be written.
        vault.generic.Endpoint(
            f"{self._name}-user",
            path=pulumi.Output.format("auth/{0}/users/{1}", backend, user),
            data_json=pulumi.Output.secret(data),
            disable_read=True,
            namespace=block.namespace,
            opts=self._child,
        )
        self.environment = {"secret.vault.password.password": pulumi.Output.secret(password)}

    def _token(self, block: Vault) -> None:
        assert block.token is not None
        if block.token.token is not None:
            return
        life = f"{seconds(self._limits.token_max_ttl)}s"
        token = vault.Token(
            f"{self._name}-token",
            display_name=self._settings.identity.service_account.name,
            policies=[self._policy],
            no_parent=True,
            no_default_policy=True,
            renewable=True,
            ttl=life,
            metadata=self._rotation("token.token"),
            namespace=block.namespace,
            opts=self._child,
        )
        self.principal = pulumi.Output.from_input(self._settings.identity.service_account.name)
        self.environment = {"secret.vault.token.token": pulumi.Output.secret(token.client_token)}
