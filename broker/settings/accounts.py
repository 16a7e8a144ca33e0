"""Accounts and keys."""

from pydantic import BaseModel, ConfigDict, Field


class AccountSettings(BaseModel):
    """How many accounts there may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts_max: int = Field(default=100_000, ge=1, le=10_000_000, description="accounts of the broker")
