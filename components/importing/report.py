"""What an import did, for a person and as JSON: never a secret value."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import COMMAND
from ..settings import Problem
from ..validation.schema import config_path
from .adoption import (
    Step,
    as_far_as_valid,
    inventory_of,
    plan,
    release_objects,
)
from .conversion import Conversion
from .draft import UNKNOWN, Place, Sealed
from .installation import Note
from .sealing import Seal

_KINDS = (
    ("changed", "Changed, and why"),
    ("refused", "Refused, and why"),
    ("not carried", "Not carried over, and what to do by hand"),
)
#: Blocks of the deployment whose inner objects are Kubernetes' own: one line for each.
_WHOLE = (
    "affinity", "tolerations", "node-selector", "topology-spread-constraints", "extra-env", "extra-env-from",
    "extra-volumes", "extra-volume-mounts", "init-containers", "extra-containers", "host-aliases", "dns-config",
    "annotations", "labels", "environment-from", "pull-secrets", "extra-args", "autoscaling", "disruption-budget",
    "resources",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """All that is printed."""

    conversion: Conversion
    warnings: Sequence[Problem]
    seal: Seal
    file: str
    stack: str
    redact: Callable[[str], str]

    def carried(self) -> list[tuple[str, str]]:
        """Each setting that is in the file, with what it is: from where, encrypted or not."""
        lines: dict[str, str] = {}
        for place, value in self.conversion.draft.leaves():
            if value.value == UNKNOWN:
                continue
            path = config_path(_shortened(place))
            origin = value.comment or self.conversion.where(value.origin)
            sealed = "encrypted" if isinstance(value.value, Sealed) else ""
            lines.setdefault(path, ", ".join(filter(None, (sealed, origin))))
        return list(lines.items())

    def _carried_lines(self) -> Iterator[str]:
        """The settings below the place that they came from, each place once."""
        carried = self.carried()
        yield f"Carried over ({len(carried)}):"
        places: dict[str, list[str]] = {}
        for path, origin in carried:
            place = origin.removeprefix("encrypted").removeprefix(", ")
            sealed = " (encrypted)" if place != origin else ""
            places.setdefault(place, []).append(path + sealed)
        for place, paths in places.items():
            yield f"  {place or 'from the inputs as a whole'}"
            yield from (f"    {path}" for path in paths)

    def text(self) -> str:
        """The report as text."""
        return "\n".join(self._clean(line) for line in self._lines()) + "\n"

    def _clean(self, line: str) -> str:
        printable = "".join(
            ch if ch.isprintable() else ch.encode("unicode_escape").decode("ascii") for ch in line
        )
        return self.redact(printable)

    def _lines(self) -> Iterator[str]:
        c = self.conversion
        yield f"Stack file: {self.file}"
        for name, kind in c.installation.sources:
            yield f"Read: {name} ({kind})"
        yield ""
        yield from self._carried_lines()
        for kind, title in _KINDS:
            notes = [note for note in c.notes if note.kind == kind]
            if notes:
                yield ""
                yield f"{title} ({len(notes)}):"
                yield from (f"  {self._note(note)}" for note in notes)
        if c.to_set:
            yield ""
            yield f"To set ({len(c.to_set)}):"
            for item in c.to_set:
                yield f"  {item.setting}: {item.why}"
                yield f"    {item.command}"
                if others := [path for path in item.covers if path != item.setting]:
                    yield f"    (until then check reports {', '.join(others)} too)"
        if self.warnings:
            yield ""
            yield f"Warnings of the check ({len(self.warnings)}):"
            for problem in self.warnings:
                yield f"  {problem.path}: {problem.message}. Rule: {problem.rule}. Fix: {problem.fix}."
        if steps := self.adoption():
            yield ""
            yield f"The release in the same namespace (docs/coming-from.md), whose objects begin with {self.release}:"
            yield from (f"  {step.line()}" for step in steps)
        yield ""
        yield self.totals()
        if self.seal.why_not:
            yield f"Secrets are left out: {self.seal.why_not}."
        yield ""
        yield "Next:"
        for i, step in enumerate(self.next_steps(), 1):
            yield f"  {i}. {step}"

    def _note(self, note: Note) -> str:
        end = f"; {note.fix}" if note.fix else ""
        origin = self.conversion.where(note.origin)
        return f"{note.what}: {note.why}{end}{f' ({origin})' if origin else ''}"

    @property
    def release(self) -> str:
        """The name that the release's objects begin with; `kestra` where no input says it."""
        return self.conversion.installation.release or "kestra"

    def adoption(self) -> list[Step]:
        """What becomes of a Helm release's objects; nothing for another kind of installation."""
        c = self.conversion
        if not any("helm" in kind.lower() for _, kind in c.installation.sources):
            return []
        settings = as_far_as_valid(c.draft.document(lambda value: value.value))
        release = release_objects(settings, self.release, c.installation.release_account)
        namespace = settings.deployment.namespace
        return plan(release, inventory_of(settings), namespace=namespace, stack=self.stack)

    def totals(self) -> str:
        """One line of numbers."""
        c = self.conversion
        encrypted = sum(isinstance(v.value, Sealed) for _, v in c.draft.leaves())
        counts = [f"{len(self.carried())} carried over", f"{encrypted} encrypted"]
        counts += [f"{sum(n.kind == kind for n in c.notes)} {kind}" for kind, _ in _KINDS]
        counts.append(f"{len(c.to_set)} to set")
        counts.append(f"{len(self.warnings)} warning{'' if len(self.warnings) == 1 else 's'}")
        return ", ".join(counts) + "."

    def next_steps(self) -> list[str]:
        """What a person does next, in order."""
        named = f"stacks/Pulumi.{self.stack}.yaml"
        steps = [f"pulumi stack init {self.stack}"]
        if "encryptionsalt" in self.seal.header:
            steps[0] += " (with the same passphrase; skip it where the stack exists)"
        if Path(self.file).resolve() != Path(named).resolve():
            steps.insert(
                0, f"cp {shlex.quote(self.file)} {named} (the name under which Pulumi reads it)"
            )
        if self.conversion.to_set:
            steps.append('the commands under "To set"')
        return [
            *steps,
            f"{COMMAND} check {named}",
            f"pulumi preview --stack {self.stack} (or, without a cluster, make preview STACK={self.stack})",
            "what the policy pack asks for besides: kestra:tags.owner, kestra:endpoints.all.basic-auth.username,"
            " kestra:deployment.image.digest (make preview POLICY=off shows the stack without it)",
            "docs/coming-from.md: what happens to the running installation, and the way back",
        ]

    def json(self) -> str:
        """The report as JSON."""
        c = self.conversion

        def clean(value: Any) -> Any:
            if isinstance(value, str):
                return self.redact(value)
            if isinstance(value, dict):
                return {key: clean(item) for key, item in value.items()}
            return [clean(item) for item in value] if isinstance(value, list) else value

        document = {
            "file": self.file,
            "read": [{"file": name, "kind": kind} for name, kind in c.installation.sources],
            "carried": [{"setting": path, "from": origin} for path, origin in self.carried()],
            **{
                kind.replace(" ", "_"): [_as_json(n) for n in c.notes if n.kind == kind]
                for kind, _ in _KINDS
            },
            "to_set": [
                {"setting": i.setting, "why": i.why, "command": i.command, "covers": list(i.covers)}
                for i in c.to_set
            ],
            "warnings": [
                {"setting": p.path, "message": p.message, "rule": p.rule, "fix": p.fix}
                for p in self.warnings
            ],
            "release": [
                {
                    "object": f"{s.object.kind}/{s.object.name}",
                    "fate": s.fate,
                    "why": s.why,
                    "command": s.command,
                }
                for s in self.adoption()
            ],
            "next": self.next_steps(),
        }
        return json.dumps(clean(document), indent=2) + "\n"


def _as_json(note: Note) -> dict[str, str]:
    return {
        "what": note.what,
        "why": note.why,
        "fix": note.fix,
        "from": str(note.origin or ""),
    }


def _shortened(place: Place) -> Place:
    """A place, up to a list or to an object of Kubernetes'."""
    for i, part in enumerate(place):
        if isinstance(part, int):
            return place[:i]
        if place[0] == "deployment" and i and part in _WHOLE:
            return place[: i + 1]
    return place
