"""The connection to one broker: where it is, how it is secured, and what its failures mean."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakSet

import grpc
import grpc.aio

from waypost.errors import ClientClosed, DeadlineExceeded, Unavailable, WaypostError
from waypost.patience import Patience
from waypost.v1 import (
    account_service_pb2_grpc,
    broadcast_service_pb2,
    broadcast_service_pb2_grpc,
    broker_service_pb2_grpc,
    consent_service_pb2_grpc,
    message_service_pb2_grpc,
    price_service_pb2_grpc,
    send_pb2,
    sender_service_pb2_grpc,
    subscribe_pb2,
)
from waypost.wire.failures import error_of_call

RECEIVE_BYTES_MAX = 64 * 1024 * 1024

_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", RECEIVE_BYTES_MAX),
    # A peer that vanished without a word is noticed within half a minute, also while a stream is silent.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Our own pauses between attempts are the ones that count.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

if TYPE_CHECKING:  # generic for mypy only
    SubscribeCall = grpc.aio.UnaryStreamCall[subscribe_pb2.SubscribeRequest, subscribe_pb2.SubscribeResponse]
    SendStreamCall = grpc.aio.StreamStreamCall[send_pb2.SendStreamRequest, send_pb2.SendStreamResponse]
else:
    SubscribeCall = grpc.aio.UnaryStreamCall
    SendStreamCall = grpc.aio.StreamStreamCall

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class ListRequest(Protocol):
    """What asks for one page of many."""

    page_token: str


class Page(Protocol):
    """What answers it. `next_page_token` is "" on the last."""

    next_page_token: str


ListRequestT = TypeVar("ListRequestT", bound=ListRequest)
PageT = TypeVar("PageT", bound=Page)


class Connection:
    """A channel with the key on every call. Make it within a running event loop.

    Connecting happens with the first call, and again whenever it is needed.
    """

    def __init__(
        self,
        target: str,
        *,
        key: str,
        credentials: grpc.ChannelCredentials | None,
        plaintext: bool | None,
        timeout_s: float,
    ) -> None:
        asyncio.get_running_loop()  # a channel belongs to the loop it was made in: better none than another
        self.target = target
        self._timeout_s = timeout_s
        self._metadata: Sequence[tuple[str, str]] = [("authorization", f"Bearer {_usable(key)}")]
        self._channel = _channel(target, credentials, plaintext)
        self._streams: WeakSet[grpc.aio.Call] = WeakSet()
        self._closed = False
        self.broker: broker_service_pb2_grpc.BrokerServiceAsyncStub = (
            broker_service_pb2_grpc.BrokerServiceStub(self._channel)
        )
        self.messages: message_service_pb2_grpc.MessageServiceAsyncStub = (
            message_service_pb2_grpc.MessageServiceStub(self._channel)
        )
        self.consent: consent_service_pb2_grpc.ConsentServiceAsyncStub = (
            consent_service_pb2_grpc.ConsentServiceStub(self._channel)
        )
        self.accounts: account_service_pb2_grpc.AccountServiceAsyncStub = (
            account_service_pb2_grpc.AccountServiceStub(self._channel)
        )
        self.prices: price_service_pb2_grpc.PriceServiceAsyncStub = price_service_pb2_grpc.PriceServiceStub(
            self._channel
        )
        self.broadcasts: broadcast_service_pb2_grpc.BroadcastServiceAsyncStub = (
            broadcast_service_pb2_grpc.BroadcastServiceStub(self._channel)
        )
        self.senders: sender_service_pb2_grpc.SenderServiceAsyncStub = (
            sender_service_pb2_grpc.SenderServiceStub(self._channel)
        )

    async def close(self) -> None:
        """End what is under way and disconnect."""
        self._closed = True
        for stream in list(self._streams):  # closing the channel ends calls, but leaves streams waiting
            stream.cancel()
        await self._channel.close()

    def patience(self) -> Patience:
        """For an attempt that begins now: the client's `timeout` at first."""
        return Patience(until=asyncio.get_running_loop().time() + self._timeout_s)

    async def call(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Request, Answer]", request: Request
    ) -> Answer:
        """The answer to a call that is safe to repeat. Raises WaypostError.

        It is repeated while its failures are transient, for the client's `timeout` in all.
        """
        now = asyncio.get_running_loop().time
        until = now() + self._timeout_s
        patience = Patience(until=until)
        failure: WaypostError | None = None
        while True:
            try:
                with self.translating():
                    return await method(request, timeout=until - now(), metadata=self._metadata)
            except DeadlineExceeded as late:
                raise failure or late from late  # why there was no answer says more than that there was none
            except WaypostError as error:
                failure = error
                pause_s = patience.pause_s(error, now())
            await asyncio.sleep(pause_s)

    async def pages(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[ListRequestT, PageT]", request: ListRequestT
    ) -> AsyncIterator[PageT]:
        """Every page of a list, at least one; each is asked for when it is wanted. Raises WaypostError."""
        while True:
            page = await self.call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def call_once(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Request, Answer]", request: Request
    ) -> Answer:
        """The answer to a call that must not be made twice. Raises WaypostError, also where it may have been made."""
        with self.translating():
            return await method(request, timeout=self._timeout_s, metadata=self._metadata)

    async def upload(
        self, parts: AsyncIterator[broadcast_service_pb2.UploadAudienceRequest]
    ) -> broadcast_service_pb2.UploadAudienceResponse:
        """The answer to a file, however long it takes. Raises WaypostError, also where it may have been stored."""
        with self.translating():
            call = self.broadcasts.UploadAudience(parts, metadata=self._metadata)
            self._streams.add(call)
            return await call

    def open_subscription(self, request: subscribe_pb2.SubscribeRequest) -> SubscribeCall:
        """Begin to follow."""
        call = self.broker.Subscribe(request, metadata=self._metadata)
        self._streams.add(call)
        return call

    def open_send_stream(self) -> SendStreamCall:
        """Begin to send."""
        call = self.broker.SendStream(metadata=self._metadata)
        self._streams.add(call)
        return call

    @contextmanager
    def translating(self) -> Iterator[None]:
        """The one edge where gRPC's exceptions become ours."""
        if self._closed:
            raise ClientClosed
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise error_of_call(error) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled us: gRPC says so of a call that ended under us.
            if self._closed:
                raise ClientClosed from None
            raise Unavailable("CANCELLED", "CANCELLED", "the call was cancelled") from None


def _channel(
    target: str, credentials: grpc.ChannelCredentials | None, plaintext: bool | None
) -> grpc.aio.Channel:
    if credentials is not None and plaintext:
        raise ValueError("credentials and plaintext=True contradict each other")
    if plaintext is None:
        plaintext = credentials is None and is_loopback(target)
    if plaintext:
        return grpc.aio.insecure_channel(target, options=_CHANNEL_OPTIONS)
    secured = credentials or grpc.ssl_channel_credentials()
    return grpc.aio.secure_channel(target, secured, options=_CHANNEL_OPTIONS)


def _usable(key: str) -> str:
    stripped = key.strip()
    if not stripped or not stripped.isascii() or not stripped.isprintable():
        raise ValueError("the key is empty, or has characters that no key has")
    return stripped


def is_loopback(target: str) -> bool:
    """Whether host:port is on this host."""
    if target.startswith("unix:"):
        return True
    host = target.rpartition(":")[0].removeprefix("[").removesuffix("]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
