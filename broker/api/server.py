"""The gRPC server: every service behind one gate, with health and reflection. Ports and start are app.py's."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc.aio

from broker.api import (
    account_service,
    broadcast_service,
    broker_service,
    consent_service,
    directory_service,
    health,
    message_service,
    price_service,
    provider_service,
    reflection,
    sender_service,
    template_service,
)
from broker.api.account_service import AccountService
from broker.api.broadcast_service import BroadcastService
from broker.api.broker_service import BrokerService
from broker.api.consent_service import ConsentService
from broker.api.directory_service import DirectoryService
from broker.api.gate import Access, Gate
from broker.api.health import Health
from broker.api.message_service import MessageService
from broker.api.price_service import PriceService
from broker.api.provider_service import ProviderService
from broker.api.reflection import Reflection
from broker.api.rpc import Services
from broker.api.sender_service import SenderService
from broker.api.template_service import TemplateService

RECEIVE_BYTES_MAX = 16 * 1024 * 1024
"""Room for attachments, and for a frame of 1,000 requests."""

SERVICE_NAMES = (
    broker_service.DESCRIPTOR.full_name,
    message_service.DESCRIPTOR.full_name,
    broadcast_service.DESCRIPTOR.full_name,
    directory_service.DESCRIPTOR.full_name,
    template_service.DESCRIPTOR.full_name,
    sender_service.DESCRIPTOR.full_name,
    consent_service.DESCRIPTOR.full_name,
    provider_service.DESCRIPTOR.full_name,
    account_service.DESCRIPTOR.full_name,
    price_service.DESCRIPTOR.full_name,
)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may do. A connection ends after `age_s` or without a call for `idle_s`; 0: never.

    Its calls end in peace; the client's next one opens another connection by itself.
    """

    receive_bytes_max: int = RECEIVE_BYTES_MAX
    metadata_bytes_max: int = 16_384
    streams_max: int = 10_000
    age_s: float = 0.0
    idle_s: float = 0.0


DEFAULT_LIMITS = ConnectionLimits()

_UNCOMPRESSED_ONLY = 1
"""Of grpc core's bits for compression. Core unpacks a message whole before it looks at its size (measured: 300 KB
became 300 MB, for a caller without a key), so that a compressed one cannot be let in.
"""

_KEEPALIVE_MS = 60_000
_KEEPALIVE_TIMEOUT_MS = 20_000
_PING_INTERVAL_MS_MIN = 10_000
_PING_STRIKES_MAX = 2


def build_server(
    *,
    gate: Gate,
    broker: BrokerService,
    messages: MessageService,
    broadcasts: BroadcastService,
    directory: DirectoryService,
    templates: TemplateService,
    senders: SenderService,
    consent: ConsentService,
    providers: ProviderService,
    accounts: AccountService,
    prices: PriceService,
    health_of: Health,
    limits: ConnectionLimits = DEFAULT_LIMITS,
    reflection_needs_key: bool = False,
) -> grpc.aio.Server:
    """A server that has all services and no port yet. Call it from within the event loop."""
    server = grpc.aio.server(options=server_options(gate, limits))
    services = _services(
        gate,
        broker,
        messages,
        broadcasts,
        directory,
        templates,
        senders,
        consent,
        providers,
        accounts,
        prices,
        health_of,
    )
    _reflect(services, Access.READ if reflection_needs_key else Access.OPEN)
    server.add_generic_rpc_handlers((services,))
    return server


def build_health() -> Health:
    """The health of every service that the server has."""
    return Health((*SERVICE_NAMES, health.DESCRIPTOR.full_name, *reflection.NAMES))


def _services(
    gate: Gate,
    broker: BrokerService,
    messages: MessageService,
    broadcasts: BroadcastService,
    directory: DirectoryService,
    templates: TemplateService,
    senders: SenderService,
    consent: ConsentService,
    providers: ProviderService,
    accounts: AccountService,
    prices: PriceService,
    health_of: Health,
) -> Services:
    services = Services(gate)
    services.add(broker_service.DESCRIPTOR, {**broker.methods, **broadcasts.broker_methods})
    services.add(message_service.DESCRIPTOR, messages.methods)
    services.add(broadcast_service.DESCRIPTOR, broadcasts.methods)
    services.add(directory_service.DESCRIPTOR, directory.methods)
    services.add(template_service.DESCRIPTOR, templates.methods)
    services.add(sender_service.DESCRIPTOR, senders.methods)
    services.add(consent_service.DESCRIPTOR, consent.methods)
    services.add(provider_service.DESCRIPTOR, providers.methods)
    services.add(account_service.DESCRIPTOR, accounts.methods)
    services.add(price_service.DESCRIPTOR, prices.methods)
    services.add(health.DESCRIPTOR, health_of.methods)
    return services


def _reflect(services: Services, access: Access) -> None:
    # reflection.v1 is served but not listed: its package ships no descriptor to describe it with.
    listed = (*SERVICE_NAMES, health.DESCRIPTOR.full_name, reflection.DESCRIPTOR.full_name)
    reflected = Reflection(listed, access)
    for name in reflection.NAMES:
        services.add(reflection.DESCRIPTOR, reflected.methods, name=name)


def server_options(gate: Gate, limits: ConnectionLimits) -> Sequence[tuple[str, int]]:
    """Channel arguments of grpc core."""
    ages = {
        "grpc.max_connection_age_ms": round(1_000 * limits.age_s),
        "grpc.max_connection_idle_ms": round(1_000 * limits.idle_s),
    }
    # Past these, core answers CANCELLED without a word; the gate refuses long before, with a reason.
    waiting_max = 4 * (gate.calls.count_max + gate.streams.count_max)
    return (
        ("grpc.so_reuseport", 0),  # two brokers on one port must be an error, not a coin toss
        ("grpc.server.max_pending_requests", waiting_max),
        ("grpc.server.max_pending_requests_hard_limit", 2 * waiting_max),
        ("grpc.max_receive_message_length", limits.receive_bytes_max),
        ("grpc.max_metadata_size", limits.metadata_bytes_max),
        ("grpc.absolute_max_metadata_size", limits.metadata_bytes_max),
        ("grpc.max_concurrent_streams", limits.streams_max),
        ("grpc.compression_enabled_algorithms_bitset", _UNCOMPRESSED_ONLY),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", _PING_INTERVAL_MS_MIN),
        ("grpc.http2.max_ping_strikes", _PING_STRIKES_MAX),
        *((name, value) for name, value in ages.items() if value),
    )
