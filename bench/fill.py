"""Fill a store that no broker has open: `python -m bench.fill DATA_DIR MESSAGES`, one JSON line when done.

The broker's own verb of acceptance stores the messages, thousands to a commit and with nobody else in
the process, which is the fastest way that makes the very rows that a server would have made.
"""

import json
import sys
import time
from pathlib import Path

import apsw

from bench.submissions import Acceptances
from broker.storage.acceptance import accept
from broker.storage.keeping import raise_id_ceiling
from broker.storage.sqlite import SqliteConnection, SqliteEngine

MESSAGES_A_COMMIT = 5_000
CHECKPOINT_EVERY = 10


def main() -> None:
    """Fill it."""
    data_dir, messages = Path(sys.argv[1]), int(sys.argv[2])
    began = time.monotonic()
    account_id, ceiling = _first_account(data_dir)
    engine = SqliteEngine(data_dir)
    connection = engine.connect()
    acceptances = Acceptances(account_id, ceiling, request_ids_of=messages)
    for number, done in enumerate(range(0, messages, MESSAGES_A_COMMIT), start=1):
        _store(connection, acceptances, min(MESSAGES_A_COMMIT, messages - done))
        if number % CHECKPOINT_EVERY == 0:
            connection.checkpoint(truncate=True)
    connection.checkpoint(truncate=True)
    connection.close()
    engine.close()
    print(json.dumps({"seconds": time.monotonic() - began}), flush=True)


def _store(connection: SqliteConnection, acceptances: Acceptances, count: int) -> None:
    items = acceptances.take(count)
    connection.write(lambda tx: accept(tx, items), ())
    connection.write(lambda tx: raise_id_ceiling(tx, [acceptances.last_id]), ())


def _first_account(data_dir: Path) -> tuple[int, int]:
    """The account that a broker made when it was new, and the highest id that may have been given."""
    connection = apsw.Connection(str(data_dir / "waypost.db"))
    account_id, ceiling = connection.execute(
        "SELECT account_id, id_ceiling FROM accounts, store LIMIT 1"
    ).get
    connection.close()
    return account_id, ceiling


if __name__ == "__main__":
    main()
