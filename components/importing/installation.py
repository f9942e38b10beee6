"""What readers find in an installation, in one form for every kind of input.

A reader (compose, Helm values, Kubernetes manifests, a systemd unit, an `application.yaml`) fills an `Installation`;
the writer turns it into a stack file and a report. Values are as Kestra had them in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, order=True)
class Origin:
    """Where a value came from."""

    file: str
    """The name of the input as it was given; `-` for standard input."""
    place: str = ""
    """A place in it that can be searched for: `services.kestra.environment.KESTRA_CONFIGURATION`, `line 12`."""

    def __str__(self) -> str:
        return f"{self.file}: {self.place}" if self.place else self.file


@dataclass(frozen=True)
class Sourced:
    """A leaf of the configuration with its origin. Its value may be a secret, so `repr` does not show it."""

    value: str | int | float | bool | None = field(repr=False)
    origin: Origin


@dataclass(frozen=True)
class Variable:
    """An environment variable of Kestra's container, or of one of its components."""

    origin: Origin
    value: str | None = field(default=None, repr=False)
    """Its value where the input holds it."""
    value_from: Mapping[str, Any] | None = None
    """Else Kubernetes' own `valueFrom` (`secretKeyRef`, `configMapKeyRef`, `fieldRef`, `resourceFieldRef`)."""
    component: str | None = None
    """The only component that has it; None: all have it."""
    references: frozenset[str] = frozenset()
    """Variables that Kubernetes puts into the value, which has `${NAME}` for each; any other `${…}` is text."""


@dataclass(frozen=True)
class Note:
    """A line of the report."""

    kind: Literal["changed", "not carried", "refused"]
    what: str
    """The key or part, as the input names it: `services.kestra.user`, `kestra.server.basic-auth.enabled`."""
    why: str
    """What happens to it and why; never a secret value."""
    fix: str = ""
    """What to do by hand, with a setting or a command where there is one."""
    origin: Origin | None = None


@dataclass(frozen=True)
class Missing:
    """A key of the configuration that the installation sets, but whose value no input holds."""

    path: tuple[str | int, ...]
    """The key in canonical form: `("datasources", "postgres", "password")`. It is not in the configuration."""
    variables: tuple[str, ...]
    """Names of what nobody gives: variables of compose, of a template, of the environment."""
    origin: Origin
    why: str = ""
    """Why there is no value, where it is not that nobody gives the variables."""


#: A tree of Kestra's (Micronaut's) keys in kebab-case; leaves are `Sourced`, lists are lists of trees or leaves.
Tree = dict[str, Any]


@dataclass
class Installation:
    """One installation of Kestra, merged from all inputs in the order in which Kestra would read them."""

    configuration: Tree = field(default_factory=dict)
    """Root keys (`kestra`, `datasources`, `micronaut` …) to what was in force.

    Keys of Kestra's that the input wrote in camelCase or with dots are canonical here (`basicAuth` is `basic-auth`,
    `encryption.secret-key: x` is nested), keys of free maps (`client.properties`) are as written. Variables that are
    settings of Kestra (`DATASOURCES_POSTGRES_PASSWORD`, `KESTRA_STORAGE_TYPE`) are merged into it. Placeholders that
    Micronaut resolves (`${DB_HOST}`, `${X:default}`) stay as text; those of compose, Terraform or a shell are resolved
    or named in a note.
    """
    environment: dict[str, Variable] = field(default_factory=dict)
    """The other variables: those that placeholders name, `ENV_…`, `SECRET_…`, `JAVA_OPTS`, anything else."""
    interpolated: set[str] = field(default_factory=set)
    """Names of variables in `environment` whose values another program has put where they are needed."""
    declared_secrets: dict[str, Variable] = field(default_factory=dict)
    """Secrets that flows read by `secret()`, from variables `SECRET_<name>`: name without `SECRET_` to the decoded value.

    A value of None is one that the inputs name but do not hold. Those of Kubernetes objects that stay
    (`value_from`, `extra_env_from`) are not here.
    """
    missing: list[Missing] = field(default_factory=list)
    """Keys to set before the stack file is complete; each has a note too."""
    absent_configuration: list[str] = field(default_factory=list)
    """Files and variables with configuration that Kestra reads, and that no input holds; each has a note too."""
    extra_env_from: list[dict[str, Any]] = field(default_factory=list)
    """Kubernetes' `envFrom` entries."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings of this project that the input decides, nested, in kebab-case, without `kestra:`.

    `version`, `edition`, `deployment.image.tag`, `deployment.mode`, `deployment.components.worker.replicas`,
    `deployment.extra-volumes` (in Kubernetes' own form), `identity.service-account.name` … ; leaves are `Sourced`
    or plain values that the importer chose.
    """
    release: str = ""
    """The name that a Helm release's objects begin with (the chart's full name); empty where no input says it."""
    release_account: str | None = None
    """The service account that the Helm release makes; None: it makes none."""
    notes: list[Note] = field(default_factory=list)
    """What is changed, refused or not carried over, and why."""
    sources: list[tuple[str, str]] = field(default_factory=list)
    """Each input that was read, with what it is: `("values.yaml", "values of the Helm chart 1.x")`."""
