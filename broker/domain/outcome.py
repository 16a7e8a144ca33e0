"""What a provider says: the outcome of a hand-over, and the facts it reports later."""

from enum import Enum

from broker.domain.value import value
from broker.domain.vocabulary import Reason


@value
class Accepted:
    """The provider took the message.

    `provider_message_ids` holds one id for each part that gets receipts of its own, usually one.
    `price_micros` and `currency` are what the provider says it costs, where it says so.
    `aliases` are further ids of the provider for the same message, by which its receipts may name it too; only
    beside a single id. `code` and `text` are what it said beside, as a warning; shown with the event of the
    hand-over, where there is a code.
    """

    provider_message_ids: tuple[str, ...] = ()
    price_micros: int | None = None
    currency: str = ""
    aliases: tuple[str, ...] = ()
    code: str = ""
    text: str = ""


@value
class Rejected:
    """The provider refused the message for good: trying again, here or elsewhere, is no use."""

    reason: Reason = Reason.REFUSED_BY_PROVIDER
    code: str = ""
    text: str = ""


@value
class NotAccepted:
    """The provider surely did not take the message: connection refused, throttled, busy.

    It is safe to try again. `retry_after_s` is the provider's own wish (Retry-After), in seconds.
    `about_message`: the cause is this message or its recipient, as a limit of the recipient's own; it says
    nothing of the provider, whose health and rate stay as they are.
    """

    retry_after_s: float | None = None
    code: str = ""
    text: str = ""
    about_message: bool = False


@value
class Unknown:
    """The provider may have taken the message: a time-out after the body left, a garbled answer.

    `about_message`: as in NotAccepted.
    """

    code: str = ""
    text: str = ""
    about_message: bool = False


Outcome = Accepted | Rejected | NotAccepted | Unknown


class ReceiptStatus(Enum):
    """What a receipt says, in the broker's words. A code that a plugin does not know is UNKNOWN."""

    SENT = "passed on, the end is still to come"
    DELIVERED = "the recipient has it"
    DELIVERY_FAILED = "it could not be delivered"
    READ = "the recipient read it"
    UNKNOWN = "the provider's status has no meaning here"


@value
class Receipt:
    """A provider's report on a message that it took.

    `part` counts from 1 and is 0 for the whole message. `time_us` is the provider's own time of the
    event in microseconds since 1970 UTC, None where it names none. `reason` says why it was not delivered where the
    provider tells one of ours: with OPTED_OUT or OPTED_OUT_GLOBALLY, nothing more is sent to the recipient.
    """

    provider_message_id: str
    status: ReceiptStatus
    recipient: str = ""
    part: int = 0
    code: str = ""
    text: str = ""
    time_us: int | None = None
    reason: Reason | None = None


@value
class Inbound:
    """A message that somebody sent to one of our addresses.

    `answers` is the id that the provider gave the message of ours that it answers, where the provider tells; empty: the
    broker finds out.
    """

    sender: str
    recipient: str
    text: str
    time_us: int | None = None
    provider_message_id: str = ""
    answers: str = ""


ReportedFact = Receipt | Inbound
