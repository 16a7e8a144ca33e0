"""Keywords: words that people text to one of our addresses, and what follows from them.

A keyword belongs to one account at one address (sender) at a time. Which message is which:

- The keyword and nothing else is a KEYWORD: what the keyword was set up for happens.
- The keyword with text behind it is a REPLY, whenever it comes. Group Texting, from which these rules are, says both
  that such a message goes to the inbox and that a submission is "prefaced by your keyword"; the first is taken, since a
  message with text was written to be read. It goes to the account that has the keyword, and is forwarded by email.
- Any other text is a REPLY within 12 hours after the account wrote to that person, also by an autoreply.
"""

from broker.domain.callback_url import CallbackMethod
from broker.domain.consent_keywords import consent_word, plain_words
from broker.domain.price import Price
from broker.domain.text_profile import CHARACTERS_MAX, restricted_refusal
from broker.domain.value import value

KEYWORD_CHARACTERS_MAX = 20
AUTOREPLY_CHARACTERS_MAX = CHARACTERS_MAX
AUTOREPLY_DEFAULT = "Thank you for joining our list."
KEYWORDS_OF_ACCOUNT_MAX = 10_000


@value
class Keyword:
    """A keyword that an account has rented, and what happens when somebody texts it. Times are microseconds UTC.

    `word` is in its plain form. Who texts it joins the group (None: no group), and gets the autoreply. What comes is
    forwarded to `forward_to` and told to `callback_url`, "" for neither; with `send_unique` to no webhook besides.
    `paid` is what the account paid for it, None: nothing.
    """

    account_id: int
    sender: str
    word: str
    rented_at_us: int
    group_id: int | None = None
    autoreply: str = AUTOREPLY_DEFAULT
    forward_to: str = ""
    callback_url: str = ""
    callback_method: CallbackMethod = CallbackMethod.POST
    send_unique: bool = False
    paid: Price | None = None

    @property
    def shown(self) -> str:
        """The word as people write it."""
        return self.word.upper()


def plain_keyword(written: str) -> str:
    """A keyword in the form in which it is compared: case, accents and punctuation count for nothing."""
    return plain_words(written)


def keyword_problem(written: str) -> str | None:
    """Why a text cannot be a keyword; None when it can."""
    word = plain_keyword(written)
    if not word:
        return "must have a letter or a digit"
    if " " in word or len(word) > KEYWORD_CHARACTERS_MAX:
        return f"must be one word of at most {KEYWORD_CHARACTERS_MAX} letters and digits"
    if consent_word(written) is not None:
        return "is a word by which people say whether they want messages; nobody can rent it"
    return None


def autoreply_problem(text: str) -> str | None:
    """Why a text cannot be an autoreply; None when it can. Tells characters, never the text."""
    if not text.strip():
        return "must not be blank"
    return restricted_refusal({"text": text})


def first_word(text: str) -> tuple[str, bool]:
    """The plain form of a message's first word, "" for none, and whether it is the only one."""
    first, *rest = text.split(maxsplit=1) or [""]
    word = plain_keyword(first)
    return ("" if " " in word else word), not any(map(plain_words, rest))
