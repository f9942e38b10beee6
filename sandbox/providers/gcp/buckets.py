"""Buckets of Cloud Storage and members of their policies, by inputs only."""

from __future__ import annotations

import re
from typing import ClassVar

from sandbox.providers.gcp.labels import labels_seen, labels_sent
from sandbox.providers.gcp.members import Member
from sandbox.providers.gcp.resource import Google, Recorded, number
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties

_NAME = r"[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]"


class Bucket(Recorded):
    """A bucket. Google writes its location in upper case."""

    noun = "Bucket"
    named = "name"
    labelled = True
    computed = frozenset(
        {"project", "publicAccessPrevention", "rpo", "softDeletePolicy", "uniformBucketLevelAccess"}
    )
    defaults: ClassVar[Properties] = {
        "deletionPolicy": "DELETE",
        "forceDestroy": False,
        "storageClass": "STANDARD",
    }

    def check(self, p: Properties) -> Failures:
        name = p.get("name")
        if isinstance(name, str) and (not re.fullmatch(_NAME, name) or "google" in name):
            return [("name", f'"name" value ({name!r}) is no name of a bucket')]
        return []

    def id(self, g: Google, p: Properties) -> str:
        return p["name"]

    def taken(self, id_: str) -> str:
        return "Your previous request to create the named bucket succeeded and you already own it., conflict"

    def before(self, g: Google, objects: dict[str, Properties], p: Properties) -> None:
        key = (p.get("encryption") or {}).get("defaultKmsKeyName")
        if key and key.split("/")[1] == g.project and key not in objects:
            raise ProviderError(
                f"Error creating Bucket: googleapi: Error 404: KMS key {key} not found., notFound"
            )

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        project = g.of(p)
        return super().record(g, id_, p) | {
            "project": project,
            "projectNumber": int(number(project)),
            "selfLink": f"https://www.googleapis.com/storage/v1/b/{id_}",
            "url": f"gs://{id_}",
            "effectiveLabels": labels_sent(g, p, {}),
        }

    def seen(self, g: Google, id_: str, p: Properties, kept: Properties) -> Properties:
        return p | kept | labels_seen(g, p, kept["effectiveLabels"])

    def update(self, g: Google, id_: str, p: Properties, olds: Properties) -> Properties:
        super().update(g, id_, p, olds)
        with g.store.open() as objects:
            objects[id_] = self.record(g, id_, p) | {"effectiveLabels": labels_sent(g, p, olds)}
        return self.seen(g, id_, p, objects[id_])

    def same(self, name: str, before: object, after: object) -> bool:
        if name == "location" and isinstance(before, str) and isinstance(after, str):
            return before.upper() == after.upper()
        return super().same(name, before, after)

    def parse(self, g: Google, id_: str) -> Properties:
        return {"name": id_.rsplit("/", 1)[-1]}


class BucketMember(Member):
    """Of a bucket's policy. Buckets of others are not known here."""

    target, what = "bucket", "storage bucket"

    def resource(self, g: Google, p: Properties) -> str:
        return f"b/{p['bucket'].removeprefix('b/')}"


def service_account(g: Google, args: Properties) -> Properties:
    """The account by which Cloud Storage acts in a project."""
    project = g.of({"project": args.get("project")})
    email = f"service-{number(project)}@gs-project-accounts.iam.gserviceaccount.com"
    return {
        "id": email,
        "emailAddress": email,
        "member": f"serviceAccount:{email}",
        "project": project,
    }
