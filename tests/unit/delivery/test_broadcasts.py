"""Broadcasts over a real store: made by a caller, gathered and expanded by the background, a batch a turn."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from broker.delivery.broadcasts.control import BroadcastQuery
from broker.delivery.templates import TemplateName, Templates
from broker.domain.account_policy import AccountPolicy
from broker.domain.broadcast import BroadcastState, Move, Wish
from broker.domain.directory import ContactRef, Named
from broker.domain.frequency import FrequencyCap
from broker.domain.lifecycle import State
from broker.domain.prices import PriceList
from broker.domain.submission import Content, Recipient, TemplateRef
from broker.domain.template import Edition
from broker.domain.vocabulary import Channel, Delegation, Reason, Traffic
from broker.errors import BrokerError, ErrorReason
from broker.storage.policies import NewPolicy, set_policies
from broker.testing.builders import SECOND_US, phones, sms, submission
from broker.testing.store_suite import Bench
from broker.testing.store_suite.crediting import PAYING, PRICE_TABLE, buy, credit
from broker.testing.store_suite.directory_bench import DirectoryBench
from tests.unit.delivery.broadcast_desk import Desk

S = BroadcastState


async def test_everybody_gets_one_message_and_it_completes(desk: Desk) -> None:
    """From the call to the last delivery."""
    made = await desk.make(*phones(25), name="spring")
    assert (S.RUNNING, 25) == (made.state, made.progress.expected)
    await desk.work()
    got = await desk.deliver()
    assert Counter(each.phone_number for each in phones(25)) == Counter(got)
    await desk.work()
    now = await desk.now(made)
    assert (S.COMPLETED, 25, 25, 0) == (
        now.state,
        now.progress.accepted,
        now.progress.sent,
        now.progress.refused,
    )


async def test_another_process_goes_on_where_one_was(new_desk: Callable[..., Desk]) -> None:
    """After every single turn the background is replaced, as by a crash."""
    first = new_desk()
    made = await first.make(*phones(45))
    for _ in range(12):
        await new_desk().expander.round()
    await new_desk().work()
    assert 45 == len({each.recipient for each in await first.messages(made)})
    assert 45 == (await first.now(made)).progress.accepted


async def test_only_so_many_messages_wait_for_a_provider(new_desk: Callable[..., Desk]) -> None:
    """More follow as these are handed over."""
    desk = new_desk(ahead_max=20)
    made = await desk.make(*phones(45))
    counts = []
    for _ in range(3):
        await desk.work()
        counts.append((await desk.now(made)).progress.accepted)
        await desk.deliver()
    assert [20, 40, 45] == counts


async def test_without_credit_it_is_held_where_it_is_and_goes_on_when_there_is_some(
    new_desk: Callable[..., Desk], bench: Bench
) -> None:
    """No batch is sent in part or unpaid, and nobody is left out or written to twice; it says what is missing."""
    desk = new_desk(prices_now=lambda: PriceList(PRICE_TABLE))
    await bench.store.write(set_policies, [NewPolicy(1, PAYING)], [1])
    await buy(bench, "first", 10 * 30 + 299)
    made = await desk.make(*phones(25))
    await desk.work()
    held = await desk.now(made)
    assert (S.SUSPENDED, 10, (299, 300, 0)) == (held.state, held.progress.accepted, await credit(bench))
    why = "credit: 0.0003 EUR would be needed, and 0.000299 can be spent"
    told = [each.told for each in await bench.events() if each.told]
    assert (why, why) == (held.detail, told[-1]["detail"])
    resumed = await desk.control.move(1, made.broadcast_id, Move.RESUME)
    assert "" == resumed.detail
    await desk.work()
    assert (S.SUSPENDED, 10) == ((await desk.now(made)).state, (await desk.now(made)).progress.accepted)
    await buy(bench, "second", 15 * 30 - 299)
    await desk.control.move(1, made.broadcast_id, Move.RESUME)
    await desk.work()
    assert sorted(each.phone_number or "" for each in phones(25)) == sorted(await desk.deliver())
    assert (0, 0, 25 * 30) == await credit(bench)
    assert "" == (await desk.now(made)).detail


async def test_each_recipient_has_short_links_of_its_own(new_desk: Callable[..., Desk], bench: Bench) -> None:
    """What a provider gets has them, so clicks are of one recipient."""
    codes = itertools.count(1 << 60)
    desk = new_desk(draw_code=lambda: next(codes))
    policy = AccountPolicy(link_domains=("go.example.org",), track_links=True)
    await bench.store.write(set_policies, [NewPolicy(1, policy)], [1])
    await desk.make(*phones(12), content=sms("See https://example.com/a/long/path"))
    await desk.work()
    bench.now_us = desk.clock.now_us()
    said = {str(each.message.content["text"]) for each in (await bench.claim(100)).attempts}
    assert (12, True) == (len(said), all(each.startswith("See https://go.example.org/") for each in said))


async def test_duplicates_get_one_message(desk: Desk) -> None:
    """By the normal form of their address; they are counted, and not expected."""
    made = await desk.make(
        Recipient("+447700900001"), Recipient("+44 7700 900001"), Recipient("+447700900002")
    )
    await desk.work()
    progress = (await desk.now(made)).progress
    assert (2, 1, 2) == (progress.expected, progress.duplicates, progress.accepted)


async def test_what_send_would_refuse_whole_is_one_recipients_refusal(desk: Desk) -> None:
    """Of a group's members one lacks a value, and one's text is too long: the others get theirs."""
    people = DirectoryBench(desk.bench.store)
    values = [{"name": "Ada"}, {}, {"name": "x" * 900}]
    contacts = [
        await people.add(phone_numbers=(f"+44770090000{at}",), properties=each)
        for at, each in enumerate(values)
    ]
    group = await people.group("some", *contacts)
    content = Content({Channel.SMS: {"text": "Hi $name$"}}, frozenset({"name"}))
    made = await desk.make(
        Recipient("12", tokens={"name": "b"}), group_ids=(group.group_id,), content=content
    )
    await desk.work()
    found = [(each.state, each.reason) for each in await desk.messages(made)]
    expected = [
        (State.REJECTED, Reason.INVALID_RECIPIENT),
        (State.ACCEPTED, None),
        (State.REJECTED, Reason.TOKEN_MISSING),
        (State.REJECTED, Reason.TOO_MANY_UNITS),
    ]
    assert expected == found
    refusals = dict(await desk.control.refusals(made.broadcast_id))
    assert {Reason.INVALID_RECIPIENT: 1, Reason.TOKEN_MISSING: 1, Reason.TOO_MANY_UNITS: 1} == refusals
    assert ["Hi Ada"] == [each.content["text"] for each in await desk.messages(made) if each.reason is None]


async def test_contacts_and_those_who_stand_in_for_them_are_reached(desk: Desk) -> None:
    """With the value that the contact has; one that there is not is refused."""
    people = DirectoryBench(desk.bench.store)
    parent = (await people.add(phone_numbers=("+447700900010",))).contact_id
    child = (await people.add(parent, properties={"name": "Bo"})).contact_id
    content = Content({Channel.SMS: {"text": "About $name$"}}, frozenset({"name"}))
    made = await desk.make(
        Recipient(contact=Named(ContactRef(child), Delegation.ALL_CONTACTS), client_reference="mine"),
        Recipient(contact=Named(ContactRef(999))),
        content=content,
        names_contacts=True,
    )
    await desk.work()
    good, missing = await desk.messages(made)
    assert ("+447700900010", parent, "mine") == (good.recipient, good.contact_id, good.client_reference)
    assert {"text": "About Bo"} == good.content
    assert Reason.CONTACT_NOT_FOUND is missing.reason


async def test_contacts_who_have_had_enough_are_refused_and_the_rest_get_theirs(desk: Desk) -> None:
    """Whichever broadcast or call it was from, and also where each recipient is planned alone."""
    people = DirectoryBench(desk.bench.store)
    cap = AccountPolicy(frequency_cap=FrequencyCap(1, 86_400 * SECOND_US))
    await desk.bench.store.write(set_policies, [NewPolicy(1, cap)], [1])
    values = [{"name": "Ada"}, {"name": "Bo"}, {}]
    contacts = [
        await people.add(phone_numbers=(f"+44770090000{at}",), properties=each)
        for at, each in enumerate(values)
    ]
    first = await people.group("first", contacts[0])
    everyone = await people.group("everyone", *contacts)
    wish: dict[str, Any] = {"cap_frequency": True}
    await desk.make(group_ids=(first.group_id,), **wish)
    await desk.work()
    content = Content({Channel.SMS: {"text": "Hi $name$"}}, frozenset({"name"}))
    made = await desk.make(group_ids=(everyone.group_id,), content=content, **wish)
    again = await desk.make(group_ids=(everyone.group_id,), **wish)
    await desk.work()
    expected = [Reason.FREQUENCY_CAP, None, Reason.TOKEN_MISSING]
    assert expected == [each.reason for each in await desk.messages(made)]
    expected = [Reason.FREQUENCY_CAP, Reason.FREQUENCY_CAP, None]
    assert expected == [each.reason for each in await desk.messages(again)]
    assert {Reason.FREQUENCY_CAP: 2} == dict(await desk.control.refusals(again.broadcast_id))


async def test_a_pace_holds_and_is_fair_to_others(desk: Desk) -> None:
    """Five minutes at 60 a minute: within 2 %, while another broadcast goes out beside it as fast as it can."""
    paced = await desk.make(*phones(900), messages_per_minute=60)
    fast = await desk.make(*(Recipient(f"+4477009{20_000 + at}") for at in range(50)))
    await desk.work()
    assert (50, 1) == ((await desk.now(fast)).progress.accepted, (await desk.now(paced)).progress.accepted)
    for _ in range(300):
        await desk.wait(1)
        await desk.deliver()
    sent = (await desk.now(paced)).progress.sent
    assert abs(sent - 300) <= 6


async def test_a_pace_makes_up_for_no_suspension(desk: Desk) -> None:
    """After an hour of rest it goes on at its pace, without a burst."""
    made = await desk.make(*phones(100), messages_per_minute=60)
    await desk.work()
    await desk.control.move(1, made.broadcast_id, Move.SUSPEND)
    await desk.wait(3_600)
    await desk.control.move(1, made.broadcast_id, Move.RESUME)
    await desk.work()
    assert 2 == (await desk.now(made)).progress.accepted


async def test_nothing_is_handed_over_while_it_is_suspended_and_nothing_is_lost(
    new_desk: Callable[..., Desk],
) -> None:
    """Held with some handed over, some waiting and some not yet expanded."""
    desk = new_desk(ahead_max=20)
    made = await desk.make(*phones(50))
    await desk.work()
    got = await desk.deliver(messages_max=5)
    await desk.control.move(1, made.broadcast_id, Move.SUSPEND)
    assert [] == await desk.deliver()
    await desk.wait(10)
    assert [] == await desk.deliver()
    await desk.control.move(1, made.broadcast_id, Move.RESUME)
    for _ in range(5):
        await desk.wait(1)
        got += await desk.deliver()
    await desk.work()
    assert Counter(each.phone_number for each in phones(50)) == Counter(got)
    assert S.COMPLETED is (await desk.now(made)).state


async def test_a_recipients_own_time_is_kept(desk: Desk) -> None:
    """It waits for that time, and the others do not wait for it."""
    later_us = desk.clock.now_us() + 600 * SECOND_US
    made = await desk.make(Recipient("+447700900777", schedule_at_us=later_us), *phones(3))
    await desk.work()
    assert 3 == len(await desk.deliver())
    await desk.wait(601)
    assert ["+447700900777"] == await desk.deliver()
    await desk.work()
    assert S.COMPLETED is (await desk.now(made)).state


async def test_it_begins_at_its_time(desk: Desk) -> None:
    """Until then it is SCHEDULED and has no messages."""
    made = await desk.make(*phones(3), schedule_at_us=desk.clock.now_us() + 60 * SECOND_US)
    await desk.work()
    assert (S.SCHEDULED, []) == ((await desk.now(made)).state, await desk.messages(made))
    await desk.wait(60)
    assert 3 == len(await desk.messages(made))


async def test_a_draft_says_what_it_was_edited_to(desk: Desk) -> None:
    """To whom it was edited to."""
    draft = await desk.make(*phones(3), draft=True)
    await desk.work()
    assert [] == await desk.messages(draft)
    asked = submission(recipients=phones(1), content=sms("New words"), traffic=Traffic.PROMOTIONAL)
    desk.asked[b"edited"] = Wish(submission=asked, name="new", draft=True)
    edited = await desk.control.edit(draft.broadcast_id, desk.asked[b"edited"], b"edited")
    assert ("new", 1) == (edited.name, edited.progress.expected)
    await desk.control.move(1, draft.broadcast_id, Move.START)
    await desk.work()
    assert [{"text": "New words"}] == [each.content for each in await desk.messages(draft)]


async def test_a_template_is_that_of_the_time_when_it_begins(desk: Desk, templates: Templates) -> None:
    """One that is gone by then stops the broadcast, with a reason."""
    name = TemplateName(1, "", "hi")
    words = Edition("", "en", {"en": {Channel.SMS: {"text": "Old"}}})
    await templates.create(name, words)
    ref, nothing = TemplateRef("", "hi"), Content({})
    at_us = desk.clock.now_us() + 60 * SECOND_US
    made = await desk.make(*phones(1), content=nothing, template=ref, schedule_at_us=at_us)
    newer = replace(words, locales={"en": {Channel.SMS: {"text": "New"}}})
    await templates.update(name, newer, None)
    await desk.wait(60)
    assert [{"text": "New"}] == [each.content for each in await desk.messages(made)]
    late = await desk.make(*phones(1), content=nothing, template=ref, schedule_at_us=at_us + 60 * SECOND_US)
    await templates.delete(name)
    await desk.wait(60)
    now = await desk.now(late)
    assert S.STOPPED is now.state
    assert "template" in now.detail


async def refused(desk: Desk, *recipients: Recipient, **changes: Any) -> BrokerError:
    """What a broadcast is refused with, and that nothing of it was stored."""
    with pytest.raises(BrokerError) as caught:
        await desk.make(*recipients, **changes)
    assert [] == await desk.control.page(BroadcastQuery(1, frozenset(), None, 10))
    return caught.value


async def test_what_no_recipient_could_mend_refuses_the_call(desk: Desk) -> None:
    """Too long a text, a value that nobody gives, a group that there is not."""
    assert ErrorReason.TOO_MANY_UNITS is (await refused(desk, *phones(1), content=sms("x" * 900))).reason
    content = Content({Channel.SMS: {"text": "$a$ $b$"}}, frozenset({"a", "b"}))
    lacking = await refused(desk, Recipient("+447700900001", tokens={"a": "x"}), content=content)
    assert ErrorReason.TOKEN_MISSING is lacking.reason
    assert [("audience.recipients[0].tokens", "lacks a value for $b$")] == [
        (each.field, each.rule) for each in lacking.violations
    ]
    unknown = await refused(desk, group_ids=(7,))
    assert ["audience.group_ids[0]"] == [each.field for each in unknown.violations]


async def test_only_so_many_broadcasts_go_on_at_once(new_desk: Callable[..., Desk]) -> None:
    """A draft is none of them."""
    desk = new_desk(active_max=1)
    await desk.make(*phones(1))
    await desk.make(*phones(1), draft=True)
    with pytest.raises(BrokerError) as caught:
        await desk.make(*phones(1))
    assert ErrorReason.BROADCASTS_FULL is caught.value.reason


async def test_a_repeated_request_makes_no_second_broadcast(desk: Desk) -> None:
    """It gets the first one, as it is by now, even where it would be refused."""
    first = await desk.make(*phones(1), request_id="r")
    await desk.control.move(1, first.broadcast_id, Move.STOP)
    again = await desk.make(*phones(1), request_id="r")
    assert (first.broadcast_id, S.STOPPED) == (again.broadcast_id, again.state)
    with pytest.raises(BrokerError) as caught:
        await desk.make(*phones(2), request_id="r")
    assert ErrorReason.REQUEST_ID_REUSED is caught.value.reason
