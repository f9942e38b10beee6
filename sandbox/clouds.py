"""What the sandbox has of the clouds: a local API server where there is one, and plain words where there is none."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from components.backends.registry import all_backends, backends_of
from components.settings import Settings
from components.storage.registry import used_clouds
from sandbox.progress import Progress
from sandbox.services import AwsServer, GoogleCloud
from sandbox.services.aws import ACCOUNT
from sandbox.services.gcp import PROJECT
from sandbox.state import NO_STATE, State
from sandbox.tools import EXTERNAL_SECRETS

#: What one machine cannot have of each cloud.
EMULATION_LIMITS: Mapping[str, str] = {
    "aws": "AWS is a local API server (moto) that keeps everything in memory. Its IAM judges actions; what"
    " resources and conditions allow is judged by the tests, not here.",
    "gcp": "Secret Manager is a local API server (drongo) that keeps everything in memory. Keys, service accounts"
    " and policies are checked and recorded by their inputs: there is no server for them on one machine.",
    "azure": "Azure has no server on one machine: its resources are checked and recorded by their inputs, and"
    " nothing behind them exists.",
}

_OPERATORS_KINDS = "kubernetes:external-secrets.io/"


@dataclass(frozen=True)
class Clouds:
    """The servers that a stack's secret managers and its bucket need."""

    aws: AwsServer | None = None
    google: GoogleCloud | None = None
    began_empty: bool = False
    """Whether a server was started: what an earlier one held is gone."""

    @property
    def environment(self) -> dict[str, str]:
        """By what the provider plugins find them."""
        variables: dict[str, str] = {}
        for server in (self.aws, self.google):
            if server is not None:
                variables |= server.environment
        return variables

    def overlay(self, config: dict[str, Any]) -> None:
        """Puts the servers' own names in place of the stack file's: address, account and project."""
        if self.aws is not None:
            for key in [key for key in config if key.startswith("aws:") and key != "aws:region"]:
                del config[key]
            for block in managers(config):
                for kind in ("aws-secret-manager", "aws-ssm-parameter-store"):
                    if block.get("type") == kind:
                        block[kind] = {
                            **(block.get(kind) or {}),
                            "endpoint-override": self.aws.address,
                        }
            _replace_accounts(config)
        if self.google is not None:
            config.pop("gcp:project", None)
            for block in managers(config):
                if block.get("type") == "google-secret-manager":
                    settings = block.get("google-secret-manager") or {}
                    block["google-secret-manager"] = {**settings, "project": PROJECT}
            if store := store_of_open_source(config, "google-secret-manager"):
                store["gcp"] = {**(store.get("gcp") or {}), "project": PROJECT}
            storage = config.get("kestra:storage")
            if "kestra:storage-bucket" in config and isinstance(storage, dict) and "gcs" in storage:
                gcs = {**storage["gcs"], "project-id": PROJECT}
                config["kestra:storage"] = {**storage, "gcs": gcs}


def managers(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of the secret managers, as copies that stand in the configuration."""
    blocks = []
    if isinstance(config.get("kestra:secret"), dict):
        config["kestra:secret"] = dict(config["kestra:secret"])
        blocks.append(config["kestra:secret"])
    store = config.get("kestra:store")
    if isinstance(store, dict) and isinstance(store.get("also"), dict):
        config["kestra:store"] = {**store, "also": dict(store["also"])}
        blocks.append(config["kestra:store"]["also"])
    return blocks


def store_of_open_source(config: dict[str, Any], *types: str) -> dict[str, Any] | None:
    """`kestra:store` of one of some types, as a copy that stands in the configuration; None for any other."""
    store = config.get("kestra:store")
    if not isinstance(store, dict) or store.get("type") not in types:
        return None
    config["kestra:store"] = dict(store)
    return config["kestra:store"]


def _replace_accounts(config: dict[str, Any]) -> None:
    # A key policy of another account would lock the sandbox's own out.
    for key in (
        "kestra:store",
        "kestra:storage-bucket",
        "kestra:identity",
        "kestra:declared-secrets",
    ):
        if key in config:
            config[key] = json.loads(own_account(json.dumps(config[key])))


def own_account(text: str) -> str:
    """ARNs of IAM and Lambda in the sandbox's account, whatever account they name."""
    return re.sub(r"(arn:aws[a-z-]*:(?:iam|lambda):[a-z0-9-]*:)\d{12}:", rf"\g<1>{ACCOUNT}:", text)


def service_names() -> dict[str, str]:
    """Provider to the service that its resources need."""
    return {backend.provider: backend.owner for backend in all_backends() if backend.provider}


def required_services(state: State, stack: str, settings: Settings) -> set[str]:
    """`vault`, `aws`, `azure`, `gcp`, `external-secrets`: where the settings want something, or the stack still has
    something.

    A stack that has moved deletes what it leaves behind in its old place.
    """
    needed = {*(backend.owner for backend in backends_of(settings)), *used_clouds(settings)} - {""}
    if settings.uses_external_secrets and not settings.is_secrets_alone:
        needed.add(EXTERNAL_SECRETS)
    with contextlib.suppress(*NO_STATE):
        types = [resource["type"] for resource in state.latest(stack)["resources"] or []]
        packages = {type_.split(":")[0] for type_ in types}
        needed |= {place for package, place in service_names().items() if package in packages}
        if any(type_.startswith(_OPERATORS_KINDS) for type_ in types):
            needed.add(EXTERNAL_SECRETS)
    return needed


def start_clouds(
    state: State, settings: Settings, progress: Progress, needed: Collection[str] | None = None
) -> Clouds:
    """Starts what the stack's secret managers and its bucket need, and says what one machine lacks.

    Args:
        state: the sandbox's state.
        settings: the stack's settings.
        progress: told what starts.
        needed: the clouds, where they are not those of the settings alone (see `required_services`).
    """
    needed = used_clouds(settings) if needed is None else needed
    aws = AwsServer(state.services / "aws") if "aws" in needed else None
    google = GoogleCloud(state.services / "gcp") if "gcp" in needed else None
    empty = False
    for server, name in ((aws, "the AWS API server"), (google, "the Secret Manager API server")):
        if server is not None and not server.healthy:
            empty = True
            with progress.step(f"Starting {name}"):
                server.start()
    if aws is not None:
        for declared in settings.declared_secrets.values():
            if declared.rotation is not None:
                aws.make_function(own_account(declared.rotation.lambda_arn))
    for cloud in sorted(set(needed) & set(EMULATION_LIMITS)):
        progress.note(EMULATION_LIMITS[cloud])
    return Clouds(aws, google, empty)
