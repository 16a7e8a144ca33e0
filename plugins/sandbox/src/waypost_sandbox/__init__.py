"""A Waypost provider that sends nothing: the recipient's number says what becomes of each message."""

from broker.spi import Channel, PaymentsType, ProviderType, hookimpl
from waypost_sandbox.payments import SandboxPayments, SandboxPaymentsSettings
from waypost_sandbox.provider import Sandbox
from waypost_sandbox.settings import SandboxSettings


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [
        ProviderType(name="sandbox", channels=frozenset(Channel), settings=SandboxSettings, create=Sandbox)
    ]


@hookimpl
def waypost_payments() -> list[PaymentsType]:
    """Offer payments that take no money."""
    return [PaymentsType(name="sandbox", settings=SandboxPaymentsSettings, create=SandboxPayments)]
