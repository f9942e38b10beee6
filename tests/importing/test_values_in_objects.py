"""Values of the chart that stand in objects and files of other programs: Flux, Argo CD, k3s, kustomize, helmfile."""

from __future__ import annotations

import pytest

from tests.importing.kubernetes_support import current, imported

FLUX = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: flows, namespace: flux-system{annotations}}}
spec:
  releaseName: kestra
  targetNamespace: data
  chart: {{spec: {{chart: kestra, version: 1.0.42, sourceRef: {{kind: HelmRepository, name: k}}}}}}
  valuesFrom:
    - {{kind: ConfigMap, name: base}}
    - {{kind: Secret, name: private, valuesKey: more.yaml}}
    - {{kind: Secret, name: private, valuesKey: password,
        targetPath: configurations.application.datasources.postgres.password}}
    - {{kind: Secret, name: absent, optional: true}}
  values:
    image: {{tag: v1.3.31}}
    configurations: {{application: {{kestra: {{url: "https://${{HOST}}/", queue: {{type: "$${{QUEUE}}"}}}}}}}}
"""
SOURCES = """
apiVersion: v1
kind: ConfigMap
metadata: {name: base}
data:
  values.yaml: |
    image: {tag: v1.3.1}
    configurations: {application: {kestra: {repository: {type: postgres}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: private}
data:
  more.yaml: Y29uZmlndXJhdGlvbnM6IHthcHBsaWNhdGlvbjoge2tlc3RyYToge3N0b3JhZ2U6IHt0eXBlOiBsb2NhbH19fX0K
stringData:
  password: planted-flux-password
"""
KUSTOMIZATION = """
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec:
  postBuild:
    substitute: {OTHER: x}
    substituteFrom: [{kind: ConfigMap, name: cluster}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cluster}
data: {HOST: a.example}
"""


def flux(annotations: str = "") -> str:
    return FLUX.format(annotations=annotations)


def test_flux_merges_its_sources_below_its_own_values() -> None:
    result = imported(flux(), SOURCES, KUSTOMIZATION)
    assert result.deployment["image"]["tag"] == "v1.3.31"
    assert result.deployment["namespace"] == "data"
    assert result.kestra == {
        "repository": {"type": "postgres"},
        "storage": {"type": "local"},
        "url": "https://a.example/",
        "queue": {"type": "${QUEUE}"},
    }
    postgres = result.configuration["datasources"]["postgres"]
    assert postgres == {"password": "planted-flux-password"}
    assert "planted-flux-password" not in result.report


def test_a_source_that_no_input_holds_is_named() -> None:
    result = imported(flux(), SOURCES)
    assert "kubectl get secret absent" in result.note("not carried", "Secret absent").fix


def test_flux_would_put_the_old_release_back() -> None:
    assert "suspend" in imported(flux(), SOURCES).note("changed", "Flux would").fix


def test_a_variable_of_flux_that_no_input_gives_is_named_and_left_out() -> None:
    """`$${QUEUE}` says that Flux substitutes, so `${HOST}` is Flux's and not Kestra's."""
    result = imported(flux(), SOURCES)
    assert "url" not in result.kestra
    assert result.kestra["queue"] == {"type": "${QUEUE}"}
    assert result.note("changed", "${HOST}", "Flux")


def test_variables_stay_where_flux_does_not_substitute() -> None:
    off = ", annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}"
    result = imported(flux(off), SOURCES, KUSTOMIZATION)
    assert result.kestra["url"] == "https://${HOST}/"


ARGO = """
apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{name: flows}}
spec: {spec}
"""
SOURCE = """
    destination: {namespace: data}
    source:
      repoURL: https://helm.kestra.io
      chart: kestra
      targetRevision: 1.0.42
      helm:
        valueFiles: [values.yaml, other.yaml]
        values: |
          image: {tag: v1.3.2}
          dind: {enabled: false}
          configurations: {application: {kestra: {url: https://b.example, queue: {type: h2}}}}
        valuesObject:
          configurations: {application: {kestra: {queue: {type: postgres}}}}
        parameters:
          - {name: image.tag, value: v1.3.31}
          - {name: "configurations.secrets[0].name", value: log-in}
          - {name: "configurations.secrets[0].key", value: l.yml}
          - {name: deployments.standalone.workerThreads, value: "8"}
"""


def argo(kind: str = "Application") -> str:
    spec = SOURCE if kind == "Application" else f"\n    template:\n      spec:{_deeper(SOURCE)}"
    return ARGO.format(kind=kind, spec=spec)


def _deeper(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


@pytest.mark.parametrize("kind", ["Application", "ApplicationSet"])
def test_argo_cd_merges_files_values_object_and_parameters(kind: str) -> None:
    result = imported(
        argo(kind),
        ("values.yaml", "image: {tag: v1.3.1, repository: mirror.example/kestra/kestra}"),
        current(application="kestra: {repository: {type: h2}}"),
    )
    assert result.deployment["image"] == {
        "repository": "mirror.example/kestra/kestra",
        "tag": "v1.3.31",
    }
    assert result.kestra == {
        "url": "https://b.example",
        "queue": {"type": "postgres"},
        "repository": {"type": "h2"},
    }
    assert result.component("standalone")["worker-threads"] == 8
    assert result.note("not carried", "log-in", "l.yml")
    assert result.note("not carried", "other.yaml")
    assert result.note("changed", f"{kind} flows", "Argo CD")
    assert result.note("image.tag", "v1.3.2", "v1.3.31")


def test_the_source_with_the_chart_is_chosen_among_several() -> None:
    spec = """
    destination: {namespace: data}
    sources:
      - {repoURL: https://git.example/x.git, ref: values}
      - {repoURL: https://charts.example, chart: redis, helm: {values: "a: b"}}
      - repoURL: oci://registry.example/charts/kestra
        chart: kestra
        helm: {valuesObject: {configurations: {application: {kestra: {url: https://c.example}}}}}
"""
    assert imported(ARGO.format(kind="Application", spec=spec)).kestra == {
        "url": "https://c.example"
    }


def test_templates_of_an_application_set_are_left_out() -> None:
    text = argo("ApplicationSet").replace("https://b.example", "'https://{{ host }}.example'")
    result = imported(text)
    assert "url" not in result.kestra
    assert result.note("not carried", "kestra.url", "rendered")
    # Without quotes it is no YAML before it is rendered.
    result = imported(text.replace("image: {tag: v1.3.2}", "image: {{ .values.image }}"))
    assert result.kestra["queue"] == {"type": "postgres"}
    assert result.note("changed", "${values.image}", "template")


def test_an_application_set_of_one_element_has_its_parameters() -> None:
    text = argo("ApplicationSet").replace("https://b.example", "'https://{{ .host }}.example'")
    elements = "\n    generators: [{list: {elements: [{host: one}]}}]\n    template:"
    result = imported(text.replace("\n    template:", elements))
    assert result.kestra["url"] == "https://one.example"


def test_an_umbrella_chart_of_a_git_repository_is_read() -> None:
    spec = """
    source:
      repoURL: https://git.example/platform.git
      path: charts/platform
      helm:
        valuesObject: {flows: {configurations: {application: {kestra: {url: https://d.example}}}}}
        parameters: [{name: flows.image.tag, value: v1.3.31}]
"""
    result = imported(ARGO.format(kind="Application", spec=spec))
    assert result.kestra == {"url": "https://d.example"}
    assert result.deployment["image"]["tag"] == "v1.3.31"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "chart.yaml",
            """
            apiVersion: helm.cattle.io/v1
            kind: HelmChart
            metadata: {name: flows, namespace: kube-system}
            spec:
              chart: kestra
              repo: https://helm.kestra.io
              targetNamespace: data
              valuesContent: |
                configurations: {application: {kestra: {url: https://a.example}}}
              set: {image.tag: v1.3.31}
            ---
            apiVersion: helm.cattle.io/v1
            kind: HelmChartConfig
            metadata: {name: flows, namespace: kube-system}
            spec:
              valuesContent: |
                configurations: {application: {kestra: {queue: {type: h2}}}}
            """,
        ),
        (
            "release.yaml",
            """
            apiVersion: helm.crossplane.io/v1beta1
            kind: Release
            metadata: {name: flows}
            spec:
              forProvider:
                namespace: data
                chart: {name: kestra, repository: https://helm.kestra.io, version: 1.0.42}
                values:
                  configurations: {application: {kestra: {url: https://a.example, queue: {type: h2}}}}
                set: [{name: image.tag, value: v1.3.31}]
            """,
        ),
        (
            "kustomization.yaml",
            """
            namespace: data
            helmCharts:
              - name: kestra
                repo: https://helm.kestra.io
                releaseName: flows
                valuesInline:
                  image: {tag: v1.3.31}
                  configurations: {application: {kestra: {url: https://a.example, queue: {type: h2}}}}
            """,
        ),
        (
            "helmfile.yaml",
            """
            repositories: [{name: kestra, url: https://helm.kestra.io}]
            releases:
              - {name: other, chart: bitnami/redis}
              - name: flows
                namespace: data
                chart: kestra/kestra
                values:
                  - configurations: {application: {kestra: {url: https://a.example, queue: {type: h2}}}}
                set: [{name: image.tag, value: v1.3.31}]
            """,
        ),
        (
            "fleet.yaml",
            """
            defaultNamespace: data
            helm:
              chart: kestra
              repo: https://helm.kestra.io
              values:
                image: {tag: v1.3.31}
                configurations: {application: {kestra: {url: https://a.example, queue: {type: h2}}}}
            """,
        ),
    ],
)
def test_values_of_other_programs_are_read(file: str, text: str) -> None:
    result = imported((file, text))
    assert result.kestra == {"url": "https://a.example", "queue": {"type": "h2"}}
    assert result.deployment["image"]["tag"] == "v1.3.31"
    assert result.deployment["namespace"] == "data"


def test_a_second_release_is_named() -> None:
    second = (
        argo().replace("name: flows", "name: staging").replace("namespace: data", "namespace: b")
    )
    assert imported(argo(), second).note("not carried", "Application staging", "by itself")


def test_values_that_are_no_yaml_are_named_without_their_text() -> None:
    result = imported(argo().replace("image: {tag: v1.3.2}", "image: [planted-broken"))
    assert result.note("not carried", "spec.source.helm.values")
    assert "planted-broken" not in result.report


@pytest.mark.parametrize("name", ["values.yaml.tftpl", "values.tpl"])
def test_expressions_of_a_terraform_template_are_left_out(name: str) -> None:
    text = """
    configurations:
      application:
        datasources: {postgres: {url: "jdbc:postgresql://${db.host}:5432/x", username: "$${DB_USER}"}}
        kestra: {url: "https://${lower(host)}/", queue: {type: postgres}}
    """
    result = imported((name, text))
    assert result.configuration == {
        "datasources": {"postgres": {"username": "${DB_USER}"}},
        "kestra": {"queue": {"type": "postgres"}},
    }
    assert result.note("changed", "${db.host}, ${host}", "Terraform")
    paths = [m.path for m in result.installation.missing]
    assert paths == [("datasources", "postgres", "url"), ("kestra", "url")]
