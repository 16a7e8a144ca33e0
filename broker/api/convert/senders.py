"""Senders: their requests, and what is registered, to protobuf and back."""

from collections.abc import Iterable, Sequence

from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.api.convert.times import timestamp
from broker.api.convert.words import (
    PB_SENDER_CAPABILITIES,
    PB_SENDER_KINDS,
    SENDER_CAPABILITIES,
    SENDER_KINDS,
)
from broker.domain.ids import format_id, parse_id
from broker.domain.sender import VALUE_CHARACTERS_MAX, Sender, SenderDraft
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import sender_pb2
from waypost.v1 import sender_service_pb2 as pb

VALUES_MAX = 100


def draft_of(given: sender_pb2.Sender) -> SenderDraft:
    """A sender as somebody asks for it. Raises BrokerError with every word that is none."""
    findings = Findings()
    findings.line("sender.value", given.value, VALUE_CHARACTERS_MAX)
    kind = findings.word("sender.kind", given.kind, SENDER_KINDS) if given.kind else None
    findings.text("sender.country", given.country, VALUE_CHARACTERS_MAX)
    capabilities = [
        findings.word(f"sender.capabilities[{index}]", each, SENDER_CAPABILITIES)
        for index, each in enumerate(given.capabilities[:VALUES_MAX])
    ]
    findings.count("sender.capabilities", len(given.capabilities), VALUES_MAX)
    findings.refuse()
    return SenderDraft(
        value=given.value,
        kind=kind,
        country=given.country,
        capabilities=frozenset(each for each in capabilities if each is not None),
        providers=tuple(given.providers),
        pool=given.pool,
        tags=tuple(given.tags),
        default=given.is_default,
    )


def sender_message(sender: Sender) -> sender_pb2.Sender:
    """A sender as it is registered."""
    return sender_pb2.Sender(
        sender_id=format_id(sender.sender_id),
        account_id=account_text(sender.account_id),
        value=sender.value,
        kind=PB_SENDER_KINDS[sender.kind],
        country=sender.country,
        capabilities=[PB_SENDER_CAPABILITIES[each] for each in sorted(sender.capabilities)],
        providers=sender.providers,
        pool=sender.pool,
        tags=sender.tags,
        is_default=sender.default,
        create_time=timestamp(sender.created_at_us),
    )


def sender_number(text: str) -> int:
    """The sender that a request names. What can be none is as unknown as one that is not there."""
    sender_id = parse_id(text)
    if sender_id is None:
        raise BrokerError(ErrorReason.SENDER_NOT_FOUND)
    return sender_id


def senders_page(
    request: pb.ListSendersRequest, account_id: int, senders: Sequence[Sender]
) -> pb.ListSendersResponse:
    """A page of those of an account's senders that are asked for. Raises BrokerError with every broken rule."""
    wanted, findings = request.filter, Findings()
    kinds = [findings.word(f"filter.kinds[{i}]", each, SENDER_KINDS) for i, each in enumerate(wanted.kinds)]
    able = [
        findings.word(f"filter.capabilities[{i}]", each, SENDER_CAPABILITIES)
        for i, each in enumerate(wanted.capabilities)
    ]
    for field in ("kinds", "capabilities", "countries", "pools", "tags", "values"):
        findings.count(f"filter.{field}", len(getattr(wanted, field)), VALUES_MAX)
    scope = f"senders {account_id} {wanted.SerializeToString(deterministic=True).hex()}"
    after = page_position(request.page_token, scope, findings)
    page_size = page_size_of(request.page_size, findings)
    findings.refuse()
    countries = [each.upper() for each in wanted.countries]
    tags = {each.strip().lower() for each in wanted.tags}
    fitting = [
        each
        for each in senders
        if _in(each.kind, kinds)
        and each.capabilities.issuperset(able)
        and _in(each.country, countries)
        and _in(each.pool, wanted.pools)
        and (not tags or not tags.isdisjoint(each.tags))
        and _in(each.value, wanted.values)
        and (after is None or format_id(each.sender_id) > after)
    ]
    page = fitting[:page_size]
    more = len(fitting) > page_size
    return pb.ListSendersResponse(
        senders=[sender_message(each) for each in page],
        next_page_token=page_token(format_id(page[-1].sender_id), scope) if more else "",
    )


def _in(found: object, wanted: Iterable[object]) -> bool:
    """Whether nothing is wanted, or this is among it."""
    wished = list(wanted)
    return not wished or found in wished
