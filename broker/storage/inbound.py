"""The verb of what comes in: each message once, in its account, beside the message that it answers.

All that follows from it at once is of the same transaction, so a provider that is told that we have it is
told the truth: the wish that a word of consent makes, the group that a keyword leads into, and the errands that are
left for afterwards.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from broker.domain.address import sender_fits
from broker.domain.callback_url import CallbackMethod
from broker.domain.consent import EVERY_SENDER, Act, ConsentChange, ConsentSource
from broker.domain.consent_answers import answer_to
from broker.domain.consent_keywords import KEYWORD_CHARACTERS_MAX, language_of
from broker.domain.errand import Errand
from broker.domain.inbound import (
    Assignment,
    InboundKind,
    InboundRules,
    Reading,
    assign,
    read_text,
)
from broker.domain.lifecycle import Fact, begin
from broker.domain.outcome import Inbound
from broker.domain.records import NO_LABELS, Labels
from broker.domain.submission import Callback
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Direction, Guarantee, Traffic
from broker.storage.consenting import Standing, hold_senders, record_consent
from broker.storage.correspondence import read_correspondence
from broker.storage.documents import dump_inbound_content, dump_reply_labels, load_labels
from broker.storage.errands import errand_row
from broker.storage.joining import Joined, join_groups
from broker.storage.journal import Journal
from broker.storage.keywords import read_keywords_at
from broker.storage.named_letters import read_letters
from broker.storage.senders import read_owners
from broker.storage.transaction import Row, Transaction
from broker.storage.webhooks import follow_accounts

ROUTE_VERSION_NONE = 0


@value
class Arrival:
    """A message that a provider instance reported, in normal form, with the ids that it gets.

    `account_id` is the account that the settings name for the instance. `contact_id` is for its writer, should
    somebody new join a group by it. `asks_hook`: plugins may answer it.
    """

    provider: str
    inbound: Inbound
    submission_id: int
    message_id: int
    contact_id: int
    now_us: int
    rules: InboundRules
    account_id: int | None = None
    asks_hook: bool = False


@value
class Kept:
    """It is stored. `joined` is None where its keyword leads into a group that its writer could not join."""

    account_id: int
    message_id: int
    joined: bool | None = False


@value
class Duplicate:
    """The provider reported it before."""


def record_inbound(tx: Transaction, items: list[Arrival]) -> list[Kept | Duplicate]:
    """Store each message that is new, tell its account of it, and do what follows from it."""
    fresh = _fresh(tx, items)
    if not fresh:
        return [Duplicate()] * len(items)
    read = [read_text(each.inbound.text) for each in fresh]
    # What a person says to a sender may hold for every account: whoever sends from it waits, as STOP comes first.
    hold_senders(tx, {each.inbound.recipient for each in fresh}, alone=True)
    assigned = _assign(tx, fresh, read)
    tx.lock_accounts(sorted({each.account_id for each in assigned}))
    answered = _answered(tx, assigned)
    joined = join_groups(tx, [_joining(*each) for each in zip(fresh, assigned, strict=True)])
    writer = _Writer(tx, fresh[0].now_us, answered, joined)
    for arrival, assignment in zip(fresh, assigned, strict=True):
        writer.add(arrival, assignment)
    writer.flush()
    standings = _record_consent(tx, fresh, read, assigned)
    errands = [
        errand_row(errand, arrival.now_us)
        for arrival, reading, assignment in zip(fresh, read, assigned, strict=True)
        if (errand := _errand(arrival, reading, assignment, answered, standings)) is not None
    ]
    tx.bulk("insert_errands", errands)
    kept = {
        arrival.message_id: Kept(assignment.account_id, arrival.message_id, _outcome(assignment, each))
        for arrival, assignment, each in zip(fresh, assigned, joined, strict=True)
    }
    return [kept.get(item.message_id) or Duplicate() for item in items]


def _fresh(tx: Transaction, items: Sequence[Arrival]) -> list[Arrival]:
    """Those that were not reported before. Without an id of the provider's, nobody can tell."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.inbound.provider_message_id:
            wanted[item.provider].add(item.inbound.provider_message_id)
    seen = {
        (provider, row[0])
        for provider, ids in wanted.items()
        for row in tx.all("known_inbound", provider=provider, provider_message_ids=sorted(ids))
    }
    fresh = []
    for item in items:
        place = (item.provider, item.inbound.provider_message_id)
        if not place[1] or place not in seen:
            seen.add(place)
            fresh.append(item)
    return fresh


def _assign(tx: Transaction, arrivals: Sequence[Arrival], read: Sequence[Reading]) -> list[Assignment]:
    written = read_correspondence(tx, {each.inbound.sender for each in arrivals})
    letters = read_letters(tx, [(each.provider, each.inbound) for each in arrivals], written)
    words = {each.first_word for each in read if each.first_word}
    keywords = read_keywords_at(tx, {each.inbound.recipient for each in arrivals}, words) if words else {}
    named = sorted({each.account_id for each in arrivals if each.account_id is not None})
    there = {row[0] for row in tx.all("accounts_among", account_ids=named)} if named else set()
    owners = read_owners(tx, {each.inbound.recipient for each in arrivals})
    first = tx.one("first_account")
    assert first is not None
    return [
        assign(
            reading,
            mine,
            keywords.get((each.inbound.recipient, reading.first_word)),
            address=each.inbound.recipient,
            provider=each.provider,
            now_us=each.now_us,
            rules=each.rules,
            named=each.account_id if each.account_id in there else None,
            default=int(first[0]),
            owner=_only(owners.get(each.inbound.recipient, ())),
        )
        for each, reading, mine in zip(arrivals, read, letters, strict=True)
    ]


def _only(owners: Collection[int]) -> int | None:
    """The account that has an address for itself: of several nobody can tell which is meant."""
    return next(iter(owners)) if len(owners) == 1 else None


@value
class _Answered:
    """What an answer takes over from the message that it answers."""

    channel: Channel | None
    client_reference: str
    data: str
    labels: Labels
    contact_id: int | None
    callback: Callback | None


_NOTHING_ANSWERED = _Answered(None, "", "", NO_LABELS, None, None)


def _answered(tx: Transaction, assigned: Sequence[Assignment]) -> Mapping[int, _Answered]:
    wanted = sorted({each.reply_to for each in assigned if each.reply_to is not None})
    rows = tx.all("answered_messages", message_ids=wanted) if wanted else []
    return {row[0]: _answered_of(row) for row in rows}


def _answered_of(row: Row) -> _Answered:
    _, channel, client_reference, data, labels, contact_id, url, method = row
    callback = Callback(url, CallbackMethod(method)) if url else None
    return _Answered(
        Channel(channel) if channel else None,
        client_reference,
        data,
        load_labels(labels),
        contact_id,
        callback,
    )


def _joining(arrival: Arrival, assignment: Assignment) -> Joined | None:
    """Who is to join which group."""
    keyword = assignment.keyword
    if assignment.kind is not InboundKind.KEYWORD or keyword is None or keyword.group_id is None:
        return None
    return Joined(
        keyword.account_id,
        keyword.group_id,
        arrival.inbound.sender,
        arrival.contact_id,
        arrival.now_us,
        arrival.rules.contacts_max,
    )


def _outcome(assignment: Assignment, contact_id: int | None) -> bool | None:
    wanted = assignment.kind is InboundKind.KEYWORD and assignment.keyword and assignment.keyword.group_id
    return (True if contact_id is not None else None) if wanted else False


def _record_consent(
    tx: Transaction, arrivals: Sequence[Arrival], read: Sequence[Reading], assigned: Sequence[Assignment]
) -> Mapping[int, Standing]:
    """What each word of consent made of its writer's wish, by message. Who texts a keyword wants to be written to."""
    changes = {}
    for arrival, reading, assignment in zip(arrivals, read, assigned, strict=True):
        word = reading.consent
        if word is None and assignment.kind is not InboundKind.KEYWORD:
            continue
        inbound = arrival.inbound
        changes[arrival.message_id] = ConsentChange(
            account_id=assignment.account_id,
            sender=EVERY_SENDER if word is not None and word.every_sender else inbound.recipient,
            recipient=inbound.sender,
            act=Act.OPT_IN if word is None else word.act,
            source=ConsentSource.INBOUND,
            at_us=arrival.now_us,
            keyword=inbound.text.strip()[:KEYWORD_CHARACTERS_MAX],
            told_by=arrival.provider,
            message_id=arrival.message_id,
        )
    return dict(zip(changes, record_consent(tx, list(changes.values())), strict=True))


def _errand(
    arrival: Arrival,
    reading: Reading,
    assignment: Assignment,
    answered: Mapping[int, "_Answered"],
    standings: Mapping[int, Standing],
) -> Errand | None:
    """What is left to do about a message; None for nothing."""
    inbound, keyword = arrival.inbound, assignment.keyword
    alone = assignment.kind is InboundKind.KEYWORD
    known = answered.get(assignment.reply_to or 0)
    standing = standings.get(arrival.message_id)
    act = None if reading.consent is None or standing is None else reading.consent.act
    if act not in {None, Act.HELP} and standing is not None and standing.wish.state is standing.before:
        return None  # it was said before, and answered then
    language = language_of(inbound.text, inbound.sender)
    errand = Errand(
        message_id=arrival.message_id,
        account_id=assignment.account_id,
        provider=arrival.provider,
        person=inbound.sender,
        address=inbound.recipient,
        sender=""
        if assignment.senderless or not sender_fits(inbound.recipient, Channel.SMS)
        else inbound.recipient,
        channel=_channel(inbound, known),
        text=inbound.text,
        received_at_us=arrival.now_us if inbound.time_us is None else inbound.time_us,
        reply_to=assignment.reply_to if known is not None else None,
        keyword="" if keyword is None else keyword.shown,
        act=act,
        standing="" if act is None or standing is None else answer_to(standing.wish, language),
        standing_plain="" if act is None or standing is None else answer_to(standing.wish),
        autoreply=keyword.autoreply if alone and keyword is not None else "",
        forward_to="" if keyword is None else keyword.forward_to,
        called_back=alone and keyword is not None and bool(keyword.callback_url),
        asks_hook=arrival.asks_hook,
    )
    return errand if errand.act or errand.autoreply or errand.forward_to or errand.asks_hook else None


def _channel(inbound: Inbound, answered: "_Answered | None") -> Channel:
    if answered is not None and answered.channel is not None:
        return answered.channel
    return Channel.EMAIL if "@" in inbound.sender else Channel.SMS


class _Writer:
    """The rows of several messages that came in, written in bulk."""

    def __init__(
        self,
        tx: Transaction,
        now_us: int,
        answered: Mapping[int, _Answered],
        joined: Sequence[int | None],
    ) -> None:
        self._tx = tx
        self._now_us = now_us
        self._answered = answered
        self._joined = iter(joined)
        self._journal = Journal(tx, now_us)
        self._submissions: list[tuple[object, ...]] = []
        self._messages: list[tuple[object, ...]] = []
        self._inbound: list[tuple[object, ...]] = []
        self._callbacks: list[tuple[object, ...]] = []
        self._followed: dict[int, int] = {}

    def add(self, arrival: Arrival, assignment: Assignment) -> None:
        inbound, account_id, contact_id = arrival.inbound, assignment.account_id, next(self._joined)
        # Of a message that was deleted or is past its retention nothing is taken over, not even its id.
        reply_to = assignment.reply_to if assignment.reply_to in self._answered else None
        answered = self._answered[reply_to] if reply_to is not None else _NOTHING_ANSWERED
        channel = _channel(inbound, answered)
        received_us = self._now_us if inbound.time_us is None else inbound.time_us
        told = _told(arrival, assignment, received_us, joined=contact_id is not None)
        sequence = self._journal.receive(arrival.message_id, account_id, told)
        self._submissions.append((
            arrival.submission_id,
            account_id,
            inbound.sender,
            Traffic.CONVERSATIONAL,
            Guarantee.AT_LEAST_ONCE,
            "",
            dump_reply_labels(answered.labels, reply_to),
            dump_inbound_content(channel, inbound.text),
        ))
        contact_id = answered.contact_id if contact_id is None else contact_id
        self._messages.append(self._message(arrival, account_id, channel, answered, sequence, contact_id))
        place = (arrival.provider, inbound.provider_message_id)
        self._inbound.append((arrival.message_id, *place, received_us, assignment.by))
        callback, exclusive = _callback(assignment, answered)
        if callback is not None:
            self._callbacks.append((arrival.submission_id, callback.url, callback.method, exclusive))
            self._followed.setdefault(account_id, sequence - 1)

    def _message(
        self,
        arrival: Arrival,
        account_id: int,
        channel: Channel,
        answered: _Answered,
        sequence: int,
        contact_id: int | None,
    ) -> tuple[object, ...]:
        return (
            arrival.message_id,
            account_id,
            arrival.submission_id,
            channel,
            arrival.inbound.recipient,
            begin(Fact.RECEIVED).state,
            None,
            None,
            1,
            arrival.provider,
            0,
            self._now_us,
            self._now_us,
            self._now_us,
            self._now_us,
            answered.client_reference,
            answered.data,
            sequence,
            ROUTE_VERSION_NONE,
            contact_id,
            Direction.INBOUND,
        )

    def flush(self) -> None:
        self._tx.bulk("insert_submissions", self._submissions)
        self._tx.bulk("insert_received", self._messages)
        self._tx.bulk("insert_inbound", self._inbound)
        self._tx.bulk("insert_inbound_callbacks", self._callbacks)
        follow_accounts(self._tx, self._followed)
        self._journal.flush()


def _callback(assignment: Assignment, answered: _Answered) -> tuple[Callback | None, bool]:
    """Whom to call of a message, and whether nobody else is: a keyword's own URL, else that of what it answers."""
    keyword = assignment.keyword
    if assignment.kind is InboundKind.KEYWORD and keyword is not None:
        if not keyword.callback_url:
            return None, False
        return Callback(keyword.callback_url, keyword.callback_method), keyword.send_unique
    return answered.callback, False


def _told(
    arrival: Arrival, assignment: Assignment, received_us: int, *, joined: bool
) -> Mapping[str, object]:
    """What the event says besides what its message has; `api/convert/inbound` reads it."""
    keyword = assignment.keyword
    told: dict[str, object] = {
        "text": arrival.inbound.text,
        "received_at_us": received_us,
        "provider": arrival.provider,
        "provider_message_id": arrival.inbound.provider_message_id,
        "kind": assignment.kind,
        "assigned_by": assignment.by,
    }
    if assignment.senderless:
        told["senderless"] = True
    if keyword is not None:
        told["keyword"] = keyword.shown
        if joined:
            told["group_id"] = keyword.group_id
    return told
