"""Whoever follows the fix of a finding to the letter is rid of it: every key of stores and declared secrets."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from components.settings.model import Settings
from components.settings.report import Problem
from components.validation.model_keys import leaves
from tests.settings.fixes_support import Document, Place, followed, put
from tests.settings.malformed_fixtures import oss
from tests.settings.store_documents_support import ADDRESS, IRSA, problems_of
from tests.settings.test_open_source_stores import CASES

#: Valid documents, by the block of `kestra:store` that they have.
BASES: dict[str, Document] = {
    "vault": oss(store={"type": "vault", "vault": ADDRESS}),
    "aws": oss(store={"type": "aws-secret-manager", "aws": {"region": "eu-west-1"}}, identity=IRSA),
    "azure": oss(
        store={
            "type": "azure-key-vault",
            "azure": {"resource-group": "r", "vault-name": "vault-a"},
        },
        identity={"azure": {"oidc-issuer-url": "https://issuer.example.com"}},
    ),
    "gcp": oss(
        store={"type": "google-secret-manager", "gcp": {"project": "acme-project"}},
        identity={"gcp": {"workload-pool": "acme-project.svc.id.goog"}},
    ),
}
#: What stands beside a key of a declared secret so that it is valid.
NEIGHBOURS: dict[str, Any] = {
    "value": {},
    "external": {},
    "generate.password-policy": {"generate": {"keep-from-state": True}},
    "existing.key": {"existing": {"kubernetes-secret": "smtp"}},
    "existing.kubernetes-secret": {"existing": {"key": "password"}},
    "existing.property": {"existing": {"name": "a"}},
    "existing.version": {"existing": {"name": "a"}},
    "existing.encoding": {"existing": {"name": "a"}},
    "existing.name": {},
    "existing.file": {},
}
#: The secret manager whose declared secrets have a key.
OWNERS = {"content-type": "azure", "expires": "azure", "rotation": "aws", "version-aliases": "gcp"}
#: The secret manager whose teams have a key.
TEAMS = {"name-prefix": "gcp", "kms-key-arn": "aws"}
WRONG: tuple[Any, ...] = (
    None, True, 5, 1.5, -1, 10**12, "", " ", "a b", "/a/", "a*", "a\nb", "0", "5 m", "yes", [], [None], ["a", "a"], {}, {"a": None},
)  # fmt: skip


def _keys() -> list[str]:
    fields = {field.alias or name: field for name, field in Settings.model_fields.items()}
    paths = [p for key in ("store", "declared-secrets") for p, _, _ in leaves(key, fields[key])]
    return [path for path in paths if not path.startswith("store.also.")]


def _around(path: str) -> tuple[Document, Place]:
    """A document in which the key may stand, and its place."""
    first, *parts = path.split(".")
    if parts[0] == "teams":
        document = copy.deepcopy(BASES[TEAMS.get(parts[2], "vault")])
        team = {"namespaces": ["company.billing"], "secrets": ["TOKEN"]}
        if "gcp" in document["store"]:
            team = {"name-prefix": "BILLING_", "secrets": ["BILLING_TOKEN"]}
        document["store"]["teams"] = {"billing": team}
        return document, ["store", "teams", "billing", *parts[2:]]
    if first == "store":
        return copy.deepcopy(BASES.get(parts[0], BASES["vault"])), [first, *parts]
    key = ".".join(parts[1:])
    document = copy.deepcopy(BASES[OWNERS.get(parts[1], "vault")])
    document[first] = {"A": copy.deepcopy(NEIGHBOURS.get(key, {"generate": {}}))}
    return document, [first, "A", *parts[1:]]


def _said(document: Document) -> set[tuple[str, str]]:
    return {(p.path, p.message) for p in problems_of(document) if p.severity == "error"}


def _check(document: Document, problem: Problem) -> None:
    before = _said(document)
    for way, changed in followed(document, problem):
        after = _said(changed)
        new = {(path, message) for path, message in after - before if path == problem.path}
        assert (problem.path, problem.message) not in after, (way, problem)
        assert not new, (way, problem, new)


@pytest.mark.parametrize("path", _keys())
def test_the_fix_of_a_wrong_value_makes_it_right(path: str) -> None:
    seen: set[tuple[str, str, str]] = set()
    for wrong in WRONG:
        document, place = _around(path)
        put(document, place, wrong)
        for problem in problems_of(document):
            what = (problem.path, problem.message, problem.fix)
            if what not in seen and problem.severity == "error":
                seen.add(what)
                _check(document, problem)
    assert seen


@pytest.mark.parametrize("case", CASES)
def test_the_fix_of_what_does_not_go_together_makes_it_go(case: str) -> None:
    document, _ = CASES[case]
    for problem in problems_of(document):
        if problem.severity == "error":
            _check(document, problem)
