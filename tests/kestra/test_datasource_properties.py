"""What Kestra's connection pool hands to a driver of the properties that the program writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.rendering.database import tls_properties
from components.rendering.document import dump
from components.settings.deployment import DatabaseAuthority
from sandbox.kestra import ensure
from sandbox.progress import Progress
from sandbox.verify.boot import boot
from tests.kestra.harness_support import with_class

pytestmark = pytest.mark.kestra

AUTHORITIES = {
    "postgresql": DatabaseAuthority(**{"config-map": "ca"}),
    "mysql": DatabaseAuthority(**{"config-map": "ca", "file": "ca.p12"}),
    "mariadb": DatabaseAuthority(**{"config-map": "ca"}),
}


def test_every_property_reaches_the_driver_under_its_own_name(
    tmp_path: Path, progress: Progress
) -> None:
    properties = {kind: tls_properties(one, kind) for kind, one in AUTHORITIES.items()}
    # Nothing is opened: the pool of a database that the class path has is bound, as one of Kestra's would be.
    pool = {
        "url": "jdbc:h2:mem:bound",
        "driver-class-name": "org.h2.Driver",
        "initialization-fail-timeout": -1,
        "minimum-idle": 0,
    }
    datasources = {kind: pool | {"data-source-properties": own} for kind, own in properties.items()}
    file = tmp_path / "application.yaml"
    file.write_text(dump({"datasources": datasources}))
    source = Path(__file__).with_name("DatasourceProperties.java")
    harness = with_class(ensure("1.3", progress), source, tmp_path)
    answers = boot(
        harness,
        {"MICRONAUT_CONFIG_FILES": str(file)},
        tmp_path,
        {"runs": list(properties)},
        main="DatasourceProperties",
    )["runs"]
    assert dict(zip(properties, answers, strict=True)) == properties
