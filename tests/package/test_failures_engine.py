"""Several components in one program, and what the plugin says where their resources fail, with a real engine and Vault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.progress import Progress
from sandbox.services import Vault
from sandbox.tools import ensure
from tests.conftest import ROOT
from tests.package.consumer_support import Consumer, Remote, refusal, resources, write_plugin

pytestmark = pytest.mark.engine

PLANTED = "Planted-Value-4711"


@pytest.fixture
def consumer(progress: Progress, vault_server: Vault, tmp_path: Path) -> Consumer:
    tools = ensure(["pulumi"], progress)
    # What Pulumi's host of Python runs of a plugin from git (PulumiPlugin.yaml).
    launchers = [write_plugin(tmp_path / "plugin", str(ROOT / "__main__.py"))]
    return Consumer(tmp_path, tools, launchers, vault=vault_server, standins=["random", "vault"])


def arguments(engine: str, namespace: str = "") -> dict[str, Any]:
    """Those of a store with an engine of its own."""
    vault = {"address": "https://vault.example", "rootEngine": engine, "kubernetes": {}}
    secret = {"namespace": "company.team", "value": PLANTED}
    return {
        "edition": "enterprise",
        "secret": {"type": "vault", "readOnly": True, "vault": vault},
        "deployment": {"namespace": namespace or engine},
        "declaredSecrets": {"TOKEN": secret},
        "tags": {"environment": "staging", "owner": "platform"},
    }


def test_two_stores_of_one_program_have_guards_and_hints_of_their_own(consumer: Consumer) -> None:
    engines = ["pair-one", "pair-two"]

    def program() -> None:
        for number, engine in enumerate(engines):
            Remote("SecretStore", f"store-{number}", arguments(engine))

    stack = consumer.python(program)
    stack.up()
    every = resources(stack).values()
    mounts = {one["inputs"]["path"] for one in every if one["type"].endswith(":Mount")}
    assert set(engines) <= mounts
    engines[1] = "pair-three"
    text = refusal(stack.up)
    assert "deployment.accept to ok-" in text
    assert "secret.vault.root_engine would change from pair-two to pair-three" in text
    assert "kestra:" not in text.replace("kestra:guard:Guard", "").replace("kestra:stores:", "")
    engines[1] = "pair-two"
    stack.destroy(exclude_protected=True)


def test_a_name_that_is_taken_is_explained_in_the_words_of_the_program(consumer: Consumer) -> None:
    """Two stores with one engine: the second comes too late."""

    def program() -> None:
        for number in range(2):
            Remote("SecretStore", f"store-{number}", arguments("taken", f"taken-{number}"))

    stack = consumer.python(program)
    text = refusal(stack.up)
    assert "Vault has a secrets engine at taken already" in text
    assert "choose another path (secret.vault.root_engine)" in text
    assert "set identity.vault.mount_engine to false" in text
    assert "components/" not in text, "no traceback of the plugin"
    assert PLANTED not in text
    stack.destroy(exclude_protected=True)


def test_a_server_that_refuses_is_explained_once(consumer: Consumer) -> None:
    consumer.options.env_vars["VAULT_TOKEN"] = "no-token"  # type: ignore[index]

    def program() -> None:
        Remote("SecretStore", "store", arguments("refused"))

    text = refusal(consumer.python(program).up).partition("Diagnostics:")[2]
    assert text.count("Log in again (`vault login`)") == 1, text
    assert "components/" not in text
    assert PLANTED not in text


def test_two_components_of_one_name_are_refused_by_the_engine(consumer: Consumer) -> None:
    def program() -> None:
        for number in range(2):
            Remote("SecretStore", "store", arguments(f"same-{number}"))

    stack = consumer.python(program)
    text = refusal(stack.up)
    assert "Duplicate resource URN" in text
    assert "components/" not in text, "no traceback of the plugin"
    assert PLANTED not in text
    stack.destroy(exclude_protected=True)
