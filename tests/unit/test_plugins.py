"""Plugins: each loaded under its own guard, from entry points of real modules."""

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path
from textwrap import dedent

import pytest

from broker.plugins import PluginError, Plugins, load_plugins
from broker.settings import SettingsError
from broker.spi import Channel, Provider
from broker.testing.scripted_provider import ScriptedProvider

Install = Callable[..., EntryPoint]

GOOD = """
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator
from broker.spi import Channel, ProviderType, hookimpl
from broker.testing.scripted_provider import ScriptedProvider

class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    token: SecretStr = SecretStr("")
    port: int = 1

class Made(ScriptedProvider):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings

@hookimpl
def waypost_providers():
    return [ProviderType(NAME, frozenset({Channel.SMS}), Settings, Made)]
"""
SECRET = "hunter2-correct-horse"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Make a distribution with one module and answer its entry point."""
    monkeypatch.syspath_prepend(tmp_path)
    modules: list[str] = []

    def distribution(
        name: str, source: str, *, entry_point: str | None = None, version: str = "1.0"
    ) -> EntryPoint:
        module = f"waypost_{name}_under_test"
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(dedent(source).replace("NAME", repr(name)), encoding="utf-8")
        metadata = tmp_path / f"waypost_{name}-{version}.dist-info"
        metadata.mkdir(exist_ok=True)
        (metadata / "METADATA").write_text(f"Name: waypost-{name}\nVersion: {version}\n", encoding="utf-8")
        (metadata / "entry_points.txt").write_text(
            f"[waypost]\n{entry_point or name} = {module}\n", encoding="utf-8"
        )
        importlib.invalidate_caches()
        (found,) = PathDistribution(metadata).entry_points
        return found

    yield distribution
    for module in modules:
        sys.modules.pop(module, None)


def broken_names(plugins: Plugins) -> list[str]:
    """The entry points that could not be loaded."""
    return [each.entry_point for each in plugins.broken]


def test_a_plugin_offers_its_types(install: Install) -> None:
    """With the distribution that ships it."""
    plugins = load_plugins([install("acme", GOOD, version="2.3")])
    loaded = plugins.types["acme"]
    assert ("waypost-acme", "2.3", frozenset({Channel.SMS})) == (
        loaded.distribution,
        loaded.version,
        loaded.type.channels,
    )
    assert () == plugins.broken


def test_an_environment_without_plugins_has_no_types() -> None:
    """And nothing is broken."""
    assert Plugins({}, ()) == load_plugins([])


def test_the_sandbox_is_installed() -> None:
    """Through its own entry point, like any other."""
    plugins = load_plugins()
    assert "waypost-sandbox" == plugins.types["sandbox"].distribution


def test_a_plugin_with_no_providers_is_fine(install: Install) -> None:
    """It may come for another hook."""
    plugins = load_plugins([install("quiet", "from broker.spi import hookimpl\n")])
    assert ({}, ()) == (plugins.types, plugins.broken)


@pytest.mark.parametrize(
    "source",
    [
        "raise RuntimeError('at import')",
        "import a_module_that_nobody_has",
        "def broken(:",
        "raise SystemExit(3)",
        "from broker.spi import hookimpl\n@hookimpl\ndef waypost_providers():\n    raise RuntimeError('in the hook')\n",
        "from broker.spi import hookimpl\n@hookimpl\ndef waypost_providers():\n    return ['acme']\n",
        "from broker.spi import hookimpl\n@hookimpl\ndef waypost_providers():\n    return 5\n",
        "from broker.spi import hookimpl\n@hookimpl\ndef waypost_providers(unknown):\n    return []\n",
        "from broker.spi import hookimpl\n@hookimpl\ndef waypost_of_tomorrow():\n    return []\n",
    ],
    ids=[
        *("raises", "lacks a module", "is no Python", "exits", "hook raises", "answers no types"),
        *("answers no list", "wants an unknown argument", "has an unknown hook"),
    ],
)
def test_a_broken_plugin_is_listed_and_harms_no_other(install: Install, source: str) -> None:
    """Whether it comes before or after the others; with its traceback."""
    before, after = install("aaa", GOOD), install("zzz", GOOD)
    plugins = load_plugins([before, install("mmm", source), after])
    assert {"aaa", "zzz"} == set(plugins.types)
    assert ["mmm"] == broken_names(plugins)
    assert ("waypost-mmm", "1.0") == (plugins.broken[0].distribution, plugins.broken[0].version)
    assert "Traceback" in plugins.broken[0].error


def test_an_entry_point_that_leads_nowhere_is_broken(install: Install) -> None:
    """As after a half removed distribution."""
    found = install("acme", GOOD)
    gone = EntryPoint("gone", "waypost_gone_under_test", "waypost")
    plugins = load_plugins([gone, found])
    assert (["gone"], {"acme"}) == (broken_names(plugins), set(plugins.types))
    assert ("?", "?") == (plugins.broken[0].distribution, plugins.broken[0].version)


def test_two_plugins_of_one_entry_point_name_are_two_plugins(install: Install) -> None:
    """Names belong to distributions, which know nothing of each other."""
    plugins = load_plugins([
        install("one", GOOD, entry_point="provider"),
        install("two", GOOD, entry_point="provider"),
    ])
    assert ({"one", "two"}, ()) == (set(plugins.types), plugins.broken)


def test_two_plugins_that_claim_one_type_stop_the_start(install: Install) -> None:
    """Which is used must not depend on the order of a directory; both are named."""
    other = install("other", GOOD.replace("NAME", "'acme'"))
    with pytest.raises(PluginError, match="'acme' is claimed by waypost-acme and by waypost-other"):
        load_plugins([other, install("acme", GOOD)])


def test_a_type_that_is_not_installed_is_told_with_what_is(install: Install) -> None:
    """An operator sees the misspelling."""
    plugins = load_plugins([install("acme", GOOD)])
    with pytest.raises(PluginError, match=r"\[providers.west\] has type 'acmee'.*installed: acme"):
        plugins.create("west", {"type": "acmee"})


def test_a_named_plugin_that_is_broken_is_told_with_its_traceback(install: Install) -> None:
    """The operator needs it, so the start stops there."""
    plugins = load_plugins([install("acme", "raise RuntimeError('no licence found')")])
    with pytest.raises(PluginError) as refusal:
        plugins.create("west", {"type": "acme"})
    text = str(refusal.value)
    assert text.startswith("[providers.west] needs plugin waypost-acme, which is broken:\nTraceback")
    assert "RuntimeError: no licence found" in text


def test_a_provider_is_made_from_its_own_table(install: Install) -> None:
    """Without the type, and validated."""
    plugins = load_plugins([install("acme", GOOD)])
    provider = plugins.create("west", {"type": "acme", "token": SECRET, "port": "7"})
    assert isinstance(provider, ScriptedProvider)
    settings = provider.settings  # type: ignore[attr-defined]
    assert (SECRET, 7) == (settings.token.get_secret_value(), settings.port)


def test_each_instance_is_a_provider_of_its_own(install: Install) -> None:
    """Several of one type are normal."""
    plugins = load_plugins([install("acme", GOOD)])
    made: list[Provider] = [plugins.create(name, {"type": "acme"}) for name in ("west", "east")]
    assert made[0] is not made[1]


@pytest.mark.parametrize(
    ("table", "field"),
    [({"port": SECRET}, "port"), ({"tokken": SECRET}, "tokken"), ({"token": [SECRET]}, "token")],
)
def test_a_wrong_setting_is_told_by_its_path_and_not_by_its_value(
    install: Install, table: dict[str, object], field: str
) -> None:
    """It may be the secret itself."""
    plugins = load_plugins([install("acme", GOOD)])
    with pytest.raises(SettingsError) as refusal:
        plugins.create("west", {"type": "acme", **table})
    assert str(refusal.value).startswith(f"providers.west.{field}: ")
    assert SECRET not in str(refusal.value)
