"""Addresses: their normal form, and both sides of each limit."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.address import (
    LOCAL_PART_CHARACTERS_MAX,
    MAILBOX_CHARACTERS_MAX,
    all_normal,
    normal_mailbox,
    normal_number,
    sender_fits,
)
from broker.domain.vocabulary import Channel

NUMBERS = st.from_regex(r"\+44[0-9]{10}", fullmatch=True)
LABEL_63 = "a" * 63


def mailbox_of(characters: int) -> str:
    """A mailbox of that many characters whose parts are all within their own limits."""
    domain = ".".join([LABEL_63] * 2 + ["b"])
    rest = characters - len(domain) - len("ab@.")
    return (
        f"ab@{'c' * min(rest, 63)}.{domain}" if rest <= 63 else f"ab@{LABEL_63}.{'d' * (rest - 64)}.{domain}"
    )


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("+447700900123", "+447700900123"),
        ("+44 7700 900123", "+447700900123"),
        ("+44 (7700) 900-123", "+447700900123"),
        ("+44.7700.900123", "+447700900123"),
        ("+44\u00a07700\u2011900123", "+447700900123"),
        (" +447700900123 ", "+447700900123"),
        ("+6834000", "+6834000"),
        ("+491512345678901", "+491512345678901"),
    ],
)
def test_a_number_is_kept_as_e164(written: str, normal: str) -> None:
    """As people write it: with spaces, dots, hyphens and brackets. 7 to 15 digits."""
    assert normal == normal_number(written)


@pytest.mark.parametrize(
    ("written", "region", "normal"),
    [
        ("07700 900123", "GB", "+447700900123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("00447700900123", "DE", "+447700900123"),
        ("+447700900123", "US", "+447700900123"),
        ("+1 202 555 012", "GB", None),
        ("202 555 012", "US", None),
        ("202 555 01234", "US", None),
        ("1-800-FLOWERS", "US", None),
        ("07700 900123 x5", "GB", None),
        ("٠٧٧٠٠٩٠٠١٢٣", "GB", None),
        ("12", "GB", None),
        ("1" * 21, "GB", None),
        ("07700 900123", "", None),
    ],
)
def test_a_national_number_is_of_the_region_that_is_given(
    written: str, region: str, normal: str | None
) -> None:
    """As people there dial it; a number with its country code stays what it is (C17)."""
    assert normal == normal_number(written, region)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("", id="empty"),
        pytest.param("+", id="no digits"),
        pytest.param("+683400", id="6 digits"),
        pytest.param("+4915123456789012", id="16 digits"),
        pytest.param("+1202555012", id="one digit too few for its country"),
        pytest.param("+120255501234", id="one digit too many for its country"),
        pytest.param("+2101234567", id="a calling code of no country"),
        pytest.param("+0447700900123", id="a country code cannot begin with 0"),
        pytest.param("447700900123", id="no plus"),
        pytest.param("00447700900123", id="a dialling prefix"),
        pytest.param("07700900123", id="a national number"),
        pytest.param("++447700900123", id="two plusses"),
        pytest.param("+44+7700900123", id="a plus inside"),
        pytest.param("+44770090012x", id="a letter"),
        pytest.param("+44770090012\n3", id="a line break"),
        pytest.param("+447700900123\n", id="a line break at the end"),
        pytest.param("+٤٤٧٧٠٠٩٠٠١٢٣", id="digits that are not ASCII"),
        pytest.param("+447700900123,+447700900124", id="two numbers"),
    ],
)
def test_what_is_no_number_is_none(written: str) -> None:
    """Nothing is guessed: without a country code there is no number."""
    assert None is normal_number(written)


@given(NUMBERS, st.data())
def test_separators_do_not_change_a_number(number: str, data: st.DataObject) -> None:
    """Wherever they stand."""
    gaps = data.draw(
        st.lists(st.text(" .-()\u00a0\u2011", max_size=2), min_size=len(number), max_size=len(number))
    )
    written = "".join(gap + character for gap, character in zip(gaps, number, strict=True))
    assert number == normal_number(written)


@given(st.text(max_size=40))
def test_a_normal_number_is_its_own_normal_form(written: str) -> None:
    """Any text gives None or a number that stays as it is."""
    normal = normal_number(written)
    assert normal is None or normal == normal_number(normal)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ada@example.org", "ada@example.org"),
        ("Ada.Lovelace+news@Example.ORG", "Ada.Lovelace+news@example.org"),
        ("  ada@example.org\n", "ada@example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("root@localhost", "root@localhost"),
        ("a@b-c.d", "a@b-c.d"),
        ("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"),
    ],
)
def test_a_mailbox_keeps_its_local_part_and_lowers_its_domain(written: str, normal: str) -> None:
    """Only the domain is known to ignore case."""
    assert normal == normal_mailbox(written)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("", id="empty"),
        pytest.param("ada", id="no at"),
        pytest.param("@example.org", id="no local part"),
        pytest.param("ada@", id="no domain"),
        pytest.param("ada@@example.org", id="two ats"),
        pytest.param(".ada@example.org", id="a dot first"),
        pytest.param("ada.@example.org", id="a dot last"),
        pytest.param("a..da@example.org", id="two dots"),
        pytest.param("ada@example..org", id="an empty label"),
        pytest.param("ada@-example.org", id="a label that begins with a hyphen"),
        pytest.param("ada@example-.org", id="a label that ends with a hyphen"),
        pytest.param("ada@exa_mple.org", id="an underscore in the domain"),
        pytest.param("ada love@example.org", id="a space"),
        pytest.param("ada@example.org\r\nBcc: eve@example.org", id="a header"),
        pytest.param('"ada love"@example.org', id="a quoted local part"),
        pytest.param("ada@[192.0.2.1]", id="an address literal"),
        pytest.param("Ada <ada@example.org>", id="a display name"),
        pytest.param("ada@exämple.org", id="a domain that is not ASCII"),
    ],
)
def test_what_is_no_mailbox_is_none(written: str) -> None:
    """The everyday part of RFC 5321, and nothing that could smuggle a header."""
    assert None is normal_mailbox(written)


def test_a_local_part_has_up_to_64_characters() -> None:
    """RFC 5321, 4.5.3.1.1."""
    fits, too_long = ("a" * length + "@example.org" for length in (64, 65))
    assert 64 == LOCAL_PART_CHARACTERS_MAX
    assert (fits, None) == (normal_mailbox(fits), normal_mailbox(too_long))


def test_a_label_has_up_to_63_characters() -> None:
    """RFC 1035, 2.3.4."""
    fits, too_long = (f"ada@{'a' * length}.org" for length in (63, 64))
    assert (fits, None) == (normal_mailbox(fits), normal_mailbox(too_long))


def test_a_mailbox_has_up_to_254_characters() -> None:
    """RFC 5321 allows a path of 256 with its brackets."""
    fits, too_long = mailbox_of(254), mailbox_of(255)
    assert (254, 255, 254) == (len(fits), len(too_long), MAILBOX_CHARACTERS_MAX)
    assert (fits, None) == (normal_mailbox(fits), normal_mailbox(too_long))


@given(st.text(string.ascii_letters + "@.-+ \n", max_size=30))
def test_a_normal_mailbox_is_its_own_normal_form(written: str) -> None:
    """Any text gives None or a mailbox that stays as it is."""
    normal = normal_mailbox(written)
    assert normal is None or normal == normal_mailbox(normal)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.MMS], ids=lambda channel: channel.name)
@pytest.mark.parametrize(
    ("sender", "fits"),
    [
        pytest.param("+447700900123", True, id="E.164"),
        pytest.param("+44 7700 900123", False, id="E.164 with spaces"),
        pytest.param("12", False, id="2 digits"),
        pytest.param("123", True, id="3 digits"),
        pytest.param("12345678", True, id="8 digits"),
        pytest.param("123456789", False, id="9 digits without a plus"),
        pytest.param("Ab", False, id="2 letters"),
        pytest.param("Abc", True, id="3 letters"),
        pytest.param("Waypost Ltd", True, id="11 characters"),
        pytest.param("Waypost Ltd.", False, id="a dot"),
        pytest.param("Waypost Limi", False, id="12 characters"),
        pytest.param("12345678901", False, id="11 digits and no letter"),
        pytest.param("1234567890A", True, id="10 digits and a letter"),
        pytest.param("   ", False, id="spaces only"),
        pytest.param("Wäypost", False, id="a letter that is not ASCII"),
        pytest.param("Way\npost", False, id="a line break"),
    ],
)
def test_a_text_is_sent_by_a_number_a_short_code_or_a_name(
    sender: str, channel: Channel, *, fits: bool
) -> None:
    """What mobile networks show as the sender."""
    assert fits == sender_fits(sender, channel)


@pytest.mark.parametrize(
    ("sender", "channel", "fits"),
    [
        ("news@example.org", Channel.EMAIL, True),
        ("News", Channel.EMAIL, False),
        ("org.example.app", Channel.PUSH, True),
        ("org example", Channel.PUSH, False),
        ("x" * 128, Channel.PUSH, True),
        ("x" * 129, Channel.PUSH, False),
        ("org.example.app", Channel.IN_APP, True),
        ("äpp", Channel.IN_APP, False),
    ],
)
def test_other_channels_have_senders_of_their_own_shape(sender: str, channel: Channel, *, fits: bool) -> None:
    """A mailbox for email; an application id of 1 to 128 visible ASCII characters elsewhere."""
    assert fits == sender_fits(sender, channel)


@pytest.mark.parametrize("channel", Channel, ids=lambda channel: channel.name)
def test_no_sender_fits_everywhere(channel: Channel) -> None:
    """It stands for the provider's default."""
    assert sender_fits("", channel)


@given(
    st.lists(st.one_of(NUMBERS, st.from_regex(r"\+[0-9\n]{6,17}", fullmatch=True)), min_size=1, max_size=4)
)
def test_many_numbers_are_normal_when_each_is(numbers: list[str]) -> None:
    """None passes for two, whatever is between them."""
    given = [*numbers, "\n".join(numbers)]
    for some in (numbers, given, numbers[:1]):
        assert all_normal(some) is all(normal_number(each) == each for each in some)
