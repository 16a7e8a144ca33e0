# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of retention: the oldest events go, then the messages that they were about, with all that points to them."""

from typing import Any

import orjson

from broker.domain.correlation import IndexKind
from broker.domain.ids import ID_MAX
from broker.domain.lifecycle import Fact, State
from broker.domain.outcome import NotAccepted
from broker.domain.spelling import IdSpelling
from broker.domain.submission import Campaign, Content, Recipient, Submission
from broker.domain.vocabulary import Channel
from broker.storage.acceptance import Acceptance, accept
from broker.storage.dispatching import read_tokens
from broker.storage.history import Cancelled, read_log_bounds, read_message
from broker.storage.retiring import (
    LogTrim,
    Retired,
    Retirement,
    SpanSweep,
    read_account_ids,
    retire_messages,
    sweep_spans,
    trim_logs,
)
from broker.testing.builders import DAY_US, NOW_US, SECOND_US, phones, planned, submission
from broker.testing.store_suite.bench import ACCOUNTS, Bench, attempt_at, message_ids, receipt, room
from broker.testing.store_suite.callback_bench import Caller
from broker.testing.store_suite.opening import OpenedStore

ALL_ROWS = 1_000
LABELLED: dict[str, Any] = {
    "client_reference": "ref",
    "data": "d" * 300,
    "sender": "Shop",
    "campaign": Campaign("spring", "Spring"),
    "tags": ("a", "b"),
    "reply_to_message_id": 7,
    "origin": "crm",
}


def two_ways(_asked: Submission, _channel: Channel, _address: str, _message_id: int) -> tuple[str, ...]:
    """A message that one provider does not take goes to another."""
    return ("acme", "other")


async def trim(bench: Bench, before_us: int, account_id: int = 1, rows_max: int = ALL_ROWS) -> int:
    """Count what has ended, then remove the oldest events; how many went."""
    await bench.count(account_id)
    (gone,) = await bench.store.write(trim_logs, [LogTrim(account_id, before_us, rows_max)], [account_id])
    return gone


async def retire(bench: Bench, before_us: int, after_id: int = 0, rows_max: int = ALL_ROWS) -> Retired:
    """Remove messages that ended before."""
    (done,) = await bench.store.write(retire_messages, [Retirement(after_id, before_us, rows_max)])
    return done


async def ended(bench: Bench, **changes: Any) -> int:
    """A message that was delivered at once."""
    message_id = await bench.sent("x", **changes)
    await bench.report(receipt("x"))
    return message_id


KINDS = {*IndexKind} - {IndexKind.BROADCAST}
"""What a submission that is no broadcast's can be found by."""


class TrimCases(OpenedStore):
    """The beginning of the log."""

    async def test_the_oldest_events_go_and_the_log_stays_dense(self, bench: Bench) -> None:
        """Those from before the time; the head is as it was."""
        await bench.send(recipients=phones(3))
        bench.wait(10)
        await bench.send(recipients=phones(2))
        await bench.index()
        assert 3 == await trim(bench, bench.now_us)
        assert [4, 5] == [event.sequence for event in await bench.events()]
        assert (4, 5) == await bench.store.read(read_log_bounds, 1)
        assert 0 == await trim(bench, bench.now_us)

    async def test_a_whole_log_can_go(self, bench: Bench) -> None:
        """Its next event has the number after the last; other accounts' logs stay."""
        await bench.send(recipients=phones(2))
        await bench.send(account_id=2)
        await bench.index()
        assert 2 == await trim(bench, bench.now_us + 1)
        assert (3, 2) == await bench.store.read(read_log_bounds, 1)
        assert (1, 1) == await bench.store.read(read_log_bounds, 2)
        await bench.send()
        assert [3] == [event.sequence for event in await bench.events()]

    async def test_a_batch_is_no_longer_than_asked_for(self, bench: Bench) -> None:
        """So that no commit keeps callers waiting."""
        await bench.send(recipients=phones(5))
        await bench.index()
        assert [2, 2, 1, 0] == [await trim(bench, bench.now_us + 1, rows_max=2) for _ in range(4)]

    async def test_what_the_index_has_not_seen_stays(self, bench: Bench) -> None:
        """It would never be found."""
        await bench.send(recipients=phones(3))
        assert 0 == await trim(bench, bench.now_us + 1)
        await bench.index(events_max=2)
        assert 2 == await trim(bench, bench.now_us + 1)

    async def test_what_callbacks_still_need_stays(self, bench: Bench) -> None:
        """Both what their follower has not seen, and what waits to be sent."""
        caller = Caller(bench)
        await bench.send()
        await caller.hook()
        await bench.send(recipients=phones(2))
        await bench.index()
        assert 1 == await trim(bench, bench.now_us + 1)
        await caller.follow()
        assert 0 == await trim(bench, bench.now_us + 1)
        await caller.claim()
        bench.wait(2 * DAY_US / SECOND_US)
        await caller.claim()
        assert 2 == await trim(bench, bench.now_us + 1)

    async def test_a_message_outlives_its_first_events(self, bench: Bench) -> None:
        """It goes its way; its timeline begins later."""
        (message_id,) = await bench.send(schedule_at_us=NOW_US + 10 * DAY_US)
        await bench.index()
        assert 1 == await trim(bench, bench.now_us + 1)
        bench.wait(10 * DAY_US / SECOND_US)
        (attempt,) = (await bench.claim()).attempts
        assert message_id == attempt.message_id
        assert State.PROCESSING is await bench.state(message_id)
        assert [Fact.ATTEMPTED] == await bench.facts(message_id)


class RetireCases(OpenedStore):
    """Messages whose events are gone."""

    async def test_an_ended_message_goes_once_its_events_are_gone(self, bench: Bench) -> None:
        """Nothing shows it any more."""
        message_id = await ended(bench, **LABELLED)
        bench.wait(10)
        (younger,) = await bench.send(**LABELLED)
        await bench.index()
        assert Retired(0, None) == await retire(bench, bench.now_us)
        await trim(bench, bench.now_us)
        assert Retired(1, None) == await retire(bench, bench.now_us)
        assert await bench.store.read(read_message, 1, message_id) is None
        assert [[younger]] == await bench.pages()
        assert [[younger]] == await bench.pages(client_references=frozenset({"ref"}))

    async def test_all_that_points_to_a_message_goes_with_it(self, bench: Bench) -> None:
        """Its providers' ids in every spelling, its places in the index, its submission."""
        own = Recipient(phone_number="+447700900000", tokens={"name": "Ada"})
        content = Content({Channel.SMS: {"text": "Hi $name$"}}, frozenset({"name"}))
        message_id = await bench.sent(
            "00A1", spelling=IdSpelling.NUMERIC, recipients=(own,), content=content, **LABELLED
        )
        await bench.report(receipt("00A1"), spelling=IdSpelling.NUMERIC)
        await bench.index()
        (row,) = await bench.store.read(lambda tx: tx.all("messages_to_erase", message_ids=[message_id]))
        assert KINDS == {kind for kind in KINDS if await indexed(bench, kind) == [message_id]}
        await trim(bench, bench.now_us + 1)
        bench.wait(1)
        await retire(bench, bench.now_us)
        assert [False] == await bench.report(receipt("a1"), spelling=IdSpelling.NUMERIC)
        assert [False] == await bench.report(receipt("00A1"))
        assert [] == await bench.store.read(lambda tx: tx.all("submission_contents", submission_ids=[row[2]]))
        assert {} == await bench.store.read(read_tokens, [message_id])
        assert {} == {kind: ids for kind in KINDS if (ids := await indexed(bench, kind))}

    async def test_a_submission_stays_as_long_as_any_of_its_messages(self, bench: Bench) -> None:
        """It holds what they say."""
        first, second = await bench.send(recipients=phones(2))
        await bench.cancel(first)
        bench.wait(10)
        await bench.cancel(second)
        await bench.index()
        await trim(bench, bench.now_us + 1)
        assert Retired(1, None) == await retire(bench, bench.now_us)
        assert (await bench.message(second)).content is not None
        bench.wait(10)
        assert Retired(1, None) == await retire(bench, bench.now_us)

    async def test_a_message_that_has_not_ended_never_goes(self, bench: Bench) -> None:
        """However old it is."""
        attempt = await bench.open(validity_us=7 * DAY_US)
        await bench.settle(attempt, NotAccepted())
        await bench.index()
        bench.wait(6 * DAY_US / SECOND_US)
        await trim(bench, bench.now_us)
        assert Retired(0, None) == await retire(bench, bench.now_us)
        assert State.PROCESSING is await bench.state(attempt.message_id)

    async def test_a_deleted_message_goes_like_any_other(self, bench: Bench) -> None:
        """Its end counts, not its deletion."""
        message_id = await ended(bench, **LABELLED)
        await bench.index()
        await bench.delete(message_id)
        await bench.index()
        bench.wait(1)
        await trim(bench, bench.now_us)
        assert Retired(1, None) == await retire(bench, bench.now_us)
        assert {} == {kind: ids for kind in KINDS if (ids := await indexed(bench, kind))}

    async def test_batches_go_on_where_the_last_ended(self, bench: Bench) -> None:
        """Also past messages that stay."""
        sent = await bench.send(recipients=phones(5))
        for message_id in sent[1:]:
            await bench.cancel(message_id)
        await bench.index()
        bench.wait(1)
        await trim(bench, bench.now_us)
        after_id: int | None = 0
        found = []
        while after_id is not None:
            done = await retire(bench, bench.now_us, after_id, rows_max=2)
            found.append(done.messages)
            after_id = done.next_after_id
        assert [1, 2, 1] == found
        assert [[sent[0]]] == await bench.pages()

    async def test_a_part_of_the_index_without_messages_goes(self, bench: Bench) -> None:
        """With what is left in it of attempts with other providers; never the newest part."""
        sent = []
        for number in range(3):
            bench.wait(1)
            bench.ids = type(bench.ids)(bench.now_us)
            asked = planned(submission(), bench.ids.take(2), now_us=bench.now_us, find_candidates=two_ways)
            (answer,) = await bench.store.write(accept, [Acceptance(asked, DAY_US)], [1])
            sent += message_ids(answer)
            for provider in ("acme", "other"):
                claimed = await bench.claim(rooms=(room("acme", 9), room("other", 9)))
                attempt = attempt_at(sent[-1], claimed)
                assert provider == attempt.provider
                await bench.settle(attempt, NotAccepted(retry_after_s=60))
            if number < 2:
                assert Cancelled() == await bench.cancel(sent[-1])
            await bench.index(span_messages=1)
        assert [sent[::-1]] == await bench.pages(providers=frozenset({"other"}), states=frozenset(State))
        await trim(bench, bench.now_us)
        bench.wait(1)
        assert 2 == (await retire(bench, bench.now_us)).messages
        wish = SpanSweep(1, 1)
        swept = [(await bench.store.write(sweep_spans, [wish], [1]))[0] for _ in range(5)]
        assert [True, True, True, True, False] == swept
        spans = await bench.store.read(lambda tx: tx.all("spans_between", account_id=1, before_id=ID_MAX))
        assert 1 == len(spans)
        assert [sent[2:]] == await bench.pages()

    async def test_every_account_is_known(self, bench: Bench) -> None:
        """In order."""
        assert list(ACCOUNTS) == await bench.store.read(read_account_ids)


async def indexed(bench: Bench, kind: IndexKind) -> list[int]:
    """What the index has of account 1 under a kind, for the values that these tests use."""
    values = {
        IndexKind.ACCOUNT: "",
        IndexKind.RECIPIENT: "+447700900000",
        IndexKind.CLIENT_REFERENCE: "ref",
        IndexKind.DATA: "d" * 128,
        IndexKind.SENDER: "Shop",
        IndexKind.CAMPAIGN: "spring",
        IndexKind.TAG: "b",
        IndexKind.REPLY_TO: "7",
        IndexKind.ORIGIN: "crm",
        IndexKind.PROVIDER: "acme",
    }
    rows = await bench.store.read(
        lambda tx: tx.all(
            "index_ids", span=1, kind=kind, value=values[kind], before_id=ID_MAX, floor_id=0, rows_max=10
        )
    )
    found: list[int] = orjson.loads(rows[0][0])
    return found


class RetiringCases(TrimCases, RetireCases):
    """What is past its retention."""
