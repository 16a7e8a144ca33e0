"""Keywords: requests → what is to be done, each wrong field with a reason of its own, and keywords → protobuf."""

from __future__ import annotations  # ValueType is a name of the stubs alone

from collections.abc import Callable, Mapping

from broker.api.convert.ids import account_text
from broker.api.convert.prices import price_message
from broker.api.convert.times import timestamp
from broker.api.convert.words import CALLBACK_METHODS, PB_CALLBACK_METHODS
from broker.domain.address import normal_mailbox, sender_fits
from broker.domain.callback_url import CallbackMethod, callback_host_problem, callback_url_problem
from broker.domain.ids import format_id, parse_id
from broker.domain.inbound import normal_correspondent
from broker.domain.keyword import Keyword, autoreply_problem, keyword_problem, plain_keyword
from broker.domain.network import AddressPolicy
from broker.domain.vocabulary import Channel
from broker.errors import BrokerError, ErrorReason, Violation
from broker.storage.keywords import KeywordName
from waypost.v1 import keyword_pb2 as pb

Problem = Callable[[str], str | None]
SENDER_RULE = 'must be a number in E.164, as "+447700900123", or a short code of 3 to 8 digits'

Named = pb.CheckKeywordRequest | pb.RentKeywordRequest | pb.ConfigureKeywordRequest | pb.ReleaseKeywordRequest


def keyword_name_of(request: Named, account_id: int) -> KeywordName:
    """Which keyword a request is about. Raises BrokerError INVALID_REQUEST, KEYWORD_INVALID."""
    sender = sender_of(request.sender)
    problem = keyword_problem(request.keyword)
    if problem is not None:
        raise _wrong(ErrorReason.KEYWORD_INVALID, "keyword", problem)
    return KeywordName(account_id, sender, plain_keyword(request.keyword))


def sender_of(written: str) -> str:
    """An address that people can text to, in normal form. Raises BrokerError INVALID_REQUEST."""
    sender = normal_correspondent(written)
    if not sender or not sender_fits(sender, Channel.SMS) or not sender.lstrip("+").isdigit():
        raise _wrong(ErrorReason.INVALID_REQUEST, "sender", SENDER_RULE)
    return sender


def keyword_fields_of(
    request: pb.ConfigureKeywordRequest, old: Keyword, network: AddressPolicy
) -> Mapping[str, object]:
    """The fields of a keyword that a request sets. Raises BrokerError for the first that is wrong."""
    fields: dict[str, object] = {}
    if request.HasField("group_id"):
        fields["group_id"] = _group(request.group_id)
    if request.HasField("autoreply"):
        fields["autoreply"] = _checked(
            "autoreply", request.autoreply, ErrorReason.KEYWORD_AUTOREPLY_INVALID, autoreply_problem
        )
    if request.HasField("forward_to_email"):
        fields["forward_to"] = _mailbox(request.forward_to_email)
    method = CALLBACK_METHODS.get(request.callback_method)
    if method is None:
        raise _wrong(ErrorReason.INVALID_REQUEST, "callback_method", "is none of POST, GET")
    if request.callback_method:
        fields["callback_method"] = method
    else:
        method = old.callback_method
    url = request.callback_url if request.HasField("callback_url") else old.callback_url
    if url:
        _checked("callback_url", url, ErrorReason.KEYWORD_URL_INVALID, _url_problem(method, network))
    fields["callback_url"] = url
    if request.HasField("send_unique"):
        fields["send_unique"] = request.send_unique
    return fields


def _group(text: str) -> int | None:
    if not text:
        return None
    group_id = parse_id(text)
    if group_id is None:
        raise _wrong(ErrorReason.KEYWORD_GROUP_INVALID, "group_id", "names no group of the account")
    return group_id


def _mailbox(text: str) -> str:
    mailbox = normal_mailbox(text)
    if text and mailbox is None:
        rule = 'must be a mailbox, as "ada@example.org"'
        raise _wrong(ErrorReason.KEYWORD_EMAIL_INVALID, "forward_to_email", rule)
    return mailbox or ""


def _url_problem(method: CallbackMethod, network: AddressPolicy) -> Problem:
    return lambda url: callback_url_problem(url, method) or callback_host_problem(url, network)


def _checked(field: str, given: str, reason: ErrorReason, problem_of: Problem) -> str:
    problem = problem_of(given)
    if problem is not None:
        raise _wrong(reason, field, problem)
    return given


def _wrong(reason: ErrorReason, field: str, rule: str) -> BrokerError:
    return BrokerError(reason, violations=[Violation(field, rule)])


def keyword_message(keyword: Keyword) -> pb.Keyword:
    """A keyword as it is set up."""
    return pb.Keyword(
        account_id=account_text(keyword.account_id),
        sender=keyword.sender,
        keyword=keyword.shown,
        group_id="" if keyword.group_id is None else format_id(keyword.group_id),
        autoreply=keyword.autoreply,
        forward_to_email=keyword.forward_to,
        callback_url=keyword.callback_url,
        callback_method=PB_CALLBACK_METHODS[keyword.callback_method],
        send_unique=keyword.send_unique,
        rent_time=timestamp(keyword.rented_at_us),
        price=price_message(keyword.paid),
    )
