"""How broadcasts go out."""

from pydantic import BaseModel, ConfigDict, Field


class BroadcastSettings(BaseModel):
    """How much of broadcasts is done at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_max: int = Field(
        default=500, ge=1, le=5_000, description="recipients that become messages in one commit"
    )
    ahead_max: int = Field(
        default=2_000,
        ge=1,
        le=10_000_000,
        description="messages of one broadcast that wait for a provider at once",
    )
    active_max: int = Field(default=1_000, ge=1, le=100_000, description="broadcasts that go on at once")
    upstream_poll_s: float = Field(
        default=10.0,
        ge=0.1,
        le=3_600,
        description="how often an upstream that runs one is asked how far it is",
    )
    file_bytes_max: int = Field(
        default=536_870_912, ge=1_024, le=17_179_869_184, description="size of a file of recipients"
    )
    file_rows_max: int = Field(
        default=5_000_000, ge=1, le=100_000_000, description="lines of a file of recipients"
    )
