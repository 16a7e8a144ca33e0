"""What the doctor says of settings and plugins, and how all of it is told."""

import json
from types import SimpleNamespace

import pytest
from pydantic import BaseModel, ConfigDict

from broker.cli.doctor.configuration import check_settings
from broker.cli.doctor.findings import Finding, State
from broker.cli.doctor.plugins import check_provider, judge_plugins
from broker.cli.doctor_command import doctor
from broker.cli.exit_codes import ExitCode
from broker.cli.finding_lines import finding_line, summary
from broker.plugins import BrokenPlugin, LoadedType, Plugins
from broker.spi import Capabilities, ProviderType, ReceiptMode


class AcmeSettings(BaseModel):
    """A type's own settings."""

    model_config = ConfigDict(extra="forbid")
    url: str


def create(settings: AcmeSettings) -> SimpleNamespace:
    """A provider, unless its settings are beyond it."""
    if settings.url == "bad":
        raise RuntimeError("no such place")
    return SimpleNamespace(capabilities=Capabilities(frozenset(), ReceiptMode.PUSH, callback=True))


ACME = ProviderType("acme", frozenset(), AcmeSettings, create)
BROKEN = BrokenPlugin("birds", "waypost-birds", "2", "Traceback:\n  somewhere\nImportError: no wings\n")
PLUGINS = Plugins({"acme": LoadedType(ACME, "waypost-acme", "1.2")}, (BROKEN,))


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch, tmp_path) -> None:
    """Nor logs silenced for the tests that come after."""
    monkeypatch.delenv("WAYPOST_DATA_DIR", raising=False)
    monkeypatch.setattr("broker.cli.doctor_command._silence_logs", lambda: None)
    monkeypatch.chdir(tmp_path)


def test_a_broken_plugin_is_a_warning_of_its_own() -> None:
    """It harms no other."""
    working, broken = judge_plugins(PLUGINS)
    assert (State.OK, "provider types: acme (waypost-acme 1.2)") == (working.state, working.detail)
    assert (State.WARN, "waypost-birds 2 is broken: ImportError: no wings") == (broken.state, broken.detail)


def test_a_broker_without_types_can_send_nothing() -> None:
    """Which is worth a look."""
    assert [State.WARN] == [each.state for each in judge_plugins(Plugins({}, ()))]


@pytest.mark.parametrize(
    ("table", "state", "told"),
    [
        ({"type": "acme", "url": "here"}, State.OK, "settings valid"),
        ({"type": "acme"}, State.FAIL, "providers.main.url: Field required"),
        ({"type": "acme", "url": "here", "speed": 9}, State.FAIL, "providers.main.speed"),
        ({"type": "acme", "url": "bad"}, State.FAIL, "RuntimeError: no such place"),
        ({"type": "birds"}, State.FAIL, "ImportError: no wings"),
        ({"type": "pigeon"}, State.FAIL, "no installed plugin offers"),
        (
            {"type": "acme", "url": "here", "waypost": {"callback_secret_file": "missing"}},
            State.FAIL,
            "providers.main.waypost.callback_secret_file",
        ),
    ],
)
def test_a_provider_is_made_from_its_table_or_it_is_told_why_not(table, state, told) -> None:
    """As the broker would find out at its start."""
    finding = check_provider(PLUGINS, "main", table)
    assert ("provider main", state, True) == (finding.check, finding.state, told in finding.detail)


def test_a_provider_that_nobody_can_call_back_is_told() -> None:
    """Its receipts would be lost."""
    finding = check_provider(PLUGINS, "main", {"type": "acme", "url": "here"}, serves_http=False)
    assert (State.WARN, True) == (finding.state, "server.http_listen" in finding.advice)


@pytest.mark.parametrize(
    ("text", "told", "readable"),
    [
        ("[delivery]\nspeed = 9\n", "delivery.speed", False),
        ("[server", "c.toml", False),
        ('[server]\nlisten = "0.0.0.0:7070"\n', "reachable from other hosts", True),
    ],
)
def test_settings_that_the_broker_refuses_fail(text, told, readable, tmp_path) -> None:
    """Those that can be read are used for the other checks all the same."""
    (tmp_path / "c.toml").write_text(text)
    finding, settings = check_settings(tmp_path / "c.toml", None)
    assert (State.FAIL, True) == (finding.state, told in finding.detail)
    assert readable == (settings is not None)


def test_settings_that_are_valid_lead_to_the_data(tmp_path) -> None:
    """The option wins over the file."""
    (tmp_path / "c.toml").write_text('data_dir = "elsewhere"\n')
    finding, settings = check_settings(tmp_path / "c.toml", tmp_path / "here")
    assert (State.OK, tmp_path / "here") == (finding.state, settings.data_dir)


def test_a_finding_is_a_line_and_its_advice_another() -> None:
    """In columns."""
    assert "ok    disk               plenty" == finding_line(Finding("disk", State.OK, "plenty")).plain
    line, advice = finding_line(Finding("disk", State.WARN, "full", "make room")).plain.splitlines()
    assert line.index("full") == advice.index("→")


def test_a_summary_counts() -> None:
    """Each state."""
    states = [State.OK, State.OK, State.WARN, State.FAIL]
    assert "2 ok, 1 to look at, 1 failed" == summary([Finding("x", each, "") for each in states]).plain


def test_warnings_do_not_fail(tmp_path, capsys) -> None:
    """Exit code 0, and a list for programs; nothing is left in the directory."""
    (tmp_path / "data").mkdir(mode=0o750)
    (tmp_path / "data").chmod(0o750)
    (tmp_path / "c.toml").write_text('[server]\nlisten = "127.0.0.1:0"\n')
    code = doctor(data_dir=tmp_path / "data", config=tmp_path / "c.toml", json=True)
    findings = json.loads(capsys.readouterr().out)
    assert ExitCode.OK == code
    assert {("check", "state", "detail", "advice")} == {tuple(each) for each in findings}
    assert "warn" == {each["check"]: each["state"] for each in findings}["data dir"]
    assert [] == list((tmp_path / "data").iterdir())


def test_one_failure_is_a_failure(tmp_path, capsys) -> None:
    """Exit code 1; what can be checked without settings is."""
    (tmp_path / "c.toml").write_text("speed = 9\n")
    assert ExitCode.REFUSED == doctor(config=tmp_path / "c.toml")
    lines = capsys.readouterr().out.splitlines()
    states = {line.split()[1]: line.split()[0] for line in lines[:-2] if "→" not in line}
    assert ("fail", "ok") == (states["settings"], states["plugins"])
    assert lines[-1].endswith(", 1 failed")
