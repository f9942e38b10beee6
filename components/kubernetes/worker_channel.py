"""The channel between workers and controllers of 2.0: certificates of cert-manager, and tokens of the workers.

Kestra reads its key stores when it starts, and never again: a renewed certificate reaches it by a roll of the pods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import core

from ..rendering.sections import CONTROLLER_SERVICE
from ..rendering.worker_channel import STORES_FOLDER, TOKENS_FOLDER
from ..settings import Settings
from ..settings.worker_channel import (
    DEFAULT_GROUP,
    SIGNING_KEY,
    STORE_PASSWORD,
    token_key,
)
from ..settings.workloads import Workload
from .custom_resources import custom_resource
from .pod_additions import REGISTRATION_TOKEN, SECRET_MODE
from .rollout import WAIT_FOR

API = "cert-manager.io/v1"
_READY = {WAIT_FOR: "condition=Ready"}
_AUTHORITY, _SELF_SIGNED, _ISSUER = (
    "kestra-grpc-authority",
    "kestra-grpc-self-signed",
    "kestra-grpc",
)
#: A renewed authority keeps its key: what it signed before, and what trusts it, stay good until they are renewed too.
_AUTHORITY_LIFETIME, _AUTHORITY_RENEWAL = "87600h", "8760h"
_KEY: Mapping[str, Any] = {"algorithm": "ECDSA", "size": 256}
_PASSWORD = "password"  # noqa: S105 - a key of a Secret
#: Kestra's web server has a controller of its own; nobody reaches it, and it starts with the same settings.
_CONTROLLERS = ("controller", "webserver")
_WORKER = "worker"
_FILES = ("keystore.p12", "truststore.p12")


class WorkerChannel:
    """Objects of the channel, and what the pods of each component have of them; nothing where it is not asked for.

    - Two certificates: the controllers' is for their Service and for servers alone, the workers' for clients alone, so
      that no worker can be a controller. Each has a Secret of its own, with a PKCS #12 key store and trust store.
    - Without an issuer of the settings: an authority that signs nothing else, in the namespace.
    - Tokens: one Secret. Web servers have the tokens as files, which Kestra takes up when it starts; controllers and web
      servers have the key that signs log-ins; a worker has its own token, and nothing of the others.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        metadata: Mapping[str, Any],
        values: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """
        Args:
            name: beginning of the logical names.
            settings: the stack's settings.
            metadata: with the namespace and the labels of Kestra's objects, and without a name.
            values: what the stack made for the channel, by the names of `components.settings.worker_channel`.
            opts: of the resources.
        """
        self._name, self._settings, self._metadata = name, settings, metadata
        self._values, self._opts = values, opts
        self._certificates = self._register_certificates()
        self._tokens = self._register_tokens()

    def certificates_of(self, workload: Workload) -> list[pulumi.Resource]:
        """The certificate that a workload's pods cannot start without."""
        kind = self._kind(workload)
        return [self._certificates[kind]] if kind in self._certificates else []

    def renewed(self, workload: Workload) -> list[str]:
        """Secrets of a workload that cert-manager writes anew."""
        return [_secret_name(self._kind(workload))] if self.certificates_of(workload) else []

    def extend(self, template: dict[str, Any], workload: Workload) -> dict[str, Any]:
        """A pod template with what the channel gives it; Kestra's container is its first one."""
        spec = template["spec"]
        container = spec["containers"][0]
        for name, folder, source in self._volumes(workload):
            spec["volumes"].append({"name": name, "secret": source | {"defaultMode": SECRET_MODE}})
            container["volumeMounts"].append({"name": name, "mountPath": folder, "readOnly": True})
        container["env"] += self._variables(workload)
        return template

    def _kind(self, workload: Workload) -> str:
        if workload.server in _CONTROLLERS:
            return "controller"
        return _WORKER if workload.server == _WORKER else ""

    def _volumes(self, workload: Workload) -> list[tuple[str, str, dict[str, Any]]]:
        volumes: list[tuple[str, str, dict[str, Any]]] = []
        for secret in self.renewed(workload):
            items = [{"key": file, "path": file} for file in _FILES]
            volumes.append(("grpc-tls", STORES_FOLDER, {"secretName": secret, "items": items}))
        if self._tokens is not None and workload.server == "webserver":
            items = [{"key": token_key(group), "path": group} for group in self._seeded_groups()]
            source = {"secretName": self._tokens, "items": items}
            volumes.append(("worker-tokens", TOKENS_FOLDER, source))
        return volumes

    def _variables(self, workload: Workload) -> list[dict[str, Any]]:
        if self._tokens is None:
            return []
        if workload.server in _CONTROLLERS:
            return [
                {"name": "KESTRA_EE_WORKER_AUTH_ENABLED", "value": "true"},
                self._reference("KESTRA_EE_WORKER_AUTH_JWT_SIGNING_KEY", SIGNING_KEY),
            ]
        group = workload.group or DEFAULT_GROUP
        is_generated = self._settings.registration_groups.get(group) is None
        if workload.server == _WORKER and is_generated:
            return [self._reference(REGISTRATION_TOKEN, token_key(group))]
        return []

    def _reference(self, variable: str, key: str) -> dict[str, Any]:
        reference = {"name": self._tokens, "key": key}
        return {"name": variable, "valueFrom": {"secretKeyRef": reference}}

    def _seeded_groups(self) -> list[str]:
        return [
            group
            for group in self._settings.registration_groups
            if token_key(group) in self._values
        ]

    def _register_tokens(self) -> pulumi.Output[str] | None:
        if not self._settings.registration_groups:
            return None
        keys = [SIGNING_KEY, *map(token_key, self._seeded_groups())]
        return self._secret(
            "worker-authentication", {key: self._values[key] for key in keys}
        ).metadata.name

    def _secret(self, suffix: str, data: Mapping[str, pulumi.Input[str]]) -> core.v1.Secret:
        described: Any = self._metadata
        return core.v1.Secret(
            f"{self._name}-{suffix}",
            metadata=described,
            type="Opaque",
            string_data={key: pulumi.Output.secret(value) for key, value in data.items()},
            immutable=True,
            opts=self._opts,
        )

    def _register_certificates(self) -> dict[str, pulumi.Resource]:
        tls = self._settings.grpc_tls
        if tls is None:
            return {}
        after: list[pulumi.Resource] = []
        if tls.has_own_authority:
            after = [self._authority()]
            issuer = {"kind": "Issuer", "name": _ISSUER}
        elif tls.issuer is not None:
            issuer = {"kind": "Issuer", "name": tls.issuer}
        else:
            issuer = {"kind": "ClusterIssuer", "name": str(tls.cluster_issuer)}
        password = self._secret("grpc-key-store", {_PASSWORD: self._values[STORE_PASSWORD]})
        namespace = self._settings.deployment.namespace
        service = [CONTROLLER_SERVICE, f"{CONTROLLER_SERVICE}.{namespace}.svc"]
        duration, before = tls.lifetime
        certificates: dict[str, pulumi.Resource] = {}
        for kind, names, usage in (
            ("controller", service, "server auth"),
            (_WORKER, [f"kestra-worker.{namespace}.svc"], "client auth"),
        ):
            spec = {
                "secretName": _secret_name(kind),
                "issuerRef": issuer,
                "commonName": names[0],
                "dnsNames": names,
                "usages": ["digital signature", usage],
                "duration": duration,
                "renewBefore": before,
                "privateKey": {**_KEY, "rotationPolicy": "Always"},
                "keystores": {
                    "pkcs12": {
                        "create": True,
                        "profile": "Modern2023",
                        "passwordSecretRef": {"name": password.metadata.name, "key": _PASSWORD},
                    }
                },
            }
            certificates[kind] = self._object(f"grpc-{kind}", "Certificate", spec, after)
        return certificates

    def _authority(self) -> pulumi.Resource:
        """An issuer of this namespace whose certificate nothing else trusts."""
        first = self._object("grpc-self-signed", "Issuer", {"selfSigned": {}}, [], _SELF_SIGNED)
        spec = {
            "secretName": _AUTHORITY,
            "issuerRef": {"kind": "Issuer", "name": _SELF_SIGNED},
            "commonName": _AUTHORITY,
            "isCA": True,
            "usages": ["cert sign", "crl sign", "digital signature"],
            "duration": _AUTHORITY_LIFETIME,
            "renewBefore": _AUTHORITY_RENEWAL,
            "privateKey": {**_KEY, "rotationPolicy": "Never"},
        }
        authority = self._object("grpc-authority", "Certificate", spec, [first], _AUTHORITY)
        return self._object(
            "grpc-issuer", "Issuer", {"ca": {"secretName": _AUTHORITY}}, [authority], _ISSUER
        )

    def _object(
        self,
        suffix: str,
        kind: str,
        spec: Mapping[str, Any],
        after: list[pulumi.Resource],
        name: str = "",
    ) -> pulumi.Resource:
        opts = pulumi.ResourceOptions.merge(
            self._opts,
            pulumi.ResourceOptions(
                depends_on=after,
                custom_timeouts=pulumi.CustomTimeouts(create="5m", update="5m"),
            ),
        )
        metadata = {
            **self._metadata,
            "name": name or f"kestra-{suffix}",
            "annotations": _READY,
        }
        return custom_resource(f"{self._name}-{suffix}", API, kind, metadata, spec, opts)


def _secret_name(kind: str) -> str:
    return f"kestra-grpc-{kind}"
