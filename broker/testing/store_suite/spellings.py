# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of receipts that spell ids otherwise than the submit answer did: found, told apart, or parked."""

import pytest

from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import Accepted, Unknown
from broker.domain.spelling import IdSpelling
from broker.domain.submission import Recipient
from broker.storage.keeping import Forget, forget_receipts
from broker.storage.matching import MATCHED, Parked
from broker.storage.parking import read_parked_count, shed_parked_receipts
from broker.testing.builders import DAY_US
from broker.testing.store_suite.bench import Bench, receipt
from broker.testing.store_suite.opening import OpenedStore

CASELESS, NUMERIC = IdSpelling.CASELESS, IdSpelling.NUMERIC
ONE, OTHER = "+447700900001", "+447700900002"


def to(number: str) -> tuple[Recipient, ...]:
    """The one recipient of a message."""
    return (Recipient(phone_number=number),)


class SpellingCases(OpenedStore):
    """A receipt about one message, under another spelling of its id."""

    @pytest.mark.parametrize(
        ("spelling", "answered", "reported"),
        [
            (CASELESS, "aB-7", "Ab-7"),
            (NUMERIC, "0A1B", "2587"),
            (NUMERIC, "0A1B", "0000002587"),
            (NUMERIC, "2587", "a1b"),
            (NUMERIC, "0002587", "00000A1B"),
            (NUMERIC, "0A1B", "a1b"),
            (NUMERIC, "0025", "25"),
            (NUMERIC, "no-Number", "NO-nUMBER"),
        ],
    )
    @pytest.mark.parametrize("early", [False, True], ids=["after", "before"])
    async def test_another_spelling_is_the_same_id(
        self, bench: Bench, spelling: IdSpelling, answered: str, reported: str, early: bool
    ) -> None:
        """Whether the receipt comes after the submit answer or before it."""
        attempt = await bench.open()
        if early:
            assert [False] == await bench.report(receipt(reported), spelling=spelling)
        await bench.settle(attempt, Accepted((answered,)), spelling=spelling)
        if not early:
            assert [True] == await bench.report(receipt(reported), spelling=spelling)
        assert State.DELIVERED == await bench.state(attempt.message_id)
        assert 0 == await bench.store.read(read_parked_count)

    @pytest.mark.parametrize("spelling", [IdSpelling.EXACT, CASELESS])
    async def test_a_provider_spells_no_freer_than_it_declared(
        self, bench: Bench, spelling: IdSpelling
    ) -> None:
        """A number in another base is another id."""
        message_id = await bench.sent("0A1B", spelling=spelling)
        assert [False] == await bench.report(receipt("2587"), spelling=spelling)
        assert State.SENT == await bench.state(message_id)

    async def test_the_exact_id_comes_first(self, bench: Bench) -> None:
        """Then the same base, then the other one; nothing says more, as no receipt names a recipient."""
        exact, padded, converted = [
            await bench.sent(each, spelling=NUMERIC) for each in ("1000", "01000", "3E8")
        ]
        for message_id, reported in ((exact, "1000"), (padded, "01000"), (converted, "3e8")):
            assert [True] == await bench.report(receipt(reported), spelling=NUMERIC)
            assert State.DELIVERED == await bench.state(message_id)

    async def test_the_recipient_tells_apart_what_is_spelled_alike(self, bench: Bench) -> None:
        """One message has the id "5000" as it stands, and another has it in decimal."""
        alike = await bench.sent("5000", spelling=NUMERIC, recipients=to(ONE))
        meant = await bench.sent("1388", spelling=NUMERIC, recipients=to(OTHER))
        report = receipt("5000", recipient=OTHER.removeprefix("+44"))
        assert [True] == await bench.report(report, spelling=NUMERIC)
        assert [State.SENT, State.DELIVERED] == [await bench.state(alike), await bench.state(meant)]

    async def test_a_number_spelled_like_anothers_waits_for_its_own(self, bench: Bench) -> None:
        """Its message's id comes with the submit answer; the other message was to somebody else."""
        alike = await bench.sent("5000", spelling=NUMERIC, recipients=to(ONE))
        attempt = await bench.open(recipients=to(OTHER))
        assert [False] == await bench.report(receipt("5000", recipient=OTHER), spelling=NUMERIC)
        await bench.settle(attempt, Accepted(("1388",)), spelling=NUMERIC)
        states = [await bench.state(alike), await bench.state(attempt.message_id)]
        assert [State.SENT, State.DELIVERED] == states

    async def test_what_nobody_can_tell_is_parked(self, bench: Bench) -> None:
        """Two messages fit alike: neither is touched, and that is told."""
        sent = [await bench.sent(each, spelling=NUMERIC) for each in ("00a1b", "0a1b")]
        assert [Parked(ambiguous=True, waiting=1)] == await bench.record(receipt("2587"), spelling=NUMERIC)
        assert [Parked(ambiguous=False, waiting=2)] == await bench.record(receipt("1"), spelling=NUMERIC)
        assert [State.SENT] * 2 == [await bench.state(each) for each in sent]

    async def test_a_doubt_may_be_cleared_up_by_a_later_answer(self, bench: Bench) -> None:
        """The id that fits best came last."""
        for each in ("00a1b", "0a1b"):
            await bench.sent(each, spelling=NUMERIC)
        attempt = await bench.open()
        await bench.record(receipt("2587"), spelling=NUMERIC)
        await bench.settle(attempt, Accepted(("2587",)), spelling=NUMERIC)
        assert State.DELIVERED == await bench.state(attempt.message_id)
        assert 0 == await bench.store.read(read_parked_count)

    async def test_parts_are_told_apart_in_every_spelling(self, bench: Bench) -> None:
        """Each of them once, in any order, one of them early."""
        attempt = await bench.open()
        assert [False] == await bench.report(receipt("00012"), spelling=NUMERIC)
        await bench.settle(attempt, Accepted(("0A", "0B", "0C")), spelling=NUMERIC)
        for reported in ("B", "0b", "11"):
            await bench.report(receipt(reported), spelling=NUMERIC)
            assert State.SENT == await bench.state(attempt.message_id)
        await bench.report(receipt("10"), spelling=NUMERIC)
        assert State.DELIVERED == await bench.state(attempt.message_id)

    async def test_an_id_that_came_as_an_answer_to_a_question_is_spelled_freely_too(
        self, bench: Bench
    ) -> None:
        """As one that came with the submit answer; a receipt was parked before it, another comes after."""
        attempt = await bench.open()
        await bench.settle(attempt, Unknown(), questions=True)
        assert [False] == await bench.report(receipt("11"), spelling=NUMERIC)
        bench.wait(1)
        (question,) = (await bench.overdue()).questions
        await bench.answer(question, Accepted(("0A", "0B")), spelling=NUMERIC)
        assert State.SENT == await bench.state(attempt.message_id)
        assert [True] == await bench.report(receipt("10"), spelling=NUMERIC)
        assert State.DELIVERED == await bench.state(attempt.message_id)

    async def test_a_batch_may_hold_receipts_of_every_kind(self, bench: Bench) -> None:
        """About messages of providers that spell differently."""
        loose = await bench.sent("0A1B", spelling=NUMERIC)
        found = await bench.record(receipt("2587"), receipt("a1B", "READ"), receipt("7"), spelling=NUMERIC)
        assert [MATCHED, MATCHED, Parked(ambiguous=False, waiting=1)] == found
        assert [Fact.DELIVERED, Fact.READ] == (await bench.facts(loose))[-2:]

    async def test_ids_that_are_registered_twice_are_one(self, bench: Bench) -> None:
        """A provider that counts anew means its newest message."""
        old, new = [await bench.sent("0A1B", spelling=NUMERIC) for _ in range(2)]
        await bench.report(receipt("2587"), spelling=NUMERIC)
        assert [State.SENT, State.DELIVERED] == [await bench.state(old), await bench.state(new)]

    async def test_ids_from_before_the_spelling_was_declared_match_exactly(self, bench: Bench) -> None:
        """A plugin was upgraded while messages were on their way; so was one whose receipt was parked."""
        sent = await bench.sent("0A1B")
        attempt = await bench.open()
        await bench.report(receipt("0C"))
        assert [True] == await bench.report(receipt("0A1B"), spelling=NUMERIC)
        await bench.settle(attempt, Accepted(("0C",)), spelling=NUMERIC)
        assert [State.DELIVERED] * 2 == [await bench.state(each) for each in (sent, attempt.message_id)]

    async def test_a_forgotten_id_is_forgotten_in_every_spelling(self, bench: Bench) -> None:
        """And its rows with it: an id used again later is the new message's alone."""
        await bench.sent("0A1B", spelling=NUMERIC)
        await bench.report(receipt("2587"), spelling=NUMERIC)
        bench.now_us += 4 * DAY_US
        assert [1] == await bench.store.write(forget_receipts, [Forget(bench.now_us - 3 * DAY_US)])
        assert [False] == await bench.report(receipt("2587"), spelling=NUMERIC)
        await bench.sent("a1b", spelling=NUMERIC)
        assert [True] == await bench.report(receipt("2587"), spelling=NUMERIC)


class ParkedLimitCases(OpenedStore):
    """How many receipts may wait."""

    async def test_parked_receipts_are_counted_as_they_come_and_go(self, bench: Bench) -> None:
        """By whatever way they go."""
        attempt = await bench.open()
        await bench.report(receipt("a"), receipt("b"), receipt("b"), receipt("c"))
        assert 4 == await bench.store.read(read_parked_count)
        await bench.settle(attempt, Accepted(("b",)))
        assert 2 == await bench.store.read(read_parked_count)
        await bench.store.write(forget_receipts, [Forget(bench.now_us + 1)])
        assert 0 == await bench.store.read(read_parked_count)

    async def test_the_oldest_go_when_there_are_too_many(self, bench: Bench) -> None:
        """Exactly as many as it takes."""
        attempts = [await bench.open() for _ in range(3)]
        for identity in ("a", "b", "c"):
            await bench.report(receipt(identity))
        assert [0] == await bench.store.write(shed_parked_receipts, [3])
        assert [1] == await bench.store.write(shed_parked_receipts, [2])
        for attempt, identity in zip(attempts, ("a", "b", "c"), strict=True):
            await bench.settle(attempt, Accepted((identity,)))
        states = [await bench.state(attempt.message_id) for attempt in attempts]
        assert [State.SENT, State.DELIVERED, State.DELIVERED] == states


class AllSpellingCases(SpellingCases, ParkedLimitCases):
    """Receipts in every spelling."""
