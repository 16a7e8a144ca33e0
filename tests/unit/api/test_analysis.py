"""AnalyzeMessage on the wire: what a text to somebody costs, and how long one may be."""

import pytest

from broker.domain.explaining import Considered, Explanation, Judgement, Verdict
from broker.domain.lifecycle import State
from broker.domain.price import Price
from broker.domain.routes import Route
from broker.domain.submission import Result
from broker.domain.vocabulary import Channel, Reason
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import message_service_pb2, status_pb2

NOW_US = 1_790_000_000_000_000
ANALYZE = "MessageService/AnalyzeMessage"


@pytest.mark.parametrize(("text", "length_max"), [("a", 1_530), ("é✓", 670)], ids=["GSM-7", "UCS-2"])
async def test_an_analysis_tells_how_long_a_text_may_be(api, text, length_max):
    """In its own encoding: so many parts of 153 septets or 67 code units."""
    response = await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(text=text),
        message_service_pb2.AnalyzeMessageResponse,
    )
    assert (length_max, 10, True) == (response.length_max, response.units_max, response.within_maximum)


def explanation(**changes):
    """What Explain finds: it would go by acme and cost 70."""
    fields = {
        "reason": None,
        "detail": "",
        "price": Price(70, "EUR"),
    } | changes
    result = Result(0, 5, State.ACCEPTED, "+447700900123", Channel.SMS, NOW_US, **fields)
    considered = (
        Considered(Channel.SMS, Judgement(Route("", "acme"), Verdict.CHOSEN, ""), 0),
        Considered(Channel.SMS, Judgement(Route("", "dear"), Verdict.STANDBY, ""), 0),
    )
    return Explanation(result, (), considered, 0, 0)


async def analyzed(api, **fields):
    """The report on "Hello" to somebody."""
    fields = {"text": "Hello", "recipient": "+447700900123"} | fields
    return await api.call(
        ANALYZE,
        message_service_pb2.AnalyzeMessageRequest(**fields),
        message_service_pb2.AnalyzeMessageResponse,
    )


async def test_what_a_text_costs_is_what_explain_says(api):
    """By the route that it would take, with its currency; the subject goes along, since it may decide the route."""
    api.intake.explanations = [explanation()]
    response = await analyzed(api, subject="News", tokens={})
    assert (70, 70, "EUR", "acme", 0, "") == (
        response.credit_cost,
        response.price.amount_micros,
        response.price.currency,
        response.provider,
        response.reason,
        response.detail,
    )
    (asked,) = api.intake.explained
    assert ({Channel.SMS: {"text": "Hello", "subject": "News"}}, "+447700900123") == (
        asked.content.documents,
        asked.recipients[0].phone_number,
    )


async def test_what_would_not_be_sent_costs_nothing_and_says_why(api):
    """As Explain says it."""
    refused = {"reason": Reason.COUNTRY_NOT_ALLOWED, "detail": "not there", "price": None}
    api.intake.explanations = [explanation(**refused)]
    response = await analyzed(api)
    assert (0, False, "", status_pb2.REASON_COUNTRY_NOT_ALLOWED, "not there") == (
        response.credit_cost,
        response.HasField("price"),
        response.provider,
        response.reason,
        response.detail,
    )


async def test_a_text_over_the_maximum_is_priced_all_the_same(api):
    """The question is what it costs, and another one whether it fits."""
    api.intake.explanations = [explanation()]
    response = await analyzed(api, text="a" * 1_531)
    assert (70, False, 11) == (response.credit_cost, response.within_maximum, api.intake.units_max)


@pytest.mark.parametrize("fields", [{"recipient": ""}, {"text": ""}], ids=["nobody", "nothing"])
async def test_a_text_to_nobody_has_no_cost(api, fields):
    """Nor has one that could not be sent."""
    response = await analyzed(api, **fields)
    assert (0, False, []) == (response.credit_cost, response.HasField("price"), api.intake.explained)


async def test_what_refuses_the_text_names_it(api):
    """Where the submission that was made of it breaks a rule."""
    broken = BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("content.sms.text", "too many")])
    api.intake.failure = broken
    answer = await api.call(
        ANALYZE, message_service_pb2.AnalyzeMessageRequest(text="x", recipient="+447700900123")
    )
    assert {"text": "too many"} == answer.violations
