"""How each cloud, a cluster and Vault are asked what the caller may not do; every question reads only."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from components.backends.answers import UnansweredError, command_output
from components.deployer_permissions import Need
from sandbox.errors import SandboxError
from sandbox.services import single

SECONDS = 30
"""How long one answer may take."""
_GOOGLE = "https://cloudresourcemanager.googleapis.com"
_AZURE = "https://management.azure.com"


@dataclass(frozen=True)
class CallerPermissions:
    """Who was asked, and what that one may not do."""

    who: str
    denied: Collection[Need]
    note: str = ""


def vault(
    needs: Sequence[Need], address: str | None = None, token: str | None = None
) -> CallerPermissions:
    """Vault's `sys/capabilities-self`.

    Args:
        needs: capabilities on paths.
        address: of the server (default: VAULT_ADDR).
        token: the caller's (default: VAULT_TOKEN, else the file that `vault login` writes). Secret.

    Raises:
        SandboxError: when there is no token, or Vault does not answer.
    """
    own = address is None
    address = address or os.environ.get("VAULT_ADDR")
    if not address:
        raise SandboxError("VAULT_ADDR is not set.")
    token = token or os.environ.get("VAULT_TOKEN") or _kept_token()
    if not token:
        raise SandboxError("There is no token of Vault. Run `vault login`, or set VAULT_TOKEN.")
    headers = {"X-Vault-Token": token}
    if own and (namespace := os.environ.get("VAULT_NAMESPACE")):
        headers["X-Vault-Namespace"] = namespace
    url = f"{address.rstrip('/')}/v1"
    # A wildcard of a policy is no path; any name stands for it.
    paths = {need.where: need.where.replace("+", "any") for need in needs}
    session = _session(outside=own)
    who = _called(session, "GET", f"{url}/auth/token/lookup-self", "Vault", headers=headers)
    granted = _called(
        session, "POST", f"{url}/sys/capabilities-self", "Vault",
        headers=headers, json={"paths": sorted(set(paths.values()))},
    )["data"]  # fmt: skip
    denied = {
        need
        for need in needs
        if not {"root", need.what} & set(granted.get(paths[need.where]) or ())
    }
    return CallerPermissions(
        f"token {who['data'].get('display_name') or 'without a name'} at {address}", denied
    )


def _kept_token() -> str:
    try:
        return (Path.home() / ".vault-token").read_text().strip()
    except OSError:
        return ""


def kubernetes(needs: Sequence[Need], kubeconfig: Path | None = None) -> CallerPermissions:
    """Kubernetes' SelfSubjectAccessReview, one a verb and a kind.

    Args:
        needs: verbs on kinds.
        kubeconfig: the file (default: as kubectl finds it, log-in plugins included).

    Raises:
        SandboxError: when there is no cluster, or it does not answer.
    """
    import kubernetes.client as api

    with cluster_client(kubeconfig) as client:
        reviews = api.AuthorizationV1Api(client)
        denied = {need for need in needs if not _may(reviews, need)}
        host = client.configuration.host
    return CallerPermissions(f"the user of {kubeconfig or 'the current context'} at {host}", denied)


def missing_apis(kinds: Iterable[tuple[str, str]], kubeconfig: Path | None = None) -> list[str]:
    """Which kinds a cluster does not serve, as its discovery says.

    Args:
        kinds: API version (`gateway.networking.k8s.io/v1`) and kind.
        kubeconfig: the file (default: as kubectl finds it).

    Raises:
        SandboxError: when there is no cluster, or it does not answer.
    """
    with cluster_client(kubeconfig) as client:
        return [
            f"{kind} of {version}" for version, kind in kinds if not _serves(client, version, kind)
        ]


def api_versions(group: str, kubeconfig: Path | None = None) -> tuple[str, ...]:
    """The versions of an API that a cluster serves; none where it does not know the group.

    Args:
        group: of the API.
        kubeconfig: the file (default: as kubectl finds it).

    Raises:
        SandboxError: when there is no cluster, or it does not answer.
    """
    import kubernetes.client as api

    with cluster_client(kubeconfig) as client:
        groups = api.ApisApi(client).get_api_versions(_request_timeout=SECONDS).groups
    return tuple(v.version for one in groups if one.name == group for v in one.versions)


def operator_deployments(kubeconfig: Path | None = None) -> dict[str, bool] | None:
    """Deployments of the External Secrets Operator: `namespace/name` to whether one of its pods is ready.

    None where the caller may not list them.

    Args:
        kubeconfig: the file (default: as kubectl finds it).

    Raises:
        SandboxError: when there is no cluster, or it does not answer.
    """
    import kubernetes.client as api

    with cluster_client(kubeconfig) as client:
        try:
            listing: Any = api.AppsV1Api(client).list_deployment_for_all_namespaces(
                label_selector="app.kubernetes.io/name=external-secrets", _request_timeout=SECONDS
            )
        except api.ApiException as error:
            if error.status == 403:
                return None
            raise
    return {
        f"{one.metadata.namespace}/{one.metadata.name}": bool(one.status.ready_replicas)
        for one in listing.items
    }


@contextmanager
def cluster_client(kubeconfig: Path | None) -> Iterator[Any]:
    """A client of the cluster; what fails while it is used is a SandboxError.

    Args:
        kubeconfig: the file (default: as kubectl finds it).
    """
    import kubernetes.client as api
    import kubernetes.config as configuration
    import urllib3.exceptions

    try:
        yield configuration.new_client_from_config(
            config_file=str(kubeconfig) if kubeconfig else None
        )
    except configuration.ConfigException as error:
        raise SandboxError(
            f"There is no usable kubeconfig ({str(error).splitlines()[0]})."
        ) from None
    except (api.ApiException, urllib3.exceptions.HTTPError) as error:
        said = getattr(error, "reason", None) or type(error).__name__
        raise SandboxError(f"The API server does not answer ({said}).") from None


def _serves(client: Any, version: str, kind: str) -> bool:
    import kubernetes.client as api

    try:
        group, _, number = version.partition("/")
        listing = api.CustomObjectsApi(client).get_api_resources(
            group, number, _request_timeout=SECONDS
        )
    except api.ApiException as error:
        if error.status == 404:
            return False
        raise
    return any(resource.kind == kind for resource in listing.resources)


def _may(reviews: Any, need: Need) -> bool:
    kind, _, namespace = need.where.partition("/")
    plural, _, group = kind.partition(".")
    attributes = {"group": group, "resource": plural, "verb": need.what, "namespace": namespace}
    review = {"spec": {"resourceAttributes": attributes}}
    answer = reviews.create_self_subject_access_review(review, _request_timeout=SECONDS)
    return bool(answer.status.allowed)


def aws(needs: Sequence[Need], **client: Any) -> CallerPermissions:
    """IAM's policy simulator, asked for the caller's own user or role; on every resource.

    Args:
        needs: actions.
        client: boto3's own arguments for a client (default: the caller's credentials and region).

    Raises:
        SandboxError: when there are no credentials, or the caller may not ask the simulator.
    """
    import boto3
    import botocore.exceptions

    try:
        arn = boto3.client("sts", **client).get_caller_identity()["Arn"]
        iam = boto3.client("iam", **client)
        source = _principal(iam, arn)
        denied: set[str] = set()
        for actions in _batches(sorted({n.what for n in needs}), 50):
            pages = iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=source, ActionNames=actions
            )
            for result in (r for page in pages for r in page["EvaluationResults"]):
                if result["EvalDecision"] != "allowed":
                    denied.add(result["EvalActionName"])
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        raise SandboxError(
            f"{error.operation_name} is refused ({code}). It takes sts:GetCallerIdentity, iam:GetRole and"
            " iam:SimulatePrincipalPolicy."
        ) from None
    except botocore.exceptions.BotoCoreError as error:
        raise SandboxError(
            f"There are no usable credentials of AWS ({type(error).__name__})."
        ) from None
    lacking = {name.lower() for name in denied}
    return CallerPermissions(
        arn,
        {n for n in needs if n.what.lower() in lacking},
        "Policies that name resources or conditions may allow what is lacking here.",
    )


def _principal(iam: Any, arn: str) -> str:
    """The user or role behind an identity: of an assumed role, the role with its path."""
    if ":assumed-role/" not in arn:
        return arn
    return iam.get_role(RoleName=arn.split("/")[1])["Role"]["Arn"]


def google(needs: Sequence[Need], project: str, address: str = _GOOGLE) -> CallerPermissions:
    """Google's `projects.testIamPermissions`.

    Args:
        needs: permissions.
        project: id of the project.
        address: of the API.

    Raises:
        SandboxError: when there is no project or token, or Google refuses.
    """
    if not project:
        raise SandboxError(
            "The stack names no project (kestra:secret.google-secret-manager.project)."
        )
    token = os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN") or _output(
        "gcloud", "auth", "print-access-token"
    )
    allowed: set[str] = set()
    session = _session(outside=True)
    for permissions in _batches(sorted({n.what for n in needs}), 100):
        answer = _called(
            session, "POST", f"{address}/v1/projects/{project}:testIamPermissions", "Google",
            headers={"Authorization": f"Bearer {token}"}, json={"permissions": permissions},
        )  # fmt: skip
        allowed |= set(answer.get("permissions") or ())
    return CallerPermissions(
        f"your account, in project {project}", {n for n in needs if n.what not in allowed}
    )


def azure(needs: Sequence[Need], group: str, address: str = _AZURE) -> CallerPermissions:
    """Azure's list of the caller's permissions on the resource group.

    Args:
        needs: operations of the control plane.
        group: name of the resource group.
        address: of the Resource Manager.

    Raises:
        SandboxError: when the Azure CLI is not logged in, or Azure refuses.
    """
    if not group:
        raise SandboxError("The stack names no resource group (kestra:store.azure.resource-group).")
    subscription = os.environ.get("ARM_SUBSCRIPTION_ID") or _output(
        "az", "account", "show", "--query", "id", "--output", "tsv"
    )
    token = _output(
        "az", "account", "get-access-token", "--query", "accessToken", "--output", "tsv"
    )
    url: str | None = (
        f"{address}/subscriptions/{subscription}/resourceGroups/{group}/providers/"
        "Microsoft.Authorization/permissions?api-version=2022-04-01"
    )
    grants: list[Mapping[str, Any]] = []
    session = _session(outside=True)
    while url:
        answer = _called(session, "GET", url, "Azure", headers={"Authorization": f"Bearer {token}"})
        grants += answer.get("value") or []
        url = answer.get("nextLink")
    denied = {n for n in needs if not any(_covers(entry, n.what) for entry in grants)}
    return CallerPermissions(
        f"your account, in resource group {group} of {subscription}",
        denied,
        "What lies in other resource groups (networks, workspaces) is asked here too.",
    )


def _covers(entry: Mapping[str, Any], action: str) -> bool:
    def named(key: str) -> bool:
        return any(
            fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in entry.get(key) or ()
        )

    return named("actions") and not named("notActions")


def _output(*command: str) -> str:
    """What a cloud's own command line prints: a token, or an id."""
    try:
        return command_output(*command)
    except UnansweredError as error:
        raise SandboxError(str(error)) from None


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    for begin in range(0, len(items), size):
        yield list(items[begin : begin + size])


def _session(*, outside: bool) -> requests.Session:
    # The sandbox's own servers are on loopback, where no proxy leads.
    return requests.Session() if outside else single.session()


def _called(
    session: requests.Session, method: str, url: str, whom: str, **content: Any
) -> dict[str, Any]:
    try:
        answer = session.request(method, url, timeout=SECONDS, **content)
    except requests.RequestException as error:
        raise SandboxError(f"{whom} does not answer ({type(error).__name__}).") from None
    if not answer.ok:
        raise SandboxError(f"{whom} refuses the question (HTTP {answer.status_code}).")
    try:
        return answer.json()
    except ValueError:
        raise SandboxError(f"{whom} answers with something else than JSON.") from None
