"""The hook `waypost_inbound`: plugins may answer what came in."""

from collections.abc import Sequence

import structlog

from broker.domain.errand import Errand
from broker.domain.ids import format_id
from broker.plugins import BoundHook
from broker.spi import Clock, InboundMessage

log = structlog.get_logger("waypost.plugins")

COMPLAINT_EVERY_US = 60_000_000
"""A plugin that raises for every message is logged once a minute."""


class InboundHook:
    """Asks each plugin in turn until one answers; one that raises is skipped."""

    def __init__(self, hooks: Sequence[BoundHook], clock: Clock) -> None:
        self._hooks = tuple(hooks)
        self._clock = clock
        self._complained_at_us: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether any plugin has to be asked."""
        return bool(self._hooks)

    def answer(self, errand: Errand) -> str | None:
        """What to answer, None for nothing."""
        message = InboundMessage(
            message_id=format_id(errand.message_id),
            account_id=format_id(errand.account_id),
            provider=errand.provider,
            channel=errand.channel,
            sender=errand.person,
            recipient=errand.address,
            text=errand.text,
            received_at_us=errand.received_at_us,
            reply_to_message_id="" if errand.reply_to is None else format_id(errand.reply_to),
            keyword=errand.keyword,
        )
        for hook in self._hooks:
            try:
                answer = _text(hook(message=message))
            except Exception as error:  # noqa: BLE001 - a plugin's defect must not hold up other answers
                self._complain(hook.plugin, error)
            else:
                if answer:
                    return answer
        return None

    def _complain(self, plugin: str, error: Exception) -> None:
        now_us = self._clock.now_us()
        last_us = self._complained_at_us.get(plugin)
        if last_us is None or now_us - last_us >= COMPLAINT_EVERY_US:
            self._complained_at_us[plugin] = now_us
            log.warning(
                "plugin.hook_raised", plugin=plugin, method="waypost_inbound", error=type(error).__name__
            )


def _text(answer: object) -> str | None:
    if answer is None or isinstance(answer, str):
        return answer
    raise TypeError("waypost_inbound answers a text or None")
