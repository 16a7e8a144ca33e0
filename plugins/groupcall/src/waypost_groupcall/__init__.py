"""A Waypost provider for Groupcall Messenger, which schools and other organisations write through."""

from broker.spi import ProviderType, hookimpl
from waypost_groupcall.provider import Groupcall
from waypost_groupcall.settings import CHANNELS, GroupcallSettings

GROUPCALL = ProviderType("groupcall", CHANNELS, GroupcallSettings, Groupcall)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [GROUPCALL]
