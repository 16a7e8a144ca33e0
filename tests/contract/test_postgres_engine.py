"""What PostgreSQL adds to being an engine: a lock across hosts, a network that breaks, commits in doubt."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from broker.domain.account import place_of
from broker.errors import BrokerError, ErrorReason
from broker.storage.acceptance import accept
from broker.storage.engine import StoreLockedError, StoreLost, StoreUnfitError
from broker.storage.keeping import read_account_exists
from broker.storage.migrate import load_migrations, migrate
from broker.storage.postgres import PostgresEngine, server, session
from broker.storage.postgres import engine as engine_module
from broker.storage.postgres.engine import TRIES_MAX, PostgresConnection
from broker.storage.store import Store
from broker.storage.transaction import Transaction
from broker.testing.builders import NOW_US, IdCounter, acceptance, submission
from broker.testing.cutting_proxy import Cut, CuttingProxy
from broker.testing.postgres_server import PostgresServer

COMMIT = b"COMMIT\x00"
"""As it goes over the wire; BEGIN names an isolation level that has these letters too."""

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A store of the test's own."""
    return f"t_{abs(hash(request.node.nodeid)):x}"


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[CuttingProxy]:
    """A network that breaks when it is told to."""
    with CuttingProxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def engine(postgres: PostgresServer, proxy: CuttingProxy, name: str) -> Iterator[PostgresEngine]:
    """A migrated store behind that network, with accounts 1 and 2."""
    engine = PostgresEngine(postgres.url(name, port=proxy.port))
    connection = engine.connect()
    migrate(connection, load_migrations(engine.dialect), NOW_US)
    connection.write(adding(1, 2), ())
    yield engine
    engine.close()


@pytest.fixture
def connection(engine: PostgresEngine) -> PostgresConnection:
    """The writer's."""
    return engine.connect()


@pytest.fixture
def query(postgres: PostgresServer, name: str) -> Iterator[Query]:
    """What the server says, past the network."""
    with postgres.connect() as admin:
        admin.execute(f"SET search_path TO {name}")

        def ask(sql: str, *values: object) -> list[tuple[Any, ...]]:
            cursor = admin.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

        yield ask


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a lock or for an answer."""
    monkeypatch.setattr(session, "LOCK_S_MAX", 0.2)
    monkeypatch.setattr(session, "SETTLE_S_MAX", 0.2)


def adding(*numbers: int) -> Callable[[Transaction], None]:
    """A body that creates accounts."""
    return lambda tx: tx.bulk(
        "insert_accounts", [(number, "a", NOW_US, 0, place_of(number)) for number in numbers]
    )


def has(connection: PostgresConnection, number: int) -> bool:
    """Whether an account is stored."""
    return connection.read(lambda tx: read_account_exists(tx, number))


class Counted:
    """A body that counts how often it ran."""

    def __init__(self, body: Callable[[Transaction], None]) -> None:
        self.body = body
        self.runs = 0

    def __call__(self, tx: Transaction) -> None:
        """Once more."""
        self.runs += 1
        self.body(tx)


def refused(connection: PostgresConnection, body: Callable[[Transaction], None]) -> BrokerError:
    """How a write is refused."""
    with pytest.raises(BrokerError) as refusal:
        connection.write(body, ())
    return refusal.value


class TestCommit:
    """The one moment at which a lost connection leaves a question."""

    def test_a_commit_whose_answer_was_lost_stands(
        self, connection: PostgresConnection, proxy: CuttingProxy
    ) -> None:
        """It is looked up, and its verbs do not run again."""
        body = Counted(adding(7))
        proxy.cut_once(COMMIT, Cut.AFTER)
        connection.write(body, ())
        assert (1, 1, True) == (proxy.cuts, body.runs, has(connection, 7))

    @pytest.mark.parametrize("how", [Cut.BEFORE, Cut.GHOST])
    def test_a_commit_that_never_arrived_is_refused(
        self, connection: PostgresConnection, proxy: CuttingProxy, how: Cut
    ) -> None:
        """Nothing is stored, also where the server still holds the transaction open; the next write works."""
        body = Counted(adding(7))
        proxy.cut_once(COMMIT, how)
        assert ErrorReason.STORE_UNAVAILABLE is refused(connection, body).reason
        assert (1, 1, False) == (proxy.cuts, body.runs, has(connection, 7))
        connection.write(body, ())
        assert has(connection, 7)

    @pytest.mark.usefixtures("_hasty")
    @pytest.mark.parametrize(("how", "stored"), [(Cut.AFTER, True), (Cut.BEFORE, False)])
    def test_what_nobody_can_find_out_is_told_as_such(
        self, connection: PostgresConnection, proxy: CuttingProxy, how: Cut, stored: bool
    ) -> None:
        """The server stays away: the callers hear that it may be stored, or not."""
        proxy.cut_once(COMMIT, how, then_refuse=True)
        refusal = refused(connection, adding(7))
        assert (ErrorReason.OUTCOME_UNKNOWN, 5) == (refusal.reason, refusal.retry_after_s)
        proxy.refusing = False
        connection.write(adding(8), ())
        assert (stored, True) == (has(connection, 7), has(connection, 8))

    @pytest.mark.usefixtures("_hasty")
    async def test_whoever_waits_looks_after_a_commit_in_doubt(
        self, engine: PostgresEngine, proxy: CuttingProxy
    ) -> None:
        """It may have brought events and work, so it hints at both."""
        store = Store(engine)
        told = asyncio.get_running_loop().create_future()
        store.on_commit(told.set_result)
        item = acceptance(submission(), IdCounter())
        proxy.cut_once(COMMIT, Cut.AFTER, then_refuse=True)
        with pytest.raises(BrokerError) as refusal:
            await store.write(accept, [item], [1])
        assert ErrorReason.OUTCOME_UNKNOWN is refusal.value.reason
        commit = await told
        assert ({1}, True) == (commit.accounts_with_events, commit.work_is_due)
        await store.close()

    def test_a_transaction_that_wrote_nothing_leaves_no_mark(
        self, connection: PostgresConnection, query: Query
    ) -> None:
        """A claim that finds nothing costs no disk; one that writes leaves a mark of its own each time."""
        marks = []
        for body in (adding(7), lambda tx: tx.all("any_account"), adding(8), adding(9)):
            connection.write(body, ())
            marks += query("SELECT mark FROM last_commit")
        assert [True, False, False] == [one == other for one, other in itertools.pairwise(marks)]

    def test_a_statement_that_failed_is_not_committed_over(self, connection: PostgresConnection) -> None:
        """Even where a verb swallows what happened."""

        def body(tx: Transaction) -> None:
            adding(7)(tx)
            with pytest.raises(psycopg.errors.UniqueViolation):
                adding(7)(tx)

        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.write(body, ())
        assert not has(connection, 7)


class TestConnectionLoss:
    """At any other moment it is told, and mended."""

    def test_a_loss_within_a_transaction_stores_nothing(
        self, connection: PostgresConnection, proxy: CuttingProxy
    ) -> None:
        """The callers hear that they may try again."""

        def body(tx: Transaction) -> None:
            adding(7)(tx)
            proxy.sever()
            adding(8)(tx)

        refusal = refused(connection, body)
        assert (ErrorReason.STORE_UNAVAILABLE, 5) == (refusal.reason, refusal.retry_after_s)
        connection.write(adding(9), ())
        assert [False, False, True] == [has(connection, number) for number in (7, 8, 9)]

    def test_a_loss_between_transactions_is_not_noticed(
        self, connection: PostgresConnection, proxy: CuttingProxy
    ) -> None:
        """As when the server was restarted meanwhile."""
        proxy.sever()
        connection.write(adding(7), ())
        assert has(connection, 7)

    def test_a_reader_reads_on(self, engine: PostgresEngine, proxy: CuttingProxy) -> None:
        """A read that a loss interrupts runs once more."""
        reader = engine.connect(read_only=True)
        assert has(reader, 1)
        proxy.sever()
        assert has(reader, 1)
        runs = []

        def body(tx: Transaction) -> bool:
            runs.append(read_account_exists(tx, 1))
            if len(runs) == 1:
                proxy.sever()
            return read_account_exists(tx, 2)

        assert reader.read(body)
        assert [True, True] == runs
        reader.close()

    def test_a_server_that_is_away_is_unavailable(
        self, engine: PostgresEngine, connection: PostgresConnection, proxy: CuttingProxy
    ) -> None:
        """For writers and readers, until it is back."""
        reader = engine.connect(read_only=True)
        proxy.refusing = True
        proxy.sever()
        assert ErrorReason.STORE_UNAVAILABLE is refused(connection, adding(7)).reason
        with pytest.raises(BrokerError) as refusal:
            has(reader, 1)
        assert ErrorReason.STORE_UNAVAILABLE is refusal.value.reason
        proxy.refusing = False
        connection.write(adding(7), ())
        assert has(reader, 7)
        reader.close()

    @pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
    def test_a_transaction_in_anothers_way_runs_again(
        self, connection: PostgresConnection, sqlstate: str
    ) -> None:
        """A deadlock, or a conflict of snapshots; not for ever."""
        raising = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$"

        def fail_twice(tx: Transaction) -> None:
            adding(7)(tx)
            if sometimes.runs < 3:
                connection.script(raising)

        sometimes, always = Counted(fail_twice), Counted(lambda _: connection.script(raising))
        connection.write(sometimes, ())
        assert (3, True) == (sometimes.runs, has(connection, 7))
        assert ErrorReason.STORE_UNAVAILABLE is refused(connection, always).reason
        assert TRIES_MAX == always.runs


class TestOneOwner:
    """A store has one process, on whatever host."""

    @pytest.mark.usefixtures("_hasty", "engine")
    def test_a_store_that_is_open_is_refused(self, postgres: PostgresServer, name: str) -> None:
        """Saying which, without its password; another store in the same database is free."""
        with pytest.raises(StoreLockedError, match="another process has the store open") as refusal:
            PostgresEngine(postgres.url(name))
        assert postgres.password not in str(refusal.value)
        PostgresEngine(postgres.url(f"{name}_2")).close()

    def test_a_closed_store_is_free(
        self, engine: PostgresEngine, postgres: PostgresServer, name: str
    ) -> None:
        """At once; while it is open, closing a connection does not let go of it."""
        engine.connect().close()
        connection = engine.connect()
        assert has(connection, 1)
        engine.close()
        PostgresEngine(postgres.url(name)).close()

    def test_a_lock_that_was_lost_is_taken_again(
        self, connection: PostgresConnection, query: Query, proxy: CuttingProxy
    ) -> None:
        """With every new session, so that nobody else gets in."""
        proxy.sever()
        connection.write(adding(7), ())
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid::BIGINT = %s"
        ((key,),) = query("SELECT hashtextextended('waypost ' || current_schema(), 0) & 4294967295")
        assert [(1,)] == query(held, key)

    @pytest.mark.usefixtures("_hasty")
    async def test_a_store_that_another_process_took_is_lost(
        self, engine: PostgresEngine, postgres: PostgresServer, name: str, proxy: CuttingProxy
    ) -> None:
        """Nothing is ever written to it again, and whoever runs this process is told."""
        store = Store(engine)
        lost = asyncio.Event()
        store.on_lost(lost.set)
        proxy.sever()
        with taken_over(postgres.url(name)):
            for _ in range(2):
                with pytest.raises(StoreLost):
                    await store.write(adding_all, [7])
            await asyncio.wait_for(lost.wait(), 10)
        with pytest.raises(StoreLost):  # it could have it again, and does not know what happened meanwhile
            await store.write(adding_all, [7])
        await store.close()


def adding_all(tx: Transaction, items: list[int]) -> list[None]:
    """A verb that creates accounts."""
    adding(*items)(tx)
    return [None] * len(items)


@contextmanager
def taken_over(url: str) -> Iterator[None]:
    """Another process has the store for as long as the block does."""
    for _ in range(100):  # the server notices a moment later that the first owner is gone
        try:
            other = PostgresEngine(url)
        except StoreLockedError:
            continue
        yield
        other.close()
        return
    raise AssertionError("the store was never free")


class TestAccounts:
    """What a transaction holds until its commit."""

    def test_accounts_are_held_from_the_start(self, connection: PostgresConnection, query: Query) -> None:
        """Nobody else can number their events."""

        def body(_tx: Transaction) -> None:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                query("SELECT 1 FROM accounts WHERE account_id = 2 FOR UPDATE NOWAIT")
            query("SELECT 1 FROM accounts WHERE account_id = 1 FOR UPDATE NOWAIT")

        connection.write(body, [2])

    def test_accounts_can_be_held_later(self, connection: PostgresConnection) -> None:
        """Each is new once."""

        def body(tx: Transaction) -> list[bool]:
            return [tx.lock_accounts(each) for each in ([2, 1], [1], [2], [], [3])]

        assert [True, False, False, False, True] == connection.write(body, ())
        assert [False, False, False, False, True] == connection.write(body, [1, 2])

    def test_an_event_of_an_account_that_is_not_held_is_a_defect(
        self, connection: PostgresConnection
    ) -> None:
        """Its number could be given twice."""
        item = acceptance(submission(), IdCounter())
        with pytest.raises(AssertionError, match="account 1, which this transaction does not hold"):
            connection.write(lambda tx: accept(tx, [item]), ())
        connection.write(lambda tx: accept(tx, [item]), [1])


class TestFitness:
    """What a store is not entrusted to, and how that is told."""

    def test_a_commit_is_durable_whatever_the_role_says(self, postgres: PostgresServer, name: str) -> None:
        """(I1): a role may have synchronous_commit off; stricter settings stay."""
        for asked, got in (("off", "on"), ("on", "on"), ("remote_apply", "remote_apply"), ("local", "local")):
            engine = PostgresEngine(postgres.url(name) + f"%20-csynchronous_commit%3D{asked}")
            found = []

            def body(_tx: Transaction, found: list[Any] = found, engine: PostgresEngine = engine) -> None:
                found.extend(engine._session.bare().execute("SHOW synchronous_commit").fetchall())

            engine.connect().write(body, ())
            engine.close()
            assert [(got,)] == found

    def test_a_database_of_another_encoding_is_refused(self, postgres: PostgresServer) -> None:
        """It cannot hold every text."""
        with postgres.connect() as admin:
            admin.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        with pytest.raises(StoreUnfitError, match="UTF8, not LATIN1"):
            PostgresEngine(postgres.url("public").replace("/postgres?", "/narrow?"))

    def test_an_old_server_is_refused(
        self, postgres: PostgresServer, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Naming both versions."""
        monkeypatch.setattr(server, "SERVER_VERSION_MIN", 990_000)
        with pytest.raises(StoreUnfitError, match=r"PostgreSQL 99 or later is needed, not \d+"):
            PostgresEngine(postgres.url(name))

    def test_a_schema_that_is_not_there_is_refused(self, postgres: PostgresServer) -> None:
        """Rather than to make one nobody asked for."""
        with pytest.raises(StoreUnfitError, match="names no schema that is there"):
            PostgresEngine(postgres.url("public").replace("public", "nowhere"))

    @pytest.mark.parametrize("wrong", ["password", "database", "port"])
    def test_a_server_that_does_not_let_us_in_is_told_without_secrets(
        self, postgres: PostgresServer, wrong: str
    ) -> None:
        """No password is in the message, nor in what it came from."""
        changes = {
            "password": (postgres.password, f"no-{postgres.password}"),
            "database": ("/postgres?", "/nowhere?"),
            "port": (f":{postgres.port}/", ":1/"),
        }
        url = postgres.url("public").replace(*changes[wrong])
        with pytest.raises(BrokerError, match="the store failed") as refusal:
            PostgresEngine(url)
        assert ErrorReason.STORE_UNAVAILABLE is refusal.value.reason
        assert postgres.password not in f"{refusal.value} {refusal.value.__cause__!r}"

    def test_a_failure_is_told_without_its_details(self, connection: PostgresConnection) -> None:
        """They may quote a row."""

        def body(_tx: Transaction) -> None:
            connection.script(
                "DO $$ BEGIN RAISE EXCEPTION 'no room'"
                " USING ERRCODE = '53100', DETAIL = 'while storing hunter2'; END $$"
            )

        refusal = refused(connection, body)
        assert "the store failed: 53100: no room" == refusal.message

    def test_a_reader_cannot_write(self, engine: PostgresEngine) -> None:
        """Even where a verb is handed to it by mistake."""
        reader = engine.connect(read_only=True)
        with pytest.raises(BrokerError):
            reader.read(adding(7))
        with pytest.raises(TypeError):
            reader.write(adding(7), ())
        assert not has(reader, 7)
        reader.close()


class TestRows:
    """Bulk statements and lists."""

    @pytest.mark.parametrize("count", [0, 1, 2, 999, 1_000, 1_001, 2_500])
    def test_a_bulk_statement_takes_any_number_of_rows(
        self, connection: PostgresConnection, query: Query, count: int
    ) -> None:
        """Each once, in order, however they are cut."""
        rows = [
            (number, f"account {number}", NOW_US, 0, place_of(number)) for number in range(10, 10 + count)
        ]
        connection.write(lambda tx: tx.bulk("insert_accounts", rows), ())
        found = query("SELECT account_id, name FROM accounts WHERE account_id >= 10 ORDER BY ctid")
        assert [row[:2] for row in rows] == found

    def test_rows_are_cut_by_their_size_too(
        self, connection: PostgresConnection, query: Query, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server takes no document without a limit; a row that is larger alone goes alone."""
        monkeypatch.setattr(engine_module, "DOCUMENT_CHARACTERS_MAX", 1_000)
        rows = [(number, "x" * (3 * number), NOW_US, 0, place_of(number)) for number in range(10, 500)]
        connection.write(lambda tx: tx.bulk("insert_accounts", rows), ())
        assert [(490, sum(len(row[1]) for row in rows))] == query(
            "SELECT count(*), sum(length(name)) FROM accounts WHERE account_id >= 10"
        )
