"""A message on its way in: what a caller asks for, and what the broker answers."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Required, TypedDict, overload

from waypost.content import Content, Template
from waypost.vocabulary import (
    CallbackMethod,
    Channel,
    Delegation,
    Encoding,
    Guarantee,
    Reason,
    Status,
    Traffic,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person to send to: a directory contact, or addresses. Several let the broker pick the channel.

    phone_number: E.164 with its "+", as "+447700900123".
    contact_id, external_id: a contact by the broker's id, or by one of your own.
    delegation: who gets it in the contact's place; ALL_CONTACTS gives a result for each of them.
    tokens: values for `$Token$` placeholders, over those of the request.
    schedule_time, client_reference, data: over the request's.
    """

    phone_number: str = ""
    email: str = ""
    device_token: str = ""
    contact_id: str = ""
    external_id: str = ""
    delegation: Delegation | None = None
    tokens: Mapping[str, str] = field(default_factory=dict)
    schedule_time: datetime | None = None
    client_reference: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A named group of messages to report under."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Wishes that most callers leave alone.

    callback_method: how callback_url is called; a signed POST when None. GET says it all in the query, or
        what the URL names, as {message_id}.
    allow_channel_fallback: go on by the next channel when one fails for good. Needs content for two.
    fallback_after: go on as well when nothing was delivered so long after; 1 s to 7 days. With
        allow_channel_fallback only.
    track_links: replace links by short ones whose clicks are told; with short_link_domain, on that domain.
    keep_links: leave them, also where the account's policy would replace them.
    """

    ignore_quiet_hours: bool = False
    cap_frequency: bool = False
    track_links: bool = False
    short_link_domain: str = ""
    callback_method: CallbackMethod | None = None
    allow_channel_fallback: bool = False
    fallback_after: timedelta | None = None
    keep_links: bool = False


Body = str | Content | Sequence[Content]
"""What to send: a str is an SMS, several contents are one for each channel."""

To = str | Recipient | Sequence[str | Recipient]
"""Who gets it, 1 to 100. A str with an "@" is a mailbox, any other a phone number."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One content to 1..100 recipients.

    template: a stored template instead of content, or just its name.
    sender: an E.164 number, a short code, 3 to 11 letters and digits, a mailbox or an application id.
        Empty: the account's default sender that may be used for the recipient, or else the provider's own.
    sender_pool: the pool of registered senders to send from, instead of sender; a recipient gets the same
        one of them each time.
    traffic: what it is for; TRANSACTIONAL when None.
    channels: in order of preference. Empty: SMS, MMS, EMAIL, PUSH, IN_APP, where there is content.
    guarantee: AT_LEAST_ONCE when None.
    schedule_time: when to send, with a time zone, at most 35 days ahead. None or past: at once.
    validity: how long after acceptance, or after schedule_time, a provider may still be given it: 1 s to
        7 days; None: 36 hours, and 10 minutes for PASSCODE.
    client_reference, campaign, data, tags: come back on every event, and events can be picked by them.
    callback_url: called with each event of the messages, http or https.
    provider: the one provider instance to use. Empty: the broker routes.
    tokens: values for `$Token$` placeholders, for all recipients.
    validate_only: answer as if sending, and send nothing.
    request_id: makes it safe to repeat: within 24 hours the same id with the same request gets the first
        answer again and sends nothing. Empty: a random one, so that this object can be sent again. Give
        your own to be safe across restarts of your program too.
    account_id: the account to send for. Empty: the key's own.
    """

    content: Body = ()
    _: KW_ONLY
    to: To
    template: Template | str | None = None
    sender: str = ""
    traffic: Traffic | None = None
    channels: Channel | Sequence[Channel] = ()
    guarantee: Guarantee | None = None
    schedule_time: datetime | None = None
    validity: timedelta | None = None
    client_reference: str = ""
    campaign: Campaign | None = None
    data: str = ""
    tags: str | Sequence[str] = ()
    reply_to_message_id: str = ""
    callback_url: str = ""
    provider: str = ""
    options: Options | None = None
    tokens: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    validate_only: bool = False
    request_id: str = ""
    account_id: str = ""
    sender_pool: str = ""

    def __post_init__(self) -> None:
        if (self.content == ()) == (self.template is None):
            raise ValueError("give content or a template")
        if not self.request_id:
            object.__setattr__(self, "request_id", secrets.token_hex(16))


class SendFields(TypedDict, total=False):
    """SendRequest's fields but for its content, as keyword arguments."""

    to: Required[To]
    template: Template | str | None
    sender: str
    traffic: Traffic | None
    channels: Channel | Sequence[Channel]
    guarantee: Guarantee | None
    schedule_time: datetime | None
    validity: timedelta | None
    client_reference: str
    campaign: Campaign | None
    data: str
    tags: str | Sequence[str]
    reply_to_message_id: str
    callback_url: str
    provider: str
    options: Options | None
    tokens: Mapping[str, str]
    origin: str
    validate_only: bool
    request_id: str
    account_id: str
    sender_pool: str


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of money: 1,250,000 micros are 1.25 of the currency (ISO 4217)."""

    amount_micros: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """One message, or the refusal of one recipient.

    recipient_index: position in the request's recipients, from 0.
    status: ACCEPTED, SCHEDULED or REJECTED.
    reason, detail: why it was REJECTED, for programs and for people.
    transmit_time: when it is due to be dispatched.
    encoding: None where the channel has no SMS encoding.
    price: None where no price rule applies.
    fallback_channels: those that it may go on by, in order.
    sender: who it is from. Empty: the provider's own.
    """

    recipient_index: int
    message_id: str
    status: Status
    reason: Reason | None
    detail: str
    recipient: str
    contact_id: str
    channel: Channel | None
    transmit_time: datetime | None
    client_reference: str
    units: int
    encoding: Encoding | None
    price: Price | None
    warnings: tuple[str, ...]
    fallback_channels: tuple[Channel, ...]
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Sent(Sequence[SendResult]):
    """What became of a SendRequest: a sequence of results, one or more for each recipient, in order.

    When it comes back, every message in it is on the broker's disk.
    """

    request_id: str
    results: tuple[SendResult, ...]

    @overload
    def __getitem__(self, index: int) -> SendResult: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[SendResult, ...]: ...

    def __getitem__(self, index: int | slice) -> SendResult | tuple[SendResult, ...]:
        return self.results[index]

    def __len__(self) -> int:
        return len(self.results)


def as_request(content: Body | SendRequest, fields: Mapping[str, Any]) -> SendRequest:
    """The request that `send(request)` or `send(content, to=..., ...)` means."""
    if not isinstance(content, SendRequest):
        return SendRequest(content, **fields)
    if fields:
        raise TypeError(f"a SendRequest says it all; it takes no {', '.join(fields)} beside it")
    return content
