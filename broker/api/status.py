"""What a refusal looks like on the wire: a gRPC code and google.rpc details, or a SendError in a stream.

Details travel in one trailer. Many clients take at most 8 KiB of metadata, after base64 and with the
message beside it, so everything here that a caller can make long is cut, and says that it was.
"""

from collections.abc import Sequence

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from broker.api.convert.times import duration
from broker.errors import BrokerError, ErrorReason, Violation
from waypost.v1 import send_pb2

DOMAIN = "waypost"
VIOLATIONS_SHOWN_MAX = 20
RETRY_DEFAULT_S = 1.0

# Together at most about 4.9 KB of details, which are 6.6 KB in base64, and 0.8 KB of message beside them.
_MESSAGE_BYTES_MAX = 256
_FIELD_BYTES_MAX = 160
_RULE_BYTES_MAX = 240
_VIOLATIONS_BYTES_MAX = 2_500
_VIOLATION_OVERHEAD_BYTES = 8
_METADATA_ENTRIES_MAX = 6
_METADATA_NAME_BYTES_MAX = 64
_METADATA_VALUE_BYTES_MAX = 160

CODES: dict[ErrorReason, grpc.StatusCode] = {
    ErrorReason.MALFORMED_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.INVALID_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.TOO_MANY_UNITS: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.TOKEN_MISSING: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.CURSOR_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.CURSOR_EXPIRED: grpc.StatusCode.OUT_OF_RANGE,
    ErrorReason.CURSOR_AHEAD: grpc.StatusCode.OUT_OF_RANGE,
    ErrorReason.KEY_MISSING: grpc.StatusCode.UNAUTHENTICATED,
    ErrorReason.KEY_INVALID: grpc.StatusCode.UNAUTHENTICATED,
    ErrorReason.ROLE_INSUFFICIENT: grpc.StatusCode.PERMISSION_DENIED,
    ErrorReason.MESSAGE_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.ACCOUNT_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.API_ACCESS_DISABLED: grpc.StatusCode.PERMISSION_DENIED,
    ErrorReason.EMAIL_TAKEN: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.TREE_TOO_DEEP: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.TOO_MANY_ACCOUNTS: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.KEY_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.TOO_MANY_KEYS: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.CONTACT_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.GROUP_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.KEYWORD_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.KEYWORD_TAKEN: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.KEYWORDS_FULL: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.KEYWORD_RENT_UNKNOWN: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.KEYWORD_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.KEYWORD_GROUP_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.KEYWORD_AUTOREPLY_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.KEYWORD_EMAIL_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.KEYWORD_URL_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.WEBHOOK_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.TOO_MANY_WEBHOOKS: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.PROVIDER_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.UPSTREAM_USAGE_UNSUPPORTED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.UPSTREAM_REFUSED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.UPSTREAM_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.ROUTES_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.ROUTES_CHANGED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.ROUTES_OWNED_BY_SETTINGS: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.CREDIT_EXHAUSTED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.PAYMENT_DECLINED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.PAYMENT_UNKNOWN: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.PAYMENTS_NOT_CONFIGURED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.ACCOUNTS_UNRELATED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.PRICES_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.PRICES_CHANGED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.REQUEST_ID_REUSED: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.EXTERNAL_ID_TAKEN: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.GROUP_NAME_TAKEN: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.ETAG_MISMATCH: grpc.StatusCode.ABORTED,
    ErrorReason.TEMPLATE_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.TEMPLATE_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.TEMPLATE_CHANGED: grpc.StatusCode.ABORTED,
    ErrorReason.TEMPLATES_FULL: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.SENDER_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.SENDER_NOT_REGISTERED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.SENDER_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.SENDERS_FULL: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.DIRECTORY_FULL: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.MESSAGE_NOT_CANCELLABLE: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.MESSAGE_NOT_ENDED: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.MESSAGE_NOT_INBOUND: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.MESSAGE_NOT_REDRIVABLE: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.UPLOAD_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.BROADCAST_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.BROADCAST_NOT_MOVABLE: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.BROADCASTS_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.QUEUE_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.SUBSCRIBERS_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.DRAINING: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.ADMISSION_FAILED: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.STORE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.OUTCOME_UNKNOWN: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.NOT_IMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    ErrorReason.INTERNAL_ERROR: grpc.StatusCode.INTERNAL,
}

# Where the same call may succeed a little later, and a caller is told when to try.
RETRYABLE = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE})


def grpc_status(error: BrokerError) -> grpc.Status:
    """The refusal as `context.abort_with_status` takes it."""
    return rpc_status.to_status(status_message(error))


def status_message(error: BrokerError) -> status_pb2.Status:
    """The refusal as google.rpc.Status."""
    status = status_pb2.Status(code=code_number(error), message=_cut(message_of(error), _MESSAGE_BYTES_MAX))
    for detail in _details(error):
        status.details.add().Pack(detail)
    return status


def send_error(error: BrokerError) -> send_pb2.SendError:
    """The refusal of one request of a stream."""
    retry_s = _retry_after_s(error)
    return send_pb2.SendError(
        code=code_number(error),
        reason=error.reason.name,
        message=_cut(message_of(error), _MESSAGE_BYTES_MAX),
        field_violations=[
            send_pb2.FieldViolation(field=each.field, description=each.rule)
            for each in _shown(error.violations)
        ],
        retry_delay=None if retry_s is None else duration(retry_s),
    )


def code_number(error: BrokerError) -> int:
    """The number of the refusal's google.rpc.Code."""
    return code_pb2.Code.Value(CODES[error.reason].name)


def message_of(error: BrokerError) -> str:
    """For people: the message, or where it says nothing of its own the first rule that was broken."""
    if not error.violations or error.message != error.reason.value:
        return error.message
    first, more = error.violations[0], len(error.violations) - 1
    rest = f" (and {more} more)" if more else ""
    return f"{first.field}: {first.rule}{rest}"


def _details(error: BrokerError) -> list[Message]:
    code = CODES[error.reason]
    details: list[Message] = [_error_info(error)]
    retry_s = _retry_after_s(error)
    if retry_s is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=duration(retry_s)))
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        details.append(_quota_failure(error))
    if code is grpc.StatusCode.FAILED_PRECONDITION:
        details.append(_precondition_failure(error))
    if error.violations:
        details.append(_bad_request(error.violations))
    return details


def _error_info(error: BrokerError) -> error_details_pb2.ErrorInfo:
    entries = list(error.metadata.items())[:_METADATA_ENTRIES_MAX]
    metadata = {
        _cut(name, _METADATA_NAME_BYTES_MAX): _cut(value, _METADATA_VALUE_BYTES_MAX)
        for name, value in entries
    }
    return error_details_pb2.ErrorInfo(reason=error.reason.name, domain=DOMAIN, metadata=metadata)


def _quota_failure(error: BrokerError) -> error_details_pb2.QuotaFailure:
    failure = error_details_pb2.QuotaFailure()
    failure.violations.add(subject=error.reason.name, description=_cut(error.message, _RULE_BYTES_MAX))
    return failure


def _precondition_failure(error: BrokerError) -> error_details_pb2.PreconditionFailure:
    failure = error_details_pb2.PreconditionFailure()
    failure.violations.add(
        type=error.reason.name,
        subject=_cut(error.metadata.get("message_id", ""), _METADATA_VALUE_BYTES_MAX),
        description=_cut(error.message, _RULE_BYTES_MAX),
    )
    return failure


def _bad_request(violations: Sequence[Violation]) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    for each in _shown(violations):
        bad.field_violations.add(field=each.field, description=each.rule)
    return bad


def _shown(violations: Sequence[Violation]) -> list[Violation]:
    """The first violations, each cut to size, and at the end how many more there are."""
    shown: list[Violation] = []
    size = 0
    for each in violations[:VIOLATIONS_SHOWN_MAX]:
        cut = Violation(_cut(each.field, _FIELD_BYTES_MAX), _cut(each.rule, _RULE_BYTES_MAX))
        size += len(cut.field.encode()) + len(cut.rule.encode()) + _VIOLATION_OVERHEAD_BYTES
        if size > _VIOLATIONS_BYTES_MAX:
            break
        shown.append(cut)
    if len(shown) < len(violations):
        shown.append(Violation("", f"and {len(violations) - len(shown)} more"))
    return shown


def _retry_after_s(error: BrokerError) -> float | None:
    if error.retry_after_s is not None:
        return max(0.0, error.retry_after_s)
    return RETRY_DEFAULT_S if CODES[error.reason] in RETRYABLE else None


def _cut(text: str, bytes_max: int) -> str:
    """The text, or as much of it as fits and an ellipsis."""
    encoded = text.encode(errors="replace")  # a lone surrogate must not fail the failure
    if len(encoded) <= bytes_max:
        return encoded.decode()
    return encoded[: bytes_max - len("…".encode())].decode(errors="ignore") + "…"
