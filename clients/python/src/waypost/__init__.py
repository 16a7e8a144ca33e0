"""Python client of the Waypost messaging broker.

    async with waypost.Client("127.0.0.1:7070", key="wp_…") as client:
        sent = await client.send("Hello", to="+447700900123")

`waypost.v1` holds the generated gRPC stubs, for what this client does not offer.
"""

from waypost.account_calls import Accounts, Keys
from waypost.accounts import Account, AccountPolicy, ApiKey
from waypost.client import Client
from waypost.consent import OptIn, UpstreamOptIn
from waypost.content import (
    Attachment,
    Content,
    Email,
    InApp,
    Media,
    Mms,
    Push,
    Sms,
    Template,
    TemplateVersion,
)
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
from waypost.events import Event, InboundEvent, MessageEvent
from waypost.messages import Analysis, ForcingCharacter, Message, MessageFields, Part, TimelineEntry
from waypost.send_stream import SendStream
from waypost.sending import Campaign, Options, Price, Recipient, SendRequest, SendResult, Sent
from waypost.subscription import Subscription
from waypost.usage import Usage, UsageRow
from waypost.vocabulary import (
    CallbackMethod,
    Channel,
    Delegation,
    Direction,
    Encoding,
    Fact,
    Guarantee,
    InboundAssignment,
    InboundKind,
    OptInState,
    Reason,
    Role,
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
    "CallbackMethod",
    "Campaign",
    "Channel",
    "Client",
    "ClientClosed",
    "Content",
    "DeadlineExceeded",
    "Delegation",
    "Direction",
    "Email",
    "Encoding",
    "Event",
    "Fact",
    "FailedPrecondition",
    "ForcingCharacter",
    "Guarantee",
    "InApp",
    "InboundAssignment",
    "InboundEvent",
    "InboundKind",
    "InternalError",
    "InvalidArgument",
    "Keys",
    "Media",
    "Message",
    "MessageEvent",
    "MessageFields",
    "Mms",
    "NotFound",
    "NotImplementedByBroker",
    "OptIn",
    "OptInState",
    "Options",
    "OutOfRange",
    "Part",
    "PermissionDenied",
    "Price",
    "Push",
    "Reason",
    "Recipient",
    "ResourceExhausted",
    "Role",
    "SendRequest",
    "SendResult",
    "SendStream",
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
    "UpstreamOptIn",
    "Usage",
    "UsageDimension",
    "UsageRow",
    "UsageUnit",
    "Violation",
    "WaypostError",
]
