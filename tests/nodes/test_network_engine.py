"""What the network policies of a stack let through and what they refuse, by packets between pods."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from components.kubernetes.network import policies
from components.kubernetes.pods import selector
from components.validation import load
from tests.conftest import of_version, stack_document
from tests.nodes.nodes_support import Pods, agent_pod, eventually
from tests.tiers import long

pytestmark = [pytest.mark.engine, long("pods"), pytest.mark.timeout(3600)]

LABELS = {"app.kubernetes.io/name": "kestra", "app.kubernetes.io/instance": "kestra"}
NODE_LOCAL_DNS = "169.254.20.10"
GRPC = 50051
#: Namespace to what answers in its pod, one for each.
SERVERS = {
    "databases": ("tcp:5432", "tcp:5433"),
    "vault": ("tcp:8200", "tcp:8201"),
    "storage": ("tcp:9000", "tcp:9001"),
    "elsewhere": ("tcp:443", "tcp:22", "udp:53", "tcp:53"),
    "ingress-nginx": ("tcp:1",),
    "monitoring": ("tcp:1",),
}


class Row(NamedTuple):
    """A connection that is tried."""

    client: str
    server: str
    port: str
    is_allowed: bool


ALLOWED, REFUSED = True, False
ROWS = [
    Row("worker", "databases", "tcp:5432", ALLOWED),
    Row("worker", "databases", "tcp:5433", REFUSED),
    Row("worker", "vault", "tcp:8200", ALLOWED),
    Row("worker", "vault", "tcp:8201", REFUSED),
    Row("worker", "storage", "tcp:9000", ALLOWED),
    Row("worker", "storage", "tcp:9001", REFUSED),
    Row("worker", "elsewhere", "tcp:443", ALLOWED),
    Row("worker", "elsewhere", "tcp:22", REFUSED),
    Row("worker", "dns", "udp:53", ALLOWED),
    Row("worker", "dns", "tcp:53", ALLOWED),
    Row("worker", "elsewhere", "udp:53", REFUSED),
    Row("worker", "elsewhere", "tcp:53", REFUSED),
    Row("worker", "node-local", "udp:53", ALLOWED),
    Row("worker", "webserver", "tcp:8080", REFUSED),
    Row("worker", "webserver", "tcp:8081", REFUSED),
    Row("webserver", "databases", "tcp:5432", ALLOWED),
    Row("webserver", "worker", "tcp:8081", REFUSED),
    Row("ingress-nginx", "webserver", "tcp:8080", ALLOWED),
    Row("ingress-nginx", "webserver", "tcp:8081", REFUSED),
    Row("ingress-nginx", "worker", "tcp:8080", REFUSED),
    Row("monitoring", "webserver", "tcp:8081", ALLOWED),
    Row("monitoring", "worker", "tcp:8081", ALLOWED),
    Row("monitoring", "webserver", "tcp:8080", REFUSED),
    Row("elsewhere", "webserver", "tcp:8080", REFUSED),
    Row("elsewhere", "webserver", "tcp:8081", REFUSED),
    Row("elsewhere", "worker", "tcp:8081", REFUSED),
    Row("bystander", "databases", "tcp:5432", REFUSED),
]
ROWS_OF_2 = [
    Row("worker", "controller", f"tcp:{GRPC}", ALLOWED),
    Row("webserver", "controller", f"tcp:{GRPC}", REFUSED),
    Row("elsewhere", "controller", f"tcp:{GRPC}", REFUSED),
    Row("worker", "controller", "tcp:8080", REFUSED),
]


class Network:
    """The pods of one version's stack, and those around it."""

    def __init__(self, pods: Pods, version: str) -> None:
        self.pods, self.namespace = pods, f"kestra-{version.replace('.', '-')}"
        document: Any = of_version(stack_document("production"), version)
        # Its rule for passwords is one of 1.3 alone.
        document = {name: value for name, value in document.items() if name != "security"}
        chosen = document["deployment"]["network-policy"] | {"dns-cidrs": [f"{NODE_LOCAL_DNS}/32"]}
        deployment = document["deployment"] | {"network-policy": chosen}
        self.settings = load(document | {"deployment": deployment}, source="test").settings
        self.components = [
            c for c in ("webserver", "worker", "controller") if c in self.settings.components
        ]

    def start(self) -> None:
        """Kestra's pods, and one of its namespace that is not Kestra's."""
        self.pods.namespace(self.namespace)
        for component in self.components:
            labels = selector(LABELS, component)
            ports = ("tcp:8080", "tcp:8081", f"tcp:{GRPC}")
            self.pods.start(self.namespace, agent_pod(component, "serve", *ports, labels=labels))
        self.pods.start(self.namespace, agent_pod("bystander"))
        self.pods.wait(self.namespace, *self.components, "bystander")

    def close(self) -> None:
        """The stack's own policies."""
        for name, spec in policies(self.settings, LABELS).items():
            document = {"metadata": {"name": name}, "spec": spec}
            self.pods.network.create_namespaced_network_policy(self.namespace, document)

    def place(self, name: str) -> tuple[str, str]:
        """Namespace and name of a pod of the rows."""
        if name in (*self.components, "bystander"):
            return self.namespace, name
        return ("kube-system", "dns") if name == "dns" else (name, "agent")

    def target(self, row: Row) -> str:
        """What the client asks."""
        kind, port = row.port.split(":")
        address = (
            NODE_LOCAL_DNS
            if row.server == "node-local"
            else self.pods.address(*self.place(row.server))
        )
        return f"{kind}:{address}:{port}"

    def try_all(self, rows: list[Row]) -> dict[Row, bool]:
        """Whether somebody answers, for each row."""
        answers: dict[Row, bool] = {}
        for client in dict.fromkeys(row.client for row in rows):
            targets = {row: self.target(row) for row in rows if row.client == client}
            said = self.pods.ask(*self.place(client), *targets.values())
            answers |= {row: said[target] != "nobody" for row, target in targets.items()}
        return answers


@pytest.fixture(scope="module")
def surroundings(pods: Pods) -> Pods:
    """Database, Vault, storage, DNS, ingress, monitoring, and what is none of them."""
    pods.plane.node.run("ip", "address", "add", f"{NODE_LOCAL_DNS}/32", "dev", "lo")
    for namespace, ports in SERVERS.items():
        pods.namespace(namespace)
        pods.start(namespace, agent_pod("agent", "serve", *ports))
    pods.start("kube-system", agent_pod("dns", "serve", "udp:53", "tcp:53"))
    pods.start(
        "kube-system",
        agent_pod("node-local", "serve", f"udp:{NODE_LOCAL_DNS}:53", hostNetwork=True),
    )
    for namespace in SERVERS:
        pods.wait(namespace, "agent")
    pods.wait("kube-system", "dns", "node-local")
    return pods


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_the_policies_of_a_stack_let_through_what_it_needs_and_nothing_else(
    surroundings: Pods, version: str
) -> None:
    network = Network(surroundings, version)
    network.start()
    rows = ROWS + (ROWS_OF_2 if version == "2.0" else [])
    # Without policies everybody is answered: what is refused afterwards is refused by them.
    assert [row for row, answered in network.try_all(rows).items() if not answered] == []
    network.close()
    stranger = Row("elsewhere", "webserver", "tcp:8080", REFUSED)
    eventually(lambda: not network.try_all([stranger])[stranger], 60, "no policy is enforced")
    wrong = [row for row, answered in network.try_all(rows).items() if answered != row.is_allowed]
    assert wrong == []
