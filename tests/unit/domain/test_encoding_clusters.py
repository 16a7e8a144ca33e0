"""Our count of parts against one that keeps grapheme clusters whole, too: sms-segments-calculator, of npm.

`make oracles` installs it, where there is npm. Texts of many scripts and emoji, whose clusters have one character or
several. They differ by rule, and texts are left out by these rules and no other:

- A cluster of several characters that begins with one of GSM-7 ("é" of two characters, a keycap, CR LF) counts there as
  that one alone. So it tells fewer units than the text has at all.
- A conjunct of Indic letters ("क्ष") is one cluster since Unicode 15.1, and several to its older tables.
- ESC (U+001B) is no character to us, and an empty text has no segment there.
"""

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import regex  # type: ignore[import-untyped]

from broker.domain.encoding import Encoding, forcing_characters, measure

ORACLES = Path(__file__).resolve().parents[2] / "oracles"
TEXTS, SOAK_TEXTS, BATCH = 3_000, 1_000_000, 20_000

SCRIPTS: tuple[Sequence[str], ...] = (
    "abcdefghij ABC 0123",
    "@£$¥èéΔΦ€[]{}~^|\\",
    "ÀçōŠž“”…\u2013",
    "αβγδεζ",
    "абвгджз",
    "אבגדה",
    "ابتثج",
    "你好世界文字",
    "あいうカキク",
    ("가", "나", "한", "글", "\u1112\u1161\u11ab"),
    ("ก", "ข", "กำ", "ที่", "นี้"),
    ("क", "नि", "मे", "हि", "कँ"),
    ("க", "நி", "கௌ"),
    ("ж\u0301", "Ж\u0323\u0302", "ō\u0301"),
    ("😀", "🚀", "❤️", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇫🇷", "🧑‍🚀", "👩🏿‍💻"),
)
LENGTHS = (1, 35, 69, 70, 71, 134, 135, 159, 160, 161, 201, 306, 307)


def drawn(draw: random.Random) -> str:
    """A text of one to three scripts, around a length where a part ends."""
    pool = [each for script in draw.sample(SCRIPTS, draw.randint(1, 3)) for each in script]
    length, text = draw.choice(LENGTHS), ""
    while len(text) < length:
        text += draw.choice(pool)
    return text


def comparable(text: str) -> bool:
    """Whether both mean to count the same."""
    clusters = [each for each in regex.findall(r"\X", text) if len(each) > 1]
    return all(forcing_characters(each[0]) and "\u094d" not in each for each in clusters)


def theirs(texts: Sequence[str]) -> list[tuple[str, int]]:
    """The encoding and the segments of each text."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run(
        ["node", "segments.js"], cwd=ORACLES, input=lines, capture_output=True, text=True, check=True
    )
    return [(encoding, segments) for encoding, segments in map(json.loads, done.stdout.splitlines())]


def ours(text: str) -> tuple[str, int]:
    """The same, as we say it."""
    size = measure(text)
    return "GSM-7" if size.encoding is Encoding.GSM7 else "UCS-2", size.units


def compare(count: int, seed: int) -> int:
    """How many of so many texts could be compared; all of those agree."""
    draw = random.Random(seed)
    compared = 0
    while count > 0:
        texts = [text for text in (drawn(draw) for _ in range(min(count, BATCH))) if comparable(text)]
        assert [(text, *each) for text, each in zip(texts, theirs(texts), strict=True)] == [
            (text, *ours(text)) for text in texts
        ]
        compared += len(texts)
        count -= BATCH
    return compared


@pytest.fixture
def _oracle() -> None:
    """Skips where it is not installed."""
    if shutil.which("node") is None or not (ORACLES / "node_modules" / "sms-segments-calculator").is_dir():
        pytest.skip("make oracles was not run, or there is no npm")


@pytest.mark.usefixtures("_oracle")
def test_another_that_keeps_clusters_counts_as_many_parts() -> None:
    """Over scripts and emoji, at every length where a part ends."""
    assert compare(TEXTS, seed=7) > TEXTS // 2


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("_oracle")
def test_it_agrees_on_a_million_texts() -> None:
    """Drawn with one seed, so that a disagreement comes again."""
    assert compare(SOAK_TEXTS, seed=11) > SOAK_TEXTS // 2
