# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of senders: registered ones of an account, and whom the recipients of a pool heard from."""

from dataclasses import replace
from typing import Any

from broker.domain.consent import Act, ConsentChange, ConsentSource
from broker.domain.grounds import Grounds
from broker.domain.outcome import Accepted
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.sender import Sender, SenderCapability, SenderKind
from broker.domain.sender_book import SenderBook
from broker.domain.sender_pool import CHOICE_USED_STEP_US, recipient_key
from broker.domain.vocabulary import Reason
from broker.storage.acceptance import Acceptance, Stored, accept
from broker.storage.consenting import record_consent
from broker.storage.correspondence import read_correspondence
from broker.storage.senders import (
    ChoiceWish,
    ForgetChoices,
    NewSender,
    SenderChoice,
    SenderName,
    SendersFull,
    SenderTaken,
    add_senders,
    forget_choices,
    keep_choices,
    read_accounts_with_senders,
    read_choices,
    read_senders,
    remove_senders,
)
from broker.testing.builders import NOW_US, REMEMBER_US, everywhere, phones, submission
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore

_SMS = frozenset({SenderCapability.SMS})


def _sender(sender_id: int, value: str = "+12025550123", **changes: Any) -> Sender:
    fields: dict[str, Any] = {
        "sender_id": sender_id,
        "account_id": 1,
        "value": value,
        "kind": SenderKind.LONG_CODE,
        "country": "US",
        "capabilities": _SMS,
    }
    return Sender(**(fields | changes))


def _choice(recipient: str, sender: str, **changes: Any) -> SenderChoice:
    fields: dict[str, Any] = {
        "account_id": 1,
        "pool": "care",
        "recipient": recipient,
        "sender": sender,
        "used_at_us": NOW_US,
    }
    return SenderChoice(**(fields | changes))


class SenderCases(OpenedStore):
    """Senders in the store."""

    async def _register(self, bench: Bench, sender: Sender, allowed: int = 10, in_pool: int = 10) -> Any:
        item = NewSender(sender, allowed, in_pool)
        (answer,) = await bench.store.write(add_senders, [item], [sender.account_id])
        return answer

    async def _kept(self, bench: Bench, *recipients: str, pool: str = "care", account_id: int = 1) -> Any:
        (found,) = await bench.store.read(read_choices, [ChoiceWish(account_id, pool, recipients)])
        return found

    async def test_a_sender_is_read_as_it_was_registered(self, bench: Bench) -> None:
        """Every field of it, oldest first; of this account alone."""
        whole = Sender(
            sender_id=5,
            account_id=1,
            value="12345",
            kind=SenderKind.SHORT_CODE,
            country="US",
            capabilities=frozenset({SenderCapability.SMS, SenderCapability.MMS, SenderCapability.TWO_WAY}),
            providers=("b", "a"),
            pool="care",
            tags=("z", "ä"),
            default=True,
            created_at_us=NOW_US,
        )
        assert whole == await self._register(bench, whole)
        plain = await self._register(bench, _sender(4))
        await self._register(bench, _sender(6, account_id=2))
        assert [plain, whole] == await bench.store.read(read_senders, 1)
        assert {1, 2} == await bench.store.read(read_accounts_with_senders)

    async def test_a_value_is_there_once_for_each_kind_and_country(self, bench: Bench) -> None:
        """A short code can be leased in several countries; another account has its own."""
        code = _sender(1, "12345", kind=SenderKind.SHORT_CODE)
        await self._register(bench, code)
        assert SenderTaken() == await self._register(bench, replace(code, sender_id=2))
        for other in (
            replace(code, sender_id=3, country="CA"),
            replace(code, sender_id=4, kind=SenderKind.APPLICATION, country=""),
            replace(code, sender_id=5, account_id=2),
        ):
            assert other == await self._register(bench, other)

    async def test_a_call_may_register_a_sender_twice_and_gets_it_once(self, bench: Bench) -> None:
        """In order."""
        items = [NewSender(_sender(number), 10, 10) for number in (1, 2)]
        assert [_sender(1), SenderTaken()] == await bench.store.write(add_senders, items, [1])

    async def test_an_account_and_a_pool_have_so_many_senders(self, bench: Bench) -> None:
        """Removing one makes room; elsewhere there is room of its own."""
        one, two, three = (_sender(each, f"1000{each}", pool="care") for each in (1, 2, 3))
        assert one == await self._register(bench, one, in_pool=2)
        assert two == await self._register(bench, two, in_pool=2)
        assert SendersFull(2, "care") == await self._register(bench, three, in_pool=2)
        assert SendersFull(2) == await self._register(bench, replace(three, pool=""), allowed=2)
        assert SenderTaken() == await self._register(bench, replace(one, sender_id=9), allowed=2)
        stranger = replace(three, sender_id=8, account_id=2)
        assert stranger == await self._register(bench, stranger, allowed=1, in_pool=1)
        assert [True] == await bench.store.write(remove_senders, [SenderName(1, 1)], [1])
        assert three == await self._register(bench, three, allowed=2, in_pool=2)

    async def test_a_sender_is_removed_by_its_account_alone(self, bench: Bench) -> None:
        """Once; another account's is like one that is not there."""
        await self._register(bench, _sender(1))
        names = [SenderName(2, 1), SenderName(1, 7), SenderName(1, 1), SenderName(1, 1)]
        assert [False, False, True, False] == await bench.store.write(remove_senders, names, [1, 2])
        assert [] == await bench.store.read(read_senders, 1)
        assert set() == await bench.store.read(read_accounts_with_senders)

    async def test_the_last_choice_for_a_recipient_is_kept(self, bench: Bench) -> None:
        """By account and pool; of several in one call the last."""
        choices = [_choice("a", "1"), _choice("b", "1"), _choice("a", "2"), _choice("a", "9", pool="x")]
        assert [None] * 4 == await bench.store.write(keep_choices, choices, [1])
        assert {"a": "2", "b": "1"} == await self._kept(bench, "a", "b", "c")
        assert {"a": "9"} == await self._kept(bench, "a", pool="x")
        assert {} == await self._kept(bench, "a", account_id=2)
        await bench.store.write(keep_choices, [_choice("a", "3")], [1])
        assert {"a": "3"} == await self._kept(bench, "a")

    async def test_choices_that_nobody_used_are_forgotten(self, bench: Bench) -> None:
        """The oldest first, in batches; what is still used is noted once a day."""
        day_us = CHOICE_USED_STEP_US
        await bench.store.write(keep_choices, [_choice(each, "1") for each in "abc"], [1])
        again = [
            _choice("a", "1", used_at_us=NOW_US + day_us - 1),
            _choice("b", "1", used_at_us=NOW_US + day_us),
        ]
        await bench.store.write(keep_choices, again, [1])
        assert [0] == await bench.store.write(forget_choices, [ForgetChoices(NOW_US, 10)])
        assert [1] == await bench.store.write(forget_choices, [ForgetChoices(NOW_US + 1, 1)])
        assert [1] == await bench.store.write(forget_choices, [ForgetChoices(NOW_US + day_us, 10)])
        assert {"b": "1"} == await self._kept(bench, "a", "b", "c")

    async def test_each_message_of_a_pool_has_its_own_sender(self, bench: Bench) -> None:
        """In messages, events, lists and what the provider gets; and it is remembered with them."""
        book = SenderBook([_sender(1, pool="care"), _sender(2, "+12025550124", pool="care")])
        asked = submission(recipients=phones(8), sender_pool="care")
        planned = plan(
            asked,
            bench.ids.take(9),
            Grounds(bench.now_us, 10, everywhere, find_carriers=book.find),
        )
        assert isinstance(planned, Plan)
        chosen = {each.message_id: each.sender or "" for each in planned.messages}
        assert {"+12025550123", "+12025550124"} == set(chosen.values())
        await bench.store.write(accept, [Acceptance(planned, REMEMBER_US)], [1])
        assert chosen == {number: (await bench.message(number)).sender for number in chosen}
        assert chosen == {each.message_id: each.sender for each in await bench.events()}
        claimed = await bench.claim()
        assert chosen == {each.message_id: each.message.sender for each in claimed.attempts}
        for attempt in claimed.attempts:
            assert await bench.settle(attempt, Accepted((f"id-{attempt.message_id}",)))
        people = {each.result.recipient: each.sender for each in planned.messages}
        written = await bench.store.read(read_correspondence, set(people))
        assert people == {person: each.address for person, (each,) in written.items()}
        keys = [recipient_key(1, "care", each.result.recipient) for each in planned.messages]
        kept = await self._kept(bench, *keys)
        assert list(chosen.values()) == [kept[key] for key in keys]
        await bench.index()
        for value in sorted(set(chosen.values())):
            (found,) = await bench.pages(senders=frozenset({value}))
            assert sorted(each for each in chosen if chosen[each] == value) == sorted(found)

    async def test_who_opted_out_of_a_pools_sender_is_refused_and_others_are_not(self, bench: Bench) -> None:
        """What counts is the sender that was chosen."""
        book = SenderBook([_sender(1, pool="care"), _sender(2, "+12025550124", pool="care")])
        asked = submission(recipients=phones(8), sender_pool="care")
        decided = plan(asked, bench.ids.take(9), Grounds(NOW_US, 10, everywhere, find_carriers=book.find))
        assert isinstance(decided, Plan)
        stops = [
            ConsentChange(1, "+12025550123", each.result.recipient, Act.OPT_OUT, ConsentSource.CALL, NOW_US)
            for each in decided.messages
        ]
        await bench.store.write(record_consent, stops, [1])
        (stored,) = await bench.store.write(accept, [Acceptance(decided, REMEMBER_US)], [1])
        assert isinstance(stored, Stored)
        assert {("+12025550123", Reason.OPTED_OUT), ("+12025550124", None)} == {
            (each.sender, each.reason) for each in stored.results
        }
