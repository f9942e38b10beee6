"""Which values are the official chart's, of which release, and how Helm merges them."""

from __future__ import annotations

import pytest

from components.importing import charts
from components.importing.chart_values import Layer, Values, merge, parse_path, typed
from components.importing.kubernetes_reader import KubernetesReader
from tests.importing.kubernetes_support import current, imported, parts_of


@pytest.mark.parametrize(
    ("chart", "kestra"),
    [
        ("1.0.0", "v1.0.0"),
        ("1.0.18", "v1.1.5"),
        ("1.0.42", "v1.3.3"),
        ("1.0.54", "v1.3.15"),
        ("v1.0.28", "v1.2.0"),
        ("1.3.16", "v1.3.16"),
        ("2.0.3", "v2.0.3"),
        ("0.22.9", "v0.22.9"),
        ("0.19.0", None),
        ("1.0.99", None),
        ("1.x", None),
        (">=1.0", None),
        ("main", None),
        ("", None),
    ],
)
def test_a_release_of_the_chart_runs_its_kestra(chart: str, kestra: str | None) -> None:
    assert charts.kestra_release(chart) == kestra


@pytest.mark.parametrize(
    ("values", "generation"),
    [
        ("configurations: {application: {kestra: {url: x}}}", "1.x"),
        ("configurations: {secrets: [{name: a, key: b.yml}]}", "1.x"),
        ("image: {repository: registry.example/kestra/kestra}\ncommon: {replicas: 2}", "1.x"),
        ("deployments: {standalone: {replicas: 2}}\nimage: {repository: a}", "1.x"),
        ("deployments: {controller: {enabled: true}}\ncommon: {}", "2.x"),
        ("deployments: {controller: {enabled: false}}\ncommon: {}", "1.x"),
        ("configurations: {application: {kestra: {worker: {controllers: {type: DNS}}}}}", "2.x"),
        ("configurations: {application: {a: 1}}\nservice: {ports: {grpc: {port: 1}}}", "2.x"),
        ("configuration: {kestra: {queue: {type: h2}}}", "0.x"),
        ("configuration: |\n  kestra:\n    queue: {type: h2}", "0.x"),
        ("image: {image: mirror/kestra}\ndeployments: {worker: {enabled: true}}", "0.x"),
        ("deployments: {webserver: {replicaCount: 2}}", "0.x"),
        ("workerGroup: {gpu: {enabled: true}}", "0.x"),
        ("dind: {enabled: false}\nsecrets: {kestra: {}}", "0.x"),
        ("kestra:\n  configurations: {application: {a: 1}}", "1.x"),
        ("apps:\n  flows:\n    configuration: {kestra: {}}", "0.x"),
    ],
)
def test_the_generation_of_values_is_seen(values: str, generation: str) -> None:
    (part,) = parts_of(values)
    assert KubernetesReader().kind(part) == f"values of the Helm chart {generation}"


@pytest.mark.parametrize(
    "document",
    [
        "kestra: {queue: {type: postgres}, server: {basic-auth: {username: a}}}",
        "datasources: {postgres: {url: x}}\nkestra: {url: y}",
        "kestra: {storage: {type: local}, plugins: {defaults: []}}",
        "services: {kestra: {image: kestra/kestra}}",
        "micronaut: {server: {port: 8080}}",
        "replicaCount: 2\nimage: {repository: nginx}\nserviceAccount: {create: true}\ncommon: {a: 1}",
        "- a\n- b",
        "deployments: {api: {enabled: true}}",
        "id: hello\nnamespace: company.team\ntasks: [{id: a, type: b}]",
    ],
)
def test_other_documents_are_no_values_of_the_chart(document: str) -> None:
    (part,) = parts_of(document)
    assert not KubernetesReader().recognizes(part)


def test_values_of_several_files_are_merged_as_helm_does() -> None:
    result = imported(
        current("image: {tag: v1.3.20}\nimagePullSecrets: [{name: a}]"),
        "image: {tag: v1.3.31}\nimagePullSecrets: [{name: b}]\ndind: {enabled: false}",
    )
    assert result.deployment["image"]["tag"] == "v1.3.31"
    assert result.deployment["image"]["pull-secrets"] == ["b"]
    assert result.note("changed", "image.tag", "v1.3.20", "v1.3.31")


def test_values_below_a_key_of_an_umbrella_are_read() -> None:
    result = imported(
        "global: {a: b}\npostgres: {auth: {password: planted-other}}\nkestra:\n  image: {tag: v1.3.31}\n"
        "  configurations: {application: {kestra: {queue: {type: postgres}}}}"
    )
    assert result.kestra == {"queue": {"type": "postgres"}}
    assert result.deployment["image"]["tag"] == "v1.3.31"
    assert "planted-other" not in result.report


def test_the_output_of_helm_get_values_is_read() -> None:
    assert imported("USER-SUPPLIED VALUES:\n" + current()).configuration


@pytest.mark.parametrize(
    "secret",
    [
        "ENC[AES256_GCM,data:abc,iv:d,tag:e,type:str]",
        "<path:secret/data/kestra#password>",
        "ref+vault://kestra/password",
        "before $${OTHER} and ${planted_name}",
    ],
)
def test_what_another_program_puts_in_is_missing_and_named(secret: str) -> None:
    result = imported(
        "configurations:\n  application:\n    datasources:\n      postgres:\n"
        f"        username: a\n        password: '{secret}'\n"
        f"ingress: {{enabled: true, hosts: [{{host: '{secret}'}}]}}\nsops: {{mac: b}}\n"
    )
    assert result.configuration["datasources"] == {"postgres": {"username": "a"}}
    assert [m.path for m in result.installation.missing] == [
        ("datasources", "postgres", "password")
    ]
    assert result.note("not carried", "ingress.hosts[0].host")
    assert not result.has_note("sops")


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a.b", ("a", "b")),
        (r"a.b\.c", ("a", "b.c")),
        ("a[0].b", ("a", 0, "b")),
        ("a[1][2]", ("a", 1, 2)),
        ("a..b", ()),
        ("", ()),
        ("a[x]", ()),
        ("a.", ()),
    ],
)
def test_paths_of_single_values(path: str, steps: tuple[object, ...]) -> None:
    assert parse_path(path) == steps


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("null", None),
        ("7", 7),
        ("007", "007"),
        ("{a,b}", ["a", "b"]),
        (r"a\,b", "a,b"),
        ("1.5", "1.5"),
    ],
)
def test_types_of_single_values(text: str, value: object) -> None:
    assert typed(text) == value


def test_single_values_change_what_is_there() -> None:
    base = {"a": {"b": [1, {"c": 2}]}, "keep": 1}
    values = Values(
        [Layer("f", "", base), Layer("f", "set", singles=(("a.b[1].c", 3), ("x.y", 4)))]
    )
    assert values.tree == {"a": {"b": [1, {"c": 3}]}, "keep": 1, "x": {"y": 4}}
    assert base["a"]["b"] == [1, {"c": 2}]
    assert values.origin("a", "b", 1, "c").place == "set"
    assert values.origin("keep").place == "keep"


def test_merging_shares_nothing_and_takes_lists_as_a_whole() -> None:
    assert merge({"a": {"b": 1}, "c": [1, 2]}, {"a": {"d": 2}, "c": [3]}) == {
        "a": {"b": 1, "d": 2},
        "c": [3],
    }


@pytest.mark.parametrize(
    ("tag", "version"), [("latest", "2.0"), ("v2.0.3", "2.0"), ("v1.3.31", "1.3"), ("''", "2.0")]
)
def test_values_of_the_chart_2_are_of_kestra_2_unless_the_tag_says_otherwise(
    tag: str, version: str
) -> None:
    result = imported(
        current(f"image: {{tag: {tag}}}\nservice: {{ports: {{grpc: {{port: 50051}}}}}}")
    )
    assert result.settings["version"] == version


@pytest.mark.parametrize(
    ("values", "name"),
    [("fullnameOverride: flows", "flows"), ("", "")],
)
def test_the_name_of_the_releases_objects_is_handed_on(values: str, name: str) -> None:
    assert imported(current(values)).installation.release == name
