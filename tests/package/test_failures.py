"""Which cluster the plugin asks about pods that do not start."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pydantic import SecretStr

from components.kubernetes.cluster_reader import READER, Kubectl, UnreadClusterError
from components.package import failures
from components.package.component import Request
from components.package.property_names import Style
from components.validation import load
from tests.conftest import stack_document
from tests.package.component_support import Mocks


class _Reader:
    """Stands for the caller's own cluster."""


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The readers that hooks were given; mocks know no hooks."""
    pulumi.runtime.set_mocks(Mocks(), "project", "stack")
    given: list[Any] = []

    def hook(name: str, reader: Any, *_: Any) -> Any:
        given.append(reader)
        return lambda _: None

    monkeypatch.setattr(failures, "error_hook", hook)
    return given


def _request(**deployment: Any) -> Request:
    document: Any = stack_document("local")
    document["deployment"] |= deployment
    return Request(load(document, source="test").settings, style=Style.CAMEL)


def test_the_cluster_of_the_caller_is_asked(readers: list[Any]) -> None:
    token = READER.set(_Reader)  # type: ignore[arg-type]
    try:
        failures.explained("c", _request(), has_own_cluster=False)
    finally:
        READER.reset(token)
    assert isinstance(readers[0], _Reader)


def test_the_cluster_of_the_kubeconfig_among_the_arguments_is_asked(readers: list[Any]) -> None:
    kubeconfig = "clusters: [{}]\ncontexts: [{}]\nusers: [{}]\n"
    for has_own_cluster in (True, False):
        request = _request(kubeconfig=SecretStr(kubeconfig))
        failures.explained("c", request, has_own_cluster=has_own_cluster)
    assert all(isinstance(reader, Kubectl) for reader in readers)


def test_the_cluster_of_a_provider_of_the_program_is_not_taken_for_another_one(
    readers: list[Any],
) -> None:
    failures.explained("c", _request(), has_own_cluster=True)
    with pytest.raises(UnreadClusterError, match="a Kubernetes provider of its own"):
        readers[0].objects("kestra")


def test_what_registers_nothing_needs_no_hook(readers: list[Any]) -> None:
    failures.explained("c", Request(None), has_own_cluster=False)
    assert not readers
