"""An instance's own table in the broker's settings, `[providers.<instance>]`.

What Groupcall's document leaves unsaid is a setting here, with the likeliest answer as its default.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from broker.spi import Channel, ReceiptMode, secrets_from_files
from waypost_groupcall.words import (
    ANSWERS,
    CALLBACK_NAMES,
    NAMES,
    PATHS,
    STATUSES,
    Endpoint,
    Meaning,
    Report,
)

CHANNELS = frozenset({Channel.SMS, Channel.EMAIL, Channel.PUSH, Channel.IN_APP})
PRODUCTION = "https://m5api.groupcall.com"
TESTING = "https://apitesting.groupcall.com"

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Digits = Annotated[str, Field(pattern=r"^[0-9]{3,15}$")]
Words = Annotated[str, Field(min_length=1, max_length=128)]


def _channel_named(written: object) -> Channel:
    if isinstance(written, Channel):
        return written
    if not isinstance(written, str) or written.upper() not in {each.name for each in CHANNELS}:
        raise ValueError("a channel is one of email, in_app, push, sms")
    return Channel[written.upper()]


ChannelName = Annotated[Channel, BeforeValidator(_channel_named)]


class Customer(BaseModel):
    """A customer of Groupcall's whom a partner sends for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: str = Field(min_length=1, max_length=64)
    password: SecretStr = SecretStr("")
    password_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: Any) -> Any:
        return secrets_from_files(values, "password")


class GroupcallSettings(BaseModel):
    """One account at Groupcall: a customer's, or a partner's."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    url: str = Field(default="", pattern=r"^(https?://[^\s?#]+)?$")
    testing: bool = False
    testing_transmits: bool = False
    timeout_s: float = Field(default=12.0, gt=0, le=60)
    requests_max: int = Field(default=32, ge=1, le=100)
    batch_max: int = Field(default=1, ge=1, le=100)

    user_name: str = Field(default="", max_length=128)
    customer_id: str = Field(default="", max_length=64)
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    partner_key: SecretStr = SecretStr("")
    partner_key_file: Path | None = None
    customers: dict[str, Customer] = {}

    channels: frozenset[ChannelName] = Field(default=CHANNELS, min_length=1)
    multi_content: bool | None = None
    message_data: Literal["as_printed", "always", "never"] = "as_printed"
    style_class: str = Field(default="", max_length=255)
    sms_sender: str = Field(default="", pattern=r"^([A-Za-z0-9]{3,11})?$")
    own_numbers: frozenset[Annotated[str, Field(pattern=r"^\+?[0-9]{3,15}$")]] = frozenset()
    units_max: int = Field(default=10, ge=1, le=100)
    mobile_numbers: Literal["plus", "digits"] = "plus"
    text_emails: Literal["as_written", "html"] = "as_written"
    multi_email_body: Literal["text", "empty", "omit"] = "text"

    receipts: Literal["push", "none"] = "push"
    callback_parameters: Literal["placeholders", "all"] = "placeholders"
    callback_extra: dict[Name, str] = {}
    callback_names: dict[str, Name] = {}
    statuses: dict[Words, Report] = {}
    answers: dict[Words, Meaning] = {}

    short_code: Digits | Literal[""] = ""
    short_codes: dict[str, Digits] = {}
    opt_out_keyword: str = Field(default="STOP", min_length=1, max_length=32)
    opt_in_keyword: str = Field(default="START", min_length=1, max_length=32)
    collect_opt_ins: bool = False
    usage: bool = True

    paths: dict[Endpoint, Annotated[str, Field(pattern=r"^/[^\s?#]*$")]] = {}
    names: dict[str, Name] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_files(cls, values: Any) -> Any:
        return secrets_from_files(values, "password", "partner_key")

    @field_validator("names", "callback_names")
    @classmethod
    def _known_names(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        known = NAMES if info.field_name == "names" else CALLBACK_NAMES
        if unknown := sorted(given.keys() - known):
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(sorted(known))}")
        return given

    @field_validator("statuses", "answers")
    @classmethod
    def _in_lower_case(cls, words: dict[str, Any]) -> dict[str, Any]:
        return {word.strip().lower(): meaning for word, meaning in words.items()}

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.testing and self.url:
            raise ValueError("set url or testing, not both")
        if self.testing_transmits and not self.testing:
            raise ValueError("testing_transmits goes with testing")
        if self.callback_extra and self.callback_parameters == "all":
            raise ValueError(
                "an address with parameters, as callback_extra, gets those that it names, and not all"
            )
        return self

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if not self.partner:
            if self.customers:
                raise ValueError("customers goes with partner_key")
            if not (self.user_name and self.customer_id and self.has_password):
                raise ValueError(
                    "a customer has user_name, customer_id and password; a partner has partner_key"
                )
        elif not (self.customer_id or self.customers):
            raise ValueError("a partner sends for a customer: set customer_id, or customers")
        if self.opt_in and not (self.customer_id and self.has_password):
            raise ValueError("short_code needs customer_id and password: opt-ins are a customer's")
        return self

    @property
    def partner(self) -> bool:
        """Whether it is the partner form."""
        return bool(self.partner_key.get_secret_value())

    @property
    def has_password(self) -> bool:
        """Whether it has a customer's own key."""
        return bool(self.password.get_secret_value())

    @property
    def base_url(self) -> str:
        """Where Groupcall is, without a slash at the end."""
        return (self.url or (TESTING if self.testing else PRODUCTION)).rstrip("/")

    @property
    def opt_in(self) -> bool:
        """Whether opt-ins are told: somebody has to say which incoming number they belong to."""
        return bool(self.short_code or self.short_codes)

    @property
    def tells_usage(self) -> bool:
        """Whether usage can be asked for."""
        return self.usage and bool(self.customer_id) and self.has_password

    @property
    def receipt_mode(self) -> ReceiptMode:
        """`receipts` in the broker's words."""
        return ReceiptMode.PUSH if self.receipts == "push" else ReceiptMode.NONE

    @cached_property
    def own_customer(self) -> Customer:
        """The customer of every account that is not in `customers`."""
        return Customer(customer_id=self.customer_id, password=self.password)

    def customer_of(self, account_id: str) -> Customer | None:
        """Whom an account sends for; None where nobody has said."""
        return self.customers.get(account_id) or (self.own_customer if self.customer_id else None)

    def url_of(self, endpoint: Endpoint) -> str:
        """The address of an operation."""
        return self.base_url + (self.paths.get(endpoint) or PATHS[endpoint])

    def name_of(self, field: str) -> str:
        """What a field of a request is called."""
        return self.names.get(field) or NAMES[field]

    def names_in_callbacks(self, field: str) -> tuple[str, ...]:
        """What a parameter of a callback may be called, in lower case."""
        given = self.callback_names.get(field)
        return (given.lower(),) if given else CALLBACK_NAMES[field]

    @cached_property
    def known_answers(self) -> Mapping[str, Meaning]:
        """What the words of an answer mean."""
        return {**ANSWERS, **self.answers}

    @cached_property
    def known_statuses(self) -> Mapping[str, Report]:
        """What the statuses of callbacks mean."""
        return {**STATUSES, **self.statuses}

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """All of them, so that nothing that quotes one is passed on."""
        every = (self.password, self.partner_key, *(each.password for each in self.customers.values()))
        return tuple(text for each in every if (text := each.get_secret_value()))
