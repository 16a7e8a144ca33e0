"""Explanations for people."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from broker.cli.grid import STATUS_STYLES, Column, card, grid
from broker.cli.route_tables import money
from broker.cli.wording import printable, reason_word, status_word, word_of
from waypost.v1 import channel_pb2, explain_pb2, route_pb2

_CANDIDATES = (
    Column("", right=True),
    Column("provider"),
    Column("route", rare=True),
    Column("channel"),
    Column("cost", right=True, rare=True),
    Column("verdict", styles={"chosen": "green"}),
    Column("because"),
)
_WINNERS = {route_pb2.ROUTE_VERDICT_CHOSEN, route_pb2.ROUTE_VERDICT_STANDBY}


def explanations_shown(explanations: Sequence[explain_pb2.Explanation]) -> RenderableType:
    """One below the other."""
    shown: list[RenderableType] = []
    for each in explanations:
        shown += [_explanation(each), ""]
    return Group(*shown[:-1])


def _explanation(explanation: explain_pb2.Explanation) -> RenderableType:
    why = [reason_word(explanation.reason), printable(explanation.detail)]
    facts = [
        ("recipient", explanation.recipient),
        ("status", status_word(explanation.status)),
        ("reason", ": ".join(filter(None, why))),
        ("sender", explanation.sender),
        ("channel", _channel(explanation.channel)),
        ("then by", ", ".join(map(_channel, explanation.fallback_channels))),
        ("encoding", word_of(channel_pb2.Encoding.DESCRIPTOR, explanation.encoding)),
        ("units", str(explanation.units)),
        *((f"part {number}", part.text) for number, part in enumerate(explanation.parts, start=1)),
        ("warnings", "; ".join(explanation.warnings)),
        ("consent", "allowed" if explanation.consent.allowed else reason_word(explanation.consent.reason)),
        *(("policy", _finding(each)) for each in explanation.policy),
        ("routes", f"version {explanation.route_version}" if explanation.route_version else "none stored"),
    ]
    shown: list[RenderableType] = [card(facts, STATUS_STYLES)]
    if explanation.candidates:
        shown += ["", grid(_CANDIDATES, _rows(explanation.candidates))]
    if explanation.losers_omitted:
        shown.append(Text(f"and {explanation.losers_omitted} more that lost"))
    return Group(*shown)


def _finding(finding: explain_pb2.PolicyFinding) -> str:
    """What one rule said."""
    rule = finding.plugin or word_of(explain_pb2.PolicyRule.DESCRIPTOR, finding.rule).lower().replace(
        "_", " "
    )
    outcome = word_of(explain_pb2.PolicyOutcome.DESCRIPTOR, finding.outcome).lower()
    return ": ".join(filter(None, (f"{printable(rule)} {outcome}", printable(finding.detail))))


def _rows(candidates: Sequence[explain_pb2.RouteCandidate]) -> list[Sequence[str]]:
    """Winners are numbered in the order in which they would be tried."""
    rows: list[Sequence[str]] = []
    place = 0
    for each in candidates:
        place = 1 if each.chosen else place + 1
        rows.append((
            str(place) if each.verdict in _WINNERS else "",
            each.provider,
            each.route,
            _channel(each.channel),
            money(each.cost_micros),
            word_of(route_pb2.RouteVerdict.DESCRIPTOR, each.verdict).lower().replace("_", " "),
            each.reason,
        ))
    return rows


def _channel(number: int) -> str:
    return word_of(channel_pb2.Channel.DESCRIPTOR, number).lower()
