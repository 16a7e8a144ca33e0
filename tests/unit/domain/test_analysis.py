"""The full report on a text: what forces UCS-2, where, and what replacing it would save."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.analysis import Forcing, Plainer, analyze
from broker.domain.encoding import Encoding, Measure, forcing_characters, measure, split
from broker.domain.plain import REPLACEMENTS, replaced

FEW = st.sampled_from([*"ab €{é", "“", "”", "…", "✓", "😀", "\u200b", "\u0301", "á", "\r\n"])
TEXTS = st.lists(FEW | st.text(max_size=2), max_size=90).map("".join)


@pytest.mark.parametrize("character", REPLACEMENTS)
def test_every_replacement_is_gsm7_for_a_character_that_is_not(character: str) -> None:
    """So that it helps."""
    assert (Encoding.UCS2, Encoding.GSM7) == (
        measure(character).encoding,
        measure(REPLACEMENTS[character]).encoding,
    )


def test_typographic_characters_have_plain_ones() -> None:
    """What editors put in without being asked."""
    assert '"Hi" - it\'s "so"... x' == replaced("\u201cHi\u201d \u2013 it\u2019s \u201eso\u201c\u2026\u00a0x")


def test_one_quote_that_flips_a_text_is_worth_its_replacement() -> None:
    """160 characters are one unit of GSM-7 and three of UCS-2."""
    text = "x" * 159 + "\u2019"
    report = analyze(text)
    assert (160, Measure(Encoding.UCS2, 160, 3)) == (report.characters, report.measure)
    assert (Forcing("\u2019", (159,), "'", 2),) == report.forcing
    assert Plainer("x" * 159 + "'", Measure(Encoding.GSM7, 160, 1)) == report.plainer


def test_two_that_force_save_nothing_one_by_one_and_all_together() -> None:
    """Each with every place."""
    text = "\u201c" + "x" * 100 + "\u201d\u201c"
    report = analyze(text)
    assert (Forcing("\u201c", (0, 102), '"', 0), Forcing("\u201d", (101,), '"', 0)) == report.forcing
    assert Plainer('"' + "x" * 100 + '""', Measure(Encoding.GSM7, 103, 1)) == report.plainer


def test_what_nothing_can_replace_is_said_to_have_no_replacement() -> None:
    """A longer replacement beside it would cost, and is not proposed."""
    text = "✓" + "\u2026" * 69
    report = analyze(text)
    assert (None, 0, -3) == (
        report.forcing[0].replacement,
        report.forcing[0].units_saved,
        report.forcing[1].units_saved,
    )
    assert report.plainer is None


def test_invisible_characters_are_replaced_by_nothing() -> None:
    """An empty replacement is one."""
    report = analyze("a\u200bb")
    assert (Forcing("\u200b", (1,), "", 0),) == report.forcing
    assert Plainer("ab", Measure(Encoding.GSM7, 2, 1)) == report.plainer


def test_a_gsm7_text_has_nothing_to_replace() -> None:
    """Nor has an empty one."""
    for text in ("Hello €", ""):
        report = analyze(text)
        assert ((), None) == (report.forcing, report.plainer)


@given(TEXTS)
def test_the_report_agrees_with_what_is_sent(text: str) -> None:
    """Parts, units, places and savings are those of the text itself."""
    report = analyze(text)
    assert (len(text), measure(text), split(text)) == (report.characters, report.measure, report.parts)
    assert [each.character for each in forcing_characters(text)] == [
        each.character for each in report.forcing
    ]
    for each in report.forcing:
        assert tuple(at for at, other in enumerate(text) if other == each.character) == each.indexes
        if each.replacement is not None:
            other = text.replace(each.character, each.replacement)
            assert measure(text).units - measure(other).units == each.units_saved
    if report.plainer is not None:
        assert (replaced(text), measure(replaced(text))) == (report.plainer.text, report.plainer.measure)
        assert report.plainer.measure.units <= report.measure.units
