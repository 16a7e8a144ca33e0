"""The sandbox against the suite of every provider."""

from typing import Any

from broker.spi import Channel, OutboundMessage
from broker.testing.provider_suite import ProviderSuite
from broker.testing.running import RunningProvider
from waypost_sandbox import waypost_providers


class TestSandboxConformance(ProviderSuite):
    """It calls nobody, so the cases that break an upstream are skipped."""

    provider_type = waypost_providers()[0]

    def settings(self, base_url: str) -> dict[str, Any]:
        """As it comes."""
        return {}

    def provider_message_ids(self, message: OutboundMessage) -> tuple[str, ...]:
        """Made of the message and the attempt."""
        return (f"sb-{message.message_id}-{message.attempt}",)

    def refused_message(self) -> OutboundMessage:
        """The number that is refused."""
        return self.message(channel=Channel.SMS, recipient="+447700900001")

    def unsent_message(self) -> OutboundMessage:
        """The number that is never taken: of all others the sandbox thinks that it took them."""
        return self.message(channel=Channel.SMS, recipient="+447700900010")

    async def deliver(self, running: RunningProvider, message: OutboundMessage) -> None:
        """It delivers by itself, when its time has come."""
