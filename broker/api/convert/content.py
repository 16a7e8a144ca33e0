"""Content: what a caller says on each channel, checked and made into documents, and back again.

A document is the JSON-ready form that is stored and that providers get: the protos' field names, absent
fields left out, bytes as base64.

A text with a "$" is bounded here by what may be written. Whether it may be said is judged when its
placeholders are filled in: here where it has none, by intake where it has.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.json_format import ParseDict

from broker.api.convert.findings import Findings
from broker.domain import link_action
from broker.domain.address import normal_mailbox
from broker.domain.header import unsafe_header
from broker.domain.links import LINK_CHARACTERS_MAX, is_url
from broker.domain.saying import (
    BODY_CHARACTERS_MAX,
    EMAIL_SUBJECT_CHARACTERS_MAX,
    MMS_SUBJECT_CHARACTERS_MAX,
    PUSH_BODY_CHARACTERS_MAX,
    PUSH_DATA_BYTES_MAX,
    PUSH_TITLE_CHARACTERS_MAX,
    SMS_SUBJECT_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    broken_rules,
    filled_all,
    has_dollar,
    names_of,
    texts_of,
)
from broker.domain.submission import NO_TOKENS, Content
from broker.domain.vocabulary import Channel
from waypost.v1 import content_pb2 as pb

WRITTEN_CHARACTERS_MAX = 10_000
"""Of a shorter text that has a "$": what its placeholders stand for may be shorter than their names."""

MEDIA_MAX = 10
NAME_CHARACTERS_MAX = 255
ATTACHMENTS_MAX = 10
ATTACHMENT_BYTES_MAX = 10 * 1024 * 1024
"""Of the attachments of one email that come as bytes, together."""

Document = dict[str, object]

_SMS = Channel.SMS  # looked up for every message, which costs as much as a call


REPEATED_KEPT_MAX = 1_024
REPEATED_BYTES_MAX = 2_048

_repeated: dict[bytes, Content] = {}


def repeated_content_of(content: pb.Content, findings: Findings) -> Content:
    """The same as `content_of` for what callers often say again: a small content is known by its bytes, and shared.

    The oldest of those that are kept makes room for another. What broke a rule is not kept.
    """
    written = content.SerializeToString()
    known = _repeated.get(written)
    if known is None:
        broken = len(findings.violations)
        known = content_of(content, findings)
        if len(written) <= REPEATED_BYTES_MAX and len(findings.violations) == broken:
            if len(_repeated) >= REPEATED_KEPT_MAX:
                del _repeated[next(iter(_repeated))]
            _repeated[written] = known
    return known


def content_of(content: pb.Content, findings: Findings, *, literal: bool = True) -> Content:
    """A document for each channel that the caller filled in, in the order of Content's fields.

    Unless `literal`, texts stay as they were written also where no placeholder is among them.
    """
    documents: dict[Channel, Document] = {}
    if content.HasField("sms"):
        documents[_SMS] = _sms(content.sms, findings)
    if content.HasField("mms"):
        documents[Channel.MMS] = _mms(content.mms, findings)
    if content.HasField("email"):
        documents[Channel.EMAIL] = _email(content.email, findings)
    if content.HasField("push"):
        documents[Channel.PUSH] = _push(content.push, findings)
    if content.HasField("in_app"):
        documents[Channel.IN_APP] = _in_app(content, findings)
    if not documents:
        findings.broke("content", "set at least one of sms, mms, email, push and in_app")
    return _with_names(documents, findings, literal) if has_dollar(documents) else Content(documents)


def _with_names(documents: Mapping[Channel, Document], findings: Findings, literal: bool) -> Content:
    """Content whose texts have a "$": with the names of its placeholders, or ready where it has none."""
    if names := names_of(documents):
        return Content(documents, names)
    for broken in broken_rules(list(texts_of(documents)), NO_TOKENS):
        findings.broke(f"content.{broken.path}", broken.rule)
    return Content(filled_all(documents, NO_TOKENS) if literal else documents)


def _text(field: str, value: str, characters_max: int, findings: Findings) -> None:
    written_max = max(characters_max, WRITTEN_CHARACTERS_MAX) if "$" in value else characters_max
    findings.text(field, value, written_max)


def _line(field: str, value: str, characters_max: int, findings: Findings) -> None:
    written_max = max(characters_max, WRITTEN_CHARACTERS_MAX) if "$" in value else characters_max
    findings.line(field, value, written_max)


def contents_message(documents: Mapping[Channel, Mapping[str, object]]) -> pb.Content:
    """All documents as the API shows them."""
    shown = {_FIELDS[channel]: dict(document) for channel, document in documents.items()}
    return ParseDict(shown, pb.Content(), ignore_unknown_fields=True)


def content_message(channel: Channel, document: Mapping[str, object]) -> pb.Content:
    """A stored document as the API shows it. Fields that a later version stored are left out."""
    return ParseDict({_FIELDS[channel]: dict(document)}, pb.Content(), ignore_unknown_fields=True)


_FIELDS = {
    Channel.SMS: "sms",
    Channel.MMS: "mms",
    Channel.EMAIL: "email",
    Channel.PUSH: "push",
    Channel.IN_APP: "in_app",
}


def _present(**fields: object) -> Document:
    return {name: value for name, value in fields.items() if value}


def _sms(sms: pb.SmsContent, findings: Findings) -> Document:
    text, subject = sms.text, sms.subject
    if not text:
        findings.broke("content.sms.text", "must not be empty")
    findings.text("content.sms.text", text, TEXT_CHARACTERS_MAX)
    document: Document = {"text": text}
    if subject:
        _line("content.sms.subject", subject, SMS_SUBJECT_CHARACTERS_MAX, findings)
        document["subject"] = subject
    if sms.link_actions:
        document[link_action.FIELD] = _link_actions("content.sms", sms.link_actions, findings)
    return document


def _mms(mms: pb.MmsContent, findings: Findings) -> Document:
    if not mms.text and not mms.media:
        findings.broke("content.mms.text", "must not be empty when there is no media")
    findings.text("content.mms.text", mms.text, TEXT_CHARACTERS_MAX)
    _line("content.mms.subject", mms.subject, MMS_SUBJECT_CHARACTERS_MAX, findings)
    media: list[Document] = []
    if findings.count("content.mms.media", len(mms.media), MEDIA_MAX):
        media = [
            _media(f"content.mms.media[{index}]", each, findings) for index, each in enumerate(mms.media)
        ]
    actions = _link_actions("content.mms", mms.link_actions, findings) if mms.link_actions else []
    if actions and not mms.text:
        findings.broke("content.mms.text", "must not be empty where it has link_actions")
    return _present(subject=mms.subject, text=mms.text, media=media, link_actions=actions)


def _link_actions(path: str, given: Sequence[pb.LinkAction], findings: Findings) -> list[Document]:
    field = f"{path}.{link_action.FIELD}"
    if not findings.count(field, len(given), link_action.LINK_ACTIONS_MAX):
        return []
    return [_link_action(f"{field}[{index}]", each, findings) for index, each in enumerate(given)]


def _link_action(path: str, action: pb.LinkAction, findings: Findings) -> Document:
    if not action.text:
        findings.broke(f"{path}.text", "must not be empty")
    _line(f"{path}.text", action.text, link_action.ACTION_TEXT_CHARACTERS_MAX, findings)
    _line(f"{path}.url", action.url, LINK_CHARACTERS_MAX, findings)
    if "$" not in action.url and not is_url(action.url):
        findings.broke(f"{path}.url", "must be an http or https URL")
    return {"text": action.text, "url": action.url}


def _media(path: str, media: pb.Media, findings: Findings) -> Document:
    findings.url(f"{path}.url", media.url)
    if media.content_type:
        findings.media_type(f"{path}.content_type", media.content_type)
    findings.line(f"{path}.file_name", media.file_name, NAME_CHARACTERS_MAX)
    return _present(
        url=media.url, content_type=media.content_type, file_name=media.file_name, inline=media.inline
    )


def _email(email: pb.EmailContent, findings: Findings) -> Document:
    if not email.subject:
        findings.broke("content.email.subject", "must not be empty")
    _line("content.email.subject", email.subject, EMAIL_SUBJECT_CHARACTERS_MAX, findings)
    if problem := unsafe_header(email.subject):
        findings.broke("content.email.subject", problem)
    if not email.text and not email.html:
        findings.broke("content.email.text", "must not be empty when html is empty too")
    findings.text("content.email.text", email.text, BODY_CHARACTERS_MAX)
    findings.text("content.email.html", email.html, BODY_CHARACTERS_MAX)
    for field, address in (("from_address", email.from_address), ("reply_to", email.reply_to)):
        if address and normal_mailbox(address) is None:
            findings.broke(f"content.email.{field}", 'must be a mailbox, as "ada@example.org"')
    findings.header("content.email.from_name", email.from_name, NAME_CHARACTERS_MAX)
    findings.line("content.email.style_class", email.style_class, NAME_CHARACTERS_MAX)
    return _present(
        subject=email.subject,
        text=email.text,
        html=email.html,
        from_address=email.from_address.strip(),
        from_name=email.from_name,
        reply_to=email.reply_to.strip(),
        style_class=email.style_class,
        attachments=_attachments(email.attachments, findings),
    )


def _attachments(attachments: Iterable[pb.Attachment], findings: Findings) -> list[Document]:
    given = list(attachments)
    if not findings.count("content.email.attachments", len(given), ATTACHMENTS_MAX):
        return []
    size = sum(len(each.data) for each in given)
    if size > ATTACHMENT_BYTES_MAX:
        rule = f"have {size:,} bytes together; at most {ATTACHMENT_BYTES_MAX:,} are allowed"
        findings.broke("content.email.attachments", rule)
        return []
    return [
        _attachment(f"content.email.attachments[{index}]", each, findings) for index, each in enumerate(given)
    ]


def _attachment(path: str, attachment: pb.Attachment, findings: Findings) -> Document:
    name = attachment.file_name
    if not name:
        findings.broke(f"{path}.file_name", "must not be empty")
    if "/" in name or "\\" in name:
        findings.broke(f"{path}.file_name", "must not contain path separators")
    findings.header(f"{path}.file_name", name, NAME_CHARACTERS_MAX)
    findings.media_type(f"{path}.content_type", attachment.content_type)
    document = _present(file_name=name, content_type=attachment.content_type, inline=attachment.inline)
    source = attachment.WhichOneof("source")
    if source == "data":
        document["data"] = b64encode(attachment.data).decode("ascii")
    elif source == "url":
        findings.secure_url(f"{path}.url", attachment.url)
        document["url"] = attachment.url
    else:
        findings.broke(path, "set one of data and url")
    return document


def _push(push: pb.PushContent, findings: Findings) -> Document:
    if not push.body:
        findings.broke("content.push.body", "must not be empty")
    _text("content.push.body", push.body, PUSH_BODY_CHARACTERS_MAX, findings)
    _line("content.push.title", push.title, PUSH_TITLE_CHARACTERS_MAX, findings)
    data = dict(push.data)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in data.items())
    if size > PUSH_DATA_BYTES_MAX:
        findings.broke(
            "content.push.data", f"has {size:,} bytes; at most {PUSH_DATA_BYTES_MAX:,} are allowed"
        )
    elif any("\0" in key or "\0" in value for key, value in data.items()):
        findings.broke("content.push.data", "must not contain the NUL character (U+0000)")
    return _present(title=push.title, body=push.body, data=data)


def _in_app(content: pb.Content, findings: Findings) -> Document:
    # An empty body is a wish to say the same as elsewhere, so it is filled in once, here.
    body = content.in_app.body or content.sms.text or content.email.text
    if not body:
        findings.broke("content.in_app.body", "must not be empty when neither sms.text nor email.text is set")
    findings.text("content.in_app.body", body, TEXT_CHARACTERS_MAX)
    return {"body": body}
