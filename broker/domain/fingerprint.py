"""What a repeated request is known by: two that ask for the same have the same fingerprint, whatever it meets today."""

import hashlib
import json

from broker.domain.submission import Recipient, Submission, TemplateRef


def fingerprint(submission: Submission) -> str:
    """SHA-256 over what the caller asked for, in a fixed order, absent fields left out."""
    return hashlib.sha256(
        json.dumps(_canonical(submission), sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


_RECIPIENT_FIELDS = (
    "phone_number",
    "email",
    "device_token",
    "schedule_at_us",
    "client_reference",
    "data",
    "tokens",
    "contact_id",
)


def _canonical(submission: Submission) -> dict[str, object]:
    # What a template says may be another thing tomorrow, and the request is the same.
    documents = {} if submission.template else submission.content.documents
    fields: dict[str, object] = {
        "account": submission.account_id,
        "content": {channel.name: dict(each) for channel, each in documents.items()},
        "recipients": [_canonical_recipient(recipient) for recipient in submission.recipients],
        "sender": submission.sender,
        "sender_pool": submission.sender_pool,
        "traffic": submission.traffic,
        "channels": list(submission.channels),
        "guarantee": submission.guarantee,
        "schedule_at": submission.schedule_at_us,
        "validity": submission.validity_us,
        "client_reference": submission.client_reference,
        "campaign": submission.campaign and [submission.campaign.id, submission.campaign.name],
        "data": submission.data,
        "tags": sorted(submission.tags),
        "reply_to": submission.reply_to_message_id,
        "provider": submission.provider,
        "origin": submission.origin,
        "callback": submission.callback and [submission.callback.url, submission.callback.method],
        "tokens": submission.tokens,
        "template": submission.template and _canonical_template(submission.template),
        "redriven_from": submission.redriven_from_message_id,
        "ignore_quiet_hours": submission.ignore_quiet_hours or None,
        "fallback": submission.fallback and [submission.fallback.after_us],
        "track_links": submission.track_links,
        "short_link_domain": submission.short_link_domain,
        "cap_frequency": submission.cap_frequency or None,
    }
    return {name: given for name, given in fields.items() if given not in (None, "", [], {})}


def _canonical_template(ref: TemplateRef) -> list[object]:
    return [ref.project, ref.name, ref.version, ref.locale.lower(), dict(ref.parameters)]


def _canonical_recipient(recipient: Recipient) -> dict[str, object]:
    fields = {name: given for name in _RECIPIENT_FIELDS if (given := getattr(recipient, name)) is not None}
    if recipient.contact is not None:
        contact = recipient.contact.contact
        named = contact.external_id or contact.contact_id
        fields["contact"] = [bool(contact.external_id), named, recipient.contact.delegation]
    return fields
