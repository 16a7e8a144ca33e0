# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of credit: held, settled and given back with each message; bought, and moved, once."""

import asyncio
from typing import Any

import pytest

from broker.domain.account_policy import AccountPolicy
from broker.domain.fallback import ChannelFallback
from broker.domain.lifecycle import State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Rejected, Unknown
from broker.domain.price import Price, PricedItem
from broker.domain.prices import PriceList, PriceRule, Prices, PriceTable
from broker.domain.submission import Content, Recipient
from broker.domain.vocabulary import Channel, EventKind, Guarantee
from broker.storage.acceptance import Repeated, Stored, Unaffordable
from broker.storage.crediting import (
    DeedState,
    NotEnough,
    Purchase,
    PurchaseEnd,
    PurchaseWish,
    RequestReused,
    Transferred,
    TransferWish,
    begin_purchases,
    end_purchases,
    transfer,
)
from broker.storage.ledger import (
    Balance,
    LedgerTrim,
    read_balance,
    read_ledger_misfits,
    read_other_currency,
    trim_ledgers,
)
from broker.storage.policies import NewPolicy, set_policies
from broker.testing.builders import DAY_US, SECOND_US, phones, sms_and_email, submission
from broker.testing.store_suite.bench import Bench, receipt, room
from broker.testing.store_suite.opening import OpenedStore

PRICE_TABLE = PriceTable(1, (PriceRule(30, "acme"), PriceRule(50, "dear"), PriceRule(10)), "EUR")
PRICES = Prices(PRICE_TABLE)
PAYING = AccountPolicy(enforce_credit=True)
BOTH = ("acme", "dear")


async def paying(bench: Bench, micros: int = 1_000, account_id: int = 1) -> Bench:
    """The same bench, with prices, and an account that pays them and has so much."""
    bench.prices, bench.terms = PRICES, PAYING
    await buy(bench, f"first {account_id}", micros, account_id)
    return bench


async def buy(bench: Bench, request_id: str, micros: int, account_id: int = 1, **said: Any) -> Balance:
    """Buy credit that is paid, unless `said` has it otherwise; the account's credit then."""
    (purchase_id,) = bench.ids.take(1)
    wish = PurchaseWish(account_id, request_id, purchase_id, micros, bench.now_us)
    await bench.store.write(begin_purchases, [wish], [account_id])
    fields: dict[str, Any] = {"paid": True, "told": '["r","",""]', "currency": "EUR"} | said
    end = PurchaseEnd(account_id, request_id, now_us=bench.now_us, **fields)
    ((_, balance),) = await bench.store.write(end_purchases, [end], [account_id])
    return balance


async def credit(bench: Bench, account_id: int = 1) -> tuple[int, int, int]:
    """What an account can spend, what is held, and what was spent."""
    balance = await bench.store.read(read_balance, account_id)
    return balance.available, balance.held, balance.spent


async def move(bench: Bench, micros: int, request_id: str = "", to: int = 2) -> object:
    """Move credit from account 1."""
    (transfer_id,) = bench.ids.take(1)
    wish = TransferWish(1, to, request_id, transfer_id, micros, bench.now_us)
    (answer,) = await bench.store.write(transfer, [wish], [1, to])
    return answer


async def tried(bench: Bench, outcome: Outcome, provider: str = "acme", **more: Any) -> int:
    """Hand over the one message that is due, and settle its attempt."""
    claimed = await bench.claim(rooms=(room(provider),), known=frozenset({*BOTH, provider}))
    (attempt,) = claimed.attempts
    assert await bench.settle(attempt, outcome, **more)
    return attempt.message_id


async def strayed(bench: Bench, *rules: PriceRule, to: str = "new") -> None:
    """All instances but one are gone from the settings, and what waits is routed to that one under these prices."""
    prices = PriceList(PriceTable(2, rules, "EUR"))
    claimed = await bench.claim(
        rooms=(), known=frozenset({to}), route=lambda _channel, _pinned: to, prices=prices
    )
    assert () == claimed.attempts


class ChargeCases(OpenedStore):
    """What a message costs goes with its state."""

    async def test_the_dearest_route_is_held_and_the_actual_one_settled(self, bench: Bench) -> None:
        """In the same transaction as the state; what was held beyond it can be spent again."""
        await paying(bench)
        (message_id,) = await bench.send(candidates=BOTH)
        assert (950, 50, 0) == await credit(bench)
        assert Price(50, "EUR") == (await bench.message(message_id)).price
        await tried(bench, Accepted(("x",)))
        assert (970, 0, 30) == await credit(bench)
        assert Price(30, "EUR") == (await bench.message(message_id)).price
        assert [Price(30, "EUR")] * 3 == [event.price for event in await bench.events()]
        await bench.report(receipt("x"))
        assert (970, 0, 30) == await credit(bench)

    async def test_a_message_is_charged_once_however_often_it_is_tried(self, bench: Bench) -> None:
        """By the provider that takes it at last."""
        await paying(bench)
        await bench.send(candidates=BOTH)
        await tried(bench, NotAccepted())
        assert (950, 50, 0) == await credit(bench)
        await tried(bench, Accepted(("x",)), "dear")
        assert (950, 0, 50) == await credit(bench)

    @pytest.mark.parametrize("outcome", [Rejected(), NotAccepted()])
    async def test_what_is_not_sent_costs_nothing(self, bench: Bench, outcome: Outcome) -> None:
        """Refused by the provider, or taken by none."""
        await paying(bench)
        (message_id,) = await bench.send()
        while (await bench.state(message_id)) not in {State.REJECTED, State.SENDING_FAILED}:
            bench.wait(100)
            await tried(bench, outcome)
        assert (1_000, 0, 0) == await credit(bench)

    async def test_what_is_cancelled_or_expires_costs_nothing(self, bench: Bench) -> None:
        """Nobody was given it."""
        await paying(bench)
        first, second = await bench.send(recipients=phones(2), validity_us=10 * SECOND_US)
        await bench.cancel(first)
        assert (970, 30, 0) == await credit(bench)
        bench.wait(11)
        await bench.claim()
        assert State.EXPIRED is await bench.state(second)
        assert (1_000, 0, 0) == await credit(bench)

    async def test_what_could_not_be_delivered_is_given_back(self, bench: Bench) -> None:
        """Though it was charged when it was sent; another receipt changes nothing."""
        await paying(bench)
        await bench.send()
        await tried(bench, Accepted(("x",)))
        assert (970, 0, 30) == await credit(bench)
        await bench.report(receipt("x", "DELIVERY_FAILED"))
        await bench.report(receipt("x", "DELIVERED"))
        assert (1_000, 0, 0) == await credit(bench)

    @pytest.mark.parametrize(("moves", "expected"), [(0, 60), (1, 7)], ids=["first channel", "next channel"])
    async def test_a_provider_of_several_channels_is_paid_for_the_one_it_went_by(
        self, bench: Bench, moves: int, expected: int
    ) -> None:
        """The dearest of them is held."""
        await paying(bench)
        rules = (PriceRule(60, "acme", (Channel.SMS,)), PriceRule(7, "acme", (Channel.EMAIL,)))
        bench.prices = Prices(PriceTable(1, rules, "EUR"))
        both = Recipient(phone_number="+447700900000", email="ada@example.com")
        (message_id,) = await bench.send(
            recipients=(both,), content=sms_and_email(), fallback=ChannelFallback(), candidates=("acme",)
        )
        assert (940, 60, 0) == await credit(bench)
        for _ in range(moves):
            await tried(bench, Rejected())
        assert (940, 60, 0) == await credit(bench)
        await tried(bench, Accepted(("x",)))
        assert (1_000 - expected, 0, expected) == await credit(bench)
        assert Price(expected, "EUR") == (await bench.message(message_id)).price

    @pytest.mark.parametrize(
        ("rules", "expected"),
        [
            pytest.param((PriceRule(20, "new"),), 20, id="cheaper"),
            pytest.param((PriceRule(90, "new"),), 50, id="dearer: no more than was held"),
            pytest.param((PriceRule(90, "acme"),), 0, id="free: no rule fits it"),
            pytest.param(
                (PriceRule(7, "new", prefixes=("44",)), PriceRule(9, "new")), 7, id="by destination"
            ),
            pytest.param((PriceRule(8, "new", (Channel.SMS,)), PriceRule(9, "new")), 8, id="by channel"),
        ],
    )
    @pytest.mark.parametrize("candidates", [BOTH, ("dear",)])
    async def test_a_provider_that_was_no_candidate_is_paid_what_it_costs(
        self, bench: Bench, candidates: tuple[str, ...], rules: tuple[PriceRule, ...], expected: int
    ) -> None:
        """Where all candidates are gone: by the prices when it is routed anew, and never beyond what is held."""
        await paying(bench)
        (message_id,) = await bench.send(candidates=candidates)
        await strayed(bench, *rules)
        assert (950, 50, 0) == await credit(bench)
        assert Price(50, "EUR") == (await bench.message(message_id)).price
        await tried(bench, Accepted(("x",)), "new")
        assert (1_000 - expected, 0, expected) == await credit(bench)
        assert Price(expected, "EUR") == (await bench.message(message_id)).price

    async def test_a_provider_that_was_no_candidate_is_paid_by_units(self, bench: Bench) -> None:
        """As any other."""
        await paying(bench)
        text = Content({Channel.SMS: {"text": "x" * 161}})
        await bench.send(content=text, candidates=("dear",))
        await strayed(bench, PriceRule(20, "new"))
        await tried(bench, Accepted(("x",)), "new")
        assert (960, 0, 40) == await credit(bench)

    async def test_an_autoreply_that_is_routed_anew_costs_what_autoreplies_do(self, bench: Bench) -> None:
        """By their own rules."""
        await paying(bench)
        await bench.send(candidates=("dear",), priced_as=PricedItem.AUTOREPLY)
        rules = (PriceRule(20, "new"), PriceRule(3, "new", item=PricedItem.AUTOREPLY))
        await strayed(bench, *rules)
        await tried(bench, Accepted(("x",)), "new")
        assert (997, 0, 3) == await credit(bench)

    async def test_a_provider_of_one_channel_is_routed_anew_for_another(self, bench: Bench) -> None:
        """There it costs what it does now, and not what was planned for the first."""
        await paying(bench)
        bench.prices = Prices(PriceTable(1, (PriceRule(60, "acme"), PriceRule(7, "dear")), "EUR"))
        both = Recipient(phone_number="+447700900000", email="ada@example.com")
        await bench.send(
            recipients=(both,),
            content=sms_and_email(),
            fallback=ChannelFallback(),
            candidates={Channel.SMS: ("acme",), Channel.EMAIL: ("dear",)},
        )
        await tried(bench, Rejected())
        await strayed(bench, PriceRule(11, "acme"), to="acme")
        await tried(bench, Accepted(("x",)))
        assert (989, 0, 11) == await credit(bench)

    async def test_what_nobody_can_tell_is_charged(self, bench: Bench) -> None:
        """It may have been sent."""
        await paying(bench)
        (message_id,) = await bench.send(guarantee=Guarantee.AT_MOST_ONCE)
        await tried(bench, Unknown())
        if await bench.due(message_id) is not None:
            bench.wait(3 * DAY_US / SECOND_US)
            await bench.overdue(can_ask=lambda _: False)
        assert State.UNKNOWN is await bench.state(message_id)
        assert (970, 0, 30) == await credit(bench)

    async def test_an_account_that_need_not_pay_has_prices_and_no_ledger(self, bench: Bench) -> None:
        """Its messages say what they would cost."""
        bench.prices = PRICES
        (message_id,) = await bench.send(candidates=BOTH)
        await tried(bench, Accepted(("x",)))
        assert Price(30, "EUR") == (await bench.message(message_id)).price
        assert Balance() == await bench.store.read(read_balance, 1)

    async def test_nothing_is_held_for_refused_recipients(self, bench: Bench) -> None:
        """Nor for those whom no rule prices."""
        await paying(bench)
        bench.prices = Prices(PriceTable(1, (PriceRule(30, prefixes=("44",)),), "EUR"))
        refused = submission(recipients=(*phones(1), *submission(recipients=()).recipients))
        await bench.accept(refused)
        await bench.send(candidates=())
        assert (970, 30, 0) == await credit(bench)

    async def test_the_ledger_has_one_entry_for_each_account_and_commit(self, bench: Bench) -> None:
        """However many messages it is about."""
        await paying(bench)
        await bench.send(recipients=phones(5))
        rows = await bench.store.read(lambda tx: tx.all("all_ledger_entries"))
        assert [(1, 850, 150, 0, -1_000, 0, 2, 1, 2)] == [tuple(row) for row in rows]

    async def test_old_entries_become_one(self, bench: Bench) -> None:
        """An opening balance: what all entries come to stays the same, and so do their numbers."""
        await paying(bench)
        for _ in range(4):
            bench.wait(10)
            await bench.send()
        before = await bench.store.read(lambda tx: tx.all("all_ledger_entries"))
        trim = LedgerTrim(1, bench.now_us - 5 * SECOND_US, 3)
        assert [2, 0, 1] == [
            *(await bench.store.write(trim_ledgers, [trim, LedgerTrim(2, bench.now_us, 3)], [1, 2])),
            *(await bench.store.write(trim_ledgers, [trim], [1])),
        ]
        after = await bench.store.read(lambda tx: tx.all("all_ledger_entries"))
        assert [(*each[:7], 4, 2) for each in before] == [tuple(each) for each in after]
        assert [] == await bench.store.read(read_ledger_misfits)
        assert [0] == await bench.store.write(trim_ledgers, [trim], [1])
        await bench.send()
        assert [] == await bench.store.read(read_ledger_misfits)


class LimitCases(OpenedStore):
    """No account spends what it has not."""

    async def test_without_enough_credit_the_whole_call_is_refused(self, bench: Bench) -> None:
        """With what it would need and what there is; nothing of it is stored."""
        await paying(bench, 100)
        (answer,) = await bench.accept(submission(recipients=phones(4), request_id="r"))
        assert Unaffordable(120, 100, "EUR") == answer
        assert [] == await bench.events()
        assert (100, 0, 0) == await credit(bench)
        await buy(bench, "more", 20)
        (later,) = await bench.accept(submission(recipients=phones(4), request_id="r"))
        (again,) = await bench.accept(submission(recipients=phones(4), request_id="r"))
        assert (Stored, Repeated) == (type(later), type(again))
        assert (0, 120, 0) == await credit(bench)

    async def test_an_account_without_credit_can_send_nothing(self, bench: Bench) -> None:
        """It never had any."""
        bench.prices, bench.terms = PRICES, PAYING
        (answer,) = await bench.accept(submission())
        assert Unaffordable(30, 0, "EUR") == answer

    async def test_of_two_who_race_for_the_last_credit_one_wins(self, bench: Bench) -> None:
        """In one commit or in two, alone or in a crowd."""
        await paying(bench, 30 * 3)
        answers = await asyncio.gather(*(bench.accept(submission()) for _ in range(20)))
        stored = [each for (each,) in answers if isinstance(each, Stored)]
        assert (3, 17) == (len(stored), len(answers) - len(stored))
        one_call = await bench.accept(submission(), submission())
        assert [Unaffordable(30, 0, "EUR")] * 2 == one_call
        assert (0, 90, 0) == await credit(bench)

    async def test_falling_below_the_mark_is_told_once(self, bench: Bench) -> None:
        """As an event of the account; and again after it was above."""
        await paying(bench, 100)
        marked = AccountPolicy(enforce_credit=True, low_balance_micros=50)
        await bench.store.write(set_policies, [NewPolicy(1, marked)], [1])
        for _ in range(3):
            await bench.send()
        await buy(bench, "more", 60)
        await bench.send()
        told = [event.told for event in await bench.events() if event.kind is EventKind.BALANCE]
        expected = {"mark": 50, "currency": "EUR"}
        assert [{"available": 40, **expected}, {"available": 40, **expected}] == told


class DeedCases(OpenedStore):
    """Purchases and transfers happen once."""

    async def test_a_purchase_is_credited_once(self, bench: Bench) -> None:
        """However often it is ended; and it is found as it is."""
        wish = PurchaseWish(1, "r", 7, 500, bench.now_us)
        assert [Purchase(7, DeedState.OPEN, "")] == await bench.store.write(begin_purchases, [wish], [1])
        assert 500 == (await buy(bench, "r", 500)).available
        assert 500 == (await buy(bench, "r", 500, paid=False)).available
        later = PurchaseWish(1, "r", 8, 500, bench.now_us)
        done = Purchase(7, DeedState.DONE, '["r","",""]')
        assert [done] == await bench.store.write(begin_purchases, [later], [1])

    async def test_a_declined_purchase_credits_nothing_and_stays_so(self, bench: Bench) -> None:
        """Under its request_id."""
        assert 0 == (await buy(bench, "r", 500, paid=False, told='["","no",""]')).available
        assert 0 == (await buy(bench, "r", 500)).available

    async def test_another_purchase_under_the_same_request_id_is_refused(self, bench: Bench) -> None:
        """Ids are the account's own."""
        await buy(bench, "r", 500)
        other = PurchaseWish(1, "r", 8, 501, bench.now_us)
        assert [RequestReused()] == await bench.store.write(begin_purchases, [other], [1])
        assert 7 == (await buy(bench, "r", 7, account_id=2)).available

    async def test_credit_moves_and_never_below_zero(self, bench: Bench) -> None:
        """What is held cannot be moved."""
        await paying(bench, 100)
        await bench.send()
        assert NotEnough(70, "EUR") == await move(bench, 71)
        done = Transferred(Balance(0, 30, 0, "EUR"), Balance(70, 0, 0, "EUR"))
        assert done == await move(bench, 70)
        assert (70, 0, 0) == await credit(bench, 2)

    async def test_a_transfer_happens_once(self, bench: Bench) -> None:
        """Under its request_id; another one under it is refused."""
        await buy(bench, "r", 100)
        await move(bench, 60, "t")
        assert isinstance(await move(bench, 60, "t"), Transferred)
        assert RequestReused() == await move(bench, 61, "t")
        assert RequestReused() == await move(bench, 60, "t", to=3)
        assert RequestReused() == await move(bench, 100, "r")
        assert (40, 0, 0) == await credit(bench)

    async def test_crossing_transfers_do_not_lock_each_other_out(self, bench: Bench) -> None:
        """Accounts are held in rising order."""
        await buy(bench, "a", 100, 1)
        await buy(bench, "b", 100, 2)
        wishes = [
            TransferWish(*pair, "", number, 1, bench.now_us)
            for number, pair in enumerate([(1, 2), (2, 1)] * 20)
        ]
        await asyncio.gather(
            *(
                bench.store.write(transfer, [wish], [wish.account_id, wish.other_account_id])
                for wish in wishes
            )
        )
        assert ((100, 0, 0), (100, 0, 0)) == (await credit(bench, 1), await credit(bench, 2))

    async def test_credit_of_another_currency_is_found(self, bench: Bench) -> None:
        """A broker has one."""
        assert await bench.store.read(read_other_currency, "EUR") is None
        await buy(bench, "r", 100)
        assert await bench.store.read(read_other_currency, "EUR") is None
        assert "EUR" == await bench.store.read(read_other_currency, "USD")


class CreditCases(ChargeCases, LimitCases, DeedCases):
    """Credit."""
