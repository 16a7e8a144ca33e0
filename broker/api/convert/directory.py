"""Contacts and groups: what callers write down about them, and how they are shown.

Every rule of a field stands in its proto's comment and is checked here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.time_zones import is_time_zone
from broker.api.convert.times import timestamp
from broker.api.convert.words import CHANNELS, PB_CHANNELS
from broker.domain.address import normal_mailbox, normal_number
from broker.domain.directory import (
    DELEGATES_MAX,
    MEMBERS_OF_CALL_MAX,
    Card,
    Contact,
    ContactRef,
    DelegateWish,
    Group,
    Label,
    repeated,
)
from broker.domain.ids import format_id, parse_id
from broker.domain.vocabulary import Channel
from waypost.v1 import directory_pb2 as pb

EXTERNAL_IDS_MAX = 10
EXTERNAL_ID_CHARACTERS_MAX = 100
NAME_CHARACTERS_MAX = 100
ADDRESSES_MAX = 10
"""Of each kind."""
DEVICE_TOKEN_CHARACTERS_MAX = 4_096
LOCALE_CHARACTERS_MAX = 35
TIME_ZONE_CHARACTERS_MAX = 64
PROPERTIES_MAX = 50
PROPERTY_NAME_CHARACTERS_MAX = 64
PROPERTY_VALUE_CHARACTERS_MAX = 1_000
RELATION_CHARACTERS_MAX = 64
DESCRIPTION_CHARACTERS_MAX = 1_000
MASK_PATHS_MAX = 100
ETAG_CHARACTERS_MAX = 18

NOBODY = -1
"""An id that no contact has."""

NO_ID = "is not an id: 13 characters of Crockford base32"
NUMBER_RULE = 'must be a number in E.164, as "+447700900123", or one that the account\'s default_region dials'
MAILBOX_RULE = 'must be a mailbox, as "ada@example.org"'

_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_PROPERTY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES = ("title", "first_name", "last_name", "organisation")
CONTACT_FIELDS = (*Card.__dataclass_fields__, "delegates")
GROUP_FIELDS = ("name", "description")


def card_of(contact: pb.Contact, findings: Findings, region: str) -> Card:
    """What a caller wrote down about a contact; `region` is whose national numbers are taken."""
    for name in _NAMES:
        findings.line(f"contact.{name}", getattr(contact, name), NAME_CHARACTERS_MAX)
    locale, time_zone = contact.locale, contact.time_zone
    if locale and (len(locale) > LOCALE_CHARACTERS_MAX or not _LOCALE.fullmatch(locale)):
        findings.broke("contact.locale", 'must be a BCP 47 language tag, as "en-GB"')
    if time_zone and (len(time_zone) > TIME_ZONE_CHARACTERS_MAX or not is_time_zone(time_zone)):
        findings.broke("contact.time_zone", 'must be an IANA time zone, as "Europe/London"')
    return Card(
        external_ids=_external_ids(contact.external_ids, findings),
        title=contact.title,
        first_name=contact.first_name,
        last_name=contact.last_name,
        organisation=contact.organisation,
        phone_numbers=_addresses(
            "contact.phone_numbers",
            contact.phone_numbers,
            lambda written: normal_number(written, region),
            NUMBER_RULE,
            findings,
        ),
        emails=_addresses("contact.emails", contact.emails, normal_mailbox, MAILBOX_RULE, findings),
        device_tokens=_device_tokens(contact.device_tokens, findings),
        channels=_channels(contact.channels, findings),
        locale=locale,
        time_zone=time_zone,
        properties=_properties(contact.properties, findings),
    )


def delegates_of(contact: pb.Contact, findings: Findings) -> tuple[DelegateWish, ...]:
    """Who is to stand in for a contact. Whether there are such contacts, the store knows."""
    if not findings.count("contact.delegates", len(contact.delegates), DELEGATES_MAX):
        return ()
    wishes: list[DelegateWish] = []
    for index, each in enumerate(contact.delegates):
        path = f"contact.delegates[{index}]"
        fields = (f"{path}.contact_id", f"{path}.external_id")
        ref = ref_of(each.contact_id, each.external_id, findings, fields)
        findings.line(f"{path}.relation", each.relation, RELATION_CHARACTERS_MAX)
        if each.priority and any(earlier.priority for earlier in wishes):
            findings.broke(f"{path}.priority", "another delegate has priority; only one can")
        wishes.append(DelegateWish(ref, each.relation, each.priority))
    return tuple(wishes)


def contact_number(text: str) -> int:
    """The id that a text writes. What is no id names nobody."""
    number = parse_id(text)
    return NOBODY if number is None else number


def ref_of(
    contact_id: str,
    external_id: str,
    findings: Findings,
    fields: tuple[str, str] = ("contact_id", "external_id"),
) -> ContactRef:
    """The contact that a request names by exactly one of two fields. What is no id names nobody."""
    if bool(contact_id) == bool(external_id):
        findings.broke(fields[0], f"set one of {fields[0]} and {fields[1]}")
    if not external_id:
        return ContactRef(contact_id=contact_number(contact_id))
    findings.line(fields[1], external_id, EXTERNAL_ID_CHARACTERS_MAX)
    return ContactRef(external_id=external_id)


def refs_of(
    contact_ids: Sequence[str], external_ids: Sequence[str], findings: Findings
) -> tuple[ContactRef, ...]:
    """The contacts that a request names by two lists, those by the broker's ids first."""
    count = len(contact_ids) + len(external_ids)
    if not count:
        findings.broke("contact_ids", "name at least one contact, by contact_ids or external_ids")
    if not findings.count("contact_ids", count, MEMBERS_OF_CALL_MAX):
        return ()
    for index, text in enumerate(external_ids):
        if not text:
            findings.broke(f"external_ids[{index}]", "must not be empty")
        findings.line(f"external_ids[{index}]", text, EXTERNAL_ID_CHARACTERS_MAX)
    return (
        *(ContactRef(contact_id=contact_number(text)) for text in contact_ids),
        *(ContactRef(external_id=text) for text in external_ids),
    )


def with_external_id(card: Card, external_id: str, findings: Findings) -> Card:
    """The card of a contact that is to be added under an external id."""
    if external_id in card.external_ids:
        return card
    ids = _external_ids((external_id, *card.external_ids), findings)
    return replace(card, external_ids=ids)


def label_of(group: pb.Group, findings: Findings, *, named: bool) -> Label:
    """What a caller calls a group; `named`: it has to have a name."""
    if named and not group.name.strip():
        findings.broke("group.name", "must not be empty")
    findings.line("group.name", group.name, NAME_CHARACTERS_MAX)
    findings.text("group.description", group.description, DESCRIPTION_CHARACTERS_MAX)
    return Label(group.name.strip(), group.description)


def masked_fields(
    mask: FieldMask, fields: Sequence[str], given: Message, findings: Findings
) -> frozenset[str]:
    """The fields that an update is about: those of the mask, else those that are set."""
    if not mask.paths:
        filled = {descriptor.name for descriptor, _ in given.ListFields()}
        return frozenset(fields) & filled
    if not findings.count("update_mask.paths", len(mask.paths), MASK_PATHS_MAX):
        return frozenset()
    for index, path in enumerate(mask.paths):
        if path not in {*fields, "*"}:
            findings.broke(
                f"update_mask.paths[{index}]", f'{path!r} is not one of {", ".join(fields)}, and not "*"'
            )
    return frozenset(fields) if "*" in mask.paths else frozenset(mask.paths)


def refuse_given(path: str, holder: Message, names: Sequence[str], findings: Findings) -> None:
    """What only the broker gives cannot be asked for."""
    for name in names:
        if getattr(holder, name):
            findings.broke(f"{path}.{name}", "is given by the broker; leave it out")


def version_of(etag: str) -> int | None:
    """The version that an etag names; None for no etag, and one that nothing has for what is none."""
    if not etag:
        return None
    return int(etag) if len(etag) <= ETAG_CHARACTERS_MAX and etag.isascii() and etag.isdigit() else -1


def contact_message(contact: Contact) -> pb.Contact:
    """A contact as it is stored."""
    card = contact.card
    return pb.Contact(
        contact_id=format_id(contact.contact_id),
        account_id=account_text(contact.account_id),
        external_ids=card.external_ids,
        title=card.title,
        first_name=card.first_name,
        last_name=card.last_name,
        organisation=card.organisation,
        phone_numbers=card.phone_numbers,
        emails=card.emails,
        device_tokens=card.device_tokens,
        channels=[PB_CHANNELS[each] for each in card.channels],
        locale=card.locale,
        time_zone=card.time_zone,
        properties=card.properties,
        delegates=[
            pb.Delegate(contact_id=format_id(each.contact_id), relation=each.relation, priority=each.priority)
            for each in contact.delegates
        ],
        etag=str(contact.version),
        create_time=timestamp(contact.created_at_us),
        update_time=timestamp(contact.updated_at_us),
    )


def group_message(group: Group) -> pb.Group:
    """A group as it is stored."""
    return pb.Group(
        group_id=format_id(group.group_id),
        account_id=account_text(group.account_id),
        name=group.label.name,
        description=group.label.description,
        member_count=group.member_count,
        etag=str(group.version),
        create_time=timestamp(group.created_at_us),
        update_time=timestamp(group.updated_at_us),
    )


def _external_ids(given: Sequence[str], findings: Findings) -> tuple[str, ...]:
    path = "contact.external_ids"
    if not findings.count(path, len(given), EXTERNAL_IDS_MAX):
        return ()
    for index, text in enumerate(given):
        if text != text.strip() or not text:
            findings.broke(f"{path}[{index}]", "must not be empty, nor begin or end with a space")
        findings.line(f"{path}[{index}]", text, EXTERNAL_ID_CHARACTERS_MAX)
    return _unique(path, given, findings)


def _addresses(
    path: str,
    given: Sequence[str],
    normal: Callable[[str], str | None],
    rule: str,
    findings: Findings,
) -> tuple[str, ...]:
    if not findings.count(path, len(given), ADDRESSES_MAX):
        return ()
    addresses: list[str] = []
    for index, written in enumerate(given):
        address = normal(written)
        if address is None:
            findings.broke(f"{path}[{index}]", rule)
        addresses.append(address or f"{index}")  # keeps the places; the request is refused anyway
    return _unique(path, addresses, findings)


def _device_tokens(given: Sequence[str], findings: Findings) -> tuple[str, ...]:
    path = "contact.device_tokens"
    if not findings.count(path, len(given), ADDRESSES_MAX):
        return ()
    for index, token in enumerate(given):
        if not token:
            findings.broke(f"{path}[{index}]", "must not be empty")
        findings.line(f"{path}[{index}]", token, DEVICE_TOKEN_CHARACTERS_MAX)
    return _unique(path, given, findings)


def _unique(path: str, values: Sequence[str], findings: Findings) -> tuple[str, ...]:
    for index in repeated(values):
        findings.broke(f"{path}[{index}]", "is there twice")
    return tuple(values)


def _channels(numbers: Sequence[int], findings: Findings) -> tuple[Channel, ...]:
    path = "contact.channels"
    if not findings.count(path, len(numbers), len(Channel)):
        return ()
    words = [findings.word(f"{path}[{index}]", each, CHANNELS) for index, each in enumerate(numbers)]
    for index in repeated(words):
        findings.broke(f"{path}[{index}]", "is there twice")
    return tuple(word for word in words if word is not None)


def _properties(given: Mapping[str, str], findings: Findings) -> dict[str, str]:
    path = "contact.properties"
    if not findings.count(path, len(given), PROPERTIES_MAX):
        return {}
    for name, value in given.items():
        if len(name) > PROPERTY_NAME_CHARACTERS_MAX or not _PROPERTY_NAME.fullmatch(name):
            findings.broke(
                f"{path}[{name[:PROPERTY_NAME_CHARACTERS_MAX]!r}]",
                "the name must be a letter or '_', then letters, digits and '_', "
                f"at most {PROPERTY_NAME_CHARACTERS_MAX} characters",
            )
        findings.text(
            f"{path}[{name[:PROPERTY_NAME_CHARACTERS_MAX]!r}]", value, PROPERTY_VALUE_CHARACTERS_MAX
        )
    return dict(given)
