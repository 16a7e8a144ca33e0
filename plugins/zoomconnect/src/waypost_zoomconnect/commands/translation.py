"""ZoomConnect's contacts, groups and templates ↔ those of Waypost. Pure."""

import re
from collections.abc import Iterator

from waypost.v1 import content_pb2, directory_pb2, template_pb2
from waypost_zoomconnect.directory import ZoomContact, ZoomTemplate
from waypost_zoomconnect.exchange import identity
from waypost_zoomconnect.facts import phone

EXTERNAL = "zoomconnect:"
"""Before ZoomConnect's id of a contact, among the external ids of Waypost's."""

NAME_CHARACTERS_MAX = 64
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
ELSEWHERE = {
    "organisation": "organisation",
    "emails": "emails",
    "device_tokens": "device tokens",
    "channels": "channel preferences",
    "locale": "languages",
    "time_zone": "time zones",
    "properties": "properties",
    "delegates": "delegates",
}
"""Fields of a contact that ZoomConnect has no place for."""


def external_id(contact_id: str) -> str:
    """Waypost's external id for ZoomConnect's."""
    return f"{EXTERNAL}{contact_id}"


def zoom_id(contact: directory_pb2.Contact) -> str:
    """ZoomConnect's id of a contact of Waypost's; empty where it has none, or something that is no id."""
    found = (each for each in contact.external_ids if each.startswith(EXTERNAL))
    return identity(next(found, "").removeprefix(EXTERNAL))


def imported(
    told: ZoomContact, kept: directory_pb2.Contact | None, country_code: str
) -> directory_pb2.Contact:
    """What a contact of ZoomConnect's makes of the one that Waypost keeps of it.

    Its number is the primary one, in place of the number that was; further numbers stay. Without a number
    nothing is said about numbers.
    """
    number = phone(told.number, country_code)
    numbers = list(kept.phone_numbers) if kept else []
    if number:
        others = numbers if number in numbers else numbers[1:]
        numbers = [number, *(each for each in others if each != number)]
    return directory_pb2.Contact(
        title=told.title, first_name=told.first_name, last_name=told.last_name, phone_numbers=numbers
    )


IMPORTED = ("title", "first_name", "last_name", "phone_numbers")


def differs(new: directory_pb2.Contact, kept: directory_pb2.Contact) -> bool:
    """Whether an import would change anything."""
    return any(getattr(new, name) != getattr(kept, name) for name in IMPORTED)


def exported(contact: directory_pb2.Contact, contact_id: str) -> ZoomContact:
    """A contact of Waypost's as ZoomConnect is to have it: its primary number."""
    return ZoomContact(
        contact_id,
        contact.phone_numbers[0] if contact.phone_numbers else "",
        contact.title,
        contact.first_name,
        contact.last_name,
    )


def same(ours: ZoomContact, theirs: ZoomContact, country_code: str) -> bool:
    """Whether ZoomConnect has a contact as we have it, however it writes the number."""
    names = (ours.title, ours.first_name, ours.last_name) == (
        theirs.title,
        theirs.first_name,
        theirs.last_name,
    )
    return names and phone(ours.number, country_code) == phone(theirs.number, country_code)


def left_out(contact: directory_pb2.Contact) -> Iterator[str]:
    """What ZoomConnect cannot be told of a contact."""
    for name, words in ELSEWHERE.items():
        if getattr(contact, name):
            yield words
    if len(contact.phone_numbers) > 1:
        yield "further numbers"


def template_name(told: ZoomTemplate, taken: set[str]) -> str:
    """A name for a template, of the characters that Waypost allows; with its id where it is taken."""
    name = NOT_IN_NAMES.sub("-", told.name).strip("-")[:NAME_CHARACTERS_MAX]
    if name and name.lower() not in taken:
        return name
    tail = f"-{told.template_id}"
    return f"{(name or 'template')[: NAME_CHARACTERS_MAX - len(tail)]}{tail}"


def template(told: ZoomTemplate, name: str, project: str, locale: str) -> template_pb2.Template:
    """A template with a text that means itself: ZoomConnect's placeholders are not documented."""
    text = told.text.replace("$", "$$")
    return template_pb2.Template(
        project=project,
        name=name,
        description=told.name[:500],
        locales={locale: content_pb2.Content(sms=content_pb2.SmsContent(text=text))},
    )
