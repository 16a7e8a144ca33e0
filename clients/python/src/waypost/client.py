"""The client: one connection to one broker, and a method for each thing to ask of it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

import grpc

from waypost.account_calls import Accounts, Keys
from waypost.broadcast_calls import Broadcasts
from waypost.connection import Connection
from waypost.consent import OptIn
from waypost.credit_calls import Credits, Prices
from waypost.errors import FailedPrecondition, WaypostError
from waypost.events import Event, EventFields
from waypost.keyword_calls import Keywords
from waypost.messages import Analysis, Message, MessageFields
from waypost.send_stream import SendStream
from waypost.send_window import WindowLimits
from waypost.senders import Sender, SenderFields, SenderFilter
from waypost.sending import Body, SendFields, SendRequest, Sent, as_request
from waypost.subscription import Subscription
from waypost.usage import Usage
from waypost.v1 import consent_service_pb2, message_service_pb2, sender_service_pb2
from waypost.vocabulary import OptInState, Status, UsageDimension, UsageUnit
from waypost.wire.consents import list_opt_ins_message, opt_in_message, opt_in_of
from waypost.wire.follow import place_of, subscribe_message
from waypost.wire.senders import filter_message, sender_message, sender_of
from waypost.wire.sends import request_message, sent_of
from waypost.wire.stored import analysis_of, list_message, message_of
from waypost.wire.times import duration
from waypost.wire.usages import usage_message, usage_of

TIMEOUT_S = 30.0
HEARTBEAT = timedelta(seconds=15)
PAGE_SIZE = 500

Kind = TypeVar("Kind", bound=Event)


class Client:
    """A connection to a Waypost broker.

        async with waypost.Client("127.0.0.1:7070", key="wp_…") as client:
            sent = await client.send("Hello", to="+447700900123")

    Make one for your program, within its event loop, and share it: all calls go over one connection,
    which is made when it is needed and restored when it was lost.

    Other hosts are spoken to through TLS, trusting the usual authorities; `credentials` from
    `grpc.ssl_channel_credentials` says otherwise. `plaintext=True` speaks without TLS, which hands the
    key to whoever listens.

    Each call goes on for `timeout` seconds while the broker cannot be reached, drains or is at a limit.
    Its failures are subclasses of WaypostError.
    """

    def __init__(
        self,
        target: str,
        *,
        key: str,
        credentials: grpc.ChannelCredentials | None = None,
        plaintext: bool | None = None,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self._connection = Connection(
            target, key=key, credentials=credentials, plaintext=plaintext, timeout_s=timeout
        )
        self.accounts = Accounts(self._connection)
        self.broadcasts = Broadcasts(self._connection)
        self.keys = Keys(self._connection)
        self.keywords = Keywords(self._connection)
        self.credits = Credits(self._connection)
        self.prices = Prices(self._connection)

    def __repr__(self) -> str:
        return f"<waypost.Client of {self._connection.target}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect. Whatever still waits raises ClientClosed."""
        await self._connection.close()

    @overload
    async def send(self, content: SendRequest, /) -> Sent: ...

    @overload
    async def send(self, content: Body = (), /, **fields: Unpack[SendFields]) -> Sent: ...

    async def send(self, content: Body | SendRequest = (), /, **fields: Any) -> Sent:
        """Send one content to 1..100 recipients; what comes back is on the broker's disk.

        The keyword arguments are SendRequest's fields. A refused recipient is no exception but a result
        whose status is REJECTED.

        Every request has a request_id, so it is repeated by itself when the connection was lost or the
        broker asks to come back later, and nothing is sent twice. After an exception it may still have
        been stored: to repeat it yourself, send the same SendRequest object again.
        """
        request = as_request(content, fields)
        message = request_message(request)
        return sent_of(request.request_id, await self._connection.call(self._connection.broker.Send, message))

    def send_stream(
        self, *, requests_in_flight_max: int = 2_000, frame_requests_max: int = 500
    ) -> SendStream:
        """A stream for many requests: use it with `async with`, and see SendStream."""
        return SendStream(
            self._connection,
            WindowLimits(
                requests_in_flight_max=requests_in_flight_max, frame_requests_max=frame_requests_max
            ),
        )

    async def send_many(
        self,
        requests: Iterable[SendRequest] | AsyncIterable[SendRequest],
        *,
        requests_in_flight_max: int = 2_000,
    ) -> AsyncGenerator[tuple[SendRequest, Sent | WaypostError], None]:
        """Send any number of requests; yields each with its answer, in order.

        Requests are taken as fast as answers are, and at most `requests_in_flight_max` ahead of them. How
        lost connections are dealt with is told in SendStream.
        """
        answers: asyncio.Queue[tuple[SendRequest, asyncio.Future[Sent]] | None]
        answers = asyncio.Queue(requests_in_flight_max)
        async with self.send_stream(requests_in_flight_max=requests_in_flight_max) as stream:
            feeding = asyncio.create_task(_feed(requests, stream, answers))
            try:
                while (each := await answers.get()) is not None:
                    request, answer = each
                    yield request, await _outcome(answer)
                await feeding
            finally:
                feeding.cancel()
                await asyncio.wait([feeding])

    @overload
    def subscribe(
        self,
        *,
        after: str | None = None,
        from_beginning: bool = False,
        heartbeat: timedelta = HEARTBEAT,
        account_id: str = "",
        **only: Unpack[EventFields],
    ) -> Subscription[Event]: ...

    @overload
    def subscribe(
        self,
        *kinds: type[Kind],
        after: str | None = None,
        from_beginning: bool = False,
        heartbeat: timedelta = HEARTBEAT,
        account_id: str = "",
        **only: Unpack[EventFields],
    ) -> Subscription[Kind]: ...

    def subscribe(
        self,
        *kinds: type[Event],
        after: str | None = None,
        from_beginning: bool = False,
        heartbeat: timedelta = HEARTBEAT,
        account_id: str = "",
        **only: Any,
    ) -> Subscription[Any]:
        """Follow committed events; iterate over what comes back, and see Subscription.

        kinds: classes of events, as MessageEvent. None: all.
        after: the cursor of an event, to go on after it; else from now, or from the oldest that is kept.
        heartbeat: how long the broker may be silent, 1 s to 1 h. Three of them without a word, and the
            stream is opened again.
        only: see EventFields. An event passes when it matches each that is given.
        """
        if after is not None and from_beginning:
            raise ValueError("after and from_beginning contradict each other")
        request = subscribe_message(kinds, only, from_beginning=from_beginning, account_id=account_id)
        place = None if after is None else place_of(after)
        return Subscription(self._connection, request, after=place, heartbeat=heartbeat)

    async def get(self, message_id: str, *, account_id: str = "") -> Message:
        """A message as it stands now, with all that happened to it."""
        request = message_service_pb2.GetMessageRequest(message_id=message_id, account_id=account_id)
        response = await self._connection.call(self._connection.messages.GetMessage, request)
        return message_of(response.message, response.timeline)

    async def messages(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        status: Status | Iterable[Status] = (),
        page_size: int = PAGE_SIZE,
        account_id: str = "",
        **only: Unpack[MessageFields],
    ) -> AsyncGenerator[Message, None]:
        """Messages, newest first, without their content and timeline.

        Deleted ones are left out unless `status` asks for them.

        since, until: when they were accepted, `until` not included.
        status: in any of these.
        page_size: how many are fetched at once, 1 to 1,000.
        only: see MessageFields. A message is listed when it matches each that is given.
        """
        request = list_message(since, until, status, only, page_size=page_size, account_id=account_id)
        async for page in self._connection.pages(self._connection.messages.ListMessages, request):
            for message in page.messages:
                yield message_of(message)

    async def cancel(self, message_id: str, *, account_id: str = "") -> Message:
        """End a message that no provider was given yet. One that is cancelled already is no failure.

        Raises FailedPrecondition once a provider was given it, or it has ended otherwise.
        """
        request = message_service_pb2.CancelMessageRequest(message_id=message_id, account_id=account_id)
        try:
            response = await self._connection.call(self._connection.messages.CancelMessage, request)
        except FailedPrecondition as error:
            # Also how it looks when the answer to our first attempt was lost.
            if error.metadata.get("status") != Status.CANCELLED:
                raise
            return await self.get(message_id, account_id=account_id)
        return message_of(response.message)

    async def delete(self, message_id: str, *, account_id: str = "") -> Message:
        """Erase what a message says and to whom. One that is deleted already is no failure.

        Raises FailedPrecondition before the message's end.
        """
        request = message_service_pb2.DeleteMessageRequest(message_id=message_id, account_id=account_id)
        response = await self._connection.call(self._connection.messages.DeleteMessage, request)
        return message_of(response.message)

    async def mark(self, message_id: str, *, read: bool = True, account_id: str = "") -> Message:
        """Mark an inbound message read, or unread. Raises FailedPrecondition for any other."""
        mark = message_service_pb2.MARK_READ if read else message_service_pb2.MARK_UNREAD
        request = message_service_pb2.MarkMessageRequest(
            message_id=message_id, mark=mark, account_id=account_id
        )
        response = await self._connection.call(self._connection.messages.MarkMessage, request)
        return message_of(response.message)

    async def redrive(
        self,
        message_id: str,
        *,
        request_id: str | None = None,
        validity: timedelta | None = None,
        account_id: str = "",
    ) -> Message:
        """Send an ended message again, as a new one, which is what comes back.

        It has a request_id, so it is repeated by itself when the connection was lost, and nothing is sent
        twice. Give your own to repeat it yourself.

        request_id: at most 128 characters. None: a new one.
        validity: how long a provider may be given the new message, 1 s to 7 days.

        Raises FailedPrecondition unless it ended SENDING_FAILED, DELIVERY_FAILED, EXPIRED, UNKNOWN, or REJECTED
        by a provider.
        """
        request = message_service_pb2.RedriveMessageRequest(
            message_id=message_id, account_id=account_id, request_id=request_id or secrets.token_hex(16)
        )
        if validity is not None:
            request.validity.CopyFrom(duration(validity))
        response = await self._connection.call(self._connection.messages.RedriveMessage, request)
        return message_of(response.message)

    async def add_sender(self, value: str, *, account_id: str = "", **fields: Unpack[SenderFields]) -> Sender:
        """Register who messages may be from; takes an admin or partner key. See SenderFields.

        Raises AlreadyExists for one that the account has, also where the answer to our first attempt was lost.
        """
        request = sender_service_pb2.CreateSenderRequest(
            account_id=account_id, sender=sender_message(value, fields)
        )
        response = await self._connection.call(self._connection.senders.CreateSender, request)
        return sender_of(response.sender)

    async def senders(
        self, *, page_size: int = PAGE_SIZE, account_id: str = "", **only: Unpack[SenderFilter]
    ) -> AsyncGenerator[Sender, None]:
        """The account's senders, oldest first.

        page_size: how many are fetched at once, 1 to 1,000.
        only: see SenderFilter.
        """
        request = sender_service_pb2.ListSendersRequest(
            account_id=account_id, filter=filter_message(only), page_size=page_size
        )
        async for page in self._connection.pages(self._connection.senders.ListSenders, request):
            for sender in page.senders:
                yield sender_of(sender)

    async def remove_sender(self, sender_id: str, *, account_id: str = "") -> None:
        """Remove a sender; takes an admin or partner key. Messages that were accepted with it are still sent."""
        request = sender_service_pb2.DeleteSenderRequest(account_id=account_id, sender_id=sender_id)
        await self._connection.call(self._connection.senders.DeleteSender, request)

    async def analyze(
        self, text: str, *, recipient: str = "", subject: str = "", tokens: Mapping[str, str] | None = None
    ) -> Analysis:
        """Encoding, length and parts of a text, and what makes it dearer. Nothing is sent.

        recipient: who it would go to; decides the cost.
        tokens: values for `$Token$` placeholders.
        """
        request = message_service_pb2.AnalyzeMessageRequest(
            text=text, recipient=recipient, subject=subject, tokens=tokens
        )
        return analysis_of(await self._connection.call(self._connection.messages.AnalyzeMessage, request))

    async def opt_in(
        self,
        wish: OptInState | str,
        recipients: str | Iterable[str],
        *,
        sender: str = "",
        everywhere: bool = False,
        evidence: str = "",
        organisation_name: str = "",
        account_id: str = "",
    ) -> tuple[OptIn, ...]:
        """Put on record what recipients want; what is in force for each, in order. All of them, or none.

        wish: a state, or what they wrote: a word for STOP, STOPALL, START or HELP.
        recipients: phone numbers or mailboxes, at most 1,000.
        sender: an empty one is every sender of the account.
        everywhere: whichever account uses the sender. For opt-outs, and takes an admin key.
        evidence: how it is known.
        organisation_name: who asks, for answers to the recipients.
        """
        request = opt_in_message(
            wish,
            [recipients] if isinstance(recipients, str) else recipients,
            sender=sender,
            everywhere=everywhere,
            evidence=evidence,
            organisation_name=organisation_name,
            account_id=account_id,
        )
        response = await self._connection.call(self._connection.broker.OptIn, request)
        return tuple(map(opt_in_of, response.states))

    async def get_opt_in(self, recipient: str, *, sender: str = "", account_id: str = "") -> OptIn:
        """What is in force between a sender (none: every one of the account) and a recipient."""
        request = consent_service_pb2.GetOptInRequest(
            recipient=recipient, sender=sender, account_id=account_id
        )
        return opt_in_of((await self._connection.call(self._connection.consent.GetOptIn, request)).record)

    async def opt_ins(
        self,
        *,
        sender: str | None = None,
        recipient: str = "",
        state: OptInState | Iterable[OptInState] = (),
        page_size: int = PAGE_SIZE,
        account_id: str = "",
    ) -> AsyncGenerator[OptIn, None]:
        """What all want of whom something was said, by recipient and sender.

        sender: about this one; "" for wishes about every sender. None: any.
        state: in any of these.
        """
        states = [state] if isinstance(state, OptInState) else state
        request = list_opt_ins_message(sender, recipient, states, page_size=page_size, account_id=account_id)
        async for page in self._connection.pages(self._connection.consent.ListOptIns, request):
            for record in page.records:
                yield opt_in_of(record)

    async def usage(
        self,
        first: date | None = None,
        last: date | None = None,
        *,
        by: UsageDimension | Iterable[UsageDimension] = (),
        unit: UsageUnit = UsageUnit.MESSAGES,
        time_zone: str = "UTC",
        include_refunded: bool = False,
        include_opted_out: bool = False,
        account_ids: str | Iterable[str] = (),
    ) -> Usage:
        """Count what was accepted from the first day to the last, both included, as it stands now.

        first: None: 29 days before the last. last: None: today.
        by: split by these, in this order. None: one total.
        time_zone: the IANA zone of the days.
        include_refunded: also messages whose charge was given back.
        include_opted_out: also messages that were refused because their recipients had opted out.
        account_ids: the key's own, or those that it may act for. None: the key's own.
        """
        request = usage_message(
            first,
            last,
            by,
            unit,
            time_zone=time_zone,
            include_refunded=include_refunded,
            include_opted_out=include_opted_out,
            account_ids=account_ids,
        )
        return usage_of(await self._connection.call(self._connection.broker.Usage, request))


async def _feed(
    requests: Iterable[SendRequest] | AsyncIterable[SendRequest],
    stream: SendStream,
    answers: "asyncio.Queue[tuple[SendRequest, asyncio.Future[Sent]] | None]",
) -> None:
    """Put requests on their way; None after the last, whatever came between."""
    try:
        if isinstance(requests, AsyncIterable):
            async for request in requests:
                await answers.put((request, await stream.send(request)))
        else:
            for request in requests:
                await answers.put((request, await stream.send(request)))
    except Exception:
        await answers.put(None)
        raise
    await answers.put(None)


async def _outcome(answer: asyncio.Future[Sent]) -> Sent | WaypostError:
    try:
        return await answer
    except WaypostError as error:
        return error
