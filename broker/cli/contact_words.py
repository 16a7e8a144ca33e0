"""Contacts as they are written on the command line and in CSV files → protobuf."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from broker.cli.failures import UsageError
from waypost.v1 import channel_pb2, directory_pb2

_CONTACT_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{13}", re.IGNORECASE)
_EXTERNAL = "external:"


@dataclass(frozen=True, slots=True)
class ContactWords:
    """A contact as somebody wrote it down. None: nothing was said about that field."""

    external_ids: Sequence[str] | None = None
    title: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    organisation: str | None = None
    phone_numbers: Sequence[str] | None = None
    emails: Sequence[str] | None = None
    device_tokens: Sequence[str] | None = None
    channels: Sequence[str] | None = None
    locale: str | None = None
    time_zone: str | None = None
    properties: Sequence[str] | None = None
    delegates: Sequence[str] | None = None
    priority: str | None = None

    @property
    def given(self) -> list[str]:
        """The fields that something was said about, by their names in the protos."""
        names = (each.name for each in fields(self) if each.name != "priority")
        return [name for name in names if getattr(self, name) is not None]


def contact_of(words: ContactWords) -> directory_pb2.Contact:
    """The contact. Raises UsageError for what cannot be meant."""
    return directory_pb2.Contact(
        external_ids=words.external_ids or (),
        title=words.title or "",
        first_name=words.first_name or "",
        last_name=words.last_name or "",
        organisation=words.organisation or "",
        phone_numbers=words.phone_numbers or (),
        emails=words.emails or (),
        device_tokens=words.device_tokens or (),
        channels=[_channel(each) for each in words.channels or ()],
        locale=words.locale or "",
        time_zone=words.time_zone or "",
        properties=_properties(words.properties or ()),
        delegates=_delegates(words.delegates or (), words.priority),
    )


class Ids(NamedTuple):
    """The fields of a request that name a contact, one of them empty."""

    contact_id: str
    external_id: str


def ids_of(ref: str) -> Ids:
    """The contact that somebody means: by the broker's id, or by one of the caller's."""
    if ref.startswith(_EXTERNAL):
        return Ids("", ref.removeprefix(_EXTERNAL))
    return Ids(ref, "") if _CONTACT_ID.fullmatch(ref) else Ids("", ref)


def _channel(name: str) -> channel_pb2.Channel.ValueType:
    try:
        return channel_pb2.Channel.Value(f"CHANNEL_{name.upper()}")
    except ValueError:
        raise UsageError(f"{name!r} is no channel: sms, mms, email, push or in_app") from None


def _properties(written: Iterable[str]) -> dict[str, str]:
    properties: dict[str, str] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not equals:
            raise UsageError(f"--property: {each!r} has no value; write NAME=VALUE")
        properties[name] = value
    return properties


def _delegates(written: Sequence[str], priority: str | None) -> list[directory_pb2.Delegate]:
    delegates = []
    for each in written:
        ref, _, relation = each.partition("=")
        ids = ids_of(ref)
        delegates.append(
            directory_pb2.Delegate(
                contact_id=ids.contact_id,
                external_id=ids.external_id,
                relation=relation,
                priority=ref == priority,
            )
        )
    if priority and not any(each.priority for each in delegates):
        raise UsageError(f"{priority!r} has priority and is not among the delegates")
    return delegates
