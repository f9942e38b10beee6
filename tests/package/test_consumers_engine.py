"""Programs in YAML that use the components, with real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes
import pulumi_vault
import pytest

from components.package.conversion import to_arguments
from sandbox.progress import Progress
from sandbox.services import ControlPlane, Vault
from sandbox.tools import ensure
from tests.conftest import stack_document
from tests.package.consumer_support import (
    Consumer,
    Remote,
    refusal,
    resources,
    write_plugin,
    yaml_texts,
)

pytestmark = pytest.mark.engine

PLANTED = "Planted-Value-4711"


@pytest.fixture(scope="module")
def yaml_tools(progress: Progress) -> dict[str, Path]:
    return ensure(["pulumi", "pulumi-language-yaml"], progress)


@pytest.fixture
def bare(yaml_tools: dict[str, Path], tmp_path: Path) -> Consumer:
    """A consumer without servers."""
    return Consumer(tmp_path, yaml_tools, [write_plugin(tmp_path / "plugin")], standins=["random"])


def vault_arguments(
    plane: ControlPlane, vault: Vault, namespace: str, *, as_yaml: bool = True
) -> dict[str, Any]:
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
    arguments = to_arguments(document)
    return yaml_texts(arguments) if as_yaml else arguments


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
        assert any("kestra-identity-role" in urn for urn in resources(stack))
        assert outputs["generated"].secret
        assert not outputs["ids"].secret
        assert PLANTED not in consumer.state_text()
        again = stack.up()
        assert set(again.summary.resource_changes or {}) == {"same"}, again.stdout
    finally:
        stack.destroy(exclude_protected=True)


def _component(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"kestra-platform:{kind}", "properties": properties}


def test_a_configuration_is_checked_and_rendered_without_any_server(bare: Consumer) -> None:
    arguments: dict[str, Any] = {
        "server": {"basicAuth": {"username": "a@b.example", "password": {"fn::secret": PLANTED}}},
        "encryption": {"secretKey": {"fn::secret": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}},
    }
    outputs = {"yaml": "${c.yaml}", "environment": "${c.environment}", "missing": "${c.missing}"}
    program = {"resources": {"c": _component("KestraConfiguration", arguments)}, "outputs": outputs}
    stack = bare.yaml(program)
    known = stack.up().outputs
    assert "STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD" in known["yaml"].value
    assert known["environment"].secret
    assert PLANTED in known["environment"].value.values()
    assert known["missing"].value == {}
    assert PLANTED not in bare.state_text()
    components = [urn for urn in resources(stack) if "KestraConfiguration" in urn]
    assert len(components) == 1, "the component has no resources"

    arguments["server"]["basicAuth"] |= {"username": "nobody", "openUrls": ["everything"]}
    text = refusal(bare.yaml(program).up)
    assert "2 problems in the settings" in text
    assert "server.basicAuth.openUrls[0]" in text
    assert "Traceback" not in text
    assert PLANTED not in text


def test_store_identity_and_deployment_make_a_stack_together(
    yaml_tools: dict[str, Path],
    control_plane: ControlPlane,
    vault_server: Vault,
    tmp_path: Path,
) -> None:
    consumer = Consumer(
        tmp_path, yaml_tools, [write_plugin(tmp_path / "plugin")], control_plane, vault_server
    )
    arguments = vault_arguments(control_plane, vault_server, "package-parts")
    own = {"version", "edition", "secret", "declaredSecrets", "deployment", "identity", "tags"}
    shared = {name: value for name, value in arguments.items() if name in own}
    interface = {"storeInterface": "${store.interface}"}
    key = {"encryption": {"secretKey": "${store.encryptionKey}"}}
    together = {**arguments, **interface, **key, "identityInterface": "${who.interface}"}
    program = {
        "resources": {
            "store": _component("SecretStore", shared),
            "who": _component("KestraIdentity", shared | interface),
            "kestra": _component("KestraDeployment", together),
        },
        "outputs": {"endpoint": "${kestra.endpoint}", "ids": "${store.secretIds}"},
    }
    stack = consumer.yaml(program)
    try:
        preview = stack.preview()
        assert "kestra-webserver" in preview.stdout
        outputs = stack.up().outputs
        assert outputs["endpoint"].value.startswith("http://")
        known = resources(stack)
        pods = next(one for urn, one in known.items() if urn.endswith("::kestra-worker"))
        spec = pods["inputs"]["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is not False or "serviceAccountToken" in str(
            spec
        )
        keys = [urn for urn in known if urn.endswith("-generated-encryption-secret-key")]
        assert len(keys) == 1, "the deployment has the key of the store"
        assert set(stack.up().summary.resource_changes or {}) == {"same"}
    finally:
        stack.destroy(exclude_protected=True)


def test_the_components_live_in_what_the_program_made_itself(
    yaml_tools: dict[str, Path],
    control_plane: ControlPlane,
    vault_server: Vault,
    tmp_path: Path,
) -> None:
    """Namespace, engine and auth method are resources of the program, and the arguments are their outputs."""
    consumer = Consumer(
        tmp_path, yaml_tools, [write_plugin(tmp_path / "plugin")], control_plane, vault_server
    )
    arguments = vault_arguments(control_plane, vault_server, "package-theirs", as_yaml=False)
    own = {"version", "edition", "secret", "declaredSecrets", "deployment", "identity", "tags"}
    name = "package-theirs"

    def program() -> None:
        namespace = pulumi_kubernetes.core.v1.Namespace("namespace", metadata={"name": name})
        engine = pulumi_vault.Mount("engine", path=name, type="kv", options={"version": "2"})
        auth = pulumi_vault.AuthBackend("auth", type="kubernetes", path=name)
        arguments["secret"]["vault"] |= {
            "rootEngine": engine.path,
            "kubernetes": {"path": auth.path},
        }
        arguments["identity"]["vault"] |= {"mountEngine": False, "mountAuth": False}
        arguments["deployment"] |= {
            "namespace": namespace.metadata.name,
            "createNamespace": False,
        }
        shared = {key: value for key, value in arguments.items() if key in own}
        store = Remote("SecretStore", "store", shared, outputs=["interface", "secretIds"])
        interface = {"storeInterface": store.output("interface")}
        who = Remote("KestraIdentity", "who", shared | interface, outputs=["interface"])
        both = interface | {"identityInterface": who.output("interface")}
        Remote("KestraDeployment", "kestra", arguments | both)
        pulumi.export("ids", store.output("secretIds"))

    stack = consumer.python(program)
    try:
        assert "kestra-worker" in stack.preview().stdout
        outputs = stack.up().outputs
        assert all(name in id_ for id_ in outputs["ids"].value.values())
        of_components = {
            urn: one for urn, one in resources(stack).items() if urn.startswith("kestra-platform:")
        }
        worker = next(one for urn, one in of_components.items() if urn.endswith("::kestra-worker"))
        assert "serviceAccountToken" in str(worker) or "automount" in str(worker)
        assert not [urn for urn in of_components if "core/v1:Namespace" in urn]
        assert not [urn for urn in of_components if "authBackend:AuthBackend" in urn]
        assert set(stack.up().summary.resource_changes or {}) == {"same"}
    finally:
        stack.destroy(exclude_protected=True)
