"""Objects whose kind is not Kubernetes' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from .cluster_apis import SERVED_BY

if TYPE_CHECKING:
    from pulumi_kubernetes.apiextensions import CustomResource


def custom_resource(
    name: str, version: str, kind: str, metadata: Any, spec: Any, opts: pulumi.ResourceOptions
) -> CustomResource:
    """Registers an object, and says in a preview what the preview does not ask.

    Args:
        name: logical name of the resource.
        version: of the API, `gateway.networking.k8s.io/v1`.
        kind: of the object.
        metadata: its metadata.
        spec: its specification.
        opts: of the resource.
    """
    # Loaded by the stacks that have such an object.
    from pulumi_kubernetes.apiextensions import CustomResource

    if pulumi.runtime.is_dry_run():
        what, _ = SERVED_BY[version.partition("/")[0]]
        pulumi.log.info(
            f"{kind}: a preview does not ask whether the cluster serves {version}, which {what} does; "
            "`python -m sandbox doctor STACK --ask-own` asks it."
        )
    return CustomResource(
        name, api_version=version, kind=kind, metadata=metadata, spec=spec, opts=opts
    )
