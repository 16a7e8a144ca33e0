"""Results → SendResponse."""

from collections.abc import Sequence

from broker.api.convert.times import set_timestamp
from broker.api.convert.words import PB_CHANNELS, PB_ENCODINGS, PB_REASONS, PB_STATUSES
from broker.domain.ids import format_id
from broker.domain.submission import Result
from waypost.v1 import send_pb2


def send_response(results: Sequence[Result]) -> send_pb2.SendResponse:
    """What became of a SendRequest."""
    response = send_pb2.SendResponse()
    add_results(response, results)
    return response


def add_results(response: send_pb2.SendResponse, results: Sequence[Result]) -> None:
    """Add what became of a SendRequest to a response that may be part of a frame already.

    Fields are set one by one on a message in its place: protobuf copies what is made elsewhere and takes
    keywords apart, which together took three times as long.
    """
    add = response.results.add
    for result in results:
        message = add()
        message.recipient_index = result.recipient_index
        if result.message_id is not None:
            message.message_id = format_id(result.message_id)
        message.status = PB_STATUSES[result.state]
        message.recipient = result.recipient
        message.channel = PB_CHANNELS[result.channel]
        if result.contact_id is not None:
            message.contact_id = format_id(result.contact_id)
        message.client_reference = result.client_reference
        message.units = result.units
        message.encoding = PB_ENCODINGS[result.encoding]
        if result.reason is None:
            set_timestamp(message.transmit_time, result.transmit_at_us)
        else:  # what was refused is due at no time
            message.reason = PB_REASONS[result.reason]
            message.detail = result.detail
        if result.price is not None:
            message.price.amount_micros = result.price.micros
            message.price.currency = result.price.currency
        if result.sender:
            message.sender = result.sender
        if result.warnings:
            message.warnings.extend(result.warnings)
        if result.fallback_channels:
            message.fallback_channels.extend(map(PB_CHANNELS.__getitem__, result.fallback_channels))
