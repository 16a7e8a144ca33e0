"""What the columns of a file mean, and what its lines are good for."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from broker.domain.audience_file import Cell, Columns, FileRefused, Meaning, columns_of, row_of_cells
from broker.testing.builders import NOW_US

NUMBER = "+447700900123"


def row(header: str, *cells: Cell, region: str = "") -> Any:
    """The row of a line of a file with this header."""
    columns = columns_of(header.split(","), region)
    assert isinstance(columns, Columns)
    return row_of_cells(1, cells, columns, NOW_US, region)


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        *(
            (each, Meaning.PHONE)
            for each in ("phone", "Phone Number", "MOBILE", "msisdn", "recipient_number")
        ),
        *((each, Meaning.EMAIL) for each in ("email", "E-Mail", "email address")),
        ("device_token", Meaning.DEVICE),
    ],
)
def test_columns_with_addresses_are_known_by_many_names(header: str, meaning: Meaning) -> None:
    """In any case, with or without spaces."""
    assert columns_of([header]) == Columns((meaning,), has_header=True)


def test_other_columns_fill_the_placeholders_of_their_names() -> None:
    """With what no name may have replaced; one without a name has its number."""
    columns = columns_of(["phone", "First name", "", "schedule_time", "client reference", "Data"])
    expected = (Meaning.PHONE, "First_name", "column3", Meaning.TIME, Meaning.REFERENCE, Meaning.DATA)
    assert columns == Columns(expected, has_header=True)


def test_a_first_line_with_an_address_is_no_header() -> None:
    """Its cells say what the columns have."""
    columns = columns_of(["Ada", NUMBER, "a@example.org", NUMBER])
    assert columns == Columns(("column1", Meaning.PHONE, Meaning.EMAIL, "column4"), has_header=False)
    assert columns_of(["07700 900123"], "GB") == Columns((Meaning.PHONE,), has_header=False)


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("name,town", "has no column with addresses"),
        ("phone,mobile", "has two columns for phone_number"),
        ("phone,a b,a-b", "has two columns for a_b"),
        (",".join(["phone", *map(str, range(100))]), "has 101 columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(header: str, rule: str) -> None:
    """With the rule."""
    refused = columns_of(header.split(","))
    assert isinstance(refused, FileRefused)
    assert rule in refused.rule


def test_a_line_becomes_a_recipient() -> None:
    """With normal addresses, its own time, and the rest as values."""
    found = row(
        "phone,email,name,schedule_time,reference,data",
        "+44 7700 900-123",
        "A@Example.ORG",
        "Ada",
        "2026-09-22T10:00:00+02:00",
        "mine",
        "{}",
    )
    at_us = int(datetime(2026, 9, 22, 8, tzinfo=UTC).timestamp()) * 1_000_000
    assert (found.phone_number, found.email) == (NUMBER, "A@example.org")
    assert found.more == {"tokens": {"name": "Ada"}, "at": at_us, "reference": "mine", "data": "{}"}


def test_a_national_number_is_taken_where_the_account_has_a_region() -> None:
    """And only there."""
    assert row("phone", "07700 900123", region="GB").phone_number == NUMBER
    assert row("phone", "07700 900123") == "phone_number is not a number with its + and country code"


def test_cells_of_a_spreadsheet_have_types() -> None:
    """A whole number has no point, and a time without an offset is UTC."""
    at = datetime(2026, 9, 22, 8, tzinfo=timezone(timedelta(hours=2))).replace(tzinfo=None)
    found = row("phone,amount,paid,schedule_time", NUMBER, 12.0, True, at)
    assert found.more["tokens"] == {"amount": "12", "paid": "true"}
    assert found.more["at"] == int(datetime(2026, 9, 22, 8, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["12", "", ""], "phone_number is not a number with its + and country code"),
        (["", "nobody", ""], "email is not a mailbox"),
        (["", "", "Ada"], "has no address"),
        ([NUMBER, "", "", "more"], "has 4 cells, and the file 3 columns"),
        ([NUMBER, "", "x" * 2_001], "name has 2001 characters; at most 2000 are allowed"),
        ([NUMBER, "", "a\0b"], "contains the NUL character (U+0000)"),
        ([NUMBER, "", "a\udcffb"], "has bytes that are no text in the file's encoding"),
    ],
)
def test_a_bad_line_says_what_is_wrong_with_it(cells: list[str], problem: str) -> None:
    """In words that name the column."""
    assert row("phone,email,name", *cells) == problem


def test_a_time_has_to_be_one_and_not_too_far_ahead() -> None:
    """As everywhere."""
    assert "ISO 8601" in row("phone,schedule_time", NUMBER, "tomorrow")
    assert "35 days" in row("phone,schedule_time", NUMBER, "2030-01-01")


@pytest.mark.parametrize("cells", [[], ["", ""], [" ", "\t", ""]])
def test_an_empty_line_is_nothing(cells: list[str]) -> None:
    """Neither good nor bad; a line may be shorter than the header, too."""
    assert row("phone,name,town", *cells) is None
    assert row("phone,name,town", NUMBER).phone_number == NUMBER
