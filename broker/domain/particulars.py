"""What only some messages have beside their content, as a provider gets it."""

from collections.abc import Mapping
from dataclasses import field

from broker.domain.submission import NO_TOKENS, Campaign, TemplateUsed
from broker.domain.value import value


@value
class Particulars:
    """What only some messages have. Each is empty where its caller asked for nothing of the kind.

    `campaign` and `origin` are the caller's, for reports. `reply_to_message_id` is the message that came in and
    is answered; `reply_to_provider_message_id` is the upstream's own id of it, "" where another instance brought it.
    `ignore_quiet_hours`: the caller wants it sent also while it is quiet where the recipient is. `cap_frequency`: the
    caller wants it held to a frequency cap; it is promotional then, and goes to a contact of the directory.
    `links_shortened`: the content's links are short ones of the broker's already.
    `template` is the stored template that the content was made with, and `template_values` are the values of its
    placeholders.
    """

    campaign: Campaign | None = None
    origin: str = ""
    reply_to_message_id: str = ""
    reply_to_provider_message_id: str = ""
    ignore_quiet_hours: bool = False
    cap_frequency: bool = False
    links_shortened: bool = False
    template: TemplateUsed | None = None
    template_values: Mapping[str, str] = field(default_factory=lambda: NO_TOKENS)


NO_PARTICULARS = Particulars()
