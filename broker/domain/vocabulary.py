"""The field's words as enumerations. The numbers are stored; they never change and equal those of the protos."""

from enum import Enum, IntEnum


class Channel(IntEnum):
    """The kind of network that carries a message."""

    SMS = 1
    MMS = 2
    EMAIL = 3
    PUSH = 4
    IN_APP = 5


class Traffic(IntEnum):
    """What a message is for."""

    TRANSACTIONAL = 1
    PROMOTIONAL = 2
    PASSCODE = 3
    CONVERSATIONAL = 4

    @property
    def priority(self) -> int:
        """Dispatch order: 0 first (passcodes), then everything one asked for, then marketing."""
        return _PRIORITIES[self]


PRIORITIES = (0, 1, 2)
_PRIORITIES = {
    Traffic.PASSCODE: 0,
    Traffic.TRANSACTIONAL: 1,
    Traffic.CONVERSATIONAL: 1,
    Traffic.PROMOTIONAL: 2,
}


class Direction(IntEnum):
    """Which way a message goes."""

    OUTBOUND = 1
    """To a recipient."""
    INBOUND = 2
    """From one."""


class Guarantee(IntEnum):
    """What happens when nobody can tell whether a provider took a message."""

    AT_LEAST_ONCE = 1
    AT_MOST_ONCE = 2


class Delegation(IntEnum):
    """Who, of the people behind a contact, gets a message."""

    DIRECT = 1
    PRIORITY_CONTACT = 2
    ALL_CONTACTS = 3


class Reason(Enum):
    """Why a message stands where it does; the text is the default detail for people."""

    INVALID_RECIPIENT = "the address is not valid for the channel"
    NO_ADDRESS = "the recipient has no address for any channel of the content"
    INVALID_SENDER = "the sender is malformed or not allowed here"
    NO_ROUTE = "no provider may carry it on this channel"
    OPTED_OUT = "the recipient opted out of this sender"
    OPTED_OUT_GLOBALLY = "the recipient opted out of this sender for every account"
    REFUSED_BY_PROVIDER = "the provider refused it"
    PROVIDER_UNAVAILABLE = "the provider did not take it"
    ATTEMPTS_EXHAUSTED = "every allowed attempt was used"
    VALIDITY_PASSED = "its validity passed before a provider took it"
    AMBIGUOUS = "the provider may or may not have taken it"
    NO_RECEIPT = "its validity passed without a receipt"
    UNDELIVERABLE = "the network could not deliver it"
    CANCELLED_BY_SENDER = "its sender cancelled it"
    CONTENT_UNSUPPORTED = "the content cannot be sent on this channel"
    POLICY = "an account policy refused it"
    NOT_KNOWN_UPSTREAM = "the provider does not know it"
    ATTEMPTS_CRASHED = "the broker died in each of its last attempts"
    CONTACT_NOT_FOUND = "the directory has no such contact"
    NO_DELEGATE = "the contact has nobody who stands in for it"
    COUNTRY_NOT_ALLOWED = "the account does not write to numbers of this country"
    REPLY_ABANDONED = "the callback that was waited for gave no answer that could be sent back"
    REPLY_LIMIT = "this person got as many automatic answers from this address as an hour allows"
    REPLY_LOOP = "the recipient is a sender of ours: the broker does not answer itself"
    QUIET_HOURS = "it is quiet where the recipient is"
    FREQUENCY_CAP = "the contact has as many promotional messages as the account's policy allows"
    REFUSED_BY_PLUGIN = "a plugin refused it"
    NOT_DELIVERED_IN_TIME = "no delivery on this channel within the time that was set"
    TOKEN_MISSING = "a placeholder has no value for this recipient"  # noqa: S105
    CONTENT_REFUSED = "what this recipient would be told breaks a rule of the content"
    TOO_MANY_UNITS = "what this recipient would be told needs more units than the account allows"
    BROADCAST_STOPPED = "its broadcast was stopped or deleted before a provider was given it"
    SENDER_NOT_REGISTERED = "the account sends from its registered senders alone, and this is none of them"
    SENDER_WRONG_KIND = "a sender of this kind cannot reach the recipient"
    SENDER_NOT_CAPABLE = "the sender cannot send on this channel"
    SENDER_POOL_UNUSABLE = "no sender of the pool may be used for the recipient"


class EventKind(IntEnum):
    """What an event is about."""

    MESSAGE = 1
    INBOUND = 2
    BROADCAST = 3
    OPT_IN = 4
    CLICK = 5
    BALANCE = 6
