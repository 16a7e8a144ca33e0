"""What the doctor says of a store in PostgreSQL."""

import pytest

from broker.cli.doctor.examination import examine
from broker.cli.doctor.findings import Finding, State
from broker.cli.doctor.postgres import check_postgres, judge_apart, judge_durability, judge_privileges
from broker.storage.migrate import load_migrations, migrate
from broker.storage.postgres import PostgresEngine


def by_check(findings: list[Finding]) -> dict[str, tuple[State, str]]:
    """State and detail by what was looked at."""
    return {each.check: (each.state, each.detail) for each in findings}


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        (("on", "on", "on"), State.OK),
        (("on", "on", "remote_apply"), State.OK),
        (("on", "on", "off"), State.WARN),
        (("on", "off", "on"), State.WARN),
        (("off", "on", "on"), State.FAIL),
        (("off", "off", "off"), State.FAIL),
    ],
)
def test_a_server_that_forgets_what_it_committed_fails(settings, state) -> None:
    """An answered call has to survive its host."""
    assert state == judge_durability(*settings).state


@pytest.mark.parametrize(
    ("may_create", "closed", "state"), [(True, 0, State.OK), (False, 0, State.FAIL), (True, 1, State.FAIL)]
)
def test_a_role_needs_its_schema(may_create, closed, state) -> None:
    """To make tables, and to use those that are there."""
    assert state == judge_privileges(may_create, closed).state


@pytest.mark.parametrize(("apart_s", "state"), [(0.2, State.OK), (-0.9, State.OK), (-5.0, State.WARN)])
def test_clocks_that_differ_are_worth_a_look(apart_s, state) -> None:
    """In either direction."""
    assert state == judge_apart(apart_s).state


def test_a_store_is_found_as_it_is(postgres) -> None:
    """Before its first start, while a broker has it, and after; looking takes nothing."""
    url = postgres.url("examined")
    findings, taken = check_postgres(url, deep=False)
    assert not taken
    assert (State.OK, "not there yet, the broker makes it") == by_check(findings)["store"]
    engine = PostgresEngine(url)
    migrate(engine.connect(), load_migrations(engine.dialect), 0)
    findings, taken = check_postgres(url, deep=True)
    engine.close()
    told = by_check(findings)
    assert taken
    assert told["broker"][1].startswith("a broker has the store open: PostgreSQL at ")
    assert (State.OK, f"schema {load_migrations(engine.dialect)[-1].number}, current") == told["store"]
    assert [State.OK] * 4 == [
        told[each][0] for each in ("postgresql", "privileges", "server clock", "store size")
    ]
    assert State.FAIL == told["durability"][0]  # the tests' own server never syncs
    assert State.WARN == told["integrity"][0]
    PostgresEngine(url).close()


@pytest.mark.parametrize(
    "url", ["postgresql://waypost:hunter2@127.0.0.1:1/way", "postgresql://u:hunter2@2@h/way"]
)
def test_a_server_out_of_reach_fails_without_its_password(url) -> None:
    """One line says why."""
    ((finding,), taken) = check_postgres(url, deep=False)
    assert (State.FAIL, False) == (finding.state, taken)
    assert "hunter2" not in repr(finding)


def test_the_settings_lead_to_the_server(postgres, tmp_path, monkeypatch) -> None:
    """Nothing is said of a file that is not used."""
    monkeypatch.setenv("WAYPOST_STORE__URL", postgres.url("examined_too"))
    told = by_check(list(examine(None, tmp_path, deep=False)))
    assert {"postgresql", "data dir", "store"} < told.keys()
    assert not {"sqlite", "disk", "fsync"} & told.keys()
    told = by_check(list(examine(None, tmp_path, "sqlite:", deep=False)))
    assert {"sqlite", "disk", "fsync"} < told.keys()
