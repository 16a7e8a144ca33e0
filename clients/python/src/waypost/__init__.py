"""Python client of the Waypost messaging broker.

    async with waypost.Client("127.0.0.1:7070", key="wp_…") as client:
        sent = await client.send("Hello", to="+447700900123")

`waypost.v1` holds the generated gRPC stubs, for what this client does not offer. Who imports them alone does not
wait for the client: a name of this package is looked up when it is first used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waypost.account_calls import Accounts, Keys
    from waypost.accounts import Account, AccountPolicy, ApiKey, FrequencyCap, QuietHours
    from waypost.broadcast_calls import Broadcasts
    from waypost.broadcasts import Broadcast, RefusedLine, Upload
    from waypost.client import Client
    from waypost.consent import OptIn, UpstreamOptIn
    from waypost.content import (
        Attachment,
        Content,
        Email,
        InApp,
        LinkAction,
        Media,
        Mms,
        Push,
        Sms,
        Template,
        TemplateVersion,
    )
    from waypost.credit_calls import Credits, Prices
    from waypost.credits import Balance, PriceRule, PriceTable, Purchase
    from waypost.errors import (
        Aborted,
        AlreadyExists,
        ClientClosed,
        DeadlineExceeded,
        FailedPrecondition,
        InternalError,
        InvalidArgument,
        NotFound,
        NotImplementedByBroker,
        OutOfRange,
        PermissionDenied,
        ResourceExhausted,
        Unauthenticated,
        Unavailable,
        Violation,
        WaypostError,
    )
    from waypost.events import (
        BalanceEvent,
        BroadcastEvent,
        ClickEvent,
        Event,
        InboundEvent,
        MessageEvent,
        OptInEvent,
    )
    from waypost.keyword_calls import Keywords
    from waypost.keywords import Keyword, KeywordOffer
    from waypost.messages import Analysis, ForcingCharacter, Link, Message, MessageFields, Part, TimelineEntry
    from waypost.send_stream import SendStream
    from waypost.senders import Sender
    from waypost.sending import Campaign, Options, Price, Recipient, SendRequest, SendResult, Sent
    from waypost.subscription import Subscription
    from waypost.usage import Usage, UsageRow
    from waypost.vocabulary import (
        BroadcastState,
        CallbackMethod,
        Channel,
        Delegation,
        Direction,
        Encoding,
        Fact,
        FileFormat,
        Guarantee,
        InboundAssignment,
        InboundKind,
        OptInState,
        PricedItem,
        QuietAction,
        Reason,
        Role,
        SenderCapability,
        SenderKind,
        Status,
        Traffic,
        UsageDimension,
        UsageUnit,
    )

__all__ = [
    "Aborted",
    "Account",
    "AccountPolicy",
    "Accounts",
    "AlreadyExists",
    "Analysis",
    "ApiKey",
    "Attachment",
    "Balance",
    "BalanceEvent",
    "Broadcast",
    "BroadcastEvent",
    "BroadcastState",
    "Broadcasts",
    "CallbackMethod",
    "Campaign",
    "Channel",
    "ClickEvent",
    "Client",
    "ClientClosed",
    "Content",
    "Credits",
    "DeadlineExceeded",
    "Delegation",
    "Direction",
    "Email",
    "Encoding",
    "Event",
    "Fact",
    "FailedPrecondition",
    "FileFormat",
    "ForcingCharacter",
    "FrequencyCap",
    "Guarantee",
    "InApp",
    "InboundAssignment",
    "InboundEvent",
    "InboundKind",
    "InternalError",
    "InvalidArgument",
    "Keys",
    "Keyword",
    "KeywordOffer",
    "Keywords",
    "Link",
    "LinkAction",
    "Media",
    "Message",
    "MessageEvent",
    "MessageFields",
    "Mms",
    "NotFound",
    "NotImplementedByBroker",
    "OptIn",
    "OptInEvent",
    "OptInState",
    "Options",
    "OutOfRange",
    "Part",
    "PermissionDenied",
    "Price",
    "PriceRule",
    "PriceTable",
    "PricedItem",
    "Prices",
    "Purchase",
    "Push",
    "QuietAction",
    "QuietHours",
    "Reason",
    "Recipient",
    "RefusedLine",
    "ResourceExhausted",
    "Role",
    "SendRequest",
    "SendResult",
    "SendStream",
    "Sender",
    "SenderCapability",
    "SenderKind",
    "Sent",
    "Sms",
    "Status",
    "Subscription",
    "Template",
    "TemplateVersion",
    "TimelineEntry",
    "Traffic",
    "Unauthenticated",
    "Unavailable",
    "Upload",
    "UpstreamOptIn",
    "Usage",
    "UsageDimension",
    "UsageRow",
    "UsageUnit",
    "Violation",
    "WaypostError",
]

_NAMES_OF_MODULE = {
    "account_calls": "Accounts Keys",
    "accounts": "Account AccountPolicy ApiKey FrequencyCap QuietHours",
    "broadcast_calls": "Broadcasts",
    "broadcasts": "Broadcast RefusedLine Upload",
    "client": "Client",
    "consent": "OptIn UpstreamOptIn",
    "content": "Attachment Content Email InApp LinkAction Media Mms Push Sms Template TemplateVersion",
    "credit_calls": "Credits Prices",
    "credits": "Balance PriceRule PriceTable Purchase",
    "errors": (
        "Aborted AlreadyExists ClientClosed DeadlineExceeded FailedPrecondition InternalError "
        "InvalidArgument NotFound NotImplementedByBroker OutOfRange PermissionDenied ResourceExhausted "
        "Unauthenticated Unavailable Violation WaypostError"
    ),
    "events": "BalanceEvent BroadcastEvent ClickEvent Event InboundEvent MessageEvent OptInEvent",
    "keyword_calls": "Keywords",
    "keywords": "Keyword KeywordOffer",
    "messages": "Analysis ForcingCharacter Link Message MessageFields Part TimelineEntry",
    "send_stream": "SendStream",
    "senders": "Sender",
    "sending": "Campaign Options Price Recipient SendRequest SendResult Sent",
    "subscription": "Subscription",
    "usage": "Usage UsageRow",
    "vocabulary": (
        "BroadcastState CallbackMethod Channel Delegation Direction Encoding Fact FileFormat Guarantee "
        "InboundAssignment InboundKind OptInState PricedItem QuietAction Reason Role SenderCapability "
        "SenderKind Status Traffic UsageDimension UsageUnit"
    ),
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULE.items() for name in names.split()}

# A type checker that sees it would take any name for one of the package's.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """A public name, from the module that has it."""
        if name not in _MODULE_OF_NAME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF_NAME[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
