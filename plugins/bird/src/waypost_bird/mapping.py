"""A message as the request that hands it to Bird, or why Bird cannot have it. No I/O."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from broker.spi import Channel, OutboundMessage, Reason, Rejected, Traffic
from waypost_bird.settings import BirdSettings, BirdTemplate

US_PER_S = 1_000_000
TAGS_MAX = 10
TAG = re.compile(r"[A-Za-z0-9_ -]{1,50}")
IMAGES_MAX = 10
PHONE_NUMBER = "phonenumber"
MARKETING = "marketing"

SMS_FIELDS = frozenset({"text", "subject", "link_actions"})
MMS_FIELDS = frozenset({"text", "subject", "media", "link_actions"})
FIELDS: Mapping[Channel, frozenset[str]] = {Channel.SMS: SMS_FIELDS, Channel.MMS: MMS_FIELDS}
"""The content that Bird is given, by channel."""


class Unsayable(Exception):
    """Something of a message has no place in Bird's request; its text names the field and the rule."""

    def __init__(self, text: str, reason: Reason = Reason.CONTENT_UNSUPPORTED) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted to a channel's messages."""

    channel_id: UUID
    document: dict[str, Any]


def request_of(
    message: OutboundMessage, settings: BirdSettings, notify_url: str, now_us: int
) -> Request | Rejected:
    """The request for a message. `notify_url` is where Bird is to report; empty: where its subscription says."""
    try:
        return Request(_channel_of(message, settings), _document(message, settings, notify_url, now_us))
    except Unsayable as problem:
        return Rejected(problem.reason, "unsayable", str(problem))


def _channel_of(message: OutboundMessage, settings: BirdSettings) -> UUID:
    channel_id = settings.senders.get(message.sender, settings.channel_id)
    if message.channel is Channel.MMS and channel_id not in settings.mms_channel_ids:
        raise Unsayable("sender: its channel is not among mms_channel_ids", Reason.SENDER_NOT_CAPABLE)
    return channel_id


def _document(
    message: OutboundMessage, settings: BirdSettings, notify_url: str, now_us: int
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "receiver": {
            "contacts": [{"identifierKey": PHONE_NUMBER, "identifierValue": message.recipient}],
        },
        "reference": _reference(message, settings),
        "validity": max(1, (message.expire_at_us - now_us) // US_PER_S),
        "ignoreQuietHours": settings.quiet_hours == "broker" or message.particulars.ignore_quiet_hours,
    }
    if message.sender and message.sender not in settings.senders:
        document["sender"] = {"connector": {"identifierValue": message.sender}}
    if notify_url:
        document["notification"] = {"url": notify_url}
    if settings.tags and message.tags:
        document["tags"] = _tags(message.tags)
    if settings.frequency_caps == "upstream" and message.particulars.cap_frequency:
        document["capFrequency"] = True
    if message.particulars.reply_to_provider_message_id:
        document["replyTo"] = {"id": message.particulars.reply_to_provider_message_id, "type": "message"}
    if meta := _meta(message, settings):
        document["meta"] = meta
    return document | _said(message, settings)


def _reference(message: OutboundMessage, settings: BirdSettings) -> str:
    chosen = message.client_reference if settings.reference == "client_reference" else ""
    return chosen or message.message_id


def _tags(tags: Sequence[str]) -> list[str]:
    if len(tags) > TAGS_MAX:
        raise Unsayable(f"tags: Bird takes {TAGS_MAX} at most")
    for place, tag in enumerate(tags):
        if not TAG.fullmatch(tag):
            raise Unsayable(f"tags[{place}]: a tag of Bird's is 1 to 50 letters, digits, spaces, - and _")
    return list(tags)


def _meta(message: OutboundMessage, settings: BirdSettings) -> dict[str, Any]:
    """What Bird keeps with the message for its reports."""
    of, meta = message.particulars, {}
    extra: dict[str, str] = {}
    if message.traffic is Traffic.PROMOTIONAL:
        extra["useCase"] = MARKETING
    if of.origin:
        extra["origin"] = of.origin
    if message.client_reference:
        other = settings.reference == "client_reference"
        extra["messageId" if other else "clientReference"] = (
            message.message_id if other else message.client_reference
        )
    if of.campaign:
        meta["campaign"] = {"name": of.campaign.name or of.campaign.id}
        if _is_uuid(of.campaign.id):
            meta["campaign"]["id"] = of.campaign.id
        else:  # Bird's own campaigns have UUIDs; any other id would be refused there
            extra["campaignId"] = of.campaign.id
    if extra:
        meta["extraInformation"] = extra
    return meta


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _said(message: OutboundMessage, settings: BirdSettings) -> dict[str, Any]:
    """The message's body, or its template; with what is to be done with its links."""
    if unknown := sorted(message.content.keys() - FIELDS[message.channel]):
        raise Unsayable(f"{message.channel.name.lower()}.{unknown[0]}: Bird has no place for it")
    template = _template_for(message, settings)
    if template is not None:
        return {"template": _template(message, template)}
    said: dict[str, Any] = {"body": _body(message)}
    if not message.particulars.links_shortened:
        if settings.short_links_domain:
            said["shortLinks"] = {"domain": settings.short_links_domain}
        if settings.link_tracking and message.particulars.campaign:
            said["enableLinkTracking"] = True
    return said


def _template_for(message: OutboundMessage, settings: BirdSettings) -> BirdTemplate | None:
    """The template of Bird's that says this. Short links of the broker's are in no template: then the text goes."""
    used = message.particulars.template
    if used is None or message.channel is not Channel.SMS or message.particulars.links_shortened:
        return None
    found = settings.templates.get(f"{used.project}/{used.name}" if used.project else used.name)
    beside = next((name for name in ("subject", "link_actions") if message.content.get(name)), "")
    if found is not None and beside:
        raise Unsayable(f"sms.{beside}: no place for it beside a template of Bird's")
    return found


def _template(message: OutboundMessage, template: BirdTemplate) -> dict[str, Any]:
    used = message.particulars.template
    document: dict[str, Any] = {"projectId": str(template.project_id), "version": template.version}
    if locale := template.locale or (used.locale if used else ""):
        document["locale"] = locale
    if values := message.particulars.template_values:
        document["parameters"] = [
            {"type": "string", "key": name, "value": given} for name, given in values.items()
        ]
    return document


def _body(message: OutboundMessage) -> dict[str, Any]:
    """A text, images, files, or a text with attachments: whichever says all that the media tell."""
    content = message.content
    media: Sequence[Mapping[str, Any]] = content.get("media") or ()
    actions = {"actions": list(map(_action, content["link_actions"]))} if content.get("link_actions") else {}
    if not media:
        return _typed("text", {"text": message.text, **actions}, content)
    if actions or any(_is_attachment(each) for each in media):
        if not message.text:
            raise Unsayable("mms.text: Bird takes inline media and link actions only beside a text")
        attachments = [_attachment(each) for each in media]
        return _typed("text", {"text": message.text, "attachments": attachments, **actions}, content)
    text = {"text": message.text} if message.text else {}
    if all(_is_image(each) and not each.get("file_name") for each in media):
        if len(media) > IMAGES_MAX:
            raise Unsayable(f"mms.media: Bird takes {IMAGES_MAX} at most")
        return _typed("image", {"images": [{"mediaUrl": each["url"]} for each in media], **text}, content)
    return _typed("file", {"files": [_file(at, each) for at, each in enumerate(media)], **text}, content)


def _typed(kind: str, said: dict[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"metadata": {"subject": content["subject"]}} if content.get("subject") else {}
    return {"type": kind, kind: said | metadata}


def _action(link: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "link", "link": {"text": link["text"], "url": link["url"]}}


def _is_attachment(media: Mapping[str, Any]) -> bool:
    """Whether no image or file says it: it is inline, or has a name and no type."""
    return bool(media.get("inline") or (media.get("file_name") and not media.get("content_type")))


def _is_image(media: Mapping[str, Any]) -> bool:
    """Whether it goes as an image: one whose type is not told is taken for one."""
    kind = str(media.get("content_type", ""))
    return not kind or kind.lower().startswith("image/")


def _file(place: int, media: Mapping[str, Any]) -> dict[str, Any]:
    if not media.get("content_type"):
        raise Unsayable(f"mms.media[{place}].content_type: Bird takes no file without it")
    named = {"filename": media["file_name"]} if media.get("file_name") else {}
    return {"mediaUrl": media["url"], "contentType": media["content_type"], **named}


def _attachment(media: Mapping[str, Any]) -> dict[str, Any]:
    """Beside a text, what a file is called is required; its address tells where its sender does not."""
    name = media.get("file_name") or unquote(urlsplit(media["url"]).path.rpartition("/")[2]) or "attachment"
    return {"mediaUrl": media["url"], "filename": name, "inline": bool(media.get("inline"))}
