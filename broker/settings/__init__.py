"""Everything an operator can set, validated once at start.

Values come from a TOML file (`--config`), then from the environment (`WAYPOST_` and the field's path
with double underscores, as `WAYPOST_DELIVERY__ATTEMPTS_MAX`), then from the command line. An unknown
name is refused.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableVariable

from broker.settings.accounts import AccountSettings, KeySettings
from broker.settings.broadcasts import BroadcastSettings
from broker.settings.credits import CreditSettings
from broker.settings.delivery import DeliverySettings, FeedSettings, WebhookSettings
from broker.settings.failing import SettingsError, broken_rules
from broker.settings.inbound import InboundSettings
from broker.settings.instances import OWN_TABLE, InstanceSettings, instance_settings, read_callback_secret
from broker.settings.intake import ContentSettings, DirectorySettings, IntakeSettings
from broker.settings.routes import RouteSettings
from broker.settings.server import ServerSettings
from broker.settings.store import StoreSettings

__all__ = [
    "COMMAND_LINE_NAMES",
    "OWN_TABLE",
    "PREFIX",
    "AccountSettings",
    "BroadcastSettings",
    "ContentSettings",
    "CreditSettings",
    "DeliverySettings",
    "DirectorySettings",
    "FeedSettings",
    "InboundSettings",
    "InstanceSettings",
    "IntakeSettings",
    "KeySettings",
    "RouteSettings",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "WebhookSettings",
    "broken_rules",
    "instance_settings",
    "load_settings",
    "read_callback_secret",
]

PREFIX = "WAYPOST_"
COMMAND_LINE_NAMES = frozenset({"target", "key", "tls_key", "tls_certificate"})
"""Variables that the command line reads and the broker does not."""


class Settings(BaseSettings):
    """One frozen value for the whole process. `providers` holds a table for each provider instance.

    `payments` is that of a payments backend, its `type` and what else belongs to its plugin.

    `routes` is None where the settings leave them to ReplaceRoutes.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Path = Path("waypost-data")
    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    accounts: AccountSettings = AccountSettings()
    keys: KeySettings = KeySettings()
    credits: CreditSettings = CreditSettings()
    intake: IntakeSettings = IntakeSettings()
    delivery: DeliverySettings = DeliverySettings()
    inbound: InboundSettings = InboundSettings()
    content: ContentSettings = ContentSettings()
    broadcasts: BroadcastSettings = BroadcastSettings()
    feed: FeedSettings = FeedSettings()
    directory: DirectorySettings = DirectorySettings()
    webhooks: WebhookSettings = WebhookSettings()
    providers: dict[str, dict[str, Any]] = Field(default_factory=lambda: {"sandbox": {"type": "sandbox"}})

    payments: dict[str, Any] = Field(default_factory=dict)
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
