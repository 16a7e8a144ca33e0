# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of `accept`, and of how long a request_id is remembered."""

import pytest

from broker.domain.encoding import Encoding
from broker.domain.lifecycle import Fact, State
from broker.domain.records import Labels
from broker.domain.submission import Campaign, Content, Recipient, Result
from broker.domain.vocabulary import Channel, Guarantee, Reason, Traffic
from broker.storage.acceptance import (
    REQUEST_ID_TABLES,
    Acceptance,
    Repeated,
    Reused,
    Stored,
    accept,
    forget_request_ids,
)
from broker.storage.agenda import DueRow, Work
from broker.testing.builders import (
    DAY_US,
    NOW_US,
    PROVIDER,
    REMEMBER_US,
    SECOND_US,
    acceptance,
    phones,
    planned,
    sms,
    submission,
)
from broker.testing.store_suite.bench import Bench, message_ids
from broker.testing.store_suite.opening import OpenedStore

VALID_US = 129_600 * SECOND_US
ROUTE = (PROVIDER,)


class AcceptingCases(OpenedStore):
    """What is stored of a submission, once."""

    async def test_an_accepted_message_is_stored_whole(self, bench: Bench) -> None:
        """Every field of the submission comes back, with its content."""
        labels = Labels(Campaign("spring", "Spring"), ("a", "b"), "crm", 77)
        (message_id,) = await bench.send(
            recipients=(Recipient("+447700900123", client_reference="mine", data="{}"),),
            sender="Shop",
            traffic=Traffic.PASSCODE,
            guarantee=Guarantee.AT_MOST_ONCE,
            campaign=labels.campaign,
            tags=labels.tags,
            origin=labels.origin,
            reply_to_message_id=labels.reply_to_message_id,
            content=sms("naïve ☃"),
        )
        message = await bench.message(message_id)
        assert ("+447700900123", "Shop", "mine", "{}") == (
            message.recipient,
            message.sender,
            message.client_reference,
            message.data,
        )
        assert (Channel.SMS, Encoding.UCS2, 1) == (message.channel, message.encoding, message.units)
        assert (Traffic.PASSCODE, Guarantee.AT_MOST_ONCE) == (message.traffic, message.guarantee)
        assert (State.ACCEPTED, None, 0, "") == (
            message.state,
            message.reason,
            message.attempts,
            message.provider,
        )
        assert (NOW_US, NOW_US, NOW_US + 600 * SECOND_US, None) == (
            message.accepted_at_us,
            message.transmit_at_us,
            message.expire_at_us,
            message.ended_at_us,
        )
        assert labels == message.labels
        assert {"text": "naïve ☃"} == message.content

    async def test_an_accepted_message_is_due_for_dispatch_at_once(self, bench: Bench) -> None:
        """By its traffic's priority, until its validity ends."""
        (message_id,) = await bench.send(traffic=Traffic.PROMOTIONAL)
        expected = DueRow(
            message_id, 1, Work.DISPATCH, 2, NOW_US, NOW_US + VALID_US, provider=PROVIDER, candidates=ROUTE
        )
        assert expected == await bench.due(message_id)

    async def test_a_scheduled_message_is_due_at_its_time(self, bench: Bench) -> None:
        """It begins as SCHEDULED, and its validity counts from that time."""
        later_us = NOW_US + 3_600 * SECOND_US
        (message_id,) = await bench.send(schedule_at_us=later_us)
        assert [Fact.SCHEDULED] == await bench.facts(message_id)
        expected = DueRow(
            message_id,
            1,
            Work.WAITING,
            1,
            later_us,
            later_us + VALID_US,
            provider=PROVIDER,
            candidates=ROUTE,
        )
        assert expected == await bench.due(message_id)

    async def test_a_refused_recipient_has_a_row_and_one_event_and_nothing_due(self, bench: Bench) -> None:
        """The others of the same call go their way."""
        good, bad = await bench.send(recipients=(*phones(1), Recipient(phone_number="12")))
        assert [Fact.ACCEPTED] == await bench.facts(good)
        message = await bench.message(bad)
        assert (State.REJECTED, Reason.INVALID_RECIPIENT, NOW_US) == (
            message.state,
            message.reason,
            message.ended_at_us,
        )
        assert [Fact.REFUSED] == await bench.facts(bad)
        assert await bench.due(bad) is None

    async def test_a_recipient_without_any_channel_is_stored_too(self, bench: Bench) -> None:
        """Its row has no channel and no content."""
        (message_id,) = await bench.send(recipients=(Recipient(email="ada@example.com"),))
        message = await bench.message(message_id)
        assert (None, Reason.NO_ADDRESS, None) == (message.channel, message.reason, message.content)

    async def test_each_channel_keeps_its_own_document(self, bench: Bench) -> None:
        """A message carries the content of the channel that was chosen for it."""
        documents = {Channel.SMS: {"text": "short"}, Channel.EMAIL: {"subject": "s", "body": "long"}}
        phone, mail = await bench.send(
            content=Content(documents), recipients=(*phones(1), Recipient(email="ada@example.com"))
        )
        assert documents[Channel.SMS] == (await bench.message(phone)).content
        assert documents[Channel.EMAIL] == (await bench.message(mail)).content

    async def test_the_answer_is_the_plans(self, bench: Bench) -> None:
        """What is answered is what was stored, recipient by recipient."""
        item = acceptance(submission(recipients=phones(3)), bench.ids)
        (answer,) = await bench.store.write(accept, [item], [1])
        assert Stored(tuple(message.result for message in item.plan.messages)) == answer

    async def test_many_recipients_are_stored_in_one_call(self, bench: Bench) -> None:
        """More than any bulk statement holds, in the order of their ids."""
        sent = await bench.send(recipients=phones(613))
        assert sent == [event.message_id for event in await bench.events()]

    async def test_events_of_each_account_are_numbered_on_their_own(self, bench: Bench) -> None:
        """Accounts share a transaction and no sequence."""
        await bench.accept(submission(), submission(account_id=2), submission())
        assert [1, 2] == [event.sequence for event in await bench.events(1)]
        assert [1] == [event.sequence for event in await bench.events(2)]

    async def test_an_unknown_account_stores_nothing(self, bench: Bench) -> None:
        """Its submission fails and leaves no row behind."""
        with pytest.raises(LookupError):
            await bench.accept(submission(account_id=99))
        assert () == (await bench.claim()).attempts
        assert [] == await bench.events(99)

    async def test_a_repeated_request_answers_as_the_first_time(self, bench: Bench) -> None:
        """Same ids, same results, and nothing new is stored."""
        asked = submission(request_id="r1", recipients=(*phones(2), Recipient(phone_number="12")))
        (first,) = await bench.accept(asked)
        bench.wait(60)
        (second,) = await bench.accept(asked)
        assert isinstance(first, Stored)
        assert Repeated(first.results) == second
        assert 3 == len(await bench.events())

    async def test_a_repeated_answer_keeps_every_field_of_a_result(self, bench: Bench) -> None:
        """Warnings, details, encodings and times survive being stored."""
        asked = submission(request_id="r1", content=sms("☃" * 71), schedule_at_us=NOW_US + DAY_US)
        await bench.accept(asked)
        (again,) = await bench.accept(asked)
        assert isinstance(again, Repeated)
        expected = Result(
            recipient_index=0,
            message_id=again.results[0].message_id,
            state=State.SCHEDULED,
            recipient="+447700900000",
            channel=Channel.SMS,
            transmit_at_us=NOW_US + DAY_US,
            units=2,
            encoding=Encoding.UCS2,
            warnings=("encoded as UCS-2: 2 parts",),
        )
        assert (expected,) == again.results

    async def test_another_payload_under_a_request_id_is_refused(self, bench: Bench) -> None:
        """It is named, and nothing of it is stored."""
        await bench.accept(submission(request_id="r1"))
        (answer,) = await bench.accept(submission(request_id="r1", content=sms("another")))
        assert Reused("r1") == answer
        assert 1 == len(await bench.events())

    async def test_one_batch_repeats_and_reuses_within_itself(self, bench: Bench) -> None:
        """The second of two equal requests is a repetition even when both come together."""
        first, again, other = await bench.accept(
            submission(request_id="r1"),
            submission(request_id="r1"),
            submission(request_id="r1", content=sms("another")),
        )
        assert isinstance(first, Stored)
        assert (Repeated(first.results), Reused("r1")) == (again, other)
        assert message_ids(first) == [event.message_id for event in await bench.events()]

    async def test_accounts_do_not_share_request_ids(self, bench: Bench) -> None:
        """In one batch and across batches."""
        answers = await bench.accept(
            submission(request_id="r1"), submission(request_id="r1", account_id=2, content=sms("another"))
        )
        answers += await bench.accept(submission(request_id="r1", account_id=3))
        assert [Stored] * 3 == [type(answer) for answer in answers]

    async def test_a_request_id_may_hold_any_characters(self, bench: Bench) -> None:
        """Whatever they mean to a database, and each for itself."""
        names = ["it's", '"', "\\", "{a,b}", "☃", "50 %", "$1", ":name", "NULL", "null", "[]"]
        first = await bench.accept(*[submission(request_id=name, data=name) for name in names])
        again = await bench.accept(*[submission(request_id=name, data=name) for name in names])
        assert [Stored] * len(names) == [type(each) for each in first]
        assert [Repeated(each.results) for each in first if isinstance(each, Stored)] == again

    async def test_requests_without_an_id_are_never_the_same(self, bench: Bench) -> None:
        """Two equal submissions are two messages."""
        answers = await bench.accept(submission(), submission())
        assert [Stored, Stored] == [type(answer) for answer in answers]

    @pytest.mark.parametrize("late_us", [-1, 0], ids=["a moment before", "exactly"])
    async def test_a_request_id_is_remembered_for_24_hours(self, bench: Bench, late_us: int) -> None:
        """A microsecond earlier it is a repetition, at 24 h it is a new request."""
        asked = submission(request_id="r1")
        await bench.accept(asked)
        bench.now_us += DAY_US + late_us
        (answer,) = await bench.accept(asked)
        assert (Repeated if late_us else Stored) is type(answer)

    async def test_another_payload_after_24_hours_is_a_new_request(self, bench: Bench) -> None:
        """And from then on it is the one that is remembered."""
        await bench.accept(submission(request_id="r1"))
        bench.now_us += DAY_US
        other = submission(request_id="r1", content=sms("another"))
        (first,) = await bench.accept(other)
        (again,) = await bench.accept(other)
        assert [Stored, Repeated] == [type(first), type(again)]

    @pytest.mark.parametrize("start", range(REQUEST_ID_TABLES))
    async def test_forgetting_takes_no_request_id_that_is_still_remembered(
        self, bench: Bench, start: int
    ) -> None:
        """However often it runs and wherever in the ring of windows the request falls."""
        bench.now_us += start * REMEMBER_US // 2
        asked = submission(request_id="r1")
        await bench.accept(asked)
        accepted_us = bench.now_us
        for eighth in range(9):
            bench.now_us = accepted_us + REMEMBER_US * eighth // 8 - (eighth == 8)
            await bench.store.write(forget_request_ids, [bench.now_us])
            (answer,) = await bench.accept(asked)
            assert Repeated is type(answer)

    async def test_forgetting_empties_the_windows_in_turn(self, bench: Bench) -> None:
        """Two spans later nothing of a request is left, so the ring never grows."""
        await bench.accept(submission(request_id="r1"))
        for _ in range(REQUEST_ID_TABLES):
            bench.now_us += REMEMBER_US // 2
            await bench.store.write(forget_request_ids, [bench.now_us])
        rows = await bench.store.read(lambda tx: tx.all("find_request_ids", wanted=[(1, "r1")]))
        assert [] == rows

    async def test_a_stored_plan_need_not_be_the_newest(self, bench: Bench) -> None:
        """Two callers' commits may come in another order than their ids."""
        early, late = bench.ids.take(2), bench.ids.take(2)
        for ids in (late, early):
            item = Acceptance(planned(submission(), ids), REMEMBER_US)
            await bench.store.write(accept, [item], [1])
        assert [late[1], early[1]] == [event.message_id for event in await bench.events()]
