"""The plugin's command, as people and the engine call it."""

from __future__ import annotations

import pytest

from components.package import __main__ as command


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of engines that the plugin was started for."""
    addresses: list[str] = []
    monkeypatch.setattr(command, "serve", addresses.append)
    return addresses


@pytest.mark.parametrize(
    "arguments",
    [
        ["127.0.0.1:4711"],
        # pulumi up --logflow --logtostderr -v=9 --tracing file:trace
        ["--logtostderr", "-v=9", "--tracing", "file:trace", "127.0.0.1:4711"],
        ["127.0.0.1:4711", "--an-option-of-later"],
    ],
)
def test_the_engine_starts_the_plugin_with_its_address_and_any_options(
    served: list[str], arguments: list[str]
) -> None:
    assert command.main(arguments) == 0
    assert served == ["127.0.0.1:4711"]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["schema", "--help"]])
def test_the_usage_is_printed_and_nothing_is_started(
    served: list[str], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: pulumi-resource-kestra-platform")
    assert "--check" in said
    assert not served


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "HOST:PORT"),
        (["--bogus"], "HOST:PORT"),
        (["bogus"], "'bogus' is no address of an engine"),
        (["schema", "--bogus"], "--bogus"),
        (["schemas"], "'schemas' is no address of an engine"),
    ],
)
def test_what_nobody_knows_is_refused_with_the_usage(
    served: list[str], arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "usage: pulumi-resource-kestra-platform" in said
    assert words in said
    assert not served


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--version"])
    assert capsys.readouterr().out.strip()
