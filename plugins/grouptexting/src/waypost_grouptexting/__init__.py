"""A Waypost provider for Group Texting, an SMS service whose answers are bare numbers."""

from broker.spi import Channel, PaymentsType, ProviderType, hookimpl
from waypost_grouptexting.payments import GroupTextingPayments, GroupTextingPaymentsSettings
from waypost_grouptexting.provider import GroupTexting
from waypost_grouptexting.settings import GroupTextingSettings

GROUP_TEXTING = ProviderType("grouptexting", frozenset({Channel.SMS}), GroupTextingSettings, GroupTexting)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [GROUP_TEXTING]


@hookimpl
def waypost_payments() -> list[PaymentsType]:
    """Offer credits at Group Texting as what a purchase buys."""
    return [PaymentsType("grouptexting", GroupTextingPaymentsSettings, GroupTextingPayments)]
