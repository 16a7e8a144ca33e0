"""Whom messages are from: named senders, defaults, and pools that stay with a recipient."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from broker.domain.carrying import Carried, Carriers, FindCandidates, SenderRefused
from broker.domain.fallback import ChannelFallback
from broker.domain.grounds import Grounds
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.routes import RouteTable
from broker.domain.routing import Carrier, Routing
from broker.domain.sender import Sender, SenderCapability, SenderDraft, registered
from broker.domain.sender_book import SenderBook, from_free_sender
from broker.domain.sender_pool import PoolRanks, recipient_key
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.vocabulary import Channel, Reason
from broker.testing.builders import NOW_US, IdCounter, everywhere, phones, submission

BRITISH, AMERICAN, TOLL_FREE = "+447700900123", "+12025550123", "+18005550199"


def senders(*given: str | tuple[str, Mapping[str, Any]]) -> list[Sender]:
    """Registered ones, in order, by value and further wishes."""
    made: list[Sender] = []
    for number, each in enumerate(given):
        value, wishes = (each, {}) if isinstance(each, str) else each
        sender = registered(SenderDraft(value, **wishes), number, 1, NOW_US, {"acme", "west"})
        assert isinstance(sender, Sender), sender
        made.append(sender)
    return made


def through(*names: str) -> FindCandidates:
    """Routes to these instances, in this order."""
    carriers = [Carrier(name, frozenset(Channel)) for name in names]
    return Routing(RouteTable(), carriers).find


def carried(
    book: SenderBook,
    *,
    channel: Channel = Channel.SMS,
    to: str = BRITISH,
    find: FindCandidates = everywhere,
    kept: Mapping[str, str] | None = None,
    registered_only: bool = False,
    **asked: Any,
) -> Carriers:
    """What carries a message, and from whom."""
    return book.find(
        submission(**asked), channel, to, 1, find, kept=kept or {}, registered_only=registered_only
    )


def reason(found: Carriers) -> Reason:
    """Why nothing does."""
    assert isinstance(found, SenderRefused | Reason), found
    return found if isinstance(found, Reason) else found.reason


POOL = {"pool": "care"}
AMERICANS = tuple(f"+120255501{number:02}" for number in range(10))


class TestNamed:
    """A message that names its sender."""

    def test_a_free_sender_needs_no_register(self) -> None:
        """Nor does one with no sender at all; the candidates stand as they are."""
        for asked in (submission(), submission(sender="Shop")):
            assert ("acme",) == from_free_sender(asked, Channel.SMS, BRITISH, 1, everywhere)
        assert Reason.NO_ROUTE == from_free_sender(submission(), Channel.SMS, BRITISH, 1, through())

    def test_a_registered_sender_is_used_as_it_is(self) -> None:
        """Nothing is chosen, and nothing more is stored."""
        book = SenderBook(senders(AMERICAN))
        assert ("acme",) == carried(book, sender=AMERICAN)

    def test_an_unregistered_one_is_refused_where_the_account_says_so(self) -> None:
        """Otherwise it is free. Another kind of the same value is another sender."""
        book = SenderBook(senders(AMERICAN))
        assert ("acme",) == carried(book, sender="Shop")
        assert Reason.SENDER_NOT_REGISTERED == reason(carried(book, sender="Shop", registered_only=True))
        assert ("acme",) == carried(book, sender=AMERICAN, registered_only=True)
        email = carried(book, sender=AMERICAN, channel=Channel.EMAIL, to="a@b.example", registered_only=True)
        assert Reason.SENDER_NOT_REGISTERED == reason(email)
        assert Reason.INVALID_SENDER == reason(carried(book, sender=AMERICAN, channel=Channel.EMAIL))

    def test_a_mailbox_is_found_by_its_normal_form(self) -> None:
        """As it was registered."""
        book = SenderBook(senders("care@shop.example"))
        found = carried(book, sender="care@SHOP.example", channel=Channel.EMAIL, registered_only=True)
        assert Carried(("acme",), "care@shop.example") == found

    def test_a_value_that_is_leased_in_several_countries_is_that_of_the_recipient(self) -> None:
        """Where it is leased in none of them, the refusal is the first one's."""
        book = SenderBook(senders(("12345", {"country": "US"}), ("12345", {"country": "GB"})))
        assert ("acme",) == carried(book, sender="12345", to=BRITISH)
        assert ("acme",) == carried(book, sender="12345", to=AMERICAN)
        assert Reason.SENDER_WRONG_KIND == reason(carried(book, sender="12345", to="+33612345678"))

    def test_a_sender_goes_through_its_own_providers(self) -> None:
        """In their order; without any of them there is no route."""
        book = SenderBook(senders((AMERICAN, {"providers": ("west",)})))
        assert ("west",) == carried(book, sender=AMERICAN, find=through("acme", "west"))
        assert Reason.NO_ROUTE == reason(carried(book, sender=AMERICAN, find=through("acme")))
        assert ("acme", "west") == carried(book, sender="Shop", find=through("acme", "west"))


class TestDefaults:
    """A message that names no sender."""

    def test_the_first_default_that_may_be_used_is(self) -> None:
        """By kind and country; what is no default is not used."""
        own = senders(BRITISH, (TOLL_FREE, {"default": True}), ("Shop", {"default": True}))
        book = SenderBook(own)
        assert Carried(("acme",), TOLL_FREE) == carried(book, to=AMERICAN)
        assert Carried(("acme",), "Shop") == carried(book, to=BRITISH)
        assert ("acme",) == carried(book, channel=Channel.EMAIL, to="a@b.example")

    def test_a_toll_free_default_needs_an_alphanumeric_sender_abroad(self) -> None:
        """Which the message can name."""
        book = SenderBook(senders((TOLL_FREE, {"default": True})))
        found = carried(book, to=BRITISH)
        assert Reason.SENDER_WRONG_KIND == reason(found)
        assert isinstance(found, SenderRefused)
        assert found.detail.endswith("name an alphanumeric sender")
        assert ("acme",) == carried(book, to=BRITISH, sender="Shop")

    def test_every_channel_has_its_own(self) -> None:
        """Mailboxes for email, applications for push."""
        book = SenderBook(
            senders(("care@shop.example", {"default": True}), ("com.shop.app", {"default": True}))
        )
        for channel, expected in (
            (Channel.EMAIL, "care@shop.example"),
            (Channel.PUSH, "com.shop.app"),
            (Channel.IN_APP, "com.shop.app"),
        ):
            assert Carried(("acme",), expected) == carried(book, channel=channel, to="x@y.example")
        assert ("acme",) == carried(book)


class TestPools:
    """A message that names a pool."""

    def test_a_recipient_gets_the_same_sender_each_time(self) -> None:
        """And the members share the recipients."""
        book = SenderBook(senders(*((value, POOL) for value in AMERICANS[:4])))
        first = [carried(book, sender_pool="care", to=f"+4477009{number:05}") for number in range(200)]
        again = [carried(book, sender_pool="care", to=f"+4477009{number:05}") for number in range(200)]
        assert first == again
        shares = Counter(each.sender for each in first if isinstance(each, Carried))
        assert set(AMERICANS[:4]) == shares.keys()
        assert min(shares.values()) > 25

    def test_a_new_member_takes_recipients_from_each_and_none_move_between_others(self) -> None:
        """As with any change of the pool, only those change who have to."""
        before, after = (PoolRanks(senders(*AMERICANS[:count])) for count in (4, 5))
        moved = Counter()
        for number in range(500):
            old, new = (ranks.order(f"+4477009{number:05}", None)[0].value for ranks in (before, after))
            assert new in {old, AMERICANS[4]}
            moved[new != old] += 1
        assert 50 < moved[True] < 150

    def test_the_kept_sender_goes_first(self) -> None:
        """Whatever the hash says, while it is in the pool."""
        book = SenderBook(senders(*((value, POOL) for value in AMERICANS[:4])))
        key = recipient_key(1, "care", BRITISH)
        for value in AMERICANS[:4]:
            assert Carried(("acme",), value) == carried(book, sender_pool="care", kept={key: value})
        fresh = carried(book, sender_pool="care")
        assert fresh == carried(book, sender_pool="care", kept={key: "+12025550199"})
        elsewhere = {recipient_key(1, "other", BRITISH): AMERICANS[0]}
        assert fresh == carried(book, sender_pool="care", kept=elsewhere)

    def test_a_member_that_is_wrong_for_the_recipient_is_passed_over(self) -> None:
        """Also the kept one, and one whose providers are not there."""
        book = SenderBook(
            senders((TOLL_FREE, POOL), (BRITISH, POOL), (AMERICAN, {**POOL, "providers": ("west",)}))
        )
        kept = {recipient_key(1, "care", BRITISH): TOLL_FREE}
        found = carried(book, sender_pool="care", kept=kept, find=through("acme"))
        assert Carried(("acme",), BRITISH) == found

    @pytest.mark.parametrize(
        ("pool", "words"),
        [
            ("none", "the account has no sender in the pool none"),
            ("mail", "the pool mail has no sender of SMS"),
            ("toll", "no sender of the pool toll may be used: a toll-free number reaches"),
        ],
    )
    def test_a_pool_without_a_sender_for_the_recipient_says_why(self, pool: str, words: str) -> None:
        """As each of its members, or the lack of any."""
        book = SenderBook(senders(("care@shop.example", {"pool": "mail"}), (TOLL_FREE, {"pool": "toll"})))
        found = carried(book, sender_pool=pool)
        assert Reason.SENDER_POOL_UNUSABLE == reason(found)
        assert isinstance(found, SenderRefused)
        assert found.detail.startswith(words)

    def test_a_pool_that_no_provider_carries_has_no_route(self) -> None:
        """Its senders would do."""
        book = SenderBook(senders((TOLL_FREE, POOL), (BRITISH, POOL)))
        assert Reason.NO_ROUTE == reason(carried(book, sender_pool="care", find=through()))

    def test_mms_takes_a_member_that_has_it(self) -> None:
        """Of the US or Canada."""
        mms = {**POOL, "capabilities": frozenset({SenderCapability.SMS, SenderCapability.MMS})}
        book = SenderBook(senders(*((value, POOL) for value in AMERICANS), (AMERICAN[:-1] + "9", mms)))
        found = carried(book, sender_pool="care", channel=Channel.MMS, to=AMERICAN)
        assert Carried(("acme",), AMERICAN[:-1] + "9") == found


def planned(book: SenderBook, asked: Submission) -> Plan:
    """The plan for a submission of an account with these senders."""
    decided = plan(
        asked,
        IdCounter().take(1 + len(asked.recipients)),
        Grounds(NOW_US, 10, everywhere, find_carriers=book.find),
    )
    assert isinstance(decided, Plan)
    return decided


class TestPlanning:
    """Senders in what becomes of each recipient."""

    def test_the_chosen_sender_stands_in_the_result(self) -> None:
        """And is stored with the message only where it is not the submission's."""
        book = SenderBook(senders((AMERICAN, {"default": True, **POOL})))
        for asked, stored in (
            (submission(), AMERICAN),
            (submission(sender_pool="care"), AMERICAN),
            (submission(sender=AMERICAN), None),
        ):
            (message,) = planned(book, asked).messages
            assert (AMERICAN, stored) == (message.result.sender, message.sender)
        (free,) = planned(book, submission(sender="Shop")).messages
        assert ("Shop", None) == (free.result.sender, free.sender)

    def test_one_recipient_may_be_refused_for_the_sender_and_others_not(self) -> None:
        """With the reason and the words for it."""
        asked = submission(
            recipients=(Recipient(phone_number=AMERICAN), Recipient(phone_number=BRITISH)), sender=TOLL_FREE
        )
        for book in (SenderBook(), SenderBook(senders(TOLL_FREE))):
            there, abroad = (each.result for each in planned(book, asked).messages)
            assert (None, Reason.SENDER_WRONG_KIND) == (there.reason, abroad.reason)
            assert "alphanumeric" in abroad.detail
            assert TOLL_FREE == abroad.sender

    def test_another_channel_is_taken_where_the_sender_is_none_of_the_first(self) -> None:
        """A pool may have senders of several."""
        book = SenderBook(senders(("care@shop.example", POOL)))
        both = Content({Channel.SMS: {"text": "x"}, Channel.EMAIL: {"subject": "x"}})
        person = Recipient(phone_number=BRITISH, email="a@b.example")
        (message,) = planned(
            book, submission(recipients=(person,), content=both, sender_pool="care")
        ).messages
        assert (Channel.EMAIL, "care@shop.example") == (message.result.channel, message.sender)

    def test_each_channel_that_a_message_may_go_on_by_has_its_own_sender(self) -> None:
        """Chosen by the same rules; a pool without one for a channel leaves that out."""
        both = Content({Channel.SMS: {"text": "x"}, Channel.EMAIL: {"subject": "x"}})
        person = Recipient(phone_number=BRITISH, email="a@b.example")
        asked = submission(recipients=(person,), content=both, fallback=ChannelFallback())
        number, mailbox = (AMERICAN, {"default": True}), ("care@shop.example", {"default": True})
        for given, first, second in (
            ([], None, None),
            ([number], AMERICAN, None),
            ([mailbox], None, "care@shop.example"),
            ([number, mailbox], AMERICAN, "care@shop.example"),
        ):
            (message,) = planned(SenderBook(senders(*given)), asked).messages
            assert (Channel.SMS, (Channel.EMAIL,)) == (
                message.result.channel,
                message.result.fallback_channels,
            )
            assert (first, [second]) == (message.sender, [each.sender for each in message.further])
        pool = SenderBook(senders((AMERICAN, POOL)))
        (message,) = planned(pool, replace(asked, sender_pool="care")).messages
        assert (AMERICAN, ()) == (message.sender, message.further)

    def test_recipients_of_a_pool_each_have_their_own(self) -> None:
        """Different ones, by one plan."""
        book = SenderBook(senders(*((value, POOL) for value in AMERICANS)))
        messages = planned(book, submission(recipients=phones(50), sender_pool="care")).messages
        assert len({each.sender for each in messages}) > 5


def test_a_key_of_a_recipient_is_its_own_in_each_account_and_pool() -> None:
    """The address cannot be read from it."""
    keys: Collection[str] = {
        recipient_key(account, pool, address)
        for account in (1, 2)
        for pool in ("a", "b")
        for address in (BRITISH, AMERICAN)
    }
    assert 8 == len(keys)
    assert {32} == set(map(len, keys))
    assert not any(BRITISH[1:] in key for key in keys)
