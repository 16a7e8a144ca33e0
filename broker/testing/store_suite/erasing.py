# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of `delete`, of `mark`, and of reading what can be sent again."""

from collections.abc import Sequence

import orjson
import pytest

from broker.domain.broadcast import Place, Stage
from broker.domain.fallback import ChannelFallback
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Rejected, Unknown
from broker.domain.submission import Campaign, Content, Recipient, Submission
from broker.domain.vocabulary import Channel, Guarantee, Reason, Traffic
from broker.storage.dispatching import read_tokens
from broker.storage.erasing import Deleted, Deletion, Mark, NotEnded, NotMarkable, delete, mark
from broker.storage.history import NoSuchMessage
from broker.storage.redriving import NotRedrivable, read_redrivable
from broker.storage.transaction import Transaction
from broker.testing.builders import DAY_US, NOW_US, phones, sms
from broker.testing.store_suite.bench import Bench, attempt_at, receipt
from broker.testing.store_suite.broadcast_bench import running
from broker.testing.store_suite.opening import OpenedStore

NUMBER = frozenset({"+447700900000"})


class DeleteCases(OpenedStore):
    """Erasing what a message says and to whom."""

    async def test_a_deleted_message_has_lost_what_it_said_and_to_whom(self, bench: Bench) -> None:
        """All else stays as it was, and it is known since when."""
        (message_id,) = await bench.send(data="secret", client_reference="ref", tags=("a",), sender="Shop")
        await bench.cancel(message_id)
        before = await bench.message(message_id)
        bench.wait(5)
        assert Deleted() == await bench.delete(message_id)
        after = await bench.message(message_id)
        assert ("", "", None, bench.now_us) == (
            after.recipient,
            after.data,
            after.content,
            after.deleted_at_us,
        )
        assert (State.CANCELLED, "ref", ("a",), "Shop", 1, before.ended_at_us, before.reason) == (
            after.state,
            after.client_reference,
            after.labels.tags,
            after.sender,
            after.units,
            after.ended_at_us,
            after.reason,
        )

    async def test_a_deletion_is_one_event(self, bench: Bench) -> None:
        """However often it is asked for, in one call or in several; the state stays."""
        (message_id,) = await bench.send()
        await bench.cancel(message_id)
        wish = Deletion(1, message_id, bench.now_us)
        assert [Deleted(), Deleted()] == await bench.store.write(delete, [wish, wish], [1])
        assert Deleted() == await bench.delete(message_id)
        assert [Fact.ACCEPTED, Fact.CANCELLED, Fact.DELETED] == await bench.facts(message_id)
        last = (await bench.events())[-1]
        assert (State.CANCELLED, State.CANCELLED) == (last.moved.state, last.moved.previous_state)

    async def test_events_of_a_deleted_message_tell_nothing_private(self, bench: Bench) -> None:
        """Neither its address nor its data, nor what a provider said of it, also those from before."""
        attempt = await bench.open(data="secret")
        await bench.settle(attempt, Rejected(Reason.REFUSED_BY_PROVIDER, "550", "no +447700900000 here"))
        await bench.delete(attempt.message_id)
        events = await bench.events()
        assert {("", "", "")} == {(e.recipient, e.data, e.moved.provider_text) for e in events}
        assert "550" in {e.moved.provider_code for e in events}

    async def test_a_message_that_has_not_ended_is_not_deleted(self, bench: Bench) -> None:
        """Something may still come of it; it names the state, and stays whole."""
        attempt = await bench.open()
        (waiting,) = await bench.send()
        assert NotEnded(State.ACCEPTED) == await bench.delete(waiting)
        assert NotEnded(State.PROCESSING) == await bench.delete(attempt.message_id)
        assert "+447700900000" == (await bench.message(attempt.message_id)).recipient

    @pytest.mark.parametrize("account_id", [2, 99])
    async def test_a_strangers_message_cannot_be_deleted(self, bench: Bench, account_id: int) -> None:
        """It looks like none, and stays."""
        (message_id,) = await bench.send()
        await bench.cancel(message_id)
        assert NoSuchMessage() == await bench.delete(message_id, account_id)
        assert NoSuchMessage() == await bench.delete(12345, account_id)
        assert (await bench.message(message_id)).deleted_at_us is None

    async def test_the_shared_content_goes_with_the_last_of_its_messages(self, bench: Bench) -> None:
        """Until then it is shown for those that are not deleted."""
        first, second = await bench.send(recipients=phones(2), content=sms("hello"))
        (other,) = await bench.send(content=sms("other"))
        for message_id in (first, second, other):
            await bench.cancel(message_id)
        await bench.delete(first)
        assert None is (await bench.message(first)).content
        assert {"text": "hello"} == (await bench.message(second)).content
        assert 2 == await _contents(bench)
        await bench.delete(second)
        assert 1 == await _contents(bench)
        assert {"text": "other"} == (await bench.message(other)).content

    async def test_what_a_broadcast_says_stays_for_its_other_messages(self, bench: Bench) -> None:
        """Also where other messages came between: some of it may still be to be sent."""
        one = await running(bench)
        assert await one.gather()
        assert await one.sift(2)
        early, late = phones(2)
        assert await one.expand(early, then=Place(Stage.EXPANDING, 0, 1))
        (other,) = await bench.send(recipients=(Recipient("+447700900999"),))
        assert await one.expand(late, at=1)
        first, second = [each.message_id for each in await one.messages()]
        await bench.cancel(first)
        assert Deleted() == await bench.delete(first)
        assert None is (await bench.message(first)).content
        assert None is not (await bench.message(second)).content
        claimed = (await bench.claim()).attempts
        assert {other, second} == {each.message_id for each in claimed if each.message.content}

    async def test_the_shared_content_goes_when_all_are_deleted_at_once(self, bench: Bench) -> None:
        """In one call."""
        sent = await bench.send(recipients=phones(3))
        for message_id in sent:
            await bench.cancel(message_id)
        wishes = [Deletion(1, each, bench.now_us) for each in sent]
        assert [Deleted()] * 3 == await bench.store.write(delete, wishes, [1])
        assert 0 == await _contents(bench)

    @pytest.mark.parametrize("indexed_first", [True, False])
    async def test_a_deleted_message_is_listed_only_among_deleted_ones(
        self, bench: Bench, indexed_first: bool
    ) -> None:
        """And found by nothing that was erased."""
        (kept,) = await bench.send(client_reference="ref", data="d")
        (gone,) = await bench.send(client_reference="ref", data="d")
        await bench.cancel(gone)
        if indexed_first:
            await bench.index()
        await bench.delete(gone)
        if not indexed_first:
            await bench.index()
        references = frozenset({"ref"})
        assert [[kept]] == await bench.pages()
        assert [[kept]] == await bench.pages(client_references=references)
        assert [[gone]] == await bench.pages(client_references=references, deleted=True)
        states = frozenset({State.ACCEPTED})
        assert [[gone, kept]] == await bench.pages(states=states, deleted=True)
        assert [[]] == await bench.pages(recipients=NUMBER, deleted=True)
        rows = await bench.store.read(lambda tx: _indexed(tx, NUMBER, "d"))
        assert [[kept], [kept]] == rows

    async def test_a_recipients_own_values_are_erased(self, bench: Bench) -> None:
        """They were for nobody else."""
        ada, bob = (Recipient(phone_number=f"+44770090000{n}", tokens={"name": str(n)}) for n in range(2))
        content = Content({Channel.SMS: {"text": "Hi $name$"}}, frozenset({"name"}))
        sent = await bench.send(recipients=(ada, bob), content=content)
        for message_id in sent:
            await bench.cancel(message_id)
        await bench.delete(sent[0])
        own = await bench.store.read(read_tokens, sent)
        assert {sent[1]: {"name": "1"}} == own
        assert {"text": "Hi 1"} == (await bench.message(sent[1])).content

    async def test_a_receipt_for_a_deleted_message_is_kept_as_a_late_one(self, bench: Bench) -> None:
        """Its counters go on to be right."""
        message_id = await bench.sent("x")
        await bench.report(receipt("x"))
        await bench.delete(message_id)
        assert [True] == await bench.report(receipt("x", "DELIVERY_FAILED"))
        assert [Fact.DELETED, Fact.LATE_RECEIPT] == (await bench.facts(message_id))[-2:]
        assert (await bench.message(message_id)).deleted_at_us is not None


class MarkCases(OpenedStore):
    """Read or unread."""

    async def test_a_message_that_was_sent_cannot_be_marked(self, bench: Bench) -> None:
        """Its recipient reads it, nobody here; a stranger's looks like none."""
        (message_id,) = await bench.send()
        wishes = [
            Mark(1, message_id, True, NOW_US),
            Mark(2, message_id, True, NOW_US),
            Mark(1, 5, False, NOW_US),
        ]
        expected = [NotMarkable(), NoSuchMessage(), NoSuchMessage()]
        assert expected == await bench.store.write(mark, wishes, [1, 2])
        assert (await bench.message(message_id)).read_at_us is None


class RedriveCases(OpenedStore):
    """What an ended message was asked to be."""

    async def test_an_expired_message_can_be_sent_again_as_it_was_asked_for(self, bench: Bench) -> None:
        """Everything that its caller said, to the one recipient and on the channel that it had."""
        (first, _) = await bench.send(
            recipients=(
                Recipient(phone_number="+447700900001", client_reference="one", data="d1"),
                Recipient(phone_number="+447700900002"),
            ),
            content=Content({Channel.SMS: {"text": "hello"}, Channel.EMAIL: {"text": "hello"}}),
            sender="Shop",
            traffic=Traffic.CONVERSATIONAL,
            guarantee=Guarantee.AT_MOST_ONCE,
            campaign=Campaign("spring", "Spring"),
            tags=("a", "b"),
            reply_to_message_id=7,
            origin="crm",
            provider="acme",
            ignore_quiet_hours=True,
        )
        bench.wait(2 * DAY_US / 1_000_000)
        await bench.claim()
        assert State.EXPIRED is await bench.state(first)
        expected = Submission(
            account_id=1,
            recipients=(Recipient(phone_number="+447700900001"),),
            content=Content({Channel.SMS: {"text": "hello"}}),
            sender="Shop",
            traffic=Traffic.CONVERSATIONAL,
            channels=(Channel.SMS,),
            guarantee=Guarantee.AT_MOST_ONCE,
            client_reference="one",
            campaign=Campaign("spring", "Spring"),
            data="d1",
            tags=("a", "b"),
            reply_to_message_id=7,
            provider="acme",
            origin="crm",
            redriven_from_message_id=first,
            track_links=False,
            ignore_quiet_hours=True,
        )
        assert expected == await bench.store.read(read_redrivable, 1, first)

    async def test_a_message_with_several_channels_is_sent_again_by_all_of_them(self, bench: Bench) -> None:
        """From the first one on, with the same wish; who it is from is chosen anew on each."""
        person = Recipient(phone_number="+447700900001", email="ada@example.org", tokens={"name": "Ada"})
        documents = {
            Channel.EMAIL: {"subject": "Hi $name$", "text": "hello"},
            Channel.SMS: {"text": "Hi $name$"},
        }
        attempt = await bench.open(
            recipients=(person,),
            content=Content(documents, frozenset({"name"})),
            channels=(Channel.SMS, Channel.EMAIL),
            fallback=ChannelFallback(60 * 1_000_000),
            sender="",
        )
        await bench.settle(attempt, Rejected())
        second = attempt_at(attempt.message_id, await bench.claim())
        assert Channel.EMAIL is second.message.channel
        await bench.settle(second, Rejected())
        found = await bench.store.read(read_redrivable, 1, attempt.message_id)
        assert isinstance(found, Submission)
        said = {
            Channel.SMS: {"text": "Hi Ada"},
            Channel.EMAIL: {"subject": "Hi Ada", "text": "hello"},
        }
        assert (
            said,
            (Channel.SMS, Channel.EMAIL),
            ChannelFallback(60 * 1_000_000),
            (Recipient(phone_number="+447700900001", email="ada@example.org"),),
            "",
        ) == (found.content.documents, found.channels, found.fallback, found.recipients, found.sender)
        (again,) = await bench.send(
            recipients=found.recipients,
            content=found.content,
            channels=found.channels,
            fallback=found.fallback,
            redriven_from_message_id=found.redriven_from_message_id,
        )
        message = await bench.message(again)
        assert (Channel.SMS, (Channel.EMAIL,)) == (message.channel, message.fallback_channels)

    async def test_what_is_said_again_is_what_was_said(self, bench: Bench) -> None:
        """Placeholders are filled as they were for this recipient, and a dollar stays one."""
        recipient = Recipient(phone_number="+447700900001", tokens={"name": "Ada"})
        content = Content(
            {Channel.SMS: {"text": "Hi $name$, $$5 off at $shop$"}}, frozenset({"name", "shop"})
        )
        attempt = await bench.open(recipients=(recipient,), content=content, tokens={"shop": "Acme"})
        await bench.settle(attempt, Rejected(Reason.REFUSED_BY_PROVIDER))
        found = await bench.store.read(read_redrivable, 1, attempt.message_id)
        assert isinstance(found, Submission)
        assert Content({Channel.SMS: {"text": "Hi Ada, $5 off at Acme"}}) == found.content
        assert (None, None) == (found.tokens, found.recipients[0].tokens)

    @pytest.mark.parametrize(
        ("recipient", "content"),
        [
            (Recipient(email="a@example.org"), Content({Channel.EMAIL: {"text": "hello"}})),
            (Recipient(device_token="t"), Content({Channel.PUSH: {"body": "hello"}})),  # noqa: S106 - no password
        ],
    )
    async def test_the_address_is_that_of_the_channel(
        self, bench: Bench, recipient: Recipient, content: Content
    ) -> None:
        """Wherever it went before."""
        attempt = await bench.open(recipients=(recipient,), content=content)
        await bench.settle(attempt, Rejected(Reason.REFUSED_BY_PROVIDER))
        found = await bench.store.read(read_redrivable, 1, attempt.message_id)
        assert isinstance(found, Submission)
        assert (recipient,) == found.recipients

    async def test_a_message_that_points_to_another_says_so(self, bench: Bench) -> None:
        """On itself and on its events."""
        (message_id,) = await bench.send(redriven_from_message_id=77)
        assert 77 == (await bench.message(message_id)).labels.redriven_from_message_id
        assert 77 == (await bench.events())[0].labels.redriven_from_message_id

    async def test_only_a_message_that_ended_badly_can_be_sent_again(self, bench: Bench) -> None:
        """Not one that waits, that arrived, that its sender cancelled, or that the broker refused."""
        (waiting,) = await bench.send()
        (refused,) = await bench.send(recipients=(Recipient(phone_number="12"),))
        (cancelled,) = await bench.send()
        await bench.cancel(cancelled)
        await bench.cancel(waiting)
        delivered = await bench.sent("x")
        await bench.report(receipt("x"))
        unknown = await bench.open(guarantee=Guarantee.AT_MOST_ONCE)
        await bench.settle(unknown, Unknown())
        answers = [
            await bench.store.read(read_redrivable, 1, each)
            for each in (refused, cancelled, delivered, unknown.message_id, 12345)
        ]
        assert [
            NotRedrivable(State.REJECTED, deleted=False),
            NotRedrivable(State.CANCELLED, deleted=False),
            NotRedrivable(State.DELIVERED, deleted=False),
        ] == answers[:3]
        assert isinstance(answers[3], Submission)
        assert answers[4] is None
        assert await bench.store.read(read_redrivable, 2, unknown.message_id) is None

    async def test_a_deleted_message_cannot_be_sent_again(self, bench: Bench) -> None:
        """Nobody knows what it said."""
        attempt = await bench.open()
        await bench.settle(attempt, Rejected(Reason.REFUSED_BY_PROVIDER))
        await bench.delete(attempt.message_id)
        assert NotRedrivable(State.REJECTED, deleted=True) == await bench.store.read(
            read_redrivable, 1, attempt.message_id
        )


async def _contents(bench: Bench) -> int:
    """How many submissions still have content."""
    rows = await bench.store.read(lambda tx: tx.all("messages_to_erase", message_ids=_all_ids(tx)))
    contents = await bench.store.read(
        lambda tx: tx.all("submission_contents", submission_ids=list({row[2] for row in rows}))
    )
    return sum(row[1] != "{}" for row in contents)


def _all_ids(tx: Transaction) -> list[int]:
    return [row[2] for row in tx.all("events_after", account_id=1, after=0, events_max=1_000)]


def _indexed(tx: Transaction, recipients: Sequence[str] | frozenset[str], data: str) -> list[list[int]]:
    """What the index has of account 1 by a number and by data."""
    found = []
    for kind, value in ((2, *recipients), (4, data)):
        (row,) = tx.all(
            "index_ids", span=1, kind=kind, value=value, before_id=(1 << 63) - 1, floor_id=0, rows_max=100
        )
        found.append(orjson.loads(row[0]))
    return found


class ErasingCases(DeleteCases, MarkCases, RedriveCases):
    """What callers do to messages that have ended, or came in."""
