"""Verbs of consent: put on record what recipients want, and tell who must not be written to.

Two tables: the record, which is only added to, and the states that it adds up to (`domain.consent`). Whoever wants to
send asks within the transaction that stores the message or opens the attempt, so no attempt commits after a STOP did:
both hold the account, and for a STOP to a sender across accounts also that sender's name.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from broker.domain.consent import (
    EVERY_ACCOUNT,
    Act,
    Consent,
    ConsentChange,
    ConsentSource,
    Scope,
    Wish,
    WishKey,
    effects,
    in_force,
    moves,
    refusal,
    sender_key,
)
from broker.domain.consenting import may_stop
from broker.domain.plan import Plan
from broker.domain.value import value
from broker.domain.vocabulary import EventKind, Reason, Traffic
from broker.storage.journal import Journal
from broker.storage.policies import read_policies
from broker.storage.transaction import Row, Transaction

RECORDS_AT_ONCE_MAX = 10_000


@value
class Standing:
    """What holds between a sender of an account and a recipient, and what held `before` the change."""

    sender: str
    recipient: str
    wish: Wish
    before: Consent


@value
class Asked:
    """What does a recipient want of a sender? `message_id` is what somebody wants to send; 0: nothing."""

    account_id: int
    sender: str
    recipient: str
    message_id: int = 0
    passcode: bool = False


def record_consent(tx: Transaction, changes: list[ConsentChange]) -> list[Standing]:
    """Put changes on record in their order; answers what is in force for each. What moves is told by an event."""
    if not changes:
        return []
    tx.lock_accounts(each.account_id for each in changes)
    hold_senders(tx, (each.sender for each in changes if _reaches_all(each)), alone=True)
    wishes = _read_wishes(tx, changes)
    journal = Journal(tx, changes[0].at_us)
    moved: dict[WishKey, Wish] = {}
    answers: list[Standing] = []
    for each in changes:
        known = wishes[each.recipient]
        before = in_force(known, each.account_id, each.sender, each.recipient)
        made = effects(each, known)
        changed = moves(each, known, made)
        moved |= made
        known |= made
        wish = in_force(known, each.account_id, each.sender, each.recipient)
        if changed:
            journal.tell(each.account_id, EventKind.OPT_IN, _told(each, wish, before.state), each.message_id)
        answers.append(Standing(each.sender, each.recipient, wish, before.state))
    tx.bulk("insert_consent_records", [_record_row(each) for each in changes])
    tx.bulk("set_consent_states", [_state_row(*each) for each in moved.items()])
    journal.flush()
    return answers


def hold_senders(tx: Transaction, senders: Iterable[str], *, alone: bool = False) -> None:
    """Hold senders until the commit: those who send from one share it, who stops one for all accounts has it alone."""
    tx.lock_names({f"sender {sender_key(each)}" for each in senders}, alone=alone)


def opted_out(tx: Transaction, recipients: list[str]) -> set[str]:
    """Those of the recipients who said STOP to anybody: whoever is not among them may be written to.

    One look into an index that holds nobody else, so it costs next to nothing where hardly anybody did.
    """
    return {row[0] for row in tx.all("recipients_opted_out", recipients=recipients)} if recipients else set()


def read_refusals(tx: Transaction, asked: Sequence[Asked]) -> dict[int, Reason]:
    """Those of the messages that must not be sent, by id, and why."""
    wishes = _read_wishes(tx, asked)
    found: dict[int, Reason] = {}
    passcodes: list[Asked] = []
    for each in asked:
        reason = refusal(wishes[each.recipient], each.account_id, each.sender, each.recipient)
        if reason is not None:
            found[each.message_id] = reason
            if each.passcode and reason is Reason.OPTED_OUT:
                passcodes.append(each)
    # Hardly ever anybody asks a service that they stopped for a passcode, so only then its policy is read.
    policies = read_policies(tx, {each.account_id for each in passcodes}) if passcodes else {}
    for each in passcodes:
        if each.account_id in policies and policies[each.account_id].passcode_ignores_opt_out:
            del found[each.message_id]
    return found


def read_plan_refusals(tx: Transaction, plans: Sequence[Plan]) -> dict[int, Reason]:
    """The messages of plans that must not be sent, by id, and why."""
    # Nothing is made for a message before it is known that somebody said STOP: almost always nobody did.
    stopped = opted_out(tx, [message.result.recipient for plan in plans for message in plan.messages])
    if not stopped:
        return {}
    asked = [
        Asked(
            plan.submission.account_id,
            each.result.sender,
            each.result.recipient,
            each.message_id,
            plan.submission.traffic is Traffic.PASSCODE,
        )
        for plan in plans
        for each in plan.messages
        if each.result.recipient in stopped and may_stop(each) and not plan.submission.answers_consent
    ]
    return read_refusals(tx, asked)


def read_standings(tx: Transaction, asked: Sequence[Asked]) -> list[Wish]:
    """What is in force for each."""
    wishes = _read_wishes(tx, asked)
    return [in_force(wishes[each.recipient], each.account_id, each.sender, each.recipient) for each in asked]


@value
class ConsentQuery:
    """A page of an account's wishes in the order of recipient and sender's key, after a `place`.

    Empty `states` let all through. `scanned_max` bounds how many are looked at for one page.
    """

    account_id: int
    place: tuple[str, str]
    rows_max: int
    sender: str | None = None
    recipient: str | None = None
    states: frozenset[Consent] = frozenset()
    scanned_max: int = RECORDS_AT_ONCE_MAX


@value
class ConsentPage:
    """Wishes as they are in force, and where the next page begins; None at the end."""

    standings: tuple[Standing, ...]
    next_place: tuple[str, str] | None


def read_consents(tx: Transaction, query: ConsentQuery) -> ConsentPage:
    """A page. It may be short of what fits, even empty, and still not be the last."""
    if query.recipient is not None:
        return ConsentPage(tuple(_of_recipient(tx, query, query.recipient)), None)
    found: list[Standing] = []
    place, scanned = query.place, 0
    while scanned < query.scanned_max:
        wanted = min(query.rows_max + 1, query.scanned_max - scanned)
        rows = tx.all(
            "consents_page",
            account_id=query.account_id,
            recipient=place[0],
            sender=place[1],
            rows_max=wanted,
        )
        known = _wishes(tx, [query.account_id, EVERY_ACCOUNT], {row[1] for row in rows})
        for row in rows:
            if len(found) == query.rows_max:
                return ConsentPage(tuple(found), place)
            place = row[1], row[2]
            standing = _shown(known, query.account_id, row[2], row[1])
            if _passes(query, row[2], standing):
                found.append(standing)
        scanned += len(rows)
        if len(rows) < wanted:
            return ConsentPage(tuple(found), None)
    return ConsentPage(tuple(found), place)


def read_testimony(tx: Transaction, account_id: int, recipient: str, rows_max: int) -> list[ConsentChange]:
    """The newest of what was said to or by an account about a recipient, the newest first."""
    rows = tx.all(
        "consent_records_of_recipient", account_id=account_id, recipient=recipient, rows_max=rows_max
    )
    return [change_of(row) for row in rows]


def read_states(tx: Transaction) -> dict[WishKey, Wish]:
    """Every wish of the store, as the table of states has it."""
    found: dict[WishKey, Wish] = {}
    last: WishKey = (-1, "", "")
    while rows := tx.all(
        "consents_after", account_id=last[0], recipient=last[1], sender=last[2], rows_max=RECORDS_AT_ONCE_MAX
    ):
        found |= dict(map(_wish, rows))
        last = rows[-1][0], rows[-1][1], rows[-1][2]
    return found


def read_record(tx: Transaction) -> list[ConsentChange]:
    """Everything that was ever said, in its order: `domain.consent.fold` of it is what `read_states` answers."""
    found: list[ConsentChange] = []
    after = 0
    while rows := tx.all("consent_records_after", after=after, rows_max=RECORDS_AT_ONCE_MAX):
        found += map(change_of, rows)
        after = rows[-1][14]
    return found


def _of_recipient(tx: Transaction, query: ConsentQuery, recipient: str) -> list[Standing]:
    known = _wishes(tx, [query.account_id, EVERY_ACCOUNT], {recipient})
    keys = sorted(sender for account_id, _, sender in known if account_id == query.account_id)
    found = [(key, _shown(known, query.account_id, key, recipient)) for key in keys]
    return [standing for key, standing in found if _passes(query, key, standing)]


def _shown(known: Mapping[WishKey, Wish], account_id: int, key: str, recipient: str) -> Standing:
    """What is in force for a row, under the sender as it was written."""
    wish = in_force(known, account_id, key, recipient)
    return Standing(known[account_id, recipient, key].sender, recipient, wish, wish.state)


def _passes(query: ConsentQuery, key: str, standing: Standing) -> bool:
    named = query.sender is None or key == sender_key(query.sender)
    return named and (not query.states or standing.wish.state in query.states)


def _reaches_all(change: ConsentChange) -> bool:
    """Whether it may change what holds for other accounts."""
    return change.scope is Scope.GLOBAL or change.source is ConsentSource.INBOUND


def _read_wishes(
    tx: Transaction, asked: Iterable[ConsentChange | Asked]
) -> defaultdict[str, dict[WishKey, Wish]]:
    """All wishes that may matter, by recipient: each rule looks through those of one recipient only."""
    pairs = [(each.account_id, each.recipient) for each in asked]
    accounts = {EVERY_ACCOUNT, *(account_id for account_id, _ in pairs)}
    found: defaultdict[str, dict[WishKey, Wish]] = defaultdict(dict)
    for key, wish in _wishes(tx, list(accounts), {recipient for _, recipient in pairs}).items():
        found[key[1]][key] = wish
    return found


def _wishes(tx: Transaction, accounts: list[int], recipients: set[str]) -> dict[WishKey, Wish]:
    if not recipients:
        return {}
    rows = tx.all("consents_of_recipients", accounts=accounts, recipients=list(recipients))
    return dict(map(_wish, rows))


def _wish(row: Row) -> tuple[WishKey, Wish]:
    account_id, recipient, sender, state, since_us, written, organisation_name, recipient_name = row
    wish = Wish(Consent(state), since_us, written, organisation_name, recipient_name)
    return (account_id, recipient, sender), wish


def _state_row(key: WishKey, wish: Wish) -> tuple[object, ...]:
    return (*key, wish.state, wish.since_us, wish.sender, wish.organisation_name, wish.recipient_name)


def _record_row(change: ConsentChange) -> tuple[object, ...]:
    return (
        change.account_id,
        change.sender,
        change.recipient,
        change.act,
        change.scope,
        change.source,
        change.at_us,
        change.keyword,
        change.evidence,
        change.told_by,
        change.message_id,
        change.provider_code,
        change.organisation_name,
        change.recipient_name,
    )


def change_of(row: Row) -> ConsentChange:
    """What a row of the record says."""
    return ConsentChange(
        account_id=row[0],
        sender=row[1],
        recipient=row[2],
        act=Act(row[3]),
        scope=Scope(row[4]),
        source=ConsentSource(row[5]),
        at_us=row[6],
        keyword=row[7],
        evidence=row[8],
        told_by=row[9],
        message_id=row[10],
        provider_code=row[11],
        organisation_name=row[12],
        recipient_name=row[13],
    )


def _told(change: ConsentChange, wish: Wish, before: Consent) -> Mapping[str, object]:
    """What an event says of a change; `broker.api.convert.other_events` knows this shape."""
    return {
        "sender": change.sender,
        "recipient": change.recipient,
        "state": int(wish.state),
        "since_us": wish.since_us,
        "before": int(before),
        "organisation_name": wish.organisation_name,
    }
