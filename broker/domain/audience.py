"""Who a broadcast goes to: rows of an audience, made of recipients and contacts and read back as such."""

from collections.abc import Mapping, Sequence
from typing import Any

from broker.domain.address import normal_mailbox, normal_number
from broker.domain.directory import Card, Contact
from broker.domain.reaching import Reached
from broker.domain.submission import Recipient
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Reason

NOTHING_MORE: Mapping[str, Any] = {}


@value
class AudienceRow:
    """Somebody who is to get a broadcast's message.

    Addresses are normal, or as they were written where they have no normal form, or "" where there is none.
    `more` has what else is known, by short names, as plain values.
    """

    number: int
    phone_number: str
    email: str
    device_token: str
    more: Mapping[str, Any]


@value
class AudienceBlock:
    """Rows that follow each other, `number` first, column by column.

    Of addresses a column is None where nobody has any. `values` are those for placeholders, by name: printable text, and
    "" where a row has none; `others` what else is known, by the short names of `AudienceRow.more`.
    """

    number: int
    rows: int
    phone_numbers: Sequence[str] | None
    emails: Sequence[str] | None
    device_tokens: Sequence[str] | None
    values: Mapping[str, Sequence[str]]
    others: Mapping[str, Sequence[Any]]


def row_of(number: int, one: Reached, names: frozenset[str], region: str = "") -> AudienceRow:
    """Somebody whom a recipient reaches. Of a contact's own properties those that the content `names` are kept.

    `region` is whose national numbers are taken, as for `normal_number`.
    """
    recipient = one.recipient
    tokens = dict(recipient.tokens or {})
    if one.asked is not None and one.reason is None:
        properties = one.asked.card.properties
        tokens = {name: properties[name] for name in names & properties.keys()} | tokens
    phone_number, email = recipient.phone_number or "", recipient.email or ""
    more = {
        "tokens": tokens,
        "at": recipient.schedule_at_us,
        "reference": recipient.client_reference,
        "data": recipient.data,
        "contact": one.contact_id,
        "channels": [int(each) for each in one.channels],
        "reason": one.reason.name if one.reason else None,
    }
    return AudienceRow(
        number,
        normal_number(phone_number, region) or phone_number,
        normal_mailbox(email) or email,
        (recipient.device_token or "").strip(),
        {name: given for name, given in more.items() if given},
    )


def recipient_of(row: AudienceRow) -> Recipient:
    """The row as a recipient who is named by address."""
    more = row.more
    phone_number, email, device_token = row.phone_number or None, row.email or None, row.device_token or None
    if not more:
        return Recipient(phone_number, email, device_token)
    return Recipient(
        phone_number,
        email,
        device_token,
        more.get("at"),
        more.get("reference"),
        more.get("data"),
        None,
        more.get("tokens"),
    )


def reached_of(index: int, row: AudienceRow, recipient: Recipient, account_id: int) -> Reached:
    """The row as somebody who is reached, with what planning needs of the contact that it came of."""
    more = row.more
    contact_id, reason = more.get("contact"), more.get("reason")
    if contact_id is None:
        return Reached(index, recipient, reason=Reason[reason] if reason else None)
    card = Card(channels=tuple(map(Channel, more.get("channels", ()))))
    contact = Contact(contact_id, account_id, 0, 0, 0, card)
    return Reached(index, recipient, contact, None, Reason[reason] if reason else None)


def names_contacts(row: AudienceRow) -> bool:
    """Whether the row came of a contact, or of one that there is not."""
    return "contact" in row.more or "reason" in row.more
