"""Provider instances and types → protobuf."""

from collections.abc import Iterable

from broker.api.convert.findings import Findings
from broker.api.convert.words import PB_CHANNELS, PB_IDEMPOTENCY_MODES, PB_RECEIPT_MODES
from broker.delivery.registry import InstanceView, TypeView
from broker.domain.vocabulary import Channel
from broker.spi import Capabilities
from waypost.v1 import channel_pb2, provider_pb2


def provider_message(instance: InstanceView, callback_url: str) -> provider_pb2.Provider:
    """A configured provider instance. `callback_url` holds a secret: "" for whoever may not see it."""
    drained = instance.drained
    return provider_pb2.Provider(
        name=instance.name,
        type=instance.type,
        state=provider_pb2.PROVIDER_STATE_DRAINED if drained else provider_pb2.PROVIDER_STATE_ENABLED,
        capabilities=_capabilities(instance.capabilities),
        in_flight=instance.in_flight,
        callback_url=callback_url,
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


def _capabilities(capabilities: Capabilities) -> provider_pb2.ProviderCapabilities:
    return provider_pb2.ProviderCapabilities(
        channels=_channels(capabilities.channels),
        batch_max=capabilities.batch_max,
        receipts=PB_RECEIPT_MODES[capabilities.receipts],
        idempotency=PB_IDEMPOTENCY_MODES[capabilities.idempotency],
    )


def _channels(channels: Iterable[Channel]) -> "list[channel_pb2.Channel.ValueType]":
    return [PB_CHANNELS[channel] for channel in sorted(channels)]
