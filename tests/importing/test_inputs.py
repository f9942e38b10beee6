"""What every input is, what is not read, and what is refused: never with a line of the input."""

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path

import pytest

from components.importing.documents import MOST_BYTES
from components.importing.inputs import read
from components.importing.readers import ImportRefused
from tests.importing.reading_support import Inputs, Result

GOOD = "kestra: {queue: {type: postgres}}\n"


def _refusal(paths: list[str], stdin: object = None) -> str:
    with pytest.raises(ImportRefused) as error:
        read(paths, stdin)  # type: ignore[arg-type]
    text = f"{error.value} {error.value!r} {error.value.__cause__}"
    assert "planted" not in text
    return str(error.value)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.yaml", "kestra:\n  password: planted-1\n broken", "no valid YAML at line"),
        ("a.yaml", "kestra: 'planted-open", "no valid YAML at line"),
        ("a.yaml", "kestra: {password: !vault planted}", "Ansible Vault"),
        ("a.yaml", "kestra: !!python/object/apply:os.system [planted]", "tag"),
        ("a.yaml", BOMB, "too deeply"),
        ("a.yaml", "[" * 5000, "too deeply"),
        ("a.yaml", "- " * 5000 + "a", "too deeply"),
        ("a.yaml", "a: &a [*a]", "too deeply"),
        ("a.yaml", "kestra: *planted", "no valid YAML"),
        ("a.yaml", "", "empty"),
        ("a.yaml", "\n\n", "empty"),
        ("a.yaml", "planted text alone", "no mapping"),
        ("a.yaml", b"kestra: \xff\xfe planted", "no text"),
        ("a.yaml", b"\0\1planted", "binary"),
        ("a.yaml", b"\xff\xfea", "no text"),
        ("a.yaml", b"#" * (MOST_BYTES + 1), "more than"),
        ("application.yml.j2", "a: {{ planted }}\n{% if x %}\n", "Jinja template, with template syntax at line 1"),
        ("values", "a: {{ .Values.planted }}\nb: {{- end }}", "template"),
        ("flake.nix", "{ services.kestra.password = \"planted\"; }", "Nix"),
        ("run.sh", "docker run -e PASSWORD=planted kestra/kestra", "shell script"),
        ("run", "#!/bin/sh\ndocker run -e 'A=planted' kestra/kestra\n", "docker run"),
        ("Dockerfile", "FROM kestra/kestra\nENV A=planted\n", "Dockerfile"),
        ("main.py", "password = 'planted'\nprint(1)", "Python"),
        ("vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n3132 planted\n", "Ansible Vault"),
        ("flow.yml", "id: a\nnamespace: b\ntasks: [{id: planted}]\n", "flow"),
        ("ci.yml", "on: push\njobs: {a: {env: {A: planted}}}\n", "GitHub"),
        ("play.yml", "- hosts: all\n  tasks: [{name: planted}]\n", "Ansible"),
        ("other.service", "[Service]\nExecStart=/usr/bin/mysqld\nEnvironment=A=planted\n", "does not start Kestra"),
        ("gitlab.yml", "stages: [planted]\n", "YAML of another kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(tmp_path, name, data, words):
    text = _refusal([Inputs(tmp_path).write(name, data)])
    assert words in text
    assert name in text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("flake.nix", "{ planted = 1; }", "Nix"),
        ("run.sh", "docker run planted", "shell script"),
        ("trust.jks", b"\xfe\xed\0planted", "key store"),
        ("notes.md", "# planted", "a text"),
        ("flow.yml", "id: a\nnamespace: b\ntasks: []\n", "flow"),
        ("gitlab.yml", "stages: [planted]\n", "another kind"),
        ("x.tmpl", "a: {{ planted", "template"),
    ],
)
def test_a_kind_that_is_not_read_is_named_and_stops_nothing(tmp_path, name, data, words):
    inputs = Inputs(tmp_path)
    result = Result(read([inputs.write(name, data), inputs.write("application.yml", GOOD)]))
    assert result.keys == {"kestra.queue.type": "postgres"}
    assert result.says(name, words, kind="not carried")
    assert any(words in kind for file, kind in result.installation.sources if file.endswith(name))
    assert "planted" not in result.shown


def test_a_broken_file_among_good_ones_is_refused_and_all_are_named(tmp_path):
    inputs = Inputs(tmp_path)
    text = _refusal(
        [
            inputs.write("application.yml", GOOD),
            inputs.write("broken.yaml", "a: [planted"),
            inputs.write("other.yaml", "b: {planted"),
            inputs.write("x.j2", "{{ planted }}: a"),
        ]
    )
    assert all(word in text for word in ("broken.yaml", "other.yaml", "x.j2"))


def test_a_text_beside_a_broken_file_is_named_in_a_whole_sentence(tmp_path):
    inputs = Inputs(tmp_path)
    names = [inputs.write("a.yaml", "a: ["), inputs.write("notes.txt", "some words")]
    with pytest.raises(ImportRefused, match=r"notes\.txt is not read: a text\.$"):
        read(names)


def test_missing_files_are_named_at_once(tmp_path):
    text = _refusal([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")])
    assert "a.yaml does not exist" in text
    assert "b.yaml does not exist" in text


def test_standard_input_is_read_once(tmp_path):
    assert Result(read(["-", "-"], io.StringIO(GOOD))).keys == {"kestra.queue.type": "postgres"}
    assert Result(read(["-"], io.BytesIO(b"\xef\xbb\xbf" + GOOD.encode()))).keys
    assert "- is empty" in _refusal(["-"], io.StringIO(""))
    assert "no valid YAML" in _refusal(["-"], io.StringIO("a: [planted"))


def test_no_input_is_refused():
    assert "No input" in _refusal([])


def test_a_directory_is_read_without_what_does_not_belong(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write("conf/application.yml", GOOD)
    inputs.write("conf/broken.yaml", "a: [planted")
    inputs.write("flows/a.yml", "id: a\nnamespace: b\ntasks: []\n")
    for folder in (".git", "node_modules/x", ".terraform"):
        inputs.write(f"{folder}/application.yml", "kestra: {queue: {type: planted}}")
    inputs.write("data/big.yaml", b"#" * (MOST_BYTES + 1))
    inputs.write("data/picture.png", b"\0\0")
    Path(tmp_path, "link.yml").symlink_to("/etc/passwd")
    result = Result(read([str(tmp_path)]))
    assert result.keys == {"kestra.queue.type": "postgres"}
    assert result.says("broken.yaml", "no valid YAML at line")
    assert result.says("big.yaml", "more than")
    assert not result.says("link.yml")
    assert "planted" not in result.shown


def test_of_a_directory_compose_reads_its_own_files(tmp_path):
    inputs = Inputs(tmp_path)
    service = "services: {kestra: {image: 'kestra/kestra:v1.3.21', command: server standalone, environment: {ENV_A: %s}}}\n"
    inputs.write("docker-compose.yml", service % "base")
    inputs.write("docker-compose.override.yml", "services: {kestra: {environment: {ENV_B: over}}}")
    inputs.write("docker-compose-ci.yml", service % "ci")
    inputs.write("deep/compose.yaml", service % "deep")
    result = Result(read([str(tmp_path)]))
    assert result.variables == {"ENV_A": "base", "ENV_B": "over"}
    assert result.says("docker-compose-ci.yml", kind="not carried")
    assert result.says("deep/compose.yaml", kind="not carried")


def test_a_compose_file_that_another_one_extends_is_no_stranger(tmp_path):
    inputs = Inputs(tmp_path)
    service = "{extends: {file: base.yml, service: kestra}, command: server standalone}"
    inputs.write("a/compose.yaml", f"services: {{kestra: {service}}}")
    inputs.write("a/base.yml", "services: {kestra: {image: 'kestra/kestra:v1.3.31'}}")
    inputs.write("a/other.yml", "services: {redis: {image: redis}}")
    result = Result(read([str(tmp_path / "a")]))
    assert result.settings["deployment.image.tag"] == "v1.3.31"
    assert result.says("other.yml", "another compose file", kind="not carried")
    assert not result.says("base.yml", "another compose file")


def test_a_directory_without_anything_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("planted")
    assert "Nothing can be imported" in _refusal([str(tmp_path)]) or "No input" in _refusal(
        [str(tmp_path)]
    )


def test_no_file_outside_the_folder_of_an_input_is_read_by_its_name(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write("outside.env", "ENV_A=planted\n")
    compose = inputs.write(
        "in/compose.yaml",
        "services: {kestra: {image: kestra/kestra, command: server standalone, env_file: ['../outside.env', /etc/environment]}}",
    )
    result = Result(read([compose]))
    assert result.variables == {}
    assert result.says("../outside.env", "no input is that file")
    assert result.says("/etc/environment", "no input is that file")


def test_a_file_of_another_input_counts_below_what_kestra_reads(tmp_path):
    inputs = Inputs(tmp_path)
    compose = inputs.write(
        "compose.yaml",
        "services: {k: {image: kestra/kestra, environment: {KESTRA_CONFIGURATION: 'kestra: {queue: {type: mysql}}'}}}",
    )
    other = inputs.write("application.yml", "kestra: {queue: {type: h2}, repository: {type: h2}}")
    result = Result(read([compose, other]))
    assert result.keys == {"kestra.queue.type": "mysql", "kestra.repository.type": "h2"}
    assert result.says("application.yml", "no other input says", kind="changed")


def test_of_two_installations_the_first_is_read(tmp_path):
    inputs = Inputs(tmp_path)
    unit = inputs.write(
        "kestra.service", "[Service]\nExecStart=/opt/kestra/kestra server standalone -t 4\n"
    )
    compose = inputs.write(
        "compose.yaml",
        "services: {k: {image: kestra/kestra, command: server standalone --worker-thread=8}}",
    )
    threads = "deployment.components.standalone.worker-threads"
    result = Result(read([unit, compose]))
    assert result.settings[threads] == 4
    assert result.says("compose.yaml", "another installation", kind="not carried")
    assert Result(read([compose, unit])).settings[threads] == 8


def test_of_a_directory_only_what_belongs_together_is_read(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write(
        "compose.yaml",
        "services: {k: {image: kestra/kestra, environment: {KESTRA_URL: 'https://${HOST_NAME}'}}}",
    )
    inputs.write(".env", "HOST_NAME=a.example\n")
    inputs.write("web/.env", "HOST_NAME=b.example\nWEB_PASSWORD=planted\n")
    result = Result(read([str(tmp_path)]))
    assert result.keys == {"kestra.url": "https://a.example"}
    assert result.variables == {}
    assert result.says("web/.env", kind="not carried")
    assert "planted" not in result.shown


def test_of_configuration_in_several_folders_the_highest_is_read(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write("conf/application.yml", GOOD)
    inputs.write("conf/application-prod.yml", "kestra: {url: 'https://a.example'}")
    inputs.write("other/deep/application.yml", "micronaut: {server: {port: 1}}")
    result = Result(read([str(tmp_path)]))
    assert result.keys == {"kestra.queue.type": "postgres", "kestra.url": "https://a.example"}
    assert result.says("other/deep/application.yml", kind="not carried")
    assert result.says("application-prod.yml", "environment prod", kind="changed")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", 'A="x\n' * 10_000),
        (".env", "A='" + "x\n" * 5_000),
        (".env", "A=\\\n" * 10_000),
        ("a.yml", "kestra: {url: '" + "{{" * 50_000 + "'}"),
        ("a.yml", "kestra: {url: '" + "${" * 50_000 + "'}"),
        ("compose.yaml", "services: {k: {image: kestra/kestra, environment: {KESTRA_URL: '" + "${a:-" * 20_000 + "}" * 20_000 + "'}}}"),
        ("compose.yaml", "services: {k: {image: kestra/kestra, command: '" + "a && " * 4_000 + "'}}"),
        ("k.service", "[Service]\nExecStart=/kestra server standalone " + "-" * 50_000 + "\n"),
    ],
)  # fmt: skip
def test_long_texts_take_no_long_time(tmp_path, name, text):
    path = Inputs(tmp_path).write(name, text.encode())
    begin = time.process_time()
    with contextlib.suppress(ImportRefused):
        read([path])
    assert time.process_time() - begin < 2
