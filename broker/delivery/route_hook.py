"""The hook `waypost_route`: plugins may reorder a message's candidates."""

from collections.abc import Sequence

import structlog

from broker.domain.carrying import FindCandidates
from broker.domain.encoding import measure
from broker.domain.ids import format_id
from broker.domain.submission import Submission
from broker.domain.vocabulary import Channel
from broker.plugins import BoundHook
from broker.spi import Clock, RouteQuery

log = structlog.get_logger("waypost.plugins")

COMPLAINT_EVERY_US = 60_000_000
"""A plugin that raises for every message is logged once a minute."""


class RouteHook:
    """Asks each plugin in turn; one that raises is skipped."""

    def __init__(self, hooks: Sequence[BoundHook], clock: Clock) -> None:
        self._hooks = tuple(hooks)
        self._clock = clock
        self._complained_at_us: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Whether any plugin has to be asked."""
        return bool(self._hooks)

    def after(self, find: FindCandidates) -> FindCandidates:
        """Finds as `find` does, and asks the plugins where it leaves a choice."""

        def found(submission: Submission, channel: Channel, address: str, message_id: int) -> tuple[str, ...]:
            candidates = find(submission, channel, address, message_id)
            if len(candidates) < 2:
                return candidates
            return self.reordered(submission, channel, address, candidates)

        return found

    def reordered(
        self, submission: Submission, channel: Channel, address: str, candidates: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The candidates as the plugins want them tried: in another order, or some of them only."""
        query = RouteQuery(
            account_id=format_id(submission.account_id),
            channel=channel,
            recipient=address,
            sender=submission.sender,
            traffic=submission.traffic,
            tags=submission.tags,
            units=measure(submission.content.text_on(channel)).units,
        )
        for hook in self._hooks:
            try:
                answer = hook(message=query, candidates=candidates)
                candidates = _wanted(answer, candidates)
            except Exception as error:  # noqa: BLE001 - a plugin's defect must not refuse messages
                self._complain(hook.plugin, error)
        return candidates

    def _complain(self, plugin: str, error: Exception) -> None:
        now_us = self._clock.now_us()
        last_us = self._complained_at_us.get(plugin)
        if last_us is None or now_us - last_us >= COMPLAINT_EVERY_US:
            self._complained_at_us[plugin] = now_us
            log.warning(
                "plugin.hook_raised", plugin=plugin, method="waypost_route", error=type(error).__name__
            )


def _wanted(answer: Sequence[str] | None, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """The candidates in the answer, each once; all of them where it names none."""
    if answer is None:
        return candidates
    if isinstance(answer, str):
        raise TypeError("waypost_route answered a string instead of a sequence of them")
    return tuple(dict.fromkeys(name for name in answer if name in candidates)) or candidates
