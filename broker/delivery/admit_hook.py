"""The hook `waypost_admit`: plugins may refuse a submission.

It is a gate, so one that cannot answer is closed: where a plugin raises, the call fails, nothing is stored, and the
caller may try again. To let the message pass would send what a rule exists to stop; to reject it for good would
lose it to a defect.
"""

from collections.abc import Sequence

import structlog

from broker.domain.admission import Refusal
from broker.domain.ids import format_id
from broker.domain.submission import Recipient, Submission
from broker.errors import BrokerError, ErrorReason
from broker.plugins import BoundHook
from broker.spi import AdmitQuery, Clock

log = structlog.get_logger("waypost.plugins")

COMPLAINT_EVERY_US = 60_000_000
"""A plugin that raises for every submission is logged once a minute."""

TEXT_CHARACTERS_MAX = 200
RETRY_AFTER_S = 5.0


class AdmitHook:
    """Asks each plugin in turn; the first refusal counts."""

    def __init__(self, hooks: Sequence[BoundHook], clock: Clock) -> None:
        self._hooks = tuple(hooks)
        self._clock = clock
        self._complained_at_us: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether any plugin has to be asked."""
        return bool(self._hooks)

    def refusal(self, submission: Submission) -> Refusal | BrokerError | None:
        """Why a submission is refused; a BrokerError where a plugin could not say; None: it may go."""
        query = _query(submission)
        for hook in self._hooks:
            try:
                answer = hook(submission=query)
                if answer is not None:
                    return Refusal(hook.plugin, _line(answer))
            except Exception as error:  # noqa: BLE001 - a plugin's defect is no defect of the broker
                self._complain(hook.plugin, error)
                return BrokerError(
                    ErrorReason.ADMISSION_FAILED,
                    metadata={"plugin": hook.plugin},
                    retry_after_s=RETRY_AFTER_S,
                )
        return None

    def _complain(self, plugin: str, error: Exception) -> None:
        now_us = self._clock.now_us()
        last_us = self._complained_at_us.get(plugin)
        if last_us is None or now_us - last_us >= COMPLAINT_EVERY_US:
            self._complained_at_us[plugin] = now_us
            log.warning(
                "plugin.hook_raised", plugin=plugin, method="waypost_admit", error=type(error).__name__
            )


def _line(answer: object) -> str:
    if not isinstance(answer, str):
        raise TypeError(f"waypost_admit answered {type(answer).__name__} instead of a str or None")
    return " ".join(answer.split())[:TEXT_CHARACTERS_MAX]


def _query(submission: Submission) -> AdmitQuery:
    return AdmitQuery(
        account_id=format_id(submission.account_id),
        sender=submission.sender,
        traffic=submission.traffic,
        recipients=tuple(map(_written, submission.recipients)),
        content=submission.content.documents,
        channels=submission.channels,
        tags=submission.tags,
        campaign=submission.campaign.id if submission.campaign else "",
        client_reference=submission.client_reference,
        origin=submission.origin,
    )


def _written(recipient: Recipient) -> str:
    if recipient.contact is not None:
        named = recipient.contact.contact
        return named.external_id or ("" if named.contact_id is None else format_id(named.contact_id))
    return recipient.phone_number or recipient.email or recipient.device_token or ""
