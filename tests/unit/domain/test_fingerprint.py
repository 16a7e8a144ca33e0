"""Whether two requests are the same: the fingerprint of a request."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.callback_url import CallbackMethod
from broker.domain.directory import ContactRef, Named
from broker.domain.fallback import ChannelFallback
from broker.domain.fingerprint import fingerprint
from broker.domain.submission import (
    Callback,
    Campaign,
    Content,
    Recipient,
    Submission,
    TemplateRef,
    TemplateUsed,
)
from broker.domain.vocabulary import Channel, Delegation, Guarantee, Traffic
from broker.testing.builders import NOW_US, sms

NUMBER, MAILBOX, TOKEN = "+447700900123", "ada@example.com", "token-1"

GOLDEN = "9be19a93fa0b12ba55b1f3cc29bce37b7178ac02e8a2b5092ce63357f6d2919f"


WHOLE = Submission(
    account_id=1,
    recipients=(Recipient(NUMBER, MAILBOX, TOKEN, NOW_US, "ref", "{}"), Recipient(NUMBER)),
    content=Content({Channel.SMS: {"text": "hello"}, Channel.EMAIL: {"subject": "s", "body": "b"}}),
    request_id="r1",
    sender="Shop",
    traffic=Traffic.PASSCODE,
    channels=(Channel.EMAIL, Channel.SMS),
    guarantee=Guarantee.AT_MOST_ONCE,
    schedule_at_us=NOW_US,
    validity_us=60,
    client_reference="ref",
    campaign=Campaign("spring", "Spring"),
    data="{}",
    tags=("a", "b"),
    reply_to_message_id=5,
    provider="west",
    origin="crm",
    callback=Callback("https://example.org/", CallbackMethod.GET),
)
FIELDS = {name: getattr(WHOLE, name) for name in Submission.__dataclass_fields__}
"""A submission with every field set."""


def changed(**changes: Any) -> str:
    """The fingerprint of the whole submission with some fields changed."""
    return fingerprint(Submission(**(FIELDS | changes)))


class TestFingerprints:
    """Whether two requests are the same."""

    def test_a_fingerprint_is_the_same_in_every_version(self) -> None:
        """Requests are remembered across an upgrade: this value must not change."""
        assert GOLDEN == changed(callback=None)  # a later field must not change what was remembered before it

    @pytest.mark.parametrize(
        "changes",
        [
            {"account_id": 2},
            {"recipients": WHOLE.recipients[::-1]},
            {"recipients": WHOLE.recipients[:1]},
            {"content": sms("hello")},
            {
                "content": Content({
                    Channel.SMS: {"text": "hello!"},
                    Channel.EMAIL: {"subject": "s", "body": "b"},
                })
            },
            {"sender": "Shop2"},
            {"traffic": Traffic.PROMOTIONAL},
            {"channels": (Channel.SMS, Channel.EMAIL)},
            {"guarantee": Guarantee.AT_LEAST_ONCE},
            {"schedule_at_us": None},
            {"schedule_at_us": NOW_US + 1},
            {"validity_us": 61},
            {"client_reference": "ref2"},
            {"campaign": Campaign("spring")},
            {"campaign": None},
            {"data": "[]"},
            {"tags": ("a",)},
            {"reply_to_message_id": 6},
            {"provider": "east"},
            {"origin": ""},
            {"track_links": False},
            {"callback": Callback("https://example.org/", CallbackMethod.POST)},
            {"callback": Callback("https://example.org/2", CallbackMethod.GET)},
        ],
        ids="-".join,
    )
    def test_another_value_of_any_field_is_another_request(self, changes: dict[str, Any]) -> None:
        """And each of them another one."""
        assert fingerprint(WHOLE) != changed(**changes)

    def test_every_field_is_looked_at(self) -> None:
        """Emptying one changes the fingerprint; but for what is no part of the message itself."""
        blank = Submission(account_id=0, recipients=(), content=Content({}))
        full = {
            "tokens": {"shop": "Acme"},
            "template": TemplateRef("p", "welcome"),
            "redriven_from_message_id": 5,
            "fallback": ChannelFallback(),
            "ignore_quiet_hours": True,
            "cap_frequency": True,
            "sender_pool": "care",
            "sender_providers": frozenset({"west"}),
            "track_links": True,
            "short_link_domain": "go.example.org",
        }
        ignored = {
            name for name in FIELDS if changed(**(full | {name: getattr(blank, name)})) == changed(**full)
        }
        # With a template it is named, and not what it says today.
        of_the_broker = {
            "broadcast_id",
            "refused_for",
            "refusal_detail",
            "answers_consent",
            "priced_as",
        }
        assert {
            "request_id",
            "validate_only",
            "names_contacts",
            "content",
            "edition",
            "sender_providers",
        } | of_the_broker == ignored

    @pytest.mark.parametrize("name", Recipient.__dataclass_fields__)
    def test_every_field_of_a_recipient_is_looked_at(self, name: str) -> None:
        """Absent is not the same as given."""
        named = Named(ContactRef(5), Delegation.ALL_CONTACTS)
        full = replace(WHOLE.recipients[0], contact=named, tokens={"name": "Ada"}, contact_id=7)
        without = replace(full, **{name: None})
        assert changed(recipients=(full,)) != changed(recipients=(without,))

    def test_a_contact_is_the_one_that_was_named_and_how(self) -> None:
        """By which id, and for whom; never whom that was at the time."""
        refs = (ContactRef(5), ContactRef(6), ContactRef(external_id="5"), ContactRef(external_id="6"))
        named = [Named(ref, delegation) for ref in refs for delegation in Delegation]
        assert len(named) == len({changed(recipients=(Recipient(contact=each),)) for each in named})

    def test_a_template_is_the_one_that_was_named_and_what_it_was_given(self) -> None:
        """Whatever it says at the time; the case of a locale does not count."""
        refs = [
            TemplateRef("", "a"),
            TemplateRef("a", "a"),
            TemplateRef("a", "b"),
            TemplateRef("", "a", 1),
            TemplateRef("", "a", None, "en"),
            TemplateRef("", "a", None, "", {"x": "1"}),
            TemplateRef("", "a", None, "", {"x": "2"}),
        ]
        assert len(refs) == len({changed(template=each) for each in refs})
        one, other = (
            changed(template=TemplateRef("", "a", locale=locale), content=said, edition=used)
            for locale, said, used in [
                ("en-GB", Content({}), None),
                ("EN-gb", sms("today"), TemplateUsed("", "a", 2, "en")),
            ]
        )
        assert one == other

    def test_a_value_is_its_recipients_or_everybodys(self) -> None:
        """Under its own name."""
        one = replace(WHOLE.recipients[0], tokens={"name": "Ada"})
        prints = {
            fingerprint(WHOLE),
            changed(tokens={"name": "Ada"}),
            changed(tokens={"name": "Bob"}),
            changed(tokens={"nam": "eAda"}),
            changed(recipients=(one, WHOLE.recipients[1])),
            changed(recipients=(replace(one, tokens={"name": "Bob"}), WHOLE.recipients[1])),
        }
        assert 6 == len(prints)

    def test_the_order_of_maps_and_tags_does_not_matter(self) -> None:
        """Protobuf maps have none, and tags are a set."""
        documents = {Channel.EMAIL: {"body": "b", "subject": "s"}, Channel.SMS: {"text": "hello"}}
        content_ = Content(MappingProxyType(documents))
        assert fingerprint(WHOLE) == changed(content=content_, tags=("b", "a"))

    @given(st.text(), st.text(), st.text(), st.text())
    def test_no_text_stands_for_two_fields(self, one: str, two: str, three: str, four: str) -> None:
        """Moving characters from one field to the next is another request."""
        first = changed(client_reference=one, data=two, tags=(three, four))
        second = changed(client_reference=one + two, data="", tags=(three + four,))
        assert ((one, two, sorted((three, four))) == (one + two, "", [three + four])) == (first == second)
