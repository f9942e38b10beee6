"""What a stack has that cannot be had back, and what a change of its settings would lose; pure.

The facts are plain texts without secrets. The stack keeps them in its state (`components/safeguards/change_guard.py`), so that the
next update can be compared with what is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import COMMAND
from ..backends.external_values import external_names
from ..backends.registry import backend_of
from ..settings import Settings
from ..settings.external_key import has_external_key
from ..settings.open_source_store import in_store
from ..storage.registry import storage_of
from .created_things import created_things, deleted_things

#: What stands for the secret manager of a stack that has none.
NONE = "none"
DEVELOPMENT = "development"
#: Who reads the secret manager of open source; in the Enterprise Edition Kestra does, and nothing is noted.
OPERATOR = "external-secrets"
#: Fact of a key to its settings path.
KEYS = {"encryptionKey": "encryption.secret-key", "internalKey": "secret.{reads}.secret"}


def fingerprint(key: str) -> str:
    """The first 8 hexadecimal digits of the SHA-256 of a key's text: tells keys apart, and nothing about them."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def snapshot(settings: Settings) -> dict[str, Any]:
    """What the settings alone say of what cannot be had back."""
    views = [settings, *([settings.secondary] if settings.secondary else [])]
    external = external_names(settings)
    known = settings.encryption.fingerprint if has_external_key(settings) else None
    reader = {"reader": OPERATOR} if settings.uses_external_secrets else {}
    storage = storage_of(settings)
    return reader | {
        "environment": settings.tags.environment,
        "reads": settings.secret.type if settings.secret else NONE,
        "stores": {view.secret.type: location(view) for view in views if view.secret},
        "declared": {
            name: f"{secret.tenant}/{secret.namespace}"
            for name, secret in settings.written_secrets.items()
        },
        # Absent as of old where there is none.
        **({"external": external} if external else {}),
        **({"encryptionKey": known} if known else {}),
        **({"storage": storage.location_facts(settings)} if storage else {}),
        **({"alone": True} if settings.is_secrets_alone else {}),
        "created": created_things(settings),
    }


def location(settings: Settings) -> dict[str, str]:
    """Where the secrets of the settings' secret manager are: settings path to value."""
    facts = backend_of(settings).location_facts(settings)
    return {path: "" if value is None else str(value) for path, value in facts.items()}


@dataclass(frozen=True)
class Loss:
    """Something that an update would lose."""

    what: tuple[str, ...]
    """Identifies it, without values that only the update itself knows."""
    text: str
    """What would be lost, and what to do instead; a sentence or two."""


def find_losses(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Loss]:
    """What the step from one set of facts to another would lose; nothing where both are development.

    Args:
        before: the facts of the state.
        after: the facts of the settings. A key that is not known yet is one that would be made anew.
    """
    if not before or {before.get("environment"), after.get("environment")} <= {DEVELOPMENT}:
        return []
    keys = list(_keys(before, after))
    ends_kestra = any(loss.what[0] == "alone" for loss in keys)
    return [
        *keys,
        *_stores(before, after),
        *_declared(before, after),
        *_external(before, after),
        *_storage(before, after),
        # What goes with Kestra is told with its end.
        *(() if ends_kestra else _created(before, after)),
    ]


def confirmation_token(losses: list[Loss]) -> str:
    """What `kestra:deployment.accept` has to be for exactly these losses."""
    said = json.dumps(sorted(loss.what for loss in losses))
    return f"ok-{hashlib.sha256(said.encode()).hexdigest()[:8]}"


def refusal(before: Mapping[str, Any], after: Mapping[str, Any], accepted: str | None) -> str:
    """Why an update is refused and what to do; empty when it may go on."""
    losses = find_losses(before, after)
    token = confirmation_token(losses)
    if not losses or accepted == token:
        return ""
    stale = f" It is {accepted} now, which was for another change." if accepted else ""
    return "\n".join(
        [
            "refused: this update would lose what cannot be had back.",
            *(f"- {loss.text}" for loss in losses),
            f"If all of this is meant: set kestra:deployment.accept to {token} and run it again."
            f"{stale} See docs/guards.md.",
        ]
    )


def _keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    for fact, named in KEYS.items():
        was, now = before.get(fact), after.get(fact)
        if not was or now == was or (fact == "internalKey" and before["reads"] != after["reads"]):
            continue
        path = named.format(reads=before["reads"])
        if after.get("alone"):
            yield Loss(
                ("alone", fact, str(was)),
                "kestra:deployment.enabled would become false: Kestra itself would be deleted with its namespace and "
                f"volumes, and this stack would give up the key kestra:{path} (fingerprint {was}), without which what Kestra encrypted cannot be read. "
                "Leave it true; the secrets of a team go into a stack of their own (docs/teams.md).",
            )
            continue
        becomes = f"{now} comes" if isinstance(now, str) and now else "a new one would be made"
        back = " or from the copy in the secret store," if fact == "encryptionKey" else ""
        yield Loss(
            ("key", fact, str(was)),
            f"The key kestra:{path} would change (fingerprint {was} goes, {becomes}): Kestra could never again read "
            f"what it encrypted with the old one. Give the old key, from your own backup{back} with "
            f"`pulumi config set --secret --path 'kestra:{path}'`.",
        )


def _stores(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    reads, then = before["reads"], after["reads"]
    if reads != NONE and reads not in after["stores"]:
        declared = ", ".join(sorted(before["declared"]))
        written = f"the declared secrets {declared} and " if declared else ""
        text = (
            f"Kestra reads its secrets from {reads}, and {written}what users entered there would be left behind or "
            f"deleted. Move first: put {then if then != NONE else 'the new manager'} under kestra:store.also, then "
            "change the two blocks' places (docs/moving.md)."
        )
        if before.get("reader") == OPERATOR:
            place = then if then != NONE else "a Kubernetes Secret"
            text = (
                f"The declared secrets {declared or '(none)'} lie in {reads}, and would be deleted there, with the values "
                "that others put in their places. What this stack has the value of is written to "
                f"{place} anew; copy the others first (docs/open-source-stores.md#to-another-secret-manager)."
            )
        yield Loss(("store", reads, then), text)
    for kind in sorted(set(before["stores"]) & set(after["stores"])):
        was, now = before["stores"][kind], after["stores"][kind]
        for path in sorted(set(was) | set(now)):
            old, new = was.get(path, ""), now.get(path, "")
            if path.endswith(".secret-path-prefix"):
                # Slashes at its ends, which the settings took once, led to the same place.
                old = old.strip("/")
            if old != new:
                shown = path
                if after.get("reader") == OPERATOR:
                    shown = ".".join(map(str, in_store(tuple(path.split(".")))))
                yield Loss(
                    ("place", kind, path, old, new),
                    f"kestra:{shown} would change from {old or 'nothing'} to {new or 'nothing'}: the store {kind}, its "
                    "key or its secrets would be made anew elsewhere and the old ones deleted. Leave it as it is.",
                )


def _external(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    """Secrets that the stack wrote and others are to write: what it wrote goes with what it registered for it."""
    for name in sorted(set(after.get("external") or ()) - set(before.get("external") or ())):
        if name in before["declared"]:
            yield Loss(
                ("external", name),
                f"kestra:declared-secrets.{name} becomes external: the value that this stack wrote may be deleted from "
                "the secret store, and flows that read it would fail until another is there. Declare another name as "
                f"external, put the value there with `{COMMAND} secret set`, and change the flows first.",
            )


def _storage(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    """Kestra's files, which it looks for in one place."""
    was, now = before.get("storage") or {}, after.get("storage") or {}
    if not was:
        return
    if not now:
        yield Loss(
            ("storage", *sorted(was.values())),
            "kestra:storage-bucket would go: Kestra's pods lose their access to its files, and a bucket that this stack "
            "made would be deleted as soon as it is empty. Leave it as it is.",
        )
        return
    for path in sorted(set(was) | set(now)):
        old, new = was.get(path, ""), now.get(path, "")
        if old != new:
            yield Loss(
                ("storage", path, old, new),
                f"kestra:{path} would change from {old or 'nothing'} to {new or 'nothing'}: Kestra would not find the files "
                "of flows and executions any more. Copy them first (docs/storage.md), or leave it as it is.",
            )


def _created(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    """What the stack has made, and would delete for a setting that says that it exists already, or where it has
    another name."""
    was, now = before.get("created") or {}, after.get("created") or {}
    for path, name, sentence in deleted_things(was, now):
        yield Loss(
            ("created", path, name),
            f"kestra:{path} would change: {sentence}. Leave it as it is. To hand it to another owner, take it out of the "
            "state first (docs/guards.md#to-hand-something-over).",
        )


def _declared(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Loss]:
    for name, was in sorted(before["declared"].items()):
        now = after["declared"].get(name)
        if now is None:
            yield Loss(
                ("declared", name, was),
                f"kestra:declared-secrets.{name} is gone from the settings: it would be deleted from the secret store, "
                "and flows that read it would fail. For another name declare the new one first, and change the flows.",
            )
        elif now != was and not (was.endswith("/") or now.endswith("/")):
            # A secret without a namespace is one of open source, which has it in every namespace.
            yield Loss(
                ("declared", name, was, now),
                f"kestra:declared-secrets.{name} would move from {was} to {now}: flows of {was} would not find it any "
                "more. Declare it there under a second name, and change the flows first.",
            )
