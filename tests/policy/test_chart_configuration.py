"""What Kestra's chart makes of its values is judged as the pods that it makes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from policy.controls.kestra_servers import chart_servers
from policy.core.model import Resource
from tests.policy.analyzer_support import UNKNOWN, R
from tests.policy.kestra_stack_support import CLEAR, config_map, env, said, secret, text, without

KEY_VARIABLE, PREFIX_VARIABLE = "KESTRA_ENCRYPTION_SECRET_KEY", "KESTRA_VARIABLES_ENV_VARS_PREFIX"
REFERENCE = {"secretKeyRef": {"name": "credentials", "key": "key"}}
GOOD = yaml.safe_load(text())
NO_KEY = yaml.safe_load(without("kestra.encryption"))


def chart(application: Any = None, type: str = "v3:Release", **values: Any) -> R:
    own = {} if application is None else {"configurations": {"application": application}}
    props = {"chart": "kestra", "namespace": "kestra", "values": {**own, **values}}
    return R(f"kubernetes:helm.sh/{type}", props, "chart")


@pytest.mark.parametrize(
    "stack",
    [
        (chart(NO_KEY, common={"extraEnv": env(**{KEY_VARIABLE: REFERENCE})}),),
        (chart(NO_KEY, type="v4:Chart", common={"extraEnv": env(**{KEY_VARIABLE: REFERENCE})}),),
        (chart(NO_KEY, common={"extraEnvFrom": [{"secretRef": {"name": "credentials"}}]}),
         secret(**{KEY_VARIABLE: CLEAR})),
        (chart(NO_KEY, deployments={"standalone": {"extraEnv": env(**{KEY_VARIABLE: "${X}"})}}),),
        (chart(configurations={"application": NO_KEY, "configmaps": [{"name": "more", "key": "more.yml"}]}),
         config_map("kestra.encryption.secret-key: ${X}", name="more", key="more.yml")),
        (chart(configurations={"secrets": [{"name": "credentials", "key": "application.yml"}]}),
         secret(**{"application.yml": text()})),
        (chart(NO_KEY, common={"jvm": {"extraOpts": "-Dkestra.encryption.secret-key=x"}}),),
        (chart(configuration=NO_KEY, secrets={"kestra": {"encryption": {"secret-key": "x"}}}),),
        (chart(configuration=NO_KEY, extraEnv=env(**{KEY_VARIABLE: "${X}"})),),
        (chart(kestra={"configurations": {"application": GOOD}}),),
        (chart().but("chart", "postgresql"),),
    ],
)  # fmt: skip
def test_a_key_that_the_charts_values_give_is_not_called_missing(stack: tuple[R, ...]) -> None:
    judged = said("ks-kestra-01", *stack)
    assert (judged.messages, judged.not_yet) == ([], [])


def test_a_key_that_they_do_not_give_is_missing_in_the_values() -> None:
    (message,) = said("ks-kestra-01", chart(NO_KEY)).messages
    assert message.startswith("chart (kubernetes:helm.sh/v3:Release): has no encryption key")
    assert "Change values.configurations.application: kestra.encryption.secret-key" in message
    (message,) = said("ks-kestra-01", chart()).messages
    assert "Change values.common.extraEnv: kestra.encryption.secret-key" in message


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"common": {"extraEnv": env(**{PREFIX_VARIABLE: ""})}}, "values.common.extraEnv.0.value"),
        (
            {"deployments": {"standalone": {"extraEnv": env(**{PREFIX_VARIABLE: ""})}}},
            "values.deployments.standalone.extraEnv.0.value",
        ),
        (
            {
                "workerGroups": {"big": {"enabled": True, "extraEnv": env(**{PREFIX_VARIABLE: ""})}},
                "common": {"extraEnv": env(**{PREFIX_VARIABLE: "ENV_"})},
            },
            "values.workerGroups.big.extraEnv.0.value",
        ),
    ],
)  # fmt: skip
def test_a_variable_of_the_values_that_weakens_a_setting_is_named(
    values: dict[str, Any], where: str
) -> None:
    (message,) = said("ks-kestra-13", chart(GOOD, **values)).messages
    assert f"Change {where}: the variable {PREFIX_VARIABLE}" in message


def test_components_are_those_that_the_chart_starts() -> None:
    values = {
        "deployments": {
            "standalone": {"enabled": False},
            "webserver": {"enabled": True},
            "worker": {"enabled": True, "extraArgs": ["--thread=4"]},
            "executor": {},
        },
        "workerGroups": {"big": {"enabled": True}},
    }
    servers = chart_servers(
        Resource("kubernetes:helm.sh/v3:Release", "x", dict(chart(GOOD, **values).props))
    )
    assert [server.component for server in servers] == ["webserver", "worker", "worker"]
    assert servers[1].command == "/app/kestra server worker --thread=4"


@pytest.mark.parametrize(
    ("release", "why"),
    [
        (chart(NO_KEY).but("values", UNKNOWN), "before the update"),
        (chart(UNKNOWN), "before the update"),
        (chart(NO_KEY, common={"extraEnv": UNKNOWN}), "before the update"),
        (chart(NO_KEY).but("valueYamlFiles", ["x"]), "from this stack"),
        (chart(configurations={"secrets": [{"name": "x", "key": "a.yml"}]}), "from this stack"),
        (chart(NO_KEY, common={"extraEnvFrom": [{"secretRef": {"name": "x"}}]}), "from this stack"),
    ],
)
def test_a_key_that_unknown_values_may_give_is_undecided(release: R, why: str) -> None:
    judged = said("ks-kestra-01", release)
    assert judged.messages == []
    assert why in judged.not_yet[0]


OTHERS = [
    {"chart": "rabbitmq", "values": {"configuration": {"listeners.tcp.default": 5672}}},
    {"chart": "postgresql", "values": {"configuration": "max_connections = 100"}},
    {"chart": "kestra-exporter", "values": {"configuration": {"interval": 30}}},
    {"chart": "redis", "values": {"configurations": {"maxmemory": "1gb"}}},
]


@pytest.mark.parametrize(
    "control", ["ks-kestra-01", "ks-kestra-02", "ks-kestra-12", "ks-kestra-19"]
)
@pytest.mark.parametrize("props", OTHERS, ids=lambda props: str(props["chart"]))
def test_another_chart_with_a_configuration_of_its_own_is_not_kestras(
    props: dict[str, Any], control: str
) -> None:
    judged = said(control, R("kubernetes:helm.sh/v3:Release", props, "chart"))
    assert (judged.messages, judged.not_yet) == ([], [])


@pytest.mark.parametrize(
    ("name", "values", "root"),
    [
        ("charts/kestra/", {}, "values"),
        ("oci://registry.example.com/charts/kestra", {}, "values"),
        ("mirrored", {"configurations": {"application": NO_KEY}}, "values"),
        ("old", {"configuration": NO_KEY}, "values"),
        (
            "kestra-starter",
            {"kestra": {"configurations": {"application": NO_KEY}}},
            "values.kestra",
        ),
    ],
)
def test_kestras_chart_is_known_by_its_name_or_by_its_values(
    name: str, values: dict[str, Any], root: str
) -> None:
    release = R("kubernetes:helm.sh/v3:Release", {"chart": name, "values": values}, "chart")
    assert len(said("ks-kestra-01", release).messages) == 1
    (message,) = said("ks-kestra-19", release).messages
    assert f"Change {root}.dind.enabled" in message
