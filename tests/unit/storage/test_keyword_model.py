"""Keywords agree with a model, whatever is rented, set up, released and texted, and in whatever order."""

import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from broker.domain.inbound import AssignedBy, InboundKind, InboundRules, assign, read_text
from broker.domain.keyword import Keyword
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.keywords import (
    KeywordChange,
    KeywordName,
    KeywordsFull,
    KeywordTaken,
    NewKeyword,
    NoSuchKeyword,
    change_keywords,
    read_keywords_at,
    release_keywords,
    rent_keywords,
)
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteConnection, SqliteEngine
from broker.testing.builders import NOW_US

ACCOUNTS = (1, 2, 3)
KEYWORDS_MAX = 3
accounts = st.sampled_from(ACCOUNTS)
words = st.sampled_from(["join", "sale", "win", "echo"])
places = st.sampled_from(["a", "b"])
numbers = count(10_000)


def opened() -> SqliteConnection:
    """One store for all runs; each has senders of its own."""
    engine = SqliteEngine(Path(tempfile.mkdtemp()))
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.write(
        lambda tx: create_accounts(tx, [NewAccount(each, "test", NOW_US) for each in ACCOUNTS]), ()
    )
    return connection


class Keywords(RuleBasedStateMachine):
    """The verbs beside a dictionary. `senders` are those of this run, and so is what is rented at them."""

    connection: SqliteConnection | None = None

    def __init__(self) -> None:
        super().__init__()
        if Keywords.connection is None:
            Keywords.connection = opened()
        self.store = Keywords.connection
        self.senders = {place: str(next(numbers)) for place in "ab"}
        self.model: dict[tuple[str, str], Keyword] = {}

    def run(self, verb: Any, item: Any) -> Any:
        """One answer of a verb."""
        (answer,) = self.store.write(lambda tx: verb(tx, [item]), ())
        return answer

    @rule(account_id=accounts, word=words, place=places)
    def rent(self, account_id: int, word: str, place: str) -> None:
        """A free one is rented, up to the limit; of a taken one nothing changes."""
        wish = Keyword(account_id, self.senders[place], word, NOW_US)
        key = (wish.sender, word)
        mine = sum(each.account_id == account_id for each in self.model.values())
        answer = self.run(rent_keywords, NewKeyword(wish, KEYWORDS_MAX))
        if key in self.model:
            assert KeywordTaken() == answer
        elif mine >= KEYWORDS_MAX:
            assert isinstance(answer, KeywordsFull)
        else:
            assert wish == answer
            self.model[key] = wish

    def teardown(self) -> None:
        """The next run begins with nothing."""
        for (sender, word), each in self.model.items():
            self.run(release_keywords, KeywordName(each.account_id, sender, word))

    @rule(account_id=accounts, word=words, place=places, text=st.sampled_from(["Hi", "Welcome"]))
    def configure(self, account_id: int, word: str, place: str, text: str) -> None:
        """Only its renter sets it up."""
        key = (self.senders[place], word)
        change = KeywordChange(KeywordName(account_id, *key), {"autoreply": text})
        answer = self.run(change_keywords, change)
        old = self.model.get(key)
        if old is None or old.account_id != account_id:
            assert NoSuchKeyword() == answer
        else:
            assert text == answer.autoreply
            self.model[key] = answer

    @rule(account_id=accounts, word=words, place=places)
    def release(self, account_id: int, word: str, place: str) -> None:
        """Only its renter gives it back."""
        key = (self.senders[place], word)
        mine = key in self.model and self.model[key].account_id == account_id
        assert mine == self.run(release_keywords, KeywordName(account_id, *key))
        if mine:
            del self.model[key]

    @rule(word=words, place=places, tail=st.sampled_from(["", "!", " please"]))
    def text(self, word: str, place: str, tail: str) -> None:
        """A bare one is its renter's action; with text it is a reply to the renter; another word is anybody's."""
        key = (self.senders[place], word)
        reading = read_text(word.title() + tail)
        found = self.store.read(lambda tx: read_keywords_at(tx, {key[0]}, {reading.first_word}))
        made = assign(
            reading,
            [],
            found.get(key),
            address=key[0],
            provider="acme",
            now_us=NOW_US,
            rules=InboundRules(),
            named=None,
            default=99,
        )
        rented = self.model.get(key)
        kind = InboundKind.REPLY if "please" in tail else InboundKind.KEYWORD
        expected = (
            (99, InboundKind.OTHER, AssignedBy.DEFAULT)
            if rented is None
            else (rented.account_id, kind, AssignedBy.KEYWORD)
        )
        assert expected == (made.account_id, made.kind, made.by)

    @invariant()
    def the_store_has_what_the_model_has(self) -> None:
        """No more and no less, and each one account's."""
        found = self.store.read(
            lambda tx: read_keywords_at(tx, set(self.senders.values()), {"join", "sale", "win", "echo"})
        )
        assert self.model == dict(found)


class TestKeywords(Keywords.TestCase):  # type: ignore[misc]  # a class that is made
    """5,000 steps."""

    settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


@pytest.mark.soak
class TestKeywordsForLong(Keywords.TestCase):  # type: ignore[misc]  # a class that is made
    """100,000 steps."""

    settings = settings(max_examples=2_000, stateful_step_count=50, deadline=None)
