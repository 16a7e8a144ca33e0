"""Verbs of intake: store planned submissions, once."""

from collections.abc import Iterable, Sequence

from broker.domain.address import PHONE_CHANNELS
from broker.domain.charging import Charge
from broker.domain.consenting import with_refusals
from broker.domain.country import country_of
from broker.domain.decision import NOTHING, Note
from broker.domain.fallback import way_ends_at
from broker.domain.lifecycle import Step
from broker.domain.linking import NewLink
from broker.domain.plan import Plan, PlannedMessage
from broker.domain.sender_pool import recipient_key
from broker.domain.submission import Content, Result, Submission
from broker.domain.usage import has_country
from broker.domain.value import value
from broker.storage.agenda import Agenda
from broker.storage.capping import CapCounts
from broker.storage.consenting import read_plan_refusals
from broker.storage.documents import (
    dump_answer,
    dump_content,
    dump_costs,
    dump_labels,
    dump_tokens,
    load_answer,
)
from broker.storage.journal import Journal, open_ledger
from broker.storage.links import insert_links
from broker.storage.senders import SenderChoice, keep_choices
from broker.storage.transaction import Row, Transaction
from broker.storage.ways import planned_ways
from broker.storage.webhooks import follow_accounts

REQUEST_ID_TABLES = 4
REQUEST_ID_WINDOW_US = 12 * 3_600 * 1_000_000
"""A ring of tables for windows of acceptance time. The three newest windows hold all that is younger than
24 h, the most that can be remembered; the fourth table is empty and comes next. The windows do not depend
on a setting, so that changing one forgets nothing.
"""


@value
class Stored:
    """The submission is in the store."""

    results: tuple[Result, ...]


@value
class Repeated:
    """The same request was stored before: this is what was answered then."""

    results: tuple[Result, ...]


@value
class Reused:
    """Another request was stored under this request_id."""

    request_id: str


@value
class Acceptance:
    """A plan to store. `remember_us` is how long a request_id is remembered, at most 24 h."""

    plan: Plan
    remember_us: int


@value
class Unaffordable:
    """The account's credit, in micros, does not suffice for all messages of the submission: none is stored."""

    needed: int
    available: int
    currency: str


_UNCHARGED = Charge.NONE  # looked up for every message

Accepted = Stored | Repeated | Reused | Unaffordable


def accept(tx: Transaction, items: list[Acceptance]) -> list[Accepted]:
    """Store each plan: its messages, their first events, what is due for them, and its request_id.

    Who said STOP by now is refused, whatever was planned, and so is who has had as many as a cap allows.
    """
    items = _consented(tx, items)
    writer = Acceptor(tx, items[0].plan.accepted_at_us)
    remembered = Remembered(tx, items)
    caps = CapCounts(tx, [item.plan for item in items])
    answers: list[Accepted] = []
    for item in items:
        earlier = remembered.find(item.plan)
        if earlier is not None:
            answers.append(earlier)
            continue
        plan, dues = caps.held(item.plan)
        if (short := hold_credit(tx, plan)) is not None:
            answers.append(short)
            continue
        caps.count(plan, dues)
        results = tuple([message.result for message in plan.messages])
        writer.add_submission(plan)
        writer.add_messages(plan)
        remembered.add(item, results)
        answers.append(Stored(results))
    writer.flush()
    remembered.flush()
    caps.flush()
    return answers


def _consented(tx: Transaction, items: list[Acceptance]) -> list[Acceptance]:
    """The items without messages to those who said STOP."""
    plans = consented(tx, [item.plan for item in items])
    return [
        item if plan is item.plan else Acceptance(plan, item.remember_us)
        for item, plan in zip(items, plans, strict=True)
    ]


def hold_credit(tx: Transaction, plan: Plan) -> Unaffordable | None:
    """Hold what a plan's messages may cost; None when that is done, or where nothing is paid."""
    micros = plan.hold
    if not micros:
        return None
    ledger = open_ledger(tx, plan.accepted_at_us)
    account_id = plan.submission.account_id
    if ledger.hold(account_id, micros):
        return None
    currencies = [each.result.price.currency for each in plan.messages if each.result.price is not None]
    return Unaffordable(micros, ledger.balance(account_id).available, currencies[0])


def consented(tx: Transaction, plans: list[Plan]) -> list[Plan]:
    """The plans without messages to those who said STOP by now; one look for them all where nobody did."""
    refusals = read_plan_refusals(tx, plans)
    return [with_refusals(plan, refusals) for plan in plans] if refusals else plans


class Acceptor:
    """The rows of several plans, written in bulk.

    A submission is stored before the first of its messages, which may come in transactions of their own.
    """

    def __init__(self, tx: Transaction, now_us: int) -> None:
        self._tx = tx
        self._journal = Journal(tx, now_us)
        self._agenda = Agenda(tx)
        self._submissions: list[tuple[object, ...]] = []
        self._messages: list[tuple[object, ...]] = []
        self._callbacks: list[tuple[object, ...]] = []
        self._followed: dict[int, int] = {}
        self._tokens: list[tuple[object, ...]] = []
        self._ways: list[tuple[object, ...]] = []
        self._choices: list[SenderChoice] = []
        self._links: list[tuple[int, NewLink]] = []
        self._contents: dict[int, tuple[Content, str]] = {}

    def add_submission(self, plan: Plan) -> None:
        """What all of its messages share."""
        submission = plan.submission
        account_id = submission.account_id
        self._submissions.append((
            plan.submission_id,
            account_id,
            submission.sender,
            submission.traffic,
            submission.guarantee,
            submission.provider,
            dump_labels(submission),
            self._content(submission),
        ))
        if submission.callback is not None:
            callback = submission.callback
            self._callbacks.append((plan.submission_id, callback.url, callback.method))
            # From here on, so that the first events of its messages are its own.
            if account_id not in self._followed:
                self._followed[account_id] = self._tx.last_sequence(account_id)

    def _content(self, submission: Submission) -> str:
        """What it says, as it is stored. Callers who say the same often share the very object."""
        content = submission.content
        if content.names:
            return dump_content(content, submission.shared_tokens)
        known = self._contents.get(id(content))
        if known is None:  # it is kept with its text, so that no other object gets its id meanwhile
            known = self._contents[id(content)] = (content, dump_content(content))
        return known[1]

    def add_messages(self, plan: Plan) -> None:
        """Its messages, their first events, and what is due for them."""
        submission = plan.submission
        account_id, broadcast_id = submission.account_id, submission.broadcast_id
        held = Charge.HELD if plan.pays else _UNCHARGED
        for message in plan.messages:
            result, step, message_id = message.result, message.step, message.message_id
            price, quote = result.price, message.quote
            note = Note(result.reason, result.detail) if result.reason else NOTHING
            sequence = self._journal.begin(
                message_id,
                account_id,
                step,
                note,
                at_us=plan.accepted_at_us,
                broadcast_id=broadcast_id,
            )
            self._messages.append((
                message_id,
                account_id,
                plan.submission_id,
                result.channel,
                result.recipient,
                step.state,
                result.reason.name if result.reason else None,
                result.encoding,
                result.units,
                "",
                0,
                plan.accepted_at_us,
                result.transmit_at_us,
                message.expire_at_us,
                plan.accepted_at_us if step.end else None,
                result.client_reference,
                message.data,
                sequence,
                plan.route_version,
                result.contact_id,
                _country(result, step),
                None if price is None else price.micros,
                None if quote is None else dump_costs(quote),
                None if price is None else price.currency,
                held if quote else _UNCHARGED,
                broadcast_id,
                message.sender,
            ))
            if submission.sender_pool and not step.end:
                self._choices += _choices(plan, message)
            if message.tokens:
                self._tokens.append((message_id, dump_tokens(message.tokens)))
            if not step.end:
                self._begin(plan, message)
        if plan.links:
            self._links += [(account_id, link) for link in plan.links]

    def _begin(self, plan: Plan, message: PlannedMessage) -> None:
        """What is due for a message that was accepted, and the ways by which it may go on."""
        submission, result = plan.submission, message.result
        until_us, ahead = message.expire_at_us, len(message.further)
        if ahead and submission.fallback is not None:
            after_us = submission.fallback.after_us
            until_us = way_ends_at(after_us, ahead, result.transmit_at_us, until_us)
            self._ways += planned_ways(message, after_us)
        self._agenda.begin(
            message.message_id,
            submission.account_id,
            submission.traffic.priority,
            result.transmit_at_us,
            until_us,
            message.candidates,
            result.units,
            plan.accepted_at_us,
            ahead,
            submission.broadcast_id,
        )

    def flush(self) -> None:
        """Write it all."""
        self._tx.bulk("insert_submissions", self._submissions)
        self._tx.bulk("insert_messages", self._messages)
        self._tx.bulk("insert_submission_callbacks", self._callbacks)
        if self._tokens:
            self._tx.bulk("insert_message_tokens", self._tokens)
        if self._ways:
            self._tx.bulk("insert_ways", self._ways)
        if self._choices:
            keep_choices(self._tx, self._choices)
        if self._links:
            insert_links(self._tx, self._links)
        follow_accounts(self._tx, self._followed)
        self._journal.flush()
        self._agenda.flush()


def _country(result: Result, step: Step) -> str:
    """The country of a number; the address of a message that was refused may be anything."""
    if step.end and not has_country(result.channel, result.recipient):
        return ""
    return country_of(result.recipient) if result.channel in PHONE_CHANNELS else ""


def _choices(plan: Plan, message: PlannedMessage) -> list[SenderChoice]:
    """The senders of a pool that a message goes out from, on each of its ways."""
    account_id, pool = plan.submission.account_id, plan.submission.sender_pool
    ways = [
        (message.result.recipient, message.sender),
        *[(way.recipient, way.sender) for way in message.further],
    ]
    return [
        SenderChoice(
            account_id, pool, recipient_key(account_id, pool, recipient), sender, plan.accepted_at_us
        )
        for recipient, sender in ways
        if sender
    ]


class Remembered:
    """The request_ids of one batch: those stored before, and those that the batch itself adds."""

    def __init__(self, tx: Transaction, items: list[Acceptance]) -> None:
        self._tx = tx
        self._known: dict[tuple[int, str], tuple[str, tuple[Result, ...]]] = {}
        self._rows: dict[int, list[tuple[object, ...]]] = {}
        since = {
            (item.plan.submission.account_id, item.plan.submission.request_id): item.plan.accepted_at_us
            - item.remember_us
            for item in items
            if item.plan.submission.request_id
        }
        for account_id, request_id, at_us, fingerprint, answer in _find(tx, since):
            if at_us > since[account_id, request_id]:
                self._known[account_id, request_id] = (fingerprint, tuple(load_answer(answer)))

    def find(self, plan: Plan) -> Repeated | Reused | None:
        """What its request_id was used for before; None: nothing."""
        submission = plan.submission
        if not submission.request_id:
            return None
        known = self._known.get((submission.account_id, submission.request_id))
        if known is None:
            return None
        return Repeated(known[1]) if known[0] == plan.fingerprint else Reused(submission.request_id)

    def add(self, item: Acceptance, results: tuple[Result, ...]) -> None:
        """Remember its request_id, where it has one."""
        plan = item.plan
        account_id, request_id = plan.submission.account_id, plan.submission.request_id
        if not request_id:
            return
        self._known[account_id, request_id] = (plan.fingerprint, results)
        slot = request_id_slot(plan.accepted_at_us)
        row = (account_id, request_id, plan.accepted_at_us, plan.fingerprint, dump_answer(list(results)))
        self._rows.setdefault(slot, []).append(row)

    def flush(self) -> None:
        """Write it all."""
        for slot, rows in self._rows.items():
            self._tx.bulk(f"remember_request_ids_{slot}", rows)


def _find(tx: Transaction, wanted: Iterable[tuple[int, str]]) -> list[Row]:
    pairs = list(wanted)
    return tx.all("find_request_ids", wanted=pairs) if pairs else []


def read_remembered(
    tx: Transaction, account_id: int, request_id: str, fingerprint: str, since_us: int
) -> Sequence[Result] | None:
    """What was answered to this very request after a time; None when it was not asked then."""
    for _, _, at_us, stored, answer in _find(tx, [(account_id, request_id)]):
        if at_us > since_us and stored == fingerprint:
            return tuple(load_answer(answer))
    return None


def request_id_slot(at_us: int) -> int:
    """The table for a time."""
    return at_us // REQUEST_ID_WINDOW_US % REQUEST_ID_TABLES


def forget_request_ids(tx: Transaction, items: list[int]) -> list[None]:
    """At each time of `items`, empty the table that comes next: all in it is past remembering."""
    for now_us in items:
        slot = (request_id_slot(now_us) + 1) % REQUEST_ID_TABLES
        tx.all(f"forget_request_ids_{slot}")
    return [None] * len(items)
