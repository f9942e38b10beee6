"""The folder of control groups: made below every hierarchy, and nothing of it left."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.nodes.cgroups import PodGroups

NAME = "kestra-sandbox-0"


class Machine:
    """Hierarchies in a folder, as a machine has them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._mounts = folder, folder / "mounts"
        self._mounts.touch()

    def mount(self, kind: str, name: str, **files: str) -> Path:
        root = self.folder / name
        root.mkdir()
        for file, content in files.items():
            (root / file.replace("_", ".", 1)).write_text(content)
        with self._mounts.open("a") as mounts:
            mounts.write(f"{name} {root} {kind} rw,relatime 0 0\n")
        return root

    @property
    def groups(self) -> PodGroups:
        return PodGroups(NAME, self.folder / "record", self._mounts)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_version_1_gets_a_folder_below_each_controller_and_no_other(machine: Machine) -> None:
    cpu = machine.mount("cgroup", "cpu")
    cpuset = machine.mount("cgroup", "cpuset", cpuset_cpus="0-1\n", cpuset_mems="0\n")
    unified = machine.mount("cgroup2", "unified")
    machine.groups.create()
    assert (cpu / NAME).is_dir()
    # The kernel takes no process into a cpuset without processors.
    assert (cpuset / NAME / "cpuset.cpus").read_text() == "0-1\n"
    assert (cpuset / NAME / "cpuset.mems").read_text() == "0\n"
    assert not (unified / NAME).exists()


def test_version_2_hands_controllers_on_and_takes_them_back(machine: Machine) -> None:
    root = machine.mount("cgroup2", "cgroup")
    control = root / "cgroup.subtree_control"
    control.write_text("cpu memory pids")
    machine.groups.create()
    assert (root / NAME).is_dir()
    assert control.read_text() == "+cpuset"
    # Another start must not forget what the machine had before.
    control.write_text("cpu memory pids cpuset")
    machine.groups.create()
    machine.groups.remove()
    assert control.read_text() == "-cpuset"
    assert not (root / NAME).exists()
    assert not (machine.folder / "record").exists()


def test_the_folders_that_kubelet_made_in_it_go_too(machine: Machine) -> None:
    root = machine.mount("cgroup", "memory")
    machine.groups.create()
    (root / NAME / "kubepods" / "burstable" / "pod1").mkdir(parents=True)
    machine.groups.remove()
    assert list(root.iterdir()) == []


def test_what_was_never_made_is_removed_without_a_word(machine: Machine) -> None:
    machine.mount("cgroup", "cpu")
    machine.groups.remove()


def test_a_folder_with_a_process_is_not_given_up_in_silence(machine: Machine) -> None:
    root = machine.mount("cgroup", "cpu")
    machine.groups.create()
    # A file stands for a process: the kernel refuses to remove the folder.
    (root / NAME / "process").touch()
    with pytest.raises(OSError, match="not empty"):
        machine.groups.remove(seconds=0.1)
