"""The operations of the provider protocol on objects, in plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.providers.kubernetes import checkpoint, naming
from sandbox.providers.kubernetes.client import ApiError, Client, NoSuchKind, Unreachable
from sandbox.providers.kubernetes.cluster import Cluster, Options, Refused
from sandbox.providers.kubernetes.difference import difference
from sandbox.providers.kubernetes.engine import EngineLog
from sandbox.providers.kubernetes.kubeconfig import ConfigurationError, load
from sandbox.providers.kubernetes.normalize import normalize, prune
from sandbox.providers.kubernetes.outcomes import (
    Autonaming,
    Difference,
    InitFailed,
    Properties,
    ResourceError,
)
from sandbox.providers.kubernetes.settings import ProviderSettings
from sandbox.providers.kubernetes.values import UNKNOWN, has_unknown, mark_secrets
from sandbox.providers.kubernetes.waits import NotReady

UNREACHABLE_HELP = (
    ". If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the "
    'operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
_SERVER_FIELDS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
)


class Resources:
    """All resources of one configured provider.

    A preview that may not dry-run (403) shows the inputs, as the official plugin does.
    """

    def __init__(self, settings: ProviderSettings, log: EngineLog) -> None:
        self.settings = settings
        self._log = log
        self._cluster: Cluster | None = None
        self.unreachable = ""
        self.default_namespace = settings.namespace
        options = Options(settings.server_side_apply, settings.patch_force, settings.upsert)
        try:
            access = load(settings.kubeconfig, context=settings.context, cluster=settings.cluster)
            self.default_namespace = settings.namespace or access.namespace
            client = Client(access, settings.timeout)
            client.request("GET", "/version")
            self._cluster = Cluster(client, options)
        except (ConfigurationError, Unreachable, ApiError) as error:
            self.unreachable = str(error)

    def cancel(self) -> None:
        """Ends all waits."""
        if self._cluster:
            self._cluster.cancelled.set()

    @property
    def cluster(self) -> Cluster:
        if self._cluster is None:
            raise ResourceError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self._cluster

    def check(
        self,
        urn: str,
        old: Properties,
        new: Properties,
        seed: bytes,
        autonaming: Autonaming,
    ) -> Properties:
        """The inputs as they will be used: named, with a namespace, in the server's form."""
        if self.unreachable and self.settings.skip_update_unreachable:
            self._log.warn(
                urn,
                "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...",
            )
            return old
        typed = naming.kind_from_urn(urn)
        if typed.kind.endswith("List"):
            raise ResourceError(
                "list resources exist for compatibility with YAML manifests and Helm charts, and "
                "cannot be created directly. Use the underlying resource type instead"
            )
        inputs = normalize(checkpoint.manifest(new))
        kind = naming.kind_of(inputs, typed)
        patch = naming.is_patch(urn, kind)
        meta = inputs.get("metadata")
        if patch and not (isinstance(meta, dict) and meta.get("name")):
            raise ResourceError("patch resources require the `.metadata.name` field to be set")
        if isinstance(meta, dict) and meta.get("generateName") and self.settings.server_side_apply:
            raise ResourceError(
                "the `.metadata.generateName` field is not supported in Server-Side Apply mode"
            )
        if old:
            naming.adopt_name(inputs, checkpoint.manifest(old))
        else:
            self._name(urn, inputs, seed, autonaming)
        self._place(kind, inputs)
        return mark_secrets(inputs, new)

    def _name(self, urn: str, inputs: Properties, seed: bytes, autonaming: Autonaming) -> None:
        meta = inputs.get("metadata", {})
        if meta is UNKNOWN or meta.get("name") or meta.get("generateName"):
            return
        if autonaming.disabled:
            raise ResourceError(
                "autonaming is disabled, resource requires the .metadata.name field to be set"
            )
        if autonaming.proposed:
            naming.set_autonamed(inputs, autonaming.proposed)
        else:
            naming.assign_name(inputs, naming.name_of(urn), seed)

    def _place(self, kind: naming.Kind, inputs: Properties) -> None:
        meta = inputs.get("metadata")
        if self._cluster is None or not isinstance(meta, dict) or meta.get("namespace"):
            return
        if self.default_namespace and self._cluster.namespaced(kind):
            meta["namespace"] = self.default_namespace

    def diff(self, urn: str, state: Properties, new: Properties, ignored: list[str]) -> Difference:
        """What changes from the live object (as the state has it) to the new inputs."""
        namespaced = self._cluster.namespaced if self._cluster else lambda _: True
        return difference(urn, state, new, ignored, self.settings, namespaced)

    def create(
        self, urn: str, new: Properties, timeout: float, preview: bool
    ) -> tuple[str, Properties]:
        """Creates the object, or shows what the server would make of it."""
        inputs = checkpoint.manifest(new)
        kind = naming.kind_of(inputs, naming.kind_from_urn(urn))
        patch = naming.is_patch(urn, kind)
        if preview and self._cannot_preview(kind, inputs, patch):
            return "", new
        manager = naming.field_manager(inputs, {}, self.settings.server_side_apply)
        report = self._reporter(urn)
        try:
            live = self.cluster.create(
                kind, inputs, manager, patch=patch, dry=preview, report=report
            )
        except NoSuchKind as error:
            raise ResourceError(
                f'creation of resource "{urn}" with kind {kind} failed because the Kubernetes API '
                "server reported that the apiVersion for this resource does not exist. Verify that "
                f"any required CRDs have been created: {error}"
            ) from None
        except ApiError as error:
            if preview and error.code == 403:
                return "", new
            if preview and (error.already_exists or error.missing_namespace):
                return "", new
            raise ResourceError(_not_created(urn, error)) from None
        except (Refused, Unreachable) as error:
            raise ResourceError(_not_created(urn, error)) from None
        if preview:
            live.pop("status", None)
            return "", checkpoint.write(inputs, live, new, kind.api_version, manager)
        if kind.kind == "CustomResourceDefinition":
            self.cluster.client.forget()
        identity = naming.identifier(live)
        try:
            live = self.cluster.wait(kind, inputs, live, timeout, report)
        except (NotReady, ApiError, Unreachable) as error:
            live = error.live if isinstance(error, NotReady) else live
            text = (
                f'resource "{urn}" was successfully created, but the Kubernetes API server '
                f"reported that it failed to fully initialize or become live: {error}"
            )
            state = checkpoint.write(inputs, live, new, kind.api_version, manager)
            raise InitFailed(text, identity, state, _reasons(text, error), new) from None
        self._log.status(urn, "")
        return identity, checkpoint.write(inputs, live, new, kind.api_version, manager)

    def _cannot_preview(self, kind: naming.Kind, inputs: Properties, patch: bool) -> bool:
        return (
            self._cluster is None
            or patch
            or not self.settings.server_side_apply
            or has_unknown(inputs)
            or not self._cluster.exists(kind)
        )

    def update(
        self,
        urn: str,
        identity: str,
        state: Properties,
        new: Properties,
        timeout: float,
        ignored: list[str],
        preview: bool,
    ) -> Properties:
        """Updates the object in place, or shows what the server would make of it."""
        inputs = normalize(checkpoint.manifest(new))
        kind = naming.kind_of(inputs, naming.kind_from_urn(urn))
        if preview and (
            self._cluster is None or has_unknown(inputs) or not self._cluster.exists(kind)
        ):
            return new
        old_inputs, old_live = checkpoint.read(state)
        initial = str(state.get(checkpoint.INITIAL_VERSION) or old_inputs.get("apiVersion", ""))
        manager = naming.field_manager(inputs, state, self.settings.server_side_apply)
        name = naming.object_name(old_live) or naming.split_identifier(identity)[1]
        report = self._reporter(urn)
        try:
            live = self.cluster.update(
                kind,
                inputs,
                normalize(old_inputs),
                name,
                manager,
                ignored=ignored,
                patch=naming.is_patch(urn, kind),
                dry=preview,
            )
            if not preview:
                live = self.cluster.wait(kind, inputs, live, timeout, report)
        except NoSuchKind as error:
            raise ResourceError(
                f'update of resource "{urn}" failed because the Kubernetes API server reported '
                "that the apiVersion for this resource does not exist. Verify that any required "
                f"CRDs have been created: {error}"
            ) from None
        except (ApiError, Refused, Unreachable, NotReady) as error:
            if preview and isinstance(error, ApiError) and error.code == 403:
                return new
            raise self._update_failed(
                urn, kind, name, inputs, new, initial, manager, error
            ) from None
        if not preview:
            self._log.status(urn, "")
        return checkpoint.write(inputs, live, new, initial, manager)

    def _update_failed(
        self,
        urn: str,
        kind: naming.Kind,
        name: str,
        inputs: Properties,
        new: Properties,
        initial: str,
        manager: str,
        error: Exception,
    ) -> ResourceError:
        space = naming.namespace(inputs)
        try:
            live = self.cluster.client.get(kind, space, name)
        except (ApiError, Unreachable) as missing:
            return ResourceError(
                f'update of resource "{urn}" failed: {error}\n'
                f"unable to get cluster state: {missing}"
            )
        identity = naming.identifier(live)
        text = (
            f'the Kubernetes API server reported that "{identity}" failed to fully initialize or '
            f"become live: {error}"
        )
        state = checkpoint.write(inputs, live, new, initial, manager)
        return InitFailed(text, identity, state, _reasons(text, error), new)

    def read(
        self, urn: str, identity: str, state: Properties, old: Properties
    ) -> tuple[str, Properties, Properties]:
        """The live object as state and inputs; an empty id when it is gone."""
        if self._cluster is None:
            self._log.warn(urn, f"configured Kubernetes cluster is unreachable: {self.unreachable}")
            if self.settings.delete_unreachable:
                return "", {}, {}
            if self.settings.skip_update_unreachable:
                return identity, state, old
            raise ResourceError(
                "failed to read resource state due to unreachable cluster" + UNREACHABLE_HELP
            )
        space, name = naming.split_identifier(identity)
        inputs = normalize(checkpoint.manifest(old))
        _, old_live = checkpoint.read(state)
        imported = not inputs.get("kind") and not old_live.get("kind")
        kind = naming.kind_of(inputs if inputs.get("kind") else old_live, naming.kind_from_urn(urn))
        inputs |= {"apiVersion": kind.api_version, "kind": kind.kind}
        space = space or naming.namespace(inputs)
        failure: NotReady | None = None
        try:
            live = self._cluster.read(kind, inputs, space, name, imported=imported)
        except NoSuchKind:
            return "", {}, {}
        except ApiError as error:
            if error.not_found:
                return "", {}, {}
            raise ResourceError(str(error)) from None
        except NotReady as error:
            failure, live = error, error.live
        found = _importable(live) if imported else prune(live, inputs)
        initial = str(state.get(checkpoint.INITIAL_VERSION) or kind.api_version)
        manager = naming.field_manager(inputs, state, self.settings.server_side_apply)
        kept = checkpoint.write(found, live, old, initial, manager)
        if failure:
            raise InitFailed(
                str(failure),
                identity,
                kept,
                _reasons(str(failure), failure),
                kept[checkpoint.INPUTS],
            )
        return identity or naming.identifier(live), kept, kept[checkpoint.INPUTS]

    def delete(self, urn: str, identity: str, state: Properties, timeout: float) -> None:
        """Deletes the object and waits until it is gone."""
        if self._cluster is None:
            self._log.warn(urn, f"configured Kubernetes cluster is unreachable: {self.unreachable}")
            if self.settings.delete_unreachable:
                return
            raise ResourceError("configured Kubernetes cluster is unreachable" + UNREACHABLE_HELP)
        inputs, live = checkpoint.read(state)
        kind = naming.kind_of(live, naming.kind_from_urn(urn))
        space, name = naming.split_identifier(identity)
        manager = naming.field_manager(inputs, state, self.settings.server_side_apply)
        try:
            self._cluster.delete(
                kind,
                inputs,
                naming.namespace(live) or space,
                name,
                manager,
                patch=naming.is_patch(urn, kind),
                asked=timeout,
                report=self._reporter(urn),
            )
        except NotReady as error:
            initial = str(state.get(checkpoint.INITIAL_VERSION) or kind.api_version)
            kept = checkpoint.write(inputs, error.live, state, initial, manager)
            raise InitFailed(str(error), identity, kept, _reasons(str(error), error), {}) from None
        except Unreachable as error:
            raise ResourceError(str(error)) from None
        except ApiError as error:
            raise ResourceError(str(error)) from None
        self._log.status(urn, "")

    def _reporter(self, urn: str) -> Any:
        return lambda text: self._log.status(urn, text)


def _not_created(urn: str, error: Exception) -> str:
    return f'resource "{urn}" was not successfully created by the Kubernetes API server: {error}'


def _reasons(text: str, error: Exception) -> list[str]:
    return [text, *(error.reasons if isinstance(error, NotReady) else ())]


def _importable(live: Mapping[str, Any]) -> Properties:
    """The parts of a live object that are inputs (nothing is known of the program's)."""
    inputs = normalize({key: value for key, value in live.items() if key != "status"})
    annotations = naming.metadata(inputs).get("annotations")
    if isinstance(annotations, dict):
        for key in _SERVER_FIELDS:
            annotations.pop(key, None)
        if not annotations:
            del inputs["metadata"]["annotations"]
    return inputs
