"""Send on the wire: what intake gets, what the caller gets, and who may."""

from dataclasses import replace

import grpc
import pytest

from broker.domain.ids import format_id
from broker.domain.lifecycle import State
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.vocabulary import Channel, Reason
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import channel_pb2, send_pb2, status_pb2

SEND = "BrokerService/Send"


async def test_an_accepted_message_is_answered_with_its_id_and_all_that_intake_decided(api, sms):
    """Every field of the result reaches the caller."""
    response = await api.call(SEND, sms(client_reference="order-1"), send_pb2.SendResponse)
    (result,) = response.results
    assert format_id(1000) == result.message_id
    assert status_pb2.MESSAGE_STATUS_ACCEPTED == result.status
    assert "+447700900123" == result.recipient
    assert channel_pb2.CHANNEL_SMS == result.channel
    assert channel_pb2.ENCODING_GSM7 == result.encoding
    assert ("order-1", 1, 1_790_000_000) == (
        result.client_reference,
        result.units,
        result.transmit_time.seconds,
    )


async def test_intake_gets_the_submission_of_the_callers_own_account(api, sms):
    """An empty account_id is the key's account."""
    await api.call(SEND, sms())
    expected = Submission(
        1, (Recipient("+447700900123"),), Content({Channel.SMS: {"text": "Your parcel is on its way"}})
    )
    assert [[expected]] == api.intake.batches


async def test_a_refused_recipient_is_a_result_and_not_an_error(api, sms):
    """It has a reason, warnings and no time of transmission."""

    def refuse(submission):
        return [
            replace(
                each,
                state=State.REJECTED,
                reason=Reason.OPTED_OUT,
                detail="stop",
                warnings=("w",),
                sender="Shop",
            )
            for each in accept(submission)
        ]

    accept, api.intake.answer = api.intake.answer, refuse
    response = await api.call(SEND, sms(), send_pb2.SendResponse)
    (result,) = response.results
    assert (status_pb2.MESSAGE_STATUS_REJECTED, status_pb2.REASON_OPTED_OUT) == (result.status, result.reason)
    assert ("stop", ["w"], "Shop", False) == (
        result.detail,
        list(result.warnings),
        result.sender,
        result.HasField("transmit_time"),
    )


async def test_validate_only_results_have_no_message_id(api, sms):
    """Nothing was stored, so there is nothing to look up."""
    accept = api.intake.answer
    api.intake.answer = lambda submission: [replace(each, message_id=None) for each in accept(submission)]
    response = await api.call(SEND, sms(validate_only=True), send_pb2.SendResponse)
    assert (True, "") == (api.intake.batches[0][0].validate_only, response.results[0].message_id)


async def test_a_refusal_of_the_whole_call_is_a_status(api, sms):
    """What intake answers as BrokerError reaches the caller with code, reason, metadata and violations."""
    api.intake.answer = lambda _: BrokerError(
        ErrorReason.TOO_MANY_UNITS,
        "needs 11 units",
        violations=[Violation("content.sms.text", "needs 11 units; at most 10 are allowed")],
        metadata={"units_needed": "11"},
    )
    refusal = await api.call(SEND, sms())
    assert (grpc.StatusCode.INVALID_ARGUMENT, "TOO_MANY_UNITS") == (refusal.code, refusal.reason)
    assert {"units_needed": "11"} == dict(refusal.info.metadata)
    assert {"content.sms.text": "needs 11 units; at most 10 are allowed"} == refusal.violations


async def test_a_broken_rule_never_reaches_intake(api, sms):
    """All broken rules are told at once, each with its field."""
    refusal = await api.call(SEND, sms(recipients=[], client_reference="x" * 129))
    assert grpc.StatusCode.INVALID_ARGUMENT == refusal.code
    assert {"recipients", "client_reference"} == refusal.violations.keys()
    assert [] == api.intake.batches


async def test_a_defect_is_internal_and_says_nothing_of_the_message(api, sms, capsys):
    """The caller gets ErrorInfo, the log gets the place, and neither gets the text."""
    api.intake.failure = ValueError("could not store 'Your parcel'")
    refusal = await api.call(SEND, sms())
    assert (grpc.StatusCode.INTERNAL, "INTERNAL_ERROR") == (refusal.code, refusal.reason)
    logged = capsys.readouterr().out
    assert "rpc.defect" in logged
    assert "ValueError" in logged
    assert "/waypost.v1.BrokerService/Send" in logged
    assert "Your parcel" not in logged + refusal.message


@pytest.mark.parametrize(
    ("key", "code", "reason"),
    [
        ("admin-key", None, ""),
        ("partner-key", None, ""),
        ("send-key", None, ""),
        ("read-key", grpc.StatusCode.PERMISSION_DENIED, "ROLE_INSUFFICIENT"),
        ("no-such-key", grpc.StatusCode.UNAUTHENTICATED, "KEY_INVALID"),
        (None, grpc.StatusCode.UNAUTHENTICATED, "KEY_MISSING"),
    ],
)
async def test_only_keys_that_may_send_send(api, sms, key, code, reason):
    """The matrix of keys for a method that changes something."""
    answer = await api.call(SEND, sms(), key=key)
    if code is None:
        assert isinstance(answer, bytes)
    else:
        assert (code, reason, []) == (answer.code, answer.reason, api.intake.batches)


@pytest.mark.parametrize(
    ("key", "account", "used"),
    [
        ("admin-key", 1, 1),
        ("admin-key", 2, 2),
        ("admin-key", 3, None),
        ("partner-key", 1, 1),
        ("partner-key", 2, None),
        ("partner-key", 4, 4),
        ("send-key", 4, None),
        ("send-key", 1, 1),
        ("send-key", 2, None),
        ("send-key", 3, None),
    ],
)
async def test_a_key_sends_for_the_accounts_that_it_may_act_for(api, sms, key, account, used):
    """For all others an account that exists and one that does not look the same."""
    answer = await api.call(SEND, sms(account_id=format_id(account)), key=key)
    if used is None:
        assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == (answer.code, answer.reason)
        assert "there is no such account" == answer.message
    else:
        assert used == api.intake.batches[0][0].account_id


async def test_an_account_id_that_names_nothing_is_not_found(api, sms):
    """It needs no form of its own to be unknown."""
    answer = await api.call(SEND, sms(account_id="nonsense"), key="admin-key")
    assert (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND") == (answer.code, answer.reason)
