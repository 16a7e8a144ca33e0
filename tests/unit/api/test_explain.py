"""Explain on the wire."""

import grpc
import pytest

from broker.domain.encoding import Encoding, Part
from broker.domain.explaining import Considered, Explanation, Judgement, Verdict
from broker.domain.ids import format_id
from broker.domain.lifecycle import State
from broker.domain.routes import Route
from broker.domain.submission import Result
from broker.domain.vocabulary import Channel, Reason
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import explain_pb2

SMS, EMAIL = Channel.SMS, Channel.EMAIL
NOW_US = 1_790_000_000_000_000
CHOSEN = Route("uk", "acme", account_ids=(1, 2), priority=2, weight=5, cost_micros=300)
STRANGERS = Route("r", "b", account_ids=(2,), prefixes=("33",))
EXPLANATION = Explanation(
    Result(
        0,
        5,
        State.ACCEPTED,
        "+447400123456",
        SMS,
        NOW_US,
        "",
        2,
        Encoding.UCS2,
        warnings=("two parts",),
        contact_id=7,
        sender="Shop",
    ),
    (Part("é", 1), Part("✓", 1)),
    (
        Considered(SMS, Judgement(CHOSEN, Verdict.CHOSEN, "by prefix 44"), 600),
        Considered(SMS, Judgement(STRANGERS, Verdict.OTHER_DESTINATION, "names other destinations"), 0),
        Considered(SMS, Judgement(Route("", "c"), Verdict.UNROUTED, "no route leads to it"), 0),
    ),
    3,
    9,
)
REFUSED = Explanation(
    Result(1, 6, State.REJECTED, "12", SMS, NOW_US, reason=Reason.INVALID_RECIPIENT, detail="no number"),
    (),
    (),
    0,
    9,
)


async def explain(api, request, key="admin-key"):
    return await api.call(
        "BrokerService/Explain",
        explain_pb2.ExplainRequest(request=request),
        explain_pb2.ExplainResponse,
        key=key,
    )


async def test_an_explanation_arrives_whole(api, sms):
    """Every field, for an admin."""
    api.intake.explanations = [EXPLANATION, REFUSED]
    accepted, refused = (await explain(api, sms())).results
    chosen, other, unrouted = accepted.candidates
    assert (
        explain_pb2.RouteCandidate(
            provider="acme",
            chosen=True,
            reason="by prefix 44",
            verdict=1,
            channel=1,
            route="uk",
            priority=2,
            weight=5,
            cost_micros=600,
        )
        == chosen
    )
    assert [(6, "r"), (4, "")] == [(each.verdict, each.route) for each in (other, unrouted)]
    assert ["é", "✓"] == [each.text for each in accepted.parts]
    assert (2, 2, 1, "+447400123456", "Shop", 1, ["two parts"], 9, 3, True) == (
        accepted.encoding,
        accepted.units,
        accepted.channel,
        accepted.recipient,
        accepted.sender,
        accepted.status,
        list(accepted.warnings),
        accepted.route_version,
        accepted.losers_omitted,
        accepted.consent.allowed,
    )
    assert accepted.HasField("transmit_time")
    assert (format_id(7), "") == (accepted.contact_id, refused.contact_id)
    assert (1, 8, 1, "no number", 0) == (
        refused.recipient_index,
        refused.status,
        refused.reason,
        refused.detail,
        len(refused.candidates),
    )
    assert not refused.HasField("transmit_time")


@pytest.mark.parametrize("key", ["partner-key", "send-key", "read-key"])
async def test_others_than_admins_see_no_costs_and_no_routes_of_strangers(api, sms, key):
    """The rest they do."""
    api.intake.explanations = [EXPLANATION]
    (explanation,) = (await explain(api, sms(), key)).results
    assert [("uk", 0), ("", 0)] == [(each.route, each.cost_micros) for each in explanation.candidates]


async def test_the_request_is_judged_as_by_send(api, sms):
    """With the paths of its own request."""
    refusal = await explain(api, sms(recipients=[], tags=["a" * 65]))
    assert grpc.StatusCode.INVALID_ARGUMENT is refusal.code
    assert {"request.recipients", "request.tags[0]"} == refusal.violations.keys()
    api.intake.failure = BrokerError(
        ErrorReason.TOO_MANY_UNITS, violations=[Violation("content.sms.text", "x")]
    )
    refusal = await explain(api, sms())
    assert ("TOO_MANY_UNITS", {"request.content.sms.text": "x"}) == (refusal.reason, refusal.violations)


async def test_an_empty_request_is_refused(api):
    """It asks about nothing."""
    refusal = await explain(api, None)
    assert {"request.recipients", "request.content"} == refusal.violations.keys()


async def test_accounts_are_those_that_send_would_take(api, sms):
    """An admin names any; for others a stranger's does not exist."""
    api.intake.explanations = [EXPLANATION]
    await explain(api, sms(account_id=format_id(2)))
    assert [2] == [each.account_id for each in api.intake.explained]
    for account_id, key in ((format_id(2), "send-key"), (format_id(9), "admin-key")):
        refusal = await explain(api, sms(account_id=account_id), key)
        assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == (refusal.code, refusal.reason)
