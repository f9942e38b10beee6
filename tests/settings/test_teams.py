"""A stack of secrets alone, and the grants of Kestra's stack: what is refused, and where two stacks meet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.__main__ import main
from components.validation import load
from components.validation.stacks_together import shared_secrets
from tests.components.teams_support import MANAGERS, kestra_stack, secrets, team_stack
from tests.conftest import ROOT, stack_document
from tests.settings.store_documents_support import problems_of

EDITIONS = [(manager, is_enterprise) for manager in MANAGERS for is_enterprise in (True, False)]


def _said(document: dict[str, Any]) -> list[str]:
    return [f"{p.path.removeprefix('kestra:')} {p.message}" for p in problems_of(document)]


def test_the_stack_of_a_team_is_valid_without_a_word_in_every_manager_and_edition() -> None:
    for manager, is_enterprise in EDITIONS:
        said = _said(team_stack(manager, is_enterprise=is_enterprise))
        assert said == [], (manager, is_enterprise)


def test_a_grant_is_valid_in_every_manager_and_edition() -> None:
    for manager, is_enterprise in EDITIONS:
        document = kestra_stack(manager, "billing", "sales", is_enterprise=is_enterprise)
        said = [text for text in _said(document) if text.startswith("store.teams")]
        whole = manager == "azure-key-vault" and is_enterprise
        expected = ["store.teams bounds nothing: Kestra reads every secret of the vault"]
        assert said == (expected if whole else []), (manager, is_enterprise)
        load(document, source="test")


NO_KESTRA = "has no effect: this stack has no Kestra"
#: What is changed in the stack of a team in Vault, and everything that is said then.
ALONE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "settings of Kestra": (
        {
            "encryption": {"secret-key": "${KEY}"},
            "server": {"basic-auth": {"username": "a@b.example"}},
            "datasources": {"postgres": {"url": "jdbc:postgresql://db/kestra"}},
            "url": "https://kestra.example.com",
            "rotation": {"server.basic-auth.password": "2"},
            "storage": {"type": "local", "local": {"base-path": "/app"}},
            "plugins": {"configurations": [{"type": "a.b.C", "values": {"x": "y"}}]},
            "additional-configuration": {"x": {"y": "z"}},
        },
        [
            f"{key} {NO_KESTRA}"
            for key in (
                "additional-configuration", "datasources", "encryption", "plugins", "rotation", "server", "storage",
                "url",
            )
        ],
    ),
    "pods": (
        {
            "deployment": {
                "enabled": False,
                "namespace": "kestra",
                "replicas": 2,
                "mode": "distributed",
                "ingress": {"host": "a.example.com", "tls-secret": "t"},
                "protect": True,
            }
        },
        [
            f"deployment.ingress {NO_KESTRA}",
            f"deployment.mode {NO_KESTRA}",
            f"deployment.namespace {NO_KESTRA}",
            "deployment.replicas is no known key",
        ],
    ),
    "identity": (
        {
            "identity": {
                "service-account": {"name": "a"},
                "vault": {"mount-engine": True, "audit-file": "stdout", "paths": ["a"]},
            }
        },
        [
            f"identity.service-account {NO_KESTRA}",
            f"identity.vault.audit-file {NO_KESTRA}",
            f"identity.vault.paths {NO_KESTRA}",
        ],
    ),
    "log-in and cache": (
        {
            "secret": {
                "type": "vault",
                "read-only": True,
                "cache": {"enabled": True},
                "vault": {"address": "https://v:8200", "kubernetes": {}, "connect-timeout": "5s"},
            }
        },
        [
            f"secret.cache {NO_KESTRA}",
            f"secret.vault.connect-timeout {NO_KESTRA}",
            f"secret.vault.kubernetes {NO_KESTRA}",
        ],
    ),
    "no manager": (
        {"secret": {}},
        ["deployment.enabled leaves the secrets without a secret manager"],
    ),
    "a store of Kestra's own": (
        {"secret": {"type": "jdbc"}},
        [
            "declared-secrets cannot be written to jdbc",
            "secret.type is jdbc, which this stack cannot write to",
        ],
    ),
    "managed": (
        {"secret": {"type": "vault", "vault": {"address": "https://v:8200"}}},
        ["declared-secrets needs read-only mode"],
    ),
    "no team": ({"store": {}}, ["store.teams names no team"]),
    "two teams": (
        {"store": {"teams": {"a": {"namespaces": ["a"]}, "b": {"namespaces": ["b"]}}}},
        ["store.teams names 2 teams"],
    ),
    "a team without namespaces": (
        {"store": {"teams": {"billing": {}}}},
        ["store.teams.billing.namespaces is missing"],
    ),
    "a name of a team": (
        {"store": {"teams": {"Billing Team": {"namespaces": ["company.billing"]}}}},
        ["store.teams.Billing Team is no name of a team"],
    ),
    "another's namespace": (
        {
            "declared-secrets": {
                "A": {"namespace": "company.billings", "generate": {}},
                "B": {"namespace": "company.billing", "tenant": "other", "generate": {}},
                "C": {"namespace": "company.billing.x", "generate": {}},
            }
        },
        [
            "declared-secrets.A.namespace is not of team billing: company.billings of tenant main is not in "
            "company.billing of tenant main",
            "declared-secrets.B.namespace is not of team billing: company.billing of tenant other is not in "
            "company.billing of tenant main",
        ],
    ),
    "a key of AWS": (
        {"store": {"teams": {"billing": {"namespaces": ["company.billing"], "kms-key-arn": "arn:aws:kms:eu-west-1:111122223333:key/1"}}}},
        ["store.teams.billing.kms-key-arn has no use in HashiCorp Vault"],
    ),
}  # fmt: skip


def test_what_has_no_effect_in_a_stack_of_secrets_alone_is_said_all_at_once() -> None:
    for name, (changed, expected) in ALONE.items():
        assert sorted(_said(team_stack("vault") | changed)) == expected, name


def test_without_what_is_refused_the_stack_of_a_team_is_valid() -> None:
    for name in ("settings of Kestra", "pods", "identity", "log-in and cache"):
        document: Any = team_stack("vault") | ALONE[name][0]
        for problem in problems_of(document):
            assert "remove it" in problem.fix or problem.message == "is no known key"
            *path, last = problem.path.removeprefix("kestra:").split(".")
            node = document
            for part in path:
                node = node[part]
            del node[last]
        assert _said(document) == [], name


#: Manager, edition, what is changed in the stack of a team there, and what is said.
OTHER_MANAGERS: list[tuple[str, bool, dict[str, Any], list[str]]] = [
    ("aws-ssm-parameter-store", True, {"declared-secrets": {"SALES_TOKEN": {"namespace": "a", "generate": {}}}},
     ["declared-secrets.SALES_TOKEN is not of team billing: its name does not begin with BILLING_"]),
    ("google-secret-manager", False, {"declared-secrets": secrets("", "sales", is_enterprise=False)},
     [f"declared-secrets.SALES_{n} is not of team billing: its name does not begin with BILLING_" for n in ("PASSWORD", "TOKEN")]),
    ("vault", False, {"store": {"type": "vault", "refresh-interval": "1m", "vault": {"address": "https://v:8200", "auth-path": "k"}, "teams": {"billing": {"namespaces": ["company.billing"]}}}},
     [f"store.refresh-interval {NO_KESTRA}", f"store.vault.auth-path {NO_KESTRA}"]),
    ("vault", False, {"declared-secrets": {"A": {"existing": {"name": "x"}}}},
     ["declared-secrets.A.existing has no effect: no Kestra of this stack reads it"]),
    ("vault", False, {"store": {"type": "vault", "vault": {"address": "https://v:8200"}, "teams": {"billing": {"namespaces": ["a", "b"]}}}},
     ["store.teams.billing.namespaces has 2 namespaces"]),
    ("azure-key-vault", True, {"store": {"azure": {"resource-group": "r", "recovery-vault-name": "rec", "workspace-id": "/subscriptions/a/workspaces/b"}, "teams": {"billing": {"name-prefix": "BILLING_"}}}},
     [f"store.azure.recovery-vault-name {NO_KESTRA}", f"store.azure.workspace-id {NO_KESTRA}"]),
    ("azure-key-vault", True, {"store": {"azure": {"resource-group": "r"}, "teams": {"billing": {}}}},
     ["store.teams.billing.name-prefix is missing"]),
]  # fmt: skip


def test_in_each_manager_a_team_is_known_by_what_its_names_have() -> None:
    for manager, is_enterprise, changed, expected in OTHER_MANAGERS:
        document = team_stack(manager, is_enterprise=is_enterprise) | changed
        assert sorted(_said(document)) == expected, (manager, changed)


#: What is changed in the stack of a Kestra that is granted team billing, and what is said of it.
GRANTS: list[tuple[str, bool, dict[str, Any], list[str]]] = [
    ("vault", True, {"secret": {"type": "vault", "vault": {"address": "https://v:8200"}}, "declared-secrets": {}},
     ["store.teams needs read-only mode"]),
    ("vault", True, {"secret": {"type": "jdbc"}, "declared-secrets": {}},
     ["store.teams has no secret manager that teams could write to"]),
    ("vault", True, {"declared-secrets": {"A": {"namespace": "company.billing.x", "generate": {}}}},
     ["declared-secrets.A is where the secrets of team billing are"]),
    ("google-secret-manager", True, {"declared-secrets": {"BILLING_X": {"namespace": "a", "generate": {}}}},
     ["declared-secrets.BILLING_X is where the secrets of team billing are"]),
    ("vault", False, {"declared-secrets": {"billing_token": {"generate": {}}}},
     ["store.teams.billing.secrets has BILLING_TOKEN, which this stack has too"]),
    ("vault", False, {"declared-secrets": {"BILLING_TOKEN": {"generate": {}}}},
     ["store.teams.billing.secrets has BILLING_TOKEN, which this stack has too"]),
]  # fmt: skip


def test_a_grant_that_cannot_be_given_or_that_two_stacks_write_is_refused() -> None:
    for manager, is_enterprise, changed, expected in GRANTS:
        document = kestra_stack(manager, "billing", is_enterprise=is_enterprise) | changed
        said = [text for text in _said(document) if "ee" not in text.split()[0].split(".")]
        assert [t for t in said if "team" in t] == expected, (manager, changed, said)


def test_more_teams_than_the_policy_of_a_role_can_name_are_refused() -> None:
    for count, is_refused in ((10, False), (60, True)):
        document = kestra_stack("aws-secret-manager", *(f"team-{n}" for n in range(count)))
        said = [text for text in _said(document) if "too many for the policy" in text]
        assert bool(said) == is_refused, count
        assert all(text.startswith("store.teams are") for text in said)


def test_two_teams_of_open_source_cannot_have_one_name() -> None:
    document = kestra_stack("google-secret-manager", "billing", "sales", is_enterprise=False)
    document["store"]["teams"]["sales"]["secrets"] += ["BILLING_TOKEN"]
    assert "store.teams.sales.secrets has BILLING_TOKEN, which team billing has too" in _said(
        document
    )


def test_a_store_that_is_shared_with_no_team_yet_is_read_as_far_as_it_is_kestras_own() -> None:
    from components.backends.vault.permissions import WHOLE_ENGINE, scope

    alone = load(kestra_stack("vault"), source="test").settings
    assert scope(alone).folders == ()
    assert scope(alone).secrets == ("main/company/platform/OWN_TOKEN",)
    document = kestra_stack("vault")
    del document["store"]["teams"]
    assert scope(load(document, source="test").settings) == WHOLE_ENGINE


def _pair(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    stacks = [(n, load(d, source="test").settings) for n, d in (("a", first), ("b", second))]
    return [f"{p.source} {p.path} {p.message}" for p in shared_secrets(stacks)]


def test_two_kestras_that_nobody_separated_are_told_when_their_files_are_checked_together() -> None:
    for manager in ("vault", "google-secret-manager", "aws-secret-manager"):
        one = kestra_stack(manager)
        said = _pair(one, kestra_stack(manager))
        assert len([t for t in said if " writes " in t]) == 1, (manager, said)
        other = kestra_stack(manager)
        other["declared-secrets"] = {"OTHER": {"namespace": "company.other", "generate": {}}}
        del other["store"]["teams"]
        del one["store"]["teams"]
        reads = [t for t in _pair(one, other) if "lets its Kestra read" in t]
        # Google grants each declared secret by itself.
        assert len(reads) == (0 if manager == "google-secret-manager" else 2), (manager, reads)
    apart = kestra_stack("vault")
    apart["secret"]["vault"]["root-engine"] = "kestra-b"
    assert _pair(kestra_stack("vault"), apart) == []


def test_a_team_and_the_kestra_that_reads_it_are_not_in_each_others_way() -> None:
    for manager, is_enterprise in EDITIONS:
        kestra = kestra_stack(manager, "billing", is_enterprise=is_enterprise)
        said = _pair(kestra, team_stack(manager, is_enterprise=is_enterprise))
        assert said == [], (manager, is_enterprise)
        both = [team_stack(manager, n, is_enterprise=is_enterprise) for n in ("billing", "sales")]
        assert _pair(*both) == []


def test_teams_of_which_one_has_a_part_of_the_other_are_warned_of() -> None:
    for manager, within in (
        ("vault", {"namespaces": ["a.b", "company.billing.eu"]}),
        ("aws-secret-manager", {"namespaces": ["company.billing"]}),
        ("google-secret-manager", {"name-prefix": "BILLING_EU_"}),
        ("azure-key-vault", {"name-prefix": "billing_eu_"}),
    ):
        document = kestra_stack(manager, "billing", "sales")
        document["store"]["teams"]["sales"] = within
        said = [text for text in _said(document) if "lies within" in text]
        assert f"store.teams.sales.{next(iter(within))} lies within what is of team billing" in said
        document["store"]["teams"]["sales"] = (
            {"namespaces": ["company.billings"]}
            if "namespaces" in within
            else {"name-prefix": "BILLINGS_"}
        )
        assert not [text for text in _said(document) if "lies within" in text], manager


def test_names_of_key_vault_have_no_case_when_a_team_has_them() -> None:
    for manager, said in (
        ("azure-key-vault", ["is where the secrets of team billing are"]),
        ("google-secret-manager", []),
    ):
        document = kestra_stack(manager, "billing")
        own = {"billing_token": {"namespace": "company.platform", "generate": {}}}
        document["declared-secrets"] = own
        messages = [p.message for p in problems_of(document) if "billing_token" in p.path]
        assert messages == said


def test_a_grant_of_names_that_the_team_cannot_declare_is_refused() -> None:
    for manager in MANAGERS:
        document = kestra_stack(manager, "billing", is_enterprise=False)
        block = document["store"]["teams"]["billing"]
        block |= {"name-prefix": "BILLING_", "secrets": ["BILLING_A", "SALES_TOKEN"]}
        message = "store.teams.billing.secrets has SALES_TOKEN, which does not begin with BILLING_"
        assert message in _said(document)
        block["secrets"] = ["BILLING_A"]
        assert message not in _said(document)


def test_the_stack_files_of_this_project_are_not_in_each_others_way(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = []
    for name in ("local-vault", "example-team-secrets", "production", "staging"):
        files.append(str(ROOT / "stacks" / f"Pulumi.{name}.yaml"))
    assert main(["check", *files]) == 0
    assert "lets its Kestra read" not in capsys.readouterr().err
    config = {f"kestra:{k}": v for k, v in kestra_stack("vault").items()}
    for name in ("a", "b"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}))
    assert main(["check", str(tmp_path / "Pulumi.a.yaml"), str(tmp_path / "Pulumi.b.yaml")]) == 0
    assert "main/company/platform/OWN_TOKEN" in capsys.readouterr().err


def test_the_command_prints_the_grant_and_what_the_deployer_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = str(ROOT / "stacks" / "Pulumi.example-team-secrets.yaml")
    assert main(["team", file]) == 0
    text = capsys.readouterr().out
    grant, _, policy = text.partition("# What whoever deploys")
    teams = yaml.safe_load(grant)
    assert teams == {"billing": {"namespaces": ["company.billing"]}}
    assert 'path "kestra/data/main/company/billing/*"' in policy
    document = stack_document("local-vault") | {"store": {"teams": teams}}
    load(document, source="test")
    assert main(["team", str(ROOT / "stacks" / "Pulumi.local-vault.yaml")]) == 1
    assert "is no stack of secrets alone" in capsys.readouterr().err
