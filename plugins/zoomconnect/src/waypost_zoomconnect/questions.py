"""Asking what became of messages: calls, and what their answers tell. Nothing here sends a message."""

from typing import Literal

from broker import spi
from waypost_zoomconnect.exchange import Answer, Call, fields, identity
from waypost_zoomconnect.facts import answered
from waypost_zoomconnect.settings import ZoomConnectSettings


def record_call(message_id: str) -> Call:
    """One message by ZoomConnect's id of it."""
    return Call("GET", f"messages/{message_id}")


def search_call(key: str, settings: ZoomConnectSettings, *, deleted: bool) -> Call:
    """The messages that we sent with this key in their data field: those that stand, or those that were deleted."""
    told = {
        "type": "OUTBOUND",
        "dataField": key,
        "deleted": "true" if deleted else "false",
        "page": "1",
        "pageSize": str(settings.page_size),
    }
    return Call("GET", "messages/all", told)


def unread_call(settings: ZoomConnectSettings) -> Call:
    """The first page of replies that nobody has marked as read, nor deleted."""
    told = {
        "type": "INBOUND",
        "read": "false",
        "deleted": "false",
        "page": "1",
        "pageSize": str(settings.page_size),
    }
    return Call("GET", "messages/all", told)


def mark_call(message_id: str, *, read: bool) -> Call:
    """Mark a reply as read, or as unread again."""
    return Call("PUT", f"messages/{message_id}/{'markRead' if read else 'markUnread'}")


def delete_call(message_id: str) -> Call:
    """Delete a message from ZoomConnect's own list."""
    return Call("DELETE", f"messages/{message_id}")


def acknowledge_call(message_id: str, polled: Literal["mark-read", "delete"]) -> Call:
    """What tells ZoomConnect that we have a reply, so that it is not listed again."""
    return delete_call(message_id) if polled == "delete" else mark_call(message_id, read=True)


def records(answer: Answer) -> list[object] | None:
    """The messages on a page; None where the answer is no page of messages."""
    found = fields(answer.document).get("webServiceMessages")
    return found if answer.ok and isinstance(found, list) else None


def is_all(answer: Answer) -> bool:
    """Whether a page is the only one, so that what is not on it is nowhere."""
    told, found = fields(answer.document), records(answer) or []
    pages, elements = told.get("totalPages"), told.get("totalElements")
    return pages in (0, 1) or (isinstance(elements, int) and elements <= len(found))


def told_by_id(answer: Answer, asked: str, settings: ZoomConnectSettings) -> spi.Outcome | spi.Receipt:
    """What became of a message that has an id; anything but its own record says nothing."""
    if not answer.ok:
        return spi.Unknown(answer.code)
    if identity(fields(answer.document).get("messageId")) != asked:
        return spi.Unknown("unreadable")
    return answered(answer.document, settings)


def listed(answer: Answer, key: str) -> object | None:
    """The record on a page whose data field is the key; the search may have found others that contain it."""
    return next((each for each in records(answer) or () if fields(each).get("userDataField") == key), None)


def unlisted(standing: Answer, deleted: Answer, *, settled: bool) -> spi.Outcome:
    """What two pages tell of a message that neither of them lists.

    It was never taken where both are complete and ZoomConnect has had the time to list it (`settled`).
    """
    for answer in (standing, deleted):
        if records(answer) is None:
            return spi.Unknown("unreadable" if answer.ok else answer.code)
    if settled and is_all(standing) and is_all(deleted):
        return spi.NotAccepted(code="not_found")
    return spi.Unknown("not_listed")
