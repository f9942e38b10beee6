"""The image that stands in for Kestra's: the same bytes for the same content, and nothing else of this machine in it."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from rich.console import Console

from sandbox import kestra
from sandbox.errors import SandboxError
from sandbox.nodes import image, root_files
from sandbox.progress import Progress

SECRET = "planted-7f31c2-value"
FAKE_JLINK = """#!/bin/sh
while [ "$1" != --output ]; do shift; done
mkdir -p "$2/bin" && echo java > "$2/bin/java" && chmod 755 "$2/bin/java"
"""


class Machine:
    """A JDK, a harness and programs that cost nothing, in place of this machine's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.compiled = folder, 0
        java = folder / "jdk" / "bin" / "java"
        java.parent.mkdir(parents=True)
        java.touch()
        self.jlink = java.parent / "jlink"
        self.jlink.write_text(FAKE_JLINK)
        self.jlink.chmod(0o755)
        (folder / "jdk" / "release").write_text('JAVA_VERSION="25.0.1"\n')
        for name in ("a.jar", "other/a.jar", "b.jar"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(name)
        (folder / "bash").write_text("a program")
        self.programs = {"usr/bin/bash": folder / "bash", "usr/bin/dash": folder / "bash"}
        classpath = os.pathsep.join(
            str(folder / name) for name in ("classes", "a.jar", "other/a.jar", "b.jar")
        )
        self.harness = kestra.Harness(java, classpath, "1.3.31")
        monkeypatch.setattr(kestra, "ensure", lambda *_: self.harness)
        monkeypatch.setattr(image, "program_files", lambda _: self.programs)
        monkeypatch.setattr(image, "compile_server", self._compile)

    def _compile(self, version: str, harness: kestra.Harness, target: Path) -> None:
        self.compiled += 1
        target.mkdir()
        (target / "Server.class").write_text(version)

    def build(self, cache: str = "cache", release: str = "1.3.31") -> image.Image:
        """The image in a cache of its own."""
        return image.build(release, self.folder / cache, Progress(Console(file=io.StringIO())))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Everything that an image is made of, tiny."""
    return Machine(tmp_path, monkeypatch)


def _document(archive: Path, name: str) -> dict[str, object]:
    with tarfile.open(archive) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return json.load(file)


def _entries(archive: Path) -> dict[str, tarfile.TarInfo]:
    """Path in the image to entry, of all layers."""
    entries: dict[str, tarfile.TarInfo] = {}
    with tarfile.open(archive) as tar:
        for blob in tar.getnames():
            file = tar.extractfile(blob)
            assert file is not None
            data = file.read()
            if not data.startswith(b"{"):
                with tarfile.open(fileobj=io.BytesIO(data)) as layer:
                    entries |= {member.name: member for member in layer}
    return entries


def test_the_same_content_gives_the_same_bytes(machine: Machine) -> None:
    first, second = machine.build("one"), machine.build("two")
    assert first.archive != second.archive
    assert first.archive.read_bytes() == second.archive.read_bytes()
    assert first.archive.name == second.archive.name


def test_it_has_the_official_names_of_its_release(machine: Machine) -> None:
    built = machine.build()
    assert built.names == (
        "docker.io/kestra/kestra:v1.3.31",
        "registry.kestra.io/docker/kestra-ee:v1.3.31",
    )
    manifests = _document(built.archive, "index.json")["manifests"]
    assert isinstance(manifests, list)
    named = [one["annotations"]["io.containerd.image.name"] for one in manifests]
    assert named == list(built.names)
    assert len({one["digest"] for one in manifests}) == 1


def test_the_version_of_the_settings_names_the_release(machine: Machine) -> None:
    assert machine.build(release="1.3") == machine.build(release="1.3.31")


def test_what_is_in_the_cache_is_not_built_again(machine: Machine) -> None:
    assert machine.build() == machine.build()
    assert machine.compiled == 1


@pytest.mark.parametrize("changed", ["a program", "a jar", "the JDK"])
def test_other_content_is_another_image(machine: Machine, changed: str) -> None:
    first = machine.build()
    if changed == "a program":
        (machine.folder / "bash").write_text("another program")
    elif changed == "a jar":
        classpath = machine.harness.classpath.replace("b.jar", "other/a.jar")
        machine.harness = kestra.Harness(machine.harness.java, classpath, "1.3.31")
    else:
        (machine.folder / "jdk" / "release").write_text('JAVA_VERSION="25.0.2"\n')
    second = machine.build()
    assert second.archive != first.archive
    assert machine.compiled == 2


def test_what_killed_builds_left_is_removed_by_the_next_build(machine: Machine) -> None:
    images = machine.folder / "cache" / "images"
    for name in (".image-killed", ".java-killed"):
        (images / name / "root").mkdir(parents=True)
    machine.build()
    assert [path for path in images.iterdir() if path.is_dir()] == []


def test_nothing_of_the_environment_or_the_folders_beside_is_in_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_PASSWORD", SECRET)
    for name in ("jdk/passphrase", "other/secret.txt", "cache/images/secret"):
        path = machine.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SECRET)
    # Layers are not compressed: a search of the archive is a search of every file.
    content = machine.build().archive.read_bytes()
    assert b"a program" in content
    assert SECRET.encode() not in content
    assert str(machine.folder).encode() not in content


def test_kestra_runs_as_user_1000_and_owns_only_its_folder(machine: Machine) -> None:
    built = machine.build()
    entries = _entries(built.archive)
    owners = {name: (entry.uid, entry.gid) for name, entry in entries.items()}
    assert {owners[name] for name in owners if name.split("/")[0] == "app"} == {(1000, 1000)}
    assert {owners[name] for name in owners if name.split("/")[0] != "app"} == {(0, 0)}
    assert {entry.mtime for entry in entries.values()} == {0}
    assert entries["./tmp"].mode == 0o1777
    assert entries["app/kestra"].mode & 0o111 == 0o111
    assert entries["./usr/bin/sh"].linkname == "dash"
    jars = sorted(name for name in entries if name.endswith(".jar"))
    assert jars == ["app/lib/000-a.jar", "app/lib/001-a.jar", "app/lib/002-b.jar"]
    with tarfile.open(built.archive) as tar:
        blobs = [name for name in tar.getnames() if name.startswith("blobs/")]
    documents = [_json(built.archive, name) for name in blobs]
    (config,) = [one["config"] for one in documents if "rootfs" in one]
    assert config["User"] == "kestra"
    assert config["Entrypoint"] == ["/app/kestra"]


def _json(archive: Path, name: str) -> dict[str, dict[str, object]]:
    try:
        return _document(archive, name)  # pyright: ignore[reportReturnType]
    except ValueError:
        return {}


@pytest.mark.parametrize(
    ("jlink", "message"),
    [("echo 'Error: no module' >&2; exit 1", "no module"), (None, "has no jlink")],
)
def test_a_jdk_that_makes_no_runtime_leaves_no_image(
    machine: Machine, jlink: str | None, message: str
) -> None:
    machine.jlink.unlink()
    if jlink is not None:
        machine.jlink.write_text(f"#!/bin/sh\n{jlink}\n")
        machine.jlink.chmod(0o755)
    with pytest.raises(SandboxError, match=message):
        machine.build()
    assert not list((machine.folder / "cache" / "images").glob("*.tar"))


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_its_configuration_holds_what_kestras_command_line_brings(version: str) -> None:
    document = image.configuration(version)
    assert document["endpoints"]["all"]["port"] == 8081
    assert document["micronaut"]["server"] == {"port": 8080}
    assert ("flyway" in document) == (version == "1.3")
    assert ("controller" in document["kestra"]) == (version == "2.0")
    # Micronaut's own gRPC server would take the controller's port, and needs what workers do not have.
    off = {"server": {"enabled": False, "health": {"enabled": False}}}
    assert document.get("grpc") == (off if version == "2.0" else None)


def test_a_machine_without_a_program_that_probes_call_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        root_files.shutil, "which", lambda name, path: None if name == "base64" else "/bin/true"
    )
    with pytest.raises(SandboxError, match="lacks base64"):
        root_files.program_files()


def test_libraries_come_along_wherever_this_machine_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib" / "libc.so.6"
    library.parent.mkdir()
    library.write_text("the C library")
    library.with_name("libnss_files.so.2").write_text("users")
    monkeypatch.setattr(root_files, "_libraries", lambda _: [library])
    files = root_files.program_files()
    expected = f"usr{tmp_path}/lib"
    assert files[f"{expected}/libc.so.6"] == library
    assert f"{expected}/libnss_files.so.2" in files
    root = tmp_path / "root"
    root_files.write_root(files, root)
    assert (root / expected / "libc.so.6").read_text() == "the C library"
    assert (root / "bin").readlink() == Path("usr/bin")
    assert "kestra:x:1000:1000" in (root / "etc" / "passwd").read_text()
