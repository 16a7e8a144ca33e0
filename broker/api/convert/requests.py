"""SendRequest → Submission: every rule of size and shape, each where its field's proto comment states it.

What concerns one recipient alone (a malformed number, a sender that does not fit the channel) passes
here: intake makes it that recipient's result. Here is what refuses the call as a whole.

This runs for every message, so a field that was not set costs one look and nothing more.
"""

from collections.abc import Sequence

from broker.api.convert.content import repeated_content_of
from broker.api.convert.directory import EXTERNAL_ID_CHARACTERS_MAX, contact_number
from broker.api.convert.findings import Findings
from broker.api.convert.send_options import with_options
from broker.api.convert.templates import template_ref_of
from broker.api.convert.times import US_PER_S
from broker.api.convert.tokens import tokens_of
from broker.api.convert.words import CALLBACK_METHODS, CHANNELS, DELEGATIONS, GUARANTEES, TRAFFICS
from broker.domain.callback_url import CallbackMethod, callback_url_problem
from broker.domain.directory import ContactRef, Named
from broker.domain.ids import parse_id
from broker.domain.sender import is_pool
from broker.domain.submission import Callback, Campaign, Content, Recipient, Submission, TemplateRef
from broker.domain.vocabulary import Channel, Delegation, Guarantee, Traffic
from waypost.v1 import message_service_pb2, recipient_pb2, send_pb2

RECIPIENTS_MAX = 100
REQUEST_ID_CHARACTERS_MAX = 128
CLIENT_REFERENCE_CHARACTERS_MAX = 128
DATA_CHARACTERS_MAX = 2_048
CAMPAIGN_ID_CHARACTERS_MAX = 64
CAMPAIGN_NAME_CHARACTERS_MAX = 128
TAGS_MAX = 10
TAG_CHARACTERS_MAX = 64
ORIGIN_CHARACTERS_MAX = 64
DEVICE_TOKEN_CHARACTERS_MAX = 4_096
SCHEDULE_AHEAD_DAYS_MAX = 35
VALIDITY_S_MIN = 1
VALIDITY_S_MAX = 7 * 86_400
# The protos name no limit for these: room for every legal value, and an end to it.
SENDER_CHARACTERS_MAX = 254
PROVIDER_CHARACTERS_MAX = 128
ADDRESS_CHARACTERS_MAX = 1_024

# Looked up for every message, which costs as much as a call.
_TRANSACTIONAL, _AT_LEAST_ONCE = Traffic.TRANSACTIONAL, Guarantee.AT_LEAST_ONCE
_NO_CONTENT = Content({})
_PLAIN_CHARACTERS_MAX = min(
    REQUEST_ID_CHARACTERS_MAX,
    SENDER_CHARACTERS_MAX,
    CLIENT_REFERENCE_CHARACTERS_MAX,
    PROVIDER_CHARACTERS_MAX,
    ORIGIN_CHARACTERS_MAX,
)
_NUMBER_BYTES_MAX = 127
"""Up to here the length of a field takes one byte on the wire."""

_SCHEDULE_AHEAD_US_MAX = SCHEDULE_AHEAD_DAYS_MAX * 86_400 * US_PER_S


def submission_of(request: send_pb2.SendRequest, account_id: int, now_us: int) -> Submission:
    """What a caller asks for. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    submission = submission_in(request, account_id, now_us, findings)
    findings.refuse()
    return submission


def names_contacts(request: send_pb2.SendRequest) -> bool:
    """Whether any recipient is somebody of the directory."""
    return any(each.contact_id or each.external_id for each in request.recipients)


def submission_in(
    request: send_pb2.SendRequest,
    account_id: int,
    now_us: int,
    findings: Findings,
    *,
    recipients_min: int = 1,
    recipients_max: int = RECIPIENTS_MAX,
) -> Submission:
    """The same with what is wrong in `findings`; only where that is nothing is the answer what was asked for."""
    has_options = request.HasField("options")
    content = _body(request, findings)
    request_id, sender, client_reference, provider, origin, data = _texts(request, findings)
    traffic, guarantee, channels, tags = request.traffic, request.guarantee, request.channels, request.tags
    recipients, names_contacts = _recipients(
        request.recipients, findings, now_us, recipients_min, recipients_max
    )
    # In the order of the fields: by name it takes three times as long.
    submission = Submission(
        account_id,
        recipients,
        content,
        request_id,
        sender,
        TRAFFICS.get(traffic) or findings.word("traffic", traffic, TRAFFICS) or _TRANSACTIONAL,
        _channels(channels, content, findings) if channels else (),
        GUARANTEES.get(guarantee) or findings.word("guarantee", guarantee, GUARANTEES) or _AT_LEAST_ONCE,
        _schedule("schedule_time", request, findings, now_us) if request.HasField("schedule_time") else None,
        _validity(request, findings) if request.HasField("validity") else None,
        client_reference,
        _campaign(request.campaign, findings) if request.HasField("campaign") else None,
        data,
        _tags(tags, findings) if tags else (),
        _reply_to(request.reply_to_message_id, findings) if request.reply_to_message_id else None,
        provider,
        origin,
        request.validate_only,
        names_contacts,
        _callback(request, findings) if has_options or request.callback_url else None,
        tokens_of("tokens", request.tokens, findings) if request.tokens else None,
        None if content is not _NO_CONTENT else _template(request, findings),
        sender_pool=_sender_pool(request, findings) if request.sender_pool else "",
    )
    return with_options(submission, request, findings) if has_options else submission


def _callback(request: send_pb2.SendRequest, findings: Findings) -> Callback | None:
    method = findings.word("options.callback_method", request.options.callback_method, CALLBACK_METHODS)
    if not request.callback_url:
        if method is CallbackMethod.GET:
            findings.broke("options.callback_method", "says how callback_url is called, and there is none")
        return None
    problem = callback_url_problem(request.callback_url, method or CallbackMethod.POST)
    if problem is not None:
        findings.broke("callback_url", problem)
    return Callback(request.callback_url, method or CallbackMethod.POST)


def _body(request: send_pb2.SendRequest, findings: Findings) -> Content:
    body = request.WhichOneof("body")
    if body == "content":
        return repeated_content_of(request.content, findings)
    if body is None:
        findings.broke("content", "set content or template")
    return _NO_CONTENT


def _template(request: send_pb2.SendRequest, findings: Findings) -> TemplateRef | None:
    return template_ref_of(request.template, findings) if request.HasField("template") else None


def _texts(request: send_pb2.SendRequest, findings: Findings) -> tuple[str, str, str, str, str, str]:
    request_id, sender, client_reference = request.request_id, request.sender, request.client_reference
    provider, origin, data = request.provider, request.origin, request.data
    lines = request_id + sender + client_reference + provider + origin
    # Together within the shortest limit and without control characters: then each of them is, and few are not.
    if len(lines) > _PLAIN_CHARACTERS_MAX or not lines.isprintable():
        _check_lines(request, findings)
    if data:
        findings.text("data", data, DATA_CHARACTERS_MAX)
    return request_id, sender, client_reference, provider, origin, data


def _check_lines(request: send_pb2.SendRequest, findings: Findings) -> None:
    findings.line("request_id", request.request_id, REQUEST_ID_CHARACTERS_MAX)
    findings.line("sender", request.sender, SENDER_CHARACTERS_MAX)
    findings.line("client_reference", request.client_reference, CLIENT_REFERENCE_CHARACTERS_MAX)
    findings.line("provider", request.provider, PROVIDER_CHARACTERS_MAX)
    findings.line("origin", request.origin, ORIGIN_CHARACTERS_MAX)


def _sender_pool(request: send_pb2.SendRequest, findings: Findings) -> str:
    if not is_pool(request.sender_pool):
        findings.broke("sender_pool", 'must be 1 to 64 letters, digits, "_", "-" and "."')
    if request.sender:
        findings.broke("sender_pool", "names who it is from, and so does sender: leave one out")
    return request.sender_pool


def _recipients(
    recipients: Sequence[recipient_pb2.Recipient],
    findings: Findings,
    now_us: int,
    count_min: int,
    count_max: int,
) -> tuple[tuple[Recipient, ...], bool]:
    """The recipients, and whether any of them is named as a contact."""
    if len(recipients) < count_min:
        findings.broke("recipients", "at least one is needed")
    if not findings.count("recipients", len(recipients), count_max):
        return (), False
    given: list[Recipient] = []
    names_contacts = False
    for recipient in recipients[:]:  # a slice is a list, and protobuf's own iterator takes twice as long
        number = recipient.phone_number
        # Most recipients are a phone number and nothing else: then they are no longer than that on the wire, where a
        # field's number and its length take a byte each.
        if (
            number
            and len(number) <= _NUMBER_BYTES_MAX
            and recipient.ByteSize() == len(number) + 2
            and "\0" not in number
        ):
            given.append(Recipient(number))
        else:
            given.append(_recipient(len(given), recipient, findings, now_us))
            names_contacts = names_contacts or given[-1].contact is not None
    return tuple(given), names_contacts


def _recipient(index: int, recipient: recipient_pb2.Recipient, findings: Findings, now_us: int) -> Recipient:
    path = f"recipients[{index}]"
    number, email, device_token = recipient.phone_number, recipient.email, recipient.device_token
    named = (recipient.contact_id != "") + (recipient.external_id != "")
    if named + bool(number or email or device_token) != 1:
        findings.broke(
            path, "set one of contact_id and external_id, or any of phone_number, email and device_token"
        )
    delegation = findings.word(f"{path}.delegation", recipient.delegation, DELEGATIONS) or Delegation.DIRECT
    if delegation is not Delegation.DIRECT and not named:
        findings.broke(f"{path}.delegation", "needs contact_id or external_id")
    findings.text(f"{path}.phone_number", number, ADDRESS_CHARACTERS_MAX)
    findings.text(f"{path}.email", email, ADDRESS_CHARACTERS_MAX)
    findings.line(f"{path}.device_token", device_token, DEVICE_TOKEN_CHARACTERS_MAX)
    findings.line(f"{path}.client_reference", recipient.client_reference, CLIENT_REFERENCE_CHARACTERS_MAX)
    findings.text(f"{path}.data", recipient.data, DATA_CHARACTERS_MAX)
    return Recipient(
        phone_number=number or None,
        email=email or None,
        device_token=device_token or None,
        schedule_at_us=_schedule(f"{path}.schedule_time", recipient, findings, now_us),
        client_reference=recipient.client_reference or None,
        data=recipient.data or None,
        contact=Named(_contact(path, recipient, findings), delegation) if named else None,
        tokens=tokens_of(f"{path}.tokens", recipient.tokens, findings) if recipient.tokens else None,
    )


def _contact(path: str, recipient: recipient_pb2.Recipient, findings: Findings) -> ContactRef:
    if recipient.external_id:
        findings.line(f"{path}.external_id", recipient.external_id, EXTERNAL_ID_CHARACTERS_MAX)
        return ContactRef(external_id=recipient.external_id)
    return ContactRef(contact_id=contact_number(recipient.contact_id))


def _channels(numbers: Sequence[int], content: Content, findings: Findings) -> tuple[Channel, ...]:
    if not findings.count("channels", len(numbers), len(Channel)):
        return ()
    channels: list[Channel] = []
    for index, number in enumerate(numbers):
        channel = findings.word(f"channels[{index}]", number, CHANNELS)
        if channel in channels:
            findings.broke(f"channels[{index}]", f"{channel.name} is named twice")
        elif channel is not None:
            channels.append(channel)
    if channels and content.documents and content.documents.keys().isdisjoint(channels):
        findings.broke("channels", "none of them has content")
    return tuple(channels)


def _schedule(
    field: str, holder: send_pb2.SendRequest | recipient_pb2.Recipient, findings: Findings, now_us: int
) -> int | None:
    if not holder.HasField("schedule_time"):
        return None
    at_us = findings.time(field, holder.schedule_time)
    if at_us is not None and at_us > now_us + _SCHEDULE_AHEAD_US_MAX:
        findings.broke(field, f"is more than {SCHEDULE_AHEAD_DAYS_MAX} days ahead")
    return at_us


def redrive_validity_us_of(request: message_service_pb2.RedriveMessageRequest) -> int | None:
    """The validity of a RedriveMessageRequest. Raises BrokerError with every rule that the request breaks."""
    findings = Findings()
    findings.line("request_id", request.request_id, REQUEST_ID_CHARACTERS_MAX)
    validity_us = _validity(request, findings)
    findings.refuse()
    return validity_us


def _validity(
    request: send_pb2.SendRequest | message_service_pb2.RedriveMessageRequest, findings: Findings
) -> int | None:
    if not request.HasField("validity"):
        return None
    return findings.span("validity", request.validity, s_min=VALIDITY_S_MIN, s_max=VALIDITY_S_MAX)


def _campaign(campaign: send_pb2.Campaign, findings: Findings) -> Campaign | None:
    findings.line("campaign.id", campaign.id, CAMPAIGN_ID_CHARACTERS_MAX)
    findings.line("campaign.name", campaign.name, CAMPAIGN_NAME_CHARACTERS_MAX)
    if campaign.name and not campaign.id:
        findings.broke("campaign.id", "must not be empty when campaign.name is set")
    return Campaign(campaign.id, campaign.name) if campaign.id else None


def _tags(given: Sequence[str], findings: Findings) -> tuple[str, ...]:
    if not findings.count("tags", len(given), TAGS_MAX):
        return ()
    tags = [normal_tag(tag) for tag in given]
    for index, tag in enumerate(tags):
        if not tag:
            findings.broke(f"tags[{index}]", "must not be empty")
        findings.line(f"tags[{index}]", tag, TAG_CHARACTERS_MAX)
    return tuple(dict.fromkeys(tags))


def normal_tag(written: str) -> str:
    """A tag as it is kept and filtered by."""
    return written.strip().lower()


def _reply_to(text: str, findings: Findings) -> int | None:
    message_id = parse_id(text)
    if message_id is None:
        findings.broke("reply_to_message_id", "is not a message id: 13 characters of Crockford base32")
    return message_id
