"""What a caller asks for, and what the broker answers: frozen values between the API and intake."""

from collections.abc import Callable, Mapping
from dataclasses import field
from operator import attrgetter

from broker.domain.callback_url import CallbackMethod
from broker.domain.directory import Named
from broker.domain.encoding import Encoding
from broker.domain.fallback import ChannelFallback
from broker.domain.lifecycle import State
from broker.domain.links import NO_WISH, LinkRule, LinkWish
from broker.domain.parameter import Parameter
from broker.domain.price import Price, PricedItem
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Guarantee, Reason, Traffic

_SMS = Channel.SMS
NO_TOKENS: Mapping[str, str] = {}


@value
class Content:
    """What is said, a JSON-ready document for each channel that has any.

    Documents carry the field names of the protos (`SmsContent` and the others) with absent fields left
    out; bytes are base64. They are stored and handed to providers as they are.

    `names` are those of the placeholders in their texts (`domain.tokens`). Empty: the texts are meant as they
    stand, and a "$$" in them is two dollars. What comes of a template also has those of its `parameters` that
    it asks for, and the values of all that the recipients `share`; otherwise they share the submission's tokens.
    `links` tells how its links are shortened when it goes out; None: they stay as they are. `link_wish` is what
    its template says of that.
    """

    documents: Mapping[Channel, Mapping[str, object]]
    names: frozenset[str] = frozenset()
    parameters: tuple[Parameter, ...] = ()
    shared: Mapping[str, str] | None = None
    links: LinkRule | None = None
    link_wish: LinkWish = NO_WISH

    def text_on(self, channel: Channel) -> str:
        """The text whose units are counted on an SMS or MMS channel; empty elsewhere."""
        if channel is not _SMS:
            return ""
        return str(self.documents[channel].get("text", ""))


@value
class Recipient:
    """One person to send to, by address or as a contact; what is None was not given.

    `phone_number` is as the caller wrote it; `domain.address` judges it. `tokens` are values for the content's
    placeholders, over those of the submission. `contact_id` is whose the address is, where a message to a contact
    is sent again: it goes where the first one went.
    """

    phone_number: str | None = None
    email: str | None = None
    device_token: str | None = None
    schedule_at_us: int | None = None
    client_reference: str | None = None
    data: str | None = None
    contact: Named | None = None
    tokens: Mapping[str, str] | None = None
    contact_id: int | None = None


@value
class Campaign:
    """A named group of messages to report under."""

    id: str
    name: str = ""


@value
class Callback:
    """A URL to be called with each event of a submission's messages."""

    url: str
    method: CallbackMethod = CallbackMethod.POST


@value
class TemplateRef:
    """A template as a caller names it. `version` is None for the latest."""

    project: str
    name: str
    version: int | None = None
    locale: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@value
class TemplateUsed:
    """The version and the locale of a template that a message was made with."""

    project: str
    name: str
    version: int
    locale: str


@value
class Submission:
    """A SendRequest that kept every rule of size and shape. Times are microseconds since 1970 UTC.

    With a `template`, `content` is empty until intake has found it; `edition` says then what was found.
    `names_contacts`: at least one recipient is named as a contact, or has an address of one.
    `redriven_from_message_id` is the message that this one sends again. `broadcast_id` is the broadcast that its
    recipients are a part of.
    With a `sender_pool`, `sender` is empty until one was chosen for a recipient. `sender_providers` are the
    instances that the sender is usable on; empty: all.

    The last four are the broker's own, about answers to what came in: one that must not go is seen as refused, one to
    STOP, START or HELP goes whatever the recipient said. `priced_as` is what it costs; None: nothing.
    `redriven_from_message_id` is the message that this one sends again. `track_links` is None where the caller
    leaves it to the template and the account.
    """

    account_id: int
    recipients: tuple[Recipient, ...]
    content: Content
    request_id: str = ""
    sender: str = ""
    traffic: Traffic = Traffic.TRANSACTIONAL
    channels: tuple[Channel, ...] = ()
    guarantee: Guarantee = Guarantee.AT_LEAST_ONCE
    schedule_at_us: int | None = None
    validity_us: int | None = None
    client_reference: str = ""
    campaign: Campaign | None = None
    data: str = ""
    tags: tuple[str, ...] = ()
    reply_to_message_id: int | None = None
    provider: str = ""
    origin: str = ""
    validate_only: bool = False
    names_contacts: bool = False
    callback: Callback | None = None
    tokens: Mapping[str, str] | None = None
    template: TemplateRef | None = None
    edition: TemplateUsed | None = None
    redriven_from_message_id: int | None = None
    broadcast_id: int | None = None
    refused_for: Reason | None = None
    refusal_detail: str = ""
    answers_consent: bool = False
    priced_as: PricedItem | None = PricedItem.MESSAGE_UNIT
    fallback: ChannelFallback | None = None
    ignore_quiet_hours: bool = False
    sender_pool: str = ""
    sender_providers: frozenset[str] = frozenset()
    track_links: bool | None = None
    short_link_domain: str = ""
    cap_frequency: bool = False

    @property
    def shared_tokens(self) -> Mapping[str, str]:
        """The values that all recipients share for the content's placeholders."""
        shared = self.content.shared
        return (self.tokens or NO_TOKENS) if shared is None else shared


_all_of = attrgetter(*Submission.__match_args__)
_CONTENT = Submission.__match_args__.index("content")


def with_contents(submission: Submission) -> Callable[[Content], Submission]:
    """Makes the submission with another content; for many, since `replace` costs ten times as much."""
    fields = _all_of(submission)
    before, after = fields[:_CONTENT], fields[_CONTENT + 1 :]
    make: Callable[..., Submission] = Submission
    return lambda content: make(*before, content, *after)


@value
class Result:
    """What became of one recipient. `message_id` is None only for validate_only.

    A contact's delegates have a result each, with the same `recipient_index` and their own `contact_id`.
    `fallback_channels` are those that the message may go on by, in order.
    `sender` is who it is from, "" where the provider decides.
    """

    recipient_index: int
    message_id: int | None
    state: State
    recipient: str
    channel: Channel | None
    transmit_at_us: int
    client_reference: str = ""
    units: int = 0
    encoding: Encoding | None = None
    reason: Reason | None = None
    detail: str = ""
    warnings: tuple[str, ...] = field(default=())
    contact_id: int | None = None
    fallback_channels: tuple[Channel, ...] = ()
    sender: str = ""
    price: Price | None = None
