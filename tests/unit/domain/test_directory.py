"""The directory's rules: how names are compared, and what of a card changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.directory import (
    KEY_CHARACTERS_MAX,
    Card,
    ContactFilter,
    address_keys,
    folded,
    masked,
    name_keys,
    repeated,
)

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=150)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Ada", "ada"),
        ("  Ada \t Lovelace ", "ada lovelace"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("E\u0301mile", "\u00e9mile"),
        ("\ufb01rst", "first"),
        ("", ""),
    ],
)
def test_names_are_compared_without_case_and_spaces(written: str, expected: str) -> None:
    """And without regard to how their accents are written."""
    assert expected == folded(written)


@given(NAMES)
def test_a_folded_name_stays_as_it_is(name: str) -> None:
    """So a prefix can be folded before or after it was cut; and it is never too long."""
    once = folded(name)
    assert once == folded(once)
    assert len(once) <= KEY_CHARACTERS_MAX


@given(NAMES, st.sampled_from(["first_name", "last_name", "organisation"]))
def test_a_contact_is_found_by_each_of_its_names(name: str, field: str) -> None:
    """As far as a key goes; the same as the index finds."""
    prefix = folded(name)
    card = Card(**{field: name})
    assert ContactFilter(name_prefix=prefix).fits(card)


def test_a_person_has_a_name_in_both_orders() -> None:
    """In their order, without repetitions and empty ones."""
    card = Card(first_name="Ada", last_name="Lovelace", organisation="ACME")
    assert ("acme", "ada lovelace", "lovelace ada") == name_keys(card)
    assert ("ada",) == name_keys(Card(last_name="Ada", organisation="ADA"))
    assert () == name_keys(Card(title="Dr"))


def test_addresses_are_looked_up_without_case() -> None:
    """Device tokens are not looked up."""
    card = Card(phone_numbers=("+1",), emails=("Ada@example.org",), device_tokens=("T",))
    assert {"+1", "ada@example.org"} == address_keys(card)


def test_a_mask_takes_what_it_names() -> None:
    """Also nothing."""
    old = Card(title="Dr", first_name="Ada", phone_numbers=("+1",))
    new = Card(first_name="Grace", last_name="Hopper")
    assert Card(title="Dr", first_name="Grace") == masked(old, new, {"first_name", "phone_numbers"})
    assert old == masked(old, new, set())


@pytest.mark.parametrize(("values", "expected"), [((), []), (("a", "b"), []), (("a", "b", "a", "a"), [2, 3])])
def test_what_comes_again_is_told_by_its_place(values: tuple[str, ...], expected: list[int]) -> None:
    """The first one is no repetition."""
    assert expected == list(repeated(values))
