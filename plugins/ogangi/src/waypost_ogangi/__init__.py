"""A Waypost provider for Ogangi: SMS by file, and its short codes."""

from broker.spi import Channel, ProviderType, hookimpl
from waypost_ogangi.provider import Ogangi
from waypost_ogangi.settings import OgangiSettings

OGANGI = ProviderType("ogangi", frozenset({Channel.SMS}), OgangiSettings, Ogangi)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [OGANGI]
