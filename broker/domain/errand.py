"""What is left to do about a message that came in, once it is stored: answer it, and hand it on."""

from broker.domain.consent import Act
from broker.domain.ids import format_id
from broker.domain.price import PricedItem
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Reason, Traffic

AUTOREPLY = "autoreply"
"""Who made an answer: the text of a keyword."""

FORWARD_SUBJECT_TEXT = "Message from {person} to {address}"


@value
class Errand:
    """What follows from one message that came in.

    `sender` is what answers are from ("": the default of `provider`). `act` and `standing` are set by a word of
    consent: what was said, and what to tell the person of what holds now, also in plain English for
    providers that carry nothing else (`standing_plain`). `called_back`: its keyword's URL is called, and may answer.
    `asks_hook`: plugins may.
    """

    message_id: int
    account_id: int
    provider: str
    person: str
    address: str
    sender: str
    channel: Channel
    text: str
    received_at_us: int
    reply_to: int | None = None
    keyword: str = ""
    act: Act | None = None
    standing: str = ""
    standing_plain: str = ""
    autoreply: str = ""
    forward_to: str = ""
    called_back: bool = False
    asks_hook: bool = False


@value
class AutoReply:
    """An answer that the broker sends by itself to a message that came in; each message gets one at most.

    `by` says who made it, and is the answer's origin. With `refused_for` it is not sent, and seen as refused.
    """

    errand: Errand
    text: str
    by: str
    refused_for: Reason | None = None
    detail: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """Who talks to whom: our address, and the person."""
        return self.errand.address, self.errand.person


def reply_submission(reply: AutoReply, provider: str) -> Submission:
    """The answer as intake takes it. Its request_id makes it one, however often it is asked for."""
    errand = reply.errand
    mailbox = "@" in errand.person
    documents = (
        {Channel.EMAIL: {"subject": "Your message", "text": reply.text}}
        if mailbox
        else {Channel.SMS: {"text": reply.text}}
    )
    return Submission(
        account_id=errand.account_id,
        recipients=(Recipient(email=errand.person) if mailbox else Recipient(phone_number=errand.person),),
        content=Content(documents),
        request_id=f"answer/{format_id(errand.message_id)}",
        sender=errand.sender,
        traffic=Traffic.CONVERSATIONAL,
        reply_to_message_id=errand.message_id,
        provider=provider,
        origin=reply.by,
        refused_for=reply.refused_for,
        refusal_detail=reply.detail,
        answers_consent=errand.act is not None,
        priced_as=PricedItem.AUTOREPLY if reply.by == AUTOREPLY else PricedItem.MESSAGE_UNIT,
    )


def forward_submission(errand: Errand) -> Submission:
    """The message as an email to whom the keyword forwards to. Forwarding is free of charge."""
    # A provider reports addresses as it likes, and a header is one line.
    subject = " ".join(FORWARD_SUBJECT_TEXT.format(person=errand.person, address=errand.address).split())
    return Submission(
        account_id=errand.account_id,
        recipients=(Recipient(email=errand.forward_to),),
        content=Content({Channel.EMAIL: {"subject": subject, "text": errand.text or " "}}),
        request_id=f"forward/{format_id(errand.message_id)}",
        traffic=Traffic.TRANSACTIONAL,
        reply_to_message_id=errand.message_id,
        origin="forward",
        priced_as=None,
    )
