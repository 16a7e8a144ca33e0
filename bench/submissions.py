"""Planned submissions without a server: what intake decides, for filling stores."""

import itertools
import time

from bench import traffic
from broker.domain.ids import ID_MAX, IdSequence
from broker.domain.planning import Plan, plan
from broker.domain.submission import Content, Recipient, Submission
from broker.domain.vocabulary import Channel
from broker.settings import IntakeSettings
from broker.storage.acceptance import Acceptance

_INTAKE = IntakeSettings()


class Acceptances:
    """Acceptances of one account, one message each, with ids that rise from `last_id`.

    With `request_ids_of` given, that many of them have ids that spread evenly over the space of random
    ones, in rising order: a B-tree of them grows as fast as it can, and is as large as one of random ids.
    """

    def __init__(self, account_id: int, last_id: int = 0, request_ids_of: int = 0) -> None:
        self._account_id = account_id
        self._ids = IdSequence(node=0, last=last_id, ceiling=ID_MAX)
        self._numbers = itertools.count()
        self._request_ids_of = request_ids_of
        self._content = Content({Channel.SMS: {"text": traffic.TEXT}})

    @property
    def last_id(self) -> int:
        """The highest id that was given."""
        return self._ids.last

    def take(self, count: int) -> list[Acceptance]:
        """The next ones."""
        now_us = time.time_ns() // 1_000
        ids = self._ids.take(2 * count, now_us // 1_000)
        assert ids is not None
        remember_us = round(_INTAKE.request_id_memory_s * 1_000_000)
        return [
            Acceptance(self._plan([ids[at], ids[at + 1]], now_us), remember_us) for at in range(0, 2 * count, 2)
        ]

    def _plan(self, ids: list[int], now_us: int) -> Plan:
        number = next(self._numbers)
        sent = traffic.request(number)
        request_id = ""
        if self._request_ids_of:
            request_id = f"{(number << 128) // self._request_ids_of:032x}"
        submission = Submission(
            account_id=self._account_id,
            recipients=(Recipient(phone_number=sent.recipients[0].phone_number),),
            content=self._content,
            request_id=request_id,
            sender=sent.sender,
            client_reference=sent.client_reference,
        )
        planned = plan(
            submission, ids, now_us=now_us, units_max=_INTAKE.units_max, route_exists=lambda *_: True
        )
        assert isinstance(planned, Plan)
        return planned
