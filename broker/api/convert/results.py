"""Results → SendResponse."""

from collections.abc import Sequence
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp

from broker.api.convert.times import timestamp
from broker.api.convert.words import PB_CHANNELS, PB_ENCODINGS, PB_REASONS, PB_STATUSES
from broker.domain.ids import format_id
from broker.domain.submission import Result
from waypost.v1 import send_pb2


def send_response(results: Sequence[Result]) -> send_pb2.SendResponse:
    """What became of a SendRequest."""
    return send_pb2.SendResponse(results=[_send_result(result) for result in results])


def _send_result(result: Result) -> send_pb2.SendResult:
    message = send_pb2.SendResult(
        recipient_index=result.recipient_index,
        message_id="" if result.message_id is None else format_id(result.message_id),
        status=PB_STATUSES[result.state],
        recipient=result.recipient,
        channel=PB_CHANNELS[result.channel],
        units=result.units,
        encoding=PB_ENCODINGS[result.encoding],
        # What was refused is due at no time.
        transmit_time=None if result.reason else _timestamp(result.transmit_at_us),
    )
    if result.reason:
        message.reason = PB_REASONS[result.reason]
        message.detail = result.detail
    if result.client_reference:
        message.client_reference = result.client_reference
    if result.warnings:
        message.warnings.extend(result.warnings)
    return message


@lru_cache(maxsize=64)  # what goes at once is due at the time of its call
def _timestamp(time_us: int) -> Timestamp:
    return timestamp(time_us)
