"""TemplateService on the wire, with a real store behind it."""

import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.delivery.identities import Identities
from broker.delivery.templates import Templates
from broker.domain.ids import first_id_at
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.store_suite.invariants import check_store
from waypost.v1 import template_pb2, template_service_pb2

READER, ADMIN = "read-key", "admin-key"
OTHER_ACCOUNT = "0000000000002"
BILL: dict[str, Any] = {
    "project": "shop",
    "name": "bill",
    "description": "What somebody owes",
    "locales": {
        "en": {
            "sms": {"text": "$name$: $$$amount$ by $day$"},
            "email": {"subject": "Your bill", "html": "<b>$name$</b>: $amount$"},
        },
        "de-AT": {"sms": {"text": "$name$: $amount$ Euro ✓"}},
    },
    "default_locale": "en",
    "parameters": [
        {"name": "name", "type": 1, "max_characters": 30, "required": True, "description": "Who owes"},
        {"name": "amount", "type": 2, "default_value": "0"},
        {"name": "day", "type": 3, "default_value": "2026-12-24"},
        {"name": "colour", "type": 7, "choices": ["red", "green"]},
    ],
}


@pytest.fixture
async def templates(tmp_path: Path) -> AsyncIterator[Templates]:
    """Room for three templates an account."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store, clock = Store(engine), ManualClock()
    await store.write(create_accounts, [NewAccount(each, "test", NOW_US) for each in (1, 2)], (1, 2))
    identities = Identities(store, clock, node=0, last=first_id_at(NOW_US // 1_000))
    yield Templates(store, identities, clock, templates_max=3)
    await store.read(check_store, (1, 2))
    await store.close()


async def call(api: Any, method: str, key: str = "send-key", **fields: Any) -> Any:
    """A call of the service."""
    request = getattr(template_service_pb2, f"{method}Request")(**fields)
    response = getattr(template_service_pb2, f"{method}Response")
    return await api.call(f"TemplateService/{method}", request, response, key=key)


def bill(**changes: Any) -> dict[str, Any]:
    """The template with some fields changed."""
    return copy.deepcopy(BILL) | changes


def greeting(text: str = "Hi", **changes: Any) -> dict[str, Any]:
    """A small template."""
    return {"name": "hi", "locales": {"en": {"sms": {"text": text}}}} | changes


async def test_a_template_is_shown_as_it_was_given(api: Any) -> None:
    """With what the broker adds; to a reader as well."""
    created = (await call(api, "CreateTemplate", template=bill())).template
    expected = template_pb2.Template(**BILL, version=1, latest_version=1, account_id="0000000000001")
    for time in (expected.create_time, expected.update_time):
        time.FromMicroseconds(NOW_US)
    assert expected == created
    got = await call(api, "GetTemplate", READER, project="shop", name="bill", version="latest")
    assert expected == got.template


async def test_a_change_makes_a_version_and_keeps_the_others(api: Any) -> None:
    """Each can be asked for by its number."""
    await call(api, "CreateTemplate", template=greeting("one"))
    changed = await call(api, "UpdateTemplate", template=greeting("two $$"), expected_version=1)
    assert (2, 2) == (changed.template.version, changed.template.latest_version)
    said = {}
    for version in ("1", "2", "", "latest"):
        found = (await call(api, "GetTemplate", name="hi", version=version)).template
        said[version] = (found.version, found.latest_version, found.locales["en"].sms.text)
    assert {
        "1": (1, 2, "one"),
        "2": (2, 2, "two $$"),
        "": (2, 2, "two $$"),
        "latest": (2, 2, "two $$"),
    } == said


async def test_a_change_of_what_was_changed_meanwhile_is_refused(api: Any) -> None:
    """With the number of the latest."""
    await call(api, "CreateTemplate", template=greeting())
    await call(api, "UpdateTemplate", template=greeting())
    refusal = await call(api, "UpdateTemplate", template=greeting(), expected_version=1)
    assert (grpc.StatusCode.ABORTED, "TEMPLATE_CHANGED", "2") == (
        refusal.code,
        refusal.reason,
        refusal.info.metadata["version"],
    )


async def test_a_name_that_is_taken_already_exists(api: Any) -> None:
    """In its project."""
    await call(api, "CreateTemplate", template=greeting())
    refusal = await call(api, "CreateTemplate", template=greeting())
    assert (grpc.StatusCode.ALREADY_EXISTS, "TEMPLATE_EXISTS") == (refusal.code, refusal.reason)
    assert 1 == (await call(api, "CreateTemplate", template=greeting(project="p"))).template.version


async def test_an_account_is_full_at_its_limit(api: Any) -> None:
    """Deleting makes room."""
    for name in "abc":
        await call(api, "CreateTemplate", template=greeting(name=name))
    refusal = await call(api, "CreateTemplate", template=greeting(name="d"))
    assert (grpc.StatusCode.FAILED_PRECONDITION, "TEMPLATES_FULL", "3") == (
        refusal.code,
        refusal.reason,
        refusal.info.metadata["allowed"],
    )
    await call(api, "DeleteTemplate", name="a")
    assert 1 == (await call(api, "CreateTemplate", template=greeting(name="d"))).template.version


@pytest.mark.parametrize("method", ["GetTemplate", "DeleteTemplate", "UpdateTemplate", "RenderTemplate"])
async def test_anothers_template_is_like_one_that_is_not_there(api: Any, method: str) -> None:
    """Whatever is asked of it."""
    await call(api, "CreateTemplate", ADMIN, account_id=OTHER_ACCOUNT, template=greeting())
    fields: dict[str, Any] = {"name": "hi"}
    if method in {"UpdateTemplate", "RenderTemplate"}:
        fields = {"template": greeting() if method == "UpdateTemplate" else {"name": "hi"}}
    refusal = await call(api, method, **fields)
    assert (grpc.StatusCode.NOT_FOUND, "TEMPLATE_NOT_FOUND") == (refusal.code, refusal.reason)
    assert 1 == (await call(api, "GetTemplate", ADMIN, account_id=OTHER_ACCOUNT, name="hi")).template.version


async def test_lists_come_in_pages_without_what_is_said(api: Any) -> None:
    """All, or those of one project; a token is good for its own list."""
    for project, name in (("", "b"), ("p", "a"), ("", "a")):
        await call(api, "CreateTemplate", template=greeting(project=project, name=name, description="d"))
    first = await call(api, "ListTemplates", READER, page_size=2)
    assert [("", "a", "d", 0), ("", "b", "d", 0)] == [
        (each.project, each.name, each.description, len(each.locales)) for each in first.templates
    ]
    second = await call(api, "ListTemplates", page_size=2, page_token=first.next_page_token)
    assert (["a"], "") == ([each.name for each in second.templates], second.next_page_token)
    narrowed = [
        [each.name for each in (await call(api, "ListTemplates", filter=wanted)).templates]
        for wanted in ({"project": "p"}, {"project": ""}, {"project": "none"}, {})
    ]
    assert [["a"], ["a", "b"], [], ["a", "b", "a"]] == narrowed
    refusal = await call(api, "ListTemplates", filter={"project": "p"}, page_token=first.next_page_token)
    assert {"page_token"} == refusal.violations.keys()


async def test_a_preview_says_what_would_be_sent(api: Any) -> None:
    """Escaped in HTML, measured, with the version and the locale that were used."""
    await call(api, "CreateTemplate", template=bill())
    values = {"name": "<Ada>", "amount": "12.50"}
    ref = {"project": "shop", "name": "bill", "parameters": values}
    english = await call(api, "RenderTemplate", READER, template=ref)
    assert "<Ada>: $12.50 by 2026-12-24" == english.content.sms.text
    assert "<b>&lt;Ada&gt;</b>: 12.50" == english.content.email.html
    assert (
        template_pb2.TemplateVersion(project="shop", name="bill", version=1, locale="en") == english.template
    )
    assert (27, 1, 1) == (english.analysis.length, english.analysis.units, english.analysis.encoding)
    austrian = await call(api, "RenderTemplate", template=ref | {"locale": "de-at"})
    assert ("de-AT", "<Ada>: 12.50 Euro ✓", 2) == (
        austrian.template.locale,
        austrian.content.sms.text,
        austrian.analysis.encoding,
    )
    assert not austrian.content.HasField("email")


async def test_a_preview_without_an_sms_has_no_analysis(api: Any) -> None:
    """There is no text to measure."""
    await call(api, "CreateTemplate", template=greeting(locales={"en": {"push": {"body": "$$ Hi"}}}))
    rendered = await call(api, "RenderTemplate", template={"name": "hi"})
    assert ("$ Hi", False) == (rendered.content.push.body, rendered.HasField("analysis"))


@pytest.mark.parametrize(
    ("values", "reason", "violations"),
    [
        ({}, "TOKEN_MISSING", {"template.parameters": "lacks a value for $name$"}),
        (
            {"name": "x" * 31},
            "INVALID_REQUEST",
            {"template.parameters[name]": "has 31 characters; at most 30 are allowed"},
        ),
        (
            {"name": "Ada", "nmae": "x", "amount": "y"},
            "INVALID_REQUEST",
            {
                "template.parameters[nmae]": "is no parameter of the template",
                "template.parameters[amount]": 'must be a number, as "-12.50"',
            },
        ),
        (
            {"na me": "x"},
            "INVALID_REQUEST",
            {"template.parameters": "'na me' is no name: 1 to 64 letters, digits and _"},
        ),
    ],
)
async def test_values_that_do_not_do_are_named(
    api: Any, values: dict[str, str], reason: str, violations: dict[str, str]
) -> None:
    """Each with its rule."""
    await call(api, "CreateTemplate", template=bill())
    ref = {"project": "shop", "name": "bill", "parameters": values}
    refusal = await call(api, "RenderTemplate", template=ref)
    assert (reason, violations) == (refusal.reason, refusal.violations)


async def test_a_preview_that_says_nothing_is_refused(api: Any) -> None:
    """As a message of it would be."""
    optional = greeting("$a$", parameters=[{"name": "a"}])
    await call(api, "CreateTemplate", template=optional)
    refusal = await call(api, "RenderTemplate", template={"name": "hi"})
    assert {"template": "its sms.text must not be empty"} == refusal.violations


def parameter(**changes: Any) -> dict[str, Any]:
    """A template with one parameter."""
    return greeting(parameters=[{"name": "a"} | changes])


@pytest.mark.parametrize(
    "template",
    [
        greeting(name="a" * 64, project="A-1_b.c"),
        greeting(description="d" * 500),
        greeting(
            locales={f"en-{number}x": {"sms": {"text": "Hi"}} for number in range(50)}, default_locale="en-7x"
        ),
        greeting("$a0$ $a99$", parameters=[{"name": f"a{number}"} for number in range(100)]),
        parameter(name="n" * 64, max_characters=2_000, default_value="d" * 2_000),
        parameter(type=7, choices=[str(number) for number in range(100)], default_value="7"),
        parameter(type=7, choices=[""], description="d" * 500),
    ],
)
async def test_a_template_at_its_limits_is_stored(api: Any, template: dict[str, Any]) -> None:
    """One side of every rule."""
    assert 1 == (await call(api, "CreateTemplate", template=template)).template.version


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        (greeting(name=""), {"name"}),
        (greeting(name="a" * 65), {"name"}),
        (greeting(name="a b"), {"name"}),
        (greeting(name="a/b"), {"name"}),
        (greeting(project="ä"), {"project"}),
        (greeting(description="d" * 501), {"description"}),
        ({"name": "hi"}, {"locales", "default_locale"}),
        (greeting(locales={"en": {}}), {"locales[en]"}),
        (greeting(""), {"locales[en].sms.text"}),
        (greeting("$a$"), {"locales[en]"}),
        (greeting(locales={"english language": {"sms": {"text": "Hi"}}}), {"locales[english language]"}),
        (
            greeting(
                locales={"en": {"sms": {"text": "a"}}, "EN": {"sms": {"text": "a"}}}, default_locale="en"
            ),
            {"locales[en]"},
        ),
        (greeting(locales={"en": {"sms": {"text": "a"}}, "de": {"sms": {"text": "a"}}}), {"default_locale"}),
        (greeting(default_locale="EN"), {"default_locale"}),
        (
            greeting(locales={f"en-{number}x": {"sms": {"text": "Hi"}} for number in range(51)}),
            {"locales", "default_locale"},
        ),
        (greeting(parameters=[{"name": f"a{number}"} for number in range(101)]), {"parameters"}),
        (greeting(parameters=[{"name": "a"}, {"name": "a"}]), {"parameters[1].name"}),
        (parameter(name=""), {"parameters[0].name"}),
        (parameter(name="n" * 65), {"parameters[0].name"}),
        (parameter(type=8), {"parameters[0].type"}),
        (parameter(max_characters=2_001), {"parameters[0].max_characters"}),
        (parameter(max_characters=-1), {"parameters[0].max_characters"}),
        (parameter(type=2, max_characters=5), {"parameters[0].max_characters"}),
        (parameter(max_characters=1, default_value="ab"), {"parameters[0].default_value"}),
        (parameter(type=2, default_value="x"), {"parameters[0].default_value"}),
        (parameter(required=True, default_value="x"), {"parameters[0].default_value"}),
        (parameter(default_value="\0"), {"parameters[0].default_value"}),
        (parameter(description="d" * 501), {"parameters[0].description"}),
        (parameter(type=7), {"parameters[0].choices"}),
        (parameter(choices=["a"]), {"parameters[0].choices"}),
        (parameter(type=7, choices=["a", "a"]), {"parameters[0].choices"}),
        (parameter(type=7, choices=["a" * 2_001]), {"parameters[0].choices[0]"}),
        (parameter(type=7, choices=[str(number) for number in range(101)]), {"parameters[0].choices"}),
    ],
)
async def test_a_template_that_breaks_a_rule_is_refused_with_its_field(
    api: Any, template: dict[str, Any], fields: set[str]
) -> None:
    """The other side of every rule; as a new one and as a new version."""
    for method in ("CreateTemplate", "UpdateTemplate"):
        refusal = await call(api, method, template=template)
        assert {f"template.{each}" for each in fields} == refusal.violations.keys()


@pytest.mark.parametrize(
    ("method", "fields", "field"),
    [
        ("GetTemplate", {"name": ""}, "name"),
        ("GetTemplate", {"name": "a", "project": " "}, "project"),
        ("GetTemplate", {"name": "a", "version": "0"}, "version"),
        ("GetTemplate", {"name": "a", "version": "1.0"}, "version"),
        ("GetTemplate", {"name": "a", "version": "9" * 10}, "version"),
        ("DeleteTemplate", {"name": "a b"}, "name"),
        ("UpdateTemplate", {"template": greeting(), "expected_version": -1}, "expected_version"),
        ("UpdateTemplate", {"template": greeting(), "expected_version": 1_001}, "expected_version"),
        ("ListTemplates", {"filter": {"project": "a b"}}, "filter.project"),
        ("ListTemplates", {"page_size": 1_001}, "page_size"),
        ("ListTemplates", {"page_token": "x"}, "page_token"),
        ("RenderTemplate", {"template": {"name": "a b"}}, "template.name"),
        ("RenderTemplate", {"template": {"name": "a", "version": "x"}}, "template.version"),
        ("RenderTemplate", {"template": {"name": "a", "locale": "-"}}, "template.locale"),
    ],
)
async def test_a_request_that_breaks_a_rule_is_refused_with_its_field(
    api: Any, method: str, fields: dict[str, Any], field: str
) -> None:
    """Of every method."""
    assert {field} == (await call(api, method, **fields)).violations.keys()


@pytest.mark.parametrize("method", ["CreateTemplate", "UpdateTemplate", "DeleteTemplate"])
async def test_a_reader_changes_nothing(api: Any, method: str) -> None:
    """Whatever it sends."""
    assert "ROLE_INSUFFICIENT" == (await call(api, method, READER)).reason


async def test_a_template_says_what_becomes_of_links(api: Any) -> None:
    """Each of its wishes is kept; two that exclude each other are refused."""
    wishes = [
        {"track_links": True},
        {"short_link_domain": "go.example.org", "track_links": True},
        {"keep_links": True},
    ]
    for number, wish in enumerate(wishes):
        name = f"links-{number}"
        made = await call(api, "CreateTemplate", template=greeting(name=name, **wish))
        shown = (await call(api, "GetTemplate", name=name)).template
        fields = ("track_links", "short_link_domain", "keep_links")
        assert wish == {each: getattr(shown, each) for each in fields if getattr(shown, each)}
        assert made.template == shown
    refused = await call(api, "CreateTemplate", template=greeting(track_links=True, keep_links=True))
    assert {"template.keep_links"} == refused.violations.keys()


SHORT = "https://go.example.org/" + "0" * 11


@pytest.mark.parametrize(
    ("wish", "shortened"),
    [
        ({}, True),
        ({"keep_links": True}, False),
        ({"track_links": True}, True),
        ({"short_link_domain": "go.example.org"}, True),
    ],
    ids=["by the policy", "kept", "by the template", "on a domain"],
)
async def test_a_preview_is_measured_with_short_links(
    api: Any, wish: dict[str, Any], shortened: bool
) -> None:
    """As a message made of the template would be; the content shows what they stand for."""
    link = "https://example.com/" + "a" * 200
    locales = {"en": {"sms": {"text": f"See {link}"}}}
    await call(api, "CreateTemplate", template=greeting(locales=locales, **wish))
    rendered = await call(api, "RenderTemplate", template={"name": "hi"})
    assert f"See {link}" == rendered.content.sms.text
    said = f"See {SHORT if shortened else link}"
    assert (len(said), 1 if shortened else 2) == (rendered.analysis.length, rendered.analysis.units)
    assert said == "".join(part.text for part in rendered.analysis.parts)


async def test_a_preview_whose_links_cannot_be_shortened_is_refused_like_a_message(api: Any) -> None:
    """The account has no such domain."""
    locales = {"en": {"sms": {"text": "See https://example.com"}}}
    await call(api, "CreateTemplate", template=greeting(locales=locales, short_link_domain="elsewhere.org"))
    refusal = await call(api, "RenderTemplate", template={"name": "hi"})
    assert (grpc.StatusCode.INVALID_ARGUMENT, {"template"}) == (refusal.code, refusal.violations.keys())
