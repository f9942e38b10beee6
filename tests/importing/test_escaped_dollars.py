"""Dollar signs that compose, Flux and Kubernetes take as escaped: `${X}` is then a text, or Kestra's placeholder."""

from __future__ import annotations

from pathlib import Path

from components.importing.inputs import read
from tests.importing.installation_support import Imported, imported
from tests.importing.reading_support import Inputs

KUSTOMIZATION = """
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec: {postBuild: {substitute: {TAG: v1.3.31, DOMAIN: kestra.example.com}}}
"""
APPLICATION = (
    "{kestra: {queue: {type: postgres}, repository: {type: postgres}, url: '%s'}, datasources: "
    "{postgres: {url: 'jdbc:postgresql://db.example.com/k', username: k, password: '%s'}}}"
)


def _imported(tmp_path: Path, name: str, text: str) -> Imported:
    return imported(tmp_path, read([Inputs(tmp_path).write(name, text)]))


def test_an_escaped_dollar_of_compose_is_a_text_that_kestra_resolves(tmp_path: Path) -> None:
    result = _imported(
        tmp_path,
        "compose.yaml",
        f"""
        services:
          kestra:
            image: kestra/kestra:v1.3.31
            command: server standalone
            environment:
              KESTRA_CONFIGURATION: "{APPLICATION % ("$${KURL}", "$${DB_PASS}")}"
              KURL: https://$${{HOST_NAME}}
              HOST_NAME: kestra.example.com
              KESTRA_STORAGE_TYPE: $${{STORAGE:local}}
              ENV_GREETING: $${{HOME}}/x
              ENV_MISSING: ${{NOT_GIVEN}}/x
              DB_PASS: Planted-Dollar-1
        """,
    )
    environment = result.config["deployment"]["environment"]
    assert environment["ENV_GREETING"] == "${HOME}/x"
    assert "ENV_MISSING" not in environment
    assert result.config["deployment"]["url"] == "https://kestra.example.com"
    assert result.config["storage"]["type"] == "local"
    assert "kestra:datasources.postgres.password" in [
        i.setting for i in result.report.conversion.to_set
    ]
    assert not [line for line in result.lines if "HOME" in line and "no input gives" in line]
    assert "Planted" not in result.shown()
    assert result.unexpected_problems() == []


def test_an_escaped_dollar_of_flux_is_a_text_and_its_own_variables_are_put_in(
    tmp_path: Path,
) -> None:
    application = APPLICATION % ("https://${DOMAIN}", "$${DB_PASS}")
    release = f"""
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: kestra, namespace: data}}
spec:
  chart: {{spec: {{chart: kestra, version: 1.0.42}}}}
  values:
    image: {{tag: "${{TAG}}"}}
    common:
      extraEnv:
        - {{name: DB_PASS, valueFrom: {{secretKeyRef: {{name: db, key: password}}}}}}
        - {{name: ENV_GREETING, value: "$${{HOME}}/x"}}
        - {{name: ENV_UNKNOWN, value: "${{NOT_GIVEN}}"}}
    configurations: {{application: {application}}}
"""
    result = _imported(tmp_path, "release.yaml", release + KUSTOMIZATION)
    assert result.config["deployment"]["image"]["tag"] == "v1.3.31"
    assert result.config["deployment"]["url"] == "https://kestra.example.com"
    assert result.config["datasources"]["postgres"]["password"] == "${DB_PASS}"
    assert result.config["deployment"]["environment"] == {"ENV_GREETING": "${HOME}/x"}
    result.line("ENV_UNKNOWN", "without a value")
    assert result.unexpected_problems() == []


def test_flux_puts_its_variables_into_plain_objects_too(tmp_path: Path) -> None:
    configuration = APPLICATION % ("https://${DOMAIN}", "$${DB_PASS}")
    objects = f"""
apiVersion: v1
kind: ConfigMap
metadata: {{name: kestra}}
data: {{application.yml: "{configuration}"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: kestra}}
spec:
  selector: {{matchLabels: {{app: kestra}}}}
  template:
    metadata: {{labels: {{app: kestra}}}}
    spec:
      volumes: [{{name: c, configMap: {{name: kestra}}}}]
      containers:
        - name: kestra
          image: kestra/kestra:${{TAG}}
          args: [server, standalone]
          env:
            - {{name: MICRONAUT_CONFIG_FILES, value: /app/confs/application.yml}}
            - {{name: HOST, valueFrom: {{secretKeyRef: {{name: db, key: host}}}}}}
            - {{name: DB_PASS, value: "$(HOST)-Planted-9"}}
            - {{name: ENV_ADDRESS, value: "http://$(HOST)/$${{X}}"}}
          volumeMounts: [{{name: c, mountPath: /app/confs}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: other, annotations: {{kustomize.toolkit.fluxcd.io/substitute: disabled}}}}
"""
    result = _imported(tmp_path, "objects.yaml", objects + KUSTOMIZATION)
    assert result.config["deployment"]["image"]["tag"] == "v1.3.31"
    assert result.config["deployment"]["url"] == "https://kestra.example.com"
    assert result.config["datasources"]["postgres"]["password"] == "${DB_PASS}"
    # Kubernetes itself puts the reference in, and leaves the text alone.
    entries = {e["name"]: e.get("value") for e in result.config["deployment"]["extra-env"]}
    assert entries["ENV_ADDRESS"] == "http://$(HOST)/${X}"
    assert result.unexpected_problems() == []


def test_a_variable_that_names_itself_is_no_endless_matter(tmp_path: Path) -> None:
    text = (
        "services: {kestra: {image: 'kestra/kestra:v1.3.31', environment: {A: '$${A}', KESTRA_CONFIGURATION: "
        "'kestra: {url: \"https://$${A}\"}'}}}"
    )
    result = _imported(tmp_path, "compose.yaml", text)
    assert result.config["deployment"]["url"] == "https://${A}"
