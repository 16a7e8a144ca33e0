"""BroadcastRequest → what is wished, and broadcasts → protobuf."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.requests import submission_in
from broker.api.convert.times import optional_timestamp, timestamp
from broker.api.convert.words import BROADCAST_STATES, PB_BROADCAST_STATES, PB_REASONS
from broker.delivery.broadcasts.control import BroadcastQuery
from broker.domain.broadcast import (
    GROUPS_MAX,
    MESSAGES_PER_MINUTE_MAX,
    RECIPIENTS_MAX,
    Broadcast,
    BroadcastState,
    Wish,
)
from broker.domain.broadcast_told import broadcast_told
from broker.domain.ids import format_id, parse_id
from broker.domain.submission import Submission
from broker.domain.vocabulary import Reason
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import broadcast_pb2, channel_pb2, event_pb2, send_pb2
from waypost.v1 import broadcast_service_pb2 as pb

NAME_CHARACTERS_MAX = 128

_AS_SENT = tuple(
    each.name
    for each in broadcast_pb2.BroadcastRequest.DESCRIPTOR.fields
    if each.name in send_pb2.SendRequest.DESCRIPTOR.fields_by_name
)
"""What a broadcast and a Send ask for alike, and that has the same rules."""

_NOT_UPSTREAM = (
    "provider",
    "guarantee",
    "validity",
    "callback_url",
    "options",
    "messages_per_minute",
    "sender_pool",
)
"""What the broker does with each message, and an upstream that has them all cannot be told."""


def wish_of(request: broadcast_pb2.BroadcastRequest, account_id: int, now_us: int) -> Wish:
    """What a caller asks for. Raises BrokerError with every rule that the request breaks."""
    findings, audience = Findings(), request.audience
    sent = _as_send(request)
    submission = submission_in(
        sent, account_id, now_us, findings, recipients_min=0, recipients_max=RECIPIENTS_MAX
    )
    findings.violations = [_within_audience(each) for each in findings.violations]
    if not (audience.recipients or audience.group_ids or audience.upload_id):
        findings.broke("audience", "names nobody: set recipients, group_ids or upload_id")
    findings.line("name", request.name, NAME_CHARACTERS_MAX)
    group_ids = _groups(audience.group_ids, findings)
    upload_id = parse_id(audience.upload_id) if audience.upload_id else None
    if audience.upload_id and upload_id is None:
        findings.broke("audience.upload_id", "is not an id: 13 characters of Crockford base32")
    if not 0 <= request.messages_per_minute <= MESSAGES_PER_MINUTE_MAX:
        findings.broke("messages_per_minute", f"must be from 1 to {MESSAGES_PER_MINUTE_MAX:,}, or 0")
    if request.options.cap_frequency and audience.upload_id:
        findings.broke("options.cap_frequency", "counts by contact, and an upload names none")
    if request.upstream_provider:
        submission = _run_upstream(request, submission, findings)
    findings.refuse()
    return Wish(
        submission=submission,
        name=request.name,
        group_ids=group_ids,
        upload_id=upload_id,
        messages_per_minute=request.messages_per_minute,
        draft=request.draft,
        upstream_provider=request.upstream_provider,
    )


def _run_upstream(
    request: broadcast_pb2.BroadcastRequest, submission: Submission, findings: Findings
) -> Submission:
    """What an upstream is to run: only that instance may have it, and nothing that it could not keep to."""
    for name in _NOT_UPSTREAM:
        if _is_set(request, name):
            findings.broke(name, "cannot be kept to by an upstream that runs the broadcast itself")
    for at, each in enumerate(request.audience.recipients):
        if each.HasField("schedule_time"):
            findings.broke(
                f"audience.recipients[{at}].schedule_time", "an upstream starts a broadcast for all at once"
            )
    return replace(submission, provider=request.upstream_provider)


def _is_set(request: broadcast_pb2.BroadcastRequest, name: str) -> bool:
    return any(descriptor.name == name for descriptor, _ in request.ListFields())


def stored_request(request: broadcast_pb2.BroadcastRequest) -> bytes:
    """The request as it is kept until the broadcast begins."""
    return request.SerializeToString()


def stored_wish(stored: bytes, account_id: int) -> Wish:
    """What was asked for by a request that was kept. Times that lie behind by now are no mistake."""
    return wish_of(broadcast_pb2.BroadcastRequest.FromString(stored), account_id, now_us=1 << 62)


def _as_send(request: broadcast_pb2.BroadcastRequest) -> send_pb2.SendRequest:
    fields = {
        descriptor.name: value for descriptor, value in request.ListFields() if descriptor.name in _AS_SENT
    }
    fields.setdefault("traffic", channel_pb2.TRAFFIC_PROMOTIONAL)
    return send_pb2.SendRequest(recipients=request.audience.recipients, **fields)


def _within_audience(violation: Violation) -> Violation:
    if violation.field.startswith("recipients"):
        return Violation(f"audience.{violation.field}", violation.rule)
    return violation


def _groups(given: Sequence[str], findings: Findings) -> tuple[int, ...]:
    if not findings.count("audience.group_ids", len(given), GROUPS_MAX):
        return ()
    numbers = [parse_id(text) for text in given]
    for at, number in enumerate(numbers):
        if number is None:
            findings.broke(f"audience.group_ids[{at}]", "is not an id: 13 characters of Crockford base32")
    return tuple(dict.fromkeys(number for number in numbers if number is not None))


def broadcast_number(text: str) -> int:
    """The broadcast that `text` names. Raises BrokerError where it cannot name any."""
    number = parse_id(text)
    if number is None:
        raise BrokerError(ErrorReason.BROADCAST_NOT_FOUND)
    return number


def broadcast_query_of(request: pb.ListBroadcastsRequest, account_id: int) -> tuple[BroadcastQuery, str]:
    """Which broadcasts to list, and the scope of that list's page tokens."""
    findings = Findings()
    states = frozenset(
        state
        for at, number in enumerate(request.states)
        if (state := findings.word(f"states[{at}]", number, BROADCAST_STATES)) is not None
    )
    scope = f"broadcasts {account_id} {sorted(states)}"
    position = page_position(request.page_token, scope, findings)
    page_size = page_size_of(request.page_size, findings)
    findings.refuse()
    before_id = None if position is None else parse_id(position)
    return BroadcastQuery(account_id, states, before_id, page_size), scope


def list_response(found: Sequence[Broadcast], query: BroadcastQuery, scope: str) -> pb.ListBroadcastsResponse:
    """A page, with the token of the next one where there may be one."""
    full = len(found) == query.page_size
    return pb.ListBroadcastsResponse(
        broadcasts=[broadcast_message(each) for each in found],
        next_page_token=page_token(format_id(found[-1].broadcast_id), scope) if full else "",
    )


def broadcast_message(
    broadcast: Broadcast, refusals: Sequence[tuple[Reason, int]] = (), upstream_id: str = ""
) -> broadcast_pb2.Broadcast:
    """A broadcast as callers see it."""
    progress = broadcast.progress
    return broadcast_pb2.Broadcast(
        broadcast_id=format_id(broadcast.broadcast_id),
        account_id=account_text(broadcast.account_id),
        name=broadcast.name,
        state=PB_BROADCAST_STATES[broadcast.state],
        expected=progress.expected,
        accepted=progress.accepted,
        refused=progress.refused,
        sent=progress.sent,
        delivered=progress.delivered,
        failed=progress.failed,
        start_time=optional_timestamp(broadcast.started_at_us),
        end_time=optional_timestamp(broadcast.ended_at_us),
        schedule_time=optional_timestamp(broadcast.schedule_at_us),
        messages_per_minute=broadcast.messages_per_minute,
        create_time=timestamp(broadcast.created_at_us),
        duplicates=progress.duplicates,
        refusals=[
            broadcast_pb2.BroadcastRefusals(reason=PB_REASONS[reason], recipients=count)
            for reason, count in refusals
        ],
        detail=broadcast.detail,
        upstream_provider=broadcast.upstream_provider,
        upstream_id=upstream_id,
    )


def broadcast_event(told: Mapping[str, Any]) -> event_pb2.BroadcastEvent:
    """What an event said of a broadcast."""
    broadcast, previous = broadcast_told(told)
    return event_pb2.BroadcastEvent(
        broadcast=broadcast_message(broadcast), previous_state=PB_BROADCAST_STATES[BroadcastState(previous)]
    )
