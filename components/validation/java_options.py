"""Configuration in Java's options and in arguments of `kestra server`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.settings.findings import Finding
from components.settings.java import READ_BY_JAVA, VARIABLE
from components.settings.model import Settings
from components.validation.flow_variables import CONFIGURATION_ROOTS
from components.validation.variable_rules import setting_of
from policy.environment_variables import canonical, variable_name

#: Variables from which Java, or Kestra's start script for it, takes options.
OPTION_VARIABLES = (VARIABLE, "KESTRA_JAVA_OPTS", *READ_BY_JAVA)
_PROPERTY = re.compile(r"""(?:^|[\s"'])-D["']?([^=\s"']+)""")
#: Options of `kestra server`, in picocli's spellings: `-c FILE`, `-cFILE`, `-vc FILE`, `--config=FILE`.
_CONFIG = re.compile(r"--config(=.*)?|-v*c.*", re.DOTALL)
_PORT = re.compile(r"--port(=.*)?", re.DOTALL)


def properties(options: str) -> Iterator[str]:
    """Names of system properties in Java's options that are configuration for Kestra or Micronaut."""
    for match in _PROPERTY.finditer(options):
        if canonical(match[1]).split(".")[0].partition("[")[0] in CONFIGURATION_ROOTS:
            yield match[1]


def options(s: Settings) -> Iterator[Finding]:
    """`-D` with a key of the configuration, in variables and in `java-options`."""
    at = ("deployment",)
    for name in OPTION_VARIABLES:
        yield from _in((*at, "environment", name), s.deployment.plain_environment.get(name))
    for name in s.components:
        loc = (*at, "components", name, "java-options")
        yield from _in(loc, getattr(s.deployment.components, name).java_options)


def _in(loc: tuple[str, ...], text: str | None) -> Iterator[Finding]:
    names = list(dict.fromkeys(properties(text or "")))
    if not names:
        return
    fixes = []
    for name in names:
        setting = setting_of(canonical(name))
        where = f"kestra:{setting}" if setting else f"the variable {variable_name(name)}"
        fixes.append(f"-D{name}: {where}, where this program takes it")
    yield Finding(
        loc,
        f"sets configuration: {', '.join(names)}",
        "a system property wins over the rendered file, and Java's options are for Java",
        f"take it out; what it sets belongs elsewhere ({'; '.join(fixes)})",
    )


def arguments(s: Settings) -> Iterator[Finding]:
    """Arguments of `kestra server` that carry configuration."""
    for name in s.components:
        loc = ("deployment", "components", name, "extra-args")
        for i, argument in enumerate(getattr(s.deployment.components, name).extra_args):
            if problem := _argument(argument):
                yield Finding((*loc, i), *problem)


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
            "its Service, network policy and ingress assume 8080",
            "remove it and its value; kestra:deployment.ingress serves Kestra on port 443",
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
