"""What recipients are told, in the language that they wrote in."""

import re

import pytest

from broker.domain.consent import Act, Consent, Wish
from broker.domain.consent_answer_texts import ANSWERS, LANGUAGE_OF_COUNTRY
from broker.domain.consent_answers import ANSWER_CHARACTERS_MAX, answer_to
from broker.domain.consent_keywords import consent_word, language_of
from broker.domain.consent_words import HELP_WORDS, START_WORDS, STOP_WORDS
from broker.domain.encoding import Encoding, measure
from broker.domain.text_profile import restricted_refusal

IN_PLAIN_LETTERS = ("en", "fr", "es", "pt", "de", "nl", "it", "sv", "da", "nb", "fi")
ACTS = {"STOP": Act.OPT_OUT, "START": Act.OPT_IN, "HELP": Act.HELP}


@pytest.mark.parametrize("language", ANSWERS)
@pytest.mark.parametrize("state", Consent)
def test_every_language_has_every_answer(language: str, state: Consent) -> None:
    """With the name of who asks, short enough, and beginning as a sentence does."""
    text = answer_to(Wish(state, 1, "Shop", "A very long name of an organisation " * 5), language)
    assert text.startswith("A very long name of an organisation")
    assert len(text) <= ANSWER_CHARACTERS_MAX
    alone = answer_to(Wish(state, 1, "Shop"), language)
    assert alone[0] == alone[0].upper()
    assert "{" not in alone


@pytest.mark.parametrize("language", IN_PLAIN_LETTERS)
@pytest.mark.parametrize("state", Consent)
def test_where_the_letters_are_those_of_plain_sms_it_is_one_part(language: str, state: Consent) -> None:
    """It is paid by the part."""
    found = measure(answer_to(Wish(state, 1, "Shop", "x" * 40), language))
    assert (Encoding.GSM7, 1) == (found.encoding, found.units)


@pytest.mark.parametrize("language", ANSWERS)
def test_what_they_are_told_to_write_is_understood(language: str) -> None:
    """Every word in capitals is one that the broker knows, and each answer tells the way back."""
    for state, text in ANSWERS[language].items():
        words = set(re.findall(r"[A-Z]{3,}", text))
        assert {ACTS[word] for word in words} == {
            (consent_word(word) or pytest.fail(word)).act for word in words
        }
        assert words >= ({"STOP", "HELP"} if state is Consent.OPTED_IN else {"START"})


def test_every_language_with_words_has_answers() -> None:
    """And none has answers to words that nobody knows."""
    assert set(STOP_WORDS) | set(START_WORDS) | set(HELP_WORDS) == set(ANSWERS)
    assert set(LANGUAGE_OF_COUNTRY.values()) <= set(ANSWERS)


@pytest.mark.parametrize(
    ("text", "number", "expected"),
    [
        ("STOP", "+4915112345678", "en"),
        ("Arrêt!", "+33612345678", "fr"),
        ("ayuda", "", "es"),
        ("cancelar", "+34612345678", "es"),
        ("cancelar", "+5511987654321", "pt"),
        ("停止", "+819012345678", "ja"),
        ("停止", "+8613812345678", "zh"),
        ("停止", "", "ja"),
        ("hello", "+33612345678", "en"),
        ("x" * 100, "", "en"),
    ],
)
def test_the_language_is_that_of_the_word(text: str, number: str, expected: str) -> None:
    """A number tells only where several languages have it: who writes STOP reads it."""
    assert expected == language_of(text, number)


@pytest.mark.parametrize("state", Consent)
def test_english_fits_the_restricted_profile(state: Consent) -> None:
    """It is what is left for a provider that carries nothing else."""
    assert restricted_refusal({"text": answer_to(Wish(state, 1, "Shop", "Acme"))}) is None
