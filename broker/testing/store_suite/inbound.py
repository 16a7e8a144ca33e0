# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of what comes in: once, in its account, beside the message that it answers."""

from typing import Any

import pytest

from broker.domain.ids import format_id
from broker.domain.inbound import AssignedBy, InboundKind, InboundRules
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, NotAccepted, Unknown
from broker.domain.submission import Campaign
from broker.domain.vocabulary import Channel, Direction, EventKind
from broker.storage.correspondence import (
    CorrespondencePlace,
    CorrespondenceSweep,
    read_correspondence,
    sweep_correspondence,
)
from broker.storage.erasing import Mark, Marked, NotMarkable, mark
from broker.storage.following import read_log_page
from broker.storage.inbound import Duplicate, Kept
from broker.storage.retiring import LogTrim, Retirement, retire_messages, trim_logs
from broker.testing.builders import NOW_US, PROVIDER, SECOND_US
from broker.testing.store_suite.bench import ACCOUNTS, Bench, receipt
from broker.testing.store_suite.callback_bench import URL, Caller, to
from broker.testing.store_suite.inbound_bench import (
    HOUR_S,
    OURS,
    PERSON,
    RULES,
    Phone,
    WithPhone,
    person,
    told,
)
from broker.testing.store_suite.opening import OpenedStore


class KeepingCases(WithPhone):
    """What comes in is kept once."""

    async def test_a_message_that_came_in_is_a_message(self, bench: Bench, phone: Phone) -> None:
        """With who wrote what to whom, its end from the beginning, and one event that begins its history."""
        kept = await phone.say("Is it on its way?", time_us=NOW_US - 5, provider_message_id="in-1")
        found = await bench.message(kept.message_id)
        assert (Direction.INBOUND, State.DELIVERED, Channel.SMS) == (
            found.direction,
            found.state,
            found.channel,
        )
        assert (PERSON, OURS, {"text": "Is it on its way?"}) == (found.sender, found.recipient, found.content)
        assert [Fact.RECEIVED] == await bench.facts(kept.message_id)
        (event,) = await bench.events()
        assert (EventKind.INBOUND, kept.message_id, None) == (event.kind, event.message_id, event.change)
        assert {
            "text": "Is it on its way?",
            "received_at_us": NOW_US - 5,
            "provider": PROVIDER,
            "provider_message_id": "in-1",
            "kind": InboundKind.OTHER,
            "assigned_by": AssignedBy.DEFAULT,
        } == told(event)

    async def test_what_is_reported_twice_is_kept_once(self, bench: Bench, phone: Phone) -> None:
        """Within a call and across calls; another instance's ids are its own."""
        one, again = (phone.arrival(provider_message_id="in-1") for _ in range(2))
        first, second = await phone.write(one, again)
        assert (Kept, Duplicate) == (type(first), type(second))
        other = phone.arrival(provider_message_id="in-1", provider="other")
        third, fourth = await phone.write(phone.arrival(provider_message_id="in-1"), other)
        assert (Duplicate, Kept) == (type(third), type(fourth))
        assert 2 == len(await bench.events())

    @pytest.mark.parametrize(
        ("instance", "known"), [(PROVIDER, "in-1"), ("other", "")], ids=["its own", "another's"]
    )
    async def test_who_answers_it_is_told_its_id_there(
        self, bench: Bench, phone: Phone, instance: str, known: str
    ) -> None:
        """The instance that brought it knows it by that; to any other the id says nothing."""
        kept = await phone.say("Is it on its way?", provider_message_id="in-1", provider=instance)
        await bench.send(reply_to_message_id=kept.message_id)
        (attempt,) = (await bench.claim()).attempts
        found = attempt.message.particulars
        assert (format_id(kept.message_id), known) == (
            found.reply_to_message_id,
            found.reply_to_provider_message_id,
        )

    async def test_without_an_id_nobody_can_tell(self, bench: Bench, phone: Phone) -> None:
        """Two that say the same may be two."""
        await phone.write(phone.arrival("YES"), phone.arrival("YES"))
        assert 2 == len(await bench.events())

    async def test_it_is_found_like_any_other(self, bench: Bench, phone: Phone) -> None:
        """By direction, by who wrote it and by what it answers, before and after the index has it."""
        sent = await bench.sent("x", sender=OURS, **person())
        kept = await phone.say()
        for _ in range(2):
            assert [[kept.message_id]] == await bench.pages(directions=frozenset({Direction.INBOUND}))
            assert [[kept.message_id]] == await bench.pages(senders=frozenset({PERSON}))
            assert [[kept.message_id]] == await bench.pages(reply_to_message_ids=frozenset({sent}))
            await bench.index()

    async def test_it_is_marked_read_and_unread(self, bench: Bench, phone: Phone) -> None:
        """With the time of that; the last wish of a call counts, and one that was sent is refused beside it."""
        (sent,) = await bench.send()
        kept = (await phone.say()).message_id

        async def marked(*read: bool) -> int | None:
            wishes = [Mark(1, kept, each, NOW_US + 5) for each in read]
            answers = await bench.store.write(mark, [*wishes, Mark(1, sent, True, NOW_US)])
            assert [*([Marked()] * len(read)), NotMarkable()] == answers
            return (await bench.message(kept)).read_at_us

        assert NOW_US + 5 == await marked(True)
        assert NOW_US + 5 == await marked(False, True)
        assert await marked(True, False) is None

    async def test_a_deleted_one_tells_nothing_private(self, bench: Bench, phone: Phone) -> None:
        """Neither who wrote it nor what, also not in its event; and it is not found by its writer."""
        kept = (await phone.say("a secret", sender=PERSON)).message_id
        await bench.index()
        await bench.delete(kept)
        found = await bench.message(kept)
        assert ("", "", None) == (found.sender, found.recipient, found.content)
        events = await bench.events()
        assert [(EventKind.INBOUND, {}), (EventKind.MESSAGE, {})] == [(e.kind, told(e)) for e in events]
        assert [[]] == await bench.pages(senders=frozenset({PERSON}), deleted=True)

    async def test_retention_removes_it_whole(self, bench: Bench, phone: Phone) -> None:
        """Then the same id may come again."""
        await phone.say(provider_message_id="in-1")
        await bench.index()
        await bench.count()
        bench.wait(2 * HOUR_S)
        await bench.store.write(trim_logs, [LogTrim(1, bench.now_us, 100)])
        (gone,) = await bench.store.write(retire_messages, [Retirement(0, bench.now_us - SECOND_US, 100)])
        assert 1 == gone.messages
        (again,) = await phone.write(phone.arrival(provider_message_id="in-1"))
        assert isinstance(again, Kept)


class AssigningCases(WithPhone):
    """Whose it is, and what it answers."""

    async def test_it_answers_the_last_message_that_we_wrote(self, bench: Bench, phone: Phone) -> None:
        """And takes over that message's reference, data, campaign and tags, by which callers follow it."""
        await bench.sent("a", sender=OURS, client_reference="old", **person())
        bench.wait(1)
        more: dict[str, Any] = {"campaign": Campaign("spring"), "tags": ("vip",), "data": "d"}
        last = await bench.sent("b", sender=OURS, client_reference="new", account_id=2, **more, **person())
        kept = await phone.say()
        assert 2 == kept.account_id
        found = await bench.message(kept.message_id, 2)
        assert (last, "new", "d", ("vip",)) == (
            found.labels.reply_to_message_id,
            found.client_reference,
            found.data,
            found.labels.tags,
        )
        event = (await bench.events(2))[-1]
        assert (InboundKind.REPLY, AssignedBy.LAST_MESSAGE) == (
            told(event)["kind"],
            told(event)["assigned_by"],
        )

    @pytest.mark.parametrize(
        ("changes", "fits"),
        [
            ({"recipient": "+447700900002"}, False),
            ({"sender": "+447700900124"}, False),
            ({"recipient": "447700900001"}, True),
        ],
        ids=["another address", "another person", "another spelling"],
    )
    async def test_only_the_one_whom_we_wrote_to_answers(
        self, bench: Bench, phone: Phone, changes: dict[str, str], fits: bool
    ) -> None:
        """To the address that we wrote from."""
        await bench.sent("x", sender=OURS, account_id=2, **person())
        assert (2 if fits else 1) == (await phone.say(**changes)).account_id

    @pytest.mark.parametrize(("provider", "account_id"), [(PROVIDER, 2), ("other", 1)])
    async def test_a_message_without_a_sender_is_answered_through_its_provider(
        self, bench: Bench, phone: Phone, provider: str, account_id: int
    ) -> None:
        """It left from an address of the provider's own."""
        await bench.sent("x", account_id=2, **person())
        assert account_id == (await phone.say(recipient="any", provider=provider)).account_id

    @pytest.mark.parametrize(
        ("outcome", "account_id"),
        [(Accepted(("x",)), 2), (Unknown(), 2), (NotAccepted(), 1)],
        ids=["taken", "perhaps taken", "not taken"],
    )
    async def test_only_what_left_is_answered(
        self, bench: Bench, phone: Phone, outcome: Any, account_id: int
    ) -> None:
        """A message that no provider took was read by nobody."""
        attempt = await bench.open(sender=OURS, account_id=2, **person())
        await bench.settle(attempt, outcome, questions=True)
        assert account_id == (await phone.say()).account_id

    async def test_what_names_our_message_answers_that_one(self, bench: Bench, phone: Phone) -> None:
        """Also where another was written later, from another address or by another account."""
        older = await bench.sent("a", sender="Acme", account_id=2, client_reference="old", **person())
        bench.wait(1)
        newer = await bench.sent("b", sender=OURS, account_id=3, **person())
        found = []
        for named in ("a", "b", ""):
            kept = await phone.say(answers=named)
            message = await bench.message(kept.message_id, kept.account_id)
            event = (await bench.events(kept.account_id))[-1]
            found.append((kept.account_id, message.labels.reply_to_message_id, told(event)["kind"]))
        expected = [(2, older), (3, newer), (3, newer)]
        assert [(*each, InboundKind.REPLY) for each in expected] == found

    @pytest.mark.parametrize(
        "changes",
        [{"answers": "nobody's"}, {"sender": "+447700900124"}, {"provider": "other"}],
        ids=["unknown", "another person", "another instance"],
    )
    async def test_a_name_that_does_not_fit_says_nothing(
        self, bench: Bench, phone: Phone, changes: dict[str, str]
    ) -> None:
        """A message of ours to somebody else, or through another instance, is not the one that is meant."""
        await bench.sent("a", sender="Acme", account_id=2, **person())
        assert 1 == (await phone.say(**({"answers": "a"} | changes))).account_id

    async def test_each_name_of_a_call_is_looked_at_by_itself(self, bench: Bench, phone: Phone) -> None:
        """Somebody else who names the same message has nothing to do with it."""
        await bench.sent("a", sender="Acme", account_id=2, **person())
        stranger = {"sender": "+447700900124", "answers": "a"}
        kept = await phone.write(
            phone.arrival(**stranger), phone.arrival(answers="a"), phone.arrival(**stranger)
        )
        assert [1, 2, 1] == [each.account_id for each in kept if isinstance(each, Kept)]

    async def test_a_name_holds_no_longer_than_the_memory(self, bench: Bench, phone: Phone) -> None:
        """And makes no reply of what comes after the window."""
        sent = await bench.sent("a", sender=OURS, account_id=2, **person())
        found = []
        for hours, rules in ((12, RULES), (1, RULES), (0, InboundRules(memory_us=12 * HOUR_S * SECOND_US))):
            bench.wait(hours * HOUR_S)
            kept = await phone.say(answers="a", rules=rules)
            message = await bench.message(kept.message_id, kept.account_id)
            event = (await bench.events(kept.account_id))[-1]
            found.append((kept.account_id, told(event)["kind"], message.labels.reply_to_message_id))
        assert [
            (2, InboundKind.REPLY, sent),
            (2, InboundKind.OTHER, sent),
            (1, InboundKind.OTHER, None),
        ] == found

    async def test_a_deleted_message_cannot_be_named(self, bench: Bench, phone: Phone) -> None:
        """Nobody may learn from an answer to whom it went."""
        sent = await bench.sent("y", sender=OURS, account_id=2, **person())
        await bench.report(receipt("y"))
        await bench.delete(sent, 2)
        assert 1 == (await phone.say(answers="y")).account_id

    async def test_after_the_window_it_is_no_reply_any_more(self, bench: Bench, phone: Phone) -> None:
        """But still that account's, and beside that message, for as long as the broker remembers."""
        sent = await bench.sent("x", sender=OURS, account_id=2, **person())
        found = []
        for hours, rules in ((12, RULES), (1, RULES), (0, InboundRules(memory_us=12 * HOUR_S * SECOND_US))):
            bench.wait(hours * HOUR_S)
            kept = await phone.say(rules=rules)
            message = await bench.message(kept.message_id, kept.account_id)
            event = (await bench.events(kept.account_id))[-1]
            found.append((kept.account_id, told(event)["kind"], message.labels.reply_to_message_id))
        assert [
            (2, InboundKind.REPLY, sent),
            (2, InboundKind.OTHER, sent),
            (1, InboundKind.OTHER, None),
        ] == found

    async def test_what_answers_nothing_is_the_instances(self, bench: Bench, phone: Phone) -> None:
        """Of the account that the settings name, if there is one of that name; else of the first account."""
        found = []
        for account_id in (3, 999, None):
            kept = await phone.say(account_id=account_id)
            found.append((kept.account_id, told((await bench.events(kept.account_id))[-1])["assigned_by"]))
        by_default = (ACCOUNTS[0], AssignedBy.DEFAULT)
        assert [(3, AssignedBy.INSTANCE), by_default, by_default] == found

    async def test_a_deleted_message_is_answered_no_more(self, bench: Bench, phone: Phone) -> None:
        """Nobody may learn from an answer to whom it went."""
        sent = await bench.sent("y", sender=OURS, account_id=2, **person())
        await bench.report(receipt("y"))
        await bench.delete(sent, 2)
        assert 1 == (await phone.say()).account_id

    async def test_the_callback_of_the_message_also_gets_its_replies(
        self, bench: Bench, phone: Phone
    ) -> None:
        """As an event of the reply's own."""
        caller = Caller(bench)
        await bench.sent("x", sender=OURS, callback=to(URL), **person())
        await caller.follow()
        kept = await phone.say()
        (event,) = (await bench.store.read(read_log_page, 1, await caller.place() or 0, 100)).events
        assert (EventKind.INBOUND, kept.message_id, URL) == (event.kind, event.message_id, event.url)


class CorrespondenceCases(OpenedStore):
    """Whom we wrote to is remembered for a while."""

    async def test_each_pair_is_remembered_once(self, bench: Bench) -> None:
        """With its last message, however many there were."""
        for _ in range(3):
            bench.wait(1)
            last = await bench.sent("x", sender=OURS, **person())
        await bench.sent("y", sender="12345", **person())
        found = (await bench.store.read(read_correspondence, {PERSON}))[PERSON]
        assert {(OURS, last), ("12345", last + 2)} == {(each.address, each.message_id) for each in found}

    async def test_it_is_forgotten_in_stretches(self, bench: Bench) -> None:
        """Only what is old; a walk along it ends."""
        for number in range(5):
            await bench.sent(f"id {number}", sender=OURS, **person(f"+44770090012{number}"))
            bench.wait(10)
        place: CorrespondencePlace | None = CorrespondencePlace()
        stretches = 0
        while place is not None:
            wish = CorrespondenceSweep(place, NOW_US + 25 * SECOND_US, 2)
            (place,) = await bench.store.write(sweep_correspondence, [wish])
            stretches += 1
        people = {f"+44770090012{number}" for number in range(5)}
        found = await bench.store.read(read_correspondence, people)
        assert {"+447700900123", "+447700900124"} == {each for each in people if found.get(each)}
        assert 3 == stretches


class InboundCases(KeepingCases, AssigningCases, CorrespondenceCases):
    """All of them."""
