"""Loading plugins: each entry point under its own guard, and provider types by name."""

import importlib.metadata
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pluggy
import structlog
from pydantic import ValidationError

from broker.settings import OWN_TABLE, SettingsError, broken_rules
from broker.spi import ENTRY_POINT_GROUP, Hooks, Provider, ProviderType

log = structlog.get_logger("waypost.plugins")


class PluginError(Exception):
    """A plugin that the settings need cannot be used; the message carries its traceback."""


@dataclass(frozen=True, slots=True)
class LoadedType:
    """A provider type with the distribution that ships it."""

    type: ProviderType
    distribution: str
    version: str


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """An entry point that could not be loaded."""

    entry_point: str
    distribution: str
    version: str
    error: str


@dataclass(frozen=True, slots=True)
class BoundHook:
    """One plugin's implementation of a hook, to be called without pluggy, which takes ten times as long.

    `arguments` are those of the hook's that it takes, in its order; `plugin` names it for logs.
    """

    plugin: str
    arguments: tuple[str, ...]
    function: Callable[..., Any]

    def __call__(self, **given: Any) -> Any:
        """What it answers. It may raise: the caller guards it."""
        return self.function(*[given[name] for name in self.arguments])


@dataclass(frozen=True, slots=True)
class Plugins:
    """What the installed plugins offer. `hooks` has, by name, those that some plugin implements."""

    types: Mapping[str, LoadedType]
    broken: tuple[BrokenPlugin, ...]
    hooks: Mapping[str, tuple[BoundHook, ...]] = field(default_factory=dict)

    def create(self, instance: str, table: Mapping[str, Any]) -> Provider:
        """The provider of one `[providers.<instance>]` table.

        Raises PluginError when its type is missing or broken, SettingsError when its settings are wrong.
        """
        name = table["type"]
        loaded = self.types.get(name)
        if loaded is None:
            raise PluginError(self._why_missing(instance, name))
        try:
            own = {name: value for name, value in table.items() if name not in {"type", OWN_TABLE}}
            settings = loaded.type.settings.model_validate(own)
        except ValidationError as error:
            raise SettingsError("\n".join(broken_rules(error, f"providers.{instance}"))) from None
        return loaded.type.create(settings)

    def _why_missing(self, instance: str, name: str) -> str:
        for broken in self.broken:
            if name in {broken.entry_point, broken.distribution.removeprefix("waypost-")}:
                return f"[providers.{instance}] needs plugin {broken.distribution}, which is broken:\n{broken.error}"
        known = ", ".join(sorted(self.types)) or "none"
        return (
            f"[providers.{instance}] has type {name!r}, which no installed plugin offers (installed: {known})"
        )


def load_plugins(entry_points: Iterable[importlib.metadata.EntryPoint] | None = None) -> Plugins:
    """Load every plugin of the environment.

    One that fails is listed as broken and harms no other. Two that claim one provider type raise
    PluginError: which one would be used must not depend on the order of a directory.
    """
    manager = pluggy.PluginManager("waypost")
    manager.add_hookspecs(Hooks)
    types: dict[str, LoadedType] = {}
    broken: list[BrokenPlugin] = []
    found = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP) if entry_points is None else entry_points
    for entry_point in sorted(found, key=lambda each: each.name):
        distribution = entry_point.dist.name if entry_point.dist else "?"
        version = entry_point.dist.version if entry_point.dist else "?"
        try:
            offered = _load_one(manager, entry_point, distribution)
        except (Exception, SystemExit):  # noqa: BLE001 - a broken plugin harms no other
            error = traceback.format_exc()
            broken.append(BrokenPlugin(entry_point.name, distribution, version, error))
            log.warning("plugin.broken", entry_point=entry_point.name, distribution=distribution, error=error)
            continue
        for each in offered:
            if (other := types.get(each.name)) is not None:
                raise PluginError(
                    f"provider type {each.name!r} is claimed by {other.distribution} and by {distribution}"
                )
            types[each.name] = LoadedType(each, distribution, version)
    return Plugins(types, tuple(broken), _bound_hooks(manager))


def _bound_hooks(manager: pluggy.PluginManager) -> dict[str, tuple[BoundHook, ...]]:
    """The implementations of each hook but the one that was called already, in the order of pluggy's own calls."""
    bound: dict[str, tuple[BoundHook, ...]] = {}
    for name in vars(Hooks):
        if name.startswith("waypost_") and name != "waypost_providers":
            implementations = reversed(getattr(manager.hook, name).get_hookimpls())
            bound[name] = tuple(
                BoundHook(each.plugin_name, tuple(each.argnames), each.function) for each in implementations
            )
    return {name: hooks for name, hooks in bound.items() if hooks}


def _load_one(
    manager: pluggy.PluginManager, entry_point: importlib.metadata.EntryPoint, distribution: str
) -> list[ProviderType]:
    plugin = entry_point.load()
    name = manager.register(plugin, name=f"{distribution}/{entry_point.name}")
    if name is None:
        raise ValueError(f"{entry_point.name} is registered already")
    try:
        # An unknown hook is a plugin for another version: say so instead of never calling it.
        manager.check_pending()
        _refuse_wrappers(manager, plugin)
        others = [each for each in manager.get_plugins() if each is not plugin]
        answers = manager.subset_hook_caller("waypost_providers", others)()
        offered = [each for answer in answers for each in answer]
    except BaseException:
        manager.unregister(plugin)
        raise
    for each in offered:
        if not isinstance(each, ProviderType):
            raise TypeError(f"waypost_providers answered {each!r}, which is no ProviderType")
    return offered


def _refuse_wrappers(manager: pluggy.PluginManager, plugin: object) -> None:
    """A wrapper needs pluggy around every call, and could keep other plugins from being asked."""
    for caller in manager.get_hookcallers(plugin) or ():
        for each in caller.get_hookimpls():
            if each.plugin is plugin and (each.wrapper or each.hookwrapper):
                raise TypeError(f"{caller.name} is implemented as a wrapper, which is not supported")
