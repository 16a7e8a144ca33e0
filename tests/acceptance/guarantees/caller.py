"""Who calls the broker in these tests, and what it reads in the answers."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from waypost.v1 import content_pb2, event_pb2, message_pb2, recipient_pb2, send_pb2
from waypost.v1 import message_service_pb2 as lookups
from waypost.v1.broker_service_pb2_grpc import BrokerServiceStub
from waypost.v1.message_service_pb2_grpc import MessageServiceStub
from waypost.v1.status_pb2 import MessageFact, MessageStatus, Reason
from waypost.v1.subscribe_pb2 import EventFilter, SubscribeRequest, SubscribeResponse

CALL_S_MAX = 20
END_S_MAX = 40
ORDINARY = "+447700904711"
REJECTED, RETRIED, AMBIGUOUS, TWICE, EARLY = (f"+44770090000{digit}" for digit in "13467")
DOWN, SILENT = "+447700900010", "+447700900011"
QUICK = {
    "delivery": {"retry_base_s": 0.1, "retry_cap_s": 0.2, "doubt_first_s": 0.1, "receipt_overdue_s": 0.5}
}
SLOW_SANDBOX = {"sandbox": {"type": "sandbox", "latency_s": 1.5}}

Event = event_pb2.Event


class Client:
    """A caller with a key."""

    def __init__(self, channel: grpc.Channel, key: str) -> None:
        self.metadata = [("authorization", f"Bearer {key}")]
        self.messages = MessageServiceStub(channel)
        self.broker = BrokerServiceStub(channel)
        self._raw_send = channel.unary_unary(
            "/waypost.v1.BrokerService/Send", request_serializer=send_pb2.SendRequest.SerializeToString
        )

    def send(self, *numbers: str, **fields: Any) -> list[send_pb2.SendResult]:
        """The results of one Send of a text."""
        return list(send_pb2.SendResponse.FromString(self.send_raw(text_to(*numbers, **fields))).results)

    def send_one(self, number: str, **fields: Any) -> str:
        """The id of one message."""
        (result,) = self.send(number, **fields)
        return result.message_id

    def send_raw(self, request: send_pb2.SendRequest) -> bytes:
        """An answer as the bytes on the wire."""
        answer: bytes = self._raw_send(request, metadata=self.metadata, timeout=CALL_S_MAX)
        return answer

    def get(self, message_id: str) -> lookups.GetMessageResponse:
        """A message with its timeline."""
        request = lookups.GetMessageRequest(message_id=message_id)
        return self.messages.GetMessage(request, metadata=self.metadata, timeout=CALL_S_MAX)

    def cancel(self, message_id: str) -> lookups.CancelMessageResponse:
        """Cancel a message."""
        request = lookups.CancelMessageRequest(message_id=message_id)
        return self.messages.CancelMessage(request, metadata=self.metadata, timeout=CALL_S_MAX)

    def pages(self, **fields: Any) -> list[list[message_pb2.Message]]:
        """ListMessages from the first page to the last."""
        request = lookups.ListMessagesRequest(**fields)
        pages = []
        while True:
            answer = self.messages.ListMessages(request, metadata=self.metadata, timeout=CALL_S_MAX)
            pages.append(list(answer.messages))
            request.page_token = answer.next_page_token
            if not request.page_token:
                return pages

    def listed(self, **fields: Any) -> list[str]:
        """The ids on all pages."""
        return [message.message_id for page in self.pages(**fields) for message in page]

    def frames(self, **fields: Any) -> Iterator[SubscribeResponse]:
        """The frames of one Subscribe, with a heartbeat every second."""
        request = SubscribeRequest(heartbeat_interval=Duration(seconds=1), **fields)
        stream = self.broker.Subscribe(request, metadata=self.metadata, timeout=END_S_MAX)
        try:
            yield from stream
        finally:
            stream.cancel()

    def events_until(self, count: int, **fields: Any) -> list[Event]:
        """The first so many events from the beginning."""
        events: list[Event] = []
        for frame in self.frames(from_beginning=Empty(), **fields):
            events += frame.events
            if len(events) >= count:
                break
        return events

    def life(self, message_id: str, *, after_end: int = 0) -> list[Event]:
        """The events of a message to its end, and so many more."""
        events: list[Event] = []
        mine = EventFilter(message_ids=[message_id])
        for frame in self.frames(from_beginning=Empty(), filter=mine):
            events += frame.events
            if sum(event.message.end for event in events) > after_end:
                break
        return events

    def all_end(self, message_ids: Iterable[str]) -> None:
        """Wait until all of these have ended."""
        for message_id in message_ids:
            self.life(message_id)


def text_to(*numbers: str, **fields: Any) -> send_pb2.SendRequest:
    """A text to these numbers."""
    return send_pb2.SendRequest(
        recipients=[recipient_pb2.Recipient(phone_number=number) for number in numbers],
        content=content_pb2.Content(sms=content_pb2.SmsContent(text="Hello")),
        **fields,
    )


def facts(events: Iterable[Event]) -> list[str]:
    """What happened, in short."""
    return [MessageFact.Name(event.message.fact).removeprefix("MESSAGE_FACT_") for event in events]


def end_of(events: list[Event]) -> tuple[str, str]:
    """Where it ended, and why."""
    last = events[-1].message
    return (
        MessageStatus.Name(last.status).removeprefix("MESSAGE_STATUS_"),
        Reason.Name(last.reason).removeprefix("REASON_"),
    )


def in_seconds(seconds: float) -> Timestamp:
    """So long from now."""
    return moment(time.time() + seconds)


def moment(seconds: float) -> Timestamp:
    """A time in seconds since 1970."""
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1_000_000))
    return stamp


def refusal(error: Any) -> tuple[grpc.StatusCode, str]:
    """The code and our reason of a failed call."""
    return error.code(), error_info(error).reason


def error_info(error: Any) -> error_details_pb2.ErrorInfo:
    """The ErrorInfo that every refusal has."""
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    (packed,) = [each for each in status.details if each.Is(info.DESCRIPTOR)]
    packed.Unpack(info)
    assert "waypost" == info.domain
    return info
