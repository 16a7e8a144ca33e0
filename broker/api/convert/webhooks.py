"""Webhooks: requests → what is to be made, and webhooks → protobuf."""

from collections.abc import Sequence

from broker.api.convert.findings import Findings
from broker.api.convert.ids import account_text
from broker.api.convert.times import US_PER_S, timestamp
from broker.api.convert.words import EVENT_KINDS, FACTS, PB_DISABLE_REASONS, PB_EVENT_KINDS, PB_FACTS
from broker.domain.callback import Webhook
from broker.domain.callback_url import CallbackMethod, callback_host_problem, callback_url_problem
from broker.domain.ids import format_id, parse_id
from broker.domain.lifecycle import Fact
from broker.domain.network import AddressPolicy
from broker.domain.vocabulary import EventKind
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import account_service_pb2, webhook_pb2

DESCRIPTION_CHARACTERS_MAX = 256
OVERLAP_DEFAULT_S = 86_400
OVERLAP_S_MAX = 7 * 86_400


def wanted_of(
    request: account_service_pb2.CreateWebhookRequest, network: AddressPolicy
) -> tuple[Sequence[EventKind], Sequence[Fact]]:
    """The kinds and facts that a new webhook wants. Raises BrokerError with every rule that is broken."""
    findings = Findings()
    problem = callback_url_problem(request.url, CallbackMethod.POST)
    problem = problem or callback_host_problem(request.url, network)
    if problem is not None:
        findings.broke("url", problem)
    findings.line("description", request.description, DESCRIPTION_CHARACTERS_MAX)
    kinds: list[EventKind] = []
    if findings.count("kinds", len(request.kinds), len(EVENT_KINDS)):
        named = [findings.word(f"kinds[{i}]", each, EVENT_KINDS) for i, each in enumerate(request.kinds)]
        kinds = [each for each in dict.fromkeys(named) if each is not None]
    facts: list[Fact] = []
    if findings.count("facts", len(request.facts), len(FACTS)):
        told = [findings.word(f"facts[{i}]", each, FACTS) for i, each in enumerate(request.facts)]
        facts = [each for each in dict.fromkeys(told) if each is not None]
    findings.refuse()
    return kinds, facts


def overlap_us_of(request: account_service_pb2.RotateWebhookSecretRequest) -> int:
    """How long the secrets before the new one sign, too."""
    if not request.HasField("overlap"):
        return OVERLAP_DEFAULT_S * US_PER_S
    findings = Findings()
    span_us = findings.span("overlap", request.overlap, s_min=0, s_max=OVERLAP_S_MAX)
    findings.refuse()
    return span_us or 0


def webhook_number(text: str) -> int:
    """The webhook that a request names. What can be none is as unknown as one that is not there."""
    webhook_id = parse_id(text)
    if not webhook_id:
        raise BrokerError(ErrorReason.WEBHOOK_NOT_FOUND)
    return webhook_id


def webhook_message(webhook: Webhook) -> webhook_pb2.Webhook:
    """A webhook as it is; never its secret."""
    disabled_at_us = webhook.disabled_at_us
    return webhook_pb2.Webhook(
        webhook_id=format_id(webhook.webhook_id),
        account_id=account_text(webhook.account_id),
        url=webhook.url,
        description=webhook.description,
        kinds=[PB_EVENT_KINDS[each] for each in webhook.kinds],
        facts=[PB_FACTS[each] for each in webhook.facts],
        state=webhook_pb2.WEBHOOK_STATE_ENABLED
        if disabled_at_us is None
        else webhook_pb2.WEBHOOK_STATE_DISABLED,
        disable_reason=PB_DISABLE_REASONS[webhook.disabled_for],
        create_time=timestamp(webhook.created_at_us),
        disable_time=None if disabled_at_us is None else timestamp(disabled_at_us),
        waiting=webhook.waiting,
        failures=webhook.failures,
    )
