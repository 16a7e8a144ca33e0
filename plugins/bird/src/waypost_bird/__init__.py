"""A Waypost provider for Bird: SMS and MMS through the channels of a workspace, reports by signed webhooks."""

from broker.spi import Channel, Provider, ProviderType, hookimpl
from waypost_bird.settings import BirdSettings


def _create(settings: BirdSettings) -> Provider:
    # Its HTTP library takes a tenth of a second to import: only who configures an instance waits for it.
    from waypost_bird.provider import Bird

    return Bird(settings)


BIRD = ProviderType("bird", frozenset({Channel.SMS, Channel.MMS}), BirdSettings, _create)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [BIRD]
