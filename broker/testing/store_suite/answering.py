# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of what follows from a message that came in: words of consent, keywords, and what is left to do."""

from typing import Any

import pytest

from broker.domain.consent import Act, Consent, ConsentChange, ConsentSource, Scope
from broker.domain.errand import Errand
from broker.domain.inbound import AssignedBy, InboundKind
from broker.domain.vocabulary import EventKind, Reason
from broker.storage.consenting import Asked, read_standings, read_testimony, record_consent
from broker.storage.errands import (
    HOUR_US,
    ForgetReplies,
    Postponement,
    ReplyWish,
    allow_replies,
    finish_errands,
    forget_replies,
    postpone_errands,
    read_own_addresses,
)
from broker.storage.following import read_log_page
from broker.storage.groups import GroupRemoval, members_among, remove_groups
from broker.testing.builders import NOW_US, SECOND_US
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.callback_bench import URL, Caller, to
from broker.testing.store_suite.inbound_bench import HOUR_S, OURS, PERSON, Phone, WithPhone, person, told
from broker.testing.store_suite.keywords import group, register


async def state(bench: Bench, account_id: int = 1, sender: str = OURS) -> Consent:
    """What the person wants of a sender."""
    (wish,) = await bench.store.read(read_standings, [Asked(account_id, sender, PERSON)])
    return wish.state


class ConsentOfInboundCases(WithPhone):
    """STOP means stop, whoever heard it."""

    @pytest.mark.parametrize(
        ("text", "after"),
        [("STOP", Consent.OPTED_OUT), (" stop. ", Consent.OPTED_OUT), ("START", Consent.OPTED_IN)],
    )
    async def test_a_word_of_consent_is_a_wish(
        self, bench: Bench, phone: Phone, text: str, after: Consent
    ) -> None:
        """In the transaction that stores the message, which is the evidence; both are told, in this order."""
        await bench.sent("x", sender=OURS, **person())
        kept = await phone.say(text)
        assert after == await state(bench)
        (said,) = await bench.store.read(read_testimony, 1, PERSON, 10)
        assert (text.strip(), ConsentSource.INBOUND, kept.message_id, "acme") == (
            said.keyword,
            said.source,
            said.message_id,
            said.told_by,
        )
        inbound, opt_in = (await bench.events())[-2:]
        assert (EventKind.INBOUND, InboundKind.OPT_IN) == (inbound.kind, told(inbound)["kind"])
        assert (EventKind.OPT_IN, kept.message_id) == (opt_in.kind, opt_in.message_id)

    @pytest.mark.parametrize("text", ["STOP 12345", "please stop by", "Stopping"])
    async def test_what_only_looks_like_one_is_a_message(self, bench: Bench, phone: Phone, text: str) -> None:
        """For a person to read."""
        await bench.sent("x", sender=OURS, **person())
        await phone.say(text)
        assert Consent.UNSET == await state(bench)
        assert InboundKind.REPLY == told((await bench.events())[-1])["kind"]

    async def test_who_said_stop_gets_nothing_but_the_answer_to_it(self, bench: Bench, phone: Phone) -> None:
        """At acceptance, and when an attempt is made."""
        await bench.sent("x", sender=OURS, **person())
        await phone.say("STOP")
        (refused,) = await bench.send(sender=OURS, **person())
        assert Reason.OPTED_OUT is (await bench.message(refused)).reason
        (confirmation,) = await bench.send(sender=OURS, answers_consent=True, **person())
        assert [confirmation] == [each.message_id for each in (await bench.claim()).attempts]

    async def test_each_change_is_answered_once(self, bench: Bench, phone: Phone) -> None:
        """HELP always; STOP and START when they changed something."""
        await bench.sent("x", sender=OURS, **person())
        for text in ("STOP", "STOP", "HELP", "START", "START"):
            bench.wait(1)
            await phone.say(text)
        said = [each.errand.act for each in await phone.due()]
        assert [Act.OPT_OUT, Act.HELP, Act.OPT_IN] == said

    async def test_a_global_opt_out_is_lifted_from_that_phone_alone(self, bench: Bench, phone: Phone) -> None:
        """By HELP, or by a keyword."""
        change = ConsentChange(
            1, OURS, PERSON, Act.OPT_OUT, ConsentSource.PROVIDER_ANSWER, NOW_US, scope=Scope.GLOBAL
        )
        for text in ("HELP", "join"):
            await bench.store.write(record_consent, [change], [1])
            assert Consent.OPTED_OUT_GLOBALLY == await state(bench)
            await phone.rent(account_id=1)
            await phone.say(text)
            assert Consent.OPTED_OUT_GLOBALLY != await state(bench)


class MatchingCases(WithPhone):
    """Which message is a keyword's."""

    @pytest.mark.parametrize(
        ("registered", "expected"),
        [((2,), (2, AssignedBy.SENDER)), ((2, 3), (1, AssignedBy.DEFAULT)), ((), (1, AssignedBy.DEFAULT))],
        ids=["one account", "two", "nobody"],
    )
    async def test_what_nobody_wrote_for_is_for_who_registered_the_address(
        self, bench: Bench, phone: Phone, registered: tuple[int, ...], expected: Any
    ) -> None:
        """Where that is one account alone: of several nobody can tell which was meant."""
        for account_id in registered:
            await register(bench, account_id)
        kept = await phone.say("Is anybody there?")
        found = told((await bench.events(kept.account_id))[-1])
        assert expected == (kept.account_id, found["assigned_by"])

    async def test_who_wrote_comes_before_who_registered(self, bench: Bench, phone: Phone) -> None:
        """They are who is answered; the instance's account comes behind both."""
        await register(bench, account_id=2)
        assert 2 == (await phone.say("Hello?", account_id=3)).account_id
        await bench.sent("x", sender=OURS, account_id=1, **person())
        assert 1 == (await phone.say("Thanks", account_id=3)).account_id

    async def test_a_bare_keyword_is_its_renters(self, bench: Bench, phone: Phone) -> None:
        """Also when another account wrote to that person just now. Who texts it wants to be written to."""
        await bench.sent("x", sender=OURS, account_id=1, **person())
        await phone.rent()
        kept = await phone.say("Join!")
        assert 2 == kept.account_id
        event = (await bench.events(2))[0]
        found = told(event)
        assert (InboundKind.KEYWORD, AssignedBy.KEYWORD, "JOIN") == (
            found["kind"],
            found["assigned_by"],
            found["keyword"],
        )
        assert Consent.OPTED_IN == await state(bench, 2)

    @pytest.mark.parametrize(
        ("text", "wrote", "expected"),
        [
            ("JOIN please", None, (2, InboundKind.REPLY, AssignedBy.KEYWORD)),
            ("JOIN please", 2, (2, InboundKind.REPLY, AssignedBy.LAST_MESSAGE)),
            ("JOIN please", 1, (1, InboundKind.REPLY, AssignedBy.LAST_MESSAGE)),
            ("please JOIN", None, (1, InboundKind.OTHER, AssignedBy.DEFAULT)),
            ("JOINED", None, (1, InboundKind.OTHER, AssignedBy.DEFAULT)),
        ],
        ids=["nobody wrote", "the renter wrote", "another wrote", "not the first word", "another word"],
    )
    async def test_a_keyword_with_text_is_a_reply(
        self, bench: Bench, phone: Phone, text: str, wrote: int | None, expected: Any
    ) -> None:
        """To its renter, unless somebody else wrote within the window."""
        await phone.rent()
        if wrote is not None:
            await bench.sent("x", sender=OURS, account_id=wrote, **person())
        kept = await phone.say(text)
        found = told((await bench.events(kept.account_id))[-1])
        assert expected == (kept.account_id, found["kind"], found["assigned_by"])
        assert not [each for each in await phone.due() if each.errand.autoreply]

    async def test_our_own_autoreply_opens_the_window(self, bench: Bench, phone: Phone) -> None:
        """What is written within 12 hours after it is a reply."""
        await phone.rent()
        await phone.say("JOIN")
        await bench.sent("x", sender=OURS, account_id=2, **person())
        bench.wait(12 * HOUR_S)
        kept = await phone.say("What is it?")
        found = told((await bench.events(2))[-1])
        assert (2, InboundKind.REPLY) == (kept.account_id, found["kind"])

    async def test_who_texts_a_keyword_joins_its_group(self, bench: Bench, phone: Phone) -> None:
        """As a new contact, or the one that they are; the event and the message tell it."""
        await phone.rent()
        group_id = await group(bench)
        await phone.configure(group_id=group_id)
        kept = [await phone.say("JOIN") for _ in range(2)]
        contacts = {(await bench.message(each.message_id, 2)).contact_id for each in kept}
        assert 1 == len(contacts)
        assert contacts == await bench.store.read(members_among, group_id, {each or 0 for each in contacts})
        assert [True, True] == [each.joined for each in kept]
        events = [each for each in await bench.events(2) if each.kind is EventKind.INBOUND]
        assert [group_id, group_id] == [told(each)["group_id"] for each in events]

    async def test_nobody_joins_a_group_that_is_gone(self, bench: Bench, phone: Phone) -> None:
        """The message is kept all the same."""
        await phone.rent()
        group_id = await group(bench)
        await phone.configure(group_id=group_id)
        await bench.store.write(remove_groups, [GroupRemoval(2, group_id, None)], [2])
        assert (await phone.say("JOIN")).joined is None

    @pytest.mark.parametrize(("unique", "hooks"), [(True, 0), (False, 1)])
    async def test_send_unique_calls_the_keywords_url_alone(
        self, bench: Bench, phone: Phone, unique: bool, hooks: int
    ) -> None:
        """Without it webhooks are called as well."""
        caller = Caller(bench)
        await caller.hook(account_id=2)
        await phone.rent()
        await phone.configure(callback_url=URL, send_unique=unique)
        await phone.say("JOIN")
        page = await caller.page(2)
        (event,) = (await bench.store.read(read_log_page, 2, 0, 1)).events
        assert (URL, unique) == (event.url, event.exclusive)
        assert 1 + hooks == len([each for each in page.callbacks if each.sequence == event.sequence])

    async def test_a_bare_keyword_is_no_answer_to_a_message(self, bench: Bench, phone: Phone) -> None:
        """That message's callback does not get it."""
        await phone.rent()
        await bench.sent("x", sender=OURS, account_id=2, callback=to(URL), **person())
        kept = await phone.say("JOIN")
        assert (await bench.message(kept.message_id, 2)).labels.reply_to_message_id is None
        events = (await bench.store.read(read_log_page, 2, 0, 100)).events
        assert "" == next(each.url for each in events if each.kind is EventKind.INBOUND)


class ErrandCases(WithPhone):
    """What is left to do is stored with the message."""

    async def test_what_is_left_to_do_is_whole(self, phone: Phone) -> None:
        """An autoreply, and where to forward."""
        await phone.rent()
        await phone.configure(autoreply="Welcome", forward_to="ada@example.org")
        kept = await phone.say("JOIN")
        (due,) = await phone.due()
        errand = due.errand
        assert isinstance(errand, Errand)
        assert (kept.message_id, 2, PERSON, OURS, OURS, "JOIN", "JOIN", "Welcome", "ada@example.org") == (
            errand.message_id,
            errand.account_id,
            errand.person,
            errand.address,
            errand.sender,
            errand.text,
            errand.keyword,
            errand.autoreply,
            errand.forward_to,
        )

    async def test_nothing_is_left_where_nothing_was_asked(self, phone: Phone) -> None:
        """An ordinary message; unless a plugin may answer it."""
        await phone.say("Hello")
        assert [] == await phone.due()
        await phone.say("Hello", asks_hook=True)
        assert 1 == len(await phone.due())

    async def test_an_answer_leaves_as_the_message_did(self, bench: Bench, phone: Phone) -> None:
        """Where that named no sender, the answer names none."""
        await bench.sent("x", **person())
        await phone.say("HELP", recipient="12345", time_us=0)
        (due,) = await phone.due()
        assert ("", "12345", 0) == (due.errand.sender, due.errand.address, due.errand.received_at_us)

    async def test_errands_are_finished_or_put_off(self, bench: Bench, phone: Phone) -> None:
        """Until then they are due."""
        first, second = [(await phone.say("Hello", asks_hook=True)).message_id for _ in range(2)]
        await bench.store.write(finish_errands, [first])
        await bench.store.write(postpone_errands, [Postponement(second, bench.now_us + SECOND_US, 1)])
        assert [] == await phone.due()
        bench.wait(1)
        assert [(second, 1)] == [(each.errand.message_id, each.attempts) for each in await phone.due()]

    async def test_between_two_addresses_there_are_so_many_answers_an_hour(self, bench: Bench) -> None:
        """One that was counted before has its room; another pair has room of its own; an hour later there is room."""

        async def allowed(*message_ids: int, person: str = PERSON) -> list[bool]:
            items = [ReplyWish(OURS, person, each, bench.now_us, 2) for each in message_ids]
            return await bench.store.write(allow_replies, items)

        assert [True, True, False] == await allowed(1, 2, 3)
        assert [True, False] == await allowed(2, 3)
        assert [True] == await allowed(3, person="+447700900999")
        bench.wait(HOUR_S)
        assert [True] == await allowed(3)
        assert [3] == await bench.store.write(forget_replies, [ForgetReplies(bench.now_us - HOUR_US + 1, 10)])

    async def test_our_own_addresses_are_known(self, bench: Bench, phone: Phone) -> None:
        """Where keywords are texted to, and what somebody has registered."""
        await phone.rent()
        await register(bench, 1, "+447700900002")
        asked = {OURS, PERSON, "+447700900002"}
        assert asked - {PERSON} == await bench.store.read(read_own_addresses, asked)


class AnsweringCases(ConsentOfInboundCases, MatchingCases, ErrandCases):
    """All of them."""
