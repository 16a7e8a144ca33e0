"""BrokerService: messages in, statuses out."""

from collections.abc import AsyncGenerator, Mapping
from functools import partial

from broker.api.auth import account_for
from broker.api.consent_service import ConsentService
from broker.api.convert.explanations import explain_response, explained_submission, within_request
from broker.api.convert.filters import event_filter_of, heartbeat_s_of, start_of
from broker.api.convert.findings import Findings
from broker.api.convert.usage import check_account_ids, usage_query_of, usage_response
from broker.api.gate import Access, Gate
from broker.api.outcomes import Outcomes
from broker.api.rpc import Bidirectional, Conversation, Method, ServerStream, Unary
from broker.api.send_stream import FrameAnswerer, SendStream
from broker.api.sends import Sends
from broker.delivery.feed import Feed
from broker.delivery.intake import Intake
from broker.delivery.usage import UsageReports
from broker.domain.access import Principal
from broker.errors import BrokerError
from broker.spi import Clock
from waypost.v1 import broker_service_pb2, explain_pb2, send_pb2, subscribe_pb2, usage_pb2

DESCRIPTOR = broker_service_pb2.DESCRIPTOR.services_by_name["BrokerService"]
FRAMES_IN_FLIGHT_MAX = 8


class BrokerService:
    """Send, SendStream, OptIn, Subscribe, Explain and Usage; Broadcast is in `broadcast_service`."""

    def __init__(
        self,
        *,
        gate: Gate,
        intake: Intake,
        feed: Feed,
        usage: UsageReports,
        consent: ConsentService,
        clock: Clock,
        frames_in_flight_max: int = FRAMES_IN_FLIGHT_MAX,
    ) -> None:
        self._gate = gate
        self._intake = intake
        self._feed = feed
        self._usage = usage
        self._consent = consent
        self._clock = clock
        outcomes = Outcomes(gate.keys, intake, clock)
        self._sends = Sends(outcomes)
        self._frames = FrameAnswerer(outcomes, gate.rates)
        self._frames_in_flight_max = frames_in_flight_max

    @property
    def methods(self) -> Mapping[str, Method]:
        """What is implemented."""
        return {
            "Send": Unary(self.send, Access.SEND),
            "SendStream": Bidirectional(self.send_stream, Access.SEND),
            "OptIn": Unary(self._consent.opt_in, Access.SEND),
            "Subscribe": ServerStream(self.subscribe, Access.READ),
            "Explain": Unary(self.explain, Access.READ),
            "Usage": Unary(self.usage, Access.READ),
        }

    async def send(self, caller: Principal, request: send_pb2.SendRequest) -> send_pb2.SendResponse:
        """Store one content to 1..100 recipients, then answer."""
        return await self._sends.answer(caller, request)

    async def send_stream(self, caller: Principal, conversation: Conversation) -> None:
        """The same for frames of many requests."""
        stream = SendStream(
            gate=self._gate,
            frames_in_flight_max=self._frames_in_flight_max,
            answering=partial(self._frames.answer, caller),
        )
        await stream.run(conversation)

    async def subscribe(
        self, caller: Principal, request: subscribe_pb2.SubscribeRequest
    ) -> AsyncGenerator[bytes, None]:
        """Follow the account's committed events."""
        account_id = await account_for(self._gate.keys, caller, request.account_id)
        findings = Findings()
        event_filter = event_filter_of(request.filter, findings)
        heartbeat_s = heartbeat_s_of(request, findings)
        findings.refuse()
        start = start_of(request, account_id)
        return self._feed.follow(account_id, start, event_filter, heartbeat_s)

    async def explain(
        self, caller: Principal, request: explain_pb2.ExplainRequest
    ) -> explain_pb2.ExplainResponse:
        """What Send would do, and why."""
        account_id = await account_for(self._gate.keys, caller, request.request.account_id)
        submission = explained_submission(request, account_id, self._clock.now_us())
        try:
            explanations = await self._intake.explain(submission)
        except BrokerError as error:
            raise within_request(error) from None
        return explain_response(explanations, None if caller.may_administer else account_id)

    async def usage(self, caller: Principal, request: usage_pb2.UsageRequest) -> usage_pb2.UsageResponse:
        """What was sent between two days."""
        check_account_ids(request.account_ids)
        keys = self._gate.keys
        accounts = [await account_for(keys, caller, each) for each in request.account_ids or ("",)]
        query = usage_query_of(request, accounts, self._clock.now_us())
        return usage_response(await self._usage.report(query), query)
