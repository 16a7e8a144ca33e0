"""The table of one instance, `[providers.<instance>]`.

What Ogangi's document leaves unsaid is a setting here; its default is the likeliest answer, and a guess.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from broker.spi import secrets_from_files

Verdict = Literal["accepted", "rejected", "invalid_recipient", "opted_out", "not_accepted", "unknown"]
"""What a word of Ogangi's says of a message."""

Column = Literal["recipient", "text", "sender"]


State = Literal["draft", "scheduled", "running", "suspended", "stopped", "completed", "deleted", "unknown"]
"""Where a broadcast stands, in the words of settings."""

BROADCAST_STATES: Mapping[str, State] = {
    "DRAFT": "draft",
    "SCHEDULED": "scheduled",
    "RUNNING": "running",
    "SUSPENDED": "suspended",
    "STOPPED": "stopped",
    "COMPLETED": "completed",
    "DELETED": "deleted",
    "0": "scheduled",
    "1": "running",
    "2": "completed",
    "3": "suspended",
    "4": "stopped",
    "5": "deleted",
}
"""What the document prints is SCHEDULED, and 2 of a broadcast that has ended; the rest are guesses."""


class OgangiSettings(BaseModel):
    """One workspace ("instance") at Ogangi, and how its side reads what the document does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    base_url: str = Field(pattern=r"^https?://[^\s?#]+$")
    instance_id: str = Field(min_length=1, max_length=64)
    user_name: str = Field(default="", max_length=128)
    public_key: SecretStr
    private_key: SecretStr | None = None
    private_key_file: Path | None = None
    timeout_s: float = Field(default=20.0, gt=0, le=60)
    shortcode: str = Field(default="", max_length=20)
    batch_max: int = Field(default=1_000, ge=1, le=10_000)

    signature_form: Literal["suffix", "prefix", "hmac", "plain"] = "suffix"
    signature_order: Literal["url", "name"] = "url"
    signature_posted: bool = True
    signature_public_key: bool = True
    signature_separator: str = Field(default="", max_length=8)
    signature_encoding: Literal["hex", "hex_upper", "base64", "base64url"] = "hex"

    file_form: Literal["multipart", "field"] = "multipart"
    file_name: str = Field(default="recipients.csv", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    file_columns: tuple[Column, ...] = ("recipient", "text")
    file_header: bool = False
    file_separator: str = Field(default=",", min_length=1, max_length=1)
    file_quotes: bool = True
    file_encoding: Literal["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"] = "utf-8"
    recipient_plus: bool = False

    message_statuses: dict[str, Verdict] = Field(
        default={"SENT_TO_CARRIER": "accepted"}, min_length=1, max_length=256
    )
    failures: dict[str, Literal["rejected", "not_accepted", "unknown"]] = Field(default={}, max_length=256)

    broadcast_statuses: dict[str, State] = Field(default=dict(BROADCAST_STATES), min_length=1, max_length=256)
    broadcast_recipients_max: int = Field(default=10_000, ge=1, le=100_000)
    broadcast_recipient_field: str = Field(default="to", pattern=r"^\w+$", max_length=64)
    broadcast_text_field: str = Field(default="text", pattern=r"^\w+$", max_length=64)
    time_zone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that dates without an offset are in."""
        return ZoneInfo(self.time_zone)

    @property
    def key(self) -> str:
        """The private key; empty where signatures need none."""
        return "" if self.private_key is None else self.private_key.get_secret_value()

    @field_validator("file_columns")
    @classmethod
    def _names_both(cls, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        if len(set(columns)) != len(columns) or not {"recipient", "text"} <= set(columns):
            raise ValueError("must name recipient and text, and each column once")
        return columns

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be the name of a time zone, as America/Caracas") from None
        return name

    @field_validator("file_separator")
    @classmethod
    def _separates(cls, separator: str) -> str:
        if separator in '"\r\n':
            raise ValueError("must be neither a quote nor a line end")
        return separator

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, values: Any) -> Any:
        return secrets_from_files(values, "private_key")

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if self.signature_form != "plain" and not self.key:
            raise ValueError('give private_key or private_key_file, or signature_form = "plain"')
        return self
