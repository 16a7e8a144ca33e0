"""A Waypost provider for Group Texting, an SMS service whose answers are bare numbers."""

from broker.spi import Channel, PaymentsBackend, PaymentsType, Provider, ProviderType, hookimpl
from waypost_grouptexting.payments_settings import GroupTextingPaymentsSettings
from waypost_grouptexting.settings import GroupTextingSettings


def _create(settings: GroupTextingSettings) -> Provider:
    # Its HTTP library takes a tenth of a second to import: only who configures an instance waits for it.
    from waypost_grouptexting.provider import GroupTexting

    return GroupTexting(settings)


def _buying(settings: GroupTextingPaymentsSettings) -> PaymentsBackend:
    from waypost_grouptexting.payments import GroupTextingPayments

    return GroupTextingPayments(settings)


GROUP_TEXTING = ProviderType("grouptexting", frozenset({Channel.SMS}), GroupTextingSettings, _create)


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [GROUP_TEXTING]


@hookimpl
def waypost_payments() -> list[PaymentsType]:
    """Offer credits at Group Texting as what a purchase buys."""
    return [PaymentsType("grouptexting", GroupTextingPaymentsSettings, _buying)]
