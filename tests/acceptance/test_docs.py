"""The pages of docs/ say what is so: their tables are the code's, their hooks and settings are taken, their links lead somewhere."""

import inspect
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.api import (
    account_service,
    broadcast_service,
    broker_service,
    directory_service,
    message_service,
    price_service,
    provider_service,
    template_service,
)
from broker.api.status import CODES
from broker.cli.route_files import read_routes_file
from broker.cli.template_files import read_template_file
from broker.domain import sender
from broker.domain.callback_url import PARAMETERS
from broker.domain.explaining import Verdict
from broker.domain.routes import violations_of
from broker.domain.vocabulary import Channel, Traffic
from broker.settings import load_settings
from broker.spi import AdmitQuery, InboundMessage, RouteQuery
from broker.storage.webhooks import WEBHOOKS_MAX
from tests.acceptance.pages import (
    API,
    DOCS,
    HISTORY,
    ROOT,
    SENDERS,
    TEMPLATES,
    WEBHOOKS,
    blocks,
    rows,
    section,
)
from waypost.v1 import event_pb2, message_pb2, subscribe_pb2

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_senders_page_has_every_kind_and_capability() -> None:
    """None is missing, none is made up."""
    kinds = {row[0] for row in rows(SENDERS.partition("## ")[0])}
    assert kinds == {each.name for each in sender.SenderKind}
    able = next(row[1] for row in rows(section(SENDERS, "Register")) if row[0] == "`capabilities`")
    assert able.partition(".")[0].split(", ") == [each.name for each in sender.SenderCapability]


def test_the_files_of_the_templates_page_are_what_they_say(tmp_path: Path) -> None:
    """A template and settings."""
    template, settings = re.findall(r"^```toml\n(.*?)^```$", TEMPLATES, re.MULTILINE | re.DOTALL)
    (tmp_path / "bill.toml").write_text(template, encoding="utf-8")
    (tmp_path / "waypost.toml").write_text(settings, encoding="utf-8")
    assert {"en", "de"} == read_template_file(tmp_path / "bill.toml").locales.keys()
    assert {"newsletter", "partner"} == load_settings(tmp_path / "waypost.toml").content.style_classes.keys()


def test_the_history_page_has_every_filter_there_is() -> None:
    """None is missing, none is made up; and its retention is one that the settings take."""
    cells = rows(section(HISTORY, "What a message can be found by"))
    for column, message in ((2, message_pb2.MessageFilter), (3, subscribe_pb2.EventFilter)):
        listed = {name for row in cells for name in re.findall(r"`(\w+)`", row[column])} - {"GetMessage"}
        fields = {field.name for field in message.DESCRIPTOR.fields} - {"broadcast_ids", "kinds"}
        assert fields == listed


def test_the_retention_of_the_history_page_is_one(tmp_path: Path) -> None:
    """As settings."""
    (table,) = re.findall(r"^```toml\n(.*?)^```$", HISTORY, re.MULTILINE | re.DOTALL)
    path = tmp_path / "waypost.toml"
    path.write_text(table, encoding="utf-8")
    assert (90 * 86_400, 365 * 86_400) == (
        load_settings(path).store.event_retention_s,
        load_settings(path).store.message_retention_s,
    )


def test_the_webhooks_page_has_every_field_and_parameter() -> None:
    """As the encoder makes them, and no other."""
    (body,) = re.findall(r"^```json\n(.*?)^```$", WEBHOOKS, re.MULTILINE | re.DOTALL)
    data = json.loads(body)["data"]
    assert {field.name for field in event_pb2.MessageEvent.DESCRIPTOR.fields} == data["message"].keys()
    listed = WEBHOOKS.partition("The parameters: ")[2].partition(". ")[0]
    assert [*PARAMETERS] == re.findall(r"`(\w+)`", listed)
    assert str(WEBHOOKS_MAX) in WEBHOOKS.partition("An account has at most ")[2].split()[0]


def test_the_routes_of_the_routing_page_keep_every_rule(tmp_path: Path) -> None:
    """As settings, and as a file for the command line."""
    page = (DOCS / "routing.md").read_text(encoding="utf-8")
    tables = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert tables
    for table in tables:
        path = tmp_path / "routes.toml"
        path.write_text(table, encoding="utf-8")
        routes = [each.route() for each in load_settings(path).routes or ()]
        assert [] == violations_of(routes, {"acme": {Channel.SMS}, "second": {Channel.SMS}})
        assert [each.name for each in routes] == [each.name for each in read_routes_file(path)]


def test_the_hook_of_the_routing_page_is_one() -> None:
    """It is what the broker would call, and it does what it shows."""
    (source,) = blocks((DOCS / "routing.md").read_text(encoding="utf-8"))
    plugin: dict[str, Any] = {}
    exec(compile(source, "routing.md", "exec"), plugin)  # the page's own program
    query = RouteQuery("1", Channel.SMS, "+447400123456", "", Traffic.TRANSACTIONAL, (), 4)
    assert ["cheap", "acme"] == plugin["waypost_route"](query, ("acme", "cheap"))
    assert plugin["waypost_route"](replace(query, units=1), ("acme", "cheap")) is None
    assert hasattr(plugin["waypost_route"], "waypost_impl")


def test_the_hook_of_the_inbound_page_is_one() -> None:
    """It is what the broker would call, and it does what it shows."""
    (source,) = blocks((DOCS / "inbound.md").read_text(encoding="utf-8"))
    plugin: dict[str, Any] = {}
    exec(compile(source, "inbound.md", "exec"), plugin)  # the page's own program
    asked = InboundMessage("1", "2", "acme", Channel.SMS, "+447700900123", "12345", " Hours ", 0)
    assert "9 to 5" == plugin["waypost_inbound"](asked)
    assert plugin["waypost_inbound"](replace(asked, text="Hello")) is None
    assert hasattr(plugin["waypost_inbound"], "waypost_impl")


def test_the_hook_of_the_policy_page_is_one() -> None:
    """It is what the broker would call, and it does what it shows."""
    (source,) = blocks((DOCS / "policy.md").read_text(encoding="utf-8"))
    plugin: dict[str, Any] = {}
    exec(compile(source, "policy.md", "exec"), plugin)  # the page's own program
    said = {Channel.SMS: {"text": "The Casino is open"}}
    query = AdmitQuery("1", "", Traffic.PROMOTIONAL, ("+447400123456",), said, (), (), "", "", "")
    assert "no gambling" == plugin["waypost_admit"](query)
    assert plugin["waypost_admit"](replace(query, content={})) is None
    assert hasattr(plugin["waypost_admit"], "waypost_impl")


def test_the_verdicts_of_the_routing_page_are_all_there_are() -> None:
    """None is missing, none is made up."""
    page = (DOCS / "routing.md").read_text(encoding="utf-8")
    listed = [name for row in rows(section(page, "Explain")) for name in row[0].split(", ")]
    assert sorted(each.name for each in Verdict) == sorted(listed)


def test_every_error_is_listed_with_its_code() -> None:
    """No reason is missing, none is made up."""
    listed = {row[0]: row[1] for row in rows(section(API, "Errors"))}
    assert {reason.name: code.name for reason, code in CODES.items()} == listed


def test_the_calls_that_are_not_built_are_named() -> None:
    """So that nobody has to find out by calling."""
    services = {
        broker_service.BrokerService: broker_service.DESCRIPTOR,
        message_service.MessageService: message_service.DESCRIPTOR,
        directory_service.DirectoryService: directory_service.DESCRIPTOR,
        template_service.TemplateService: template_service.DESCRIPTOR,
        provider_service.ProviderService: provider_service.DESCRIPTOR,
        account_service.AccountService: account_service.DESCRIPTOR,
        price_service.PriceService: price_service.DESCRIPTOR,
    }
    blanks: dict[str, Any] = dict.fromkeys(
        inspect.signature(broadcast_service.BroadcastService).parameters, Blank()
    )
    built_elsewhere = broadcast_service.BroadcastService(**blanks).broker_methods
    absent = {
        method.name
        for service, descriptor in services.items()
        for method in descriptor.methods
        if method.name not in built_by(service) | {*built_elsewhere}
    }
    lines = re.findall(r"^- .* of \w+Service\.$", section(API, "Not in this version"), re.MULTILINE)
    assert {*re.findall(r"`(\w+)`", " ".join(lines))} == absent


def built_by(service: Any) -> set[str]:
    """The methods that a service implements."""
    parts = dict.fromkeys(inspect.signature(service).parameters, Blank())
    return set(service(**parts).methods)


class Blank:
    """Stands in for a part that nobody asks anything of."""

    def __getattr__(self, name: str) -> "Blank":
        return self


@pytest.mark.parametrize(
    "page", sorted(DOCS.rglob("*.md")), ids=lambda path: path.relative_to(DOCS).as_posix()
)
def test_links_lead_somewhere(page: Path) -> None:
    """Within the repository; other sites are not asked."""
    targets = [each for each in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in each]
    assert [] == [each for each in targets if not (page.parent / each).exists()]


def test_every_file_that_the_guarantees_name_is_there() -> None:
    """What keeps a promise, and what shows it."""
    page = (DOCS / "guarantees.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.py)`", page))
    there = [
        "/" + each.relative_to(ROOT).as_posix()
        for of in ("broker", "tests")
        for each in (ROOT / of).rglob("*.py")
    ]
    assert len(named) > 30
    assert set() == {name for name in named if not any(each.endswith(f"/{name}") for each in there)}
