"""Intake: decide about submissions, store them in one transaction, answer."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from broker.delivery.admit_hook import AdmitHook
from broker.delivery.credits import not_enough
from broker.delivery.identities import Identities
from broker.delivery.policies import Policies
from broker.delivery.refusals import refusal
from broker.delivery.routes import Routes, RoutesNow
from broker.delivery.senders import Senders
from broker.delivery.templates import Templates
from broker.domain.account_policy import AccountPolicy
from broker.domain.admission import Refusal, refused_by
from broker.domain.callback_url import callback_host_problem
from broker.domain.carrying import FindCarriers
from broker.domain.consenting import with_refusals
from broker.domain.explaining import Explanation, Find, explain_plan
from broker.domain.fingerprint import fingerprint
from broker.domain.grounds import DrawCode, Grounds, no_codes
from broker.domain.linking import LinksRefused, with_link_rule
from broker.domain.network import PUBLIC_ONLY, AddressPolicy
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.price import PricedItem
from broker.domain.prices import NO_PRICES, PriceList
from broker.domain.reaching import PEOPLE_OF_CALL_MAX, PEOPLE_OF_FRAME_MAX, TooManyPeople
from broker.domain.sender_book import from_free_sender
from broker.domain.style import NO_STYLES, StyleClasses
from broker.domain.submission import Result, Submission
from broker.domain.vocabulary import Channel
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.acceptance import Acceptance, Accepted, Reused, Unaffordable, accept, read_remembered
from broker.storage.capping import read_capped
from broker.storage.consenting import read_plan_refusals
from broker.storage.people import Reach, read_reach
from broker.storage.store import Store

Answer = Sequence[Result] | BrokerError
Part = tuple[Submission, Sequence[int], Reach | None]
"""A submission, ids as for `plan`, and whom it reaches where it names contacts."""

_MESSAGE_UNIT = PricedItem.MESSAGE_UNIT  # looked up for every message
_ALL_USABLE: Mapping[int, BrokerError] = {}
_NOBODY: Mapping[int, Reach] = {}


class Intake:
    """Accepts submissions. `units_max` is the most parts of a message, `network` where callbacks may lead."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        routes: Routes,
        templates: Templates,
        policies: Policies,
        senders: Senders,
        clock: Clock,
        *,
        units_max: int,
        request_id_memory_s: float,
        network: AddressPolicy = PUBLIC_ONLY,
        admit: AdmitHook | None = None,
        style_classes: StyleClasses = NO_STYLES,
        prices_now: Callable[[], PriceList] = lambda: NO_PRICES,
        draw_code: DrawCode = no_codes,
    ) -> None:
        self._store = store
        self._identities = identities
        self._routes = routes
        self._templates = templates
        self._policies = policies
        self._prices_now = prices_now
        self._senders = senders
        self._style_classes = style_classes
        self._draw_code = draw_code
        self._clock = clock
        self._units_max = units_max
        self._network = network
        self._admit = admit
        self._remember_us = round(request_id_memory_s * 1_000_000)

    async def accept(self, submissions: Sequence[Submission]) -> list[Answer]:
        """One answer for each submission, in order; what is accepted is on disk when it returns.

        A BrokerError among the answers means that this submission was refused as a whole.
        """
        # Before the ids: ListMessages relies on no id being older than its message's acceptance.
        now_us = self._clock.now_us()
        submissions, unusable = await self._with_templates(submissions)
        people = await self._people(submissions)
        policies = await self._policies.of({each.account_id for each in submissions})
        rules = await self._senders.rules(submissions, people, policies)
        counts = [1 + len(each.recipients) for each in submissions]
        for number, reach in people.items():
            counts[number] = _ids_for(reach)
        ids = await self._identities.take(sum(counts))
        now = self._routes.now()
        answers: list[Answer | None] = []
        items: list[Acceptance] = []
        start = 0
        grounds = {
            each: self._grounds(now_us, now.within(policy), policy) for each, policy in policies.items()
        }
        for number, submission in enumerate(submissions):
            end = start + counts[number]
            planned = unusable.get(number) or self._plan(
                submission,
                ids[start:end],
                _with_rules(grounds[submission.account_id], rules, number),
                people.get(number),
            )
            start = end
            if isinstance(planned, BrokerError):
                answers.append(await self._answered_before(submission, now_us) or planned)
            elif submission.validate_only:
                as_stored, _ = await self._as_stored(planned)
                answers.append([message.result for message in as_stored.messages])
            else:
                answers.append(None)
                items.append(Acceptance(planned, self._remember_us))
        accounts = {each.plan.submission.account_id for each in items}
        outcomes = iter(await self._store.write(accept, items, accounts))
        return [_answer_of(next(outcomes)) if answer is None else answer for answer in answers]

    async def _with_templates(
        self, submissions: Sequence[Submission]
    ) -> tuple[Sequence[Submission], Mapping[int, BrokerError]]:
        """The submissions with what their templates say, and by place why some cannot have it."""
        naming = [number for number, each in enumerate(submissions) if each.template is not None]
        if not naming:
            return submissions, _ALL_USABLE
        found = await self._templates.apply([submissions[number] for number in naming])
        applied, unusable = list(submissions), {}
        for number, each in zip(naming, found, strict=True):
            if isinstance(each, BrokerError):
                unusable[number] = each
            else:
                applied[number] = each
        return applied, unusable

    async def _people(self, submissions: Sequence[Submission]) -> Mapping[int, Reach]:
        """Whom those submissions reach that name contacts, by place; one look into the directory for them all."""
        naming = [number for number, each in enumerate(submissions) if each.names_contacts]
        if not naming:
            return _NOBODY
        found = await self._store.read(read_reach, [submissions[number] for number in naming])
        return dict(zip(naming, found, strict=True))

    async def worded(self, submission: Submission) -> Submission:
        """The submission with what its template and the rules for links say. Raises what would refuse it."""
        (worded,), unusable = await self._with_templates((submission,))
        if unusable:
            raise unusable[0]
        policies = await self._policies.of((worded.account_id,))
        linked = with_link_rule(worded, policies[worded.account_id])
        if isinstance(linked, LinksRefused):
            raise refusal(worded, linked)
        return linked

    async def planned(self, parts: Sequence[Part], now_us: int) -> list[Plan | BrokerError]:
        """What becomes of each recipient of worded submissions of one account now; nothing is stored."""
        account_id = parts[0][0].account_id
        policies = await self._policies.of((account_id,))
        policy = policies[account_id]
        reached = {at: people for at, (_, _, people) in enumerate(parts) if people is not None}
        rules = await self._senders.rules([asked for asked, _, _ in parts], reached, policies)
        grounds = self._grounds(now_us, self._routes.now().within(policy), policy)

        def plan_all() -> list[Plan | BrokerError]:
            return [
                self._plan(asked, ids, _with_rules(grounds, rules, at), people)
                for at, (asked, ids, people) in enumerate(parts)
            ]

        if self._admit or self._routes.asks_plugins:  # which are promised to be called in the event loop
            return plan_all()
        # Callers with a few recipients go on meanwhile.
        return await asyncio.to_thread(plan_all)

    async def explain(self, submission: Submission, *, units_max: int | None = None) -> list[Explanation]:
        """What `accept` would do, for each recipient and with the reasons. Raises what would refuse it whole.

        `units_max` is another limit than that of every message, for who asks what a message of any length costs. Lots are
        drawn from ids of its own, so that another call may give equal routes another order.
        """
        now_us = self._clock.now_us()
        (submission,), unusable = await self._with_templates((submission,))
        if unusable:
            raise unusable[0]
        found = await self._people((submission,))
        people = found.get(0)
        policies = await self._policies.of((submission.account_id,))
        rules = await self._senders.rules((submission,), found, policies)
        count = 1 + len(submission.recipients) if people is None else _ids_for(people)
        ids = await self._identities.take(count)
        policy = policies[submission.account_id]
        now = self._routes.now().within(policy)
        finds: dict[int, list[Find]] = {}

        def noted(submission: Submission, channel: Channel, address: str, message_id: int) -> tuple[str, ...]:
            found = now.find(submission, channel, address, message_id)
            finds.setdefault(message_id, []).append(Find(submission, channel, address, found))
            return found

        grounds = self._grounds(now_us, replace(now, find=noted), policy)
        if units_max is not None:
            grounds = replace(grounds, units_max=units_max)
        planned = self._plan(submission, ids, _with_rules(grounds, rules, 0), people)
        if isinstance(planned, BrokerError):
            raise planned
        planned, refused = await self._as_stored(planned)
        for message_id in refused:
            finds.pop(message_id, None)
        # Each recipient is held against each route, which may take a while: others go on meanwhile.
        return await asyncio.to_thread(
            explain_plan, now.routing, planned, finds, now.penalties, self._prices_now().messages
        )

    async def _as_stored(self, planned: Plan) -> tuple[Plan, Collection[int]]:
        """What would become of a plan that is not stored, and the messages that consent refuses."""
        refusals = await self._store.read(read_plan_refusals, (planned,))
        planned = with_refusals(planned, refusals)
        if planned.cap is not None:
            planned = await self._store.read(read_capped, planned)
        return planned, refusals

    async def _answered_before(self, submission: Submission, now_us: int) -> Answer | None:
        """The first answer to a request that is refused now: the settings may have changed since."""
        if not submission.request_id:
            return None
        return await self._store.read(
            read_remembered,
            submission.account_id,
            submission.request_id,
            fingerprint(submission),
            now_us - self._remember_us,
        )

    def _plan(
        self,
        submission: Submission,
        ids: Sequence[int],
        grounds: Grounds,
        people: Reach | None,
    ) -> Plan | BrokerError:
        if isinstance(people, TooManyPeople):
            return _too_many_people(people)
        if submission.provider and submission.provider not in grounds.providers:
            return BrokerError(
                ErrorReason.INVALID_REQUEST,
                violations=[Violation("provider", f"no provider instance is named {submission.provider!r}")],
            )
        if submission.callback is not None:
            problem = callback_host_problem(submission.callback.url, self._network)
            if problem is not None:
                return BrokerError(
                    ErrorReason.INVALID_REQUEST, violations=[Violation("callback_url", problem)]
                )
        if submission.priced_as is not _MESSAGE_UNIT:
            grounds = replace(grounds, prices=self._prices_now().of(submission.priced_as))
        planned = plan(submission, ids, grounds, people)
        if not isinstance(planned, Plan):
            return refusal(submission, planned)
        return self._admitted(planned) if self._admit else planned

    def _grounds(self, now_us: int, now: RoutesNow, policy: AccountPolicy) -> Grounds:
        """What all submissions of an account stand on that come together, but for its senders."""
        return Grounds(
            now_us,
            self._units_max,
            now.find,
            now.routing.version,
            policy,
            self._style_classes,
            self._prices_now().messages,
            from_free_sender,
            self._draw_code,
            now.routing.carriers,
        )

    def _admitted(self, planned: Plan) -> Plan | BrokerError:
        """The plan as the plugins let it pass."""
        assert self._admit is not None
        refused = self._admit.refusal(planned.submission)
        return refused_by(planned, refused) if isinstance(refused, Refusal) else refused or planned


def _with_rules(grounds: Grounds, rules: Mapping[int, FindCarriers], place: int) -> Grounds:
    """The grounds of the submission at a place: rules for its sender are of its own."""
    return replace(grounds, find_carriers=rules[place]) if place in rules else grounds


def _answer_of(outcome: Accepted) -> Answer:
    if isinstance(outcome, Reused):
        return BrokerError(ErrorReason.REQUEST_ID_REUSED, metadata={"request_id": outcome.request_id})
    if isinstance(outcome, Unaffordable):
        return not_enough(outcome.needed, outcome.available, outcome.currency)
    return outcome.results


def _ids_for(people: Reach) -> int:
    """One for the submission and one for each person; none where it is refused whole."""
    return 1 + len(people) if isinstance(people, tuple) else 0


def _too_many_people(found: TooManyPeople) -> BrokerError:
    rule = (
        f"reach {found.needed:,} people, and {found.allowed:,} are still allowed: a request may reach "
        f"{PEOPLE_OF_CALL_MAX:,}, and those of a frame together {PEOPLE_OF_FRAME_MAX:,}"
    )
    return BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("recipients", rule)])
