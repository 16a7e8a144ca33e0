"""Accounts and keys."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class AccountSettings(BaseModel):
    """How many accounts there may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts_max: int = Field(default=100_000, ge=1, le=10_000_000, description="accounts of the broker")


class KeySettings(BaseModel):
    """What the hashes of keys are made with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pepper_file: Path | None = Field(
        default=None,
        description="a file with 64 hexadecimal digits, the same for all nodes; unset: key.pepper of the data dir",
    )
    replace_pepper: bool = Field(
        default=False,
        description="start with another pepper: all keys of before end, and a new admin key is made",
    )
