"""Archives of images on a real node: the names that they get, and pods that run the image of before."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.nodes import pods
from sandbox.nodes.node import Node

NAME = "docker.io/kestra/kestra:v1.3.31"


class Containerd:
    """What `ctr images` of a node answers."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.node = Node(folder, {})
        self.node.folder.mkdir()
        self.names: set[str] = set()
        self.content: dict[str, dict[str, str]] = {}
        self.imports = 0
        monkeypatch.setattr(self.node, "run", self._run)

    def archive(self, name: str, **images: str) -> Path:
        """An archive with images: name to digest; `_` stands for a slash."""
        file = self.node.folder / name
        file.write_text(name)
        self.content[str(file)] = {key.replace("_", "/"): value for key, value in images.items()}
        return file

    def _run(self, *command: str) -> str:
        match command[command.index("images") + 1 :]:
            case ("list", *_):
                return "\n".join(self.names)
            case ("tag", "--force", source, target):
                assert source in self.names
                self.names.add(target)
            case ("import", *_, file):
                self.imports += 1
                if file not in self.content:
                    raise SandboxError("ctr on the node: unrecognized image format")
                self.names |= set(self.content[file])
                named = self.content[file].items()
                return "".join(f"unpacking {name} ({digest})...done\n" for name, digest in named)
        return ""


@pytest.fixture
def containerd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Containerd:
    return Containerd(tmp_path, monkeypatch)


def test_an_image_gets_the_name_that_pods_ask_for_and_is_loaded_once(
    containerd: Containerd,
) -> None:
    file = containerd.archive("own.tar", own_kestra="sha256:1")
    assert not containerd.node.load(file, [NAME])
    assert containerd.names == {"own/kestra", NAME}
    assert not containerd.node.load(file, [NAME])
    assert containerd.imports == 1


def test_another_image_of_the_same_name_is_told(containerd: Containerd) -> None:
    containerd.node.load(containerd.archive("one.tar", own_one="sha256:1"), [NAME])
    assert containerd.node.load(containerd.archive("two.tar", own_two="sha256:2"), [NAME])
    assert containerd.imports == 2


def test_of_several_images_the_one_with_the_name_is_taken_and_none_is_guessed(
    containerd: Containerd,
) -> None:
    two = containerd.archive("two.tar", own_a="sha256:1", own_b="sha256:2")
    assert not containerd.node.load(two, ["own/a"])
    with pytest.raises(SandboxError, match="several images: own/a, own/b"):
        containerd.node.load(two, [NAME])
    assert NAME not in containerd.names
    # One image with two names is one.
    same = containerd.archive("same.tar", own_c="sha256:3", own_d="sha256:3")
    assert not containerd.node.load(same, [NAME])


def test_what_is_no_archive_or_holds_no_image_is_refused_by_its_name(
    containerd: Containerd,
) -> None:
    text = containerd.node.folder / "text.tar"
    text.write_text("text")
    with pytest.raises(SandboxError, match=r"text\.tar is no archive of an image"):
        containerd.node.load(text, [NAME])
    with pytest.raises(SandboxError, match="holds no image for this machine"):
        containerd.node.load(containerd.archive("empty.tar"), [NAME])


class Cluster:
    """Pods of before and after an image was loaded; the new ones get ready when the old ones are asked to end."""

    def __init__(self, moment: datetime, gets_ready: bool) -> None:
        self.ended: list[str] = []
        self._gets_ready = gets_ready
        self._pods = {
            "old": moment - timedelta(minutes=1),
            "new": moment + timedelta(seconds=1),
        }

    def list_namespaced_pod(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(
            items=[
                SimpleNamespace(metadata=SimpleNamespace(name=name, creation_timestamp=at))
                for name, at in self._pods.items()
            ]
        )

    def delete_namespaced_pod(self, name: str, _namespace: str) -> None:
        self.ended.append(name)

    def running(self, *_: Any) -> list[tuple[str, str]]:
        is_ready = self._gets_ready and bool(self.ended)
        return [("new", "standalone")] if is_ready else [("old", "standalone")]


@pytest.mark.parametrize("gets_ready", [True, False])
def test_pods_of_before_are_replaced_and_the_others_stay(
    gets_ready: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.now(UTC)
    cluster = Cluster(moment, gets_ready)
    monkeypatch.setattr(pods, "api_client", nullcontext)
    monkeypatch.setattr(pods, "client", SimpleNamespace(CoreV1Api=lambda _: cluster))
    monkeypatch.setattr(pods, "running_pods", cluster.running)
    if gets_ready:
        pods.replace_pods(tmp_path, "kestra", moment)
    else:
        with pytest.raises(SandboxError, match="not ready after 0 s: kubectl --kubeconfig"):
            pods.replace_pods(tmp_path, "kestra", moment, seconds=0)
    assert cluster.ended == ["old"]
