"""A Waypost provider that sends nothing: the recipient's number says what becomes of each message."""

from broker.spi import Channel, ProviderType, hookimpl
from waypost_sandbox.provider import Sandbox
from waypost_sandbox.settings import SandboxSettings


@hookimpl
def waypost_providers() -> list[ProviderType]:
    """Offer the one provider type of this plugin."""
    return [
        ProviderType(name="sandbox", channels=frozenset(Channel), settings=SandboxSettings, create=Sandbox)
    ]
