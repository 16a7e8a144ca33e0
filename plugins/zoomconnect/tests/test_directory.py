"""Contacts, groups and templates: calls, records and their translation, by value."""

import json

import pytest

from waypost.v1 import directory_pb2
from waypost_zoomconnect import directory
from waypost_zoomconnect.commands import translation
from waypost_zoomconnect.commands.exporting import matched
from waypost_zoomconnect.directory import ZoomContact, ZoomGroup, ZoomTemplate
from waypost_zoomconnect.exchange import Answer

ADA = ZoomContact("7", "0725551234", "Dr", "Ada", "Lovelace")


def answer(document, status=200):
    return Answer(status, {}, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (directory.join_call("7", "9", "contact"), "contacts/7/addToGroup/9"),
        (directory.leave_call("7", "9", "contact"), "contacts/7/addFromGroup/9"),
        (directory.join_call("7", "9", "group"), "groups/9/addContact/7"),
        (directory.leave_call("7", "9", "group"), "groups/9/removeContact/7"),
    ],
)
@pytest.mark.covers(
    "contacts.addToGroup", "contacts.addFromGroup", "groups.addContact", "groups.removeContact"
)
def test_memberships_change_on_either_side(call, expected):
    """And addFromGroup is what takes a contact out of a group."""
    assert ("POST", expected) == (call.method, call.path)


@pytest.mark.covers(
    *("contacts.create", "contacts.update", "contacts.firstName", "contacts.lastName"),
    *("contacts.contactNumber", "contacts.title", "contacts.contactId"),
)
def test_a_contact_is_created_without_an_id_and_updated_by_it():
    """With the same document."""
    document = {"title": "Dr", "firstName": "Ada", "lastName": "Lovelace", "contactNumber": "0725551234"}
    new = ZoomContact("", "0725551234", "Dr", "Ada", "Lovelace")
    calls = [directory.contact_call(each) for each in (new, ADA)]
    assert [("contacts/create", document), ("contacts/7", document)] == [
        (each.path, each.document) for each in calls
    ]


@pytest.mark.covers("groups.create", "groups.update", "groups.name", "groups.groupId")
def test_a_group_is_created_without_an_id_and_renamed_by_it():
    """With its name."""
    calls = [directory.group_call(each) for each in (ZoomGroup("", "Staff"), ZoomGroup("9", "Staff"))]
    assert [("groups/create", {"name": "Staff"}), ("groups/9", {"name": "Staff"})] == [
        (each.path, each.document) for each in calls
    ]


@pytest.mark.parametrize(
    ("record", "members"),
    [
        ({}, None),
        ({"links": []}, None),
        ({"links": [{"rel": "self", "href": "/app/api/rest/v1/groups/9"}]}, None),
        ({"links": [{"href": "/v1/contacts/7"}, {"href": "/v1/contacts/8"}, None]}, {"7", "8"}),
        ({"webServiceContacts": [{"contactId": 7}, {"contactId": None}]}, {"7"}),
        ({"webServiceContacts": []}, set()),
    ],
)
def test_members_are_told_by_links_or_by_a_list(record, members):
    """None where neither is there: that is no empty group."""
    assert members == directory.group({"groupId": "9", "name": "Staff", **record}).members


@pytest.mark.parametrize("document", [None, [], {}, {"webServiceContacts": None}])
def test_what_is_no_page_is_none(document):
    """Rather than an empty list, after which a prune would delete everything."""
    assert directory.page_records("contacts", answer(document)) is None
    assert directory.page_records("contacts", answer({"webServiceContacts": []}, 500)) is None


def contact(*numbers, **fields):
    return directory_pb2.Contact(phone_numbers=numbers, **fields)


@pytest.mark.parametrize(
    ("kept", "numbers"),
    [
        (None, ["+27725551234"]),
        (contact(), ["+27725551234"]),
        (contact("+27820000001", "+27820000002"), ["+27725551234", "+27820000002"]),
        (contact("+27820000001", "+27725551234"), ["+27725551234", "+27820000001"]),
    ],
    ids=["new", "empty", "replaced", "moved"],
)
@pytest.mark.covers("contacts.contactNumber")
def test_an_imported_number_is_the_primary_one(kept, numbers):
    """With its country code; further numbers of the contact stay."""
    assert numbers == list(translation.imported(ADA, kept, "27").phone_numbers)


def test_a_contact_without_a_number_says_nothing_of_numbers():
    """Those that are kept stay."""
    kept = contact("+27820000001")
    assert ["+27820000001"] == list(translation.imported(ZoomContact("7", ""), kept, "27").phone_numbers)


@pytest.mark.parametrize("written", ["../account/balance", "7/addFromGroup/9", "7?x=1", "", "a b"])
def test_an_external_id_that_is_no_id_of_zoomconnects_is_none(written):
    """It would become part of a path, and whoever may write contacts could choose which."""
    assert "" == translation.zoom_id(contact(external_ids=["PL-1", f"zoomconnect:{written}"]))
    assert "7" == translation.zoom_id(contact(external_ids=["PL-1", "zoomconnect:7"]))


def test_what_zoomconnect_has_no_place_for_is_named():
    """Nothing is left out in silence."""
    full = contact("+27820000001", "+27820000002", organisation="Acme", emails=["a@example.org"])
    assert ["organisation", "emails", "further numbers"] == list(translation.left_out(full))


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("Welcome", set(), "Welcome"),
        ("Welcome back, Ada!", set(), "Welcome-back-Ada"),
        ("welcome", {"welcome"}, "welcome-5"),
        ("你好", set(), "template-5"),
        ("x" * 80, set(), "x" * 64),
        ("x" * 80, {"x" * 64}, f"{'x' * 62}-5"),
    ],
)
def test_a_template_gets_a_name_that_waypost_allows(name, taken, expected):
    """With its id where another has that name."""
    assert expected == translation.template_name(ZoomTemplate("5", name, "x"), taken)


def test_a_dollar_in_a_template_means_itself():
    """In Waypost it would begin a placeholder."""
    made = translation.template(ZoomTemplate("5", "Prices", "only $5 for $Name$"), "Prices", "p", "en")
    assert "only $$5 for $$Name$$" == made.locales["en"].sms.text


def test_contacts_are_matched_by_the_id_that_is_kept_and_then_by_number():
    """Nobody is matched twice, and nobody without a number by number."""
    theirs = {
        each.contact_id: each
        for each in (
            ZoomContact("1", "0820000001"),
            ZoomContact("2", "0820000002"),
            ZoomContact("3", ""),
        )
    }
    ours = [
        contact("+27820000001", external_ids=["zoomconnect:1"]),
        contact("+27820000001"),
        contact("+27820000002", external_ids=["PL-1"]),
        contact("+27820000002"),
        contact(),
        contact("+27820000009", external_ids=["zoomconnect:99"]),
    ]
    steps = matched(ours, theirs, "27")
    assert ["1", "", "2", "", "", ""] == [each.wanted.contact_id for each in steps]
