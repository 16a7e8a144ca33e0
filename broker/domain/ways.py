"""How a recipient is reached: by which channel, at which address, through which providers; or why not."""

from collections.abc import Sequence

from broker.domain.account_policy import AccountPolicy
from broker.domain.address import PHONE_CHANNELS, normal_mailbox, normal_number
from broker.domain.carrying import Carried, Carriers, SenderRefused
from broker.domain.grounds import Grounds
from broker.domain.reaching import Reached
from broker.domain.submission import Recipient, Submission
from broker.domain.vocabulary import Channel, Reason

Usable = tuple[Channel, str, tuple[str, ...] | Carried]
"""Channel, normal address, and candidates, with the sender where another one was chosen."""

Way = tuple[Channel | None, str, Carriers, Sequence[Usable]]
"""Channel, normal address, and the candidates or why there are none; then, where the caller lets a message go on
by other channels, those behind it that would do as well.
"""


def offered_channels(submission: Submission, policy: AccountPolicy) -> list[Channel]:
    """The channels that there is content for: in the caller's order, else those that the account prefers first.

    Without any preference they come in the order of Content's fields.
    """
    documents = submission.content.documents
    if submission.channels:
        return [channel for channel in submission.channels if channel in documents]
    return _preferred(policy.channels, sorted(documents))


def way_to(
    submission: Submission,
    offered: list[Channel],
    one: Reached,
    message_id: int,
    grounds: Grounds,
) -> Way:
    """The same for somebody of the directory: where the caller has no wish, the contact's own order counts."""
    if one.reason is not None:
        return None, "", one.reason, ()
    if one.channels and not submission.channels:
        offered = _preferred(one.channels, offered)
    return way_of(submission, offered, one.recipient, message_id, grounds)


def _preferred(wanted: Sequence[Channel], offered: list[Channel]) -> list[Channel]:
    """What is offered, with what is wanted of it first."""
    if not wanted:
        return offered
    first = [channel for channel in wanted if channel in offered]
    return [*first, *(channel for channel in offered if channel not in first)]


def way_of(
    submission: Submission,
    offered: list[Channel],
    recipient: Recipient,
    message_id: int,
    grounds: Grounds,
) -> Way:
    """The first offered channel that the recipient and a provider share, and its providers; else why not."""
    refusal: tuple[Channel, str, Reason | SenderRefused] | None = None
    usable: list[Usable] = []
    for channel in offered:
        written = written_address(recipient, channel)
        if written is None:
            continue
        address, found = _by(channel, written, submission, message_id, grounds)
        if isinstance(found, tuple | Carried):
            usable.append((channel, address, found))
            if submission.fallback is None:
                break
        elif refusal is None:  # the caller's first choice is the one to explain
            refusal = (channel, address, found)
    if usable:
        return *usable[0], usable[1:]
    if refusal is not None:
        return *refusal, ()
    any_address = recipient.phone_number or recipient.email or recipient.device_token or ""
    return None, any_address, Reason.NO_ADDRESS if offered else Reason.CONTENT_UNSUPPORTED, ()


def _by(
    channel: Channel, written: str, submission: Submission, message_id: int, grounds: Grounds
) -> tuple[str, Carriers]:
    """The normal address on a channel, and the candidates or why there are none."""
    address = normal_address(written, channel, grounds.policy.default_region)
    if address is None:
        return written, Reason.INVALID_RECIPIENT
    if not grounds.policy.allows(address, channel):
        return address, Reason.COUNTRY_NOT_ALLOWED
    found = grounds.find_carriers(submission, channel, address, message_id, grounds.find_candidates)
    return address, found


def written_address(recipient: Recipient, channel: Channel) -> str | None:
    """The address that a channel uses, as the caller wrote it."""
    if channel in PHONE_CHANNELS:
        return recipient.phone_number
    if channel is Channel.EMAIL:
        return recipient.email
    if channel is Channel.PUSH:
        return recipient.device_token
    return recipient.device_token or recipient.email or recipient.phone_number


def normal_address(written: str, channel: Channel, region: str = "") -> str | None:
    """The normal form of an address on a channel, None when it is not one; `region` is of national numbers."""
    if channel in PHONE_CHANNELS:
        return normal_number(written, region)
    if channel is Channel.EMAIL:
        return normal_mailbox(written)
    return written.strip() or None
