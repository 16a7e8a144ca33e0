"""The store's verbs in the words of a test: one call each, at a time that the test sets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.correlation import MessageFilter
from broker.domain.decision import DeliveryPolicy
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, Outcome, Receipt, ReceiptStatus
from broker.domain.prices import FREE, NO_PRICES, Prices
from broker.domain.records import EventRecord, MessageRecord, TimelineRecord
from broker.domain.spelling import IdSpelling
from broker.domain.submission import Submission
from broker.domain.vocabulary import Channel
from broker.storage.acceptance import Accepted as Answer
from broker.storage.acceptance import Repeated, Stored, accept
from broker.storage.agenda import DueRow, due_row
from broker.storage.claiming import Claim, Claimed, Room, claim
from broker.storage.dispatching import OpenAttempt, Settlement, settle
from broker.storage.erasing import Deleted, Deletion, NotEnded, delete
from broker.storage.history import (
    Cancellation,
    Cancelled,
    NoSuchMessage,
    NotCancellable,
    cancel,
    read_events,
    read_message,
)
from broker.storage.indexing import Indexed, IndexWish, index_messages
from broker.storage.listing import LIMITS, ListLimits, MessageQuery, read_page
from broker.storage.matching import MATCHED, Matched, Parked, Report, record_receipts
from broker.storage.questioning import (
    AnswerReport,
    Overdue,
    Question,
    QuestionClaim,
    claim_questions,
    settle_answers,
)
from broker.storage.store import Store
from broker.storage.transaction import Transaction
from broker.storage.usage import count_usage
from broker.testing.builders import (
    NOW_US,
    POLICY,
    PROVIDER,
    REMEMBER_US,
    SECOND_US,
    Candidates,
    IdCounter,
    acceptance,
    submission,
)

ACCOUNTS = (1, 2, 3, 4)
"""The accounts of every store that the suite opens."""

LEASE_US = 90 * SECOND_US


def one_route(_channel: Channel, _pinned: str) -> str | None:
    """Everything goes to the one provider."""
    return PROVIDER


def room(provider: str = PROVIDER, messages_max: int = 100, **changes: Any) -> Room:
    """Room with a provider, and as many calls of its own for those that need one."""
    fields: dict[str, Any] = {"messages_max": messages_max, "suspects_max": messages_max}
    return Room(provider, **(fields | changes))


@dataclass
class Bench:
    """A store, the time, and the process (`fence`) that works with it.

    What is sent is planned by `prices` and the `terms` of its account.
    """

    store: Store
    now_us: int = NOW_US
    fence: int = 1
    policy: DeliveryPolicy = POLICY
    ids: IdCounter = field(default_factory=IdCounter)
    terms: AccountPolicy = NO_POLICY
    prices: Prices = field(default_factory=lambda: FREE)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_us += round(seconds * SECOND_US)

    async def accept(
        self,
        *asked: Submission,
        remember_us: int = REMEMBER_US,
        candidates: Candidates = (PROVIDER,),
    ) -> list[Answer]:
        """Store submissions in one call; their messages may go through `candidates`."""
        items = [
            acceptance(
                each,
                self.ids,
                now_us=self.now_us,
                remember_us=remember_us,
                candidates=candidates,
                policy=self.terms,
                prices=self.prices,
            )
            for each in asked
        ]
        return await self.store.write(accept, items, {each.account_id for each in asked})

    async def send(self, **changes: Any) -> list[int]:
        """Store one submission; answers its messages' ids."""
        candidates = changes.pop("candidates", (PROVIDER,))
        (answer,) = await self.accept(submission(**changes), candidates=candidates)
        return message_ids(answer)

    async def claim(self, messages_max: int = 100, **changes: Any) -> Claimed:
        """Claim what is due, for the one provider unless `rooms` says otherwise."""
        (claimed,) = await self.store.write(claim, [self.wish(messages_max, **changes)])
        return claimed

    def wish(self, messages_max: int = 100, **changes: Any) -> Claim:
        """What `claim` takes; `turns` are those of the claim before."""
        rooms = changes.pop("rooms", (room(PROVIDER, messages_max),))
        fields: dict[str, Any] = {
            "now_us": self.now_us,
            "fence": self.fence,
            "lease_until_us": self.now_us + LEASE_US,
            "rooms": rooms,
            "known": frozenset(each.provider for each in rooms),
            "shut": frozenset(),
            "route": one_route,
            "sandbox_route": one_route,
            "prices": NO_PRICES,
            "turns": {},
        }
        return Claim(**(fields | changes))

    async def open(self, **changes: Any) -> OpenAttempt:
        """Store one message and open its first attempt."""
        (message_id,) = await self.send(**changes)
        return attempt_at(message_id, await self.claim())

    async def settle(self, attempt: OpenAttempt, outcome: Outcome, **more: Any) -> bool:
        """Settle one attempt; whether it was this process's to settle. `more` is as for `settlement`."""
        item = self.settlement(attempt, outcome, **more)
        (mine,) = await self.store.write(settle, [item], [attempt.account_id])
        return mine

    def settlement(
        self,
        attempt: OpenAttempt,
        outcome: Outcome,
        *,
        receipts: bool = True,
        questions: bool = False,
        spelling: IdSpelling = IdSpelling.EXACT,
        shut: frozenset[str] = frozenset(),
    ) -> Settlement:
        """What `settle` takes. There is no jitter: what is retried is due at once."""
        return Settlement(
            attempt, outcome, receipts, questions, self.policy, self.now_us, 0.0, spelling, shut
        )

    async def sent(
        self,
        *provider_message_ids: str,
        questions: bool = False,
        spelling: IdSpelling = IdSpelling.EXACT,
        **changes: Any,
    ) -> int:
        """A message that the provider took under these ids."""
        attempt = await self.open(**changes)
        outcome = Accepted(provider_message_ids)
        assert await self.settle(attempt, outcome, questions=questions, spelling=spelling)
        return attempt.message_id

    async def report(
        self, *receipts: Receipt, provider: str = PROVIDER, spelling: IdSpelling = IdSpelling.EXACT
    ) -> list[bool]:
        """Report receipts in one call; whether each matched a message."""
        found = await self.record(*receipts, provider=provider, spelling=spelling)
        return [each == MATCHED for each in found]

    async def record(
        self, *receipts: Receipt, provider: str = PROVIDER, spelling: IdSpelling = IdSpelling.EXACT
    ) -> list[Matched | Parked]:
        """Report receipts in one call; what became of each."""
        items = [Report(provider, each, self.now_us, spelling) for each in receipts]
        return await self.store.write(record_receipts, items)

    async def overdue(
        self, *, can_ask: Callable[[str], bool] = lambda _: True, messages_max: int = 100
    ) -> Overdue:
        """Claim what is overdue."""
        wish = QuestionClaim(
            self.now_us, messages_max, self.now_us + LEASE_US, self.policy, can_ask, lambda: 0.0
        )
        (found,) = await self.store.write(claim_questions, [wish])
        return found

    async def answer(self, question: Question, answer: Outcome | Receipt, **more: Any) -> bool:
        """Settle a question; whether the message still waited for it. `more` is as for `report_of`."""
        item = self.report_of(question, answer, **more)
        (same,) = await self.store.write(settle_answers, [item], [question.account_id])
        return same

    def report_of(
        self,
        question: Question,
        answer: Outcome | Receipt,
        *,
        receipts: bool = True,
        spelling: IdSpelling = IdSpelling.EXACT,
    ) -> AnswerReport:
        """What `settle_answers` takes."""
        return AnswerReport(question, answer, receipts, self.policy, self.now_us, 0.0, spelling)

    async def cancel(
        self, message_id: int, account_id: int = 1
    ) -> Cancelled | NotCancellable | NoSuchMessage:
        """Cancel one message."""
        (answer,) = await self.store.write(
            cancel, [Cancellation(account_id, message_id, self.now_us)], [account_id]
        )
        return answer

    async def index(
        self, account_id: int = 1, *, events_max: int = 1_000_000, span_messages: int = 1_000
    ) -> Indexed:
        """Index a batch of an account's log."""
        wish = IndexWish(account_id, events_max, span_messages)
        (indexed,) = await self.store.write(index_messages, [wish], [account_id])
        return indexed

    async def count(self, account_id: int = 1, *, events_max: int = 1_000_000) -> Indexed:
        """Count the ended messages of a batch of an account's log."""
        (counted,) = await self.store.write(count_usage, [IndexWish(account_id, events_max)], [account_id])
        return counted

    async def pages(
        self, account_id: int = 1, *, page_size: int = 100, limits: ListLimits = LIMITS, **wanted: Any
    ) -> list[list[int]]:
        """The ids of every page of the messages that `wanted`, as for `MessageFilter`, lets through."""
        found: list[list[int]] = []
        before_id: int | None = None
        while before_id is not None or not found:
            query = MessageQuery(account_id, MessageFilter(**wanted), before_id, page_size)
            page = await self.store.read(read_page, query, limits)
            found.append([message.message_id for message in page.messages])
            before_id = page.next_before_id
        return found

    async def delete(self, message_id: int, account_id: int = 1) -> Deleted | NotEnded | NoSuchMessage:
        """Delete one message."""
        (answer,) = await self.store.write(
            delete, [Deletion(account_id, message_id, self.now_us)], [account_id]
        )
        return answer

    async def message(self, message_id: int, account_id: int = 1) -> MessageRecord:
        """The message as it stands."""
        return (await self._read(message_id, account_id))[0]

    async def timeline(self, message_id: int, account_id: int = 1) -> list[TimelineRecord]:
        """The message's history."""
        return (await self._read(message_id, account_id))[1]

    async def facts(self, message_id: int, account_id: int = 1) -> list[Fact]:
        """What happened to the message, in order."""
        return [each.change.fact for each in await self.timeline(message_id, account_id)]

    async def state(self, message_id: int, account_id: int = 1) -> State:
        """Where the message stands."""
        return (await self.message(message_id, account_id)).state

    async def states(self, message_ids: list[int]) -> dict[int, State]:
        """Where several messages stand, whoever they belong to."""
        rows = await self.store.read(lambda tx: tx.all("message_heads", message_ids=message_ids))
        return {row[0]: State(row[2]) for row in rows}

    async def events(self, account_id: int = 1, after: int = 0) -> list[EventRecord]:
        """An account's events."""
        return await self.store.read(read_events, account_id, after, 1_000_000)

    async def due(self, message_id: int) -> DueRow | None:
        """What is due for a message, None when nothing is."""
        return (await self.store.read(read_due, [message_id])).get(message_id)

    async def _read(self, message_id: int, account_id: int) -> tuple[MessageRecord, list[TimelineRecord]]:
        found = await self.store.read(read_message, account_id, message_id)
        assert found is not None, f"account {account_id} has no message {message_id}"
        return found


def message_ids(answer: Answer) -> list[int]:
    """The ids in what was answered to a stored or repeated submission."""
    assert isinstance(answer, Stored | Repeated), answer
    return [result.message_id for result in answer.results if result.message_id is not None]


def attempt_at(message_id: int, claimed: Claimed) -> OpenAttempt:
    """The attempt at one message among those claimed."""
    (attempt,) = [each for each in claimed.attempts if each.message_id == message_id]
    return attempt


def attempt_of_fence(attempt: OpenAttempt, fence: int) -> OpenAttempt:
    """The attempt as another process would have it."""
    return replace(attempt, fence=fence)


def receipt(provider_message_id: str, status: str = "DELIVERED", part: int = 0, **more: Any) -> Receipt:
    """A provider's report."""
    return Receipt(provider_message_id, ReceiptStatus[status], part=part, **more)


def read_due(tx: Transaction, wanted: Sequence[int]) -> dict[int, DueRow]:
    """What is due for these messages."""
    rows = [due_row(row) for row in tx.all("due_by_message", message_ids=list(wanted))]
    assert len({row.message_id for row in rows}) == len(rows), "a message has two due rows"
    return {row.message_id: row for row in rows}
