"""The provider for Kubernetes: the operations of the protocol on objects of an API server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from sandbox.providers.kubernetes import checkpoint, naming
from sandbox.providers.kubernetes.client import ApiError, Client, NoSuchKind, Unreachable
from sandbox.providers.kubernetes.cluster import Cluster, Options
from sandbox.providers.kubernetes.difference import difference
from sandbox.providers.kubernetes.kubeconfig import ConfigurationError, load
from sandbox.providers.kubernetes.normalize import normalize, prune
from sandbox.providers.kubernetes.settings import ProviderSettings, read
from sandbox.providers.kubernetes.waits import NotReady
from sandbox.providers.runtime.errors import NotReadyError, ProviderError
from sandbox.providers.runtime.provider import (
    Autonaming,
    Checked,
    Diff,
    Engine,
    Provider,
    Read,
    Urn,
)
from sandbox.providers.runtime.values import UNKNOWN, Properties, has_unknown

UNREACHABLE_HELP = (
    ". If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the "
    'operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
_SERVER_FIELDS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
)


class KubernetesProvider(Provider):
    """The provider. A preview that may not dry-run (403) shows the inputs, as the official plugin does."""

    version = "4.34.2"
    replaced_by = ("kubeconfig", "context", "cluster")
    supports_autonaming = True
    ends_by_itself = True

    def __init__(self) -> None:
        self.settings, self._engine = ProviderSettings(), Engine("")
        self._cluster: Cluster | None = None
        self._unreachable, self._namespace = "the provider is not configured", ""

    def configure(self, config: Properties, engine: Engine) -> None:
        self.settings, self._engine = read(config), engine
        self._namespace, self._unreachable = self.settings.namespace, ""
        settings = self.settings
        try:
            access = load(settings.kubeconfig, context=settings.context, cluster=settings.cluster)
            self._namespace = settings.namespace or access.namespace
            client = Client(access, settings.timeout)
            client.request("GET", "/version")
        except (ConfigurationError, Unreachable, ApiError) as error:
            self._unreachable = str(error)
        else:
            options = Options(settings.server_side_apply, settings.patch_force, settings.upsert)
            self._cluster = Cluster(client, options)

    def cancel(self) -> None:
        if self._cluster:
            self._cluster.cancelled.set()

    @property
    def cluster(self) -> Cluster:
        """The cluster.

        Raises:
            ProviderError: when it did not answer.
        """
        if self._cluster is None:
            raise ProviderError(
                f"configured Kubernetes cluster is unreachable: {self._unreachable}"
            )
        return self._cluster

    def check(
        self,
        urn: Urn,
        olds: Properties,
        news: Properties,
        seed: bytes = b"",
        autonaming: Autonaming = Autonaming(),
    ) -> Checked:
        if self._unreachable and self.settings.skip_update_unreachable:
            self._engine.warn(
                urn,
                "Cluster is unreachable but skipUpdateUnreachable flag is set to true, skipping...",
            )
            return Checked(olds, [])
        typed = naming.kind_from_urn(urn)
        if typed.kind.endswith("List"):
            raise ProviderError(
                "list resources exist for compatibility with YAML manifests and Helm charts, and "
                "cannot be created directly. Use the underlying resource type instead"
            )
        inputs = normalize(checkpoint.manifest(news))
        kind = naming.kind_of(inputs, typed)
        meta = naming.metadata(inputs)
        if naming.is_patch(urn, kind) and not meta.get("name"):
            raise ProviderError("patch resources require the `.metadata.name` field to be set")
        if meta.get("generateName") and self.settings.server_side_apply:
            raise ProviderError(
                "the `.metadata.generateName` field is not supported in Server-Side Apply mode"
            )
        if olds:
            naming.adopt_name(inputs, checkpoint.manifest(olds))
        else:
            _name(urn, inputs, seed, autonaming)
        self._place(kind, inputs)
        return Checked(checkpoint.mark_secrets(inputs, news), [])

    def _place(self, kind: naming.Kind, inputs: Properties) -> None:
        meta = inputs.get("metadata")
        if self._cluster is None or not isinstance(meta, dict) or meta.get("namespace"):
            return
        if self._namespace and self._cluster.namespaced(kind):
            meta["namespace"] = self._namespace

    def diff(
        self,
        urn: Urn,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        ignored: Collection[str] = (),
    ) -> Diff:
        namespaced = self._cluster.namespaced if self._cluster else lambda _: True
        return difference(urn, olds, news, ignored, self.settings, namespaced)

    def create(
        self, urn: Urn, news: Properties, preview: bool = False, timeout: float = 0
    ) -> tuple[str, Properties]:
        inputs = checkpoint.manifest(news)
        kind = naming.kind_of(inputs, naming.kind_from_urn(urn))
        patch = naming.is_patch(urn, kind)
        if preview and (
            patch or not self.settings.server_side_apply or not self._can_preview(kind, inputs)
        ):
            return "", news
        manager = naming.field_manager(inputs, {}, self.settings.server_side_apply)
        report = self._reporter(urn)
        try:
            live = self.cluster.create(
                kind, inputs, manager, patch=patch, dry=preview, report=report
            )
        except NoSuchKind as error:
            raise ProviderError(
                f'creation of resource "{urn}" with kind {kind} failed because {_NO_KIND}: {error}'
            ) from None
        except ProviderError as error:
            if preview and isinstance(error, ApiError) and _hides_preview(error):
                return "", news
            raise ProviderError(
                f'resource "{urn}" was not successfully created by the Kubernetes API server: {error}'
            ) from None

        def state(live: Properties) -> Properties:
            return checkpoint.write(inputs, live, news, kind.api_version, manager)

        if preview:
            live.pop("status", None)
            return "", state(live)
        if kind.kind == "CustomResourceDefinition":
            self.cluster.client.forget()
        identity = naming.identifier(live)
        try:
            live = self.cluster.wait(kind, inputs, live, timeout, report)
        except (NotReady, ProviderError) as error:
            message = (
                f'resource "{urn}" was successfully created, but the Kubernetes API server '
                f"reported that it failed to fully initialize or become live: {error}"
            )
            live = error.live if isinstance(error, NotReady) else live
            raise _not_ready(message, identity, state(live), error, news) from None
        self._engine.status(urn, "")
        return identity, state(live)

    def update(
        self,
        urn: Urn,
        id_: str,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        preview: bool = False,
        timeout: float = 0,
        ignored: Collection[str] = (),
    ) -> Properties:
        inputs = normalize(checkpoint.manifest(news))
        kind = naming.kind_of(inputs, naming.kind_from_urn(urn))
        if preview and not self._can_preview(kind, inputs):
            return news
        before, old_live = checkpoint.read(olds)
        initial = str(olds.get(checkpoint.INITIAL_VERSION) or before.get("apiVersion", ""))
        manager = naming.field_manager(inputs, olds, self.settings.server_side_apply)
        name = naming.object_name(old_live) or naming.split_identifier(id_)[1]
        try:
            live = self.cluster.update(
                kind,
                inputs,
                normalize(before),
                name,
                manager,
                ignored=list(ignored),
                patch=naming.is_patch(urn, kind),
                dry=preview,
            )
            if not preview:
                live = self.cluster.wait(kind, inputs, live, timeout, self._reporter(urn))
        except NoSuchKind as error:
            raise ProviderError(
                f'update of resource "{urn}" failed because {_NO_KIND}: {error}'
            ) from None
        except (ProviderError, NotReady) as error:
            if preview and isinstance(error, ApiError) and error.code == 403:
                return news
            try:
                live = self.cluster.client.get(kind, naming.namespace(inputs), name)
            except ProviderError as missing:
                raise ProviderError(
                    f'update of resource "{urn}" failed: {error}\n'
                    f"unable to get cluster state: {missing}"
                ) from None
            identity = naming.identifier(live)
            message = (
                f'the Kubernetes API server reported that "{identity}" failed to fully initialize or '
                f"become live: {error}"
            )
            state = checkpoint.write(inputs, live, news, initial, manager)
            raise _not_ready(message, identity, state, error, news) from None
        if not preview:
            self._engine.status(urn, "")
        return checkpoint.write(inputs, live, news, initial, manager)

    def read(self, urn: Urn, id_: str, inputs: Properties, olds: Properties) -> Read | None:
        if self._cluster is None:
            self._warn_of_unreachable(urn)
            if self.settings.delete_unreachable:
                return None
            if self.settings.skip_update_unreachable:
                return Read(id_, inputs, olds)
            raise ProviderError(
                f"failed to read resource state due to unreachable cluster{UNREACHABLE_HELP}"
            )
        space, name = naming.split_identifier(id_)
        known = normalize(checkpoint.manifest(inputs))
        _, old_live = checkpoint.read(olds)
        imported = not known.get("kind") and not old_live.get("kind")
        kind = naming.kind_of(known if known.get("kind") else old_live, naming.kind_from_urn(urn))
        known |= {"apiVersion": kind.api_version, "kind": kind.kind}
        space = space or naming.namespace(known)
        failure: NotReady | None = None
        try:
            live = self._cluster.read(kind, known, space, name, imported=imported)
        except NoSuchKind:
            return None
        except ApiError as error:
            if error.not_found:
                return None
            raise
        except NotReady as error:
            failure, live = error, error.live
        shown = _importable(live) if imported else prune(live, known)
        initial = str(olds.get(checkpoint.INITIAL_VERSION) or kind.api_version)
        manager = naming.field_manager(known, olds, self.settings.server_side_apply)
        state = checkpoint.write(shown, live, inputs, initial, manager)
        if failure:
            raise _not_ready(str(failure), id_, state, failure, state[checkpoint.INPUTS])
        return Read(id_ or naming.identifier(live), state[checkpoint.INPUTS], state)

    def delete(self, urn: Urn, id_: str, olds: Properties, timeout: float = 0) -> None:
        if self._cluster is None:
            self._warn_of_unreachable(urn)
            if self.settings.delete_unreachable:
                return
            raise ProviderError(f"configured Kubernetes cluster is unreachable{UNREACHABLE_HELP}")
        inputs, live = checkpoint.read(olds)
        kind = naming.kind_of(live, naming.kind_from_urn(urn))
        space, name = naming.split_identifier(id_)
        manager = naming.field_manager(inputs, olds, self.settings.server_side_apply)
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
            initial = str(olds.get(checkpoint.INITIAL_VERSION) or kind.api_version)
            state = checkpoint.write(inputs, error.live, olds, initial, manager)
            raise _not_ready(str(error), id_, state, error) from None
        self._engine.status(urn, "")

    def _can_preview(self, kind: naming.Kind, inputs: Properties) -> bool:
        return self._cluster is not None and not has_unknown(inputs) and self._cluster.exists(kind)

    def _warn_of_unreachable(self, urn: Urn) -> None:
        self._engine.warn(urn, f"configured Kubernetes cluster is unreachable: {self._unreachable}")

    def _reporter(self, urn: Urn) -> Callable[[str], None]:
        return lambda message: self._engine.status(urn, message)


_NO_KIND = (
    "the Kubernetes API server reported that the apiVersion for this resource does not exist. "
    "Verify that any required CRDs have been created"
)


def _name(urn: Urn, inputs: Properties, seed: bytes, autonaming: Autonaming) -> None:
    """Names a new object that the program gives no name."""
    meta = inputs.get("metadata", {})
    if meta is UNKNOWN or meta.get("name") or meta.get("generateName"):
        return
    if autonaming.disabled:
        raise ProviderError(
            "autonaming is disabled, resource requires the .metadata.name field to be set"
        )
    if autonaming.proposed:
        naming.set_autonamed(inputs, autonaming.proposed)
    else:
        naming.assign_name(inputs, urn.name, seed)


def _hides_preview(error: ApiError) -> bool:
    """Whether a refused dry run says nothing of the update itself."""
    return error.code == 403 or error.already_exists or error.missing_namespace


def _not_ready(
    message: str,
    id_: str,
    state: Properties,
    error: Exception,
    inputs: Properties | None = None,
) -> NotReadyError:
    reasons = error.reasons if isinstance(error, NotReady) else ()
    return NotReadyError(message, id_, state, [message, *reasons], inputs)


def _importable(live: Mapping[str, object]) -> Properties:
    """The parts of a live object that are inputs (nothing is known of the program's)."""
    inputs = normalize({key: value for key, value in live.items() if key != "status"})
    annotations = naming.metadata(inputs).get("annotations")
    if isinstance(annotations, dict):
        for key in _SERVER_FIELDS:
            annotations.pop(key, None)
        if not annotations:
            del inputs["metadata"]["annotations"]
    return inputs
