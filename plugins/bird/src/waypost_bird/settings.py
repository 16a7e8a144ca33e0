"""The table of one instance, `[providers.<instance>]`. What Bird's document leaves unsaid is a setting here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, StringConstraints, model_validator

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

    _access_key: str = PrivateAttr(default="")
    _signing_key: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _keys(self) -> Self:
        """Read the keys once: from here, or from their files."""
        self._access_key = _key("access_key", self.access_key, self.access_key_file)
        self._signing_key = _key("signing_key", self.signing_key, self.signing_key_file)
        if not self._access_key:
            raise ValueError("set access_key or access_key_file")
        return self

    @property
    def credentials(self) -> str:
        """The value of the header Authorization."""
        return f"{self.authorization} {self._access_key}"

    @property
    def webhook_key(self) -> bytes:
        """What webhooks are signed with; empty: they are not."""
        return self._signing_key.encode()

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


def _key(name: str, key: SecretStr | None, file: Path | None) -> str:
    if key is not None and file is not None:
        raise ValueError(f"set {name} or {name}_file, not both")
    if key is not None:
        written = key.get_secret_value()
    elif file is not None:
        try:
            written = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{name}_file cannot be read: {type(error).__name__}") from None
    else:
        return ""
    if not (written.isascii() and written.isprintable() and written):
        raise ValueError(f"{name} must be printable ASCII, and not empty")
    return written
