"""Provider instances and types → protobuf."""

from collections.abc import Iterable

from broker.api.convert.findings import Findings
from broker.api.convert.times import duration, timestamp
from broker.api.convert.words import (
    PB_CHANNELS,
    PB_CIRCUIT_STATES,
    PB_IDEMPOTENCY_MODES,
    PB_RECEIPT_MODES,
)
from broker.delivery.registry import InstanceView, TypeView
from broker.delivery.upstream_usage import UpstreamReport
from broker.domain.health import HealthView
from broker.domain.throttle import ThrottleView
from broker.domain.vocabulary import Channel
from broker.spi import Capabilities
from waypost.v1 import channel_pb2, provider_pb2, provider_service_pb2


def provider_message(instance: InstanceView, callback_url: str, *, is_admin: bool) -> provider_pb2.Provider:
    """A configured provider instance.

    `callback_url` holds a secret, and an address of keywords may be the registered sender of some account: only
    admins see them.
    """
    drained = instance.drained
    return provider_pb2.Provider(
        name=instance.name,
        type=instance.type,
        state=provider_pb2.PROVIDER_STATE_DRAINED if drained else provider_pb2.PROVIDER_STATE_ENABLED,
        capabilities=_capabilities(instance.capabilities, is_admin=is_admin),
        in_flight=instance.in_flight,
        health=_health(instance.conduct.health) if instance.conduct else None,
        throttle=_throttle(instance.conduct.throttle) if instance.conduct else None,
        callback_url=callback_url if is_admin else "",
    )


def drained_of(state: int, findings: Findings) -> bool:
    """Whether an instance is to be drained."""
    if state not in {provider_pb2.PROVIDER_STATE_ENABLED, provider_pb2.PROVIDER_STATE_DRAINED}:
        findings.broke("state", f"{state} is not one of DRAINED, ENABLED")
    return state == provider_pb2.PROVIDER_STATE_DRAINED


def provider_type_message(provider_type: TypeView, *, whole_error: bool) -> provider_pb2.ProviderType:
    """A type of provider that a plugin offers, or the plugin that could not be loaded.

    A traceback tells how the host is laid out: whoever is no admin gets its last line.
    """
    error = provider_type.error
    return provider_pb2.ProviderType(
        name=provider_type.name,
        distribution=provider_type.distribution,
        version=provider_type.version,
        channels=_channels(provider_type.channels),
        error=error if whole_error else error.strip().rpartition("\n")[2],
    )


def upstream_message(report: UpstreamReport) -> provider_service_pb2.GetUpstreamUsageResponse:
    """What an upstream said."""
    response = provider_service_pb2.GetUpstreamUsageResponse(
        tells_usage=report.usage is not None,
        tells_senders=report.senders is not None,
        senders=report.senders,
    )
    if report.balance is not None:
        response.balance.amount_micros = report.balance.amount_micros
        response.balance.currency = report.balance.currency
    for each in report.usage or ():
        response.counts.add(name=each.name, count=each.count, day="" if each.day is None else str(each.day))
    return response


def _health(health: HealthView) -> provider_pb2.ProviderHealth:
    p50_s, p95_s = health.latency_p50_s, health.latency_p95_s
    return provider_pb2.ProviderHealth(
        circuit=PB_CIRCUIT_STATES[health.state],
        since_time=timestamp(health.since_us),
        next_probe_time=timestamp(health.next_probe_at_us) if health.next_probe_at_us else None,
        success_rate=health.success_rate,
        latency_p50=None if p50_s is None else duration(p50_s),
        latency_p95=None if p95_s is None else duration(p95_s),
    )


def _throttle(throttle: ThrottleView) -> provider_pb2.ProviderThrottle:
    return provider_pb2.ProviderThrottle(
        segments_per_second_max=throttle.limit,
        segments_per_second=throttle.rate,
        held_until_time=timestamp(throttle.held_until_us) if throttle.held_until_us else None,
    )


def _capabilities(capabilities: Capabilities, *, is_admin: bool) -> provider_pb2.ProviderCapabilities:
    keeping = capabilities.keywords
    return provider_pb2.ProviderCapabilities(
        channels=_channels(capabilities.channels),
        batch_max=capabilities.batch_max,
        receipts=PB_RECEIPT_MODES[capabilities.receipts],
        idempotency=PB_IDEMPOTENCY_MODES[capabilities.idempotency],
        sandbox=capabilities.sandbox,
        opt_in=capabilities.opt_in,
        balance=capabilities.balance,
        usage=capabilities.usage,
        senders=capabilities.senders,
        keywords=keeping is not None,
        keyword_addresses=sorted(keeping.addresses) if keeping is not None and is_admin else (),
        broadcast=capabilities.broadcast,
        broadcast_recipients_max=capabilities.broadcast_recipients_max if capabilities.broadcast else 0,
    )


def _channels(channels: Iterable[Channel]) -> "list[channel_pb2.Channel.ValueType]":
    return [PB_CHANNELS[channel] for channel in sorted(channels)]
