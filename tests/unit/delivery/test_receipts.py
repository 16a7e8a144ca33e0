"""Reports of providers: stored when the call returns, whatever a callback brought."""

import pytest

from broker.delivery.receipts import Receipts
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Inbound, Receipt, ReceiptStatus
from broker.domain.spelling import IdSpelling
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.storage.store import Store
from broker.testing.builders import ManualClock
from broker.testing.store_suite import Bench

DELIVERED = Receipt("x", ReceiptStatus.DELIVERED)


@pytest.fixture
def receipts(store: Store, clock: ManualClock) -> Receipts:
    """Over a real store."""
    return Receipts(store, clock, Metrics(), spelling_of=lambda _: IdSpelling.EXACT, parked_max=1_000)


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
    garbled = Receipt("x", ReceiptStatus.DELIVERY_FAILED, code="\udcff1", text="caf\udce9")
    early = Receipt("y\udce9", ReceiptStatus.DELIVERED, text="caf\udce9")
    await receipts.report("acme", [garbled, early])
    change = (await bench.timeline(message_id))[-1].change
    assert ("?1", "caf?") == (change.provider_code, change.provider_text)


async def test_what_somebody_wrote_back_is_passed_over(receipts: Receipts, bench: Bench) -> None:
    """The receipts beside it are stored."""
    message_id = await bench.sent("x")
    await receipts.report("acme", [Inbound("+447700900123", "12345", "YES"), DELIVERED])
    assert State.DELIVERED == await bench.state(message_id)


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
