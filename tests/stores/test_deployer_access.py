"""What the tables say that deploying takes is enough: whole stacks, deployed by somebody who may do only that."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.deployer_permissions import Need, needed
from sandbox.clouds import Clouds
from sandbox.display import Events
from sandbox.doctor import callers
from sandbox.engine.automation import EngineFailure, Stack
from sandbox.inspection.resources import record_resources
from sandbox.services import AwsServer, ControlPlane, Vault
from sandbox.services.aws import ACCOUNT
from sandbox.services.certificates import Authority
from sandbox.state import State
from tests.conftest import ROOT, running, silent

pytestmark = pytest.mark.engine

NAMES = {"vault": "local-vault", "aws": "example-aws-secret-manager"}


@dataclass(frozen=True)
class Deployers(Clouds):
    """The sandbox's clouds, as somebody with few permissions."""

    credentials: tuple[tuple[str, str], ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | dict(self.credentials)


def _file(folder: Path, kind: str) -> str:
    """A stack file in names of its own, which can be destroyed again."""
    name = NAMES[kind]
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())
    config = document["config"]
    config["kestra:deployment"] |= {"namespace": f"deployer-{kind}", "protect": False}
    if kind == "vault":
        config["kestra:secret"]["vault"] |= {
            "root-engine": "deployer",
            "kubernetes": {"path": "deployer", "role": "deployer"},
        }
    folder.mkdir(exist_ok=True)
    (folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))
    return name


def _user(plane: ControlPlane, name: str, needs: Sequence[Need]) -> ControlPlane:
    """The control plane, as a user who may do exactly this."""
    session, rules = plane.session(), []
    for need in needs:
        plural, _, group = need.where.partition("/")[0].partition(".")
        rules.append({"apiGroups": [group], "resources": [plural], "verbs": [need.what]})
    rbac = f"{plane.url}/apis/rbac.authorization.k8s.io/v1"
    subject = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    for path, body in (
        ("clusterroles", {"metadata": {"name": name}, "rules": rules}),
        (
            "clusterrolebindings",
            {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]},
        ),
    ):
        answer = session.post(f"{rbac}/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
    pair = Authority(plane.directory / "pki").issue(name, name)
    document = yaml.safe_load(plane.kubeconfig.read_text())
    document["users"][0]["user"] = {
        "client-certificate": str(pair.certificate),
        "client-key": str(pair.key),
    }
    made = copy.copy(plane)
    made.kubeconfig = plane.directory / f"{name}.kubeconfig"
    made.kubeconfig.write_text(yaml.safe_dump(document))
    return made


def _token(vault: Vault, needs: Sequence[Need], file: Path) -> Vault:
    """The Vault, with a token that may do exactly this."""
    paths: dict[str, list[str]] = {}
    for need in needs:
        paths.setdefault(need.where, []).append(need.what)
    policy = {"path": {path: {"capabilities": held} for path, held in paths.items()}}
    owner = {"X-Vault-Token": vault.root_token}
    vault.call(
        "PUT", "/v1/sys/policies/acl/deployer", json={"policy": json.dumps(policy)}, headers=owner
    )
    # Handing on the policies that the stack makes is theirs who may write policies; a root token's is not needed.
    made = vault.call(
        "POST", "/v1/auth/token/create-orphan", headers=owner,
        json={"policies": ["deployer"], "display_name": "deployer"},
    )  # fmt: skip
    file.write_text(made.json()["auth"]["client_token"])
    limited = copy.copy(vault)
    limited.token_file = file
    return limited


def _account(server: AwsServer, needs: Sequence[Need]) -> Deployers:
    """The clouds, as a user of exactly these actions; the server judges from now on."""
    iam = server.client("iam")
    iam.create_user(UserName="deployer")
    actions = sorted({need.what for need in needs})
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="deployer", PolicyName="deployer", PolicyDocument=document)
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    credentials = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    server.make_function(f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:rotate-reporting-database")
    server.enforce()
    return Deployers(aws=server, credentials=tuple(credentials.items()))


@pytest.fixture(scope="module")
def own_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """A server that judges, which others would feel."""
    with running(AwsServer(tmp_path_factory.mktemp("aws"))) as server:
        yield server


def _needs(kind: str, folder: Path) -> list[Need]:
    from components.validation import load_file

    name = _file(folder, kind)
    settings = load_file(str(folder / f"Pulumi.{name}.yaml")).settings
    resources = record_resources(settings, name)
    return needed(((r.type, r.props) for r in resources.resources), settings.deployment.namespace)


def _stack(
    kind: str, folder: Path, tools: dict[str, Path], plane: ControlPlane, *,
    vault: Vault | None = None, clouds: Clouds | None = None,
) -> tuple[Stack, Events]:  # fmt: skip
    state = State(folder / "state")
    state.create()
    name = NAMES[kind]
    events = silent()
    state.stack(name).mkdir(parents=True, exist_ok=True)
    chosen: Any = {"clouds": clouds} if clouds else {}
    return Stack(state, name, tools, plane, vault, stacks=folder / "stacks", **chosen), events


def _of(cloud: str, needs: Sequence[Need]) -> list[Need]:
    return [n for n in needs if n.cloud == cloud]


def test_a_stack_with_vault_takes_no_more_of_vault_and_cluster_than_the_table_says(
    tools: dict[str, Path], control_plane: ControlPlane, vault_server: Vault, tmp_path: Path
) -> None:
    needs = _needs("vault", tmp_path / "stacks")
    plane = _user(control_plane, "deployer-vault", _of("kubernetes", needs))
    vault = _token(vault_server, _of("vault", needs), tmp_path / "token")
    told = callers.kubernetes(_of("kubernetes", needs), kubeconfig=plane.kubeconfig)
    assert not told.denied
    told = callers.vault(_of("vault", needs), address=vault.address, token=vault.root_token)
    assert not told.denied
    stack, events = _stack("vault", tmp_path, tools, plane, vault=vault)
    assert stack.up(events).changes["create"] > 30
    stack.refresh(events)
    file = tmp_path / "stacks" / f"Pulumi.{NAMES['vault']}.yaml"
    document = yaml.safe_load(file.read_text())
    document["config"]["kestra:tags"]["owner"] = "somebody-else"
    file.write_text(yaml.safe_dump(document))
    assert stack.up(events).changes["update"] > 5
    stack.destroy(events)


def test_a_stack_on_aws_takes_no_more_actions_than_the_table_says(
    tools: dict[str, Path], control_plane: ControlPlane, own_aws: AwsServer, tmp_path: Path
) -> None:
    needs = _needs("aws", tmp_path / "stacks")
    plane = _user(control_plane, "deployer-aws", _of("kubernetes", needs))
    clouds = _account(own_aws, _of("aws", needs))
    stack, events = _stack("aws", tmp_path, tools, plane, clouds=clouds)
    assert stack.up(events).changes["create"] > 30
    stack.refresh(events)
    stack.destroy(events)


def test_who_may_not_write_policies_is_told_so_before_and_by_the_update(
    tools: dict[str, Path], control_plane: ControlPlane, vault_server: Vault, tmp_path: Path
) -> None:
    needs = _needs("vault", tmp_path / "stacks")
    wanted = _of("vault", needs)
    few = [n for n in wanted if not n.where.startswith("sys/policies/")]
    vault = _token(vault_server, few, tmp_path / "token")
    told = callers.vault(wanted, address=vault.address, token=vault.root_token)
    assert told.denied == set(wanted) - set(few)
    assert told.denied
    stack, events = _stack("vault", tmp_path, tools, control_plane, vault=vault)
    try:
        with pytest.raises(EngineFailure, match="permission denied"):
            stack.up(events)
    finally:
        stack.vault = vault_server
        stack.destroy(events)
    lacking = callers.kubernetes(
        _of("kubernetes", needs),
        kubeconfig=_user(control_plane, "deployer-of-nothing", []).kubeconfig,
    )
    assert lacking.denied == set(_of("kubernetes", needs))
