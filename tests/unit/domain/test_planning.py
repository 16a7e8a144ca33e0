"""What becomes of each recipient: channel, refusal, time, validity, and warnings."""

from typing import Any

import pytest

from broker.domain.carrying import FindCandidates
from broker.domain.directory import Card, Contact, ContactRef, Named
from broker.domain.encoding import Encoding
from broker.domain.fallback import ChannelFallback, PlannedWay
from broker.domain.fingerprint import fingerprint
from broker.domain.grounds import Grounds
from broker.domain.lifecycle import Fact, State
from broker.domain.plan import Plan, PlannedMessage
from broker.domain.planning import TooManyUnits, plan
from broker.domain.reaching import Reached
from broker.domain.submission import (
    Content,
    Recipient,
    Submission,
)
from broker.domain.vocabulary import Channel, Delegation, Reason, Traffic
from broker.testing.builders import NOW_US, SECOND_US, everywhere, phones, planned, sms, submission

NUMBER, MAILBOX, TOKEN = "+447700900123", "ada@example.com", "token-1"
EVERYBODY = Recipient(phone_number=NUMBER, email=MAILBOX, device_token=TOKEN)
DOCUMENTS: dict[Channel, dict[str, object]] = {
    Channel.SMS: {"text": "hello"},
    Channel.MMS: {"text": "hello"},
    Channel.EMAIL: {"subject": "hello"},
    Channel.PUSH: {"body": "hello"},
    Channel.IN_APP: {"body": "hello"},
}
ADDRESSES = {"phone_numbers": (NUMBER,), "emails": (MAILBOX,), "device_tokens": (TOKEN,)}


def content(*channels: Channel) -> Content:
    """What is said on these channels."""
    return Content({channel: DOCUMENTS[channel] for channel in channels})


def only(asked: Submission, **options: Any) -> PlannedMessage:
    """The one message of a plan."""
    (message,) = planned(asked, **options).messages
    return message


def serves(*channels: Channel) -> FindCandidates:
    """One provider serves these channels."""
    return lambda _asked, channel, _address, _message_id: ("acme",) if channel in channels else ()


class TestChannels:
    """Which channel a message goes by."""

    @pytest.mark.parametrize(
        ("channel", "address"),
        [
            (Channel.SMS, NUMBER),
            (Channel.MMS, NUMBER),
            (Channel.EMAIL, MAILBOX),
            (Channel.PUSH, TOKEN),
            (Channel.IN_APP, TOKEN),
        ],
    )
    def test_each_channel_uses_its_own_address(self, channel: Channel, address: str) -> None:
        """Of a recipient who has every kind."""
        message = only(submission(recipients=(EVERYBODY,), content=content(channel)))
        assert (channel, address, None) == (
            message.result.channel,
            message.result.recipient,
            message.result.reason,
        )

    @pytest.mark.parametrize(
        ("recipient", "address"),
        [
            (Recipient(phone_number=NUMBER, email=MAILBOX), MAILBOX),
            (Recipient(phone_number=NUMBER), NUMBER),
            (Recipient(device_token=f" {TOKEN} "), TOKEN),
        ],
    )
    def test_an_in_app_message_takes_whatever_names_the_person(
        self, recipient: Recipient, address: str
    ) -> None:
        """A token before a mailbox before a number."""
        message = only(submission(recipients=(recipient,), content=content(Channel.IN_APP)))
        assert address == message.result.recipient

    def test_the_callers_order_of_channels_counts(self) -> None:
        """Without one, it is that of the channels' numbers."""
        asked = {"recipients": (EVERYBODY,), "content": content(Channel.PUSH, Channel.SMS, Channel.EMAIL)}
        assert Channel.SMS == only(submission(**asked)).result.channel
        wanted = (Channel.EMAIL, Channel.SMS)
        assert Channel.EMAIL == only(submission(channels=wanted, **asked)).result.channel

    def test_a_channel_without_content_address_or_provider_is_passed_over(self) -> None:
        """The next one that has all three is taken."""
        asked = submission(
            recipients=(Recipient(phone_number=NUMBER, device_token=TOKEN),),
            content=content(Channel.SMS, Channel.EMAIL, Channel.PUSH),
            channels=(Channel.MMS, Channel.EMAIL, Channel.SMS, Channel.PUSH),
        )
        assert Channel.PUSH == only(asked, find_candidates=serves(Channel.EMAIL, Channel.PUSH)).result.channel

    def test_candidates_are_asked_for_with_all_that_matters(self) -> None:
        """The submission, the channel, the normal address and the message's id; the answer is kept in its order."""
        asked_for = []

        def find(*arguments: object) -> tuple[str, ...]:
            asked_for.append(arguments)
            return ("west", "east")

        asked = submission(provider="west", recipients=(EVERYBODY,))
        message = only(asked, find_candidates=find)
        assert [(asked, Channel.SMS, NUMBER, message.message_id)] == asked_for
        assert ("west", "east") == message.candidates

    def test_each_recipient_is_decided_by_itself(self) -> None:
        """In the order of the request, with the ids in that order."""
        people = (Recipient(phone_number=NUMBER), Recipient(phone_number="12"), Recipient(email=MAILBOX))
        made = planned(submission(recipients=people), [7, 8, 9, 10])
        assert (7, [8, 9, 10]) == (made.submission_id, [message.message_id for message in made.messages])
        assert [0, 1, 2] == [message.result.recipient_index for message in made.messages]
        expected = [None, Reason.INVALID_RECIPIENT, Reason.NO_ADDRESS]
        assert expected == [message.result.reason for message in made.messages]


class TestRefusals:
    """Why a recipient is refused."""

    @pytest.mark.parametrize(
        ("changes", "reason", "channel", "address"),
        [
            ({"recipients": (Recipient(phone_number="12"),)}, Reason.INVALID_RECIPIENT, Channel.SMS, "12"),
            ({"recipients": (Recipient(email=MAILBOX),)}, Reason.NO_ADDRESS, None, MAILBOX),
            ({"recipients": (Recipient(),)}, Reason.NO_ADDRESS, None, ""),
            ({"sender": "a much too long sender"}, Reason.INVALID_SENDER, Channel.SMS, "+447700900000"),
            ({"content": content(Channel.PUSH)}, Reason.NO_ADDRESS, None, "+447700900000"),
            ({"channels": (Channel.EMAIL,)}, Reason.CONTENT_UNSUPPORTED, None, "+447700900000"),
            (
                {"content": content(Channel.EMAIL), "recipients": (Recipient(email="nobody"),)},
                Reason.INVALID_RECIPIENT,
                Channel.EMAIL,
                "nobody",
            ),
            (
                {"content": content(Channel.PUSH), "recipients": (Recipient(device_token="  "),)},
                Reason.INVALID_RECIPIENT,
                Channel.PUSH,
                "  ",
            ),
        ],
    )
    def test_a_refusal_says_why(
        self, changes: dict[str, Any], reason: Reason, channel: Channel | None, address: str
    ) -> None:
        """With the channel it would have gone by, and the address as far as it is known."""
        message = only(submission(**changes))
        result = message.result
        assert (State.REJECTED, reason, reason.value) == (result.state, result.reason, result.detail)
        assert (channel, address) == (result.channel, result.recipient)
        assert (Fact.REFUSED, True) == (message.step.fact, message.step.end)

    def test_a_channel_that_nobody_serves_is_no_route(self) -> None:
        """Everything else about it is right."""
        assert Reason.NO_ROUTE is only(submission(), find_candidates=serves()).result.reason

    def test_the_first_choice_is_the_one_explained(self) -> None:
        """Where every channel fails for a reason of its own."""
        asked = submission(
            recipients=(Recipient(phone_number="12", email=MAILBOX),),
            content=content(Channel.SMS, Channel.EMAIL),
            channels=(Channel.EMAIL, Channel.SMS),
        )
        result = only(asked, find_candidates=serves(Channel.SMS)).result
        assert (Reason.NO_ROUTE, Channel.EMAIL, MAILBOX) == (result.reason, result.channel, result.recipient)

    def test_too_many_units_refuse_the_whole_submission(self) -> None:
        """With what is needed and what is allowed (C04)."""
        asked = submission(content=sms("x" * 460), recipients=phones(2))
        made = plan(asked, [1, 2, 3], Grounds(NOW_US, 3, everywhere))
        assert TooManyUnits(needed=4, allowed=3) == made
        allowed = plan(asked, [1, 2, 3], Grounds(NOW_US, 4, everywhere))
        assert isinstance(allowed, Plan)


class TestTimes:
    """When a message goes, and until when."""

    @pytest.mark.parametrize(
        ("ahead_us", "scheduled"),
        [
            (-SECOND_US, False),
            (0, False),
            (SECOND_US, False),
            (SECOND_US + 1, True),
            (3_600 * SECOND_US, True),
        ],
    )
    def test_a_time_within_the_slack_means_at_once(self, ahead_us: int, scheduled: bool) -> None:
        """To the microsecond; what is past goes at once too."""
        message = only(submission(schedule_at_us=NOW_US + ahead_us))
        expected = (State.SCHEDULED, NOW_US + ahead_us) if scheduled else (State.ACCEPTED, NOW_US)
        assert expected == (message.result.state, message.result.transmit_at_us)

    def test_a_recipients_own_time_comes_first(self) -> None:
        """Also where it is earlier, and where it means at once."""
        times = (NOW_US + 60 * SECOND_US, None, 0)
        people = tuple(Recipient(phone_number=NUMBER, schedule_at_us=each) for each in times)
        made = planned(submission(recipients=people, schedule_at_us=NOW_US + 90 * SECOND_US))
        expected = [NOW_US + 60 * SECOND_US, NOW_US + 90 * SECOND_US, NOW_US]
        assert expected == [message.result.transmit_at_us for message in made.messages]

    @pytest.mark.parametrize(
        ("traffic", "seconds"),
        [
            (Traffic.TRANSACTIONAL, 129_600),
            (Traffic.PROMOTIONAL, 129_600),
            (Traffic.CONVERSATIONAL, 129_600),
            (Traffic.PASSCODE, 600),
        ],
    )
    def test_validity_has_a_default_by_traffic(self, traffic: Traffic, seconds: int) -> None:
        """(C19)."""
        assert NOW_US + seconds * SECOND_US == only(submission(traffic=traffic)).expire_at_us

    def test_validity_counts_from_the_time_of_sending(self) -> None:
        """The caller's own, after the schedule."""
        message = only(submission(schedule_at_us=NOW_US + 90 * SECOND_US, validity_us=5))
        assert NOW_US + 90 * SECOND_US + 5 == message.expire_at_us


class TestResults:
    """What is answered about a message that is accepted."""

    @pytest.mark.parametrize(
        ("text", "encoding", "units", "warnings"),
        [
            ("hello", Encoding.GSM7, 1, ()),
            ("x" * 161, Encoding.GSM7, 2, ()),
            ("☃", Encoding.UCS2, 1, ("encoded as UCS-2: 1 part",)),
            ("☃" * 71, Encoding.UCS2, 2, ("encoded as UCS-2: 2 parts",)),
        ],
    )
    def test_a_text_is_measured(
        self, text: str, encoding: Encoding, units: int, warnings: tuple[str, ...]
    ) -> None:
        """Its encoding, its parts, and a warning where it costs more than it seems (C21)."""
        result = only(submission(content=sms(text))).result
        assert (encoding, units, warnings) == (result.encoding, result.units, result.warnings)

    def test_other_channels_have_one_unit_and_no_encoding(self) -> None:
        """Also where a text for SMS would need more."""
        both = Content({Channel.SMS: {"text": "☃" * 200}, Channel.EMAIL: {"subject": "x"}})
        result = only(submission(content=both, channels=(Channel.EMAIL,), recipients=(EVERYBODY,))).result
        assert (1, None, ()) == (result.units, result.encoding, result.warnings)

    def test_a_recipients_own_reference_and_data_come_first(self) -> None:
        """The submission's stand for the others."""
        people = (Recipient(phone_number=NUMBER, client_reference="mine", data="1"), *phones(1))
        made = planned(submission(recipients=people, client_reference="ours", data="2"))
        assert ["mine", "ours"] == [message.result.client_reference for message in made.messages]
        assert ["1", "2"] == [message.data for message in made.messages]

    def test_a_rehearsal_gives_no_ids(self) -> None:
        """Nothing will be stored under them."""
        assert only(submission(validate_only=True)).result.message_id is None

    def test_only_requests_with_an_id_get_a_fingerprint(self) -> None:
        """It costs time and has nothing to be compared with."""
        assert "" == planned(submission()).fingerprint
        asked = submission(request_id="r1")
        assert fingerprint(asked) == planned(asked).fingerprint


def somebody(reason: Reason | None = None, **card: Any) -> Reached:
    """A contact who is reached, at the primary addresses of its card."""
    contact = Contact(7, 1, 1, NOW_US, NOW_US, Card(**card))
    addresses = Recipient(
        *(next(iter(card.get(kind, ())), None) for kind in ("phone_numbers", "emails", "device_tokens"))
    )
    return Reached(0, addresses, contact, contact, reason)


class TestPeople:
    """Contacts instead of addresses."""

    @pytest.mark.parametrize(
        ("asked", "preferred", "card", "expected"),
        [
            ((Channel.SMS, Channel.EMAIL), (Channel.EMAIL,), ADDRESSES, Channel.SMS),
            ((), (Channel.EMAIL, Channel.SMS), ADDRESSES, Channel.EMAIL),
            ((), (Channel.PUSH, Channel.EMAIL), ADDRESSES, Channel.EMAIL),
            ((), (Channel.EMAIL,), {"phone_numbers": (NUMBER,)}, Channel.SMS),
            ((), (), ADDRESSES, Channel.SMS),
            ((), (Channel.PUSH,), ADDRESSES, Channel.SMS),
        ],
        ids=["request", "contact", "no content", "no address", "no preference", "preference without content"],
    )
    def test_the_request_then_the_contact_then_the_content_picks_the_channel(
        self, asked: tuple[Channel, ...], preferred: tuple[Channel, ...], card: Any, expected: Channel
    ) -> None:
        """The next one where the contact has no address for it."""
        message = only(
            submission(channels=asked, content=content(Channel.EMAIL, Channel.SMS)),
            people=[somebody(channels=preferred, **card)],
        )
        assert (expected, 7) == (message.result.channel, message.result.contact_id)

    def test_several_people_of_one_recipient_share_what_it_says_of_its_own(self) -> None:
        """Reference, data and time are the recipient's, each message has an id of its own."""
        recipient = Recipient(
            contact=Named(ContactRef(5)),
            client_reference="own",
            data="{}",
            schedule_at_us=NOW_US + 60 * SECOND_US,
        )
        asked = submission(recipients=(recipient,), client_reference="all", data="all")
        people = [somebody(phone_numbers=(number,)) for number in (NUMBER, "+447700900124")]
        messages = planned(asked, [1, 2, 3], people=people).messages
        assert [(2, 0, NUMBER), (3, 0, "+447700900124")] == [
            (each.message_id, each.result.recipient_index, each.result.recipient) for each in messages
        ]
        for each in messages:
            assert ("own", "{}", State.SCHEDULED) == (
                each.result.client_reference,
                each.data,
                each.result.state,
            )

    @pytest.mark.parametrize("reason", [Reason.CONTACT_NOT_FOUND, Reason.NO_DELEGATE])
    def test_nobody_is_a_refusal(self, reason: Reason) -> None:
        """With the reason and its words, to no address."""
        message = only(submission(), people=[somebody(reason, phone_numbers=(NUMBER,))])
        result = message.result
        assert (State.REJECTED, reason, reason.value) == (result.state, result.reason, result.detail)
        assert (None, "", ()) == (result.channel, result.recipient, message.candidates)

    def test_a_contact_without_a_fitting_address_is_refused(self) -> None:
        """It stays the contact's message."""
        result = only(submission(), people=[somebody(emails=(MAILBOX,))]).result
        assert (Reason.NO_ADDRESS, 7) == (result.reason, result.contact_id)


class TestFallback:
    """The channels that a message may go on by."""

    def test_those_behind_the_first_that_would_do(self) -> None:
        """In the caller's order, each with its own address, units and candidates."""
        asked = submission(
            recipients=(EVERYBODY,),
            content=content(Channel.SMS, Channel.EMAIL, Channel.PUSH),
            channels=(Channel.EMAIL, Channel.PUSH, Channel.SMS),
            fallback=ChannelFallback(),
        )
        message = only(asked)
        assert (Channel.EMAIL, (Channel.PUSH, Channel.SMS)) == (
            message.result.channel,
            message.result.fallback_channels,
        )
        assert (
            PlannedWay(Channel.PUSH, TOKEN, ("acme",), 1, None),
            PlannedWay(Channel.SMS, NUMBER, ("acme",), 1, Encoding.GSM7),
        ) == message.further

    def test_without_an_address_or_a_provider_a_channel_is_none(self) -> None:
        """Nor is one whose address is malformed."""
        asked = submission(
            recipients=(Recipient(phone_number=NUMBER, email="nobody"),),
            content=content(*Channel),
            fallback=ChannelFallback(),
        )
        served = serves(Channel.SMS, Channel.EMAIL, Channel.PUSH)
        assert (Channel.SMS, ()) == (
            only(asked, find_candidates=served).result.channel,
            only(asked, find_candidates=served).result.fallback_channels,
        )

    def test_the_order_of_a_contact_counts(self) -> None:
        """Where the caller has no wish of its own."""
        asked = submission(
            recipients=(Recipient(contact=Named(ContactRef(contact_id=1), Delegation.DIRECT)),),
            content=content(Channel.SMS, Channel.EMAIL),
            fallback=ChannelFallback(),
            names_contacts=True,
        )
        contact = Contact(7, 1, 1, NOW_US, NOW_US, Card(channels=(Channel.EMAIL,)))
        someone = Reached(0, Recipient(phone_number=NUMBER, email=MAILBOX), contact)
        message = only(asked, people=[someone])
        assert (Channel.EMAIL, (Channel.SMS,)) == (message.result.channel, message.result.fallback_channels)

    def test_without_the_wish_there_are_none(self) -> None:
        """Whatever would do."""
        asked = submission(recipients=(EVERYBODY,), content=content(Channel.SMS, Channel.EMAIL))
        assert ((), ()) == (only(asked).result.fallback_channels, only(asked).further)

    def test_it_is_part_of_what_was_asked_for(self) -> None:
        """Another time is another request."""
        wishes = (None, ChannelFallback(), ChannelFallback(1), ChannelFallback(2))
        assert 4 == len({fingerprint(submission(fallback=each)) for each in wishes})
