"""Our count of parts against implementations by others, each where it means to count the same.

They differ by rule, and texts are left out by these rules and no other:

- ESC (U+001B) is no character to us: it is the escape code itself. They take it for one.
- We cut between grapheme clusters, they cut inside. Left out are texts with a cluster of several characters.
- An empty text is a GSM-7 one to us, and a UCS-2 one to `smsutil`.
- `sms-counter` divides the length by the room of a part and cuts nothing. So it is asked only where each of
  our parts but the last is full, and never about characters outside the BMP, which it counts as one.
"""

import random

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from broker.domain.encoding import (
    GSM7_PART_SEPTETS,
    UCS2_PART_CODE_UNITS,
    Encoding,
    measure,
    split,
)

smsutil = pytest.importorskip("smsutil", reason="smsutil is not installed")
gsm0338 = pytest.importorskip("gsm0338", reason="gsm0338 is not installed")
counter = pytest.importorskip("sms.counter", reason="sms-counter is not installed").SMSCounter()

SOAK_TEXTS = 1_000_000

BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà"
EXTENSION = "\f^{}\\[~]|€"
FOREIGN = "ж字“”…✓`çÀ\t\u00a0"
OUTSIDE = "😀🚀🎂"


def texts() -> st.SearchStrategy[str]:
    """Around the lengths where a part ends, of any mixture of alphabets."""
    alphabets = st.sampled_from([
        BASIC,
        BASIC + EXTENSION,
        EXTENSION,
        BASIC + FOREIGN,
        OUTSIDE + FOREIGN + EXTENSION,
    ])
    stretch = alphabets.flatmap(lambda alphabet: st.text(st.sampled_from(alphabet), max_size=40))
    repeated = st.builds(str.__mul__, st.sampled_from([*"aé€ж😀"]), st.integers(0, 170))
    return st.lists(stretch | repeated, max_size=6).map("".join)


def comparable(text: str) -> bool:
    """Whether we and they mean to count the same."""
    return (
        text != "" and "\x1b" not in text and all(len(cluster) == 1 for cluster in regex.findall(r"\X", text))
    )


def agree(text: str) -> None:
    """All of them count the text as we do."""
    ours, parts = measure(text), split(text)
    theirs = smsutil.split(text)
    assert [part.content for part in theirs.parts] == [part.text for part in parts]
    is_gsm7 = ours.encoding is Encoding.GSM7
    assert (theirs.encoding == "gsm0338") == is_gsm7
    assert theirs.total_bytes == ours.length * (1 if is_gsm7 else 2)
    try:
        septets = len(text.encode("gsm03.38"))
    except UnicodeEncodeError:
        septets = None
    assert septets == (ours.length if is_gsm7 else None)


def agree_on_division(text: str) -> None:
    """Where nothing was moved to the next part, the length alone decides."""
    ours, parts = measure(text), split(text)
    room = GSM7_PART_SEPTETS if ours.encoding is Encoding.GSM7 else UCS2_PART_CODE_UNITS
    if any(part.length < room for part in parts[:-1]) or any(ord(each) > 0xFFFF for each in text):
        return
    theirs = counter.count(text)
    assert (theirs.segment, theirs.sms_size) == (ours.units, ours.length)
    assert (theirs.encoding == "UTF16") == (ours.encoding is Encoding.UCS2)


@given(texts().filter(comparable))
@example("a" * 152 + "€" + "b" * 160)
@example("ж" * 66 + "😀" + "ж" * 66)
def test_others_cut_the_same_parts(text: str) -> None:
    """Texts of parts, encoding, and length in septets or bytes."""
    agree(text)


@given(texts().filter(comparable))
@example("a" * 306)
@example("€" * 153)
@example("ж" * 135)
def test_dividing_the_length_gives_as_many_parts(text: str) -> None:
    """Unless something had to move."""
    agree_on_division(text)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_others_agree_on_a_million_texts() -> None:
    """Drawn with one seed, so that a disagreement comes again."""
    draw = random.Random(7)
    alphabets = [BASIC, BASIC + EXTENSION, BASIC + FOREIGN, BASIC + FOREIGN + OUTSIDE + EXTENSION]
    compared = 0
    for _ in range(SOAK_TEXTS):
        text = "".join(draw.choices(draw.choice(alphabets), k=draw.choice((3, 70, 71, 135, 160, 161, 310))))
        if comparable(text):
            compared += 1
            agree(text)
            if compared % 10 == 0:
                agree_on_division(text)
    assert compared > SOAK_TEXTS // 2
