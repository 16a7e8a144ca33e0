"""API keys: what callers ask for, and how keys are shown."""

from collections.abc import Mapping

from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.times import optional_timestamp, timestamp
from broker.delivery.keys import KeyWish
from broker.domain.access import Role
from broker.domain.api_key import CALLS_PER_SECOND_MAX, DESCRIPTION_CHARACTERS_MAX, ApiKey
from broker.domain.ids import format_id
from waypost.v1 import account_service_pb2 as service_pb
from waypost.v1 import api_key_pb2 as pb

URL_CALLS_PER_SECOND_DEFAULT = 1

ROLES: Mapping[int, Role] = {pb.Role.Value(f"ROLE_{each.name}"): each for each in Role}
PB_ROLES: Mapping[Role, pb.Role.ValueType] = {each: pb.Role.Value(f"ROLE_{each.name}") for each in Role}


def key_wish_of(request: service_pb.CreateApiKeyRequest, account_id: int, now_us: int) -> KeyWish:
    """The key that is asked for. Raises BrokerError with every rule that is broken."""
    findings = Findings()
    role = findings.word("role", request.role, ROLES)
    findings.line("description", request.description, DESCRIPTION_CHARACTERS_MAX)
    expire_at_us = None
    if request.HasField("expire_time"):
        expire_at_us = findings.time("expire_time", request.expire_time)
        if expire_at_us is not None and expire_at_us <= now_us:
            findings.broke("expire_time", "must be in the future")
    calls = request.calls_per_second
    if not 0 <= calls <= CALLS_PER_SECOND_MAX:
        findings.broke("calls_per_second", f"must be from 1 to {CALLS_PER_SECOND_MAX:,}, or 0 for no limit")
    findings.refuse()
    role = role or Role.READ
    if role is Role.URL_SENDING:
        calls = calls or URL_CALLS_PER_SECOND_DEFAULT
    return KeyWish(account_id, role, expire_at_us, request.description, calls)


def key_message(key: ApiKey) -> pb.ApiKey:
    """A key as it is; never its secret."""
    return pb.ApiKey(
        key_id=format_id(key.key_id),
        account_id=account_text(key.account_id),
        role=PB_ROLES[key.role],
        description=key.description,
        calls_per_second=key.calls_per_second,
        create_time=timestamp(key.created_at_us),
        expire_time=optional_timestamp(key.expire_at_us),
        revoke_time=optional_timestamp(key.revoked_at_us),
    )
