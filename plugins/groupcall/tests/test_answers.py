"""What Groupcall's answers say of messages."""

import json

import pytest

from broker.spi import Accepted, NotAccepted, Reason, Rejected, Unknown
from waypost_groupcall.answers import Reading, outcomes, refuses_all, remark
from waypost_groupcall.words import ANSWERS

MESSAGE_ID = "1261.20221107.02517344439098830760-9616fca7b64f405fa9116059403a868f"
SECRET = "key-of-the-customer"
PRINTED = {
    "MessageSentId": 0,
    "MessageId": MESSAGE_ID,
    "statusMsg": "In Queue",
    "transmitDateTime": "2022-11-07T21:34:51.3826134Z",
    "ClientRef": "5E4F539B-E2D1-4178-B31F-244E8E403A9F",
    "WarningMessages": [],
}
REFUSED = PRINTED | {
    "MessageId": None,
    "statusMsg": None,
    "ClientRef": None,
    "errorMsg": "Data is not valid, no messages sent",
}


def told(document, *messages, status=200, headers=None, words=ANSWERS):
    """The outcomes of an answer."""
    reading = Reading(words, (SECRET,))
    return outcomes(status, headers or {}, json.dumps(document).encode(), messages, reading, 0)


def result(message, **changes):
    """A result for a message."""
    key = message.idempotency_key
    return {**PRINTED, "MessageId": f"1362.{key}", "ClientRef": key, **changes}


@pytest.mark.covers("answer.MessageId", "answer.statusMsg", "answer.InQueue", "answer.ClientRef")
def test_the_printed_answer_is_an_acceptance(message):
    """Under MessageId, whatever the case of the status; our reference is another name of the message."""
    one = message()
    expected = [Accepted((MESSAGE_ID,), aliases=(one.idempotency_key,))]
    assert expected == told(PRINTED, one)
    assert expected == told([PRINTED | {"statusMsg": " in queue "}], one)


@pytest.mark.covers("answer.MessageSentId", "answer.MessageId")
@pytest.mark.parametrize(
    ("sent_id", "kept"), [(0, ()), ("0", ()), (None, ()), (True, ()), (4711, ("4711",)), ("s7", ("s7",))]
)
def test_both_ids_are_kept(message, sent_id, kept):
    """MessageSentId too, once it is one: the sample prints 0."""
    one = message()
    (found,) = told(PRINTED | {"MessageSentId": sent_id}, one)
    assert Accepted((MESSAGE_ID,), aliases=(*kept, one.idempotency_key)) == found


@pytest.mark.covers("answer.WarningMessages")
def test_warnings_are_warnings(message):
    """The message is accepted; they are told beside, without numbers and mailboxes."""
    warnings = ["Sent as Unicode", "No consent of +447700900123 or a@example.org", 7]
    (found,) = told(PRINTED | {"WarningMessages": warnings}, message())
    assert isinstance(found, Accepted)
    assert ("In Queue", "Sent as Unicode; No consent of … or …") == (found.code, found.text)


@pytest.mark.covers("answer.WarningMessages")
@pytest.mark.parametrize("quoted", ["Hello", SECRET])
def test_a_warning_that_quotes_what_is_private_is_left_out(message, quoted):
    """The text of the message, or a secret."""
    (found,) = told(PRINTED | {"WarningMessages": [f"what is {quoted}?"]}, message())
    assert isinstance(found, Accepted)
    assert ("", "") == (found.code, found.text)


def test_a_remark_is_bounded():
    """In length, to one line, and to text."""
    assert "a" * 200 == remark("a" * 500, ())
    assert "ab" == remark("a\nb", ())
    assert "" == remark({"a": 1}, ())


@pytest.mark.covers("answer.InQueue", "answer.errors")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"statusMsg": "Teleported"}, Unknown("unknown_status")),
        ({"statusMsg": None}, Unknown("unknown_status")),
        ({"MessageId": None}, Unknown("no_id")),
        ({"MessageId": "", "statusMsg": None}, Unknown("no_id")),
        ({"MessageId": None, "statusMsg": None, "errorMsg": "Something else"}, Unknown("no_id")),
        (
            {"MessageId": None, "statusMsg": None, "errorMsg": "Data is not valid, no messages sent"},
            NotAccepted(code="Data is not valid, no messages sent"),
        ),
        (
            {
                "MessageId": None,
                "statusMsg": None,
                "WarningMessages": ["Customer does not allow sending SMS"],
            },
            NotAccepted(code="Customer does not allow sending SMS"),
        ),
        (
            {"MessageId": None, "statusMsg": "Recipient has opted out"},
            Rejected(Reason.OPTED_OUT, "Recipient has opted out"),
        ),
    ],
)
def test_a_status_is_not_guessed_at(message, changes, expected):
    """What no table knows is Unknown and not quoted; a message without an id was taken only if somebody says so."""
    assert [expected] == told(PRINTED | changes, message())


@pytest.mark.covers("answer.errors")
def test_words_are_settings(message, customer):
    """For those that are met and not printed."""
    words = customer(answers={"Bad number": "rejected", "In Queue": "not_accepted"}).known_answers
    refused = PRINTED | {"MessageId": None, "statusMsg": "BAD NUMBER"}
    assert [Rejected(Reason.REFUSED_BY_PROVIDER, "BAD NUMBER")] == told(refused, message(), words=words)
    assert [NotAccepted(code="In Queue")] == told(PRINTED, message(), words=words)


@pytest.mark.covers("answer.ClientRef", "principles.batching")
class TestSeveral:
    """Answers to a request of several messages."""

    def test_results_are_told_by_their_reference(self, message):
        """In whatever order; what has none is Unknown."""
        one, two, three = message(1), message(2), message(3)
        ids = [
            each.provider_message_ids if isinstance(each, Accepted) else each
            for each in told([result(three), result(one)], one, two, three)
        ]
        assert [
            (f"1362.{one.idempotency_key}",),
            Unknown("no_result"),
            (f"1362.{three.idempotency_key}",),
        ] == ids

    def test_results_without_references_are_told_by_their_order(self, message):
        """Where there are as many as messages."""
        one, two = message(1), message(2)
        results = [result(one, ClientRef=None), result(two, ClientRef=None, statusMsg="Teleported")]
        first, second = told(results, one, two)
        assert isinstance(first, Accepted)
        assert (f"1362.{one.idempotency_key}",) == first.provider_message_ids
        assert Unknown("unknown_status") == second

    @pytest.mark.parametrize("document", [PRINTED, [], "OK", None, [PRINTED] * 3])
    def test_an_answer_of_another_size_tells_nothing(self, message, document):
        """Whose id it would be is not to be guessed."""
        assert [Unknown("unreadable")] * 2 == told(document, message(1), message(2))

    def test_a_refusal_of_one_message_says_nothing_of_the_others(self, message):
        """They may have been taken."""
        one, two = message(1), message(2)
        refused = REFUSED | {"ClientRef": two.idempotency_key}
        found = told([refused], one, two)
        assert [Unknown("no_result"), NotAccepted(code="Data is not valid, no messages sent")] == found

    def test_a_refusal_of_the_whole_request_is_for_each(self, message):
        """No messages sent means none of them."""
        found = told([REFUSED], message(1), message(2))
        assert [NotAccepted(code="Data is not valid, no messages sent")] * 2 == found


@pytest.mark.covers("auth.onBehalf", "answer.errors")
def test_what_is_refused_to_one_customer_says_nothing_of_the_instance(message):
    """Where it sends for several: its health is that of all of them."""
    body = json.dumps(REFUSED).encode()
    (found,) = outcomes(200, {}, body, [message()], Reading(ANSWERS, of_several=True), 0)
    assert NotAccepted(code="Data is not valid, no messages sent", about_message=True) == found


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [
        (400, {"Message": "no"}, True),
        (200, REFUSED, True),
        (200, [REFUSED], True),
        (200, [REFUSED, REFUSED], False),
        (200, PRINTED, False),
        (200, {**REFUSED, "errorMsg": "Something else"}, False),
        (200, {**REFUSED, "ClientRef": "01KAB3XQ00001"}, False),
        (200, {**REFUSED, "MessageId": "x", "statusMsg": "Recipient has opted out"}, False),
        (200, "no", False),
        (401, {}, False),
        (500, {}, False),
    ],
)
def test_a_request_is_split_only_where_nothing_of_it_was_taken(status, document, expected):
    """And where its words are to blame: credentials would be refused each time."""
    assert expected is refuses_all(status, json.dumps(document).encode(), Reading(ANSWERS))


@pytest.mark.covers("http.statuses")
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((each, Rejected) for each in (400, 413, 422)),
        *((each, NotAccepted) for each in (401, 402, 403, 404, 405, 429)),
        *((each, Unknown) for each in (201, 204, 302, 406, 418, 500, 502, 503, 504)),
    ],
)
def test_what_a_status_means(message, status, kind):
    """The document prints none but 200: what is not surely a refusal is Unknown."""
    (found,) = told({"Message": "no"}, message(), status=status)
    assert (kind, f"http_{status}") == (type(found), getattr(found, "code", ""))


@pytest.mark.covers("http.statuses")
def test_a_pause_that_is_asked_for_is_passed_on(message):
    """In seconds."""
    (found,) = told({}, message(), status=429, headers={"Retry-After": "7"})
    assert isinstance(found, NotAccepted)
    assert 7 == found.retry_after_s
