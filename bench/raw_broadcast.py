"""The floor under broadcasts: the rows of uploads and of expansions, put through the store by nothing else.

`python -m bench.raw_broadcast DATA_DIR` takes jobs as JSON lines. The rows are made before the time is taken, and
as many go into a commit as the broker would write.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import uvloop

from bench.child import say
from bench.people import TEXT, number_of, values_of
from bench.raw_rows import ACCOUNT, Writing, make_store
from broker.app import SWITCH_INTERVAL_S
from broker.delivery.broadcasts.file_recipients import BATCH_ROWS
from broker.domain.audience import AudienceBlock, AudienceRow, recipient_of
from broker.domain.grounds import Grounds
from broker.domain.ids import ID_MAX, IdSequence
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.submission import Content, Submission
from broker.domain.vocabulary import Channel, Traffic
from broker.settings import IntakeSettings
from broker.settings.broadcasts import BroadcastSettings
from broker.storage.acceptance import Acceptor
from broker.storage.audience_rows import stored_block
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.storage.transaction import Transaction

_IDS = IdSequence(node=0, last=0, ceiling=ID_MAX)
_EVENTS = count(step=BroadcastSettings().batch_max)
"""How many events were written before a commit."""


Deed = Callable[[Transaction], None]
"""One bulk statement, with its rows."""


def upload_groups(rows: int) -> list[list[Deed]]:
    """What an upload of so many lines writes, commit by commit: column by column, as the broker does."""
    (upload_id,) = _take(1)
    return [
        [_upload_batch(upload_id, start, min(start + BATCH_ROWS, rows))]
        for start in range(0, rows, BATCH_ROWS)
    ]


def _upload_batch(upload_id: int, start: int, end: int) -> Deed:
    names, towns = ([values_of(at)[name] for at in range(start, end)] for name in ("name", "town"))
    numbers = [number_of(at) for at in range(start, end)]
    values = {"name": names, "town": towns}
    block = stored_block(AudienceBlock(start + 1, end - start, numbers, None, None, values, {}))
    return lambda tx: tx.bulk_columns("insert_audience_rows", block.rows, [upload_id, *block.columns])


def expansion_groups(rows: int) -> list[list[Deed]]:
    """What the messages of a broadcast to so many write, commit by commit."""
    (broadcast_id,) = _take(1)
    batch_max = BroadcastSettings().batch_max
    groups = []
    for start in range(0, rows, batch_max):
        tx = Writing(last_sequence=next(_EVENTS))
        acceptor = Acceptor(tx, time.time_ns() // 1_000)
        acceptor.add_messages(_plan(broadcast_id, _people(start, min(start + batch_max, rows))))
        acceptor.flush()
        tx.finish()
        groups.append([_bulk(*each) for each in tx.group if each[0] != "set_account_sequences"])
    return groups


def _bulk(statement: str, rows: Sequence[Sequence[object]]) -> Deed:
    return lambda tx: tx.bulk(statement, rows)


def _people(start: int, end: int) -> list[AudienceRow]:
    return [AudienceRow(at + 1, number_of(at), "", "", {"tokens": values_of(at)}) for at in range(start, end)]


def _plan(broadcast_id: int, rows: Sequence[AudienceRow]) -> Plan:
    submission = Submission(
        account_id=ACCOUNT,
        recipients=tuple(map(recipient_of, rows)),
        content=Content({Channel.SMS: {"text": TEXT}}, frozenset({"name", "town"})),
        traffic=Traffic.PROMOTIONAL,
        broadcast_id=broadcast_id,
    )
    now_us = time.time_ns() // 1_000
    grounds = Grounds(now_us, IntakeSettings().units_max, lambda *_: ("sandbox",))
    planned = plan(submission, [broadcast_id, *_take(len(rows))], grounds)
    assert isinstance(planned, Plan)
    return planned


def _take(count: int) -> list[int]:
    ids = _IDS.take(count, time.time_ns() // 1_000_000)
    assert ids is not None
    return ids


def _replay(tx: Transaction, items: list[list[Deed]]) -> list[None]:
    for group in items:
        for write in group:
            write(tx)
    return [None] * len(items)


async def work(data_dir: Path) -> None:
    """Take jobs from stdin until it ends: what to write, and how many recipients."""
    make_store(data_dir)
    store = Store(SqliteEngine(data_dir))
    await store.write(create_accounts, [NewAccount(ACCOUNT, "raw", time.time_ns() // 1_000)])
    say({"ready": True})
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        wish = json.loads(line)
        make = {"upload": upload_groups, "expansion": expansion_groups}[wish["job"]]
        groups = make(wish["rows"])
        gc.collect()
        began, used = time.monotonic(), time.process_time()
        for group in groups:
            await store.write(_replay, [group])
        say({"seconds": time.monotonic() - began, "cpu_s": time.process_time() - used})
    await store.close()


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    uvloop.run(work(Path(sys.argv[1])))
