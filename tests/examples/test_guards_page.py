"""The steps of docs/guards.md that destroy production work to the letter under the policy pack."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from sandbox.report import build
from sandbox.state import State
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "guards.md").read_text()
CONTROL = "ks-secret-stores-16"


def _steps() -> list[str]:
    (block,) = (b for b in re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL) if "destroy" in b)
    return [line.strip() for line in block.strip().splitlines()]


def _refusing(
    stack: str, directory: Path, config: Path | None = None, **deployment: Any
) -> set[str]:
    """Controls that refuse an update of a stack whose `deployment` has more settings."""
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())
    block = document["config"].setdefault("kestra:deployment", {})
    block.update(deployment)
    file = directory / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump(document))
    report = build(State(directory / "state"), stack, file, config)
    return {judgement.control.id for judgement in report.judgements.refusing}


def test_an_unprotected_store_is_refused_but_for_the_file_of_the_page(tmp_path: Path) -> None:
    setting, file, up, destroy = _steps()
    assert setting == "pulumi config set --path 'kestra:deployment.protect' false"
    assert destroy == "pulumi destroy --exclude-protected"
    content, name = re.fullmatch(r"echo '(.+)' > (\S+)", file).groups()  # type: ignore[union-attr]
    assert up == f"pulumi up --policy-pack policy --policy-pack-config {name}"
    assert json.loads(content) == {CONTROL: "advisory"}
    config = tmp_path / name
    config.write_text(content)
    assert _refusing("production", tmp_path) == set()
    assert _refusing("production", tmp_path, protect=False) == {CONTROL}
    assert _refusing("production", tmp_path, config, protect=False) == set()


def test_no_step_of_the_page_updates_without_saying_what_the_pack_does_to_it() -> None:
    for line in PAGE.splitlines():
        if "protect: false" in line or "protect' false" in line:
            near = PAGE[PAGE.index(line) :][:900]
            assert "policy" in near, line
