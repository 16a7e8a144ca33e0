"""A Waypost provider for Ogangi: SMS by file, and its short codes."""

from broker.spi import Channel, Provider, ProviderType, hookimpl
from waypost_ogangi.settings import OgangiSettings


def _create(settings: OgangiSettings) -> Provider:
    # Its HTTP library takes a tenth of a second to import: only who configures an instance waits for it.
    from waypost_ogangi.provider import Ogangi

    return Ogangi(settings)


OGANGI = ProviderType("ogangi", frozenset({Channel.SMS}), OgangiSettings, _create)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [OGANGI]
