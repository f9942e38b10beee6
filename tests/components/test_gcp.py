"""Google Secret Manager and Kestra's identity there, by what is sent to the provider."""

from __future__ import annotations

from typing import Any

import pytest

from components.backends.gcp import permissions as permissions
from components.backends.gcp.names import ACCOUNT as ANNOTATION
from components.settings import SettingsError
from components.validation import load
from tests.components.gcp_fixtures import AGENT, NUMBER, google
from tests.components.inventory_support import SECRET_MARK
from tests.components.recording_support import Recorder, run
from tests.conftest import stack_document

SECRETS = ("store-declared-API_TOKEN", "store-declared-DATABASE_PASSWORD", "store-encryption-key")


def _of(recorded: Recorder, type_: str) -> dict[str, dict[str, Any]]:
    """Name to inputs of a type of Google Cloud."""
    return {n: i for n, (t, i) in recorded.resources.items() if t == f"gcp:{type_}"}


def _secrets(recorded: Recorder) -> dict[str, dict[str, Any]]:
    return _of(recorded, "secretmanager/secret:Secret")


def _before(recorded: Recorder, name: str) -> set[str]:
    """Names of what a resource waits for."""
    return {urn.rsplit("::", 1)[-1] for urn in recorded.requests[name].dependencies}


def _store(**block: Any) -> dict[str, Any]:
    return google(store={"gcp": {k.replace("_", "-"): v for k, v in block.items()}})


def test_each_declared_secret_is_a_secret_with_a_version_and_kestras_labels() -> None:
    recorded = run(google())
    assert set(_secrets(recorded)) == set(SECRETS)
    secret = _secrets(recorded)["store-declared-DATABASE_PASSWORD"]
    assert secret["secretId"] == "kestra-DATABASE_PASSWORD"
    assert secret["labels"] == {
        "application": "kestra",
        "environment": "production",
        "owner": "platform",
        "data-class": "confidential",
        "namespace": "company_team",
        "tenant": "main",
        "rotation": "external",
    }
    assert secret["annotations"] == {"description": "Password of the reporting database"}
    assert recorded.outputs["secretIds"]["DATABASE_PASSWORD"] == (
        f"projects/{NUMBER}/secrets/kestra-DATABASE_PASSWORD"
    )
    assert set(recorded.outputs["versionIds"]) == {
        "API_TOKEN",
        "DATABASE_PASSWORD",
        "encryption.secret-key",
    }


def test_values_travel_as_secrets_and_stand_nowhere_else() -> None:
    recorded = run(google())
    versions = _of(recorded, "secretmanager/secretVersion:SecretVersion")
    assert len(versions) == 3
    for inputs in versions.values():
        assert SECRET_MARK in inputs["secretData"]
    assert recorded.secret_outputs == {"generated"}
    everything = {
        name: inputs
        for name, (type_, inputs) in recorded.resources.items()
        if type_.startswith("gcp:") and name not in versions
    }
    assert "Password-1-of" not in str(everything)


def test_secrets_are_replicated_to_the_regions_and_encrypted_there_with_a_key_of_each() -> None:
    recorded = run(google())
    for secret in _secrets(recorded).values():
        assert secret["replication"] == {
            "userManaged": {
                "replicas": [
                    {
                        "location": region,
                        "customerManagedEncryption": {"kmsKeyName": f"store-key-{region}-id"},
                    }
                    for region in ("europe-west1", "europe-west4")
                ]
            }
        }
    rings = _of(recorded, "kms/keyRing:KeyRing")
    assert {r["location"] for r in rings.values()} == {"europe-west1", "europe-west4"}


def test_without_regions_replication_is_automatic_and_the_key_is_global() -> None:
    recorded = run(_store())
    assert _secrets(recorded)["store-encryption-key"]["replication"] == {
        "auto": {"customerManagedEncryption": {"kmsKeyName": "store-key-global-id"}}
    }
    (ring,) = _of(recorded, "kms/keyRing:KeyRing").values()
    assert (ring["location"], ring["name"]) == ("global", "kestra")


def test_keys_rotate_and_wait_before_they_are_destroyed() -> None:
    document = _store(kms={"rotation-period": "30d", "destroy-after": "P7D"})
    (key,) = _of(run(document), "kms/cryptoKey:CryptoKey").values()
    assert key["purpose"] == "ENCRYPT_DECRYPT"
    assert key["rotationPeriod"] == f"{30 * 86400}s"
    assert key["destroyScheduledDuration"] == f"{7 * 86400}s"


EXISTING = "projects/keys/locations/global/keyRings/ours/cryptoKeys/secrets"


@pytest.mark.parametrize(("name", "key"), [(None, "store-key-global-id"), (EXISTING, EXISTING)])
def test_secret_managers_agent_may_use_exactly_that_key_before_a_secret_is_made(
    name: str | None, key: str
) -> None:
    recorded = run(_store(kms={"name": name} if name else {}))
    (grant,) = _of(recorded, "kms/cryptoKeyIAMMember:CryptoKeyIAMMember").values()
    assert grant == {
        "cryptoKeyId": key,
        "member": AGENT,
        "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    }
    assert len(_of(recorded, "kms/keyRing:KeyRing")) == (0 if name else 1)
    for secret in SECRETS:
        assert "store-key-grant-global" in _before(recorded, secret)


def test_without_a_key_of_ones_own_google_encrypts() -> None:
    recorded = run(_store(kms={"enabled": False}))
    assert _secrets(recorded)["store-encryption-key"]["replication"] == {"auto": {}}
    assert not [t for t, _ in recorded.resources.values() if t.startswith("gcp:kms/")]
    assert _of(recorded, "projects/serviceIdentity:ServiceIdentity") == {}


@pytest.mark.parametrize(
    ("environment", "given", "ttl"),
    [
        ("development", None, "86400s"),
        ("staging", None, "2592000s"),
        ("production", None, "2592000s"),
        ("production", "7d", "604800s"),
    ],
)
def test_a_destroyed_version_can_be_recovered_by_environment(
    environment: str, given: str | None, ttl: str
) -> None:
    document = _store(**({"destroy_ttl": given} if given else {}))
    document["tags"]["environment"] = environment
    assert {s["versionDestroyTtl"] for s in _secrets(run(document)).values()} == {ttl}


def test_aliases_name_versions_which_are_then_kept() -> None:
    document = google()
    document["declared-secrets"]["API_TOKEN"]["version-aliases"] = {"current": 2, "previous": 1}
    recorded = run(document)
    aliases = _secrets(recorded)["store-declared-API_TOKEN"]["versionAliases"]
    assert aliases == {"current": "2", "previous": "1"}
    versions = _of(recorded, "secretmanager/secretVersion:SecretVersion")
    assert versions["store-declared-API_TOKEN-version"]["deletionPolicy"] == "ABANDON"
    assert versions["store-declared-DATABASE_PASSWORD-version"]["deletionPolicy"] == "DELETE"


PROTECTED = {
    "store-encryption-key",
    "store-encryption-key-version",
    *(
        f"store-{part}-{region}"
        for part in ("key", "key-ring", "key-grant")
        for region in ("europe-west1", "europe-west4")
    ),
}


def test_keys_and_the_recovery_copy_are_protected_in_production_and_always_stay() -> None:
    def store_of(names: set[str]) -> set[str]:
        return {n for n in names if n.startswith("store-")}

    recorded = run(google())
    assert store_of(recorded.protected) == store_of(recorded.retained) == PROTECTED
    assert _secrets(recorded)["store-encryption-key"]["deletionProtection"] is True
    assert list(recorded.requests["store-encryption-key"].ignoreChanges) == ["replication"]
    document = google()
    document["deployment"]["protect"] = False
    recorded = run(document)
    assert store_of(recorded.protected) == set()
    assert store_of(recorded.retained) == PROTECTED


def test_a_secret_that_moves_is_deleted_first_since_its_name_is_taken() -> None:
    recorded = run(google())
    assert recorded.requests["store-declared-API_TOKEN"].deleteBeforeReplace
    assert not recorded.requests["store-encryption-key"].deleteBeforeReplace


def test_apis_are_turned_on_first_when_asked_for_and_never_off() -> None:
    recorded = run(google())
    services = _of(recorded, "projects/service:Service")
    assert {s["service"] for s in services.values()} == {
        f"{name}.googleapis.com" for name in ("secretmanager", "cloudkms", "iam", "iamcredentials")
    }
    assert {s["disableOnDestroy"] for s in services.values()} == {False}
    for name in ("store-agent", "identity-account", "identity-role", *SECRETS):
        assert set(services) <= _before(recorded, name)
    assert _of(run(_store()), "projects/service:Service") == {}


@pytest.mark.parametrize("read_only", [True, False])
def test_without_the_blocks_nothing_is_provisioned(read_only: bool) -> None:
    document = google(read_only=read_only)
    for block in ("store", "identity", "declared-secrets"):
        document.pop(block, None)
    recorded = run(document)
    assert not [t for t, _ in recorded.resources.values() if t.startswith("gcp:")]
    (account,) = recorded.of("ServiceAccount").values()
    assert "annotations" not in account["metadata"]
    assert recorded.outputs["principal"] == ""


def test_a_service_account_key_travels_as_a_secret_and_no_identity_is_made() -> None:
    key = '{"type": "service_account", "private_key": "Pl4nted-Key"}'
    document = google(identity={})
    document["secret"]["google-secret-manager"]["service-account"] = key
    recorded = run(document)
    _, secret = recorded.resources["kestra-secret"]
    assert key in secret["stringData"]["value"].values()
    assert SECRET_MARK in secret["stringData"]
    assert "Pl4nted-Key" not in str(recorded.outputs["configuration"])
    assert "Pl4nted-Key" not in str(list(recorded.of("ConfigMap").values()))
    assert _of(recorded, "serviceaccount/account:Account") == {}
    assert _of(recorded, "secretmanager/secretIamMember:SecretIamMember") == {}


def test_the_pods_are_the_google_service_account_and_mount_no_token() -> None:
    recorded = run(google())
    email = "kestra-production@company-data-production.iam.gserviceaccount.com"
    (account,) = recorded.of("ServiceAccount").values()
    assert account["metadata"]["annotations"] == {ANNOTATION: email}
    assert recorded.outputs["principal"] == f"serviceAccount:{email}"
    assert recorded.of("ClusterRoleBinding") == {}
    for deployment in recorded.of("Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
    policy = recorded.of("NetworkPolicy")["kestra-node"]["spec"]
    assert [rule["to"][0]["ipBlock"]["cidr"] for rule in policy["egress"]] == [
        "169.254.169.252/32",
        "169.254.169.254/32",
    ]


def test_the_account_has_the_id_of_namespace_and_service_account_unless_it_is_given() -> None:
    document = google(identity={"gcp": {"workload-pool": "company-data.svc.id.goog"}})
    (account,) = _of(run(document), "serviceaccount/account:Account").values()
    assert account["accountId"] == "kestra-kestra"


def test_managed_mode_administers_below_the_prefix_and_nothing_more() -> None:
    recorded = run(google(read_only=False))
    members = _of(recorded, "projects/iAMMember:IAMMember")
    assert set(members) == {"identity-admin", "identity-index"}
    assert members["identity-admin"]["condition"]["expression"] == (
        f'resource.name.startsWith("projects/{NUMBER}/secrets/kestra-")'
    )
    assert "condition" not in members["identity-index"]
    (role,) = _of(recorded, "projects/iAMCustomRole:IAMCustomRole").values()
    assert role["permissions"] == ["secretmanager.secrets.create", "secretmanager.secrets.list"]
    assert set(_secrets(recorded)) == {"store-encryption-key"}


def test_a_prefix_cannot_end_the_text_of_the_condition() -> None:
    text = permissions.condition("1", '") || true || ("')
    assert text == r'resource.name.startsWith("projects/1/secrets/\") || true || (\"")'


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"namespace": "a" * 64}, "tag namespace has a value"),
        ({"tags": {f"t{i}": "x" for i in range(59)}}, "with the stack's own tags, 65 tags"),
    ],
)
def test_a_label_that_the_stack_adds_and_google_cannot_hold_is_a_problem_of_the_settings(
    change: dict[str, Any], words: str
) -> None:
    document = google()
    document["declared-secrets"]["API_TOKEN"] |= change
    with pytest.raises(SettingsError) as caught:
        load(document, source="f")
    (problem,) = (p for p in caught.value.problems if p.severity == "error")
    assert problem.path == "kestra:declared-secrets.API_TOKEN"
    assert words in problem.message


def test_an_identity_that_can_read_nothing_yet_is_said() -> None:
    document = google()
    document.pop("store")
    document.pop("declared-secrets")
    document["secret"]["google-secret-manager"].pop("filter-on-prefix")
    assert "reads no secret yet" in str(load(document, source="f").warnings)
    assert "reads no secret yet" not in str(load(google(), source="f").warnings)


def _second(block: dict[str, Any]) -> dict[str, Any]:
    also = {"type": "google-secret-manager", "read-only": True, "google-secret-manager": block}
    return stack_document("local-vault") | {"store": {"gcp": {}, "also": also}}


def test_as_the_second_manager_it_is_written_to_and_nobody_reads_it_yet() -> None:
    recorded = run(_second({"project": "company"}))
    assert set(_secrets(recorded)) == set(SECRETS)
    assert not [t for t, i in recorded.resources.values() if "Secret" in t and "role" in i]
    with pytest.raises(
        SettingsError, match=r"store\.also\.google-secret-manager\.project: is miss"
    ):
        load(_second({}), source="f")


def test_an_external_secret_has_its_labels_and_no_version() -> None:
    external = {"API_TOKEN": {"namespace": "company.team", "external": True}}
    changed: dict[str, Any] = {"declared-secrets": external}
    recorded = run(google(**changed))
    assert _secrets(recorded)["store-declared-API_TOKEN"]["labels"]["namespace"] == "company_team"
    versions = _of(recorded, "secretmanager/secretVersion:SecretVersion")
    assert versions.keys() == {"store-encryption-key-version"}
    assert "API_TOKEN" not in recorded.outputs["versionIds"]
    assert recorded.outputs["secretIds"]["API_TOKEN"].startswith("projects/")
