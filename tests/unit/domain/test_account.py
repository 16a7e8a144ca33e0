"""Where accounts stand, and how somebody is called who answers for one."""

import pytest

from broker.domain.account import depth_of, email_key, is_below, is_contact_number, place_of


def test_a_path_holds_every_account_from_the_top_down() -> None:
    """Sorted, it puts each below the one that it belongs to, also with ids of many digits."""
    top, other = place_of(2), place_of(1 << 62)
    below = place_of(7, top)
    assert [top, below, other] == sorted([other, below, top])
    assert (1, 2) == (depth_of(top), depth_of(below))


@pytest.mark.parametrize(
    ("path", "above", "expected"),
    [
        (place_of(7, place_of(2)), place_of(2), True),
        (place_of(7, place_of(3, place_of(2))), place_of(2), True),
        (place_of(2), place_of(2), False),
        (place_of(2), place_of(7, place_of(2)), False),
        (place_of(7, place_of(2)), place_of(7), False),
    ],
)
def test_what_is_below_an_account_begins_with_its_path(path: str, above: str, expected: bool) -> None:
    """An account is not below itself."""
    assert expected == is_below(path, above)


@pytest.mark.parametrize("written", ["1234", "+44 (0)20 7946-0000", "020/79460000", "0" * 20])
def test_a_contact_number_is_one_that_people_write(written: str) -> None:
    """With what they put between the digits."""
    assert is_contact_number(written)


@pytest.mark.parametrize(
    "written", ["", "123", "0" * 21, "call me", "12 34 ext", "12\n34", "1234 ", "++1234"]
)
def test_what_nobody_can_call_is_no_contact_number(written: str) -> None:
    """Nor is what hides more than a number."""
    assert not is_contact_number(written)


def test_case_tells_no_emails_apart() -> None:
    """Whoever wrote them."""
    assert email_key("Ada@Example.org") == email_key("aDA@eXAMPLE.ORG")
