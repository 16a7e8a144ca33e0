"""What is said, for each channel. Limits stand beside each field in `protos/waypost/v1/content.proto`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from waypost.vocabulary import Channel


@dataclass(frozen=True, slots=True)
class LinkAction:
    """A link that a text offers beside what it says, as a button: what it says, and where it leads."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Sms:
    """A text message. A plain str wherever content is asked for means this."""

    text: str
    subject: str = ""
    link_actions: Sequence[LinkAction] = ()

    channel = Channel.SMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that a provider fetches or carries."""

    url: str
    content_type: str = ""
    file_name: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Mms:
    """A multimedia message: a text, media, or both; link actions need a text."""

    text: str = ""
    subject: str = ""
    media: Sequence[Media] = ()
    link_actions: Sequence[LinkAction] = ()

    channel = Channel.MMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file sent with an email: its bytes in `data`, or a `url` that is fetched at dispatch."""

    file_name: str
    content_type: str
    data: bytes | None = field(default=None, repr=False)
    url: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """An email. At least one of `text` and `html` is set."""

    subject: str
    text: str = ""
    html: str = ""
    from_address: str = ""
    from_name: str = ""
    reply_to: str = ""
    style_class: str = ""
    attachments: Sequence[Attachment] = ()

    channel = Channel.EMAIL


@dataclass(frozen=True, slots=True)
class Push:
    """A push notification. `data` is handed to the application untouched."""

    body: str
    title: str = ""
    data: Mapping[str, str] = field(default_factory=dict)

    channel = Channel.PUSH


@dataclass(frozen=True, slots=True)
class InApp:
    """A message inside the sender's own application. Without a body: the SMS's text, else the email's."""

    body: str = ""

    channel = Channel.IN_APP


@dataclass(frozen=True, slots=True)
class Template:
    """A stored template to send instead of content: `parameters` are values for all recipients.

    version: "" is the latest. locale: a BCP 47 tag, as "en-GB".
    """

    name: str
    project: str = ""
    version: str = ""
    locale: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """The version and the locale of a template that a message was made with."""

    project: str
    name: str
    version: int
    locale: str


Content = Sms | Mms | Email | Push | InApp
"""What is said on one channel."""
