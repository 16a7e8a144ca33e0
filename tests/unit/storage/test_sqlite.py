"""The embedded engine: its lock, its version, its durability settings, and how a failing disk is told."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest

from broker.domain.account import place_of
from broker.errors import BrokerError, ErrorReason
from broker.storage import sqlite
from broker.storage.engine import StoreLockedError, StoreUnfitError
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import (
    SqliteConnection,
    SqliteEngine,
    check_sqlite_version,
)
from broker.storage.transaction import Row, Transaction
from broker.testing.builders import NOW_US


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    """A migrated store."""
    engine = SqliteEngine(tmp_path / "data")
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    yield engine
    engine.close()


@pytest.fixture
def connection(engine: SqliteEngine) -> Iterator[SqliteConnection]:
    """A connection of the test's own."""
    connection = engine.connect()
    yield connection
    connection.close()


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock: each look at the clock is a second later, and sleeping takes no time."""
    seconds = iter(range(1_000))
    passing = SimpleNamespace(monotonic=lambda: next(seconds), sleep=lambda _: None)
    monkeypatch.setattr(sqlite, "time", passing)


@pytest.mark.parametrize("version", ["3.51.3", "3.51.10", "3.52.0", "3.54.1", "4.0.0"])
def test_a_sqlite_without_the_bug_is_good(version: str) -> None:
    """From the first that is mended."""
    check_sqlite_version(version)


@pytest.mark.parametrize("version", ["3.51.2", "3.51.0", "3.46.1", "3.7.17"])
def test_a_sqlite_that_can_corrupt_the_store_is_refused(version: str) -> None:
    """Naming both versions."""
    with pytest.raises(StoreUnfitError, match=rf"SQLite {version} .* 3\.51\.3 or later"):
        check_sqlite_version(version)


def test_an_old_library_is_refused_before_anything_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a directory is made."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.46.1")
    with pytest.raises(StoreUnfitError):
        SqliteEngine(tmp_path / "data")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.usefixtures("_hasty")
def test_a_data_directory_has_one_owner(engine: SqliteEngine) -> None:
    """Two brokers on one file would each believe to be the only writer."""
    with pytest.raises(StoreLockedError, match=r"another process has .*data open"):
        SqliteEngine(engine.path.parent)


@pytest.mark.usefixtures("_hasty")
def test_a_refused_owner_leaks_nothing(engine: SqliteEngine) -> None:
    """Whoever tries again and again does not run out of files."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(StoreLockedError):
            SqliteEngine(engine.path.parent)
    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_a_closed_store_can_be_owned_again(tmp_path: Path) -> None:
    """By this process or another."""
    for _ in range(2):
        SqliteEngine(tmp_path).close()


def test_only_the_owner_may_look_into_the_data_directory(engine: SqliteEngine) -> None:
    """It holds bodies and addresses."""
    assert 0o700 == engine.path.parent.stat().st_mode & 0o777


def test_a_commit_is_on_disk_when_it_returns(connection: SqliteConnection) -> None:
    """(I1): WAL, and FULL."""
    bare = connection._connection
    assert ("wal", 2) == (bare.pragma("journal_mode"), bare.pragma("synchronous"))


def test_what_readers_sort_is_not_kept_in_memory(engine: SqliteEngine, connection: SqliteConnection) -> None:
    """Past the page cache it goes to a temporary file; a writer sorts little, and in memory."""
    reader = engine.connect(read_only=True)
    file, memory = 1, 2
    assert (file, memory) == (
        reader._connection.pragma("temp_store"),
        connection._connection.pragma("temp_store"),
    )
    reader.close()


@pytest.mark.parametrize(
    "failure",
    [apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.BusyError, apsw.CantOpenError, apsw.NoMemError],
)
def test_a_failing_disk_is_the_brokers_own_refusal(
    connection: SqliteConnection, failure: type[Exception]
) -> None:
    """It says that nothing was stored and when to come back; the connection works on."""

    def body(tx: Transaction) -> None:
        tx.bulk("insert_accounts", [(1, "a", NOW_US, 0, place_of(1))])
        raise failure("disk I/O error")

    with pytest.raises(BrokerError) as refusal:
        connection.write(body, ())
    assert (ErrorReason.STORE_UNAVAILABLE, 5) == (refusal.value.reason, refusal.value.retry_after_s)
    assert not connection.read(lambda tx: tx.all("any_account"))
    connection.write(lambda tx: tx.bulk("insert_accounts", [(1, "a", NOW_US, 0, place_of(1))]), ())


def test_a_defect_is_no_refusal(connection: SqliteConnection) -> None:
    """A wrong statement or a broken rule of the schema comes as it is."""

    def twice(tx: Transaction) -> None:
        for _ in range(2):
            tx.bulk("insert_accounts", [(1, "a", NOW_US, 0, place_of(1))])

    with pytest.raises(apsw.ConstraintError):
        connection.write(twice, ())
    with pytest.raises(KeyError):
        connection.read(lambda tx: tx.all("no_such_statement"))


def test_a_reader_cannot_write(engine: SqliteEngine, connection: SqliteConnection) -> None:
    """Even where a verb is handed to it by mistake."""
    reader = engine.connect(read_only=True)
    with pytest.raises(BrokerError):
        reader.read(lambda tx: tx.bulk("insert_accounts", [(1, "a", NOW_US, 0, place_of(1))]))
    reader.close()
    assert not connection.read(lambda tx: tx.all("any_account"))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 255, 256, 257, 700])
def test_a_bulk_statement_takes_any_number_of_rows(connection: SqliteConnection, count: int) -> None:
    """Each once, in order, however they are cut."""
    rows = [(number, f"account {number}", NOW_US, 0, place_of(number)) for number in range(count)]
    connection.write(lambda tx: tx.bulk("insert_accounts", rows), ())
    found = connection._connection.execute("SELECT account_id, name FROM accounts ORDER BY rowid").fetchall()
    assert [row[:2] for row in rows] == found


def test_lists_are_searched_as_arrays(connection: SqliteConnection) -> None:
    """Also empty ones, and texts with every kind of quote."""
    quoted = """it's "quoted" \\ \n ☃"""
    rows = [("acme", quoted, 1, 0, False, 0), ("acme", "r2", 2, 0, False, 0)]
    connection.write(lambda tx: tx.bulk("insert_provider_messages", rows), ())

    def find(*wanted: str) -> list[int]:
        found: list[tuple[Any, ...]] = connection.read(
            lambda tx: tx.all("find_provider_messages", provider="acme", provider_message_ids=list(wanted))
        )
        return sorted(row[1] for row in found)

    assert [[], [1], [1, 2], []] == [find(), find(quoted), find("r2", quoted), find("r3")]


class TestCheckpoints:
    """The log is moved into the database, and its file is used again."""

    @staticmethod
    def write(connection: SqliteConnection, first: int) -> int:
        """Some pages more; answers how long the file of the log is then."""
        rows = [(number, "x" * 500, NOW_US, 0, place_of(number)) for number in range(first, first + 200)]
        connection.write(lambda tx: tx.bulk("insert_accounts", rows), ())
        return Path(str(connection._connection.filename) + "-wal").stat().st_size

    @pytest.fixture
    def checkpointer(self, engine: SqliteEngine) -> Iterator[SqliteConnection]:
        """A connection of its own."""
        with closing(engine.checkpointer()) as made:
            yield made

    def test_the_next_commit_goes_where_the_log_begins(
        self, connection: SqliteConnection, checkpointer: SqliteConnection
    ) -> None:
        """Over what was moved, so that the file grows no further."""
        assert self.write(connection, 0) < (grown := self.write(connection, 200))
        assert checkpointer.checkpoint(restart=True) > 0
        assert grown == self.write(connection, 400)
        assert grown < max(self.write(connection, first) for first in (600, 800))

    def test_a_log_that_is_being_read_is_left_for_later(
        self, engine: SqliteEngine, connection: SqliteConnection, checkpointer: SqliteConnection
    ) -> None:
        """Its reader sees what it began with; writers go on behind it."""
        grown = self.write(connection, 0)
        with closing(engine.connect(read_only=True)) as reader:

            def body(tx: Transaction) -> tuple[list[Row], list[Row], int]:
                before = tx.all("count_accounts")
                self.write(connection, 200)
                assert checkpointer.checkpoint(restart=True) > 0
                longer = self.write(connection, 400)
                return before, tx.all("count_accounts"), longer

            before, after, longer = reader.read(body)
        assert before == after
        assert longer > grown
        checkpointer.checkpoint(restart=True)
        assert longer == self.write(connection, 600)

    def test_a_log_that_grew_too_long_is_cut_back(self, tmp_path: Path, monkeypatch: Any) -> None:
        """When it begins anew."""
        monkeypatch.setattr("broker.storage.sqlite.WAL_BYTES_MAX", 50_000)
        engine = SqliteEngine(tmp_path / "short")
        with (
            closing(engine),
            closing(engine.connect()) as connection,
            closing(engine.checkpointer()) as other,
        ):
            migrate(connection, load_migrations(), NOW_US)
            assert self.write(connection, 0) > 50_000
            other.checkpoint(restart=True)
            rows = [(1_000, "x", NOW_US, 0, place_of(1_000))]
            connection.write(lambda tx: tx.bulk("insert_accounts", rows), ())
            assert Path(str(connection._connection.filename) + "-wal").stat().st_size <= 50_000


def test_the_store_is_for_its_owner_only(tmp_path: Path) -> None:
    """Also in a directory that everybody may look into, as a mounted volume often is."""
    tmp_path.chmod(0o755)
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    connection.close()
    engine.close()
    assert {"waypost.db", "waypost.db-wal", "waypost.db-shm", "waypost.lock"} == modes.keys()
    assert {"0o600"} == set(modes.values())
