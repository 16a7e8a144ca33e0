"""Results → SendResponse."""

from collections.abc import Sequence

from broker.api.convert.times import timestamp
from broker.api.convert.words import PB_CHANNELS, PB_ENCODINGS, PB_REASONS, PB_STATUSES
from broker.domain.ids import format_id
from broker.domain.lifecycle import State
from broker.domain.submission import Result
from waypost.v1 import send_pb2


def send_response(results: Sequence[Result]) -> send_pb2.SendResponse:
    """What became of a SendRequest."""
    return send_pb2.SendResponse(results=[_send_result(result) for result in results])


def _send_result(result: Result) -> send_pb2.SendResult:
    refused = result.state is State.REJECTED
    return send_pb2.SendResult(
        recipient_index=result.recipient_index,
        message_id="" if result.message_id is None else format_id(result.message_id),
        status=PB_STATUSES[result.state],
        reason=PB_REASONS[result.reason],
        detail=result.detail,
        recipient=result.recipient,
        channel=PB_CHANNELS[result.channel],
        # What was refused is due at no time.
        transmit_time=None if refused else timestamp(result.transmit_at_us),
        client_reference=result.client_reference,
        units=result.units,
        encoding=PB_ENCODINGS[result.encoding],
        warnings=result.warnings,
    )
