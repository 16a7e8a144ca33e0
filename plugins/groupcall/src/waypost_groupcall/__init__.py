"""A Waypost provider for Groupcall Messenger, which schools and other organisations write through."""

from broker.spi import Provider, ProviderType, hookimpl
from waypost_groupcall.settings import CHANNELS, GroupcallSettings


def _create(settings: GroupcallSettings) -> Provider:
    # Its HTTP library takes a tenth of a second to import: only who configures an instance waits for it.
    from waypost_groupcall.provider import Groupcall

    return Groupcall(settings)


GROUPCALL = ProviderType("groupcall", CHANNELS, GroupcallSettings, _create)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [GROUPCALL]
