"""The sandbox's real Vault, asked from within Kestra's pods."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import yaml

from components.rendering.leaves import resolve
from sandbox.check import read_back
from tests.nodes.kestra_pods_support import Pods, RunningStack

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
#: Prints the answer to an HTTP request, which standard input holds.
ASK = 'exec 3<>"/dev/tcp/{host}/{port}"; head -c {length} >&3; cat <&3'


class VaultFromPod:
    """Vault asked from within Kestra's pod, at the address that Kestra has."""

    def __init__(self, stack: RunningStack, pods: Pods, component: str = "standalone") -> None:
        self._pods, self._pod = pods, pods.ready(component)
        ready = stack.sandbox.ready(stack.name, stack.sandbox.settings(stack.name))
        outputs = {name: output.value for name, output in ready.outputs().items()}
        text, environment = read_back(ready.plane, outputs)
        block = resolve(yaml.safe_load(text)["kestra"]["secret"]["vault"], environment)
        assert isinstance(block, dict)
        self._block: dict[str, Any] = block
        self.values: dict[str, str] = outputs["generated"]
        """What the stack generated, by key."""

    def own_token(self) -> str:
        """The token of a service account that kubelet mounts into the pod."""
        return self._pods.run(self._pod, f"cat {TOKEN}").out

    def subject(self) -> str:
        """Whose token that is: `system:serviceaccount:NAMESPACE:NAME`."""
        # Padding that is too long does no harm.
        return json.loads(base64.urlsafe_b64decode(self.own_token().split(".")[1] + "=="))["sub"]

    def log_in(self, token: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of Kestra's log-in with a service account's token."""
        method = self._block["kubernetes"]
        return self.ask(
            "POST", f"auth/{method['path']}/login", {"role": method["role"], "jwt": token}
        )

    def read(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of a request for a path."""
        return self.ask("GET", path, None, token)

    def ask(
        self, method: str, path: str, body: dict[str, str] | None, token: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer of a request."""
        address = urlsplit(self._block["address"])
        content = json.dumps(body) if body else ""
        lines = [
            f"{method} /v1/{path} HTTP/1.0",
            f"X-Vault-Token: {token}",
            f"Content-Length: {len(content)}",
        ]
        request = "\r\n".join([*lines, "", content])
        script = ASK.format(host=address.hostname, port=address.port, length=len(request))
        head, _, text = self._pods.run(self._pod, script, stdin=request).out.partition("\r\n\r\n")
        return int(head.split()[1]), json.loads(text or "{}")
