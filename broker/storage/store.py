"""The store as the event loop sees it: writes that share commits, and reads that block nobody.

`write` queues a verb with its items. One writer thread takes all that wait, calls each verb once with
the items of all its callers, commits once, and resolves them all with one call into the loop. When a
few callers are in flight it lingers a moment, so that more share the same fsync; a lone caller never
waits for anybody.

When a group fails, it rolls back and each call runs alone, so that one bad call harms no other. A verb
therefore has no effect outside its transaction.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Concatenate, ParamSpec, TypeVar

from broker.errors import BrokerError, ErrorReason
from broker.storage.engine import Connection, Engine, StoreLost
from broker.storage.transaction import Transaction

Item = TypeVar("Item")
Answer = TypeVar("Answer")
P = ParamSpec("P")

GROUP_ITEMS_MAX = 5_000
LINGER_CALLS_MIN = 3
LINGER_CALLS = 32
LINGER_TIMES_MAX = 2.5
"""The more calls are in flight the longer it pays to wait for them: a commit costs the event loop its share of
the interpreter, however many share it. At 64 calls, 5 ms made 1.2 times as many of them as 2 ms did.
"""


@dataclass(frozen=True, slots=True)
class Commit:
    """What one or more transactions did. It is a hint for whoever waits; the store is the truth."""

    accounts_with_events: frozenset[int]
    work_is_due: bool
    facts: Mapping[str, int]
    calls: int
    seconds: float


CommitListener = Callable[[Commit], None]
"""Called in the event loop after every commit."""


@dataclass(slots=True)
class _Call:
    verb: Callable[[Transaction, list[Any]], list[Any]]
    items: list[Any]
    accounts: frozenset[int]
    future: "asyncio.Future[Any]"
    answers: Sequence[Any] = ()
    error: BaseException | None = None


class Store:
    """Open it within the event loop that uses it; `close` commits what is queued."""

    def __init__(
        self,
        engine: Engine,
        *,
        linger_s: float = 0.002,
        queued_calls_max: int = 10_000,
        readers: int = 2,
    ) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._linger_s = linger_s
        self._queued_calls_max = queued_calls_max
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        # What the writer took out of the queue and has no room for in its group; None is the end of both.
        self._held_over: list[_Call | None] = []
        self._closing = False
        self._in_flight = 0
        self._busy_s = 0.0
        self._listeners: list[CommitListener] = []
        self._lost_listeners: list[Callable[[], None]] = []
        self._reader_local = threading.local()
        self._reader_connections: list[Connection] = []
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="waypost-read")
        self._checkpointer = ThreadPoolExecutor(1, thread_name_prefix="waypost-checkpoint")
        self._checkpoint_connection = engine.checkpointer()
        self._writer_connection = engine.connect()
        self._writer = threading.Thread(target=self._run_writer, name="waypost-write", daemon=True)
        self._writer.start()

    def on_commit(self, listener: CommitListener) -> None:
        """Call `listener` after every commit."""
        self._listeners.append(listener)

    def on_lost(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the event loop when another process has taken the store over."""
        self._lost_listeners.append(listener)

    @property
    def checkpoints(self) -> bool:
        """Whether this engine's log has to be moved by `checkpoint` now and then."""
        return self._checkpoint_connection is not None

    @property
    def busy_s(self) -> float:
        """How long commits have taken so far, together."""
        return self._busy_s

    @property
    def calls_in_flight(self) -> int:
        """Writes whose commit has not come back yet."""
        return self._in_flight

    async def write(
        self,
        verb: Callable[[Transaction, list[Item]], list[Answer]],
        items: Sequence[Item],
        accounts: Iterable[int] = (),
    ) -> list[Answer]:
        """Run `verb` over `items` durably; one answer each, in order.

        `accounts` are those whose events, balance or consent the verb may touch. The write goes on when
        the caller is cancelled. Raises BrokerError QUEUE_FULL or STORE_UNAVAILABLE, then nothing of it is
        stored; or OUTCOME_UNKNOWN, then all of it is, or nothing.
        """
        if not items:
            return []
        if self._in_flight >= self._queued_calls_max:
            raise BrokerError(ErrorReason.QUEUE_FULL, retry_after_s=1)
        if self._closing:
            raise BrokerError(ErrorReason.DRAINING, retry_after_s=1)
        future = self._loop.create_future()
        self._in_flight += 1
        self._queue.put(_Call(verb, list(items), frozenset(accounts), future))
        answers: list[Answer] = await future
        return answers

    async def read(
        self, body: Callable[Concatenate[Transaction, P], Answer], /, *arguments: P.args, **keywords: P.kwargs
    ) -> Answer:
        """Run a read-only `body` on a consistent snapshot in a reader thread."""
        if self._closing:
            raise BrokerError(ErrorReason.DRAINING, retry_after_s=1)

        def run() -> Answer:
            return self._reader().read(lambda tx: body(tx, *arguments, **keywords))

        return await self._loop.run_in_executor(self._readers, run)

    async def checkpoint(self, *, restart: bool) -> int:
        """Move the log into the database, where there is one; answers how many pages it held. See `Checkpointer`."""
        connection = self._checkpoint_connection
        if connection is None:
            raise LookupError("this engine has no log to move; see `checkpoints`")
        return await self._loop.run_in_executor(
            self._checkpointer, lambda: connection.checkpoint(restart=restart)
        )

    async def close(self) -> None:
        """Commit what is queued, then let go of every connection and of the data directory."""
        if self._closing:
            return
        self._closing = True
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._writer.join)
        # A cancelled caller leaves its thread running, so each is waited for before its connection goes.
        await self._loop.run_in_executor(None, self._readers.shutdown)
        await self._loop.run_in_executor(None, self._checkpointer.shutdown)
        if self._checkpoint_connection is not None:
            self._checkpoint_connection.close()
        for connection in [*self._reader_connections, self._writer_connection]:
            connection.close()
        self._engine.close()

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._reader_local, "connection", None)
        if connection is None:
            connection = self._reader_local.connection = self._engine.connect(read_only=True)
            self._reader_connections.append(connection)
        return connection

    def _run_writer(self) -> None:
        while group := self._next_group():
            commits = self._commit(group)
            self._loop.call_soon_threadsafe(self._resolve, group, commits)

    def _next_group(self) -> list[_Call]:
        """The calls of the next commit; none when the store closes."""
        first = self._held_over.pop() if self._held_over else self._queue.get()
        if first is None:
            return []
        waiting = max(1 + self._queue.qsize(), self._in_flight)
        if waiting >= LINGER_CALLS_MIN and self._linger_s > 0 and not self._closing:
            time.sleep(self._linger_s * min(LINGER_TIMES_MAX, 1 + waiting / LINGER_CALLS))
        group, items = [first], len(first.items)
        while not self._queue.empty():
            call = self._queue.get_nowait()
            if call is None or items + len(call.items) > GROUP_ITEMS_MAX:
                self._held_over.append(call)
                break
            group.append(call)
            items += len(call.items)
        return group

    def _commit(self, group: list[_Call]) -> list[Commit]:
        """Run the group in one transaction, or each call alone when one of them is at fault."""
        try:
            return [self._run(group)]
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the callers
            if isinstance(error, StoreLost):
                self._loop.call_soon_threadsafe(self._tell_lost)
            if len(group) == 1 or isinstance(error, BrokerError):
                for call in group:
                    call.error = error
                return [_perhaps(group)] if _is_unknown(error) else []
        return [commit for call in group for commit in self._commit([call])]

    def _run(self, group: list[_Call]) -> Commit:
        start = time.monotonic()
        by_verb: dict[Any, list[_Call]] = {}
        for call in group:
            by_verb.setdefault(call.verb, []).append(call)

        def body(tx: Transaction) -> Transaction:
            for verb, calls in by_verb.items():
                items = [item for call in calls for item in call.items]
                answers = verb(tx, items)
                if len(answers) != len(items):
                    raise AssertionError(f"{verb} answered {len(answers)} for {len(items)} items")
                start = 0
                for call in calls:
                    call.answers = answers[start : start + len(call.items)]
                    start += len(call.items)
            return tx

        accounts = sorted(set().union(*(call.accounts for call in group)))
        tx = self._writer_connection.write(body, accounts)
        return Commit(
            frozenset(tx.accounts_with_events), tx.work_is_due, tx.facts, len(group), time.monotonic() - start
        )

    def _tell_lost(self) -> None:
        for listener in self._lost_listeners:
            listener()

    def _resolve(self, group: list[_Call], commits: list[Commit]) -> None:
        self._in_flight -= len(group)
        self._busy_s += sum(commit.seconds for commit in commits)
        for call in group:
            if call.future.done():  # its caller was cancelled; the write stands all the same
                continue
            if call.error is not None:
                call.future.set_exception(call.error)
            else:
                call.future.set_result(call.answers)
        for commit in commits:
            for listener in self._listeners:
                listener(commit)


def _is_unknown(error: BaseException) -> bool:
    return isinstance(error, BrokerError) and error.reason is ErrorReason.OUTCOME_UNKNOWN


def _perhaps(group: list[_Call]) -> Commit:
    """A hint at what may have been committed: whoever waits for it had better look."""
    return Commit(frozenset().union(*(call.accounts for call in group)), True, {}, 0, 0.0)
