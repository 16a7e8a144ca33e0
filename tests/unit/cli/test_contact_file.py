"""Contacts from CSV text."""

import pytest

from broker.cli.contact_file import ContactRow, parse_contacts, read_contacts
from broker.cli.contact_words import ContactWords, contact_of
from broker.cli.failures import UsageError


def parsed(text: str) -> list[ContactRow]:
    """The contacts of a file with this text."""
    return parse_contacts(text.splitlines(keepends=True), "people.csv")


def test_columns_become_fields_and_others_properties() -> None:
    """Known ones in any case and order; several values stand between semicolons."""
    header = "First_Name, external_id,PHONE_NUMBERS,email,channels,delegates,priority_delegate,Form\n"
    (row,) = parsed(header + "Ada, PL-1 ,+447700900123; +447700900124,,sms;email,PC-1=mother; PC-2,PC-1,7B\n")
    expected = ContactWords(
        first_name="Ada",
        phone_numbers=["+447700900123", "+447700900124"],
        emails=[],
        channels=["sms", "email"],
        delegates=["PC-1=mother", "PC-2"],
        priority="PC-1",
        properties=["Form=7B"],
    )
    assert ContactRow(2, "PL-1", expected) == row


def test_a_column_is_said_something_about_even_where_it_is_empty() -> None:
    """An empty cell empties the field; a column that is missing leaves it as it is."""
    (row,) = parsed("external_id,title,email,Form\nPL-1,,,\n")
    assert ["title", "emails", "properties"] == row.words.given
    assert 0 == contact_of(row.words).ByteSize()
    (bare,) = parsed("external_id\nPL-1\n")
    assert [] == bare.words.given


def test_a_property_may_hold_anything() -> None:
    """Also what separates others."""
    (row,) = parsed('external_id,Note\nPL-1,"a=b; c="\n')
    assert {"Note": "a=b; c="} == dict(contact_of(row.words).properties)


def test_lines_are_counted_as_an_editor_does() -> None:
    """With empty ones, and cells of several lines."""
    rows = parsed('external_id,Note\nPL-1,"a\nb"\n\nPL-2,c\n')
    assert [3, 5] == [row.line for row in rows]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "one must be external_id"),
        ("title\nDr\n", "one must be external_id"),
        ("external_id\n", "no contacts"),
        ("external_id,title,Title\nPL-1,a,b\n", "column title is there twice"),
        ("external_id,email,emails\nPL-1,a,b\n", "column email is there twice"),
        ("external_id,First name\nPL-1,a\n", "column 'First name' is no field"),
        ("external_id,priority_delegate\nPL-1,PC-1\n", "needs a column delegates"),
        ("external_id,title\n,Dr\n", "line 2: has no external_id"),
        ("external_id\nPL-1,Dr\n", "line 2: has 2 fields, and the header 1"),
        ('external_id\n"PL-1\n', "line 2"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(text, told) -> None:
    """Nothing of it is taken."""
    with pytest.raises(UsageError, match=told):
        parsed(text)


def test_a_file_is_read_as_spreadsheets_write_it(tmp_path) -> None:
    """With a byte order mark; in another encoding it is refused."""
    path = tmp_path / "people.csv"
    path.write_bytes("\ufeffexternal_id,first_name\r\nPL-1,Zoë\r\n".encode())
    assert [ContactRow(2, "PL-1", ContactWords(first_name="Zoë"))] == read_contacts(path)
    path.write_bytes("external_id,first_name\nPL-1,Zoë\n".encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        read_contacts(path)
