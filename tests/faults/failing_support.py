"""One stack on four servers that can fail: Vault, Kubernetes, AWS and Google, each behind a proxy of its own."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pulumi_vault as vault
import requests
import yaml
from pulumi import automation as auto

from sandbox.leak_scan.scan import search, search_text
from sandbox.services import AwsServer, ControlPlane, GoogleCloud, Vault
from tests.faults.proxy_support import Proxy
from tests.plugins.cloud_support import CloudStack
from tests.plugins.vault_stack_support import counts

SERVERS = ("vault", "kubernetes", "aws", "gcp")
NAMESPACE, MOUNT = "faults", "faults"
PLANTED = "Pl4nted-Faults-Zq81"
#: Google's last attempt within it begins after 5.5 s.
QUICK = pulumi.CustomTimeouts(create="8s", update="8s")


@dataclass
class Run:
    """What came of one `pulumi up`: everything that a person or a log sees of it."""

    ok: bool
    told: str
    changes: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    """What was said of a resource, by the name at the end of its URN."""


class Servers:
    """Four real servers, and a proxy before each."""

    def __init__(
        self,
        directory: Path,
        vault: Vault,
        plane: ControlPlane,
        aws: AwsServer,
        google: GoogleCloud,
    ) -> None:
        self.vault, self.plane, self.aws, self.google = vault, plane, aws, google
        self.proxies = {
            "vault": Proxy(vault.address),
            "kubernetes": Proxy(plane.url, ca_certs=str(plane.ca_file)),
            "aws": Proxy(aws.address),
            "gcp": Proxy(google.address),
        }
        for proxy in self.proxies.values():
            proxy.start()
        self._directory = directory
        self.at_vault("POST", f"sys/mounts/{MOUNT}", {"type": "kv-v2"})
        self.at_kubernetes("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        self.allow_kubernetes("tester", ["*"])

    def at_vault(self, method: str, path: str, body: Any = None) -> Any:
        """Vault behind the proxy's back, as root."""
        headers = {"X-Vault-Token": self.vault.root_token}
        url = f"{self.vault.address}/v1/{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=30)
        return answer.json() if answer.content else {}

    def at_kubernetes(self, method: str, path: str, body: Any = None) -> Any:
        """The API server behind the proxy's back, as its administrator."""
        answer = self.plane.session().request(method, self.plane.url + path, json=body, timeout=30)
        return answer.json()

    def at_google(self, method: str, path: str, body: Any = None) -> Any:
        """Secret Manager behind the proxy's back."""
        url = f"{self.google.address}/v1/projects/sandbox/secrets/{path}"
        return requests.request(method, url, json=body, timeout=30).json()

    def allow_kubernetes(self, account: str, resources: list[str]) -> None:
        """A service account that may do everything with some kinds of the namespace, and nothing else."""
        base, rbac = f"/api/v1/namespaces/{NAMESPACE}", "/apis/rbac.authorization.k8s.io/v1"
        self.at_kubernetes("POST", f"{base}/serviceaccounts", {"metadata": {"name": account}})
        rules = [{"apiGroups": ["*"], "resources": resources, "verbs": ["*"]}]
        role = {"metadata": {"name": account}, "rules": rules}
        roles = f"{rbac}/namespaces/{NAMESPACE}/roles"
        if "code" in self.at_kubernetes("POST", roles, role):
            self.at_kubernetes("PUT", f"{roles}/{account}", role)
        subject = {"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account}
        binding = {"metadata": {"name": account}, "subjects": [subject], "roleRef": reference}
        self.at_kubernetes("POST", f"{rbac}/namespaces/{NAMESPACE}/rolebindings", binding)

    def kubeconfig(self, account: str = "tester") -> Path:
        """For a service account, at the proxy."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token"
        token = self.at_kubernetes("POST", path, {"spec": {"expirationSeconds": 3600}})["status"][
            "token"
        ]
        address = self.proxies["kubernetes"].address
        document = {
            "current-context": "faults",
            "contexts": [{"name": "faults", "context": {"cluster": "faults", "user": "faults"}}],
            "clusters": [{"name": "faults", "cluster": {"server": address}}],
            "users": [{"name": "faults", "user": {"token": token}}],
        }
        file = self._directory / f"{account}.kubeconfig"
        file.write_text(yaml.safe_dump(document))
        file.chmod(0o600)
        return file

    @property
    def environment(self) -> dict[str, str]:
        """The providers' ordinary settings, with the proxies' addresses."""
        return {
            **self.aws.environment,
            **self.google.environment,
            "VAULT_ADDR": self.proxies["vault"].address,
            "VAULT_TOKEN": self.vault.root_token,
            "KUBECONFIG": str(self.kubeconfig()),
            "AWS_ENDPOINT_URL": self.proxies["aws"].address,
            "AWS_MAX_ATTEMPTS": "4",
            "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT": f"{self.proxies['gcp'].address}/v1/",
        }

    def heal(self) -> None:
        """Nothing fails any more."""
        for proxy in self.proxies.values():
            proxy.heal()

    def close(self) -> None:
        """Ends the proxies."""
        for proxy in self.proxies.values():
            proxy.heal()
            proxy.refuse()


@dataclass
class Case:
    """A program of eight secrets: on each server one that a fault meets (`bad`) and one that it does not (`ok`)."""

    name: str
    servers: Servers
    directory: Path
    pulumi: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    timeouts: pulumi.CustomTimeouts | None = None

    def __post_init__(self) -> None:
        plugins = ["vault", "kubernetes", "aws", "gcp"]
        environment = {**self.servers.environment, **self.environment}
        self.stack = CloudStack(self.directory, self.pulumi, plugins, environment)

    def program(self) -> None:
        """Secrets whose names say the case."""
        value = pulumi.Output.secret(json.dumps({"value": PLANTED}))
        for kind in ("bad", "ok"):
            name = f"{self.name}-{kind}"
            opts = pulumi.ResourceOptions(custom_timeouts=self.timeouts)
            vault.kv.SecretV2(f"vault-{name}", mount=MOUNT, name=name, data_json=value, opts=opts)
            metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {"name": name, "namespace": NAMESPACE}
            # Two kinds, that a permission may be given for one of them.
            if kind == "bad":
                kubernetes.core.v1.Secret(
                    f"kubernetes-{name}", metadata=metadata, string_data={"value": PLANTED}
                )
            else:
                kubernetes.core.v1.ConfigMap(
                    f"kubernetes-{name}", metadata=metadata, data={"a": "b"}
                )
            if kind == "bad":
                aws.secretsmanager.Secret(f"aws-{name}", name=name, opts=opts)
            else:
                aws.ssm.Parameter(
                    f"aws-{name}",
                    name=name,
                    type="SecureString",
                    value=pulumi.Output.secret(PLANTED),
                )
            secret = gcp.secretmanager.Secret(
                f"gcp-{name}", secret_id=name, replication={"auto": {}}, opts=opts
            )
            if kind == "ok":  # the SDK prints a traceback for what needs a resource that failed
                gcp.secretmanager.SecretVersion(
                    f"gcp-version-{name}",
                    secret=secret.id,
                    secret_data=pulumi.Output.secret(PLANTED),
                )

    def up(
        self,
        environment: Mapping[str, str] = MappingProxyType({}),
        *,
        continue_on_error: bool = True,
    ) -> Run:
        """One `pulumi up`, with more environment than before; never raises for an update that fails."""
        stack = self.stack
        stack._options.env_vars = {**(stack._options.env_vars or {}), **environment}
        begun, clock = len(stack.console), time.monotonic()
        errors: dict[str, str] = {}

        def event(one: auto.EngineEvent) -> None:
            stack._event(one)
            said = one.diagnostic_event
            if said is not None and said.severity == "error" and said.urn:
                errors[said.urn.rpartition("::")[2]] = " ".join(said.message.split())

        told = {"on_output": stack._note, "on_event": event, "color": "never"}
        try:
            done = stack._with(self.program).up(**told, continue_on_error=continue_on_error)
        except auto.CommandError as error:
            return Run(False, stack.console[begun:] + str(error), errors=errors)
        finally:
            print(f"{self.name}: {time.monotonic() - clock:.1f} s")
        return Run(True, stack.console[begun:], counts(done.summary.resource_changes), errors)

    def recorded(self) -> dict[str, dict[str, Any]]:
        """The state's resources with an id, by name; also those that an unended operation may have made."""
        deployment = self.stack._with(lambda: None).export_stack().deployment or {}
        pending = [one["resource"] for one in deployment.get("pending_operations") or ()]
        found = [r for r in deployment.get("resources", []) if r.get("id")] + pending
        return {r["urn"].rpartition("::")[2]: r for r in found}

    def existing(self) -> set[str]:
        """What the servers hold of the case, by the names of the program."""
        found = set()
        for kind in ("bad", "ok"):
            name = f"{self.name}-{kind}"
            if "data" in self.servers.at_vault("GET", f"{MOUNT}/metadata/{name}"):
                found.add(f"vault-{name}")
            plural = "secrets" if kind == "bad" else "configmaps"
            path = f"/api/v1/namespaces/{NAMESPACE}/{plural}/{name}"
            if "code" not in self.servers.at_kubernetes("GET", path):
                found.add(f"kubernetes-{name}")
            if "name" in self.servers.at_google("GET", name):
                found.add(f"gcp-{name}")
        secrets = self.servers.aws.client("secretsmanager").list_secrets()["SecretList"]
        parameters = self.servers.aws.client("ssm").describe_parameters()["Parameters"]
        found |= {f"aws-{one['Name']}" for one in [*secrets, *parameters]}
        return {name for name in found if f"-{self.name}-" in name}

    def values(self) -> dict[str, list[str]]:
        """Every value that a server holds for a secret of the case: one for each version that can be read."""
        name = f"{self.name}-bad"
        versions = self.servers.at_vault("GET", f"{MOUNT}/metadata/{name}")["data"]["versions"]
        read = [
            self.servers.at_vault("GET", f"{MOUNT}/data/{name}?version={n}")["data"]["data"][
                "value"
            ]
            for n in versions
        ]
        path = f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}"
        data = self.servers.at_kubernetes("GET", path)["data"]["value"]
        held = self.servers.at_google("GET", f"{self.name}-ok/versions").get("versions") or []
        google = [
            self.servers.at_google(
                "GET", f"{self.name}-ok/versions/{one['name'].rpartition('/')[2]}:access"
            )
            for one in held
        ]
        return {
            "vault": read,
            "kubernetes": [base64.b64decode(data).decode()],
            "gcp": [base64.b64decode(one["payload"]["data"]).decode() for one in google],
        }

    def leaks(self, *runs: Run) -> list[Any]:
        """Where the planted value can be read that must not be read: state, files, and all that was told."""
        secrets = {"planted": PLANTED}
        found: list[Any] = list(search([self.directory], secrets))
        for run in runs:
            found += search_text(run.told.encode(), "console and events", secrets)
        return found

    def is_said(self, run: Run, server: str, words: str) -> str:
        """What was said of the resource that the server failed; fails when it does not have the server's words."""
        said = run.errors.get(f"{server}-{self.name}-bad", "")
        assert re.search(words, said), (
            f"{server}: {said!r} has not {words!r}; all: {dict(run.errors)}"
        )
        assert f"{server}-{self.name}-bad" in run.told
        print(f"{self.name}, {server}: {said}")
        return said

    def is_plain(self, *runs: Run) -> None:
        """No secret, no traceback, no failure of a stand-in itself."""
        assert self.leaks(*runs) == []
        for run in runs:
            for words in ("Traceback", "the stand-in failed", "Exception calling application"):
                at = run.told.find(words)
                assert at < 0, run.told[max(0, at - 300) : at + 1500]

    def knows_all(self) -> None:
        """Nothing exists that the state does not know; and what no fault met is there."""
        known, existing = set(self.recorded()), self.existing()
        assert existing <= known
        assert {f"{server}-{self.name}-ok" for server in SERVERS} <= existing

    def finishes(
        self,
        environment: Mapping[str, str] = MappingProxyType({}),
        *,
        values: Mapping[str, int] | None = None,
    ) -> Run:
        """The servers are well again: the next run finishes, and another changes nothing."""
        self.servers.heal()
        run = self.up(environment)
        assert run.ok, run.told
        everything = {f"{s}-{self.name}-{kind}" for s in SERVERS for kind in ("bad", "ok")}
        assert self.existing() == everything
        assert everything <= set(self.recorded())
        held = self.values()
        for server, found in held.items():
            assert set(found) == {PLANTED}
            assert len(found) == (values or {}).get(server, 1), (server, len(found))
        again = self.up()
        assert again.ok
        assert again.changes == {}
        self.is_plain(run, again)
        return run
