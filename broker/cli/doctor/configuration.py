"""The settings: read as `waypost serve` reads them."""

from pathlib import Path
from typing import Any

from broker.cli.doctor.findings import Finding, fail, ok
from broker.listening import check_listeners
from broker.settings import Settings, SettingsError, load_settings


def check_settings(
    config: Path | None, data_dir: Path | None, store: str | None = None
) -> tuple[Finding, Settings | None]:
    """Whether they are valid; and they, unless they are not."""
    overrides: dict[str, Any] = {} if data_dir is None else {"data_dir": data_dir}
    if store is not None:
        overrides["store"] = {"url": store}
    try:
        settings = load_settings(config, overrides)
    except SettingsError as error:
        advice = "mend them; ports, TLS and providers can only be checked then"
        return fail("settings", _in_one_line(error), advice), None
    source = "defaults and environment" if config is None else str(config)
    try:
        check_listeners(settings.server)
    except SettingsError as error:
        return fail("settings", _in_one_line(error), "the broker does not start so"), settings
    return ok("settings", f"valid ({source}), data in {settings.data_dir}"), settings


def _in_one_line(error: SettingsError) -> str:
    return "; ".join(str(error).splitlines())
