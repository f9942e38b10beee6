"""A real node of the sandbox: its programs, what they are told, and its end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil
import yaml

from sandbox.errors import SandboxError
from sandbox.nodes import ADDRESS, DNS_SERVICE, NAME, PODS, SERVICES, archive
from sandbox.nodes.cgroups import PodGroups
from sandbox.nodes.host import PORTS
from sandbox.nodes.machine_needs import search_path
from sandbox.services.certificates import Pair
from sandbox.services.process import Server, private
from sandbox.state import ROOT

_SOCKET = "/run/containerd/containerd.sock"
_CTR = ("ctr", "--address", _SOCKET)
_IMAGES = (*_CTR, "--namespace", "k8s.io", "images")
_NAMELESS = "localhost/archive"
_LONGEST_SOCKET = 107
"""Characters of a Unix socket's path, which the kernel limits (unix(7))."""
_SOCKET_NAME = "pod-resources/" + "0" * 10
"""The longest that kubelet makes below its folder."""
PAUSE_IMAGE = "localhost/pause:1"
DNS_IMAGE = "localhost/coredns:1"


class Node(Server):
    """The process that holds the namespaces of a node with everything in them.

    Args:
        directory: where its process is recorded, and the folder `node` of its files is.
        tools: those of `sandbox.tools.REAL_NODES`.
    """

    def __init__(self, directory: Path, tools: Mapping[str, Path]) -> None:
        super().__init__("node", directory)
        self._directory, self._tools = directory, tools
        self.folder = directory / "node"
        self._ports = self.folder / PORTS
        identity = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:10]
        self.groups = PodGroups(f"kestra-sandbox-{identity}", self.folder / "control-groups.json")

    def launch(
        self, kubeconfigs: Mapping[str, Path], authority: Path, serving: Pair, api_port: int
    ) -> None:
        """Starts it; its programs find the API server by themselves.

        Args:
            kubeconfigs: those of `kubelet`, `kube-proxy` and `kube-router`.
            authority: certificate of the cluster's authority.
            serving: kubelet's own certificate.
            api_port: of the API server on the machine's loopback address.

        Raises:
            SandboxError: when the folder's path is too long for kubelet's sockets.
        """
        too_long = len(str(self.folder / "kubelet" / _SOCKET_NAME)) - _LONGEST_SOCKET
        if too_long > 0:
            raise SandboxError(
                f"The state's folder has a path that is {too_long} characters too long for kubelet's sockets. Name one "
                "with a shorter path: --state DIRECTORY."
            )
        self.folder.mkdir(exist_ok=True)
        self.groups.create()
        # Those that pods reached before the node ended stay open.
        before = self._ports.read_text().split() if self._ports.exists() else []
        private(self._ports, "\n".join(dict.fromkeys([str(api_port), *before])))
        config = {
            "folder": str(self.folder),
            "environment": {"PATH": search_path(), "HOME": str(self.folder), "LANG": "C.UTF-8"},
            "containerd": ["containerd", "--config", str(self._containerd())],
            "ctr": _CTR,
            "images": [str(path) for path in self._images()],
            # It ends when kubelet has not registered the node yet.
            "retried": ["kube-router"],
            "programs": {
                "kubelet": [str(self._tools["kubelet"]), f"--config={self._kubelet(authority, serving)}",
                            f"--kubeconfig={kubeconfigs['kubelet']}", f"--hostname-override={NAME}",
                            f"--node-ip={ADDRESS}", f"--root-dir={self.folder / 'kubelet'}",
                            f"--node-labels=topology.kubernetes.io/zone={NAME}-a"],
                "kube-proxy": [str(self._tools["kube-proxy"]),
                               f"--config={self._kube_proxy(kubeconfigs['kube-proxy'])}"],
                "kube-router": [str(self._tools["kube-router"]), f"--kubeconfig={kubeconfigs['kube-router']}",
                                "--run-firewall=true", "--run-router=false", "--run-service-proxy=false",
                                f"--hostname-override={NAME}", f"--service-cluster-ip-range={SERVICES}",
                                "--iptables-sync-period=30s"],
            },
        }  # fmt: skip
        file = private(self.folder / "node.json", json.dumps(config, indent=1))
        environment = config["environment"] | {"PYTHONPATH": str(ROOT)}
        self.start([sys.executable, "-m", "sandbox.nodes.host", file], environment)

    def open_to_pods(self, port: int) -> None:
        """Lets pods reach a port of the machine's loopback address at the node's address."""
        ports = self._ports.read_text().split()
        identity = self.identity
        if str(port) not in ports and identity is not None and identity.alive:
            private(self._ports, "\n".join([*ports, str(port)]))
            os.kill(identity.pid, signal.SIGHUP)

    def load(self, file: Path, names: Iterable[str]) -> bool:
        """Gives the node an image, unless it has it of the same archive already.

        Whether one of the names was that of another image before, which pods may run.

        Args:
            file: an archive of `docker save` or in the layout of the Open Container Initiative.
            names: under which pods ask for it.

        Raises:
            SandboxError: when it is no such archive, or holds no image.
        """
        names = set(names)
        status = file.stat()
        stamp = f"{file.resolve()} {status.st_mtime_ns} {status.st_size}"
        loaded = self._loaded()
        if (
            names
            and names <= set(self._image_names())
            and {loaded.get(name) for name in names} == {stamp}
        ):
            return False
        # By its digest an image has a name even where the archive gives it none.
        try:
            imported = self.run(
                *_IMAGES, "import", "--base-name", _NAMELESS, "--digests", str(file.resolve())
            )
        except SandboxError as error:
            raise SandboxError(f"{file} is no archive of an image. {error}") from None
        own = _unpacked(imported)
        if not own:
            raise SandboxError(f"{file} holds no image for this machine's processor.")
        if not names <= set(own) and len(set(own.values())) > 1:
            others = sorted(name for name in own if not name.startswith(_NAMELESS))
            raise SandboxError(
                f"{file} holds several images: {', '.join(others)}. Save the one that the pods are to run."
            )
        for name in names - set(own):
            self.run(*_IMAGES, "tag", "--force", next(iter(own)), name)
        private(self._images_file, json.dumps(loaded | dict.fromkeys(names, stamp)))
        return not names.isdisjoint(loaded)

    @property
    def _images_file(self) -> Path:
        return self.folder / "images.json"

    def _loaded(self) -> dict[str, str]:
        """Name of an image to the archive that it came from."""
        try:
            return json.loads(self._images_file.read_text())
        except (OSError, ValueError):
            return {}

    def _image_names(self) -> list[str]:
        return self.run(*_IMAGES, "list", "--quiet").split()

    def run(self, *command: str) -> str:
        """Runs a program in the node's namespaces; what it printed.

        Raises:
            SandboxError: when it fails, with its last line; when the node does not run.
        """
        enter = ["nsenter", f"--target={self.process_1()}", "--mount", "--net", "--pid", "--"]
        environment = {"PATH": search_path(), "HOME": str(self.folder), "LANG": "C.UTF-8"}
        outcome = subprocess.run(
            [*enter, *command], capture_output=True, text=True, env=environment
        )
        if outcome.returncode:
            last = (outcome.stderr.strip() or outcome.stdout.strip()).split("\n")[-1]
            raise SandboxError(f"{command[0]} on the node: {last}")
        return outcome.stdout

    def process_1(self) -> int:
        """The id that process 1 of the node's namespaces has on the machine.

        Raises:
            SandboxError: when the node does not run.
        """
        identity = self.identity
        if identity is not None and identity.alive:
            with contextlib.suppress(psutil.Error):
                for launcher in psutil.Process(identity.pid).children():
                    for process in launcher.children():
                        return process.pid
        raise SandboxError(f"The node does not run (log: {self.log}).")

    def stop(self, seconds: float = 10) -> None:
        """Ends everything of the node at once, and removes what the machine has of it.

        Args:
            seconds: how long the end may take.
        """
        processes: list[psutil.Process] = []
        identity = self.identity
        if identity is not None and identity.alive:
            with contextlib.suppress(psutil.Error):
                processes = psutil.Process(identity.pid).children(recursive=True)
        super().stop(seconds=0)
        psutil.wait_procs(processes, timeout=seconds)
        self.groups.remove(seconds)

    def _containerd(self) -> Path:
        plugins = self._plugins()
        runtime = "io.containerd.runc.v2"
        cri = {
            "sandbox_image": PAUSE_IMAGE,
            # The profile would be loaded into the kernel of the machine.
            "disable_apparmor": True,
            # A machine that is a guest itself may not lower the score by which the kernel ends processes.
            "restrict_oom_score_adj": True,
            "containerd.snapshotter": "overlayfs",
            "containerd.default_runtime_name": "runc",
            "containerd.runtimes.runc.runtime_type": runtime,
            "containerd.runtimes.runc.options.SystemdCgroup": False,
            "cni.bin_dir": str(plugins),
            "cni.conf_dir": str(self._network()),
        }
        top = {"version": 2, "root": str(self.folder / "containerd"), "state": "/run/containerd"}
        lines = [f"{key} = {json.dumps(value)}" for key, value in top.items()]
        lines += ["[grpc]", f"address = {json.dumps(_SOCKET)}"]
        lines += [
            '[plugins."io.containerd.internal.v1.opt"]',
            f"path = {json.dumps(str(self.folder / 'opt'))}",
        ]
        lines.append('[plugins."io.containerd.grpc.v1.cri"]')
        lines += [f"{key} = {json.dumps(value)}" for key, value in cri.items()]
        return private(self.folder / "containerd.toml", "\n".join([*lines, ""]))

    def _plugins(self) -> Path:
        """One folder of the network plugins, which come from several places."""
        folder = self.folder / "network-plugins"
        folder.mkdir(exist_ok=True)
        for name in ("bridge", "loopback", "host-local"):
            link = folder / name
            link.unlink(missing_ok=True)
            link.symlink_to(self._tools[name])
        return folder

    def _network(self) -> Path:
        folder = self.folder / "network"
        folder.mkdir(exist_ok=True)
        addresses = {
            "type": "host-local",
            "ranges": [[{"subnet": PODS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": "/run/network-addresses",
        }
        bridge = {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "hairpinMode": True,
            "ipam": addresses,
        }
        document = {"cniVersion": "1.0.0", "name": "sandbox", "plugins": [bridge]}
        private(folder / "10-sandbox.conflist", json.dumps(document))
        return folder

    def _kubelet(self, authority: Path, serving: Pair) -> Path:
        names = self.folder / "resolv.conf"
        names.touch()
        document = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": ADDRESS,
            "tlsCertFile": str(serving.certificate),
            "tlsPrivateKeyFile": str(serving.key),
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(authority)},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.groups.name}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "containerRuntimeEndpoint": f"unix://{_SOCKET}",
            "clusterDNS": [DNS_SERVICE],
            "clusterDomain": "cluster.local",
            "resolvConf": str(names),
            # What nobody can pull again is kept.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {"memory.available": "50Mi"},
            "podLogsDir": str(self.folder / "pod-logs"),
            "volumePluginDir": str(self.folder / "volume-plugins"),
        }
        return private(self.folder / "kubelet.yaml", yaml.safe_dump(document))

    def _kube_proxy(self, kubeconfig: Path) -> Path:
        document = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "bindAddress": "127.0.0.1",
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "hostnameOverride": NAME,
            "clusterCIDR": PODS,
            "mode": "iptables",
            # The table of connections is the whole kernel's.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        }  # fmt: skip
        return private(self.folder / "kube-proxy.yaml", yaml.safe_dump(document))

    def _images(self) -> Sequence[Path]:
        """Archives of what every pod has, and of what answers for names."""
        return [
            self._image(PAUSE_IMAGE, "pause", {"User": "65535:65535"}),
            self._image(DNS_IMAGE, "coredns", {}),
        ]

    def _image(self, name: str, tool: str, config: Mapping[str, object]) -> Path:
        content = archive.layer(self.folder / f"{tool}.layer", [(self._tools[tool], tool, 0)])
        return archive.write(
            self.folder / f"{tool}.tar", [name], [content], {"Entrypoint": [f"/{tool}"], **config}
        )


def _unpacked(printed: str) -> dict[str, str]:
    """Name to digest of the images that `ctr images import` has unpacked: `unpacking NAME (DIGEST)...done`."""
    words = [line.split() for line in printed.splitlines() if line.startswith("unpacking ")]
    return {name: digest for _, name, digest in (line[:3] for line in words)}
