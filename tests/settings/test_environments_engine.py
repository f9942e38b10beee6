"""The example with Pulumi ESC: opened by Pulumi's evaluator and merged by Pulumi's code, as `check` reads it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import Settings
from components.settings.base import reveal
from components.stack_config import decode_config
from components.validation import load_file
from components.validation.environments import opened
from components.validation.loader import load_stack
from sandbox.progress import Progress
from sandbox.tools import ensure
from tests.conftest import ROOT
from tests.package.sdks_support import run

pytestmark = pytest.mark.engine

EXAMPLE = ROOT / "examples" / "esc"
STACK = EXAMPLE / "stacks" / "Pulumi.production.yaml"
ENVIRONMENT = "kestra/production"
PLANTED = "Pl4nted-Login-Bn24"
#: What the providers of `fn::open` answer.
ANSWERS = {
    "aws-login": {
        "accessKeyId": "AKIAEXAMPLE",
        "secretAccessKey": PLANTED,
        "sessionToken": PLANTED,
    },
    "pulumi-stacks": {
        "cluster": {
            "kubeconfig": PLANTED,
            "oidcProviderArn": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/1",
            "databaseUrl": "jdbc:postgresql://db.example.com:5432/kestra?sslmode=verify-full",
        }
    },
}


class Evaluator:
    """Pulumi's evaluator of environments, and its code that merges them with a stack file."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._folder = folder
        answers = folder / "answers.json"
        answers.write_text(json.dumps(ANSWERS))
        self.environments = folder / "environments"
        shutil.copytree(EXAMPLE / "environments", self.environments)
        self._command = [
            str(binary),
            "-environments",
            str(self.environments),
            "-answers",
            str(answers),
        ]

    def detailed(self, name: str) -> Any:
        """An opened environment, in the form `detailed`."""
        return json.loads(run([*self._command, name], self._folder))

    def by_engine(self, stack: Path) -> Settings:
        """The settings that the program gets of a stack file."""
        options = ["-project", str(ROOT / "Pulumi.yaml"), "-stack", str(stack)]
        config = json.loads(run([*self._command, *options], self._folder))
        own = {k.removeprefix("kestra:"): v for k, v in config.items() if k.startswith("kestra:")}
        secret = [key for key, value in own.items() if value["secret"]]
        document = decode_config({key: value["value"] for key, value in own.items()}, secret, stack)
        return load_stack(document, source=stack.name).settings


@pytest.fixture(scope="module")
def evaluator(progress: Progress, tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    tools = ensure(["evaluate-environment"], progress)
    return Evaluator(tools["evaluate-environment"], tmp_path_factory.mktemp("environments"))


def test_check_reads_the_example_as_the_program_gets_it(evaluator: Evaluator) -> None:
    environment = opened(evaluator.detailed(ENVIRONMENT))
    loaded = load_file(STACK, None, [environment])
    assert loaded.is_complete
    settings = loaded.settings
    assert settings == evaluator.by_engine(STACK)
    postgres = settings.datasources["postgres"]
    assert postgres.username == "kestra_production", "the stack file wins"
    assert (reveal(postgres.url) or "").startswith("jdbc:postgresql://db.example.com")
    assert postgres.password is not None
    assert settings.server.basic_auth is not None
    password = settings.server.basic_auth.password
    assert password is not None
    assert password.get_secret_value() == "${ADMIN_PASSWORD}"


def test_the_login_is_in_the_environment_and_not_in_the_settings(evaluator: Evaluator) -> None:
    document = evaluator.detailed(ENVIRONMENT)
    variables = document["value"]["environmentVariables"]["value"]
    assert set(variables) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    assert all(one["secret"] for one in variables.values())
    settings = load_file(STACK, None, [opened(document)]).settings
    assert PLANTED not in repr(settings)


#: What an environment brings and what the stack file has, by key.
MERGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a block into a block": ({"kestra:tags": {"owner": "a"}}, {"kestra:tags": {"data-class": "internal"}}),
    "a text over a text": ({"kestra:tags": {"owner": "a"}}, {"kestra:tags": {"owner": "b"}}),
    "a list over a list": (
        {"kestra:deployment": {"environment-from": ["a", "b"]}}, {"kestra:deployment": {"environment-from": ["c"]}},
    ),
    "a key without its namespace": ({"tags": {"owner": "a"}}, {"kestra:tags": {"data-class": "internal"}}),
    "both without": ({"tags": {"owner": "a"}}, {"tags": {"data-class": "internal"}}),
    "nothing over a text": ({"kestra:tags": {"owner": "a"}}, {"kestra:tags": {"owner": None}}),
    "numbers and flags": (
        {"kestra:deployment": {"create-namespace": False, "components": {"standalone": {"worker-threads": 16}}}},
        {"kestra:deployment": {"protect": True}},
    ),
    "a secret among others": (
        {"kestra:datasources": {"h2": {"url": "jdbc:h2:mem:x", "password": {"fn::secret": PLANTED}}}},
        {"kestra:datasources": {"h2": {"username": "sa"}}},
    ),
    "an encrypted variable of the pods": (
        {"kestra:deployment": {"environment": {"TOKEN": {"fn::secret": PLANTED}, "TZ": "UTC"}}},
        {"kestra:deployment": {"namespace": "x"}},
    ),
    "an output of another stack": (
        {"kestra:deployment": {"namespace": {"from-stack": "a/b/c", "output": "x"}}}, {"kestra:deployment": {"namespace": "y"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MERGES)
def test_check_merges_as_pulumi_does(name: str, evaluator: Evaluator, tmp_path: Path) -> None:
    environment, config = MERGES[name]
    file = evaluator.environments / "test" / f"{tmp_path.name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump({"values": {"pulumiConfig": environment}}))
    stack = tmp_path / "Pulumi.test.yaml"
    log_in = {"kestra:server": {"basic-auth": {"username": "a@b.c"}}}
    document = {"environment": [f"test/{file.stem}"], "config": log_in | config}
    stack.write_text(yaml.safe_dump(document))
    by_check = load_file(stack, None, [opened(evaluator.detailed(f"test/{file.stem}"))])
    assert by_check.settings == evaluator.by_engine(stack)
