"""What real nodes need of the machine, before anything is built or started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from sandbox.errors import SandboxError

#: Program to the Debian package that has it.
PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "iptables": "iptables",
    "iptables-save": "iptables",
    "iptables-restore": "iptables",
    "ipset": "ipset",
    "mount": "mount",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
#: Folders of programs for root, which PATH may lack.
_ADMINISTRATION = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def search_path() -> str:
    """PATH, with the folders of the programs for root."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *_ADMINISTRATION])


def require() -> None:
    """Nothing where the machine can have real nodes.

    Raises:
        SandboxError: names everything that is missing, and what installs it, in one sentence.
    """
    if lacking := list(_lacking()):
        raise SandboxError(
            f"Real nodes need {' and '.join(lacking)}; without --nodes real the nodes are simulated and need neither."
        )


def _lacking() -> Iterator[str]:
    if sys.platform != "linux":
        yield "Linux"
        return
    if os.geteuid() != 0:
        yield "root (run the command with sudo)"
    path = search_path()
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing:
        packages = " ".join(dict.fromkeys(PROGRAMS[name] for name in missing))
        yield f"{', '.join(missing)} (Debian: apt-get install {packages})"
