"""Purchases and transfers: paid once, whatever the payments backend does; and never between strangers."""

import asyncio
from collections.abc import Callable

import pytest

from broker.delivery.credits import Bought, Credits
from broker.delivery.identities import Identities
from broker.delivery.payments import payments_of
from broker.domain.account import Profile
from broker.domain.ids import format_id
from broker.errors import BrokerError, ErrorReason
from broker.plugins import BoundHook, PluginError, Plugins, load_plugins
from broker.settings import SettingsError
from broker.spi import Declined, Paid, PaymentOrder, PaymentsBackend
from broker.storage.accounts import AccountWish, add_accounts
from broker.storage.ledger import Balance
from broker.storage.store import Store
from broker.testing.builders import ManualClock

TOKEN = "tok_secret"
SANDBOX_ONLY = frozenset({"sandbox"})


class Bank(PaymentsBackend):
    """Says what a test wants; remembers each order."""

    def __init__(self) -> None:
        self.orders: list[PaymentOrder] = []
        self.verdict: Callable[[], Paid | Declined] = lambda: Paid("bank-1")

    async def pay(self, order: PaymentOrder) -> Paid | Declined:
        """What is wanted."""
        self.orders.append(order)
        await asyncio.sleep(0)
        return self.verdict()


@pytest.fixture
def bank() -> Bank:
    """Pays."""
    return Bank()


@pytest.fixture
async def credit(store: Store, clock: ManualClock, bank: Bank) -> Credits:
    """Of a broker in euros."""
    identities = Identities(store, clock, node=0, last=0)
    return Credits(store, identities, clock, bank, currency="EUR", purchase_micros_min=1)


async def refused(call) -> ErrorReason:
    """The reason of a refusal."""
    with pytest.raises(BrokerError) as error:
        await call
    return error.value.reason


async def test_a_purchase_is_paid_and_credited_once(credit: Credits, bank: Bank) -> None:
    """A repeat gets the first answer, and the bank is not asked again."""
    first = await credit.purchase(1, "r", 500, TOKEN)
    again = await credit.purchase(1, "r", 500, "another token")
    assert first == again == Bought(first.purchase_id, "bank-1", Balance(500, 0, 0, "EUR"))
    expected = PaymentOrder(format_id(first.purchase_id), format_id(1), 500, "EUR", TOKEN)
    assert [expected] == bank.orders
    assert TOKEN not in repr(bank.orders)


async def test_two_calls_at_once_are_one_purchase(credit: Credits, bank: Bank) -> None:
    """Both are told so, and the bank sees one purchase_id."""
    both = await asyncio.gather(*(credit.purchase(1, "r", 500, TOKEN) for _ in range(2)))
    assert both[0] == both[1]
    assert 1 == len({order.purchase_id for order in bank.orders})
    assert 500 == (await credit.balance(1)).available


async def test_a_declined_purchase_stays_declined(credit: Credits, bank: Bank) -> None:
    """Under its request_id; nothing is credited."""
    bank.verdict = lambda: Declined("no_funds", "the card has no funds")
    with pytest.raises(BrokerError) as error:
        await credit.purchase(1, "r", 500, TOKEN)
    assert (ErrorReason.PAYMENT_DECLINED, "the card has no funds", {"code": "no_funds"}) == (
        error.value.reason,
        error.value.message,
        error.value.metadata,
    )
    bank.verdict = lambda: Paid("bank-1")
    assert ErrorReason.PAYMENT_DECLINED is await refused(credit.purchase(1, "r", 500, TOKEN))
    assert Balance() == await credit.balance(1)


def broken() -> Paid | Declined:
    """Fails with the token in its words."""
    raise ConnectionError(TOKEN)


@pytest.mark.parametrize("verdict", [broken, lambda: "paid"], ids=["raises", "answers nonsense"])
async def test_what_nobody_knows_is_asked_again_under_the_same_id(
    credit: Credits, bank: Bank, verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    """The caller repeats the call; the bank takes the money once. No log has the token."""
    bank.verdict = verdict
    assert ErrorReason.PAYMENT_UNKNOWN is await refused(credit.purchase(1, "r", 500, TOKEN))
    bank.verdict = lambda: Paid("bank-1")
    assert 500 == (await credit.purchase(1, "r", 500, TOKEN)).balance.available
    assert 1 == len({order.purchase_id for order in bank.orders})
    assert TOKEN not in "".join(capsys.readouterr())


async def test_another_purchase_under_a_request_id_is_refused(credit: Credits) -> None:
    """So is a transfer under that of a purchase."""
    await credit.purchase(1, "r", 500, TOKEN)
    assert ErrorReason.REQUEST_ID_REUSED is await refused(credit.purchase(1, "r", 501, TOKEN))


async def test_a_broker_without_payments_sells_nothing(store: Store, clock: ManualClock) -> None:
    """It says so."""
    identities = Identities(store, clock, node=0, last=0)
    credit = Credits(store, identities, clock, None, currency="EUR", purchase_micros_min=1)
    assert ErrorReason.PAYMENTS_NOT_CONFIGURED is await refused(credit.purchase(1, "r", 500, TOKEN))


async def test_credit_moves_within_a_tree_only(credit: Credits, store: Store, clock: ManualClock) -> None:
    """Up, down and sideways; never between two trees, and never more than there is."""
    who = Profile("Ada", "Byron", "ada@example.org", "1234")
    child = AccountWish(
        100, 1, "child", who, api_access=True, sandbox_only=None, now_us=clock.now_us(), accounts_max=9
    )
    await store.write(add_accounts, [child], [100])
    await credit.purchase(1, "r", 500, TOKEN)
    balance, other = await credit.transfer(1, 100, "t", 200)
    assert (300, 200) == (balance.available, other.available)
    assert (300, 200) == tuple(each.available for each in await credit.transfer(1, 100, "t", 200))
    assert ErrorReason.REQUEST_ID_REUSED is await refused(credit.transfer(1, 100, "t", 201))
    assert ErrorReason.ACCOUNTS_UNRELATED is await refused(credit.transfer(1, 2, "u", 1))
    with pytest.raises(BrokerError) as error:
        await credit.transfer(100, 1, "v", 201)
    expected = {"needed_micros": "201", "available_micros": "200", "currency": "EUR"}
    assert (ErrorReason.CREDIT_EXHAUSTED, expected) == (error.value.reason, error.value.metadata)


async def test_a_broker_does_not_start_with_credit_in_another_currency(
    credit: Credits, store: Store, clock: ManualClock
) -> None:
    """It would turn a hundred euros into a hundred dollars."""
    await credit.start()
    await credit.purchase(1, "r", 500, TOKEN)
    identities = Identities(store, clock, node=0, last=0)
    other = Credits(store, identities, clock, None, currency="USD", purchase_micros_min=1)
    with pytest.raises(SettingsError, match="accounts have credit in EUR"):
        await other.start()


def test_payments_are_those_that_the_settings_name() -> None:
    """A broker whose providers are all sandboxes plays payments, unless it is told otherwise."""
    plugins = load_plugins()
    assert payments_of({}, plugins, SANDBOX_ONLY) is not None
    assert payments_of({"type": "sandbox"}, plugins, frozenset({"smpp"})) is not None
    assert payments_of({}, plugins, frozenset({"sandbox", "smpp"})) is None
    assert payments_of({}, Plugins({}, ()), SANDBOX_ONLY) is None
    with pytest.raises(PluginError, match="which no installed plugin offers"):
        payments_of({"type": "nothing"}, plugins, SANDBOX_ONLY)
    with pytest.raises(SettingsError, match=r"payments\.extra"):
        payments_of({"type": "sandbox", "extra": 1}, plugins, SANDBOX_ONLY)
    twice = Plugins({}, (), {"waypost_payments": plugins.hooks["waypost_payments"] * 2})
    with pytest.raises(PluginError, match="offered by two plugins"):
        payments_of({}, twice, SANDBOX_ONLY)
    assert all(isinstance(each, BoundHook) for each in plugins.hooks["waypost_payments"])
