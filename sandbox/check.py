"""Verifies a stack: what the Kubernetes API holds, in a real Kestra, and in the real secret store."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from components.backends.registry import clouds
from components.backends.vault.paths import VALUE, secret_path
from components.rendering.configuration import render
from components.settings import Settings
from components.storage.registry import storage_of
from sandbox.cloud_check import check_clouds
from sandbox.engine.automation import Stack
from sandbox.errors import SandboxError
from sandbox.external_secrets import Cluster
from sandbox.external_secrets_check import check_limits, read_delivered
from sandbox.progress import Progress
from sandbox.services import ControlPlane
from sandbox.storage_check import check_storage
from sandbox.vault_check import check_vault
from sandbox.verify import VerifyJob, verify
from sandbox.verify.pods import verify_in_pods


def verify_stack(
    stack: Stack,
    progress: Progress,
    console: Console,
    json_file: Path | None = None,
    *,
    in_pods: bool = False,
) -> bool:
    """Prints the report. Whether everything is as intended.

    Args:
        stack: that is up.
        progress: shows what is done.
        console: takes the report.
        json_file: takes it as data.
        in_pods: whether Kestra runs in the stack's pods, which are asked then; else one is started on this machine.

    Raises:
        SandboxError: when the stack is not up, or Kestra cannot be started.
    """
    if stack.settings().is_secrets_alone:
        raise SandboxError(
            f"Stack {stack.name} is of secrets alone (kestra:deployment.enabled: false): it has no Kestra to verify. Verify "
            "the stack of the Kestra that reads its secrets."
        )
    outputs = {name: output.value for name, output in stack.outputs().items()}
    if "configMap" not in outputs:
        raise SandboxError(f"Stack {stack.name} is not up. Run `make up STACK={stack.name}` first.")
    with progress.step("Reading configuration and secret back from the Kubernetes API"):
        text, environment = read_back(stack.plane, outputs)
        cluster = Cluster(stack.plane, outputs["namespace"])
        servers = (stack.vault, stack.clouds.aws, stack.clouds.google)
        delivered = read_delivered(cluster, servers, outputs["secret"])
    environment |= delivered.environment
    settings = stack.settings()
    generated: Mapping[str, str] = outputs["generated"]
    intended = render(settings).intended(generated)
    own = declared_values(settings, generated)
    read = {name: value for name, value in own.items() if name not in delivered.unread}
    declared = {**delivered.values, **read}
    directory = stack.folder / "verify"
    shutil.rmtree(directory, ignore_errors=True)
    job = VerifyJob(
        settings.version, settings.edition, text, environment, intended, declared, directory
    )
    try:
        report = (
            verify_in_pods(job, settings, stack.plane.kubeconfig, outputs["namespace"], progress)
            if in_pods
            else verify(job, progress)
        )
    finally:
        forget_data(directory)
    if delivered.unread:
        report.unchecked["kestra:store.type"] = (
            f"no server of its secret manager is here: {', '.join(sorted(delivered.unread))} have values that are made up"
        )
    if delivered.checks:
        report.stores.append({"id": "external-secrets", "checks": delivered.checks})
        with progress.step("Trying what the operator may not read, and a rotation"):
            report.stores.append(check_limits(cluster, servers, own))
    elif stack.vault is not None and settings.secret and settings.secret.vault:
        with progress.step("Logging in to Vault as Kestra would"):
            prefix = settings.secret.vault.secret_path_prefix
            paths = {
                secret_path(name, settings.declared_secrets[name], prefix): {VALUE: value}
                for name, value in declared.items()
            }
            report.stores.append(
                check_vault(text, environment, paths, stack.plane, settings, outputs["namespace"])
            )
    if clouds(settings):
        with progress.step("Reading the cloud's secrets as Kestra would"):
            report.stores += check_clouds(stack.clouds, settings, own, outputs.get("principal", ""))
    if storage_of(settings):
        with progress.step("Using the bucket of Kestra's files as its pods would"):
            report.stores += check_storage(
                stack.clouds, settings, outputs.get("storagePrincipal", "")
            )
    report.render(console)
    if json_file is not None:
        json_file.write_text(report.to_json() + "\n")
        console.print(f"Report as data: {json_file}", markup=False)
    shutil.rmtree(directory, ignore_errors=True)
    return report.ok


def forget_data(directory: Path) -> None:
    """Removes Kestra's database and storage, in which flows leave secrets that they read; log and files stay."""
    for run in directory.glob("*"):
        for entry in run.glob("*") if run.is_dir() else ():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name.startswith("database"):
                entry.unlink()


def declared_values(settings: Settings, generated: Mapping[str, str]) -> dict[str, str]:
    """Name to value of the declared secrets, given or generated; without those that others own."""
    values = {
        name: secret.value.get_secret_value()
        if secret.value is not None
        else generated.get(f"declared-secrets.{name}")
        for name, secret in settings.declared_secrets.items()
        if not secret.is_external
    }
    return {name: value for name, value in values.items() if value is not None}


def read_back(plane: ControlPlane, outputs: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The configuration file and the decoded data of the Secret, as the API server has them."""
    base = f"{plane.url}/api/v1/namespaces/{outputs['namespace']}"
    session = plane.session()
    found = session.get(f"{base}/configmaps/{outputs['configMap']}", timeout=30)
    secret = session.get(f"{base}/secrets/{outputs['secret']}", timeout=30)
    for answer in (found, secret):
        if not answer.ok:
            raise SandboxError(f"The Kubernetes API says: {answer.json().get('message')}")
    data = secret.json().get("data") or {}
    return found.json()["data"]["application.yaml"], {
        name: base64.b64decode(value).decode() for name, value in data.items()
    }
