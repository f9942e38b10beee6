"""The first stack files of the pages on stacks that compose and on teams are valid as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from components.__main__ import main
from tests.conftest import ROOT

OIDC = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
OUTPUTS = {
    "acme/cluster/production": {
        "oidcProviderArn": OIDC,
        "namespaces": ["kestra-production"],
        "kubeconfig": "[secret]",
    },
    "acme/data/production": {
        "databaseUrl": "jdbc:postgresql://postgres.example.com:5432/kestra",
        "database": {"user": "kestra"},
        "databasePassword": "[secret]",
        "bucket": "kestra-production",
    },
}


def examples(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.+?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def test_the_stack_that_takes_outputs_of_others_is_valid_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Pulumi.production.yaml"
    file.write_text(examples("stacks-that-compose.md")[0])
    options: list[str] = []
    for number, (stack, outputs) in enumerate(OUTPUTS.items()):
        (tmp_path / f"{number}.json").write_text(json.dumps(outputs))
        options += ["--outputs", f"{stack}={tmp_path / f'{number}.json'}"]
    assert main(["check", str(file)]) == 0
    assert "which is not read here" in capsys.readouterr().err
    assert main(["check", str(file), *options]) == 0
    printed = capsys.readouterr()
    assert "valid for Kestra" in printed.out
    assert "which is not read here" not in printed.err


def test_the_grant_of_a_teams_stack_is_what_the_platforms_stack_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    team, platform = examples("teams.md")[:2]
    file = tmp_path / "Pulumi.billing.yaml"
    file.write_text(team)
    assert main(["check", str(file)]) == 0
    capsys.readouterr()
    assert main(["team", str(file)]) == 0
    grant = capsys.readouterr().out.partition("\n\n")[0]
    assert yaml.safe_load(grant) == yaml.safe_load(platform)["config"]["kestra:store"]["teams"]
