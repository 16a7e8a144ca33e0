"""Planned submissions without a server: what intake decides, for filling stores."""

import itertools

from bench import traffic
from broker.domain.grounds import Grounds
from broker.domain.ids import ID_MAX, IdSequence
from broker.domain.plan import Plan
from broker.domain.planning import plan
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.vocabulary import Channel
from broker.settings import IntakeSettings
from broker.storage.acceptance import Acceptance

_INTAKE = IntakeSettings()


class Acceptances:
    """Acceptances of one account, one message each, with rising ids."""

    def __init__(self, account_id: int, *, request_ids: bool = False) -> None:
        self._account_id = account_id
        self._ids = IdSequence(node=0, last=0, ceiling=ID_MAX)
        self._numbers = itertools.count()
        self._request_ids = request_ids
        self._content = Content({Channel.SMS: {"text": traffic.TEXT}})

    def take(self, count: int, now_us: int) -> list[Acceptance]:
        """The next ones, accepted at a time in microseconds since 1970 UTC."""
        ids = self._ids.take(2 * count, now_us // 1_000)
        assert ids is not None
        remember_us = round(_INTAKE.request_id_memory_s * 1_000_000)
        return [
            Acceptance(self._plan([ids[at], ids[at + 1]], now_us), remember_us)
            for at in range(0, 2 * count, 2)
        ]

    def _plan(self, ids: list[int], now_us: int) -> Plan:
        number = next(self._numbers)
        sent = traffic.request(number)
        submission = Submission(
            account_id=self._account_id,
            recipients=(Recipient(phone_number=sent.recipients[0].phone_number),),
            content=self._content,
            request_id=traffic.random_request_id() if self._request_ids else "",
            sender=sent.sender,
            client_reference=sent.client_reference,
        )
        planned = plan(
            submission,
            ids,
            Grounds(now_us, _INTAKE.units_max, lambda *_: ("sandbox",)),
        )
        assert isinstance(planned, Plan)
        return planned
