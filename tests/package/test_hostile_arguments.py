"""Every argument of the components, with what no one should pass there: a report and no traceback, and no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from google.protobuf import json_format, struct_pb2

import components
from components.package.arguments import read_arguments
from components.package.component import check_request
from components.package.components import COMPONENTS, KestraStack
from components.package.property_names import Style
from components.package.report import check_arguments
from components.package.schema import argument_names, package_schema
from components.package.values import SIGNATURE, Value, read_values
from components.settings import SettingsError
from tests.package.component_support import Mocks
from tests.tiers import long

PLANTED = "Planted-Value-4711"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Place = tuple[str, ...]
#: What stands in the place of a name of the program's, and of an item of a list.
_NAME, _ITEM = "*", "[]"


def _secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


HOSTILE: dict[str, Any] = {
    "a fraction": 4711.5,
    "a text": PLANTED,
    "a flag": True,
    "a list": [PLANTED],
    "a map": {"some_key": PLANTED},
    "nothing": None,
    "an empty text": "",
    "a list of nothing": [None],
    "lists of lists": [[[[1]]]],
    "unknown": UNKNOWN,
    "a list with something unknown": [UNKNOWN, PLANTED],
    "an unknown secret": {SIGNATURE: OUTPUT, "secret": True},
    "a secret": _secret(PLANTED),
    "a secret number": _secret(4711.5),
    "a secret list": _secret([PLANTED]),
    "a secret map": _secret({"a": PLANTED}),
    "a secret that is nothing": _secret(None),
    "a file": {SIGNATURE: ASSET, "text": PLANTED},
    "letters of all kinds": {"ключ é": ["\u202e\u0007"]},
}


def _places(properties: dict[str, Any], at: Place = (), types: Place = ()) -> Iterator[tuple[Place, bool]]:  # fmt: skip
    for name, schema in properties.items():
        yield from _below(schema, (*at, name), types)


def _below(schema: dict[str, Any], at: Place, types: Place) -> Iterator[tuple[Place, bool]]:
    yield at, bool(schema.get("secret"))
    type_ = schema.get("$ref", "").removeprefix("#/types/")
    if type_ in package_schema()["types"] and type_ not in types:
        fields = package_schema()["types"][type_].get("properties", {})
        yield from _places(fields, at, (*types, type_))
    elif "additionalProperties" in schema:
        yield from _below(schema["additionalProperties"], (*at, _NAME), types)
    elif "items" in schema:
        yield from _below(schema["items"], (*at, _ITEM), types)


def _with(at: Place, value: Any) -> Any:
    for part in reversed(at):
        value = [value] if part == _ITEM else {"NAME" if part == _NAME else part: value}
    return value


def _on_the_wire(values: dict[str, Any]) -> dict[str, Value]:
    return read_values(json_format.ParseDict(values, struct_pb2.Struct()))


def _said(values: dict[str, Any], style: Style) -> str:
    """The report of the whole stack's arguments."""
    try:
        loaded = check_arguments(read_arguments(_on_the_wire(values)), 'KestraStack "k"', style)
    except SettingsError as error:
        return error.report()
    return "\n".join(one.line() for one in loaded.warnings)


PLACES = list(_places(package_schema()["resources"][KestraStack.token()]["inputProperties"]))
#: Some places in every tier, all in the long one.
PARTS = [
    pytest.param(PLACES[::320], id="some"),
    *(pytest.param(PLACES[n::8], marks=long("hostile"), id=f"{n} of 8") for n in range(8)),
]


@pytest.mark.parametrize("places", PARTS)
def test_whatever_stands_in_an_argument_is_reported_without_its_value(
    places: list[tuple[Place, bool]],
) -> None:
    assert len(PLACES) > 1000
    for number, (at, is_sensitive) in enumerate(places):
        style = list(Style)[number % 3]
        for kind, value in HOSTILE.items():
            text = _said(_with(at, value), style)
            where = f"{'.'.join(at)}: {kind}: {text[:500]}"
            assert not re.search(r"kestra:\w|pulumi config|YAML list", text), where
            if "secret" in kind or is_sensitive:
                assert PLANTED not in text, where


def test_keys_of_kestra_that_are_no_map_are_refused_by_their_argument() -> None:
    """As a whole too, they may be known only with the update, or be nothing."""
    log_in = {"server": {"basicAuth": {"username": "a@b.example"}}}
    for style, written in zip(
        Style, ("catalogueKeys", "catalogue_keys", "CatalogueKeys"), strict=True
    ):
        for kind, value in HOSTILE.items():
            text = _said({**log_in, "catalogueKeys": value}, style)
            assert "catalogueKeys.catalogueKeys" not in text, kind
            if kind in ("a text", "a secret", "a list", "a flag", "a file", "a secret list"):
                assert f'KestraStack "k": {written}: is ' in text, (kind, text)
            if "unknown" in kind or "nothing" in kind:
                assert "is no known key" not in text, (kind, text)
            assert PLANTED not in text, kind


def test_a_secret_in_clear_is_said_to_stand_in_the_program() -> None:
    values = {
        "server": {"basicAuth": {"username": "a@b.example"}},
        "tags": {"additional": {"api-token": PLANTED}},
    }
    text = _said(values, Style.CAMEL)
    assert "stands in the program, in Pulumi's state" in text
    assert "stack file" not in text


def test_what_is_marked_as_a_secret_is_kept_as_one_or_refused() -> None:
    refused = {
        "deployment": {"namespace": _secret("planted"), "environmentFrom": _secret(["planted"])},
        "tags": _secret({"owner": "planted"}),
        "server": {"basicAuth": {"username": "a@b.example", "openUrls": _secret(["/planted"])}},
    }
    text = _said(refused, Style.CAMEL)
    for path in (
        "deployment.environmentFrom",
        "deployment.namespace",
        "server.basicAuth.openUrls",
        "tags",
    ):
        assert f'"k": {path}: is a secret, but takes none' in text
    assert "planted" not in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"deployment": {"environmentFrom": [None, 3]}},
            ["environmentFrom[0]: is not text", "environmentFrom[1]: is not text"],
        ),
        (
            {"deployment": {"namespace": {SIGNATURE: ASSET}}},
            ["deployment.namespace: is a resource, a file or another object"],
        ),
        (
            {"catalogueKeys": {"server": {"basic-auth": {"username": "x@y.example"}}}},
            ["server.basicAuth.username: stands under catalogueKeys too"],
        ),
        (
            {"server": {"basicAuth": {"username": "a@b.example"}, "basic_auth": {}}},
            ["server.basicAuth: is written twice"],
        ),
    ],
)
def test_a_fault_is_named_at_its_place(values: dict[str, Any], words: list[str]) -> None:
    text = _said({"server": {"basicAuth": {"username": "a@b.example"}}} | values, Style.CAMEL)
    for one in words:
        assert one in text


def test_a_list_with_something_unknown_is_unknown_and_the_rest_is_checked() -> None:
    arguments = read_arguments(
        _on_the_wire({"deployment": {"environmentFrom": [UNKNOWN, "a"], "namespace": "No"}})
    )
    assert ("deployment", "environment-from") in arguments.unknown
    with pytest.raises(SettingsError, match=r"deployment\.namespace"):
        check_arguments(arguments, "k", Style.CAMEL)


INTERFACES = {
    "storeInterface": "a text",
    "identityInterface": {
        "needsToken": "yes",
        "podLabels": ["a"],
        "principal": {"a": "b"},
        "serviceAccountAnnotations": {"a": 3.0},
        "princpal": "x",
        "environment": {"secret.vault.token": _secret(PLANTED), "b": 1.0},
    },
}


@pytest.mark.parametrize(
    ("style", "path"),
    [
        (Style.CAMEL, "identityInterface.needsToken"),
        (Style.SNAKE, "identity_interface.needs_token"),
        (Style.PASCAL, "IdentityInterface.NeedsToken"),
    ],
)
def test_every_fault_of_an_interface_is_said_beside_those_of_the_settings(
    style: Style, path: str
) -> None:
    values = _on_the_wire({**INTERFACES, "deployment": {"namespace": "No"}, "ur": "x"})
    with pytest.raises(pulumi.RunError) as error:
        check_request(
            COMPONENTS["KestraDeployment"],
            "k",
            values,
            style,
            argument_names(COMPONENTS["KestraDeployment"]),
        )
    text = str(error.value)
    assert f'KestraDeployment "k": {path}: is not true or false' in text
    for words in (
        "is no interface",
        "is not a map of texts",
        "is not a text",
        "Annotations.a: is no text" if style is not Style.SNAKE else "annotations.a: is no text",
        "princpal: is no known key",
        "environment.b: is no text".lower(),
        "is no argument of this component. Rule: it takes",
        "Fix: write url" if style is not Style.PASCAL else "Fix: write Url",
        "has a form that is not allowed",
    ):
        assert words in text or words in text.lower(), words
    assert PLANTED not in text


def test_an_interface_that_is_a_secret_as_a_whole_keeps_its_labels() -> None:
    """As a StackReference gives it, where one of its values is a secret."""
    labels = {"podLabels": {"a": "b"}, "needsToken": True, "principal": "p"}
    values = _on_the_wire({"identityInterface": _secret(labels), "tags": {"owner": "a"}})
    component = COMPONENTS["KestraDeployment"]
    from components.package.interfaces import IDENTITY_INTERFACE, InterfaceReader, existing_identity

    reader = InterfaceReader(component.__name__, Style.CAMEL)
    read = reader.read(values["identityInterface"], IDENTITY_INTERFACE, "identityInterface")
    assert not reader.problems
    identity = existing_identity(read)
    assert identity.needs_token
    assert set(identity.pod_labels) == {"a"}
    assert isinstance(identity.pod_labels["a"], pulumi.Output), "still a secret"


@pytest.mark.parametrize("name", COMPONENTS)
@pytest.mark.parametrize("arguments", [{}, None, "a text", 3, [1]], ids=str)
def test_a_program_in_python_that_passes_nothing_or_no_arguments_gets_a_report(
    name: str, arguments: Any
) -> None:
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks, "project", "stack")
    reports: list[str] = []

    @pulumi.runtime.test
    def act() -> None:
        try:
            getattr(components, name)("кестра", arguments)
        except pulumi.RunError as error:
            reports.append(str(error))

    act()
    # An open-source store and identity need nothing.
    needs_nothing = not arguments and name in ("SecretStore", "KestraIdentity", "TagConvention")
    assert needs_nothing is not bool(reports)
    assert all(f'{name} "кестра": ' in report for report in reports)
    assert needs_nothing or not mocks.resources


@pytest.mark.parametrize("name", ["Prod", "кестра", "a_b", "-a", "a" * 64, ""])
def test_a_name_that_kubernetes_takes_for_no_object_is_refused_before_anything_is_made(
    name: str,
) -> None:
    for component in ("KestraStack", "KestraDeployment"):
        with pytest.raises(pulumi.RunError, match="name: is none that Kubernetes takes"):
            check_request(COMPONENTS[component], name, {}, Style.CAMEL)
    check_request(COMPONENTS["SecretStore"], name, {}, Style.CAMEL)


def test_a_name_of_small_letters_and_digits_is_taken() -> None:
    with pytest.raises(pulumi.RunError) as error:
        check_request(COMPONENTS["KestraStack"], "prod-1.eu", {}, Style.CAMEL)
    assert "Kubernetes takes" not in str(error.value)
