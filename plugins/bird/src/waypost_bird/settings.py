"""The table of one instance, `[providers.<instance>]`. What Bird's document leaves unsaid is a setting here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from broker.spi import secrets_from_files

SECONDS_PER_DAY = 86_400
HTTP_URL = r"^https?://[^\s?#]*[^\s?#/]$"

HttpUrl = Annotated[str, StringConstraints(pattern=HTTP_URL, max_length=2_048)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$", to_lower=True)]


class BirdTemplate(BaseModel):
    """A template of Bird's that stands in for a stored one. An empty locale is the one that the message has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_id: UUID
    version: str = Field(default="latest", min_length=1, max_length=64)
    locale: str = Field(default="", max_length=35)


class BirdSettings(BaseModel):
    """One workspace and the channels of it that messages go through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workspace_id: UUID
    channel_id: UUID
    access_key: SecretStr | None = None
    access_key_file: Path | None = None
    authorization: Literal["AccessKey", "Bearer"] = "AccessKey"
    url: HttpUrl = "https://api.bird.com"
    timeout_s: float = Field(default=20.0, gt=0, le=60)
    number: str = Field(default="", max_length=64)
    senders: Mapping[str, UUID] = Field(default_factory=dict, max_length=1_000)
    mms_channel_ids: frozenset[UUID] = Field(default=frozenset(), max_length=1_000)
    receipts: Literal["push", "none"] = "push"
    signing_key: SecretStr | None = None
    signing_key_file: Path | None = None
    signature_header: HeaderName = "messagebird-signature"
    timestamp_header: HeaderName = "messagebird-request-timestamp"
    signature_age_s_max: int = Field(default=SECONDS_PER_DAY, ge=1, le=7 * SECONDS_PER_DAY)
    webhook_url: HttpUrl | None = None
    notification: bool = True
    reference: Literal["message_id", "client_reference"] = "message_id"
    tags: bool = True
    quiet_hours: Literal["broker", "upstream"] = "broker"
    frequency_caps: Literal["broker", "upstream"] = "broker"
    link_tracking: bool = False
    short_links_domain: str = Field(default="", max_length=128)
    templates: Mapping[str, BirdTemplate] = Field(default_factory=dict, max_length=1_000)
    opted_out_codes: frozenset[str] = Field(default=frozenset({"unsubscribed", "opted_out"}), max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: Any) -> Any:
        return secrets_from_files(values, "access_key", "signing_key")

    @field_validator("access_key", "signing_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        written = _written(key)
        if key is not None and not (written.isascii() and written.isprintable() and written):
            raise ValueError("must be printable ASCII, and not empty")
        return key

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.access_key is None:
            raise ValueError("give access_key or access_key_file")
        return self

    @property
    def credentials(self) -> str:
        """The value of the header Authorization."""
        return f"{self.authorization} {_written(self.access_key)}"

    @property
    def webhook_key(self) -> bytes:
        """What webhooks are signed with; empty: they are not."""
        return _written(self.signing_key).encode()

    @property
    def channel_ids(self) -> frozenset[str]:
        """Every channel that messages go through."""
        return frozenset(str(each) for each in (self.channel_id, *self.senders.values()))

    def number_of(self, channel_id: str) -> str:
        """The number of a channel as far as the settings know it, else the channel's id."""
        if channel_id == str(self.channel_id) and self.number:
            return self.number
        return next(
            (sender for sender, owner in self.senders.items() if str(owner) == channel_id), channel_id
        )


def _written(key: SecretStr | None) -> str:
    return "" if key is None else key.get_secret_value()
