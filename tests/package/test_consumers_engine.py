"""Programs in YAML that use the components, with real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.package.conversion import to_arguments
from sandbox.progress import Progress
from sandbox.services import ControlPlane, Vault
from sandbox.tools import ensure
from tests.conftest import stack_document
from tests.package.consumer_support import Consumer, resources, write_plugin, yaml_texts

pytestmark = pytest.mark.engine

PLANTED = "Planted-Value-4711"


@pytest.fixture(scope="module")
def yaml_tools(progress: Progress) -> dict[str, Path]:
    return ensure(["pulumi", "pulumi-language-yaml"], progress)


@pytest.fixture
def bare(yaml_tools: dict[str, Path], tmp_path: Path) -> Consumer:
    """A consumer without servers."""
    return Consumer(tmp_path, yaml_tools, [write_plugin(tmp_path / "plugin")], standins=["random"])


def vault_arguments(plane: ControlPlane, vault: Vault, namespace: str) -> dict[str, Any]:
    """The settings of the stack file local-vault, with the servers of the tests."""
    document: Any = stack_document("local-vault")
    document["secret"]["vault"] |= {
        "address": plane.reached_by_pods(vault.address),
        "root-engine": namespace,
    }
    document["identity"] = {
        "vault": {
            "kubernetes-host": plane.url,
            "kubernetes-ca-certificate": plane.ca_file.read_text(),
        }
    }
    document["deployment"]["namespace"] = namespace
    return yaml_texts(to_arguments(document))


def test_a_whole_stack_comes_up_and_goes(
    yaml_tools: dict[str, Path],
    control_plane: ControlPlane,
    vault_server: Vault,
    tmp_path: Path,
) -> None:
    consumer = Consumer(
        tmp_path, yaml_tools, [write_plugin(tmp_path / "plugin")], control_plane, vault_server
    )
    arguments = vault_arguments(control_plane, vault_server, "package-whole")
    arguments["declaredSecrets"]["GIVEN"] = {
        "namespace": "company.team",
        "value": {"fn::secret": PLANTED},
    }
    stack = consumer.yaml(
        {
            "resources": {
                "kestra": {"type": "kestra-platform:KestraStack", "properties": arguments}
            },
            "outputs": {
                "ids": "${kestra.secretIds}",
                "generated": "${kestra.generated}",
                "yaml": "${kestra.configuration}",
            },
        }
    )
    try:
        outputs = stack.up().outputs
        known = resources(stack)
        print("\n".join(known))
        assert outputs["generated"].secret
        assert not outputs["ids"].secret
        assert PLANTED not in consumer.state_text()
        again = stack.up()
        assert set(again.summary.resource_changes or {}) == {"same"}, again.stdout
    finally:
        stack.destroy(exclude_protected=True)
