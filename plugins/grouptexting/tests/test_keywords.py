"""Keywords at Group Texting: checked, rented with the operator's card, set up; and what that never shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.spi import (
    KeywordAvailable,
    KeywordDeclined,
    KeywordField,
    KeywordQuery,
    KeywordRefused,
    KeywordRented,
    KeywordSettings,
    KeywordSetUp,
    KeywordUnavailable,
    NotAccepted,
    Unknown,
)
from broker.testing.lending import CALLBACK_URL
from broker.testing.running import running_provider
from broker.testing.upstream import Answer, Echo, Say, Upstream
from waypost_grouptexting import GROUP_TEXTING
from waypost_grouptexting.card import CardError, read_card
from waypost_grouptexting.fake import Keyword, Service

CARD = Path(__file__).parent / "card.toml"
SHOWN_NEVER = ("4111111111111111", "Lovelace", "St James", "737")
LONG_CODE = "+12125550100"
SALE = KeywordQuery(LONG_CODE, "SALE")
SET_UP = KeywordSettings(LONG_CODE, "SALE", "20 percent off")
Instance = Callable[..., Any]


@pytest.mark.covers(
    "keyword.check", "keyword.check.user", "keyword.check.pass", "keyword.check.Keyword",
    "keyword.check.code.1", "keyword.check.code.0",
    "keyword.rent", "keyword.rent.user", "keyword.rent.pass", "keyword.rent.Keyword", "keyword.rent.code.2",
    "keyword.rent.code.1",
)  # fmt: skip
async def test_a_keyword_is_checked_and_rented(instance: Instance, service: Service) -> None:
    """It then calls the broker, as the document's keyword URL; what others have is not free."""
    async with instance(card_file=str(CARD)) as running:
        assert KeywordAvailable() == await running.check_keyword(SALE)
        assert KeywordRented() == await running.rent_keyword(SALE)
        assert KeywordUnavailable("0") == await running.check_keyword(SALE)
        assert KeywordUnavailable("1") == await running.rent_keyword(KeywordQuery(LONG_CODE, "TAKEN"))
    assert Keyword("SALE", url=CALLBACK_URL) == service.keywords["SALE"]


@pytest.mark.covers(
    *(
        f"keyword.rent.{name}"
        for name in (
            "FirstName", "LastName", "Address", "City", "State", "Zip", "Country", "Type", "CCNumber", "CCCode",
            "Expm", "Expy",
        )
    )
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_the_card_goes_in_the_body_of_a_post(upstream: Upstream, table: Any, method: str) -> None:
    """Whatever the settings say of other requests: addresses end up in logs."""
    upstream.answer = lambda _request: Answer.of_text("2")
    settings = table(f"{upstream.url}/api", card_file=str(CARD), method=method)
    async with running_provider(GROUP_TEXTING, settings) as running:
        assert KeywordRented() == await running.rent_keyword(SALE)
    rent, set_up = upstream.requests
    assert ("POST", "/api/keyword/rent/") == (rent.method, rent.target)
    assert {
        "user": "acme-gt", "pass": "gt-password-4711", "keyword": "SALE",
        "firstname": "Ada", "lastname": "Lovelace", "address": "12 St James Square", "city": "Springfield",
        "state": "IL", "zip": "62701", "country": "US", "type": "Visa", "ccnumber": "4111111111111111",
        "cccode": "737", "expm": "03", "expy": "30",
    } == rent.form  # fmt: skip
    assert [] == [each for each in SHOWN_NEVER if each in set_up.everything]


@pytest.mark.covers("keyword.rent.code.0")
async def test_a_declined_card_rents_nothing(instance: Instance, service: Service) -> None:
    """Neither there nor, so, here."""
    service.declined_cards.add("4111111111111111")
    async with instance(card_file=str(CARD)) as running:
        answer = await running.rent_keyword(SALE)
    assert (KeywordDeclined, "0") == (type(answer), answer.code)
    assert {} == service.keywords


async def test_without_a_card_nothing_is_asked_for(instance: Instance, fake: Any) -> None:
    """The refusal names the setting."""
    async with instance() as running:
        answer = await running.rent_keyword(SALE)
    assert ("no_card", 0) == (answer.code, fake.connections)


async def test_keywords_that_the_account_has_are_not_paid_for(instance: Instance, service: Service) -> None:
    """Those that were rented on their site, or whose renting had no answer."""
    service.keywords["SALE"] = Keyword("SALE")
    async with instance(keywords_owned=["Sale"]) as running:
        assert KeywordAvailable() == await running.check_keyword(SALE)
        assert KeywordRented() == await running.rent_keyword(SALE)
    assert CALLBACK_URL == service.keywords["SALE"].url


async def test_a_keyword_is_rented_though_it_cannot_be_told_whom_to_call(
    upstream: Upstream, table: Any
) -> None:
    """It was paid for; its set-up may come again, and an operator sees it."""
    answers = iter(["2", "-10"])
    upstream.answer = lambda _request: Answer.of_text(next(answers))
    settings = table(f"{upstream.url}/api", card_file=str(CARD))
    async with running_provider(GROUP_TEXTING, settings) as running:
        assert KeywordRented() == await running.rent_keyword(SALE)
        assert [("warning", "grouptexting.keyword_calls_nobody", {"reason": "-10"})] == running.lent.log.lines


@pytest.mark.covers(
    "keyword.setup", "keyword.setup.user", "keyword.setup.pass", "keyword.setup.Keyword",
    "keyword.setup.Autoreply", "keyword.setup.URL", "keyword.setup.code.1",
)  # fmt: skip
async def test_a_keyword_is_set_up_and_answers_itself(instance: Instance, service: Service) -> None:
    """Groups and mailboxes are the broker's, unless the settings say otherwise."""
    service.keywords["SALE"] = Keyword("SALE")
    wanted = KeywordSettings(LONG_CODE, "SALE", "20 percent off", "Customers", "ada@example.org")
    async with instance() as running:
        able = running.provider.capabilities.keywords
        assert ({LONG_CODE}, {KeywordField.AUTOREPLY}) == (able.addresses, able.carries_out)
        assert KeywordSetUp() == await running.set_up_keyword(wanted)
    assert Keyword("SALE", autoreply="20 percent off", url=CALLBACK_URL) == service.keywords["SALE"]


@pytest.mark.covers("keyword.setup.Group", "keyword.setup.Email")
async def test_groups_and_mailboxes_may_be_theirs(instance: Instance, service: Service) -> None:
    """By the group's name in the directory; the broker then forwards no email of its own."""
    service.keywords["SALE"] = Keyword("SALE")
    service.groups["Customers"] = set()
    wanted = KeywordSettings(LONG_CODE, "SALE", "Hi", "Customers", "ada@example.org")
    async with instance(keyword_groups=True, keyword_emails=True) as running:
        able = running.provider.capabilities.keywords
        assert {KeywordField.AUTOREPLY, KeywordField.EMAIL} == able.carries_out
        assert KeywordSetUp() == await running.set_up_keyword(wanted)
    found = service.keywords["SALE"]
    assert ("Customers", "ada@example.org") == (found.group, found.email)


@pytest.mark.covers(
    "keyword.setup.code.-2", "keyword.setup.code.-3", "keyword.setup.code.-4", "keyword.setup.code.-7"
)
@pytest.mark.parametrize(
    ("wanted", "field", "code"),
    [
        (KeywordSettings(LONG_CODE, "OTHER", "Hi"), KeywordField.KEYWORD, "-2"),
        (KeywordSettings(LONG_CODE, "SALE", "Hi", "Nobodys"), KeywordField.GROUP, "-3"),
        (KeywordSettings(LONG_CODE, "SALE", "Hi", "", "ada"), KeywordField.EMAIL, "-4"),
        (KeywordSettings(LONG_CODE, "SALE", " "), KeywordField.AUTOREPLY, "-7"),
        (KeywordSettings(LONG_CODE, "SALE", "x" * 161), KeywordField.AUTOREPLY, "-7"),
        (KeywordSettings(LONG_CODE, "SALE", "[]"), KeywordField.AUTOREPLY, "-7"),
    ],
)
async def test_each_wrong_field_has_its_number(
    instance: Instance, service: Service, wanted: KeywordSettings, field: KeywordField, code: str
) -> None:
    """And the keyword stays as it was."""
    service.keywords["SALE"] = Keyword("SALE")
    async with instance(keyword_groups=True, keyword_emails=True) as running:
        answer = await running.set_up_keyword(wanted)
    assert (KeywordRefused, field, code) == (type(answer), answer.field, answer.code)
    assert Keyword("SALE") == service.keywords["SALE"]


NUMBERS = [
    ("check_keyword", SALE, "-1", NotAccepted),
    ("check_keyword", SALE, "-2", KeywordDeclined),
    ("check_keyword", SALE, "-10", Unknown),
    ("check_keyword", SALE, "2", Unknown),
    ("rent_keyword", SALE, "-1", NotAccepted),
    ("rent_keyword", SALE, "-10", Unknown),
    ("rent_keyword", SALE, "3", Unknown),
    ("set_up_keyword", SET_UP, "-1", NotAccepted),
    ("set_up_keyword", SET_UP, "-5", KeywordRefused),
    ("set_up_keyword", SET_UP, "-10", Unknown),
    ("set_up_keyword", SET_UP, "0", Unknown),
]


@pytest.mark.covers(
    "keyword.check.code.-1", "keyword.check.code.-2", "keyword.check.code.-10", "keyword.rent.code.-1",
    "keyword.rent.code.-10", "keyword.setup.code.-1", "keyword.setup.code.-5", "keyword.setup.code.-10",
)  # fmt: skip
@pytest.mark.parametrize(("method", "asked", "number", "kind"), NUMBERS)
async def test_a_number_means_what_its_operation_says(
    upstream: Upstream, table: Any, method: str, asked: Any, number: str, kind: type
) -> None:
    """The same number means another thing elsewhere, and one that nobody documented means nothing."""
    upstream.answer = lambda _request: Answer.of_text(number)
    async with running_provider(GROUP_TEXTING, table(f"{upstream.url}/api", card_file=str(CARD))) as running:
        answer = await getattr(running, method)(asked)
    assert (kind, number) == (type(answer), answer.code)


@pytest.mark.parametrize("method", ["check_keyword", "rent_keyword", "set_up_keyword"])
async def test_a_request_that_was_turned_away_was_not_processed(
    upstream: Upstream, table: Any, method: str
) -> None:
    """503, as the document has it."""
    upstream.answer = lambda _request: Answer.of_text("slow down", 503)
    asked = SET_UP if method == "set_up_keyword" else SALE
    async with running_provider(GROUP_TEXTING, table(f"{upstream.url}/api", card_file=str(CARD))) as running:
        answer = await getattr(running, method)(asked)
    assert (NotAccepted, "http_503") == (type(answer), answer.code)


async def test_the_card_is_never_shown(upstream: Upstream, table: Any, caplog: Any) -> None:
    """Neither in logs nor in answers nor in prints, also where Group Texting quotes it."""
    caplog.set_level("DEBUG")
    settings = table(f"{upstream.url}/api", card_file=str(CARD), connections_per_s_max=1_000)
    async with running_provider(GROUP_TEXTING, settings) as running:
        told = [repr(running.provider), repr(read_card(CARD)), str(read_card(CARD))]
        for fault in (Echo(200), Echo(500), Say(Answer(200, b"{}"))):
            upstream.fail(fault, times=None)
            told.append(repr(await running.rent_keyword(SALE)))
            upstream.recover()
        told += [running.lent.log.text, caplog.text]
    assert [] == [text for text in told if any(each in text for each in SHOWN_NEVER)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "cannot be read: FileNotFoundError"),
        ("number = ", "no TOML"),
        (CARD.read_text().replace("Visa", "Bank"), "wrong or missing: type$"),
        (CARD.read_text().replace('code = "737"', "pin = '7373'"), "wrong or missing: code, pin$"),
        (CARD.read_text().replace("4111111111111111", "4111"), "wrong or missing: number$"),
    ],
)
def test_a_file_that_holds_no_card_is_told_without_quoting_it(
    tmp_path: Path, text: str | None, told: str
) -> None:
    """By the names of its fields."""
    file = tmp_path / "card.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CardError, match=told) as refused:
        read_card(file)
    assert "4111" not in str(refused.value)


async def test_a_card_that_went_away_declines(instance: Instance, tmp_path: Path) -> None:
    """It was there at the start."""
    file = tmp_path / "card.toml"
    file.write_text(CARD.read_text())
    async with instance(card_file=str(file)) as running:
        file.unlink()
        assert "card_file" == (await running.rent_keyword(SALE)).code


async def test_keywords_can_be_the_brokers_alone(instance: Instance) -> None:
    """Where the account's forwarding URL gets everything anyway."""
    async with instance(keywords=False) as running:
        assert None is running.provider.capabilities.keywords
