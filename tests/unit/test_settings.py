"""Settings: three layers, no unknown names, and no secret in what is said about a mistake."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.domain.routes import Route
from broker.domain.vocabulary import Channel, Traffic
from broker.settings import (
    InstanceSettings,
    ServerSettings,
    Settings,
    SettingsError,
    instance_settings,
    load_settings,
    read_callback_secret,
)

SECRET = "hunter2-correct-horse"
WRITE = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has set."""
    for name in list(os.environ):
        if name.upper().startswith("WAYPOST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> WRITE:
    """A TOML file with this text."""

    def file(text: str) -> Path:
        path = tmp_path / "waypost.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return file


def refused(config: Path | None, overrides: dict[str, Any] | None = None) -> str:
    """What is said about settings that cannot be used."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(config, overrides)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("wrapper", "told"),
    [
        ("<i>$Body$</i>", ""),
        ("", ""),
        ("$Body$" + "x" * 99_994, ""),
        ("<i></i>", "plain: must have one $Body$, or be empty"),
        ("$Body$$Body$", "plain: must have one $Body$, or be empty"),
        ("$Body$" + "x" * 99_995, "plain: has at most 100,000 characters"),
    ],
)
def test_a_style_class_has_one_place_for_the_body(tmp_path: Path, wrapper: str, told: str) -> None:
    """Or is empty, and then a provider knows it."""
    config = tmp_path / "waypost.toml"
    config.write_text(f"[content.style_classes]\nplain = '{wrapper}'\n")
    if told:
        with pytest.raises(SettingsError, match=re.escape(told)):
            load_settings(config)
    else:
        assert {"plain": wrapper} == load_settings(config).content.style_classes


def test_a_broker_runs_without_any_settings() -> None:
    """With the sandbox, and on this host only."""
    settings = load_settings(None)
    assert {"sandbox": {"type": "sandbox"}} == settings.providers
    assert ("127.0.0.1:7070", 86_400) == (settings.server.listen, settings.intake.request_id_memory_s)


def test_the_file_is_read(write: WRITE) -> None:
    """Tables by their names."""
    settings = load_settings(write('data_dir = "/tmp/x"\n[delivery]\nattempts_max = 5\n'))
    assert (Path("/tmp/x"), 5) == (settings.data_dir, settings.delivery.attempts_max)


def test_the_environment_is_above_the_file_and_the_command_line_above_both(
    write: WRITE, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Value by value, not table by table."""
    config = write("[delivery]\nattempts_max = 1\nbatch_max = 2\nin_flight_max = 3\nlease_s = 100.0\n")
    monkeypatch.setenv("WAYPOST_DELIVERY__BATCH_MAX", "20")
    monkeypatch.setenv("WAYPOST_DELIVERY__IN_FLIGHT_MAX", "30")
    delivery = load_settings(config, {"delivery": {"in_flight_max": 300}}).delivery
    assert (1, 20, 300, 100.0) == (
        delivery.attempts_max,
        delivery.batch_max,
        delivery.in_flight_max,
        delivery.lease_s,
    )


def test_a_provider_takes_its_values_from_every_layer(write: WRITE, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a secret need not stand in the file."""
    config = write('[providers.acme]\ntype = "acme"\nurl = "https://example.com"\n')
    monkeypatch.setenv("WAYPOST_PROVIDERS__ACME__TOKEN", SECRET)
    expected = {"acme": {"type": "acme", "url": "https://example.com", "token": SECRET}}
    assert expected == load_settings(config).providers


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("dellivery = 1\n", "dellivery"),
        ("[delivery]\nattempts = 1\n", "delivery.attempts"),
        ("[dellivery]\nattempts_max = 1\n", "dellivery"),
        ("[server]\nport = 1\n", "server.port"),
    ],
)
def test_an_unknown_name_in_the_file_is_refused_with_its_path(write: WRITE, text: str, path: str) -> None:
    """A misspelt setting must not be a default in disguise."""
    assert refused(write(text)).startswith(f"{path}: ")


def test_an_unknown_name_in_a_table_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same."""
    monkeypatch.setenv("WAYPOST_DELIVERY__ATTEMPTS", "1")
    assert refused(None).startswith("delivery.attempts: ")


def test_an_unknown_table_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module's own promise: an unknown name is refused."""
    monkeypatch.setenv("WAYPOST_DELLIVERY__ATTEMPTS_MAX", "1")
    assert refused(None)


def test_an_unknown_name_on_the_command_line_is_refused() -> None:
    """The same."""
    assert refused(None, {"delivery": {"attempts": 1}}).startswith("delivery.attempts: ")


def test_every_broken_rule_has_a_line(write: WRITE) -> None:
    """An operator mends all of them at once."""
    lines = refused(write("[delivery]\nattempts_max = 0\nbatch_max = 0\n")).splitlines()
    assert ["delivery.attempts_max", "delivery.batch_max"] == [line.partition(":")[0] for line in lines]


@pytest.mark.parametrize(
    "text",
    [
        f'[delivery]\nattempts_max = "{SECRET}"\n',
        f'[server]\nlisten = "{SECRET}"\n',
        f'[server]\nallow_plaintext = "{SECRET}"\n',
        f'[store]\nurl = "mysql://broker:{SECRET}@db/waypost"\n',
        f'[delivery]\npassword = "{SECRET}"\n',
        f'delivery = "{SECRET}"\n',
        f'providers = "{SECRET}"\n',
        f'providers.acme = "{SECRET}"\n',
        f'[providers.acme]\ntoken = "{SECRET}"\n',
        f'[providers.acme]\ntype = ["{SECRET}"]\n',
        f'[providers."a b"]\ntype = "acme"\ntoken = "{SECRET}"\n',
        f'[delivery]\nbatch_max = "{SECRET}\n',
        f"[delivery]\nbatch_max = {SECRET}\n",
    ],
)
def test_a_mistake_is_told_without_its_value(write: WRITE, text: str) -> None:
    """A secret may stand at the wrong place, and errors go to logs."""
    assert SECRET not in refused(write(text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[providers.acme]\n", "[providers.acme] needs a type"),
        ('[providers."a b"]\ntype = "x"\n', "[providers.a b]"),
        (f'[providers.{"x" * 65}]\ntype = "x"\n', "at most 64"),
        ('[server]\nlisten = "localhost"\n', "server.listen"),
        ('[server]\nlisten = "localhost:70700"\n', "server.listen"),
        ("[delivery]\nlease_s = 30.0\n", "delivery"),
        ("[delivery]\nlease_s = nan\n", "delivery.lease_s"),
        ("[delivery]\nlease_s = inf\n", "delivery.lease_s"),
        ("[store]\nlinger_s = 1.0\n", "store.linger_s"),
        ("x = \n", "line 1"),
    ],
)
def test_a_broken_rule_names_its_place(write: WRITE, text: str, says: str) -> None:
    """And the rule."""
    assert says in refused(write(text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """It was asked for, so it is no default."""
    path = tmp_path / "none.toml"
    assert f"{path}: No such file or directory" == refused(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """With its name, not with a traceback."""
    path = tmp_path / "waypost.toml"
    path.write_bytes(b"\xff\xfe")
    assert str(path) in refused(path)


@pytest.mark.parametrize("name", ["WAYPOST_DELIVERY", "WAYPOST_PROVIDERS"])
def test_a_table_in_the_environment_that_is_no_json_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With its path, and without what was written there."""
    monkeypatch.setenv(name, '{"token": "' + SECRET)
    assert SECRET not in refused(None)


def test_settings_do_not_change() -> None:
    """One value for the whole process."""
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.data_dir = Path("/tmp/x")
    with pytest.raises(ValidationError):
        settings.delivery.attempts_max = 1


def test_the_brokers_own_table_of_an_instance_is_read(write: WRITE) -> None:
    """And what the rest of the instance's table is, only its plugin knows."""
    settings = load_settings(
        write(
            f'[providers.acme]\ntype = "acme"\nurl = 7\n[providers.acme.waypost]\ncallback_secret = "{SECRET}"\n'
        )
    )
    own = instance_settings("acme", settings.providers["acme"])
    assert own.callback_secret is not None
    assert SECRET == own.callback_secret.get_secret_value() == read_callback_secret("acme", own)
    assert InstanceSettings() == instance_settings("sandbox", {"type": "sandbox"})


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('waypost = "no table"', "[providers.acme] waypost"),
        (f'waypost.callback_secret = "/{SECRET}"', "providers.acme.waypost.callback_secret"),
        ('waypost.callback_secret = "short"', "providers.acme.waypost.callback_secret"),
        ('waypost.misspelt = "x"', "providers.acme.waypost.misspelt"),
        (f'waypost = {{callback_secret = "{SECRET}", callback_secret_file = "x"}}', "not both"),
    ],
)
def test_the_brokers_own_table_has_rules(write: WRITE, line: str, field: str) -> None:
    """A mistake is named with its field, and no secret is repeated."""
    told = refused(write(f'[providers.acme]\ntype = "acme"\n{line}\n'))
    assert (True, False) == (field in told, SECRET in told)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ""),
        ("https://sms.example.org", "https://sms.example.org"),
        ("http://10.0.0.1:8080/waypost/", "http://10.0.0.1:8080/waypost"),
        ("https://[::1]:1", "https://[::1]:1"),
    ],
)
def test_a_public_url_is_where_paths_begin(written: str, expected: str) -> None:
    """A slash at its end is no part of it."""
    assert expected == ServerSettings(public_url=written).public_url


@pytest.mark.parametrize(
    "written",
    [
        "sms.example.org",
        "ftp://a",
        "https://",
        "https://a/?b=c",
        "https://a?",
        "https://a/#b",
        "https://u:p@a",
        "https://[x",
        "https://a:x",
        "https://a:0",
    ],
)
def test_what_is_no_public_url_is_refused(written: str) -> None:
    """Nothing could be put behind it."""
    with pytest.raises(ValidationError, match="public_url"):
        ServerSettings(public_url=written)


def test_the_store_is_a_file_unless_a_server_is_named(write: WRITE) -> None:
    """By a URL, or by a file that holds it, so that no process list shows its password."""
    assert load_settings(None).store.is_sqlite
    url = f"postgresql://broker:{SECRET}@db/waypost"
    named = load_settings(write(f'[store]\nurl = "{url}"\n')).store
    place = write("")
    secret_file = place.with_name("url")
    secret_file.write_text(url + "\n")
    pointed = load_settings(write(f'[store]\nurl_file = "{secret_file}"\n')).store
    assert [url, url] == [each.url.get_secret_value() for each in (named, pointed)]
    assert not named.is_sqlite
    assert SECRET not in f"{named!r} {pointed!r}"


def test_a_store_is_named_once(write: WRITE, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ways at once, or a file that cannot be read, are refused."""
    secret_file = write("").with_name("url")
    path = write(f'[store]\nurl_file = "{secret_file}"\n')
    assert "url_file cannot be read: FileNotFoundError" in refused(path)
    secret_file.write_text(f"mysql://{SECRET}")
    assert "must be 'sqlite:' or 'postgresql://" in refused(path)
    monkeypatch.setenv("WAYPOST_STORE__URL", "postgresql://h/d")
    assert "give url or url_file, not both" in refused(path)


@pytest.mark.parametrize("network", ["127.0.0.1/8", "nonsense", "10.0.0.0/33"])
def test_a_network_that_is_none_stops_the_start(write: WRITE, network: str) -> None:
    """Also where bits of the host are set: a typing error must not open more than was meant."""
    assert "webhooks.allow_networks" in refused(write(f'[webhooks]\nallow_networks = ["{network}"]\n'))


def test_routes_are_read_under_the_names_of_the_api(write: WRITE) -> None:
    """Every field; none means that the settings leave them to others, and an empty list does not."""
    text = """
    [[routes]]
    name = "uk"
    provider = "acme"
    channels = ["sms", "in_app"]
    prefixes = ["+44"]
    countries = ["gb"]
    senders = ["Shop"]
    account_ids = ["0000000000001"]
    tags = ["VIP"]
    traffic = ["passcode"]
    priority = 1
    weight = 2
    cost_micros = 3
    """
    (route,) = load_settings(write(text)).routes or ()
    assert (
        Route(
            "uk",
            "acme",
            channels=(Channel.SMS, Channel.IN_APP),
            prefixes=("44",),
            countries=("GB",),
            senders=("Shop",),
            account_ids=(1,),
            tags=("vip",),
            traffic=(Traffic.PASSCODE,),
            priority=1,
            weight=2,
            cost_micros=3,
        )
        == route.route()
    )
    assert [None, ()] == [load_settings(write(each)).routes for each in ("", "routes = []")]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("chanels = []", "routes.0.chanels"),
        ('channels = ["smss"]', "must be one of sms, mms"),
        ("traffic = [3]", "must be one of transactional"),
        ('account_ids = ["x"]', "must be an account id"),
        ('weight = "many"', "routes.0.weight"),
    ],
)
def test_a_route_that_cannot_be_read_is_refused(write: WRITE, field: str, told: str) -> None:
    """With its place."""
    text = f'[[routes]]\nname = "uk"\nprovider = "acme"\n{field}\n'
    assert told in refused(write(text))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"event_retention_s": 3_600}, "store.event_retention_s: Value error, must be 0, or at least 86,400"),
        ({"event_retention_s": -1}, "store.event_retention_s"),
        ({"message_retention_s": 86_400}, "needs an event_retention_s that is no longer"),
        ({"message_retention_s": 86_400, "event_retention_s": 90_000}, "needs an event_retention_s"),
    ],
)
def test_a_retention_that_cannot_be_is_refused(values, rule):
    """Messages cannot go before the events that name them, and nothing goes within a day."""
    with pytest.raises(SettingsError) as refusal:
        load_settings(None, {"store": values})
    assert rule in str(refusal.value)


def test_everything_is_kept_unless_the_operator_says_otherwise():
    """Zero is for ever; messages as long as their events, or longer."""
    store = load_settings(None).store
    assert (0, 0) == (store.event_retention_s, store.message_retention_s)
    load_settings(None, {"store": {"event_retention_s": 86_400, "message_retention_s": 86_400}})
