# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of consent: what is put on record, what it adds up to, and that nothing is sent against it."""

from typing import Any

import pytest

from broker.domain.consent import (
    Act,
    Consent,
    ConsentChange,
    ConsentSource,
    Scope,
    Wish,
    fold,
)
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import NotAccepted, Unknown
from broker.domain.vocabulary import EventKind, Guarantee, Reason
from broker.storage.consenting import (
    Asked,
    ConsentQuery,
    Standing,
    read_consents,
    read_record,
    read_standings,
    read_states,
    read_testimony,
    record_consent,
)
from broker.testing.builders import NOW_US, SECOND_US, phones, submission
from broker.testing.store_suite.bench import Bench, message_ids
from broker.testing.store_suite.opening import OpenedStore

PHONE = "+447700900000"
OTHER_PHONE = "+447700900001"
LATER_US = NOW_US + SECOND_US


def said(act: Act = Act.OPT_OUT, **changes: Any) -> ConsentChange:
    """A wish of the first recipient about the sender Shop, told to account 1 by an OptIn call."""
    fields: dict[str, Any] = {
        "account_id": 1,
        "sender": "Shop",
        "recipient": PHONE,
        "act": act,
        "source": ConsentSource.CALL,
        "at_us": NOW_US,
    }
    return ConsentChange(**(fields | changes))


async def record(bench: Bench, *changes: ConsentChange) -> list[Standing]:
    """Put changes on record in one call."""
    return await bench.store.write(record_consent, list(changes), {each.account_id for each in changes})


async def wish(bench: Bench, sender: str = "Shop", account_id: int = 1, recipient: str = PHONE) -> Consent:
    """What is in force."""
    (found,) = await bench.store.read(read_standings, [Asked(account_id, sender, recipient)])
    return found.state


class RecordingCases(OpenedStore):
    """What is put on record, and what follows."""

    async def test_a_change_answers_what_is_in_force(self, bench: Bench) -> None:
        """With what was before it; a repetition keeps the time since when it is so."""
        expected = Wish(Consent.OPTED_OUT, NOW_US, "Shop", "Acme")
        (first,) = await record(bench, said(organisation_name="Acme"))
        (again,) = await record(bench, said(at_us=LATER_US))
        assert [
            Standing("Shop", PHONE, expected, Consent.UNSET),
            Standing("Shop", PHONE, expected, Consent.OPTED_OUT),
        ] == [first, again]

    async def test_changes_of_one_call_follow_each_other(self, bench: Bench) -> None:
        """The last word counts."""
        found = await record(bench, said(), said(Act.OPT_IN), said(recipient=OTHER_PHONE))
        assert [Consent.OPTED_OUT, Consent.OPTED_IN, Consent.OPTED_OUT] == [each.wish.state for each in found]
        assert Consent.OPTED_IN is await wish(bench)

    async def test_everything_that_was_said_is_kept(self, bench: Bench) -> None:
        """Who, how, when, with which evidence: the newest first."""
        first = said(
            keyword="STOP",
            evidence="letter of 3 May \u2603",
            told_by="key 7",
            message_id=12,
            provider_code="21",
            organisation_name="Acme",
            recipient_name="Ada",
        )
        second = said(Act.HELP, at_us=LATER_US, source=ConsentSource.INBOUND)
        await record(bench, first)
        await record(bench, second, said(recipient=OTHER_PHONE), said(account_id=2))
        assert [second, first] == await bench.store.read(read_testimony, 1, PHONE, 10)
        assert [second] == await bench.store.read(read_testimony, 1, PHONE, 1)

    async def test_what_moves_is_told_by_an_event(self, bench: Bench) -> None:
        """To the account that it was told to; what changes nothing is on record and no event."""
        (message_id,) = await bench.send()
        await record(bench, said(message_id=message_id), said(), said(Act.OPT_IN), said(Act.HELP))
        told = [each for each in await bench.events() if each.kind is EventKind.OPT_IN]
        assert [(message_id, 4, 2), (0, 2, 1)] == [
            (each.message_id, each.told["before"], each.told["state"]) for each in told if each.told
        ]
        assert 4 == len(await bench.store.read(read_testimony, 1, PHONE, 10))

    async def test_a_change_to_every_sender_is_told_where_it_changes_one(self, bench: Bench) -> None:
        """Though what is said of every sender was so before."""
        await record(bench, said(sender=""), said(Act.OPT_IN), said(sender=""), said(sender=""))
        told = [each.told for each in await bench.events()]
        assert [("", 4, 2), ("Shop", 2, 1), ("", 2, 2)] == [
            (each["sender"], each["before"], each["state"]) for each in told if each
        ]

    async def test_a_sender_is_known_in_any_writing(self, bench: Bench) -> None:
        """Case and the separators of a number count for nothing."""
        await record(bench, said(), said(sender="+44 7700 900 999", recipient=OTHER_PHONE))
        assert Consent.OPTED_OUT is await wish(bench, "SHOP")
        assert Consent.OPTED_OUT is await wish(bench, "+447700900999", recipient=OTHER_PHONE)
        assert Consent.UNSET is await wish(bench, "Shops")

    async def test_every_sender_of_the_account_is_every_sender(self, bench: Bench) -> None:
        """And what is said to one of them later holds for that one."""
        await record(bench, said(Act.OPT_IN), said(sender=""))
        assert [Consent.OPTED_OUT] * 2 == [await wish(bench, each) for each in ("Shop", "Bank")]
        await record(bench, said(Act.OPT_IN))
        assert [Consent.OPTED_IN, Consent.OPTED_OUT] == [await wish(bench, each) for each in ("Shop", "Bank")]
        assert Consent.UNSET is await wish(bench, account_id=2)

    async def test_a_global_wish_is_one_of_every_account(self, bench: Bench) -> None:
        """About this sender, until the recipient lifts it."""
        await record(bench, said(Act.OPT_IN, account_id=2), said(scope=Scope.GLOBAL))
        for account_id in (1, 2, 3):
            assert Consent.OPTED_OUT_GLOBALLY is await wish(bench, account_id=account_id)
        assert Consent.UNSET is await wish(bench, "Bank", account_id=2)
        await record(bench, said(Act.OPT_IN), said(Act.OPT_IN, sender=""), said(Act.HELP, account_id=2))
        assert Consent.OPTED_OUT_GLOBALLY is await wish(bench)
        await record(bench, said(Act.HELP, source=ConsentSource.INBOUND, account_id=3))
        assert [Consent.OPTED_IN, Consent.OPTED_IN, Consent.UNSET] == [
            await wish(bench, account_id=account_id) for account_id in (1, 2, 3)
        ]

    async def test_the_states_are_what_the_record_adds_up_to(self, bench: Bench) -> None:
        """So they can be made again from it at any time."""
        told: list[dict[str, Any]] = [
            {},
            {"scope": Scope.GLOBAL, "organisation_name": "Acme"},
            {"act": Act.OPT_IN, "sender": "", "recipient_name": "Ada"},
            {"act": Act.HELP, "source": ConsentSource.INBOUND, "account_id": 2},
            {"recipient": OTHER_PHONE, "sender": "+44 7700 900 999"},
            {"act": Act.OPT_IN, "recipient": OTHER_PHONE, "source": ConsentSource.RECEIPT},
        ]
        changes = [said(at_us=NOW_US + number, **each) for number, each in enumerate(told)]
        await record(bench, *changes[:3])
        await record(bench, *changes[3:])
        expected = fold(changes)
        assert expected == await bench.store.read(read_states)
        assert changes == await bench.store.read(read_record)

    async def test_lists_are_in_the_order_of_recipient_and_sender(self, bench: Bench) -> None:
        """Page by page, those of an account, by sender and by the state in force."""
        for recipient in (OTHER_PHONE, PHONE):
            await record(
                bench, said(recipient=recipient), said(Act.OPT_IN, recipient=recipient, sender="Bank")
            )
        await record(bench, said(account_id=2), said(sender="Bank", scope=Scope.GLOBAL))

        async def listed(**wanted: Any) -> list[list[tuple[str, str, Consent]]]:
            pages, place = [], ("", "")
            while True:
                query = ConsentQuery(1, place, **({"rows_max": 10} | wanted))
                page = await bench.store.read(read_consents, query)
                pages.append([(each.recipient, each.sender, each.wish.state) for each in page.standings])
                if page.next_place is None:
                    return pages
                place = page.next_place

        bank = (PHONE, "Bank", Consent.OPTED_OUT_GLOBALLY)
        shop = (PHONE, "Shop", Consent.OPTED_OUT)
        bank_2 = (OTHER_PHONE, "Bank", Consent.OPTED_IN)
        shop_2 = (OTHER_PHONE, "Shop", Consent.OPTED_OUT)
        assert [[bank, shop, bank_2, shop_2]] == await listed()
        assert [[bank, shop, bank_2], [shop_2]] == await listed(rows_max=3)
        assert [[bank, shop], [bank_2, shop_2]] == await listed(rows_max=2)
        assert [[bank, bank_2]] == await listed(sender="BANK")
        assert [[bank, shop]] == await listed(recipient=PHONE)
        assert [[shop]] == await listed(recipient=PHONE, sender="shop")
        assert [[shop, shop_2]] == await listed(states=frozenset({Consent.OPTED_OUT}))
        assert [[bank], [bank_2], []] == await listed(sender="Bank", scanned_max=2)


class EnforcingCases(OpenedStore):
    """Nothing is sent against a recipient's wish."""

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (said(), Reason.OPTED_OUT),
            (said(sender="SHOP"), Reason.OPTED_OUT),
            (said(sender=""), Reason.OPTED_OUT),
            (said(account_id=2, scope=Scope.GLOBAL), Reason.OPTED_OUT_GLOBALLY),
            (said(sender="Bank"), None),
            (said(account_id=2), None),
            (said(recipient=OTHER_PHONE), None),
            (said(Act.HELP), None),
        ],
        ids=[
            "sender",
            "case",
            "every sender",
            "global",
            "other sender",
            "other account",
            "other phone",
            "help",
        ],
    )
    async def test_who_said_stop_is_refused_at_intake(
        self, bench: Bench, change: ConsentChange, reason: Reason | None
    ) -> None:
        """That recipient alone, with a row and an event."""
        await record(bench, change)
        (answer,) = await bench.accept(submission(sender="Shop", recipients=phones(3)))
        first = message_ids(answer)[0]
        assert [reason, Reason.OPTED_OUT if change.recipient == OTHER_PHONE else None, None] == [
            each.reason
            for each in answer.results  # type: ignore[union-attr]
        ]
        if reason is not None:
            assert [Fact.REFUSED] == await bench.facts(first)
            assert (State.REJECTED, reason) == ((m := await bench.message(first)).state, m.reason)

    async def test_a_message_without_a_sender_may_leave_from_any(self, bench: Bench) -> None:
        """So whatever the recipient said to any of them holds."""
        await record(bench, said(), said(Act.OPT_IN, recipient=OTHER_PHONE))
        (answer,) = await bench.accept(submission(recipients=phones(2)))
        assert [Reason.OPTED_OUT, None] == [each.reason for each in answer.results]  # type: ignore[union-attr]
        (answer,) = await bench.accept(submission(account_id=2, recipients=phones(2)))
        assert [None, None] == [each.reason for each in answer.results]  # type: ignore[union-attr]

    async def test_consent_comes_before_routing(self, bench: Bench) -> None:
        """A recipient who said STOP is refused for that, though no route leads there."""
        await record(bench, said())
        (answer,) = await bench.accept(submission(sender="Shop", recipients=phones(2)), candidates=())
        assert [Reason.OPTED_OUT, Reason.NO_ROUTE] == [
            each.reason
            for each in answer.results  # type: ignore[union-attr]
        ]

    async def test_who_says_start_is_written_to_again(self, bench: Bench) -> None:
        """What was refused meanwhile stays refused."""
        await record(bench, said())
        refused = (await bench.send(sender="Shop"))[0]
        await record(bench, said(Act.OPT_IN))
        (message_id,) = await bench.send(sender="Shop")
        assert [message_id] == [each.message_id for each in (await bench.claim()).attempts]
        assert State.REJECTED is await bench.state(refused)

    @pytest.mark.parametrize(
        "changes", [{}, {"account_id": 2, "scope": Scope.GLOBAL}], ids=["account", "global"]
    )
    async def test_no_attempt_is_recorded_after_the_stop(self, bench: Bench, changes: dict[str, Any]) -> None:
        """What was accepted or scheduled before it ends REJECTED when it is due."""
        (waiting,) = await bench.send(sender="Shop")
        (scheduled,) = await bench.send(sender="Shop", schedule_at_us=NOW_US + 60 * SECOND_US)
        (stop,) = await record(bench, said(**changes))
        assert () == (await bench.claim()).attempts
        bench.wait(60)
        assert () == (await bench.claim()).attempts
        reason = Reason.OPTED_OUT_GLOBALLY if changes else Reason.OPTED_OUT
        for message_id, began in ((waiting, Fact.ACCEPTED), (scheduled, Fact.SCHEDULED)):
            message = await bench.message(message_id)
            assert (State.REJECTED, reason, 0) == (message.state, message.reason, message.attempts)
            assert [began, Fact.REFUSED] == await bench.facts(message_id)
            assert await bench.due(message_id) is None
        assert stop.wish.since_us == NOW_US

    async def test_a_retry_is_no_way_around_a_stop(self, bench: Bench) -> None:
        """A provider that surely did not take it is not asked again."""
        attempt = await bench.open(sender="Shop")
        await record(bench, said())
        assert await bench.settle(attempt, NotAccepted())
        bench.wait(3600)
        assert () == (await bench.claim()).attempts
        message = await bench.message(attempt.message_id)
        assert (State.REJECTED, Reason.OPTED_OUT, 1) == (message.state, message.reason, message.attempts)

    async def test_what_may_have_been_sent_is_not_said_to_be_refused(self, bench: Bench) -> None:
        """After a doubtful attempt nobody can tell; it is not sent again either."""
        attempt = await bench.open(sender="Shop", guarantee=Guarantee.AT_LEAST_ONCE)
        assert await bench.settle(attempt, Unknown())
        await record(bench, said())
        for _ in range(4):
            bench.wait(3600)
            await bench.overdue(can_ask=lambda _: False)
            assert () == (await bench.claim()).attempts
        assert State.UNKNOWN is await bench.state(attempt.message_id)

    async def test_a_stop_to_another_leaves_the_rest_of_a_claim(self, bench: Bench) -> None:
        """Only that recipient's message ends."""
        sent = await bench.send(sender="Shop", recipients=phones(3))
        await record(bench, said(recipient=OTHER_PHONE))
        assert [sent[0], sent[2]] == [each.message_id for each in (await bench.claim()).attempts]


class ConsentCases(RecordingCases, EnforcingCases):
    """What is recorded, and what is refused for it."""
