"""Arguments of components as settings, and the report of what is wrong with them."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.protobuf import json_format, struct_pb2
from pydantic import SecretStr

from components.package.arguments import Arguments, read_arguments
from components.package.components import KestraIdentity, SecretStore, TagConvention
from components.package.conversion import to_arguments
from components.package.property_names import Style, style_of_program
from components.package.report import ArgumentNames, check_arguments, translate
from components.package.schema import argument_names
from components.package.values import SIGNATURE, UNKNOWN, from_python, read_values
from components.settings import Settings, SettingsError
from components.settings.base import OPAQUE, PendingSecret
from components.validation import load
from tests.conftest import ROOT, stack_document
from tests.settings.malformed_fixtures import CASES
from tests.settings.malformed_fixtures import PLANTED as MALFORMED
from tests.tiers import long

PLANTED = "Planted-Value-4711"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def secret(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "value": value}


def output(**more: Any) -> dict[str, Any]:
    return {SIGNATURE: OUTPUT, **more}


def on_the_wire(values: dict[str, Any]) -> Any:
    return read_values(json_format.ParseDict(values, struct_pb2.Struct()))


def document(**values: Any) -> dict[str, Any]:
    return read_arguments(on_the_wire(values)).document


def problems(style: Style = Style.CAMEL, **values: Any) -> str:
    with pytest.raises(SettingsError) as error:
        check_arguments(read_arguments(on_the_wire(values)), 'KestraStack "k"', style)
    return error.value.report()


@pytest.mark.parametrize(
    "name", ["local", "local-vault", "example-aws-secret-manager", "example-kafka"]
)
def test_a_stack_file_and_its_arguments_are_the_same_settings(name: str) -> None:
    stack = json.loads(json.dumps(_plain(stack_document(name))))
    read = read_arguments(from_python(to_arguments(stack)).content)  # type: ignore[arg-type]
    assert not read.unknown
    assert _loaded(read.document) == _loaded(stack)


def _loaded(values: dict[str, Any]) -> Settings:
    return load(values, source="test").settings


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def test_numbers_are_whole_where_they_are_and_nothing_is_absent() -> None:
    read = document(deployment={"components": {"worker": {"replicas": 2.0}}}, url=None)
    assert read == {"deployment": {"components": {"worker": {"replicas": 2}}}}
    assert isinstance(read["deployment"]["components"]["worker"]["replicas"], int)


def test_a_secret_is_one_where_it_stands_and_what_is_beside_it_is_not() -> None:
    basic = {"username": "a@b.example", "password": secret(PLANTED)}
    read = document(server={"basicAuth": basic})["server"]["basic-auth"]
    assert read["username"] == "a@b.example"
    assert read["password"].get_secret_value() == PLANTED


def test_in_a_block_that_is_secret_as_a_whole_secrets_are_what_can_be_one() -> None:
    read = document(server=secret({"basicAuth": {"username": "a@b.example", "password": PLANTED}}))
    assert read["server"]["basic-auth"]["username"] == "a@b.example"
    assert isinstance(read["server"]["basic-auth"]["password"], SecretStr)


def test_outputs_without_dependencies_or_value_are_read() -> None:
    values = on_the_wire({"url": output(value="https://k.example"), "edition": output()})
    assert values["url"].content == "https://k.example"
    assert values["edition"].content is UNKNOWN
    assert values["url"].all_dependencies() == frozenset()
    nested = on_the_wire({"tags": {"owner": output(value="a", dependencies=["urn:1"])}})
    assert nested["tags"].all_dependencies() == {"urn:1"}


def test_a_secret_that_is_not_known_yet_is_there_and_another_value_is_missing() -> None:
    read = read_arguments(
        on_the_wire(
            {
                "encryption": {"secretKey": output(secret=True)},
                "deployment": {"namespace": UNKNOWN_TEXT, "mode": "standalone"},
            }
        )
    )
    assert read.document["encryption"]["secret-key"].get_secret_value() == OPAQUE
    assert read.unknown == [("deployment", "namespace")]
    assert "namespace" not in read.document["deployment"]


def test_what_is_known_is_checked_while_something_else_is_not_known_yet() -> None:
    text = problems(
        declaredSecrets={"A": {"namespace": UNKNOWN_TEXT, "generate": {}}, "B": {"namespace": "a.b"}},
        edition="enterprise",
        secret={"type": "vault", "readOnly": True, "vault": {"address": "nowhere", "kubernetes": {}}},
    )  # fmt: skip
    assert "declaredSecrets.B: has neither value" in text
    assert "secret.vault.address: has a form" in text
    assert "declaredSecrets.A" not in text


@pytest.mark.parametrize(
    ("style", "path"),
    [
        (Style.CAMEL, "server.basicAuth.openUrls[0]"),
        (Style.SNAKE, "server.basic_auth.open_urls[0]"),
        (Style.PASCAL, "Server.BasicAuth.OpenUrls[0]"),
    ],
)
def test_a_report_writes_names_as_the_language_does(style: Style, path: str) -> None:
    basic = {"username": "a@b.example", "password": PLANTED, "openUrls": ["x"]}
    text = problems(style, server={"basicAuth": basic}, declaredSecrets={"MY_key": {}})
    assert f'KestraStack "k": {path}: opens everything' in text
    assert ".MY_key: has neither value nor generate" in text
    assert PLANTED not in text
    assert "kestra:" not in text
    assert "pulumi config" not in text


@pytest.mark.parametrize(
    ("runtime", "style"),
    [
        ("python", Style.SNAKE),
        ("{name: python, options: {}}", Style.SNAKE),
        ("go", Style.PASCAL),
        ("dotnet", Style.PASCAL),
        ("nodejs", Style.CAMEL),
        ("java", Style.CAMEL),
        ("yaml", Style.CAMEL),
    ],
)
def test_the_language_is_that_of_the_project(tmp_path: Path, runtime: str, style: Style) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: x\nruntime: {runtime}\n")
    (tmp_path / "inner").mkdir()
    assert style_of_program(tmp_path / "inner") is style


def test_keys_of_kestras_that_no_argument_has_stand_in_one() -> None:
    keys = {
        "micronaut": {"server": {"port": 8090}},
        "server": {"workerTaskRestartStrategy": "NEVER"},
    }
    read = document(catalogueKeys=keys, server={"basicAuth": {"username": "a@b.example"}})
    assert read["micronaut"] == {"server": {"port": 8090}}
    assert set(read["server"]) == {"basic-auth", "workerTaskRestartStrategy"}
    text = problems(catalogueKeys={"securty": {"x": 1}})
    assert "catalogueKeys.securty" in text


def test_an_argument_that_nobody_knows_is_named_as_it_was_written() -> None:
    text = problems(
        Style.SNAKE,
        deployment={"replicas": 3},
        secret={"type": "vault", "vault": {"adress": "https://vault.example.com"}},
        micronaut={"server": {"prot": 8090}},
        catalogueKeys={"secret": {"vault": {"rot-engine": "kestra"}}},
    )
    assert '"k": deployment.replicas: is no known key' in text
    assert '"k": secret.vault.adress: is no known key' in text
    assert '"k": micronaut.server.prot: is no known key' in text
    assert '"k": catalogue_keys.secret.vault.rot-engine: is no known key' in text


def test_a_secret_in_clear_is_warned_of_and_never_shown() -> None:
    arguments = read_arguments(on_the_wire({"encryption": {"secretKey": "${KEY:" + PLANTED + "}"}}))
    loaded = check_arguments(arguments, 'SecretStore "k"', Style.CAMEL, SecretStore.SETTINGS)
    lines = [warning.line() for warning in loaded.warnings]
    (line,) = [line for line in lines if "in clear" in line]
    assert "encryption.secretKey" in line
    assert "fn::secret" in line
    assert PLANTED not in "".join(lines)


def test_a_value_that_is_secret_and_stands_readable_is_refused() -> None:
    text = problems(deployment={"namespace": secret(PLANTED)})
    assert "deployment.namespace: is a secret, but takes none" in text
    assert PLANTED not in text


def test_a_secret_that_is_none_of_its_kind_is_told_what_it_should_be() -> None:
    text = problems(deployment={"kubeconfig": secret(PLANTED)})
    assert "deployment.kubeconfig: is no kubeconfig" in text
    assert PLANTED not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("set kestra:store.aws", "set store.aws"),
        ("add kestra:declared-secrets.MY-NAME.version-aliases.x", "add declaredSecrets.MY-NAME.versionAliases.x"),
        ("kestra:secret.1password.token", "secret.onePassword.token"),
        ("pulumi config set --path --secret 'kestra:encryption.secret-key', which asks for the value", "mark encryption.secretKey as a secret"),
        ("set value with `pulumi config set --path --secret`, or", "set value with a secret value, or"),
        ("write it with `pulumi config set --path --plaintext 'kestra:url'`, which asks for the value", "write it with a value of url that is no secret"),
        ("heartbeat-interval < timeout", "heartbeatInterval < timeout"),
        ("add pod-identity, or role-arn 'role-arn' to kestra:identity.aws", "add podIdentity, or roleArn 'role-arn' to identity.aws"),
        ("run `python -m components secret set encryption.secret-key`", "run `python -m components secret set encryption.secret-key`"),
        ("only aws-secret-manager rotates secrets of my-own-key", "only aws-secret-manager rotates secrets of my-own-key"),
        ("write it as a YAML list", "write it as a list"),
    ],
)  # fmt: skip
def test_texts_about_stack_files_are_about_arguments(text: str, shown: str) -> None:
    assert translate(text, ArgumentNames(Style.CAMEL)) == shown


@pytest.mark.parametrize("spelling", ["secretKey", "secret_key", "secret-key"])
def test_a_python_program_may_write_any_spelling_and_an_output_for_a_secret(spelling: str) -> None:
    value: Any = _AnOutput()
    values: Any = from_python({"encryption": {spelling: value}}).content
    read = read_arguments(values)
    kept = read.document["encryption"]["secret-key"]
    assert isinstance(kept, PendingSecret)
    assert kept.output is value
    assert copy.deepcopy(kept) is kept


def test_an_output_where_a_plain_value_belongs_is_refused_with_its_place() -> None:
    values: Any = from_python({"deployment": {"namespace": _AnOutput()}}).content
    with pytest.raises(SettingsError) as error:
        check_arguments(read_arguments(values), 'KestraStack "k"', Style.SNAKE)
    assert "deployment.namespace: is an output" in error.value.report()


class _AnOutput(pulumi.Output[str]):
    """An output of a program that no engine runs."""

    def __init__(self) -> None:
        """Nothing to wait for."""


def test_a_component_says_nothing_of_settings_that_it_does_not_take() -> None:
    nothing = read_arguments({})
    with pytest.raises(SettingsError, match=r"server\.basicAuth: is missing"):
        check_arguments(nothing, 'KestraStack "k"', Style.CAMEL)
    loaded = check_arguments(nothing, 'TagConvention "k"', Style.CAMEL, TagConvention.SETTINGS)
    assert loaded.warnings == ()


def test_the_parts_of_a_valid_stack_are_valid_arguments_of_a_part() -> None:
    """A store and an identity read single keys of `deployment`; the others may be for pods that another one makes."""
    stacks = sorted(file.name[7:-5] for file in (ROOT / "stacks").glob("Pulumi.*.yaml"))
    assert len(stacks) > 10
    for name in stacks:
        every = to_arguments(stack_document(name))
        for component in (SecretStore, KestraIdentity, TagConvention):
            known = argument_names(component)
            values: Any = from_python({k: v for k, v in every.items() if k in known}).content
            loaded = check_arguments(
                read_arguments(values), name, Style.CAMEL, component.SETTINGS, (), component.ALONE
            )
            assert [one.line() for one in loaded.warnings] == []


def test_a_store_of_secrets_alone_says_what_has_no_effect_there() -> None:
    team: Any = from_python(
        to_arguments(stack_document("example-aws-secret-manager"))
        | {"deployment": {"namespace": "kestra", "enabled": False, "mode": "distributed"}}
    ).content
    values = {k: v for k, v in team.items() if k in argument_names(SecretStore)}
    with pytest.raises(SettingsError, match=r"deployment\.mode: has no effect"):
        check_arguments(
            read_arguments(values), "s", Style.CAMEL, SecretStore.SETTINGS, (), SecretStore.ALONE
        )


def test_a_part_says_what_is_wrong_in_a_block_of_which_it_reads_single_keys() -> None:
    values: Any = from_python({"deployment": {"namespace": "No", "mode": "both"}}).content
    with pytest.raises(SettingsError) as error:
        check_arguments(
            read_arguments(values), "s", Style.CAMEL, SecretStore.SETTINGS, (), SecretStore.ALONE
        )
    assert {one.path for one in error.value.problems} == {"deployment.namespace", "deployment.mode"}


@pytest.mark.parametrize("name", ["declared_secret", "deployment"])
def test_a_misspelled_argument_of_a_component_is_not_passed_over(name: str) -> None:
    values: Any = from_python({name: {"namespac": "a"}}).content
    with pytest.raises(SettingsError, match=f"{name}.*is no known key"):
        check_arguments(
            read_arguments(values), 'SecretStore "k"', Style.SNAKE, SecretStore.SETTINGS
        )


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(n, marks=long("hostile")) for n in range(1, 8))]
)
def test_no_report_of_arguments_speaks_of_stack_files(part: int) -> None:
    seen = set()
    for name, values, path, _ in CASES[part::8]:
        try:
            check_arguments(Arguments(values), 'KestraStack "k"', Style.CAMEL)
        except SettingsError as error:
            text = error.report()
            assert not re.search(r"kestra:\w", text), name
            assert not re.search("pulumi config|stack file|YAML list", text), name
            assert MALFORMED not in text, name
            seen.add(path)
    assert len(seen) > 20


def test_the_keys_that_there_are_are_named_as_arguments() -> None:
    text = problems(deployment={"createNamespac": True})
    assert "createNamespace" in text
    assert "create-namespace" not in text
