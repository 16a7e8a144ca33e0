"""Words of consent: a whole message that says one thing, and nothing else."""

from itertools import chain

import pytest

from broker.domain.consent import Act, ConsentWord
from broker.domain.consent_keywords import KEYWORD_CHARACTERS_MAX, consent_word, plain_words
from broker.domain.consent_words import HELP_WORDS, START_WORDS, STOP_ALL_WORDS, STOP_WORDS

STOP, STOP_ALL = ConsentWord(Act.OPT_OUT), ConsentWord(Act.OPT_OUT, every_sender=True)
START, HELP = ConsentWord(Act.OPT_IN), ConsentWord(Act.HELP)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP", STOP),
        ("stop", STOP),
        ("Stop.", STOP),
        (" \u00a0stop\r\n", STOP),
        ("\u00abStop!\u00bb", STOP),
        ("\u201cSTOP\u201d \U0001f6d1", STOP),
        ("\uff33\uff34\uff2f\uff30", STOP),
        ("st\u00adop\u200b", STOP),
        ("Opt-Out", STOP),
        ("opt  out", STOP),
        ("ARRET", STOP),
        ("Arre\u0302t!", STOP),
        ("ARR\u00caT", STOP),
        ("STOPP", STOP),
        ("\u0421\u0422\u041e\u041f", STOP),
        ("\u03a3\u03a4\u039f\u03a0", STOP),
        ("\u0130ptal", STOP),
        ("\u505c\u6b62\u3002", STOP),
        ("STOPALL", STOP_ALL),
        ("Stop all.", STOP_ALL),
        ("Start", START),
        ("UNSTOP", START),
        ("help?", HELP),
        ("AIDE", HELP),
    ],
)
def test_a_word_of_consent_is_known_however_it_is_written(text: str, word: ConsentWord) -> None:
    """Case, width, accents, punctuation and white space count for nothing."""
    assert word == consent_word(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ... ",
        "STOP 12345",
        "please stop by",
        "stop please",
        "STOP STOP",
        "don't stop",
        "stops",
        "st op",
        "yes",
        "no",
        "Can you help",
        "start at 9",
        "STOP\n--\nSent from my phone",
        "stop" + "!" * KEYWORD_CHARACTERS_MAX,
    ],
)
def test_anything_else_is_a_message(text: str) -> None:
    """For a person to read."""
    assert consent_word(text) is None


def test_every_word_of_the_tables_is_known() -> None:
    """In its language's own spelling; where tables differ about a word, STOP wins."""
    tables = (
        (STOP_ALL_WORDS, STOP_ALL),
        (STOP_WORDS, STOP),
        (START_WORDS, START),
        (HELP_WORDS, HELP),
    )
    for words, meaning in tables:
        for word in chain.from_iterable(words.values()):
            assert meaning == consent_word(word.upper()), word


def test_no_word_means_two_things() -> None:
    """So the order of the tables decides nothing."""
    tables = [
        {plain_words(word) for word in chain.from_iterable(words.values())}
        for words in (STOP_WORDS, STOP_ALL_WORDS, START_WORDS, HELP_WORDS)
    ]
    assert sum(map(len, tables)) == len(set().union(*tables))
