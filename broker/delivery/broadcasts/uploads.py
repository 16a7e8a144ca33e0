"""Files of recipients, from a caller's chunks to rows in the store. Memory holds a batch, whatever the file's size.

A file is put on disk first, taken apart in a thread, and stored a batch at a time while the next one is read. It
can be used once all of it is stored; what is left of one whose caller or process went away is removed.
"""

import asyncio
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Sequence

import structlog

from broker.delivery.broadcasts.file_reading import FileBroken, FileKind, FileWish, kind_of
from broker.delivery.broadcasts.file_recipients import Batch, FileRecipients
from broker.delivery.identities import Identities
from broker.delivery.policies import Policies
from broker.domain.audience_file import FileRefused, shown
from broker.domain.value import value
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.store import Store
from broker.storage.uploads import (
    RefusedRow,
    Upload,
    UploadBatch,
    UploadEnd,
    UploadState,
    UploadSweep,
    begin_uploads,
    end_uploads,
    read_abandoned,
    read_refused_rows,
    read_upload,
    store_batches,
    sweep_uploads,
)

__all__ = ["Received", "RefusedRow", "UploadState", "Uploads"]

log = structlog.get_logger("waypost.uploads")

BATCHES_STORED_AT_ONCE = 2
"""So that neither the reader nor the store waits for the other to be told."""

SWEEP_ROWS = 5_000
REFUSED_SHOWN_MAX = 100


@value
class Received:
    """An upload, how its file is written, and the first of its refused lines."""

    upload: Upload
    kind: FileKind
    refused: tuple[RefusedRow, ...]


class Uploads:
    """Receives files of at most `bytes_max` bytes and `rows_max` lines."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        policies: Policies,
        clock: Clock,
        *,
        bytes_max: int,
        rows_max: int,
    ) -> None:
        self._store = store
        self._identities = identities
        self._policies = policies
        self._clock = clock
        self._bytes_max = bytes_max
        self._rows_max = rows_max

    async def receive(self, account_id: int, wish: FileWish, chunks: AsyncIterator[bytes]) -> Received:
        """Store a file; on disk when this returns. Raises BrokerError for what is no file of recipients."""
        with tempfile.TemporaryFile() as file:
            size = 0
            async for chunk in chunks:
                size += len(chunk)
                if size > self._bytes_max:
                    raise _refused(f"has more than {self._bytes_max:,} bytes")
                await asyncio.to_thread(file.write, chunk)
            file.seek(0)
            found = await asyncio.to_thread(kind_of, file, wish)
            if isinstance(found, FileRefused):
                raise _refused(found.rule)
            region = await self._policies.region_of(account_id)
            reading = FileRecipients(file, found, self._clock.now_us(), region)
            try:
                return await self._store_all(account_id, wish, reading)
            except FileBroken as broken:
                raise _refused(str(broken)) from broken
            finally:
                reading.close()

    async def upload(self, account_id: int, upload_id: int) -> Upload:
        """One that was received."""
        found = await self._store.read(read_upload, account_id, upload_id)
        if found is None:
            raise BrokerError(ErrorReason.UPLOAD_NOT_FOUND)
        return found

    async def refused(self, upload_id: int, after: int, rows_max: int) -> Sequence[RefusedRow]:
        """The next lines that became no recipients."""
        return await self._store.read(read_refused_rows, upload_id, after, rows_max)

    async def sweep(self) -> None:
        """Remove what an earlier process was receiving when it ended; call it before the first file comes."""
        (now_id,) = await self._identities.take(1)
        while (upload_id := await self._store.read(read_abandoned, now_id)) is not None:
            await self._remove(upload_id, whole=True)

    async def _store_all(self, account_id: int, wish: FileWish, reading: FileRecipients) -> Received:
        batch = await _next_of(reading)
        columns = reading.columns
        if isinstance(columns, FileRefused):
            raise _refused(columns.rule)
        (upload_id,) = await self._identities.take(1)
        names = tuple(shown(each) for each in columns.names)
        began = Upload(upload_id, account_id, self._clock.now_us(), UploadState.RECEIVING, columns=names)
        await self._store.write(begin_uploads, [began], [account_id])
        try:
            refused = await self._store_batches(upload_id, batch, reading)
            state = UploadState.USABLE if wish.keeps_good or not reading.refused else UploadState.REFUSED
            if state is UploadState.REFUSED:
                await self._remove(upload_id, whole=False)
            rows = reading.rows if state is UploadState.USABLE else 0
            end = UploadEnd(upload_id, state, rows, reading.refused)
            await self._store.write(end_uploads, [end], [account_id])
        except BaseException:
            await asyncio.shield(self._forget(upload_id))
            raise
        upload = Upload(upload_id, account_id, began.created_at_us, state, rows, reading.refused, names)
        return Received(upload, reading.kind, tuple(refused))

    async def _store_batches(
        self, upload_id: int, batch: Batch | None, reading: FileRecipients
    ) -> list[RefusedRow]:
        """Store batches while the next ones are read; answers the first refused lines."""
        shown_rows: list[RefusedRow] = []
        storing: deque[asyncio.Future[list[None]]] = deque()
        try:
            while batch is not None:
                rows, blocks, refused = batch
                if reading.rows + reading.refused > self._rows_max:
                    raise _refused(f"has more than {self._rows_max:,} lines")
                shown_rows += refused[: REFUSED_SHOWN_MAX - len(shown_rows)]
                item = UploadBatch(upload_id, rows, refused, blocks)
                storing.append(asyncio.ensure_future(self._store.write(store_batches, [item])))
                batch = await _next_of(reading)
                if len(storing) == BATCHES_STORED_AT_ONCE:
                    await storing.popleft()
            while storing:
                await storing.popleft()
        finally:  # what is left after a failure has to be over before it is removed
            await asyncio.gather(*storing, return_exceptions=True)
        return shown_rows

    async def _forget(self, upload_id: int) -> None:
        try:
            await self._remove(upload_id, whole=True)
        except BrokerError as error:
            log.warning("uploads.left", upload_id=upload_id, error=str(error))

    async def _remove(self, upload_id: int, *, whole: bool) -> None:
        again = True
        while again:
            (again,) = await self._store.write(sweep_uploads, [UploadSweep(upload_id, SWEEP_ROWS, whole)])


async def _next_of(reading: FileRecipients) -> Batch | None:
    """The next batch, taken apart in a thread, which is over when this is, also where the caller went away."""
    working = asyncio.ensure_future(asyncio.to_thread(reading.next))
    try:
        return await asyncio.shield(working)
    finally:
        await asyncio.wait([working])


def _refused(rule: str) -> BrokerError:
    return BrokerError(ErrorReason.INVALID_REQUEST, violations=[Violation("file", rule)])
