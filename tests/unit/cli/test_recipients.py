"""Recipients from CSV text."""

import pytest

from broker.cli.failures import UsageError
from broker.cli.recipients import Recipients, Row, parse_recipients, read_recipients, row_of_address


def parsed(text: str) -> Recipients:
    """The recipients of a file with this text."""
    return parse_recipients(text.splitlines(keepends=True), "people.csv")


def test_columns_are_known_by_name_in_any_order_and_case() -> None:
    """Spaces around names and addresses do not matter."""
    found = parsed("Name, PHONE_NUMBER ,client_reference\nAda, +447700900123 ,a-1\n")
    assert [Row(phone_number="+447700900123", name="Ada", client_reference="a-1")] == found.rows


def test_a_text_is_taken_as_it_is() -> None:
    """Commas, quotes and line breaks too."""
    (row,) = parsed('email,text\nada@example.org,"Dear ""Ada"",\n  hello"\n').rows
    assert 'Dear "Ada",\n  hello' == row.text


def test_empty_lines_and_short_rows_are_fine() -> None:
    """Spreadsheets leave both behind."""
    rows = parsed("phone_number,text\n+447700900123\n\n,\n+447700900124,Hi\n").rows
    assert ["+447700900123", "+447700900124"] == [row.phone_number for row in rows]


def test_every_column_is_a_value_by_the_name_that_the_file_writes() -> None:
    """Those that have no other use are told apart."""
    found = parsed("Phone_Number, Town ,txet,Name\n+447700900123, Ely ,Hi,Ada\n+447700900124\n")
    assert ["Town", "txet"] == found.token_columns
    expected = {"Phone_Number": "+447700900123", "Town": "Ely", "txet": "Hi", "Name": "Ada"}
    assert [expected, {"Phone_Number": "+447700900124"}] == [row.tokens for row in found.rows]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the first line names the columns"),
        ("number,text\n+447700900123,Hi\n", "the first line names the columns"),
        ("+447700900123,Hi\n", "the first line names the columns"),
        ("phone_number\n", "no recipients"),
        ("phone_number,text\n,Hi\n", "recipient 1: has no phone_number"),
        ("phone_number\n+447700900123\n+447700900124,Hi\n", "recipient 2: has 2 fields, and the header 1"),
        ("phone_number,phone_number\n1,2\n", "column phone_number is there twice"),
        ('phone_number,text\n+447700900123,"Hi\n', "line 2"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(text, told) -> None:
    """Nothing is sent of it."""
    with pytest.raises(UsageError, match=told):
        parsed(text)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path) -> None:
    """Spreadsheets write one."""
    path = tmp_path / "people.csv"
    path.write_bytes("\ufeffphone_number\r\n+447700900123\r\n".encode())
    assert [Row(phone_number="+447700900123")] == read_recipients(path).rows


def test_a_file_in_another_encoding_is_refused(tmp_path) -> None:
    """Rather than sent as gibberish."""
    path = tmp_path / "people.csv"
    path.write_bytes("phone_number,text\n+447700900123,Grüße\n".encode("latin-1"))
    with pytest.raises(UsageError, match="not UTF-8"):
        read_recipients(path)


def test_an_address_with_an_at_sign_is_a_mailbox() -> None:
    """Whatever else is given is the broker's to judge, as a phone number."""
    given = ["ada@example.org", "+447700900123", "ada"]
    rows = [Row(email="ada@example.org"), Row(phone_number="+447700900123"), Row(phone_number="ada")]
    assert rows == [row_of_address(address) for address in given]
