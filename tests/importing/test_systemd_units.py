"""Units of systemd that start Kestra, and commands that start it anywhere."""

from __future__ import annotations

import pytest

from components.importing.commands import parse_command
from components.importing.durations import seconds_of
from components.importing.inputs import read
from tests.importing.reading_support import Inputs, Result


def _unit(tmp_path, service: str, **files: str) -> Result:
    inputs = Inputs(tmp_path)
    for name, text in files.items():
        inputs.write(name.replace("__", "."), text)
    body = (
        "[Unit]\nDescription=x\n\n[Service]\n"
        + service
        + "\n[Install]\nWantedBy=multi-user.target\n"
    )
    return Result(read([inputs.write("kestra.service", body)]))


EXEC = "ExecStart=/opt/kestra/kestra server standalone\n"


def test_a_unit_is_read_with_the_files_that_it_names(tmp_path):
    result = _unit(
        tmp_path,
        """User=kestra
EnvironmentFile=-/etc/kestra/kestra.env
Environment="JAVA_OPTS=-Xmx4g -Duser.timezone=UTC" ENV_B=c
Environment=ENV_A=unit
ExecStart=/bin/sh -c "exec /opt/kestra/kestra-1.3.8 server standalone --config /etc/kestra/application.yml \\
  --worker-thread ${THREADS} --no-tutorials"
TimeoutStopSec=150
MemoryMax=4G
CPUQuota=150%
""",
        kestra__env="ENV_A='file'\nTHREADS=16\n# planted comment\n",
        application__yml="kestra: {queue: {type: postgres}}",
    )
    assert result.keys == {"kestra.queue.type": "postgres"}
    assert result.variables == {
        "JAVA_OPTS": "-Xmx4g -Duser.timezone=UTC",
        "ENV_B": "c",
        "ENV_A": "file",
        "THREADS": "16",
    }
    assert result.settings == {
        "version": "1.3",
        "deployment.mode": "standalone",
        "deployment.components.standalone.worker-threads": 16,
        "deployment.components.standalone.extra-args[0]": "--no-tutorials",
        "deployment.components.standalone.resources.limits.memory": "4Gi",
        "deployment.components.standalone.resources.limits.cpu": "1500m",
    }
    assert result.says("1.3.8", "v1.3.8")
    assert result.says("TimeoutStopSec", "150")
    assert not result.says("root")
    assert "planted" not in result.shown


def test_a_jar_with_options_of_java_is_read(tmp_path):
    result = _unit(
        tmp_path,
        "ExecStart=/usr/bin/java -Xmx2g -Dmicronaut.config.files=/etc/k/a.yml -jar /opt/kestra-2.0.1.jar server "
        "standalone --port 9090\n",
        a__yml="kestra: {queue: {type: postgres}}",
    )
    assert result.keys == {"kestra.queue.type": "postgres", "micronaut.server.port": 9090}
    assert result.settings["version"] == "2.0"
    assert result.settings["deployment.components.standalone.java-options"] == "-Xmx2g"
    assert result.says("root", kind="changed")


def test_drop_ins_change_the_unit(tmp_path):
    inputs = Inputs(tmp_path)
    unit = inputs.write(
        "kestra.service", f"[Service]\nEnvironment=ENV_A=a\nEnvironment=ENV_B=b\n{EXEC}"
    )
    drop_in = inputs.write(
        "kestra.service.d/10.conf",
        "[Service]\nEnvironment=\nEnvironment=ENV_A=c\nExecStart=\nExecStart=-/opt/kestra/kestra server standalone -t 4\n",
    )
    for paths in ([unit, drop_in], [str(tmp_path)]):
        result = Result(read(paths))
        assert result.variables == {"ENV_A": "c"}
        assert result.settings["deployment.components.standalone.worker-threads"] == 4


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (f"EnvironmentFile=/etc/kestra.env\n{EXEC}", ("/etc/kestra.env", "give")),
        (
            "ExecStart=/opt/kestra server standalone -c /etc/a.yml\n",
            ("/etc/a.yml", "not among the inputs"),
        ),
        (f"ExecStartPre=/bin/true\n{EXEC}", ("ExecStartPre",)),
        (f"LoadCredential=a:b\n{EXEC}", ("LoadCredential",)),
        ("ExecStart=/opt/kestra server standalone --flow-path /srv/flows\n", ("/srv/flows",)),
        ("ExecStart=/opt/kestra server standalone -p /plugins\n", ("/plugins", "image")),
        ("ExecStart=/opt/kestra server local\n", ("server local", "datasources")),
    ],
)
def test_what_a_unit_names_and_no_input_has_is_named(tmp_path, service, words):
    result = _unit(tmp_path, service)
    assert result.says(*words, kind="not carried"), result.lines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["server standalone"], {"component": "standalone"}),
        (["server", "standalone", "--worker-thread=64"], {"threads": 64}),
        (["/bin/bash", "-c", "/app/kestra server standalone --worker-thread=64 # && x --worker-thread=1"], {"threads": 64}),
        (["-c", "/app/kestra server standalone --worker-threads 8"], {"threads": 8, "config_files": []}),
        (["server", "standalone", "-c", "/a b.yml"], {"config_files": ["/a b.yml"]}),
        (["server", "standalone", "-c/a.yml", "--port=80"], {"config_files": ["/a.yml"], "port": 80}),
        (["server worker -t 8 -g gpu"], {"component": "worker", "threads": 8, "worker_group": "gpu"}),
        (["server", "webserver", "-l", "DEBUG", "-vv"], {"arguments": ["-l=DEBUG", "-vv"]}),
        (["sh", "-c", "sleep 5 && exec /app/kestra server standalone > /log 2>&1"], {"component": "standalone", "arguments": []}),
        (["/app/kestra-1.3.8", "server", "standalone"], {"release": "1.3.8"}),
        (["sh", "-c", "it's 'broken && /app/kestra server standalone"], {"component": "standalone"}),
        (["/bin/bash", "-c", "/app/kestra", "server", "worker", "--thread=64", "--port", "90"], {"threads": 64, "port": 90, "dropped_words": True}),
        (["/bin/sh", "-c", "server", "standalone", "--worker-thread=64"], {"threads": 64, "dropped_words": True}),
        (["/bin/sh", "-c", "/app/kestra server standalone", "--worker-thread=64"], {"component": "standalone", "threads": None}),
        (["/bin/bash", "-c", 'exec "$@"', "--", "/app/kestra", "server", "standalone", "-t", "6"], {"threads": 6, "dropped_words": False}),
        (["sh", "-c", "exec $0 server worker $1", "/app/kestra", "--thread=7"], {"threads": 7}),
        (["tini", "--", "/bin/bash", "-eo", "pipefail", "-c", "/app/kestra server standalone -t 5"], {"threads": 5}),
        (["/usr/bin/env", "bash", "-euxc", "--", "/app/kestra server standalone -t 4"], {"threads": 4}),
        (["flow", "namespace", "update"], {"component": ""}),
        (["server", "standalone", "--worker-thread", "${N}"], {"threads": None}),
        ([], {"component": ""}),
        (["server"], {"component": ""}),
    ],
)  # fmt: skip
def test_a_command_is_taken_apart(words, expected):
    command = parse_command(words)
    assert {name: getattr(command, name) for name in expected} == expected


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", "exec /app/kestra server standalone --worker-thread=$N"],
        ["sh", "-c", "exec /app/kestra server standalone -t ${N}"],
        ["sh", "-c", "exec /app/kestra server standalone -t ${X:-64}"],
        ["server", "worker", "--thread=$(N)"],
    ],
)
def test_an_option_takes_the_value_of_a_variable(words):
    command = parse_command(words, {"N": "64"})
    assert (command.threads, command.lost) == (64, [])


def test_other_programs_of_a_start_script_are_named_without_their_words():
    command = parse_command(
        [
            "sh",
            "-c",
            "mycli login planted-word && /app/kestra plugins install a && /app/kestra server standalone",
        ]
    )
    text = str(command.lost)
    assert "plugins install" in text
    assert "other programs" in text
    assert "planted" not in f"{text}{command!r}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6m", 360), ("1h30m", 5400), ("150", 150), ("2min 30s", 150), ("1.5h", 5400), ("500ms", 0.5), ("", None), ("x", None), ("5x", None)],
)  # fmt: skip
def test_a_span_of_time_is_read(text, seconds):
    assert seconds_of(text) == seconds


def test_a_container_unit_of_podman_is_read(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write("application.yaml", "kestra: {queue: {type: postgres}}")
    unit = inputs.write(
        "kestra.container",
        """
        [Unit]
        Description=x
        [Container]
        Image=docker.io/kestra/kestra:v1.3.21
        Exec=server standalone --config /etc/k.yaml --worker-thread=8
        Environment=ENV_A=b "ENV_C=d e"
        Volume=./application.yaml:/etc/k.yaml:ro,Z
        Volume=kestra.volume:/app/storage
        Volume=%t/podman/podman.sock:/var/run/docker.sock
        PublishPort=8080:8080
        Secret=kestra-db,type=env,target=DB_PASSWORD
        """,
    )
    result = Result(read([unit]))
    assert result.keys == {"kestra.queue.type": "postgres"}
    assert result.variables == {"ENV_A": "b", "ENV_C": "d e"}
    assert result.settings["deployment.image.tag"] == "v1.3.21"
    assert result.settings["deployment.components.standalone.worker-threads"] == 8
    for words in (("docker.sock",), ("8080", "ingress"), ("kestra-db",), ("DB_PASSWORD",)):
        assert result.says(*words), words
