"""Process 1 of the namespaces of real nodes: prepares them, starts the node's programs, and waits.

Everything in the namespaces ends with it. Runs with Python's own library alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.nodes import ADDRESS

_SECONDS = 120
#: What kubelet would set for the whole kernel; it finds its own value in a file that covers the real one.
_KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}
#: The address beyond the bridge is nobody's: what leaves the node ends there.
_NETWORK = f"""\
link set lo up
link add cni0 type bridge
address add {ADDRESS}/24 dev cni0
link set cni0 up
route add default via 10.77.0.254 dev cni0
"""


#: Kept, or Python takes the end of such a process itself, and `os.wait` does not hear of it.
_STARTED: list[subprocess.Popen[bytes]] = []


def main(config: Mapping[str, Any], ready: int) -> int:
    """Runs the node until one of its programs ends; the exit code is 1 then.

    Args:
        config: see `sandbox.nodes.node`.
        ready: a pipe that gets a byte when the network is there.
    """
    os.environ.clear()
    os.environ.update(config["environment"])
    _cover_mounts(config["folder"])
    _run("ip", "-batch", "-", text=_NETWORK)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    _filter_bridged_packets()
    os.write(ready, b"1")
    os.close(ready)
    folder = Path(config["folder"])
    programs = {_start(folder, "containerd", config["containerd"]): "containerd"}
    deadline = time.monotonic() + _SECONDS
    while subprocess.run([*config["ctr"], "version"], capture_output=True).returncode:
        if time.monotonic() > deadline:
            print(f"containerd does not answer: {folder / 'containerd.log'}")
            return 1
        time.sleep(0.1)
    for archive in config["images"]:
        _run(*config["ctr"], "--namespace", "k8s.io", "images", "import", archive)
    for name, command in config["programs"].items():
        programs[_start(folder, name, command)] = name
    print("The programs of the node have started.", flush=True)
    deadline = time.monotonic() + _SECONDS
    while True:
        # As process 1 it inherits what containers leave behind.
        process, status = os.wait()
        if name := programs.pop(process, ""):
            if name in config["retried"] and time.monotonic() < deadline:
                time.sleep(1)
                programs[_start(folder, name, config["programs"][name])] = name
                continue
            code = os.waitstatus_to_exitcode(status)
            log = folder / f"{name}.log"
            last = log.read_text(errors="replace").strip().splitlines()[-3:]
            print(f"{name} ended with {code}: {' / '.join(last)} (log: {log})", flush=True)
            return 1


def _cover_mounts(folder: str) -> None:
    """Own folders for what containerd, kubelet and the network plugins write wherever they are told to work.

    Args:
        folder: of the node, which stays the machine's, also below `/var`.
    """
    _run("mount", "--make-rshared", "/")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("lock", "netns", "node", "var/upper", "var/work", "kernel-settings"):
        Path("/run", name).mkdir(parents=True)
    _run("mount", "--bind", folder, "/run/node")
    layers = "lowerdir=/var,upperdir=/run/var/upper,workdir=/run/var/work"
    _run("mount", "-t", "overlay", "-o", layers, "overlay", "/var")
    _run("mount", "--bind", "/run/node", folder)
    for name, value in _KERNEL_SETTINGS.items():
        setting = Path("/proc/sys", name)
        if setting.exists():
            cover = Path("/run/kernel-settings", name.replace("/", "."))
            cover.write_text(f"{value}\n")
            _run("mount", "--bind", str(cover), str(setting))


def _filter_bridged_packets() -> None:
    """Has packets between pods of one bridge pass iptables, where Services and policies are."""
    setting = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if not setting.exists():
        subprocess.run(["modprobe", "br_netfilter"], capture_output=True)
    setting.write_text("1")


def _start(folder: Path, name: str, command: Sequence[str]) -> int:
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
    _STARTED.append(process)
    return process.pid


def _run(*command: str, text: str | None = None) -> None:
    outcome = subprocess.run(command, input=text, capture_output=True, text=True)
    if outcome.returncode:
        print(f"{' '.join(command)}: {outcome.stderr.strip() or outcome.stdout.strip()}")
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])))
