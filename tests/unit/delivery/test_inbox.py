"""What people write to us: stored when the call returns, whatever a callback brought."""

import pytest

from broker.delivery.identities import Identities
from broker.delivery.inbox import Inbox
from broker.delivery.receipts import Receipts
from broker.delivery.reports import Reports
from broker.domain.ids import first_id_at
from broker.domain.inbound import ADDRESS_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, InboundRules
from broker.domain.lifecycle import State
from broker.domain.outcome import Inbound, Receipt, ReceiptStatus
from broker.domain.spelling import IdSpelling
from broker.domain.vocabulary import EventKind
from broker.errors import BrokerError, ErrorReason
from broker.metrics import Metrics
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.store_suite import Bench

REPLY = Inbound("447700900123", "12345", "YES", provider_message_id="in-1")


@pytest.fixture
def metrics() -> Metrics:
    """What is counted."""
    return Metrics()


@pytest.fixture
def reports(bench: Bench, clock: ManualClock, metrics: Metrics) -> Reports:
    """Over a real store; what comes in through "acme" belongs to account 2."""
    store = bench.store
    receipts = Receipts(store, clock, metrics, spelling_of=lambda _: IdSpelling.EXACT, parked_max=10)
    inbox = Inbox(
        store,
        Identities(store, clock, node=0, last=first_id_at(NOW_US // 1_000 + 1_000)),
        clock,
        metrics,
        account_of={"acme": 2}.get,
        rules=InboundRules(),
    )
    return Reports(receipts, inbox)


async def test_it_is_stored_when_the_call_returns(reports: Reports, bench: Bench, metrics: Metrics) -> None:
    """(I4): only then may the provider be told that it was taken. Told again, it is counted apart."""
    for _ in range(2):
        await reports.report("acme", [REPLY])
    (event,) = await bench.events(2)
    assert (EventKind.INBOUND, "+447700900123", "12345") == (event.kind, event.sender, event.recipient)
    counted = [metrics.inbound.labels("acme", word)._value.get() for word in ("kept", "repeated")]
    assert [1, 1] == counted


async def test_receipts_beside_it_are_stored_too(reports: Reports, bench: Bench) -> None:
    """A callback may bring both."""
    message_id = await bench.sent("x")
    await reports.report("acme", [REPLY, Receipt("x", ReceiptStatus.DELIVERED)])
    assert State.DELIVERED == await bench.state(message_id)
    assert 1 == len(await bench.events(2))


async def test_an_instance_without_an_account_gives_to_the_first(reports: Reports, bench: Bench) -> None:
    """What comes in is never lost."""
    await reports.report("other", [REPLY])
    assert [EventKind.INBOUND] == [each.kind for each in await bench.events(1)]


async def test_what_a_socket_brought_is_kept_as_far_as_it_can_be(reports: Reports, bench: Bench) -> None:
    """Were it refused, it would come again for ever."""
    odd = Inbound("x" * 1_000, None, "caf\udce9\0" + "t" * 20_000, 1 << 70, "y" * 5_000)  # type: ignore[arg-type]
    await reports.report("acme", [odd])
    (event,) = await bench.events(2)
    text = (event.told or {})["text"]
    assert ("caf??", TEXT_CHARACTERS_MAX) == (text[:5], len(text))
    assert (ADDRESS_CHARACTERS_MAX, "") == (len(event.sender), event.recipient)


async def test_a_store_that_fails_is_told_to_the_provider(
    reports: Reports, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it is not acknowledged upstream."""

    async def failing(*_arguments: object) -> None:
        raise BrokerError(ErrorReason.STORE_UNAVAILABLE)

    monkeypatch.setattr(bench.store, "write", failing)
    with pytest.raises(BrokerError):
        await reports.report("acme", [REPLY])
