"""Recipients and wishes → SendRequests: neighbours with one text share a request, requests share frames."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, groupby

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from broker.cli.contact_words import ids_of
from broker.cli.failures import UsageError
from broker.cli.recipients import Recipients, Row
from broker.domain.tokens import is_name, names_in
from waypost.v1 import channel_pb2, content_pb2, recipient_pb2, send_pb2

RECIPIENTS_MAX = 100
"""In one SendRequest."""

FRAME_RECIPIENTS_MAX = 1_000
FRAME_BYTES_MAX = 4 * 1024 * 1024
"""A frame is one commit. The broker takes up to 1,000 requests, and 16 MiB unless it was set lower."""


@dataclass(frozen=True, slots=True)
class TemplateWish:
    """A stored template to send instead of a text. `name` may have its project before it, as "shop/bill"."""

    name: str
    version: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options of one `send` say about all of its messages."""

    text: str = ""
    subject: str = ""
    sender: str = ""
    sender_pool: str = ""
    traffic: str = ""
    channels: Sequence[str] = ()
    schedule_time: datetime | None = None
    validity: timedelta | None = None
    client_reference: str = ""
    campaign: str = ""
    tags: Sequence[str] = ()
    data: str = ""
    request_id: str = ""
    provider: str = ""
    validate_only: bool = False
    delegation: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict)
    template: TemplateWish | None = None
    options: send_pb2.SendOptions | None = None
    link_actions: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request and the rows it is for: recipient 0 is row `first_row`."""

    request: send_pb2.SendRequest
    first_row: int

    @property
    def row_count(self) -> int:
        """How many rows it is for."""
        return len(self.request.recipients)


def plan_requests(rows: Sequence[Row], wishes: Wishes) -> list[PlannedRequest]:
    """The requests for all rows, in their order. Raises UsageError for a row that has nothing to say."""
    if wishes.template and any((
        wishes.text,
        wishes.subject,
        wishes.link_actions,
        *(row.text for row in rows),
    )):
        raise UsageError("--template says it all: leave out text, subject and link actions, also in a file")
    plans: list[PlannedRequest] = []
    for text, neighbours in groupby(enumerate(rows), key=lambda each: each[1].text or wishes.text):
        numbered = list(neighbours)
        if not (text or wishes.template):
            raise UsageError(f"recipient {numbered[0][0] + 1} has no text; give --text, or fill its column")
        for start in range(0, len(numbered), RECIPIENTS_MAX):
            part = numbered[start : start + RECIPIENTS_MAX]
            plans.append(PlannedRequest(_request([row for _, row in part], text, wishes), part[0][0]))
    _name_requests(plans, wishes.request_id)
    return plans


def unused_columns(recipients: Recipients, wishes: Wishes) -> list[str]:
    """The columns of a file that nothing of the command uses; what a template uses only the broker knows."""
    if wishes.template:
        return [column for column in recipients.token_columns if not is_name(column)]
    texts = {
        wishes.text,
        wishes.subject,
        *chain(*wishes.link_actions),
        *(row.text for row in recipients.rows),
    }
    names = frozenset().union(*map(names_in, texts))
    return [column for column in recipients.token_columns if column not in names]


def frames_of(plans: Sequence[PlannedRequest]) -> Iterator[list[PlannedRequest]]:
    """The same as frames for SendStream, each within the limits of its recipients and its bytes."""
    frame: list[PlannedRequest] = []
    recipients = size = 0
    for plan in plans:
        plan_size = plan.request.ByteSize()
        recipients += plan.row_count
        size += plan_size
        if frame and (recipients > FRAME_RECIPIENTS_MAX or size > FRAME_BYTES_MAX):
            yield frame
            frame, recipients, size = [], plan.row_count, plan_size
        frame.append(plan)
    if frame:
        yield frame


def _name_requests(plans: Sequence[PlannedRequest], request_id: str) -> None:
    """One request has the id as it is; of several each has its own, the same when the command is repeated."""
    if not request_id:
        return
    for number, plan in enumerate(plans, start=1):
        plan.request.request_id = request_id if len(plans) == 1 else f"{request_id}/{number}"


def _request(rows: Sequence[Row], text: str, wishes: Wishes) -> send_pb2.SendRequest:
    said = (text, wishes.subject, *chain(*wishes.link_actions))
    names = None if wishes.template else frozenset().union(*map(names_in, said))
    return send_pb2.SendRequest(
        recipients=[_recipient(row, wishes.delegation, names) for row in rows],
        content=None if wishes.template else _content(rows, text, wishes),
        template=template_ref(wishes.template, wishes.tokens) if wishes.template else None,
        sender=wishes.sender,
        sender_pool=wishes.sender_pool,
        traffic=channel_pb2.Traffic.Value(f"TRAFFIC_{(wishes.traffic or 'unspecified').upper()}"),
        channels=[channel_pb2.Channel.Value(f"CHANNEL_{name.upper()}") for name in wishes.channels],
        schedule_time=_timestamp(wishes.schedule_time),
        validity=_duration(wishes.validity),
        client_reference=wishes.client_reference,
        campaign=send_pb2.Campaign(id=wishes.campaign) if wishes.campaign else None,
        data=wishes.data,
        tags=wishes.tags,
        provider=wishes.provider,
        validate_only=wishes.validate_only,
        tokens=None if wishes.template else wishes.tokens,
        options=wishes.options,
    )


def template_ref(wish: TemplateWish, values: Mapping[str, str]) -> content_pb2.TemplateRef:
    """The template by its project and name, with values for its parameters."""
    project, _, name = wish.name.rpartition("/")
    return content_pb2.TemplateRef(
        project=project, name=name, version=wish.version, locale=wish.locale, parameters=values
    )


def _recipient(row: Row, delegation: str, names: AbstractSet[str] | None) -> recipient_pb2.Recipient:
    """One recipient, with its own values of these names; None: of all that a template may ask for."""
    wanted = filter(is_name, row.tokens) if names is None else names & row.tokens.keys()
    tokens = {name: row.tokens[name] for name in wanted}
    if row.contact:
        ids = ids_of(row.contact)
        return recipient_pb2.Recipient(
            contact_id=ids.contact_id,
            external_id=ids.external_id,
            delegation=recipient_pb2.Delegation.Value(f"DELEGATION_{(delegation or 'direct').upper()}"),
            client_reference=row.client_reference,
            tokens=tokens,
        )
    return recipient_pb2.Recipient(
        phone_number=row.phone_number,
        email=row.email,
        device_token=row.device_token,
        client_reference=row.client_reference,
        tokens=tokens,
    )


def _content(rows: Sequence[Row], text: str, wishes: Wishes) -> content_pb2.Content:
    """The text for each channel that was asked for, else for those that the recipients' addresses need."""
    channels = set(wishes.channels) or _channels_of(rows)
    if not wishes.channels and wishes.subject and any(row.contact for row in rows):
        channels.add("email")
    if "email" in channels and not wishes.subject:
        raise UsageError("an email needs a --subject")
    actions = [content_pb2.LinkAction(text=said, url=url) for said, url in wishes.link_actions]
    if actions and channels.isdisjoint({"sms", "mms"}):
        raise UsageError("--link-action is for an SMS or an MMS")
    sms = content_pb2.SmsContent(text=text, link_actions=actions)
    mms = content_pb2.MmsContent(text=text, subject=wishes.subject, link_actions=actions)
    return content_pb2.Content(
        sms=sms if "sms" in channels else None,
        mms=mms if "mms" in channels else None,
        email=content_pb2.EmailContent(text=text, subject=wishes.subject) if "email" in channels else None,
        push=content_pb2.PushContent(body=text, title=wishes.subject) if "push" in channels else None,
        in_app=content_pb2.InAppContent(body=text) if "in_app" in channels else None,
    )


def _channels_of(rows: Sequence[Row]) -> set[str]:
    channels = set()
    if any(row.phone_number or row.contact for row in rows):
        channels.add("sms")
    if any(row.email for row in rows):
        channels.add("email")
    if any(row.device_token for row in rows):
        channels.add("push")
    return channels


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


def _duration(span: timedelta | None) -> Duration | None:
    if span is None:
        return None
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
