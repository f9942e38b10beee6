"""Archives with the same bytes wherever and whenever they are written."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

PLUGIN = "pulumi-resource-kestra-platform"
#: The engine asks for an archive of its own platform. The plugin is Python, so that all have the same bytes.
PLATFORMS = ("darwin-amd64", "darwin-arm64", "linux-amd64", "linux-arm64", "windows-amd64")
IMPORT_NAME = "kestra_pulumi"
_LEGAL = ("LICENSE", "NOTICE")
_MAIN = f'''"""The plugin of Kestra's component package: the engine runs this folder with its address (PulumiPlugin.yaml)."""

from {IMPORT_NAME}.package.__main__ import command

command()
'''


def write_archive(target: Path, files: Mapping[str, bytes], epoch: int) -> None:
    """Writes a `.tar.gz`: sorted, owned by nobody, readable by all, of one time.

    Args:
        target: the archive.
        files: name within it to content.
        epoch: seconds since 1970 of every file.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(files[name]), epoch, 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    # Without the file's name and a time in the head of the compressed stream.
    with target.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as stream:
        stream.write(packed.getvalue())


def plugin_files(tree: Path, wheel: Path) -> dict[str, bytes]:
    """What the archive of the provider plugin has: the package as it is installed, and what starts it.

    Args:
        tree: the source tree.
        wheel: built from it.
    """
    with zipfile.ZipFile(wheel) as packed:
        package = {
            name: packed.read(name)
            for name in packed.namelist()
            if name.startswith(f"{IMPORT_NAME}/")
        }
    others = ("PulumiPlugin.yaml", "requirements.txt", *_LEGAL)
    return {
        **package,
        "__main__.py": _MAIN.encode(),
        **{name: (tree / name).read_bytes() for name in others},
    }


def write_plugins(folder: Path, tree: Path, wheel: Path, version: str, epoch: int) -> None:
    """Writes the archive of the plugin once a platform."""
    files = plugin_files(tree, wheel)
    for platform in PLATFORMS:
        write_archive(folder / f"{PLUGIN}-v{version}-{platform}.tar.gz", files, epoch)
