"""Message ids: their order, their written form, and what a sequence promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.ids import (
    COUNTER_BITS,
    ID_MAX,
    NODE_BITS,
    NODE_MAX,
    SET_BACK_MS_MAX,
    TEXT_LENGTH,
    IdSequence,
    first_id_at,
    format_id,
    last_before_restart,
    parse_id,
    time_ms_of,
)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NOW_MS = 1_790_000_000_000
PER_MS = 1 << COUNTER_BITS

ids = st.integers(0, ID_MAX)
nodes = st.integers(0, NODE_MAX)
# Around one moment, so that clocks stand still, run back and run ahead of the last id.
moments = st.integers(NOW_MS - 3, NOW_MS + 3)
counts = st.integers(0, 20) | st.integers(PER_MS - 2, 2 * PER_MS + 2)


def sequence(*, node: int = 0, last: int = 0, ceiling: int = ID_MAX) -> IdSequence:
    """A sequence without a narrow ceiling."""
    return IdSequence(node=node, last=last, ceiling=ceiling)


def node_of(number: int) -> int:
    """The node in an id."""
    return number >> COUNTER_BITS & NODE_MAX


def slow_format(number: int) -> str:
    """Base 32, digit by digit."""
    digits = []
    for _ in range(TEXT_LENGTH):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


@given(ids)
def test_an_id_is_written_in_base_32(number: int) -> None:
    """The fast formatter agrees with the obvious one."""
    assert slow_format(number) == format_id(number)


@given(ids)
def test_what_is_written_is_read_back(number: int) -> None:
    """Upper and lower case alike."""
    assert (number, number) == (parse_id(format_id(number)), parse_id(format_id(number).lower()))


@given(ids, ids)
def test_ids_sort_as_text_as_they_do_as_numbers(one: int, other: int) -> None:
    """Fixed width and an alphabet in the order of ASCII."""
    assert (one < other) == (format_id(one) < format_id(other))


@given(ids)
def test_what_people_misread_is_read_as_meant(number: int) -> None:
    """Crockford's look-alikes: O and o are 0; I, i, L and l are 1."""
    text = format_id(number)
    for zero, one in ("OI", "oi", "OL", "ol"):
        assert number == parse_id(text.replace("0", zero).replace("1", one))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("0" * 12, id="short"),
        pytest.param("0" * 14, id="long"),
        pytest.param("000000000000U", id="a letter that Crockford leaves out"),
        pytest.param("00000-0000000", id="a hyphen"),
        pytest.param(" 000000000000", id="a space"),
        pytest.param("00000000000٣0", id="a digit that is not ASCII"),
        pytest.param("8000000000000", id="64 bits"),
        pytest.param("ZZZZZZZZZZZZZ", id="65 bits"),
    ],
)
def test_what_is_no_id_is_none(text: str) -> None:
    """A caller's garbage is an answer, not an exception."""
    assert None is parse_id(text)


@given(st.text(max_size=16))
def test_any_text_is_an_id_or_none(text: str) -> None:
    """Nothing that a caller writes raises."""
    number = parse_id(text)
    assert number is None or 0 <= number <= ID_MAX


def test_the_highest_id_fits_a_signed_64_bit_column() -> None:
    """Both engines store ids as BIGINT."""
    assert ("7ZZZZZZZZZZZZ", ID_MAX) == (format_id(ID_MAX), parse_id("7ZZZZZZZZZZZZ"))


@given(moments, nodes)
def test_an_id_knows_its_millisecond_and_node(now_ms: int, node: int) -> None:
    """Time above node above counter."""
    (number,) = sequence(node=node).take(1, now_ms) or [0]
    assert (now_ms, node) == (time_ms_of(number), node_of(number))


@given(moments)
def test_the_first_id_of_a_millisecond_parts_the_ids_before_from_those_in_it(now_ms: int) -> None:
    """So that a range of times is a range of ids."""
    before = sequence(node=NODE_MAX).take(PER_MS, now_ms - 1) or []
    since = sequence(node=0).take(1, now_ms) or []
    assert before[-1] < first_id_at(now_ms) <= since[0]


def test_time_before_1970_has_no_ids() -> None:
    """A clock that is not set does not make negative ids."""
    assert 0 == first_id_at(-1)


@given(nodes, st.lists(st.tuples(counts, moments), max_size=8))
def test_ids_rise_and_never_repeat_whatever_the_clock_does(node: int, takes: list[tuple[int, int]]) -> None:
    """The clock may stand still or run back; a full counter borrows from the next millisecond."""
    source = sequence(node=node)
    taken: list[int] = []
    for count, now_ms in takes:
        batch = source.take(count, now_ms)
        assert batch is not None
        assert count == len(batch)
        taken += batch
    assert taken == sorted(set(taken))
    assert {node} >= {node_of(number) for number in taken}


@given(nodes, st.integers(first_id_at(NOW_MS - 2), first_id_at(NOW_MS + 2)), counts, moments)
def test_ids_begin_above_the_last_one_whatever_it_is(node: int, last: int, count: int, now_ms: int) -> None:
    """A restart begins above the recorded ceiling, which may be any number, even another node's."""
    taken = sequence(node=node, last=last).take(count, now_ms)
    assert taken is not None
    assert [last, *taken] == sorted({last, *taken})
    assert {node} >= {node_of(number) for number in taken}


@given(counts, st.integers(first_id_at(NOW_MS - 3), first_id_at(NOW_MS + 3)), moments)
def test_no_id_passes_the_ceiling(count: int, ceiling: int, now_ms: int) -> None:
    """What is not reserved is not given: all that were asked for, or none."""
    source = sequence(ceiling=ceiling)
    taken = source.take(count, now_ms)
    if taken is None:
        assert (sequence().take(count, now_ms) or [0])[-1] > ceiling
    else:
        assert count == len(taken)
        assert max(taken, default=0) <= ceiling


def test_a_refusal_takes_nothing() -> None:
    """After the ceiling is raised the same ids are given."""
    source = sequence(ceiling=first_id_at(NOW_MS))
    assert None is source.take(2, NOW_MS)
    assert 0 == source.last
    source.reserve(first_id_at(NOW_MS + 1))
    assert [first_id_at(NOW_MS), first_id_at(NOW_MS) + 1] == source.take(2, NOW_MS)


def test_a_ceiling_never_sinks() -> None:
    """A late, lower reservation does not undo a higher one."""
    source = sequence(ceiling=100)
    source.reserve(50)
    assert 100 == source.ceiling


def test_a_millisecond_holds_what_its_counter_counts() -> None:
    """One more is the first of the next millisecond."""
    taken = sequence(node=3).take(PER_MS + 1, NOW_MS) or []
    assert (NOW_MS, NOW_MS + 1) == (time_ms_of(taken[-2]), time_ms_of(taken[-1]))


def test_the_bits_add_up() -> None:
    """41 bits of milliseconds reach into 2039."""
    assert 63 == 41 + NODE_BITS + COUNTER_BITS


def test_a_restart_goes_on_from_the_newest_stored_id() -> None:
    """What was only reserved is given after all, so that ids stay close to the clock."""
    ceiling = first_id_at(1_000_000)
    assert 7 == last_before_restart(newest=7, ceiling=ceiling, now_ms=1_000_000 - SET_BACK_MS_MAX)


def test_a_restart_with_the_clock_set_back_begins_above_the_ceiling() -> None:
    """The newest rows may be gone by then, and their ids must not come again."""
    ceiling = first_id_at(1_000_000)
    now_ms = 1_000_000 - SET_BACK_MS_MAX - 1
    assert ceiling == last_before_restart(newest=7, ceiling=ceiling, now_ms=now_ms)


def test_a_time_past_the_last_one_has_the_highest_id() -> None:
    """A filter may name any year; ids end in 2039."""
    assert ID_MAX == first_id_at(1 << 60)
    assert first_id_at((1 << 41) - 1) < ID_MAX
