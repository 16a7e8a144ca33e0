"""A message on its way in: what a caller asks for, and what the broker answers."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Required, TypedDict, overload

from waypost.content import Content
from waypost.vocabulary import Channel, Encoding, Guarantee, Reason, Status, Traffic


def new_request_id() -> str:
    """An id that no other request has: 128 random bits, as hex."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person to send to. Several addresses let the broker pick the channel.

    phone_number: E.164 with its "+", as "+447700900123".
    tokens: values for `$Token$` placeholders, over those of the request.
    schedule_time, client_reference, data: over the request's.
    """

    phone_number: str = ""
    email: str = ""
    device_token: str = ""
    contact_id: str = ""
    external_id: str = ""
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
    """Wishes that most callers leave alone."""

    ignore_quiet_hours: bool = False
    cap_frequency: bool = False
    track_links: bool = False
    short_link_domain: str = ""
    allow_channel_fallback: bool = False


Body = str | Content | Sequence[Content]
"""What to send: a str is an SMS, several contents are one for each channel."""

To = str | Recipient | Sequence[str | Recipient]
"""Who gets it, 1 to 100. A str with an "@" is a mailbox, any other a phone number."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One content to 1..100 recipients.

    sender: an E.164 number, a short code, 3 to 11 letters and digits, a mailbox or an application id.
        Empty: the provider's default.
    traffic: what it is for; TRANSACTIONAL when None.
    channels: in order of preference. Empty: SMS, MMS, EMAIL, PUSH, IN_APP, where there is content.
    guarantee: AT_LEAST_ONCE when None.
    schedule_time: when to send, with a time zone, at most 35 days ahead. None or past: at once.
    validity: how long after acceptance, or after schedule_time, a provider may still be given it: 1 s to
        7 days; None: 36 hours, and 10 minutes for PASSCODE.
    client_reference, data, campaign, tags: come back on every event; tags and campaigns can be followed.
    callback_url: called with each status.
    provider: the one provider instance to use. Empty: the broker routes.
    tokens: values for `$Token$` placeholders, for all recipients.
    validate_only: answer as if sending, and send nothing.
    request_id: makes it safe to repeat: within 24 hours the same id with the same request gets the first
        answer again and sends nothing. Random when not given; give your own to be safe across restarts
        of your program.
    account_id: the account to send for. Empty: the key's own.
    """

    content: Body
    to: To = field(kw_only=True)
    sender: str = field(default="", kw_only=True)
    traffic: Traffic | None = field(default=None, kw_only=True)
    channels: Sequence[Channel] = field(default=(), kw_only=True)
    guarantee: Guarantee | None = field(default=None, kw_only=True)
    schedule_time: datetime | None = field(default=None, kw_only=True)
    validity: timedelta | None = field(default=None, kw_only=True)
    client_reference: str = field(default="", kw_only=True)
    campaign: Campaign | None = field(default=None, kw_only=True)
    data: str = field(default="", kw_only=True)
    tags: Sequence[str] = field(default=(), kw_only=True)
    reply_to_message_id: str = field(default="", kw_only=True)
    callback_url: str = field(default="", kw_only=True)
    provider: str = field(default="", kw_only=True)
    options: Options | None = field(default=None, kw_only=True)
    tokens: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    origin: str = field(default="", kw_only=True)
    validate_only: bool = field(default=False, kw_only=True)
    request_id: str = field(default_factory=new_request_id, kw_only=True)
    account_id: str = field(default="", kw_only=True)
