"""What judges that know nothing of this project say of the production stacks' Kubernetes objects."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sandbox.progress import Progress
from sandbox.tools import ensure
from tests.policy.judges_support import Object, conformity, weaknesses, write_schemas
from tests.policy.objects_support import HIDDEN, applied, get
from tests.policy.stacks_support import JudgedStacks

pytestmark = pytest.mark.engine

WITH_VAULT = ("production", "example-kafka")
PRODUCTION = (
    *WITH_VAULT,
    "example-aws-secret-manager",
    "example-azure-key-vault",
    "example-google-secret-manager",
)

#: What checkov asks for and these stacks do not do, at most five, each with its reason.
SKIPS = {
    # CPU limits should be set.
    "CKV_K8S_11": "A CPU limit stops a JVM in the middle of a collection or its start, and probes then fail; requests "
    "already share the CPU fairly. Who wants one sets deployment.components.<component>.resources.limits.cpu.",
    # Prefer using secrets as files over secrets as environment variables.
    "CKV_K8S_35": "Kestra resolves the placeholders of its configuration, which itself holds no secret, from its "
    "environment (docs/adr/0003-secret-path.md).",
    # Containers should run as a high UID to avoid host conflict.
    "CKV_K8S_40": "The files of Kestra's image belong to its user 1000.",
    # Ensure that Service Account Tokens are only mounted where necessary.
    "CKV_K8S_38": "Kestra logs in to Vault with the token of its service account, so that it keeps no credential.",
}
#: Where the token is not needed, it is not mounted, and nothing is skipped.
TOKEN = "CKV_K8S_38"


@pytest.fixture(scope="module")
def objects(judged_stacks: JudgedStacks) -> Callable[[str], list[Object]]:
    """The objects of a stack by its name; brings it up when it is not."""

    @cache
    def read(name: str) -> list[Object]:
        judged_stacks.bring_up(name)
        return applied(judged_stacks.plane, judged_stacks.namespace(name))

    return read


@pytest.fixture(scope="module")
def conforms(
    judged_stacks: JudgedStacks, progress: Progress, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[Object]], list[str]]:
    """What kubeconform says of objects, with the schemas of the API server itself."""
    program = ensure(["kubeconform"], progress)["kubeconform"]
    judged_stacks.bring_up("production")
    with judged_stacks.plane.session() as session:
        openapi = get(session, f"{judged_stacks.plane.url}/openapi/v2")
    schemas = write_schemas(openapi, tmp_path_factory.mktemp("kubeconform") / "schemas")
    return lambda judged: conformity(program, schemas, judged)


@pytest.mark.parametrize("name", PRODUCTION)
def test_kubeconform_finds_every_object_of_a_production_stack_as_its_schema_says(
    objects: Callable[[str], list[Object]],
    conforms: Callable[[list[Object]], list[str]],
    name: str,
) -> None:
    assert conforms(objects(name)) == []


@pytest.mark.parametrize("name", PRODUCTION)
def test_checkov_finds_in_a_production_stack_what_is_skipped_with_a_reason_and_no_more(
    objects: Callable[[str], list[Object]], name: str, tmp_path: Path
) -> None:
    weaknesses_now = weaknesses(objects(name), tmp_path)
    # Both ways: a skip that nothing needs any more is to go.
    assert {check for check, _ in weaknesses_now} == SKIPS.keys() - (
        set() if name in WITH_VAULT else {TOKEN}
    ), weaknesses_now


def test_at_most_five_checks_are_skipped() -> None:
    assert len(SKIPS) <= 5


@pytest.mark.parametrize("name", PRODUCTION)
def test_the_judges_see_every_kind_of_object_and_no_value_of_a_secret(
    objects: Callable[[str], list[Object]], name: str
) -> None:
    read = objects(name)
    kinds = {o["kind"] for o in read}
    assert kinds == {
        "ConfigMap",
        "Deployment",
        "Ingress",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Secret",
        "Service",
        "ServiceAccount",
        *(["ClusterRoleBinding"] if name in WITH_VAULT else []),
    }
    values = [v for o in read if o["kind"] == "Secret" for v in o["data"].values()]
    assert values
    assert set(values) == {HIDDEN}


def _privileged(container: dict[str, Any]) -> None:
    container["securityContext"]["privileged"] = True


def _misspelled(container: dict[str, Any]) -> None:
    context = container["securityContext"]
    context["readOnlyRootFileSystem"] = context.pop("readOnlyRootFilesystem")


def _planted(
    objects: list[Object], plant: Callable[[dict[str, Any]], None]
) -> tuple[list[Object], str]:
    """The objects with a fault in one Deployment, and which."""
    planted = copy.deepcopy(objects)
    chosen = next(o for o in planted if o["kind"] == "Deployment")
    plant(chosen["spec"]["template"]["spec"]["containers"][0])
    return planted, f"Deployment {chosen['metadata']['name']}"


def test_checkov_finds_a_privileged_container(
    objects: Callable[[str], list[Object]], tmp_path: Path
) -> None:
    planted, where = _planted(objects("production"), _privileged)
    weaknesses_now = weaknesses(planted, tmp_path)
    assert {(check, name) for check, name in weaknesses_now if check not in SKIPS} == {
        ("CKV_K8S_16", where)
    }


def test_both_judges_find_a_misspelled_field(
    objects: Callable[[str], list[Object]],
    conforms: Callable[[list[Object]], list[str]],
    tmp_path: Path,
) -> None:
    planted, where = _planted(objects("production"), _misspelled)
    (line,) = conforms(planted)
    assert line.startswith(f"{where}: ")
    assert "additional properties 'readOnlyRootFileSystem' not allowed" in line
    # To checkov a root file system that nothing says is read-only can be written.
    assert ("CKV_K8S_22", where) in weaknesses(planted, tmp_path)


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        ("Deployment", "replicas", "two", "got string, want integer"),
        ("Ingress", "rules", {}, "got object, want array"),
        ("PodDisruptionBudget", "minAvailable", True, "want integer or string"),
    ],
)
def test_kubeconform_finds_a_value_of_the_wrong_type(
    objects: Callable[[str], list[Object]],
    conforms: Callable[[list[Object]], list[str]],
    kind: str,
    field: str,
    value: object,
    message: str,
) -> None:
    wrong = copy.deepcopy(next(o for o in objects("production") if o["kind"] == kind))
    wrong["spec"][field] = value
    (line,) = conforms([wrong])
    assert message in line


def test_kubeconform_refuses_a_kind_that_the_api_server_does_not_have(
    conforms: Callable[[list[Object]], list[str]],
) -> None:
    unknown = {"apiVersion": "example.com/v1", "kind": "Kestra", "metadata": {"name": "x"}}
    assert conforms([unknown]) == ["Kestra x: could not find schema for Kestra"]
