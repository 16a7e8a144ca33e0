"""How messages are handed over, events streamed, and callers told."""

from typing import Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from broker.domain.network import networks_of
from broker.settings.spans import Seconds


class DeliverySettings(BaseModel):
    """How messages are handed over and followed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts_max: int = Field(default=12, ge=1, le=100, description="attempts at one message")
    hops_max: int = Field(
        default=24, ge=0, le=1_000, description="times that one message goes on to another provider"
    )
    crashes_max: int = Field(
        default=3, ge=1, le=100, description="attempts at one message that the process did not survive"
    )
    retry_base_s: Seconds = Field(default=1.0, description="the first retry comes within this")
    retry_cap_s: Seconds = Field(default=900.0, description="no retry waits longer")
    submit_timeout_s: Seconds = Field(default=30.0, description="a provider's answer is Unknown after this")
    lease_s: Seconds = Field(default=90.0, description="an open attempt is given up after this")
    in_flight_max: int = Field(
        default=5_000, ge=1, le=1_000_000, description="messages with providers at once"
    )
    batch_max: int = Field(default=500, ge=1, le=5_000, description="messages claimed at once")
    receipt_overdue_s: Seconds = Field(default=30.0, description="ask about a missing receipt after this")
    doubt_first_s: Seconds = Field(default=1.0, description="ask about an unknown outcome after this")
    question_cap_s: Seconds = Field(default=3_600.0, description="the longest wait between two questions")
    paused: bool = Field(
        default=False, description="accept messages; hand none over and end none that expire"
    )

    @model_validator(mode="after")
    def _lease_outlives_the_call(self) -> Self:
        if self.lease_s <= self.submit_timeout_s:
            raise ValueError(
                "lease_s must be more than submit_timeout_s: a call still open would be made again"
            )
        return self


class FeedSettings(BaseModel):
    """How events are streamed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subscribers_max: int = Field(default=5_000, ge=1, description="Subscribe streams at once")
    cache_bytes_max: int = Field(default=16_777_216, ge=65_536, description="recent events kept in memory")
    frame_events_max: int = Field(default=200, ge=1, le=10_000, description="events in one frame")
    frame_bytes_max: int = Field(default=65_536, ge=1_024, le=1_048_576, description="size of one frame")


class WebhookSettings(BaseModel):
    """How events are sent to callers' URLs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow_networks: tuple[str, ...] = Field(
        default=(), max_length=100, description="networks besides public ones that may be called, as CIDRs"
    )
    timeout_s: Seconds = Field(default=10.0, description="a call that takes longer has failed")
    retry_for_s: Seconds = Field(default=86_400.0, description="a callback is given up after this")
    retry_base_s: Seconds = Field(default=5.0, description="the first retry comes within this")
    retry_cap_s: Seconds = Field(default=3_600.0, description="no retry waits longer")
    hold_base_s: Seconds = Field(default=5.0, description="a failing endpoint is first left alone for this")
    hold_cap_s: Seconds = Field(default=300.0, description="and never longer than this")
    in_flight_max: int = Field(default=1_000, ge=1, le=100_000, description="callbacks claimed at once")
    endpoint_in_flight_max: int = Field(
        default=8, ge=1, le=1_000, description="calls of one endpoint at once"
    )
    waiting_max: int = Field(default=1_000_000, ge=1, description="callbacks that may wait for an endpoint")

    @field_validator("allow_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        networks_of(networks)
        return networks
