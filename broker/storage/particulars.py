"""What only some messages have beside their content, as their provider gets it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from broker.domain.ids import format_id
from broker.domain.particulars import NO_PARTICULARS, Particulars
from broker.domain.records import NO_LABELS, Labels
from broker.domain.submission import NO_TOKENS
from broker.domain.value import value
from broker.storage.documents import StoredContent
from broker.storage.transaction import Transaction


@value
class Answered:
    """A message that came in: the instance that brought it, and its id there."""

    provider: str
    provider_message_id: str


NONE_ANSWERED: Mapping[int, Answered] = {}


def read_answered(tx: Transaction, labels: Sequence[Labels]) -> Mapping[int, Answered]:
    """The messages that others answer, by id; nothing is asked where none does."""
    wanted = [each.reply_to_message_id for each in labels if each.reply_to_message_id is not None]
    if not wanted:
        return NONE_ANSWERED
    return {row[0]: Answered(row[1], row[2]) for row in tx.all("inbound_upstream", message_ids=wanted)}


def particulars_of(
    labels: Labels, said: StoredContent, own: Mapping[str, str], *, shortened: bool
) -> Particulars:
    """Those of a message that says this, with these values of its own; most messages have none."""
    if labels is NO_LABELS and not shortened:
        return NO_PARTICULARS
    reply_to, template = labels.reply_to_message_id, labels.template
    return Particulars(
        campaign=labels.campaign,
        origin=labels.origin,
        reply_to_message_id="" if reply_to is None else format_id(reply_to),
        ignore_quiet_hours=labels.ignore_quiet_hours,
        cap_frequency=labels.cap_frequency,
        links_shortened=shortened,
        template=template,
        template_values=NO_TOKENS if template is None else {**(said.tokens or NO_TOKENS), **own},
    )


def with_answered(of: Particulars, answered: Answered | None, provider: str) -> Particulars:
    """The same with the upstream's own id of the message that is answered, where this instance brought it."""
    if answered is None or answered.provider != provider:
        return of
    return replace(of, reply_to_provider_message_id=answered.provider_message_id)
