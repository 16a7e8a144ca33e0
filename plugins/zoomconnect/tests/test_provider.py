"""The provider against the fake: credentials, questions, replies by polling, the account."""

import asyncio
from base64 import b64encode
from datetime import date, timedelta
from decimal import Decimal

import pytest

from broker.spi import (
    Accepted,
    CallbackRequest,
    Idempotency,
    NotAccepted,
    Receipt,
    ReceiptMode,
    ReceiptStatus,
    Rejected,
    Unknown,
    UpstreamBalance,
)
from broker.testing.upstream import Answer, Echo, Hold, ResetAfterBody, Say
from waypost_zoomconnect import ZOOMCONNECT, account, exchange, provider
from waypost_zoomconnect.account import UnreadableAnswer
from waypost_zoomconnect.provider import ZoomConnect
from waypost_zoomconnect.settings import ZoomConnectSettings

PAIR = b64encode(b"me@example.org:rest-token-4711").decode()
LAG_S = 120


@pytest.mark.parametrize(
    ("authentication", "headers", "query"),
    [
        ("headers", {"email": "me@example.org", "token": "rest-token-4711"}, {}),
        ("basic", {"authorization": f"Basic {PAIR}"}, {}),
        ("url-for-tests", {}, {"email": "me@example.org", "token": "rest-token-4711"}),
    ],
)
@pytest.mark.covers("authentication.headers", "authentication.basic", "authentication.url")
async def test_each_way_to_authenticate_is_taken(
    zoomconnect, message, upstream, authentication, headers, query
):
    """And each shows the credentials in its own place only."""
    async with zoomconnect(authentication=authentication) as running:
        (outcome,) = await running.submit(message())
        assert isinstance(outcome, Accepted)
    (seen,) = upstream.requests
    shown = {name: seen.headers[name] for name in ("email", "token", "authorization") if name in seen.headers}
    assert (headers, query) == (shown, seen.query)


async def test_credentials_in_urls_are_warned_of(zoomconnect, lent):
    """They are readable for whoever sees the request."""
    async with zoomconnect(authentication="url-for-tests"):
        assert "zoomconnect.credentials_in_urls" in lent.log.text


@pytest.mark.parametrize("authentication", ["headers", "basic", "url-for-tests"])
@pytest.mark.covers("authentication.headers", "authentication.basic", "authentication.url")
async def test_a_wrong_token_takes_no_message(zoomconnect, message, authentication):
    """The message goes out when it is mended."""
    async with zoomconnect(authentication=authentication, token="wrong") as running:
        assert [NotAccepted(None, "http_401")] == await running.submit(message())


@pytest.mark.covers("send-url.token", "send-url.post")
async def test_sending_by_url_needs_no_other_credentials(running_provider, fake, upstream, message):
    """And without them nothing can be asked, so nothing of the kind is declared."""
    told = {"base_url": upstream.url, "form": "send-url", "url_token": "url-token-0815"}
    async with running_provider(ZOOMCONNECT, told) as running:
        able = running.provider.capabilities
        assert (False, False, False, Idempotency.NONE) == (
            able.query,
            able.balance,
            able.usage,
            able.idempotency,
        )
        assert [Accepted(("40124213",))] == await running.submit(message())
    assert not {"email", "token", "authorization"} & upstream.requests[0].headers.keys()


@pytest.mark.covers("send-url.token")
async def test_a_wrong_token_in_the_path_takes_no_message(zoomconnect, message):
    """It is another token than that of the REST API."""
    async with zoomconnect(form="send-url", url_token="rest-token-4711") as running:
        assert [NotAccepted(None, "http_401")] == await running.submit(message())


@pytest.mark.parametrize("form", ["send-url-parameters", "send-url"])
@pytest.mark.covers("send-url-parameters.get", "send-url-parameters.message", "send-url.get")
async def test_a_get_sends_as_a_post_does(zoomconnect, message, fake, form):
    """And is not repeated."""
    async with zoomconnect(form=form, url_method="GET", url_token="url-token-0815") as running:
        assert [Accepted(("40124213",))] == await running.submit(message(text="a+b & ü"))
    assert ["a+b & ü"] == [each["message"] for each in fake.messages.by_id.values()]


@pytest.mark.covers("send", "send.campaign", "send.dataField", "send.dateToSend")
async def test_what_is_told_of_a_message_stands_in_its_record(zoomconnect, message, fake):
    """Held until a date, under a campaign, with the key."""
    async with zoomconnect(form="send", campaign="shoes", hold_s=3_600) as running:
        await running.submit(message(expire_at_us=2**60))
    (record,) = fake.messages.by_id.values()
    assert ("SCHEDULED", "shoes", "key-4567") == (
        record["messageStatus"],
        record["campaign"],
        record["userDataField"],
    )


@pytest.mark.covers("send-bulk", "send-bulk.messagesPerMinute", "send-bulk.defaultDateToSend")
async def test_a_batch_is_one_request(zoomconnect, message, fake, upstream):
    """With a refusal of ours, and one of ZoomConnect's, each in its place."""
    batch = [message("+27821110001"), message(sender="Acme"), message("+1"), message("+27821110002")]
    async with zoomconnect(messages_per_minute=60, hold_s=3_600) as running:
        outcomes = await running.submit(*batch)
    assert [Accepted, Rejected, Rejected, Accepted] == [type(each) for each in outcomes]
    assert (1, 60) == (len(upstream.requests), upstream.requests[0].json["messagesPerMinute"])
    assert {"SCHEDULED"} == {each["messageStatus"] for each in fake.messages.by_id.values()}


async def test_a_batch_that_is_refused_whole_asks_nobody(zoomconnect, message, upstream):
    """There is nothing to send."""
    async with zoomconnect() as running:
        assert [Rejected] == [type(each) for each in await running.submit(message(sender="Acme"))]
    assert [] == upstream.requests


@pytest.mark.covers("send-bulk")
async def test_out_of_credit_means_what_the_settings_say(zoomconnect, message, fake):
    """The guide does not say how it is told."""
    fake.messages.credit = 0
    async with zoomconnect() as running:
        assert [Unknown] == [type(each) for each in await running.submit(message())]
    async with zoomconnect(errors={"Insufficient credits": "not_accepted"}) as running:
        assert [NotAccepted(code="not_accepted")] == await running.submit(message())


@pytest.mark.covers("messages.get")
async def test_a_message_with_an_id_is_asked_for_by_it(zoomconnect, message, fake, upstream):
    """Its end as a receipt, once it has one."""
    async with zoomconnect() as running:
        (taken,) = await running.submit(message())
        asked = message(provider_message_ids=taken.provider_message_ids)
        assert [taken] == await running.query(asked)
        fake.messages.deliver()
        expected = Receipt("40124213", ReceiptStatus.DELIVERED, code="DELIVERED")
        assert [expected] == await running.query(asked)
    assert "/api/rest/v1/messages/40124213" == upstream.requests[-1].path


@pytest.mark.covers("messages.all")
async def test_a_message_whose_answer_was_lost_is_found_by_its_key(zoomconnect, message, upstream):
    """Other messages stay out of it."""
    async with zoomconnect() as running:
        await running.submit(message("+27821110001"))
        upstream.fail(Say(Answer(200, b"{}")))
        lost = message("+27821110002")
        assert [Unknown("unreadable")] == await running.submit(lost)
        fake_took = await running.submit(lost)  # as if the first had been taken
        assert fake_took == await running.query(lost)


@pytest.mark.parametrize(("age_s", "kind"), [(LAG_S - 1, Unknown), (LAG_S, NotAccepted)])
@pytest.mark.covers("messages.all")
async def test_what_is_listed_nowhere_was_never_taken(zoomconnect, message, clock, age_s, kind):
    """Once ZoomConnect has had the time to list it."""
    async with zoomconnect(lookup_lag_s=LAG_S) as running:
        asked = message(submitted_at_us=clock.now_us() - age_s * 1_000_000)
        assert [kind] == [type(each) for each in await running.query(asked)]


@pytest.mark.covers("messages.all", "messages.delete")
async def test_a_message_that_somebody_deleted_was_taken(zoomconnect, message, fake):
    """Otherwise it would be sent again."""
    async with zoomconnect() as running:
        (taken,) = await running.submit(message())
        fake(
            "DELETE",
            "/api/rest/v1/messages/40124213",
            {"email": "me@example.org", "token": "rest-token-4711"},
            b"",
        )
        assert fake.messages.by_id["40124213"]["deleted"]
        assert [taken] == await running.query(message(submitted_at_us=0))


@pytest.mark.parametrize(
    "told", [{"totalPages": 2, "totalElements": 200}, {}, {"totalPages": []}, {"totalElements": "0"}]
)
async def test_a_list_with_more_pages_proves_nothing(zoomconnect, message, fake, upstream, told):
    """What is not on its first page may be on its next; nor does one that does not say how long it is."""
    upstream.fail(Say(Answer.of_json({"webServiceMessages": [], **told})), times=2)
    async with zoomconnect() as running:
        assert [Unknown("not_listed")] == await running.query(message(submitted_at_us=0))


async def test_without_the_key_in_its_data_a_message_cannot_be_found(zoomconnect, message, upstream):
    """The client's reference is nobody's key: several messages may have it."""
    async with zoomconnect(data_field="reference") as running:
        assert Idempotency.NONE is running.provider.capabilities.idempotency
        await running.submit(message(client_reference="order-7"))
        assert ["no_key"] == [each.code for each in await running.query(message())]
    assert "order-7" == upstream.requests[0].json["sendSmsRequests"][0]["dataField"]


async def settled(clock, seconds=1_000):
    """Let the clock go on once the provider sleeps, and wait until it sleeps again."""
    slept = len(clock.sleeps_s)
    await until(lambda: clock._sleepers)
    clock.advance(seconds)
    await until(lambda: len(clock.sleeps_s) > slept)


async def until(holds):
    """Wait for what the provider does over a socket."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - it happens in the provider's own task
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("polled", ["mark-read", "delete"])
@pytest.mark.covers("messages.all", "messages.markRead", "messages.delete")
async def test_replies_are_polled_and_then_marked(zoomconnect, message, fake, reports, clock, polled):
    """Marked, or deleted, once they are committed; the next round finds nothing."""
    async with zoomconnect(replies="poll", polled=polled) as running:
        await running.submit(message("+27821110012"))
        fake.messages.deliver()
        for _ in range(3):
            await settled(clock)
    assert [("+27821110012", "zoomconnect", "YES")] == [
        (each.sender, each.recipient, each.text) for each in reports.facts
    ]
    (reply,) = [each for each in fake.messages.by_id.values() if each["messageType"] == "INBOUND"]
    assert (polled == "mark-read", polled == "delete") == (reply["read"], reply["deleted"])


async def test_a_reply_that_could_not_be_kept_is_polled_again(zoomconnect, message, fake, reports, clock):
    """Nothing was marked meanwhile."""
    reports.failures_left = 1
    async with zoomconnect(replies="poll") as running:
        await running.submit(message("+27821110012"))
        fake.messages.deliver()
        for _ in range(4):
            await settled(clock)
    assert (1, ["YES"]) == (reports.refused, [each.text for each in reports.facts])


@pytest.mark.covers("rate-limit")
async def test_a_limited_rate_makes_polls_rarer(zoomconnect, fake, clock, lent):
    """Each pause twice as long, up to a limit, and back to normal once it is answered again."""
    fake.polls_left = 0
    async with zoomconnect(replies="poll", poll_s=10, poll_pause_s_max=50):
        for _ in range(3):
            await settled(clock)
        fake.polls_left = None
        await settled(clock)
    assert [30, 40, 50, 10] == clock.sleeps_s[:4]
    assert "'reason': 'http_429'" in lent.log.text


async def test_polling_outlives_an_upstream_that_breaks(zoomconnect, message, fake, reports, clock, upstream):
    """And tells nothing of what it said."""
    upstream.fail(ResetAfterBody())
    upstream.fail(Echo(200))
    async with zoomconnect(replies="poll") as running:
        for _ in range(2):
            await settled(clock)
        await running.submit(message("+27821110012"))
        fake.messages.deliver()
        for _ in range(2):
            await settled(clock)
    assert 1 == len(reports.facts)


async def test_a_full_page_is_followed_by_the_next_at_once(zoomconnect, message, fake, reports, clock):
    """A backlog is read as fast as it is answered."""
    async with zoomconnect(replies="poll", page_size=2) as running:
        await running.submit(message("+27821110012"))
        fake.messages.deliver()
        for text in ("two", "three"):
            fake.messages.reply("40124213", text)
        await settled(clock)
        await settled(clock, 0)
    assert ["YES", "two", "three"] == [each.text for each in reports.facts]


@pytest.mark.parametrize("polled", ["mark-read", "delete"])
async def test_what_is_listed_and_is_no_reply_is_left_as_it_is(
    zoomconnect, message, fake, clock, lent, upstream, polled
):
    """Also where ZoomConnect lists what was not asked for: it is neither marked nor deleted."""
    async with zoomconnect(replies="poll", polled=polled) as running:
        await running.submit(message())
        (sent,) = fake.messages.by_id.values()
        upstream.fail(Say(Answer.of_json({"webServiceMessages": [sent, {"messageType": "INBOUND"}]})))
        await settled(clock)
        await settled(clock)
    assert (False, False) == (sent["read"], sent["deleted"])
    assert "'count': 2" in lent.log.text


@pytest.mark.parametrize(("form", "expected"), [("send-bulk", 100), ("send", 8), ("send-url", 8)])
def test_messages_that_go_one_by_one_do_not_wait_for_each_other(form, expected):
    """A batch of them is no larger than the number of requests at once."""
    told = ZoomConnectSettings(email="me@example.org", token="t", url_token="u", form=form)
    assert expected == ZoomConnect(told).capabilities.batch_max


async def test_who_waits_too_long_for_a_turn_was_not_sent(zoomconnect, message, upstream, fake, monkeypatch):
    """So nobody waits past the broker's own limit, after which nothing would be known."""
    monkeypatch.setattr(provider, "WAIT_S_MAX", 0.05)
    hold = Hold()
    upstream.fail(hold)
    async with zoomconnect(requests_max=1) as running:
        first = asyncio.create_task(running.submit(message("+27821110001")))
        await until(lambda: upstream.requests)
        second = await running.submit(message("+27821110002"))
        asked = await running.query(message("+27821110003"))
        hold.release.set()
        assert [Accepted] == [type(each) for each in await first]
    assert (["throttled"], [NotAccepted]) == ([each.code for each in second], [type(each) for each in second])
    assert [Unknown("Busy")] == asked
    assert 1 == len(upstream.requests)


@pytest.mark.covers("account.balance")
async def test_the_balance_is_told_in_credits(zoomconnect, message, fake):
    """Which are no currency."""
    fake.messages.credit = 12.25
    async with zoomconnect() as running:
        await running.submit(message())
        assert UpstreamBalance(11_250_000) == await running.provider.balance()


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        ("messages", {"total": 3, "delivered": 1, "failedRefunded": 1, "failedOptout": 1}),
        (
            "credits",
            {
                "total_millicredits": 4_000,
                "delivered_millicredits": 2_000,
                "failedRefunded_millicredits": 1_000,
                "failedOptout_millicredits": 1_000,
            },
        ),
    ],
)
@pytest.mark.covers("account.statistics", "account.statistics.calculateCreditValue")
async def test_the_statistics_are_told_by_outcome(zoomconnect, message, fake, statistics, expected):
    """Of all days together, in messages or in thousandths of credits."""
    batch = [message("+27821110000", "a" * 161), message("+27821110003"), message("+27821110004")]
    today = fake.messages.now().date()
    async with zoomconnect(statistics=statistics) as running:
        await running.submit(*batch)
        fake.messages.deliver()
        counts = await running.provider.usage(today - timedelta(1), today + timedelta(1))
        assert expected == {each.name: each.count for each in counts if each.count}
        assert [] == [
            each for each in await running.provider.usage(date(2001, 1, 1), date(2001, 1, 2)) if each.count
        ]


@pytest.mark.covers("account.statistics")
async def test_the_statistics_can_leave_refunds_out_and_be_of_one_user(zoomconnect, message, fake, upstream):
    """As the settings say."""
    today = fake.messages.now().date()
    async with zoomconnect(refunded_and_optout=False, statistics_user="you@example.org") as running:
        await running.submit(message("+27821110003"))
        fake.messages.deliver()
        counts = await running.provider.usage(today - timedelta(1), today + timedelta(1))
    assert (0, "you@example.org") == (
        sum(each.count for each in counts),
        upstream.requests[-1].query["userEmailAddress"],
    )


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401),
        Answer.of_json({}),
        Answer.of_json({"creditBalance": "many", "grandTotal": 7}),
        Answer.of_json({"creditBalance": True, "grandTotal": {}, "showingCreditValue": True}),
        Answer(200, b'{"creditBalance": 1e400}'),
    ],
)
async def test_an_unreadable_account_raises(zoomconnect, upstream, answer):
    """Whoever asked is told that the upstream is unavailable."""
    upstream.fail(Say(answer), times=None)
    async with zoomconnect() as running:
        with pytest.raises(UnreadableAnswer):
            await running.provider.balance()
        with pytest.raises(UnreadableAnswer):
            await running.provider.usage(date(2026, 1, 1), date(2026, 1, 2))


async def test_parameters_have_the_names_of_the_settings(zoomconnect, message, upstream):
    """The guide does not print them."""
    names = {"recipientNumber": "to", "message": "text"}
    async with zoomconnect(form="send-url-parameters", parameters=names) as running:
        await running.submit(message())
    assert {"to": "+27821234567", "text": "Hello", "dataField": "key-4567"} == upstream.requests[0].query


@pytest.mark.parametrize(
    ("changes", "callback", "receipts"),
    [
        ({}, True, ReceiptMode.PUSH),
        ({"receipts": "poll"}, True, ReceiptMode.POLL),
        ({"receipts": "none", "replies": "none"}, False, ReceiptMode.NONE),
        ({"receipts": "poll", "replies": "poll"}, False, ReceiptMode.POLL),
    ],
)
def test_an_address_for_callbacks_is_asked_for_where_something_is_pushed(changes, callback, receipts):
    """Receipts, replies or both."""
    told = ZoomConnectSettings(email="me@example.org", token="t", **changes)
    able = ZoomConnect(told).capabilities
    assert (callback, receipts) == (able.callback, able.receipts)


async def test_reports_are_taken_without_asking_zoomconnect(zoomconnect, upstream):
    """A callback is read as it stands."""
    async with zoomconnect() as running:
        told = (("status", "DELIVERED"), ("messageId", "7"))
        answer = await running.callback(CallbackRequest("POST", "", told, {}, b""))
        assert ["7"] == [each.provider_message_id for each in answer.facts]
    assert [] == upstream.requests


def test_credits_are_counted_exactly():
    """To the millionth."""
    told = account.balance(exchange.Answer(200, {}, b'{"creditBalance": 0.1234567}'))
    assert UpstreamBalance(round(Decimal("123456.7"))) == told
