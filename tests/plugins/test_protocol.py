"""The provider protocol that all stand-ins share: requests become calls of a provider, and results become messages."""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.providers.runtime.errors import (
    NotReadyError,
    PartiallyCreated,
    ProviderError,
    finish_create,
)
from sandbox.providers.runtime.provider import (
    Autonaming,
    Change,
    Checked,
    Diff,
    Engine,
    PropertyChange,
    Provider,
    Read,
    Urn,
)
from sandbox.providers.runtime.redaction import redact_error
from sandbox.providers.runtime.servicer import Servicer
from sandbox.providers.runtime.values import UNKNOWN, Properties, Secret, marshal, unmarshal

URN = "urn:pulumi:dev::kestra::kestra:Kestra$a:b/c:D::a name::with colons"
PLANTED = "Pl4nted-Protocol-Wd6"


class Aborted(Exception):
    """What a real context raises when a call ends with an error."""


class Context:
    """A call's context, which keeps what it ended with."""

    def __init__(self) -> None:
        self.message = ""
        self.metadata: tuple[tuple[str, bytes], ...] = ()

    def set_trailing_metadata(self, metadata: Any) -> None:
        self.metadata = metadata

    def abort(self, code: grpc.StatusCode, message: str) -> None:
        assert code is grpc.StatusCode.UNKNOWN
        self.message = message
        raise Aborted


class Recording(Provider):
    """A provider that keeps what it was called with, and raises what it is given."""

    version = "1.2.3"
    replaced_by = ("address",)

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.calls = error, list[Any]()

    def check(
        self,
        urn: Urn,
        olds: Properties,
        news: Properties,
        seed: bytes = b"",
        autonaming: Autonaming = Autonaming(),
    ) -> Checked:
        self.calls.append((urn.type, urn.name, olds, news, seed, autonaming))
        return Checked(news | {"name": "made up"}, [("", "refused")])

    def diff(
        self,
        urn: Urn,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        ignored: Collection[str] = (),
    ) -> Diff:
        changes = {
            "a.b[0]": PropertyChange(Change.ADD),
            "c": PropertyChange(Change.DELETE, replaces=True, input_only=True),
            "ignored.part": PropertyChange(replaces=True),
        }
        return Diff(changes, delete_first=True).without(ignored)

    def create(
        self, urn: Urn, news: Properties, preview: bool = False, timeout: float = 0
    ) -> tuple[str, Properties]:
        self.calls.append((news, preview, timeout))
        if self.error is not None:
            raise self.error
        return "an-id", {"value": Secret(1), "later": UNKNOWN}

    def read(self, urn: Urn, id_: str, inputs: Properties, olds: Properties) -> Read | None:
        return None


def _create(provider: Provider, context: Any) -> Any:
    request = provider_pb2.CreateRequest(urn=URN, properties=marshal({"a": Secret("b")}), timeout=7)
    return Servicer(provider, Engine("")).Create(request, context)


def test_a_check_reaches_the_provider_with_type_name_and_autonaming() -> None:
    provider, modes = Recording(), provider_pb2.CheckRequest.AutonamingOptions
    request = provider_pb2.CheckRequest(
        urn=URN,
        news=marshal({"n": 1, "nothing": None}),
        randomSeed=b"seed",
        autonaming=modes(proposed_name="proposed", mode=modes.DISABLE),
    )
    answer = Servicer(provider, Engine("")).Check(request, Context())
    autonaming = Autonaming("proposed", disabled=True)
    assert provider.calls == [("a:b/c:D", "a name::with colons", {}, {"n": 1}, b"seed", autonaming)]
    assert unmarshal(answer.inputs) == {"n": 1, "name": "made up"}
    assert [(f.property, f.reason) for f in answer.failures] == [("", "refused")]


def test_a_difference_says_what_happens_to_each_path() -> None:
    request = provider_pb2.DiffRequest(urn=URN, ignoreChanges=["ignored"])
    answer = Servicer(Recording(), Engine("")).Diff(request, Context())
    kinds = provider_pb2.PropertyDiff
    assert {path: (d.kind, d.inputDiff) for path, d in answer.detailedDiff.items()} == {
        "a.b[0]": (kinds.ADD, False),
        "c": (kinds.DELETE_REPLACE, True),
    }
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["c"], True)
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME


def test_a_creation_gives_id_and_outputs_with_their_marks() -> None:
    provider = Recording()
    answer = _create(provider, Context())
    assert provider.calls == [({"a": Secret("b")}, False, 7.0)]
    assert (answer.id, unmarshal(answer.properties)) == (
        "an-id",
        {"value": Secret(1), "later": UNKNOWN},
    )


def test_an_object_that_is_not_ready_is_recorded_with_its_reasons() -> None:
    context = Context()
    error = NotReadyError("not yet", "an-id", {"value": Secret("x")}, ["not yet", "no node"])
    with pytest.raises(Aborted):
        _create(Recording(error), context)
    ((key, data),) = context.metadata
    status = status_pb2.Status.FromString(data)
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert (key, context.message) == ("grpc-status-details-bin", "not yet")
    assert (detail.id, list(detail.reasons)) == ("an-id", ["not yet", "no node"])
    assert unmarshal(detail.properties) == {"value": Secret("x")}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ProviderError("the server's words"), "the server's words"),
        (KeyError(PLANTED), "the stand-in failed with KeyError at test_protocol.py:"),
    ],
    ids=["a refusal", "a fault of the stand-in's own"],
)
def test_an_error_is_in_the_servers_words_and_a_fault_quotes_nothing(
    error: Exception, words: str
) -> None:
    context = Context()
    with pytest.raises(Aborted):
        _create(Recording(error), context)
    assert context.message.startswith(words)
    assert PLANTED not in context.message
    assert not context.metadata


def test_what_is_gone_has_no_id_and_an_unknown_function_is_refused_by_name() -> None:
    servicer, context = Servicer(Recording(), Engine("")), Context()
    assert servicer.Read(provider_pb2.ReadRequest(urn=URN, id="x"), context).id == ""
    with pytest.raises(Aborted):
        servicer.Invoke(provider_pb2.InvokeRequest(tok="a:b:c"), context)
    assert context.message.startswith("a:b:c is not known to this stand-in")


@pytest.mark.parametrize(("address", "replaces"), [(UNKNOWN, ["address"]), ("http://b", [])])
def test_only_an_unknown_address_replaces_a_provider(address: Any, replaces: list[str]) -> None:
    olds, news = marshal({"address": Secret("http://a")}), marshal({"address": address})
    answer = Servicer(Recording(), Engine("")).DiffConfig(
        SimpleNamespace(olds=olds, news=news), Context()
    )
    assert (list(answer.diffs), list(answer.replaces)) == (["address"], replaces)


def test_a_creation_that_fails_halfway_keeps_what_is_there_without_write_only_values() -> None:
    def refuse() -> Properties:
        raise ProviderError("refused")

    with pytest.raises(PartiallyCreated, match="refused") as caught:
        finish_create("an-id", {"a": 1, "valueWo": PLANTED}, refuse)
    assert (caught.value.id, caught.value.outputs) == ("an-id", {"a": 1})
    with pytest.raises(ProviderError, match="an-id is not there after it was written"):
        finish_create("an-id", {}, lambda: None)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("PUT x: too long", "PUT x: too long"),
        (f"PUT x: {PLANTED} is too long", "PUT x: [secret] is too long"),
        (f"{PLANTED}: too long", "[secret]: too long"),
        ("PUT x: yes is text", "PUT x: yes is text"),
    ],
    ids=[
        "no secret",
        "within the text",
        "at its beginning",
        "what is not secret, or too short",
    ],
)
def test_an_error_that_quotes_a_secret_keeps_its_other_words(message: str, shown: str) -> None:
    properties = {"a": {"b": [Secret({"c": PLANTED})]}, "kind": "text", "short": Secret("yes")}
    text = redact_error(message, properties)
    assert text == shown
