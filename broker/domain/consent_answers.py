"""What to tell a recipient about the wish that is in force: one SMS, in English."""

from broker.domain.consent import Consent, Wish

ANSWER_CHARACTERS_MAX = 160
NAME_CHARACTERS_MAX = 40
"""Of an organisation's name, as much is said; what is longer is cut."""

_ANSWERS = {
    Consent.OPTED_IN: "{whose}you will get messages again. Reply STOP to end them, HELP for help.",
    Consent.OPTED_OUT: "{whose}you will get no more messages. Reply START to get them again.",
    Consent.OPTED_OUT_GLOBALLY: (
        "{whose}you will get no more messages. To get them again, text HELP or START to us from this phone."
    ),
    Consent.UNSET: "{whose}reply STOP to get no more messages, START to get them again.",
}


def answer_to(wish: Wish) -> str:
    """The text; at most ANSWER_CHARACTERS_MAX characters."""
    name = wish.organisation_name[:NAME_CHARACTERS_MAX].strip()
    text = _ANSWERS[wish.state].format(whose=f"{name}: " if name else "")
    return text[:1].upper() + text[1:]
