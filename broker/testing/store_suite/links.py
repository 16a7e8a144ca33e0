# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of short links: each message has its own, they lead where the text did, and clicks are counted."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.ids import ID_MAX
from broker.domain.lifecycle import Fact
from broker.domain.links import LinkRule, parse_code
from broker.domain.outcome import NotAccepted
from broker.domain.records import LinkRecord
from broker.domain.saying import names_of
from broker.domain.submission import Content, Submission
from broker.domain.vocabulary import Channel, EventKind
from broker.storage.acceptance import Acceptance, accept
from broker.storage.erasing import Deleted
from broker.storage.links import CLICK_EVENTS_MAX, Click, CodeFound, read_code, record_clicks
from broker.storage.redriving import read_redrivable
from broker.storage.retiring import LogTrim, Retirement, retire_messages, trim_logs
from broker.testing.builders import REMEMBER_US, phones, planned, submission
from broker.testing.store_suite.bench import Bench, attempt_at, receipt
from broker.testing.store_suite.opening import OpenedStore

RULE = LinkRule("go.example.org", ("go.example.org",))
CAMPAIGN_RULE = replace(RULE, parameters=(("utm_source", "sms"),))
FIRST, SECOND = "https://example.com/a?b=1", "http://example.net/"
CONTENT = Content({Channel.SMS: {"text": f"See {FIRST}, {SECOND} and {FIRST}."}}, links=RULE)


async def links_of(bench: Bench, message_id: int) -> tuple[LinkRecord, ...]:
    """What GetMessage shows."""
    return (await bench.message(message_id)).links


async def find(bench: Bench, short: str) -> CodeFound | None:
    """Where a short link leads."""
    code = parse_code(short.rpartition("/")[2])
    assert code is not None
    return await bench.store.read(read_code, code)


async def click(bench: Bench, message_id: int, *places: int, account_id: int = 1) -> list[bool]:
    """Follow links of a message."""
    items = [Click(account_id, message_id, place, bench.now_us - 5, bench.now_us) for place in places]
    return await bench.store.write(record_clicks, items, [account_id])


async def delivered(bench: Bench, **changes: Any) -> int:
    """A message with links that has ended."""
    message_id = await bench.sent("x", content=CONTENT, **changes)
    await bench.report(receipt("x"))
    return message_id


class LinkCases(OpenedStore):
    """What is shortened, and what comes of it."""

    async def test_each_message_has_links_of_its_own(self, bench: Bench) -> None:
        """The provider gets what GetMessage shows; one code for a link, however often the text has it."""
        message_ids = await bench.send(content=CONTENT, recipients=phones(2))
        claimed = await bench.claim()
        seen = set()
        for message_id in message_ids:
            first, second = await links_of(bench, message_id)
            assert [(0, FIRST, FIRST, 0, None), (1, SECOND, SECOND, 0, None)] == [
                (each.place, each.url, each.target, each.clicks, each.last_click_at_us)
                for each in (first, second)
            ]
            said = {"text": f"See {first.short_url}, {second.short_url} and {first.short_url}."}
            message = attempt_at(message_id, claimed).message
            assert (said, True) == (message.content, message.particulars.links_shortened)
            assert said == (await bench.message(message_id)).content
            seen |= {first.short_url, second.short_url}
        assert 4 == len(seen)

    async def test_a_retry_says_the_same(self, bench: Bench) -> None:
        """And so does a question about it."""
        attempt = await bench.open(content=CONTENT)
        assert await bench.settle(attempt, NotAccepted())
        bench.wait(3600)
        again = attempt_at(attempt.message_id, await bench.claim())
        assert attempt.message.content == again.message.content
        bench.wait(3600)
        (question,) = (await bench.overdue()).questions
        assert attempt.message.content == question.message.content

    async def test_links_come_after_values(self, bench: Bench) -> None:
        """A value may be part of a link, or have one."""
        documents = {Channel.SMS: {"text": "$$ $shop$ https://example.com/$name$"}}
        recipients = tuple(
            replace(each, tokens={"name": name}) for each, name in zip(phones(2), ("a", "b"), strict=True)
        )
        message_ids = await bench.send(
            content=Content(documents, names_of(documents), links=RULE),
            recipients=recipients,
            tokens={"shop": f"at {SECOND}"},
        )
        for message_id, name in zip(message_ids, ("a", "b"), strict=True):
            shop, own = await links_of(bench, message_id)
            assert [SECOND, f"https://example.com/{name}"] == [shop.url, own.url]
            said = {"text": f"$ at {shop.short_url} {own.short_url}"}
            assert said == (await bench.message(message_id)).content

    async def test_link_actions_are_links_too(self, bench: Bench) -> None:
        """Their values are filled in and their URLs shortened; a link that the text has as well has one code."""
        documents = {
            Channel.SMS: {
                "text": f"See {FIRST}",
                "link_actions": [
                    {"text": "Look, $name$", "url": FIRST},
                    {"text": "Buy", "url": f"{SECOND}$name$"},
                ],
            }
        }
        (message_id,) = await bench.send(
            content=Content(documents, names_of(documents), links=RULE), tokens={"name": "ada"}
        )
        first, second = await links_of(bench, message_id)
        assert [FIRST, f"{SECOND}ada"] == [first.url, second.url]
        said = {
            "text": f"See {first.short_url}",
            "link_actions": [
                {"text": "Look, ada", "url": first.short_url},
                {"text": "Buy", "url": second.short_url},
            ],
        }
        assert said == attempt_at(message_id, await bench.claim()).message.content
        assert said == (await bench.message(message_id)).content
        assert f"{SECOND}ada" == (await find(bench, second.short_url) or CodeFound(0, 0, 0, "", "")).target

    async def test_a_text_without_a_rule_keeps_its_links(self, bench: Bench) -> None:
        """Nothing is stored for it."""
        (message_id,) = await bench.send(content=replace(CONTENT, links=None))
        assert () == await links_of(bench, message_id)
        assert CONTENT.documents[Channel.SMS] == (await bench.message(message_id)).content

    async def test_a_code_leads_where_the_text_did(self, bench: Bench) -> None:
        """With what was added to it; a code that nobody drew leads nowhere."""
        (message_id,) = await bench.send(content=replace(CONTENT, links=CAMPAIGN_RULE))
        first, second = await links_of(bench, message_id)
        assert (FIRST, f"{FIRST}&utm_source=sms") == (first.url, first.target)
        expected = CodeFound(1, message_id, 1, RULE.domain, f"{SECOND}?utm_source=sms")
        assert expected == await find(bench, second.short_url)
        assert await bench.store.read(read_code, ID_MAX) is None

    async def test_a_click_is_told_and_counted(self, bench: Bench) -> None:
        """As what was followed, then as a fact of the message, which stays where it stands."""
        (message_id,) = await bench.send(content=CONTENT, client_reference="order-1")
        bench.wait(60)
        assert [True] == await click(bench, message_id, 1)
        told, fact = await bench.events(after=1)
        _, second = await links_of(bench, message_id)
        assert (EventKind.CLICK, message_id, "order-1") == (told.kind, told.message_id, told.client_reference)
        assert {
            "url": SECOND,
            "short_url": second.short_url,
            "clicked_at_us": bench.now_us - 5,
        } == told.told
        assert (message_id, Fact.CLICKED) == (fact.message_id, fact.moved.fact)
        assert [Fact.ACCEPTED, Fact.CLICKED] == await bench.facts(message_id)
        assert (1, bench.now_us - 5) == (second.clicks, second.last_click_at_us)
        (attempt,) = (await bench.claim()).attempts
        assert message_id == attempt.message_id

    async def test_of_a_burst_the_first_are_events_and_all_are_counted(self, bench: Bench) -> None:
        """Over all links of the message, and over all transactions."""
        message_id = await delivered(bench)
        before = len(await bench.events())
        assert await click(bench, message_id, *[0] * (CLICK_EVENTS_MAX - 1))
        assert [True] * 3 == await click(bench, message_id, 1, 1, 0)
        assert [True] == await click(bench, message_id, 0)
        assert 2 * CLICK_EVENTS_MAX == len(await bench.events()) - before
        assert [CLICK_EVENTS_MAX + 1, 2] == [each.clicks for each in await links_of(bench, message_id)]

    async def test_clicks_of_several_messages_are_recorded_together(self, bench: Bench) -> None:
        """Each is counted on its own link; one that is not there is said to be gone."""
        first, second = await bench.send(content=CONTENT, recipients=phones(2))
        (other,) = await bench.send(account_id=2, content=CONTENT)
        items = [
            Click(account_id, message_id, place, bench.now_us, bench.now_us)
            for account_id, message_id, place in ((1, first, 0), (2, other, 1), (1, second, 2), (1, first, 0))
        ]
        assert [True, True, False, True] == await bench.store.write(record_clicks, items, [1, 2])
        assert [2, 0] == [each.clicks for each in await links_of(bench, first)]
        assert [0, 0] == [each.clicks for each in await links_of(bench, second)]
        assert [0, 1] == [each.clicks for each in (await bench.message(other, 2)).links]

    async def test_a_deletion_erases_links(self, bench: Bench) -> None:
        """They lead nowhere, are shown nowhere, and no event says where they led; those of others stay."""
        message_id = await delivered(bench)
        (other,) = await bench.send(content=CONTENT)
        first, second = await links_of(bench, message_id)
        await click(bench, message_id, 0, 1)
        assert Deleted() == await bench.delete(message_id)
        assert () == await links_of(bench, message_id)
        assert await find(bench, first.short_url) is None
        assert await find(bench, second.short_url) is None
        assert [False] == await click(bench, message_id, 0)
        clicks = [each for each in await bench.events() if each.kind is EventKind.CLICK]
        assert [{}, {}] == [each.told for each in clicks]
        assert 2 == len(await links_of(bench, other))

    async def test_retention_takes_links_with_their_message(self, bench: Bench) -> None:
        """Which outlives the events of its clicks."""
        message_id = await delivered(bench)
        first, _ = await links_of(bench, message_id)
        bench.wait(10)
        await click(bench, message_id, 0)
        await bench.index()
        bench.wait(10)
        wish = Retirement(0, bench.now_us, 100)
        (kept,) = await bench.store.write(retire_messages, [wish])
        assert 0 == kept.messages
        await bench.count(1)
        await bench.store.write(trim_logs, [LogTrim(1, bench.now_us, 1_000)], [1])
        (gone,) = await bench.store.write(retire_messages, [wish])
        assert 1 == gone.messages
        assert await find(bench, first.short_url) is None
        assert [False] == await click(bench, message_id, 0)

    async def test_what_is_sent_again_has_its_long_links(self, bench: Bench) -> None:
        """They are shortened anew, since the new message's clicks are its own."""
        message_id = await bench.sent("x", content=CONTENT)
        await bench.report(receipt("x", "DELIVERY_FAILED"))
        found = await bench.store.read(read_redrivable, 1, message_id)
        assert isinstance(found, Submission)
        assert (CONTENT.documents, True) == (found.content.documents, found.track_links)

    async def test_a_code_that_is_taken_stores_nothing(self, bench: Bench) -> None:
        """The call fails, and others that wait with it do not."""
        (message_id,) = await bench.send(content=CONTENT)
        first, _ = await links_of(bench, message_id)
        taken = parse_code(first.short_url.rpartition("/")[2])
        plan = planned(submission(content=CONTENT), bench.ids.take(2))
        clash = replace(plan, links=(replace(plan.links[0], code=taken or 0),))
        with pytest.raises(Exception, match=r"(?i)unique"):
            await bench.store.write(accept, [Acceptance(clash, REMEMBER_US)], [1])
        assert 1 == len(await bench.events())
        assert FIRST == (await links_of(bench, message_id))[0].url
