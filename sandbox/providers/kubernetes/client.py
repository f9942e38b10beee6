"""Requests to the API server: discovery, one object at a time, and its refusals."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from sandbox.providers.kubernetes.kubeconfig import Access
from sandbox.providers.kubernetes.naming import Kind
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.retry import retry_after, retry_until

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
IMMUTABLE = "field is immutable"
TIMEOUT = 32
"""Seconds of one request: the official plugin's documented default (`kubeClientSettings.timeout`)."""
_MAX_RETRIES = 10
"""client-go's (rest/request.go)."""
_POOL = 64


class ApiError(ProviderError):
    """The API server refused; the text is the server's own message."""

    def __init__(self, code: int, message: str, reason: str = "", details: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details if isinstance(details, dict) else {}

    @property
    def not_found(self) -> bool:
        return self.code == 404

    @property
    def conflict(self) -> bool:
        return self.code == 409 and self.reason == "Conflict"

    @property
    def already_exists(self) -> bool:
        return self.reason == "AlreadyExists"

    @property
    def missing_namespace(self) -> bool:
        return self.not_found and self.details.get("kind") == "namespaces"


class NoSuchKind(ProviderError):
    """The API server knows no such kind (its definition may not have been created yet)."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f'no matches for kind "{kind.kind}" in version "{kind.api_version}"')


class Unreachable(ProviderError):
    """The API server did not answer."""


@dataclass(frozen=True)
class Collection:
    """Where the objects of a kind live."""

    prefix: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        space = f"/namespaces/{quote(namespace or 'default')}" if self.namespaced else ""
        return f"{self.prefix}{space}/{self.plural}" + (f"/{quote(name)}" if name else "")


class Client:
    """One API server. Safe to use from many threads."""

    def __init__(self, access: Access, timeout: float = TIMEOUT) -> None:
        tls: dict[str, Any] = {"ssl_context": access.tls} if access.tls else {}
        if access.tls_server_name:
            tls |= {
                "server_hostname": access.tls_server_name,
                "assert_hostname": access.tls_server_name,
            }
        self._access = access
        limits = urllib3.Timeout(connect=min(5, timeout), read=timeout)
        self._pool = urllib3.PoolManager(maxsize=_POOL, retries=False, timeout=limits, **tls)
        self._collections: dict[tuple[str, str], dict[str, Collection]] = {}
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """One request; the answer as data.

        Raises:
            ApiError: a refusal. Unreachable: no answer.
        """
        url = self._access.server + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": "application/json", **self._access.headers}
        data = None
        if body is not None:
            headers["Content-Type"] = content_type
            data = json.dumps(body)

        def send() -> urllib3.BaseHTTPResponse:
            return self._pool.request(method, url, body=data, headers=headers)

        def pause(asked: int, outcome: urllib3.BaseHTTPResponse | Exception) -> float | None:
            """As client-go does (rest/with_retry.go): where the server says when, and where a GET is cut off."""
            if asked > _MAX_RETRIES:
                return None
            if isinstance(outcome, Exception):
                cut = isinstance(outcome, urllib3.exceptions.ProtocolError)
                return 1.0 if method == "GET" and cut else None
            if outcome.status != 429 and outcome.status < 500:
                return None
            return retry_after(outcome.headers.get("Retry-After"))

        try:
            answer = retry_until(send, pause, urllib3.exceptions.HTTPError, math.inf)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f'{method} "{self._access.server}{path}": {error}') from None
        try:
            document = json.loads(answer.data)
        except ValueError:
            if answer.status < 400:
                raise Unreachable(
                    f'{method} "{self._access.server}{path}": the answer is not JSON, so it is not the '
                    "API server's"
                ) from None
            document = {"message": answer.data.decode(errors="replace").strip()}
        if answer.status >= 400:
            raise ApiError(
                answer.status,
                str(document.get("message") or f"the server answered {answer.status}"),
                str(document.get("reason") or ""),
                document.get("details"),
            )
        return document

    def collection(self, kind: Kind) -> Collection:
        """Where objects of a kind live, as the server's discovery says.

        Raises:
            NoSuchKind: the server does not serve it.
        """
        key = (kind.group, kind.version)
        with self._lock:
            known = self._collections.get(key)
        if known is None:
            known = self._discover(kind)
            with self._lock:
                self._collections[key] = known
        if kind.kind not in known:
            self.forget(kind)
            raise NoSuchKind(kind)
        return known[kind.kind]

    def _discover(self, kind: Kind) -> dict[str, Collection]:
        prefix = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        try:
            document = self.request("GET", prefix)
        except ApiError as error:
            if error.not_found:
                raise NoSuchKind(kind) from None
            raise
        return {
            entry["kind"]: Collection(prefix, entry["name"], bool(entry["namespaced"]))
            for entry in document.get("resources", [])
            if "/" not in entry["name"]
        }

    def forget(self, kind: Kind | None = None) -> None:
        """Drops what discovery said of a kind's group and version, or of all."""
        with self._lock:
            if kind is None:
                self._collections.clear()
            else:
                self._collections.pop((kind.group, kind.version), None)

    def get(self, kind: Kind, namespace: str, name: str) -> dict[str, Any]:
        """The live object."""
        return self.request("GET", self.collection(kind).path(namespace, name))

    def list(self, kind: Kind, namespace: str, **query: str) -> list[dict[str, Any]]:
        """The live objects of a namespace; ``labelSelector`` and the like as keywords."""
        answer = self.request("GET", self.collection(kind).path(namespace), query=query)
        return answer.get("items") or []

    def create(
        self,
        kind: Kind,
        manifest: Mapping[str, Any],
        namespace: str,
        manager: str,
        dry: bool,
    ) -> dict[str, Any]:
        """Creates the object; refused when it exists."""
        query = {"fieldManager": manager, "fieldValidation": "Warn"}
        return self.request(
            "POST",
            self.collection(kind).path(namespace),
            query=query | _dry(dry),
            body=manifest,
        )

    def apply(
        self,
        kind: Kind,
        manifest: Mapping[str, Any],
        namespace: str,
        name: str,
        manager: str,
        *,
        force: bool,
        dry: bool,
    ) -> dict[str, Any]:
        """Server-side apply: fields of another manager are a conflict unless forced."""
        query = {
            "fieldManager": manager,
            "fieldValidation": "Warn",
            "force": "true" if force else "false",
        }
        return self.request(
            "PATCH",
            self.collection(kind).path(namespace, name),
            query=query | _dry(dry),
            body=manifest,
            content_type=APPLY,
        )

    def patch(
        self,
        kind: Kind,
        body: Any,
        namespace: str,
        name: str,
        content_type: str,
        manager: str = "",
        dry: bool = False,
    ) -> dict[str, Any]:
        """A JSON or merge patch."""
        query = ({"fieldManager": manager} if manager else {}) | _dry(dry)
        path = self.collection(kind).path(namespace, name)
        return self.request("PATCH", path, query=query, body=body, content_type=content_type)

    def replace(
        self,
        kind: Kind,
        manifest: Mapping[str, Any],
        namespace: str,
        manager: str,
        dry: bool,
    ) -> dict[str, Any]:
        """Puts the object as a whole (it carries the resource version that it replaces)."""
        path = self.collection(kind).path(namespace, str(manifest["metadata"]["name"]))
        query = {"fieldManager": manager} | _dry(dry)
        return self.request("PUT", path, query=query, body=manifest)

    def delete(self, kind: Kind, namespace: str, name: str, policy: str) -> None:
        """Asks for the deletion; the object may stay until its dependents are gone."""
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": policy,
        }
        self.request("DELETE", self.collection(kind).path(namespace, name), body=body)


def _dry(dry: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry else {}
