"""What the lines of a file of recipients are good for, a batch at a time, whatever the file's size."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO

from broker.delivery.broadcasts.file_reading import FileKind, NumberedLine, Table, source_of
from broker.domain.audience import AudienceRow
from broker.domain.audience_file import Columns, FileRefused, columns_of, row_of_cells
from broker.domain.audience_lines import block_of_table, plain_block
from broker.storage.audience_rows import StoredBlock, join_blocks, stored_block
from broker.storage.uploads import RefusedRow

PART_LINES = 512
"""Lines that are taken apart together. One odd line among them sends all of them a slower way."""

LINES_APART = 64
"""Where there is an odd line among them, so many are looked at together, and at last each alone."""

BATCH_ROWS = 4 * PART_LINES

Batch = tuple[list[AudienceRow], list[StoredBlock], list[RefusedRow]]
"""Rows, more of them in blocks, and the lines that became none."""


class FileRecipients:
    """A file on its way into the store. `rows` and `refused` count what was read so far."""

    def __init__(self, file: IO[bytes], kind: FileKind, now_us: int, region: str) -> None:
        self.kind = kind
        self.columns: Columns | FileRefused = FileRefused("has no lines")
        self.rows = 0
        self.refused = 0
        self._now_us = now_us
        self._region = region
        self._source = source_of(file, kind)
        self._parts: Iterator[Table | Sequence[NumberedLine]] = iter(())
        self._begun = False

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def next(self) -> Batch | None:
        """What the next lines came to; None at the end of the file."""
        if not self._begun:
            self._begun = True
            self.columns = self._begin()
        return None if isinstance(self.columns, FileRefused) else self._judge(self.columns)

    def _begin(self) -> Columns | FileRefused:
        """The columns, by the first line that is not empty."""
        while first := self._source.lines(1):
            ((_, cells),) = first
            if isinstance(cells, str):
                return FileRefused(f"begins with a line that {cells}")
            if any(cells):
                columns = columns_of(cells, self._region)
                if isinstance(columns, Columns):
                    self._parts = self._parts_after(first, columns)
                return columns
        return self.columns

    def _parts_after(
        self, first: Sequence[NumberedLine], columns: Columns
    ) -> Iterator[Table | Sequence[NumberedLine]]:
        if not columns.has_header:
            yield first
        while part := self._source.part(PART_LINES, len(columns.names)):
            yield part

    def _judge(self, columns: Columns) -> Batch | None:
        batch: Batch = [], [], []
        parts = list(islice(self._parts, BATCH_ROWS // PART_LINES))
        for part in parts:
            if not self._judge_whole(part, columns, batch):
                self._judge_lines(part.lines() if isinstance(part, Table) else part, columns, batch)
        rows, blocks, refused = batch
        self.refused += len(refused)
        return (rows, join_blocks(blocks), refused) if parts else None

    def _judge_whole(self, part: Table | Sequence[NumberedLine], columns: Columns, batch: Batch) -> bool:
        """Add lines as one block, where nothing is wrong with any of them."""
        number, now_us, region = self.rows + 1, self._now_us, self._region
        if isinstance(part, Table):
            block = block_of_table(number, part.columns, columns, now_us, region)
        else:
            block = plain_block(number, [line for _, line in part], columns, now_us, region)
        if block is None:
            return False
        batch[1].append(stored_block(block))
        self.rows += block.rows
        return True

    def _judge_lines(self, part: Sequence[NumberedLine], columns: Columns, batch: Batch) -> None:
        """Add what lines are good for, some of which have something wrong."""
        for start in range(0, len(part), LINES_APART):
            some = part[start : start + LINES_APART]
            if not self._judge_whole(some, columns, batch):
                self._judge_each(some, columns, batch)

    def _judge_each(self, part: Sequence[NumberedLine], columns: Columns, batch: Batch) -> None:
        """Add what each line is good for."""
        rows, _, refused = batch
        for line, cells in part:
            found: AudienceRow | str | None
            if isinstance(cells, str):
                found = cells
            else:
                found = row_of_cells(self.rows + 1, cells, columns, self._now_us, self._region)
            if isinstance(found, AudienceRow):
                rows.append(found)
                self.rows += 1
            elif found is not None:
                refused.append(RefusedRow(line, found))
