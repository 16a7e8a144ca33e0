"""An instance's own table in the broker's settings, `[providers.<instance>]`.

What ZoomConnect's guide leaves unsaid is a setting here, with the likeliest answer as its default.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from broker.spi import ReceiptMode, secrets_from_files

HEADER_SAFE = r"^[!-~]*$"
"""Without spaces and control characters, which a header or a path could not carry."""

QUERY_PARAMETERS = frozenset({
    *("recipientNumber", "message", "dateToSend", "campaign", "dataField"),
    *("page", "pageSize", "type", "deleted", "read"),
    *("from", "to", "userEmailAddress", "includeRefundedAndOptout", "calculateCreditValue"),
    *("email", "token"),
})
"""Parameters of URLs that the guide does not print, as ZoomConnect's published interface description has them."""


class Form(StrEnum):
    """The four ways in which ZoomConnect takes a message."""

    SEND = "send"
    BULK = "send-bulk"
    URL_PARAMETERS = "send-url-parameters"
    URL = "send-url"


class Meaning(StrEnum):
    """What a status of ZoomConnect's means."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    OPTED_OUT = "opted_out"
    UNKNOWN = "unknown"


class Refusal(StrEnum):
    """What an error that ZoomConnect answers for one message means."""

    RECIPIENT = "invalid_recipient"
    CONTENT = "content_unsupported"
    OPTED_OUT = "opted_out"
    REFUSED = "refused"
    LATER = "not_accepted"


STATUSES: Mapping[str, Meaning] = {
    "SCHEDULED": Meaning.PENDING,
    "SENT": Meaning.SENT,
    "DELIVERED": Meaning.DELIVERED,
    "FAILED": Meaning.FAILED,
    "FAILED_REFUNDED": Meaning.FAILED,
    "FAILED_OPTOUT": Meaning.OPTED_OUT,
    "UNKNOWN": Meaning.UNKNOWN,
}
"""ZoomConnect's statuses. Its guide prints DELIVERED only; the others are in its interface description."""

ERRORS: Mapping[str, Refusal] = {
    "Invalid mobile number": Refusal.RECIPIENT,
    "Message cannot be empty": Refusal.CONTENT,
}
"""Errors of single messages, word for word; any other may mean anything."""

ReceiptsBy = {"push": ReceiptMode.PUSH, "poll": ReceiptMode.POLL, "none": ReceiptMode.NONE}


class ZoomConnectSettings(BaseModel):
    """One account at ZoomConnect."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    base_url: str = Field(default="https://www.zoomconnect.com/app", pattern=r"^https?://[^\s?#]+$")
    email: str = Field(default="", pattern=HEADER_SAFE, max_length=254)
    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    url_token: SecretStr = SecretStr("")
    url_token_file: Path | None = None
    authentication: Literal["headers", "basic", "url-for-tests"] = "headers"

    form: Form = Form.BULK
    url_method: Literal["POST", "GET"] = "POST"
    batch_max: int = Field(default=100, ge=1, le=1_000)
    requests_max: int = Field(default=8, ge=1, le=64)
    timeout_s: float = Field(default=20.0, gt=0, le=60)

    campaign: str = Field(default="", max_length=255)
    data_field: Literal["key", "reference", "none"] = "key"
    messages_per_minute: int = Field(default=0, ge=0, le=1_000_000)
    hold_s: int = Field(default=0, ge=0, le=86_400)

    number: str = Field(default="zoomconnect", min_length=1, max_length=64)
    other_senders: Literal["refuse", "ignore"] = "refuse"
    country_code: str = Field(default="27", pattern=r"^[1-9][0-9]{0,2}$")
    time_zone: str = "Africa/Johannesburg"

    receipts: Literal["push", "poll", "none"] = "push"
    replies: Literal["push", "poll", "none"] = "push"
    polled: Literal["mark-read", "delete"] = "mark-read"
    poll_s: float = Field(default=30.0, ge=0.1, le=86_400)
    poll_pause_s_max: float = Field(default=900.0, ge=1, le=86_400)
    page_size: int = Field(default=100, ge=1, le=1_000)
    lookup_lag_s: float = Field(default=120.0, ge=0, le=86_400)

    statuses: dict[str, Meaning] = {}
    errors: dict[str, Refusal] = {}
    parameters: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]] = {}

    statistics: Literal["messages", "credits"] = "messages"
    statistics_user: str = Field(default="", max_length=254)
    refunded_and_optout: bool = True

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: Any) -> Any:
        return secrets_from_files(values, "token", "url_token")

    @field_validator("token", "url_token")
    @classmethod
    def _fits_a_header(cls, secret: SecretStr) -> SecretStr:
        if not all("!" <= character <= "~" for character in secret.get_secret_value()):
            raise ValueError("is made of printable ASCII without spaces")
        return secret

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("is an IANA time zone, as Africa/Johannesburg") from None
        return name

    @field_validator("parameters")
    @classmethod
    def _known_parameters(cls, names: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(names.keys() - QUERY_PARAMETERS):
            known = ", ".join(sorted(QUERY_PARAMETERS))
            raise ValueError(f"{unknown[0]!r} is no parameter that is sent; these are: {known}")
        return names

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if bool(self.email) != bool(self.token.get_secret_value()):
            raise ValueError("email and token go together")
        if self.form is Form.URL and not self.url_token.get_secret_value():
            raise ValueError("the form send-url needs url_token")
        if self.authenticated:
            return self
        if self.form is not Form.URL:
            raise ValueError(f"the form {self.form} needs email and token")
        if "poll" in {self.receipts, self.replies}:
            raise ValueError("polling for receipts or replies needs email and token")
        return self

    @model_validator(mode="after")
    def _no_option_without_effect(self) -> Self:
        if self.messages_per_minute and self.form is not Form.BULK:
            raise ValueError("messages_per_minute works with the form send-bulk only")
        return self

    @property
    def authenticated(self) -> bool:
        """Whether there are credentials: the form send-url works without, and then nothing can be asked."""
        return bool(self.email)

    @property
    def zone(self) -> ZoneInfo:
        """Where ZoomConnect's clocks stand."""
        return ZoneInfo(self.time_zone)

    @property
    def receipt_mode(self) -> ReceiptMode:
        """`receipts` in the broker's words."""
        return ReceiptsBy[self.receipts]

    def meaning(self, status: str) -> Meaning:
        """What a status means; one that nobody has listed is UNKNOWN."""
        return self.statuses.get(status) or STATUSES.get(status, Meaning.UNKNOWN)

    def refusal(self, error: str) -> Refusal | None:
        """What an error of a single message means; None where nobody has said."""
        return self.errors.get(error) or ERRORS.get(error)
