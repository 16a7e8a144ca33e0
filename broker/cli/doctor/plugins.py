"""The installed plugins, and the provider instances that the settings make of them."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

from broker.cli.doctor.findings import Finding, fail, ok, warn
from broker.plugins import PluginError, Plugins, load_plugins
from broker.settings import Settings, SettingsError, instance_settings, read_callback_secret


def check_plugins(settings: Settings | None) -> list[Finding]:
    """What is installed; and, where there are settings, whether their providers can be made."""
    try:
        # What a plugin prints while it is imported is none of our output.
        with contextlib.redirect_stdout(sys.stderr):
            plugins = load_plugins()
    except PluginError as error:
        return [fail("plugins", str(error), "uninstall one of the two")]
    findings = judge_plugins(plugins)
    if settings is not None:
        serves_http = bool(settings.server.http_listen)
        findings += [
            check_provider(plugins, *each, serves_http=serves_http) for each in settings.providers.items()
        ]
    return findings


def judge_plugins(plugins: Plugins) -> list[Finding]:
    """One finding for what works, and one for each that does not."""
    offered = [f"{each.type.name} ({each.distribution} {each.version})" for each in plugins.types.values()]
    if offered:
        found = [ok("plugins", f"provider types: {', '.join(offered)}")]
    else:
        found = [warn("plugins", "no provider type is installed", "install a waypost-… plugin to send")]
    for broken in plugins.broken:
        detail = f"{broken.distribution} {broken.version} is broken: {_last_line(broken.error)}"
        found.append(warn("plugins", detail, "mend or uninstall it; the others are not harmed"))
    return found


def check_provider(
    plugins: Plugins, instance: str, table: Mapping[str, Any], *, serves_http: bool = True
) -> Finding:
    """Whether one table of the settings makes a provider. It is made, and never started."""
    check = f"provider {instance}"
    try:
        with contextlib.redirect_stdout(sys.stderr):
            takes_callbacks = plugins.create(instance, table).capabilities.callback
        read_callback_secret(instance, instance_settings(instance, table))
    except SettingsError as error:
        return fail(check, "; ".join(str(error).splitlines()), f"mend [providers.{instance}]")
    except PluginError as error:
        return fail(check, _first_and_last_line(str(error)), "install or mend its plugin")
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises would stop the broker's start
        return fail(check, f"{type(error).__name__}: {error}", f"mend [providers.{instance}] or its plugin")
    if takes_callbacks and not serves_http:
        detail = f"type {table['type']} takes callbacks, and no HTTP is served: receipts cannot arrive"
        return warn(
            check, detail, "set server.http_listen, and server.public_url to what upstreams see of it"
        )
    return ok(check, f"type {table['type']}, settings valid")


def _last_line(error: str) -> str:
    return error.strip().rpartition("\n")[2]


def _first_and_last_line(error: str) -> str:
    first, *rest = error.strip().splitlines()
    return f"{first} {rest[-1]}" if rest else first
