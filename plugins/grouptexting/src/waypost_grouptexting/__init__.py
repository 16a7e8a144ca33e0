"""A Waypost provider for Group Texting, an SMS service whose answers are bare numbers."""

from broker.spi import Channel, ProviderType, hookimpl
from waypost_grouptexting.provider import GroupTexting
from waypost_grouptexting.settings import GroupTextingSettings

GROUP_TEXTING = ProviderType("grouptexting", frozenset({Channel.SMS}), GroupTextingSettings, GroupTexting)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [GROUP_TEXTING]
