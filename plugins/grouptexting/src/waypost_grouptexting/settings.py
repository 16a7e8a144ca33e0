"""An instance's own table in the broker's settings, `[providers.<instance>]`."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from broker.spi import secrets_from_files
from waypost_grouptexting.card import read_card

_LONG_CODE = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")


def _existing(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError("must be a directory that exists")
    return path


ExistingDirectory = Annotated[Path, AfterValidator(_existing)]


class AccountSettings(BaseModel):
    """One account at Group Texting, and how fast it may be asked."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    username: str = Field(min_length=1, max_length=256)
    password: SecretStr
    password_file: Path | None = None
    url: str = Field(default="https://app.grouptexting.com/api", pattern=r"^https?://[^\s?#]+$")
    method: Literal["POST", "GET"] = "POST"
    timeout_s: float = Field(default=15.0, gt=0, le=60)
    connections_max: int = Field(default=2, ge=1, le=100)
    connections_per_s_max: int = Field(default=2, ge=1, le=1_000)

    @model_validator(mode="before")
    @classmethod
    def _password_from_file(cls, values: Any) -> Any:
        return secrets_from_files(values, "password")

    @field_validator("password")
    @classmethod
    def _has_a_password(cls, password: SecretStr) -> SecretStr:
        if not password.get_secret_value():
            raise ValueError("must not be empty")
        return password


class GroupTextingSettings(AccountSettings):
    """The account, the long code that it sends from, and its keywords."""

    long_code: str = Field(description="where messages come from: E.164, or a short code")
    country_code: str = Field(default="1", pattern=r"^[1-9][0-9]{0,2}$")
    number_form: Literal["ten_digits", "digits"] = "ten_digits"
    reply_in_answer_s: float = Field(default=0.0, ge=0, le=50)
    replies_held_max: int = Field(default=100, ge=1, le=10_000)
    keywords: bool = True
    keywords_owned: frozenset[str] = frozenset()
    keyword_groups: bool = False
    keyword_emails: bool = False
    card_file: Path | None = None

    @field_validator("keywords_owned")
    @classmethod
    def _in_upper_case(cls, words: frozenset[str]) -> frozenset[str]:
        return frozenset(each.upper() for each in words)

    @field_validator("card_file")
    @classmethod
    def _holds_a_card(cls, path: Path | None) -> Path | None:
        """Find it out at the start, and forget it again."""
        if path is not None:
            read_card(path)
        return path

    @field_validator("long_code")
    @classmethod
    def _is_an_address(cls, long_code: str) -> str:
        if not _LONG_CODE.fullmatch(long_code):
            raise ValueError('must be a number in E.164, as "+12125550100", or a short code of 3 to 8 digits')
        return long_code
