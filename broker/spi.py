"""Everything a provider plugin imports.

A plugin is a distribution `waypost-<name>` with a module that it names under the entry-point group
`waypost`. The module implements hooks with `@hookimpl`; most implement one:

    @hookimpl
    def waypost_providers():
        return [ProviderType(name="acme", channels=frozenset({Channel.SMS}), settings=AcmeSettings, create=Acme)]

The broker builds one `Provider` for each `[providers.<instance>]` table whose `type` is that name,
starts it on its own event loop, and hands it messages in batches. A provider never decides what
happens next: it says what it saw (an `Outcome` for each message, a `Receipt` later) and the broker
does the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from pydantic import BaseModel

from broker.domain.broadcast import BroadcastState
from broker.domain.broadcast_port import BroadcastPort
from broker.domain.forwarding import OptInAnswer, OptInChange, OptInFound, OptInQuery
from broker.domain.hook_query import AdmitQuery, InboundMessage, RouteQuery
from broker.domain.lent import Clock, Keepsakes, Logger
from broker.domain.outcome import (
    Accepted,
    Inbound,
    NotAccepted,
    Outcome,
    Receipt,
    ReceiptStatus,
    Rejected,
    ReportedFact,
    Unknown,
)
from broker.domain.particulars import NO_PARTICULARS, Particulars
from broker.domain.pause import retry_after_s
from broker.domain.payment import Declined, Paid, PaymentOrder
from broker.domain.spelling import IdSpelling
from broker.domain.submission import Campaign, Submission, TemplateUsed
from broker.domain.upstream_account import UpstreamBalance, UpstreamUsage
from broker.domain.upstream_broadcast import (
    BroadcastMoved,
    BroadcastOrder,
    BroadcastQuestion,
    BroadcastRecipient,
    UpstreamBroadcast,
)
from broker.domain.upstream_callback import CallbackAnswer, CallbackRequest, LateAnswer
from broker.domain.upstream_keyword import (
    KeywordAvailable,
    KeywordDeclined,
    KeywordField,
    KeywordKeeping,
    KeywordQuery,
    KeywordRefused,
    KeywordRented,
    KeywordSettings,
    KeywordSetUp,
    KeywordUnavailable,
)
from broker.domain.vocabulary import Channel, Guarantee, Reason, Traffic

if TYPE_CHECKING:  # it takes a third of a second to import: only who asks for a session waits for it
    import aiohttp

__all__ = [
    "Accepted",
    "AdmitQuery",
    "BroadcastMoved",
    "BroadcastOrder",
    "BroadcastPort",
    "BroadcastQuestion",
    "BroadcastRecipient",
    "BroadcastState",
    "CallbackAnswer",
    "CallbackRequest",
    "Campaign",
    "Capabilities",
    "Channel",
    "Clock",
    "Context",
    "Declined",
    "Guarantee",
    "IdSpelling",
    "Idempotency",
    "Inbound",
    "InboundMessage",
    "Keepsakes",
    "KeywordAvailable",
    "KeywordDeclined",
    "KeywordField",
    "KeywordKeeping",
    "KeywordQuery",
    "KeywordRefused",
    "KeywordRented",
    "KeywordSetUp",
    "KeywordSettings",
    "KeywordUnavailable",
    "LateAnswer",
    "Logger",
    "NotAccepted",
    "OptInAnswer",
    "OptInChange",
    "OptInFound",
    "OptInQuery",
    "OutboundMessage",
    "Outcome",
    "Paid",
    "Particulars",
    "PaymentOrder",
    "PaymentsBackend",
    "PaymentsType",
    "Provider",
    "ProviderType",
    "Reason",
    "Receipt",
    "ReceiptMode",
    "ReceiptStatus",
    "Rejected",
    "ReportedFact",
    "RouteQuery",
    "Submission",
    "TemplateUsed",
    "TextProfile",
    "Traffic",
    "Unknown",
    "UpstreamBalance",
    "UpstreamBroadcast",
    "UpstreamUsage",
    "hookimpl",
    "hookspec",
    "retry_after_s",
    "secrets_from_files",
]

ENTRY_POINT_GROUP = "waypost"

hookspec = pluggy.HookspecMarker("waypost")
hookimpl = pluggy.HookimplMarker("waypost")


def secrets_from_files(table: Any, *names: str) -> Any:
    """A table of settings in which each of these secrets comes from the file that `<name>_file` names, if it names one.

    For a validator of the mode "before", so that a secret is read once, at start. White space around it is no part
    of it. What is no table is answered as it is. Raises ValueError for a secret that is also given by itself, and
    for a file that cannot be read as UTF-8.
    """
    if not isinstance(table, Mapping):
        return table
    read = dict(table)
    for name in names:
        path = table.get(f"{name}_file")
        if not isinstance(path, str | Path):  # none, or what its own rule refuses
            continue
        if table.get(name) is not None:
            raise ValueError(f"give {name} or {name}_file, not both")
        try:
            read[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise ValueError(f"{name}_file cannot be read: {type(error).__name__}") from None
    return read


class ReceiptMode(Enum):
    """How a provider reports on what it took."""

    PUSH = "it reports through Context.report"
    POLL = "it is asked through Provider.query"
    NONE = "never: its messages end SENT"


class Idempotency(Enum):
    """How a provider helps against sending a message twice."""

    KEY = "it ignores a repeated OutboundMessage.idempotency_key"
    QUERY = "Provider.query tells what became of a message without its provider ids"
    NONE = "neither"


class TextProfile(Enum):
    """Which texts a provider takes."""

    ANY = "every text"
    RESTRICTED = "a subject of at most 13 characters, 160 with the text, and only the characters of C06"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an instance can do. `batch_max` is the most messages in one `submit` call, at least 1.

    `query` says whether `Provider.query` works: the broker asks it about messages whose outcome or
    receipt is missing. `callback` says the same of `Provider.callback`, and `opt_in` of `Provider.set_opt_in`
    and `Provider.get_opt_in`: the upstream keeps itself what recipients want, and is told of every change.

    `content` names the fields of content that the instance honours, as "sms.text" or "email.attachments"
    (channel and field as in the protos); None: all fields of its channels, also those that a later version adds. A
    message that uses another field is never routed to it. `text_profile` narrows the texts in the same way.

    `receipt_ids` says how its receipts may spell the ids that `Accepted` named. `balance` and `usage` say whether
    the upstream tells what the instance's account with it has, and has used: `Provider.balance`, `Provider.usage`.
    `keywords` says at which addresses the upstream keeps keywords itself: `Provider.check_keyword` and those after it.
    `senders` says whether it lists what the account may send from: `Provider.senders`.

    `broadcast` says that the upstream runs broadcasts itself, of at most `broadcast_recipients_max` recipients:
    the calls of `BroadcastPort`.

    `sandbox` says that what the instance takes reaches nobody. Accounts that only try things out have their
    messages carried by such instances and by no other.
    """

    channels: frozenset[Channel]
    receipts: ReceiptMode
    batch_max: int = 100
    idempotency: Idempotency = Idempotency.NONE
    query: bool = False
    callback: bool = False
    content: frozenset[str] | None = None
    text_profile: TextProfile = TextProfile.ANY
    receipt_ids: IdSpelling = IdSpelling.EXACT
    sandbox: bool = False
    opt_in: bool = False
    balance: bool = False
    usage: bool = False
    keywords: KeywordKeeping | None = None
    senders: bool = False
    broadcast: bool = False
    broadcast_recipients_max: int = 10_000


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to one address, as a provider gets it. Times are microseconds since 1970 UTC.

    `content` is the channel's document under the field names of the protos (`SmsContent` and the
    others), absent fields left out. `idempotency_key` is the same for every attempt at the message.
    `attempt` counts from 1. `submitted_at_us` is when the attempt was recorded. `provider_message_ids`
    is empty in `submit`; in `query` it holds what the provider answered, where it did answer.
    `account_id` is who sends it, for an upstream that acts for several customers. `particulars` are what only some
    messages have.

    When to send, quiet hours, frequency caps and short links are the broker's: what a provider is given is due
    now, and is sent as it stands. An upstream that does the same has to be told not to.
    """

    message_id: str
    idempotency_key: str
    channel: Channel
    recipient: str
    sender: str
    content: Mapping[str, Any]
    traffic: Traffic
    attempt: int
    submitted_at_us: int
    expire_at_us: int
    units: int
    client_reference: str = ""
    account_id: str = ""
    tags: tuple[str, ...] = ()
    provider_message_ids: tuple[str, ...] = ()
    particulars: Particulars = NO_PARTICULARS

    @property
    def text(self) -> str:
        """The content's text, or body where the channel calls it so; empty when it has neither."""
        return str(self.content.get("text") or self.content.get("body") or "")


@dataclass(frozen=True, slots=True)
class Context:
    """What the broker lends a started instance.

    `report` takes receipts and inbound messages in any number and returns after they are committed:
    acknowledge them upstream only then. It is safe to report the same fact twice. It raises when the
    store cannot take them; do not acknowledge then.

    `http` answers the instance's own HTTP session, always the same: made at the first call, closed by the
    broker after `stop`. It keeps connections open (at most 100), gives up after 10 s without a connection
    and 60 s in all, keeps no cookies, and reads no proxy from the environment; each request may set its own
    `timeout` or `proxy`.

    `callback_url` is the address that leads to `Provider.callback`, without a slash at its end: give it to
    the upstream, whole, or with a path or a query of your own behind it. It carries a secret, so keep it
    out of logs. It is served once all providers have started. Empty: the instance declares no
    `Capabilities.callback`, or the broker serves no HTTP.
    """

    instance: str
    log: Logger
    clock: Clock
    report: Callable[[Sequence[ReportedFact]], Awaitable[None]]
    keepsakes: Keepsakes
    http: "Callable[[], aiohttp.ClientSession]"
    callback_url: str = ""


class Provider(BroadcastPort, ABC):
    """One configured instance of a provider. All calls come from one event loop.

    Where the upstream runs broadcasts itself, see `BroadcastPort` for the calls about them.
    """

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this instance can do; constant from construction on."""

    async def start(self, context: Context) -> None:
        """Open what is needed. Called once, before any other call. Raising stops the broker's start."""

    async def stop(self) -> None:
        """Close it all. Called once, after the last call; within 10 s."""

    @abstractmethod
    async def submit(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome]:
        """Hand the messages over; answer one outcome each, in their order.

        At most `capabilities.batch_max` messages. Raising, an answer of another length, or taking
        longer than the broker's limit makes every outcome of the batch Unknown.
        """

    async def query(self, messages: Sequence[OutboundMessage]) -> Sequence[Outcome | Receipt]:
        """What became of messages whose outcome or receipt is missing; one answer each, in order.

        Accepted: taken, no end yet. NotAccepted: the provider never got it. Rejected: refused.
        Unknown: cannot tell now. A Receipt: its latest status. Never sends anything.
        """
        raise NotImplementedError

    async def balance(self) -> UpstreamBalance:
        """What the instance's account with its upstream has; called where `capabilities.balance`.

        Raising, or taking longer than 30 s, is told to whoever asked as the upstream being unavailable.
        """
        raise NotImplementedError

    async def usage(self, first: date, last: date) -> Sequence[UpstreamUsage]:
        """What the upstream counted from the first day to the last; called where `capabilities.usage`.

        At most 10,000 counts. The days are those of whatever time zone the upstream reckons in.
        """
        raise NotImplementedError

    async def check_keyword(
        self, query: KeywordQuery
    ) -> KeywordAvailable | KeywordUnavailable | KeywordDeclined | NotAccepted | Unknown:
        """Whether the upstream would rent a keyword out now. Called where `capabilities.keywords` has the address.

        This and the two below have 30 s; raising is Unknown.
        """
        raise NotImplementedError

    async def rent_keyword(
        self, query: KeywordQuery
    ) -> KeywordRented | KeywordUnavailable | KeywordDeclined | NotAccepted | Unknown:
        """Rent a keyword, for money of the operator's. Unknown: it may be rented; nobody asks again by himself."""
        raise NotImplementedError

    async def set_up_keyword(
        self, settings: KeywordSettings
    ) -> KeywordSetUp | KeywordRefused | NotAccepted | Unknown:
        """Set a rented keyword up. The same may come again after NotAccepted and Unknown."""
        raise NotImplementedError

    async def senders(self) -> Sequence[str]:
        """The short and long codes, and other senders, of the account; called where `capabilities.senders`.

        At most 10,000, each of at most 256 characters.
        """
        raise NotImplementedError

    async def callback(self, request: CallbackRequest) -> CallbackAnswer:
        """What an upstream's request to the callback address says; called where `capabilities.callback`.

        The broker commits the facts and only then answers. Raising, or taking longer than 30 s, is
        answered with a 5xx, so that the upstream tries again.
        """
        raise NotImplementedError

    async def set_opt_in(
        self, changes: Sequence[OptInChange]
    ) -> Sequence[OptInAnswer | NotAccepted | Unknown]:
        """Tell the upstream what recipients want; one answer each, in order. Called where `capabilities.opt_in`.

        OptInAnswer: the upstream took the change, or refused it for good. NotAccepted and Unknown: it is told again,
        for 72 h at most, so the same change may come twice. At most 100 changes a call; what is not said of a change
        in time is Unknown.
        """
        raise NotImplementedError

    async def get_opt_in(self, queries: Sequence[OptInQuery]) -> Sequence[OptInFound | Unknown]:
        """What the upstream keeps about each sender and recipient, in order. Called where `capabilities.opt_in`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ProviderType:
    """A kind of provider that a plugin offers.

    `settings` validates the instance's own `[providers.<instance>]` table without its `type`; unknown
    keys must be refused (`extra="forbid"`), secrets are `SecretStr`. `create` gets the validated model.
    """

    name: str
    channels: frozenset[Channel]
    settings: type[BaseModel]
    create: Callable[[Any], Provider]


class PaymentsBackend(ABC):
    """Takes money for credit."""

    @abstractmethod
    async def pay(self, order: PaymentOrder) -> Paid | Declined:
        """Take the money, once for each purchase_id.

        Raising, or taking longer than 60 s, says that nobody knows; the broker asks again under the same
        purchase_id when the caller does.
        """


@dataclass(frozen=True, slots=True)
class PaymentsType:
    """A way to be paid that a plugin offers; `[payments]` of the settings names one as `type`.

    `settings` validates the rest of that table, `create` gets the validated model.
    """

    name: str
    settings: type[BaseModel]
    create: Callable[[Any], PaymentsBackend]


class Hooks:
    """What a plugin may implement. Each call is guarded: one that raises is logged and skipped, but for `waypost_admit`."""

    @hookspec
    def waypost_providers(self) -> Sequence[ProviderType]:  # type: ignore[empty-body]
        """The provider types that this plugin offers. Called once, at start."""

    @hookspec
    def waypost_route(self, message: RouteQuery, candidates: Sequence[str]) -> Sequence[str] | None:
        """The instances to try, in their new order, out of `candidates`; None leaves them as they are.

        Called in the event loop for every message that has a choice: answer at once. Those left out are not
        tried. Names that are no candidates are ignored, and so is an answer that names no candidate. Several
        plugins are asked in turn, each about what those before it made of the candidates.
        """

    @hookspec
    def waypost_admit(self, submission: AdmitQuery) -> str | None:
        """Why a request must not be sent, in a few words for its caller; None where it may.

        Called in the event loop for every request, and for Explain and validate_only: answer at once. A refusal
        is the result of each of its recipients, REASON_REFUSED_BY_PLUGIN with the plugin's name and these
        words. Several plugins are asked in turn; the first refusal counts. Where one raises the call fails, stores
        nothing, and may be tried again: a gate that cannot answer is closed.
        """

    @hookspec
    def waypost_inbound(self, message: InboundMessage) -> str | None:
        """A text to answer a message with that came in; None for no answer.

        Called in the event loop, after the message is stored, at least once for each: answer at once. Words of consent
        and keywords with an autoreply are answered without asking. The first plugin that answers is the last
        asked. The answer is an SMS like any other, and counts against `inbound.replies_per_hour_max`.
        """

    @hookspec
    def waypost_payments(self) -> Sequence[PaymentsType]:  # type: ignore[empty-body]
        """The ways to be paid that this plugin offers. Called once, at start."""
