"""`check` and the program under Pulumi's engine say the same of every stack file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.validation import Loaded
from tests.components.inventory_support import documents
from tests.configuration import golden_support, test_seed_page
from tests.configuration.documents_fixtures import document
from tests.conftest import ROOT
from tests.settings import malformed_fixtures, test_open_source_stores, test_values
from tests.settings.engine_support import by_check, by_engine, lines, project, report_lines
from tests.settings.malformed_fixtures import KEY

FIELD = sorted((ROOT / "tests" / "cases" / "field").glob("*.yaml"))


def _file(settings: dict[str, Any]) -> str:
    config = {f"kestra:{key}": value for key, value in settings.items()}
    return yaml.safe_dump({"config": config}, allow_unicode=True)


def _seed_page() -> dict[str, dict[str, Any]]:
    blocks = test_seed_page.BLOCKS
    as_it_is = {b.name: test_seed_page.pasted(b, changed=False)[1] for b in blocks}
    return as_it_is | {f"{b.name}, changed": test_seed_page.pasted(b)[1] for b in blocks}


SECRET = "Abcdef12-Planted"
#: Files with encrypted values: in places that take a secret, and in places that do not.
ENCRYPTED = {
    "a variable": "kestra:deployment: {environment: {TOKEN: {secure: x}, PLAIN: y}}",
    "a variable and a list": "kestra:deployment: {environment: {TOKEN: {secure: x}}, environment-from: [a, b]}",
    "a refused variable": "kestra:deployment: {environment: {STACK_TOKEN: {secure: x}}}",
    "an empty variable": "kestra:deployment: {environment: {TOKEN: {secure: ''}}}",
    "the environment": "kestra:deployment: {environment: {secure: x}}",
    "the deployment": "kestra:deployment: {secure: '{\"namespace\": \"x\"}'}",
    "a whole block of secrets": "kestra:encryption: {secure: x}",
    "an annotation": "kestra:deployment: {ingress: {host: a.b, tls-secret: t, annotations: {a: {secure: x}}}}",
    "a name": "kestra:deployment: {namespace: {secure: kestra}}",
    "an item of a list": "kestra:deployment: {environment-from: [{secure: a}, b]}",
    "a list": "kestra:deployment: {environment-from: {secure: a}}",
    "a number": "kestra:datasources: {postgres: {url: 'jdbc:x', maximum-pool-size: {secure: '5'}}}",
    "a flag": "kestra:deployment: {create-namespace: {secure: 'true'}}",
    "a duration": "kestra:server: {liveness: {timeout: {secure: 60s}}, basic-auth: {username: a@b.c}}",
    "a choice": "kestra:deployment: {mode: {secure: standalone}}",
    "a version": "kestra:version: {secure: '1.3'}",
    "an edition": "kestra:edition: {secure: oss}",
    "a tag": "kestra:tags: {owner: {secure: x}, additional: {team: {secure: y}}}",
    "an address": "kestra:datasources: {postgres: {url: {secure: 'jdbc:postgresql://a/b'}}}",
    "a user": "kestra:server: {basicAuth: {username: {secure: a@b.c}}}",
    "a password": f"kestra:server: {{basic-auth: {{username: a@b.c, password: {{secure: {SECRET}}}}}}}",
    "a declared secret": f"kestra:declared-secrets: {{A: {{namespace: a, value: {{secure: {SECRET}}}}}}}",
    "an unknown key": "kestra:securty: {a: {secure: x}}",
    "an unknown key below": "kestra:deployment: {enviroment: {A: {secure: x}}}",
    "an unknown text": "kestra:tokn: {secure: x}",
    "a key with a dot": "kestra:tags: {additional: {a.b/c: {secure: x}}}",
}  # fmt: skip
#: Keys that nobody knows, with values that say nothing; and known ones.
EMPTY = {
    "an empty map": "kestra:securty: {}",
    "nothing": "kestra:securty:",
    "an empty text": "kestra:securty: ''",
    "an empty list": "kestra:securty: []",
    "false": "kestra:securty: false",
    "below: an empty map": "kestra:server: {basic-auth: {username: a@b.c, pasword: {}}}",
    "below: nothing": "kestra:server: {basic-auth: {username: a@b.c}, livenes: }",
    "below: an empty list": "kestra:deployment: {environment-form: []}",
    "in a named block": "kestra:datasources: {postgres: {url: 'jdbc:x', pasword: }}",
    "in a list": "kestra:store: {aws: {replicas: [{region: us-east-1, kms-key: }]}}",
    "a known block": "kestra:security: {}",
    "a known block without a value": "kestra:security:",
    "a known block in another spelling": "kestra:declaredSecrets: {}",
    "a known text without a value": "kestra:version:",
    "a known key below": "kestra:deployment: {image: , namespace: }",
    "a known map below": "kestra:deployment: {environment: , environment-from: []}",
}
#: Unquoted values that YAML 1.1 reads in another way than Pulumi.
UNQUOTED = {
    "no for an owner": "kestra:tags: {owner: no}",
    "yes for a flag": "kestra:deployment: {create-namespace: yes}",
    "on for a variable": "kestra:deployment: {environment: {FEATURE: on}}",
    "a time for a variable": "kestra:deployment: {environment: {AT: 1:30}}",
    "a power for a variable": "kestra:deployment: {environment: {MOST: 1e3}}",
    "a date for a variable": "kestra:deployment: {environment: {ON: 2026-11-01}}",
    "a date and an encrypted value": "kestra:deployment: {environment: {ON: 2026-11-01 10:11:12, A: {secure: x}}}",
    "a date for a mark": "kestra:rotation: {server.basic-auth.password: 2026-11-01}",
    "no date": "kestra:deployment: {environment: {ON: 2026-13-01}}",
    "an old octal number": "kestra:deployment: {components: {standalone: {worker-threads: 010}}}",
    "a number with a line": "kestra:deployment: {components: {standalone: {worker-threads: 1_0}}}",
}
#: Keys that no model has: of each type, encrypted or in clear, in maps, lists and texts.
CATALOGUE = {
    "a text": "kestra:traces: {root: x}",
    "a number as a text": "kestra:traces: {root: 2.0}",
    "a fraction as a text": "kestra:traces: {root: 1.1}",
    "a quoted number": "kestra:jdbc: {queues: {poll-size: '5'}}",
    "a number with an exponent": "kestra:jdbc: {queues: {poll-size: 1e3}}",
    "a flag": "kestra:ai: {enabled: 'true'}",
    "a flag of YAML 1.1": "kestra:ai: {enabled: yes}",
    "a date": "kestra:variables: {globals: {on: 2026-11-01}}",
    "nothing": "kestra:tasks:",
    "nothing below": "kestra:tasks: {tmp-dir: {path: }}",
    "an empty block": "kestra:tasks: {}",
    "an empty map": "kestra:variables: {globals: {}}",
    "an empty list": "kestra:local-files: {allowed-paths: []}",
    "a null in a list": "kestra:variables: {globals: {a: [x, null]}}",
    "a list of blocks": "kestra:plugins: {defaults: [{type: a, values: {b: {c: [1, 2.0, 1.5, true, x]}}}]}",
    "keys that are numbers": "kestra:variables: {globals: {2: a, x: b}}",
    "dotted keys": "kestra:kafka: {client: {properties: {a.b: c}}}",
    "an encrypted text": "kestra:tasks: {sdk: {authentication: {api-token: {secure: x}}}}",
    "an encrypted property": "kestra:variables: {globals: {a: {secure: x}, b: y}}",
    "an encrypted item": "kestra:local-files: {allowed-paths: [/a, {secure: /b}]}",
    "an encrypted value in a list": "kestra:plugins: {defaults: [{type: a, values: {token: {secure: x}}}]}",
    "an encrypted number": "kestra:jdbc: {queues: {poll-size: {secure: '5'}}}",
    "an encrypted map": "kestra:variables: {globals: {secure: '{\"a\": 1}'}}",
    "an encrypted block": "kestra:tasks: {secure: '{\"tmp-dir\": {\"path\": \"/t\"}}'}",
    "an encrypted list": "kestra:local-files: {allowed-paths: {secure: '/a,/b'}}",
    "an encrypted port": "kestra:micronaut: {server: {port: {secure: '9090'}}}",
    "an encrypted prefix": "kestra:variables: {env-vars-prefix: {secure: ENV_}}",
    "an encrypted placeholder": "kestra:variables: {globals: {a: {secure: '${NOWHERE}'}}}",
    "an encrypted text with a placeholder": "kestra:variables: {globals: {a: {secure: 'x ${NOWHERE}'}}}",
    "a secret in clear": f"kestra:tasks: {{sdk: {{authentication: {{api-token: {SECRET}}}}}}}",
    "a number that is a secret": "kestra:tasks: {sdk: {authentication: {api-token: 12345678}}}",
    "a text with a secret": f"kestra:variables: {{globals: {{a: 'https://u:{SECRET}@h'}}}}",
    "a placeholder": "kestra:variables: {globals: {a: '${NOWHERE} ${OTHER:x}'}}",
    "an additional key": "kestra:additional-configuration: {vendor: {a: [1, {token: {secure: x}}]}}",
    "an encrypted additional block": "kestra:additional-configuration: {vendor: {secure: x}}",
    "all additional configuration encrypted": "kestra:additional-configuration: {secure: x}",
    "an additional text": "kestra:additional-configuration: x",
    "a key of the settings among them": "kestra:additional-configuration: {kestra: {server: {liveness: {timeout: 1m}}}}",
    "a key of another edition": "kestra:ee: {license: {key: {secure: x}}}",
    "a key of another version": "kestra:regex: {timeout: 5s}",
    "a key within a model": "kestra:datasources: {postgres: {url: 'jdbc:x', max-lifetime: '5', password: {secure: x}}}",
    "an encrypted key within a model": "kestra:datasources: {postgres: {url: 'jdbc:x', data-source-properties: {password: {secure: x}}}}",
    "a misspelled key": "kestra:tasks: {temp-dir: {path: {secure: x}}}",
    "the address": "kestra:url: https://a.example.com",
    "no address": "kestra:url:",
}  # fmt: skip
#: Which of them are accepted.
ACCEPTED = {
    "encrypted: a variable", "encrypted: a variable and a list", "encrypted: an empty variable",
    "encrypted: an address", "encrypted: a password", "encrypted: a declared secret",
    "empty: a known block", "empty: a known block without a value",
    "empty: a known block in another spelling", "empty: a known text without a value",
    "key: an encrypted key", "key: a weak key", "key: a short internal key",
    "unquoted: no for an owner", "unquoted: on for a variable", "unquoted: a time for a variable",
    "unquoted: no date",
    "unquoted: an old octal number", "unquoted: a number with a line",
}  # fmt: skip


def _with_log_in(text: str) -> str:
    log_in = "" if "kestra:server" in text else "  kestra:server: {basic-auth: {username: a@b.c}}\n"
    return f"config:\n{log_in}  {text}\n"


#: Keys that Kestra has used already.
KEYS = {
    "no key": "kestra:encryption: {existing: true}",
    "an encrypted key": "kestra:encryption: {existing: true, secret-key: {secure: "+KEY+"}}",
    "a weak key": "kestra:encryption: {existing: true, secret-key: AAECAwQFBgcICQoLDA0ODw==}",
    "a weak new key": "kestra:encryption: {existing: false, secret-key: AAECAwQFBgcICQoLDA0ODw==}",
    "no internal key": "kestra:edition: enterprise\n  kestra:secret: {type: jdbc, jdbc: {existing: true}}",
    "a short internal key": "kestra:edition: enterprise\n  kestra:secret: {type: jdbc, jdbc: {existing: true, secret: short}}",
    "a short new key": "kestra:edition: enterprise\n  kestra:secret: {type: jdbc, jdbc: {secret: short}}",
}  # fmt: skip
CASES: dict[str, str] = {
    **{f"malformed: {c[0]}": _file(c[1]) for c in malformed_fixtures.CASES},
    **{f"values: {n}": _file(c[0]) for n, c in test_values.CASES.items()},
    **{f"store: {n}": _file(c[0]) for n, c in test_open_source_stores.CASES.items()},
    **{f"seed page: {n}": _file(s) for n, s in _seed_page().items()},
    **{f"stack: {n}": _file(s) for n, s in documents().items()},
    **{f"golden: {'-'.join(c)}": _file(document(*c)) for c in golden_support.CASES},
    **{f"field: {f.stem}": f.read_text() for f in FIELD},
    **{f"encrypted: {n}": _with_log_in(text) for n, text in ENCRYPTED.items()},
    **{f"empty: {n}": _with_log_in(text) for n, text in EMPTY.items()},
    **{f"key: {n}": _with_log_in(text) for n, text in KEYS.items()},
    **{f"unquoted: {n}": _with_log_in(text) for n, text in UNQUOTED.items()},
    **{f"catalogue: {n}": _with_log_in(text) for n, text in CATALOGUE.items()},
}


def _keys_of(loaded: Loaded) -> str:
    """Keys that no model has, without what is encrypted in them."""
    return repr(loaded.settings.catalogue_keys).replace("''", "'**********'")


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_check_and_the_program_under_the_engine_agree(text: str, tmp_path: Path) -> None:
    loaded, said = by_check(project(tmp_path, text))
    settings, report = by_engine(tmp_path, text)
    assert (loaded is None) == (settings is None), (said, report)
    assert SECRET not in report
    if loaded is None:
        assert report_lines(report) == lines(said)
    else:
        assert settings is not None
        assert {w.line().split(": ", 1)[1] for w in settings.warnings} == {
            w.line().split(": ", 1)[1] for w in loaded.warnings
        }
        assert _keys_of(settings) == _keys_of(loaded)
        # An empty secret shows as one.
        dumped = (
            s.settings.model_dump_json().replace('""', '"**********"') for s in (settings, loaded)
        )
        assert len(set(dumped)) == 1


@pytest.mark.parametrize(
    "name", [n for n in CASES if n.startswith(("encrypted:", "empty:", "key:", "unquoted:"))]
)
def test_only_a_secret_where_it_belongs_and_nothing_under_a_known_key_are_accepted(
    name: str, tmp_path: Path
) -> None:
    loaded, said = by_check(project(tmp_path, CASES[name]))
    assert (loaded is not None) == (name in ACCEPTED), said
    problems = {path: (message, fix) for path, message, _, fix, kind in said if kind == "error"}
    for path, (message, fix) in problems.items():
        if name.startswith("encrypted:") and message.startswith("is encrypted"):
            assert "pulumi config " in fix
            assert "without --secret" not in fix
            assert path.split("[")[0] in fix.replace('["', ".").replace('"]', "")
    if "unknown" in name or (name.startswith("empty:") and loaded is None and "known" not in name):
        assert {message for message, _ in problems.values()} == {"is no known key"}
