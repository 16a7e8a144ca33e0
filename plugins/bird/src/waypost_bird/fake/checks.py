"""Which requests Bird refuses: what is wrong with the fields of one, by field."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

SCHEDULE_AHEAD = timedelta(days=35)
TAGS_MAX = 10
IMAGES_MAX = 10
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
TAG = re.compile(r"[a-zA-Z0-9-_ ]{1,50}")

FLAGS = ("capFrequency", "enableLinkTracking", "ignoreQuietHours")
FIELDS = frozenset({
    "sender",
    "receiver",
    "reference",
    "template",
    "meta",
    "replyTo",
    "body",
    "notification",
    "tags",
    "shortLinks",
    "scheduledFor",
    "validity",
    *FLAGS,
})
META = frozenset({
    "extraInformation",
    "referral",
    "order",
    "referredProduct",
    "email",
    "pushNotifications",
    "navigatorId",
    "navigatorMessageId",
    "flow",
    "journey",
    "campaign",
})

Details = dict[str, list[str]]
"""What is wrong, by the path of its field; empty for a right request."""


def wrong_with(document: Mapping[str, Any], now: datetime) -> Details:
    """Everything that keeps a request from passing validation."""
    wrong: Details = {name: ["unknown field"] for name in document.keys() - FIELDS}
    for check in (_receiver, _said, _flags, _tags, _times, _links, _meta, _others):
        for path, rule in check(document, now):
            wrong.setdefault(path, []).append(rule)
    return wrong


Found = list[tuple[str, str]]


def _receiver(document: Mapping[str, Any], _now: datetime) -> Found:
    contacts = _in(document.get("receiver"), "contacts")
    if not isinstance(contacts, list) or len(contacts) != 1:
        return [("receiver.contacts", "an SMS goes to one contact")]
    key, number = _in(contacts[0], "identifierKey"), _in(contacts[0], "identifierValue")
    if key not in {None, "phonenumber"}:
        return [("receiver.contacts.0.identifierKey", "unknown identifier")]
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        return [("receiver.contacts.0.identifierValue", "not a phone number")]
    return []


def _said(document: Mapping[str, Any], _now: datetime) -> Found:
    body, template = document.get("body"), document.get("template")
    if (body is None) == (template is None):
        return [("body", "set the body, or the template")]
    return _template(template) if body is None else _body(body)


def _template(template: Any) -> Found:
    found: Found = []
    if not _is_uuid(_in(template, "projectId")):
        found.append(("template.projectId", "must be a UUID"))
    if not isinstance(_in(template, "version"), str):
        found.append(("template.version", "is required"))
    for at, each in enumerate(_listed(template, "parameters")):
        if _in(each, "type") != "string" or not all(
            isinstance(_in(each, name), str) for name in ("key", "value")
        ):
            found.append((f"template.parameters.{at}", "must have a type, a key and a value"))
    return found


def _body(body: Any) -> Found:
    kind = _in(body, "type")
    check = _KINDS.get(kind)
    if check is None:
        return [("body.type", "unknown type")]
    said = _in(body, kind)
    if not isinstance(said, dict):
        return [(f"body.{kind}", "is required")]
    text, subject = said.get("text"), _in(said.get("metadata"), "subject")
    found = check(said)
    if text is not None and not isinstance(text, str):
        found.append((f"body.{kind}.text", "must be text"))
    if subject is not None and not isinstance(subject, str):
        found.append((f"body.{kind}.metadata.subject", "must be text"))
    return found


def _text_body(said: Mapping[str, Any]) -> Found:
    found = [] if said.get("text") else [("body.text.text", "must not be empty")]
    for at, each in enumerate(_listed(said, "attachments")):
        if not _is_url(_in(each, "mediaUrl")) or not _in(each, "filename"):
            found.append((f"body.text.attachments.{at}", "must have a mediaUrl and a filename"))
    for at, each in enumerate(_listed(said, "actions")):
        link = _in(each, "link")
        if _in(each, "type") != "link" or not _in(link, "text") or not _is_url(_in(link, "url")):
            found.append((f"body.text.actions.{at}", "must be a link with a text and a url"))
    return found


def _image_body(said: Mapping[str, Any]) -> Found:
    images = said.get("images")
    if not isinstance(images, list) or not 1 <= len(images) <= IMAGES_MAX:
        return [("body.image.images", "must be 1 to 10")]
    return [
        (f"body.image.images.{at}.mediaUrl", "must be an address")
        for at, each in enumerate(images)
        if not _is_url(_in(each, "mediaUrl"))
    ]


def _file_body(said: Mapping[str, Any]) -> Found:
    files = said.get("files")
    if not isinstance(files, list) or not files:
        return [("body.file.files", "must not be empty")]
    return [
        (f"body.file.files.{at}", "must have a mediaUrl and a contentType")
        for at, each in enumerate(files)
        if not _is_url(_in(each, "mediaUrl")) or not _in(each, "contentType")
    ]


_KINDS: Mapping[Any, Callable[[Mapping[str, Any]], Found]] = {
    "text": _text_body,
    "image": _image_body,
    "file": _file_body,
}


def _flags(document: Mapping[str, Any], _now: datetime) -> Found:
    found = [
        (name, "must be true or false") for name in FLAGS if not isinstance(document.get(name, False), bool)
    ]
    use_case = _in(_in(document.get("meta"), "extraInformation"), "useCase")
    if document.get("capFrequency") is True and use_case != "marketing":
        found.append(("capFrequency", "only where meta.extraInformation.useCase is marketing"))
    return found


def _tags(document: Mapping[str, Any], _now: datetime) -> Found:
    tags = document.get("tags", [])
    if not isinstance(tags, list) or len(tags) > TAGS_MAX:
        return [("tags", "at most 10")]
    return [
        (f"tags.{at}", "1 to 50 letters, digits, spaces, - and _")
        for at, each in enumerate(tags)
        if not isinstance(each, str) or not TAG.fullmatch(each)
    ]


def _times(document: Mapping[str, Any], now: datetime) -> Found:
    found: Found = []
    validity, scheduled = document.get("validity", 1), document.get("scheduledFor")
    if not isinstance(validity, int) or isinstance(validity, bool) or validity < 0:
        found.append(("validity", "must be a number of seconds"))
    if scheduled is not None:
        try:
            late = datetime.fromisoformat(scheduled) > now + SCHEDULE_AHEAD
        except (TypeError, ValueError):
            return [*found, ("scheduledFor", "must be an RFC 3339 time")]
        if late:
            found.append(("scheduledFor", "must be within 35 days"))
    return found


def _links(document: Mapping[str, Any], _now: datetime) -> Found:
    short = document.get("shortLinks")
    if short is None:
        return []
    if document.get("template") is not None:
        return [("shortLinks", "use those of the template")]
    domain = _in(short, "domain")
    return (
        [] if isinstance(domain, str) and 1 <= len(domain) <= 128 else [("shortLinks.domain", "is required")]
    )


def _meta(document: Mapping[str, Any], _now: datetime) -> Found:
    meta = document.get("meta", {})
    if not isinstance(meta, dict):
        return [("meta", "must be an object")]
    found = [(f"meta.{name}", "unknown field") for name in meta.keys() - META]
    campaign_id = _in(meta.get("campaign"), "id")
    if campaign_id is not None and not _is_uuid(campaign_id):
        found.append(("meta.campaign.id", "must be a UUID"))
    return found


def _others(document: Mapping[str, Any], _now: datetime) -> Found:
    found: Found = []
    if not isinstance(document.get("reference", ""), str):
        found.append(("reference", "must be text"))
    if "sender" in document and not isinstance(
        _in(_in(document["sender"], "connector"), "identifierValue"), str
    ):
        found.append(("sender.connector.identifierValue", "is required"))
    reply = document.get("replyTo")
    if reply is not None and not (isinstance(_in(reply, "id"), str) and _in(reply, "type") == "message"):
        found.append(("replyTo", "must name a message"))
    notify = document.get("notification")
    if notify is not None and not _is_url(_in(notify, "url")):
        found.append(("notification.url", "must be an address"))
    return found


def _in(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, dict) else None


def _listed(document: Any, name: str) -> list[Any]:
    found = _in(document, name)
    return found if isinstance(found, list) else []


def _is_url(written: Any) -> bool:
    return (
        isinstance(written, str)
        and urlsplit(written).scheme in {"http", "https"}
        and bool(urlsplit(written).netloc)
    )


def _is_uuid(written: Any) -> bool:
    try:
        return bool(UUID(written))
    except (TypeError, ValueError, AttributeError):
        return False
