"""The words of the protos and those of the domain, as tables. `tests/unit/api` proves them complete.

Most numbers are equal on both sides by design; the tables exist so that a number which only one side
knows is an error at the edge and not a wrong word inside.
"""

from __future__ import annotations  # ValueType is a name of the stubs alone

from collections.abc import Mapping
from enum import IntEnum

from broker.domain.broadcast import BroadcastState
from broker.domain.callback import DisabledFor
from broker.domain.callback_url import CallbackMethod
from broker.domain.consent import Act, Consent, ConsentSource, Scope
from broker.domain.encoding import Encoding
from broker.domain.explaining import Verdict
from broker.domain.health import CircuitState
from broker.domain.lifecycle import Fact, State
from broker.domain.parameter import ParameterType
from broker.domain.price import PricedItem
from broker.domain.sender import SenderCapability, SenderKind
from broker.domain.vocabulary import Channel, Delegation, Direction, EventKind, Guarantee, Reason, Traffic
from broker.spi import Idempotency, ReceiptMode
from waypost.v1.broadcast_pb2 import BroadcastState as PbBroadcastState
from waypost.v1.channel_pb2 import Channel as PbChannel
from waypost.v1.channel_pb2 import Encoding as PbEncoding
from waypost.v1.channel_pb2 import Guarantee as PbGuarantee
from waypost.v1.channel_pb2 import Traffic as PbTraffic
from waypost.v1.event_pb2 import EventKind as PbEventKind
from waypost.v1.message_pb2 import Direction as PbDirection
from waypost.v1.opt_in_pb2 import OptInAct as PbOptInAct
from waypost.v1.opt_in_pb2 import OptInScope as PbOptInScope
from waypost.v1.opt_in_pb2 import OptInSource as PbOptInSource
from waypost.v1.opt_in_pb2 import OptInState as PbOptInState
from waypost.v1.price_service_pb2 import PricedItem as PbPricedItem
from waypost.v1.provider_pb2 import CircuitState as PbCircuitState
from waypost.v1.provider_pb2 import IdempotencyMode as PbIdempotencyMode
from waypost.v1.provider_pb2 import ReceiptMode as PbReceiptMode
from waypost.v1.recipient_pb2 import Delegation as PbDelegation
from waypost.v1.route_pb2 import RouteVerdict as PbRouteVerdict
from waypost.v1.send_pb2 import CallbackMethod as PbCallbackMethod
from waypost.v1.sender_pb2 import SenderCapability as PbSenderCapability
from waypost.v1.sender_pb2 import SenderKind as PbSenderKind
from waypost.v1.status_pb2 import MessageFact as PbMessageFact
from waypost.v1.status_pb2 import MessageStatus as PbMessageStatus
from waypost.v1.status_pb2 import Reason as PbReason
from waypost.v1.template_pb2 import TemplateParameterType as PbParameterType
from waypost.v1.webhook_pb2 import WebhookDisableReason as PbDisableReason

CHANNELS: Mapping[int, Channel] = {PbChannel.Value(f"CHANNEL_{each.name}"): each for each in Channel}
DELEGATIONS: Mapping[int, Delegation] = {
    PbDelegation.DELEGATION_UNSPECIFIED: Delegation.DIRECT,
    **{PbDelegation.Value(f"DELEGATION_{each.name}"): each for each in Delegation},
}
TRAFFICS: Mapping[int, Traffic] = {
    PbTraffic.TRAFFIC_UNSPECIFIED: Traffic.TRANSACTIONAL,
    **{PbTraffic.Value(f"TRAFFIC_{each.name}"): each for each in Traffic},
}
GUARANTEES: Mapping[int, Guarantee] = {
    PbGuarantee.GUARANTEE_UNSPECIFIED: Guarantee.AT_LEAST_ONCE,
    **{PbGuarantee.Value(f"GUARANTEE_{each.name}"): each for each in Guarantee},
}
CALLBACK_METHODS: Mapping[int, CallbackMethod] = {
    PbCallbackMethod.CALLBACK_METHOD_UNSPECIFIED: CallbackMethod.POST,
    **{PbCallbackMethod.Value(f"CALLBACK_METHOD_{each.name}"): each for each in CallbackMethod},
}
FACTS: Mapping[int, Fact] = {PbMessageFact.Value(f"MESSAGE_FACT_{each.name}"): each for each in Fact}
DIRECTIONS: Mapping[int, Direction] = {
    PbDirection.Value(f"DIRECTION_{each.name}"): each for each in Direction
}
EVENT_KINDS: Mapping[int, EventKind] = {
    PbEventKind.Value(f"EVENT_KIND_{each.name}"): each for each in EventKind
}

PB_CHANNELS: Mapping[Channel | None, PbChannel.ValueType] = {
    None: PbChannel.CHANNEL_UNSPECIFIED,
    **{each: PbChannel.Value(f"CHANNEL_{each.name}") for each in Channel},
}
PB_EVENT_KINDS: Mapping[EventKind, PbEventKind.ValueType] = {
    each: PbEventKind.Value(f"EVENT_KIND_{each.name}") for each in EventKind
}
PB_CALLBACK_METHODS: Mapping[CallbackMethod, PbCallbackMethod.ValueType] = {
    each: PbCallbackMethod.Value(f"CALLBACK_METHOD_{each.name}") for each in CallbackMethod
}
PB_DISABLE_REASONS: Mapping[DisabledFor | None, PbDisableReason.ValueType] = {
    None: PbDisableReason.WEBHOOK_DISABLE_REASON_UNSPECIFIED,
    **{each: PbDisableReason.Value(f"WEBHOOK_DISABLE_REASON_{each.name}") for each in DisabledFor},
}
PB_TRAFFICS: Mapping[Traffic, PbTraffic.ValueType] = {
    each: PbTraffic.Value(f"TRAFFIC_{each.name}") for each in Traffic
}
PB_DIRECTIONS: Mapping[Direction, PbDirection.ValueType] = {
    each: PbDirection.Value(f"DIRECTION_{each.name}") for each in Direction
}
PB_GUARANTEES: Mapping[Guarantee, PbGuarantee.ValueType] = {
    each: PbGuarantee.Value(f"GUARANTEE_{each.name}") for each in Guarantee
}
PB_ENCODINGS: Mapping[Encoding | None, PbEncoding.ValueType] = {
    None: PbEncoding.ENCODING_UNSPECIFIED,
    **{each: PbEncoding.Value(f"ENCODING_{each.name}") for each in Encoding},
}
PB_REASONS: Mapping[Reason | None, PbReason.ValueType] = {
    None: PbReason.REASON_UNSPECIFIED,
    **{each: PbReason.Value(f"REASON_{each.name}") for each in Reason},
}
PB_FACTS: Mapping[Fact, PbMessageFact.ValueType] = {
    each: PbMessageFact.Value(f"MESSAGE_FACT_{each.name}") for each in Fact
}

# Two states are shown as SENT; `end` tells them apart.
PB_STATUSES: Mapping[State | None, PbMessageStatus.ValueType] = {
    None: PbMessageStatus.MESSAGE_STATUS_UNSPECIFIED,
    **{
        each: PbMessageStatus.Value(f"MESSAGE_STATUS_{each.name}")
        for each in State
        if each is not State.SENT_FINAL
    },
    State.SENT_FINAL: PbMessageStatus.MESSAGE_STATUS_SENT,
}
STATES_SHOWN_AS: Mapping[int, frozenset[State]] = {
    shown: frozenset(state for state, status in PB_STATUSES.items() if status == shown and state is not None)
    for shown in PB_STATUSES.values()
    if shown != PbMessageStatus.MESSAGE_STATUS_UNSPECIFIED
}

PB_RECEIPT_MODES: Mapping[ReceiptMode, PbReceiptMode.ValueType] = {
    each: PbReceiptMode.Value(f"RECEIPT_MODE_{each.name}") for each in ReceiptMode
}
PB_CIRCUIT_STATES: Mapping[CircuitState, PbCircuitState.ValueType] = {
    each: PbCircuitState.Value(f"CIRCUIT_STATE_{each.name}") for each in CircuitState
}
PB_IDEMPOTENCY_MODES: Mapping[Idempotency, PbIdempotencyMode.ValueType] = {
    each: PbIdempotencyMode.Value(f"IDEMPOTENCY_MODE_{each.name}") for each in Idempotency
}
PARAMETER_TYPES: Mapping[int, ParameterType] = {
    PbParameterType.TEMPLATE_PARAMETER_TYPE_UNSPECIFIED: ParameterType.STRING,
    **{PbParameterType.Value(f"TEMPLATE_PARAMETER_TYPE_{each.name}"): each for each in ParameterType},
}
PB_PARAMETER_TYPES: Mapping[ParameterType, PbParameterType.ValueType] = {
    each: PbParameterType.Value(f"TEMPLATE_PARAMETER_TYPE_{each.name}") for each in ParameterType
}
BROADCAST_STATES: Mapping[int, BroadcastState] = {
    PbBroadcastState.Value(f"BROADCAST_STATE_{each.name}"): each for each in BroadcastState
}
PB_BROADCAST_STATES: Mapping[BroadcastState, PbBroadcastState.ValueType] = {
    each: PbBroadcastState.Value(f"BROADCAST_STATE_{each.name}") for each in BroadcastState
}
SENDER_KINDS: Mapping[int, SenderKind] = {
    PbSenderKind.Value(f"SENDER_KIND_{each.name}"): each for each in SenderKind
}
PB_SENDER_KINDS: Mapping[SenderKind, PbSenderKind.ValueType] = {
    each: PbSenderKind.Value(f"SENDER_KIND_{each.name}") for each in SenderKind
}
SENDER_CAPABILITIES: Mapping[int, SenderCapability] = {
    PbSenderCapability.Value(f"SENDER_CAPABILITY_{each.name}"): each for each in SenderCapability
}
PB_SENDER_CAPABILITIES: Mapping[SenderCapability, PbSenderCapability.ValueType] = {
    each: PbSenderCapability.Value(f"SENDER_CAPABILITY_{each.name}") for each in SenderCapability
}
PRICED_ITEMS: Mapping[int, PricedItem] = {
    PbPricedItem.PRICED_ITEM_UNSPECIFIED: PricedItem.MESSAGE_UNIT,
    PbPricedItem.PRICED_ITEM_AUTOREPLY: PricedItem.AUTOREPLY,
    PbPricedItem.PRICED_ITEM_KEYWORD: PricedItem.KEYWORD,
}
PB_PRICED_ITEMS: Mapping[PricedItem, PbPricedItem.ValueType] = {
    PricedItem.MESSAGE_UNIT: PbPricedItem.PRICED_ITEM_UNSPECIFIED,
    PricedItem.AUTOREPLY: PbPricedItem.PRICED_ITEM_AUTOREPLY,
    PricedItem.KEYWORD: PbPricedItem.PRICED_ITEM_KEYWORD,
}
PB_VERDICTS: Mapping[Verdict, PbRouteVerdict.ValueType] = {
    each: PbRouteVerdict.Value(f"ROUTE_VERDICT_{each.name}") for each in Verdict
}

OPT_IN_STATES: Mapping[int, Consent] = {
    PbOptInState.Value(f"OPT_IN_STATE_{each.name}"): each for each in Consent
}
OPT_IN_SCOPES: Mapping[int, Scope] = {
    PbOptInScope.OPT_IN_SCOPE_UNSPECIFIED: Scope.ACCOUNT,
    **{PbOptInScope.Value(f"OPT_IN_SCOPE_{each.name}"): each for each in Scope},
}
PB_OPT_IN_STATES: Mapping[Consent, PbOptInState.ValueType] = {
    each: PbOptInState.Value(f"OPT_IN_STATE_{each.name}") for each in Consent
}
PB_OPT_IN_SCOPES: Mapping[Scope, PbOptInScope.ValueType] = {
    each: PbOptInScope.Value(f"OPT_IN_SCOPE_{each.name}") for each in Scope
}
PB_OPT_IN_ACTS: Mapping[Act, PbOptInAct.ValueType] = {
    each: PbOptInAct.Value(f"OPT_IN_ACT_{each.name}") for each in Act
}
PB_OPT_IN_SOURCES: Mapping[ConsentSource, PbOptInSource.ValueType] = {
    each: PbOptInSource.Value(f"OPT_IN_SOURCE_{each.name}") for each in ConsentSource
}


def names_of(words: Mapping[int, IntEnum]) -> str:
    """The words that a client may use, for a rule's text."""
    return ", ".join(sorted({each.name for each in words.values()}))
