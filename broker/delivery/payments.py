"""The payments backend that the settings name, of those that plugins offer."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from broker.plugins import PluginError, Plugins
from broker.settings.failing import SettingsError, broken_rules
from broker.spi import PaymentsBackend, PaymentsType

SANDBOX = "sandbox"


def payments_of(
    table: Mapping[str, Any], plugins: Plugins, provider_types: frozenset[str]
) -> PaymentsBackend | None:
    """The backend of the `[payments]` table; None where there is none.

    A broker that can only play (each of its providers is a sandbox) plays payments too, unless it is told otherwise.
    Raises PluginError for a type that is not offered or offered twice, SettingsError for settings it does not take.
    """
    name = table.get("type") or (SANDBOX if provider_types == {SANDBOX} else "")
    if not name:
        return None
    offered: dict[str, PaymentsType] = {}
    for hook in plugins.hooks.get("waypost_payments", ()):
        for each in hook():
            if each.name in offered:
                raise PluginError(f"payments type {each.name!r} is offered by two plugins")
            offered[each.name] = each
    if name not in offered:
        if not table:
            return None
        known = ", ".join(sorted(offered)) or "none"
        raise PluginError(
            f"[payments] has type {name!r}, which no installed plugin offers (installed: {known})"
        )
    own = {key: value for key, value in table.items() if key != "type"}
    try:
        return offered[name].create(offered[name].settings.model_validate(own))
    except ValidationError as error:
        raise SettingsError("\n".join(broken_rules(error, "payments"))) from None
