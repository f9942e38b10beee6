"""One set of cases for every backend, through the real engine: the store and the identity of the whole program.

The table is `conformance_rows_support.py`. A case that cannot hold for a backend is not left out: what follows from
the reason is asserted in its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.backends.interface import Identity, Store
from components.program import Provisioned
from sandbox.leak_scan.scan import search, search_text
from sandbox.services import GoogleCloud
from tests.conftest import running
from tests.stores import conformance_rows_support as table
from tests.stores.conformance_life_support import (
    ADDED,
    COPY,
    FOREIGN,
    GIVEN,
    PASSWORD,
    ROTATED,
    TAG,
    TOKEN,
    Life,
    LifeStack,
    Step,
    end,
    live,
)
from tests.stores.conformance_rows_support import ROWS, Row

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleCloud]:
    with running(GoogleCloud(tmp_path_factory.mktemp("gcp"))) as server:
        yield server


@pytest.fixture(scope="module")
def second_google_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleCloud]:
    with running(GoogleCloud(tmp_path_factory.mktemp("gcp-oss"))) as server:
        yield server


@pytest.fixture(scope="module")
def lives() -> dict[str, Life]:
    """Lives that several rows share."""
    return {}


@pytest.fixture(scope="module", params=ROWS, ids=lambda row: row.name.split(" (")[0])
def row(request: pytest.FixtureRequest) -> Row:
    return request.param


@pytest.fixture(scope="module")
def life(
    row: Row,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    tools: dict[str, Path],
    lives: dict[str, Life],
) -> Life:
    """The row's stack after its whole life."""
    shared = "external" if row.is_external else row.name
    if shared not in lives:
        server: Any = request.getfixturevalue(row.server) if row.server else None
        folder = tmp_path_factory.mktemp("life")
        outside = row.outside(server, folder)
        stack = LifeStack(folder / "stack", tools["pulumi"], row.plugins, outside)
        made = Life(row.document(server), stack, outside)
        if row.is_external:
            _live_with_each(made)
        else:
            live(made, is_outside=row.is_outside, has_declared=row.has_declared)
        lives[shared] = made
    return lives[shared]


def _live_with_each(life: Life) -> None:
    """All external managers in one stack: what none provisions, none changes."""
    externals = [row for row in ROWS if row.is_external]
    life.run("up")
    for row in externals:
        life.document = row.document(None)
        life.run(row.name)
    end(life)


def _step(row: Row, life: Life, name: str) -> Step:
    """A step; for external managers that of the row itself."""
    return life.steps[row.name if row.is_external and name in ("up", "again") else name]


def _is_all_of(step: Step, secret: str) -> bool:
    """Whether something was done, and only with what is named after a secret."""
    return bool(step.touched) and all(secret in name for name in step.touched)


def _own(row: Row, step: Step) -> Step:
    """A step without the updates of what names every secret."""
    for name in row.names_all:
        assert step.touched.get(name) == {"update"}
    touched = {name: done for name, done in step.touched.items() if name not in row.names_all}
    return replace(step, touched=touched)


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {name for name in after if before.get(name) != after[name]}


def test_it_goes_up_and_everything_is_where_it_belongs(row: Row, life: Life) -> None:
    up, outputs = life.steps["up"], _step(row, life, "up").outputs
    assert up.operations == {"create"}
    ids = set(outputs["secretIds"])
    if not row.is_outside:
        # Nothing but values that the stack generates.
        assert {n for n in life.made["before"] if not n.startswith("generated-")} == set()
        assert ids == ({TOKEN, PASSWORD} if row.has_declared else set())
        return
    assert ids == {TOKEN, PASSWORD, COPY}
    seen, values = life.seen["up"], outputs["values"]
    assert seen[TOKEN].value == GIVEN
    assert seen[PASSWORD].value == values[PASSWORD]
    assert len(values[PASSWORD]) == 40
    assert (seen[PASSWORD].tags or {})[TAG] == "first"
    assert seen[COPY].tags is not None
    assert len({values[name] for name in (TOKEN, PASSWORD, COPY)}) == 3
    if life.outside.tells_values:
        assert seen[COPY].value == values[COPY]


def test_a_second_up_changes_nothing(row: Row, life: Life) -> None:
    assert _step(row, life, "again").touched == {}


def test_an_update_changes_only_what_it_says(row: Row, life: Life) -> None:
    if not row.has_declared:
        # Declared secrets are refused before anything is registered: see test_conformance_table.py.
        assert set(life.steps).isdisjoint({"update", "rotate", "add", "remove"})
        return
    step, before = life.steps["update"], life.steps["rotate"]
    if table.UPDATE in row.not_here:
        assert step.touched == {}
        assert step.outputs == before.outputs
        return
    assert _is_all_of(step, PASSWORD)
    assert step.operations == {"update"}
    assert life.seen["rotate"][PASSWORD].tags != life.seen["update"][PASSWORD].tags
    assert (life.seen["update"][PASSWORD].tags or {})[TAG] == "second"
    assert life.seen["update"][PASSWORD].value == before.outputs["values"][PASSWORD]
    assert life.seen["update"][TOKEN] == life.seen["rotate"][TOKEN]
    # Where tags belong to a version, it is a new one.
    assert _changed(before.versions, step.versions) <= {PASSWORD}
    assert step.outputs["secretIds"] == before.outputs["secretIds"]


def test_a_declared_secret_is_rotated_and_its_version_is_another(row: Row, life: Life) -> None:
    if not row.has_declared:
        assert "rotate" not in life.steps
        return
    step = life.steps["rotate"]
    before = life.steps["mend" if row.is_outside else "again"]
    assert step.outputs["secretIds"] == before.outputs["secretIds"]
    assert step.outputs["values"] == before.outputs["values"] | {TOKEN: ROTATED}
    if table.ROTATE in row.not_here:
        assert step.touched == {}
        assert step.versions == {}
        return
    assert _is_all_of(step, TOKEN)
    assert _changed(before.versions, step.versions) == {TOKEN}
    assert life.seen["rotate"][TOKEN].value == ROTATED
    assert life.seen["rotate"][TOKEN].tags == life.seen["mend"][TOKEN].tags
    assert life.seen["rotate"][PASSWORD] == life.seen["mend"][PASSWORD]


def test_a_declared_secret_is_added(row: Row, life: Life) -> None:
    if not row.has_declared:
        assert "add" not in life.steps
        return
    step, before = _own(row, life.steps["add"]), life.steps["update"]
    assert _is_all_of(step, ADDED)
    assert step.operations == {"create"}
    assert step.guard == {"update"}
    assert _changed(before.outputs["secretIds"], step.outputs["secretIds"]) == {ADDED}
    assert _changed(before.versions, step.versions) == ({ADDED} if row.is_outside else set())
    if row.is_outside:
        assert life.seen["add"][ADDED].value == step.outputs["values"][ADDED]
        assert life.seen["add"][ADDED].tags


def test_a_declared_secret_is_removed(row: Row, life: Life) -> None:
    if not row.has_declared:
        assert "remove" not in life.steps
        return
    step, before = _own(row, life.steps["remove"]), life.steps["update"]
    assert _is_all_of(step, ADDED)
    assert step.operations == {"delete"}
    assert step.guard == {"update"}
    assert set(step.touched) == set(_own(row, life.steps["add"]).touched)
    for output in ("secretIds", "versionIds"):
        assert step.outputs[output] == before.outputs[output]
    if row.is_outside:
        gone = life.seen["remove"][ADDED]
        assert (gone.value, gone.tags) == (None, None)
        assert life.seen["remove"][TOKEN].value == ROTATED


def test_refresh_sees_changed_tags_and_an_up_mends_them(row: Row, life: Life) -> None:
    if table.DRIFT in row.not_here:
        assert life.left["before"] == set()
        assert all(name.startswith("generated-") for name in life.made["before"])
        return
    assert TAG not in (life.seen["drift"][PASSWORD].tags or {TAG: ""})
    expected = {PASSWORD} if table.FOREIGN_VALUE in row.not_here else {PASSWORD, TOKEN}
    for name in ("refresh", "mend"):
        touched = life.steps[name].touched
        assert {secret for secret in expected if any(secret in n for n in touched)} == expected
        # A refresh shows a number of a version, also where it does not show the value.
        others = {n for n in touched if not any(secret in n for secret in expected)}
        assert all(name == "refresh" and TOKEN in n for n in others)
        assert life.steps[name].operations == {"update"}
    assert life.seen["mend"][PASSWORD].tags == life.seen["up"][PASSWORD].tags
    assert life.seen["mend"][PASSWORD].value == life.seen["up"][PASSWORD].value


def test_refresh_sees_a_value_that_others_wrote_and_an_up_puts_it_out_of_force(
    row: Row, life: Life
) -> None:
    if not row.is_outside:
        assert life.left["before"] == set()
        return
    touched = {n for n in life.steps["mend"].touched if TOKEN in n}
    if table.FOREIGN_VALUE not in row.not_here:
        assert life.seen["drift"][TOKEN].value == FOREIGN
        assert touched
        assert life.seen["mend"][TOKEN].value == GIVEN
        return
    assert touched == set()
    if life.outside.tells_values:
        assert life.seen["drift"][TOKEN].value == FOREIGN
        assert life.seen["mend"][TOKEN].value == FOREIGN
        assert life.seen["rotate"][TOKEN].value == ROTATED
    else:
        # Nothing of what is recorded holds a value that could differ.
        recorded = [json.loads(file.read_text()) for file in life.outside.files]
        assert recorded
        assert '"value"' not in json.dumps(recorded)


def test_the_command_names_a_value_that_others_wrote_and_how_the_stack_s_comes_back(
    row: Row, life: Life
) -> None:
    if table.NAMED in row.not_here:
        assert not any(life.drifts)
        return
    before, after = life.drifts
    assert [drift.secret.name for drift in before] == [TOKEN]
    assert all(value not in before[0].line() for value in life.planted().values())
    assert life.seen["mend"][TOKEN].value == FOREIGN
    assert life.seen["remedy"][TOKEN].value == GIVEN
    assert life.seen["remedy"][PASSWORD] == life.seen["up"][PASSWORD]
    assert after == []


def test_destroy_leaves_only_what_is_protected_or_kept(row: Row, life: Life) -> None:
    assert life.made["destroy"] == set(row.protected)
    assert life.made["destroy"] < life.made["before"]
    assert life.made["gone"] == set()
    assert life.steps["gone"].operations == {"delete"}
    assert life.left["gone"] == set(row.stays)
    if row.is_outside:
        assert life.left["before"] > life.left["gone"]
        seen = life.seen["gone"]
        assert {seen[name] for name in (TOKEN, PASSWORD)} == {type(seen[TOKEN])(None, None)}
        assert seen[COPY].tags is not None
        if life.outside.tells_values:
            assert seen[COPY].value == life.steps["up"].outputs["values"][COPY]


def test_store_and_identity_have_the_same_face_everywhere(row: Row, life: Life) -> None:
    made, outputs = life.provisioned, _step(row, life, "up").outputs
    assert isinstance(made, Provisioned)
    assert set(Store.__annotations__) <= set(vars(made.store))
    for name in ("environment", "secret_ids", "version_ids"):
        values = getattr(made.store, name)
        assert isinstance(values, Mapping)
        assert all(isinstance(value, pulumi.Output) for value in values.values())
    identity = made.identity
    assert isinstance(identity, Identity)
    assert isinstance(identity.service_account_annotations, Mapping)
    assert all(isinstance(v, str) for v in outputs["annotations"].values())
    assert all(isinstance(v, str) for v in identity.pod_labels.values())
    assert isinstance(identity.needs_token, bool)
    assert all(isinstance(value, pulumi.Output) for value in identity.environment.values())
    assert bool(outputs["principal"]) == row.is_outside
    fragment = made.configuration.document["kestra"].get("secret", {})
    configured = fragment.get("type") if not row.is_external else row.name
    assert configured == (None if row.is_open_source else row.name)
    assert search_text(json.dumps(fragment).encode(), "configuration", life.planted()) == []


def test_what_is_secret_is_marked_and_what_is_not_is_readable(row: Row, life: Life) -> None:
    step = _step(row, life, "up")
    marks: dict[str, bool] = step.outputs["marks"]
    secret = {name.split("/", 1)[1] for name, is_secret in marks.items() if is_secret}
    environment = set(step.outputs["environment"])
    assert secret == environment - row.public
    assert row.public <= environment
    assert "values" in step.marked
    assert {"secretIds", "versionIds", "principal", "annotations"}.isdisjoint(step.marked)
    ids = set(step.outputs["secretIds"])
    assert set(step.versions) == (ids if row.is_outside else set())
    assert all(step.versions.values())


def test_no_value_is_in_clear_in_state_in_output_or_in_files(row: Row, life: Life) -> None:
    planted = life.planted(row.public)
    assert len(planted) > 4
    assert search([life.stack.state, *life.outside.files], planted) == []
    assert search_text(life.stack.told.encode(), "output", planted) == []
    # The same search finds what is there.
    name = next(iter(life.made["before"]))
    assert search([life.stack.state], {"a name": name})
    assert name in life.stack.told
