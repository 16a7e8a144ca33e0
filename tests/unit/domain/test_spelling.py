"""Ids in every spelling: which are one number, which a receipt means, and what recipients say of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.spelling import (
    Agreement,
    Candidate,
    IdSpelling,
    agreement_of,
    best_candidates,
    folded,
    lookup_forms,
)

CASELESS, EXACT, NUMERIC = IdSpelling.CASELESS, IdSpelling.EXACT, IdSpelling.NUMERIC
spellings = st.sampled_from(IdSpelling)
numbers = st.integers(min_value=0, max_value=1 << 80)
numerals = st.text("0123456789abcdefABCDEF", min_size=1, max_size=20)
ids = st.one_of(numerals, st.text(max_size=20))
phones = st.integers(min_value=10**8, max_value=10**14).map(lambda number: f"+{number}")


@st.composite
def spelled(draw: st.DrawFn, number: int) -> str:
    """A number as some SMS centre may write it."""
    bare = draw(st.sampled_from([f"{number:x}", f"{number:X}", str(number)]))
    return "0" * draw(st.integers(min_value=0, max_value=8)) + bare


def finds(spelling: IdSpelling, answered: str, reported: str) -> bool:
    """Whether a receipt finds what was answered."""
    return folded(spelling, answered) in lookup_forms(spelling, reported)


@given(number=numbers, data=st.data())
def test_every_spelling_of_a_number_finds_every_other(number: int, data: st.DataObject) -> None:
    """In either base, either case, with or without zeros."""
    assert finds(NUMERIC, data.draw(spelled(number)), data.draw(spelled(number)))


@given(spelling=spellings, one=ids, other=ids)
def test_finding_goes_both_ways(spelling: IdSpelling, one: str, other: str) -> None:
    """So what comes first can be kept under one form and found by the other's."""
    assert finds(spelling, one, other) == finds(spelling, other, one)


@given(one=numerals, other=numerals)
def test_only_what_can_be_one_number_is_found(one: str, other: str) -> None:
    """By some reading of each."""

    def readings(identity: str) -> set[int]:
        return {int(identity, 16)} | ({int(identity)} if identity.isdecimal() else set())

    assert bool(readings(one) & readings(other)) == finds(NUMERIC, one, other)


@given(spelling=spellings, identity=ids)
def test_an_id_finds_itself_first(spelling: IdSpelling, identity: str) -> None:
    """However odd it is, and each form once."""
    forms = lookup_forms(spelling, identity)
    assert folded(spelling, identity) == forms[0]
    assert len(set(forms)) == len(forms)


@given(one=ids, other=ids)
def test_the_freer_spelling_finds_what_the_stricter_does(one: str, other: str) -> None:
    """EXACT, then CASELESS, then NUMERIC."""
    found = [finds(spelling, one, other) for spelling in (EXACT, CASELESS, NUMERIC)]
    assert sorted(found) == found


@pytest.mark.parametrize("identity", ["0x1F", "12-3", "١٢", "1_000", "+12", " 12", "", "²", "e-mail"])
def test_what_is_no_number_is_only_caseless(identity: str) -> None:
    """What Python would read as a number, or other scripts' digits, included."""
    assert (identity.lower(),) == lookup_forms(NUMERIC, identity)


@given(identity=st.text("0123456789", min_size=255, max_size=255))
def test_the_longest_ids_are_numbers_too(identity: str) -> None:
    """As long as the store keeps them."""
    assert finds(NUMERIC, f"{int(identity):X}", identity)


def best(reported: str, recipient: str, *candidates: tuple[str, str], part: int = 0) -> list[str]:
    """The ids that fit best, of a provider that spells them as numbers."""
    known = [Candidate(identity, number, 0) for identity, number in candidates]
    return [each.identity for each in best_candidates(NUMERIC, reported, recipient, part, known)]


A, B = "+447700900001", "+447700900002"


@pytest.mark.parametrize(
    ("reported", "recipient", "candidates", "expected"),
    [
        ("5000", "", [("5000", A), ("05000", A), ("1388", A)], ["5000"]),
        ("5000", "", [("05000", A), ("1388", A)], ["05000"]),
        ("5000", "", [("1388", A)], ["1388"]),
        ("5000", "", [("05000", A), ("005000", B)], ["05000", "005000"]),
        ("5000", B, [("05000", A), ("005000", B)], ["005000"]),
        ("5000", B, [("5000", A), ("1388", B)], ["1388"]),
        ("5000", "7700900002", [("1388", "+337700900002"), ("01388", B)], ["1388", "01388"]),
        ("5000", B, [("1388", "+337700900002"), ("01388", B)], ["01388"]),
        ("5000", "447700******", [("5000", A), ("1388", B)], ["5000"]),
        ("5000", B, [("5000", A)], []),
        ("a1b", B, [("A1B", A)], ["A1B"]),
        ("a1b", B, [("2587", A)], []),
        ("5000", B, [], []),
    ],
)
def test_the_best_candidates_are_those_that_a_receipt_can_mean(
    reported: str, recipient: str, candidates: list[tuple[str, str]], expected: list[str]
) -> None:
    """The recipient counts first, then the spelling; what speaks against both is not taken."""
    assert expected == best(reported, recipient, *candidates)


def test_the_part_decides_at_last() -> None:
    """Where one of those that are left is that part."""
    known = [Candidate("0a", A, 1), Candidate("00a", A, 2)]
    found = [best_candidates(NUMERIC, "10", A, part, known) for part in (0, 1, 2, 3)]
    assert [known, known[:1], known[1:], known] == found


def test_a_text_that_differs_in_case_is_meant_whatever_the_recipient_says() -> None:
    """It is no number that could be another by chance."""
    known = [Candidate("Ab-1", A, 0)]
    assert known == best_candidates(CASELESS, "aB-1", B, 0, known)


@given(number=numbers, other=numbers, to=phones, to_other=phones, data=st.data())
def test_another_recipients_message_is_never_meant(
    number: int, other: int, to: str, to_other: str, data: st.DataObject
) -> None:
    """Whatever the ids look like, while the right message is known."""
    if agreement_of(to_other, to) is not Agreement.OTHER:
        return
    right = Candidate(data.draw(spelled(number)), to, 0)
    wrong = Candidate(data.draw(spelled(other)), to_other, 0)
    reported = data.draw(spelled(number))
    nearby = [each for each in (wrong, right) if finds(NUMERIC, each.identity, reported)]
    assert [right] == best_candidates(NUMERIC, reported, to, 0, nearby)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (A, "", Agreement.UNSAID),
        (A, A, Agreement.SAME),
        (A, "447700900001", Agreement.SAME),
        (A, "00447700900001", Agreement.SAME),
        (A, "+44 (7700) 900-001", Agreement.SAME),
        (A, "07700900001", Agreement.ENDING),
        ("+5215512345678", "525512345678", Agreement.ENDING),
        (A, "0001", Agreement.ENDING),
        (A, "001", Agreement.OTHER),
        (A, B, Agreement.OTHER),
        (A, "44770090****", Agreement.UNSAID),
        (A, "someone", Agreement.UNSAID),
        (A, "+", Agreement.UNSAID),
        ("a@Example.org", "A@example.org", Agreement.SAME),
        ("a@example.org", "b@example.org", Agreement.OTHER),
        ("a@example.org", "447700900001", Agreement.UNSAID),
        ("token", "other", Agreement.UNSAID),
    ],
)
def test_recipients_agree_in_the_forms_that_upstreams_give_them(
    ours: str, theirs: str, expected: Agreement
) -> None:
    """What cannot be compared says nothing."""
    assert expected is agreement_of(ours, theirs)
