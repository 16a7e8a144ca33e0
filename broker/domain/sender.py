"""Senders: who messages say that they are from. Their kinds, what the shape of one tells, and how one is registered."""

import re
from collections.abc import Collection, Sequence
from enum import IntEnum
from functools import lru_cache

import phonenumbers

from broker.domain.address import normal_mailbox
from broker.domain.country import COUNTRIES, country_of
from broker.domain.value import value
from broker.domain.vocabulary import Channel
from broker.errors import Violation

SENDERS_MAX = 1_000
"""Of an account."""
POOL_SENDERS_MAX = 100
"""Of a pool: each of them is looked at for a recipient who is new to it."""
VALUE_CHARACTERS_MAX = 254
POOL_CHARACTERS_MAX = 64
PROVIDERS_MAX = 100
PROVIDER_CHARACTERS_MAX = 128
TAGS_MAX = 10
TAG_CHARACTERS_MAX = 64

UNITED_STATES = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
"""With the territories, which have countries of their own in the numbering plan."""

NORTH_AMERICA = UNITED_STATES | {"CA"}
"""Where toll-free numbers of the plan +1 reach, numbers carry MMS, and networks show no alphanumeric sender."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{3,11}")
_APPLICATION = re.compile(r"[\x21-\x7e]{1,128}")
_POOL = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class SenderKind(IntEnum):
    """What a sender is. The numbers are stored and equal those of the protos."""

    SHORT_CODE = 1
    LONG_CODE = 2
    TOLL_FREE = 3
    ALPHANUMERIC = 4
    EMAIL_ADDRESS = 5
    APPLICATION = 6


class SenderCapability(IntEnum):
    """What a sender can do. The numbers are stored and equal those of the protos."""

    SMS = 1
    MMS = 2
    EMAIL = 3
    PUSH = 4
    IN_APP = 5
    TWO_WAY = 6
    """Recipients can answer."""


NUMBERS = frozenset({SenderKind.LONG_CODE, SenderKind.TOLL_FREE})
ON_PHONES = NUMBERS | {SenderKind.SHORT_CODE, SenderKind.ALPHANUMERIC}

CAPABILITY_OF: dict[Channel, SenderCapability] = {
    channel: SenderCapability[channel.name] for channel in Channel
}
"""What a message on a channel asks of its sender."""

KINDS_ON: dict[Channel, frozenset[SenderKind]] = {
    Channel.SMS: ON_PHONES,
    Channel.MMS: ON_PHONES,
    Channel.EMAIL: frozenset({SenderKind.EMAIL_ADDRESS}),
    Channel.PUSH: frozenset({SenderKind.APPLICATION}),
    Channel.IN_APP: frozenset({SenderKind.APPLICATION}),
}


@value
class Sender:
    """A sender that an account has registered.

    `country` is ISO 3166 alpha-2: of a number its own, of a short code where it is leased, of an alphanumeric
    sender the only one it may send to ("" for all), "" for others. `providers` are the instances that may use
    it; empty: all. `pool` is "" for none. A `default` one is used where a message names no sender.
    """

    sender_id: int
    account_id: int
    value: str
    kind: SenderKind
    country: str
    capabilities: frozenset[SenderCapability]
    providers: tuple[str, ...] = ()
    pool: str = ""
    tags: tuple[str, ...] = ()
    default: bool = False
    created_at_us: int = 0


@value
class SenderDraft:
    """A sender as somebody asks for it; what is None or empty follows from the rest."""

    value: str
    kind: SenderKind | None = None
    country: str = ""
    capabilities: frozenset[SenderCapability] = frozenset()
    providers: tuple[str, ...] = ()
    pool: str = ""
    tags: tuple[str, ...] = ()
    default: bool = False


@lru_cache(maxsize=4_096)
def kind_of(written: str) -> SenderKind | None:
    """What the shape of a sender says it is; None where it can be none."""
    if _E164.fullmatch(written):
        return SenderKind.TOLL_FREE if _is_toll_free(written) else SenderKind.LONG_CODE
    if _SHORT_CODE.fullmatch(written):
        return SenderKind.SHORT_CODE
    if _ALPHANUMERIC.fullmatch(written):
        return SenderKind.ALPHANUMERIC
    if normal_mailbox(written) is not None:
        return SenderKind.EMAIL_ADDRESS
    return SenderKind.APPLICATION if _APPLICATION.fullmatch(written) else None


def _is_toll_free(number: str) -> bool:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:  # the shape is E.164's, and nobody has the country code
        return False
    return phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.TOLL_FREE


def registered(
    draft: SenderDraft, sender_id: int, account_id: int, now_us: int, providers: Collection[str]
) -> Sender | list[Violation]:
    """The sender that a draft asks for, or every rule that it breaks, by its field.

    `providers` are the instances there are.
    """
    written = draft.value.strip()
    kind = _kind(written, draft.kind)
    if isinstance(kind, Violation):
        return [kind]
    if kind is SenderKind.EMAIL_ADDRESS:
        written = normal_mailbox(written) or written
    found: list[Violation] = []
    country = _country(written, kind, draft.country.upper(), found)
    able = draft.capabilities or _usual(kind)
    found += _broken_capabilities(kind, country, able)
    found += _broken_lists(draft, providers)
    if found:
        return found
    tags = tuple(dict.fromkeys(each.strip().lower() for each in draft.tags))
    return Sender(
        sender_id=sender_id,
        account_id=account_id,
        value=written,
        kind=kind,
        country=country,
        capabilities=able,
        providers=tuple(dict.fromkeys(draft.providers)),
        pool=draft.pool,
        tags=tags,
        default=draft.default,
        created_at_us=now_us,
    )


def _kind(written: str, wished: SenderKind | None) -> SenderKind | Violation:
    """The kind, derived from the shape; an application may look like anything that can be seen."""
    derived = kind_of(written) if len(written) <= VALUE_CHARACTERS_MAX else None
    if derived is None:
        return Violation(
            "value",
            "must be a short code of 3 to 8 digits, a number in E.164, 3 to 11 letters, digits and spaces with "
            "a letter, an email address, or an application id of 1 to 128 visible ASCII characters",
        )
    if wished is SenderKind.APPLICATION and _APPLICATION.fullmatch(written):
        return wished
    if wished not in {None, derived}:
        return Violation("kind", f"the value is {_A_KIND[derived]}")
    return derived


_A_KIND = {
    SenderKind.SHORT_CODE: "a short code",
    SenderKind.LONG_CODE: "a long code, and no toll-free number",
    SenderKind.TOLL_FREE: "a toll-free number",
    SenderKind.ALPHANUMERIC: "alphanumeric",
    SenderKind.EMAIL_ADDRESS: "an email address",
    SenderKind.APPLICATION: "an application id",
}


def _country(written: str, kind: SenderKind, wished: str, found: list[Violation]) -> str:
    if kind in NUMBERS:
        country = country_of(written)
        if not country:
            found.append(Violation("value", "must be a number of a country"))
        elif wished not in {"", country}:
            found.append(Violation("country", f"the number is one of {country}"))
        return country
    if kind not in ON_PHONES:
        if wished:
            found.append(Violation("country", "is for senders of SMS and MMS"))
        return ""
    if wished and wished not in COUNTRIES:
        found.append(Violation("country", 'must be an ISO 3166 alpha-2 code, as "GB"'))
    elif kind is SenderKind.SHORT_CODE and not wished:
        found.append(Violation("country", "is required: a short code works in one country"))
    elif kind is SenderKind.ALPHANUMERIC and wished in NORTH_AMERICA:
        found.append(Violation("country", f"networks in {wished} show no alphanumeric sender"))
    return wished


def _usual(kind: SenderKind) -> frozenset[SenderCapability]:
    """What a sender of a kind can do at least."""
    if kind is SenderKind.EMAIL_ADDRESS:
        return frozenset({SenderCapability.EMAIL})
    if kind is SenderKind.APPLICATION:
        return frozenset({SenderCapability.PUSH, SenderCapability.IN_APP})
    return frozenset({SenderCapability.SMS})


def _broken_capabilities(
    kind: SenderKind, country: str, able: frozenset[SenderCapability]
) -> list[Violation]:
    usable = {CAPABILITY_OF[channel] for channel, kinds in KINDS_ON.items() if kind in kinds}
    broken: list[Violation] = []
    if foreign := sorted(able - usable - {SenderCapability.TWO_WAY}):
        broken.append(Violation("capabilities", f"{foreign[0].name} is none of {_A_KIND[kind]}"))
    if not able & usable:
        broken.append(Violation("capabilities", "must name a channel: nothing can be sent otherwise"))
    if SenderCapability.TWO_WAY in able and kind is SenderKind.ALPHANUMERIC:
        broken.append(Violation("capabilities", "nobody can answer an alphanumeric sender: not TWO_WAY"))
    if SenderCapability.MMS in able and (kind is SenderKind.ALPHANUMERIC or country not in NORTH_AMERICA):
        broken.append(Violation("capabilities", "MMS needs a number or short code of the US or Canada"))
    return broken


def _broken_lists(draft: SenderDraft, providers: Collection[str]) -> list[Violation]:
    broken: list[Violation] = []
    if draft.pool and not is_pool(draft.pool):
        broken.append(Violation("pool", 'must be 1 to 64 letters, digits, "_", "-" and ".", or empty'))
    if len(draft.providers) > PROVIDERS_MAX:
        broken.append(_too_many("providers", draft.providers, PROVIDERS_MAX))
    else:
        broken += [
            Violation(
                f"providers[{index}]", f"no provider instance is named {name[:PROVIDER_CHARACTERS_MAX]!r}"
            )
            for index, name in enumerate(draft.providers)
            if name not in providers
        ]
    if len(draft.tags) > TAGS_MAX:
        broken.append(_too_many("tags", draft.tags, TAGS_MAX))
    else:
        broken += [
            Violation(
                f"tags[{index}]", f"must be 1 to {TAG_CHARACTERS_MAX} characters without control characters"
            )
            for index, tag in enumerate(draft.tags)
            if not (1 <= len(tag.strip()) <= TAG_CHARACTERS_MAX and tag.strip().isprintable())
        ]
    return broken


def _too_many(field: str, given: Sequence[str], allowed: int) -> Violation:
    return Violation(field, f"has {len(given)} entries; at most {allowed} are allowed")


def is_pool(name: str) -> bool:
    """Whether a pool can have this name."""
    return _POOL.fullmatch(name) is not None
