"""Messages as Groupcall's documents: what is refused here, and what is asked of it in which requests.

Pure. The names of fields are written as the document prints them, which differs from one operation to the next.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from broker.spi import Channel, NotAccepted, OutboundMessage, Reason, Rejected
from waypost_groupcall.settings import Customer, GroupcallSettings
from waypost_groupcall.words import PLACEHOLDERS, Endpoint

Document = dict[str, Any]

SEND_TO_RECIPIENT = 0
"""SendTo: the recipient itself. The broker's own directory has found out who that is."""

ALPHANUMERIC = re.compile(r"[A-Za-z0-9]{3,11}")
TOKEN = re.compile(r"\$(?=(\w{1,64})\$)")
"""What Groupcall would take for a placeholder; a dollar may end one and begin the next."""

DOMESTIC = "+1"
"""Region code 1, where the account's own toll-free number may send to."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One request: where it goes, what it says, and which messages of the batch it holds, by their places."""

    endpoint: Endpoint
    document: Document
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One message as an element of messageData; `style_class` is the partner's, at the root.

    Customers do not share requests: where one of them may not send, the others' messages go all the same.
    """

    endpoint: Endpoint
    fields: Document
    style_class: str
    customer_id: str
    place: int


def refusal(message: OutboundMessage, settings: GroupcallSettings) -> Rejected | NotAccepted | None:
    """Why a message cannot be handed over at all, by the document's own rules; None where it can."""
    if settings.customer_of(message.account_id) is None:
        text = "customers has no customer for this account"
        return NotAccepted(code="no_customer", text=text, about_message=True)
    if message.channel is Channel.SMS:
        return _sms_refusal(message, settings)
    if message.channel is Channel.EMAIL:
        return _email_refusal(message, settings)
    return None


def requests(
    messages: Mapping[int, OutboundMessage], settings: GroupcallSettings, callback_url: str
) -> list[SendRequest]:
    """The requests that hand these messages over, by their places in the batch."""
    alone: list[SendRequest] = []
    together: dict[tuple[Endpoint, str, str], list[_Entry]] = {}
    for place, message in messages.items():
        entry = _entry(place, message, settings, callback_url)
        if _in_array(entry.endpoint, settings):
            root = (entry.endpoint, entry.style_class, entry.customer_id)
            together.setdefault(root, []).append(entry)
        else:
            alone.append(SendRequest(entry.endpoint, entry.fields, (place,)))
    return alone + [_request(entries, settings) for entries in together.values()]


def split(request: SendRequest, settings: GroupcallSettings) -> list[SendRequest]:
    """A request of several messages as one request for each."""
    array = settings.name_of("message_data")
    return [
        SendRequest(request.endpoint, {**request.document, array: [fields]}, (place,))
        for fields, place in zip(request.document[array], request.places, strict=True)
    ]


def callback_address(callback_url: str, settings: GroupcallSettings) -> str:
    """The address that Groupcall calls with statuses; empty where there is none.

    Its own parameters, as `id` and `estab` of the callback testing site, are kept beside the placeholders.
    """
    if not callback_url or settings.receipts == "none":
        return ""
    query = [urlencode(settings.callback_extra, quote_via=quote)] if settings.callback_extra else []
    if settings.callback_parameters == "placeholders":
        query += [f"{name}={{{name}}}" for name in PLACEHOLDERS]
    return f"{callback_url}?{'&'.join(query)}" if query else callback_url


def _sms_refusal(message: OutboundMessage, settings: GroupcallSettings) -> Rejected | None:
    if message.units > settings.units_max:
        text = f"Groupcall takes {settings.units_max} units a message, this needs {message.units}"
        return Rejected(Reason.CONTENT_UNSUPPORTED, "too_many_units", text)
    named = message.sender and message.sender not in settings.own_numbers
    if named and not ALPHANUMERIC.fullmatch(message.sender):
        text = "SMSSender is 3 to 11 letters and digits, or the sender is one of own_numbers"
        return Rejected(Reason.INVALID_SENDER, "sms_sender", text)
    if not (_sms_sender(message, settings) or message.recipient.startswith(DOMESTIC)):
        text = "SMSSender is required outside region 1: give an alphanumeric sender, or set sms_sender"
        return Rejected(Reason.INVALID_SENDER, "sms_sender_required", text)
    return None


def _sms_sender(message: OutboundMessage, settings: GroupcallSettings) -> str:
    """SMSSender; empty where the account's own number sends."""
    if not message.sender:
        return settings.sms_sender
    return "" if message.sender in settings.own_numbers else message.sender


def _email_refusal(message: OutboundMessage, settings: GroupcallSettings) -> Rejected | None:
    if not (message.content.get("style_class") or settings.style_class):
        text = "styleClass is required: give email.style_class, or set style_class"
        return Rejected(Reason.CONTENT_UNSUPPORTED, "style_class_required", text)
    for each in message.content.get("attachments", ()):
        if each.get("inline"):
            text = "email.attachments.inline: Groupcall has attachments only"
            return Rejected(Reason.CONTENT_UNSUPPORTED, "inline_attachment", text)
        if not each.get("data"):
            text = "email.attachments.url: Groupcall fetches nothing, give the data"
            return Rejected(Reason.CONTENT_UNSUPPORTED, "attachment_url", text)
    return None


def _in_array(endpoint: Endpoint, settings: GroupcallSettings) -> bool:
    """Whether messages are elements of messageData.

    A partner's always are. Of a customer's, the document prints those of an email and of multi-content so, and the
    fields of an SMS at the root.
    """
    if settings.partner or settings.message_data == "always":
        return True
    return settings.message_data == "as_printed" and endpoint is not Endpoint.SMS


def _request(entries: Sequence[_Entry], settings: GroupcallSettings) -> SendRequest:
    document: Document = {settings.name_of("message_data"): [each.fields for each in entries]}
    if settings.partner:
        document = {"PartnerKey": settings.partner_key.get_secret_value(), **document}
        if entries[0].style_class:
            document["styleClass"] = entries[0].style_class
    return SendRequest(entries[0].endpoint, document, tuple(each.place for each in entries))


def _entry(place: int, message: OutboundMessage, settings: GroupcallSettings, callback_url: str) -> _Entry:
    endpoint = _endpoint(message.channel, settings)
    said = _said(message, endpoint, settings)
    customer = settings.customer_of(message.account_id)
    assert customer is not None
    style_class = str(message.content.get("style_class") or settings.style_class)
    sms = endpoint is Endpoint.SMS
    fields = {
        **_credentials(customer, settings, sms=sms),
        **said,
        settings.name_of("recipients"): [_recipient(message, settings)],
        settings.name_of("client_ref") if sms else "clientRef": message.idempotency_key,
    }
    if address := callback_address(callback_url, settings):
        fields["CallbackUrl" if sms else "callbackUrl"] = address
    if style_class and not (sms or settings.partner):
        fields["styleClass"] = style_class
    if tokens := _literal_tokens(said.values()):
        fields[settings.name_of("tokens")] = tokens
    return _Entry(endpoint, fields, "" if sms else style_class, customer.customer_id, place)


def _endpoint(channel: Channel, settings: GroupcallSettings) -> Endpoint:
    """A partner's messages go by the one operation that prints its form, unless the settings say otherwise."""
    by_multi = settings.partner if settings.multi_content is None else settings.multi_content
    if by_multi or channel in {Channel.PUSH, Channel.IN_APP}:
        return Endpoint.MULTI
    return Endpoint.SMS if channel is Channel.SMS else Endpoint.EMAIL


def _credentials(customer: Customer, settings: GroupcallSettings, *, sms: bool) -> Document:
    password = customer.password.get_secret_value()
    found: Document = {} if settings.partner else {"UserName" if sms else "userName": settings.user_name}
    found["CustomerId" if sms else "customerId"] = customer.customer_id
    if password:
        found["Password" if sms else "password"] = password
    return found


def _recipient(message: OutboundMessage, settings: GroupcallSettings) -> Document:
    """The recipient by what its address is; who is meant by a person's id is Groupcall's to know."""
    address = message.recipient
    if message.channel is Channel.SMS or address.startswith("+"):
        found = {settings.name_of("mobile_number"): _mobile_number(address, settings)}
    elif "@" in address:
        found = {settings.name_of("email_address"): address}
    else:
        found = {settings.name_of("person_id"): address}
    return {**found, settings.name_of("send_to"): SEND_TO_RECIPIENT}


def _mobile_number(number: str, settings: GroupcallSettings) -> str:
    return number if settings.mobile_numbers == "plus" else number.removeprefix("+")


def _said(message: OutboundMessage, endpoint: Endpoint, settings: GroupcallSettings) -> Document:
    """What is said, under the names of its operation."""
    if message.channel is Channel.SMS:
        return _sms(message, endpoint, settings)
    if message.channel is Channel.EMAIL:
        return _email(message, settings)
    found: Document = _spare_email_body(message.text, settings)
    if message.channel is Channel.PUSH:
        return {**found, "NotificationMessage": message.text}
    return {**found, "sendXpression": True, "XpressionsBody": message.text}


def _sms(message: OutboundMessage, endpoint: Endpoint, settings: GroupcallSettings) -> Document:
    found: Document = {"SMSMessage": message.text}
    if endpoint is Endpoint.MULTI:
        found = {"smsMessage": message.text, **_spare_email_body(message.text, settings)}
    if sender := _sms_sender(message, settings):
        found["SMSSender"] = sender
    return found


def _spare_email_body(text: str, settings: GroupcallSettings) -> Document:
    """Multi-content requires emailBody, also of a message that is meant for another route."""
    if settings.multi_email_body == "omit":
        return {}
    return {"emailBody": text if settings.multi_email_body == "text" else ""}


def _email(message: OutboundMessage, settings: GroupcallSettings) -> Document:
    content = message.content
    found: Document = {
        "emailSubject": content.get("subject"),
        "emailBody": content.get("html") or _text_body(str(content.get("text") or ""), settings),
        "emailSentFromAddress": content.get("from_address") or message.sender,
        "emailSentFromName": content.get("from_name"),
        "emailReplyToAddress": content.get("reply_to"),
        settings.name_of("attachments"): [
            {
                settings.name_of("file_name"): each["file_name"],
                settings.name_of("file_data"): each["data"],
            }
            for each in content.get("attachments", ())
        ],
    }
    return {name: each for name, each in found.items() if each}


def _text_body(text: str, settings: GroupcallSettings) -> str:
    if settings.text_emails == "as_written":
        return text
    return html.escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>\n")


def _literal_tokens(said: Iterable[Any]) -> dict[str, str]:
    """Values for what Groupcall would take for placeholders: themselves.

    The broker has filled in its own tokens, so a $Name$ that is left is to be read as it stands.
    """
    texts = [each for each in said if isinstance(each, str)]
    return {name: f"${name}$" for text in texts for name in TOKEN.findall(text)}
