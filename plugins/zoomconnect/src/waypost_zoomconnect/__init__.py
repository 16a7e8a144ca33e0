"""A Waypost provider for ZoomConnect, which sends SMS and hands on replies over a REST API."""

from broker.spi import Channel, ProviderType, hookimpl
from waypost_zoomconnect.provider import ZoomConnect
from waypost_zoomconnect.settings import ZoomConnectSettings

ZOOMCONNECT = ProviderType(
    name="zoomconnect", channels=frozenset({Channel.SMS}), settings=ZoomConnectSettings, create=ZoomConnect
)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [ZOOMCONNECT]
