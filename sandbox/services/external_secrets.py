"""The real External Secrets Operator on loopback, for one API server; it brings secrets from a store to Kubernetes."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml

from sandbox.services.aws import AwsServer
from sandbox.services.gcp import GoogleCloud
from sandbox.services.kubernetes import ControlPlane
from sandbox.services.objects import apply
from sandbox.services.process import LOOPBACK, free_port, private
from sandbox.services.single import SingleServer

ACCESS = Path(__file__).parent / "external-secrets" / "access.yaml"
USER = "system:serviceaccount:external-secrets:external-secrets"
_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/external-secrets/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ValidatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}


class ExternalSecrets(SingleServer):
    """The operator, as a user with the rights that its chart grants and no others.

    The definitions of its kinds (`sandbox.custom_resources`) have to be served before it starts.
    """

    name = "external-secrets"
    health = "/readyz"

    def __init__(
        self,
        directory: Path,
        tools: Mapping[str, Path],
        plane: ControlPlane,
        aws: AwsServer,
        google: GoogleCloud,
    ) -> None:
        """
        Args:
            directory: of its log, port and kubeconfig.
            tools: with the operator's program.
            plane: whose objects it watches.
            aws: the server that it reads from where a store is one of AWS; it need not run.
            google: the same for Google Cloud.
        """
        super().__init__(directory)
        self._tool = tools[self.name]
        self._plane, self._aws, self._google = plane, aws, google
        self._started_with = directory / "started-with.json"
        self._webhook_port = directory / "webhook-port"

    @property
    def variables(self) -> dict[str, str]:
        """By what its SDK of AWS, the first version, finds the server, and its stand-in for Google Cloud."""
        variables = {"AWS_EC2_METADATA_DISABLED": "true"}
        with contextlib.suppress(OSError, ValueError):
            variables["KESTRA_SANDBOX_GOOGLE"] = self._google.address
        with contextlib.suppress(OSError, ValueError):
            for service in ("SECRETSMANAGER", "SSM", "STS"):
                variables[f"AWS_{service}_ENDPOINT"] = self._aws.address
        return variables

    def start(self) -> Self:
        """Starts it, or finds it running; starts it again where one of its servers has moved.

        Raises:
            SandboxError: when it does not become healthy.
        """
        if self.server.running and self._addresses() != self._recorded_addresses():
            self.stop()
        return super().start()

    def command(self) -> Sequence[str | Path]:
        before = int(self._webhook_port.read_text()) if self._webhook_port.exists() else 0
        private(self._webhook_port, str(free_port(before)))
        private(self._started_with, json.dumps(self._addresses()))
        issue, hosts = self._plane.authority.issue, (LOOPBACK, "localhost")
        pair = issue("external-secrets-webhook", "external-secrets", hosts=hosts)
        kubeconfig = self.directory / "kubeconfig"
        self._plane.write_kubeconfig(kubeconfig, issue("external-secrets", USER))
        return [
            self._tool,
            f"--kubeconfig={kubeconfig}",
            f"--health={LOOPBACK}:{self.port}",
            f"--webhook-port={self._webhook_port.read_text()}",
            f"--webhook-certificate={pair.certificate}",
            f"--webhook-key={pair.key}",
        ]

    def answering(self) -> None:
        for document in yaml.safe_load_all(ACCESS.read_text()):
            self._apply(document)
        super().answering()

    def began(self) -> None:
        """Has the API server ask it about stores and secrets that somebody writes."""
        for document in webhooks(int(self._webhook_port.read_text()), self._plane.ca_file):
            self._apply(document)

    def _apply(self, document: Mapping[str, Any]) -> None:
        path = f"{_PATHS[document['kind']]}/{document['metadata']['name']}"
        apply(self._plane, path, document)

    def _addresses(self) -> dict[str, str]:
        return {"plane": self._plane.url, **self.variables}

    def _recorded_addresses(self) -> dict[str, str]:
        try:
            return json.loads(self._started_with.read_text())
        except (OSError, ValueError):
            return {}


def webhooks(port: int, ca_file: Path) -> Iterator[dict[str, Any]]:
    """What has an API server ask the operator, as the operator's chart writes it.

    Args:
        port: of loopback where it answers.
        ca_file: the authority of its certificate.
    """
    for kind, plural in (("secretstore", "secretstores"), ("externalsecret", "externalsecrets")):
        rule = {
            "apiGroups": ["external-secrets.io"],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "resources": [plural],
            "scope": "Namespaced",
        }
        url = f"https://{LOOPBACK}:{port}/validate-external-secrets-io-v1-{kind}"
        authority = base64.b64encode(ca_file.read_bytes()).decode()
        yield {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": f"{kind}-validate"},
            "webhooks": [
                {
                    "name": f"validate.{kind}.external-secrets.io",
                    "rules": [rule],
                    "clientConfig": {"url": url, "caBundle": authority},
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "timeoutSeconds": 5,
                    "failurePolicy": "Fail",
                }
            ],
        }
