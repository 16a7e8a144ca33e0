"""The account at Group Texting: its credits, opt-outs, keywords, and what was texted; each operation answers a number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from waypost_grouptexting.fake import rules

OK, UNAUTHORIZED, UNKNOWN = 1, -1, -10
NO_CREDIT, OPTED_OUT, BAD_TEXT, OPTED_OUT_GLOBALLY, BAD_PHONE = -2, -5, -7, -104, -106
AVAILABLE, UNAVAILABLE = 1, 0
DECLINED, PAID = 0, 1
RENTED, NOT_RENTABLE = 2, 1
BAD_KEYWORD, BAD_GROUP, BAD_EMAIL, BAD_URL, BAD_AUTOREPLY = -2, -3, -4, -5, -7

AUTOREPLY_DEFAULT = "Thank you for joining our list."
REPLY_WINDOW_S = 12 * 3_600
CREDIT_CENTS = 5
PURCHASE_CENTS_MIN = 500
NOT_FOUND = 404


@dataclass
class Keyword:
    """A rented keyword, as it is set up."""

    word: str
    group: str = ""
    autoreply: str = AUTOREPLY_DEFAULT
    email: str = ""
    url: str = ""


@dataclass(frozen=True)
class Texted:
    """What a phone got. `by` tells why: "sending", "autoreply" or "answer"."""

    phone: str
    text: str
    by: str = "sending"


@dataclass(frozen=True)
class Forward:
    """A callback to make: GET `url` with these parameters. `waits`: what is answered goes back to the phone."""

    url: str
    parameters: Mapping[str, str]
    waits: bool


@dataclass
class Service:
    """One account, and what it may be asked. Seconds come from `now_s`, so that a test can let twelve hours pass."""

    user: str = "user"
    password: str = "password"  # noqa: S105 - of a fake
    credits: int = 100
    opted_out: set[str] = field(default_factory=set)
    opted_out_globally: set[str] = field(default_factory=set)
    groups: dict[str, set[str]] = field(default_factory=dict)
    keywords: dict[str, Keyword] = field(default_factory=dict)
    keywords_of_others: set[str] = field(default_factory=lambda: {"TAKEN"})
    declined_cards: set[str] = field(default_factory=lambda: {"4000000000000002"})
    forwarding_url: str = ""
    send_unique: bool = True
    wait_for_response: bool = True
    texted: list[Texted] = field(default_factory=list)
    mailed: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False
    now_s: Callable[[], float] = lambda: 0.0
    _wrote_s: dict[str, float] = field(default_factory=dict)

    def ask(self, method: str, operation: str, fields: Mapping[str, str]) -> int:
        """What an operation answers. Names of fields are compared without case, as the document writes them both ways."""
        told = {name.lower(): text for name, text in fields.items()}
        operations: Mapping[str, tuple[frozenset[str], Callable[[Mapping[str, str]], int]]] = {
            "sending": (EITHER, self._send),
            "credits/check": (EITHER, lambda _told: self.credits),
            "credits/buy": (POST, self._buy),
            "keyword/check": (EITHER, self._check),
            "keyword/rent": (POST, self._rent),
            "keyword/setup": (EITHER, self._set_up),
        }
        if operation not in operations:
            return NOT_FOUND
        methods, act = operations[operation]
        if self.broken or method not in methods:
            return UNKNOWN
        if (told.get("user"), told.get("pass")) != (self.user, self.password):
            return UNAUTHORIZED
        return act(told)

    def say(self, phone: str, text: str) -> list[Forward]:
        """Somebody texts to the long code: the callbacks that follow, and what the phone gets by itself."""
        first, _, rest = text.strip().partition(" ")
        keyword = self.keywords.get(first.upper())
        recent = self.now_s() - self._wrote_s.get(phone, float("-inf")) <= REPLY_WINDOW_S
        if keyword is not None and not rest:
            return self._submitted(keyword, phone, text)
        if (keyword is not None and rest) or recent:
            return self._forwards(phone, text)
        return []

    def answered(self, forward: Forward, phone: str, status: int, body: str) -> None:
        """The server's answer to a callback: sent to the phone where it was waited for and may be sent."""
        if forward.waits and status == 200 and body and rules.is_text(body):
            self._text(phone, body, "answer")

    def _send(self, told: Mapping[str, str]) -> int:
        phone = told.get("phonenumber", "")
        if not rules.is_phone(phone):
            return BAD_PHONE
        if "subject" not in told or not rules.is_message(told["subject"], told.get("message", "")):
            return BAD_TEXT
        if phone in self.opted_out_globally:
            return OPTED_OUT_GLOBALLY
        if phone in self.opted_out:
            return OPTED_OUT
        if self.credits < 1:
            return NO_CREDIT
        self._text(phone, told["message"], "sending", subject=told["subject"])
        return OK

    def _buy(self, told: Mapping[str, str]) -> int:
        wanted = told.get("credits", "")
        if not rules.is_card(told) or not wanted.isdecimal() or not int(wanted):
            return UNKNOWN
        if told["ccnumber"] in self.declined_cards or int(wanted) * CREDIT_CENTS < PURCHASE_CENTS_MIN:
            return DECLINED
        self.credits += int(wanted)
        return PAID

    def _free(self, word: str) -> bool:
        return rules.is_keyword(word) and word not in {*self.keywords, *self.keywords_of_others}

    def _check(self, told: Mapping[str, str]) -> int:
        return AVAILABLE if self._free(told.get("keyword", "").upper()) else UNAVAILABLE

    def _rent(self, told: Mapping[str, str]) -> int:
        word = told.get("keyword", "").upper()
        if not rules.is_card(told):
            return UNKNOWN
        if not self._free(word):
            return NOT_RENTABLE
        if told["ccnumber"] in self.declined_cards:
            return DECLINED
        self.keywords[word] = Keyword(word)
        return RENTED

    def _set_up(self, told: Mapping[str, str]) -> int:
        keyword = self.keywords.get(told.get("keyword", "").upper())
        if keyword is None:
            return BAD_KEYWORD
        checks = (
            ("group", BAD_GROUP, lambda text: text in self.groups),
            ("email", BAD_EMAIL, rules.is_mailbox),
            ("url", BAD_URL, rules.is_url),
        )
        for name, code, fits in checks:
            if told.get(name) and not fits(told[name]):
                return code
        if "autoreply" in told and not (told["autoreply"].strip() and rules.is_text(told["autoreply"])):
            return BAD_AUTOREPLY
        for name in ("group", "email", "url", "autoreply"):
            if name in told:
                setattr(keyword, name, told[name])
        return OK

    def _submitted(self, keyword: Keyword, phone: str, text: str) -> list[Forward]:
        """A keyword by itself: its group, its autoreply, its mailbox, its URL."""
        self.opted_out_globally.discard(phone)
        if keyword.group:
            self.groups[keyword.group].add(phone)
        if keyword.email:
            self.mailed.append((keyword.email, text))
        if self.credits:
            self._text(phone, keyword.autoreply, "autoreply")
        forwards = []
        if keyword.url:
            forwards.append(Forward(keyword.url, {"PhoneNumber": phone, "Message": text}, waits=True))
        if not self.send_unique:
            forwards += self._forwards(phone, text)
        return forwards

    def _forwards(self, phone: str, text: str) -> list[Forward]:
        if not self.forwarding_url:
            return []
        parameters = {"from": phone, "message": text}
        return [Forward(self.forwarding_url, parameters, waits=self.wait_for_response)]

    def _text(self, phone: str, text: str, by: str, *, subject: str = "") -> None:
        self.credits -= 1
        self._wrote_s[phone] = self.now_s()
        self.texted.append(Texted(phone, f"({subject}) {text}" if subject else text, by))


EITHER = frozenset({"GET", "POST"})
POST = frozenset({"POST"})
