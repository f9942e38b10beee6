"""The schema of the package: what it says of the settings, and what a change of it breaks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, TypedDict

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components.backends.settings_model import settings_model
from components.package.__main__ import main, schema_text
from components.package.components import COMPONENTS, KestraStack
from components.package.property_names import properties
from components.package.schema import FILE, argument_names, package_schema
from components.package.schema_changes import breaking_changes, released_form
from components.validation.sensitive import fields

STACK = KestraStack.token()


def test_the_committed_schema_is_that_of_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert FILE.read_text() == schema_text(), "run: python -m components.package schema"
    assert main(["schema", "--check"]) == 0


def test_every_setting_is_an_argument_of_the_whole_stack() -> None:
    names = {name for name, _, _ in properties(settings_model())}
    assert names <= set(package_schema()["resources"][STACK]["inputProperties"])


def _schema_of(place: tuple[str | int, ...]) -> dict[str, Any]:
    """The schema of a place of the settings, found as a consumer finds it."""
    schema, model_keys = package_schema(), list(place)
    fields_of = schema["resources"][STACK]["inputProperties"]
    one: dict[str, Any] = {}
    for key in model_keys:
        if key == "*":
            one = one["additionalProperties"]
        else:
            one = next(s for name, s in fields_of.items() if _same(name, str(key)))
        reference = one.get("$ref", "").removeprefix("#/types/")
        fields_of = schema["types"].get(reference, {}).get("properties", {})
    return one


def _same(name: str, key: str) -> bool:
    key = {"1password": "one-password"}.get(key, key)
    return name.lower() == key.replace("-", "").replace("_", "")


def test_every_sensitive_setting_is_secret_in_the_schema_and_no_other() -> None:
    sensitive = set(fields())
    assert len(sensitive) > 30
    for place in sensitive:
        assert _schema_of(place).get("secret") is True, place
    count = json.dumps([*package_schema()["types"].values()]).count('"secret": true')
    assert count <= len(sensitive) + 4  # The interfaces have credentials of their own.


def test_pulumis_own_analyzer_does_not_know_secret_arguments_yet() -> None:
    """When this fails, components/package/schema.py may be replaced by the analyzer of the SDK."""

    class Args(TypedDict):
        token: pulumi.Output[str]

    class Other(pulumi.ComponentResource):
        def __init__(
            self, name: str, args: Args, opts: pulumi.ResourceOptions | None = None
        ) -> None:
            super().__init__("other:index:Other", name, None, opts)

    Other.__init__.__annotations__ |= {"args": Args, "name": str}
    Args.__annotations__["token"] = pulumi.Input[str]
    schema = json.loads(ComponentProvider([Other], "other").schema or "")
    (resource,) = schema["resources"].values()
    assert "secret" not in resource["inputProperties"]["token"]


def test_every_property_is_documented_and_names_no_type_that_is_missing() -> None:
    schema = package_schema()
    for one in [*schema["resources"].values(), *schema["types"].values()]:
        assert one["description"]
        for properties_ in ("inputProperties", "properties"):
            for name, field in one.get(properties_, {}).items():
                assert field["description"].strip(), name
    for reference in _references(schema):
        assert (
            reference == "pulumi.json#/Any" or reference.removeprefix("#/types/") in schema["types"]
        )


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)


def test_no_output_has_the_name_of_an_argument() -> None:
    for resource in package_schema()["resources"].values():
        assert not set(resource["properties"]) & set(resource["inputProperties"])


def test_a_component_takes_the_settings_that_it_reads() -> None:
    assert argument_names(COMPONENTS["TagConvention"]) == {"tags"}
    assert "datasources" not in argument_names(COMPONENTS["SecretStore"])
    assert {"catalogueKeys", "datasources"} <= argument_names(COMPONENTS["KestraConfiguration"])


Change = Callable[[dict[str, Any]], None]


def _inputs(schema: dict[str, Any]) -> dict[str, Any]:
    return schema["resources"][STACK]["inputProperties"]


def _removed(schema: dict[str, Any]) -> None:
    del _inputs(schema)["rotation"]


def _renamed(schema: dict[str, Any]) -> None:
    _inputs(schema)["kestraUrl"] = _inputs(schema).pop("url")


def _retyped(schema: dict[str, Any]) -> None:
    _inputs(schema)["url"] = {"type": "integer"}


def _required(schema: dict[str, Any]) -> None:
    schema["resources"][STACK]["requiredInputs"] = ["edition"]


def _nested_removed(schema: dict[str, Any]) -> None:
    del schema["types"]["kestra-platform:index:BasicAuth"]["properties"]["realm"]


def _nested_required(schema: dict[str, Any]) -> None:
    schema["types"]["kestra-platform:index:BasicAuth"]["required"] = ["realm"]


def _component_gone(schema: dict[str, Any]) -> None:
    del schema["resources"]["kestra-platform:index:TagConvention"]


def _output_gone(schema: dict[str, Any]) -> None:
    del schema["resources"][STACK]["properties"]["endpoint"]


def _output_shown(schema: dict[str, Any]) -> None:
    del schema["resources"][STACK]["properties"]["generated"]["secret"]


def _output_optional(schema: dict[str, Any]) -> None:
    schema["resources"][STACK]["required"].remove("endpoint")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_removed, "The argument `rotation` of `KestraStack` is removed."),
        (_renamed, "The argument `url` of `KestraStack` is renamed to `kestraUrl`."),
        (_retyped, "The argument `url` of `KestraStack` has another type: integer, before string."),
        (_required, "The argument `edition` of `KestraStack` is required."),
        (_nested_removed, "The argument `realm` of the type `BasicAuth` is removed."),
        (_nested_required, "The argument `realm` of the type `BasicAuth` is required."),
        (_component_gone, "The component `TagConvention` is removed."),
        (_output_gone, "The output `endpoint` of `KestraStack` is removed."),
        (_output_shown, "The output `generated` of `KestraStack` is no secret any more."),
        (_output_optional, "The output `endpoint` of `KestraStack` can be absent."),
    ],
)  # fmt: skip
def test_a_change_that_breaks_programs_is_told_in_the_words_of_a_changelog(
    change: Change, words: str
) -> None:
    after = copy.deepcopy(package_schema())
    change(after)
    assert breaking_changes(released_form(package_schema()), after) == [words]


def test_what_is_added_breaks_nothing() -> None:
    after = copy.deepcopy(package_schema())
    _inputs(after)["another"] = {"type": "string"}
    after["types"]["kestra-platform:index:Another"] = {"type": "object", "properties": {}}
    assert breaking_changes(package_schema(), after) == []
