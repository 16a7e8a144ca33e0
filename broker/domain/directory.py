"""The directory: the people whom an account sends to, the groups they are in, and who stands in for them.

Times are microseconds since 1970 UTC. A `version` counts the changes of a contact or a group, from 1.
"""

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field

from broker.domain.value import value
from broker.domain.vocabulary import Channel, Delegation

DELEGATES_MAX = 20
"""Of one contact."""

DELEGATORS_MAX = 10_000
"""Contacts that name the same contact as their delegate."""

GROUPS_OF_CONTACT_MAX = 1_000
MEMBERS_OF_CALL_MAX = 1_000
KEY_CHARACTERS_MAX = 100
"""Of a folded name: what is longer is found by its beginning."""


@value
class ContactRef:
    """How a caller names a contact: by the broker's id, or by one of the caller's own."""

    contact_id: int | None = None
    external_id: str = ""


@value
class Named:
    """A contact as a recipient, and who of the people behind it gets the message."""

    contact: ContactRef
    delegation: Delegation = Delegation.DIRECT


@value
class Card:
    """What an account wrote down about a contact; addresses are normal, the primary one of each kind first.

    `channels` are in the order that the contact prefers; none: any.
    """

    external_ids: tuple[str, ...] = ()
    title: str = ""
    first_name: str = ""
    last_name: str = ""
    organisation: str = ""
    phone_numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    device_tokens: tuple[str, ...] = ()
    channels: tuple[Channel, ...] = ()
    locale: str = ""
    time_zone: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


@value
class Delegate:
    """A contact who stands in for another one."""

    contact_id: int
    relation: str = ""
    priority: bool = False


@value
class DelegateWish:
    """A delegate as a caller names it."""

    contact: ContactRef
    relation: str = ""
    priority: bool = False


@value
class Contact:
    """A contact as it is stored."""

    contact_id: int
    account_id: int
    version: int
    created_at_us: int
    updated_at_us: int
    card: Card
    delegates: tuple[Delegate, ...] = ()


@value
class Label:
    """What an account calls a group."""

    name: str = ""
    description: str = ""


@value
class Group:
    """A group as it is stored."""

    group_id: int
    account_id: int
    version: int
    created_at_us: int
    updated_at_us: int
    label: Label
    member_count: int = 0


@value
class ContactFilter:
    """Which contacts: those that match every field that is not empty. `name_prefix` is folded."""

    name_prefix: str = ""
    external_id: str = ""
    phone_number: str = ""
    email: str = ""
    group_id: int | None = None

    def fits(self, card: Card) -> bool:
        """Whether a card matches all that a card can tell."""
        return (
            (not self.external_id or self.external_id in card.external_ids)
            and (not self.phone_number or self.phone_number in card.phone_numbers)
            and (not self.email or address_key(self.email) in map(address_key, card.emails))
            and (not self.name_prefix or any(key.startswith(self.name_prefix) for key in name_keys(card)))
        )


@value
class GroupFilter:
    """Which groups: those that match every field that is not empty. `name_prefix` is folded."""

    name_prefix: str = ""
    contact_id: int | None = None


def folded(name: str) -> str:
    """A name as it is compared: without regard to case, to how accents are encoded, and to spaces around."""
    normal = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(normal.split())[:KEY_CHARACTERS_MAX].rstrip()


def name_keys(card: Card) -> tuple[str, ...]:
    """The names under which a contact is found, folded and in their order."""
    first, last = card.first_name, card.last_name
    written = (f"{first} {last}", f"{last} {first}", card.organisation)
    return tuple(sorted({key for name in written if (key := folded(name))}))


def address_key(address: str) -> str:
    """An address as it is looked up."""
    return address.lower()


def address_keys(card: Card) -> frozenset[str]:
    """The addresses under which a contact is found. Device tokens are not looked up."""
    return frozenset(map(address_key, (*card.phone_numbers, *card.emails)))


def masked(old: Card, new: Card, fields: Collection[str]) -> Card:
    """The old card with the named fields of the new one."""
    return Card(**{name: getattr(new if name in fields else old, name) for name in Card.__dataclass_fields__})


def repeated(refs: Collection[object]) -> Iterator[int]:
    """Where in a list something comes again."""
    seen: set[object] = set()
    for index, ref in enumerate(refs):
        if ref in seen:
            yield index
        seen.add(ref)
