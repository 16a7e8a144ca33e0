"""Keywords at addresses whose upstream keeps them: it is asked first, and what it answers holds."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from broker.delivery.keywords import KeywordName, Keywords
from broker.delivery.policies import Policies
from broker.delivery.upstream_keywords import UpstreamKeywords
from broker.domain.account_policy import AccountPolicy
from broker.domain.directory import Label
from broker.domain.network import PUBLIC_ONLY
from broker.domain.price import PricedItem
from broker.domain.prices import PriceList, PriceRule, PriceTable
from broker.errors import BrokerError, ErrorReason
from broker.spi import (
    Capabilities,
    Channel,
    KeywordAvailable,
    KeywordDeclined,
    KeywordField,
    KeywordKeeping,
    KeywordQuery,
    KeywordRefused,
    KeywordRented,
    KeywordSettings,
    KeywordSetUp,
    KeywordUnavailable,
    NotAccepted,
    Provider,
    Rejected,
    Unknown,
)
from broker.storage.groups import NewGroup, add_groups
from broker.storage.policies import NewPolicy, set_policies
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.scripted_provider import ScriptedProvider, scripted_registry
from broker.testing.store_suite import Bench
from broker.testing.store_suite.crediting import buy, credit

LONG_CODE, OTHER = "+12125550100", "12345"
JOIN = KeywordName(1, LONG_CODE, "join")
GROUP = 77


class Keeper(ScriptedProvider):
    """Keeps the keywords of the long code, answers as the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Any] = {
            "check": KeywordAvailable(),
            "rent": KeywordRented(),
            "set up": KeywordSetUp(),
        }
        self.asked: list[tuple[str, Any]] = []
        self.gate: asyncio.Event | None = None

    @property
    def capabilities(self) -> Capabilities:
        """It answers itself who texts a keyword."""
        keeping = KeywordKeeping(frozenset({LONG_CODE}), frozenset({KeywordField.AUTOREPLY}))
        return Capabilities(frozenset({Channel.SMS}), super().capabilities.receipts, keywords=keeping)

    async def check_keyword(self, query: KeywordQuery) -> Any:
        """As the test says."""
        return await self._answer("check", query)

    async def rent_keyword(self, query: KeywordQuery) -> Any:
        """As the test says."""
        return await self._answer("rent", query)

    async def set_up_keyword(self, settings: KeywordSettings) -> Any:
        """As the test says."""
        return await self._answer("set up", settings)

    async def _answer(self, operation: str, told: Any) -> Any:
        self.asked.append((operation, told))
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers[operation]
        if answer == "hangs":
            await asyncio.Event().wait()
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def keeper() -> Keeper:
    """It says yes to everything."""
    return Keeper()


@pytest.fixture
def keywords(store: Store, clock: ManualClock, keeper: Keeper) -> Keywords:
    """Renting costs 100."""
    prices = PriceList(PriceTable(1, (PriceRule(100, item=PricedItem.KEYWORD),), "EUR"))
    registry = scripted_registry(acme=ScriptedProvider(), gt=keeper)
    return Keywords(
        store,
        clock,
        Policies(store, clock),
        network=PUBLIC_ONLY,
        prices_now=lambda: prices,
        upstream=UpstreamKeywords(registry, answer_s_max=0.05),
    )


async def reason(call: Any) -> ErrorReason:
    """Why it was refused."""
    with pytest.raises(BrokerError) as refused:
        await call
    return refused.value.reason


async def test_nobody_is_asked_about_other_addresses(keywords: Keywords, keeper: Keeper) -> None:
    """The whole life of a keyword there is the broker's own business."""
    name = KeywordName(1, OTHER, "join")
    assert await keywords.available(name)
    await keywords.rent(name)
    await keywords.configure(name, {"autoreply": "Hi"})
    await keywords.release(name)
    assert [] == keeper.asked


async def test_an_upstream_is_asked_at_every_step(keywords: Keywords, keeper: Keeper, bench: Bench) -> None:
    """In its own words: upper case, the group by its name, all of the set-up."""
    await bench.store.write(add_groups, [NewGroup(GROUP, 1, Label("Customers"), NOW_US, 10)], [1])
    assert await keywords.available(JOIN)
    await keywords.rent(JOIN)
    changes = {"autoreply": "Welcome", "group_id": GROUP, "forward_to": "ada@example.org"}
    await keywords.configure(JOIN, changes)
    await keywords.configure(JOIN, {"group_id": None})
    query = KeywordQuery(LONG_CODE, "JOIN")
    assert [
        ("check", query),
        ("rent", query),
        ("set up", KeywordSettings(LONG_CODE, "JOIN", "Welcome", "Customers", "ada@example.org")),
        ("set up", KeywordSettings(LONG_CODE, "JOIN", "Welcome", "", "ada@example.org")),
    ] == keeper.asked


async def test_a_keyword_that_is_taken_here_is_not_asked_for_there(
    keywords: Keywords, keeper: Keeper
) -> None:
    """Nobody pays there for what they cannot have here."""
    await keywords.rent(JOIN)
    keeper.asked.clear()
    assert not await keywords.available(KeywordName(2, LONG_CODE, "join"))
    assert ErrorReason.KEYWORD_TAKEN is await reason(keywords.rent(KeywordName(2, LONG_CODE, "join")))
    assert [] == keeper.asked


async def test_what_the_upstream_does_not_have_is_not_available(keywords: Keywords, keeper: Keeper) -> None:
    """Though nobody has it here."""
    keeper.answers["check"] = KeywordUnavailable("0")
    assert not await keywords.available(JOIN)


FAILURES = [
    (KeywordDeclined("-2", "too little"), ErrorReason.PAYMENT_DECLINED),
    (NotAccepted(code="refused"), ErrorReason.UPSTREAM_UNAVAILABLE),
]
UNKNOWNS = [
    Unknown("-10"),
    ValueError("no"),
    asyncio.CancelledError(),
    "hangs",
    "yes",
    None,
    Rejected(),
    KeywordDeclined("x" * 65),
    KeywordDeclined(text="a\nb"),
    KeywordDeclined(code=None),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(
    ("answer", "why"), [*FAILURES, *((each, ErrorReason.UPSTREAM_UNAVAILABLE) for each in UNKNOWNS)]
)
async def test_a_check_that_failed_says_nothing_of_the_keyword(
    keywords: Keywords, keeper: Keeper, answer: Any, why: ErrorReason
) -> None:
    """Neither that it is free nor that it is not."""
    keeper.answers["check"] = answer
    assert why is await reason(keywords.available(JOIN))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        *FAILURES,
        (KeywordUnavailable("1"), ErrorReason.KEYWORD_TAKEN),
        *((each, ErrorReason.KEYWORD_RENT_UNKNOWN) for each in UNKNOWNS),
        (KeywordAvailable(), ErrorReason.KEYWORD_RENT_UNKNOWN),
    ],
)
async def test_what_is_not_rented_there_is_not_rented_here_and_paid_back(
    keywords: Keywords, keeper: Keeper, bench: Bench, answer: Any, why: ErrorReason
) -> None:
    """Unavailable, declined, or unknown: each is its own reason, and nothing is left behind."""
    await bench.store.write(set_policies, [NewPolicy(1, AccountPolicy(enforce_credit=True))], [1])
    await buy(bench, "first", 150)
    keeper.answers["rent"] = answer
    assert why is await reason(keywords.rent(JOIN))
    assert ErrorReason.KEYWORD_NOT_FOUND is await reason(keywords.find(JOIN))
    assert (150, 0, 0) == await credit(bench)
    keeper.answers["rent"] = KeywordRented()
    await keywords.rent(JOIN)
    assert 50 == (await credit(bench))[0]


@pytest.mark.parametrize(("answer", "kept"), [(KeywordRented(), True), (KeywordUnavailable("1"), False)])
async def test_a_renting_goes_to_its_end_though_its_caller_hung_up(
    keywords: Keywords, keeper: Keeper, until: Any, answer: Any, kept: bool
) -> None:
    """What is paid there is rented here, and what is not is free again."""
    keeper.gate = asyncio.Event()
    keeper.answers["rent"] = answer
    call = asyncio.create_task(keywords.rent(JOIN))
    await until(lambda: keeper.asked)
    call.cancel()
    await asyncio.wait({call})
    assert call.cancelled()
    keeper.gate.set()
    await until(lambda: not keywords._upstream._renting)
    keeper.answers["check"] = KeywordAvailable()
    assert kept is not await keywords.available(JOIN)


@pytest.mark.parametrize(
    ("field", "why", "path"),
    [
        (KeywordField.KEYWORD, ErrorReason.KEYWORD_INVALID, "keyword"),
        (KeywordField.GROUP, ErrorReason.KEYWORD_GROUP_INVALID, "group_id"),
        (KeywordField.AUTOREPLY, ErrorReason.KEYWORD_AUTOREPLY_INVALID, "autoreply"),
        (KeywordField.EMAIL, ErrorReason.KEYWORD_EMAIL_INVALID, "forward_to_email"),
        (KeywordField.URL, ErrorReason.KEYWORD_URL_INVALID, "callback_url"),
    ],
)
async def test_each_wrong_field_has_its_own_reason(
    keywords: Keywords, keeper: Keeper, field: KeywordField, why: ErrorReason, path: str
) -> None:
    """With the field's path, the upstream's rule and its code; the keyword stays as it was."""
    await keywords.rent(JOIN)
    keeper.answers["set up"] = KeywordRefused(field, "-3", "there is no such thing")
    with pytest.raises(BrokerError) as refused:
        await keywords.configure(JOIN, {"autoreply": "Welcome"})
    (violation,) = refused.value.violations
    assert (why, path, "there is no such thing", {"provider_code": "-3"}) == (
        refused.value.reason,
        violation.field,
        violation.rule,
        refused.value.metadata,
    )
    assert "Thank you for joining our list." == (await keywords.find(JOIN)).autoreply


@pytest.mark.parametrize("answer", [NotAccepted(code="refused"), *UNKNOWNS])
async def test_what_was_not_set_up_there_is_not_set_up_here(
    keywords: Keywords, keeper: Keeper, answer: Any
) -> None:
    """The same call may come again."""
    await keywords.rent(JOIN)
    keeper.answers["set up"] = answer
    wanted = {"autoreply": "Welcome"}
    allowed = {ErrorReason.UPSTREAM_UNAVAILABLE}
    assert {await reason(keywords.configure(JOIN, wanted))} == allowed
    keeper.answers["set up"] = KeywordSetUp()
    assert "Welcome" == (await keywords.configure(JOIN, wanted)).autoreply


async def test_what_is_wrong_here_is_not_asked_there(keywords: Keywords, keeper: Keeper) -> None:
    """A keyword that the account does not have, and a group of nobody's."""
    assert ErrorReason.KEYWORD_NOT_FOUND is await reason(keywords.configure(JOIN, {"autoreply": "Hi"}))
    await keywords.rent(JOIN)
    keeper.asked.clear()
    assert ErrorReason.KEYWORD_GROUP_INVALID is await reason(keywords.configure(JOIN, {"group_id": GROUP}))
    assert [] == keeper.asked


def test_the_first_instance_that_keeps_an_address_is_asked() -> None:
    """And what it carries out itself is known by the address."""
    first, second = Keeper(), Keeper()
    upstream = UpstreamKeywords(scripted_registry(one=first, two=second))
    assert (True, False) == (upstream.keeps(LONG_CODE), upstream.keeps(OTHER))
    assert {KeywordField.AUTOREPLY} == upstream.carries_out(LONG_CODE)
    assert frozenset() == upstream.carries_out(OTHER)
    asyncio.run(upstream.available(LONG_CODE, "join"))
    assert (1, 0) == (len(first.asked), len(second.asked))


@pytest.mark.parametrize("method", ["check_keyword", "rent_keyword", "set_up_keyword"])
def test_a_provider_without_keywords_has_none_of_it(method: str) -> None:
    """The contract's own methods are for those who declare it."""
    call: Callable[..., Any] = getattr(Provider, method)
    with pytest.raises(NotImplementedError):
        asyncio.run(call(ScriptedProvider(), None))
