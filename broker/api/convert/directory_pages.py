"""Which contacts and groups to list: filters, pages, and the tokens that lead from one to the next."""

from broker.api.convert.directory import (
    EXTERNAL_ID_CHARACTERS_MAX,
    MAILBOX_RULE,
    NAME_CHARACTERS_MAX,
    NO_ID,
    NUMBER_RULE,
)
from broker.api.convert.findings import Findings
from broker.api.convert.paging import page_position, page_size_of, page_token
from broker.delivery.directory import ContactQuery, GroupQuery, Place
from broker.domain.address import normal_mailbox, normal_number
from broker.domain.directory import ContactFilter, GroupFilter, folded
from broker.domain.ids import format_id, parse_id
from waypost.v1 import directory_pb2 as pb
from waypost.v1 import directory_service_pb2 as service_pb


def contact_query_of(request: service_pb.ListContactsRequest, account_id: int, region: str) -> ContactQuery:
    """Which contacts to list; `region` is whose national numbers are taken.

    Raises BrokerError with every rule that the request breaks.
    """
    findings = Findings()
    wanted = _contact_filter(request.filter, findings, region)
    query = ContactQuery(
        account_id,
        wanted,
        _place(request.page_token, contact_scope(account_id, wanted), findings),
        page_size_of(request.page_size, findings),
    )
    findings.refuse()
    return query


def member_query_of(
    request: service_pb.ListGroupMembersRequest, account_id: int, group_id: int
) -> ContactQuery:
    """The members of a group. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    wanted = ContactFilter(group_id=group_id)
    query = ContactQuery(
        account_id,
        wanted,
        _place(request.page_token, contact_scope(account_id, wanted), findings),
        page_size_of(request.page_size, findings),
    )
    findings.refuse()
    return query


def group_query_of(request: service_pb.ListGroupsRequest, account_id: int) -> GroupQuery:
    """Which groups to list. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    wanted = GroupFilter(
        name_prefix=_name_prefix(request.filter.name_prefix, findings),
        contact_id=_id("filter.contact_id", request.filter.contact_id, findings),
    )
    query = GroupQuery(
        account_id,
        wanted,
        _place(request.page_token, group_scope(account_id, wanted), findings),
        page_size_of(request.page_size, findings),
    )
    findings.refuse()
    return query


def contact_token(place: Place | None, query: ContactQuery) -> str:
    """The token of the next page; empty where there is none."""
    return _token(place, contact_scope(query.account_id, query.wanted))


def group_token(place: Place | None, query: GroupQuery) -> str:
    """The token of the next page; empty where there is none."""
    return _token(place, group_scope(query.account_id, query.wanted))


def contact_scope(account_id: int, wanted: ContactFilter) -> str:
    """What a page token of contacts is good for: this account and this filter."""
    return f"contacts {account_id} {wanted}"


def group_scope(account_id: int, wanted: GroupFilter) -> str:
    """What a page token of groups is good for: this account and this filter."""
    return f"groups {account_id} {wanted}"


def _token(place: Place | None, scope: str) -> str:
    return "" if place is None else page_token(f"{format_id(place.last_id)}{place.name}", scope)


def _place(token: str, scope: str, findings: Findings) -> Place | None:
    position = page_position(token, scope, findings)
    last_id = None if position is None else parse_id(position[:_ID_CHARACTERS])
    return None if position is None or last_id is None else Place(last_id, position[_ID_CHARACTERS:])


_ID_CHARACTERS = len(format_id(0))


def _contact_filter(given: pb.ContactFilter, findings: Findings, region: str) -> ContactFilter:
    number = normal_number(given.phone_number, region)
    if given.phone_number and number is None:
        findings.broke("filter.phone_number", NUMBER_RULE)
    mailbox = normal_mailbox(given.email)
    if given.email and mailbox is None:
        findings.broke("filter.email", MAILBOX_RULE)
    findings.line("filter.external_id", given.external_id, EXTERNAL_ID_CHARACTERS_MAX)
    return ContactFilter(
        name_prefix=_name_prefix(given.name_prefix, findings),
        external_id=given.external_id,
        phone_number=number or "",
        email=mailbox or "",
        group_id=_id("filter.group_id", given.group_id, findings),
    )


def _name_prefix(given: str, findings: Findings) -> str:
    findings.line("filter.name_prefix", given, NAME_CHARACTERS_MAX)
    prefix = folded(given)
    if given and not prefix:
        findings.broke("filter.name_prefix", "must not be blank")
    return prefix


def _id(field: str, text: str, findings: Findings) -> int | None:
    number = parse_id(text) if text else None
    if text and number is None:
        findings.broke(field, NO_ID)
    return number
