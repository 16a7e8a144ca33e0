"""BrokerError → status and SendError, and that no error outgrows a trailer."""

import base64

import grpc
import pytest
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from broker.api.status import CODES, grpc_status, send_error, status_message
from broker.errors import BrokerError, ErrorReason, Violation

TRAILER_BYTES_MAX = 8_192


def details(error):
    found = {}
    for detail in status_message(error).details:
        kind = getattr(error_details_pb2, detail.TypeName().removeprefix("google.rpc."))
        found[kind.__name__] = kind.FromString(detail.value)
    return found


def test_every_reason_has_a_code():
    """None is OK, UNKNOWN or a code that only gRPC itself gives."""
    assert set(ErrorReason) == CODES.keys()
    assert not {grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED} & set(CODES.values())


@pytest.mark.parametrize("reason", list(ErrorReason), ids=lambda reason: reason.name)
def test_every_refusal_says_its_reason_and_its_default_message(reason):
    """ErrorInfo with our domain, always."""
    error = BrokerError(reason, metadata={"a": "b"})
    info = details(error)["ErrorInfo"]
    assert (reason.name, "waypost", {"a": "b"}) == (info.reason, info.domain, dict(info.metadata))
    assert (CODES[reason], reason.value) == (grpc_status(error).code, grpc_status(error).details)


@pytest.mark.parametrize("reason", list(ErrorReason), ids=lambda reason: reason.name)
def test_details_come_where_they_apply(reason):
    """RetryInfo where repeating helps, QuotaFailure and PreconditionFailure with their codes."""
    code = CODES[reason]
    found = details(BrokerError(reason)).keys()
    retryable = code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert retryable == ("RetryInfo" in found)
    assert (code is grpc.StatusCode.RESOURCE_EXHAUSTED) == ("QuotaFailure" in found)
    assert (code is grpc.StatusCode.FAILED_PRECONDITION) == ("PreconditionFailure" in found)


def test_a_retry_delay_is_told_as_it_was_given():
    """Also on a reason that has none of its own."""
    retry = details(BrokerError(ErrorReason.REQUEST_ID_REUSED, retry_after_s=0.25))["RetryInfo"]
    assert 250_000_000 == retry.retry_delay.nanos


def test_the_message_is_the_first_broken_rule_where_nothing_else_was_said():
    """For people whose tools do not show details."""
    violations = [Violation("a", "is bad"), Violation("b", "is worse")]
    assert (
        "a: is bad (and 1 more)"
        == grpc_status(BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)).details
    )
    assert (
        "own words"
        == grpc_status(BrokerError(ErrorReason.INVALID_REQUEST, "own words", violations=violations)).details
    )


def test_at_most_20_violations_are_told_and_how_many_more_there_are():
    """In a status and in a SendError alike."""
    error = BrokerError(
        ErrorReason.INVALID_REQUEST, violations=[Violation(f"f{n}", "bad") for n in range(25)]
    )
    told = [(each.field, each.description) for each in details(error)["BadRequest"].field_violations]
    expected = [*((f"f{n}", "bad") for n in range(20)), ("", "and 5 more")]
    assert expected == told
    assert expected == [(each.field, each.description) for each in send_error(error).field_violations]


def test_20_violations_are_all_told():
    """The other side of the limit."""
    error = BrokerError(
        ErrorReason.INVALID_REQUEST, violations=[Violation(f"f{n}", "bad") for n in range(20)]
    )
    assert 20 == len(details(error)["BadRequest"].field_violations)


def test_a_send_error_has_a_delay_only_where_repeating_helps():
    """As RetryInfo."""
    assert 1 == send_error(BrokerError(ErrorReason.QUEUE_FULL)).retry_delay.seconds
    assert not send_error(BrokerError(ErrorReason.INVALID_REQUEST)).HasField("retry_delay")


@given(
    st.sampled_from(ErrorReason),
    st.text(max_size=2_000),
    st.lists(st.builds(Violation, st.text(max_size=500), st.text(max_size=500)), max_size=60),
    st.dictionaries(st.text(max_size=300), st.text(max_size=300), max_size=20),
)
def test_no_error_outgrows_a_trailer(reason, message, violations, metadata):
    """Details after base64 and the message after percent-encoding, together."""
    check_size(BrokerError(reason, message, violations=violations, metadata=metadata))


@pytest.mark.parametrize("character", ["a", "\n", "ä", "日", "😀"])
def test_not_even_the_longest_error_outgrows_a_trailer(character):
    """Whatever a character weighs."""
    long = character * 10_000
    check_size(
        BrokerError(
            ErrorReason.SUBSCRIBERS_FULL,
            long,
            violations=[Violation(long, long)] * 1_000,
            metadata={f"{number}{long}": long for number in range(20)},
        )
    )


def check_size(error):
    status = grpc_status(error)
    packed = status.trailing_metadata[0][1]
    percent_encoded = sum(
        1 if " " <= each <= "~" and each != "%" else 3 * len(each.encode()) for each in status.details
    )
    assert len(base64.b64encode(packed)) + percent_encoded < TRAILER_BYTES_MAX
