"""Whether a message is a word of consent: a whole message that says STOP, START or HELP, and nothing but.

Compared are the words of a message in their plain form: case, width, accents, punctuation and white space count for
nothing, everything else counts. "Stop.", the same in full width, and " arrêt! " are words of consent; "STOP 12345" and "please stop by"
are messages for a person to read.
"""

import unicodedata
from collections.abc import Iterable, Mapping

from broker.domain.consent import Act, ConsentWord
from broker.domain.consent_answer_texts import LANGUAGE_OF_COUNTRY
from broker.domain.consent_words import HELP_WORDS, START_WORDS, STOP_ALL_WORDS, STOP_WORDS
from broker.domain.country import country_of

ENGLISH = "en"
KEYWORD_CHARACTERS_MAX = 40
"""No word of consent is longer, whatever stands around it; a longer message is not looked at."""


def consent_word(text: str) -> ConsentWord | None:
    """The word of consent that a whole message is, None for any other message."""
    return _WORDS.get(plain_words(text)) if len(text) <= KEYWORD_CHARACTERS_MAX else None


def language_of(text: str, number: str = "") -> str:
    """The language that a word of consent is in, as "fr"; English for what is none.

    Where several have it, that of the number's country decides.
    """
    languages = (
        _LANGUAGES.get(plain_words(text), (ENGLISH,)) if len(text) <= KEYWORD_CHARACTERS_MAX else (ENGLISH,)
    )
    if len(languages) > 1 and number.startswith("+"):
        local = LANGUAGE_OF_COUNTRY.get(country_of(number))
        if local in languages:
            return local
    return languages[0]


def plain_words(text: str) -> str:
    """The words of a text without case, width, accents and punctuation, one space between them."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(_plain(character) for character in decomposed)
    return unicodedata.normalize("NFC", " ".join(kept.split()))


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LN" or category == "Mc":
        return character
    # An accent or what cannot be seen belongs to the word that it stands in.
    return "" if category in {"Mn", "Me", "Cf"} else " "


def _table(words: Mapping[str, Iterable[str]], meaning: ConsentWord) -> dict[str, ConsentWord]:
    return {plain_words(word): meaning for each in words.values() for word in each}


_WORDS: Mapping[str, ConsentWord] = {
    **_table(HELP_WORDS, ConsentWord(Act.HELP)),
    **_table(START_WORDS, ConsentWord(Act.OPT_IN)),
    **_table(STOP_WORDS, ConsentWord(Act.OPT_OUT)),
    **_table(STOP_ALL_WORDS, ConsentWord(Act.OPT_OUT, every_sender=True)),
}
"""Where two languages differ about a word, STOP wins."""


def _languages() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for table in (HELP_WORDS, START_WORDS, STOP_WORDS, STOP_ALL_WORDS):
        for language, words in table.items():
            for word in words:
                found.setdefault(plain_words(word), {})[language] = None
    return {word: tuple(languages) for word, languages in found.items()}


_LANGUAGES = _languages()
"""Those that have a word, in the order of the tables."""
