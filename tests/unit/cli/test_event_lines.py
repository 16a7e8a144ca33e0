"""Events as people read them."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from broker.cli.event_lines import event_line
from broker.cli.wording import _FACTS, printable, status_word
from waypost.v1 import event_pb2, opt_in_pb2, price_pb2, status_pb2

MESSAGE = event_pb2.MessageEvent(
    recipient="+447700900001",
    fact=status_pb2.MESSAGE_FACT_REFUSED_UPSTREAM,
    status=status_pb2.MESSAGE_STATUS_REJECTED,
    previous_status=status_pb2.MESSAGE_STATUS_PROCESSING,
    reason=status_pb2.REASON_REFUSED_BY_PROVIDER,
    provider="sandbox",
)


def line_of(coloured: bool = False, **payload: object) -> str:
    """A line without its time, whose form depends on the host's zone."""
    return event_line(
        event_pb2.Event(time=Timestamp(seconds=1, nanos=5_000_000), **payload), coloured=coloured
    )[25:]


def test_a_message_has_its_statuses_address_provider_and_reason() -> None:
    """In columns."""
    expected = "REJECTED         PROCESSING       +447700900001     sandbox     refused by the provider (REFUSED_BY_PROVIDER)"
    assert expected == line_of(message=MESSAGE)


def test_a_colour_changes_no_alignment() -> None:
    """Escapes have no width."""
    assert f"\x1b[31m{'REJECTED':<15}\x1b[0m  PROCESSING" == line_of(coloured=True, message=MESSAGE)[:36]


@pytest.mark.parametrize(
    "payload",
    [
        {"inbound": event_pb2.InboundEvent(sender="+447700900123", text="STOP")},
        {"broadcast": event_pb2.BroadcastEvent()},
        {"opt_in": event_pb2.OptInEvent(record=opt_in_pb2.OptInRecord(recipient="+447700900123"))},
        {"click": event_pb2.ClickEvent(url="https://example.org/")},
        {"balance": event_pb2.BalanceEvent()},
        {},
    ],
)
def test_every_kind_of_event_has_a_line(payload) -> None:
    """Also one that a later broker may send."""
    assert "" != line_of(**payload)


def test_a_balance_is_told_exactly() -> None:
    """With the mark that it fell below; an amount is never rounded."""
    told = event_pb2.BalanceEvent(
        balance=price_pb2.Price(amount_micros=9_007_199_254_740_993, currency="EUR"),
        threshold=price_pb2.Price(amount_micros=9_007_199_254_750_000, currency="EUR"),
    )
    expected = "9,007,199,254.740993 EUR left, less than 9,007,199,254.75"
    assert expected == line_of(balance=told).split(maxsplit=1)[1]


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    """Escape sequences and line breaks are replaced."""
    inbound = event_pb2.InboundEvent(text="\x1b[2Jgone\n")
    assert line_of(inbound=inbound).endswith("?[2Jgone?")
    assert "Grüße 👋" == printable("Grüße 👋")


def test_a_status_of_a_later_broker_is_shown_by_its_number() -> None:
    """Better than not at all."""
    assert ["DELIVERED", "99", ""] == [status_word(number) for number in (5, 99, 0)]


def test_every_fact_has_words() -> None:
    """A new one must not be shown in capitals."""
    assert set(status_pb2.MessageFact.values()) - {0} == set(_FACTS)
