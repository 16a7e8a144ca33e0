"""Credits bought there with a purchase here: once for each purchase, whatever happens in between."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.spi import Declined, Paid, PaymentOrder
from broker.testing.upstream import Answer, Fault, Hang, ResetAfterBody, Say, Upstream
from waypost_grouptexting import waypost_payments
from waypost_grouptexting.fake import FakeServer, Service
from waypost_grouptexting.payments import GroupTextingPayments, PurchaseInDoubt

CARD = Path(__file__).parent / "card.toml"
CREDIT_MICROS = 50_000
CARD_FIELDS = (
    "FirstName", "LastName", "Address", "City", "State", "Zip", "Country", "Type", "CCNumber", "CCCode", "Expm",
    "Expy",
)  # fmt: skip


def order(amount_micros: int = 200 * CREDIT_MICROS, *, purchase_id: str = "01", token: str = "main") -> Any:
    """Two hundred credits with the card "main"."""
    return PaymentOrder(purchase_id, "0000000000001", amount_micros, "USD", token)


def kept_in(directory: Path) -> dict[str, str]:
    """What is on disk."""
    return {each.name: each.read_text() for each in directory.iterdir()}


@pytest.fixture
def payments(tmp_path: Path) -> Callable[..., GroupTextingPayments]:
    """As `[payments]` makes them, for an address; one after another share what is on disk."""
    (offered,) = waypost_payments()

    def make(url: str, **changes: Any) -> GroupTextingPayments:
        table = {
            "url": url,
            "username": "acme-gt",
            "password": "gt-password-4711",
            "cards": {"main": str(CARD)},
            "credit_micros": CREDIT_MICROS,
            "purchases_dir": str(tmp_path),
            "timeout_s": 5,
        }
        made = offered.create(offered.settings.model_validate(table | changes))
        assert isinstance(made, GroupTextingPayments)
        return made

    return make


@pytest.mark.covers(
    "credits.buy", "credits.buy.user", "credits.buy.pass", "credits.buy.Credits", "credits.buy.code.1",
    *(f"credits.buy.{name}" for name in CARD_FIELDS),
)  # fmt: skip
async def test_a_purchase_buys_as_many_credits_once(
    payments: Callable[..., GroupTextingPayments], fake: FakeServer, service: Service
) -> None:
    """Asked again under the same id it is the same purchase, also after a restart; another id is another."""
    first = payments(fake.url)
    assert [Paid("01"), Paid("01")] == await asyncio.gather(first.pay(order()), first.pay(order()))
    assert Paid("01") == await payments(fake.url).pay(order())
    assert 300 == service.credits
    assert Paid("02") == await first.pay(order(purchase_id="02"))
    assert 500 == service.credits


async def test_the_card_goes_in_the_body_of_a_post(
    payments: Callable[..., GroupTextingPayments], upstream: Upstream
) -> None:
    """Whatever the settings say of other requests."""
    upstream.answer = lambda _request: Answer.of_text("1")
    await payments(f"{upstream.url}/api", method="GET").pay(order())
    (request,) = upstream.requests
    assert ("POST", "/api/credits/buy/") == (request.method, request.target)
    assert ("200", "4111111111111111", "Lovelace") == tuple(
        request.form[each] for each in ("credits", "ccnumber", "lastname")
    )


@pytest.mark.covers("credits.buy.code.0")
async def test_a_declined_card_stays_declined(
    payments: Callable[..., GroupTextingPayments], fake: FakeServer, service: Service
) -> None:
    """For that purchase; nothing is bought."""
    service.declined_cards.add("4111111111111111")
    declined = await payments(fake.url).pay(order())
    service.declined_cards.clear()
    assert declined == await payments(fake.url).pay(order())
    assert ("0", 100) == (declined.code, service.credits)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (order(token="other"), "no_card"),
        (order(token="../card"), "no_card"),
        (order(CREDIT_MICROS + 1), "amount"),
        (order(CREDIT_MICROS - 1), "amount"),
    ],
)
async def test_what_cannot_be_bought_is_declined_unasked(
    payments: Callable[..., GroupTextingPayments], fake: FakeServer, wanted: PaymentOrder, code: str
) -> None:
    """A card that is none, and a part of a credit."""
    declined = await payments(fake.url).pay(wanted)
    assert isinstance(declined, Declined)
    assert (code, 0) == (declined.code, fake.connections)


@pytest.mark.covers("credits.buy.code.-10")
@pytest.mark.parametrize(
    "fault",
    [Say(Answer.of_text("-10")), Say(Answer(500)), Say(Answer.of_text("7")), ResetAfterBody(), Hang()],
    ids=["-10", "500", "7", "reset", "silence"],
)
async def test_a_purchase_in_doubt_is_not_bought_again(
    payments: Callable[..., GroupTextingPayments], upstream: Upstream, fault: Fault
) -> None:
    """Not by this process and not by the next, until somebody has looked and said so."""
    upstream.fail(fault, times=None)
    for _ in range(2):
        with pytest.raises(PurchaseInDoubt):
            await payments(f"{upstream.url}/api", timeout_s=0.1).pay(order())
    assert 1 == len(upstream.requests)


async def test_somebody_may_settle_a_doubt(
    payments: Callable[..., GroupTextingPayments], upstream: Upstream, tmp_path: Path
) -> None:
    """In the file that the purchase left: paid, or never asked for."""
    upstream.answer = lambda _request: Answer.of_text("-10")
    with pytest.raises(PurchaseInDoubt, match="-10"):
        await payments(f"{upstream.url}/api").pay(order())
    file = tmp_path / "01.grouptexting"
    assert "begun" == file.read_text()
    file.write_text("paid\n")
    assert Paid("01") == await payments(f"{upstream.url}/api").pay(order())
    file.unlink()
    upstream.answer = lambda _request: Answer.of_text("1")
    assert Paid("01") == await payments(f"{upstream.url}/api").pay(order())
    assert 2 == len(upstream.requests)


@pytest.mark.covers("credits.buy.code.-1")
@pytest.mark.parametrize(
    "answer", [Answer.of_text("-1"), Answer.of_text("slow down", 503)], ids=["password", "503"]
)
async def test_what_was_surely_not_bought_may_be_asked_for_again(
    payments: Callable[..., GroupTextingPayments], upstream: Upstream, answer: Answer
) -> None:
    """Nobody knows yet, says the broker; and the next call buys."""
    upstream.answer = lambda _request: answer
    with pytest.raises(PurchaseInDoubt):
        await payments(f"{upstream.url}/api").pay(order())
    upstream.answer = lambda _request: Answer.of_text("1")
    assert Paid("01") == await payments(f"{upstream.url}/api").pay(order())


async def test_a_closed_port_bought_nothing(
    payments: Callable[..., GroupTextingPayments], upstream: Upstream
) -> None:
    """The next call buys."""
    with pytest.raises(PurchaseInDoubt):
        await payments(f"{upstream.refused_url}/api").pay(order())
    upstream.answer = lambda _request: Answer.of_text("1")
    assert Paid("01") == await payments(f"{upstream.url}/api").pay(order())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cards": {}}, "at least 1 item"),
        ({"cards": {"main": "/nowhere/at/all"}}, "main: it cannot be read: FileNotFoundError"),
        ({"credit_micros": 0}, "greater than 0"),
        ({"purchases_dir": "/nowhere/at/all"}, "must be a directory that exists"),
        ({"misspelt": 1}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(
    payments: Callable[..., GroupTextingPayments], changes: dict[str, Any], told: str
) -> None:
    """With the rule."""
    with pytest.raises(ValidationError, match=told):
        payments("http://127.0.0.1:9/api", **changes)


async def test_neither_card_nor_token_is_kept(
    payments: Callable[..., GroupTextingPayments], fake: FakeServer, tmp_path: Path
) -> None:
    """What is on disk is a word for each purchase."""
    await payments(fake.url).pay(order())
    assert {"01.grouptexting": "paid"} == kept_in(tmp_path)
