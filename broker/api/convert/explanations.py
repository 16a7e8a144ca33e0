"""Explain: its request, and explanations → protobuf."""

from collections.abc import Iterable, Sequence

from broker.api.convert.events import optional_id
from broker.api.convert.prices import price_message
from broker.api.convert.requests import submission_of
from broker.api.convert.times import timestamp
from broker.api.convert.words import PB_CHANNELS, PB_ENCODINGS, PB_REASONS, PB_STATUSES, PB_VERDICTS
from broker.domain.consent import OPT_OUTS
from broker.domain.explaining import Considered, Explanation, Verdict
from broker.domain.plan import PolicyFinding, PolicyOutcome, PolicyRule
from broker.domain.routes import Route
from broker.domain.submission import Submission
from broker.domain.vocabulary import Reason
from broker.errors import BrokerError, Violation
from waypost.v1 import content_pb2, explain_pb2


def explained_submission(request: explain_pb2.ExplainRequest, account_id: int, now_us: int) -> Submission:
    """What is to be explained. Raises BrokerError as Send would, with paths from the ExplainRequest."""
    try:
        return submission_of(request.request, account_id, now_us)
    except BrokerError as error:
        raise within_request(error) from None


def within_request(error: BrokerError) -> BrokerError:
    """The refusal of a SendRequest as one of the ExplainRequest that holds it."""
    violations = [Violation(f"request.{each.field}", each.rule) for each in error.violations]
    return BrokerError(
        error.reason,
        error.message,
        violations=violations,
        retry_after_s=error.retry_after_s,
        metadata=error.metadata,
    )


def explain_response(
    explanations: Sequence[Explanation], only_for: int | None
) -> explain_pb2.ExplainResponse:
    """The explanations; for one account's eyes only without costs, and without the routes of other accounts."""
    return explain_pb2.ExplainResponse(results=[_explanation(each, only_for) for each in explanations])


def _explanation(explanation: Explanation, only_for: int | None) -> explain_pb2.Explanation:
    result = explanation.result
    return explain_pb2.Explanation(
        recipient_index=result.recipient_index,
        encoding=PB_ENCODINGS[result.encoding],
        units=result.units,
        price=price_message(result.price),
        parts=[content_pb2.MessagePart(text=part.text, length=part.length) for part in explanation.parts],
        consent=_consent(result.reason),
        candidates=_candidates(explanation.considered, only_for),
        channel=PB_CHANNELS[result.channel],
        recipient=result.recipient,
        contact_id=optional_id(result.contact_id),
        status=PB_STATUSES[result.state],
        reason=PB_REASONS[result.reason],
        detail=result.detail,
        warnings=result.warnings,
        transmit_time=None if result.reason else timestamp(result.transmit_at_us),
        route_version=explanation.route_version,
        losers_omitted=explanation.omitted,
        fallback_channels=[PB_CHANNELS[each] for each in result.fallback_channels],
        policy=map(_finding, explanation.policy),
        sender=result.sender,
    )


def _consent(reason: Reason | None) -> explain_pb2.ConsentDecision:
    """Consent forbids what is refused for it; what is refused for something else, it would allow."""
    refused = reason if reason in OPT_OUTS else None
    return explain_pb2.ConsentDecision(allowed=refused is None, reason=PB_REASONS[refused])


def _finding(finding: PolicyFinding) -> explain_pb2.PolicyFinding:
    return explain_pb2.PolicyFinding(
        rule=PB_POLICY_RULES[finding.rule],
        outcome=PB_POLICY_OUTCOMES[finding.outcome],
        detail=finding.detail,
        plugin=finding.plugin,
    )


PB_POLICY_RULES = {each: explain_pb2.PolicyRule.Value(f"POLICY_RULE_{each.name}") for each in PolicyRule}
PB_POLICY_OUTCOMES = {
    each: explain_pb2.PolicyOutcome.Value(f"POLICY_OUTCOME_{each.name}") for each in PolicyOutcome
}


def _candidates(considered: Iterable[Considered], only_for: int | None) -> list[explain_pb2.RouteCandidate]:
    return [
        explain_pb2.RouteCandidate(
            provider=each.judgement.route.provider,
            chosen=each.judgement.verdict is Verdict.CHOSEN,
            reason=each.judgement.detail,
            verdict=PB_VERDICTS[each.judgement.verdict],
            channel=PB_CHANNELS[each.channel],
            route=each.judgement.route.name,
            priority=each.judgement.route.priority,
            weight=each.judgement.route.weight,
            cost_micros=each.cost_micros if only_for is None else 0,
            price=price_message(each.price),
        )
        for each in considered
        if only_for is None or _may_see(each.judgement.route, only_for)
    ]


def _may_see(route: Route, account_id: int) -> bool:
    """Whether a route is none of other accounts alone."""
    return not route.account_ids or account_id in route.account_ids
