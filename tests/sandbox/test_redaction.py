"""What the engine says reaches nobody with a secret of the stack in it, whatever provider plugin said it."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.automation.events import EngineEvent

from components.redaction.secrets import Redaction
from components.stack_encryption import encrypted, new_salt
from sandbox.encryption import secrets_of
from sandbox.engine.events import Recorder
from sandbox.engine.recovery import redact_init_errors
from sandbox.leak_scan.scan import search_text
from sandbox.state import PROJECT, State
from tests.components.recording_support import Recorder as Mocks
from tests.components.recording_support import _test
from tests.sandbox.places_support import FORMS, VALUE

SECRETS = {"PASSWORD": VALUE}
URN = "urn:pulumi:dev::kestra::kubernetes:core/v1:Secret::kestra-secret"
MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def _event(name: str, **fields: Any) -> EngineEvent:
    """An event as the Automation API reads it."""
    return EngineEvent.from_json({"sequence": 1, "timestamp": 2, name: fields})


def _events(message: str) -> list[EngineEvent]:
    texts = {"message": message, "color": "never"}
    policy = {
        "resourceUrn": URN, "policyName": "p", "policyPackName": "k", "policyPackVersion": "1",
        "policyPackVersionTag": "1", "enforcementLevel": "mandatory",
    }  # fmt: skip
    return [
        _event("diagnosticEvent", **texts, severity="error", urn=URN),
        _event("diagnosticEvent", **texts, severity="info", urn=URN, ephemeral=True),
        _event("policyEvent", **texts, **policy),
        _event("stdoutEvent", **texts),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_no_event_is_kept_or_handed_on_with_a_secret(form: str, tmp_path: Path) -> None:
    redaction, seen = Redaction(), list[EngineEvent]()
    redaction.add({"data": [VALUE]})
    record = Recorder(tmp_path / "events.jsonl", redaction, seen.append)
    for event in _events(f"Invalid value: {FORMS[form](VALUE)}: too long"):
        record(event)
    kept = (tmp_path / "events.jsonl").read_bytes()
    messages = [e.diagnostic_event or e.policy_event or e.stdout_event for e in seen]
    assert len(messages) == 4
    for message in [kept, *(one.message.encode() for one in messages if one)]:
        assert search_text(message, "event", SECRETS) == []
        assert b"Invalid value: " in message or b"are not shown" in message
    assert seen[0].diagnostic_event is not None
    assert seen[0].diagnostic_event.urn == URN


def test_a_message_without_a_secret_stays_as_it_is() -> None:
    redaction = Redaction()
    redaction.add(VALUE, "abc", "", 7, None, {"flag": True})
    for text in ("abc of 7 True", 'namespaces "x" already exists\n  with   spaces'):
        assert redaction.text(text) == text


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ('{"value": "in-a-document-1"}', "in-a-document-1"),
        ('{"type": "service_account", "private_key": "a-key-of-a-cloud"}', "a-key-of-a-cloud"),
        ("jdbc:postgresql://db/kestra?user=u&password=in-an-address", "in-an-address"),
        ("https://user:in-an-authority@db.example", "in-an-authority"),
    ],
)
def test_a_secret_within_a_secret_is_known_too(value: str, quoted: str) -> None:
    redaction = Redaction()
    redaction.add(value)
    assert redaction.text(f"refused {quoted}!") == "refused [secret]!"
    assert redaction.text("a service_account of kestra") == "a service_account of kestra"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the password is wrong: pass", "the password is wrong: [secret]"),
        ('postgres://user:pass@db says "pass"', 'postgres://user:[secret]@db says "[secret]"'),
        ('{"a":"x\\npass\\n"}', '{"a":"x\\n[secret]\\n"}'),
        (
            "\x1b[31mpass\x1b[0m x%20pass%20 \\u001bpass",
            "\x1b[31m[secret]\x1b[0m x%20[secret]%20 \\u001b[secret]",
        ),
        ("bypass, compass and pass-through", "bypass, compass and pass-through"),
    ],
)
def test_a_short_secret_of_letters_is_no_part_of_other_words(text: str, expected: str) -> None:
    redaction = Redaction()
    redaction.add("pass")
    assert redaction.text(text) == expected


def test_a_short_secret_of_letters_is_taken_out_in_its_encodings_too() -> None:
    redaction = Redaction()
    redaction.add("kestrapwd")
    assert redaction.text(f"basic {b64encode(b'kestrapwd').decode()}") == "basic [secret]"
    assert redaction.text("kestrapwd-2") == "kestrapwd-2"


def test_a_secret_is_known_before_the_provider_gets_it() -> None:
    redaction, refusals = Redaction(), dict[str, str]()

    class Quoting(Mocks):
        def new_resource(self, args: Any) -> Any:
            refusals[args.name] = redaction.text(f"refused {VALUE} and made-by-a-provider")
            return super().new_resource(args)

    def program() -> None:
        redaction.follow()
        late = pulumi.Output.from_input({"password": "made-by-a-provider"}).apply(lambda v: v)
        args = {
            "open": pulumi.Output.from_input("refused"),
            "deep": {"list": [pulumi.Output.secret(VALUE), pulumi.Output.secret(late)]},
        }
        pulumi.CustomResource("test:index:Thing", "first", args)

    pulumi.runtime.set_mocks(Quoting(), project="kestra", stack="test", preview=False)
    _test(program)
    assert refusals == {"first": "refused [secret] and [secret]"}


def _state(passphrase: str, value: object) -> dict[str, Any]:
    salt = new_salt(passphrase)
    sealed = encrypted(json.dumps(value), passphrase, salt)["secure"]
    return {
        "secrets_providers": {"type": "passphrase", "state": {"salt": salt}},
        "resources": [{"urn": URN, "outputs": {"data": {**MARK, "ciphertext": sealed}}}],
        "pending_operations": [
            {"resource": {"inputs": {"x": [{**MARK, "ciphertext": sealed}]}}, "type": "creating"}
        ],
    }


def test_the_secrets_of_a_state_are_known_without_the_engine() -> None:
    state = _state("right", {"a": VALUE})
    assert list(secrets_of(state, "right")) == [{"a": VALUE}, {"a": VALUE}]
    assert list(secrets_of(state, "wrong")) == []
    assert list(secrets_of({}, "right")) == []
    redaction = Redaction()
    redaction.read_later(lambda: secrets_of(state, "right"))
    assert redaction.text(f"deletion refused: {VALUE}") == "deletion refused: [secret]"


def test_what_the_state_keeps_of_objects_that_are_not_ready_has_no_secret(tmp_path: Path) -> None:
    state, redaction = State(tmp_path), Redaction()
    redaction.add(VALUE)
    reasons = [f"the pod says {VALUE}", "and waits"]
    latest = {"resources": [{"urn": URN, "initErrors": reasons, "id": "kept"}]}
    for file in (state.checkpoint("dev"), state.backend / ".pulumi" / "history" / "dev.json"):
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    attributes = state.checkpoint("dev").with_name("dev.json.attrs")
    attributes.write_text("{}")
    redact_init_errors(state, "dev", redaction.text)
    for file in state.backend.rglob("*.json"):
        assert search_text(file.read_bytes(), "state", SECRETS) == []
        kept = json.loads(file.read_text())["checkpoint"]["latest"]["resources"][0]
        assert kept == {
            "urn": URN,
            "initErrors": ["the pod says [secret]", "and waits"],
            "id": "kept",
        }
    assert not attributes.exists()
    before = state.checkpoint("dev").stat().st_mtime_ns
    redact_init_errors(state, "dev", redaction.text)
    assert state.checkpoint("dev").stat().st_mtime_ns == before
    assert PROJECT in str(state.checkpoint("dev"))


def test_thousands_of_secrets_cost_no_square_of_their_number() -> None:
    """Each is learned while a message comes, as in an update; with the square it would be minutes."""
    redaction, began = Redaction(), time.monotonic()
    for number in range(3000):
        redaction.add(f"secret-{number:04}-{number * 7919:08}")
        redaction.text("Error making API request. Code: 400. Errors: another thing is wrong")
    assert time.monotonic() - began < 30
    assert "secret-2999" not in redaction.text("quotes secret-2999-23749081 of all")
