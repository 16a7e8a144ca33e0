"""Everything an operator can set, validated once at start.

Values come from a TOML file (`--config`), then from the environment (`WAYPOST_` and the field's path
with double underscores, as `WAYPOST_DELIVERY__ATTEMPTS_MAX`), then from the command line. An unknown
name is refused.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableVariable

from broker.domain.ids import parse_id
from broker.domain.network import networks_of
from broker.domain.routes import Route, normal_route
from broker.domain.style import BODY, STYLE_CLASSES_MAX, WRAPPER_CHARACTERS_MAX
from broker.domain.vocabulary import Channel, Traffic

PREFIX = "WAYPOST_"
COMMAND_LINE_NAMES = frozenset({"target", "key"})
"""Variables that the command line reads and the broker does not."""

POSTGRES_SCHEMES = ("postgresql://", "postgres://")

OWN_TABLE = "waypost"
"""Under the table of a provider instance, the settings that are not its plugin's."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")

Word = TypeVar("Word", bound=IntEnum)
Seconds = Annotated[float, Field(gt=0, le=30 * 86_400)]


def _none_or_a_day(seconds: float) -> float:
    if 0 < seconds < 86_400:
        raise ValueError("must be 0, or at least 86,400 (a day)")
    return seconds


Retention = Annotated[float, Field(ge=0, le=36_500 * 86_400), AfterValidator(_none_or_a_day)]


class SettingsError(Exception):
    """The settings cannot be used; the message names the field and the rule."""


class DeliverySettings(BaseModel):
    """How messages are handed over and followed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts_max: int = Field(default=12, ge=1, le=100, description="attempts at one message")
    hops_max: int = Field(
        default=24, ge=0, le=1_000, description="times that one message goes on to another provider"
    )
    crashes_max: int = Field(
        default=3, ge=1, le=100, description="attempts at one message that the process did not survive"
    )
    retry_base_s: Seconds = Field(default=1.0, description="the first retry comes within this")
    retry_cap_s: Seconds = Field(default=900.0, description="no retry waits longer")
    submit_timeout_s: Seconds = Field(default=30.0, description="a provider's answer is Unknown after this")
    lease_s: Seconds = Field(default=90.0, description="an open attempt is given up after this")
    in_flight_max: int = Field(
        default=5_000, ge=1, le=1_000_000, description="messages with providers at once"
    )
    batch_max: int = Field(default=500, ge=1, le=5_000, description="messages claimed at once")
    receipt_overdue_s: Seconds = Field(default=30.0, description="ask about a missing receipt after this")
    doubt_first_s: Seconds = Field(default=1.0, description="ask about an unknown outcome after this")
    question_cap_s: Seconds = Field(default=3_600.0, description="the longest wait between two questions")
    paused: bool = Field(
        default=False, description="accept messages; hand none over and end none that expire"
    )

    @model_validator(mode="after")
    def _lease_outlives_the_call(self) -> Self:
        if self.lease_s <= self.submit_timeout_s:
            raise ValueError(
                "lease_s must be more than submit_timeout_s: a call still open would be made again"
            )
        return self


class IntakeSettings(BaseModel):
    """What is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    units_max: int = Field(default=10, ge=1, le=255, description="parts of one message")
    request_id_memory_s: float = Field(
        default=86_400.0, gt=0, le=86_400.0, description="how long a request_id is remembered"
    )
    calls_max: int = Field(default=4_000, ge=1, description="calls in progress at once")
    message_bytes_max: int = Field(default=16_777_216, ge=65_536, description="size of one request")


class DirectorySettings(BaseModel):
    """How much an account may keep in its directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contacts_max: int = Field(default=5_000_000, ge=0, description="contacts of one account")
    groups_max: int = Field(default=100_000, ge=0, description="groups of one account")


class ContentSettings(BaseModel):
    """What is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    templates_max: int = Field(default=10_000, ge=0, description="templates of one account")
    style_classes: dict[str, str] = Field(
        default_factory=dict,
        description="wrappers of emails by name: HTML with $Body$ in it; empty: the provider knows it",
    )

    @field_validator("style_classes")
    @classmethod
    def _places_for_bodies(cls, classes: dict[str, str]) -> dict[str, str]:
        if len(classes) > STYLE_CLASSES_MAX:
            raise ValueError(f"at most {STYLE_CLASSES_MAX} classes are allowed")
        for name, wrapper in classes.items():
            if wrapper and wrapper.count(BODY) != 1:
                raise ValueError(f"{name}: must have one {BODY}, or be empty")
            if len(wrapper) > WRAPPER_CHARACTERS_MAX:
                raise ValueError(f"{name}: has at most {WRAPPER_CHARACTERS_MAX:,} characters")
        return classes


class FeedSettings(BaseModel):
    """How events are streamed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subscribers_max: int = Field(default=5_000, ge=1, description="Subscribe streams at once")
    cache_bytes_max: int = Field(default=16_777_216, ge=65_536, description="recent events kept in memory")
    frame_events_max: int = Field(default=200, ge=1, le=10_000, description="events in one frame")
    frame_bytes_max: int = Field(default=65_536, ge=1_024, le=1_048_576, description="size of one frame")


class WebhookSettings(BaseModel):
    """How events are sent to callers' URLs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow_networks: tuple[str, ...] = Field(
        default=(), max_length=100, description="networks besides public ones that may be called, as CIDRs"
    )
    timeout_s: Seconds = Field(default=10.0, description="a call that takes longer has failed")
    retry_for_s: Seconds = Field(default=86_400.0, description="a callback is given up after this")
    retry_base_s: Seconds = Field(default=5.0, description="the first retry comes within this")
    retry_cap_s: Seconds = Field(default=3_600.0, description="no retry waits longer")
    hold_base_s: Seconds = Field(default=5.0, description="a failing endpoint is first left alone for this")
    hold_cap_s: Seconds = Field(default=300.0, description="and never longer than this")
    in_flight_max: int = Field(default=1_000, ge=1, le=100_000, description="callbacks claimed at once")
    endpoint_in_flight_max: int = Field(
        default=8, ge=1, le=1_000, description="calls of one endpoint at once"
    )
    waiting_max: int = Field(default=1_000_000, ge=1, description="callbacks that may wait for an endpoint")

    @field_validator("allow_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        networks_of(networks)
        return networks


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
        if "url" in values:
            raise ValueError("give url or url_file, not both")
        try:
            url = Path(values["url_file"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"url_file cannot be read: {type(error).__name__}") from None
        return {**values, "url": url}

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


def _word(enumeration: type[Word]) -> Any:
    """A validator of an enumeration's names in lower case, as "in_app"."""

    def word(written: object) -> object:
        names = {each.name.lower(): each for each in enumeration}
        if isinstance(written, str) and written in names:
            return names[written]
        raise ValueError(f"must be one of {', '.join(names)}")

    return BeforeValidator(word)


def _account(written: object) -> object:
    number = parse_id(written) if isinstance(written, str) else None
    if number is None:
        raise ValueError("must be an account id: 13 characters of Crockford base32")
    return number


class RouteSettings(BaseModel):
    """One of `[[routes]]`, under the names of the proto's Route; `domain.routes` has the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    provider: str
    channels: tuple[Annotated[Channel, _word(Channel)], ...] = ()
    prefixes: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    account_ids: tuple[Annotated[int, BeforeValidator(_account)], ...] = ()
    tags: tuple[str, ...] = ()
    traffic: tuple[Annotated[Traffic, _word(Traffic)], ...] = ()
    priority: int = 0
    weight: int = 1
    cost_micros: int = 0

    def route(self) -> Route:
        """It as routing takes it."""
        return normal_route(Route(**dict(self)))


class ServerSettings(BaseModel):
    """Where the broker listens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = Field(default="127.0.0.1:7070", description="gRPC, host:port; port 0 picks a free one")
    http_listen: str = Field(
        default="", description="health, metrics and callbacks over HTTP, host:port; empty: none"
    )
    public_url: str = Field(
        default="",
        description="what upstreams see of http_listen, as https://host/path; empty: http_listen itself",
    )
    callbacks_max: int = Field(
        default=256, ge=1, le=10_000, description="callbacks of upstreams at once, each of up to 1 MiB"
    )
    tls_certificate: Path | None = Field(default=None, description="PEM chain; with tls_key")
    tls_key: Path | None = Field(default=None, description="PEM key; with tls_certificate")
    allow_plaintext: bool = Field(default=False, description="serve other hosts without TLS")
    drain_s: Seconds = Field(default=20.0, description="how long SIGTERM lets work finish")

    @field_validator("listen", "http_listen")
    @classmethod
    def _host_and_port(cls, address: str, info: ValidationInfo) -> str:
        host, _, port = address.rpartition(":")
        if (address or info.field_name == "listen") and not (host and port.isdigit() and int(port) <= 65_535):
            raise ValueError("must be host:port")
        return address

    @field_validator("public_url")
    @classmethod
    def _absolute_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and not (
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0  # raises where it is none
            and not (parts.query or parts.fragment or parts.username or url.endswith("?"))
        ):
            raise ValueError("must be http:// or https://, a host, and at most a port and a path")
        return url.rstrip("/")


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


class Settings(BaseSettings):
    """One frozen value for the whole process. `providers` holds a table for each provider instance.

    `routes` is None where the settings leave them to ReplaceRoutes.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Path("waypost-data")
    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    intake: IntakeSettings = IntakeSettings()
    delivery: DeliverySettings = DeliverySettings()
    content: ContentSettings = ContentSettings()
    feed: FeedSettings = FeedSettings()
    directory: DirectorySettings = DirectorySettings()
    webhooks: WebhookSettings = WebhookSettings()
    providers: dict[str, dict[str, Any]] = Field(default_factory=lambda: {"sandbox": {"type": "sandbox"}})

    routes: tuple[RouteSettings, ...] | None = None

    @field_validator("providers")
    @classmethod
    def _named_types(cls, providers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, table in providers.items():
            if not isinstance(table.get("type"), str):
                raise ValueError(f"[providers.{name}] needs a type")  # noqa: TRY004 - pydantic wants ValueError
            if not isinstance(table.get(OWN_TABLE, {}), dict):
                raise ValueError(f"[providers.{name}] {OWN_TABLE} must be a table")  # noqa: TRY004 - as above
            try:
                instance_settings(name, table)
            except SettingsError as error:
                raise ValueError(str(error)) from None
            if not name.replace("-", "").replace("_", "").isalnum() or len(name) > 64:
                raise ValueError(f"[providers.{name}]: a name is at most 64 letters, digits, '-' and '_'")
        return providers


def load_settings(config: Path | None, overrides: dict[str, Any] | None = None) -> Settings:
    """The settings of this process. `overrides` are nested values from the command line.

    Raises SettingsError with one line for each broken rule.
    """
    values = {} if config is None else _read_file(config)
    _check_environment()

    class Layered(Settings):
        """The command line over the environment over the file."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del init_settings, dotenv_settings, file_secret_settings
            above = InitSettingsSource(settings_cls, init_kwargs=overrides or {})
            below = InitSettingsSource(settings_cls, init_kwargs=values)
            return above, env_settings, below

    try:
        return Layered()
    except UnreadableVariable as error:  # its message names the variable's field and not its value
        raise SettingsError(str(error)) from None
    except ValidationError as error:
        raise SettingsError("\n".join(broken_rules(error))) from None


def broken_rules(error: ValidationError, place: str = "") -> Sequence[str]:
    """A line for each: the field, below `place`, and the rule. Never the input, which may hold a secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    prefix = (place,) if place else ()
    return [f"{'.'.join(map(str, (*prefix, *each['loc'])))}: {each['msg']}" for each in found]


def _read_file(config: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{config}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{config}: {error}") from error


def _check_environment() -> None:
    """Refuse a variable that looks like a setting and is none: a misspelt one would change nothing, silently."""
    for name in os.environ:
        table, _, _ = name.upper().removeprefix(PREFIX).partition("__")
        if (
            name.upper().startswith(PREFIX)
            and table.lower() not in Settings.model_fields.keys() | COMMAND_LINE_NAMES
        ):
            raise SettingsError(f"{name}: no setting has this name")
