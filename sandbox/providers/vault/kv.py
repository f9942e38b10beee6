"""Secrets of a KV engine, and any other path that takes a document."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.schema_validation import snake
from sandbox.providers.runtime.terraform_values import ZERO, go_json, is_json_object, normalize_json
from sandbox.providers.runtime.values import Properties
from sandbox.providers.vault.api import Api
from sandbox.providers.vault.resource import VaultResource

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DESCRIBED = ("casRequired", "deleteVersionAfter", "maxVersions")


class SecretV2(VaultResource):
    """A secret of a KV version 2 engine."""

    computed = frozenset({"customMetadata"})
    defaults: ClassVar[Properties] = {"deleteAllVersions": False, "disableRead": False}
    documents = frozenset({"dataJson", "dataJsonWo"})

    def path(self, p: Properties) -> str:
        return f"{p['mount']}/data/{p['name']}"

    def check(self, p: Properties) -> Failures:
        failures = super().check(p)
        if p.get("dataJsonWo") is not None and p.get("dataJsonWoVersion") is None:
            failures.append(
                (
                    "dataJsonWo",
                    "Missing required argument. "
                    '"data_json_wo": all of `data_json_wo,data_json_wo_version` must be specified',
                )
            )
        chosen = [n for n in ("dataJson", "dataJsonWo") if p.get(n) is not None]
        if len(chosen) != 1:
            failures.append(
                (
                    "dataJson",
                    'Invalid combination of arguments. "data_json": one of '
                    "`data_json,data_json_wo` must be specified",
                )
            )
        return failures

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        # Every update is a new version, whatever it changed; write-only data has a version of its own.
        written_only = p.get("dataJson") is None
        if not written_only or p.get("dataJsonWoVersion") != olds.get("dataJsonWoVersion"):
            data = json.loads(p["dataJsonWo"] if written_only else p["dataJson"])
            sent: Properties = {"data": data, "options": p.get("options") or {}}
            # Beside the options, where Vault does not look for it: the official provider does the same.
            sent["cas"] = p.get("cas") or 0
            api.request("POST", self.path(p), sent)

    def describe(self, api: Api, p: Properties) -> None:
        desired = p.get("customMetadata")
        if desired:
            described = {snake(n): desired[n] for n in _DESCRIBED if desired.get(n) not in ZERO}
            if desired.get("data"):
                described["custom_metadata"] = desired["data"]
            api.request("POST", f"{p['mount']}/metadata/{p['name']}", described)

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        mount, _, name = id_.partition("/data/")
        out = dict(p) | {"mount": mount, "name": name, "path": id_}
        # Write-only data is in the program and in Vault, never in the state.
        out.pop("dataJsonWo", None)
        if p.get("disableRead"):
            return out
        current = api.request("GET", id_)
        if current is None:
            return None
        # As the official provider since 5.0.0: no value is read back, so that one that others wrote, or a
        # deleted version, is no difference (docs/backends/vault.md, Drift).
        out["data"] = {}
        out["metadata"] = _texts(current["data"]["metadata"])
        described = api.request("GET", f"{mount}/metadata/{name}")
        if described is not None:
            out["customMetadata"] = {
                "casRequired": described["data"]["cas_required"],
                "deleteVersionAfter": _seconds(described["data"]["delete_version_after"]),
                "maxVersions": described["data"]["max_versions"],
                "data": described["data"].get("custom_metadata") or {},
            }
        return out

    def same(self, name: str, before: Any, after: Any) -> bool:
        if name == "customMetadata" and isinstance(before, dict) and isinstance(after, dict):
            return all(
                super(SecretV2, self).same(part, before.get(part), after.get(part))
                for part in (*_DESCRIBED, "data")
            )
        return super().same(name, before, after)

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        path = id_.replace("/data/", "/metadata/", 1) if p.get("deleteAllVersions") else id_
        api.request("DELETE", path)

    def parse(self, id_: str) -> Properties:
        mount, middle, name = id_.partition("/data/")
        if not middle or not name:
            raise ProviderError(f"unable to read mount from ID {id_}, err=no mount found")
        return {"mount": mount, "name": name}


class Endpoint(VaultResource):
    """Any path that takes a document."""

    defaults: ClassVar[Properties] = {
        "disableDelete": False,
        "disableRead": False,
        "ignoreAbsentFields": False,
    }
    documents = frozenset({"dataJson"})

    def path(self, p: Properties) -> str:
        return p["path"]

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        answer = api.request("PUT", p["path"], json.loads(p["dataJson"])) or {}
        data = answer.get("data")
        chosen = {f: data[f] for f in p.get("writeFields") or [] if f in data} if data else {}
        p["writeDataJson"] = go_json(chosen) if data else "null"
        p["writeData"] = _texts(chosen)

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        if p.get("disableRead"):
            return p | ({"dataJson": normalize_json(p["dataJson"])} if p.get("dataJson") else {})
        current = api.request("GET", id_)
        if current is None:
            return None
        data = current.get("data") or {}
        if p.get("ignoreAbsentFields") and is_json_object(p.get("dataJson") or ""):
            desired = json.loads(p["dataJson"])
            data = desired | {k: v for k, v in data.items() if k in desired}
        return p | {"path": id_, "dataJson": go_json(data)}

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        if not p.get("disableDelete"):
            api.request("DELETE", id_)

    def parse(self, id_: str) -> Properties:
        return {"path": id_}


def _texts(fields: Properties) -> dict[str, str]:
    return {k: v if isinstance(v, str) else go_json(v) for k, v in fields.items()}


def _seconds(duration: str) -> int:
    """Whole seconds of Go's `1h2m3s`."""
    parts = re.findall(r"([\d.]+)(ms|us|µs|ns|h|m|s)", duration)
    return int(sum(float(number) * _UNITS[unit] for number, unit in parts))
