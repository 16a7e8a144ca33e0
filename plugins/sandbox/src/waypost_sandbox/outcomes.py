"""What becomes of a message in the sandbox, as one table and pure functions over it.

The last four digits of the recipient, or the name of the mailbox, choose a `Script`; every other
recipient is delivered. A `Profile` adds latency, failures and receipt delays to all of them.

Nothing here remembers anything. A message's number, its attempt and its submit time decide every
answer, and chance is a hash of the seed and the message rather than a generator with a state. So the
answers to `query` agree with what `submit` said before the broker was killed, in whatever order the
questions come, and a run with the same seed and the same message ids repeats exactly.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

from broker.spi import (
    Accepted,
    Channel,
    Inbound,
    NotAccepted,
    OptInAnswer,
    OptInChange,
    OptInFound,
    OptInQuery,
    OutboundMessage,
    Outcome,
    Reason,
    Receipt,
    ReceiptMode,
    ReceiptStatus,
    Rejected,
    Unknown,
)

ATTEMPTS_ALL = 2**31
"""More attempts than any broker makes."""

REPEAT_AFTER_S = 0.05
"""How long after the first receipt its repetition comes, for a recipient that gets it twice."""

REPLIES_TO_WHEN_SENDERLESS = "sandbox"
"""The address that a reply goes to when the message named no sender."""


@dataclass(frozen=True, slots=True)
class Script:
    """What the sandbox does with the messages to one kind of recipient.

    The first `busy_attempts_max` attempts are answered with `busy`; a later one is refused for good
    with `rejected`, or taken. Of what is taken, `answer_lost` replaces the answer, and nothing is
    pushed then: only `query` tells. The receipt says `status` (None: there never is one) `times` over,
    `receipt_after_s` after the latency if the profile does not say later; `early` puts it before the
    submit answer. `reply` is what the recipient writes back once it has the message.
    """

    name: str
    busy: NotAccepted | None = None
    busy_attempts_max: int = 0
    rejected: Rejected | None = None
    answer_lost: Unknown | None = None
    status: ReceiptStatus | None = ReceiptStatus.DELIVERED
    code: str = ""
    text: str = ""
    times: int = 1
    receipt_after_s: float = 0.0
    early: bool = False
    reply: str = ""


SCRIPTS: dict[str, Script] = {
    "0000": Script("delivered"),
    "0001": Script("rejected", rejected=Rejected(code="rejected", text="the sandbox refuses this recipient")),
    "0002": Script(
        "bounced",
        status=ReceiptStatus.DELIVERY_FAILED,
        code="bounced",
        text="the sandbox cannot deliver to this recipient",
    ),
    "0003": Script(
        "retry",
        busy=NotAccepted(code="busy", text="the sandbox takes this on the next attempt", about_message=True),
        busy_attempts_max=1,
    ),
    "0004": Script(
        "ambiguous",
        answer_lost=Unknown(
            code="answer_lost", text="the sandbox took this and loses its answer", about_message=True
        ),
    ),
    "0005": Script("late", receipt_after_s=5.0),
    "0006": Script("twice", times=2),
    "0007": Script("early", early=True),
    "0008": Script(
        "throttled",
        busy=NotAccepted(
            retry_after_s=1.0,
            code="throttled",
            text="the sandbox throttles three attempts",
            about_message=True,
        ),
        busy_attempts_max=3,
    ),
    "0009": Script(
        "optedout",
        rejected=Rejected(Reason.OPTED_OUT, code="opted_out", text="the recipient opted out at the sandbox"),
    ),
    "0010": Script(
        "down",
        busy=NotAccepted(code="down", text="the sandbox is down for this recipient", about_message=True),
        busy_attempts_max=ATTEMPTS_ALL,
    ),
    "0011": Script("silent", status=None),
    "0012": Script("replies", reply="YES"),
    "0013": Script("stops", reply="STOP"),
}
"""Every script by the last four digits of a number."""

SCRIPTS_BY_NAME: dict[str, Script] = {script.name: script for script in SCRIPTS.values()}
"""The same by the local part of a mailbox."""

ORDINARY = SCRIPTS["0000"]
"""The script of every recipient that the tables do not list."""

FAILED_BY_RATE = NotAccepted(code="failure_rate", text="one of the failures that the sandbox was set to")

_NOT_DIGITS = re.compile(r"[^0-9]+")


@dataclass(frozen=True, slots=True)
class Profile:
    """How the sandbox behaves towards every recipient.

    A message's latency is `latency_s` and up to `jitter_s` more. `failure_rate` (0 to 1) is the share
    of submits that are not accepted, whatever the recipient. Receipts come `receipt_delay_s` after the
    latency. `receipts` says whether they are pushed, wait to be asked for, or do not exist.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    failure_rate: float = 0.0
    receipt_delay_s: float = 0.05
    seed: int = 0
    receipts: ReceiptMode = ReceiptMode.PUSH


def script_of(channel: Channel, recipient: str) -> Script:
    """The script for a recipient.

    Mailboxes are known by local part, in any case; phone numbers by their last four digits, whatever
    stands between them; device tokens by their last four characters, or by being a name.
    """
    if channel is Channel.EMAIL:
        return SCRIPTS_BY_NAME.get(recipient.partition("@")[0].lower(), ORDINARY)
    tail = recipient[-4:]
    script = SCRIPTS.get(tail)
    if script is not None:
        return script
    if channel is Channel.SMS or channel is Channel.MMS:
        if tail.isascii() and tail.isdigit():
            return ORDINARY
        return SCRIPTS.get(_NOT_DIGITS.sub("", recipient)[-4:], ORDINARY)
    return SCRIPTS_BY_NAME.get(recipient.lower(), ORDINARY)


def provider_message_id(message: OutboundMessage) -> str:
    """The sandbox's id of an attempt; message ids rise with time, and so do these."""
    return f"sb-{message.message_id}-{message.attempt}"


def chance(seed: int, purpose: str, message: OutboundMessage) -> float:
    """A number in [0, 1) that is always the same for this seed, purpose and attempt at the message."""
    drawn_from = f"{seed}/{purpose}/{message.message_id}/{message.attempt}"
    drawn = int.from_bytes(blake2b(drawn_from.encode(), digest_size=8).digest(), "big")
    # A float holds 53 bits; with more, the highest draws would round up to 1.
    return (drawn >> 11) / 2**53


def latency_s_of(message: OutboundMessage, profile: Profile) -> float:
    """How long the sandbox takes to answer for this message."""
    if not profile.jitter_s:
        return profile.latency_s
    return profile.latency_s + profile.jitter_s * chance(profile.seed, "latency", message)


def outcome_of(script: Script, message: OutboundMessage, profile: Profile) -> Outcome:
    """What `submit` answers."""
    refusal = _refusal(script, message, profile)
    if refusal is not None:
        return refusal
    return script.answer_lost or Accepted((provider_message_id(message),))


def receipts_of(script: Script, message: OutboundMessage, profile: Profile) -> list[tuple[float, Receipt]]:
    """The receipts that are pushed, each with the seconds from the hand-over to it, in that order."""
    if script.status is None or script.answer_lost or profile.receipts is not ReceiptMode.PUSH:
        return []
    if _refusal(script, message, profile) is not None:
        return []
    delay_s = _receipt_delay_s(script, message, profile)
    receipt = _receipt(script, script.status, message, delay_s)
    if script.times == 1:
        return [(delay_s, receipt)]
    return [(delay_s + REPEAT_AFTER_S * repetition, receipt) for repetition in range(script.times)]


def inbound_of(script: Script, message: OutboundMessage, profile: Profile) -> list[tuple[float, Inbound]]:
    """What the recipient writes back, with the seconds from the hand-over to it; usually nothing.

    It comes with the receipt, and also where there are no receipts.
    """
    if not script.reply or _refusal(script, message, profile) is not None:
        return []
    delay_s = _receipt_delay_s(script, message, profile)
    reply = Inbound(
        sender=message.recipient,
        recipient=message.sender or REPLIES_TO_WHEN_SENDERLESS,
        text=script.reply,
        time_us=_time_us(message, delay_s),
        provider_message_id=f"{provider_message_id(message)}-reply",
    )
    return [(delay_s, reply)]


def answer_to_query(message: OutboundMessage, profile: Profile, now_us: int) -> Outcome | Receipt:
    """What `query` answers at `now_us`: the refusal, the acceptance, or the receipt once it is due."""
    script = script_of(message.channel, message.recipient)
    refusal = _refusal(script, message, profile)
    if refusal is not None:
        return refusal
    delay_s = _receipt_delay_s(script, message, profile)
    if script.status is None or profile.receipts is ReceiptMode.NONE or now_us < _time_us(message, delay_s):
        return Accepted((provider_message_id(message),))
    return _receipt(script, script.status, message, delay_s)


def answer_to_opt_in(change: OptInChange) -> OptInAnswer | NotAccepted:
    """What the sandbox answers to a recipient's wish: down for some, refused for some, taken for the rest."""
    script = script_of(_channel_of(change.recipient), change.recipient)
    if script.busy_attempts_max == ATTEMPTS_ALL and script.busy is not None:
        return script.busy
    if script.rejected is not None and script.rejected.reason is Reason.REFUSED_BY_PROVIDER:
        return OptInAnswer(accepted=False, code=script.rejected.code, text=script.rejected.text)
    return OptInAnswer(accepted=True, code="taken")


def opt_in_found(query: OptInQuery) -> OptInFound:
    """What the sandbox keeps: that the recipient who opted out there did so."""
    rejected = script_of(_channel_of(query.recipient), query.recipient).rejected
    if rejected is None or rejected.reason is not Reason.OPTED_OUT:
        return OptInFound(None)
    return OptInFound(opted_in=False, code=rejected.code, text=rejected.text)


def _channel_of(recipient: str) -> Channel:
    return Channel.EMAIL if "@" in recipient else Channel.SMS


def _refusal(script: Script, message: OutboundMessage, profile: Profile) -> NotAccepted | Rejected | None:
    """Why the message is not taken; None when it is."""
    if profile.failure_rate and chance(profile.seed, "failure", message) < profile.failure_rate:
        return FAILED_BY_RATE
    if message.attempt <= script.busy_attempts_max:
        return script.busy
    return script.rejected


def _receipt_delay_s(script: Script, message: OutboundMessage, profile: Profile) -> float:
    """Seconds from the hand-over to the receipt."""
    latency_s = latency_s_of(message, profile)
    return latency_s if script.early else latency_s + max(script.receipt_after_s, profile.receipt_delay_s)


def _receipt(script: Script, status: ReceiptStatus, message: OutboundMessage, delay_s: float) -> Receipt:
    """The receipt of a message that was taken; `query` and every repetition give the same one."""
    return Receipt(
        provider_message_id=provider_message_id(message),
        status=status,
        recipient=message.recipient,
        code=script.code,
        text=script.text,
        time_us=_time_us(message, delay_s),
    )


def _time_us(message: OutboundMessage, delay_s: float) -> int:
    """The sandbox's time of an event; it counts from the record of the attempt, all that a query knows."""
    return message.submitted_at_us + round(delay_s * 1_000_000)
