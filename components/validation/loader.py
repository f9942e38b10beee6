"""From a stack file, or from Pulumi's configuration, to checked settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..backends.registry import backend_of
from ..backends.settings_model import settings_model
from ..backends.teams import with_team_secrets
from ..settings.base import kebab
from ..settings.external_key import with_external_key
from ..settings.findings import Finding
from ..settings.model import Settings
from ..settings.open_source_store import with_store_manager
from ..settings.report import Problem, SettingsError
from ..settings.secrets_alone import with_team_defaults
from . import catalogue_keys, choices
from .catalogue_keys import ADDITIONAL, Reading
from .environments import absent, masked, masked_places, merged, unopened, without_empty_blocks
from .namespaces import misspelled_namespaces
from .schema import (
    Canonical,
    KeySpelling,
    LeftOut,
    Loc,
    Unmodelled,
    canonicalize_keys,
    remove,
    validate,
)
from .sensitive import encrypt_fix, in_clear, plain_secret
from .stack_file import file_problem, read_stack_file, settings_of
from .stack_outputs import (
    ReadOutputs,
    Resolved,
    clear_output,
    misplaced_references,
    of_output,
    resolve,
    unread_setting,
)
from .unknown_values import leave_out_unread
from .value_limits import find_invalid_values


@dataclass(frozen=True)
class Loaded:
    """Valid settings, and what a person should know about them."""

    settings: Settings
    warnings: tuple[Problem, ...]
    unread: tuple[Problem, ...] = ()
    """What others bring and nobody has read, which is judged at preview: outputs of other stacks, environments."""
    is_complete: bool = True
    """Whether the settings have every value: a secret that is not read stands for itself, anything else is left out."""

    @property
    def notes(self) -> list[str]:
        """One line for each of what nobody has read."""
        return [f"{one.location}: {one.path} {one.message}; {one.rule}" for one in self.unread]

    def completed(self) -> Loaded:
        """The same, for who needs every value.

        Raises:
            SettingsError: values of others are left out.
        """
        if not self.is_complete:
            raise SettingsError([replace(one, severity="error") for one in self.unread])
        return self


def load(
    document: Mapping[str, object],
    *,
    source: str,
    spelling: KeySpelling | None = None,
    unknown: Sequence[Loc] = (),
    concerns: Collection[str] | None = None,
    alone: Collection[str] = (),
    resolved: Resolved | None = None,
    is_open: bool = False,
) -> Loaded:
    """Checks the first-level settings and everything below.

    Args:
        document: first-level key (`secret`, `server` …) to value, as Pulumi's configuration gives it; what is
            encrypted there is a `SecretStr`.
        source: what the report names as the place of the settings, usually the stack file.
        spelling: how the report writes keys; None: as the document does.
        unknown: places that have a value which nobody knows yet, and which the document leaves out.
        concerns: the first-level settings that are looked at, for who uses a part of them; None: all.
        alone: those among them whose values are checked, and not whether they go together with others.
        resolved: where values of other stacks stand.
        is_open: whether others may bring more settings; then nothing is said of what is missing.

    Raises:
        SettingsError: with every problem at once.
    """
    spelling = spelling or KeySpelling()
    findings: list[Finding] = []
    data: dict[str, Any] = {}
    unmodelled: list[Unmodelled] = []
    left_out: list[Loc] = []
    try:
        for item in canonicalize_keys(settings_model(), _as_written(document), spelling):
            if isinstance(item, Unmodelled):
                unmodelled.append(item)
            elif isinstance(item, Canonical):
                data = item.value
            elif isinstance(item, LeftOut):
                left_out.append(item.loc)
            else:
                findings.append(item)
        if is_open:
            data = without_empty_blocks(data)
        keys, additional = _keys_of_kestra(unmodelled, data, spelling)
        left_out += [*keys.left_out, *additional.left_out]
        left_out += leave_out_unread(data, settings_model())
        unknown = [*unknown, *left_out]
        findings += keys.problems + additional.problems
        values = [leaf.value for leaf in (*keys.leaves, *additional.leaves)]
        invalid = list(find_invalid_values(data, values))
        places = [finding.loc for finding in invalid if finding.loc]
        for place in places:
            remove(data, place)
        written = _variables(data)
        settings, refused, removed = validate(data, spelling)
    except RecursionError:
        raise SettingsError([file_problem(source, "is nested too deeply", "flatten it")]) from None

    def complete(settings: Settings) -> Settings:
        settings = with_team_secrets(with_store_manager(with_team_defaults(settings)))
        settings = with_external_key(backend_of(settings).with_defaults(settings))
        return _with_keys(settings, keys, additional)

    settings = _with_unread(settings, written, removed)
    # What is short of a value that nobody knows is not refused for that.
    above = {place[:end] for place in unknown for end in range(1, len(place) + 1)}
    findings += invalid + [one for one in refused if one.loc not in above]
    if is_open:
        findings = [one for one in findings if one.kind != "missing"]
    removed += [*places, *unknown]
    wrong = [*removed, *(finding.loc for finding in findings)]
    findings += [
        finding
        for finding in choices.findings(
            settings, wrong, complete, [*unknown, *(absent(settings) if is_open else ())]
        )
        # A stack of secrets alone has nothing else to go together with.
        if (finding.loc[0] not in alone or settings.is_secrets_alone)
        and not (
            finding.depends_on_neighbours
            and choices.is_consequence_of_invalid_key(finding.loc, wrong)
        )
        and not any(place[:1] == (section,) for section in finding.sections for place in wrong)
    ]
    if concerns is not None:
        # A key that nobody knows may be meant for one of these.
        findings = [one for one in findings if one.loc[0] in concerns or one.kind == "unknown-key"]
    problems = [_problem(finding, source, spelling, resolved) for finding in findings]
    errors = [problem for problem in problems if problem.severity == "error"]
    # What is refused needs no second word.
    paths = {error.path for error in errors}
    warnings = [p for p in problems if p.severity == "warning" and p.path not in paths]
    if errors:
        raise SettingsError([*sorted(errors, key=lambda p: p.path), *warnings])
    return Loaded(complete(settings), tuple(warnings), is_complete=not left_out and not is_open)


def _problem(
    finding: Finding, source: str, spelling: KeySpelling, resolved: Resolved | None
) -> Problem:
    path = spelling.path(finding.loc)
    place = tuple(spelling.place(finding.loc))
    if resolved and (origin := resolved.origin(place)):
        finding = of_output(finding, origin)
        if (shown := resolved.own_keys(place)) != place:
            path = KeySpelling().path(shown)
    return Problem(
        path,
        source,
        finding.message,
        finding.rule,
        encrypt_fix(spelling.place(finding.loc)) if finding.encrypts else finding.fix,
        "warning" if finding.warning else "error",
        finding.kind,
        finding.adds,
    )


def _keys_of_kestra(
    unmodelled: list[Unmodelled], data: dict[str, Any], spelling: KeySpelling
) -> tuple[Reading, Reading]:
    """Keys that no model has: those of the catalogue, and those of `additional-configuration`."""
    others = data.pop(ADDITIONAL, None)
    if isinstance(others, Mapping):
        place = tuple(spelling.place((ADDITIONAL,)))
        others = [Unmodelled((ADDITIONAL,), place, others)]
    elif others is not None:
        data[ADDITIONAL], others = others, None
    if not unmodelled and not others:
        return Reading(), Reading()
    version = data.get("version", "1.3")
    keys = catalogue_keys.read(unmodelled, spelling, version if version in ("1.3", "2.0") else None)
    return keys, catalogue_keys.read(others or (), spelling)


def _with_keys(settings: Settings, keys: Reading, additional: Reading) -> Settings:
    if additional.leaves:
        settings = settings.model_copy(update={"additional_configuration": additional.tree()})
    if not keys.leaves:
        return settings
    return settings.with_catalogue_keys(catalogue_keys.frozen(keys.tree()))


def _variables(data: Mapping[str, Any]) -> dict[str, Any]:
    block = data.get("deployment")
    variables = block.get("environment") if isinstance(block, Mapping) else None
    return dict(variables) if isinstance(variables, Mapping) else {}


def _with_unread(settings: Settings, written: Mapping[str, Any], removed: list[Loc]) -> Settings:
    """Variables whose value is refused as no text are judged by their names too, so that all is told at once."""
    unread = {
        name: _text(written.get(name))
        for *block, name in removed
        if block == ["deployment", "environment"] and isinstance(name, str)
    }
    if not unread:
        return settings
    variables = settings.deployment.environment | unread
    deployment = settings.deployment.model_copy(update={"environment": variables})
    return settings.model_copy(update={"deployment": deployment})


def _text(value: object) -> str:
    """What a person means by a value that YAML reads as no text; some text where that says nothing."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else "0"


_FIRST_LEVEL = {field.alias or name for name, field in Settings.model_fields.items()}


def _is_known(name: str) -> bool:
    return name in _FIRST_LEVEL or catalogue_keys.is_catalogue_root(name)


def _as_written(document: Mapping[str, object]) -> dict[str, object]:
    # Pulumi.yaml's default for a block that a stack leaves out is {}, and Pulumi makes an empty text of a key without a
    # value. A key that nobody knows is reported whatever its value is.
    # YAML reads 2.0 as a number, and Pulumi hands it on as "2".
    document = {
        name: value
        for name, value in document.items()
        if value not in ({}, None, "") or not (isinstance(name, str) and _is_known(kebab(name)))
    }
    version = document.get("version")
    if isinstance(version, (int, float)) and not isinstance(version, bool) and version < 1000:
        version = str(version)
    if isinstance(version, str):
        document["version"] = {"2": "2.0"}.get(version, version)
    return document


def load_file(
    path: Path | str,
    read: ReadOutputs | None = None,
    environments: Sequence[Mapping[str, Any]] = (),
) -> Loaded:
    """Loads a `Pulumi.<stack>.yaml`; encrypted values count as present and opaque, secrets in clear are warned of.

    Args:
        path: the stack file.
        read: gives the outputs of other stacks; None: nobody reads them.
        environments: what the file's environments of Pulumi ESC bring (`environments.opened`), later ones win.

    Raises:
        SettingsError: with every problem at once; also for a file that is missing or no YAML.
    """
    file = read_stack_file(path)
    if environments:
        file = replace(file, config=merged(file.config, environments))
    waits = () if environments else file.environments
    try:
        loaded = load_stack(
            settings_of(file),
            source=file.source,
            config=file.config,
            read=read,
            environments=waits,
        )
    except SettingsError as error:
        raise SettingsError(file.with_lines(error.problems)) from None
    warnings = (*file.outside, *file.with_lines(loaded.warnings))
    unread = file.with_lines(loaded.unread)
    return replace(loaded, warnings=warnings, unread=unread)


def load_stack(
    document: Mapping[str, object],
    *,
    source: str,
    config: Mapping[Any, Any] = MappingProxyType({}),
    read: ReadOutputs | None = None,
    environments: Sequence[str] = (),
) -> Loaded:
    """Loads the settings of a stack (see `load`), and warns of what nobody reads and of secrets in clear.

    Args:
        document: first-level key to value.
        source: what the report names as the place of the settings.
        config: the stack's whole configuration, each key with its namespace.
        read: gives the outputs of other stacks; None: nobody reads them.
        environments: those of Pulumi ESC that bring more, which is not in the document.

    Raises:
        SettingsError: with every problem at once.
    """
    try:
        masks = list(masked_places(document))
        resolved = resolve(document, source, read)
    except RecursionError:
        raise SettingsError([file_problem(source, "is nested too deeply", "flatten it")]) from None
    errors = [*resolved.problems, *misplaced_references(config, source)]
    plain = [*misspelled_namespaces(config, source), *_in_clear(resolved, source)]
    try:
        loaded = load(
            resolved.document, source=source, resolved=resolved, is_open=bool(environments)
        )
    except SettingsError as error:
        raise SettingsError([*errors, *error.problems, *plain]) from None
    if errors:
        raise SettingsError([*errors, *loaded.warnings, *plain])
    unread = [unread_setting(place, one, source) for place, one in resolved.unread.items()]
    unread += [masked(place, source) for place in masks]
    unread += [unopened(environments, source)] if environments else []
    return replace(loaded, warnings=(*loaded.warnings, *plain), unread=tuple(unread))


def _in_clear(resolved: Resolved, source: str) -> Iterable[Problem]:
    """A warning for each secret that stands in clear, here or in the stack that it comes from."""
    for place, _ in in_clear(resolved.document):
        origin = resolved.origin(place)
        yield clear_output(place, origin, source) if origin else plain_secret(place, source)
