"""`kestra:store.type`: everything that is wrong with it is told at once, at the keys of the stack file."""

from __future__ import annotations

from typing import Any

import pytest

from components.safeguards.irreversible_changes import find_losses, snapshot
from components.validation import load
from components.validation.rules.external_secrets import _POLICY_SIZE
from tests.settings.malformed_fixtures import VAULT, enterprise, oss
from tests.settings.store_documents_support import (
    ADDRESS,
    IRSA,
    TOKEN,
    errors_of,
    problems_of,
    with_store,
)

STAGING = {"environment": "staging"}
AWS = {"type": "aws-secret-manager", "aws": {"region": "eu-west-1"}}


DEPENDENT = TOKEN | {
    "EXTERNAL": {"external": True},
    "NAMED": {"existing": {"name": "platform/smtp"}},
}
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
    "an unknown type": (with_store("etcd"), {"store.type"}),
    "no block": (with_store("vault"), {"store.vault"}),
    "no address": (with_store("vault", vault={}), {"store.vault.address"}),
    "a wrong address": (
        with_store("vault", vault={"address": "vault:8200"}),
        {"store.vault.address"},
    ),
    "a wrong mount": (with_store("vault", vault=ADDRESS | {"mount": "a/*"}), {"store.vault.mount"}),
    "a path with a wildcard": (
        with_store("vault", vault=ADDRESS | {"path": "a/*"}),
        {"store.vault.path"},
    ),
    "another block": (
        with_store("vault", vault=ADDRESS, gcp={"project": "acme"}),
        {"store.gcp"},
    ),
    "no region and no identity": (
        with_store("aws-secret-manager", aws={}),
        {"store.aws.region", "identity.aws"},
    ),
    "no block of AWS": (with_store("aws-ssm-parameter-store", IRSA), {"store.aws"}),
    "a prefix that AWS refuses": (
        with_store("aws-secret-manager", IRSA, aws={"region": "eu-west-1", "prefix": "a b"}),
        {"store.aws.prefix", "declared-secrets.TOKEN"},
    ),
    "Pod Identity": (
        with_store(
            "aws-secret-manager",
            {"aws": {"pod-identity": {"cluster-name": "c"}}},
            aws={"region": "eu-west-1"},
        ),
        {"identity.aws.pod-identity"},
    ),
    "no project": (
        with_store("google-secret-manager", gcp={}),
        {"store.gcp.project", "identity.gcp"},
    ),
    "no vault's name": (
        with_store("azure-key-vault", azure={"resource-group": "r"}),
        {"store.azure.vault-name", "identity.azure"},
    ),
    "out of Vault's reach": (
        with_store("vault", {"vault": {"reach-cluster": False, "paths": ["a"]}}, vault=ADDRESS),
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
        with_store("vault", vault=ADDRESS, also=VAULT | {"type": "vault"}),
        {"store.also"},
    ),
    "keys without a type": (
        oss(store={"refresh-interval": "1m", "install": True, "vault": ADDRESS}),
        {"store.refresh-interval", "store.install", "store.vault"},
    ),
    "an existing secret without a place, and one with two": (
        with_store(
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
    "an unknown type with all that depends on it": (
        with_store("valt", vault=ADDRESS, secrets=DEPENDENT),
        {"store.type"},
    ),
    "no block at all": (oss(store="vault", declared_secrets=DEPENDENT), {"store"}),
    "a misspelled type": (
        oss(store={"typ": "vault", "vault": ADDRESS}, declared_secrets=DEPENDENT),
        {"store.typ"},
    ),
    "a misspelled store": (
        oss(stor={"type": "vault", "vault": ADDRESS}, declared_secrets=DEPENDENT),
        {"stor"},
    ),
    "an unknown manager of the Enterprise Edition with all that depends on it": (
        enterprise(
            secret={"type": "valt", "vault": ADDRESS},
            store={"aws": {}},
            encryption={"external": True, "fingerprint": "1a2b3c4d"},
            declared_secrets={
                "A": {"namespace": "a", "external": True, "expires": "2027-01-31T00:00:00Z"},
                "B": {"namespace": "a", "generate": {}},
            },
        ),
        {"secret.type"},
    ),
    "an unknown second manager of the Enterprise Edition": (
        enterprise(
            store={"azure": {"resource-group": "r"}, "also": {"type": "azur-key-vault"}},
            declared_secrets={
                "A": {"namespace": "a", "generate": {}, "expires": "2027-01-31T00:00:00Z"}
            },
        ),
        {"store.also.type"},
    ),
    "both, and both with faults": (
        oss(
            secret=VAULT | {"read-only": False},
            store={"type": "aws-secret-manager", "aws": {"region": "eu-west-1"}},
            identity=IRSA,
            declared_secrets=TOKEN,
        ),
        {"secret", "store.type"},
    ),
    "a manager of the Enterprise Edition in managed mode": (
        oss(secret=VAULT | {"read-only": False}, declared_secrets=DEPENDENT),
        {"secret", "declared-secrets.EXTERNAL.external", "declared-secrets.NAMED.existing.name"},
    ),
    "a Kubernetes Secret beside another place": (
        oss(declared_secrets={"A": {"existing": {"kubernetes-secret": "a", "file": "/a"}}}),
        {"declared-secrets.A.existing"},
    ),
    "Enterprise with the block of open source": (
        enterprise(store={"vault": ADDRESS}),
        {"store.vault"},
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
    assert set(errors_of(document)) == expected


@pytest.mark.parametrize("case", [c for c in CASES if "nterprise" not in c and "both" not in c])
def test_nobody_is_told_of_keys_that_open_source_does_not_have(case: str) -> None:
    for problem in problems_of(CASES[case][0]):
        if problem.path != "kestra:secret":
            for text in (problem.path, problem.fix):
                assert "kestra:secret." not in text
            assert "in the Enterprise Edition kestra:secret" not in problem.rule


def test_a_stack_without_a_store_is_as_it_was() -> None:
    settings = load(ALONE, source="test").settings
    assert settings.secret is None
    assert not settings.uses_external_secrets
    assert settings.store_account == settings.identity.service_account.name
    assert "reader" not in snapshot(settings)


def test_the_store_is_the_secret_manager_of_the_program_and_not_of_kestra() -> None:
    from components.rendering.configuration import render

    settings = load(with_store("vault", vault=ADDRESS), source="test").settings
    assert (settings.access_mode, settings.store_account) == ("external-secrets", "kestra-secrets")
    assert settings.secret is not None
    assert "secret" not in render(settings).document["kestra"]


def test_a_role_that_would_be_too_large_is_refused_before_aws_refuses_it() -> None:
    many = {f"A_LONG_NAME_OF_A_SECRET_{i}": {"generate": {}} for i in range(60)}
    errors = errors_of(oss(store=AWS, identity=IRSA, declared_secrets=many))
    assert set(errors) == {"declared-secrets"}
    assert "characters" in errors["declared-secrets"]
    assert (
        f"{_POLICY_SIZE:,}"
        in problems_of(oss(store=AWS, identity=IRSA, declared_secrets=many))[0].rule
    )
    few = dict(list(many.items())[:20])
    assert not errors_of(oss(store=AWS, identity=IRSA, declared_secrets=few))


def test_another_secret_manager_is_a_loss_that_names_what_stays_behind() -> None:
    before = snapshot(
        load(with_store("vault", vault=ADDRESS) | {"tags": STAGING}, source="t").settings
    )
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
                with_store("vault", vault=ADDRESS | {"mount": mount}) | {"tags": STAGING},
                source="t",
            ).settings
        )
        for mount in ("one", "two")
    ]
    (loss,) = find_losses(*facts)
    assert "kestra:store.vault.mount would change from one to two" in loss.text


def test_an_existing_secret_that_is_not_declared_any_more_is_no_loss() -> None:
    existing = {"SMTP": {"existing": {"name": "platform/smtp"}}}
    before = with_store("vault", vault=ADDRESS, secrets=TOKEN | existing) | {"tags": STAGING}
    after = with_store("vault", vault=ADDRESS) | {"tags": STAGING}
    facts = [snapshot(load(document, source="t").settings) for document in (before, after)]
    assert find_losses(*facts) == []
