"""The control plane with a real node in place of the simulated one."""

from __future__ import annotations

from pathlib import Path

from sandbox.nodes import ADDRESS, API_SERVICE, NAME, REAL, SIMULATED
from sandbox.nodes.host import EGRESS_SOCKET
from sandbox.nodes.node import Node
from sandbox.services import ControlPlane
from sandbox.services.process import LOOPBACK, private

_KIND = "nodes"
"""The file that says which nodes a folder has; none: simulated ones."""
_EGRESS = f"""\
apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {{uds: {{udsName: {EGRESS_SOCKET}}}}}
"""


class RealControlPlane(ControlPlane):
    """The same servers as ever on loopback; the node is in namespaces of its own."""

    node_name = NAME

    def __init__(self, directory: Path, tools: dict[str, Path]) -> None:
        super().__init__(directory, tools)
        self.node = Node(directory, tools)

    @property
    def _node_server(self) -> Node:
        return self.node

    def reached_by_pods(self, address: str) -> str:
        self.node.open_to_pods(int(address.rpartition(":")[2]))
        return address.replace(LOOPBACK, ADDRESS)

    def reached_from_here(self, address: str) -> str:
        return address.replace(ADDRESS, LOOPBACK)

    def _api_hosts(self) -> tuple[str, tuple[str, ...]]:
        name, hosts = super()._api_hosts()
        return f"{name}-{REAL}", (*hosts, API_SERVICE, ADDRESS)

    def _api_options(self) -> list[str]:
        kubelets = self._authority.issue("kubelet-client", "kubelet-client", "system:masters")
        egress = private(self.directory / "egress.yaml", _EGRESS)
        return [
            f"--kubelet-client-certificate={kubelets.certificate}",
            f"--kubelet-client-key={kubelets.key}",
            f"--kubelet-certificate-authority={self.ca_file}",
            "--kubelet-preferred-address-types=InternalIP",
            f"--egress-selector-config-file={egress}",
            # For the policy of `cluster.yaml`.
            "--feature-gates=MutatingAdmissionPolicy=true",
            "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
        ]

    def _start_node(self) -> None:
        api = f"https://{ADDRESS}:{self.ports['api']}"
        user = f"system:node:{NAME}"
        kubeconfigs = {
            "kubelet": self._client_config("kubelet", "system:nodes", user=user, server=api),
            "kube-proxy": self._client_config("kube-proxy", server=api),
            "kube-router": self._client_config("kube-router", "system:masters", server=api),
        }
        if not self.node.running:
            serving = self._authority.issue("kubelet-serving", user, hosts=(ADDRESS, NAME))
            self.node.launch(kubeconfigs, self.ca_file, serving, self.ports["api"])
        # Its client is a large import, which simulated nodes do not need.
        from sandbox.nodes import objects

        objects.apply_cluster(self.kubeconfig, self.node.folder / "volumes", self.ports["api"])
        self.node.wait(self._node_ready, 90)


def kind_of(directory: Path) -> str:
    """Which nodes a control plane's folder has: `simulated` or `real`."""
    try:
        return (directory / _KIND).read_text()
    except OSError:
        return SIMULATED


def control_plane(directory: Path, tools: dict[str, Path], kind: str | None = None) -> ControlPlane:
    """The control plane of a folder; ends one that runs with other nodes.

    Args:
        directory: its folder.
        tools: the programs.
        kind: `simulated` or `real`; None: as it is.
    """
    before = kind_of(directory)
    plane = _of_kind(before, directory, tools)
    if kind in (None, before):
        return plane
    plane.stop()
    forget_kind(directory)
    if kind == REAL:
        directory.mkdir(parents=True, exist_ok=True)
        private(directory / _KIND, kind)
    return _of_kind(kind, directory, tools)


def forget_kind(directory: Path) -> None:
    """The next control plane of the folder has simulated nodes."""
    (directory / _KIND).unlink(missing_ok=True)


def _of_kind(kind: str, directory: Path, tools: dict[str, Path]) -> ControlPlane:
    return (RealControlPlane if kind == REAL else ControlPlane)(directory, tools)
