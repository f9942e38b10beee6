"""A stack file is there before its stack is made: what is copied over it afterwards loses what opens the secrets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

INIT = re.compile(r"pulumi stack init ([\w-]+)")
COPY = re.compile(r"\bcp \S+ \S*Pulumi\.([\w-]+)\.yaml")
PAGES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("stacks/*.yaml")]
    + [p for p in ROOT.glob("examples/**/*") if p.suffix in (".md", ".yaml", ".yml")]
)
ENCRYPTED = "correct horse"


def out_of_order(text: str) -> list[str]:
    """Stacks whose file is copied after they were made."""
    first_init = {match[1]: match.start() for match in reversed(list(INIT.finditer(text)))}
    return [m[1] for m in COPY.finditer(text) if m.start() > first_init.get(m[1], len(text))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_copies_a_stack_file_after_its_stack_was_made(page: Path) -> None:
    assert out_of_order(page.read_text()) == []


def test_the_wrong_order_would_be_seen() -> None:
    copy, init = "cp stacks/Pulumi.a.yaml stacks/Pulumi.b.yaml\n", "pulumi stack init b --x\n"
    assert out_of_order(init + copy) == ["b"]
    assert out_of_order(init + copy + init) == ["b"]
    assert out_of_order(copy + init) == []
    assert out_of_order("pulumi stack init c\n" + copy) == []


def test_the_pages_that_make_a_stack_say_where_its_file_comes_from() -> None:
    for page in ("README.md", "docs/runbook.md"):
        text = (ROOT / page).read_text()
        assert set(INIT.findall(text)) <= set(COPY.findall(text)), page


@pytest.mark.engine
def test_the_steps_of_the_readme_keep_what_opens_the_secrets(
    tools: dict[str, Path], tmp_path: Path
) -> None:
    text = (ROOT / "README.md").read_text()
    (block,) = (b for b in re.findall(r"```sh\n(.+?)```", text, re.DOTALL) if INIT.search(b))
    steps = [line for line in block.splitlines() if INIT.search(line) or COPY.search(line)]
    assert len(steps) == 2
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    for folder in ("bin", "home", "state"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bin" / "pulumi").symlink_to(tools["pulumi"])
    environment = {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_CONFIG_PASSPHRASE": ENCRYPTED,
    }

    def shell(command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", command],
            cwd=tmp_path,
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=120,
        )

    for step in steps:
        done = shell(step)
        assert done.returncode == 0, done.stderr
    file = yaml.safe_load((tmp_path / "stacks" / "Pulumi.company.yaml").read_text())
    example = yaml.safe_load(
        (ROOT / "stacks" / "Pulumi.example-aws-secret-manager.yaml").read_text()
    )
    assert file["config"] == example["config"]
    assert file["encryptionsalt"]
    setting = "pulumi config set --secret kestra:password Pl4nted"
    mistyped = shell(setting, PULUMI_CONFIG_PASSPHRASE="another horse")
    assert mistyped.returncode != 0
    assert "incorrect passphrase" in mistyped.stderr
    assert shell(setting).returncode == 0
