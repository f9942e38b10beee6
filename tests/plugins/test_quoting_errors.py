"""A server quotes what it was sent; a stand-in tells its words without the secrets in them."""

from __future__ import annotations

from typing import Any

import pytest
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.leaks import search_text
from sandbox.plugins.kubernetes.client import ApiError
from sandbox.plugins.kubernetes.servicer import Servicer as KubernetesServicer
from sandbox.plugins.server import NotReadyError, ProviderError, Servicer
from sandbox.plugins.values import Secret, marshal
from tests.sandbox.places_support import FORMS, VALUE

URN = "urn:pulumi:dev::kestra::kubernetes:core/v1:Secret::planted"
PROPERTIES = {"metadata": {"name": "planted"}, "data": Secret({"a": [VALUE], "b": "1"})}


class Quoting:
    """A plugin whose server refuses everything, and quotes."""

    version = "1"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any) -> Any:
            raise self._error

        return refuse


class Aborted(Exception):
    """The end of a request."""


class Context:
    """Keeps what the engine would be told."""

    told = ""
    detail = b""

    def abort(self, _: Any, text: str) -> None:
        self.told = text
        raise Aborted

    def set_trailing_metadata(self, metadata: Any) -> None:
        ((_, self.detail),) = metadata


REQUESTS = {
    "Check": provider_pb2.CheckRequest(urn=URN, news=marshal(PROPERTIES)),
    "Diff": provider_pb2.DiffRequest(urn=URN, olds=marshal(PROPERTIES)),
    "Create": provider_pb2.CreateRequest(urn=URN, properties=marshal(PROPERTIES)),
    "Read": provider_pb2.ReadRequest(urn=URN, inputs=marshal(PROPERTIES)),
    "Update": provider_pb2.UpdateRequest(urn=URN, news=marshal(PROPERTIES)),
    "Delete": provider_pb2.DeleteRequest(urn=URN, properties=marshal(PROPERTIES)),
    "Configure": provider_pb2.ConfigureRequest(args=marshal({"token": Secret(VALUE)})),
}


def refused(error: ProviderError, method: str) -> Context:
    context: Any = Context()
    nothing: Any = None
    plugin: Any = Quoting(error)
    with pytest.raises(Aborted):
        getattr(Servicer(plugin, nothing), method)(REQUESTS[method], context)
    return context


@pytest.mark.parametrize("method", REQUESTS)
@pytest.mark.parametrize("form", FORMS)
def test_a_refusal_is_told_without_the_secret(form: str, method: str) -> None:
    context = refused(ProviderError(f"Invalid value: {FORMS[form](VALUE)}: too long"), method)
    assert search_text(context.told.encode(), "error", {"a": VALUE}) == []
    assert "Invalid value: " in context.told or "not shown" in context.told


@pytest.mark.parametrize("method", sorted(REQUESTS.keys() - {"Configure"}))
@pytest.mark.parametrize("form", FORMS)
def test_the_kubernetes_stand_in_does_so_too(form: str, method: str) -> None:
    context: Any = Context()
    servicer = KubernetesServicer("")
    error = ApiError(403, f"Invalid value: {FORMS[form](VALUE)}: too long")
    resources: Any = Quoting(error)
    servicer._resources = resources
    with pytest.raises(Aborted):
        getattr(servicer, method)(REQUESTS[method], context)
    assert search_text(context.told.encode(), "error", {"a": VALUE}) == []
    assert "Invalid value: " in context.told or "not shown" in context.told


def test_what_is_not_ready_is_told_without_the_secret() -> None:
    error = NotReadyError([f"the pod says {VALUE}", "and waits"], "id", {"data": Secret(VALUE)})
    context = refused(error, "Create")
    assert context.told == "the pod says [secret]; and waits"
    status = status_pb2.Status.FromString(context.detail)
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert list(detail.reasons) == ["the pod says [secret]", "and waits"]


def test_words_without_a_secret_are_told_as_they_are() -> None:
    words = 'namespaces "planted" is forbidden: data is wrong'
    assert refused(ProviderError(words), "Create").told == words
