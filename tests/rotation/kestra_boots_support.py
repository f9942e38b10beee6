"""Boots of a real Kestra on one database, each with a key of its own, in one process of Java."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import kestra
from sandbox.progress import Progress
from sandbox.services.process import private
from sandbox.verify import overlay
from sandbox.verify.boot import boot as boot_kestra
from tests.kestra.harness_support import with_class
from tests.rotation.rotation_support import section

HERE = Path(__file__).parent
FLOW, KEEPING = "my_secret_flow", "keeps_old_value"


@dataclass(frozen=True)
class Boot:
    """One boot: its configuration, and what is run."""

    name: str
    application_yaml: str
    """With its secrets in clear, or with placeholders of `environment`."""
    flows: tuple[Mapping[str, Any], ...] = ()
    late: tuple[Mapping[str, Any], ...] = ()
    """Flows that are run last, and are given a stored output that the key of this boot does not open."""
    replay: tuple[str, ...] = ()


def with_key(key: str) -> str:
    """A configuration with a key."""
    return yaml.safe_dump({"kestra": {"encryption": {"secret-key": key}}})


def secret_flow(text: str) -> dict[str, Any]:
    """A run of the flow with a SECRET input that becomes a SECRET output."""
    return {"id": FLOW, "namespace": "company.team", "inputs": {"secret": text}}


def keeping_flow(old_key: str, new_key: str) -> dict[str, Any]:
    """A run of the flow that decrypts with an old key what is stored."""
    inputs = {"old_key": old_key}
    expected = {"output": "secret_output", "key": new_key, "otherKey": old_key}
    return {"id": KEEPING, "namespace": "company.team", "inputs": inputs, **expected}


def boot(
    folder: Path,
    boots: Iterable[Boot],
    progress: Progress,
    environment: Mapping[str, str] | None = None,
) -> list[Mapping[str, Any]]:
    """Boots one after another on the database of the folder."""
    harness = with_class(kestra.ensure("1.3", progress), HERE / "Keys.java", folder)
    flows = folder / "flows"
    flows.mkdir(exist_ok=True)
    seed = kestra.HERE / "flows" / f"{FLOW}.yml"
    (flows / seed.name).write_text(seed.read_text())
    (flows / f"{KEEPING}.yml").write_text(_of_the_page(KEEPING))
    url = f"jdbc:h2:file:{folder / 'database'};TIME ZONE=UTC;DB_CLOSE_ON_EXIT=FALSE"
    database = private(
        folder / "database.yaml",
        yaml.safe_dump(
            {
                "datasources": {"h2": {"url": url}},
                "kestra": {"storage": {"local": {"base-path": str(folder / "storage")}}},
            }
        ),
    )
    runs = [_run(folder, one, database, flows) for one in boots]
    request = {"runs": runs}
    answer = boot_kestra(harness, environment or {}, folder, request, main="Keys", seconds=300)
    return answer["runs"]


def _of_the_page(flow: str) -> str:
    """A flow as docs/rotation.md has it."""
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", section("The encryption key"), re.M | re.S)
    (block,) = (block for block in map(textwrap.dedent, blocks) if f"id: {flow}\n" in block)
    return block


def _run(folder: Path, one: Boot, database: Path, flows: Path) -> dict[str, Any]:
    files = overlay.files(one.application_yaml, "1.3", folder / one.name)
    return {
        "files": f"{files},{database}",
        "flows": list(one.flows),
        "flowFolder": str(flows),
        "late": list(one.late),
        "replay": list(one.replay),
    }
