"""The sandbox as the broker meets it: batches in, outcomes out, facts reported at their time."""

import asyncio
from datetime import date

import pluggy
import pytest

import waypost_sandbox
from broker import spi
from broker.spi import (
    Accepted,
    Inbound,
    NotAccepted,
    Receipt,
    ReceiptStatus,
    Rejected,
    Unknown,
    UpstreamBalance,
)
from waypost_sandbox.provider import FULL, Sandbox
from waypost_sandbox.schedule import FACTS_PER_REPORT_MAX
from waypost_sandbox.settings import SandboxSettings


def many(message, count, digits="4711"):
    """Messages with ids of their own, to numbers with the same script."""
    return [
        message(f"+2782{number:05}{digits}", message_id=f"01KAB3XQ{number:05}") for number in range(count)
    ]


async def test_a_plugin_manager_finds_the_type_and_builds_an_instance():
    """The way that the broker takes: the hook, then settings, then create."""
    plugins = pluggy.PluginManager("waypost")
    plugins.add_hookspecs(spi.Hooks)
    plugins.register(waypost_sandbox)
    ((kind,),) = plugins.hook.waypost_providers()
    assert kind.name == "sandbox"
    assert kind.channels == frozenset(spi.Channel)
    assert isinstance(kind.create(kind.settings()), Sandbox)


async def test_outcomes_come_one_for_each_message_in_their_order(message, start):
    """A mixed batch keeps its order."""
    sandbox = await start()
    batch = [message(f"+27825555{digits}") for digits in ("4711", "0001", "0010", "0004", "0000")]
    kinds = [type(outcome) for outcome in await sandbox.submit(batch)]
    assert [Accepted, Rejected, NotAccepted, Unknown, Accepted] == kinds


async def test_an_empty_batch_has_no_outcomes(start):
    """Nothing in, nothing out."""
    sandbox = await start()
    assert await sandbox.submit([]) == []


async def test_provider_message_ids_rise_with_message_ids(message, start):
    """A store appends them at the end of its index."""
    sandbox = await start()
    ids = [outcome.provider_message_ids[0] for outcome in await sandbox.submit(many(message, 50))]
    assert sorted(ids) == ids
    assert len(set(ids)) == 50


async def test_a_batchs_receipts_come_in_one_report(message, broker, start):
    """At their time, and not before."""
    sandbox = await start(receipt_delay_s=1.0)
    outcomes = await sandbox.submit(many(message, 500))
    await broker.clock.advance(0.9)
    assert broker.reports == []
    await broker.clock.advance(0.2)
    assert [500] == [len(report) for report in broker.reports]
    assert [outcome.provider_message_ids[0] for outcome in outcomes] == [
        receipt.provider_message_id for receipt in broker.facts
    ]


async def test_what_falls_due_within_milliseconds_is_reported_together(message, broker, start):
    """Receipts due 51, 52 and 53 ms from now share the report at 55 ms."""
    sandbox = await start()
    for sent in many(message, 3):
        await broker.clock.advance(0.001)
        await sandbox.submit([sent])
    for _ in range(51):
        await broker.clock.advance(0.001)
    assert broker.reports == []
    await broker.clock.advance(0.001)
    assert [3] == [len(report) for report in broker.reports]


async def test_an_idle_sandbox_wakes_for_the_next_receipt(message, broker, start):
    """Having reported everything, it waits for more."""
    sandbox = await start()
    for sent in many(message, 2):
        await broker.clock.advance(60)
        await sandbox.submit([sent])
        await broker.clock.advance(1)
    assert len(broker.facts) == 2


async def test_a_receipt_added_later_but_due_sooner_comes_first(message, broker, start):
    """A late one does not hold up the others."""
    sandbox = await start()
    await sandbox.submit([message("+278255550005", message_id="late")])
    await broker.clock.advance(1)
    await sandbox.submit([message("+278255550000", message_id="soon")])
    await broker.clock.advance(0.1)
    assert ["sb-soon-1"] == [receipt.provider_message_id for receipt in broker.facts]
    await broker.clock.advance(4)
    assert ["sb-soon-1", "sb-late-1"] == [receipt.provider_message_id for receipt in broker.facts]


async def test_a_backlog_is_told_in_reports_of_limited_length(message, broker, start):
    """A report is one transaction of the broker's."""
    sandbox = await start(batch_max=10_000)
    await sandbox.submit(many(message, FACTS_PER_REPORT_MAX + 1))
    await broker.clock.advance(1)
    assert [FACTS_PER_REPORT_MAX, 1] == [len(report) for report in broker.reports]


async def test_an_early_receipt_is_committed_before_submit_answers(message, broker, start):
    """Submit waits for the commit of that report."""
    sandbox = await start()
    broker.committing = asyncio.Event()
    submit = asyncio.create_task(sandbox.submit([message("+278255550007")]))
    await broker.clock.advance(10)
    assert not submit.done()
    broker.committing.set()
    assert [Accepted(("sb-01KAB3XQ8G000-1",))] == await submit
    assert [ReceiptStatus.DELIVERED] == [receipt.status for receipt in broker.facts]


async def test_an_early_receipt_that_could_not_be_committed_comes_later(message, broker, start):
    """The answer is not lost with it."""
    sandbox = await start()
    broker.failures_left = 1
    assert isinstance((await sandbox.submit([message("+278255550007")]))[0], Accepted)
    assert broker.facts == []
    await broker.clock.advance(0.1)
    assert len(broker.facts) == 1


async def test_a_receipt_comes_twice_where_the_table_says_so(message, broker, start):
    """In two reports, equal."""
    sandbox = await start()
    await sandbox.submit([message("+278255550006")])
    await broker.clock.advance(0.06)
    await broker.clock.advance(0.06)
    assert [1, 1] == [len(report) for report in broker.reports]
    assert broker.facts[0] == broker.facts[1]


async def test_a_reply_follows_the_receipt(message, broker, start):
    """First it is delivered, then answered."""
    sandbox = await start()
    await sandbox.submit([message("+278255550013")])
    await broker.clock.advance(1)
    assert [Receipt, Inbound] == [type(fact) for fact in broker.facts]
    assert broker.facts[1].text == "STOP"


async def test_a_failed_report_is_repeated_in_order_until_it_is_taken(message, broker, start):
    """What falls due meanwhile waits behind it, and pauses grow."""
    sandbox = await start()
    broker.failures_left = 2
    await sandbox.submit([message("+278255550012", message_id="first")])
    await broker.clock.advance(1)
    await sandbox.submit([message("+278255554711", message_id="second")])
    for _ in range(3):
        await broker.clock.advance(1)
    ids = [fact.provider_message_id for fact in broker.facts]
    assert ["sb-first-1", "sb-first-1-reply", "sb-second-1"] == ids
    assert [0.05, 0.1] == [values["retry_s"] for _, values in broker.warnings]


async def test_a_failed_report_is_logged_without_addresses(message, broker, start):
    """Not even where the error's own text quotes them."""
    sandbox = await start()
    broker.failures_left = 1
    await sandbox.submit([message("+278255550012")])
    await broker.clock.advance(1)
    values = {"count": 2, "error": "OSError", "retry_s": 0.05}
    assert [("sandbox.report_failed", values)] == broker.warnings


async def test_beyond_the_limit_of_waiting_reports_a_message_is_not_accepted(message, broker, start):
    """Until reports have gone out; what needs no report is still taken."""
    sandbox = await start(reports_waiting_max=3)
    sent = [*many(message, 4), message("+278255550011")]
    outcomes = await sandbox.submit(sent)
    assert [FULL] == outcomes[3:4]
    assert [True, True, True, False, True] == [isinstance(outcome, Accepted) for outcome in outcomes]
    await broker.clock.advance(1)
    assert isinstance((await sandbox.submit(sent[3:4]))[0], Accepted)


async def test_a_report_that_is_not_committed_yet_counts_as_waiting(message, broker, start):
    """A store that hangs holds new messages up, not the memory."""
    sandbox = await start(reports_waiting_max=2)
    broker.committing = asyncio.Event()
    await sandbox.submit(many(message, 2))
    await broker.clock.advance(1)
    assert [FULL] == await sandbox.submit([message("+278255554711")])
    broker.committing.set()
    await broker.clock.advance(1)
    assert isinstance((await sandbox.submit([message("+278255554711")]))[0], Accepted)


async def test_a_batch_waits_for_its_latency_once(message, broker, start):
    """A batch is one call upstream."""
    sandbox = await start(latency_s=2.0)
    submit = asyncio.create_task(sandbox.submit(many(message, 100)))
    await broker.clock.advance(1.9)
    assert not submit.done()
    assert [2.0] == broker.clock.sleeps_s
    await broker.clock.advance(0.1)
    assert len(await submit) == 100


async def test_jitter_makes_a_batch_wait_for_its_slowest_message(message, broker, start):
    """Somewhere between the latency and the latency with all of its jitter."""
    sandbox = await start(latency_s=2.0, jitter_s=1.0)
    submit = asyncio.create_task(sandbox.submit(many(message, 100)))
    await broker.clock.advance(3)
    await submit
    assert 2.9 < broker.clock.sleeps_s[0] < 3.0


async def test_a_killed_broker_learns_from_a_new_instance_what_became_of_a_message(message, broker, start):
    """Nothing is remembered: another instance with the same settings tells the same receipt."""
    batch = [message(f"+27825555{digits}") for digits in ("4711", "0004", "0001")]
    killed = await start()
    outcomes = await killed.submit(batch)
    await killed.stop()
    restarted = await start()
    assert [Accepted, Accepted, Rejected] == [type(answer) for answer in await restarted.query(batch)]
    await broker.clock.advance(1)
    delivered, resolved, rejected = await restarted.query(batch)
    assert (outcomes[0].provider_message_ids[0], outcomes[2]) == (delivered.provider_message_id, rejected)
    assert resolved.status is ReceiptStatus.DELIVERED
    assert broker.reports == []


async def test_stop_ends_a_report_that_hangs(message, broker, start):
    """A stop has ten seconds; a store that hangs does not get them."""
    sandbox = await start()
    broker.committing = asyncio.Event()
    await sandbox.submit([message("+278255554711")])
    await broker.clock.advance(1)
    await sandbox.stop()
    assert [asyncio.current_task()] == [
        task for task in asyncio.all_tasks() if "reports" in task.get_name() or task is asyncio.current_task()
    ]


async def test_stop_may_come_twice_or_without_a_start(start):
    """A failed start is followed by a stop too."""
    await Sandbox(SandboxSettings()).stop()
    sandbox = await start()
    await sandbox.stop()
    await sandbox.stop()


async def test_a_second_start_begins_afresh(message, broker, start):
    """One task reports, and what the first start had left is dropped."""
    sandbox = await start()
    await sandbox.submit([message("+278255554711", message_id="before")])
    await sandbox.start(broker.context())
    await sandbox.submit([message("+278255554711", message_id="after")])
    await broker.clock.advance(1)
    assert ["sb-after-1"] == [receipt.provider_message_id for receipt in broker.facts]


async def test_a_sandbox_that_was_not_started_says_so(message):
    """A defect of the caller's, not an outcome."""
    with pytest.raises(RuntimeError, match="not started"):
        await Sandbox(SandboxSettings()).submit([message("+278255554711")])


async def test_capabilities_say_that_query_works():
    """So that the broker asks about what it missed."""
    capabilities = Sandbox(SandboxSettings()).capabilities
    assert (True, spi.Idempotency.QUERY) == (capabilities.query, capabilities.idempotency)


async def test_the_upstream_account_tells_what_was_taken(message, start):
    """By day, and nothing that was refused; the balance never changes."""
    sandbox = await start()
    await sandbox.submit([message(f"+27825555{digits}") for digits in ("0000", "4711", "0001")])
    (taken,) = await sandbox.usage(date(2000, 1, 1), date(2199, 1, 1))
    assert ("taken", 2) == (taken.name, taken.count)
    assert [] == await sandbox.usage(date(2000, 1, 1), date(2000, 1, 2))
    assert UpstreamBalance(1_000_000_000, "XTS") == await sandbox.balance()
