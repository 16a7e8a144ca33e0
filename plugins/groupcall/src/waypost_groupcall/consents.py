"""Opt-ins as Groupcall's documents: what it is told and asked, and what its answers mean. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from broker.spi import NotAccepted, OptInAnswer, OptInChange, OptInFound, OptInQuery, Unknown, retry_after_s
from waypost_groupcall.answers import NOT_PROCESSED, is_refusal, read_json, remark
from waypost_groupcall.settings import GroupcallSettings

Answer = OptInAnswer | NotAccepted | Unknown
Document = dict[str, Any]

NO_SHORT_CODE = OptInAnswer(
    accepted=False, code="no_short_code", text="short_codes has no incoming number for this sender"
)


def short_code(sender: str, settings: GroupcallSettings) -> str:
    """The incoming number that a sender's opt-ins belong to; empty where nobody has said."""
    if sender in settings.short_codes:
        return settings.short_codes[sender]
    return sender.removeprefix("+") if sender in settings.own_numbers else settings.short_code


def change_document(change: OptInChange, settings: GroupcallSettings) -> Document:
    """One wish, without credentials."""
    found = {
        **pair_document(change, settings),
        "Keyword": settings.opt_in_keyword if change.opted_in else settings.opt_out_keyword,
        "SchoolName": change.organisation_name,
        "RecipientName": change.recipient_name,
    }
    return {name: each for name, each in found.items() if each}


def pair_document(pair: OptInChange | OptInQuery, settings: GroupcallSettings) -> Document:
    """An incoming number and a recipient, as the document prints them: numbers without a plus."""
    return {
        "ShortCode": short_code(pair.sender, settings),
        "RecipientNumber": pair.recipient.removeprefix("+"),
    }


def credentials(settings: GroupcallSettings) -> Document:
    """The customer's, for opt-ins and usage. The sample prints its id as a number."""
    customer_id = settings.customer_id
    number = customer_id.isascii() and customer_id.isdigit() and not customer_id.startswith("0")
    return {
        "CustomerId": int(customer_id) if number else customer_id,
        "Password": settings.password.get_secret_value(),
    }


def collection_document(changes: Sequence[OptInChange], settings: GroupcallSettings) -> Document:
    """Several wishes as one request, without credentials."""
    return {settings.name_of("opt_ins"): [change_document(each, settings) for each in changes]}


def answer(
    status: int,
    headers: Mapping[str, str],
    document: object,
    change: OptInChange,
    settings: GroupcallSettings,
    now_us: int,
) -> Answer:
    """What an answer says of a wish. Only a state that is the one wished for says that it was taken."""
    if status == 200:
        return _told(document, change, settings)
    code = f"http_{status}"
    if is_refusal(status):
        return OptInAnswer(accepted=False, code=code, text="Groupcall refuses what the request says")
    if status in NOT_PROCESSED:
        pause_s = retry_after_s(headers.get("Retry-After"), now_us) if status == 429 else None
        return NotAccepted(pause_s, code, NOT_PROCESSED[status])
    return Unknown(code)


def collected(document: object, changes: Sequence[OptInChange], settings: GroupcallSettings) -> list[Answer]:
    """What the answer to a collection says of each: by number and recipient, or by its place."""
    results = document if isinstance(document, list) else []
    by_pair: dict[tuple[str, str], object] = {
        (str(each.get("ShortCode")), str(each.get("RecipientNumber"))): each
        for each in results
        if isinstance(each, dict)
    }
    pairs = [tuple(pair_document(each, settings).values()) for each in changes]
    return [
        _told(by_pair[pair], change, settings) if pair in by_pair else Unknown("no_result")
        for pair, change in zip(pairs, changes, strict=True)
    ]


def found(status: int, body: bytes, settings: GroupcallSettings) -> OptInFound | Unknown:
    """What Groupcall keeps about a recipient."""
    document = read_json(body)
    if status != 200 or not isinstance(document, dict) or "IsOptedIn" not in document:
        return Unknown(f"http_{status}" if status != 200 else "unreadable")
    kept = document["IsOptedIn"]
    if kept is None:
        return OptInFound(None)
    state = _state(kept)
    if state is None:
        return Unknown("unreadable")
    return OptInFound(state, text=remark(document.get("Message"), settings.secrets))


def _told(document: object, change: OptInChange, settings: GroupcallSettings) -> Answer:
    state = _state(document.get("IsOptedIn")) if isinstance(document, dict) else None
    if state is None or not isinstance(document, dict):
        return Unknown("unreadable")
    text = remark(document.get("Message"), settings.secrets)
    if state is change.opted_in:
        return OptInAnswer(accepted=True, code="opted_in" if state else "opted_out", text=text)
    return OptInAnswer(accepted=False, code="state_differs", text=text)


def _state(written: object) -> bool | None:
    """IsOptedIn, which the sample prints as a number."""
    return {0: False, 1: True}.get(written) if isinstance(written, int) else None
