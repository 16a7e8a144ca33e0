"""The doctor's judgement of the data directory: who may read it, and the store in it."""

import stat
from pathlib import Path

import pytest

from broker.cli.doctor.findings import State
from broker.cli.doctor.permissions import (
    check_admin_key,
    check_directory,
    check_pepper,
    judge_directory,
    judge_secret,
)
from broker.cli.doctor.store import (
    check_running,
    check_store,
    is_running,
    judge_integrity,
    judge_schema,
    judge_size,
)
from broker.storage.migrate import Migration, load_migrations, migrate
from broker.storage.sqlite import SqliteEngine

DIRECTORY = stat.S_IFDIR
STEPS = [Migration(1, "first", "one"), Migration(2, "second", "two")]


@pytest.mark.parametrize(
    ("mode", "usable", "state"),
    [
        (DIRECTORY | 0o700, True, State.OK),
        (DIRECTORY | 0o750, True, State.WARN),
        (DIRECTORY | 0o755, True, State.WARN),
        (DIRECTORY | 0o770, True, State.FAIL),
        (DIRECTORY | 0o700, False, State.FAIL),
        (stat.S_IFREG | 0o600, True, State.FAIL),
    ],
)
def test_a_data_directory_is_the_brokers_alone(mode, usable, state) -> None:
    """Others who look in read messages; others who write own the broker."""
    assert state == judge_directory(Path("data"), mode, usable=usable).state


@pytest.mark.parametrize(
    ("mode", "state"), [(0o600, State.OK), (0o400, State.OK), (0o640, State.FAIL), (0o604, State.FAIL)]
)
def test_an_admin_key_is_nobody_elses(mode, state) -> None:
    """Whoever reads it is an admin."""
    assert state == judge_secret("admin key", Path("admin.key"), stat.S_IFREG | mode).state


def test_what_is_not_there_yet_is_no_fault(tmp_path) -> None:
    """The broker makes it; nothing was made by looking."""
    data_dir = tmp_path / "data"
    findings = [check_directory(data_dir), *check_store(data_dir, running=False, deep=True)]
    assert [State.OK, State.OK] == [each.state for each in findings]
    assert (None, None) == (check_admin_key(data_dir), check_pepper(data_dir / "key.pepper"))
    assert (False, False) == (is_running(data_dir), data_dir.exists())


def test_a_lock_that_is_held_is_a_broker_that_runs(tmp_path) -> None:
    """Looking does not take it away, and it is noticed when it is let go."""
    engine = SqliteEngine(tmp_path)
    assert (True, True) == (is_running(tmp_path), is_running(tmp_path))
    engine.close()
    assert not is_running(tmp_path)
    SqliteEngine(tmp_path).close()
    told = [check_running(tmp_path, running=running).detail for running in (True, False)]
    assert [True, False] == [detail.startswith("a broker is running") for detail in told]


@pytest.mark.parametrize(
    ("applied", "state", "told"),
    [
        ({1: STEPS[0].checksum, 2: STEPS[1].checksum}, State.OK, "schema 2, current"),
        ({1: STEPS[0].checksum}, State.OK, "brings it up by 1"),
        ({}, State.OK, "schema 0"),
        ({1: STEPS[0].checksum, 2: STEPS[1].checksum, 3: "x"}, State.FAIL, "schema 3 is of a newer version"),
        ({1: "x", 2: STEPS[1].checksum}, State.FAIL, "schema 1 is not the one"),
    ],
)
def test_a_schema_is_current_older_newer_or_foreign(applied, state, told) -> None:
    """The broker refuses the last two."""
    finding = judge_schema(applied, STEPS)
    assert (state, True) == (finding.state, told in finding.detail)


def test_a_wal_that_grew_out_of_hand_is_told() -> None:
    """Beside the size of the database."""
    assert (State.OK, "86 kB, and 0 B of WAL") == (judge_size(86_016, 0).state, judge_size(86_016, 0).detail)
    assert State.WARN == judge_size(86_016, 2_000_000_000).state


@pytest.mark.parametrize(
    ("complaints", "state"), [(["ok"], State.OK), (["row 7 missing"], State.FAIL), ([], State.FAIL)]
)
def test_a_store_is_whole_only_when_sqlite_says_so(complaints, state) -> None:
    """No answer is none."""
    assert state == judge_integrity(complaints).state


def made_store(data_dir: Path) -> None:
    """A store as a broker leaves it."""
    engine = SqliteEngine(data_dir)
    connection = engine.connect()
    migrate(connection, load_migrations(), 0)
    connection.close()
    engine.close()


def test_a_store_at_rest_is_read_without_a_trace(tmp_path) -> None:
    """No file appears beside it, whoever runs the doctor."""
    made_store(tmp_path)
    before = sorted(tmp_path.iterdir())
    findings = check_store(tmp_path, running=False, deep=True)
    assert [("store", State.OK), ("store size", State.OK), ("integrity", State.OK)] == [
        (each.check, each.state) for each in findings
    ]
    assert before == sorted(tmp_path.iterdir())


def test_a_store_in_use_is_read_beside_its_writer(tmp_path) -> None:
    """With what is only in the WAL yet."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), 0)
    findings = check_store(tmp_path, running=True, deep=False)
    assert [State.OK, State.OK] == [each.state for each in findings]
    assert findings[0].detail.endswith("current")
    connection.close()
    engine.close()


def test_a_file_that_is_no_store_fails(tmp_path) -> None:
    """Of another kind, or of nobody's."""
    (tmp_path / "waypost.db").write_bytes(b"nonsense" * 1_000)
    (found,) = check_store(tmp_path, running=False, deep=False)
    assert (State.FAIL, True) == (found.state, "cannot be read" in found.detail)
    (tmp_path / "waypost.db").write_bytes(b"")
    (found,) = check_store(tmp_path, running=False, deep=False)
    assert (State.OK, True) == (found.state, "empty" in found.detail)
