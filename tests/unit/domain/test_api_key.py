"""Keys as they are written."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.access import Role
from broker.domain.api_key import checksum, is_old, key_id_of, write_secret
from broker.domain.ids import format_id

SCANNED = re.compile(r"wp[ku]_[0-9A-HJKMNP-TV-Z]{13}_[0-9A-Za-z]{49}")
"""What docs/accounts.md gives to scanners."""


@given(st.integers(1, 2**63 - 1), st.integers(0, 2**256 - 1), st.sampled_from(Role))
def test_a_secret_is_recognised_and_names_its_id(key_id: int, drawn: int, role: Role) -> None:
    """By its shape and by its checksum."""
    secret = write_secret(key_id, role, drawn)
    assert SCANNED.fullmatch(secret)
    assert (key_id, False) == (key_id_of(secret), is_old(secret))
    assert secret.startswith("wpu_" if role is Role.URL_SENDING else "wpk_")


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_no_two_draws_are_the_same_secret(one: int, two: int) -> None:
    """All 256 bits are in it."""
    assert (one == two) == (write_secret(7, Role.SEND, one) == write_secret(7, Role.SEND, two))


def test_the_checksum_is_the_crc_of_all_before_it() -> None:
    """In base 62, digits first, so that others can compute it."""
    secret = write_secret(7, Role.SEND, 2**255)
    body, end = secret[:-6], secret[-6:]
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for character in end:
        number = number * 62 + alphabet.index(character)
    assert zlib.crc32(body.encode()) == number
    assert end == checksum(body)


@pytest.mark.parametrize("place", [4, 20, 40, -1])
def test_a_secret_with_another_character_is_none(place: int) -> None:
    """Nobody has to be asked for it."""
    secret = write_secret(7, Role.SEND, 2**200)
    other = "1" if secret[place] != "1" else "2"
    changed = secret[:place] + other + secret[place:][1:]
    assert key_id_of(changed) is None


def test_keys_of_before_there_was_a_checksum_are_known() -> None:
    """By their id."""
    old = f"wp_{format_id(7)}_anything"
    assert (7, True) == (key_id_of(old), is_old(old))
