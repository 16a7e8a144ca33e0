"""Content, to protobuf and back."""

from collections.abc import Iterable

from waypost.content import Attachment, Content, Email, InApp, LinkAction, Media, Mms, Push, Sms, Template
from waypost.sending import Body
from waypost.v1 import content_pb2 as pb


def content_message(body: Body) -> pb.Content:
    """What to send. Raises ValueError for two contents of one channel."""
    message = pb.Content()
    seen = set()
    for content in _contents(body):
        if content.channel in seen:
            raise ValueError(f"there are two contents for {content.channel}")
        seen.add(content.channel)
        _put(content, message)
    return message


def template_message(template: Template | str) -> pb.TemplateRef:
    """A template, or the latest version of one by its name alone."""
    if isinstance(template, str):
        return pb.TemplateRef(name=template)
    return pb.TemplateRef(
        project=template.project,
        name=template.name,
        version=template.version,
        locale=template.locale,
        parameters=template.parameters,
    )


def content_of(message: pb.Content) -> Content | None:
    """What is said on the one channel that is set; None where none is that this client knows."""
    match [descriptor.name for descriptor, _ in message.ListFields()]:
        case ["sms"]:
            return Sms(message.sms.text, message.sms.subject, _link_actions(message.sms.link_actions))
        case ["mms"]:
            media = tuple(map(_media, message.mms.media))
            return Mms(message.mms.text, message.mms.subject, media, _link_actions(message.mms.link_actions))
        case ["email"]:
            return _email(message.email)
        case ["push"]:
            return Push(message.push.body, message.push.title, dict(message.push.data))
        case ["in_app"]:
            return InApp(message.in_app.body)
    return None


def _contents(body: Body) -> Iterable[Content]:
    if isinstance(body, str):
        return (Sms(body),)
    if isinstance(body, Sms | Mms | Email | Push | InApp):
        return (body,)
    return body


def _put(content: Content, message: pb.Content) -> None:
    match content:
        case Sms():
            actions = _link_action_messages(content.link_actions)
            sms = pb.SmsContent(text=content.text, subject=content.subject, link_actions=actions)
            message.sms.CopyFrom(sms)
        case Mms():
            media = [
                pb.Media(
                    url=each.url, content_type=each.content_type, file_name=each.file_name, inline=each.inline
                )
                for each in content.media
            ]
            actions = _link_action_messages(content.link_actions)
            mms = pb.MmsContent(subject=content.subject, text=content.text, media=media, link_actions=actions)
            message.mms.CopyFrom(mms)
        case Email():
            message.email.CopyFrom(_email_message(content))
        case Push():
            push = pb.PushContent(title=content.title, body=content.body, data=content.data)
            message.push.CopyFrom(push)
        case InApp():
            message.in_app.CopyFrom(pb.InAppContent(body=content.body))


def _link_action_messages(actions: Iterable[LinkAction]) -> list[pb.LinkAction]:
    return [pb.LinkAction(text=each.text, url=each.url) for each in actions]


def _link_actions(actions: Iterable[pb.LinkAction]) -> tuple[LinkAction, ...]:
    return tuple(LinkAction(each.text, each.url) for each in actions)


def _email_message(email: Email) -> pb.EmailContent:
    return pb.EmailContent(
        subject=email.subject,
        text=email.text,
        html=email.html,
        from_address=email.from_address,
        from_name=email.from_name,
        reply_to=email.reply_to,
        style_class=email.style_class,
        attachments=map(_attachment_message, email.attachments),
    )


def _attachment_message(attachment: Attachment) -> pb.Attachment:
    message = pb.Attachment(
        file_name=attachment.file_name, content_type=attachment.content_type, inline=attachment.inline
    )
    match attachment.data, attachment.url:
        case bytes(data), None:
            message.data = data
        case None, str(url):
            message.url = url
        case _:
            raise ValueError(f"attachment {attachment.file_name!r}: give one of data and url")
    return message


def _email(email: pb.EmailContent) -> Email:
    return Email(
        subject=email.subject,
        text=email.text,
        html=email.html,
        from_address=email.from_address,
        from_name=email.from_name,
        reply_to=email.reply_to,
        style_class=email.style_class,
        attachments=tuple(map(_attachment, email.attachments)),
    )


def _attachment(attachment: pb.Attachment) -> Attachment:
    return Attachment(
        file_name=attachment.file_name,
        content_type=attachment.content_type,
        data=attachment.data if attachment.HasField("data") else None,
        url=attachment.url if attachment.HasField("url") else None,
        inline=attachment.inline,
    )


def _media(media: pb.Media) -> Media:
    return Media(
        url=media.url, content_type=media.content_type, file_name=media.file_name, inline=media.inline
    )
