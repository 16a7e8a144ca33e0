# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of keywords: rented and paid for by one account at a time, set up, and released."""

import asyncio

from broker.domain.callback_url import CallbackMethod
from broker.domain.directory import Label
from broker.domain.keyword import AUTOREPLY_DEFAULT, Keyword
from broker.domain.price import Price
from broker.domain.sender import Sender, SenderCapability, SenderKind
from broker.storage.groups import NewGroup, SavedGroup, add_groups
from broker.storage.keywords import (
    KeywordName,
    KeywordsFull,
    KeywordTaken,
    KeywordUnpaid,
    NewKeyword,
    NoSuchKeyword,
    NoSuchKeywordGroup,
    RentUndone,
    SenderUnregistered,
    read_available,
    read_keyword,
    read_keywords,
    release_keywords,
    rent_keywords,
    undo_rents,
)
from broker.storage.senders import NewSender, add_senders
from broker.testing.builders import NOW_US
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.callback_bench import URL
from broker.testing.store_suite.crediting import buy, credit
from broker.testing.store_suite.inbound_bench import OURS, Phone, WithPhone

JOIN = KeywordName(2, OURS, "join")
RENT = Price(100, "EUR")


async def group(bench: Bench, account_id: int = 2) -> int:
    """A group of an account."""
    (group_id,) = bench.ids.take(1)
    item = NewGroup(group_id, account_id, Label("List"), bench.now_us, 10)
    (made,) = await bench.store.write(add_groups, [item], [account_id])
    assert isinstance(made, SavedGroup)
    return group_id


async def register(bench: Bench, account_id: int, sender: str = OURS) -> None:
    """An account registers a number."""
    (sender_id,) = bench.ids.take(1)
    kind = SenderKind.LONG_CODE
    wish = Sender(sender_id, account_id, sender, kind, "GB", frozenset({SenderCapability.SMS}))
    (answer,) = await bench.store.write(add_senders, [NewSender(wish, 10, 10)], [account_id])
    assert isinstance(answer, Sender)


class KeywordCases(WithPhone):
    """Keywords belong to one account at a time."""

    async def test_a_keyword_is_rented_by_one_account(self, bench: Bench, phone: Phone) -> None:
        """At one sender; at another one it is free."""
        rented = await phone.rent()
        assert Keyword(2, OURS, "join", NOW_US) == rented
        assert KeywordTaken() == await phone.rent(account_id=3)
        assert KeywordTaken() == await phone.rent()
        assert not await bench.store.read(read_available, KeywordName(3, OURS, "join"))
        assert isinstance(await phone.rent(account_id=3, sender="12345"), Keyword)

    async def test_two_who_rent_it_in_one_call_do_not_both_get_it(self, bench: Bench) -> None:
        """The first one does."""
        items = [NewKeyword(Keyword(each, OURS, "join", NOW_US), 10) for each in (1, 2)]
        first, second = await bench.store.write(rent_keywords, items, [1, 2])
        assert (Keyword(1, OURS, "join", NOW_US), KeywordTaken()) == (first, second)

    async def test_an_account_rents_so_many(self, phone: Phone) -> None:
        """And no more."""
        await phone.rent("one", keywords_max=1)
        assert KeywordsFull(1) == await phone.rent("two", keywords_max=1)

    async def test_only_what_is_named_changes(self, bench: Bench, phone: Phone) -> None:
        """Another account's is as unknown as one that is not there; so is a group."""
        await phone.rent()
        group_id = await group(bench)
        changed = await phone.configure(
            group_id=group_id, callback_url=URL, callback_method=CallbackMethod.GET
        )
        assert isinstance(changed, Keyword)
        assert (group_id, AUTOREPLY_DEFAULT, URL) == (
            changed.group_id,
            changed.autoreply,
            changed.callback_url,
        )
        assert changed == await bench.store.read(read_keyword, JOIN)
        again = await phone.configure(group_id=None, send_unique=True)
        assert isinstance(again, Keyword)
        assert (None, True, URL) == (again.group_id, again.send_unique, again.callback_url)
        assert NoSuchKeyword() == await phone.configure(account_id=3, autoreply="Hi")
        assert NoSuchKeywordGroup() == await phone.configure(group_id=await group(bench, 3))

    async def test_a_keyword_at_a_registered_sender_is_for_who_registered_it(
        self, bench: Bench, phone: Phone
    ) -> None:
        """For others it is taken, and nothing tells them why. Somewhere else everybody rents."""
        await register(bench, account_id=2)
        assert not await bench.store.read(read_available, KeywordName(3, OURS, "join"))
        assert KeywordTaken() == await phone.rent(account_id=3)
        assert isinstance(await phone.rent(account_id=2), Keyword)
        await register(bench, account_id=3)
        assert isinstance(await phone.rent("other", account_id=3), Keyword)
        assert isinstance(await phone.rent(account_id=3, sender="12345"), Keyword)

    async def test_who_may_use_registered_senders_alone_rents_at_no_other(
        self, bench: Bench, phone: Phone
    ) -> None:
        """As it could not send from it."""
        assert SenderUnregistered() == await phone.rent(registered_only=True)
        await register(bench, account_id=2)
        assert isinstance(await phone.rent(registered_only=True), Keyword)

    async def test_rent_is_paid_in_the_transaction_that_rents(self, bench: Bench, phone: Phone) -> None:
        """What the account cannot pay it does not get; what it does not get costs nothing."""
        await buy(bench, "first", 250, account_id=2)
        rented = await phone.rent(paid=RENT)
        assert (150, 0, 100) == await credit(bench, 2)
        assert rented == await bench.store.read(read_keyword, JOIN)
        assert KeywordTaken() == await phone.rent(paid=RENT)
        assert KeywordsFull(1) == await phone.rent("full", keywords_max=1, paid=RENT)
        assert (150, 0, 100) == await credit(bench, 2)
        await phone.rent("second", paid=RENT)
        assert KeywordUnpaid(100, 50, "EUR") == await phone.rent("third", paid=RENT)
        assert await bench.store.read(read_available, KeywordName(2, OURS, "third"))
        assert (50, 0, 200) == await credit(bench, 2)

    async def test_two_who_race_for_the_last_credit_do_not_both_rent(
        self, bench: Bench, phone: Phone
    ) -> None:
        """The books say what the keywords say."""
        await buy(bench, "first", 150, account_id=2)
        answers = await asyncio.gather(*(phone.rent(word, paid=RENT) for word in ("one", "two", "three")))
        assert 1 == sum(isinstance(each, Keyword) for each in answers)
        assert (50, 0, 100) == await credit(bench, 2)

    async def test_a_rent_that_is_undone_is_paid_back(self, bench: Bench, phone: Phone) -> None:
        """Once, and only to its renter. One that is released is not."""
        await buy(bench, "first", 250, account_id=2)
        await phone.rent(paid=RENT)
        await phone.rent("other", paid=RENT)
        undone = [RentUndone(each, bench.now_us) for each in (KeywordName(3, OURS, "join"), JOIN, JOIN)]
        assert [False, True, False] == await bench.store.write(undo_rents, undone, [2, 3])
        assert (150, 0, 100) == await credit(bench, 2)
        await bench.store.write(release_keywords, [KeywordName(2, OURS, "other")], [2])
        assert (150, 0, 100) == await credit(bench, 2)

    async def test_a_released_keyword_is_free(self, bench: Bench, phone: Phone) -> None:
        """Only its renter releases it."""
        await phone.rent()
        names = [KeywordName(3, OURS, "join"), JOIN, JOIN]
        assert [False, True, False] == await bench.store.write(release_keywords, names)
        assert isinstance(await phone.rent(account_id=3), Keyword)

    async def test_they_are_listed_in_pages(self, bench: Bench, phone: Phone) -> None:
        """By sender and word, an account's own."""
        for sender, word in ((OURS, "b"), ("12345", "c"), (OURS, "a")):
            await phone.rent(word, sender=sender)
        await phone.rent("other", account_id=3)
        first = await bench.store.read(read_keywords, 2, ("", ""), 2)
        rest = await bench.store.read(read_keywords, 2, (first[-1].sender, first[-1].word), 2)
        assert ["a", "b", "c"] == [each.word for each in (*first, *rest)]
        named = await bench.store.read(read_keywords, 2, ("", ""), 10, "12345")
        assert ["c"] == [each.word for each in named]
