"""Opt-ins: what the client's caller says, and what the broker answers."""

from collections.abc import Iterable

from waypost.consent import OptIn, UpstreamOptIn
from waypost.v1 import consent_service_pb2, opt_in_pb2
from waypost.vocabulary import OptInState
from waypost.wire.times import time_of
from waypost.wire.words import OPT_IN_STATES


def opt_in_message(
    wish: OptInState | str,
    recipients: Iterable[str],
    *,
    sender: str,
    everywhere: bool,
    evidence: str,
    organisation_name: str,
    account_id: str,
) -> opt_in_pb2.OptInRequest:
    """The same wish of one or many. A str that is no state is a keyword."""
    request = opt_in_pb2.OptInRequest(account_id=account_id)
    for recipient in recipients:
        entry = request.entries.add(
            sender=sender,
            recipient=recipient,
            scope=opt_in_pb2.OPT_IN_SCOPE_GLOBAL if everywhere else opt_in_pb2.OPT_IN_SCOPE_UNSPECIFIED,
            evidence=evidence,
            organisation_name=organisation_name,
        )
        if isinstance(wish, OptInState):
            entry.state = OPT_IN_STATES.number(wish)
        else:
            entry.keyword = wish
    return request


def list_opt_ins_message(
    sender: str | None, recipient: str, states: Iterable[OptInState], *, page_size: int, account_id: str
) -> consent_service_pb2.ListOptInsRequest:
    """The first page of a list."""
    return consent_service_pb2.ListOptInsRequest(
        account_id=account_id,
        filter=consent_service_pb2.OptInFilter(
            sender=sender, recipient=recipient, states=[OPT_IN_STATES.number(each) for each in states]
        ),
        page_size=page_size,
    )


def opt_in_of(record: opt_in_pb2.OptInRecord) -> OptIn:
    """What is in force."""
    return OptIn(
        sender=record.sender,
        recipient=record.recipient,
        state=OPT_IN_STATES.word(record.state),
        since=time_of(record.since) if record.HasField("since") else None,
        message=record.message,
        upstream=tuple(
            UpstreamOptIn(
                provider=each.provider,
                pending=each.pending,
                accepted=each.accepted,
                code=each.code,
                text=each.text,
                answer_time=time_of(each.answer_time) if each.HasField("answer_time") else None,
            )
            for each in record.upstream
        ),
    )
