"""Whom a message that came in is from, and what it answers."""

import pytest

from broker.domain.inbound import Written, last_written, normal_correspondent, same_address

OURS = "+447700900001"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("447700900123", "+447700900123"),
        ("+44 7700 900123", "+447700900123"),
        ("00447700900123", "+447700900123"),
        (" +1 (555) 444-3333 ", "+15554443333"),
        ("12345", "12345"),
        ("87654321", "87654321"),
        ("ACME", "ACME"),
        ("Ada@Example.ORG", "Ada@example.org"),
        ("not @ mailbox", "not @ mailbox"),
        ("", ""),
    ],
)
def test_an_address_is_brought_into_the_form_of_recipients(written: str, normal: str) -> None:
    """Numbers with their "+"; short codes and names as they are."""
    assert normal == normal_correspondent(written)


def test_spellings_of_one_address_are_the_same() -> None:
    """And those of two are not."""
    assert same_address("+447700900001", "447700900001")
    assert same_address("Acme", "ACME")
    assert not same_address("12345", "123456")


def written(address: str = OURS, account_id: int = 1, message_id: int = 1, at_us: int = 10) -> Written:
    """A message to the person."""
    return Written(address, account_id, "acme", message_id, at_us)


def test_the_last_message_from_that_address_is_answered() -> None:
    """Whoever wrote it; of two at one time the one with the later id."""
    letters = [
        written(),
        written(account_id=2, message_id=3),
        written(message_id=2),
        written("12345", at_us=99),
    ]
    assert letters[1] == last_written(letters, OURS, "acme", 0)
    assert letters[2] == last_written(letters, OURS, "acme", 0, account_id=1)


@pytest.mark.parametrize(("since_us", "found"), [(10, True), (11, False)])
def test_what_was_written_before_is_forgotten(since_us: int, found: bool) -> None:
    """The window's first moment is within it."""
    assert found == (last_written([written()], OURS, "acme", since_us) is not None)


def test_a_message_without_a_sender_is_answered_through_its_provider() -> None:
    """It left from an address that only the provider knows."""
    assert written("") == last_written([written("")], "anything", "acme", 0)
    assert last_written([written("")], "anything", "other", 0) is None
