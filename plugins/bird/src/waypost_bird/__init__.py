"""A Waypost provider for Bird: SMS and MMS through the channels of a workspace, reports by signed webhooks."""

from broker.spi import Channel, ProviderType, hookimpl
from waypost_bird.provider import Bird
from waypost_bird.settings import BirdSettings

BIRD = ProviderType("bird", frozenset({Channel.SMS, Channel.MMS}), BirdSettings, Bird)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [BIRD]
