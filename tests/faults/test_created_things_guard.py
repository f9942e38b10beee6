"""The guard of what a stack has made: a setting that says it exists already would delete it, and is refused."""

from __future__ import annotations

from typing import Any

import pytest

from components.safeguards.irreversible_changes import find_losses, refusal, snapshot
from components.validation import load
from tests.components.pods_support import distributed_document
from tests.settings.malformed_fixtures import enterprise, oss
from tests.settings.test_storage_bucket import IN_GROUP, KEY, aws, azure, bucket, google, place

STAGING = {"tags": {"environment": "staging", "owner": "platform", "application": "kestra"}}
VOLUME = {"size": "10Gi"}
STORE = {"type": "vault", "vault": {"address": "https://v"}}


def facts(document: dict[str, Any]) -> dict[str, Any]:
    """What the guard knows of settings in staging."""
    return snapshot(load(document | STAGING, source="test").settings)


def losses(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [loss.text for loss in find_losses(facts(before), facts(after))]


def deployed(**deployment: Any) -> dict[str, Any]:
    return oss(deployment={k.replace("_", "-"): v for k, v in deployment.items()})


def grouped(**tasks: Any) -> dict[str, Any]:
    """A stack with a namespace for tasks, and one of a worker group's own."""
    own = {k.replace("_", "-"): v for k, v in tasks.items()}
    return distributed_document(
        {"task-runner": {}, "worker-groups": {"gpu": {"key": "gpu", "task-runner": own}}},
        version="1.3",
    )


#: Name, before, after, words of the refusal.
DELETED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "the bucket",
        bucket(),
        bucket(storage_bucket={"create": False, "aws": {"kms": {"arn": KEY}}}),
        "kestra:storage-bucket.create would change: the bucket files-of-kestra, which this stack made, would be deleted",
    ),
    (
        "a bucket of Google",
        google(),
        google(storage_bucket={"create": False}),
        "the bucket files-of-kestra",
    ),
    ("a container", azure(), azure(storage_bucket=IN_GROUP), "the bucket filesofkestra/kestra"),
    (
        "the bucket's key",
        bucket(),
        bucket(storage_bucket=aws(kms={"arn": KEY})),
        "kestra:storage-bucket.aws.kms.arn would change: the KMS key of the bucket files-of-kestra",
    ),
    (
        "the namespace",
        deployed(),
        deployed(create_namespace=False),
        "kestra:deployment.create-namespace would change: the namespace kestra, which this stack made, would be deleted "
        "with everything in it",
    ),
    ("another namespace", deployed(), deployed(namespace="flows"), "the namespace kestra"),
    (
        "the volume",
        deployed(storage_volume=VOLUME),
        deployed(storage_volume={"existing-claim": "files"}),
        "the volume claim kestra/kestra-storage, which this stack made, would be deleted with Kestra's files",
    ),
    ("no volume", deployed(storage_volume=VOLUME), deployed(), "the volume claim"),
    (
        "the tasks' namespace",
        deployed(task_runner={}),
        deployed(task_runner={"create-namespace": False}),
        "kestra:deployment.task-runner.create-namespace would change: the namespace kestra-tasks",
    ),
    (
        "a group's namespace",
        grouped(),
        grouped(create_namespace=False),
        "kestra:deployment.worker-groups.gpu.task-runner.create-namespace would change: the namespace kestra-tasks-gpu",
    ),
    (
        "the auth method",
        enterprise(),
        enterprise(identity={"vault": {"mount-auth": False}}),
        "kestra:identity.vault.mount-auth would change: the auth method kubernetes of Vault",
    ),
    (
        "the operator",
        oss(store=STORE | {"install": True}),
        oss(store=STORE),
        "kestra:store.install would change: External Secrets Operator, which this stack made, would "
        "be deleted with the definitions of its objects",
    ),
]


@pytest.mark.parametrize(("before", "after", "words"), [r[1:] for r in DELETED], ids=[r[0] for r in DELETED])  # fmt: skip
def test_what_the_stack_made_is_not_deleted_by_a_switch(
    before: dict[str, Any], after: dict[str, Any], words: str
) -> None:
    assert any(words in text for text in losses(before, after)), losses(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (deployed(), deployed()),
        (deployed(create_namespace=False), deployed()),
        (deployed(create_namespace=False), deployed(create_namespace=False, namespace="flows")),
        (deployed(task_runner={}), deployed()),
        (deployed(), deployed(task_runner={"create-namespace": False})),
        (bucket(), bucket(storage_bucket=aws(noncurrent_days=3))),
        (google(), google(storage_bucket=place(kms={"enabled": False}))),
        (deployed(storage_volume=VOLUME), deployed(storage_volume=VOLUME | {"size": "20Gi"})),
    ],
    ids=[
        "nothing",
        "an existing namespace is made",
        "another existing namespace",
        "no namespace for tasks any more",
        "an existing namespace for tasks",
        "another setting of the bucket",
        "a key that Google keeps",
        "a larger volume",
    ],
)
def test_what_deletes_nothing_of_others_is_let_through(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert losses(before, after) == []


def test_the_refusal_says_how_to_hand_it_over_and_the_code_lets_it_through() -> None:
    before, after = facts(deployed()), facts(deployed(create_namespace=False))
    text = refusal(before, after, None)
    assert "(docs/guards.md#to-hand-something-over)" in text
    code = text.partition("kestra:deployment.accept to ")[2].partition(" ")[0]
    assert refusal(before, after, code) == ""


def test_a_state_that_notes_nothing_is_not_compared() -> None:
    before = facts(deployed())
    del before["created"]
    assert find_losses(before, facts(deployed(create_namespace=False))) == []
