"""Where the truth is kept, and for how long."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from broker.settings.spans import Seconds
from broker.spi import secrets_from_files

POSTGRES_SCHEMES = ("postgresql://", "postgres://")


def _none_or_a_day(seconds: float) -> float:
    if 0 < seconds < 86_400:
        raise ValueError("must be 0, or at least 86,400 (a day)")
    return seconds


Retention = Annotated[float, Field(ge=0, le=36_500 * 86_400), AfterValidator(_none_or_a_day)]


class StoreSettings(BaseModel):
    """Where the truth is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: SecretStr = Field(
        default=SecretStr("sqlite:"),
        description="sqlite: is a file in the data directory; or postgresql://user:password@host/database",
    )
    url_file: Path | None = Field(default=None, description="a file that holds the URL, in place of it")
    linger_s: float = Field(
        default=0.002, ge=0, le=0.1, description="how long a busy writer waits for company"
    )
    receipt_memory_s: Seconds = Field(default=72 * 3600.0, description="late and early receipts are kept for")
    parked_receipts_max: int = Field(
        default=1_000_000, ge=1_000, description="early receipts kept; over it the oldest go"
    )

    event_retention_s: Retention = Field(
        default=0.0, description="events are kept for, at least a day; 0: for ever"
    )
    message_retention_s: Retention = Field(
        default=0.0,
        description="messages are kept for after their end, and not less than events; 0: for ever",
    )

    ledger_retention_s: Retention = Field(
        default=0.0,
        description="entries of the ledger are kept for, at least a day, and summed up then; 0: for ever",
    )

    @model_validator(mode="after")
    def _messages_outlive_their_events(self) -> Self:
        if self.message_retention_s and not 0 < self.event_retention_s <= self.message_retention_s:
            raise ValueError(
                "message_retention_s needs an event_retention_s that is no longer: events name their messages"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, values: Any) -> Any:
        """Read it once, with everything else."""
        if not isinstance(values, dict) or not values.get("url_file"):
            return values
        return secrets_from_files(values, "url")

    @field_validator("url")
    @classmethod
    def _known_engine(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() != "sqlite:" and not url.get_secret_value().startswith(POSTGRES_SCHEMES):
            raise ValueError("must be 'sqlite:' or 'postgresql://user:password@host/database'")
        return url

    @property
    def is_sqlite(self) -> bool:
        """Whether it is the file in the data directory."""
        return self.url.get_secret_value() == "sqlite:"
