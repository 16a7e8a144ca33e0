"""The sandbox's own table in the broker's settings, `[providers.<instance>]`."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from broker.spi import Channel, ReceiptMode
from waypost_sandbox.outcomes import Profile

RECEIPT_MODES = {"push": ReceiptMode.PUSH, "poll": ReceiptMode.POLL, "none": ReceiptMode.NONE}


def _channel_named(written: object) -> Channel:
    """The channel of a name such as "sms"; the stored numbers are no business of a settings file."""
    if isinstance(written, Channel):
        return written
    names = ", ".join(channel.name.lower() for channel in Channel)
    if not isinstance(written, str) or written.upper() not in Channel.__members__:
        raise ValueError(f"a channel is one of {names}")
    return Channel[written.upper()]


ChannelName = Annotated[Channel, BeforeValidator(_channel_named)]


class SandboxSettings(BaseModel):
    """How an instance behaves. As it comes it is fast, delivers, and never fails by chance."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    channels: frozenset[ChannelName] = Field(default=frozenset(Channel), min_length=1)
    latency_s: float = Field(default=0.0, ge=0, le=3_600)
    jitter_s: float = Field(default=0.0, ge=0, le=3_600)
    failure_rate: float = Field(default=0.0, ge=0, le=1)
    receipts: Literal["push", "poll", "none"] = "push"
    receipt_delay_s: float = Field(default=0.05, ge=0, le=86_400)
    seed: int = 0
    phone: bool = False
    batch_max: int = Field(default=500, ge=1, le=10_000)
    reports_waiting_max: int = Field(default=100_000, ge=1, le=10_000_000)

    @property
    def receipt_mode(self) -> ReceiptMode:
        """`receipts` in the broker's words."""
        return RECEIPT_MODES[self.receipts]

    def profile(self) -> Profile:
        """The part of the settings that decides what becomes of a message."""
        return Profile(
            latency_s=self.latency_s,
            jitter_s=self.jitter_s,
            failure_rate=self.failure_rate,
            receipt_delay_s=self.receipt_delay_s,
            seed=self.seed,
            receipts=self.receipt_mode,
        )
