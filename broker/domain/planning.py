"""Intake's decisions: what becomes of each recipient of a submission, before anything is stored."""

from collections.abc import Mapping, Sequence

from broker.domain.admission import held_to_policy
from broker.domain.carrying import Carried, SenderRefused
from broker.domain.encoding import Encoding, Measure, measure
from broker.domain.fallback import PlannedWay
from broker.domain.fingerprint import fingerprint
from broker.domain.grounds import Grounds
from broker.domain.lifecycle import Fact, begin
from broker.domain.linking import Addressed, LinksRefused, NewLink, plan_links, with_link_rule
from broker.domain.personalising import (
    Refused,
    Said,
    TextsBroken,
    TooManyUnits,
    as_said,
    personalise,
    persons,
)
from broker.domain.plan import Plan, PlannedMessage
from broker.domain.price import Price
from broker.domain.prices import Prices, Quote
from broker.domain.prices import Way as PricedWay
from broker.domain.reaching import Reached
from broker.domain.style import StyleClasses, StyleRefused, dress
from broker.domain.submission import Result, Submission
from broker.domain.validity import validity_us
from broker.domain.vocabulary import Channel, Reason, Traffic
from broker.domain.ways import Usable, Way, offered_channels, way_of, way_to

SCHEDULE_SLACK_US = 1_000_000
"""A schedule_time this near is sent at once."""

# This runs for every message, and to look a member up in its enumeration costs as much as a call.
_SMS, _EMAIL, _UCS2 = Channel.SMS, Channel.EMAIL, Encoding.UCS2
_PROMOTIONAL = Traffic.PROMOTIONAL
_ACCEPTED, _SCHEDULED, _REFUSED = begin(Fact.ACCEPTED), begin(Fact.SCHEDULED), begin(Fact.REFUSED)


def plan(
    submission: Submission,
    ids: Sequence[int],
    grounds: Grounds,
    people: Sequence[Reached] | None = None,
) -> Plan | Refused | StyleRefused | LinksRefused:
    """Decide everything about a submission. `ids` holds one for it and one for each message.

    `people` are whom it reaches where it names contacts; else each recipient gets a message.
    """
    print_ = fingerprint(submission) if submission.request_id else ""
    linked = with_link_rule(submission, grounds.policy)
    if isinstance(linked, LinksRefused):
        return linked
    submission = linked
    said: list[Said] | None = None
    if submission.content.names or _EMAIL in submission.content.documents:
        worded = _word(submission, people, grounds.units_max, grounds.style_classes)
        if not isinstance(worded, tuple):
            return worded
        submission, said = worded
    stored = submission
    if said is None:
        submission = as_said(submission)
    text = _measure_text(submission) if said is None else None
    if text is not None and text.units > grounds.units_max:
        return TooManyUnits(text.units, grounds.units_max)
    offered = offered_channels(submission, grounds.policy)
    if said is not None:
        messages = _plan_said(said, ids, offered, people, grounds)
    else:
        messages = _plan_alike(submission, ids, offered, people, grounds, text)
    if grounds.policy.quiet_hours is not None or submission.cap_frequency:
        messages = held_to_policy(messages, submission, people, grounds.policy, grounds.now_us)
    links = _plan_links(stored, messages, grounds) if stored.content.links else ()
    if isinstance(links, TextsBroken):
        return links
    return Plan(
        ids[0],
        stored,
        grounds.now_us,
        print_,
        tuple(messages),
        grounds.route_version,
        grounds.policy.enforce_credit,
        links,
        grounds.policy.frequency_cap if submission.traffic is _PROMOTIONAL else None,
    )


def _plan_links(
    submission: Submission, messages: Sequence[PlannedMessage], grounds: Grounds
) -> tuple[NewLink, ...] | TextsBroken:
    """Codes for the links of those who get a message, on each channel that they may get it on."""
    addressed = [
        Addressed(
            each.message_id,
            each.result.recipient_index,
            (each.result.channel, *[way.channel for way in each.further]),
            each.tokens,
        )
        for each in messages
        if each.result.channel is not None and not each.step.end
    ]
    return plan_links(submission, addressed, grounds.draw_code)


def _word(
    submission: Submission, people: Sequence[Reached] | None, units_max: int, style_classes: StyleClasses
) -> tuple[Submission, list[Said] | None] | Refused | StyleRefused:
    """The submission in its own words: dressed, and filled in for all, or with what each person is told."""
    dressed = dress(submission, style_classes)
    if isinstance(dressed, StyleRefused) or not dressed.content.names:
        return dressed if isinstance(dressed, StyleRefused) else (dressed, None)
    answer = personalise(dressed, persons(dressed, people), units_max)
    if isinstance(answer, list):
        return dressed, answer
    return (answer, None) if isinstance(answer, Submission) else answer


def _plan_alike(
    submission: Submission,
    ids: Sequence[int],
    offered: list[Channel],
    people: Sequence[Reached] | None,
    grounds: Grounds,
    text: Measure | None,
) -> list[PlannedMessage]:
    """The messages where all are told the same."""
    messages: list[PlannedMessage] = []
    if people is None:
        for index, recipient in enumerate(submission.recipients):
            message_id = ids[index + 1]
            way = way_of(submission, offered, recipient, message_id, grounds)
            messages.append(_plan_one(submission, index, message_id, way, text, grounds))
        return messages
    for message_id, one in zip(ids[1:], people, strict=True):
        way = way_to(submission, offered, one, message_id, grounds)
        index, contact_id = one.recipient_index, one.contact_id
        messages.append(_plan_one(submission, index, message_id, way, text, grounds, contact_id))
    return messages


def _plan_said(
    said: Sequence[Said],
    ids: Sequence[int],
    offered: list[Channel],
    people: Sequence[Reached] | None,
    grounds: Grounds,
) -> list[PlannedMessage]:
    """The messages where each person is told something else."""
    messages = []
    for place, (message_id, own) in enumerate(zip(ids[1:], said, strict=True)):
        asked = own.submission
        if people is None:
            index, contact_id = place, None
            way = way_of(asked, offered, asked.recipients[place], message_id, grounds)
        else:
            index, contact_id = people[place].recipient_index, people[place].contact_id
            way = way_to(asked, offered, people[place], message_id, grounds)
        messages.append(_plan_one(asked, index, message_id, way, own.text, grounds, contact_id, own.tokens))
    return messages


def _measure_text(submission: Submission) -> Measure | None:
    """What the text needs on the one channel where that is counted; None without content for it."""
    content = submission.content
    return measure(content.text_on(_SMS)) if _SMS in content.documents else None


def _plan_one(
    submission: Submission,
    index: int,
    message_id: int,
    way: Way,
    text: Measure | None,
    grounds: Grounds,
    contact_id: int | None = None,
    tokens: Mapping[str, str] | None = None,
) -> PlannedMessage:
    channel, address, found, rest = way
    now_us = grounds.now_us
    if submission.refused_for is not None:
        found, rest = submission.refused_for, ()
    recipient = submission.recipients[index]
    wished_us = submission.schedule_at_us if recipient.schedule_at_us is None else recipient.schedule_at_us
    later = wished_us is not None and wished_us > now_us + SCHEDULE_SLACK_US
    transmit_at_us = wished_us if wished_us is not None and later else now_us
    candidates: tuple[str, ...] = ()
    reason: Reason | None = None
    detail, sender = "", None
    if isinstance(found, tuple):
        step, candidates = _SCHEDULED if later else _ACCEPTED, found
    elif isinstance(found, Carried):
        step, candidates, sender = _SCHEDULED if later else _ACCEPTED, found.candidates, found.sender
    elif isinstance(found, SenderRefused):
        step, reason, detail = _REFUSED, found.reason, found.detail
    else:
        step, reason, detail = _REFUSED, found, submission.refusal_detail or found.value
    size = text if channel is _SMS else None
    units = 1 if size is None else size.units
    further = tuple([_further(each, text) for each in rest]) if rest else ()
    quote = None
    if candidates and channel is not None and not grounds.prices.free:
        quote = _quote(grounds.prices, (candidates, channel, address, units), further)
    # In the order of the fields: by name it takes three times as long.
    result = Result(
        index,
        None if submission.validate_only else message_id,
        step.state,
        address,
        channel,
        transmit_at_us,
        recipient.client_reference or submission.client_reference,
        units,
        None if size is None else size.encoding,
        reason,
        detail,
        () if size is None or size.encoding is not _UCS2 else _costs_more(size),
        contact_id,
        tuple([each.channel for each in further]) if further else (),
        submission.sender if sender is None else sender,
        None if quote is None else Price(quote.micros, grounds.prices.currency),
    )
    expire_at_us = transmit_at_us + validity_us(submission)
    return PlannedMessage(
        message_id,
        step,
        result,
        expire_at_us,
        recipient.data or submission.data,
        candidates,
        tokens,
        further,
        (),
        quote,
        sender,
    )


def _quote(prices: Prices, way: PricedWay, further: Sequence[PlannedWay]) -> Quote | None:
    """What a message costs that may be sent; None where no rule fits it."""
    return prices.quote(
        way, *[(each.candidates, each.channel, each.recipient, each.units) for each in further]
    )


def _further(way: Usable, text: Measure | None) -> PlannedWay:
    channel, address, found = way
    candidates, sender = (found.candidates, found.sender) if isinstance(found, Carried) else (found, None)
    size = text if channel is _SMS else None
    units, encoding = (1, None) if size is None else (size.units, size.encoding)
    return PlannedWay(channel, address, candidates, units, encoding, sender)


def _costs_more(size: Measure) -> tuple[str, ...]:
    return (f"encoded as UCS-2: {size.units} part{'s' if size.units > 1 else ''}",)
