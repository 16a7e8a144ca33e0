"""Documents of the store: what is written is read back, whatever it holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain.directory import Card
from broker.domain.encoding import Encoding
from broker.domain.lifecycle import State
from broker.domain.outcome import Receipt, ReceiptStatus
from broker.domain.records import Labels
from broker.domain.submission import Campaign, Content, Result
from broker.domain.vocabulary import Channel, Reason
from broker.storage.documents import (
    cost_through,
    dump_answer,
    dump_card,
    dump_content,
    dump_labels,
    dump_receipt,
    dump_tokens,
    load_answer,
    load_card,
    load_content,
    load_labels,
    load_receipt,
    load_tokens,
    with_cost,
)
from broker.testing.builders import submission

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
BIGINTS = st.integers(0, 2**63 - 1)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(0, 2**53), lambda inner: st.lists(inner, max_size=3)
)
RESULTS = st.builds(
    Result,
    recipient_index=st.integers(0, 10_000),
    message_id=st.none() | BIGINTS,
    state=st.sampled_from(State),
    recipient=TEXTS,
    channel=st.none() | st.sampled_from(Channel),
    transmit_at_us=BIGINTS,
    client_reference=TEXTS,
    units=st.integers(0, 255),
    encoding=st.none() | st.sampled_from(Encoding),
    reason=st.none() | st.sampled_from(Reason),
    detail=TEXTS,
    warnings=st.lists(TEXTS, max_size=3).map(tuple),
)
RECEIPTS = st.builds(
    Receipt,
    TEXTS,
    st.sampled_from(ReceiptStatus),
    recipient=TEXTS,
    part=st.integers(0, 255),
    code=TEXTS,
    text=TEXTS,
    time_us=st.none() | BIGINTS,
)
LISTS = st.lists(TEXTS, max_size=3).map(tuple)
CARDS = st.builds(
    Card,
    external_ids=LISTS,
    title=TEXTS,
    first_name=TEXTS,
    last_name=TEXTS,
    organisation=TEXTS,
    phone_numbers=LISTS,
    emails=LISTS,
    device_tokens=LISTS,
    channels=st.lists(st.sampled_from(Channel), max_size=3).map(tuple),
    locale=TEXTS,
    time_zone=TEXTS,
    properties=st.dictionaries(TEXTS, TEXTS, max_size=3),
)
LABELS = st.builds(
    Labels,
    campaign=st.none() | st.builds(Campaign, TEXTS, TEXTS),
    tags=st.lists(TEXTS, max_size=3).map(tuple),
    origin=TEXTS,
    reply_to_message_id=st.none() | BIGINTS,
)


@given(st.lists(RESULTS, max_size=5))
@settings(deadline=None)
def test_an_answer_is_read_back(results: list[Result]) -> None:
    """Every field of every recipient."""
    assert results == load_answer(dump_answer(results))


@given(RECEIPTS)
@settings(deadline=None)
def test_a_receipt_is_read_back(receipt: Receipt) -> None:
    """As it came."""
    assert receipt == load_receipt(dump_receipt(receipt))


@given(LABELS)
@settings(deadline=None)
def test_labels_are_read_back(labels: Labels) -> None:
    """Where there are none, too."""
    asked = submission(
        campaign=labels.campaign,
        tags=labels.tags,
        origin=labels.origin,
        reply_to_message_id=labels.reply_to_message_id,
    )
    assert labels == load_labels(dump_labels(asked))


@given(st.dictionaries(st.sampled_from(Channel), st.dictionaries(TEXTS, VALUES, max_size=3)))
@settings(deadline=None)
def test_content_is_read_back(documents: dict[Channel, dict[str, object]]) -> None:
    """By channel, and a "$" in it means nothing."""
    stored = load_content(dump_content(Content(documents)))
    assert (documents, None) == (stored.documents, stored.tokens)
    for channel, document in documents.items():
        assert document == stored.said_on(channel, {"a": "b"})


def test_content_with_placeholders_keeps_the_values_that_all_share() -> None:
    """Those that it uses; one's own come over them."""
    content = Content({Channel.SMS: {"text": "$$5 for $name$ at $shop$"}}, frozenset({"name", "shop"}))
    stored = load_content(dump_content(content, {"shop": "Acme", "name": "you", "unused": "x"}))
    assert {"shop": "Acme", "name": "you"} == stored.tokens
    assert {"text": "$5 for Ada at Acme"} == stored.said_on(Channel.SMS, {"name": "Ada"})
    assert {"text": "$5 for you at Acme"} == stored.said_on(Channel.SMS, {})


def test_one_recipients_values_are_read_back() -> None:
    """Whatever they hold."""
    tokens = {"name": 'Ada "$$" \u0000 ☃', "empty": ""}
    assert tokens == load_tokens(dump_tokens(tokens))


@given(CARDS)
@settings(deadline=None)
def test_a_card_is_read_back(card: Card) -> None:
    """Every field."""
    assert card == load_card(dump_card(card))


@pytest.mark.parametrize("costs", [None, '{"acme":30}', '{"acme":{"1":30,"3":30}}'])
def test_a_cost_is_added_for_one_channel_and_no_other(costs: str | None) -> None:
    """What was known stays, also of other providers; what nobody priced is the most."""
    more = with_cost(costs, "acme", Channel.EMAIL, 7)
    more = with_cost(more, "beta", Channel.SMS, 5)

    def cost(provider: str, channel: Channel) -> int:
        return cost_through(more, provider, 50, lambda: channel)

    assert (7, 50 if costs is None else 30) == (cost("acme", Channel.EMAIL), cost("acme", Channel.SMS))
    assert (5, 50, 50) == (cost("beta", Channel.SMS), cost("beta", Channel.EMAIL), cost("gone", Channel.SMS))
