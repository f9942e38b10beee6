"""Cloud KMS, by inputs only: neither key rings nor keys can ever be deleted, and their names stay taken."""

from __future__ import annotations

import re
from typing import ClassVar

from sandbox.providers.gcp.api import GoogleError
from sandbox.providers.gcp.labels import labels_seen, labels_sent
from sandbox.providers.gcp.resource import Google, Recorded, ids
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.values import Properties


class KeyRing(Recorded):
    """A place for keys."""

    noun = "KeyRing"
    named = "name"
    defaults: ClassVar[Properties] = {}

    def id(self, g: Google, p: Properties) -> str:
        return f"projects/{g.of(p)}/locations/{p['location']}/keyRings/{p['name']}"

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        return {"name": p["name"], "location": p["location"], "project": g.of(p)}

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        """Only the program forgets it."""

    def parse(self, g: Google, id_: str) -> Properties:
        return ids("projects/{project}/locations/{location}/keyRings/{name}", id_)


class CryptoKey(Recorded):
    """A key."""

    noun = "CryptoKey"
    named = "name"
    labelled = True
    computed = frozenset(
        {"importOnly", "cryptoKeyBackend", "destroyScheduledDuration", "versionTemplate",
         "keyAccessJustificationsPolicy"}
    )  # fmt: skip
    defaults: ClassVar[Properties] = {"deletionPolicy": "DELETE", "purpose": "ENCRYPT_DECRYPT"}

    def check(self, p: Properties) -> Failures:
        period = p.get("rotationPeriod")
        if isinstance(period, str):
            match = re.fullmatch(r"(\d+)(\.\d{1,9})?s", period)
            if match is None:
                return [("rotationPeriod", 'rotation_period must be a number of seconds with "s"')]
            if int(match[1]) < 86400:
                return [("rotationPeriod", "rotation period must be greater than one day")]
        return []

    def id(self, g: Google, p: Properties) -> str:
        return f"{p['keyRing']}/cryptoKeys/{p['name']}"

    def before(self, g: Google, objects: dict[str, Properties], p: Properties) -> None:
        project = p["keyRing"].split("/")[1]
        if project == g.project and p["keyRing"] not in objects:
            words = GoogleError(404, f"KeyRing {p['keyRing']} not found.")
            raise ProviderError(f"Error creating CryptoKey: {words}")

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        template = {
            "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION",
            "protectionLevel": "SOFTWARE",
            **(p.get("versionTemplate") or {}),
        }
        created = {
            "destroyScheduledDuration": "2592000s",
            "importOnly": False,
            "primaries": [{"name": f"{id_}/cryptoKeyVersions/1", "state": "ENABLED"}],
        }
        created |= super().record(g, id_, p)
        return created | {"versionTemplate": template, "effectiveLabels": labels_sent(g, p, {})}

    def seen(self, g: Google, id_: str, p: Properties, kept: Properties) -> Properties:
        out = {k: v for k, v in p.items() if k != "rotationPeriod"} | kept
        return out | labels_seen(g, p, kept["effectiveLabels"])

    def gone(self, kept: Properties) -> bool:
        return kept.get("primaries") == []

    def update(self, g: Google, id_: str, p: Properties, olds: Properties) -> Properties:
        with g.store.open() as objects:
            kept = objects.get(id_)
            if kept is None:
                words = GoogleError(404, f"CryptoKey {id_} not found.")
                raise ProviderError(f'Error updating CryptoKey "{id_}": {words}')
            objects[id_] = self.record(g, id_, p) | {"primaries": kept["primaries"]}
            objects[id_]["effectiveLabels"] = labels_sent(g, p, olds)
        return self.seen(g, id_, p, objects[id_])

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        with g.store.open() as objects:
            if id_ in objects:
                # Its versions are destroyed; the key stays, without a rotation.
                objects[id_]["primaries"] = []
                objects[id_].pop("rotationPeriod", None)

    def parse(self, g: Google, id_: str) -> Properties:
        parts = ids("{project}/{location}/{ring}/{name}", _short(id_))
        ring = "projects/{project}/locations/{location}/keyRings/{ring}".format(**parts)
        return {"keyRing": ring, "name": parts["name"]}


def _short(id_: str) -> str:
    return re.sub(r"(?:^projects|/locations|/keyRings|/cryptoKeys)/", "/", id_).strip("/")
