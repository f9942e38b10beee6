"""What a stack has made because a setting says so, and would delete when the setting says that it exists already; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..backends.registry import backend_of
from ..kubernetes.pods import STORAGE_CLAIM, stores_locally
from ..settings import Settings
from ..settings.task_places import task_places
from ..storage.registry import storage_of

NAMESPACE, VOLUME = "deployment.create-namespace", "deployment.storage-volume"
INSTALL = "store.install"
_TASKS = "task-runner.create-namespace"
#: End of a settings path to what it makes, and what goes with it.
_WITH = {
    _TASKS: ("the namespace {}", "with the pods of tasks that run in it"),
    NAMESPACE: ("the namespace {}", "with everything in it, also what others put there"),
    VOLUME: ("the volume claim {}", "with Kestra's files"),
    INSTALL: (
        "{}",
        "with the definitions of its objects, and so with every ExternalSecret of the cluster and the Secrets that they "
        "own",
    ),
    "identity.vault.mount-auth": (
        "the auth method {} of Vault",
        "with every role in it, also those of others",
    ),
    "storage-bucket.create": (
        "the bucket {}",
        "in Azure with the files in it, elsewhere as soon as it is empty; what encrypts, versions and closes it goes at once",
    ),
    "storage-bucket.aws.kms.arn": (
        "the KMS key of the bucket {}",
        "and files that it encrypted could then never be read again",
    ),
}
#: What every stack may have: where it is not noted, it is not there any more. Of the others, what they belong to is gone
#: then, and whoever takes that away means them too.
_OF_EVERY_STACK = (NAMESPACE, VOLUME, INSTALL)
#: What another name makes anew elsewhere; of the others, the place is compared or nothing is in them.
_MOVES = (NAMESPACE, VOLUME)


def created_things(settings: Settings) -> dict[str, str]:
    """Settings path of what makes a thing to the thing's name; empty where it exists already.

    Secret managers name here what their `location_facts` do not.
    """
    if settings.is_secrets_alone:
        return {}
    deployment = settings.deployment
    things: dict[str, str] = {}
    if deployment.create_namespace:
        things[NAMESPACE] = deployment.namespace
    volume = deployment.storage_volume
    if volume is not None and not volume.existing_claim and stores_locally(settings):
        things[VOLUME] = f"{deployment.namespace}/{STORAGE_CLAIM}"
    if settings.store.install:
        things[INSTALL] = "External Secrets Operator"
    for place in task_places(settings):
        creates = place.settings.create_namespace
        things[".".join((*place.loc, "create-namespace"))] = place.namespace if creates else ""
    for view in (settings, settings.secondary):
        if view is not None and view.secret is not None:
            things |= backend_of(view).created_things(view)
    storage = storage_of(settings)
    return things | (storage.created_things(settings) if storage else {})


def deleted_things(
    before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Path and name of what a step from one set of things to another deletes, and a sentence that says so.

    Args:
        before: the things of the state.
        after: the things of the settings.
    """
    for path, name in sorted(before.items()):
        now = after.get(path, "" if path in _OF_EVERY_STACK else None)
        if name and (now == "" or (path in _MOVES and now != name)):
            thing, goes = next(
                (text for end, text in _WITH.items() if path.endswith(end)), ("{}", "")
            )
            yield (
                path,
                name,
                f"{thing.format(name)}, which this stack made, would be deleted {goes}",
            )
