"""What hostile documents found once, each as its smallest example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.rendering.document import dump
from components.settings import SettingsError
from components.validation import load, load_file
from sandbox.verify import Report, compare
from sandbox.verify.overlay import files

ENTERPRISE: dict[str, Any] = {"edition": "enterprise", "secret": {"type": "jdbc"}}


def oss(**auth: Any) -> dict[str, Any]:
    return {"server": {"basic-auth": {"username": "a@b.c"} | auth}}


def vault(address: str) -> dict[str, Any]:
    return {"edition": "enterprise", "secret": {"type": "vault", "vault": {"address": address}}}


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (oss() | {"version": 10**5000}, "kestra:version", "too large a number"),
        ({"server": {"termination-grace-period": 10**5000}}, "kestra:server.termination-grace-period", "too large a number"),
        ({"server": {10**5000: 1}}, "kestra:server.a number", "is no text key"),
        (oss(realm="a\0b"), "kestra:server.basic-auth.realm", "NUL"),
        (oss(realm="\ud800"), "kestra:server.basic-auth.realm", "half a character"),
        (oss() | {"elasticsearch": {"client": {"http-hosts": ["a", "\ud800"]}}}, "kestra:elasticsearch.client.http-hosts[1]", "half a character"),
        (oss() | {"elasticsearch": {"client": {"http-hosts": ["a\0"]}}}, "kestra:elasticsearch.client.http-hosts[0]", "NUL"),
        (oss(realm="x" * 100_001), "kestra:server.basic-auth.realm", "100,001 bytes"),
        (oss(**{"open-urls": {"/b", "/a"}}), "kestra:server.basic-auth.open-urls", "a kind of value"),
        (oss(realm=b"x"), "kestra:server.basic-auth.realm", "a kind of value"),
        (oss() | {"tags": {"additional": {f"k{i}": "x" * 90_000 for i in range(8)}}}, "config", "too large"),
        (vault("https://v:port"), "kestra:secret.vault.address", "names no host and port"),
        (vault("https://|v"), "kestra:secret.vault.address", "names no host and port"),
        (oss() | {"deployment": {"url": "https://|\x8f"}}, "kestra:deployment.url", "names no host and port"),
        (vault("https://v:${PORT}"), "kestra:secret.vault.address", "names no host and port"),
        (ENTERPRISE | {"security": {"basic-auth": {"password-regexp": "(" * 100_000}}}, "kestra:security.basic-auth.password-regexp", "is no regular expression"),
    ],
)  # fmt: skip
def test_the_report_names_it(document: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(document, source="f.yaml")
    assert any(p.path == path and words in p.message for p in error.value.problems), (
        error.value.report()
    )


def test_a_key_of_a_megabyte_makes_a_short_report() -> None:
    with pytest.raises(SettingsError) as error:
        load({"server": {"username" * 125_000: 1}}, source="f.yaml")
    assert len(error.value.report()) < 2000
    assert "(1,000,000 characters)" in error.value.report()


def test_twenty_thousand_wrong_items_are_all_named() -> None:
    # Each was compared with all before it, which took minutes.
    with pytest.raises(SettingsError) as error:
        load(oss(**{"open-urls": [1] * 20_000}), source="f.yaml")
    assert len(error.value.problems) == 20_000


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {x: 1, y: 2}\n" + "".join(f"b{i}: &{'abcdefghij'[i]} {{<<: [{','.join('*' + 'abcdefghij'[i - 1] for _ in range(10))}]}}\n" for i in range(1, 10)) + "config: {}\n",
        "config: &a\n  <<: *a\n",
        "config:\n  kestra:tags: " + "[" * 50_000,
    ],
    ids=["merges of merges", "a merge of itself", "brackets"],
)  # fmt: skip
def test_a_file_without_end_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match="nested too deeply, or merges without end"):
        load_file(file)


def test_a_file_of_more_than_a_mebibyte_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(f"config: {{a: {'x' * 1_100_000}}}")
    with pytest.raises(SettingsError, match="1,048,576 bytes"):
        load_file(file)


@pytest.mark.parametrize(
    "text", ["a\x85b", "a\u2028b", "a\r\nb", "\n", "\n\n a", " a\n", "a \nb", "a\tb", "\ufeffa\n"]
)
def test_line_breaks_of_any_kind_are_read_back(text: str) -> None:
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        assert yaml.load(dump({"a": text}), Loader=loader) == {"a": text}


@pytest.mark.parametrize("text", [".5e3", "-.5E3", "+.5e+3", ".5_0e1", "1e5"])
def test_what_kestras_yaml_takes_for_a_number_is_quoted(text: str) -> None:
    assert dump({"a": text}) == f"a: '{text}'\n"


def test_a_run_that_leaves_something_out_keeps_texts_that_look_like_numbers(tmp_path: Path) -> None:
    document = {"datasources": {"postgres": {"url": "jdbc:x"}}, "kestra": {"realm": ".5e3"}}
    files(dump(document), "1.3", tmp_path / "run")
    assert (tmp_path / "run" / "application.yaml").read_text().endswith("realm: '.5e3'\n")


def test_the_pool_of_a_stacks_own_h2_is_laid_over_with_the_rest_of_it(tmp_path: Path) -> None:
    document = {"datasources": {"h2": {"maximum-pool-size": 1}}}
    files(dump(document), "1.3", tmp_path / "run")
    laid = yaml.safe_load((tmp_path / "run" / "overlay.yaml").read_text())
    assert laid["datasources"]["h2"]["maximum-pool-size"] > 1


def test_the_default_of_a_secret_placeholder_is_what_kestra_is_meant_to_have() -> None:
    report, path = Report("1.3.31"), "kestra.secret.1password.token"
    bound = {path: {"by": "property", "value": "default"}}
    compare(
        {path: "${NAME:default}"}, bound, report, {path: "${STACK_KESTRA_SECRET_1PASSWORD_TOKEN}"}
    )
    assert report.mismatches == []


def test_a_password_of_any_key_store_in_a_jdbc_url_is_a_secret() -> None:
    from components.rendering.configuration import render

    for url in (
        "jdbc:mysql://db/k?trustCertificateKeyStorePassword=planted",
        "jdbc:mysql://address=(host=db)(user=k)(password=planted)/k",
        "jdbc:mysql://(host=db,user=k,password=planted)/k",
    ):
        settings = load(oss() | {"datasources": {"mysql": {"url": url}}}, source="f.yaml").settings
        assert "planted" not in render(settings).yaml()
