"""Sending: messages → calls, answers → outcomes. Tables and pure functions; nothing here does any I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from broker import spi
from waypost_zoomconnect.exchange import Answer, Call, fields, identity
from waypost_zoomconnect.settings import Form, Refusal, ZoomConnectSettings

DATE_TO_SEND = "%Y%m%d%H%M"

INVALID = {2: spi.Reason.INVALID_RECIPIENT, 3: spi.Reason.CONTENT_UNSUPPORTED}
"""Codes of an answer 400: not a mobile number, an empty message. With them nothing was taken."""

NOT_TAKEN = frozenset({401, 403, 404, 429})
"""Statuses with which no message was taken: wrong credentials or address, too many requests."""

TOO_LONG = frozenset({413, 414})
"""The request was not read, as it is too long for ZoomConnect's server."""

REFUSALS: Mapping[Refusal, spi.Reason] = {
    Refusal.RECIPIENT: spi.Reason.INVALID_RECIPIENT,
    Refusal.CONTENT: spi.Reason.CONTENT_UNSUPPORTED,
    Refusal.OPTED_OUT: spi.Reason.OPTED_OUT,
    Refusal.REFUSED: spi.Reason.REFUSED_BY_PROVIDER,
}


def inexpressible(message: spi.OutboundMessage, settings: ZoomConnectSettings) -> spi.Rejected | None:
    """Why a message cannot be said to ZoomConnect; None where it can."""
    if message.content.get("subject"):
        return _refused(spi.Reason.CONTENT_UNSUPPORTED, "subject", "ZoomConnect has no subjects")
    if not message.text:
        return _refused(spi.Reason.CONTENT_UNSUPPORTED, "text", "ZoomConnect refuses an empty message")
    if message.sender not in {"", settings.number} and settings.other_senders == "refuse":
        return _refused(
            spi.Reason.INVALID_SENDER,
            "choice_of_sender",
            "ZoomConnect sends from its own number: leave the sender empty, or see other_senders of the settings",
        )
    return None


def _refused(reason: spi.Reason, field: str, rule: str) -> spi.Rejected:
    return spi.Rejected(reason, f"no_{field}", rule)


def calls(
    messages: Sequence[spi.OutboundMessage], settings: ZoomConnectSettings, now_us: int
) -> list[tuple[Call, Sequence[spi.OutboundMessage]]]:
    """The calls that hand messages over, each with the messages that it carries."""
    if settings.form is Form.BULK:
        return [(bulk_call(messages, settings, now_us), messages)] if messages else []
    return [(single_call(each, settings, now_us), [each]) for each in messages]


def bulk_call(messages: Sequence[spi.OutboundMessage], settings: ZoomConnectSettings, now_us: int) -> Call:
    """All of them in one call. The default date goes for all but those whose validity ends before it."""
    default = date_to_send(settings, now_us)
    documents = []
    for message in messages:
        own = date_to_send(settings, now_us, message.expire_at_us)
        documents.append(send_document(message, settings, own if own != default else ""))
    document: dict[str, Any] = {"sendSmsRequests": documents}
    if default:
        document["defaultDateToSend"] = default
    if settings.messages_per_minute:
        document["messagesPerMinute"] = settings.messages_per_minute
    return Call("POST", "sms/send-bulk", document=document)


def single_call(message: spi.OutboundMessage, settings: ZoomConnectSettings, now_us: int) -> Call:
    """One message in a call of its own."""
    date = date_to_send(settings, now_us, message.expire_at_us)
    document = send_document(message, settings, "" if date == minute(now_us, settings.zone) else date)
    if settings.form is Form.SEND:
        return Call("POST", "sms/send", document=document)
    if settings.form is Form.URL_PARAMETERS:
        return Call(settings.url_method, "sms/send-url-parameters", query=document)
    token = quote(settings.url_token.get_secret_value(), safe="")
    return Call(settings.url_method, f"sms/send-url/{token}", query=document, open=True)


def send_document(message: spi.OutboundMessage, settings: ZoomConnectSettings, date: str) -> dict[str, str]:
    """What ZoomConnect is told of a message; what there is none of is left out."""
    told = {
        "message": message.text,
        "campaign": campaign(message, settings),
        "recipientNumber": message.recipient,
        "dateToSend": date,
        "dataField": data_field(message, settings),
    }
    return {name: text for name, text in told.items() if text}


def campaign(message: spi.OutboundMessage, settings: ZoomConnectSettings) -> str:
    """The message's own campaign by its name, or its id where it has none; else that of the instance."""
    own = message.particulars.campaign
    return settings.campaign if own is None else own.name or own.id


def data_field(message: spi.OutboundMessage, settings: ZoomConnectSettings) -> str:
    """The extra data that comes back with replies; with the key in it, ZoomConnect can be asked for a message."""
    if settings.data_field == "key":
        return message.idempotency_key
    return message.client_reference if settings.data_field == "reference" else ""


def date_to_send(settings: ZoomConnectSettings, now_us: int, expire_at_us: int | None = None) -> str:
    """When ZoomConnect is to send what it is given now, by its own clock; empty: at once.

    It holds messages for `hold_s`, and none beyond its validity: the date is cut to its minute.
    """
    if not settings.hold_s:
        return ""
    until_us = now_us + settings.hold_s * 1_000_000
    if expire_at_us is not None:
        until_us = min(until_us, expire_at_us)
    return minute(until_us, settings.zone)


def minute(time_us: int, zone: ZoneInfo) -> str:
    """A moment as yyyyMMddHHmm, cut to its minute."""
    return datetime.fromtimestamp(time_us // 1_000_000, zone).strftime(DATE_TO_SEND)


def outcomes(answer: Answer, count: int, settings: ZoomConnectSettings, now_us: int) -> list[spi.Outcome]:
    """What an answer says of each of the `count` messages that the call carried."""
    if not answer.ok:
        return [_failure(answer, count, now_us)] * count
    if settings.form is not Form.BULK:
        return [_taken(answer.document, settings)]
    results = fields(answer.document).get("sendSmsResponses")
    if isinstance(results, list) and len(results) == count:
        return [_result(each, settings) for each in results]
    return [spi.Unknown("unreadable")] * count


def _taken(document: object, settings: ZoomConnectSettings) -> spi.Outcome:
    """One message's answer. What the forms with URLs answer is not printed: a result as of the others, or its id."""
    if isinstance(document, dict):
        return _result(document, settings)
    bare = identity(document)
    if bare.replace("-", "").isdigit():
        return spi.Accepted((bare,))
    return spi.Unknown("unreadable")


def _result(result: object, settings: ZoomConnectSettings) -> spi.Outcome:
    """One result. An error that no table knows is not quoted, for it may hold anything."""
    told = fields(result)
    found, error = identity(told.get("messageId")), told.get("error")
    if not error:
        return spi.Accepted((found,)) if found else spi.Unknown("unreadable")
    refusal = settings.refusal(error) if isinstance(error, str) and not found else None
    if refusal is None:
        return spi.Unknown(
            "error", "ZoomConnect answered an error that the settings do not list", about_message=True
        )
    if refusal is Refusal.LATER:
        return spi.NotAccepted(code=refusal.value)
    return spi.Rejected(REFUSALS[refusal], refusal.value, error[:1_000])


def _failure(answer: Answer, count: int, now_us: int) -> spi.Outcome:
    """What an answer without success says of every message of its call."""
    if answer.status in NOT_TAKEN:
        pause_s = (
            spi.retry_after_s(answer.headers.get("Retry-After"), now_us) if answer.status == 429 else None
        )
        return spi.NotAccepted(pause_s, answer.code)
    if answer.status in TOO_LONG:
        if count > 1:  # fewer at a time may fit
            return spi.NotAccepted(code=answer.code)
        return spi.Rejected(spi.Reason.CONTENT_UNSUPPORTED, answer.code, "too long for ZoomConnect's server")
    code = fields(answer.document).get("code") if answer.status == 400 else None
    # Of several messages nobody can tell which one is meant, nor whether the others were taken.
    if count == 1 and isinstance(code, int) and code in INVALID:
        return spi.Rejected(INVALID[code], f"{answer.code}_{code}")
    return spi.Unknown(answer.code)
