"""What comes in, in the words of a test."""

from typing import Any

import pytest

from broker.domain.inbound import InboundRules
from broker.domain.keyword import Keyword
from broker.domain.outcome import Inbound
from broker.domain.price import Price
from broker.domain.records import EventRecord
from broker.domain.submission import Recipient
from broker.storage.errands import DueErrand, read_due_errands
from broker.storage.inbound import Arrival, Duplicate, Kept, record_inbound
from broker.storage.keywords import (
    KeywordChange,
    KeywordName,
    NewKeyword,
    NoSuchKeyword,
    NoSuchKeywordGroup,
    Rented,
    change_keywords,
    rent_keywords,
)
from broker.testing.builders import PROVIDER
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore

PERSON = "+447700900123"
OURS = "+447700900001"
HOUR_S = 3_600
RULES = InboundRules()


def person(number: str = PERSON) -> dict[str, Any]:
    """A submission's recipients: one person."""
    return {"recipients": (Recipient(phone_number=number),)}


class Phone:
    """Somebody who writes to us."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def arrival(self, text: str = "YES", **changes: Any) -> Arrival:
        """What a provider reports."""
        own = {
            name: changes.pop(name)
            for name in ("provider", "rules", "account_id", "now_us", "asks_hook")
            if name in changes
        }
        fields: dict[str, Any] = {"sender": PERSON, "recipient": OURS, "text": text}
        submission_id, message_id, contact_id = self._bench.ids.take(3)
        arrival: dict[str, Any] = {"provider": PROVIDER, "now_us": self._bench.now_us, "rules": RULES}
        return Arrival(
            inbound=Inbound(**(fields | changes)),
            submission_id=submission_id,
            message_id=message_id,
            contact_id=contact_id,
            **(arrival | own),
        )

    async def write(self, *arrivals: Arrival) -> list[Kept | Duplicate]:
        """They come in, in one call."""
        return await self._bench.store.write(record_inbound, arrivals)

    async def say(self, text: str = "YES", **changes: Any) -> Kept:
        """One message comes in, and is kept."""
        (answer,) = await self.write(self.arrival(text, **changes))
        assert isinstance(answer, Kept)
        return answer

    async def due(self) -> list[DueErrand]:
        """What is left to do."""
        return await self._bench.store.read(read_due_errands, self._bench.now_us, 100)

    async def rent(
        self,
        word: str = "join",
        account_id: int = 2,
        sender: str = OURS,
        keywords_max: int = 100,
        *,
        paid: Price | None = None,
        registered_only: bool = False,
    ) -> Rented:
        """An account rents a keyword, and pays for it where there is a price."""
        wish = Keyword(account_id, sender, word, self._bench.now_us, paid=paid)
        item = NewKeyword(wish, keywords_max, registered_only)
        (answer,) = await self._bench.store.write(rent_keywords, [item], [account_id])
        return answer

    async def configure(
        self, word: str = "join", account_id: int = 2, **fields: Any
    ) -> Keyword | NoSuchKeyword | NoSuchKeywordGroup:
        """An account says what happens when its keyword is texted."""
        item = KeywordChange(KeywordName(account_id, OURS, word), fields)
        (answer,) = await self._bench.store.write(change_keywords, [item], [account_id])
        return answer


def told(event: EventRecord) -> dict[str, Any]:
    """What an event says beside its message."""
    return dict(event.told or {})


class WithPhone(OpenedStore):
    """Cases with somebody who writes."""

    @pytest.fixture
    def phone(self, bench: Bench) -> Phone:
        """One who writes to us."""
        return Phone(bench)
