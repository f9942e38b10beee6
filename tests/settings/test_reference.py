"""Every key says what it is."""

from __future__ import annotations

import yaml

from components.settings import Settings
from components.validation import load, load_file
from components.validation.model_keys import leaves
from tests.conftest import ROOT


def test_every_key_has_a_meaning_a_version_and_a_source() -> None:
    every = [
        leaf
        for name, field in Settings.model_fields.items()
        for leaf in leaves(field.alias or name, field)
    ]
    assert len(every) > 150
    for path, field, versions in every:
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        assert field.description, path
        assert extra["source"], path
        assert extra["since"] in ("1.3", "2.0"), path
        assert versions[0] in ("1.3", "2.0"), path


def test_a_key_is_of_the_versions_that_its_block_is_of() -> None:
    field = Settings.model_fields["secret"]
    since = {path: versions[0] for path, _, versions in leaves("secret", field)}
    assert since["secret.delinea.address"] == since["secret.delinea.tags"] == "2.0"
    assert since["secret.vault.address"] == "1.3"


def test_the_project_file_declares_every_first_level_key() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    keys = [f"kestra:{field.alias or name}" for name, field in Settings.model_fields.items()]
    assert list(declared) == keys
    assert all(entry["description"] for entry in declared.values())


def test_every_stack_file_is_valid() -> None:
    files = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))
    assert len(files) >= 2
    for file in files:
        assert load_file(file).warnings == ()


def test_the_version_is_read_as_a_number_too() -> None:
    for written in ("2.0", 2.0, 2, "2"):
        assert (
            load({"version": written, "edition": "enterprise"}, source="f").settings.version
            == "2.0"
        )
