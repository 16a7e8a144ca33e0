"""The table of outcomes: what each number, mailbox and token leads to, now and when asked later."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.spi import (
    Accepted,
    Channel,
    Inbound,
    NotAccepted,
    Reason,
    Receipt,
    ReceiptMode,
    ReceiptStatus,
    Rejected,
    Unknown,
)
from waypost_sandbox import outcomes
from waypost_sandbox.outcomes import SCRIPTS, Profile, answer_to_query, chance, script_of

MINUTE_US = 60_000_000
LISTED = sorted(SCRIPTS)
NAMES = [SCRIPTS[digits].name for digits in LISTED]
PROFILES = st.builds(
    Profile,
    latency_s=st.floats(0, 10),
    jitter_s=st.floats(0, 10),
    failure_rate=st.sampled_from([0.0, 0.5, 1.0]),
    receipt_delay_s=st.floats(0, 10),
    seed=st.integers(0, 9),
)


def outcome_of(message, profile=Profile()):  # noqa: B008 - frozen
    """What submit answers, with the script looked up."""
    return outcomes.outcome_of(script_of(message.channel, message.recipient), message, profile)


def receipts_of(message, profile=Profile()):  # noqa: B008 - frozen
    """What is pushed, with the script looked up."""
    return outcomes.receipts_of(script_of(message.channel, message.recipient), message, profile)


def inbound_of(message, profile=Profile()):  # noqa: B008 - frozen
    """What is written back, with the script looked up."""
    return outcomes.inbound_of(script_of(message.channel, message.recipient), message, profile)


@pytest.mark.parametrize(
    ("digits", "answers"),
    [
        ("0000", "AAAAA"),
        ("0001", "RRRRR"),
        ("0002", "AAAAA"),
        ("0003", "NAAAA"),
        ("0004", "UUUUU"),
        ("0005", "AAAAA"),
        ("0006", "AAAAA"),
        ("0007", "AAAAA"),
        ("0008", "NNNAA"),
        ("0009", "RRRRR"),
        ("0010", "NNNNN"),
        ("0011", "AAAAA"),
        ("0012", "AAAAA"),
        ("0013", "AAAAA"),
        ("4711", "AAAAA"),
    ],
)
def test_each_number_answers_its_attempts_as_the_table_says(message, digits, answers):
    """Five attempts each, by the first letter of the outcome."""
    kinds = [type(outcome_of(message(f"+2782555{digits}", attempt=attempt))) for attempt in range(1, 6)]
    letters = {Accepted: "A", Rejected: "R", NotAccepted: "N", Unknown: "U"}
    assert answers == "".join(letters[kind] for kind in kinds)


def test_the_table_lists_every_number_and_name_of_the_contract():
    """Numbers run from 0000 to 0013, and no two share a name."""
    names = (
        "delivered rejected bounced retry ambiguous late twice early"
        " throttled optedout down silent replies stops"
    )
    assert {f"{number:04}": name for number, name in enumerate(names.split())} == {
        digits: script.name for digits, script in SCRIPTS.items()
    }


def test_a_recipient_who_opted_out_upstream_is_rejected_for_that(message):
    """The reason is the broker's own word; the provider's code and text come with it."""
    opted_out = Rejected(Reason.OPTED_OUT, "opted_out", "the recipient opted out at the sandbox")
    assert opted_out == outcome_of(message("+278255550009"))


def test_a_throttled_attempt_asks_for_a_second(message):
    """`retry_after_s` is what a Retry-After would carry."""
    assert outcome_of(message("+278255550008")).retry_after_s == 1.0


def test_a_plain_refusal_leaves_the_reason_to_the_provider(message):
    """0001 is refused by the provider, with a code and a text."""
    outcome = outcome_of(message("+278255550001"))
    assert (outcome.reason, outcome.code) == (Reason.REFUSED_BY_PROVIDER, "rejected")
    assert outcome.text


def test_the_readme_lists_every_number_with_its_name():
    """What people read is what the table holds."""
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{4}) \| `(\w+)@` \|", readme, re.MULTILINE)
    assert [(digits, SCRIPTS[digits].name) for digits in LISTED] == rows


@given(prefix=st.from_regex(r"\+[1-9][0-9]{2,10}", fullmatch=True), digits=st.sampled_from(LISTED))
def test_only_the_last_four_digits_of_a_number_count(prefix, digits):
    """Whatever the country code, for texts and picture messages alike."""
    assert SCRIPTS[digits] is script_of(Channel.SMS, prefix + digits)
    assert SCRIPTS[digits] is script_of(Channel.MMS, prefix + digits)


@given(number=st.from_regex(r"\+?[0-9][0-9 ().-]{3,20}", fullmatch=True))
def test_what_stands_between_the_digits_does_not_count(number):
    """A number as people write it has the script of its bare digits."""
    assert script_of(Channel.SMS, re.sub("[^0-9]", "", number)) is script_of(Channel.SMS, number)


@given(number=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).filter(lambda n: n[-4:] not in SCRIPTS))
def test_every_other_number_is_delivered(number):
    """No number outside the table surprises."""
    assert script_of(Channel.SMS, number).name == "delivered"


@pytest.mark.parametrize("name", NAMES)
def test_a_mailbox_is_known_by_its_local_part_in_any_case(name):
    """Whatever the domain."""
    assert name == script_of(Channel.EMAIL, f"{name.title()}@example.org").name
    assert name == script_of(Channel.EMAIL, f"{name.upper()}@a.example.com").name


def test_every_other_mailbox_is_delivered():
    """Digits mean nothing in a mailbox, and a name must be the whole local part."""
    for mailbox in ("0001@example.org", "jo.rejected@example.org", "jo@rejected.example.org"):
        assert script_of(Channel.EMAIL, mailbox).name == "delivered"


@pytest.mark.parametrize("channel", [Channel.PUSH, Channel.IN_APP])
def test_a_device_token_is_known_by_its_last_four_characters_or_a_name(channel):
    """Tokens are opaque, so nothing is stripped from them."""
    assert script_of(channel, "fcm:APA91b0002").name == "bounced"
    assert script_of(channel, "Bounced").name == "bounced"
    assert script_of(channel, "fcm:APA91b-00-02").name == "delivered"
    assert script_of(channel, "fcm:bounced-not").name == "delivered"


def test_a_delivered_message_gets_one_receipt_after_latency_and_delay(message):
    """The receipt names the attempt's id, the recipient, and the sandbox's own time."""
    sent = message("+278255554711")
    receipt = Receipt(
        "sb-01KAB3XQ8G000-1",
        ReceiptStatus.DELIVERED,
        recipient="+278255554711",
        time_us=sent.submitted_at_us + 3_500_000,
    )
    assert [(3.5, receipt)] == receipts_of(sent, Profile(latency_s=2.0, receipt_delay_s=1.5))


def test_a_bounced_message_gets_a_failure_with_code_and_text(message):
    """0002 is taken first."""
    ((_, receipt),) = receipts_of(message("+278255550002"))
    assert (receipt.status, receipt.code) == (ReceiptStatus.DELIVERY_FAILED, "bounced")
    assert receipt.text


def test_a_late_receipt_takes_five_seconds_or_the_profiles_longer_delay(message):
    """0005 is never sooner than everyone else's."""
    late = message("+278255550005")
    assert [5.0, 9.0] == [
        delay_s
        for profile in (Profile(), Profile(receipt_delay_s=9.0))
        for delay_s, _ in receipts_of(late, profile)
    ]


def test_a_receipt_that_comes_twice_is_the_same_both_times(message):
    """0006 repeats it a little later."""
    (first_s, first), (second_s, second) = receipts_of(message("+278255550006"))
    assert first == second
    assert first_s < second_s


def test_an_early_receipt_waits_for_nothing_but_the_latency(message):
    """0007 is reported by submit itself, before it answers."""
    profile = Profile(latency_s=2.0, receipt_delay_s=60.0)
    early = message("+278255550007")
    assert [2.0] == [delay_s for delay_s, _ in receipts_of(early, profile)]
    assert ["early"] == [script.name for script in SCRIPTS.values() if script.early]


@pytest.mark.parametrize("digits", ["0001", "0004", "0009", "0010", "0011"])
def test_what_was_refused_lost_or_silent_pushes_nothing(message, digits):
    """0004 too: only `query` tells what became of a lost answer."""
    assert receipts_of(message(f"+27825555{digits}")) == []


@pytest.mark.parametrize(("digits", "text"), [("0012", "YES"), ("0013", "STOP")])
def test_a_recipient_may_write_back_to_the_sender(message, digits, text):
    """The reply comes with the receipt and has an id of its own."""
    sent = message(f"+27825555{digits}")
    reply = Inbound(
        sender=sent.recipient,
        recipient="Acme",
        text=text,
        time_us=sent.submitted_at_us + 50_000,
        provider_message_id="sb-01KAB3XQ8G000-1-reply",
    )
    assert [(0.05, reply)] == inbound_of(sent)
    assert [0.05] == [delay_s for delay_s, _ in receipts_of(sent)]


def test_a_reply_to_a_message_without_sender_goes_to_the_sandbox(message):
    """An inbound message has some recipient."""
    ((_, reply),) = inbound_of(message("+278255550012", sender=""))
    assert reply.recipient == "sandbox"


def test_nobody_replies_to_what_was_not_taken(message):
    """A failure by chance comes before the script."""
    assert inbound_of(message("+278255550012"), Profile(failure_rate=1.0)) == []


@pytest.mark.parametrize("mode", [ReceiptMode.POLL, ReceiptMode.NONE])
def test_without_push_no_receipt_is_pushed_but_people_still_reply(message, mode):
    """A reply is no receipt."""
    sent = message("+278255550012")
    assert receipts_of(sent, Profile(receipts=mode)) == []
    assert len(inbound_of(sent, Profile(receipts=mode))) == 1


@given(digits=st.sampled_from([*LISTED, "4711"]), attempt=st.integers(1, 5), profile=PROFILES)
def test_query_refuses_exactly_what_submit_refused(message, digits, attempt, profile):
    """A restarted broker hears the answer that it missed."""
    sent = message(f"+27825555{digits}", attempt=attempt)
    answer, asked = outcome_of(sent, profile), answer_to_query(sent, profile, sent.submitted_at_us)
    if isinstance(answer, NotAccepted | Rejected):
        assert answer == asked
    else:
        assert not isinstance(asked, NotAccepted | Rejected | Unknown)


@given(digits=st.sampled_from([*LISTED, "4711"]), attempt=st.integers(1, 5), profile=PROFILES)
def test_query_tells_the_receipt_that_was_pushed_once_it_was_due(message, digits, attempt, profile):
    """One microsecond sooner the message is merely accepted, under the id that submit gave."""
    sent = message(f"+27825555{digits}", attempt=attempt)
    for _, receipt in receipts_of(sent, profile):
        accepted = Accepted((receipt.provider_message_id,))
        assert accepted == answer_to_query(sent, profile, receipt.time_us - 1)
        assert receipt == answer_to_query(sent, profile, receipt.time_us)
        assert accepted == outcome_of(sent, profile)


def test_query_tells_what_became_of_a_lost_answer(message):
    """0004: accepted with its id at first, delivered later."""
    sent = message("+278255550004")
    assert Accepted(("sb-01KAB3XQ8G000-1",)) == answer_to_query(sent, Profile(), sent.submitted_at_us)
    told = answer_to_query(sent, Profile(), sent.submitted_at_us + MINUTE_US)
    assert ("sb-01KAB3XQ8G000-1", ReceiptStatus.DELIVERED) == (told.provider_message_id, told.status)


def test_query_never_tells_more_of_a_silent_recipient_than_that_it_was_taken(message):
    """0011, however long one waits."""
    sent = message("+278255550011")
    answer = answer_to_query(sent, Profile(), sent.submitted_at_us + 10_000 * MINUTE_US)
    assert Accepted(("sb-01KAB3XQ8G000-1",)) == answer


def test_receipts_that_are_polled_for_are_told_by_query_and_those_that_do_not_exist_are_not(message):
    """The modes differ in `query` alone."""
    sent = message("+278255554711")
    later_us = sent.submitted_at_us + MINUTE_US
    assert isinstance(answer_to_query(sent, Profile(receipts=ReceiptMode.POLL), later_us), Receipt)
    assert isinstance(answer_to_query(sent, Profile(receipts=ReceiptMode.NONE), later_us), Accepted)


def test_query_does_not_need_the_ids_that_submit_gave(message):
    """With or without them the answer is the same."""
    sent = message("+278255554711")
    knowing = replace(sent, provider_message_ids=("sb-01KAB3XQ8G000-1",))
    later_us = sent.submitted_at_us + MINUTE_US
    assert answer_to_query(knowing, Profile(), later_us) == answer_to_query(sent, Profile(), later_us)


def test_the_failure_rate_is_the_share_of_submits_that_are_not_accepted(message):
    """Of 10,000 messages about 3,000; the seed makes the count exact from run to run."""
    profile = Profile(failure_rate=0.3, seed=7)
    sent = [message("+278255554711", message_id=f"01KAB3XQ{number:05}") for number in range(10_000)]
    failed = [isinstance(outcome_of(each, profile), NotAccepted) for each in sent]
    assert 2_800 < sum(failed) < 3_200
    again = [isinstance(outcome_of(each, profile), NotAccepted) for each in reversed(sent)]
    assert failed == again[::-1]


def test_chance_differs_by_seed_purpose_message_and_attempt(message):
    """What fails once does not fail for ever, and a slow message is no likelier to fail."""
    one = message("+278255554711")
    draws = {
        chance(0, "failure", one),
        chance(1, "failure", one),
        chance(0, "latency", one),
        chance(0, "failure", replace(one, attempt=2)),
        chance(0, "failure", replace(one, message_id="01KAB3XQ8G001")),
    }
    assert len(draws) == 5


@given(seed=st.integers(), message_id=st.text(max_size=20), attempt=st.integers(1, 100))
def test_chance_lies_between_nought_and_one(message, seed, message_id, attempt):
    """Never 1, so that a rate of 1 always strikes and a rate of 0 never."""
    drawn = chance(seed, "failure", message("+278255554711", message_id=message_id, attempt=attempt))
    assert 0 <= drawn < 1


@given(profile=PROFILES)
def test_latency_lies_between_the_profiles_latency_and_its_jitter(message, profile):
    """Jitter only adds."""
    latency_s = outcomes.latency_s_of(message("+278255554711"), profile)
    assert profile.latency_s <= latency_s <= profile.latency_s + profile.jitter_s


def test_no_answer_quotes_an_address():
    """Codes and texts are stored and logged; addresses stay out of them."""
    words = [
        answer.text
        for script in SCRIPTS.values()
        for answer in (script, script.busy, script.rejected, script.answer_lost)
        if answer is not None
    ]
    assert not [text for text in words if re.search("[0-9@]", text)]
