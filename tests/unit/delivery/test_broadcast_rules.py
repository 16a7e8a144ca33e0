"""What holds for every message holds within a broadcast: quiet hours, fallback, senders, and plugins that admit."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from broker.delivery.admit_hook import RETRY_AFTER_S, AdmitHook
from broker.domain.account_policy import AccountPolicy
from broker.domain.broadcast import BroadcastState
from broker.domain.fallback import ChannelFallback
from broker.domain.lifecycle import State
from broker.domain.outcome import Rejected
from broker.domain.quiet_hours import QuietAction, QuietHours
from broker.domain.sender import SenderDraft
from broker.domain.submission import Recipient
from broker.domain.vocabulary import Channel, Reason
from broker.plugins import BoundHook
from broker.spi import AdmitQuery
from broker.storage.policies import NewPolicy, set_policies
from broker.testing.builders import ManualClock, phones, sms_and_email
from broker.testing.store_suite import Bench
from tests.unit.delivery.broadcast_desk import Desk

MINUTE_US = 60_000_000
NewDesk = Callable[..., Desk]


def admitting(clock: ManualClock, *answers: Callable[[AdmitQuery], str | None]) -> AdmitHook:
    """Plugins that decide by these functions of a request."""
    return AdmitHook([BoundHook("gate", ("submission",), each) for each in answers], clock)


async def quiet_now(bench: Bench, action: QuietAction) -> None:
    """For account 1 it is quiet for half an hour to come, wherever its recipients are."""
    minute = bench.now_us // MINUTE_US % 1_440
    start, end = (minute - 60) % 1_440, (minute + 30) % 1_440
    quiet = QuietHours(start, end, time_zone="UTC", action=action)
    await bench.store.write(set_policies, [NewPolicy(1, AccountPolicy(quiet_hours=quiet))], [1])


def mailboxes(count: int) -> list[Recipient]:
    """Recipients whose time zone nothing tells."""
    return [Recipient(email=f"a{at}@example.org") for at in range(count)]


async def test_in_quiet_hours_messages_wait_and_go_afterwards(new_desk: NewDesk, bench: Bench) -> None:
    """Each of them once; the broadcast goes on until the last has ended, and its pace counts none that waits."""
    await quiet_now(bench, QuietAction.WAIT)
    desk = new_desk()
    made = await desk.make(*mailboxes(25), content=sms_and_email(), messages_per_minute=60)
    await desk.work()
    assert (25, []) == ((await desk.now(made)).progress.accepted, await desk.deliver())
    assert {State.SCHEDULED} == {each.state for each in await desk.messages(made)}
    await desk.wait(1_801)
    assert 25 == len(await desk.deliver())
    await desk.work()
    assert BroadcastState.COMPLETED is (await desk.now(made)).state


async def test_where_quiet_hours_refuse_each_recipient_is_told(new_desk: NewDesk, bench: Bench) -> None:
    """Counted under its reason, and nobody else is."""
    await quiet_now(bench, QuietAction.REFUSE)
    desk = new_desk()
    made = await desk.make(*mailboxes(12), content=sms_and_email())
    await desk.work()
    assert [(Reason.QUIET_HOURS, 12)] == await desk.control.refusals(made.broadcast_id)
    assert BroadcastState.COMPLETED is (await desk.now(made)).state


async def test_a_message_goes_on_by_the_next_channel_and_counts_once(new_desk: NewDesk, bench: Bench) -> None:
    """By SMS nobody can be reached; by email all are."""
    desk = new_desk()
    people = [Recipient(each.phone_number, f"a{at}@example.org") for at, each in enumerate(phones(12))]
    made = await desk.make(*people, content=sms_and_email(), fallback=ChannelFallback())
    await desk.work()
    bench.now_us = desk.clock.now_us()
    for attempt in (await bench.claim(100)).attempts:
        assert attempt.message.channel is Channel.SMS
        await bench.settle(attempt, Rejected(Reason.REFUSED_BY_PROVIDER))
    assert sorted(each.email or "" for each in people) == sorted(await desk.deliver())
    await desk.work()
    now = await desk.now(made)
    assert (BroadcastState.COMPLETED, 12, 12, 0) == (
        now.state,
        now.progress.accepted,
        now.progress.sent,
        now.progress.failed,
    )


async def test_a_pool_gives_each_recipient_the_same_sender_in_every_broadcast(new_desk: NewDesk) -> None:
    """Chosen when the messages are made, and shown with each."""
    desk = new_desk()
    for number in ("+12025550123", "+12025550124", "+12025550125"):
        await desk.senders.create(1, SenderDraft(number, pool="shop"))
    people = [Recipient(f"+1202555{at:04d}") for at in range(30)]
    chosen = []
    for _ in range(2):
        made = await desk.make(*people, sender_pool="shop")
        await desk.work()
        messages = await desk.messages(made)
        chosen.append({each.recipient: each.sender for each in messages})
        assert {State.ACCEPTED} == {each.state for each in messages}
    assert chosen[0] == chosen[1]
    assert 3 == len(Counter(chosen[0].values()))


async def test_a_plugin_decides_about_each_recipient(new_desk: NewDesk, clock: ManualClock) -> None:
    """One whom it refuses takes nobody else along, and it is asked in the event loop."""
    asked_in: set[int] = set()

    def no_sevens(query: AdmitQuery) -> str | None:
        asked_in.add(threading.get_ident())
        return "ends in 7" if any(each.endswith("7") for each in query.recipients) else None

    desk = new_desk(admit=admitting(clock, no_sevens))
    made = await desk.make(*phones(25))
    await desk.work()
    refused = [each for each in await desk.messages(made) if each.state is State.REJECTED]
    assert ["+447700900007", "+447700900017"] == [each.recipient for each in refused]
    assert [(Reason.REFUSED_BY_PLUGIN, 2)] == await desk.control.refusals(made.broadcast_id)
    assert 23 == len(await desk.deliver())
    assert {threading.get_ident()} == asked_in


async def test_while_a_plugin_cannot_answer_a_broadcast_waits(new_desk: NewDesk, clock: ManualClock) -> None:
    """Nobody is refused for its defect; others go on, and so does this one once it answers."""
    broken = [True]

    def gate(query: AdmitQuery) -> None:
        if broken and query.sender == "Shop" and query.recipients:
            raise RuntimeError("no answer")

    desk = new_desk(admit=admitting(clock, gate))
    held = await desk.make(*phones(25), sender="Shop")
    other = await desk.make(*phones(5))
    await desk.work()
    counts: Sequence[int] = [(await desk.now(each)).progress.accepted for each in (held, other)]
    assert [0, 5] == counts
    broken.clear()
    await desk.wait(RETRY_AFTER_S)
    now = await desk.now(held)
    assert (25, 0) == (now.progress.accepted, now.progress.refused)
