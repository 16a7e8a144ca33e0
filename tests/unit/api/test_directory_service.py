"""DirectoryService on the wire, with a real store behind it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.delivery.directory import Directory
from broker.delivery.identities import Identities
from broker.domain import directory as rules
from broker.domain.ids import first_id_at
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from broker.testing.store_suite.invariants import check_store
from waypost.v1 import directory_pb2, directory_service_pb2

READER, ADMIN = "read-key", "admin-key"
OTHER_ACCOUNT = "0000000000002"
EVERYTHING: dict[str, Any] = {
    "external_ids": ["PL-1", "42"],
    "title": "Dr",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "organisation": "Analytical Society",
    "phone_numbers": ["+44 7700 900123", "+447700900124"],
    "emails": ["Ada@Example.ORG"],
    "device_tokens": ["token"],
    "channels": [3, 1],
    "locale": "en-GB",
    "time_zone": "Europe/London",
    "properties": {"Form": "7B"},
}


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    """Room for three contacts and two groups an account."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store, clock = Store(engine), ManualClock()
    await store.write(create_accounts, [NewAccount(each, "test", NOW_US) for each in (1, 2)], (1, 2))
    identities = Identities(store, clock, node=0, last=first_id_at(NOW_US // 1_000))
    yield Directory(store, identities, clock, contacts_max=3, groups_max=2)
    await store.read(check_store, (1, 2))
    await store.close()


async def call(api: Any, method: str, key: str = "send-key", **fields: Any) -> Any:
    """A call of the service."""
    request = getattr(directory_service_pb2, f"{method}Request")(**fields)
    response = getattr(directory_service_pb2, f"{method}Response")
    return await api.call(f"DirectoryService/{method}", request, response, key=key)


async def added(api: Any, key: str = "send-key", account_id: str = "", **contact: Any) -> Any:
    """A contact that was added."""
    answer = await call(api, "CreateContact", key, account_id=account_id, contact=contact)
    return answer.contact


async def test_a_contact_is_shown_as_it_was_given(api: Any) -> None:
    """With what the broker adds; addresses in their normal form; by either id and to a reader."""
    guardian = await added(api, first_name="Anne")
    delegates = [{"contact_id": guardian.contact_id, "relation": "mother", "priority": True}]
    contact = await added(api, **EVERYTHING, delegates=delegates)
    expected = directory_pb2.Contact(**EVERYTHING, delegates=delegates)
    del expected.phone_numbers[:], expected.emails[:]
    expected.phone_numbers.extend(["+447700900123", "+447700900124"])
    expected.emails.append("Ada@example.org")
    expected.contact_id, expected.account_id, expected.etag = contact.contact_id, "0000000000001", "1"
    expected.create_time.FromMicroseconds(NOW_US)
    expected.update_time.FromMicroseconds(NOW_US)
    assert expected == contact
    for ref in ({"contact_id": contact.contact_id}, {"external_id": "42"}):
        assert expected == (await call(api, "GetContact", READER, **ref)).contact


@pytest.mark.parametrize(
    ("contact", "field"),
    [
        ({}, "contact"),
        ({"contact_id": "0" * 13}, "contact.contact_id"),
        ({"etag": "1"}, "contact.etag"),
        ({"external_ids": [str(number) for number in range(11)]}, "contact.external_ids"),
        ({"external_ids": ["a", ""]}, "contact.external_ids[1]"),
        ({"external_ids": [" a"]}, "contact.external_ids[0]"),
        ({"external_ids": ["a" * 101]}, "contact.external_ids[0]"),
        ({"external_ids": ["a", "b", "a"]}, "contact.external_ids[2]"),
        ({"title": "a" * 101}, "contact.title"),
        ({"first_name": "a\nb"}, "contact.first_name"),
        ({"last_name": "a" * 101}, "contact.last_name"),
        ({"organisation": "a" * 101}, "contact.organisation"),
        ({"phone_numbers": ["+447700900123", "07700900123"]}, "contact.phone_numbers[1]"),
        ({"phone_numbers": ["+447700900123", "+44 7700 900123"]}, "contact.phone_numbers[1]"),
        ({"phone_numbers": [f"+4477009001{n:02}" for n in range(11)]}, "contact.phone_numbers"),
        ({"emails": ["ada"]}, "contact.emails[0]"),
        ({"emails": ["ada@example.org", "ada@EXAMPLE.org"]}, "contact.emails[1]"),
        ({"emails": [f"a{n}@example.org" for n in range(11)]}, "contact.emails"),
        ({"device_tokens": [""]}, "contact.device_tokens[0]"),
        ({"device_tokens": ["a" * 4097]}, "contact.device_tokens[0]"),
        ({"device_tokens": ["a", "a"]}, "contact.device_tokens[1]"),
        ({"device_tokens": [str(number) for number in range(11)]}, "contact.device_tokens"),
        ({"channels": [1, 0]}, "contact.channels[1]"),
        ({"channels": [1, 3, 1]}, "contact.channels[2]"),
        ({"channels": [1, 2, 3, 4, 5, 1]}, "contact.channels"),
        ({"locale": "en_GB"}, "contact.locale"),
        ({"locale": "en" + "-abcdefgh" * 4}, "contact.locale"),
        ({"time_zone": "Mars/Olympus"}, "contact.time_zone"),
        ({"time_zone": "Europe"}, "contact.time_zone"),
        ({"time_zone": "../../etc/passwd"}, "contact.time_zone"),
        ({"time_zone": "posix/Europe/London"}, "contact.time_zone"),
        ({"properties": {f"a{number}": "" for number in range(51)}}, "contact.properties"),
        ({"properties": {"a b": ""}}, "contact.properties['a b']"),
        ({"properties": {"a" * 65: ""}}, f"contact.properties['{'a' * 64}']"),
        ({"properties": {"a": "b" * 1001}}, "contact.properties['a']"),
        ({"properties": {"a": "\0"}}, "contact.properties['a']"),
        ({"delegates": [{"external_id": f"{number}"} for number in range(21)]}, "contact.delegates"),
        ({"delegates": [{}]}, "contact.delegates[0].contact_id"),
        ({"delegates": [{"contact_id": "0" * 13, "external_id": "a"}]}, "contact.delegates[0].contact_id"),
        ({"delegates": [{"external_id": "a" * 101}]}, "contact.delegates[0].external_id"),
        ({"delegates": [{"external_id": "a", "relation": "b" * 65}]}, "contact.delegates[0].relation"),
        (
            {"delegates": [{"external_id": "a", "priority": True}, {"external_id": "b", "priority": True}]},
            "contact.delegates[1].priority",
        ),
        ({"delegates": [{"contact_id": "0" * 13}]}, "contact.delegates[0]"),
        ({"delegates": [{"contact_id": "nobody"}]}, "contact.delegates[0]"),
    ],
)
async def test_a_broken_rule_is_told_by_its_field(api: Any, contact: dict[str, Any], field: str) -> None:
    """And nothing is stored."""
    refusal = await call(api, "CreateContact", contact=contact)
    assert (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST") == (refusal.code, refusal.reason)
    assert [field] == list(refusal.violations)
    assert [] == list((await call(api, "ListContacts")).contacts)


async def test_what_is_as_long_as_it_may_be_is_kept(api: Any) -> None:
    """Every list full, every text at its limit."""
    guardians = [{"external_id": f"PC-{number}"} for number in range(2)]
    await added(api, external_ids=["PC-0"])
    await added(api, external_ids=["PC-1"])
    contact = {
        "external_ids": [f"{number}{'x' * 99}" for number in range(10)],
        "title": "ß" * 100,
        "first_name": "ﷺ" * 100,
        "last_name": "x" * 100,
        "organisation": "x" * 100,
        "phone_numbers": [f"+44770090012{number}" for number in range(10)],
        "emails": [f"{number}@example.org" for number in range(10)],
        "device_tokens": [f"{number}{'x' * 4095}" for number in range(10)],
        "channels": [5, 4, 3, 2, 1],
        "time_zone": "America/Argentina/Buenos_Aires",
        "properties": {f"{'a' * 62}{number}": "x" * 1_000 for number in range(10, 60)},
        "delegates": [{**each, "relation": "x" * 64} for each in guardians],
    }
    whole = await added(api, **contact)
    found = (await call(api, "GetContact", contact_id=whole.contact_id)).contact
    for name in contact.keys() - {"delegates"}:
        assert contact[name] == type(contact[name])(getattr(found, name))
    assert ["x" * 64] * 2 == [each.relation for each in found.delegates]


async def test_what_is_taken_says_by_whom(api: Any) -> None:
    """So that a repeated call finds what the first one made."""
    first = await added(api, external_ids=["PL-1"])
    refusal = await call(api, "CreateContact", contact={"external_ids": ["PL-1"]})
    assert (grpc.StatusCode.ALREADY_EXISTS, "EXTERNAL_ID_TAKEN") == (refusal.code, refusal.reason)
    assert {"external_id": "PL-1", "contact_id": first.contact_id} == refusal.info.metadata
    group = (await call(api, "CreateGroup", group={"name": "Year 7"})).group
    refusal = await call(api, "CreateGroup", group={"name": "YEAR 7"})
    assert (grpc.StatusCode.ALREADY_EXISTS, "GROUP_NAME_TAKEN") == (refusal.code, refusal.reason)
    assert {"group_id": group.group_id} == refusal.info.metadata


async def test_a_full_directory_says_so(api: Any) -> None:
    """With how much it holds."""
    for _ in range(3):
        await added(api, title="Dr")
    for name in ("Year 7", "Year 8"):
        await call(api, "CreateGroup", group={"name": name})
    for method, fields, allowed in (
        ("CreateContact", {"contact": {"title": "Dr"}}, "3"),
        ("CreateGroup", {"group": {"name": "Year 9"}}, "2"),
    ):
        refusal = await call(api, method, **fields)
        assert (grpc.StatusCode.FAILED_PRECONDITION, "DIRECTORY_FULL") == (refusal.code, refusal.reason)
        assert {"allowed": allowed} == refusal.info.metadata


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (None, {"title": "Prof", "first_name": "Ada", "emails": ["ada@example.org"]}),
        (["title"], {"title": "Prof", "first_name": "Ada", "emails": ["ada@example.org"]}),
        (["emails"], {"title": "Dr", "first_name": "Ada", "emails": []}),
        (["first_name", "title"], {"title": "Prof", "first_name": "", "emails": ["ada@example.org"]}),
        (["*"], {"title": "Prof", "first_name": "", "emails": []}),
    ],
)
async def test_an_update_is_about_the_fields_of_its_mask(api: Any, mask: Any, expected: Any) -> None:
    """Without one, about those that are not empty."""
    contact = await added(api, title="Dr", first_name="Ada", emails=["ada@example.org"])
    change = {"contact_id": contact.contact_id, "title": "Prof", "etag": "1"}
    update = {} if mask is None else {"update_mask": {"paths": mask}}
    answer = (await call(api, "UpdateContact", contact=change, **update)).contact
    assert expected == {"title": answer.title, "first_name": answer.first_name, "emails": list(answer.emails)}
    assert ("2", answer) == (
        answer.etag,
        (await call(api, "GetContact", contact_id=contact.contact_id)).contact,
    )


@pytest.mark.parametrize(
    "path", ["contact_id", "account_id", "etag", "create_time", "nothing", "properties.a"]
)
async def test_a_mask_names_fields_that_can_be_changed(api: Any, path: str) -> None:
    """Whole ones."""
    for method, holder, good in (("UpdateContact", "contact", "*"), ("UpdateGroup", "group", "description")):
        fields = {holder: {f"{holder}_id": "0" * 13}, "update_mask": {"paths": [good, path]}}
        refusal = await call(api, method, **fields)
        assert ["update_mask.paths[1]"] == list(refusal.violations)


async def test_a_stale_etag_changes_nothing(api: Any) -> None:
    """ABORTED: read again, decide again."""
    contact = await added(api, title="Dr")
    group = (await call(api, "CreateGroup", group={"name": "Year 7"})).group
    for method, fields in (
        ("UpdateContact", {"contact": {"contact_id": contact.contact_id, "title": "Prof", "etag": "2"}}),
        ("UpdateContact", {"contact": {"contact_id": contact.contact_id, "title": "Prof", "etag": "x"}}),
        ("DeleteContact", {"contact_id": contact.contact_id, "etag": "2"}),
        ("UpdateGroup", {"group": {"group_id": group.group_id, "name": "Year 8", "etag": "2"}}),
        ("DeleteGroup", {"group_id": group.group_id, "etag": "²"}),
    ):
        refusal = await call(api, method, **fields)
        assert (grpc.StatusCode.ABORTED, "ETAG_MISMATCH") == (refusal.code, refusal.reason)
    assert [contact] == list((await call(api, "ListContacts")).contacts)
    assert [group] == list((await call(api, "ListGroups")).groups)


async def test_an_update_can_add_who_is_missing(api: Any) -> None:
    """Under the external id by which it was looked for; only then."""
    fields = {"external_id": "PL-1", "contact": {"title": "Dr", "external_ids": ["MIS-1"]}}
    assert "CONTACT_NOT_FOUND" == (await call(api, "UpdateContact", **fields)).reason
    contact = (await call(api, "UpdateContact", **fields, allow_missing=True)).contact
    assert ["PL-1", "MIS-1"] == list(contact.external_ids)
    fields = {"external_id": "PL-1", "contact": {"title": "Prof"}}
    again = (await call(api, "UpdateContact", **fields, allow_missing=True)).contact
    assert (contact.contact_id, "Prof", ["PL-1", "MIS-1"]) == (
        again.contact_id,
        again.title,
        list(again.external_ids),
    )
    refusal = await call(api, "UpdateContact", contact={"contact_id": "0" * 13}, allow_missing=True)
    assert ["allow_missing"] == list(refusal.violations)


@pytest.mark.parametrize(
    ("method", "fields", "field"),
    [
        ("GetContact", {}, "contact_id"),
        ("GetContact", {"contact_id": "0" * 13, "external_id": "a"}, "contact_id"),
        ("GetContact", {"external_id": "a" * 101}, "external_id"),
        ("DeleteContact", {}, "contact_id"),
        ("UpdateContact", {}, "contact.contact_id"),
        ("UpdateContact", {"external_id": "a", "contact": {"contact_id": "0" * 13}}, "contact.contact_id"),
        ("ListContacts", {"page_size": 1001}, "page_size"),
        ("ListContacts", {"page_token": "x"}, "page_token"),
        ("ListContacts", {"filter": {"name_prefix": " "}}, "filter.name_prefix"),
        ("ListContacts", {"filter": {"name_prefix": "a" * 101}}, "filter.name_prefix"),
        ("ListContacts", {"filter": {"phone_number": "0770"}}, "filter.phone_number"),
        ("ListContacts", {"filter": {"email": "ada"}}, "filter.email"),
        ("ListContacts", {"filter": {"external_id": "a" * 101}}, "filter.external_id"),
        ("ListContacts", {"filter": {"group_id": "x"}}, "filter.group_id"),
        ("CreateGroup", {}, "group.name"),
        ("CreateGroup", {"group": {"name": " "}}, "group.name"),
        ("CreateGroup", {"group": {"name": "a" * 101}}, "group.name"),
        ("CreateGroup", {"group": {"name": "a", "description": "b" * 1001}}, "group.description"),
        ("CreateGroup", {"group": {"name": "a", "group_id": "0" * 13}}, "group.group_id"),
        ("GetGroup", {}, "group_id"),
        ("DeleteGroup", {}, "group_id"),
        ("UpdateGroup", {}, "group.group_id"),
        (
            "UpdateGroup",
            {"group": {"group_id": "0" * 13}, "update_mask": {"paths": ["name"]}},
            "group.name",
        ),
        ("ListGroups", {"page_token": "x"}, "page_token"),
        ("ListGroups", {"filter": {"contact_id": "x"}}, "filter.contact_id"),
        ("ListGroupMembers", {}, "group_id"),
        ("ListGroupMembers", {"group_id": "0" * 13, "page_size": -1}, "page_size"),
        ("AddGroupMembers", {"group_id": "0" * 13}, "contact_ids"),
        ("AddGroupMembers", {"group_id": "0" * 13, "external_ids": ["a"] * 1001}, "contact_ids"),
        ("RemoveGroupMembers", {"group_id": "0" * 13, "external_ids": ["a", ""]}, "external_ids[1]"),
        ("RemoveGroupMembers", {"contact_ids": ["0" * 13]}, "group_id"),
    ],
)
async def test_a_malformed_request_is_told_by_its_field(
    api: Any, method: str, fields: dict[str, Any], field: str
) -> None:
    """Before anything is looked up."""
    refusal = await call(api, method, **fields)
    assert grpc.StatusCode.INVALID_ARGUMENT is refusal.code
    assert [field] == list(refusal.violations)


@pytest.mark.parametrize(
    ("method", "fields", "reason"),
    [
        ("GetContact", {"contact_id": "{contact}"}, "CONTACT_NOT_FOUND"),
        ("GetContact", {"external_id": "PL-1"}, "CONTACT_NOT_FOUND"),
        ("UpdateContact", {"contact": {"contact_id": "{contact}", "title": "x"}}, "CONTACT_NOT_FOUND"),
        ("DeleteContact", {"contact_id": "{contact}"}, "CONTACT_NOT_FOUND"),
        ("GetGroup", {"group_id": "{group}"}, "GROUP_NOT_FOUND"),
        ("UpdateGroup", {"group": {"group_id": "{group}", "name": "x"}}, "GROUP_NOT_FOUND"),
        ("DeleteGroup", {"group_id": "{group}"}, "GROUP_NOT_FOUND"),
        ("AddGroupMembers", {"group_id": "{group}", "contact_ids": ["{contact}"]}, "GROUP_NOT_FOUND"),
        ("RemoveGroupMembers", {"group_id": "{group}", "contact_ids": ["{contact}"]}, "GROUP_NOT_FOUND"),
        ("ListGroupMembers", {"group_id": "{group}"}, "GROUP_NOT_FOUND"),
    ],
)
async def test_what_is_not_there_and_what_is_anothers_look_alike(
    api: Any, method: str, fields: dict[str, Any], reason: str
) -> None:
    """NOT_FOUND with the same words, for what is no id as well."""
    theirs = await added(api, ADMIN, OTHER_ACCOUNT, external_ids=["PL-1"])
    group = (await call(api, "CreateGroup", ADMIN, account_id=OTHER_ACCOUNT, group={"name": "a"})).group
    members = {"group_id": group.group_id, "contact_ids": [theirs.contact_id]}
    await call(api, "AddGroupMembers", ADMIN, account_id=OTHER_ACCOUNT, **members)
    answers = [
        await call(api, method, **_filled(fields, contact=contact_id, group=group_id))
        for contact_id, group_id in (
            (theirs.contact_id, group.group_id),
            ("0" * 13, "0" * 13),
            ("nobody", "nothing"),
        )
    ]
    assert {(grpc.StatusCode.NOT_FOUND, reason)} == {(each.code, each.reason) for each in answers}
    assert 1 == len({each.message for each in answers})


def _filled(fields: Any, **ids: str) -> Any:
    if isinstance(fields, str):
        return fields.format(**ids)
    if isinstance(fields, list):
        return [_filled(each, **ids) for each in fields]
    return {name: _filled(each, **ids) for name, each in fields.items()}


async def test_members_come_and_go(api: Any) -> None:
    """By either id; the answer has the new count, and how many moved."""
    ada, bob = await added(api, external_ids=["PL-1"]), await added(api, title="Mr")
    group = (await call(api, "CreateGroup", group={"name": " Year 7 ", "description": "all"})).group
    assert ("Year 7", "all", "1", 0) == (group.name, group.description, group.etag, group.member_count)
    members = {"group_id": group.group_id, "contact_ids": [bob.contact_id], "external_ids": ["PL-1"]}
    answer = await call(api, "AddGroupMembers", **members)
    assert (2, 2) == (answer.added, answer.group.member_count)
    assert 0 == (await call(api, "AddGroupMembers", **members)).added
    listed = await call(api, "ListGroupMembers", READER, group_id=group.group_id, page_size=1)
    assert [ada] == list(listed.contacts)
    rest = await call(
        api, "ListGroupMembers", group_id=group.group_id, page_size=100, page_token=listed.next_page_token
    )
    assert ([bob], "") == (list(rest.contacts), rest.next_page_token)
    groups = await call(api, "ListGroups", filter={"contact_id": ada.contact_id})
    assert [2] == [each.member_count for each in groups.groups]
    answer = await call(api, "RemoveGroupMembers", group_id=group.group_id, external_ids=["PL-1", "PL-2"])
    assert (1, 1) == (answer.removed, answer.group.member_count)


async def test_members_that_are_not_found_are_told_by_their_place(api: Any) -> None:
    """In the list that named them; nobody joins."""
    ada = await added(api, external_ids=["PL-1"])
    group = (await call(api, "CreateGroup", group={"name": "Year 7"})).group
    refusal = await call(
        api,
        "AddGroupMembers",
        group_id=group.group_id,
        contact_ids=[ada.contact_id, "nobody"],
        external_ids=["PL-1", "PL-2"],
    )
    assert (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND") == (refusal.code, refusal.reason)
    assert {"contact_ids[1]", "external_ids[1]"} == refusal.violations.keys()
    assert 0 == (await call(api, "GetGroup", group_id=group.group_id)).group.member_count


async def test_who_is_in_too_many_groups_is_told_by_place(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAILED_PRECONDITION: they would have to leave another one first."""
    monkeypatch.setattr("broker.storage.groups.GROUPS_OF_CONTACT_MAX", 1)
    ada = await added(api, external_ids=["PL-1"])
    first = (await call(api, "CreateGroup", group={"name": "Year 7"})).group
    second = (await call(api, "CreateGroup", group={"name": "Year 8"})).group
    await call(api, "AddGroupMembers", group_id=first.group_id, contact_ids=[ada.contact_id])
    refusal = await call(api, "AddGroupMembers", group_id=second.group_id, external_ids=["PL-1"])
    assert (grpc.StatusCode.FAILED_PRECONDITION, "DIRECTORY_FULL") == (refusal.code, refusal.reason)
    assert ["external_ids[0]"] == list(refusal.violations)


async def test_contacts_are_listed_page_by_page(api: Any) -> None:
    """In the order of creation or of names; a token is good for its own list only."""
    zoe, ada, bob = [await added(api, first_name=name) for name in ("Zoë", "Ada", "Ådne")]
    first = await call(api, "ListContacts", READER, page_size=2)
    last = await call(api, "ListContacts", page_size=2, page_token=first.next_page_token)
    assert ([zoe, ada], [bob], "") == (list(first.contacts), list(last.contacts), last.next_page_token)
    other = await call(api, "ListContacts", filter={"name_prefix": "a"}, page_token=first.next_page_token)
    assert ["page_token"] == list(other.violations)
    foreign = await call(
        api, "ListContacts", ADMIN, account_id=OTHER_ACCOUNT, page_token=first.next_page_token
    )
    assert ["page_token"] == list(foreign.violations)
    token, names = "", []
    while True:
        page = await call(api, "ListContacts", filter={"name_prefix": "z"}, page_size=1, page_token=token)
        names += [each.first_name for each in page.contacts]
        token = page.next_page_token
        if not token:
            break
    assert ["Zoë"] == names


async def test_groups_are_listed_page_by_page(api: Any) -> None:
    """In the order of creation or of names; a token is good for its own list only."""
    for name in ("Year 8", "Year 7"):
        await call(api, "CreateGroup", group={"name": name})
    for wanted, expected in (({}, ["Year 8", "Year 7"]), ({"name_prefix": "YEAR"}, ["Year 7", "Year 8"])):
        first = await call(api, "ListGroups", READER, filter=wanted, page_size=1)
        last = await call(api, "ListGroups", filter=wanted, page_token=first.next_page_token)
        assert expected == [each.name for page in (first, last) for each in page.groups]
        assert "" == last.next_page_token
        other = await call(api, "ListGroups", filter={"name_prefix": "x"}, page_token=first.next_page_token)
        assert ["page_token"] == list(other.violations)


async def test_a_long_name_makes_a_token_that_works(api: Any) -> None:
    """However many bytes its characters need."""
    for last_name in ("a", "b"):
        await added(api, first_name="\U00010400" * 100, last_name=last_name)
    wanted = {"name_prefix": "\U00010400" * rules.KEY_CHARACTERS_MAX}
    first = await call(api, "ListContacts", filter=wanted, page_size=1)
    last = await call(api, "ListContacts", filter=wanted, page_token=first.next_page_token)
    assert ["a", "b"] == [each.last_name for page in (first, last) for each in page.contacts]


async def test_what_was_deleted_is_gone(api: Any) -> None:
    """And cannot be deleted again."""
    contact = await added(api, external_ids=["PL-1"])
    group = (await call(api, "CreateGroup", group={"name": "Year 7"})).group
    deletions = (
        ("DeleteContact", {"external_id": "PL-1", "etag": contact.etag}, "CONTACT_NOT_FOUND"),
        ("DeleteGroup", {"group_id": group.group_id, "etag": group.etag}, "GROUP_NOT_FOUND"),
    )
    for method, fields, reason in deletions:
        assert getattr(directory_service_pb2, f"{method}Response")() == await call(api, method, **fields)
        assert reason == (await call(api, method, **fields)).reason


async def test_national_numbers_are_those_of_the_accounts_default_region(api: Any) -> None:
    """In what is added, changed and looked for; without one they are refused, as another account's are."""
    refusal = await call(api, "CreateContact", contact={"phone_numbers": ["07700 900123"]})
    assert {"contact.phone_numbers[0]"} == refusal.violations.keys()
    api.policies.region = "GB"
    contact = await added(api, phone_numbers=["07700 900123"])
    assert ["+447700900123"] == contact.phone_numbers
    change = {"contact_id": contact.contact_id, "phone_numbers": ["(07700) 900124", "+33612345678"]}
    changed = (await call(api, "UpdateContact", contact=change)).contact
    assert ["+447700900124", "+33612345678"] == changed.phone_numbers
    found = await call(api, "ListContacts", filter={"phone_number": "07700900124"})
    assert [contact.contact_id] == [each.contact_id for each in found.contacts]
    other = await call(
        api, "CreateContact", ADMIN, account_id=OTHER_ACCOUNT, contact={"phone_numbers": ["07700 900123"]}
    )
    assert {"contact.phone_numbers[0]"} == other.violations.keys()
