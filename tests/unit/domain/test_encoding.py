"""The rules of broker.domain.encoding, against literal tables and a slow, obvious reference."""

import itertools

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from broker.domain.encoding import (
    GSM7_PART_SEPTETS,
    GSM7_SINGLE_SEPTETS,
    UCS2_PART_CODE_UNITS,
    UCS2_SINGLE_CODE_UNITS,
    Encoding,
    ForcingCharacter,
    Measure,
    Part,
    forcing_characters,
    measure,
    split,
)

# 3GPP TS 23.038, 6.2.1, as code points in the order of the codes; -1 is the escape, which is none.
# fmt: off
BASIC_TABLE = (
    0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5,
    0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8,
    0x3A3, 0x398, 0x39E, -1, 0xC6, 0xE6, 0xDF, 0xC9,
    0x20, 0x21, 0x22, 0x23, 0xA4, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
    0xA1, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F,
    0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0xC4, 0xD6, 0xD1, 0xDC, 0xA7,
    0xBF, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F,
    0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0xE4, 0xF6, 0xF1, 0xFC, 0xE0,
)
# fmt: on
# 3GPP TS 23.038, 6.2.1.1: form feed ^ { } \ [ ~ ] | and the euro sign.
EXTENSION_TABLE = (0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC)

BASIC = frozenset(chr(point) for point in BASIC_TABLE if point >= 0)
EXTENSION = frozenset(map(chr, EXTENSION_TABLE))

FAMILY = "👨‍👩‍👧‍👦"  # 7 characters, 11 code units
FLAG = "🇫🇷"  # 2 characters, 4 code units
ACCENTED = "e\u0301"
# One grapheme cluster of 100 characters and code units: more than a part holds.
STACK = "e" + "\u0301" * 99

# What joins, straddles or flips: each kind of grapheme rule, pair and table is in it.
TROUBLE = (
    *"a\rБ\n字가é€{\f`\t\x00\x1b\ufffe\uffff",
    *("\r\n", "\n\r", "\r\r\n", ACCENTED, FAMILY, FLAG, "🇫", "😀", "👍🏽", "❤️", "1️⃣"),
    "🏴\U000e0067\U000e007f",
    *("\u200d", "\u0301", "\ufe0f", "\u0903", "\u0600", "\u00ad", "\U000110bd", "©\u200d®"),
    *("\u1100", "\u1161", "\u11a8", "각", "क्षि", "नी", "กำ", "\u1cf5\u0915"),
    *("\ud83d", "\ude00", "\ud83d\ude00"),
)


def septets(text: str) -> int:
    """Count septets the plain way."""
    return sum(2 if character in EXTENSION else 1 for character in text)


def code_units(text: str) -> int:
    """Count UTF-16 code units the plain way."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def reference_split(text: str) -> tuple[Encoding, list[tuple[str, int]]]:
    """Cut ``text`` the slow and obvious way: take cluster after cluster while they fit."""
    gsm7 = all(character in BASIC | EXTENSION for character in text)
    encoding, single, room = (Encoding.GSM7, 160, 153) if gsm7 else (Encoding.UCS2, 70, 67)
    length_of = septets if gsm7 else code_units
    if length_of(text) <= single:
        return encoding, [(text, length_of(text))]
    pieces: list[str] = []
    for cluster in regex.findall(r"[\ud800-\udbff][\udc00-\udfff]|\X", text):
        pieces.extend([cluster] if length_of(cluster) <= room else cluster)
    parts = [""]
    for piece in pieces:
        if length_of(parts[-1]) + length_of(piece) > room:
            parts.append("")
        parts[-1] += piece
    return encoding, [(part, length_of(part)) for part in parts]


def texts() -> st.SearchStrategy[str]:
    """Long texts: plain stretches, which bring trouble to every offset of a cut, and trouble."""
    stretch = st.builds(str.__mul__, st.sampled_from("aЖ"), st.integers(1, 160))
    trouble = st.lists(st.sampled_from(TROUBLE), min_size=1, max_size=12).map("".join)
    anything = st.text(st.characters(exclude_categories=()), max_size=20)
    return st.lists(stretch | trouble | anything, max_size=8).map("".join)


def gsm7_texts() -> st.SearchStrategy[str]:
    """Long texts of GSM-7 characters only, rich in escape pairs and line breaks."""
    stretch = st.builds(str.__mul__, st.sampled_from("aÇ"), st.integers(1, 160))
    trouble = st.text(st.sampled_from([*sorted(BASIC | EXTENSION), *"\r\n\r\n€{€{"]), max_size=12)
    breaks = st.sampled_from(["\r\n", "\r\r\n\n", "€\r\n€", "\r€\n"])
    return st.lists(stretch | trouble | breaks, max_size=8).map("".join)


def clusters_of(text: str) -> list[str]:
    """Return the grapheme clusters of ``text``."""
    clusters: list[str] = regex.findall(r"\X", text)
    return clusters


def character_kinds() -> list[str]:
    """Return one character for each combination of the properties that make grapheme clusters."""
    # Planes 0, 1 and the start of 14 hold them all.
    pool = "".join(map(chr, [*range(0x20000), *range(0xE0000, 0xE1000)]))
    kinds: dict[str, list[str]] = {character: [] for character in pool}
    breaks = "CR LF Control Extend ZWJ SpacingMark Prepend L V T LV LVT RI Other"
    names = [f"GCB={name}" for name in breaks.split()]
    for name in [*names, "InCB=Consonant", "InCB=Linker", "InCB=Extend", "Extended_Pictographic"]:
        for character in regex.findall(rf"\p{{{name}}}", pool):
            kinds[character].append(name)
    return list({(*kind, c > "\uffff"): c for c, kind in kinds.items()}.values())


class TestTables:
    """Which characters are GSM-7, and at what price."""

    @pytest.mark.parametrize("character", sorted(BASIC), ids=ascii)
    def test_every_basic_character_is_one_septet(self, character: str) -> None:
        """It is measured alone, and among ASCII and other neighbours."""
        assert Measure(Encoding.GSM7, 1, 1) == measure(character)
        assert Measure(Encoding.GSM7, 4, 1) == measure(f"x{character}yß")

    @pytest.mark.parametrize("character", sorted(EXTENSION), ids=ascii)
    def test_every_extension_character_is_two_septets(self, character: str) -> None:
        """It is measured alone, and among ASCII and other neighbours."""
        assert Measure(Encoding.GSM7, 2, 1) == measure(character)
        assert Measure(Encoding.GSM7, 5, 1) == measure(f"x{character}yß")

    def test_the_tables_hold_127_and_10_characters(self) -> None:
        """Both are complete, and no character is in both."""
        assert (127, 10) == (len(BASIC), len(EXTENSION))
        assert not BASIC & EXTENSION

    def test_no_other_character_is_gsm7(self) -> None:
        """All of Unicode, surrogates included, is tried one by one."""
        gsm7 = {c for c in map(chr, range(0x110000)) if measure(c).encoding is Encoding.GSM7}

        assert BASIC | EXTENSION == gsm7

    @pytest.mark.parametrize("character", [*"`\tç\x00\x1bÀµ“\u2019\u2013\xa0\u0391"], ids=ascii)
    def test_a_lookalike_or_control_flips_the_whole_message(self, character: str) -> None:
        """Neither the escape code nor a typographic quote is a character of the tables."""
        assert Measure(Encoding.UCS2, 7, 1) == measure(f"abc{character}def")
        assert Measure(Encoding.UCS2, 7, 1) == measure(f"äbc{character}def")


class TestLimits:
    """Where one more unit begins."""

    @pytest.mark.parametrize(
        ("count", "units"),
        [(1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4), (612, 4), (613, 5)],
    )
    @pytest.mark.parametrize("character", ["a", "ß"])
    def test_gsm7_holds_160_or_153_septets(self, character: str, count: int, units: int) -> None:
        """ASCII and other basic characters alike."""
        assert Measure(Encoding.GSM7, count, units) == measure(character * count)

    @pytest.mark.parametrize(
        ("count", "units"),
        [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4), (268, 4), (269, 5)],
    )
    def test_ucs2_holds_70_or_67_code_units(self, count: int, units: int) -> None:
        """Characters of the BMP are one code unit each."""
        assert Measure(Encoding.UCS2, count, units) == measure("ж" * count)

    def test_characters_outside_the_bmp_are_two_code_units(self) -> None:
        """35 of them fill a single part, and 33 a part of many."""
        assert Measure(Encoding.UCS2, 70, 1) == measure("😀" * 35)
        assert Measure(Encoding.UCS2, 132, 2) == measure("😀" * 66)
        assert Measure(Encoding.UCS2, 134, 3) == measure("😀" * 67)

    def test_the_constants_are_the_limits(self) -> None:
        """Others compute with them."""
        assert (160, 153) == (GSM7_SINGLE_SEPTETS, GSM7_PART_SEPTETS)
        assert (70, 67) == (UCS2_SINGLE_CODE_UNITS, UCS2_PART_CODE_UNITS)

    def test_an_empty_text_is_one_empty_part(self) -> None:
        """An SMS without text is still an SMS."""
        assert Measure(Encoding.GSM7, 0, 1) == measure("")
        assert (Part("", 0),) == split("")


class TestNothingIsCutInTwo:
    """Cuts move to the left of what they would damage, and the part stays short."""

    def test_an_escape_pair_is_not_cut(self) -> None:
        """The euro sign would be septets 153 and 154."""
        text = "a" * 152 + "€" + "b" * 100

        assert (Part("a" * 152, 152), Part("€" + "b" * 100, 102)) == split(text)

    def test_an_escape_pair_that_ends_a_part_stays_in_it(self) -> None:
        """The euro sign is septets 152 and 153."""
        text = "a" * 151 + "€" + "b" * 100

        assert (Part("a" * 151 + "€", 153), Part("b" * 100, 100)) == split(text)

    def test_a_moved_escape_pair_can_cost_a_unit(self) -> None:
        """306 septets are two parts, except when a pair straddles the cut."""
        assert Measure(Encoding.GSM7, 306, 2) == measure("a" * 151 + "€" + "b" * 153)
        assert Measure(Encoding.GSM7, 306, 3) == measure("a" * 152 + "€" + "b" * 152)

    def test_only_the_total_decides_on_a_single_part(self) -> None:
        """A pair may stand anywhere in 160 septets."""
        assert Measure(Encoding.GSM7, 160, 1) == measure("a" * 152 + "€" + "b" * 6)

    @pytest.mark.parametrize("foreign", ["", "ж"])
    def test_a_line_break_is_not_cut(self, foreign: str) -> None:
        """CR LF is one grapheme cluster, in GSM-7 as in UCS-2."""
        room = 67 if foreign else 153
        first = "a" * (room - 1 - len(foreign)) + foreign

        text = first + "\r\n" + "b" * 60

        assert (Part(first, room - 1), Part("\r\n" + "b" * 60, 62)) == split(text)

    def test_line_feed_and_carriage_return_in_that_order_are_two_clusters(self) -> None:
        """LF CR may be cut."""
        text = "a" * 152 + "\n\r" + "b" * 60

        assert (Part("a" * 152 + "\n", 153), Part("\r" + "b" * 60, 61)) == split(text)

    @pytest.mark.parametrize(
        "cluster",
        ["😀", "👍🏽", FAMILY, FLAG, ACCENTED, "❤️", "क्षि", "각", "\u1100\u1161\u11a8", "\u0600ب"],
        ids=ascii,
    )
    @pytest.mark.parametrize("filled", range(56, 68))
    def test_a_cluster_is_not_cut(self, cluster: str, filled: int) -> None:
        """Whatever room the first part has left: the cluster is in one of the two, whole."""
        room = 67 - filled - code_units(cluster)
        first = "ж" * filled + (cluster + "ъ" * room if room >= 0 else "")
        parts = split("ж" * filled + cluster + "ъ" * 60)

        assert Part(first, 67 if room >= 0 else filled) == parts[0]
        assert "ъ" * 60 == "".join(part.text for part in parts).removeprefix("ж" * filled + cluster)

    def test_flags_are_paired_from_the_start_of_their_run(self) -> None:
        """An odd indicator in front moves the cut, as it moves the flags on the screen."""
        even, odd = "ж" * 63 + "🇫🇷🇩🇪", "ж" * 61 + "🇩🇫🇷🇩🇪"

        assert ["ж" * 63 + "🇫🇷", "🇩🇪"] == [part.text for part in split(even)]
        assert ["ж" * 61 + "🇩🇫", "🇷🇩🇪"] == [part.text for part in split(odd)]

    def test_a_moved_cluster_can_cost_a_unit(self) -> None:
        """134 code units are two parts, except when something straddles the cut."""
        assert Measure(Encoding.UCS2, 134, 2) == measure("ж" * 65 + "😀" + "ж" * 67)
        assert Measure(Encoding.UCS2, 134, 3) == measure("ж" * 66 + "😀" + "ж" * 66)

    def test_a_cluster_longer_than_a_part_fills_the_room_that_is_left(self) -> None:
        """It must be cut anyway, so it costs no extra unit."""
        text = "ж" * 34 + STACK

        assert (67, 67) == tuple(part.length for part in split(text))
        assert Measure(Encoding.UCS2, 134, 2) == measure(text)

    def test_a_cluster_of_exactly_one_part_is_moved_whole(self) -> None:
        """67 code units fit in a part, 68 do not."""
        assert (4, 67) == tuple(part.length for part in split("ж" * 4 + STACK[:67]))
        assert (67, 5) == tuple(part.length for part in split("ж" * 4 + STACK[:68]))

    def test_a_cluster_longer_than_a_part_is_not_cut_inside_a_surrogate_pair(self) -> None:
        """A chain of joined emoji is one cluster, of 2 and 1 code units in turn."""
        chain = "\u200d".join("😀" * 60)

        assert [chain] == clusters_of(chain)
        assert [67, 66, 47] == [part.length for part in split("ж" + chain)]
        assert all(not part.text.startswith("\ude00") for part in split("ж" + chain))

    def test_lone_surrogates_are_one_code_unit_each(self) -> None:
        """A str can hold them; nothing crashes."""
        assert Measure(Encoding.UCS2, 1, 1) == measure("\ud83d")
        assert Measure(Encoding.UCS2, 71, 2) == measure("\ude00" * 71)
        assert (ForcingCharacter("\ud83d", 1),) == forcing_characters("a\ud83d")

    def test_two_lone_surrogates_that_form_a_pair_are_not_cut(self) -> None:
        """On the air they are a pair like any other."""
        assert (66, 62) == tuple(p.length for p in split("ж" * 66 + "\ud83d\ude00" + "ж" * 60))


class TestForcingCharacters:
    """Which characters make the message dearer."""

    @given(gsm7_texts())
    def test_a_gsm7_text_has_none(self, text: str) -> None:
        """Nothing forces it."""
        assert () == forcing_characters(text)

    def test_each_is_named_once_at_its_first_place(self) -> None:
        """In order of first occurrence, counted in characters and not in code units."""
        expected = (
            ForcingCharacter("😀", 1),
            ForcingCharacter("“", 3),
            ForcingCharacter("`", 5),
            ForcingCharacter("\u0301", 9),
        )

        assert expected == forcing_characters("€😀ß“a`😀“e\u0301")

    @given(texts())
    def test_without_them_the_text_is_gsm7(self, text: str) -> None:
        """They are all that forces UCS-2, and each of them does."""
        forcing = forcing_characters(text)
        rest = text.translate({ord(each.character): None for each in forcing})

        assert Encoding.GSM7 == measure(rest).encoding
        assert bool(forcing) == (measure(text).encoding is Encoding.UCS2)
        assert [text.index(each.character) for each in forcing] == [each.index for each in forcing]
        assert len({each.character for each in forcing}) == len(forcing)


class TestAgainstTheReference:
    """The fast code and the obvious code agree on everything."""

    @given(texts() | gsm7_texts())
    @example("ж" * 66 + "\r\n" + "ж" * 66)
    @example("a" * 152 + "\r\n" + "a" * 152)
    @example("ж" * 60 + FAMILY * 12 + STACK * 3 + FLAG)
    def test_measure_and_split_agree_with_it(self, text: str) -> None:
        """Encoding, length, units, and each part's text and length."""
        encoding, parts = reference_split(text)
        length = sum(part_length for _, part_length in parts)

        assert Measure(encoding, length, len(parts)) == measure(text)
        assert parts == [(part.text, part.length) for part in split(text)]

    @given(texts() | gsm7_texts())
    def test_the_parts_are_the_text_again(self, text: str) -> None:
        """Nothing is lost, and no part is longer than it may be or, unless alone, empty."""
        parts = split(text)
        limits = {Encoding.GSM7: (160, 153), Encoding.UCS2: (70, 67)}[measure(text).encoding]

        assert text == "".join(part.text for part in parts)
        assert measure(text).units == len(parts)
        assert measure(text).length == sum(part.length for part in parts)
        assert max(part.length for part in parts) <= limits[len(parts) > 1]
        assert all(part.text for part in parts) or text == ""

    @given(st.text(st.characters(exclude_categories=()), min_size=2, max_size=6))
    def test_any_few_characters_survive_a_cut_at_each_place(self, few: str) -> None:
        """Drawn from all of Unicode."""
        for filled in range(67 - code_units(few), 68):
            text = "ж" * filled + few + "ж" * 60

            assert reference_split(text)[1] == [(p.text, p.length) for p in split(text)]

    def test_any_two_kinds_of_characters_survive_a_cut_at_each_place(self) -> None:
        """A kind that joins and was forgotten, or that a newer Unicode brings, would show."""
        kinds = character_kinds()

        assert len(kinds) > 20
        for few in map("".join, itertools.product(kinds, kinds)):
            for filled in range(67 - code_units(few), 68):
                text = "ж" * filled + few + "ж" * 60

                assert reference_split(text)[1] == [(p.text, p.length) for p in split(text)]
