"""The tiers of the tests, in one place: what each runs, and what is left to the long one.

A test says by markers what it needs; a tier says which needs it serves.

`unit`: nothing but Python. No server, no build, no Node.js, no browser (`make unit`, 2 minutes at most).
`test`: every kind of behaviour once, with all of these (`make test`, 12 minutes at most).
`long`: every row of the tables of which `test` has a sample (`make test-long`, 120 minutes at most, in parts).

Without `--tier` everything that is named is run: `pytest tests/faults/test_killed.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

#: What a test needs beside Python; each is a marker.
NEEDS = {
    "engine": "runs the real Pulumi engine or real servers",
    "kestra": "boots a real Kestra (Java, Maven)",
    "node": "runs a program from npm",
    "browser": "opens pages in Chromium",
}
#: Parts of the long tier; each runs alone: `make test-long PART=kills`.
PARTS = {
    "hostile": "every hostile document; a real Kestra binds what is valid of them",
    "kills": "every moment at which an engine, a command or a plugin is killed",
    "faults": "every failing server, every name that is taken, every place where a secret could leak",
    "conformance": "every backend through the whole life of a stack",
    "stacks": "every stack file: policy pack, update, independent judges, admission",
    "access": "every way to log in to a store and every request that it allows or denies",
    "plugins": "every provider plugin of the sandbox through the engine",
    "rotation": "every value that is rotated, restored or carried from one version to the next",
    "many": "a stack of 3,000 secrets",
    "pods": "real nodes: containers, packets and volumes; needs Linux, root, containerd and runc",
}


@dataclass(frozen=True)
class Long:
    """Tests that only the long tier runs, but for a sample of their kind."""

    tests: str
    """A regular expression that their ids hold, after `tests/`."""
    part: str
    keep: str = ""
    """The same of those among them that every tier runs: the sample."""
    sample: str = ""
    """Where none is kept: the same of the tests that stand for them."""

    def includes(self, name: str) -> bool:
        """Whether a test is left to the long tier by this row."""
        kept = self.keep and re.search(self.keep, name)
        return re.search(self.tests, name) is not None and not kept


LONG = (
    Long(r"settings/test_check_and_engine\.py::test_check_and.*\[catalogue", "hostile", keep=r"(a text|nothing|an empty list|that are numbers|an encrypted (text|map|port))\]"),
    Long(r"settings/test_check_and_engine\.py::test_check_and.*\[store", "hostile", keep=r"(both|a wrong mount|no region and no identity|an unknown type|Pod Identity|a misspelled store)\]"),
    Long(r"components/test_components\.py::test_(every_resource_has|a_component_has_its_frozen).*\[", "stacks", keep=r"\[(kafka|local|vault-production)\]"),
    Long(r"faults/test_sensitive_settings\.py::test_(file_report|what_is_registered).*\[", "faults", keep=r"\[(delinea|vault app-role|keys of the catalogue|aws-ssm.*)\]"),
    Long(r"components/test_vault_scope\.py::test_the_policy_of_the_stack_and_the_report.*\[", "stacks", keep=r"\[a (shared engine, read-only, (with declared secrets|of others)|folder).*\]"),
    Long(r"plugins/test_cloud_inputs\.py::test_the_committed_schema.*\[azure_native", "plugins", sample=r"plugins/test_cloud_inputs\.py::test_the_committed_schema.*\[aws"),
    Long(r"components/test_(azure|gcp)\.py::test_(what_is_deleted_can|a_destroyed_version).*\[", "stacks", keep=r"\[(production|staging-store1)"),
    Long(r"stores/test_external_values_engine\.py.*\[", "conformance", keep=r"\[vault\]"),
    Long(r"stores/test_team_stacks_engine\.py", "access", keep=r"test_vault_answers"),
    Long(r"stores/test_team_clouds_engine\.py", "conformance", sample=r"stores/test_team_stacks_engine\.py"),
    Long(r"settings/test_environments_engine\.py", "stacks", sample=r"settings/test_environments\.py"),
    Long(r"settings/test_other_stacks_engine\.py", "stacks", keep="test_outputs_are_in"),
    Long(r"settings/test_other_stacks\.py::test_an_unread_output.*\[", "stacks", keep=r"\[(7|93)\]"),
    Long(r"upgrade/test_version_settings\.py::test_no_key_silently", "rotation", sample=r"upgrade/test_version_settings\.py"),
    Long(r"policy/test_judges\.py::test_checkov_that_cannot", "stacks", sample=r"policy/test_judges\.py"),
    Long(r"benchmarks/test_growth_engine\.py", "stacks", sample=r"benchmarks/test_machinery\.py::test_the_bare"),
    Long(r"benchmarks/test_machinery\.py::test_an_import", "stacks", sample=r"components/test_program\.py::test_only_the_sdk"),
    Long(r"faults/test_guards\.py::test_no_setting_changes", "faults", sample=r"faults/test_guards\.py::test_a_change_that_loses"),
    Long(r"components/test_program\.py::test_only_the_sdk", "stacks", keep=r"\[local-vault"),
    Long(r"components/test_components\.py.*\[", "stacks", keep=r"\[(local|vault-production|azure-key-vault-staging|google-secret-manager-production|kafka)\]"),
    Long(r"components/test_external_secrets\.py.*\[", "stacks", keep=r"\[vault\]"),
    Long(r"components/test_external_secrets\.py::test_(google|azure|aws|what_aws)", "stacks", sample=r"components/test_external_secrets\.py::test_vaults_policy"),
    Long(r"components/test_inventories\.py::test_a_stack_is.*\[", "stacks", keep=r"\[(local|vault|oss-vault|kafka|oidc|azure-key-vault-staging|aws-secret-manager-production|google-secret-manager-staging)"),
    Long(r"faults/test_hostile_settings\.py::test_a_file_that.*\[many (wrong|unknown)", "hostile", sample=r"faults/test_hostile_examples\.py::test_twenty_thousand"),
    Long(r"sandbox/test_leaks\.py::test_(a_planted|another)_value", "faults", keep=r"\[base64-|-console\]|-database\]"),
    Long(r"upgrade/test_version_inventories\.py.*\[", "stacks", keep=r"\[(vault-production|azure-key-vault-staging|local)"),
    Long(r"sandbox/test_report\.py::test_(every_first|the_page_loads|no_secret_of|the_drawing).*\[", "stacks", keep=r"\[(local|example-google)"),
    Long(r"sandbox/test_report_browser\.py", "stacks", keep=r"\[local-vault\]"),
    Long(r"sandbox/test_side_by_side_engine\.py", "stacks", sample=r"examples/test_side_by_side\.py"),
    Long(r"sandbox/test_judgement\.py::test_(a_mandatory|without_the_pack|in_development)", "stacks", sample=r"policy/test_engine\.py::test_a_naive"),
    Long(r"sandbox/test_main_job\.py::test_(a_changed|purge|destroy|after_down)", "stacks", sample=r"sandbox/test_main_job\.py"),
    Long(r"policy/test_stacks_engine\.py::test_(a_preview|an_update|a_stack)", "stacks", keep=r"an_update.*\[production\]"),
    Long(r"policy/test_stacks_engine\.py::test_kestra_reads", "stacks", sample=r"plugins/test_vault_engine\.py::test_a_life"),
    Long(r"policy/test_judges_engine\.py.*\[", "stacks", keep=r"\[Deployment"),
    Long(r"policy/test_engine\.py", "stacks", keep="a_naive_production"),
    Long(r"policy/test_public_engine\.py", "stacks", keep=r"recorded\[terraform\]"),
    Long(r"components/test_admission\.py", "stacks", keep=r"\[(vault-production|enterprise-2\.0|kafka|local, plain.*|(local|worker groups), every.*)\]"),
    Long(r"upgrade/test_states\.py::test_nothing.*\[", "stacks", keep=r"\[(local|local-vault) of"),
    Long(r"components/test_moving\.py::test_.*\[.* to ", "conformance", keep=r"\[local-vault to|to local-vault\]"),
    Long(r"stores/test_conformance\.py", "conformance", keep=r"\[(vault|jdbc)\]"),
    Long(r"stores/test_(azure|gcp)_engine\.py", "conformance", sample=r"stores/test_conformance\.py.*\[vault\]"),
    Long(r"stores/test_moving_engine\.py", "conformance", sample=r"components/test_moving\.py"),
    Long(
        r"faults/test_killed\.py::test_(an_up|a_changed|a_destroy|one_stack|a_recovery|a_plugin|plain)",
        "kills",
        keep="vault: up, after Create of store-engine",
    ),
    Long(r"sandbox/test_interruption\.py", "kills", sample=r"faults/test_killed\.py::test_a_command_that_is_killed"),
    Long(r"faults/test_failed_rollouts\.py", "faults", sample=r"components/test_rollouts\.py"),
    Long(r"faults/test_failing_servers\.py", "faults", keep="a_denied_permission"),
    Long(r"faults/test_failing_sandbox\.py", "faults", sample=r"faults/test_failing_servers\.py::test_a_denied"),
    Long(r"faults/test_guards\.py::test_(backends|the_encryption_key)", "faults", sample=r"faults/test_guards\.py::test_a_change_that_loses"),
    Long(r"faults/test_leaks\.py", "faults", sample=r"sandbox/test_main_job\.py::test_no_secret|faults/test_quoting_server\.py"),
    Long(r"sandbox/test_services\.py::TestControlPlane::test_(it_starts_on|two_starts|what_was_killed)", "faults", keep=r"\[etcd\]"),
    Long(r"faults/test_names_taken\.py", "faults", sample=r"faults/test_second_life\.py"),
    Long(r"stores/test_vault_access\.py", "access", keep=r"\[password-managed\]"),
    Long(r"kestra/test_plugin_defaults\.py", "access", sample=r"components/test_task_runner\.py"),
    Long(r"kestra/test_datasource_properties\.py", "access", sample=r"components/test_database_authority\.py"),
    Long(r"stores/test_task_runner_access\.py", "access", keep=r"test_(every_verb|the_quota)"),
    Long(r"stores/test_deployer_access\.py::test_a_stack", "access", sample=r"stores/test_deployer_access\.py::test_who"),
    Long(r"settings/test_engine_config\.py::test_the_command", "access", keep="a secret in clear|an encrypted block"),
    Long(r"components/test_encrypted_variables_engine\.py", "access", sample=r"components/test_encrypted_variables\.py"),
    Long(
        r"settings/test_pod_settings\.py::test_check_and",
        "hostile",
        keep=r"(refused (env (unknown|twice)|encrypted|mount without)|valid (env|encrypted|volumes)|warned a secret)",
    ),
    Long(r"settings/test_check_and_engine\.py::test_check_and.*\[malformed: [b-z0-9A-Z]", "hostile", sample=r"settings/test_check_and_engine\.py::test_check_and.*\[malformed: a"),
    Long(
        r"settings/test_fixes\.py",
        "hostile",
        keep=r"\[(store\.(refresh-interval|install|vault\.auth-path)|declared-secrets\.<name>\.external|both|a wrong mount)\]",
    ),
    Long(r"kestra/test_web_server\.py", "access", sample=r"kestra/test_endpoints\.py.*1\.3"),
    Long(r"plugins/test_custom_resources_engine\.py::test_(a_cluster_without|a_real_api)", "plugins", sample=r"plugins/test_custom_resources_engine\.py::test_what_is_registered"),
    Long(r"importing/test_adoption_engine\.py", "stacks", sample=r"importing/test_adoption\.py"),
    Long(r"kestra/test_catalogue_artifacts\.py", "access", sample=r"components/catalogue/test_generate\.py"),
    Long(r"kestra/test_endpoints\.py.*2\.0", "access", sample=r"kestra/test_endpoints\.py.*1\.3"),
    Long(r"kestra/test_real_kestra\.py", "rotation", keep="what_was_meant"),
    Long(r"importing/test_cases\.py.*without_a_passphrase.*\[", "stacks", keep=r"\[06-"),
    Long(r"importing/test_cases\.py.*\[", "stacks", keep=r"\[(01|04|06|08|12)-"),
    Long(r"upgrade/test_version_engine\.py", "rotation", sample=r"kestra/test_real_kestra\.py::test_what_was_meant.*\[2\.0"),
    Long(r"rotation/test_(restore|aws_stack|vault_stack)\.py", "rotation", sample=r"rotation/test_(open_source|encryption_key)\.py"),
    Long(r"plugins/test_vault_behaviour\.py", "plugins", keep="needs_no_vault"),
    Long(r"plugins/test_kubernetes_engine\.py", "plugins", keep="a_second_up|that_exists|the_server_refuses"),
    Long(r"components/test_storage_(aws|gcp|azure)\.py", "stacks", keep="each_account|without_the_setting|role_holds|is_encrypted"),
    Long(r"policy/test_own_stacks\.py.*the_buckets_of", "stacks", keep="oss-aws"),
    Long(r"plugins/test_s3_engine\.py", "plugins", sample=r"plugins/test_vault_engine\.py::test_a_life"),
    Long(r"plugins/test_(aws|vault)_engine\.py", "plugins", keep=r"vault_engine.*a_life_of_every|a_refusal|are_refused\[properties0"),
    Long(r"plugins/test_(azure|gcp|random)_engine\.py", "plugins", keep=r"a_refusal.*properties2|refused_with_its_name"),
    Long(r"faults/test_hostile_program\.py::test_a_real_kestra", "hostile", sample=r"faults/test_hostile_program\.py::test_no_valid"),
    Long(
        r"components/catalogue/test_coverage\.py::test_a_block",
        "hostile",
        keep="plugins-and-execution|enterprise-and-advanced @store|sso/keycloak|full-reference.* [1-9]\\]",
    ),
    Long(r"package/test_(consumers|examples|failures|sdks)_engine\.py", "stacks", sample=r"package/test_(options_engine|examples)\.py"),
    Long(r"package/test_options_engine\.py", "stacks", keep=r"::test_a_(provider|protected)"),
    Long(r"package/test_distribution\.py::test_a_fresh", "stacks", sample=r"package/test_distribution\.py"),
    Long(r"releasing/test_release_engine\.py", "stacks", keep=r"test_a_release_has"),
    Long(r"kestra/test_worker_channel\.py::test_(renewed|the_open|a_worker_refuses|a_worker_without.*\[(plain|none|of))", "access", sample=r"kestra/test_worker_channel\.py::test_a_worker_without.*\[foreign"),
    Long(r"kestra/test_catalogue_binding\.py.*1\.3", "hostile", sample=r"kestra/test_catalogue_binding\.py.*2\.0"),
    Long(r"faults/test_error_hooks\.py::test_every_failure", "faults", keep=r"\[2-plain"),
)  # fmt: skip
#: The files that take longest, by measured times.
SLOWEST = (
    "sandbox/test_main_job",
    "stores/test_conformance",
    "faults/test_killed",
    "kestra/test_real_kestra",
    "policy/test_judges_engine",
    "policy/test_stacks_engine",
    "faults/test_failing_servers",
    "plugins/test_kubernetes_engine",
)
#: Programs that no test of the unit tier starts, save one that the test itself wrote.
_REFUSED = re.compile(
    r"go|java|javac|mvn|node|npm|npx|chromium.*|google-chrome.*|pulumi.*|etcd|kube.*|kwok|vault"
)


def long(part: str) -> pytest.MarkDecorator:
    """The marker of a test, or of a row of one, that only the long tier runs.

    Raises:
        KeyError: for a part that `PARTS` does not have.
    """
    assert PARTS[part]
    return pytest.mark.long(part)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tiers")
    group.addoption("--tier", choices=("unit", "test", "long"), help="run one tier of the tests")
    group.addoption("--part", choices=sorted(PARTS), help="with --tier long: one part of it")


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in NEEDS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.addinivalue_line("markers", "long(part): only in the long tier (tests/tiers.py)")
    if config.getoption("--part") and config.getoption("--tier") != "long":
        raise pytest.UsageError("--part goes with --tier long")
    if config.getoption("--tier") == "unit":
        sys.addaudithook(_refuse_programs)


def part_of(item: pytest.Item) -> str | None:
    """The part of the long tier that a test belongs to; None: it belongs to the others."""
    marker = item.get_closest_marker("long")
    if marker is not None:
        return marker.args[0]
    rows = _rows_of(item.nodeid.partition("::")[0])
    return next((row.part for row in rows if row.includes(item.nodeid)), None)


@cache
def _rows_of(file: str) -> tuple[Long, ...]:
    """The rows that may be about tests of a file: each row's expression begins with that of its files."""
    return tuple(row for row in LONG if re.search(row.tests.partition(r"\.py")[0] + r"\.py", file))


#: Every collected test, whatever tier is run: its id, and its part of the long tier.
COLLECTED = pytest.StashKey[dict[str, str | None]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tier, part = config.getoption("--tier"), config.getoption("--part")
    parts = config.stash[COLLECTED] = {item.nodeid: part_of(item) for item in items}
    if tier is None:
        return
    chosen = {item for item in items if _belongs(item, parts[item.nodeid], tier, part)}
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    # What takes longest comes first, so that no worker is left with it at the end. A file stays in its order.
    with_needs = {item.path for item in chosen if any(map(item.get_closest_marker, NEEDS))}
    items[:] = sorted(
        (item for item in items if item in chosen),
        key=lambda item: (_rank(item.path.as_posix()), item.path not in with_needs),
    )


def _rank(path: str) -> int:
    """The place of a test's file among the slowest; behind them for the others."""
    return next((i for i, file in enumerate(SLOWEST) if f"/{file}." in path), len(SLOWEST))


def _belongs(item: pytest.Item, its_part: str | None, tier: str, part: str | None) -> bool:
    if tier == "long":
        return its_part is not None and part in (None, its_part)
    if its_part is not None:
        return False
    return tier == "test" or not any(item.get_closest_marker(need) for need in NEEDS)


def _refuse_programs(event: str, arguments: tuple[Any, ...]) -> None:
    """A test of the unit tier that starts a server, a build or a browser fails: it lacks a marker."""
    if event != "subprocess.Popen":
        return
    name = os.fsdecode(arguments[0] or arguments[1][0])
    environment = arguments[3] if arguments[3] is not None else os.environ
    program = Path(shutil.which(name, path=environment.get("PATH")) or name).resolve()
    if _REFUSED.fullmatch(program.name) and not program.is_relative_to(tempfile.gettempdir()):
        raise RuntimeError(f"the unit tier does not start {program.name}: the test lacks a marker")
