"""The examples of log-ins are valid for both versions, complete with a production stack, and hold no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.__main__ import main
from components.rendering.configuration import render
from components.validation import load
from sandbox.doctor.log_in import clients
from tests.conftest import ROOT, stack_document

FILES = {file.stem: file for file in sorted((ROOT / "examples" / "log-in").glob("*.yaml"))}
OPENID = sorted(FILES.keys() - {"ldap"})
VERSIONS = ("1.3", "2.0")


def example(name: str) -> dict[str, Any]:
    return {
        key.removeprefix("kestra:"): value
        for key, value in yaml.safe_load(FILES[name].read_text())["config"].items()
    }


def stack(name: str, version: str) -> dict[str, Any]:
    """A production stack with an example's log-in."""
    document, own = stack_document("production"), example(name)
    del document["security"]
    document["deployment"] |= own.pop("deployment")
    document["deployment"]["image"] = {}
    return document | own | {"version": version}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FILES)
def test_a_stack_with_it_is_valid_and_rendered_without_a_secret(name: str, version: str) -> None:
    document = stack(name, version)
    document["ee"] = stack_document("example-oidc")["ee"]
    loaded = load(document, source="t")
    assert [warning.line() for warning in loaded.warnings] == []
    configuration = render(loaded.settings)
    # As the stack file has them: Kestra resolves them in its pods.
    assert configuration.document["micronaut"] == document["micronaut"]
    path = document["security"].get("oidc", {}).get("groups-claim-path")
    security = configuration.document["kestra"]["security"]
    assert security.get("oidc", {}).get("groups-claim-path") == path
    admin = security["super-admin" if version == "1.3" else "instance-owner"]
    assert admin["password"].startswith("${STACK_")


@pytest.mark.parametrize("name", FILES)
def test_a_file_alone_passes_the_check_and_says_which_secrets_it_needs(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(FILES[name].relative_to(ROOT))]) == 0
    said = capsys.readouterr()
    warnings = [line for line in (said.out + said.err).splitlines() if "Rule:" in line]
    # What the rest of a stack has.
    assert all("kestra:secret:" in line or "ee.license" in line for line in warnings)
    text = FILES[name].read_text()
    comment = text.partition("environment-from")[0].rsplit("# Has ", 1)[1]
    for variable in ("JWT_SECRET", "LDAP_PASSWORD" if name == "ldap" else "OIDC_CLIENT_SECRET"):
        assert f"${{{variable}}}" in text
        assert variable in comment


@pytest.mark.parametrize("name", OPENID)
def test_the_redirect_uri_and_the_page_name_the_client(name: str) -> None:
    [client] = clients(load(stack(name, "1.3"), source="t").settings)
    redirect = f"/oauth/callback/{client.name}"
    assert f"https://kestra.example.com{redirect}" in FILES[name].read_text()
    page = (ROOT / "docs" / "log-in.md").read_text()
    assert f"(../examples/log-in/{name}.yaml)" in page
    assert f"`{redirect}`" in page


def test_the_page_has_the_directory_too() -> None:
    page = (ROOT / "docs" / "log-in.md").read_text()
    assert f"(../examples/log-in/{Path(FILES['ldap']).name})" in page
