"""A disaster: Vault and the state are lost, and come back from what docs/rotation.md says must be backed up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.check import read_back
from sandbox.display import Events
from sandbox.progress import Progress
from sandbox.services import ControlPlane, Vault
from sandbox.services.process import LOOPBACK, free_port, private
from tests.conftest import stack_document
from tests.rotation.kestra_boots_support import FLOW, Boot, boot, secret_flow
from tests.rotation.rotation_support import Rotating, documented, vault_cli

pytestmark = [pytest.mark.engine, pytest.mark.kestra]

HEADING = "What must be backed up, and how it comes back"
STORED, KEY = "Pl4nted-Stored-Zq81", "encryption.secret-key"


class RaftVault(Vault):
    """A Vault with integrated storage, as production has it: only that makes snapshots."""

    def command(self) -> Sequence[str | Path]:
        (self.directory / "data").mkdir(exist_ok=True)
        configuration = {
            "storage": {"raft": {"path": str(self.directory / "data"), "node_id": "one"}},
            "listener": [
                {
                    "tcp": {
                        "address": f"{LOOPBACK}:{self.port}",
                        "cluster_address": f"{LOOPBACK}:{free_port()}",
                        "tls_disable": True,
                    }
                }
            ],
            "api_addr": self.address,
            "cluster_addr": f"https://{LOOPBACK}:{free_port()}",
            "disable_mlock": True,
            "log_level": "warn",
        }
        file = private(self.directory / "vault.json", json.dumps(configuration))
        return [self._tool, "server", f"-config={file}"]


@dataclass
class Backup:
    """What was backed up, outside of everything that is lost."""

    folder: Path
    passphrase: str = ""
    unseal_key: str = ""
    root_token: str = ""
    generated: dict[str, str] = field(default_factory=dict)

    @property
    def snapshot(self) -> Path:
        return self.folder / "vault.snap"

    @property
    def state(self) -> Path:
        return self.folder / "state.json"

    @property
    def stack_file(self) -> Path:
        return self.folder / "Pulumi.lost.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "kestra"


@pytest.fixture(scope="module")
def vaults() -> Iterator[list[Vault]]:
    """Every Vault that was started; ended at the end."""
    started: list[Vault] = []
    yield started
    for one in started:
        one.stop()


def _snapshot(tools: dict[str, Path], vault: Vault, word: str, file: Path) -> None:
    line = next(x for x in documented(HEADING, "vault operator") if f" snapshot {word}" in x)
    vault_cli(tools, vault, line.replace("vault.snap", str(file)))


@pytest.fixture(scope="module")
def backup(
    rotating: Callable[..., Rotating],
    control_plane: ControlPlane,
    tools: dict[str, Path],
    progress: Progress,
    tmp_path_factory: pytest.TempPathFactory,
    vaults: list[Vault],
) -> Backup:
    """A stack goes up, its Kestra stores a SECRET value, it is backed up, and Vault and the state are lost."""
    vault = RaftVault(tmp_path_factory.mktemp("lost-vault"), tools)
    vaults.append(vault)
    vault.start()
    document: dict[str, Any] = stack_document("local-vault")
    document["secret"]["vault"] = {
        "address": vault.address,
        "root-engine": "kestra",
        "app-role": {},
    }
    document["deployment"] |= {"namespace": "rotation-lost", "components": {}}
    lost = rotating("lost", document, vault)
    lost.up()

    saved = Backup(tmp_path_factory.mktemp("backup"))
    text, environment = read_back(control_plane, lost.outputs)
    (run,) = boot(
        saved.database, [Boot("lost", text, (secret_flow(STORED),))], progress, environment
    )
    assert run["flows"][0]["state"] == "SUCCESS"
    _snapshot(tools, vault, "save", saved.snapshot)
    (export,) = documented(HEADING, "pulumi stack export")
    lost.pulumi(export.replace("state.json", str(saved.state)))
    shutil.copy(lost.stack._file, saved.stack_file)
    saved.passphrase = lost.state.passphrase()
    saved.unseal_key = (vault.directory / "unseal-key").read_text()
    saved.root_token = vault.root_token
    saved.generated = dict(lost.outputs["generated"])
    assert saved.generated[KEY] not in saved.state.read_text()

    vault.stop()
    shutil.rmtree(vault.directory / "data")
    shutil.rmtree(lost.stacks.parent)
    return saved


@pytest.fixture(scope="module")
def vault(
    backup: Backup,
    tools: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    vaults: list[Vault],
) -> Vault:
    """A new Vault under the address of the lost one, from the snapshot."""
    lost = vaults[0]
    new = RaftVault(tmp_path_factory.mktemp("new-vault"), tools)
    (new.directory / "port").write_text(str(lost.port))
    vaults.append(new)
    new.start()
    assert new.root_token != backup.root_token
    _snapshot(tools, new, "restore", backup.snapshot)
    # The keys of before open it; so does the root token of before.
    private(new.directory / "unseal-key", backup.unseal_key)
    private(new.directory / "root-token", backup.root_token)
    (unseal,) = (x for x in documented(HEADING, "vault operator") if x.endswith(" unseal"))
    vault_cli(tools, new, f"{unseal} {backup.unseal_key}")
    new.server.wait(new._active, 60)
    return new


def test_vault_comes_back_from_its_snapshot(
    backup: Backup, vault: Vault, tools: dict[str, Path]
) -> None:
    read = documented(HEADING, "vault kv get")[0].split("|")[0]
    assert vault_cli(tools, vault, read) == backup.generated[KEY]
    declared = "vault kv get -mount=kestra -field=value main/company/team/DATABASE_PASSWORD"
    assert (
        vault_cli(tools, vault, declared) == backup.generated["declared-secrets.DATABASE_PASSWORD"]
    )


def test_the_state_comes_back_and_nothing_would_change(
    backup: Backup, vault: Vault, rotating: Callable[..., Rotating], progress: Progress
) -> None:
    restored = rotating("lost", {}, vault)
    restored.file.write_text(backup.stack_file.read_text())
    private(restored.state.directory / "passphrase", backup.passphrase)
    restored.stack.write_workspace()
    # The salt of the stack file, without which the passphrase opens nothing.
    restored.stack._file.write_text(backup.stack_file.read_text())
    (init,) = documented(HEADING, "pulumi stack init")
    (import_,) = documented(HEADING, "pulumi stack import")
    restored.pulumi(init.replace("production", "lost"))
    restored.pulumi(import_.replace("state.json", str(backup.state)))
    assert documented(HEADING, "pulumi preview")
    changes = restored.stack.preview(Events(progress, preview=True)).changes
    assert set(changes) == {"same"}
    outputs = {name: output.value for name, output in restored.stack.outputs().items()}
    assert outputs["generated"] == backup.generated


def test_a_new_stack_with_the_recovered_key_reads_the_database_of_the_lost_one(
    backup: Backup,
    vault: Vault,
    rotating: Callable[..., Rotating],
    control_plane: ControlPlane,
    tools: dict[str, Path],
    progress: Progress,
) -> None:
    document: dict[str, Any] = stack_document("local")
    document["deployment"]["namespace"] = "rotation-new"
    new = rotating("new", document)
    new.pulumi("pulumi stack init new")
    read, write = documented(HEADING, "vault kv get")[0].split("|")
    new.pulumi(write.strip(), vault_cli(tools, vault, read))
    new.up()
    assert KEY not in new.outputs["generated"]
    text, environment = read_back(control_plane, new.outputs)
    (run,) = boot(backup.database, [Boot("new", text)], progress, environment)
    (read_again,) = (stored["read"] for stored in run["stored"] if stored["flow"] == FLOW)
    assert read_again == {"input": STORED, "output": STORED}
