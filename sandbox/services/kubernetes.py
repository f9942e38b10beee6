"""A real Kubernetes control plane on loopback; only its node and pods are simulated (kwok).

With real ones: `sandbox.nodes.control_plane`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import yaml
from filelock import FileLock

from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.services.certificates import Authority, Pair
from sandbox.services.process import (
    LOOPBACK,
    PATIENCE,
    STARTS,
    Server,
    bare_environment,
    free_ports,
    private,
)
from sandbox.services.simulated_node import STAGES, simulated_node

ISSUER = "https://kubernetes.default.svc.cluster.local"


class ControlPlane:
    """etcd, kube-apiserver (TLS, RBAC, Pod Security), kube-controller-manager, kube-scheduler and kwok."""

    node_name = "simulated"

    def __init__(self, directory: Path, tools: dict[str, Path]) -> None:
        self.directory = directory
        self._tools = tools
        self._certificates = directory / "pki"
        self._ports_file = directory / "ports.json"
        self.kubeconfig = directory / "kubeconfig"
        self.ca_file = self._certificates / "ca.crt"
        self._etcd = Server("etcd", directory)
        self._api = Server("kube-apiserver", directory)
        self._manager = Server("kube-controller-manager", directory)
        self._scheduler = Server("kube-scheduler", directory)
        self._kwok = Server("kwok", directory)

    @property
    def servers(self) -> tuple[Server, ...]:
        """The processes, in the order in which they start."""
        return (self._etcd, self._api, self._manager, self._scheduler, self._node_server)

    @property
    def _node_server(self) -> Server:
        return self._kwok

    def reached_by_pods(self, address: str) -> str:
        """The address at which pods reach a server of the sandbox that has this one on the machine."""
        return address

    def reached_from_here(self, address: str) -> str:
        """The address on the machine of a server of the sandbox that pods reach at this one."""
        return address

    @property
    def ports(self) -> dict[str, int]:
        """The ports by name."""
        return json.loads(self._ports_file.read_text())

    @property
    def url(self) -> str:
        """The address of the API server."""
        return f"https://{LOOPBACK}:{self.ports['api']}"

    @property
    def healthy(self) -> bool:
        """Whether all processes run and the API server is ready."""
        return all(s.running for s in self.servers) and self._ready()

    def start(self, progress: Progress | None = None) -> ControlPlane:
        """Starts it, or starts again what ended of it.

        Raises:
            SandboxError: when a part does not become healthy; quotes its log.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with FileLock(self.directory / "lock"):
            for attempt in range(1, STARTS + 1):
                if self.healthy:
                    break
                running = [server for server in self.servers if server.running]
                try:
                    self._start()
                    break
                except SandboxError:
                    taken = any(server.port_taken for server in self.servers)
                    hanging = any(server.running for server in running)
                    if attempt == STARTS or not (taken or hanging):
                        raise
                    self.stop()
        return self

    def _start(self) -> None:
        if not (self._etcd.running and self._api.running):
            # The others hold connections to an API server that is gone.
            self.stop()
        self._claim_ports()
        self._authority = Authority(self._certificates)
        self._launch(self._etcd, self._etcd_command, self._etcd_ready, 60)
        self._launch(self._api, self._api_command, self._ready, 90)
        self._write_kubeconfigs()
        for server, command in (
            (self._manager, self._manager_command),
            (self._scheduler, self._scheduler_command),
        ):
            if not server.running:
                server.start(command(), bare_environment(self.directory))
        self._manager.wait(lambda: self._answers("controller-manager"), 60)
        self._scheduler.wait(lambda: self._answers("scheduler"), 60)
        self._remove_other_nodes()
        self._start_node()
        self._manager.wait(
            lambda: self._get("/api/v1/namespaces/default/serviceaccounts/default") is not None, 60
        )

    def _claim_ports(self) -> None:
        owners = {
            "etcd": self._etcd,
            "peer": self._etcd,
            "api": self._api,
            "controller-manager": self._manager,
            "scheduler": self._scheduler,
        }
        before = self.ports if self._ports_file.exists() else {}
        kept = {n: before[n] for n, owner in owners.items() if owner.running and n in before}
        new = free_ports([n for n in owners if n not in kept], before)
        private(self._ports_file, json.dumps(kept | new))

    def stop(self) -> None:
        """Ends it, the API server before etcd, which it would wait for; its data stays."""
        for server in reversed(self.servers):
            server.stop(seconds=15)

    def _launch(
        self,
        server: Server,
        command: Callable[[], list[str | Path]],
        healthy: Callable[[], bool],
        seconds: float,
    ) -> None:
        if not server.running:
            server.start(command(), bare_environment(self.directory))
        server.wait(healthy, seconds)

    def _etcd_command(self) -> list[str | Path]:
        port, peer = self.ports["etcd"], self.ports["peer"]
        server = self._authority.issue("etcd", "etcd", hosts=(LOOPBACK, "localhost"))
        client, url = f"https://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{peer}"
        return [
            self._tools["etcd"],
            f"--data-dir={self.directory / 'etcd-data'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={url}",
            f"--initial-advertise-peer-urls={url}",
            f"--initial-cluster=default={url}",
            f"--cert-file={server.certificate}",
            f"--key-file={server.key}",
            f"--trusted-ca-file={self.ca_file}",
            "--client-cert-auth",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _api_command(self) -> list[str | Path]:
        issue = self._authority.issue
        name, hosts = self._api_hosts()
        server = issue(name, "kube-apiserver", hosts=hosts)
        client = issue("etcd-client", "kube-apiserver")
        token = self._authority.signing_key("service-account")
        return [
            self._tools["kube-apiserver"],
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={self.ports['api']}",
            f"--etcd-servers=https://{LOOPBACK}:{self.ports['etcd']}",
            f"--etcd-cafile={self.ca_file}",
            f"--etcd-certfile={client.certificate}",
            f"--etcd-keyfile={client.key}",
            f"--client-ca-file={self.ca_file}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={token}",
            f"--service-account-signing-key-file={token}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
            "--profiling=false",
            "--v=0",
            *self._api_options(),
        ]

    def _api_hosts(self) -> tuple[str, tuple[str, ...]]:
        """Name of the API server's certificate, and its hosts."""
        names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
        return "apiserver", (LOOPBACK, "localhost", *names)

    def _api_options(self) -> list[str]:
        """What the API server is told about nodes."""
        return []

    def _manager_command(self) -> list[str | Path]:
        token = self._authority.signing_key("service-account")
        return [
            self._tools["kube-controller-manager"],
            f"--kubeconfig={self._client_config('kube-controller-manager')}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={self.ports['controller-manager']}",
            *self._serving("kube-controller-manager"),
            f"--root-ca-file={self.ca_file}",
            f"--service-account-private-key-file={token}",
            "--use-service-account-credentials=true",
            "--leader-elect=false",
            "--v=0",
        ]

    def _scheduler_command(self) -> list[str | Path]:
        return [
            self._tools["kube-scheduler"],
            f"--kubeconfig={self._client_config('kube-scheduler')}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={self.ports['scheduler']}",
            *self._serving("kube-scheduler"),
            "--leader-elect=false",
            "--v=0",
        ]

    def _kwok_command(self) -> list[str | Path]:
        stages = self.directory / "kwok-stages.yaml"
        stages.write_text("\n---\n".join(f.read_text() for f in sorted(STAGES.glob("*.yaml"))))
        return [
            self._tools["kwok"],
            f"--kubeconfig={self._client_config('kwok', 'system:masters')}",
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            "--node-lease-duration-seconds=40",
            f"--config={stages}",
            "--v=-4",
        ]

    def _serving(self, name: str) -> tuple[str, str]:
        pair = self._authority.issue(f"{name}-serving", name, hosts=(LOOPBACK, "localhost"))
        return (f"--tls-cert-file={pair.certificate}", f"--tls-private-key-file={pair.key}")

    def _client_config(
        self, name: str, group: str = "", *, user: str = "", server: str = ""
    ) -> Path:
        user = user or (name if group else f"system:{name}")
        pair = self._authority.issue(name, user, group)
        return self.write_kubeconfig(self.directory / f"{name}.kubeconfig", pair, server)

    def _write_kubeconfigs(self) -> None:
        self.write_kubeconfig(self.kubeconfig, self._admin())

    def _admin(self) -> Pair:
        return self.authority.issue("admin", "sandbox-admin", "system:masters")

    @property
    def authority(self) -> Authority:
        """The authority that this cluster's clients and servers trust."""
        return Authority(self._certificates)

    def write_kubeconfig(self, path: Path, pair: Pair, server: str = "") -> Path:
        """Writes the kubeconfig of a client by its certificate; gives its path."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
            "clusters": [
                {
                    "name": "sandbox",
                    "cluster": {
                        "server": server or self.url,
                        "certificate-authority": str(self.ca_file),
                    },
                }
            ],
            "users": [
                {
                    "name": "sandbox",
                    "user": {
                        "client-certificate": str(pair.certificate),
                        "client-key": str(pair.key),
                    },
                }
            ],
        }
        return private(path, yaml.safe_dump(document))

    def session(self) -> requests.Session:
        """HTTP as the sandbox's administrator."""
        pair = self._admin()
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.ca_file)
        session.cert = (str(pair.certificate), str(pair.key))
        return session

    def _answers(self, name: str) -> bool:
        try:
            return (
                self.session()
                .get(f"https://{LOOPBACK}:{self.ports[name]}/healthz", timeout=PATIENCE)
                .ok
            )
        except (requests.RequestException, OSError):
            return False

    def _etcd_ready(self) -> bool:
        pair = self._authority.issue("etcd-client", "kube-apiserver")
        try:
            answer = requests.get(
                f"https://{LOOPBACK}:{self.ports['etcd']}/health",
                cert=(str(pair.certificate), str(pair.key)),
                verify=str(self.ca_file),
                timeout=PATIENCE,
                proxies={"https": ""},
            )
        except requests.RequestException:
            return False
        return answer.ok and answer.json().get("health") == "true"

    def _get(self, path: str) -> dict[str, Any] | None:
        try:
            answer = self.session().get(f"{self.url}{path}", timeout=PATIENCE)
        except (requests.RequestException, OSError):
            return None
        return answer.json() if answer.ok else None

    def _ready(self) -> bool:
        try:
            return self.session().get(f"{self.url}/readyz", timeout=PATIENCE).ok
        except (requests.RequestException, OSError, ValueError):
            return False

    def _remove_other_nodes(self) -> None:
        """Nobody would end the pods of a node that the folder had before: they go with it."""
        session = self.session()
        nodes = (self._get("/api/v1/nodes") or {}).get("items", [])
        for name in {node["metadata"]["name"] for node in nodes} - {self.node_name}:
            pods = self._get(f"/api/v1/pods?fieldSelector=spec.nodeName={name}") or {}
            for pod in pods.get("items", []):
                path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
                session.delete(
                    f"{self.url}{path}/{pod['metadata']['name']}?gracePeriodSeconds=0", timeout=30
                )
            session.delete(f"{self.url}/api/v1/nodes/{name}", timeout=30)

    def _start_node(self) -> None:
        if not self._kwok.running:
            self._kwok.start(self._kwok_command(), bare_environment(self.directory))
        self._create_node()
        self._kwok.wait(lambda: self._kwok.running and self._node_ready(), 60)

    def _create_node(self) -> None:
        node = simulated_node(self.node_name)
        deadline = time.monotonic() + 30
        while True:
            answer = self.session().post(f"{self.url}/api/v1/nodes", json=node, timeout=30)
            if answer.ok or answer.status_code == 409:
                return
            if time.monotonic() > deadline:
                raise SandboxError(f"The node cannot be created: {answer.json().get('message')}")
            time.sleep(0.2)

    def _node_ready(self) -> bool:
        node = self._get(f"/api/v1/nodes/{self.node_name}") or {}
        conditions = node.get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
