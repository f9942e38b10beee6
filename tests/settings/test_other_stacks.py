"""Settings that are outputs of other stacks: their form, their values, and what is said of both."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pydantic import SecretStr

from components.__main__ import main
from components.settings import Problem, Settings, SettingsError
from components.settings.references import output_path
from components.validation import Loaded
from components.validation.loader import load_stack
from components.validation.sensitive import Place
from components.validation.stack_file import read_stack_file, settings_of
from components.validation.stack_outputs import StackOutputs, UnreadStackError
from tests.conftest import ROOT
from tests.settings.engine_support import by_check, by_engine, lines, project, report_lines

CLUSTER = "acme/cluster/production"
PLANTED = "Pl4nted-Output-Kx31"
KUBECONFIG = {
    "clusters": [{"name": "c"}],
    "contexts": [{"name": "c"}],
    "users": [{"name": "u", "user": {"token": PLANTED}}],
}
OUTPUTS = StackOutputs(
    {
        "issuer": "https://oidc.example.com",
        "namespaces": ["kestra", "Not_A_Name"],
        "database": {"host": "db", "user": "kestra", "pool": 12.0},
        "url": "jdbc:postgresql://db:5432/kestra",
        "password": PLANTED,
        "account": {"user": PLANTED, "password": PLANTED},
        "locked": {},
        "kubeconfig": KUBECONFIG,
        "flag": True,
        "number": 5.0,
        "nothing": None,
        "a.b": "dotted",
        "arn": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com",
        "pem": PLANTED,
    },
    frozenset({"password", "account", "locked", "kubeconfig"}),
)
BASE: dict[str, Any] = {"server": {"basic-auth": {"username": "a@b.c"}}}


def output(name: object, stack: object = CLUSTER) -> dict[str, Any]:
    """A setting that is an output."""
    return {"from-stack": stack, "output": name}


def read(stack: str) -> StackOutputs:
    """The outputs of the cluster's stack."""
    if stack != CLUSTER:
        raise UnreadStackError("which this backend does not have", "write its name in full")
    return OUTPUTS


def document(place: str, value: Any) -> dict[str, Any]:
    """A valid document with a value at a place."""
    settings = copy.deepcopy(BASE)
    node = settings
    *blocks, last = place.split(".")
    for block in blocks:
        node = node.setdefault(block, {})
    node[last] = value
    return settings


def load(place: str, value: Any, reader: Any = read) -> Loaded:
    """What the engine's way makes of it."""
    return load_stack(document(place, value), source="f", read=reader)


def problems(place: str, value: Any, reader: Any = read) -> list[Problem]:
    """Its errors."""
    with pytest.raises(SettingsError) as raised:
        load(place, value, reader)
    return [one for one in raised.value.problems if one.severity == "error"]


def _at(settings: Any, place: str) -> Any:
    for part in place.split("."):
        settings = settings[part] if isinstance(settings, dict) else getattr(settings, part)
    return settings


def test_an_output_is_judged_and_used_like_a_value_that_is_written() -> None:
    assert (
        load("deployment.namespace", output("namespaces[0]")).settings.deployment.namespace
        == "kestra"
    )
    loaded = load("deployment", {"createNamespace": {"fromStack": CLUSTER, "output": "flag"}})
    assert loaded.settings.deployment.create_namespace is True
    assert load("tags.owner", output('["a.b"]')).settings.tags.owner == "dotted"
    assert load("deployment.environment.N", output("issuer")).settings.deployment.environment == {
        "N": "https://oidc.example.com"
    }
    source = {"url": output("url"), "maximum-pool-size": output("database.pool")}
    datasource = load("datasources.postgres", source).settings.datasources["postgres"]
    assert (datasource.url, datasource.maximum_pool_size) == (OUTPUTS.values["url"], 12)
    cidrs = StackOutputs({"cidrs": ["10.0.0.0/8"]})
    loaded = load("deployment.network-policy.egress-cidrs", output("cidrs"), lambda _: cidrs)
    assert list(loaded.settings.deployment.network_policy.egress_cidrs) == ["10.0.0.0/8"]
    assert loaded.is_complete
    assert not loaded.unread


def test_a_secret_output_is_a_secret_of_the_settings() -> None:
    loaded = load("datasources.postgres", {"url": "jdbc:x", "password": output("account.password")})
    assert loaded.settings.datasources["postgres"].password == SecretStr(PLANTED)
    variables = load("deployment.environment.A", output("password")).settings.deployment.environment
    assert variables == {"A": SecretStr(PLANTED)}
    env = [{"name": "A", "value": output("password")}]
    (variable,) = load("deployment.extra-env", env).settings.deployment.extra_env
    assert variable["value"] == SecretStr(PLANTED)
    assert PLANTED not in repr(loaded)
    assert not loaded.warnings


@pytest.mark.parametrize("secret", [(), ("e",)])
def test_a_block_of_another_stack_has_one_order_of_keys(secret: tuple[str, ...]) -> None:
    outputs = StackOutputs({"e": {"B": "1", "A": "2", "C": "3"}}, secret)
    loaded = load("deployment.environment", output("e"), lambda _: outputs)
    assert list(loaded.settings.deployment.environment) == ["A", "B", "C"]


def test_a_kubeconfig_is_taken_as_text_and_as_the_object_that_clusters_export() -> None:
    for value in (KUBECONFIG, json.dumps(KUBECONFIG), yaml.safe_dump(KUBECONFIG)):
        for secret in (("k",), ()):
            outputs = StackOutputs({"k": value}, secret)
            loaded = load("deployment.kubeconfig", output("k"), lambda _, o=outputs: o)
            text = loaded.settings.deployment.kubeconfig
            assert isinstance(text, SecretStr)
            assert yaml.safe_load(text.get_secret_value()) == KUBECONFIG
            assert bool(loaded.warnings) is not bool(secret)
    turned = {name: KUBECONFIG[name] for name in reversed(KUBECONFIG)}
    texts = {
        load("deployment.kubeconfig", output("k"), lambda _, o=o: o).settings.deployment.kubeconfig
        for o in (StackOutputs({"k": KUBECONFIG}, ("k",)), StackOutputs({"k": turned}, ("k",)))
    }
    assert len(texts) == 1, "the order of keys makes no other provider"
    for wrong in ("~/.kube/config", "clusters: []", PLANTED, "a: [", "${KUBECONFIG}"):
        (problem,) = problems("deployment.kubeconfig", wrong)
        assert problem.message == "is no kubeconfig"
        assert PLANTED not in problem.line()


#: Setting and value: what the report says of it.
REFUSED: dict[str, tuple[str, Any, str]] = {
    "no such output": ("deployment.namespace", output("issuers"), "names output issuers of stack acme/cluster/production, which is not there"),
    "no value": ("deployment.namespace", output("nothing"), "which is not there"),
    "no such key": ("deployment.namespace", output("database.port"), "but output database of stack acme/cluster/production has no port"),
    "no such item": ("deployment.namespace", output("namespaces[2]"), "has no [2]"),
    "a part of a text": ("deployment.namespace", output("issuer.x"), "has no x"),
    "no such stack": ("deployment.namespace", output("issuer", "acme/cluster/none"), "names stack acme/cluster/none, which this backend does not have"),
    "a wrong form": ("deployment.namespace", output("namespaces[1]"), "comes from output namespaces[1] of stack acme/cluster/production, and has a form"),
    "an object for a text": ("deployment.namespace", output("database"), "comes from output database of stack acme/cluster/production, and is"),
    "a flag for a text": ("deployment.namespace", output("flag"), "and is"),
    "a text for a number": ("datasources.postgres", {"url": "jdbc:x", "maximum-pool-size": output("issuer")}, "and is not a whole number"),
    "a secret at a plain key": ("deployment.namespace", output("password"), "is output password of stack acme/cluster/production, which is secret"),
    "a part of a secret at a plain key": ("tags.owner", output("account.user"), "which is secret"),
    "a secret object as a block": ("datasources.postgres", output("account"), "comes from output account"),
    "a secret in a list": ("deployment.environment-from", [output("password")], "which is secret"),
    "a secret that stays closed": ("encryption.secret-key", output("locked"), "cannot be decrypted here"),
    "a key too much": ("deployment.namespace", output("issuer") | {"default": "x"}, "has default beside from-stack and output"),
    "no output": ("deployment.namespace", {"from-stack": CLUSTER}, "names a stack and no output"),
    "an encrypted stack": ("deployment.namespace", output("issuer", SecretStr("x")), "has an encrypted from-stack"),
    "a number for a stack": ("deployment.namespace", output("issuer", 5), "has a from-stack that is no text"),
    "a stack without organization": ("deployment.namespace", output("issuer", "cluster/production"), "has a from-stack that names no stack"),
    "a stack with spaces": ("deployment.namespace", output("issuer", "acme/the cluster/x"), "names no stack"),
    "no text for an output": ("deployment.namespace", output(["issuer"]), "has an output that is no text"),
    "an empty output": ("deployment.namespace", output(""), "has an output that is no name of one"),
    "a path that ends": ("deployment.namespace", output("database."), "has an output that is no name of one"),
    "a position first": ("deployment.namespace", output("[0]"), "has an output that is no name of one"),
    "the version": ("version", output("issuer"), "is an output of another stack"),
    "the address": ("url", output("issuer"), "is an output of another stack"),
    "an unknown key": ("deployment.namespce", output("issuer"), "is no known key"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_with_an_output_is_said_with_its_name(name: str) -> None:
    place, value, message = REFUSED[name]
    reported = problems(place, value)
    assert any(message in one.message for one in reported), [one.line() for one in reported]
    for one in reported:
        assert one.path.startswith("kestra:")
        assert one.rule
        assert one.fix
        assert PLANTED not in one.line()


def test_fixes_of_missing_outputs_name_what_there_is() -> None:
    (near,) = problems("deployment.namespace", output("issuers"))
    assert near.fix == "did you mean issuer"
    (empty,) = problems("deployment.namespace", output("issuer"), lambda _: StackOutputs({}))
    assert empty.fix == f"it has no outputs yet: run `pulumi up --stack {CLUSTER}` first"
    (empty,) = problems("tags.owner", output("a"), lambda _: StackOutputs({"a": None}))
    assert empty.fix.startswith("it is exported without a value")
    (other,) = problems("deployment.namespace", output("zzz"), lambda _: StackOutputs({"a": 1}))
    assert other.fix == "export it there, or name one of a"
    # A secret's keys are not listed.
    (part,) = problems("tags.owner", output("account.zzz"))
    assert "password" not in part.fix


@pytest.mark.parametrize(
    ("place", "value", "path"),
    [
        ("server.basic-auth", {PLANTED: "x"}, "kestra:server.basic-auth.[secret]"),
        ("deployment", {"ingress": {PLANTED: {PLANTED: 1}}}, "kestra:deployment.ingress.[secret]"),
        ("tags.additional", {PLANTED: "x"}, "kestra:tags.additional.[secret]"),
    ],
)
def test_the_keys_of_a_secret_output_are_not_said(place: str, value: Any, path: str) -> None:
    outputs = StackOutputs({"s": value}, {"s"})
    reported = problems(place, output("s"), lambda _: outputs)
    assert path in {one.path for one in reported}
    assert PLANTED not in "".join(one.line() for one in reported)


def test_everything_is_reported_at_once_and_the_rest_is_judged() -> None:
    settings = document("deployment.namespace", output("issuers"))
    settings["deployment"] |= {"mode": "both", "url": output("issuer", "a/b/none")}
    settings["encryption"] = {"secret-key": output("password")}
    with pytest.raises(SettingsError) as raised:
        load_stack(settings, source="f", read=read)
    paths = {one.path for one in raised.value.problems if one.severity == "error"}
    assert paths == {
        "kestra:deployment.namespace", "kestra:deployment.mode", "kestra:deployment.url",
        "kestra:encryption.secret-key",
    }  # fmt: skip
    assert PLANTED not in raised.value.report()


def test_a_stack_is_read_once() -> None:
    asked: list[str] = []

    def reader(stack: str) -> StackOutputs:
        asked.append(stack)
        return OUTPUTS

    load("deployment", {"namespace": output("namespaces[0]"), "url": output("issuer")}, reader)
    assert asked == [CLUSTER]


def test_an_output_that_is_no_secret_there_is_one_here_and_is_warned_of() -> None:
    loaded = load("datasources.postgres", {"url": "jdbc:x", "password": output("pem")})
    assert loaded.settings.datasources["postgres"].password == SecretStr(PLANTED)
    (warning,) = loaded.warnings
    assert warning.path == "kestra:datasources.postgres.password"
    assert "is not marked as a secret there" in warning.message
    (variable,) = load("deployment.environment.CLIENT_SECRET", output("pem")).warnings
    assert variable.fix == f"have {CLUSTER} export it as a secret"
    assert PLANTED not in warning.line() + variable.line()


def test_an_option_of_a_provider_is_no_place_for_an_output() -> None:
    for value in (output("kubeconfig"), json.dumps(output("kubeconfig"))):
        with pytest.raises(SettingsError) as raised:
            load_stack(
                BASE, source="f", config={"kubernetes:kubeconfig": value, "aws:region": value}
            )
        fixes = {one.path: one.fix for one in raised.value.problems if one.severity == "error"}
        assert fixes["kubernetes:kubeconfig"] == "write it under kestra:deployment.kubeconfig"
        assert set(fixes) == {"kubernetes:kubeconfig", "aws:region"}


def test_a_placeholder_of_kestra_is_left_alone() -> None:
    settings = {
        "url": "jdbc:postgresql://${stack:acme/cluster/production.host}/k",
        "username": "${stack:x}",
    }
    datasource = load("datasources.postgres", settings).settings.datasources["postgres"]
    assert (datasource.url, datasource.username) == (settings["url"], settings["username"])


@pytest.mark.parametrize(
    ("text", "parts"),
    {
        "a": ("a",), "a.b": ("a", "b"), "a[0].b": ("a", 0, "b"), 'a["b.c"]': ("a", "b.c"), '["a.b"].c': ("a.b", "c"),
        "a-b_c": ("a-b_c",), "": None, ".a": None, "a.": None, "a..b": None, "a b": None, "[0]": None, "a[x]": None,
        "a[": None, "a]": None, "a[0": None,
    }.items(),
)  # fmt: skip
def test_paths_of_outputs_are_those_of_pulumi(
    text: str, parts: tuple[str | int, ...] | None
) -> None:
    assert output_path(text) == parts


# What nobody has read


def test_check_says_what_it_does_not_read_and_judges_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = document("deployment.namespace", output("namespaces[0]"))
    settings["datasources"] = {"postgres": {"url": output("url"), "password": output("password")}}
    file = _file(tmp_path, settings)
    assert main(["check", str(file)]) == 0
    said = capsys.readouterr().err
    assert (
        f"{file}:6: kestra:deployment.namespace is output namespaces[0] of stack {CLUSTER}, which is not"
        in said
    )
    assert said.count("preview and update read it, and check it then") == 3
    settings["deployment"]["mode"] = "both"
    assert main(["check", str(_file(tmp_path, settings))]) == 1
    assert "kestra:deployment.mode: is not an allowed value" in capsys.readouterr().err


def test_render_and_network_need_the_outputs_and_take_them_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = document(
        "datasources.postgres", {"url": "jdbc:x", "username": output("database.user")}
    )
    settings["datasources"]["postgres"]["password"] = output("password")
    file = str(_file(tmp_path, settings))
    for command in ("render", "network"):
        assert main([command, file]) == 1
        assert f"--outputs {CLUSTER}=FILE" in capsys.readouterr().err
    values = tmp_path / "cluster.json"
    values.write_text(json.dumps({"database": {"user": "kestra"}, "password": "[secret]"}))
    assert main(["render", file, "--outputs", f"{CLUSTER}={values}"]) == 0
    rendered = yaml.safe_load(capsys.readouterr().out)["datasources"]["postgres"]
    assert rendered["username"] == "kestra"
    assert rendered["password"].startswith("${")
    values.write_text(json.dumps({"database": {"user": "[secret]"}, "password": "[secret]"}))
    assert main(["check", file, "--outputs", f"{CLUSTER}={values}"]) == 1
    assert (
        "is output database.user of stack acme/cluster/production, which is secret"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("option", ["cluster.json", "a=", "=b", "a=/nowhere/b.json"])
def test_an_option_that_names_no_outputs_is_refused(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(_file(tmp_path, BASE)), "--outputs", option])
    assert ended.value.code == 2
    assert "--outputs" in capsys.readouterr().err


def _file(folder: Path, settings: Mapping[str, Any]) -> Path:
    config = {f"kestra:{key}": value for key, value in settings.items()}
    file = folder / "Pulumi.test.yaml"
    file.write_text(yaml.safe_dump({"config": config}, sort_keys=False))
    return file


def _leaves(node: Any, at: Place = ()) -> Iterator[Place]:
    if isinstance(node, (dict, list)):
        for name, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(value, (*at, name))
    if at:
        yield at


def _stack_values() -> Iterator[tuple[str, Place]]:
    for file in sorted((ROOT / "stacks").glob("*.yaml")):
        for at in _leaves(settings_of(read_stack_file(file))):
            if len(at) > 1 or at[:1] not in (("version",), ("edition",), ("url",)):
                yield file.name, at


@pytest.mark.parametrize("share", range(200))
def test_an_unread_output_in_place_of_any_value_makes_no_error(share: int) -> None:
    cases = list(_stack_values())[share::200]
    assert cases
    for name, at in cases:
        settings = copy.deepcopy(settings_of(read_stack_file(ROOT / "stacks" / name)))
        node: Any = settings
        for part in at[:-1]:
            node = node[part]
        node[at[-1]] = output("x")
        loaded = load_stack(settings, source=name)
        assert len(loaded.unread) == 1


def test_errors_beside_an_unread_output_are_still_found() -> None:
    settings = {"url": output("url"), "password": output("password"), "maximum-pool-size": 0}
    (problem,) = problems("datasources.postgres", settings, None)
    assert problem.path == "kestra:datasources.postgres.maximum-pool-size"
    settings = document("deployment.namespace", output("namespaces[0]"))
    settings["queue"], settings["datasources"] = {"type": "mysql"}, {"h2": {"url": "jdbc:h2:mem:x"}}
    with pytest.raises(SettingsError) as raised:
        load_stack(settings, source="f")
    assert "mysql has no datasource" in raised.value.report()


# The engine's way


class Outputs(pulumi.runtime.Mocks):
    """An engine that has the outputs of the cluster's stack."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(f"{args.name} is registered")

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        assert args.token == "pulumi:pulumi:readStackOutputs"
        if args.args["name"] != CLUSTER:
            raise RuntimeError(f"returned an error: unknown stack {args.args['name']!r}")
        return {
            "name": CLUSTER,
            "outputs": dict(OUTPUTS.values),
            "secretOutputNames": sorted(OUTPUTS.secret),
        }


def _as_text(value: Any) -> Any:
    """What cannot stand in YAML, as what can."""
    return {"secure": "x"} if isinstance(value, SecretStr) else value


FORMS = {
    name: (place, value)
    for name, (place, value, _) in REFUSED.items()
    if any(word in name for word in ("key too much", "no output", "encrypted", "number for a stack", "without", "spaces", "text for an output", "empty", "path", "position"))
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_check_and_the_engine_say_the_same_of_a_wrong_form(name: str, tmp_path: Path) -> None:
    place, value = FORMS[name]
    settings = document(place, {k: _as_text(v) for k, v in value.items()})
    text = yaml.safe_dump({"config": {f"kestra:{key}": item for key, item in settings.items()}})
    _, said = by_check(project(tmp_path, text))
    _, report = by_engine(tmp_path, text)
    assert lines(said) == report_lines(report)


def settings_by_engine(folder: Path, settings: Mapping[str, Any]) -> tuple[Settings | None, str]:
    """What the program makes of settings, with the engine of `Outputs`."""
    from components.program import read_settings

    config = {
        f"kestra:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in settings.items()
    }
    pulumi.runtime.set_mocks(Outputs(), project="kestra", stack="test", preview=True)
    pulumi.runtime.set_all_config(config, [])
    try:
        return read_settings(folder).settings, ""
    except pulumi.RunError as error:
        return None, str(error)


def test_the_program_reads_outputs_before_it_checks_and_registers_nothing(tmp_path: Path) -> None:
    settings = document("deployment.namespace", output("namespaces[0]"))
    settings["datasources"] = {"postgres": {"url": output("url"), "password": output("password")}}
    read_, report = settings_by_engine(tmp_path, settings)
    assert not report
    assert read_ is not None
    assert read_.deployment.namespace == "kestra"
    assert read_.datasources["postgres"].password == SecretStr(PLANTED)
    settings["deployment"] = {
        "namespace": output("issuers"),
        "url": output("issuer", "acme/cluster/none"),
    }
    settings["tags"] = {"owner": output("password")}
    read_, report = settings_by_engine(tmp_path, settings)
    assert read_ is None
    assert report.startswith("3 problems in the settings:")
    assert PLANTED not in report
    assert (
        "kestra:deployment.url: names stack acme/cluster/none, which this backend does not have"
        in report
    )
