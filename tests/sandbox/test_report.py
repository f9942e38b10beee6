"""The security report: what is on the page, and what is never on it. No engine, no browser."""

from __future__ import annotations

import html as escaping
import itertools
import re
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, SecretStr

from components.backends.vault.permissions import policy_text
from components.rendering.configuration import Configuration
from components.settings import Settings
from policy import controls
from policy.core.values import reveal
from sandbox.cli import main
from sandbox.errors import SandboxError
from sandbox.inspection.settings_view import secret_values, sections
from sandbox.report import write
from sandbox.report.diagram import BOX, diagram
from sandbox.report.judgement import RESULTS
from sandbox.report.page import html
from tests.configuration.documents_fixtures import EDITIONS, PLANTED, VERSIONS, document
from tests.conftest import ROOT, stack_document
from tests.sandbox.report_support import BACKENDS, Reader, report_of, report_of_stack

URL = "jdbc:mysql://db:3306/kestra?user=kestra&password=Planted1-in-url"


@pytest.mark.parametrize("like", ["staging", "production"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("edition", EDITIONS)
def test_no_secret_of_the_settings_is_on_the_page(like: str, version: str, edition: str) -> None:
    settings = document(like, version, edition)
    settings["deployment"] = {
        **settings.get("deployment", {}),
        "environment": {"EXTRA_TOKEN": f"{PLANTED}-in-environment"},
    }
    if settings["datasources"]:
        settings["datasources"]["mysql"] = {"url": URL, "password": f"${{NAME:{PLANTED}-default}}"}
    if edition == "oss":
        settings["declared-secrets"] = {"ONE": {"namespace": "a", "value": f"{PLANTED}-declared"}}
    if settings["queue"] == {"type": "kafka"}:
        client = {"properties": {"bootstrap.servers": "kafka:9092"}}
        settings["kafka"] = {"client": client}
        settings["elasticsearch"] = {"client": {"http-hosts": ["https://elasticsearch:9200"]}}
    report = report_of(settings)
    page = html(report)
    assert PLANTED not in page.replace("<wbr>", "")
    assert not any(value in page for value in secret_values(report.settings).values())


def _filled(annotation: Any, path: str) -> Any:
    """A value of a type with a secret wherever one can be."""
    if annotation is SecretStr:
        return SecretStr(f"{PLANTED}-{path}")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        values = {n: _filled(f.annotation, f"{path}.{n}") for n, f in fields.items()}
        known = {n: v for n, v in values.items() if v is not None}
        return annotation.model_construct(_fields_set=set(known), **values)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return next((v for v in (_filled(a, path) for a in inner) if v is not None), None)
    if origin is dict:
        value = _filled(inner[1], f"{path}.NAME")
        return {} if value is None else {"NAME": value}
    if origin is tuple:
        value = _filled(inner[0], path)
        return () if value is None else (value,)
    return None


def test_a_secret_of_every_kind_that_there_is_is_hidden() -> None:
    settings = _filled(Settings, "settings")
    planted = secret_values(settings)
    assert len(planted) > 30
    shown = sections(settings, Configuration({}, {}))
    assert PLANTED not in repr(shown)
    rows = {row.key: row for section in shown for row in section.rows}
    for key in planted:
        assert rows[key].is_secret, key
        assert rows[key].source == "stack file", key


def test_values_that_are_encrypted_in_the_file_are_opaque_and_do_not_hinder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = (ROOT / "stacks" / "Pulumi.local.yaml").read_text()
    text = f"encryptionsalt: v1:salt\n{text}"
    file = tmp_path / "Pulumi.closed.yaml"
    config = "  kestra:encryption:\n    secret-key:\n      secure: v1:cipher\n"
    file.write_text(text.replace("config:\n", f"config:\n{config}", 1))
    target = tmp_path / "page.html"
    code = _run("closed", "--stacks", tmp_path, "--state", tmp_path / "s", "--output", target)
    assert code == 0, capsys.readouterr().err
    page = target.read_text()
    assert "v1:cipher" not in page
    assert "encrypted\0" not in page
    row = _row(page, "encryption.secret-key")
    assert "secret, not shown" in row
    assert "stack file" in row
    assert "stack settings, encrypted by Pulumi" in page
    assert "in clear" not in page.partition('id="access"')[0]


def test_a_secret_that_stands_in_the_stack_file_in_clear_is_told_so() -> None:
    declared = {"ONE": {"namespace": "a", "value": f"{PLANTED}-declared"}}
    report = report_of_stack("local", **{"declared-secrets": declared})
    (one,) = [p for p in report.paths if p.name == "ONE"]
    assert one.origin == "clear"
    assert "pulumi config set --path --secret" in html(report)
    assert "from-clear" in [box.id for box in report.diagram.boxes]


def _run(stack: str, *arguments: str | Path) -> int:
    return main(["report", stack, *(str(part) for part in arguments)])


def _row(page: str, key: str) -> str:
    read = page.replace("<wbr>", "").partition('<section id="settings"')[2]
    row = re.search(rf"<tr><th scope=\"row\"><code>{re.escape(key)}</code>.*?</tr>", read, re.S)
    assert row, key
    return row[0]


@pytest.mark.parametrize("stack", BACKENDS)
def test_every_first_level_key_is_on_the_page(stack: str) -> None:
    page = html(report_of_stack(stack))
    for name, field in Settings.model_fields.items():
        assert f"<h3><code>kestra:{field.alias or name}</code></h3>" in page


@pytest.mark.parametrize(
    ("stack", "key", "source"),
    [
        ("local", "server.basic-auth.username", "stack file"),
        ("local", "server.basic-auth.password", "generated"),
        ("local", "encryption.secret-key", "generated"),
        ("local", "declared-secrets.API_TOKEN.value", "generated"),
        ("local", "deployment.create-namespace", "default"),
        ("local", "endpoints.env.enabled", "added"),
        ("local-vault", "secret.vault.kubernetes.role", "default"),
        ("local-vault", "security.super-admin.password", "generated"),
        ("local-vault", "datasources.postgres.password", "stack file"),
        ("example-aws-ssm-parameter-store", "security.instance-owner.password", "generated"),
        ("example-azure-key-vault", "secret.azure-key-vault.workload-identity-client-id", "provided"),
    ],
)  # fmt: skip
def test_every_value_says_where_it_comes_from(stack: str, key: str, source: str) -> None:
    assert f">{source}</span></td></tr>" in _row(html(report_of_stack(stack)), key)


def test_credentials_that_the_identity_makes_are_provided() -> None:
    vault = {"address": "https://vault.example.com:8200", "app-role": {}}
    secret = {"type": "vault", "read-only": True, "vault": vault}
    page = html(report_of_stack("local-vault", secret=secret))
    for name in ("role-id", "secret-id"):
        assert ">provided</span>" in _row(page, f"secret.vault.app-role.{name}")


def test_a_page_that_would_show_a_secret_is_not_written(tmp_path: Path) -> None:
    settings_document = stack_document("local")
    settings_document["server"] = {
        "basic-auth": {"username": "Planted1@example.com", "password": "Planted1@example.com"}
    }
    report = report_of(settings_document)
    with pytest.raises(SandboxError) as error:
        write(report, tmp_path / "page.html")
    assert "kestra:server.basic-auth.password" in str(error.value)
    assert "Planted1" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_stands_in_the_settings_cannot_become_markup() -> None:
    settings_document = stack_document("local")
    settings_document["declared-secrets"] = {
        "ONE": {
            "namespace": "a",
            "generate": {},
            "description": "<script>alert('x')</script>\"><img src=x>",
        }
    }
    page = html(report_of(settings_document)).replace("<wbr>", "")
    assert "<script" not in page
    assert "<img" not in page
    assert escaping.escape("<script>alert(", quote=False) in page


@pytest.fixture(scope="module", params=BACKENDS)
def page(request: pytest.FixtureRequest) -> str:
    return html(report_of_stack(request.param))


def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    tags = Reader(page).tags
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "embed", "form"}
    for tag, attributes in tags:
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        target = attributes.get("href")
        assert target is None or target.startswith("#") or (tag, target) == ("link", "data:,")
    assert set(re.findall(r"url\(([^)]*)\)", page)) <= {"#hatch", "#dots", "#head"}
    assert "@import" not in page
    assert "default-src 'none'" in page
    assert page.startswith("<!doctype html>")


def test_the_page_can_be_heard_and_walked_through(page: str) -> None:
    read = Reader(page)
    assert len(read.tables) > 10
    for table in read.tables:
        assert {"caption", "th col", "th row"} <= table
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(read.ids()) == len(set(read.ids()))
    named = [a for tag, a in read.tags if tag in ("svg", "section") and "aria-hidden" not in a]
    for attributes in named:
        for name in (attributes["aria-labelledby"] or "").split():
            assert name in read.ids()
    for _, attributes in read.tags:
        target = attributes.get("href") or ""
        assert not target.startswith("#") or target[1:] in read.ids()


def test_no_result_is_told_by_colour_only(page: str) -> None:
    for result, (words, sign) in RESULTS.items():
        badges = re.findall(rf'<span class="badge {result}">([^<]*)</span>', page)
        assert set(badges) <= {f"{sign} {words}"}
    assert 'fill="url(#hatch)"' in page
    assert 'fill="url(#dots)"' in page


def _themes() -> dict[str, dict[str, str]]:
    style = (ROOT / "sandbox" / "report" / "style.css").read_text()
    light, dark, printed = re.findall(r":root \{(.*?)\}", style, re.S)
    return {
        name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", text))
        for name, text in (("light", light), ("dark", dark), ("print", printed))
    }


def _brightness(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [(t, g) for t in ("text", "soft", "accent") for g in ("card", "page", "head")]
    + [(n, f"{n}-soft") for n in ("bad", "warn", "good", "none", "kept")]
    + [("text", f"{n}-soft") for n in ("bad", "warn", "good")]
    + [("soft", f"{n}-soft") for n in ("good", "none", "kept")],
)
def test_text_stands_out_from_its_ground(theme: str, text: str, ground: str) -> None:
    colours = _themes()[theme]
    a, b = sorted((_brightness(colours[text]), _brightness(colours[ground])))
    assert (b + 0.05) / (a + 0.05) >= 4.5


@pytest.mark.parametrize("stack", BACKENDS)
def test_the_drawing_has_every_secret_and_no_way_from_the_recovery_copy(stack: str) -> None:
    report = report_of_stack(stack)
    drawing = diagram(report.settings, report.paths)
    ids = [box.id for box in drawing.boxes]
    assert len(ids) == len(set(ids))
    assert {a.start.id for a in drawing.arrows if a.end.id == "kestra"} == (
        {"environment"} | ({"store"} if report.settings.secret else set())
    )
    assert "recovery" not in {a.start.id for a in drawing.arrows}
    assert ("recovery" in ids) == (report.settings.secret is not None)
    origins = {p.origin for p in report.paths if p.origin != "elsewhere"}
    assert {f"from-{origin}" for origin in origins} <= set(ids)
    for one in drawing.boxes:
        assert one.y + one.height <= drawing.height
        for other in drawing.boxes:
            if one is not other and one.x == other.x:
                assert one.y + one.height <= other.y or other.y + other.height <= one.y
    assert all(a.start.x + BOX < a.end.x for a in drawing.arrows)


def test_every_variable_of_the_kubernetes_secret_is_a_path() -> None:
    report = report_of_stack("local")
    (secret,) = [r for r in report.resources.resources if r.type == "kubernetes:core/v1:Secret"]
    variables = {p.variable for p in report.paths if p.origin != "elsewhere"} - {""}
    assert variables == set(reveal(secret.props["stringData"]))


@pytest.mark.parametrize(
    ("stack", "block", "writing"),
    [
        ("example-aws-secret-manager", {"region": "eu-west-1"}, "secretsmanager:PutSecretValue"),
        ("example-azure-key-vault", {"vault-name": "kv-example"}, "setSecret/action"),
        ("example-google-secret-manager", {"project": "example"}, "roles/secretmanager.admin"),
    ],
)
def test_only_a_managed_store_lets_kestra_write(
    stack: str, block: dict[str, str], writing: str
) -> None:
    def actions(report: Any) -> str:
        return " ".join(row.what for row in report.accesses.store if row.verdict == "may")

    assert writing not in actions(report_of_stack(stack))
    kind = stack.removeprefix("example-")
    managed = {"type": kind, kind: block}
    more: dict[str, Any] = {"secret": managed, "declared-secrets": {}}
    assert writing in actions(report_of_stack(stack, **more))


def test_vaults_policy_is_on_the_page_word_for_word() -> None:
    page = html(report_of_stack("local-vault"))
    assert escaping.escape(policy_text("kestra", mode="read-only"), quote=False) in (
        page.replace("&#34;", '"')
    )


def test_the_binding_for_token_review_is_told_and_no_other() -> None:
    bound = [r.what for r in report_of_stack("local-vault").accesses.cluster]
    assert "system:auth-delegator" in bound
    assert "system:auth-delegator" not in [
        r.what for r in report_of_stack("local").accesses.cluster
    ]


def test_a_stack_that_moves_has_its_secrets_in_both_stores() -> None:
    vault = {"address": "https://vault.example.com:8200"}
    also = {"type": "vault", "read-only": True, "vault": vault}
    store: Any = stack_document("example-azure-key-vault")["store"]
    report = report_of_stack("example-azure-key-vault", store={**store, "also": also})
    kept = {p.name: (p.kept, p.also) for p in report.paths if p.kept}
    assert kept["API_TOKEN"] == ("API-TOKEN", "secret/main/company/team/billing/API_TOKEN")
    assert kept["encryption.secret-key"][1] == "secret-stack/encryption"
    arrows = [(a.start.id, a.end.id) for a in report.diagram.arrows]
    assert ("from-generator", "second") in arrows
    assert "second" not in [start for start, _ in arrows]
    assert [r.verdict for r in report.accesses.store if "where the stack moves" in r.on] == [
        "may not"
    ]
    assert "in the second store" in html(report)


def test_the_page_is_for_its_owner_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert _run("local", "--state", tmp_path / "s") == 0
    page = tmp_path / "s" / "reports" / "local.html"
    assert page.stat().st_mode & 0o077 == 0
    output = capsys.readouterr().out
    assert str(page) in output
    assert f"{len(controls.ALL)} controls" in output


def test_what_is_wrong_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert _run("nothing", "--state", tmp_path / "s") == 1
    assert "There is no stack nothing" in capsys.readouterr().err
    bad = tmp_path / "bad.json"
    bad.write_text("3")
    assert _run("local", "--state", tmp_path / "s", "--policy-config", bad) == 1
    assert "is no configuration of the policy pack" in capsys.readouterr().err


def test_the_page_says_what_the_network_lets_through_and_why() -> None:
    page = html(report_of_stack("local-vault")).replace("<wbr>", "")
    section = page.partition('<section id="network"')[2].partition("</section>")[0]
    for words in (
        "TCP 8080",
        "API and user interface",
        "TCP 5432",
        "database",
        "kestra:datasources.postgres.url",
    ):
        assert words in section
    off = report_of_stack("local", deployment={"network-policy": {"enabled": False}})
    assert "this stack denies nothing" in html(off)
