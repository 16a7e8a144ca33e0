"""What to tell a recipient about the wish that is in force: one message, in the language that they wrote in."""

from broker.domain.consent import Wish
from broker.domain.consent_answer_texts import ANSWERS
from broker.domain.consent_keywords import ENGLISH

ANSWER_CHARACTERS_MAX = 160
NAME_CHARACTERS_MAX = 40
"""Of an organisation's name, as much is said; what is longer is cut."""


def answer_to(wish: Wish, language: str = ENGLISH) -> str:
    """The text; at most ANSWER_CHARACTERS_MAX characters."""
    name = wish.organisation_name[:NAME_CHARACTERS_MAX].strip()
    text = ANSWERS[language][wish.state].format(whose=f"{name}: " if name else "")
    return text[:1].upper() + text[1:]
