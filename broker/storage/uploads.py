"""Verbs of files of recipients: receive one batch after another, and say what it is good for."""

from collections.abc import Sequence
from enum import IntEnum

import orjson

from broker.domain.audience import AudienceRow
from broker.domain.value import value
from broker.storage.audience_rows import StoredBlock, audience_columns
from broker.storage.transaction import Transaction


class UploadState(IntEnum):
    """What an upload is good for. Numbers are stored."""

    RECEIVING = 1
    USABLE = 2
    REFUSED = 3
    """It had bad lines, and all of it was to be refused then. It has no rows."""
    RETIRED = 4
    """It is past its retention, and being removed."""


@value
class Upload:
    """A file of recipients: how many of its lines became recipients, and how many did not."""

    upload_id: int
    account_id: int
    created_at_us: int
    state: UploadState
    rows: int = 0
    refused: int = 0
    columns: tuple[str, ...] = ()


@value
class RefusedRow:
    """A line that became no recipient, and why. Lines are counted from 1, the header among them."""

    line: int
    problem: str


@value
class UploadBatch:
    """What a part of a file came to; rows come singly, or in blocks."""

    upload_id: int
    rows: Sequence[AudienceRow]
    refused: Sequence[RefusedRow]
    blocks: Sequence[StoredBlock] = ()


@value
class UploadEnd:
    """All of a file is stored; or none of it is kept but what is wrong with it."""

    upload_id: int
    state: UploadState
    rows: int
    refused: int


def begin_uploads(tx: Transaction, items: list[Upload]) -> list[None]:
    """Receive files; nobody can use them yet."""
    tx.bulk(
        "insert_uploads",
        [
            (
                item.upload_id,
                item.account_id,
                item.created_at_us,
                item.state,
                item.rows,
                item.refused,
                orjson.dumps(item.columns).decode(),
            )
            for item in items
        ],
    )
    return [None] * len(items)


def store_batches(tx: Transaction, items: list[UploadBatch]) -> list[None]:
    """Store parts of files."""
    for item in items:
        tx.bulk("insert_audience_rows", audience_columns(item.upload_id, item.rows))
        for block in item.blocks:
            tx.bulk_columns("insert_audience_rows", block.rows, [item.upload_id, *block.columns])
        tx.bulk("insert_refused_rows", [(item.upload_id, each.line, each.problem) for each in item.refused])
    return [None] * len(items)


def end_uploads(tx: Transaction, items: list[UploadEnd]) -> list[None]:
    """Say what files are good for."""
    tx.bulk("finish_uploads", [(item.upload_id, item.state, item.rows, item.refused) for item in items])
    return [None] * len(items)


@value
class UploadSweep:
    """Remove rows of an upload, at most so many; with `whole` also what is wrong with it, and at last itself."""

    upload_id: int
    rows_max: int
    whole: bool


def sweep_uploads(tx: Transaction, items: list[UploadSweep]) -> list[bool]:
    """Whether there is more of each."""
    return [_sweep(tx, item) for item in items]


def _sweep(tx: Transaction, item: UploadSweep) -> bool:
    gone = tx.all("sweep_audience", audience_id=item.upload_id, rows_max=item.rows_max)
    if len(gone) == item.rows_max:
        return True
    if item.whole:
        gone = tx.all("sweep_refused_rows", upload_id=item.upload_id, rows_max=item.rows_max)
        if len(gone) == item.rows_max:
            return True
        tx.all("delete_upload", upload_id=item.upload_id)
    return False


def read_upload(tx: Transaction, account_id: int, upload_id: int) -> Upload | None:
    """An account's upload; None also for another account's, and while one is still received or being removed."""
    row = tx.one("upload_by_id", upload_id=upload_id)
    if row is None or row[1] != account_id or row[3] in _NOT_THERE:
        return None
    return Upload(row[0], row[1], row[2], UploadState(row[3]), row[4], row[5], tuple(orjson.loads(row[6])))


_NOT_THERE = (UploadState.RECEIVING, UploadState.RETIRED)


def read_retirable(tx: Transaction, before_us: int) -> tuple[int, int] | None:
    """An upload that came before a time and that no broadcast needs: its account and itself."""
    row = tx.one("retirable_uploads", before=before_us)
    return None if row is None else (int(row[0]), int(row[1]))


def retire_uploads(tx: Transaction, items: list[int]) -> list[bool]:
    """Let nothing more be sent to uploads; False where a broadcast needs one by now. Sweep them whole then."""
    return [bool(tx.all("retire_upload", upload_id=item)) for item in items]


def read_refused_rows(tx: Transaction, upload_id: int, after: int, rows_max: int) -> list[RefusedRow]:
    """The next lines of an upload that became no recipients."""
    rows = tx.all("refused_rows_after", upload_id=upload_id, after=after, rows_max=rows_max)
    return [RefusedRow(*row) for row in rows]


def read_abandoned(tx: Transaction, before_id: int) -> int | None:
    """An upload from before an id that nobody receives any more."""
    row = tx.one("abandoned_uploads", before=before_id)
    return None if row is None else int(row[0])
