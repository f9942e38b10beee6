"""What holds for every stack that is registered: names and tags that its targets take, and secrets marked as such."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.rendering.configuration import render
from components.validation import load
from sandbox.providers.aws.provider import AwsProvider
from sandbox.providers.azure_native.provider import STATE, AzureProvider
from sandbox.providers.gcp.provider import GoogleProvider
from sandbox.providers.random.provider import RandomProvider
from sandbox.providers.runtime.provider import Engine, Urn
from sandbox.providers.runtime.values import Secret, unmarshal
from sandbox.providers.vault.provider import VaultProvider
from tests.components.recording_support import run
from tests.faults.hostile_documents_support import Document
from tests.faults.hostile_keys_support import PLANTED

#: The stand-ins refuse what the official providers refuse.
PLUGINS: dict[str, Any] = {
    "aws": AwsProvider(),
    "azure-native": AzureProvider(),
    "gcp": GoogleProvider(),
    "random": RandomProvider(),
    "vault": VaultProvider(),
}


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The stand-ins, configured; they check and make nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE, str(tmp_path_factory.mktemp("azure") / "state.json"))
        PLUGINS["azure-native"].configure({"location": "westeurope"}, Engine(""))
        yield


_LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.:-]{0,251}[a-z0-9])?")
_QUALIFIED = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)


def faults(document: Document) -> list[str]:
    """What is wrong with the stack of a valid document, as mocks register it."""
    settings = load(document, source="f.yaml").settings
    configuration = render(settings)
    recorder = run(document)
    found = []
    for request, _ in recorder.registered.values():
        inputs = unmarshal(request.object)
        if PLANTED in repr(inputs):
            # A secret value shows as [secret].
            found.append(f"{request.name}: the planted secret is not marked")
        if request.type.startswith("kubernetes:"):
            found += [f"{request.name}: {wrong}" for wrong in _kubernetes(_plain(inputs))]
        elif (plugin := PLUGINS.get(request.type.split(":")[0])) is not None:
            _, failures = plugin.check(Urn.of(request.type, request.name), {}, inputs, b"seed")
            found += [f"{request.name}: {reason}" for _, reason in failures]
    outside = {k: v for k, v in recorder.outputs.items() if k not in recorder.secret_outputs}
    if PLANTED in repr(outside):
        found.append("the planted secret is in an output")
    if settings.is_secrets_alone:
        if any(
            request.type.startswith("kubernetes:") for request, _ in recorder.registered.values()
        ):
            found.append("a stack of secrets alone has objects of Kubernetes")
        return found
    (file,) = recorder.of("ConfigMap").values()
    if file["data"] != {"application.yaml": configuration.yaml()}:
        found.append("the ConfigMap is not the rendered document")
    (held,) = (s for n, s in recorder.of("Secret").items() if n == "kestra-secret")
    if missing := set(configuration.environment) - set(_plain(held["stringData"])):
        found.append(f"{missing} are not in the Secret")
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return _plain(value.value)
    if isinstance(value, dict):
        if "value" in value and len(value) == 2 and any(k.startswith("4dabf1") for k in value):
            return _plain(value["value"])
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _kubernetes(item: dict[str, Any]) -> Iterator[str]:
    """What the API server would refuse, as far as names, labels, annotations and sizes go."""
    for place, metadata in _metadata(item):
        name = metadata.get("name")
        if name is not None and not _NAME.fullmatch(name):
            yield f"{place} has the name {name!r}"
        for key, value in (metadata.get("labels") or {}).items():
            if not _QUALIFIED.fullmatch(key) or not _LABEL.fullmatch(value):
                yield f"{place} has the label {key!r}: {value!r}"
        annotations = metadata.get("annotations") or {}
        for key in annotations:
            if not _QUALIFIED.fullmatch(key.lower()):
                yield f"{place} has the annotation {key!r}"
        if sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items()) > 256 * 1024:
            yield f"{place} has too large annotations"
    if len(repr(item).encode()) > 1_400_000:
        yield "is larger than the API server takes"
    for _, value in _texts(item):
        if "\0" in value:
            yield "holds a NUL"


def _metadata(value: Any, place: str = "it") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "metadata":
                yield place, inner
            else:
                yield from _metadata(inner, key)


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ((f"{key}.{k}", v) for k, v in _texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield "", value
