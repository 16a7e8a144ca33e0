"""Cases of what is said: every text, and every field of content, arrives as it was given."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from broker.spi import Accepted, Channel, OutboundMessage, Reason, Rejected
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case
from broker.testing.upstream import Request

TEXTS: Mapping[str, str] = {
    "plain": "Your parcel is on its way",
    "restricted": "a-z A-Z 0-9 .,:;!?()~=+-_/@$#&%",
    "lines": "one\r\ntwo",
    "line_feeds": "one\ntwo\n\nfour\ttab",
    "edges": "  spaces at both ends  ",
    "gsm": "Å ß é Ñ Δ Φ Γ ¿ £ ¥",
    "gsm_extension": "€ { } [ ] \\ ~ ^ |",
    "ucs2": "Здравствуйте 你好 שלום مرحبا",
    "emoji": "👍🏽 👨‍👩‍👧 🇿🇦",
    "combining": "e\u0301 a\u030a \u200f \ufeff",
    "markup": "<b>&amp; \"quoted\" 'single'</b> <![CDATA[ ]]> <!-- -->",
    "address": "a+b=c&d=%41;e#f?g/h%zz",
    "json": '{"a": "\\u0041"}, null',
    "patterns": "{0} %s $x ${y} {{z}} $Token$ \\1 \\n",
    "one": "x",
    "longest_gsm": "a" * 1_530,
    "longest_ucs2": "я" * 670,
}
"""Texts that something between a broker and a phone has garbled before."""

RESTRICTED_TEXTS = frozenset({"plain", "restricted", "lines", "one"})
MARK = "Quillon7x"
MARK_URL = f"https://files.example.org/{MARK}.png"
ATTACHMENT = {
    "file_name": f"{MARK}.txt",
    "content_type": "text/plain",
    "data": b64encode(MARK.encode()).decode(),
}
FIELDS: Mapping[str, Any] = {
    "sms.text": MARK,
    "sms.subject": MARK,
    "sms.link_actions": [{"text": MARK, "url": MARK_URL}],
    "mms.subject": MARK,
    "mms.text": MARK,
    "mms.media": [{"url": MARK_URL, "content_type": "image/png"}],
    "mms.link_actions": [{"text": MARK, "url": MARK_URL}],
    "email.subject": MARK,
    "email.text": MARK,
    "email.html": f"<p>{MARK}</p>",
    "email.from_address": f"{MARK.lower()}@example.org",
    "email.from_name": MARK,
    "email.reply_to": f"{MARK.lower()}@example.org",
    "email.style_class": MARK,
    "email.attachments": [ATTACHMENT],
    "push.title": MARK,
    "push.body": MARK,
    "push.data": {MARK: "1"},
    "in_app.body": MARK,
}
"""Each field of content, with a value that can be found again in a request."""


class SayingCases(Asked):
    """Texts and content."""

    @pytest.mark.parametrize("name", TEXTS)
    @case
    async def test_a_text_arrives_as_it_was_given(self, name: str) -> None:
        """Accepted, and the same text at the upstream where `text_in` reads it; or refused for what it is."""
        if self.restricted and name not in RESTRICTED_TEXTS:
            pytest.skip("the provider declares the RESTRICTED profile")
        message = self.message(text=TEXTS[name])
        async with self.whole_upstream() as (running, upstream):
            outcome = expected((await running.submit(message))[0], Accepted, Rejected)
            if isinstance(outcome, Rejected):
                assert Reason.CONTENT_UNSUPPORTED is outcome.reason
                return
            texts = [self.text_in(each) for each in upstream.requests if self.carries(each, message)]
            assert [] == [text for text in texts if text not in {None, message.text}]

    @case
    async def test_no_declared_content_is_dropped(self) -> None:
        """What `Capabilities.content` names reaches the upstream.

        Where it names nothing, a field that cannot be carried is refused (Rejected, CONTENT_UNSUPPORTED) and
        never left out in silence.
        """
        dropped = []
        async with self.broken_upstream() as (running, upstream):
            declared = running.provider.capabilities
            for name in FIELDS:
                channel = next(each for each in Channel if name.startswith(f"{each.name.lower()}."))
                if channel not in declared.channels or name not in (declared.content or FIELDS):
                    continue
                seen = len(upstream.requests)
                (outcome,) = await running.submit(self._with_field(channel, name.partition(".")[2]))
                if isinstance(outcome, Rejected) and declared.content is None:
                    assert Reason.CONTENT_UNSUPPORTED is outcome.reason, name
                    continue
                expected(outcome, Accepted, why=name)
                if not _holds_mark(upstream.requests[seen:]):
                    dropped.append(name)
        assert [] == dropped, "these never reached the upstream"

    def _with_field(self, channel: Channel, field: str) -> OutboundMessage:
        plain = self.message(channel=channel)
        value = FIELDS[f"{channel.name.lower()}.{field}"]
        return self.message(channel=channel, content={**plain.content, field: value})


def _holds_mark(requests: Sequence[Request]) -> bool:
    seen = "".join(each.everything for each in requests).lower()
    return MARK.lower() in seen or b64encode(MARK.encode()).decode().lower() in seen
