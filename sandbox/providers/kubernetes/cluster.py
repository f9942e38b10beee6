"""Creating, updating, reading and deleting one object on the API server."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.providers.kubernetes import naming, ownership, readiness, waits
from sandbox.providers.kubernetes.client import (
    IMMUTABLE,
    JSON_PATCH,
    MERGE,
    ApiError,
    Client,
    NoSuchKind,
)
from sandbox.providers.kubernetes.diff import merge_patch
from sandbox.providers.kubernetes.naming import Kind
from sandbox.providers.kubernetes.waits import Report
from sandbox.providers.runtime.errors import ProviderError

CONFLICT_HELP = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources"
)
_RETRIES = 5
_SLOW_DELETIONS = frozenset({"Deployment", "StatefulSet"})


class Refused(ProviderError):
    """The API server refused the operation; the text holds its message."""


@dataclass(frozen=True)
class Options:
    """How objects are written."""

    server_side_apply: bool = True
    patch_force: bool = False
    upsert: bool = False


def refusal(error: ApiError, manager: str) -> ProviderError:
    """The error to show for a refusal; conflicts get the official plugin's explanation."""
    if not error.conflict:
        return error
    return Refused(
        f"Server-Side Apply field conflict detected. See {CONFLICT_HELP} "
        "for troubleshooting help.\n"
        f'The resource managed by field manager "{manager}" had an apply conflict: {error}'
    )


class Cluster:
    """The objects of one API server."""

    def __init__(self, client: Client, options: Options) -> None:
        self.client = client
        self.options = options
        self.cancelled = threading.Event()

    def exists(self, kind: Kind) -> bool:
        """Whether the server serves a kind."""
        try:
            self.client.collection(kind)
        except NoSuchKind:
            return False
        return True

    def namespaced(self, kind: Kind) -> bool:
        """Whether a kind lives in namespaces (assumed of kinds that are not there yet)."""
        try:
            return self.client.collection(kind).namespaced
        except NoSuchKind:
            return True

    def force(self, manifest: Mapping[str, Any]) -> bool:
        """Whether fields of other managers are taken over."""
        asked = naming.annotation(manifest, naming.PATCH_FORCE)
        return asked == "true" if asked else self.options.patch_force

    def create(
        self,
        kind: Kind,
        manifest: dict[str, Any],
        manager: str,
        *,
        patch: bool,
        dry: bool,
        report: Report,
    ) -> dict[str, Any]:
        """Creates an object; tries again while its namespace or its kind is still missing.

        Raises:
            ApiError, Refused: the server's refusal. NoSuchKind: the kind never appeared.
        """
        pause = 1.0
        for attempt in range(_RETRIES + 1):
            try:
                return self._create(kind, manifest, manager, patch=patch, dry=dry)
            except (ApiError, NoSuchKind) as error:
                passing = isinstance(error, NoSuchKind) or error.not_found
                if dry or not passing or attempt == _RETRIES or self.cancelled.is_set():
                    raise
                report(f"Retry #{attempt}; creation failed: {error}")
                self.cancelled.wait(pause)
                pause *= 2
                self.client.forget(kind)
        raise AssertionError("unreachable")

    def _create(
        self,
        kind: Kind,
        manifest: dict[str, Any],
        manager: str,
        *,
        patch: bool,
        dry: bool,
    ) -> dict[str, Any]:
        space, name = naming.namespace(manifest), naming.object_name(manifest)
        applies = self.options.server_side_apply and (patch or self.options.upsert)
        if not applies:
            return self.client.create(kind, manifest, space, manager, dry)
        force = dry or self.force(manifest)
        try:
            return self.client.apply(kind, manifest, space, name, manager, force=force, dry=dry)
        except ApiError as error:
            if dry and error.code == 422 and IMMUTABLE in str(error):
                # A dry run cannot show a replacement under the same name.
                other = copy.deepcopy(manifest)
                other["metadata"]["name"] = f"{name}-preview"
                return self.client.apply(
                    kind, other, space, f"{name}-preview", manager, force=True, dry=True
                )
            raise refusal(error, manager) from None

    def update(
        self,
        kind: Kind,
        manifest: dict[str, Any],
        old_inputs: Mapping[str, Any],
        name: str,
        manager: str,
        *,
        ignored: list[str],
        patch: bool,
        dry: bool,
    ) -> dict[str, Any]:
        """Updates an object in place.

        Raises:
            ApiError, Refused: the server's refusal, conflicts included.
        """
        space = naming.namespace(manifest)
        live = self.client.get(kind, space, name)
        if kind.kind == "CustomResourceDefinition":
            manifest["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
            return self.client.replace(kind, manifest, space, manager, dry)
        if not self.options.server_side_apply:
            body = merge_patch(old_inputs, manifest)
            return self.client.patch(kind, body, space, name, MERGE, manager, dry)
        if not patch and not dry:
            handed = ownership.hand_over(live, manager)
            if handed:
                live = self.client.patch(kind, handed, space, name, JSON_PATCH)
        _keep_ignored(manifest, live, ignored, manager)
        force = self.force(manifest) or (dry and ownership.forced_in_preview(live, manager))
        try:
            return self.client.apply(kind, manifest, space, name, manager, force=force, dry=dry)
        except ApiError as error:
            raise refusal(error, manager) from None

    def wait(
        self,
        kind: Kind,
        manifest: Mapping[str, Any],
        live: dict[str, Any],
        asked: float,
        report: Report,
    ) -> dict[str, Any]:
        """Waits until the object is ready, unless its annotation says not to."""
        if naming.skip_await(manifest):
            return live
        timeout = naming.timeout_seconds(manifest, asked, waits.DEFAULT_TIMEOUT)
        return waits.until_ready(self.client, kind, live, timeout, report, self.cancelled)

    def read(
        self,
        kind: Kind,
        manifest: Mapping[str, Any],
        space: str,
        name: str,
        *,
        imported: bool,
    ) -> dict[str, Any]:
        """The live object.

        Raises:
            ApiError: not found, or refused. NotReady: it is there but not ready.
        """
        live = self.client.get(kind, space, name)
        if imported or naming.skip_await(manifest) or str(kind) not in readiness.AWAITED_ON_READ:
            return live
        state = waits.check(self.client, kind, live)
        if not state.ready:
            text = f"Resource '{name}' was created but failed to initialize"
            reasons = state.problems + waits.explain(self.client, kind, live)
            raise waits.NotReady(text, live, reasons)
        return live

    def delete(
        self,
        kind: Kind,
        manifest: Mapping[str, Any],
        space: str,
        name: str,
        manager: str,
        *,
        patch: bool,
        asked: float,
        report: Report,
    ) -> None:
        """Deletes an object with its dependents and waits until it is gone.

        An object that is gone already is fine. A patch resource only gives up its fields.
        """
        try:
            live = self.client.get(kind, space, name)
            if patch:
                self._relinquish(kind, live, manager)
                return
            self.client.delete(kind, space, name, naming.deletion_policy(manifest))
        except NoSuchKind:
            return
        except ApiError as error:
            if error.not_found:
                return
            if kind.kind == "Namespace" and "may not be deleted" in str(error):
                self._relinquish(kind, self.client.get(kind, space, name), manager)
                return
            raise
        if naming.skip_await(manifest):
            return
        default = 600.0 if kind.kind in _SLOW_DELETIONS else waits.DELETE_TIMEOUT
        timeout = naming.timeout_seconds(manifest, asked, default)
        uid = live["metadata"].get("uid", "")
        waits.until_gone(self.client, kind, space, name, uid, timeout, report, self.cancelled)

    def _relinquish(self, kind: Kind, live: Mapping[str, Any], manager: str) -> None:
        space, name = naming.namespace(live), naming.object_name(live)
        handed = ownership.hand_over(live, manager)
        if handed:
            self.client.patch(kind, handed, space, name, JSON_PATCH)
        bare = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {"name": name},
        }
        self.client.apply(kind, bare, space, name, manager, force=True, dry=False)


def _keep_ignored(
    manifest: dict[str, Any], live: Mapping[str, Any], ignored: list[str], manager: str
) -> None:
    """Leaves ignored fields to their owner, or repeats their live value if that is ours."""
    for text in ignored:
        path = text.split(".")
        mine, theirs = ownership.owns(live, path, manager)
        target: Any = manifest
        source: Any = live
        for part in path[:-1]:
            target = target.get(part) if isinstance(target, dict) else None
            source = source.get(part) if isinstance(source, dict) else None
        if not isinstance(target, dict):
            continue
        if theirs and not mine:
            target.pop(path[-1], None)
        elif isinstance(source, dict) and path[-1] in source:
            target[path[-1]] = copy.deepcopy(source[path[-1]])
