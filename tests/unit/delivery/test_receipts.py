"""Reports of providers: stored when the call returns, whatever a callback brought."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog.testing

from broker.delivery.receipts import Receipts
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Receipt, ReceiptStatus
from broker.domain.spelling import IdSpelling
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.storage.parking import read_parked_count, shed_parked_receipts
from broker.storage.store import Store
from broker.testing.builders import ManualClock
from broker.testing.store_suite import Bench

DELIVERED = Receipt("x", ReceiptStatus.DELIVERED)


PARKED_MAX = 3


@pytest.fixture
def metrics() -> Metrics:
    """What is counted."""
    return Metrics()


@pytest.fixture
def make(store: Store, clock: ManualClock, metrics: Metrics) -> Callable[[IdSpelling], Receipts]:
    """Over a real store, of instances that spell ids so."""

    def receipts(spelling: IdSpelling) -> Receipts:
        return Receipts(store, clock, metrics, spelling_of=lambda _: spelling, parked_max=PARKED_MAX)

    return receipts


@pytest.fixture
def receipts(make: Callable[[IdSpelling], Receipts]) -> Receipts:
    """Of instances that report the ids that they answered."""
    return make(IdSpelling.EXACT)


async def test_a_receipt_is_stored_when_the_call_returns(receipts: Receipts, bench: Bench) -> None:
    """(I4): only then may the provider be told that it was taken."""
    message_id = await bench.sent("x")
    await receipts.report("acme", [DELIVERED])
    assert State.DELIVERED == await bench.state(message_id)


async def test_a_receipt_is_about_the_instance_that_reports_it(receipts: Receipts, bench: Bench) -> None:
    """Another instance's ids are its own."""
    message_id = await bench.sent("x")
    await receipts.report("other", [DELIVERED])
    assert State.SENT == await bench.state(message_id)


async def test_a_receipt_may_be_reported_twice(receipts: Receipts, bench: Bench) -> None:
    """A provider that heard no answer calls again."""
    message_id = await bench.sent("x")
    for _ in range(2):
        await receipts.report("acme", [DELIVERED])
    assert [Fact.DELIVERED, Fact.LATE_RECEIPT] == (await bench.facts(message_id))[-2:]


async def test_a_receipt_with_garbled_text_is_stored_all_the_same(receipts: Receipts, bench: Bench) -> None:
    """With what can be kept of it: were it refused, it would come again for ever, and its batch with it."""
    message_id = await bench.sent("x")
    garbled = Receipt("x", ReceiptStatus.DELIVERY_FAILED, code="\udcff1", text="c\0f\udce9")
    early = Receipt("y\0\udce9", ReceiptStatus.DELIVERED, text="caf\udce9")
    await receipts.report("acme", [garbled, early])
    change = (await bench.timeline(message_id))[-1].change
    assert ("?1", "c?f?") == (change.provider_code, change.provider_text)


async def test_a_report_of_nothing_is_nothing(receipts: Receipts, bench: Bench) -> None:
    """No transaction, no event."""
    await receipts.report("acme", [])
    assert [] == await bench.events()


async def test_a_store_that_fails_is_told_to_the_provider(
    receipts: Receipts, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it is not acknowledged upstream."""

    async def failing(*_arguments: object) -> None:
        raise BrokerError(ErrorReason.STORE_UNAVAILABLE)

    monkeypatch.setattr(bench.store, "write", failing)
    with pytest.raises(BrokerError):
        await receipts.report("acme", [DELIVERED])


async def test_numbers_of_any_size_harm_no_other_receipt(receipts: Receipts, bench: Bench) -> None:
    """A plugin hands on what a socket brought."""
    message_id = await bench.sent("x")
    odd = Receipt("y", ReceiptStatus.SENT, part=1 << 70, time_us=1 << 70, code=None, text="t" * 10_000)  # type: ignore[arg-type]
    await receipts.report("acme", [odd, DELIVERED])
    assert State.DELIVERED == await bench.state(message_id)


async def test_a_receipt_without_an_id_matches_nothing(receipts: Receipts, bench: Bench) -> None:
    """Not even a message whose provider gave it none."""
    message_id = await bench.sent("")
    await receipts.report("acme", [Receipt("", ReceiptStatus.DELIVERED)])
    assert State.SENT == await bench.state(message_id)


async def test_a_receipt_is_spelled_as_its_instance_declares(
    make: Callable[[IdSpelling], Receipts], bench: Bench, metrics: Metrics
) -> None:
    """What fits several messages is counted apart from what fits none."""
    for identity in ("0A1B", "00c", "0c"):
        await bench.sent(identity, spelling=IdSpelling.NUMERIC)
    reported = [Receipt(each, ReceiptStatus.DELIVERED) for each in ("2587", "12", "7")]
    await make(IdSpelling.NUMERIC).report("acme", reported)
    words = ("yes", "ambiguous", "parked")
    assert [1, 1, 1] == [metrics.receipts.labels("acme", word)._value.get() for word in words]


async def test_the_oldest_parked_receipts_go_past_the_limit(
    receipts: Receipts, bench: Bench, metrics: Metrics, clock: ManualClock
) -> None:
    """They are counted, and told once a minute; what was just reported is kept."""
    with structlog.testing.capture_logs() as logs:
        for number in range(6):
            await receipts.report("acme", [Receipt(f"id {number}", ReceiptStatus.DELIVERED)])
        clock.advance(60)
        await receipts.report("acme", [Receipt("id 6", ReceiptStatus.DELIVERED)])
    told = [(each["event"], each["count"]) for each in logs if each["event"] == "receipts.dropped"]
    assert [("receipts.dropped", 1), ("receipts.dropped", 3)] == told
    assert 4 == metrics.parked_receipts_dropped._value.get()
    assert PARKED_MAX == await bench.store.read(read_parked_count)
    newest = await bench.sent("id 6")
    assert State.DELIVERED == await bench.state(newest)


async def test_a_store_that_cannot_drop_keeps_what_was_reported(
    receipts: Receipts, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stored, so its upstream may forget it."""
    write = bench.store.write

    async def failing(verb: Any, *arguments: Any) -> Any:
        if verb is shed_parked_receipts:
            raise BrokerError(ErrorReason.STORE_UNAVAILABLE)
        return await write(verb, *arguments)

    monkeypatch.setattr(bench.store, "write", failing)
    for number in range(PARKED_MAX + 1):
        await receipts.report("acme", [Receipt(f"id {number}", ReceiptStatus.DELIVERED)])
    assert PARKED_MAX + 1 == await bench.store.read(read_parked_count)
