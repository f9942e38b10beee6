"""The real servers: found again, started again after what can happen to them, and ended without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from kubernetes import client
from kubernetes import config as kubernetes_config

from sandbox.errors import SandboxError
from sandbox.services import ControlPlane, Server, Vault, free_port
from sandbox.services.process import LOOPBACK, bare_environment, began_at, boot, free_ports
from tests.conftest import running

ROOT = Path(__file__).parents[2]
PLANE = (
    "import json, sys; from pathlib import Path; from sandbox.services import ControlPlane;"
    "p = ControlPlane(Path(sys.argv[1]), {k: Path(v) for k, v in json.loads(sys.argv[2]).items()});"
    "p.start(); print('PIDS', *(s.identity.pid for s in p.servers))"
)
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A process of no use."""
    made = Server("sleeper", tmp_path)
    yield made
    made.stop()


def listening(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex((LOOPBACK, port)) == 0


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "did not happen within 20 s"
        time.sleep(0.05)


class Api:
    """The API server, asked as its administrator."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def get(self, path: str) -> dict[str, Any]:
        answer = self._plane.session().get(f"{self._plane.url}{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return self._plane.session().post(f"{self._plane.url}{path}", json=body, timeout=10)

    def create(self, path: str, name: str | None = None, **body: Any) -> dict[str, Any]:
        answer = self.post(path, {"metadata": {"name": name}} | body if name else body)
        answer.raise_for_status()
        return answer.json()

    def namespace(self, name: str, labels: dict[str, str] | None = None) -> None:
        """Makes a namespace and waits for its account: the controller-manager works."""
        metadata = {"name": name, "labels": labels or {}}
        self.create("/api/v1/namespaces", metadata=metadata)
        until(lambda: self.has_account(name))

    def has_account(self, namespace: str) -> bool:
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        return any(a["metadata"]["name"] == "default" for a in self.get(path)["items"])


def kill(server: Server) -> None:
    identity = server.identity
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    until(lambda: not server.running)


def pids(server_or_plane: Vault | ControlPlane) -> list[int]:
    return [s.identity.pid for s in server_or_plane.servers if s.identity]


def start(server: Server, tmp_path: Path, command: list[str] | None = None) -> None:
    server.start(command or SLEEPER, bare_environment(tmp_path))


class TestProcess:
    def test_a_server_is_found_by_a_later_run(self, server: Server, tmp_path: Path) -> None:
        start(server, tmp_path)
        assert Server("sleeper", tmp_path).running

    def test_another_process_with_the_recorded_number_is_not_taken_for_the_server(
        self, server: Server, tmp_path: Path
    ) -> None:
        began = began_at(os.getpid())
        assert began is not None
        record = tmp_path / "sleeper.pid"
        for text in (
            f'{{"pid": {os.getpid()}, "began": {began - 1}, "boot": "{boot()}"}}',
            f'{{"pid": {os.getpid()}, "began": {began}, "boot": "another start of the machine"}}',
        ):
            record.write_text(text)
            assert not server.running
            server.stop()  # Would end this very test.
        assert not record.exists()

    def test_a_record_that_was_cut_off_is_as_none(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "sleeper.pid").write_text('{"pid": 1')
        assert not server.running

    def test_a_server_that_ends_at_once_is_reported_with_its_last_words(
        self, server: Server, tmp_path: Path
    ) -> None:
        start(server, tmp_path, ["/bin/sh", "-c", "echo nothing to eat >&2; exit 3"])
        with pytest.raises(SandboxError, match="sleeper ended while it started: nothing to eat"):
            server.wait(lambda: False, 10)

    def test_only_the_words_of_this_start_are_quoted(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "sleeper.log").write_text("address already in use\n")
        start(server, tmp_path, ["/bin/sh", "-c", "echo other trouble"])
        with pytest.raises(SandboxError, match="started: other trouble") as caught:
            server.wait(lambda: False, 10)
        assert "already in use" not in str(caught.value)
        assert not server.port_taken

    def test_a_server_that_never_gets_healthy_is_reported_after_the_deadline(
        self, server: Server, tmp_path: Path
    ) -> None:
        start(server, tmp_path, ["/bin/sh", "-c", "echo thinking; sleep 60"])
        with pytest.raises(SandboxError, match="sleeper is not healthy after 1 s: thinking"):
            server.wait(lambda: False, 1)

    def test_a_server_that_ignores_the_request_to_end_is_killed(
        self, server: Server, tmp_path: Path
    ) -> None:
        deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
        start(server, tmp_path, [sys.executable, "-c", deaf])
        server.wait(lambda: "deaf" in server.log.read_text(), 10)
        server.stop(seconds=0.2)
        assert not server.running

    def test_a_server_outlives_the_terminal_of_the_command_that_started_it(
        self, server: Server, tmp_path: Path
    ) -> None:
        start(server, tmp_path)
        assert server.identity is not None
        assert os.getsid(server.identity.pid) == server.identity.pid

    def test_nothing_of_the_caller_reaches_a_server(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("VAULT_ADDR", "KUBECONFIG", "AWS_ACCESS_KEY_ID", "HTTPS_PROXY"):
            monkeypatch.setenv(name, "the caller's")
        assert set(bare_environment(tmp_path)) == {"PATH", "HOME", "LANG"}

    def test_ports_are_all_different_and_the_preferred_one_is_kept_when_it_is_free(self) -> None:
        names = [str(n) for n in range(50)]
        first = free_ports(names, {})
        assert len(set(first.values())) == 50
        assert free_ports(names, first) == first

    def test_a_preferred_port_that_is_taken_is_passed_over(self) -> None:
        with socket.socket() as taken:
            taken.bind((LOOPBACK, 0))
            taken.listen()
            assert free_port(taken.getsockname()[1]) != taken.getsockname()[1]


@pytest.mark.engine
class TestVault:
    @pytest.fixture
    def vault(self, tools: dict[str, Path], tmp_path: Path) -> Iterator[Vault]:
        with running(Vault(tmp_path / "vault", tools)) as made:
            yield made

    def kept(self, vault: Vault, value: str | None = None) -> str:
        headers = {"X-Vault-Token": vault.root_token}
        if value is not None:
            mount = requests.post(
                f"{vault.address}/v1/sys/mounts/kv", json={"type": "kv"}, headers=headers, timeout=5
            )
            mount.raise_for_status()
            path = f"{vault.address}/v1/kv/kept"
            requests.post(path, json={"v": value}, headers=headers, timeout=5).raise_for_status()
        answer = requests.get(f"{vault.address}/v1/kv/kept", headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json()["data"]["v"]

    def test_starting_again_finds_it(self, vault: Vault, tools: dict[str, Path]) -> None:
        again = Vault(vault.directory, tools)
        assert again.healthy
        assert pids(again.start()) == pids(vault)

    @pytest.mark.parametrize("end", [kill, Server.stop], ids=["killed", "stopped"])
    def test_it_is_unsealed_again_with_its_data_and_address(
        self, vault: Vault, end: object
    ) -> None:
        self.kept(vault, "through all of it")
        address, token = vault.address, vault.root_token
        assert callable(end)
        end(vault.server)
        vault.start()
        assert vault.healthy
        assert (vault.address, vault.root_token) == (address, token)
        assert self.kept(vault) == "through all of it"

    def test_it_moves_when_its_port_was_taken_meanwhile(self, vault: Vault) -> None:
        before = vault.port
        vault.stop()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind((LOOPBACK, before))
            taken.listen()
            assert vault.start().port != before
            assert vault.healthy

    def test_it_tries_another_port_when_a_program_is_quicker(
        self, vault: Vault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vault.stop()
        with socket.socket() as taken:
            taken.bind((LOOPBACK, 0))
            taken.listen()
            answers = iter([taken.getsockname()[1], free_port()])
            monkeypatch.setattr("sandbox.services.single.free_port", lambda _: next(answers))
            assert vault.start().healthy

    def test_its_secrets_are_readable_by_the_owner_only(self, vault: Vault) -> None:
        for name in ("root-token", "unseal-key", "vault.json"):
            assert stat.S_IMODE((vault.directory / name).stat().st_mode) == 0o600
        assert vault.root_token not in vault.server.log.read_text()

    def test_a_lost_key_is_named_with_what_to_do(self, vault: Vault) -> None:
        vault.stop()
        (vault.directory / "unseal-key").unlink()
        with pytest.raises(SandboxError, match=r"is gone\. Remove .*vault and start again"):
            vault.start()

    def test_nothing_is_left_after_the_stop(self, vault: Vault) -> None:
        numbers, port = pids(vault), vault.port
        vault.stop()
        assert all(began_at(pid) is None for pid in numbers)
        assert not listening(port)
        shutil.rmtree(vault.directory)


@pytest.mark.engine
class TestControlPlane:
    @pytest.fixture(scope="class")
    def plane(
        self, tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[ControlPlane]:
        with running(ControlPlane(tmp_path_factory.mktemp("plane"), tools)) as made:
            yield made

    @pytest.fixture
    def api(self, plane: ControlPlane) -> Api:
        return Api(plane)

    def test_it_is_ready_when_the_start_is_over(self, plane: ControlPlane, api: Api) -> None:
        assert plane.healthy
        (node,) = api.get("/api/v1/nodes")["items"]
        assert {c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"] == "True"
        assert api.has_account("default")

    def test_its_kubeconfig_is_all_that_a_client_needs(self, plane: ControlPlane) -> None:
        made = kubernetes_config.new_client_from_config(str(plane.kubeconfig))
        assert client.VersionApi(made).get_code().git_version.startswith("v1.34.")

    def test_it_wants_tls_and_a_certificate(self, plane: ControlPlane) -> None:
        url = f"{plane.url}/api/v1/namespaces"
        assert requests.get(url, verify=str(plane.ca_file), timeout=5).status_code in (401, 403)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=5)
        etcd = f"https://{LOOPBACK}:{plane.ports['etcd']}/health"
        with pytest.raises(requests.exceptions.RequestException):
            requests.get(etcd, verify=str(plane.ca_file), timeout=5)

    def test_roles_are_enforced(self, api: Api) -> None:
        answer = api.create(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            spec={
                "user": "system:serviceaccount:default:default",
                "resourceAttributes": {"verb": "list", "resource": "secrets"},
            },
        )
        assert answer["status"]["allowed"] is False

    def test_a_pod_runs_and_pod_security_refuses_one_that_violates_it(self, api: Api) -> None:
        api.namespace("guarded", {"pod-security.kubernetes.io/enforce": "baseline"})
        pods = "/api/v1/namespaces/guarded/pods"
        containers = [{"name": "c", "image": "example.com/c:1"}]
        api.create(pods, "p", spec={"containers": containers})
        until(lambda: api.get(f"{pods}/p")["status"]["phase"] == "Running")
        answer = api.post(
            pods,
            {"metadata": {"name": "bad"}, "spec": {"hostNetwork": True, "containers": containers}},
        )
        assert answer.status_code == 403
        assert "violates PodSecurity" in answer.json()["message"]

    def test_an_ingress_gets_an_address_and_a_new_one_when_it_is_lost(
        self, plane: ControlPlane, api: Api
    ) -> None:
        api.namespace("reached")
        ingresses = "/apis/networking.k8s.io/v1/namespaces/reached/ingresses"
        service = {"name": "web", "port": {"number": 80}}
        path = {"path": "/", "pathType": "Prefix", "backend": {"service": service}}
        api.create(ingresses, "web", spec={"rules": [{"http": {"paths": [path]}}]})

        def address() -> list[dict[str, Any]]:
            return api.get(f"{ingresses}/web")["status"]["loadBalancer"].get("ingress", [])

        until(lambda: address() == [{"ip": "127.0.0.1"}])
        lost = plane.session().patch(
            f"{plane.url}{ingresses}/web/status",
            data='{"status": {"loadBalancer": {"ingress": null}}}',
            headers={"Content-Type": "application/merge-patch+json"},
            timeout=10,
        )
        assert "ingress" not in lost.json()["status"]["loadBalancer"]
        until(lambda: address() == [{"ip": "127.0.0.1"}])

    def test_starting_again_finds_it(self, plane: ControlPlane, tools: dict[str, Path]) -> None:
        again = ControlPlane(plane.directory, tools)
        assert again.healthy
        assert pids(again.start()) == pids(plane)

    @pytest.mark.parametrize(
        "name", ["kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"]
    )
    def test_what_was_killed_is_started_again_with_all_that_was_stored(
        self, plane: ControlPlane, api: Api, name: str
    ) -> None:
        url = plane.url
        (server,) = (s for s in plane.servers if s.name == name)
        stored = "/api/v1/namespaces/default/configmaps"
        # Written just before the end: nothing that was answered may be lost.
        api.create(stored, f"before-{name}", data={"a": "b"})
        kill(server)
        assert not plane.healthy
        assert plane.start().healthy
        assert plane.url == url
        assert api.get(f"{stored}/before-{name}")["data"] == {"a": "b"}
        api.namespace(f"after-{name}")

    def test_it_starts_on_another_port_when_a_program_is_quicker(
        self, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plane.stop()
        with socket.socket() as taken:
            taken.bind((LOOPBACK, 0))
            taken.listen()
            stolen = {"api": taken.getsockname()[1]}
            real = free_ports
            monkeypatch.setattr(
                "sandbox.services.kubernetes.free_ports",
                lambda names, before: (
                    real(names, before) | {"api": stolen.pop("api")} if stolen else real(names, {})
                ),
            )
            assert plane.start().healthy
            assert plane.ports["api"] != taken.getsockname()[1]

    def test_its_keys_are_readable_by_the_owner_only(self, plane: ControlPlane) -> None:
        files = [*plane.directory.rglob("*.key"), *plane.directory.rglob("*kubeconfig")]
        assert len(files) >= 10
        assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}

    def test_everything_listens_on_loopback_only(self, plane: ControlPlane) -> None:
        numbers = {str(pid) for pid in pids(plane)}
        inodes = set()
        for pid in numbers:
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        addresses = set()
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and fields[9] in inodes:
                    addresses.add(fields[1].split(":")[0])
        assert addresses == {"0100007F"}

    def test_nothing_is_left_after_the_stop(self, plane: ControlPlane) -> None:
        numbers, ports = pids(plane), plane.ports
        assert len(numbers) == 5
        plane.stop()
        assert all(began_at(pid) is None for pid in numbers)
        assert not any(listening(port) for port in ports.values())

    def test_two_starts_at_once_start_it_once(
        self, plane: ControlPlane, tools: dict[str, Path]
    ) -> None:
        plane.stop()
        paths = json.dumps({name: str(path) for name, path in tools.items()})
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", PLANE, str(plane.directory), paths],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        answers = {run.communicate(timeout=120)[0].splitlines()[-1] for run in runs}
        assert answers == {"PIDS " + " ".join(map(str, pids(plane)))}
        assert plane.healthy
