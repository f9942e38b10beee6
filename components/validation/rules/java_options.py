"""Configuration in Java's options and in arguments of `kestra server`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...policy_tables import canonical, variable_name
from ...settings.extra_variables import literal
from ...settings.findings import Finding
from ...settings.java import READ_BY_JAVA, VARIABLE
from ...settings.model import Settings
from ...settings.workloads import places
from .flow_variables import CONFIGURATION_ROOTS
from .setting_names import setting_of
from .variable_rules import is_refused

#: Variables from which Java, or Kestra's start script for it, takes options.
OPTION_VARIABLES = (VARIABLE, "KESTRA_JAVA_OPTS", *READ_BY_JAVA)
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
#: `@file` of Java's launcher, and the virtual machine's own option for the same.
_FILE = re.compile(r"@.|-XX:VMOptionsFile=")
#: Options of `kestra server`, in picocli's spellings: `-c FILE`, `-cFILE`, `-vc FILE`, `--config=FILE`.
_CONFIG = re.compile(r"--config(=.*)?|-v*c.*", re.DOTALL)
_PORT = re.compile(r"--port(=.*)?", re.DOTALL)


def _words(options: str) -> Iterator[str]:
    """The options one by one, as the shell of the start script splits `JAVA_OPTS`, and as Java splits its variables.

    In the second, quotes may stand anywhere and are no part of an option.
    """
    yield from options.split()
    yield from (re.sub("[\"']", "", word) for word in _WORD.findall(options))


def properties(options: str) -> list[str]:
    """Names of system properties in Java's options that are configuration for Kestra or Micronaut."""
    words = [word for word in _words(options) if word.startswith("-D")]
    names = dict.fromkeys(word[2:].partition("=")[0] for word in words)
    roots = {name: canonical(name).split(".")[0].partition("[")[0] for name in names}
    return [name for name, root in roots.items() if root in CONFIGURATION_ROOTS]


def options(s: Settings) -> Iterator[Finding]:
    """`-D` with a key of the configuration, in variables and in `java-options`."""
    at = ("deployment",)
    for name in OPTION_VARIABLES:
        yield from _in(s, (*at, "environment", name), s.deployment.plain_environment.get(name))
    for loc, pod in places(s):
        for i, variable in enumerate(pod.extra_env):
            if variable.get("name") in OPTION_VARIABLES:
                yield from _in(s, (*loc, "extra-env", i, "value"), literal(variable))
    for workload in s.workloads:
        yield from _in(s, (*workload.loc, "java-options"), workload.component.java_options)


def _in(s: Settings, loc: tuple[str | int, ...], text: str | None) -> Iterator[Finding]:
    if any(map(_FILE.match, _words(text or ""))):
        yield Finding(
            loc,
            "reads further options of Java's from a file",
            "such a file can set configuration, which nothing here sees",
            "write the options out",
        )
    if names := properties(text or ""):
        fixes = "; ".join(f"-D{name} {_instead(s, name)}" for name in names)
        yield Finding(
            loc,
            f"sets configuration: {', '.join(names)}",
            "a system property wins over the rendered file, and Java's options are for Java",
            f"take it out: {fixes}",
        )


def _instead(s: Settings, name: str) -> str:
    """Where the key of a system property belongs."""
    variable = variable_name(name)
    if setting := setting_of(canonical(name)):
        return f"is kestra:{setting}"
    if is_refused(s, variable):
        return "may not be set for this stack"
    return f"is the variable {variable} of kestra:deployment.environment"


def arguments(s: Settings) -> Iterator[Finding]:
    """Arguments of `kestra server` that carry configuration."""
    for workload in s.workloads:
        for i, argument in enumerate(workload.component.extra_args):
            if problem := _argument(argument):
                yield Finding((*workload.loc, "extra-args", i), *problem)


def _argument(argument: str) -> tuple[str, str, str] | None:
    if _CONFIG.fullmatch(argument):
        return (
            "reads another configuration file",
            "keys of a file of --config win over the rendered configuration and over variables",
            "remove it and its value, and use the settings",
        )
    if _PORT.fullmatch(argument):
        return (
            "moves Kestra from port 8080 (micronaut.server.port)",
            "its Service, network policy, probes and ingress follow kestra:micronaut.server.port",
            "remove it and its value, and set kestra:micronaut.server.port",
        )
    if argument.startswith("-D"):
        return (
            "is an option of Java's, which kestra server does not know",
            "Kestra does not start with an argument that it does not know",
            "remove it; Java's options belong under java-options, configuration in the settings",
        )
    if argument.startswith("@"):
        return (
            "reads further arguments from a file",
            "such a file can name another configuration, which nothing here sees",
            "write the arguments out",
        )
    return None
