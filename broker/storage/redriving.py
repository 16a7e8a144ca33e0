"""Reading a message that ended badly as what it was asked to be, so that it can be sent again."""

from collections.abc import Mapping
from dataclasses import replace

from broker.domain.callback_url import CallbackMethod
from broker.domain.lifecycle import State
from broker.domain.submission import Callback, Content, Recipient, Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Guarantee, Traffic
from broker.storage.documents import load_content, load_labels
from broker.storage.history import said_to
from broker.storage.transaction import Row, Transaction
from broker.storage.ways import read_fallback, read_ways

_REDRIVABLE = frozenset({
    State.SENDING_FAILED,
    State.DELIVERY_FAILED,
    State.EXPIRED,
    State.UNKNOWN,
    State.REJECTED,
})


@value
class NotRedrivable:
    """It has not ended, or not in a way that sending it again could mend, or what it said was erased."""

    state: State
    deleted: bool


def read_redrivable(tx: Transaction, account_id: int, message_id: int) -> Submission | NotRedrivable | None:
    """What to submit to send a message again; None also for another account's.

    A REJECTED message can be sent again where a provider rejected it: the broker would refuse it again.
    """
    row = tx.one("message_to_redrive", account_id=account_id, message_id=message_id)
    if row is None:
        return None
    state, attempts, deleted = State(row[0]), row[1], row[2] is not None
    if deleted or state not in _REDRIVABLE or (state is State.REJECTED and not attempts):
        return NotRedrivable(state, deleted)
    content, ways = load_content(row[12]), read_ways(tx, message_id)
    addresses = {way.channel: way.recipient for way in ways} or {Channel(row[3]): row[4]}
    said: dict[Channel, Mapping[str, object]] = {}
    for channel in addresses:
        document = said_to(tx, message_id, channel, content)
        if document is None:
            raise AssertionError(f"message {message_id} may be sent and says nothing on {channel.name}")
        said[channel] = document
    again = replace(
        _submission(account_id, message_id, row, addresses, said), track_links=bool(content.link_domain)
    )
    if not ways:
        return again
    # Each of its channels gets a sender anew where the request named none.
    return replace(again, fallback=read_fallback(tx, message_id), sender=row[15])


def _submission(
    account_id: int,
    message_id: int,
    row: Row,
    addresses: Mapping[Channel, str],
    said: Mapping[Channel, Mapping[str, object]],
) -> Submission:
    """A request of its own: what was said to the one recipient, its placeholders filled, goes out as it stands."""
    labels = load_labels(row[11])
    return Submission(
        account_id=account_id,
        recipients=(_recipient(addresses, row[16]),),
        content=Content(said),
        sender=row[7],
        traffic=Traffic(row[8]),
        channels=tuple(addresses),
        guarantee=Guarantee(row[9]),
        client_reference=row[5],
        campaign=labels.campaign,
        data=row[6],
        tags=labels.tags,
        reply_to_message_id=labels.reply_to_message_id,
        provider=row[10],
        origin=labels.origin,
        callback=None if row[13] is None else Callback(row[13], CallbackMethod(row[14])),
        edition=labels.template,
        redriven_from_message_id=message_id,
        names_contacts=row[16] is not None,
        ignore_quiet_hours=labels.ignore_quiet_hours,
        cap_frequency=labels.cap_frequency,
    )


def _recipient(addresses: Mapping[Channel, str], contact_id: int | None) -> Recipient:
    """Somebody with the address of each channel; one that a push and an in-app message share is a device's."""
    number = addresses.get(Channel.SMS) or addresses.get(Channel.MMS)
    device = addresses.get(Channel.PUSH) or addresses.get(Channel.IN_APP)
    email = addresses.get(Channel.EMAIL)
    return Recipient(phone_number=number, email=email, device_token=device, contact_id=contact_id)
