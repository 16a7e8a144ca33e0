"""A batch against the fake: what goes together, what is refused alone, and what is sent once."""

import pytest

from broker.spi import Accepted, Channel, NotAccepted, Reason, Rejected, Unknown
from broker.testing.upstream import Answer, Hang
from waypost_groupcall import GROUPCALL
from waypost_groupcall.fake import FakeGroupcall
from waypost_groupcall.fake.messenger import CUSTOMER_ID


@pytest.fixture
def fake(upstream):
    """The fake behind the kit's upstream."""
    running = FakeGroupcall()

    def answer(request):
        reply = running.handle(request.method, request.path, request.body)
        return Answer.of_json(reply.document, reply.status)

    upstream.answer = answer
    return running


@pytest.mark.covers("principles.batching", "principles.recipients100")
async def test_what_goes_together_is_one_request(running_provider, upstream, fake, partner_table, message):
    """A hundred messages, each an element of its own with a result of its own."""
    batch = [message(number, recipient=f"+447700{900_000 + number}") for number in range(100)]
    async with running_provider(GROUPCALL, partner_table(url=upstream.url, batch_max=100)) as provider:
        found = await provider.submit(*batch)
    assert [(each.message_id, each.address) for each in fake.taken] == [
        (outcome.provider_message_ids[0], one.recipient) for outcome, one in zip(found, batch, strict=True)
    ]
    assert 1 == len(upstream.requests)


async def test_a_refused_message_is_found_out_by_itself(
    running_provider, upstream, fake, partner_table, message
):
    """A request of several that is refused took none; each goes alone then, and only the bad one is Rejected."""
    bad = message(2, recipient="+447700900001", content={"text": "я" * 700})
    batch = [message(1), bad, message(3)]
    settings = partner_table(url=upstream.url, batch_max=10, multi_content=False)
    async with running_provider(GROUPCALL, settings) as provider:
        found = await provider.submit(*batch)  # its units say that it is short: Groupcall counts otherwise
    assert [Accepted, Rejected, Accepted] == [type(each) for each in found]
    assert 4 == len(upstream.requests)
    assert ["01KAB3XQ00001", "01KAB3XQ00003"] == [each.fields["clientref"] for each in fake.taken]


@pytest.mark.covers("auth.errors")
async def test_wrong_credentials_keep_the_message(running_provider, upstream, fake, customer_table, message):
    """Groupcall says so with a 200: nothing was sent, and nothing is wrong with the message."""
    async with running_provider(GROUPCALL, customer_table(url=upstream.url, password="wrong")) as provider:
        found = await provider.submit(message(), message(2, channel=Channel.EMAIL))
    assert [NotAccepted(code="Data is not valid, no messages sent")] * 2 == list(found)
    assert [] == fake.taken


@pytest.mark.covers("auth.errors", "auth.onBehalf")
async def test_a_partner_sends_for_who_authorised_it(
    running_provider, upstream, fake, partner_table, message
):
    """Others' messages are kept until they have."""
    fake.authorised.clear()
    async with running_provider(GROUPCALL, partner_table(url=upstream.url)) as provider:
        assert [NotAccepted(code="Partner account not authorized for this customer")] == list(
            await provider.submit(message())
        )
        fake.authorised.add(CUSTOMER_ID)
        (found,) = await provider.submit(message())
    assert isinstance(found, Accepted)


@pytest.mark.covers("answer.WarningMessages")
async def test_a_warning_does_not_stop_a_message(running_provider, upstream, fake, customer_table, message):
    """It is accepted, with the warning beside."""
    async with running_provider(GROUPCALL, customer_table(url=upstream.url)) as provider:
        (found,) = await provider.submit(message(content={"text": "Здравствуйте"}))
    assert isinstance(found, Accepted)
    assert ("In Queue", "Message is sent as Unicode") == (found.code, found.text)


@pytest.mark.covers("tokens")
async def test_a_text_reads_as_it_was_written(running_provider, upstream, fake, customer_table, message):
    """Also where the fake, which knows no better, would fill something in."""
    text = "$Name$ owes $5, not $a$b$"
    async with running_provider(GROUPCALL, customer_table(url=upstream.url)) as provider:
        await provider.submit(message(content={"text": text}))
    assert [text] == [each.said for each in fake.taken]


@pytest.mark.covers("sms.SMSSender", "email.styleClass")
async def test_what_the_document_refuses_is_not_asked(
    running_provider, upstream, fake, customer_table, message
):
    """Each by its own rule; the message between them is sent."""
    settings = customer_table(url=upstream.url, sms_sender="", style_class="")
    batch = [message(1), message(2, sender="School"), message(3, channel=Channel.EMAIL)]
    async with running_provider(GROUPCALL, settings) as provider:
        first, second, third = await provider.submit(*batch)
    assert (Reason.INVALID_SENDER, Reason.CONTENT_UNSUPPORTED) == (first.reason, third.reason)
    assert isinstance(second, Accepted)
    assert 1 == len(upstream.requests)


async def test_what_would_begin_too_late_is_not_sent(
    running_provider, upstream, fake, customer_table, message
):
    """The broker would have stopped waiting: not sent is sure, and taken would be in doubt."""
    settings = customer_table(url=upstream.url, requests_max=1, timeout_s=0.3)
    upstream.fail(Hang())
    async with running_provider(GROUPCALL, settings) as provider:
        # All requests go by one place, and the first one keeps it as long as it may.
        first, second = await provider.submit(message(1), message(2))
    assert [Unknown("TimeoutError"), NotAccepted(code="NoTimeLeft")] == [first, second]
    assert 1 == len(upstream.requests)


@pytest.mark.covers("auth.onBehalf", "auth.errors")
async def test_a_customer_without_permission_stops_no_other(
    running_provider, upstream, fake, partner_table, message
):
    """Customers do not share requests."""
    fake.customers["7"] = "key-7"
    customers = {"ACC7": {"customer_id": "7", "password": "key-7"}}
    settings = partner_table(url=upstream.url, batch_max=10, customers=customers)
    batch = [message(1), message(2, account_id="ACC7"), message(3)]
    async with running_provider(GROUPCALL, settings) as provider:
        found = await provider.submit(*batch)
    assert [Accepted, NotAccepted, Accepted] == [type(each) for each in found]
    assert found[1].about_message
    assert 2 == len(upstream.requests)


@pytest.mark.covers("send.messageData", "email.messages", "multi.messages")
@pytest.mark.parametrize(
    ("wish", "arrays"), [("as_printed", [False, True, True]), ("always", [True] * 3), ("never", [False] * 3)]
)
async def test_where_a_customers_messages_stand_is_a_setting(
    running_provider, upstream, fake, customer_table, message, wish, arrays
):
    """In messageData, or with their fields at the root; either way each has its answer."""
    batch = [message(1), message(2, channel=Channel.EMAIL), message(3, channel=Channel.IN_APP)]
    async with running_provider(GROUPCALL, customer_table(url=upstream.url, message_data=wish)) as provider:
        for one in batch:
            (found,) = await provider.submit(one)
            assert isinstance(found, Accepted)
    assert arrays == ["messageData" in each.json for each in upstream.requests]
