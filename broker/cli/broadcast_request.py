"""Wishes of `waypost broadcast send` → a BroadcastRequest."""

from collections.abc import Sequence

from broker.cli.recipients import Row, row_of_address
from broker.cli.requests import RECIPIENTS_MAX, Wishes, plan_requests
from waypost.v1 import broadcast_pb2

_SOMEBODY = Row(contact="somebody")
"""Stands for those whom a file or a group brings: the content is made for phones, and for mailboxes with a subject."""


def request_of(wishes: Wishes, to: Sequence[str], groups: Sequence[str]) -> broadcast_pb2.BroadcastRequest:
    """The request, without what a file brings."""
    rows = [row_of_address(each) for each in to]
    named = plan_requests([*rows[: RECIPIENTS_MAX - 1], _SOMEBODY], wishes)[0].request
    fields = {
        descriptor.name: given
        for descriptor, given in named.ListFields()
        if descriptor.name in broadcast_pb2.BroadcastRequest.DESCRIPTOR.fields_by_name
    }
    request = broadcast_pb2.BroadcastRequest(**fields)
    for row in rows:
        request.audience.recipients.add(phone_number=row.phone_number, email=row.email)
    request.audience.group_ids.extend(groups)
    return request
