"""Image archives in the layout of the Open Container Initiative, written without any tool."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

_OCI = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_CHUNK = 1 << 20


def layer(target: Path, entries: Sequence[tuple[Path, str, int]]) -> Path:
    """Writes a layer: a plain tar file.

    Args:
        target: the file.
        entries: a file or folder on disk, its path in the image (empty: the root), and its owner's id.
    """

    def owned(information: tarfile.TarInfo, owner: int) -> tarfile.TarInfo:
        information.uid = information.gid = owner
        information.uname = information.gname = ""
        information.mtime = 0
        return information

    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for source, path, owner in entries:
            tar.add(source, path or ".", filter=lambda entry, owner=owner: owned(entry, owner))
    return target


def write(
    target: Path, names: Sequence[str], layers: Sequence[Path], config: Mapping[str, Any]
) -> Path:
    """Writes an archive that `ctr images import` takes.

    Args:
        target: the archive.
        names: of the image, whole: `docker.io/kestra/kestra:v1.3.31`.
        layers: files of `layer`, the lowest first.
        config: `Entrypoint`, `Env`, `User` and the like.
    """
    with tarfile.open(target, "w") as tar:
        digests = [_digest(path) for path in layers]
        described = []
        for path, digest in zip(layers, digests, strict=True):
            with path.open("rb") as content:
                size = path.stat().st_size
                _add(tar, f"blobs/sha256/{digest}", content, size)
            described.append(_descriptor("layer.v1.tar", digest, size))
        image = {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _blob(tar, "config.v1+json", image),
            "layers": described,
        }
        described_manifest = _blob(tar, "manifest.v1+json", manifest)
        index = [
            described_manifest
            | {
                "annotations": {
                    "io.containerd.image.name": name,
                    "org.opencontainers.image.ref.name": name,
                }
            }
            for name in names
        ]
        _document(tar, "index.json", {"schemaVersion": 2, "manifests": index})
        _document(tar, "oci-layout", {"imageLayoutVersion": "1.0.0"})
    return target


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _descriptor(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": f"sha256:{digest}", "size": size}


def _blob(tar: tarfile.TarFile, kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    data = json.dumps(document, sort_keys=True).encode()
    digest = hashlib.sha256(data).hexdigest()
    _add(tar, f"blobs/sha256/{digest}", io.BytesIO(data), len(data))
    return _descriptor(kind, digest, len(data))


def _document(tar: tarfile.TarFile, name: str, document: Mapping[str, Any]) -> None:
    data = json.dumps(document).encode()
    _add(tar, name, io.BytesIO(data), len(data))


def _add(tar: tarfile.TarFile, name: str, content: BinaryIO, size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    tar.addfile(entry, content)
