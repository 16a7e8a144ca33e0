# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of contents with placeholders: each recipient is told its own, now and after every restart."""

from dataclasses import replace
from typing import Any

from broker.domain.outcome import NotAccepted
from broker.domain.saying import names_of
from broker.domain.submission import Content
from broker.domain.vocabulary import Channel
from broker.storage.acceptance import Repeated, Reused
from broker.testing.builders import phones, submission
from broker.testing.store_suite.bench import Bench, attempt_at
from broker.testing.store_suite.opening import OpenedStore

_SAID = {
    Channel.SMS: {"text": "$$5 for $name$ at $shop$"},
    Channel.EMAIL: {"subject": "$name$", "html": "$name$"},
}
_CONTENT = Content(_SAID, names_of(_SAID))


def _asked(*names: str, **changes: Any) -> dict[str, Any]:
    """Fields of a submission with a value for each recipient and one for all."""
    recipients = tuple(
        replace(each, tokens={"name": name}) for each, name in zip(phones(len(names)), names, strict=True)
    )
    return {"content": _CONTENT, "recipients": recipients, "tokens": {"shop": "Acme"}} | changes


class SayingCases(OpenedStore):
    """What is said to whom."""

    async def test_each_recipient_is_told_its_own(self, bench: Bench) -> None:
        """The provider gets what GetMessage shows, whatever stands in a value."""
        names = ["Ada", "$shop$ \u2603 \u00a0 \"'\\"]
        message_ids = await bench.send(**_asked(*names))
        claimed = await bench.claim()
        for name, message_id in zip(names, message_ids, strict=True):
            said = {"text": f"$5 for {name} at Acme"}
            assert said == attempt_at(message_id, claimed).message.content
            assert said == (await bench.message(message_id)).content

    async def test_a_retry_says_the_same(self, bench: Bench) -> None:
        """And so does a question about it."""
        attempt = await bench.open(**_asked("Ada"))
        assert await bench.settle(attempt, NotAccepted())
        bench.wait(3600)
        again = attempt_at(attempt.message_id, await bench.claim())
        assert attempt.message.content == again.message.content
        bench.wait(3600)
        (question,) = (await bench.overdue()).questions
        assert attempt.message.content == question.message.content

    async def test_values_for_html_are_escaped_there_alone(self, bench: Bench) -> None:
        """A subject is no HTML."""
        (message_id,) = await bench.send(
            **_asked(
                "<&>",
                recipients=(
                    replace(phones(1)[0], phone_number=None, email="ada@example.org", tokens={"name": "<&>"}),
                ),
            )
        )
        assert {"subject": "<&>", "html": "&lt;&amp;&gt;"} == (await bench.message(message_id)).content

    async def test_what_all_are_told_is_stored_ready(self, bench: Bench) -> None:
        """A dollar in it is a dollar."""
        (message_id,) = await bench.send(content=_CONTENT, tokens={"shop": "$name$", "name": "$$"})
        assert {"text": "$5 for $$ at $name$"} == (await bench.message(message_id)).content
        (attempt,) = (await bench.claim()).attempts
        assert {"text": "$5 for $$ at $name$"} == attempt.message.content

    async def test_a_text_without_placeholders_is_told_as_it_is(self, bench: Bench) -> None:
        """Though it looks as if it had some: so were texts stored before there were placeholders."""
        plain = Content({Channel.SMS: {"text": "$$ $name$"}})
        (message_id,) = await bench.send(content=plain)
        assert {"text": "$$ $name$"} == (await bench.message(message_id)).content
        (attempt,) = (await bench.claim()).attempts
        assert {"text": "$$ $name$"} == attempt.message.content

    async def test_the_values_are_part_of_the_request(self, bench: Bench) -> None:
        """The same ones are a repeat, others another request."""
        first, again, other = [
            (await bench.accept(submission(request_id="r1", **_asked(name))))[0]
            for name in ("Ada", "Ada", "Bob")
        ]
        assert isinstance(again, Repeated)
        assert first.results == again.results  # type: ignore[union-attr]
        assert Reused("r1") == other
