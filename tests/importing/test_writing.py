"""The written file: read as it was meant, by YAML as Pulumi reads it, and never over another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.importing.arguments import Arguments
from components.importing.command import import_installation
from components.importing.draft import Draft, Value
from components.importing.installation import Origin
from components.importing.readers import ImportRefused
from components.importing.writer import text_of
from components.validation import read_file
from tests.importing.installation_support import imported, installation

TEXTS = [
    "on", "NO", "~", "null", "010", "1_000", "1e3", ".inf", "0x1f", "2026-11-28", "12:30:45", "=", "<<",
    "a: b", "# no comment", " a", "a ", "", "'", '"', "\\", "- x", "!tag", "&a", "*a", "%x", "@x", "`x", "{a}",
    "line\nline\n", "\ttab", "é", "\u2028", "\x07", "\U0001f600", "\ufeff", "a" * 3000, "${NAME:a b}", "y", "x:y",
]  # fmt: skip


def _read(tmp_path: Path, draft: Draft) -> dict[str, object]:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text_of(draft, {}, ["x\ny"], str), encoding="utf-8")
    return read_file(file)


def test_every_text_is_read_as_it_was(tmp_path: Path) -> None:
    draft = Draft()
    for i, text in enumerate(TEXTS):
        draft.put(("texts", f"k{i}"), Value(text, Origin("a\nb: c", "#")))
    draft.put(("list",), [Value(text) for text in TEXTS])
    document = _read(tmp_path, draft)
    assert document["texts"] == {f"k{i}": text for i, text in enumerate(TEXTS)}
    assert document["list"] == TEXTS


def test_every_key_and_every_shape_is_read_as_it_was(tmp_path: Path) -> None:
    draft = Draft()
    keys = [text for text in TEXTS if len(text) < 100]
    draft.put(("keys",), {key: Value(i) for i, key in enumerate(keys)})
    shapes = [
        {"a": [{"b": Value(1), "c": {"d": Value(True)}}], "e": Value(1.5)},
        [[Value("x")], []],
        {},
    ]
    draft.put(("shapes",), shapes)
    document = _read(tmp_path, draft)
    assert document["keys"] == {key: i for i, key in enumerate(keys)}
    assert document["shapes"] == [{"a": [{"b": 1, "c": {"d": True}}], "e": 1.5}, [["x"], []], {}]


def test_comments_say_where_a_value_came_from(tmp_path: Path) -> None:
    result = imported(tmp_path, installation("kestra: {queue: {type: postgres}}"))
    assert "kestra:queue:  # application.yaml" in result.text


@pytest.mark.parametrize("content", ["", "config: {}\n", "encryptionsalt: x\n", "x"])
def test_no_existing_file_is_written_over_without_force(content: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(content)
    with pytest.raises(ImportRefused, match="--force"):
        imported(tmp_path, installation(), force=False)
    assert file.read_text() == content
    assert [f.name for f in tmp_path.iterdir()] == [file.name]
    imported(tmp_path, installation(), force=True)
    assert "config:" in file.read_text()


def test_the_name_of_the_stack_comes_from_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {
        ("meadow/docker-compose.yml",): "meadow",
        ("meadow-kestra.yaml",): "meadow-kestra",
        ("-",): "imported",
    }
    for files, name in names.items():
        report = import_installation(installation(), Arguments(files))
        assert report.file == f"stacks/Pulumi.{name}.yaml"
    report = import_installation(installation(), Arguments(("-",), name="prod"))
    assert json.loads(report.json())["file"] == "stacks/Pulumi.prod.yaml"


@pytest.mark.parametrize("name", ["../x", "a b", ""])
def test_a_name_that_is_no_name_of_a_stack_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused):
        import_installation(installation(), Arguments(("-",), name=name or " "))


def test_a_file_elsewhere_is_copied_to_the_name_that_pulumi_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = import_installation(installation(), Arguments(("-",), name="prod"))
    assert here.next_steps()[0].startswith("pulumi stack init prod")
    output = str(tmp_path / "a file.yaml")
    elsewhere = import_installation(installation(), Arguments(("-",), name="prod", output=output))
    copied, init, *_ = elsewhere.next_steps()
    assert copied.startswith(f"cp '{output}' stacks/Pulumi.prod.yaml ")
    assert init.startswith("pulumi stack init prod")
