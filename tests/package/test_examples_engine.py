"""The examples in four languages, with the installed package and real servers: the same resources from each."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from sandbox.progress import Progress
from sandbox.services import ControlPlane, Vault
from sandbox.tools import ensure
from tests.package import sdks_support
from tests.package.consumer_support import Consumer, resources
from tests.package.distribution_support import build_wheel, install

pytestmark = [pytest.mark.engine, pytest.mark.node]

PLANTED = "Planted-Token-4711"
LANGUAGES = ("typescript", "go", "python", "python-package")


@dataclass
class Result:
    """What a program did."""

    code: int
    outputs: dict[str, Any]
    output: str


class Examples:
    """Runs the examples; each is compiled once."""

    def __init__(
        self,
        folder: Path,
        tools: dict[str, Path],
        plane: ControlPlane,
        vault: Vault,
    ) -> None:
        self._folder, self._tools, self._plane, self._vault = folder, tools, plane, vault
        self._plugin = install(build_wheel(folder / "dist"), folder / "environment")
        (folder / "sdks").mkdir()
        self._sdks = sdks_support.generate_sdks(tools["generate-sdks"], folder / "sdks")
        self._commands: dict[str, sdks_support.Commands] = {}

    def consumer(self, name: str) -> Consumer:
        """An engine of its own, with the plugin of the wheel."""
        directory = self._folder / name
        # Only the plugin: the environment's Python is not that of the programs.
        launchers = directory / "plugin"
        launchers.mkdir(parents=True)
        (launchers / "pulumi-resource-kestra-platform").symlink_to(
            self._plugin / "pulumi-resource-kestra-platform"
        )
        return Consumer(directory, self._tools, [launchers], self._plane, self._vault)

    def settings(self, namespace: str, **changed: str) -> dict[str, Any]:
        """The configuration of the production example."""
        values = {
            "vaultAddress": self._plane.reached_by_pods(self._vault.address),
            "kubernetesHost": self._plane.url,
            "kubernetesCaCertificate": self._plane.ca_file.read_text(),
            "kestraNamespace": namespace,
        } | changed
        plain = {f"consumer:{name}": {"value": value} for name, value in values.items()}
        return plain | {"consumer:apiToken": {"value": PLANTED, "secret": True}}

    def up(
        self, language: str, consumer: Consumer, settings: dict[str, Any], program: str
    ) -> Result:
        if language == "yaml":
            return self._yaml(consumer, settings, program)
        config = consumer.directory / "config.json"
        config.write_text(json.dumps(settings))
        arguments = [] if language == "go" else ["up", str(config)]
        done = subprocess.run(
            [*self._command(language)[program], *arguments],
            cwd=self._folder / f"{language}-program",
            env={**consumer.environment, "CONFIG": str(config), "PULUMI_GO_USE_RUN": "true"},
            capture_output=True,
            text=True,
            timeout=600,
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        outputs = json.loads(lines[-1]) if lines else {}
        return Result(done.returncode, outputs, done.stdout + done.stderr)

    def _command(self, language: str) -> sdks_support.Commands:
        if language not in self._commands:
            folder = self._folder / f"{language}-program"
            if language == "python-package":
                commands = sdks_support.python_package(self._plugin / "python", folder)
            else:
                build = {
                    "typescript": sdks_support.typescript,
                    "go": sdks_support.golang,
                    "python": sdks_support.python,
                }[language]
                commands = build(self._sdks, folder)
            self._commands[language] = commands
        return self._commands[language]

    def _yaml(self, consumer: Consumer, settings: dict[str, Any], program: str) -> Result:
        text = (sdks_support.EXAMPLES / "yaml" / program / "Pulumi.yaml").read_text()
        project = text.replace("name: kestra-from-yaml", "name: consumer")
        (consumer.work / "Pulumi.yaml").write_text(project)
        stack = self.stack(consumer)
        stack.set_all_config({name: auto.ConfigValue(**one) for name, one in settings.items()})
        try:
            result = stack.up()
        except auto.CommandError as error:
            return Result(1, {}, str(error))
        outputs = {n: {"value": o.value, "secret": o.secret} for n, o in result.outputs.items()}
        return Result(0, outputs, result.stdout)

    def stack(self, consumer: Consumer) -> auto.Stack:
        """The stack of a consumer, whatever program made it."""
        file = consumer.work / "Pulumi.yaml"
        if not file.exists():
            file.write_text("name: consumer\nruntime: yaml\n")
        options = auto.LocalWorkspaceOptions(
            env_vars=consumer.options.env_vars, pulumi_command=consumer.options.pulumi_command
        )
        return auto.create_or_select_stack("dev", work_dir=str(consumer.work), opts=options)


@pytest.fixture(scope="module")
def examples(
    progress: Progress,
    control_plane: ControlPlane,
    vault_server: Vault,
    tmp_path_factory: pytest.TempPathFactory,
) -> Examples:
    assert shutil.which("npm")
    tools = ensure(["pulumi", "pulumi-language-yaml", "generate-sdks"], progress)
    return Examples(tmp_path_factory.mktemp("examples"), tools, control_plane, vault_server)


def inventory(stack: auto.Stack, namespace: str) -> dict[str, Any]:
    """The resources of the component with their inputs, without what another namespace and chance make different."""
    texts = {}
    for urn, one in resources(stack).items():
        if urn.startswith("kestra-platform:index:KestraStack"):
            inputs = json.dumps(_shown(one.get("inputs", {})), sort_keys=True)
            inputs = inputs.replace(namespace, "NAMESPACE")
            texts[urn] = re.sub(
                r"-[0-9a-f]{8}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{8}\b", "-CHANCE", inputs
            )
    return texts


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return "[secret]"
        return {name: _shown(item) for name, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _resources_of(examples: Examples, language: str, program: str) -> dict[str, Any]:
    """The inventory of an example, which comes up, shows no secret, and goes."""
    namespace = f"example-{language}" if program == "production" else "kestra"
    consumer = examples.consumer(f"{language}-{program}")
    settings = examples.settings(namespace)
    if program == "minimal":
        settings = {"consumer:databasePassword": {"value": PLANTED, "secret": True}}
    result = examples.up(language, consumer, settings, program)
    assert result.code == 0, f"{language}: {result.output[-3000:]}"
    assert result.outputs["generated"]["secret"]
    if program == "production":
        assert not result.outputs["secretIds"]["secret"]
        assert set(result.outputs["secretIds"]["value"]) >= {"API_TOKEN", "DATABASE_PASSWORD"}
    stack = examples.stack(consumer)
    texts = inventory(stack, namespace)
    assert PLANTED not in consumer.state_text()
    assert PLANTED not in result.output
    # One audit device of Vault writes to the standard output; the next example has its own.
    consumer.run(
        ["pulumi", "state", "unprotect", "--all", "--yes", "--stack", "dev"], consumer.work
    )
    stack.destroy()
    return texts


#: Example to the least number of resources that it has.
PROGRAMS = {"minimal": 15, "production": 40}


@pytest.fixture(scope="module", params=PROGRAMS)
def of_yaml(examples: Examples, request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """An example, and the resources that it makes in YAML."""
    return request.param, _resources_of(examples, "yaml", request.param)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_makes_the_resources_that_yaml_makes(
    examples: Examples, of_yaml: tuple[str, dict[str, Any]], language: str
) -> None:
    program, resources_ = of_yaml
    assert len(resources_) > PROGRAMS[program]
    assert _resources_of(examples, language, program) == resources_


@pytest.mark.parametrize(
    ("language", "paths"),
    [
        ("yaml", ["deployment.namespace", "identity.vault.kubernetesHost"]),
        ("typescript", ["deployment.namespace", "identity.vault.kubernetesHost"]),
        ("go", ["Deployment.Namespace", "Identity.Vault.KubernetesHost"]),
        ("python", ["deployment.namespace", "identity.vault.kubernetes_host"]),
        ("python-package", ["deployment.namespace", "identity.vault.kubernetes_host"]),
    ],
)
def test_bad_arguments_are_reported_in_the_words_of_the_language(
    examples: Examples, language: str, paths: list[str]
) -> None:
    consumer = examples.consumer(f"{language}-bad")
    settings = examples.settings("Bad_Namespace", kubernetesHost="nowhere")
    result = examples.up(language, consumer, settings, "production")
    assert result.code != 0
    said = " ".join(result.output.split())
    for path in paths:
        assert f'KestraStack "kestra": {path}: has a form that is not allowed. Rule:' in said, said
    assert "kestra_pulumi/" not in said, "no traceback of the package"
    if language != "python":
        # There Pulumi's Automation API adds that of the program, which ends with the engine.
        assert "Traceback" not in said
    assert PLANTED not in said
    left = [urn for urn in resources(examples.stack(consumer)) if "KestraStack" in urn]
    assert not left, "nothing is registered"
