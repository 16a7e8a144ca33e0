"""Keywords, to and from protobuf."""

from waypost.keywords import Keyword, KeywordFields, KeywordOffer
from waypost.v1 import keyword_pb2 as pb
from waypost.wire.sends import price_of
from waypost.wire.times import time_of
from waypost.wire.words import CALLBACK_METHODS


def configure_request(
    sender: str, keyword: str, account_id: str, fields: KeywordFields
) -> pb.ConfigureKeywordRequest:
    """What is to change. Raises TypeError for what a keyword does not have."""
    if unknown := fields.keys() - KeywordFields.__annotations__.keys():
        raise TypeError(f"a keyword has no {min(unknown)!r}; see KeywordFields")
    given = {name: value for name, value in fields.items() if name != "callback_method"}
    return pb.ConfigureKeywordRequest(
        account_id=account_id,
        sender=sender,
        keyword=keyword,
        callback_method=CALLBACK_METHODS.number(fields.get("callback_method")),
        **given,  # type: ignore[arg-type]  # names and types are those of KeywordFields
    )


def keyword_of(keyword: pb.Keyword) -> Keyword:
    """A keyword."""
    return Keyword(
        account_id=keyword.account_id,
        sender=keyword.sender,
        keyword=keyword.keyword,
        group_id=keyword.group_id,
        autoreply=keyword.autoreply,
        forward_to_email=keyword.forward_to_email,
        callback_url=keyword.callback_url,
        callback_method=CALLBACK_METHODS.word(keyword.callback_method),
        send_unique=keyword.send_unique,
        rent_time=time_of(keyword.rent_time),
        price=price_of(keyword.price) if keyword.HasField("price") else None,
    )


def offer_of(answer: pb.CheckKeywordResponse) -> KeywordOffer:
    """Whether a keyword is to be had."""
    return KeywordOffer(
        available=answer.available, price=price_of(answer.price) if answer.HasField("price") else None
    )
