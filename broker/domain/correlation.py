"""What messages are found by: the filter of a list, and the values that the index keeps of each message."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from enum import IntEnum

from broker.domain.lifecycle import State
from broker.domain.records import Labels
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Direction, Traffic

INDEXED_CHARACTERS_MAX = 128
"""A longer value is indexed by as many characters at its beginning."""


class IndexKind(IntEnum):
    """What kind of value an index row is about. Numbers are stored, and stand in `sql/indexing.sql`."""

    ACCOUNT = 1
    """Every message of the account, under the empty value."""
    RECIPIENT = 2
    CLIENT_REFERENCE = 3
    DATA = 4
    SENDER = 5
    CAMPAIGN = 6
    TAG = 7
    REPLY_TO = 8
    ORIGIN = 9
    PROVIDER = 10
    """Each instance that an attempt was made with."""
    BROADCAST = 11


@value
class MessageFilter:
    """Which messages to list: every field that is set must fit, and of a set any value.

    Times are microseconds UTC of acceptance. Deleted messages fit only where `deleted` is set; with `states` as well, those and the deleted ones.
    """

    start_us: int | None = None
    end_us: int | None = None
    states: frozenset[State] = field(default=frozenset())
    deleted: bool = False
    channels: frozenset[Channel] = field(default=frozenset())
    traffics: frozenset[Traffic] = field(default=frozenset())
    directions: frozenset[Direction] = field(default=frozenset())
    recipients: frozenset[str] = field(default=frozenset())
    client_references: frozenset[str] = field(default=frozenset())
    data: frozenset[str] = field(default=frozenset())
    senders: frozenset[str] = field(default=frozenset())
    campaigns: frozenset[str] = field(default=frozenset())
    tags: frozenset[str] = field(default=frozenset())
    reply_to_message_ids: frozenset[int] = field(default=frozenset())
    origins: frozenset[str] = field(default=frozenset())
    providers: frozenset[str] = field(default=frozenset())
    contact_id: int | None = None
    broadcast_ids: frozenset[int] = field(default=frozenset())

    @property
    def indexed(self) -> list[tuple[IndexKind, list[str]]]:
        """The wishes that the index knows, with its values; what usually fits the fewest messages first."""
        wishes = [
            (IndexKind.REPLY_TO, {str(each) for each in self.reply_to_message_ids}),
            (IndexKind.CLIENT_REFERENCE, self.client_references),
            (IndexKind.DATA, self.data),
            (IndexKind.RECIPIENT, self.recipients),
            (IndexKind.CAMPAIGN, self.campaigns),
            (IndexKind.TAG, self.tags),
            (IndexKind.ORIGIN, self.origins),
            (IndexKind.PROVIDER, self.providers),
            (IndexKind.SENDER, self.senders),
            (IndexKind.BROADCAST, {str(each) for each in self.broadcast_ids}),
        ]
        return [
            (kind, sorted({each[:INDEXED_CHARACTERS_MAX] for each in values}))
            for kind, values in wishes
            if values
        ]

    def fits_labels(self, labels: Labels) -> bool:
        """Whether what the caller attached fits."""
        return (
            (not self.tags or not self.tags.isdisjoint(labels.tags))
            and (not self.campaigns or (labels.campaign is not None and labels.campaign.id in self.campaigns))
            and (not self.origins or labels.origin in self.origins)
            and (not self.reply_to_message_ids or labels.reply_to_message_id in self.reply_to_message_ids)
            and (not self.broadcast_ids or labels.broadcast_id in self.broadcast_ids)
        )


def personal_keys(recipient: str, data: str, writer: str = "") -> Sequence[tuple[IndexKind, str]]:
    """Where the index has what a deletion erases of a message; `writer` is who wrote one that came in."""
    return _present((IndexKind.RECIPIENT, recipient), (IndexKind.DATA, data), (IndexKind.SENDER, writer))


def address_keys(recipients: Iterable[str]) -> Sequence[tuple[IndexKind, str]]:
    """Where the index has the other addresses of a message that went on by another channel."""
    return _present(*((IndexKind.RECIPIENT, each) for each in recipients))


def index_keys(
    *, recipient: str, client_reference: str, data: str, sender: str, labels: Labels, provider: str
) -> Sequence[tuple[IndexKind, str]]:
    """Everywhere that the index has a message, as `sql/indexing.sql` puts it there; of attempts, the last."""
    reply_to, broadcast_id = labels.reply_to_message_id, labels.broadcast_id
    return [
        (IndexKind.ACCOUNT, ""),
        *_present(
            (IndexKind.RECIPIENT, recipient),
            (IndexKind.CLIENT_REFERENCE, client_reference),
            (IndexKind.DATA, data),
            (IndexKind.SENDER, sender),
            (IndexKind.CAMPAIGN, labels.campaign.id if labels.campaign else ""),
            *((IndexKind.TAG, tag) for tag in labels.tags),
            (IndexKind.REPLY_TO, "" if reply_to is None else str(reply_to)),
            (IndexKind.ORIGIN, labels.origin),
            (IndexKind.PROVIDER, provider),
            (IndexKind.BROADCAST, "" if broadcast_id is None else str(broadcast_id)),
        ),
    ]


def _present(*keys: tuple[IndexKind, str]) -> list[tuple[IndexKind, str]]:
    return [(kind, text[:INDEXED_CHARACTERS_MAX]) for kind, text in keys if text]
