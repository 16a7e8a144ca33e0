"""What the broker itself keeps to about one provider instance."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from broker.domain.ids import parse_id
from broker.settings.failing import SettingsError, broken_rules

OWN_TABLE = "waypost"
"""Under the table of a provider instance, the settings that are not its plugin's."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")


class InstanceSettings(BaseModel):
    """What the broker itself keeps to about one provider instance: `[providers.<instance>.waypost]`.

    The rest of the instance's table belongs to its plugin, which never sees this one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    callback_secret: SecretStr | None = Field(
        default=None, description="the secret in its callback address; drawn and kept by the store when unset"
    )
    callback_secret_file: Path | None = Field(default=None, description="a file that holds it")
    segments_per_second: float | None = Field(
        default=None, gt=0, le=1_000_000, description="no faster than this; unset: as fast as it takes them"
    )
    sender_segments_per_second: float | None = Field(
        default=None, gt=0, le=1_000_000, description="the same for each sender; unset: no limit of their own"
    )
    in_flight_max: int = Field(default=1_000, ge=1, le=1_000_000, description="messages with it at once")
    concurrency_max: int = Field(default=32, ge=1, le=10_000, description="calls of its submit at once")

    inbound_account: str | None = Field(
        default=None,
        description="the account of what comes in and answers nobody; unset: the default account",
    )

    @field_validator("inbound_account")
    @classmethod
    def _names_an_account(cls, account: str | None) -> str | None:
        if account is not None and parse_id(account) is None:
            raise ValueError("must be an account_id: 13 characters of Crockford base32")
        return account

    @property
    def inbound_account_id(self) -> int | None:
        """The number of `inbound_account`."""
        return None if self.inbound_account is None else parse_id(self.inbound_account)

    @field_validator("callback_secret")
    @classmethod
    def _fits_a_path(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not _SECRET.fullmatch(secret.get_secret_value()):
            raise ValueError("must be 16 to 128 letters, digits, '-' and '_'")
        return secret

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.callback_secret is not None and self.callback_secret_file is not None:
            raise ValueError("set callback_secret or callback_secret_file, not both")
        return self


def instance_settings(instance: str, table: Mapping[str, Any]) -> InstanceSettings:
    """The broker's own part of one `[providers.<instance>]` table.

    Raises SettingsError with one line for each broken rule.
    """
    try:
        return InstanceSettings.model_validate(table.get(OWN_TABLE, {}))
    except ValidationError as error:
        raise SettingsError("\n".join(broken_rules(error, f"providers.{instance}.{OWN_TABLE}"))) from None


def read_callback_secret(instance: str, settings: InstanceSettings) -> str | None:
    """The callback secret that the operator chose, None where the broker has to draw one.

    Raises SettingsError when the file cannot be read or holds none.
    """
    if settings.callback_secret is not None:
        return settings.callback_secret.get_secret_value()
    path = settings.callback_secret_file
    if path is None:
        return None
    place = f"providers.{instance}.{OWN_TABLE}.callback_secret_file"
    try:
        secret = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(f"{place}: {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        secret = ""
    if not _SECRET.fullmatch(secret):
        raise SettingsError(f"{place}: {path} must hold 16 to 128 letters, digits, '-' and '_'")
    return secret
