"""The words of the API, as str enums: `Status.DELIVERED == "DELIVERED"`, and that is what it prints.

What a word means stands beside it in `protos/waypost/v1`. A newer broker may know words that this
client does not: each of them becomes UNRECOGNISED, never an exception.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a message stands. `end` on a message or an event says whether that is for good."""

    ACCEPTED = "ACCEPTED"
    SCHEDULED = "SCHEDULED"
    PROCESSING = "PROCESSING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    SENDING_FAILED = "SENDING_FAILED"
    DELIVERY_FAILED = "DELIVERY_FAILED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"
    """An end: it may have reached the recipient, and nobody can tell."""
    UNRECOGNISED = "UNRECOGNISED"


class Fact(StrEnum):
    """What happened to a message in one event."""

    ACCEPTED = "ACCEPTED"
    SCHEDULED = "SCHEDULED"
    REFUSED = "REFUSED"
    ATTEMPTED = "ATTEMPTED"
    HANDED_OVER = "HANDED_OVER"
    HANDED_OVER_UNTRACKED = "HANDED_OVER_UNTRACKED"
    DEFERRED = "DEFERRED"
    DOUBTED = "DOUBTED"
    REFUSED_UPSTREAM = "REFUSED_UPSTREAM"
    EXHAUSTED = "EXHAUSTED"
    LAPSED = "LAPSED"
    LOST = "LOST"
    CANCELLED = "CANCELLED"
    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"
    PART_DELIVERED = "PART_DELIVERED"
    LATE_RECEIPT = "LATE_RECEIPT"
    READ = "READ"
    CLICKED = "CLICKED"
    PROGRESSED = "PROGRESSED"
    REROUTED = "REROUTED"
    DELETED = "DELETED"
    RECEIVED = "RECEIVED"
    CHANNEL_CHANGED = "CHANNEL_CHANGED"
    UNRECOGNISED = "UNRECOGNISED"


class Reason(StrEnum):
    """Why a message stands where it does, or why a recipient was refused."""

    INVALID_RECIPIENT = "INVALID_RECIPIENT"
    NO_ADDRESS = "NO_ADDRESS"
    INVALID_SENDER = "INVALID_SENDER"
    NO_ROUTE = "NO_ROUTE"
    OPTED_OUT = "OPTED_OUT"
    OPTED_OUT_GLOBALLY = "OPTED_OUT_GLOBALLY"
    REFUSED_BY_PROVIDER = "REFUSED_BY_PROVIDER"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    ATTEMPTS_EXHAUSTED = "ATTEMPTS_EXHAUSTED"
    VALIDITY_PASSED = "VALIDITY_PASSED"
    AMBIGUOUS = "AMBIGUOUS"
    NO_RECEIPT = "NO_RECEIPT"
    UNDELIVERABLE = "UNDELIVERABLE"
    CANCELLED_BY_SENDER = "CANCELLED_BY_SENDER"
    CONTENT_UNSUPPORTED = "CONTENT_UNSUPPORTED"
    POLICY = "POLICY"
    NOT_KNOWN_UPSTREAM = "NOT_KNOWN_UPSTREAM"
    ATTEMPTS_CRASHED = "ATTEMPTS_CRASHED"
    CONTACT_NOT_FOUND = "CONTACT_NOT_FOUND"
    NO_DELEGATE = "NO_DELEGATE"
    COUNTRY_NOT_ALLOWED = "COUNTRY_NOT_ALLOWED"
    REPLY_ABANDONED = "REPLY_ABANDONED"
    REPLY_LIMIT = "REPLY_LIMIT"
    REPLY_LOOP = "REPLY_LOOP"
    QUIET_HOURS = "QUIET_HOURS"
    FREQUENCY_CAP = "FREQUENCY_CAP"
    REFUSED_BY_PLUGIN = "REFUSED_BY_PLUGIN"
    NOT_DELIVERED_IN_TIME = "NOT_DELIVERED_IN_TIME"
    TOKEN_MISSING = "TOKEN_MISSING"  # noqa: S105
    CONTENT_REFUSED = "CONTENT_REFUSED"
    TOO_MANY_UNITS = "TOO_MANY_UNITS"
    BROADCAST_STOPPED = "BROADCAST_STOPPED"
    SENDER_NOT_REGISTERED = "SENDER_NOT_REGISTERED"
    SENDER_WRONG_KIND = "SENDER_WRONG_KIND"
    SENDER_NOT_CAPABLE = "SENDER_NOT_CAPABLE"
    SENDER_POOL_UNUSABLE = "SENDER_POOL_UNUSABLE"
    UNRECOGNISED = "UNRECOGNISED"


class SenderKind(StrEnum):
    """What a sender is."""

    SHORT_CODE = "SHORT_CODE"
    LONG_CODE = "LONG_CODE"
    TOLL_FREE = "TOLL_FREE"
    ALPHANUMERIC = "ALPHANUMERIC"
    EMAIL_ADDRESS = "EMAIL_ADDRESS"
    APPLICATION = "APPLICATION"
    UNRECOGNISED = "UNRECOGNISED"


class SenderCapability(StrEnum):
    """What a sender can do."""

    SMS = "SMS"
    MMS = "MMS"
    EMAIL = "EMAIL"
    PUSH = "PUSH"
    IN_APP = "IN_APP"
    TWO_WAY = "TWO_WAY"
    UNRECOGNISED = "UNRECOGNISED"


class Channel(StrEnum):
    """The kind of network that carries a message."""

    SMS = "SMS"
    MMS = "MMS"
    EMAIL = "EMAIL"
    PUSH = "PUSH"
    IN_APP = "IN_APP"
    UNRECOGNISED = "UNRECOGNISED"


class Traffic(StrEnum):
    """What a message is for. It decides priority, the default validity and which consent rules apply."""

    TRANSACTIONAL = "TRANSACTIONAL"
    PROMOTIONAL = "PROMOTIONAL"
    PASSCODE = "PASSCODE"
    CONVERSATIONAL = "CONVERSATIONAL"
    UNRECOGNISED = "UNRECOGNISED"


class Delegation(StrEnum):
    """Who, of the people behind a directory contact, gets a message."""

    DIRECT = "DIRECT"
    PRIORITY_CONTACT = "PRIORITY_CONTACT"
    ALL_CONTACTS = "ALL_CONTACTS"
    UNRECOGNISED = "UNRECOGNISED"


class Direction(StrEnum):
    """Which way a message goes."""

    OUTBOUND = "OUTBOUND"
    INBOUND = "INBOUND"
    UNRECOGNISED = "UNRECOGNISED"


class InboundKind(StrEnum):
    """What a message that came in is."""

    REPLY = "REPLY"
    KEYWORD = "KEYWORD"
    OPT_IN = "OPT_IN"
    OTHER = "OTHER"
    UNRECOGNISED = "UNRECOGNISED"


class InboundAssignment(StrEnum):
    """How the account of a message that came in was found."""

    KEYWORD = "KEYWORD"
    LAST_MESSAGE = "LAST_MESSAGE"
    SENDER = "SENDER"
    INSTANCE = "INSTANCE"
    DEFAULT = "DEFAULT"
    UNRECOGNISED = "UNRECOGNISED"


class OptInState(StrEnum):
    """What a recipient wants of a sender."""

    OPTED_IN = "OPTED_IN"
    OPTED_OUT = "OPTED_OUT"
    OPTED_OUT_GLOBALLY = "OPTED_OUT_GLOBALLY"
    UNSET = "UNSET"
    """Nothing was ever said."""
    UNRECOGNISED = "UNRECOGNISED"


class Guarantee(StrEnum):
    """What happens when a provider may or may not have taken a message and cannot be asked."""

    AT_LEAST_ONCE = "AT_LEAST_ONCE"
    AT_MOST_ONCE = "AT_MOST_ONCE"
    UNRECOGNISED = "UNRECOGNISED"


class CallbackMethod(StrEnum):
    """How a callback_url is called."""

    POST = "POST"
    GET = "GET"
    UNRECOGNISED = "UNRECOGNISED"


class BroadcastState(StrEnum):
    """Where a broadcast stands."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"
    """An upstream was to run it, and nobody can tell whether it took it."""
    UNRECOGNISED = "UNRECOGNISED"


class FileFormat(StrEnum):
    """How a file of recipients is written."""

    CSV = "CSV"
    TSV = "TSV"
    TEXT = "TEXT"
    EXCEL = "EXCEL"
    UNRECOGNISED = "UNRECOGNISED"


class UsageUnit(StrEnum):
    """What is counted."""

    MESSAGES = "MESSAGES"
    UNITS = "UNITS"
    CREDITS = "CREDITS"
    UNRECOGNISED = "UNRECOGNISED"


class UsageDimension(StrEnum):
    """What counts are split by."""

    DAY = "DAY"
    ACCOUNT = "ACCOUNT"
    CHANNEL = "CHANNEL"
    PROVIDER = "PROVIDER"
    CAMPAIGN = "CAMPAIGN"
    TAG = "TAG"
    COUNTRY = "COUNTRY"
    STATUS = "STATUS"
    UNRECOGNISED = "UNRECOGNISED"


class PricedItem(StrEnum):
    """What a price is of; None in a rule is a unit of a message."""

    AUTOREPLY = "AUTOREPLY"
    KEYWORD = "KEYWORD"
    UNRECOGNISED = "UNRECOGNISED"


class QuietAction(StrEnum):
    """What becomes of a message in quiet hours."""

    WAIT = "WAIT"
    REFUSE = "REFUSE"
    UNRECOGNISED = "UNRECOGNISED"


class Encoding(StrEnum):
    """How a text is encoded on the mobile network."""

    GSM7 = "GSM7"
    UCS2 = "UCS2"
    UNRECOGNISED = "UNRECOGNISED"


class Role(StrEnum):
    """What a key is for."""

    ADMIN = "ADMIN"
    PARTNER = "PARTNER"
    SEND = "SEND"
    READ = "READ"
    URL_SENDING = "URL_SENDING"
    UNRECOGNISED = "UNRECOGNISED"
