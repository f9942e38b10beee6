"""`kestra:store.type`: everything that is wrong with it is told at once, at the keys of the stack file."""

from __future__ import annotations

from typing import Any

import pytest

from components.safeguards.irreversible_changes import find_losses, snapshot
from components.settings import SettingsError
from components.settings.report import Problem
from components.validation import load
from components.validation.rules.external_secrets import _POLICY_SIZE
from tests.settings.malformed_fixtures import VAULT, enterprise, oss

ADDRESS = {"address": "https://vault.example.com:8200"}
IRSA = {
    "aws": {
        "irsa": {
            "oidc-provider-arn": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/id/A"
        }
    }
}
TOKEN = {"TOKEN": {"generate": {}}}
STAGING = {"environment": "staging"}
AWS = {"type": "aws-secret-manager", "aws": {"region": "eu-west-1"}}


def _problems(document: dict[str, Any]) -> list[Problem]:
    try:
        return list(load(document, source="test").warnings)
    except SettingsError as error:
        return list(error.problems)


def _errors(document: dict[str, Any]) -> dict[str, str]:
    return {
        p.path.removeprefix("kestra:"): p.message
        for p in _problems(document)
        if p.severity == "error"
    }


def _store(type_: str, identity: Any = None, secrets: Any = None, **block: Any) -> dict[str, Any]:
    document = oss(store={"type": type_, **block}, declared_secrets=secrets or TOKEN)
    return document | ({"identity": identity} if identity else {})


ALONE = oss(declared_secrets=TOKEN)
CASES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "the Enterprise Edition has its own": (
        enterprise(store={"type": "vault", "vault": ADDRESS}),
        {"store.type", "store.vault"} - {"store.vault"},
    ),
    "both": (
        oss(secret=VAULT, store={"type": "vault", "vault": ADDRESS}),
        {"secret", "store.type"},
    ),
    "an unknown type": (_store("etcd"), {"store.type"}),
    "no block": (_store("vault"), {"store.vault"}),
    "no address": (_store("vault", vault={}), {"store.vault.address"}),
    "a wrong address": (_store("vault", vault={"address": "vault:8200"}), {"store.vault.address"}),
    "a wrong mount": (_store("vault", vault=ADDRESS | {"mount": "a/*"}), {"store.vault.mount"}),
    "a path with a wildcard": (
        _store("vault", vault=ADDRESS | {"path": "a/*"}),
        {"store.vault.path"},
    ),
    "another block": (
        _store("vault", vault=ADDRESS, gcp={"project": "acme"}),
        {"store.gcp"},
    ),
    "no region and no identity": (
        _store("aws-secret-manager", aws={}),
        {"store.aws.region", "identity.aws"},
    ),
    "no block of AWS": (_store("aws-ssm-parameter-store", IRSA), {"store.aws"}),
    "a prefix that AWS refuses": (
        _store("aws-secret-manager", IRSA, aws={"region": "eu-west-1", "prefix": "a b"}),
        {"store.aws.prefix", "declared-secrets.TOKEN"},
    ),
    "Pod Identity": (
        _store(
            "aws-secret-manager",
            {"aws": {"pod-identity": {"cluster-name": "c"}}},
            aws={"region": "eu-west-1"},
        ),
        {"identity.aws.pod-identity"},
    ),
    "no project": (
        _store("google-secret-manager", gcp={}),
        {"store.gcp.project", "identity.gcp"},
    ),
    "no vault's name": (
        _store("azure-key-vault", azure={"resource-group": "r"}),
        {"store.azure.vault-name", "identity.azure"},
    ),
    "out of Vault's reach": (
        _store("vault", {"vault": {"reach-cluster": False, "paths": ["a"]}}, vault=ADDRESS),
        {"identity.vault.reach-cluster", "identity.vault.paths"},
    ),
    "too often": (
        oss(store={"type": "vault", "vault": ADDRESS, "refresh-interval": "1s"}),
        {"store.refresh-interval"},
    ),
    "never": (
        oss(store={"type": "vault", "vault": ADDRESS, "refresh-interval": "2d"}),
        {"store.refresh-interval"},
    ),
    "a second manager": (
        _store("vault", vault=ADDRESS, also=VAULT | {"type": "vault"}),
        {"store.also"},
    ),
    "keys without a type": (
        oss(store={"refresh-interval": "1m", "install": True, "vault": ADDRESS}),
        {"store.refresh-interval", "store.install", "store.vault"},
    ),
    "an existing secret without a place, and one with two": (
        _store(
            "vault",
            vault=ADDRESS,
            secrets={
                "A": {"existing": {}},
                "B": {"existing": {"name": "a", "file": "/a"}},
                "C": {"existing": {"kubernetes-secret": "c"}},
                "D": {"existing": {"file": "/a", "version": "3", "key": "k"}},
                "E": {"existing": {"name": "a/*"}},
                "F": {"existing": {"name": "a"}, "generate": {}},
                "G": {"existing": {"name": "a"}, "tags": {"a": "b"}},
            },
        ),
        {
            "declared-secrets.A.existing",
            "declared-secrets.B.existing",
            "declared-secrets.C.existing.key",
            "declared-secrets.D.existing.version",
            "declared-secrets.D.existing.key",
            "declared-secrets.E.existing.name",
            "declared-secrets.F",
            "declared-secrets.G.tags",
        },
    ),
    "a name without a store": (
        oss(declared_secrets={"A": {"existing": {"name": "a"}}}),
        {"declared-secrets.A.existing.name"},
    ),
    "an existing secret of the Enterprise Edition": (
        enterprise(declared_secrets={"A": {"namespace": "company", "existing": {"name": "a"}}}),
        {"declared-secrets.A.existing"},
    ),
    "Enterprise with a region in the store": (
        enterprise(
            secret={"type": "aws-secret-manager", "aws-secret-manager": {"region": "eu-west-1"}},
            store={"aws": {"region": "eu-west-1"}},
        ),
        {"store.aws.region"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_everything_that_is_wrong_is_told_at_once(case: str) -> None:
    document, expected = CASES[case]
    assert set(_errors(document)) == expected


@pytest.mark.parametrize("case", [c for c in CASES if "nterprise" not in c and c != "both"])
def test_nobody_is_told_of_keys_that_open_source_does_not_have(case: str) -> None:
    for problem in _problems(CASES[case][0]):
        if problem.path != "kestra:secret":
            for text in (problem.path, problem.fix):
                assert "kestra:secret." not in text.replace("kestra:secret.vault says", "")


def test_a_stack_without_a_store_is_as_it_was() -> None:
    settings = load(ALONE, source="test").settings
    assert settings.secret is None
    assert not settings.uses_external_secrets
    assert settings.store_account == settings.identity.service_account.name
    assert "reader" not in snapshot(settings)


def test_the_store_is_the_secret_manager_of_the_program_and_not_of_kestra() -> None:
    from components.rendering.configuration import render

    settings = load(_store("vault", vault=ADDRESS), source="test").settings
    assert (settings.access_mode, settings.store_account) == ("external-secrets", "kestra-secrets")
    assert settings.secret is not None
    assert "secret" not in render(settings).document["kestra"]


def test_a_role_that_would_be_too_large_is_refused_before_aws_refuses_it() -> None:
    many = {f"A_LONG_NAME_OF_A_SECRET_{i}": {"generate": {}} for i in range(60)}
    errors = _errors(oss(store=AWS, identity=IRSA, declared_secrets=many))
    assert set(errors) == {"declared-secrets"}
    assert "characters" in errors["declared-secrets"]
    assert (
        f"{_POLICY_SIZE:,}"
        in _problems(oss(store=AWS, identity=IRSA, declared_secrets=many))[0].rule
    )
    few = dict(list(many.items())[:20])
    assert not _errors(oss(store=AWS, identity=IRSA, declared_secrets=few))


def test_another_secret_manager_is_a_loss_that_names_what_stays_behind() -> None:
    before = snapshot(load(_store("vault", vault=ADDRESS) | {"tags": STAGING}, source="t").settings)
    other = oss(store=AWS, identity=IRSA, declared_secrets=TOKEN, tags=STAGING)
    after = snapshot(load(other, source="t").settings)
    (loss,) = find_losses(before, after)
    assert "TOKEN" in loss.text
    assert "secret-manager" in loss.text
    assert "store.also" not in loss.text


def test_another_mount_is_told_by_the_key_of_the_stack_file() -> None:
    facts = [
        snapshot(
            load(
                _store("vault", vault=ADDRESS | {"mount": mount}) | {"tags": STAGING}, source="t"
            ).settings
        )
        for mount in ("one", "two")
    ]
    (loss,) = find_losses(*facts)
    assert "kestra:store.vault.mount would change from one to two" in loss.text


def test_an_existing_secret_that_is_not_declared_any_more_is_no_loss() -> None:
    existing = {"SMTP": {"existing": {"name": "platform/smtp"}}}
    before = _store("vault", vault=ADDRESS, secrets=TOKEN | existing) | {"tags": STAGING}
    after = _store("vault", vault=ADDRESS) | {"tags": STAGING}
    facts = [snapshot(load(document, source="t").settings) for document in (before, after)]
    assert find_losses(*facts) == []
