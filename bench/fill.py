"""Fill a store that no broker has open: `python -m bench.fill DATA_DIR MESSAGES`, one JSON line when done.

The broker's own verb of acceptance stores one block of messages. That block is then copied within SQLite,
each time a little later: ids, sequences and times are shifted, so that the rows lie as if they had been
accepted one after the other. Millions would take minutes otherwise. The index of messages comes along: the
block is one part of it.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

import apsw

from bench.child import say
from bench.submissions import Acceptances
from broker.domain.ids import first_id_at
from broker.storage.acceptance import accept
from broker.storage.indexing import IndexWish, index_messages
from broker.storage.sqlite import SqliteEngine

BLOCK_MESSAGES = 20_000
GROUP_MESSAGES = 5_000
GROUP_MS = 10
"""5,000 messages and their submissions need ids of three milliseconds."""

BLOCK_MS = BLOCK_MESSAGES // GROUP_MESSAGES * GROUP_MS
CHECKPOINT_EVERY = 5
AGO_S = 60
NOT_COPIED = frozenset({"store", "accounts", "api_keys", "schema_migrations"})
INDEX = ("message_spans", "message_index")
LABELLED_EVERY = 200
LABELS = json.dumps({"campaign": ["spring", ""], "tags": ["vip"]}, separators=(",", ":"))
NEEDLE = "needle"
"""The reference of the oldest message, and of no other."""

SHIFTS = (
    {name: first_id_at(BLOCK_MS) for name in ("message_id", "submission_id")}
    | dict.fromkeys(("sequence", "last_sequence"), BLOCK_MESSAGES)
    | {"span": 1, "first_id": first_id_at(BLOCK_MS)}
    | dict.fromkeys(("at", "time", "accepted_at", "transmit_at", "expire_at"), BLOCK_MS * 1_000)
)
"""What is added to a column in each copy, by its name."""

# Rising from copy to copy and spread over the space of random ones: the B-tree is filled at its end, which
# is fast, and what a broker adds to it later falls anywhere in it.
REQUEST_ID = (
    f"printf('%08x', ((:copy * {BLOCK_MESSAGES} + rowid) << 32) / (:blocks * {BLOCK_MESSAGES}))"
    " || substr(request_id, 9)"
)


def main() -> None:
    """Fill it."""
    data_dir, messages = Path(sys.argv[1]), int(sys.argv[2])
    began = time.monotonic()
    connection = apsw.Connection(str(data_dir / "waypost.db"))
    account_id = connection.execute("SELECT account_id FROM accounts").get
    connection.close()
    _store_block(data_dir, account_id)
    _index_block(data_dir, account_id)
    _copy_block(data_dir, max(0, messages // BLOCK_MESSAGES - 1))
    say({"seconds": time.monotonic() - began})


def _store_block(data_dir: Path, account_id: int) -> None:
    engine = SqliteEngine(data_dir)
    connection = engine.connect()
    acceptances = Acceptances(account_id, request_ids=True)
    start_us = (time.time_ns() // 1_000_000 - AGO_S * 1_000) * 1_000
    for number in range(BLOCK_MESSAGES // GROUP_MESSAGES):
        items = acceptances.take(GROUP_MESSAGES, start_us + number * GROUP_MS * 1_000)
        connection.write(partial(accept, items=items), ())
    connection.checkpoint(restart=True)
    connection.close()
    engine.close()


def _index_block(data_dir: Path, account_id: int) -> None:
    """Some messages get labels, and all of them their places in the index."""
    engine = SqliteEngine(data_dir)
    connection = engine.connect()
    connection.script(f"UPDATE submissions SET labels = '{LABELS}' WHERE rowid % {LABELLED_EVERY} = 0")
    wish = IndexWish(account_id, BLOCK_MESSAGES)
    connection.write(partial(index_messages, items=[wish]), ())
    connection.script("UPDATE message_spans SET first_id = (SELECT min(message_id) FROM messages)")
    connection.checkpoint(restart=True)
    connection.close()
    engine.close()


def _copy_block(data_dir: Path, copies: int) -> None:
    connection = apsw.Connection(str(data_dir / "waypost.db"))
    connection.pragma("synchronous", "off")  # the last checkpoint puts all of it on disk
    connection.pragma("wal_autocheckpoint", 0)
    connection.pragma("temp_store", "memory")
    statements = [_copy_statement(connection, table) for table in _filled_tables(connection)]
    for copy in range(1, copies + 1):
        with connection:
            for statement in statements:
                connection.execute(statement, {"copy": copy, "blocks": copies + 1})
        if copy % CHECKPOINT_EVERY == 0:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.execute("UPDATE accounts SET last_sequence = last_sequence + ?", [copies * BLOCK_MESSAGES])
    connection.execute(
        "UPDATE message_indexes SET sequence = (SELECT last_sequence FROM accounts),"
        " newest_id = (SELECT max(message_id) FROM messages), span = (SELECT max(span) FROM message_spans)"
    )
    _hide_needle(connection)
    connection.pragma("synchronous", "full")
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()


def _hide_needle(connection: apsw.Connection) -> None:
    """One message can be found by a reference that no other has."""
    oldest = connection.execute("SELECT min(message_id) FROM messages").get
    connection.execute("UPDATE messages SET client_reference = ? WHERE message_id = ?", [NEEDLE, oldest])
    connection.execute(
        "INSERT INTO message_index SELECT min(span), 3, ?, ? FROM message_spans", [NEEDLE, oldest]
    )


def _filled_tables(connection: apsw.Connection) -> list[str]:
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    return [
        name
        for name in sorted(names - NOT_COPIED)
        if name in INDEX or connection.execute(f"SELECT count(*) FROM {name}").get == BLOCK_MESSAGES
    ]


def _copy_statement(connection: apsw.Connection, table: str) -> str:
    """Copy the block's rows, kept in a table of their own so that no copy is copied."""
    connection.execute(f"CREATE TEMP TABLE block_{table} AS SELECT * FROM {table}")
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    return f"INSERT INTO {table} SELECT {', '.join(map(_copied, columns))} FROM block_{table}"


def _copied(column: str) -> str:
    if column == "request_id":
        return REQUEST_ID
    return f"{column} + {SHIFTS[column]} * :copy" if column in SHIFTS else column


if __name__ == "__main__":
    main()
