"""A Waypost provider for ZoomConnect, which sends SMS and hands on replies over a REST API."""

from broker.spi import Channel, Provider, ProviderType, hookimpl
from waypost_zoomconnect.settings import ZoomConnectSettings


def _create(settings: ZoomConnectSettings) -> Provider:
    # Its HTTP library takes a tenth of a second to import: only who configures an instance waits for it.
    from waypost_zoomconnect.provider import ZoomConnect

    return ZoomConnect(settings)


ZOOMCONNECT = ProviderType(
    name="zoomconnect", channels=frozenset({Channel.SMS}), settings=ZoomConnectSettings, create=_create
)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [ZOOMCONNECT]
