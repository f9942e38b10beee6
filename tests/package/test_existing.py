"""What exists already is an argument of a component, and is not made a second time; with mocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import components
from components.package.component import PackageComponent
from components.package.conversion import to_arguments
from tests.conftest import stack_document
from tests.package.component_support import AWS, OPEN_SOURCE, run
from tests.tiers import long

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ROLE = "arn:aws:iam::123456789012:role/existing"
GOOGLE_KEY = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"
GOOGLE_ACCOUNT = {"iam.gke.io/gcp-service-account": "kestra@p.iam.gserviceaccount.com"}
CLIENT = "11111111-2222-3333-4444-555555555555"
_PARTS = (
    "version", "edition", "secret", "store", "identity", "declaredSecrets", "deployment", "tags",
)  # fmt: skip

Arguments = Mapping[str, Any]


def merged(value: Any, more: Any) -> Any:
    """A value with what is changed in it; None leaves a key out."""
    if not isinstance(value, Mapping) or not isinstance(more, Mapping):
        return more
    both = {**value, **{name: merged(value.get(name), item) for name, item in more.items()}}
    return {name: item for name, item in both.items() if item is not None}


def of_stack(name: str, changed: Arguments) -> Arguments:
    """The arguments that make a stack file's secrets, changed."""
    every = to_arguments(stack_document(name))
    return merged({part: every[part] for part in _PARTS if part in every}, changed)


def azure(changed: Arguments) -> Arguments:
    return of_stack("example-azure-key-vault", changed)


def google(changed: Arguments) -> Arguments:
    return of_stack("example-google-secret-manager", changed)


def vault(changed: Arguments) -> Arguments:
    return of_stack("local-vault", changed)


def registered(
    component: type[PackageComponent], arguments: Arguments
) -> tuple[dict[str, tuple[str, dict[str, Any]]], dict[str, Any]]:
    """The resources of a component, and its known outputs."""

    def program() -> Mapping[str, Any]:
        one = component("c", arguments)
        return {name: value for name, value in one.outputs.items() if name != "interface"}

    mocks, known = run(program)
    return mocks.resources, known


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        pytest.param(merged(AWS, {"store": {"aws": {"kms": {"arn": KEY}}}}), "aws:kms/key", id="a key in AWS"),
        pytest.param(merged(AWS, {"store": None, "declared_secrets": None}), "aws:", id="a whole secret manager in AWS"),
        pytest.param(google({"store": {"gcp": {"regions": ["europe-west4"], "kms": {"name": GOOGLE_KEY}}}}), "gcp:kms/", id="a key in Google Cloud"),
    ],
)  # fmt: skip
def test_a_store_makes_no_key_that_exists(arguments: Arguments, missing: str) -> None:
    resources, _ = registered(components.SecretStore, arguments)
    # Permissions on a key are no key.
    types = {type_ for type_, _ in resources.values() if "IAM" not in type_}
    assert not [type_ for type_ in types if type_.startswith(missing)]


def test_a_store_puts_its_secrets_under_the_key_that_exists() -> None:
    resources, _ = registered(
        components.SecretStore, merged(AWS, {"store": {"aws": {"kms": {"arn": KEY}}}})
    )
    secret = next(i for t, i in resources.values() if t == "aws:secretsmanager/secret:Secret")
    assert secret["kmsKeyId"] == KEY


@long("stacks")  # Its SDK takes seconds to load.
def test_a_store_writes_into_the_key_vault_that_exists() -> None:
    resources, _ = registered(
        components.SecretStore, azure({"store": {"azure": {"createVault": False}}})
    )
    vaults = {i["vaultName"] for t, i in resources.values() if t == "azure-native:keyvault:Vault"}
    assert len(vaults) == 1, "the one that the encryption key is recovered from"
    written = {i["vaultName"] for t, i in resources.values() if t == "azure-native:keyvault:Secret"}
    assert len(written - vaults) == 1, "secrets lie in the one that exists"


def test_a_store_writes_into_the_engine_of_vault_that_exists() -> None:
    shared = {
        "identity": {"vault": {"mountEngine": False}},
        "secret": {"vault": {"rootEngine": "shared"}},
    }
    resources, _ = registered(components.SecretStore, vault(shared))
    engines = {i["path"] for t, i in resources.values() if t == "vault:index/mount:Mount"}
    assert engines == {"shared-stack"}, "the one that the encryption key is recovered from"
    written = {i["mount"] for t, i in resources.values() if t == "vault:kv/secretV2:SecretV2"}
    assert "shared" in written


@pytest.mark.parametrize(
    ("arguments", "principal", "annotations"),
    [
        pytest.param(
            merged(AWS, {"identity": {"aws": {"irsa": None, "role_arn": ROLE}}}),
            ROLE,
            {"eks.amazonaws.com/role-arn": ROLE},
            id="a role in AWS",
        ),
        pytest.param(
            azure({
                "secret": {"azureKeyVault": {"workloadIdentityClientId": CLIENT}},
                "identity": {"azure": {"oidcIssuerUrl": None}},
            }),
            CLIENT,
            {"azure.workload.identity/client-id": CLIENT},
            id="a managed identity in Azure",
        ),
        pytest.param(
            google({"identity": {"gcp": None, "serviceAccount": {"annotations": GOOGLE_ACCOUNT}}}),
            "",
            {},
            id="a service account in Google Cloud",
        ),
        pytest.param(
            vault({"secret": {"vault": {"kubernetes": None, "appRole": {"roleId": "r", "secretId": "s"}}}}),
            "",
            {},
            id="a role in Vault",
        ),
    ],
)  # fmt: skip
def test_an_identity_that_exists_is_named_and_none_is_made(
    arguments: Arguments, principal: str, annotations: Mapping[str, str]
) -> None:
    resources, known = registered(components.KestraIdentity, arguments)
    assert known["principal"] == principal
    assert known["serviceAccountAnnotations"] == annotations
    own = ("kestra-platform:", "kestra:")
    assert not [type_ for type_, _ in resources.values() if not type_.startswith(own)]


def test_an_identity_uses_the_auth_method_of_vault_that_exists() -> None:
    there = {"identity": {"vault": {"mountAuth": False}}}
    resources, _ = registered(components.KestraIdentity, vault(there))
    assert "c-identity-role" in resources
    assert not [type_ for type_, _ in resources.values() if type_.startswith("vault:index/auth")]


@pytest.mark.parametrize("spelling", ["camelCase", "snake_case"])
def test_a_deployment_lives_in_what_others_made(spelling: str) -> None:
    """Namespace, store, role and identity: nothing of them is made, whatever the spelling of the interfaces."""
    enterprise = {
        name: value
        for name, value in to_arguments(stack_document("local-vault")).items()
        if name not in ("store", "identity")
    }
    there = {"deployment": {"namespace": "theirs", "createNamespace": False}}
    snake = spelling == "snake_case"
    identity: dict[str, Any] = {
        "needs_token" if snake else "needsToken": True,
        "pod_labels" if snake else "podLabels": {"theirs": "yes"},
        "service_account_annotations" if snake else "serviceAccountAnnotations": {"a": "b"},
    }
    versions = {"version_ids" if snake else "versionIds": {"API_TOKEN": "7"}}
    interfaces = {"identity_interface": identity, "store_interface": versions}
    resources, known = registered(
        components.KestraDeployment, merged(enterprise, there) | interfaces
    )
    assert known["namespace"] == "theirs"
    types = {type_ for type_, _ in resources.values()}
    assert "kubernetes:core/v1:Namespace" not in types
    assert not [type_ for type_ in types if type_.startswith("vault:")]
    account = resources["c-service-account"][1]
    assert account["metadata"]["annotations"] == {"a": "b"}
    pod = resources["c-worker"][1]["spec"]["template"]
    assert pod["metadata"]["labels"]["theirs"] == "yes"
    assert "serviceAccountToken" in str(pod) or pod["spec"]["automountServiceAccountToken"]


def test_a_whole_stack_makes_neither_namespace_nor_role_nor_key_that_exist() -> None:
    both = {**AWS, **OPEN_SOURCE, "security": {"super_admin": {"username": "a@b.example"}}}
    del both["server"]
    there = {
        "store": {"aws": {"kms": {"arn": KEY}}},
        "identity": {"aws": {"irsa": None, "role_arn": ROLE}},
        "deployment": {"namespace": "theirs", "create_namespace": False},
    }
    resources, known = registered(components.KestraStack, merged(both, there))
    assert (known["namespace"], known["principal"]) == ("theirs", ROLE)
    types = {type_ for type_, _ in resources.values()}
    assert not types & {
        "kubernetes:core/v1:Namespace",
        "aws:kms/key:Key",
        "aws:iam/role:Role",
    }
    assert "aws:secretsmanager/secret:Secret" in types
