"""What the pack judges is what Kestra has in the end: files, variables, options, in Kestra's order."""

from __future__ import annotations

import pytest

from tests.policy.analyzer_support import UNKNOWN, R
from tests.policy.kestra_stack_support import (
    BEFORE,
    CLEAR,
    FILE,
    NEVER,
    config_map,
    deployment,
    env,
    passed,
    refused,
    said,
    secret,
    text,
    undecided,
    variables,
    without,
    written_secret,
)

KEY, KEY_VARIABLE = "kestra.encryption.secret-key", "KESTRA_ENCRYPTION_SECRET_KEY"
PREFIX, PREFIX_VARIABLE = "kestra.variables.env-vars-prefix", "KESTRA_VARIABLES_ENV_VARS_PREFIX"
PASSWORD_VARIABLE = "KESTRA_SERVER_BASIC_AUTH_PASSWORD"
NO_KEY = config_map(without("kestra.encryption"))
GOOD = config_map(text())
REFERENCE = {"secretKeyRef": {"name": "credentials", "key": "key"}}
KEY_IN_MORE = NO_KEY.but("data/more.yml", f"{KEY}: ${{X}}")
OPTIONAL = {"secretKeyRef": {"name": "credentials", "key": "key", "optional": True}}
OF_A_MAP = {"configMapKeyRef": {"name": "variables", "key": "key"}}


@pytest.mark.parametrize(
    "stack",
    [
        (deployment(env(**{KEY_VARIABLE: "${OTHER}"})), NO_KEY),
        (deployment(env(**{KEY_VARIABLE.lower(): "x"})), NO_KEY),
        (deployment(env(**{KEY: "x"})), NO_KEY),
        (deployment(env(**{KEY_VARIABLE: REFERENCE})), NO_KEY, secret(key=CLEAR)),
        (deployment(env(**{KEY_VARIABLE: REFERENCE})), NO_KEY),
        (deployment(env(**{KEY_VARIABLE: OPTIONAL})), NO_KEY, secret(key=CLEAR)),
        (deployment(env(**{KEY_VARIABLE: OF_A_MAP})), NO_KEY, variables(key="x")),
        (deployment(env(**{KEY_VARIABLE: OF_A_MAP})), NO_KEY),
        (deployment(env(**{KEY_VARIABLE: {"fieldRef": {"fieldPath": "a"}}})), NO_KEY),
        (deployment(env(**{KEY_VARIABLE: UNKNOWN})), NO_KEY),
        (
            deployment(envFrom=[{"secretRef": {"name": "credentials"}}]),
            NO_KEY,
            secret(**{KEY_VARIABLE: CLEAR}),
        ),
        (
            deployment(envFrom=[{"secretRef": {"name": "credentials"}}]),
            NO_KEY,
            written_secret(**{KEY_VARIABLE: UNKNOWN}),
        ),
        (
            deployment(envFrom=[{"configMapRef": {"name": "variables"}}]),
            NO_KEY,
            variables(**{KEY_VARIABLE: "${OTHER}"}),
        ),
        (
            deployment(envFrom=[{"prefix": "KESTRA_", "secretRef": {"name": "credentials"}}]),
            NO_KEY,
            secret(ENCRYPTION_SECRET_KEY=CLEAR),
        ),
        (deployment(env(JAVA_OPTS=f"-Xmx1g -D{KEY}=x")), NO_KEY),
        (deployment(env(_JAVA_OPTIONS="-Dkestra.encryption.secretKey=x")), NO_KEY),
        (deployment(env(KESTRA_CONFIGURATION=text())), NO_KEY),
        (deployment(env(KESTRA_CONFIGURATION=text()), files=None),),
        (deployment(files=f"{FILE},/etc/kestra/more.yml"), KEY_IN_MORE),
        (deployment(files=f" {FILE} , file:/etc/kestra/more.yml"), KEY_IN_MORE),
        (deployment(args=["server", "standalone", "--config", "/etc/kestra/more.yml"]), KEY_IN_MORE),
        (deployment(args=["server", "standalone", "-c=/etc/kestra/more.yml"]), KEY_IN_MORE),
        (
            deployment(
                env(MORE="/etc/kestra/more.yml"), args=["server", "standalone", "-c", "$(MORE)"]
            ),
            KEY_IN_MORE,
        ),
        (deployment(env(JAVA_OPTS="-Dmicronaut.config.files=/etc/kestra/more.yml")), KEY_IN_MORE),
        (deployment(), config_map("kestra:\n  encryption:\n    secretKey: x\n")),
        (deployment(), config_map("kestra:\n  encryption.secret-key: x\n")),
        (deployment(), config_map("kestra.encryption.secret_key: x\n")),
        (deployment(), config_map('{"kestra": {"encryption": {"secret-key": "x"}}}')),
        (deployment(), config_map("a: 1\n---\nkestra: {encryption: {secret-key: x}}\n")),
        (
            deployment(files="/etc/kestra/application.properties"),
            config_map(f"# x\n{KEY} = x\n", key="application.properties"),
        ),
    ],
)  # fmt: skip
def test_a_key_that_anything_gives_is_not_called_missing(stack: tuple[R, ...]) -> None:
    passed(said("ks-kestra-01", *stack))


@pytest.mark.parametrize(
    "stack",
    [
        (deployment(), NO_KEY),
        (deployment(env(**{KEY_VARIABLE: ""})), GOOD),
        (deployment(env(**{KEY_VARIABLE: REFERENCE})), GOOD, secret(key="")),
        (deployment(env(**{KEY_VARIABLE: OPTIONAL})), NO_KEY, secret(key="")),
        (deployment(env(KESTRA_ENCRYPTION_SECRETKEY="x")), NO_KEY),
        (deployment(env(KESTRA_ENCRYPTION_SECRET__KEY="x")), NO_KEY),
        (deployment(), config_map("kestra:\n  encryption:\n    secretkey: x\n")),
        (deployment(env(KESTRA_CONFIGURATION=without("kestra.encryption"))), GOOD),
        (
            deployment(envFrom=[{"secretRef": {"name": "credentials"}}]),
            NO_KEY,
            secret(ENCRYPTION_SECRET_KEY=CLEAR),
        ),
        (
            deployment(envFrom=[{"prefix": "OTHER_", "secretRef": {"name": "elsewhere"}}]),
            NO_KEY,
        ),
        (deployment(env(JAVA_OPTS=f"-D{KEY}=")), GOOD),
        (deployment(env(**{KEY_VARIABLE: "x"}, JAVA_OPTS=f"-D{KEY}=")), GOOD),
        (deployment(files=None),),
    ],
)  # fmt: skip
def test_a_key_that_nothing_gives_is_missing(stack: tuple[R, ...]) -> None:
    refused(said("ks-kestra-01", *stack), "has no encryption key")


@pytest.mark.parametrize(
    ("stack", "why"),
    [
        ((deployment(files="/elsewhere/application.yml"),), NEVER),
        ((deployment(volumes=[{"name": "configuration", "hostPath": {"path": "/"}}]),), NEVER),
        ((deployment(volumes=[{"name": "configuration", "secret": {"secretName": "x"}}]),), NEVER),
        ((deployment(volumes=UNKNOWN), NO_KEY), BEFORE),  # type: ignore[arg-type]
        ((deployment(files=UNKNOWN), NO_KEY), BEFORE),
        ((deployment(), config_map(UNKNOWN)), BEFORE),
        ((deployment(env(KESTRA_CONFIGURATION=UNKNOWN)), GOOD), BEFORE),
        ((deployment(envFrom=[{"secretRef": {"name": "elsewhere"}}]), NO_KEY), NEVER),
        ((deployment(envFrom=UNKNOWN), NO_KEY), BEFORE),
        ((deployment(envFrom=[{"prefix": "KESTRA_", "secretRef": {"name": "x"}}]), NO_KEY), NEVER),
        (
            (
                deployment(envFrom=[{"secretRef": {"name": "credentials"}}]),
                NO_KEY,
                secret().but("data", UNKNOWN),
            ),
            BEFORE,
        ),
        ((deployment(env(**{KEY_VARIABLE: OPTIONAL})), NO_KEY), NEVER),
        ((deployment(env(JAVA_OPTS=UNKNOWN)), NO_KEY), BEFORE),
        ((deployment(args=["server", "standalone", "-c", "/none.yml"]), NO_KEY), NEVER),
        ((deployment(args=UNKNOWN), NO_KEY), BEFORE),
        ((deployment(image=UNKNOWN, container_name="x", command=[], args=[]), NO_KEY), BEFORE),
        ((deployment(), config_map("kestra: [\n" + CLEAR)), NEVER),
    ],
)
def test_a_key_that_what_is_not_seen_may_give_is_undecided(stack: tuple[R, ...], why: str) -> None:
    judged = said("ks-kestra-01", *stack)
    undecided(judged, why)
    assert CLEAR not in judged.not_yet[0]


SHOWS = "shows every variable to flows"


@pytest.mark.parametrize(
    ("stack", "where"),
    [
        ((deployment(env(**{PREFIX_VARIABLE: ""})), GOOD),
         f"server (kubernetes:apps/v1:Deployment): {SHOWS}. Wanted: ENV_. "
         f"Change spec.template.spec.containers.0.env.1.value: the variable {PREFIX_VARIABLE}; "
         f"with kestra-on-pulumi: kestra:deployment.environment.{PREFIX_VARIABLE}."),
        ((deployment(), config_map(text((PREFIX, "")))), f"data.application.yaml: {PREFIX}; with"),
        ((deployment(), config_map("kestra: {variables: {envVarsPrefix: ''}, encryption: {}}")),
         "data.application.yaml: kestra.variables.envVarsPrefix; with"),
        ((deployment(env(P="")), config_map(text((PREFIX, "${P}")))), "(from the variable P)"),
        ((deployment(env(P="${Q}", Q="")), config_map(text((PREFIX, "${P}")))), "(from the variable P)"),
        ((deployment(), config_map(text((PREFIX, "${P:}")))), f"data.application.yaml: {PREFIX}; with"),
        ((deployment(envFrom=[{"configMapRef": {"name": "variables"}}]), GOOD,
          variables(**{PREFIX_VARIABLE: ""})), f"Change data.{PREFIX_VARIABLE}: the variable"),
        ((deployment(env(**{PREFIX_VARIABLE: OF_A_MAP})), GOOD, variables(key="")),
         f"Change data.key: the variable {PREFIX_VARIABLE}"),
        ((deployment(env(EMPTY="", **{PREFIX_VARIABLE: "$(EMPTY)"})), GOOD), PREFIX_VARIABLE),
        ((deployment(env(**{PREFIX_VARIABLE: "ENV_"}, JAVA_OPTS=f"-D{PREFIX}=")), GOOD),
         f"the variable JAVA_OPTS: -D{PREFIX}"),
        ((deployment(env(**{PREFIX_VARIABLE: "ENV_"}),
                     args=["server", "standalone", "-c", "/etc/kestra/more.yml"]),
          GOOD.but("data/more.yml", f"{PREFIX}: ''")), f"data.more.yml: {PREFIX}"),
        ((deployment(files=f"{FILE},/etc/kestra/more.yml"),
          GOOD.but("data/more.yml", f"{PREFIX}: ''")), f"data.more.yml: {PREFIX}"),
        ((deployment(env(KESTRA_CONFIGURATION=text((PREFIX, "")))), GOOD),
         f"containers.0.env.1.value: {PREFIX}"),
        ((deployment(env(KESTRA_CONFIGURATION="")), config_map(text((PREFIX, "")))),
         f"data.application.yaml: {PREFIX}"),
        # The last of two entries of a name counts, and env counts before envFrom.
        ((deployment([*env(**{PREFIX_VARIABLE: "ENV_"}), *env(**{PREFIX_VARIABLE: ""})]), GOOD),
         "env.2.value"),
        ((deployment(env(**{PREFIX_VARIABLE: ""}),
                     envFrom=[{"configMapRef": {"name": "variables"}}]),
          GOOD, variables(**{PREFIX_VARIABLE: "ENV_"})), "env.1.value"),
        ((deployment(envFrom=[{"configMapRef": {"name": "first"}}, {"configMapRef": {"name": "second"}}]),
          GOOD, variables("first", **{PREFIX_VARIABLE: "ENV_"}), variables("second", **{PREFIX_VARIABLE: ""})),
         "second (kubernetes:core/v1:ConfigMap)"),
    ],
)  # fmt: skip
def test_what_weakens_a_setting_is_named_where_it_stands(stack: tuple[R, ...], where: str) -> None:
    refused(said("ks-kestra-13", *stack), SHOWS, where)


@pytest.mark.parametrize(
    "stack",
    [
        (deployment(env(**{PREFIX_VARIABLE: "ENV_"})), config_map(text((PREFIX, "")))),
        (deployment(env(JAVA_OPTS=f"-D{PREFIX}=ENV_")), config_map(text((PREFIX, "")))),
        (deployment(env(KESTRA_CONFIGURATION=text())), config_map(text((PREFIX, "")))),
        (deployment(env(**{PREFIX_VARIABLE: ""}), args=["server", "standalone", f"--config={FILE}"]), GOOD),
        (deployment(env(**{PREFIX_VARIABLE: ""}, KESTRA_VARIABLES_ENV__VARS_PREFIX="x"), files="",
                    args=["server", "standalone", f"--config={FILE}"]), GOOD),
        (deployment(env(P="ENV_")), config_map(text((PREFIX, "${P}")))),
        (deployment(), config_map(text((PREFIX, "${P:ENV_}")))),
        (deployment(env(**{PREFIX_VARIABLE: "$$(P)"})), GOOD),
        (deployment(files=f"/etc/kestra/weak.yml,{FILE}"), GOOD.but("data/weak.yml", f"{PREFIX}: ''")),
        (deployment(), GOOD.but("data/unread.yml", text((PREFIX, "")))),
    ],
)  # fmt: skip
def test_what_a_stronger_source_replaces_counts_no_more(stack: tuple[R, ...]) -> None:
    passed(said("ks-kestra-13", *stack))


def test_a_value_that_is_unknown_is_undecided_where_the_value_matters() -> None:
    judged = said("ks-kestra-13", deployment(env(**{PREFIX_VARIABLE: UNKNOWN})), GOOD)
    undecided(judged, BEFORE, PREFIX_VARIABLE)
    judged = said("ks-kestra-13", deployment(env(**{PREFIX_VARIABLE: REFERENCE})), GOOD)
    undecided(judged, NEVER, "the Secret credentials")


def test_a_value_of_a_secret_is_judged_and_never_shown() -> None:
    stack = deployment(env(**{PREFIX_VARIABLE: REFERENCE})), GOOD, secret(key="KESTRA_PLANTED")
    (message,) = said("ks-kestra-13", *stack).messages
    assert "shows [secret] variables to flows" in message
    assert "Change data.key: the variable KESTRA_VARIABLES_ENV_VARS_PREFIX" in message
    assert "PLANTED" not in message
    urls = env(KESTRA_SERVER_BASIC_AUTH_OPEN_URLS=REFERENCE)
    (message,) = said("ks-kestra-11", deployment(urls), GOOD, secret(key="/planted")).messages
    assert "opens [secret]" in message
    assert "planted" not in message


@pytest.mark.parametrize(
    ("prefix", "name", "expected"),
    [
        ("ENV_", "ENV_TOKEN", True),
        (None, "ENV_TOKEN", True),
        ("APP_", "APP_TOKEN", True),
        ("ENV_", "APP_TOKEN", False),
        ("ENV_", "env_token", False),
    ],
)
def test_a_variable_of_a_secret_that_begins_with_the_prefix_is_refused(
    prefix: str | None, name: str, expected: bool
) -> None:
    content = without(PREFIX) if prefix is None else text((PREFIX, prefix))
    for stack in (
        (deployment(env(**{name: REFERENCE})), config_map(content)),
        (deployment(env(**{name: REFERENCE})), config_map(content), secret(key=CLEAR)),
        (
            deployment(envFrom=[{"secretRef": {"name": "credentials"}}]),
            config_map(content),
            secret(**{name: CLEAR}),
        ),
    ):
        judged = said("ks-kestra-13", *stack)
        assert bool(judged.messages) is expected
        assert all(f"shows the variable {name}, which holds a secret" in m for m in judged.messages)
        assert all(CLEAR not in m for m in judged.messages)


@pytest.mark.parametrize("prefix", ["K", "KESTRA_", "KESTRA_SERVER", "SEC", "STACK_", "DATA", ""])
def test_a_prefix_that_fits_variables_of_secrets_is_refused(prefix: str) -> None:
    shown = f"shows {prefix} variables to flows" if prefix else SHOWS
    refused(said("ks-kestra-13", config_map(text((PREFIX, prefix)))), shown)


NO_LOG_IN = config_map(without("kestra.server.basic-auth", "kestra.security"))
ACCOUNT = env(KESTRA_SERVER_BASIC_AUTH_USERNAME="a@example.com", **{PASSWORD_VARIABLE: REFERENCE})


def test_a_log_in_that_variables_give_is_not_called_missing() -> None:
    passed(said("ks-kestra-02", deployment(ACCOUNT), NO_LOG_IN))
    refused(said("ks-kestra-02", deployment(), NO_LOG_IN), "has no log-in")
    refused(said("ks-kestra-02", deployment(ACCOUNT[:1]), NO_LOG_IN), "has no password")
    unseen = deployment(envFrom=[{"secretRef": {"name": "elsewhere"}}])
    undecided(said("ks-kestra-02", unseen, NO_LOG_IN), NEVER)
    sso = env(MICRONAUT_SECURITY_OAUTH2_CLIENTS_X_CLIENT_ID="x")
    passed(said("ks-kestra-02", deployment(sso), NO_LOG_IN))


def test_a_user_that_a_variable_puts_in_place_of_a_good_one_is_refused() -> None:
    weak = env(KESTRA_SERVER_BASIC_AUTH_USERNAME="admin")
    refused(said("ks-kestra-02", deployment(weak), GOOD), "a user that Kestra refuses", "USERNAME")


def test_a_log_in_is_asked_of_servers_that_people_log_in_to() -> None:
    web = deployment(ACCOUNT, name="web", args=["server", "webserver"])
    worker = deployment(name="worker", args=["server", "worker", "--thread=8"])
    passed(said("ks-kestra-02", web, worker, NO_LOG_IN))
    again = deployment(name="again", args=["server", "webserver"])
    judged = said("ks-kestra-02", web, again, worker, NO_LOG_IN)
    refused(judged, "again (kubernetes:apps/v1:Deployment): has no log-in", "containers.0.env")


def test_several_deployments_are_judged_each_by_its_own_variables() -> None:
    good = deployment(env(**{KEY_VARIABLE: REFERENCE}), name="good")
    bad = deployment(name="bad")
    refused(said("ks-kestra-01", good, bad, NO_KEY), "bad (kubernetes:apps/v1:Deployment)")
    judged = said("ks-kestra-01", bad, deployment(name="other"), NO_KEY)
    refused(judged, "kestra (kubernetes:core/v1:ConfigMap)", f"data.application.yaml: {KEY}")
    shows = [deployment(env(**{PREFIX_VARIABLE: ""}), name=name) for name in ("one", "two")]
    assert len(said("ks-kestra-13", *shows, good, GOOD).messages) == 2


def test_a_document_that_no_server_reads_is_judged_alone() -> None:
    refused(said("ks-kestra-01", NO_KEY), "has no encryption key")
    other = config_map(without("kestra.encryption"), name="other", key="kestra.yml")
    judged = said("ks-kestra-01", deployment(), GOOD, other)
    refused(judged, "other (kubernetes:core/v1:ConfigMap)")


def test_a_file_that_no_mount_explains_is_the_one_document_of_its_name() -> None:
    moved = deployment(files="/app/confs/application.yaml", volumeMounts=[])
    passed(said("ks-kestra-01", moved, GOOD))
    refused(said("ks-kestra-01", moved, NO_KEY), "has no encryption key")
    two = config_map(text(), name="second")
    undecided(said("ks-kestra-01", moved, GOOD, two), NEVER, "/app/confs/application.yaml")
