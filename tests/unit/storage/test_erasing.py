"""Marking messages that came in: the store has no other way to get one yet, so a row is turned into one."""

from pathlib import Path

from broker.storage.acceptance import accept
from broker.storage.erasing import Mark, Marked, NotMarkable, mark
from broker.storage.history import read_message
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.testing.builders import NOW_US, IdCounter, acceptance, phones, submission


def test_a_message_that_came_in_is_marked_read_and_unread(tmp_path: Path) -> None:
    """With the time of that; the last wish of a call counts, and one that was sent is refused beside it."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.write(lambda tx: create_accounts(tx, [NewAccount(1, "test", NOW_US)]), ())
    item = acceptance(submission(recipients=phones(2)), IdCounter())
    (stored,) = connection.write(lambda tx: accept(tx, [item]), ())
    inbound, sent = (result.message_id for result in stored.results)
    connection.script(f"UPDATE messages SET direction = 2 WHERE message_id = {inbound}")

    def marked(*read: bool) -> int | None:
        wishes = [Mark(1, inbound, each, NOW_US + 5) for each in read]
        answers = connection.write(lambda tx: mark(tx, [*wishes, Mark(1, sent, True, NOW_US)]), ())
        assert [*([Marked()] * len(read)), NotMarkable()] == answers
        return connection.read(lambda tx: read_message(tx, 1, inbound)[0].read_at_us)

    assert [NOW_US + 5, NOW_US + 5, None] == [marked(True), marked(False, True), marked(True, False)]
    connection.close()
    engine.close()
