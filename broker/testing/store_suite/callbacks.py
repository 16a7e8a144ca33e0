# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of callbacks: who is called for which event, once each, and what follows from how a call went."""

from dataclasses import replace

import pytest

from broker.domain.callback import (
    HOLD_AFTER_FAILURES,
    DisabledFor,
    Failed,
    Gone,
    Succeeded,
    Unattempted,
)
from broker.domain.callback_url import CallbackMethod
from broker.domain.lifecycle import Fact
from broker.domain.vocabulary import EventKind
from broker.storage.calling import (
    Call,
    ClaimedCallbacks,
    ReadyEndpoint,
    Settled,
    drop_callbacks,
    forget_idle_endpoints,
    read_callback_counts,
    release_callbacks,
)
from broker.storage.following import (
    Recorded,
    read_followers,
    read_log_page,
    read_origins,
)
from broker.storage.webhooks import (
    MESSAGE_CALLBACKS,
    SECRETS_KEPT_MAX,
    WEBHOOKS_MAX,
    SecretWish,
    TooManyWebhooks,
    first_secrets,
)
from broker.testing.builders import DAY_US, NOW_US, SECOND_US, phones, submission
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.callback_bench import HOOK, LEASE_US, PLACE, URL, Caller, to, webhook
from broker.testing.store_suite.opening import OpenedStore


class CallbackCases(OpenedStore):
    """Every verb of callbacks."""

    @pytest.fixture
    def caller(self, bench: Bench) -> Caller:
        """The verbs of callbacks."""
        return Caller(bench)

    async def test_an_account_that_uses_none_is_not_followed(self, bench: Bench) -> None:
        """It costs nothing."""
        await bench.send()
        assert [] == await bench.store.read(read_followers)

    async def test_the_first_callback_url_has_the_account_followed_from_that_message_on(
        self, bench: Bench, caller: Caller
    ) -> None:
        """Not from what was before, also where it was accepted in the same transaction."""
        await bench.send()
        plain, asked, again = (
            {"recipients": phones(2)},
            {"recipients": phones(2), "callback": to()},
            {"callback": to()},
        )
        with_url = [await bench.send(**each) for each in (plain, asked, again)][1:]
        assert 3 == await caller.place()
        page = await bench.store.read(read_log_page, 1, 3, 100)
        assert [*with_url[0], *with_url[1]] == [event.message_id for event in page.events]
        assert {URL} == {event.url for event in page.events}

    async def test_submissions_of_one_group_start_the_follower_at_the_first_that_asks(
        self, bench: Bench, caller: Caller
    ) -> None:
        """In one transaction."""
        await bench.accept(submission(), submission(callback=to()), submission(callback=to()))
        assert 1 == await caller.place()

    async def test_a_webhook_gets_what_is_committed_after_it(self, bench: Bench, caller: Caller) -> None:
        """And nothing from before."""
        await bench.send()
        made = await caller.hook()
        assert 1 == made.after_sequence
        (message_id,) = await bench.send()
        assert Recorded(moved=True, kept=1) == await caller.follow()
        (claimed,) = (await caller.claim()).callbacks
        assert (1, 2, HOOK, HOOK, message_id, 0) == (
            claimed.account_id,
            claimed.sequence,
            claimed.endpoint_id,
            claimed.webhook_id,
            claimed.message_id,
            claimed.attempts,
        )

    async def test_webhooks_are_listed_oldest_first_with_all_they_are(self, caller: Caller) -> None:
        """Of one account."""
        first = await caller.hook(
            HOOK, description="shop", kinds=(EventKind.MESSAGE,), facts=(Fact.DELIVERED, Fact.UNDELIVERED)
        )
        second = await caller.hook(HOOK + 1, url="http://other.example/")
        await caller.hook(HOOK + 2, account_id=2)
        assert [first, second] == await caller.hooks()
        assert (Fact.DELIVERED, Fact.UNDELIVERED) == first.facts

    async def test_an_account_has_only_so_many_webhooks(self, caller: Caller) -> None:
        """Also when they are asked for in one call; another account is not concerned."""
        asked = [webhook(HOOK + number) for number in range(WEBHOOKS_MAX + 1)]
        answers = await caller.create(*asked, webhook(HOOK + 99, account_id=2))
        assert [False] * WEBHOOKS_MAX + [True, False] == [isinstance(a, TooManyWebhooks) for a in answers]
        assert [TooManyWebhooks()] == await caller.create(webhook(HOOK + 50))
        assert WEBHOOKS_MAX == len(await caller.hooks())

    async def test_a_page_is_kept_once(self, bench: Bench, caller: Caller) -> None:
        """Whoever read the same page as well, in the same transaction or later, writes nothing."""
        await caller.hook()
        await bench.send(recipients=phones(3))
        page = await caller.page()
        expected = [Recorded(moved=True, kept=3), Recorded(moved=False)]
        assert expected == await caller.record(page, page)
        assert [Recorded(moved=False)] == await caller.record(page)
        assert await caller.place() is None
        assert 3 == await caller.waiting()

    async def test_a_message_with_a_url_goes_there_and_to_each_webhook_that_wants_it(
        self, bench: Bench, caller: Caller
    ) -> None:
        """Each once, with its own secrets and method."""
        await caller.hook()
        await caller.hook(HOOK + 1, facts=(Fact.DELIVERED,))
        await bench.send(callback=to("http://other.example/?id=1", CallbackMethod.GET))
        assert Recorded(moved=True, kept=2) == await caller.follow()
        ready = [each.endpoint_id for each in await caller.ready()]
        assert {HOOK, PLACE + 10} == set(ready)
        await bench.store.write(first_secrets, [SecretWish(1, "of messages"), SecretWish(1, "too late")])
        claimed = [(await caller.claim(each)).callbacks[0] for each in (HOOK, PLACE + 10)]
        assert [HOOK, MESSAGE_CALLBACKS] == [each.webhook_id for each in claimed]
        (event,) = await bench.events()
        expected = [
            Call(claimed[0], URL, CallbackMethod.POST, event, [f"secret of {HOOK}"]),
            Call(claimed[1], "http://other.example/?id=1", CallbackMethod.GET, event, ["of messages"]),
        ]
        assert expected == await caller.calls(*claimed)

    async def test_events_are_read_wherever_they_are_in_the_log(self, bench: Bench, caller: Caller) -> None:
        """Neighbours, gaps and several accounts."""
        for account_id in (1, 2):
            await caller.hook(HOOK + account_id, account_id)
            await bench.send(account_id=account_id, recipients=phones(6))
            await caller.follow(account_id)
        claimed = [each for n in (1, 2) for each in (await caller.claim(HOOK + n)).callbacks]
        some = [claimed[index] for index in (9, 0, 1, 4, 11, 8)]
        calls = await caller.calls(*some)
        assert [(each.account_id, each.sequence, each.message_id) for each in some] == [
            call and (call.event.account_id, call.event.sequence, call.event.message_id) for call in calls
        ]

    async def test_what_is_claimed_is_not_claimed_again_until_its_lease_runs_out(
        self, bench: Bench, caller: Caller
    ) -> None:
        """In the order of events, so many at once; then the late one changes nothing."""
        await caller.hook()
        await bench.send(recipients=phones(3))
        await caller.follow()
        first = (await caller.claim(rows_max=2)).callbacks
        assert [1, 2] == [each.sequence for each in first]
        assert [3] == [each.sequence for each in (await caller.claim()).callbacks]
        assert [] == await caller.ready()
        bench.wait(LEASE_US / SECOND_US)
        second = (await caller.claim(rows_max=1, fence=2)).callbacks
        assert [Settled(mine=False)] == await caller.settle(Succeeded(), first[0])
        assert [Settled(mine=True)] == await caller.settle(Succeeded(), *second)
        assert 2 == await caller.waiting()

    async def test_a_restart_finds_what_was_being_called(self, bench: Bench, caller: Caller) -> None:
        """At once: no lease has to run out."""
        await caller.hook()
        await bench.send(recipients=phones(2))
        await caller.follow()
        before = (await caller.claim()).callbacks
        await bench.store.write(release_callbacks, [bench.now_us])
        after = (await caller.claim(fence=2)).callbacks
        assert [each.sequence for each in before] == [each.sequence for each in after]
        assert [Settled(mine=False)] * 2 == await caller.settle(Succeeded(), *before)

    async def test_what_was_taken_is_gone(self, bench: Bench, caller: Caller) -> None:
        """Settling it twice changes nothing."""
        await caller.hook()
        await bench.send()
        await caller.follow()
        claimed = (await caller.claim()).callbacks
        assert [Settled(mine=True)] == await caller.settle(Succeeded(), *claimed)
        assert [Settled(mine=False)] == await caller.settle(Succeeded(), *claimed)
        assert (0, 0, None) == await bench.store.read(read_callback_counts)

    async def test_what_failed_is_due_again_later_and_counts_its_attempts(
        self, bench: Bench, caller: Caller
    ) -> None:
        """10 s, then 20 s; a wish of the endpoint is the least."""
        await caller.hook()
        await bench.send()
        await caller.follow()
        for wait_s, failure in ((10, Failed("refused")), (20, Failed("refused")), (100, Failed("busy", 100))):
            (claimed,) = (await caller.claim()).callbacks
            await caller.settle(failure, claimed)
            bench.wait(wait_s - 1)
            assert ((), 0) == ((each := await caller.claim()).callbacks, each.expired)
            bench.wait(1)
        (claimed,) = (await caller.claim()).callbacks
        assert 3 == claimed.attempts

    async def test_an_endpoint_that_fails_again_and_again_is_held(self, bench: Bench, caller: Caller) -> None:
        """What waits for it is not tried meanwhile; one success, and it is as before."""
        await caller.hook()
        await bench.send(recipients=phones(10))
        await caller.follow()
        failing = (await caller.claim(rows_max=HOLD_AFTER_FAILURES)).callbacks
        settled = await caller.settle(Failed("refused"), *failing)
        assert [0, 0, bench.now_us + 20 * SECOND_US] == [each.held_until_us for each in settled]
        assert [] == await caller.ready()
        assert () == (await caller.claim()).callbacks
        bench.wait(20)
        assert [ReadyEndpoint(HOOK, 1, doubtful=True)] == await caller.ready()
        (probe,) = (await caller.claim(rows_max=1)).callbacks
        (again,) = await caller.settle(Failed("refused"), probe)
        assert bench.now_us + 40 * SECOND_US == again.held_until_us
        bench.wait(40)
        (probe,) = (await caller.claim(rows_max=1)).callbacks
        await caller.settle(Succeeded(), probe)
        assert [ReadyEndpoint(HOOK, 1, doubtful=False)] == await caller.ready()
        assert 0 == (await caller.hooks())[0].failures

    async def test_a_held_endpoint_holds_up_no_other(self, bench: Bench, caller: Caller) -> None:
        """Not even of the same account."""
        await caller.hook()
        await caller.hook(HOOK + 1)
        await bench.send(recipients=phones(5))
        await caller.follow()
        await caller.settle(Failed("refused"), *(await caller.claim()).callbacks)
        assert [HOOK + 1] == [each.endpoint_id for each in await caller.ready()]
        assert 5 == len((await caller.claim(HOOK + 1)).callbacks)

    async def test_what_was_not_called_after_all_waits_as_before(self, bench: Bench, caller: Caller) -> None:
        """No attempt is counted."""
        await caller.hook()
        await bench.send()
        await caller.follow()
        await caller.settle(Unattempted(), *(await caller.claim()).callbacks)
        (claimed,) = (await caller.claim()).callbacks
        assert 0 == claimed.attempts

    async def test_a_callback_is_given_up_when_its_time_has_passed(
        self, bench: Bench, caller: Caller
    ) -> None:
        """No retry is planned beyond that, and the first claim after it drops it."""
        await caller.hook()
        await bench.send(recipients=phones(2))
        await caller.follow()
        first, second = (await caller.claim()).callbacks
        await caller.settle(Failed("busy", 3 * 86_400.0), first)
        await caller.settle(Succeeded(), second)
        assert (1, 1, NOW_US + DAY_US) == await bench.store.read(read_callback_counts)
        bench.wait(86_399)
        assert [] == await caller.ready()
        bench.wait(1)
        assert ClaimedCallbacks((), 1) == await caller.claim()
        assert 0 == await caller.waiting()

    async def test_410_disables_a_webhook_and_drops_what_waits_for_it(
        self, bench: Bench, caller: Caller
    ) -> None:
        """In batches; new events are not kept for it, and it is still listed."""
        await caller.hook()
        await bench.send(recipients=phones(5))
        await caller.follow()
        settled = await caller.settle(Gone(), *(await caller.claim(rows_max=1)).callbacks)
        assert [Settled(mine=True, closed=True)] == settled
        (listed,) = await caller.hooks()
        assert (DisabledFor.GONE, NOW_US, 4) == (
            listed.disabled_for,
            listed.disabled_at_us,
            listed.waiting,
        )
        assert [] == await caller.ready()
        assert [3, 1, 0] == [await caller.empty(3) for _ in range(3)]
        await bench.send()
        assert Recorded(moved=True) == await caller.follow()
        assert [0] == [each.waiting for each in await caller.hooks()]

    async def test_410_of_a_messages_own_url_ends_that_callback_alone(
        self, bench: Bench, caller: Caller
    ) -> None:
        """Other messages may be wanted at the same origin."""
        await bench.send(recipients=phones(2), callback=to())
        await caller.follow()
        await caller.settle(Gone(), *(await caller.claim(PLACE + 10, rows_max=1)).callbacks)
        assert [ReadyEndpoint(PLACE + 10, 1, doubtful=False)] == await caller.ready()
        assert 1 == await caller.waiting()

    async def test_a_deleted_webhook_is_called_no_more(self, bench: Bench, caller: Caller) -> None:
        """What waits for it goes, and then all that was known of it."""
        await caller.hook()
        await caller.hook(HOOK + 1)
        await bench.send(recipients=phones(2))
        await caller.follow()
        claimed, _ = (await caller.claim()).callbacks
        await bench.send()
        unaware = await caller.page()
        assert [True, False] == [await caller.delete(), await caller.delete()]
        assert [None] == await caller.calls(claimed)
        assert [Recorded(moved=True, kept=1)] == await caller.record(unaware)
        assert [HOOK + 1] == [each.endpoint_id for each in await caller.ready()]
        assert [2, 0] == [await caller.empty(), await caller.empty()]
        assert [Settled(mine=False)] == await caller.settle(Succeeded(), claimed)
        assert ([], [HOOK + 1]) == (
            await caller.secrets(),
            [each.webhook_id for each in await caller.hooks()],
        )

    async def test_another_accounts_webhook_is_none(self, caller: Caller) -> None:
        """It can be neither deleted nor given a secret."""
        await caller.hook()
        assert [False, False] == [await caller.delete(account_id=2), await caller.rotate("x", account_id=2)]
        assert (1, [f"secret of {HOOK}"]) == (len(await caller.hooks()), await caller.secrets())

    async def test_both_secrets_sign_while_they_overlap(self, bench: Bench, caller: Caller) -> None:
        """The newest first; without an overlap the old one ends at once."""
        await caller.hook()
        assert await caller.rotate("b", overlap_s=100)
        assert ["b", f"secret of {HOOK}"] == await caller.secrets()
        bench.wait(50)
        assert await caller.rotate("c", overlap_s=100)
        assert ["c", "b", f"secret of {HOOK}"] == await caller.secrets()
        bench.wait(50)
        assert ["c", "b"] == await caller.secrets()
        assert await caller.rotate("d", overlap_s=0)
        assert ["d"] == await caller.secrets()

    async def test_only_so_many_secrets_are_kept(self, caller: Caller) -> None:
        """The oldest goes first."""
        await caller.hook()
        for number in range(SECRETS_KEPT_MAX + 2):
            await caller.rotate(str(number))
        expected = [str(SECRETS_KEPT_MAX + 1 - number) for number in range(SECRETS_KEPT_MAX)]
        assert expected == await caller.secrets()

    async def test_message_callbacks_have_a_secret_of_their_own(self, bench: Bench, caller: Caller) -> None:
        """One for each account, made when it is first needed or first asked for."""
        assert [] == await caller.secrets(MESSAGE_CALLBACKS)
        await bench.store.write(first_secrets, [SecretWish(1, "a")])
        await bench.store.write(first_secrets, [SecretWish(1, "b")])
        assert await caller.rotate("c", MESSAGE_CALLBACKS, overlap_s=10)
        assert await caller.rotate("z", MESSAGE_CALLBACKS, account_id=2)
        assert [["c", "a"], ["z"]] == [await caller.secrets(MESSAGE_CALLBACKS, each) for each in (1, 2)]

    async def test_an_endpoint_has_room_for_so_many(self, bench: Bench, caller: Caller) -> None:
        """What does not fit is dropped and counted; another endpoint is not concerned."""
        await caller.hook()
        await bench.send(recipients=phones(3))
        await caller.follow()
        await caller.hook(HOOK + 1)
        await bench.send(recipients=phones(3))
        assert Recorded(moved=True, kept=5, dropped=1) == await caller.follow(waiting_max=5)
        assert [5, 3] == [each.waiting for each in await caller.hooks()]

    async def test_what_can_no_longer_be_said_is_dropped(self, bench: Bench, caller: Caller) -> None:
        """Once, however often it is asked for."""
        await caller.hook()
        await bench.send(recipients=phones(2))
        await caller.follow()
        claimed = (await caller.claim(rows_max=1)).callbacks
        for _ in range(2):
            await bench.store.write(drop_callbacks, [*claimed, *claimed])
        assert 1 == await caller.waiting()

    async def test_origins_for_which_nothing_waits_are_forgotten(self, bench: Bench, caller: Caller) -> None:
        """A page that was read before that brings its own back; webhooks stay."""
        await caller.hook()
        await bench.send(callback=to())
        await caller.follow()
        for endpoint_id in (HOOK, PLACE + 10):
            await caller.settle(Succeeded(), *(await caller.claim(endpoint_id)).callbacks)
        await bench.send(callback=to())
        page = await caller.page()
        assert [1] == await bench.store.write(forget_idle_endpoints, [10])
        assert [Recorded(moved=True, kept=2)] == await caller.record(page)
        assert {HOOK, PLACE + 10} == {each.endpoint_id for each in await caller.ready()}

    async def test_the_same_origin_is_another_endpoint_for_another_account(
        self, bench: Bench, caller: Caller
    ) -> None:
        """So neither can hold up the other."""
        for account_id in (1, 2):
            await bench.send(account_id=account_id, callback=to())
            await caller.follow(account_id)
        expected = {
            ReadyEndpoint(PLACE + 10, 1, doubtful=False),
            ReadyEndpoint(PLACE + 20, 2, doubtful=False),
        }
        assert expected == set(await caller.ready())

    async def test_a_page_that_lost_its_turn_leaves_no_trace(self, bench: Bench, caller: Caller) -> None:
        """Also where it names an endpoint that is not there."""
        await bench.send(callback=to())
        page = await caller.page()
        await caller.record(page)
        late = replace(page, origins=((PLACE + 99, "late"),))
        assert [Recorded(moved=False)] == await caller.record(late)
        assert {} == await bench.store.read(read_origins, 1, ["late"])
