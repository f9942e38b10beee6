"""Pods of a few settings, without the rest of a stack."""

from __future__ import annotations

from typing import Any

from components.kubernetes.pods import PodArgs, pod_template
from components.settings import Settings
from components.validation import load
from tests.settings.malformed_fixtures import enterprise, oss

SECRET = "stack-secret"


def settings(deployment: dict[str, Any], **changed: Any) -> Settings:
    """Valid settings of the open-source edition, in mode standalone."""
    return load(oss(deployment=deployment, **changed), source="test").settings


def distributed(deployment: dict[str, Any], **changed: Any) -> Settings:
    """Valid settings of the Enterprise Edition, in mode distributed."""
    return load(distributed_document(deployment, **changed), source="test").settings


def distributed_document(deployment: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A document of the Enterprise Edition, in mode distributed."""
    base = {
        "datasources": {
            "postgres": {
                "url": "jdbc:postgresql://db.example.com:5432/kestra",
                "username": "kestra",
            }
        },
        "queue": {"type": "postgres"},
        "repository": {"type": "postgres"},
        "storage": {"type": "s3", "s3": {"bucket": "kestra", "region": "eu-west-1"}},
        "deployment": {"mode": "distributed", **deployment},
    }
    return enterprise(**{k.replace("-", "_"): v for k, v in base.items()}) | changed


def templates(chosen: Settings) -> dict[str, dict[str, Any]]:
    """Name of a Deployment to the template of its pods."""
    args = PodArgs(chosen, {}, "kestra", False, "configuration", SECRET, "versions")
    return {w.name: pod_template(w, args) for w in chosen.workloads}


def specs(chosen: Settings) -> dict[str, dict[str, Any]]:
    """Name of a Deployment to the specification of its pods."""
    return {name: template["spec"] for name, template in templates(chosen).items()}


def spec(deployment: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The specification of the one pod of mode standalone."""
    return specs(settings(deployment, **changed))["standalone"]


def variables(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name to variable of Kestra's container."""
    env = pod["containers"][0]["env"]
    assert len({entry["name"] for entry in env}) == len(env)
    return {entry["name"]: entry for entry in env}
