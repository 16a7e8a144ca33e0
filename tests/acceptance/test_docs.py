"""The pages of docs/ say what is so: their programs run, their tables are the code's, their links lead somewhere."""

import inspect
import json
import re
import shutil
import subprocess
import sys
import time
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
    send_stream,
    template_service,
)
from broker.api.convert import (
    content,
    directory,
    filters,
    findings,
    listing,
    paging,
    requests,
    senders,
    webhooks,
)
from broker.api.convert import templates as template_rules
from broker.api.status import CODES
from broker.cli.route_files import read_routes_file
from broker.cli.template_files import read_template_file
from broker.domain import directory as directory_rules
from broker.domain import reaching, saying, sender, style, template, tokens
from broker.domain.callback_url import PARAMETERS
from broker.domain.explaining import Verdict
from broker.domain.lifecycle import Fact
from broker.domain.routes import ROUTES_MAX, violations_of
from broker.domain.signature import secret_of, signed_headers
from broker.domain.vocabulary import Channel, Traffic
from broker.settings import ContentSettings, DirectorySettings, IntakeSettings, load_settings
from broker.spi import AdmitQuery, InboundMessage, RouteQuery
from broker.storage.webhooks import WEBHOOKS_MAX
from waypost.v1 import event_pb2, message_pb2, subscribe_pb2

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")
DIRECTORY = (DOCS / "directory.md").read_text(encoding="utf-8")
HISTORY = (DOCS / "history.md").read_text(encoding="utf-8")
SENDERS = (DOCS / "senders.md").read_text(encoding="utf-8")
WEBHOOKS = (DOCS / "webhooks.md").read_text(encoding="utf-8")
CONTENT = (DOCS / "content.md").read_text(encoding="utf-8")
TEMPLATES = (DOCS / "templates.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")

LIMITS = {
    "recipients of a request": requests.RECIPIENTS_MAX,
    "requests in a frame of SendStream": send_stream.REQUESTS_MAX,
    "units of a text (`intake.units_max`)": IntakeSettings().units_max,
    "text of an SMS, MMS or in-app message": content.TEXT_CHARACTERS_MAX,
    "subject of an SMS": saying.SMS_SUBJECT_CHARACTERS_MAX,
    "subject of an MMS": content.MMS_SUBJECT_CHARACTERS_MAX,
    "media of an MMS": content.MEDIA_MAX,
    "subject of an email": content.EMAIL_SUBJECT_CHARACTERS_MAX,
    "attachments of an email": content.ATTACHMENTS_MAX,
    "title of a push message": content.PUSH_TITLE_CHARACTERS_MAX,
    "body of a push message": content.PUSH_BODY_CHARACTERS_MAX,
    "data of a push message": content.PUSH_DATA_BYTES_MAX,
    "URL, also `callback_url`": findings.URL_CHARACTERS_MAX,
    "webhooks of an account": WEBHOOKS_MAX,
    "description of a webhook": webhooks.DESCRIPTION_CHARACTERS_MAX,
    "`request_id`": requests.REQUEST_ID_CHARACTERS_MAX,
    "`client_reference`": requests.CLIENT_REFERENCE_CHARACTERS_MAX,
    "`data`": requests.DATA_CHARACTERS_MAX,
    "`campaign.id`": requests.CAMPAIGN_ID_CHARACTERS_MAX,
    "`campaign.name`": requests.CAMPAIGN_NAME_CHARACTERS_MAX,
    "`tags`": requests.TAGS_MAX,
    "a tag": requests.TAG_CHARACTERS_MAX,
    "`origin`": requests.ORIGIN_CHARACTERS_MAX,
    "`schedule_time`": requests.SCHEDULE_AHEAD_DAYS_MAX,
    "`validity`": requests.VALIDITY_S_MAX,
    "values in an event filter": filters.FILTER_VALUES_MAX,
    "values in a message filter": listing.VALUES_MAX,
    "`heartbeat_interval`": filters.HEARTBEAT_S_MAX,
    "`page_size`": paging.PAGE_SIZE_MAX,
    "routes of a table": ROUTES_MAX,
    "bytes of a request (`intake.message_bytes_max`)": IntakeSettings().message_bytes_max,
}

DIRECTORY_LIMITS = {
    "contacts of an account (`directory.contacts_max`)": DirectorySettings().contacts_max,
    "groups of an account (`directory.groups_max`)": DirectorySettings().groups_max,
    "groups of a contact": directory_rules.GROUPS_OF_CONTACT_MAX,
    "contacts in one `AddGroupMembers` or `RemoveGroupMembers`": directory_rules.MEMBERS_OF_CALL_MAX,
    "`external_ids`": directory.EXTERNAL_IDS_MAX,
    "an external id": directory.EXTERNAL_ID_CHARACTERS_MAX,
    "`title`, `first_name`, `last_name`, `organisation`, name of a group": directory.NAME_CHARACTERS_MAX,
    "addresses of a kind": directory.ADDRESSES_MAX,
    "a device token": directory.DEVICE_TOKEN_CHARACTERS_MAX,
    "`locale`": directory.LOCALE_CHARACTERS_MAX,
    "`time_zone`": directory.TIME_ZONE_CHARACTERS_MAX,
    "`properties`": directory.PROPERTIES_MAX,
    "name of a property": directory.PROPERTY_NAME_CHARACTERS_MAX,
    "value of a property": directory.PROPERTY_VALUE_CHARACTERS_MAX,
    "`delegates`": directory_rules.DELEGATES_MAX,
    "contacts with the same delegate": directory_rules.DELEGATORS_MAX,
    "people whom a request reaches": reaching.PEOPLE_OF_CALL_MAX,
    "people whom the requests of a frame reach together": reaching.PEOPLE_OF_FRAME_MAX,
    "`relation` of a delegate": directory.RELATION_CHARACTERS_MAX,
    "description of a group": directory.DESCRIPTION_CHARACTERS_MAX,
}


TEMPLATE_LIMITS = {
    "templates of an account (`content.templates_max`)": ContentSettings().templates_max,
    "versions of a template": template.VERSIONS_MAX,
    "locales of a version": template_rules.LOCALES_MAX,
    "parameters of a version": template_rules.TOKENS_MAX,
    "choices of a parameter": template_rules.CHOICES_MAX,
    "style classes": style.STYLE_CLASSES_MAX,
    "characters of a style class": style.WRAPPER_CHARACTERS_MAX,
}

SENDER_LIMITS = {
    "senders of an account": sender.SENDERS_MAX,
    "senders of a pool": sender.POOL_SENDERS_MAX,
    "value of a sender": sender.VALUE_CHARACTERS_MAX,
    "name of a pool": sender.POOL_CHARACTERS_MAX,
    "`providers` of a sender": sender.PROVIDERS_MAX,
    "tags of a sender": sender.TAGS_MAX,
    "a tag of a sender": sender.TAG_CHARACTERS_MAX,
    "values in a filter of `ListSenders`": senders.VALUES_MAX,
}

CONTENT_LIMITS = {
    "values in `tokens` of a request, and of a recipient": tokens.TOKENS_MAX,
    "name of a token": tokens.NAME_CHARACTERS_MAX,
    "value of a token": tokens.VALUE_CHARACTERS_MAX,
    "a short text with a `$`, as written": content.WRITTEN_CHARACTERS_MAX,
    "text or HTML of an email with placeholders, as written and as filled in": (
        saying.FILLED_BODY_CHARACTERS_MAX
    ),
    "bytes of an email's attachments, together": content.ATTACHMENT_BYTES_MAX,
}


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next of its level."""
    return re.split(r"^## ", page.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def blocks(text: str) -> list[str]:
    """The Python in a page."""
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def output_of(program: str, directory: Path, environment: dict[str, str]) -> list[str]:
    """The lines that a program prints; it must succeed."""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == finished.returncode, finished.stderr
    return finished.stdout.splitlines()


def test_the_program_of_the_api_page_runs(broker: Any, tmp_path: Path) -> None:
    """From the first Send to the last error, as a reader would run it."""
    lines = output_of("\n".join(blocks(API)), tmp_path, broker.environment)
    accepted, refused, explained, many, *events, timeline, page, analysis, error = lines
    message_id = accepted.split()[1]
    assert f"0 {message_id} MESSAGE_STATUS_ACCEPTED +447700900123 " == accepted
    assert refused.startswith("1 ")
    assert "MESSAGE_STATUS_REJECTED not a number" in refused
    assert "1 sandbox ROUTE_VERDICT_CHOSEN by the order of the settings" == explained
    assert "accepted 300" == many
    assert "MESSAGE_STATUS_DELIVERED +447700900123" in events[-1]
    expected = [Fact.ACCEPTED, Fact.ATTEMPTED, Fact.HANDED_OVER, Fact.DELIVERED]
    assert str([f"MESSAGE_FACT_{fact.name}" for fact in expected]) == timeline
    assert "50 True" == page
    assert "1 ['✓', '你', '好']" == analysis
    assert "INVALID_ARGUMENT INVALID_REQUEST" == error


def test_the_program_of_the_directory_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """From the first contact to the last list, in a directory of its own."""
    lines = output_of("\n".join(blocks(DIRECTORY)), tmp_path, broker_factory().environment)
    expected = [
        "+447700900123 1",
        "Prof '' 2",
        "['mother', 'father']",
        "2 2",
        "['Grace', 'Ada']",
        "['Year 7']",
        "0 CHANNEL_EMAIL grace@example.org ",
        "0 CHANNEL_SMS +447700900125 ",
        "1 CHANNEL_UNSPECIFIED  the directory has no such contact",
        "['Grace', 'Ada'] ''",
    ]
    assert expected == lines


def test_the_program_of_the_accounts_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """From a partner to a change of its customer."""
    program = "\n".join(blocks((DOCS / "accounts.md").read_text(encoding="utf-8")))
    expected = [
        "Engines Ltd | Grace Hopper",
        "True ['Grace Hopper']",
        "Ships True False",
        "Grace Hopper wpk_",
        "0",
    ]
    assert expected == output_of(program, tmp_path, broker_factory().environment)


def test_the_program_of_the_content_page_runs(broker: Any, tmp_path: Path) -> None:
    """Measuring, personalising, and offering a link."""
    expected = [
        "UCS2 107 107 2 True",
        '“ (0,) " 0',
        '” (6,) " 0',
        '1 "Hello"',
        "Dear Ada, $5 off at Acme",
        "Dear Grace, $5 off at Acme Ely",
        "TOKEN_MISSING recipients[0].tokens lacks a value for $Name$",
        "(LinkAction(text='Open the locker', url='https://example.org/7'),)",
    ]
    assert expected == output_of("\n".join(blocks(CONTENT)), tmp_path, broker.environment)


def test_the_program_of_the_credits_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """Prices, an account that pays, a refusal, a purchase, a message."""
    program = "\n".join(blocks((DOCS / "credits.md").read_text(encoding="utf-8")))
    expected = [
        "4 USD",
        "FAILED_PRECONDITION 0.035 USD would be needed, and 0.00 can be spent",
        "5000000",
        "35000",
    ]
    assert expected == output_of(program, tmp_path, broker_factory().environment)


def test_the_program_of_the_usage_page_runs(broker: Any, tmp_path: Path) -> None:
    """It counts what it sent."""
    (program,) = blocks((DOCS / "usage.md").read_text(encoding="utf-8"))
    assert ["GB 1", "US 1"] == output_of(program, tmp_path, broker.environment)


def test_the_programs_of_the_senders_page_run(broker_factory: Any, tmp_path: Path) -> None:
    """A toll-free number at home and abroad, a name, and a pool that stays with its recipient."""
    lines = output_of("\n".join(blocks(SENDERS)), tmp_path, broker_factory().environment)
    first, second = lines[-2:]
    expected = [
        "SENDER_KIND_TOLL_FREE US",
        "+12025550150 +18005550199 REASON_UNSPECIFIED ",
        "+447700900123  REASON_SENDER_WRONG_KIND a toll-free number reaches",
        "+447700900123 Acme REASON_UNSPECIFIED ",
    ]
    assert (expected, first) == (lines[:-2], second)
    assert first.startswith("+447700900123 +1202555012")


def test_the_senders_page_has_every_kind_and_capability() -> None:
    """None is missing, none is made up."""
    kinds = {row[0] for row in rows(SENDERS.partition("## ")[0])}
    assert kinds == {each.name for each in sender.SenderKind}
    able = next(row[1] for row in rows(section(SENDERS, "Register")) if row[0] == "`capabilities`")
    assert able.partition(".")[0].split(", ") == [each.name for each in sender.SenderCapability]


def test_the_program_of_the_history_page_runs(broker: Any, tmp_path: Path) -> None:
    """What is sent is found, erased and sent again."""
    lines = output_of("\n".join(blocks(HISTORY)), tmp_path, broker.environment)
    expected = [
        "['+447700900123', '+447700900002'] True",
        "MESSAGE_STATUS_DELETED '' ''",
        "True order-2001",
    ]
    assert expected == lines


def test_the_program_of_the_templates_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """Made, shown, sent, changed and deleted, in an account of its own."""
    expected = [
        "1",
        "de Hallo Ada, die Rechnung: $12.50. 1",
        "Dear Ada, your bill is $9.99. 1 en",
        "Dear Grace, your bill is $120. 1 en",
        "Dear customer, your bill is $9.99. 1 en",
        "2 2",
        "Dear $name$, your bill is $$$amount$.",
        "ABORTED",
        "0",
    ]
    assert expected == output_of("\n".join(blocks(TEMPLATES)), tmp_path, broker_factory().environment)


def test_the_files_of_the_templates_page_are_what_they_say(tmp_path: Path) -> None:
    """A template and settings."""
    template, settings = re.findall(r"^```toml\n(.*?)^```$", TEMPLATES, re.MULTILINE | re.DOTALL)
    (tmp_path / "bill.toml").write_text(template, encoding="utf-8")
    (tmp_path / "waypost.toml").write_text(settings, encoding="utf-8")
    assert {"en", "de"} == read_template_file(tmp_path / "bill.toml").locales.keys()
    assert {"newsletter", "partner"} == load_settings(tmp_path / "waypost.toml").content.style_classes.keys()


def test_the_program_of_the_links_page_runs(broker_factory: Any, tmp_path: Path) -> None:
    """A link is shortened, and shows where it leads."""
    program = "\n".join(blocks((DOCS / "links.md").read_text(encoding="utf-8")))
    long_url = "https://example.com/bills/2001?lang=en"
    expected = [
        "True 34",
        f"{long_url}&utm_source=sms&utm_campaign=bills#total",
        f"{long_url}#total 0",
    ]
    assert expected == output_of(program, tmp_path, broker_factory().environment)


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


def test_the_program_of_the_clients_page_runs(broker: Any, tmp_path: Path) -> None:
    """The first thing that a user of the stubs copies."""
    readme = (ROOT / "clients" / "python" / "README.md").read_text(encoding="utf-8")
    (message_id,) = output_of(blocks(readme)[0], tmp_path, broker.environment)
    assert 13 == len(message_id)


def test_the_programs_of_the_webhooks_page_run(calling_broker: Any, tmp_path: Path) -> None:
    """In Python from the first line to the last; in JavaScript against the same signatures, where there is Node.js."""
    (program,) = blocks(WEBHOOKS)
    facts = {
        "accepted": "ACCEPTED",
        "attempted": "PROCESSING",
        "handed_over": "SENT",
        "delivered": "DELIVERED",
    }
    expected = [f"message.{fact} order-1042 MESSAGE_STATUS_{status}" for fact, status in facts.items()]
    assert expected == output_of(program, tmp_path, calling_broker.environment)
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node.js here")
    (script,) = re.findall(r"^```javascript\n(.*?)^```$", WEBHOOKS, re.MULTILINE | re.DOTALL)
    secret, body = secret_of(b"k" * 32), '{"type":"message.delivered","ä":"✓"}'
    headers = signed_headers("evt_1", int(time.time()), body.encode(), [secret_of(b"x" * 32), secret])
    calls = [
        [secret, dict(headers), body],
        [secret, dict(headers), body + " "],
        [secret_of(b"o" * 32), dict(headers), body],
    ]
    script += f"""
        for (const [secret, headers, body] of {json.dumps(calls)}) {{
          try {{ console.log(verify(secret, headers, body).type) }} catch (error) {{ console.log(error.message) }}
        }}
    """
    ran = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=60, check=True)
    refused = "not signed with this secret"
    assert ["message.delivered", refused, refused] == ran.stdout.splitlines()


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


@pytest.mark.parametrize(
    ("page", "limits"),
    [
        (API, LIMITS),
        (DIRECTORY, DIRECTORY_LIMITS),
        (CONTENT, CONTENT_LIMITS),
        (TEMPLATES, TEMPLATE_LIMITS),
        (SENDERS, SENDER_LIMITS),
    ],
)
def test_the_limits_are_those_that_are_enforced(page: str, limits: dict[str, int]) -> None:
    """The last number of each row is the constant that the check uses."""
    listed = {
        row[0]: int(re.findall(r"[\d,]+", row[1])[-1].replace(",", ""))
        for row in rows(section(page, "Limits"))
    }
    assert listed == limits


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
