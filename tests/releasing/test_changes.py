"""What changes of the things that users rely on, and what changelog and upgrade notes have to say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from releasing import changelog
from releasing.changes import changes, missing_notes, report
from releasing.checks import undocumented
from releasing.surface import KINDS, as_text, snapshots, surface
from tests.conftest import ROOT


def _surface(**kinds: dict[str, dict[str, str]]) -> dict[str, Any]:
    return {kind: kinds.get(kind, {}) for kind in KINDS}


BEFORE = _surface(
    settings={
        "url": {"type": "text", "default": ""},
        "rotation.days": {"type": "number", "default": "90"},
        "queue.type": {"type": "h2 | kafka", "default": "required"},
        "variables": {"type": "map", "default": ""},
        "store.type": {"type": "text", "default": ""},
        "deployment.labels": {"type": "map", "default": ""},
        "deployment.components.worker.labels": {"type": "map", "default": ""},
    },
    catalogue={"kestra.retries": {"type": "number", "first version": "", "last version": ""}},
    outputs={"endpoint": {"type": "string"}, "generated": {"type": "secret map"}},
    controls={"ks-keys-01": {"level in staging": "advisory"}},
    options={"maximumRotationDays": {"default": "90"}},
    commands={"python -m components check": {}, "python -m components render --environment": {}},
    targets={"up": {}},
)


def _after(**changed: Mapping[str, dict[str, str] | None]) -> dict[str, Any]:
    """The surface with some names changed; None removes one."""
    after = {kind: dict(names) for kind, names in BEFORE.items()}
    for kind, names in changed.items():
        for name, value in names.items():
            if value is None:
                del after[kind][name]
            else:
                after[kind][name] = value
    return after


def _lines(
    after: dict[str, Any], notes: str = "", upgrades: str = ""
) -> tuple[list[str], list[str]]:
    return missing_notes(BEFORE, after, notes, upgrades)


BREAKING = [
    (
        _after(settings={"rotation.days": {"type": "number", "default": "30"}}),
        "The default of the setting `kestra:rotation.days` is `30`, before `90`.",
    ),
    (
        _after(settings={"url": {"type": "text", "default": "http://localhost"}}),
        "The default of the setting `kestra:url` is `http://localhost`, before not set.",
    ),
    (
        _after(settings={"url": {"type": "text", "default": "required"}}),
        "The default of the setting `kestra:url` is `required`, before not set.",
    ),
    (
        _after(settings={"url": {"type": "number", "default": ""}}),
        "The type of the setting `kestra:url` is `number`, before `text`.",
    ),
    (
        _after(settings={"queue.type": {"type": "h2", "default": "required"}}),
        "The type of the setting `kestra:queue.type` is `h2`, before `h2 | kafka`.",
    ),
    (_after(settings={"url": None}), "The setting `kestra:url` is removed."),
    (_after(catalogue={"kestra.retries": None}), "The key of Kestra's `kestra.retries` is removed."),
    (
        _after(catalogue={"kestra.retries": {"type": "number", "first version": "", "last version": "1.3"}}),
        "The last version of the key of Kestra's `kestra.retries` is `1.3`, before not set.",
    ),
    (_after(outputs={"endpoint": None}), "The output `endpoint` is removed."),
    (
        _after(outputs={"generated": {"type": "map"}}),
        "The type of the output `generated` is `map`, before `secret map`.",
    ),
    (
        _after(controls={"ks-keys-01": {"level in staging": "mandatory"}}),
        "The level in staging of the control `ks-keys-01` is `mandatory`, before `advisory`.",
    ),
    (
        _after(options={"maximumRotationDays": {"default": "30"}}),
        "The default of the option of the policy pack `maximumRotationDays` is `30`, before `90`.",
    ),
    (
        _after(commands={"python -m components render --environment": None}),
        "The command `python -m components render --environment` is removed.",
    ),
    (_after(targets={"up": None}), "The target `make up` is removed."),
]  # fmt: skip


@pytest.mark.parametrize(("after", "line"), BREAKING, ids=[line for _, line in BREAKING])
def test_a_change_that_breaks_is_asked_for_in_both_files(after: dict[str, Any], line: str) -> None:
    lines, explanations = _lines(after)
    assert lines == [line]
    assert len(explanations) == 1
    assert line in explanations[0]
    (change,) = changes(BEFORE, after)
    # The key alone is not enough for the changelog; the sentence is, wherever its line ends.
    assert _lines(after, f"`{change.name}` is better now.") == (lines, explanations)
    wrapped = changelog.since(
        f"## Unreleased\n- {line.replace(' is ', chr(10) + '  is ', 1)}\n", "0.1.0"
    )
    assert _lines(after, wrapped, f"`{change.name}`: write it.") == ([], [])


NEW = [
    ({"settings": {"store.prefix": {}}}, "New setting: `kestra:store.prefix`.", "`store.prefix`"),
    ({"settings": {"store.prefix": {}}}, "New setting: `kestra:store.prefix`.", "`kestra:store.prefix: a`"),
    # The new block is named for all that stands in it.
    (
        {"settings": {"deployment.runner.image": {}, "deployment.runner.cpu.limit": {}}},
        "New setting: `kestra:deployment.runner`.",
        "`kestra:deployment.runner`",
    ),
    # What each kind of pod has is one setting.
    (
        {"settings": {"deployment.taints": {}, "deployment.components.worker.taints": {}}},
        "New setting: `kestra:deployment.taints`.",
        "`taints`",
    ),
    (
        {"settings": {"declared-secrets.<name>.external": {}}},
        "New setting: `kestra:declared-secrets`.",
        "`declared-secrets.<NAME>.external`",
    ),
    ({"outputs": {"bucket": {}}}, "New output: `bucket`.", "`bucket`"),
    ({"controls": {"ks-keys-02": {}}}, "New control: `ks-keys-02`.", "(ks-keys-01 to 03)"),
    ({"controls": {"ks-keys-02": {}}}, "New control: `ks-keys-02`.", "ks-keys-02 asks"),
    (
        {"commands": {"python -m components drift": {}}},
        "New command: `python -m components drift`.",
        "`python -m components drift`",
    ),
    ({"targets": {"pods": {}}}, "New target: `make pods`.", "`make pods`"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "line", "words"), NEW, ids=[row[2] for row in NEW])
def test_what_is_new_is_named_in_the_changelog_alone(
    added: dict[str, Any], line: str, words: str
) -> None:
    after = _after(**added)
    assert _lines(after) == ([line], [])
    assert _lines(after, words.replace("`", "'").replace("ks-keys", "keys")) == ([line], [])
    assert _lines(after, words) == ([], [])


def test_an_end_that_earlier_keys_have_names_nothing_new() -> None:
    after = _after(settings={"store.other.type": {}})
    assert _lines(after, "`type`")[0] == ["New setting: `kestra:store.other`."]
    assert _lines(after, "`other.type`")[0] == []


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("settings", "queue.type", {"type": "h2 | kafka | amqp", "default": "required"}),
        ("settings", "queue.type", {"type": "h2 | kafka", "default": ""}),
        ("settings", "url", {"type": "text or secret", "default": ""}),
        ("settings", "variables", {"type": "map of text or secret", "default": ""}),
    ],
)
def test_what_allows_more_is_named_and_needs_no_upgrade_note(
    kind: str, name: str, value: dict[str, str]
) -> None:
    after = _after(**{kind: {name: value}})
    lines, explanations = _lines(after)
    assert len(lines) == 1
    assert explanations == []
    assert _lines(after, f"More may be written at `{name}`.") == ([], [])


def test_a_key_that_only_one_kind_of_pod_gets_is_a_key_of_its_own() -> None:
    before = _surface(settings={"deployment.labels": {}, "deployment.components.worker.image": {}})
    after = _surface(settings={**before["settings"], "deployment.components.worker.labels": {}})
    (change,) = changes(before, after)
    assert change.name == "kestra:deployment.components.worker.labels"


def test_what_changes_for_every_kind_of_pod_is_one_change() -> None:
    text, number = {"type": "map", "default": ""}, {"type": "map", "default": "a"}
    names = ("deployment.labels", "deployment.components.worker.labels")
    before = _surface(settings=dict.fromkeys(names, text))
    both = changes(before, _surface(settings=dict.fromkeys(names, number)))
    assert [change.name for change in both] == ["kestra:deployment.labels"]
    assert [one.name for one in changes(before, _surface())] == ["kestra:deployment.labels"]
    one = changes(before, _surface(settings={names[0]: text, names[1]: number}))
    assert [change.name for change in one] == [f"kestra:{names[1]}"]


def test_new_keys_of_kestra_are_not_asked_for() -> None:
    assert _lines(_after(catalogue={"kestra.new": {"type": "text"}})) == ([], [])


def test_the_report_says_which_lines_to_add_and_where() -> None:
    after = _after(settings={"url": None, "store.prefix": {}})
    text = report("0.1.0", *_lines(after))
    assert text == (
        "CHANGELOG.md does not say what changed since 0.1.0. Add under Unreleased, in words of yours where the line begins "
        "with New:\n"
        "- The setting `kestra:url` is removed.\n"
        "- New setting: `kestra:store.prefix`.\n"
        "docs/upgrade.md does not say what users of 0.1.0 do about it. Add under `### From 0.1.0`:\n"
        "- `kestra:url`: what to do. (The setting `kestra:url` is removed.)"
    )
    assert report("0.1.0", [], []) == ""


LOG = """# Changelog

## Unreleased

### Added
- `one` of
  two lines.

## 0.10.0 - 2027-01-02
- `ten`

## 0.9.0 - 2026-12-01
- `nine`
"""


def test_the_changelog_is_read_by_version() -> None:
    assert [(s.version, s.day) for s in changelog.sections(LOG)] == [
        ("Unreleased", ""),
        ("0.10.0", "2027-01-02"),
        ("0.9.0", "2026-12-01"),
    ]
    assert changelog.since(LOG, "0.9.0") == "### Added - `one` of two lines. - `ten`"
    assert "ten" not in changelog.since(LOG, "0.10.0")
    with pytest.raises(ValueError, match="soon"):
        changelog.sections("## soon\n")


def test_upgrade_notes_are_those_from_a_version_and_from_later_ones() -> None:
    page = "## A\n### From 0.10.0\nten\n### From 0.9.0\nnine\n### How\nother\n## B\nlast\n"
    assert changelog.upgrade_notes(page, "0.9.0") == "ten nine"
    assert changelog.upgrade_notes(page, "0.10.0") == "ten"
    assert changelog.upgrade_notes(page, "0.11.0") == ""


def test_nothing_changed_since_a_release_without_an_entry() -> None:
    """The message has the lines to add."""
    assert snapshots()
    missing = undocumented(ROOT)
    assert not missing, missing


def test_a_default_of_the_program_that_changes_is_asked_for() -> None:
    version, before = list(snapshots().items())[-1]
    key = "deployment.image.pull-policy"
    assert before["settings"][key]["default"] == "IfNotPresent"
    now = {kind: dict(names) for kind, names in surface().items()}
    now["settings"][key] = {**now["settings"][key], "default": "Always"}
    notes = changelog.since(changelog.read(ROOT), version)
    upgrades = changelog.upgrade_notes(changelog.read_upgrade(ROOT), version)
    lines, explanations = missing_notes(before, now, notes, upgrades)
    line = f"The default of the setting `kestra:{key}` is `Always`, before `IfNotPresent`."
    assert (lines, explanations) == ([line], [f"`kestra:{key}`: what to do. ({line})"])


def test_the_surface_has_what_users_rely_on() -> None:
    now = surface()
    assert set(now) == set(KINDS)
    assert now["settings"]["version"] == {"type": "1.3 | 2.0", "default": "1.3"}
    assert now["outputs"]["generated"] == {"type": "secret map"}
    assert {"secret", "tags"} <= set(now["outputs"])
    assert now["controls"]["ks-secret-stores-01"]["level in production"] == "mandatory"
    assert now["options"]["maximumRotationDays"] == {"default": "90"}
    assert {
        "python -m components secret copy --to",
        "python -m components check",
        "python -m sandbox up --nodes",
        "python -m sandbox down --purge",
    } <= set(now["commands"])
    assert "release" in now["targets"]
    assert as_text(now) == as_text(surface())
