"""Why the broker refuses a call: one exception, and the stable reasons that clients may branch on.

A reason's docstring-like text is its default message. `api/status.py` maps each reason to its gRPC
code; nothing else in the broker knows gRPC codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class ErrorReason(Enum):
    """Reasons of whole-call failures; the name is `google.rpc.ErrorInfo.reason`."""

    MALFORMED_REQUEST = "the request's bytes are not a valid protobuf message of its type"
    INVALID_REQUEST = "the request breaks a rule; see the field violations"
    TOO_MANY_UNITS = "the text needs more units than the account allows"
    TOKEN_MISSING = "the content has a placeholder without a value; see the field violations"  # noqa: S105
    CURSOR_INVALID = "the cursor was not issued by this broker for this account"
    CURSOR_EXPIRED = "the cursor is older than the event log"
    CURSOR_AHEAD = "the cursor is ahead of the event log, as after restoring a backup"
    KEY_MISSING = "metadata 'authorization: Bearer <key>' is missing"
    KEY_INVALID = "the API key is unknown, expired or revoked"
    ROLE_INSUFFICIENT = "the API key's role does not allow this call"
    MESSAGE_NOT_FOUND = "there is no such message"
    ACCOUNT_NOT_FOUND = "there is no such account"
    API_ACCESS_DISABLED = "the account's keys may not call; whoever is above it can switch that"
    EMAIL_TAKEN = "another account has the email"
    TREE_TOO_DEEP = "the account above stands as far down as one may; choose one nearer to the top"
    TOO_MANY_ACCOUNTS = "the broker has as many accounts as it may have"
    KEY_NOT_FOUND = "there is no such key"
    TOO_MANY_KEYS = "the account has as many keys as it may have; revoke one first"
    RATE_LIMITED = "the key has made as many calls as it may for now; wait a little"
    CONTACT_NOT_FOUND = "there is no such contact"
    GROUP_NOT_FOUND = "there is no such group"
    WEBHOOK_NOT_FOUND = "there is no such webhook"
    TOO_MANY_WEBHOOKS = "the account has as many webhooks as it may have; delete one first"
    PROVIDER_NOT_FOUND = "there is no such provider instance"
    UPSTREAM_USAGE_UNSUPPORTED = "the provider tells neither a balance nor usage nor senders"
    UPSTREAM_REFUSED = "the provider's upstream refused that"
    UPSTREAM_UNAVAILABLE = "the provider's upstream did not answer as it should; try again"
    ROUTES_NOT_FOUND = "there is no such version of the routes"
    ROUTES_CHANGED = "another version of the routes is in force by now; read it and try again"
    ROUTES_OWNED_BY_SETTINGS = "the routes are in the settings file; change them there and restart"
    CREDIT_EXHAUSTED = "the account's credit does not suffice; nothing was accepted"
    PAYMENT_DECLINED = "the payment was declined; nothing was bought"
    PAYMENT_UNKNOWN = (
        "nobody can tell yet whether it was paid; the same call with the same request_id is safe"
    )
    PAYMENTS_NOT_CONFIGURED = "this broker sells no credit; its operator has to set [payments]"
    ACCOUNTS_UNRELATED = "credit moves within a tree of accounts, and these two stand in none together"
    PRICES_NOT_FOUND = "there is no such version of the prices"
    PRICES_CHANGED = "another version of the prices is in force by now; read it and try again"
    REQUEST_ID_REUSED = "the request_id was used with another payload"
    EXTERNAL_ID_TAKEN = "another contact of the account has the external id"
    GROUP_NAME_TAKEN = "another group of the account has the name"
    ETAG_MISMATCH = "it was changed since it was read; read it again"
    KEYWORD_NOT_FOUND = "the account has not rented this keyword at this sender"
    KEYWORD_TAKEN = (
        "the keyword cannot be rented at this sender: it is taken, or the sender is another account's"
    )
    KEYWORDS_FULL = "the account has as many keywords as it may; release one first"
    KEYWORD_RENT_UNKNOWN = "the provider did not say whether it rented the keyword out; nothing was paid here, and it may be taken there now"
    KEYWORD_INVALID = "this cannot be a keyword; see the field violations"
    KEYWORD_GROUP_INVALID = "the account has no such group"
    KEYWORD_AUTOREPLY_INVALID = "this cannot be an autoreply; see the field violations"
    KEYWORD_EMAIL_INVALID = "this is no mailbox"
    KEYWORD_URL_INVALID = "this URL cannot be called; see the field violations"
    TEMPLATE_NOT_FOUND = "there is no such template, or not this version of it"
    TEMPLATE_EXISTS = "the account has a template of this project and name"
    TEMPLATE_CHANGED = "another version is the latest by now; read it and try again"
    TEMPLATES_FULL = "there are as many templates, or versions of this one, as there may be"
    SENDER_NOT_FOUND = "there is no such sender"
    SENDER_NOT_REGISTERED = "the account's policy allows no senders but registered ones, and this is none"
    SENDER_EXISTS = "the account has this sender, of the same kind and country"
    SENDERS_FULL = "the account, or the pool, has as many senders as it may have; delete one first"
    DIRECTORY_FULL = "the directory holds as much as it may"
    MESSAGE_NOT_CANCELLABLE = "a provider was already given the message, or it has ended"
    MESSAGE_NOT_ENDED = "only a message that has ended can be deleted; one that waits can be cancelled first"
    MESSAGE_NOT_INBOUND = "only a message that came in is read or unread; this one was sent"
    MESSAGE_NOT_REDRIVABLE = (
        "only a message that ended SENDING_FAILED, DELIVERY_FAILED, EXPIRED, UNKNOWN, or REJECTED by a provider"
        " can be sent again"
    )
    UPLOAD_NOT_FOUND = "there is no such upload"
    BROADCAST_NOT_FOUND = "there is no such broadcast"
    BROADCAST_NOT_MOVABLE = "the broadcast's state does not allow that"
    BROADCASTS_FULL = "as many broadcasts go on at once as may; try again when one has ended"
    QUEUE_FULL = "the broker has as many calls waiting as it allows; try again"
    SUBSCRIBERS_FULL = "the broker serves as many subscribers as it allows; try again"
    DRAINING = "the broker is shutting down; try another node or try again"
    ADMISSION_FAILED = "a plugin that decides what may be sent failed; nothing was accepted"
    STORE_UNAVAILABLE = "the store cannot be written; nothing was accepted"
    OUTCOME_UNKNOWN = "the store's answer was lost; the same call with the same request_id is safe"
    NOT_IMPLEMENTED = "this version of the broker does not offer the call"
    INTERNAL_ERROR = "a defect in the broker; its log has the details"


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a field broke; `field` is a path from the request, as `recipients[2].tokens`."""

    field: str
    rule: str


class BrokerError(Exception):
    """A call is refused as a whole, and nothing of it was stored.

    `retry_after_s` is set where the same call may succeed later; `metadata` rides on ErrorInfo.
    """

    def __init__(
        self,
        reason: ErrorReason,
        message: str | None = None,
        *,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        self.reason = reason
        self.message = message or reason.value
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s
        self.metadata = metadata or {}
        super().__init__(f"{reason.name}: {self.message}")
