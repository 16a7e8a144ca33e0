"""Retention: what is older than the operator keeps goes, in small batches with rests between them."""

import structlog

from broker.errors import BrokerError
from broker.spi import Clock
from broker.storage.ledger import LedgerTrim, read_accounts_with_ledgers, trim_ledgers
from broker.storage.retiring import (
    BroadcastSweep,
    LogTrim,
    Retirement,
    SpanSweep,
    read_account_ids,
    retire_messages,
    sweep_broadcasts,
    sweep_spans,
    trim_logs,
)
from broker.storage.store import Store
from broker.storage.uploads import UploadSweep, read_retirable, retire_uploads, sweep_uploads

log = structlog.get_logger("waypost.retention")

EVERY_S = 300.0
ROWS_MAX = 1_000
"""Rows go in batches of this size: some 10 ms of the writer's time."""

REST_S = 0.05
"""Between two batches, so that callers have the writer for most of the time: some 20,000 rows go in a second."""


class Retention:
    """Runs until it is cancelled. Retentions are seconds; with 0, nothing of that kind ever goes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        event_retention_s: float,
        message_retention_s: float,
        ledger_retention_s: float = 0,
    ) -> None:
        self._store = store
        self._clock = clock
        self._event_retention_us = round(event_retention_s * 1_000_000)
        self._message_retention_us = round(message_retention_s * 1_000_000)
        self._ledger_retention_us = round(ledger_retention_s * 1_000_000)

    async def run(self) -> None:
        """Remove, until cancelled; a broker that keeps everything only waits."""
        while True:
            try:
                await self.round()
            except BrokerError as error:
                log.warning("retention.failed", error=str(error))
            await self._clock.sleep(EVERY_S)

    async def round(self) -> None:
        """Remove all that is past its retention now: events first, since messages outlive them."""
        now_us = self._clock.now_us()
        accounts = await self._store.read(read_account_ids) if self._event_retention_us else []
        events = messages = broadcasts = uploads = 0
        for account_id in accounts:
            events += await self._trim(account_id, now_us - self._event_retention_us)
        if self._message_retention_us:
            messages = await self._retire(now_us - self._message_retention_us)
            for account_id in accounts:
                while (await self._store.write(sweep_spans, [SpanSweep(account_id, ROWS_MAX)]))[0]:
                    await self._clock.sleep(REST_S)
            broadcasts = await self._sweep_broadcasts(now_us - self._message_retention_us)
            uploads = await self._retire_uploads(now_us - self._message_retention_us)
        entries = await self._open_ledgers(now_us) if self._ledger_retention_us else 0
        if events or messages or broadcasts or uploads or entries:
            log.info(
                "retention.removed",
                events=events,
                messages=messages,
                broadcasts=broadcasts,
                uploads=uploads,
                ledger_entries=entries,
            )

    async def _open_ledgers(self, now_us: int) -> int:
        """Sum up what is old in each account's ledger; answers how many entries went."""
        before_us, total = now_us - self._ledger_retention_us, 0
        for account_id in await self._store.read(read_accounts_with_ledgers):
            gone = ROWS_MAX - 1
            while gone == ROWS_MAX - 1:  # a whole batch but the one that it became
                (gone,) = await self._store.write(
                    trim_ledgers, [LedgerTrim(account_id, before_us, ROWS_MAX)], [account_id]
                )
                total += gone
                if gone:
                    await self._clock.sleep(REST_S)
        return total

    async def _trim(self, account_id: int, before_us: int) -> int:
        total, gone = 0, ROWS_MAX
        while gone == ROWS_MAX:
            (gone,) = await self._store.write(
                trim_logs, [LogTrim(account_id, before_us, ROWS_MAX)], [account_id]
            )
            total += gone
            if gone == ROWS_MAX:
                await self._clock.sleep(REST_S)
        return total

    async def _retire(self, ended_before_us: int) -> int:
        total, after_id = 0, 0
        while True:
            wish = Retirement(after_id, ended_before_us, ROWS_MAX)
            (done,) = await self._store.write(retire_messages, [wish])
            total += done.messages
            if done.next_after_id is None:
                return total
            after_id = done.next_after_id
            await self._clock.sleep(REST_S)

    async def _sweep_broadcasts(self, ended_before_us: int) -> int:
        """What the messages of broadcasts shared, where all of them are gone."""
        total, after_id = 0, 0
        while True:
            wish = BroadcastSweep(after_id, ended_before_us, ROWS_MAX)
            (done,) = await self._store.write(sweep_broadcasts, [wish])
            total += done.broadcasts
            if done.next_after_id is None:
                return total
            after_id = done.next_after_id
            await self._clock.sleep(REST_S)

    async def _retire_uploads(self, before_us: int) -> int:
        """Files of recipients that are as old, and that no broadcast will go to any more."""
        total = 0
        while (found := await self._store.read(read_retirable, before_us)) is not None:
            account_id, upload_id = found
            (retired,) = await self._store.write(retire_uploads, [upload_id], [account_id])
            if not retired:  # somebody sends to it after all: another round sees
                break
            sweep = UploadSweep(upload_id, ROWS_MAX, whole=True)
            while (await self._store.write(sweep_uploads, [sweep]))[0]:
                await self._clock.sleep(REST_S)
            total += 1
        return total
