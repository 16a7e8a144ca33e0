# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of wishes that are told to upstreams: each until it is answered, and only the last word."""

from typing import Any

from broker.domain.consent import Act, ConsentSource, Scope
from broker.domain.forwarding import GAVE_UP, GIVE_UP_AFTER_US, OptInAnswer, OptInChange
from broker.domain.outcome import NotAccepted, Unknown
from broker.storage.forwarding import (
    FollowWish,
    Forward,
    ForwardClaim,
    ForwardReport,
    UpstreamStanding,
    claim_forwards,
    follow_record,
    read_forwarding,
    read_upstream_standings,
    settle_forwards,
)
from broker.testing.builders import NOW_US, PROVIDER, SECOND_US
from broker.testing.store_suite.bench import LEASE_US, Bench
from broker.testing.store_suite.consenting import OTHER_PHONE, PHONE, record, said
from broker.testing.store_suite.opening import OpenedStore

TAKEN = OptInAnswer(True, "1", "taken")


async def follow(bench: Bench, provider: str = PROVIDER, rows_max: int = 100) -> int:
    """Queue what was put on record."""
    (count,) = await bench.store.write(follow_record, [FollowWish(provider, bench.now_us, rows_max)])
    return count


async def due(bench: Bench, provider: str = PROVIDER, rows_max: int = 100) -> list[Forward]:
    """Take what is to be told now."""
    wish = ForwardClaim(provider, bench.now_us, bench.now_us + LEASE_US, rows_max)
    (forwards,) = await bench.store.write(claim_forwards, [wish])
    return forwards


async def answer(
    bench: Bench, forwards: list[Forward], what: OptInAnswer | NotAccepted | Unknown = TAKEN
) -> None:
    """The upstream's answer to all of them."""
    await bench.store.write(settle_forwards, [ForwardReport(each, what, bench.now_us) for each in forwards])


async def standing(bench: Bench, **fields: Any) -> list[UpstreamStanding]:
    """What the instance was told of the first recipient."""
    asked: dict[str, Any] = {"account_id": 1, "recipients": [PHONE], "providers": [PROVIDER]}
    return await bench.store.read(read_upstream_standings, **(asked | fields))


class ForwardingCases(OpenedStore):
    """A queue of last words."""

    async def test_what_was_said_is_told_once_it_is_followed(self, bench: Bench) -> None:
        """All that an upstream may ask for, to each instance."""
        await record(bench, said(keyword="Stop", organisation_name="Acme", recipient_name="Ada"))
        assert (True, None) == await bench.store.read(read_forwarding, PROVIDER)
        assert [1, 0] == [await follow(bench), await follow(bench)]
        assert (False, NOW_US) == await bench.store.read(read_forwarding, PROVIDER)
        (forward,) = await due(bench)
        expected = OptInChange("Shop", PHONE, False, False, "Stop", "Acme", "Ada", NOW_US)
        assert (expected, 1) == (forward.change, forward.tries)
        assert (True, None) == await bench.store.read(read_forwarding, "another")
        assert [1, 1] == [await follow(bench, "another"), len(await due(bench, "another"))]

    async def test_an_answer_ends_it(self, bench: Bench) -> None:
        """Whether the change was taken or not; it is there to be read."""
        for number, accepted in enumerate((True, False)):
            await record(bench, said(at_us=NOW_US + number))
            await follow(bench)
            pending = UpstreamStanding(PROVIDER, PHONE, "shop", True, False, "", "", None)
            assert [pending] == await standing(bench)
            await answer(bench, await due(bench), OptInAnswer(accepted, "1", "said"))
            told = UpstreamStanding(PROVIDER, PHONE, "shop", False, accepted, "1", "said", NOW_US)
            assert [told] == await standing(bench)
            assert [] == await due(bench)
        assert [] == await standing(bench, account_id=2)
        assert [] == await standing(bench, providers=["another"])

    async def test_silence_is_told_again_later(self, bench: Bench) -> None:
        """After a pause that doubles; not before an upstream's own wish."""
        await record(bench, said())
        await follow(bench)
        for tries, pause_s, what in ((1, 1, Unknown()), (2, 60, NotAccepted(60.0)), (3, 4, NotAccepted())):
            (forward,) = await due(bench)
            assert tries == forward.tries
            await answer(bench, [forward], what)
            assert (False, bench.now_us + pause_s * SECOND_US) == await bench.store.read(
                read_forwarding, PROVIDER
            )
            assert [] == await due(bench)
            bench.wait(pause_s)
        await answer(bench, await due(bench))
        assert [False] == [each.pending for each in await standing(bench)]

    async def test_it_is_given_up_one_day(self, bench: Bench) -> None:
        """And the answer says so."""
        await record(bench, said())
        await follow(bench)
        bench.now_us += GIVE_UP_AFTER_US
        await answer(bench, await due(bench), Unknown("timeout", "nothing"))
        (told,) = await standing(bench)
        assert (False, False, GAVE_UP) == (told.pending, told.accepted, told.code)

    async def test_a_process_that_died_leaves_its_changes_due(self, bench: Bench) -> None:
        """When their lease runs out."""
        await record(bench, said())
        await follow(bench)
        assert [1, 0] == [len(await due(bench)), len(await due(bench))]
        bench.now_us += LEASE_US
        assert [2] == [each.tries for each in await due(bench)]

    async def test_only_the_last_word_is_told(self, bench: Bench) -> None:
        """An answer to what was said before it changes nothing."""
        await record(bench, said())
        await follow(bench)
        old = await due(bench)
        await record(bench, said(Act.OPT_IN), said(), said(Act.OPT_IN))
        assert 3 == await follow(bench)
        await answer(bench, old)
        (forward,) = await due(bench)
        assert (True, 1) == (forward.change.opted_in, forward.tries)

    async def test_what_needs_no_telling_is_not_told(self, bench: Bench) -> None:
        """HELP, and what this very instance told us."""
        source = ConsentSource.PROVIDER_ANSWER
        await record(bench, said(Act.HELP), said(told_by=PROVIDER, source=source))
        assert [2, 2] == [await follow(bench), await follow(bench, "another")]
        assert [0, 1] == [len(await due(bench)), len(await due(bench, "another"))]

    async def test_batches_are_bounded(self, bench: Bench) -> None:
        """Of records and of changes."""
        await record(bench, said(), said(recipient=OTHER_PHONE), said(scope=Scope.GLOBAL, sender="Bank"))
        assert [2, 1, 0] == [await follow(bench, rows_max=2) for _ in range(3)]
        found = [await due(bench, rows_max=2) for _ in range(3)]
        assert [2, 1, 0] == [len(each) for each in found]
        assert {(PHONE, False), (OTHER_PHONE, False), (PHONE, True)} == {
            (each.change.recipient, each.change.every_account) for batch in found for each in batch
        }
