"""The SDKs that are generated from the schema. TypeScript and Go are compiled by the examples, Python is checked here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components.package.components import COMPONENTS
from sandbox.progress import Progress
from sandbox.tools import ensure
from tests.package.sdks_support import EXAMPLES, PROGRAMS, generate_csharp, generate_sdks

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def sdks(progress: Progress, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tools = ensure(["generate-sdks"], progress)
    return generate_sdks(tools["generate-sdks"], tmp_path_factory.mktemp("sdks"))


def test_the_types_of_python_hold_for_the_examples(sdks: Path) -> None:
    config = sdks / "python" / "pyrightconfig.json"
    files = [f"{program}.py" for program in PROGRAMS]
    for file in files:
        shutil.copy(EXAMPLES / "python" / file, sdks / "python")
    config.write_text(json.dumps({"include": files, "typeCheckingMode": "basic"}))
    checker = Path(sys.executable).with_name("basedpyright")
    done = subprocess.run(
        [str(checker), "--pythonpath", sys.executable, "-p", str(config)],
        cwd=sdks / "python",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_every_component_is_in_every_sdk(sdks: Path) -> None:
    for name in COMPONENTS:
        first = name[0].lower() + name[1:]
        assert (sdks / "nodejs" / f"{first}.ts").is_file()
        assert (sdks / "go" / "kestraplatform" / f"{first}.go").is_file()


def test_the_sdk_of_csharp_is_generated(progress: Progress, tmp_path: Path) -> None:
    tools = ensure(["generate-csharp"], progress)
    files = {
        path.name for path in generate_csharp(tools["generate-csharp"], tmp_path).rglob("*.cs")
    }
    assert {f"{name}.cs" for name in COMPONENTS} <= files
    assert "Secret" in (tmp_path / "Inputs" / "BasicAuthArgs.cs").read_text()
