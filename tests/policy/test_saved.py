"""What Pulumi saved is judged without Pulumi: states, previews and plans, and files that are none of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from policy import command
from policy.core.wire import SECRET, SIGNATURE, UNKNOWN_TEXT
from policy.saved import UnreadableFile, read

PLANTED = "Planted9Secret8Value7"
CIPHER = {SIGNATURE: SECRET, "ciphertext": "djE6cGxhbnRlZA=="}
URN = "urn:pulumi:kestra-{environment}::any::{type}::{name}"


def entry(type_: str, name: str, inputs: Mapping[str, Any], environment: str = "prod") -> Any:
    urn = URN.format(environment=environment, type=type_, name=name)
    return {"urn": urn, "type": type_, "inputs": inputs, "outputs": inputs, "custom": True}


def key(environment: str = "prod", **more: Any) -> Any:
    tags = {"owner": "a", "environment": "production", "data-class": "internal"}
    inputs = {"tags": tags, "enableKeyRotation": True, "deletionWindowInDays": 30, **more}
    return entry("aws:kms/key:Key", "key", inputs, environment) | {"protect": True}


def state(*resources: Any) -> Any:
    return {"version": 3, "deployment": {"manifest": {}, "resources": list(resources)}}


def preview(*resources: Any) -> Any:
    return {"steps": [{"op": "create", "urn": r["urn"], "newState": r} for r in resources]}


def plan(*resources: Any) -> Any:
    return {
        "resourcePlans": {
            r["urn"]: {
                "goal": {
                    "type": r["type"],
                    "protect": r.get("protect", False),
                    "inputDiff": {"adds": r["inputs"]},
                },
                "steps": ["create"],
                "state": {},
            }
            for r in resources
        }
    }


def judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], document: Any, *options: str
) -> tuple[int, dict[str, Any]]:
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(document))
    code = command.main(["judge", str(file), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("form", [state, preview, plan])
def test_each_form_is_judged_with_all_findings_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: Any
) -> None:
    good = judged(tmp_path, capsys, form(key()))
    assert (good[0], good[1]["violations"], good[1]["environment"]) == (0, [], "production")
    code, document = judged(
        tmp_path, capsys, form(key(deletionWindowInDays=7, policy=UNKNOWN_TEXT))
    )
    assert code == 1
    (violation,) = document["violations"]
    assert (violation["control"], violation["level"]) == ("ks-keys-02", "mandatory")
    assert violation["resource"].endswith("::key")
    assert "ks-keys-03" in {one["control"] for one in document["undecided"]}


def test_the_stacks_name_or_an_option_says_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = state(key("dev", enableKeyRotation=False))
    code, said = judged(tmp_path, capsys, document)
    assert (code, said["environment"]) == (0, "development")
    assert [v["level"] for v in said["violations"]] == ["advisory"]
    assert judged(tmp_path, capsys, document, "--environment", "staging")[0] == 1


@pytest.mark.parametrize(
    "value", [CIPHER, "[secret]", {SIGNATURE: SECRET, "plaintext": f'"{PLANTED}"'}]
)
def test_a_secret_counts_as_one_whatever_is_known_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: Any
) -> None:
    version = "aws:secretsmanager/secretVersion:SecretVersion"
    code, document = judged(
        tmp_path, capsys, state(entry(version, "version", {"secretString": value}))
    )
    assert (code, document["violations"], document["undecided"]) == (0, [], [])
    assert PLANTED not in json.dumps(document)
    assert judged(tmp_path, capsys, state(entry(version, "v", {"secretString": PLANTED})))[0] == 1


def test_what_an_encrypted_value_would_decide_is_not_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {"owner": "a", "environment": "production", "data-class": "internal"}
    metadata = {"name": "kestra", "namespace": "kestra", "labels": labels}
    secret = entry("kubernetes:core/v1:Secret", "s", {"metadata": metadata, "stringData": CIPHER})
    container = {"name": "kestra", "image": CIPHER, "envFrom": [{"secretRef": {"name": "kestra"}}]}
    spec = {"template": {"spec": {"containers": [container]}}}
    pods = entry("kubernetes:apps/v1:Deployment", "pods", {"metadata": metadata, "spec": spec})
    _, document = judged(tmp_path, capsys, state(secret, pods))
    said = {v["control"] for v in document["violations"]}
    undecided = {one["control"] for one in document["undecided"]}
    assert not said & {"ks-kestra-01", "ks-kestra-02", "ks-kestra-20", "ks-secret-stores-14"}
    assert {"ks-kestra-01", "ks-kestra-02"} <= undecided


def test_secrets_of_others_that_are_encrypted_leave_nothing_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {"owner": "a", "environment": "production", "data-class": "internal"}
    metadata = {"name": "other", "namespace": "kestra", "labels": labels}
    for data in (CIPHER, {"PASSWORD": CIPHER, "tls": CIPHER}):
        other = entry("kubernetes:core/v1:Secret", "s", {"metadata": metadata, "stringData": data})
        code, document = judged(tmp_path, capsys, state(other))
        assert (code, document["violations"], document["undecided"]) == (0, [], [])


def test_a_preview_without_what_stays_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(preview(key()) | {"changeSummary": {"create": 1, "same": 4}}))
    assert command.main(["judge", str(file)]) == 2
    assert "--show-sames" in capsys.readouterr().err


def test_what_goes_away_is_not_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoiled = key(deletionWindowInDays=7)
    steps = preview(spoiled)
    steps["steps"][0]["op"] = "delete"
    for document in (state(spoiled | {"delete": True}), steps):
        assert judged(tmp_path, capsys, document)[0] == 0


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"a": 1}', '{"deployment": 1}', "null"])
def test_a_file_that_is_none_says_how_to_write_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "saved.json"
    file.write_text(text)
    with pytest.raises(UnreadableFile, match=r"pulumi stack export --file state\.json"):
        read(file)


def test_a_configuration_with_problems_names_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, config = tmp_path / "saved.json", tmp_path / "policy.json"
    file.write_text(json.dumps(state(key())))
    options = {
        "registrys": ["a"],
        "requireHsm": "yes",
        "maximumRotationDays": 0,
        "managedElsewhere": ["vault-audits"],
        "exemptions": [{"control": "ks-keys-02", "until": "2999-12-31"}],
    }
    config.write_text(
        json.dumps(
            {
                "ks-configuration": options,
                "ks-keys-2": "advisory",
                "ks-keys-01": "strict",
                "ks-keys-03": {"enforcementLevel": "advisory", "days": 3},
            }
        )
    )
    assert command.main(["judge", str(file), "--config", str(config)]) == 2
    said = capsys.readouterr().err
    for words in (
        "`ks-configuration.registrys` is no option; did you mean `registries`?",
        "`ks-configuration.requireHsm` is no true or false",
        "`ks-configuration.maximumRotationDays` is 0; it is a whole number, 1 or more",
        "`ks-configuration.managedElsewhere.0` is `vault-audits`; did you mean `vault-audit`?",
        "`ks-configuration.exemptions.0.until` is no key of an entry",
        "`ks-keys-2` is no control of this pack; did you mean `ks-keys-02`?",
        "the level of `ks-keys-01` is none of advisory, mandatory, remediate, disabled",
        "`ks-keys-03` takes a level and no options",
    ):
        assert words in said, words


def test_levels_of_a_configuration_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "policy.json"
    document = state(key(deletionWindowInDays=7))
    for levels, code, count in (
        ({"all": "advisory"}, 0, 1),
        ({"all": "advisory", "ks-keys-02": {"enforcementLevel": "mandatory"}}, 1, 1),
        ({"ks-keys-02": "disabled"}, 0, 0),
    ):
        config.write_text(json.dumps(levels))
        refused, said = judged(tmp_path, capsys, document, "--config", str(config))
        assert (refused, len(said["violations"])) == (code, count)


def test_lines_for_people_name_control_level_and_what_to_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(state(key(deletionWindowInDays=7))))
    assert command.main(["judge", str(file)]) == 1
    said = capsys.readouterr().out
    assert "[mandatory] [high] ks-keys-02 KMS keys can be rescued" in said
    assert "Change deletionWindowInDays" in said
    assert said.endswith("violations: 1, mandatory: 1\n")


def test_lines_for_people_begin_with_the_worst_and_name_a_control_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = tmp_path / "levels.json"
    levels.write_text(json.dumps({"ks-keys-02": "advisory"}))
    manifest = {"kind": "ConfigMap", "metadata": {"name": "kestra", "namespace": "kestra"}}
    text = "kestra: {server: {basic-auth: {username: a@b.example, password: Pl4nted}}}"
    objects = entry("kubernetes:core/v1:ConfigMap", "c", {**manifest, "data": {"a.yaml": text}})
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(state(key(deletionWindowInDays=7), objects)))
    command.main(["judge", str(file), "--config", str(levels)])
    said = capsys.readouterr().out
    headers = re.findall(r"^\[(mandatory|advisory)\] \[(\w+)\] (ks-\S+) ", said, re.MULTILINE)
    order = ["critical", "high", "medium", "low"]
    ranks = [
        (level != "mandatory", order.index(severity), name) for level, severity, name in headers
    ]
    assert ranks == sorted(set(ranks))
    assert headers[-1] == ("advisory", "high", "ks-keys-02")
    assert len(headers) > 3
    assert "Pl4nted" not in said


def test_an_environment_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(state(key())))
    monkeypatch.setenv("KESTRA_POLICY_ENVIRONMENT", "moon")
    assert command.main(["judge", str(file)]) == 2
    assert "KESTRA_POLICY_ENVIRONMENT is none of development, staging, production" in (
        capsys.readouterr().err
    )


URN_OF_KEY = URN.format(environment="prod", type="aws:kms/key:Key", name="k")
#: What Pulumi does not write, and what is said of it.
MALFORMED: dict[str, tuple[Any, str]] = {
    "resources that are a text": ({"deployment": {"resources": PLANTED}}, "has no list in deployment.resources"),
    "a resource that is a text": (state(PLANTED), "has no object in deployment.resources[0]"),
    "a resource without URN": (state(key(), {"type": "a:b:C", "inputs": {}}), "has no resource's URN in deployment.resources[1]"),
    "a URN that is none": (state(key() | {"urn": PLANTED}), "has no resource's URN in deployment.resources[0]"),
    "inputs that are a list": (state(key() | {"inputs": [PLANTED]}), "has no object in inputs or outputs of a resource"),
    "outputs that are a text": (state(key() | {"outputs": PLANTED}), "has no object in inputs or outputs of a resource"),
    "dependencies that are a text": (state(key() | {"propertyDependencies": PLANTED}), "has no object in propertyDependencies of a resource"),
    "dependencies of a number": (state(key() | {"propertyDependencies": {"a": 5}}), "has no list in propertyDependencies of a resource"),
    "steps that are a map": ({"steps": {"a": PLANTED}}, "has no list in steps"),
    "a step that is a text": ({"steps": [PLANTED]}, "has no object in steps[0]"),
    "a new state that is a text": ({"steps": [{"op": "create", "newState": PLANTED}]}, "has no object in steps[0].newState"),
    "plans that are a list": ({"resourcePlans": [PLANTED]}, "has no object in resourcePlans"),
    "a plan that is a text": ({"resourcePlans": {URN_OF_KEY: PLANTED}}, "has no object in resourcePlans (number 1)"),
    "a goal that is a text": ({"resourcePlans": {URN_OF_KEY: {"goal": PLANTED}}}, "has no object in goal of resourcePlans (number 1)"),
    "changes that are a text": ({"resourcePlans": {URN_OF_KEY: {"goal": {"inputDiff": PLANTED}}}}, "has no object in inputDiff"),
    "additions that are a list": ({"resourcePlans": {URN_OF_KEY: {"goal": {"inputDiff": {"adds": [PLANTED]}}}}}, "has no object in adds"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_file_that_pulumi_did_not_write_so_is_refused_and_nothing_is_judged(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, message = MALFORMED[name]
    file = tmp_path / "saved.json"
    file.write_text(json.dumps(document))
    assert command.main(["judge", str(file)]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert PLANTED not in said.out + said.err


def test_a_secret_that_is_no_json_counts_as_one_and_deep_nesting_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {SIGNATURE: SECRET, "plaintext": PLANTED}
    _, document = judged(tmp_path, capsys, state(key(description=broken)))
    assert PLANTED not in json.dumps(document)
    file = tmp_path / "saved.json"
    for text in ("[" * 100_000, '{"deployment": {"resources": [' + '{"a": ' * 5000):
        file.write_text(text)
        assert command.main(["judge", str(file)]) == 2
        assert "Traceback" not in capsys.readouterr().err
