# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of files of recipients."""

from dataclasses import replace

from broker.domain.audience import NOTHING_MORE, AudienceBlock, AudienceRow
from broker.domain.broadcast import BroadcastState, Move
from broker.storage.audience_rows import join_blocks, stored_block
from broker.storage.broadcasts import Edit, UploadGone, edit_broadcasts
from broker.storage.expanding import read_audience_size, read_rows
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
    read_retirable,
    read_upload,
    retire_uploads,
    store_batches,
    sweep_uploads,
)
from broker.testing.builders import NOW_US
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.broadcast_bench import Kept, make
from broker.testing.store_suite.opening import OpenedStore


async def received(bench: Bench, state: UploadState = UploadState.USABLE) -> Upload:
    """A file of account 1: two batches of two rows, and two lines that are none."""
    (number,) = bench.ids.take(1)
    upload = Upload(number, 1, NOW_US, UploadState.RECEIVING, columns=("phone_number", "name"))
    await bench.store.write(begin_uploads, [upload], [1])
    for first in (1, 3):
        rows = [AudienceRow(each, f"+44770090000{each}", "", "", NOTHING_MORE) for each in (first, first + 1)]
        batch = UploadBatch(number, rows, [RefusedRow(10 * first, "is bad")])
        await bench.store.write(store_batches, [batch])
    if state is not UploadState.RECEIVING:
        await bench.store.write(end_uploads, [UploadEnd(number, state, 4, 2)], [1])
    return Upload(number, 1, NOW_US, state, 4, 2, upload.columns)


class UploadingCases(OpenedStore):
    """A file is there once all of it is."""

    async def test_a_file_is_stored_batch_by_batch(self, bench: Bench) -> None:
        """With its rows in order, and the lines that became none."""
        upload = await received(bench)
        assert upload == await bench.store.read(read_upload, 1, upload.upload_id)
        rows = await bench.store.read(read_rows, 0, upload.upload_id, 1, 2)
        assert [2, 3] == [each.number for each in rows]
        found = await bench.store.read(read_refused_rows, upload.upload_id, 0, 10)
        assert [RefusedRow(10, "is bad"), RefusedRow(30, "is bad")] == found
        assert found[1:] == await bench.store.read(read_refused_rows, upload.upload_id, 10, 10)

    async def test_rows_come_in_blocks_as_well(self, bench: Bench) -> None:
        """They are what they would be one by one, with quotation marks, empty values and times."""
        (number,) = bench.ids.take(1)
        values = {"a": ['"', "x"], "b": ["", "100%"]}
        blocks = [
            AudienceBlock(1, 1, ["+447700900001"], None, None, {"a": ["x"], "b": ["%s"]}, {}),
            AudienceBlock(2, 2, None, ["a@example.org"] * 2, None, values, {"at": [5, 6]}),
            AudienceBlock(4, 1, None, None, ["token"], {}, {}),
            AudienceBlock(5, 1, ["+447700900005"], None, None, {"a": ["y"], "b": ["z"]}, {}),
        ]
        await bench.store.write(
            store_batches, [UploadBatch(number, (), (), join_blocks(list(map(stored_block, blocks))))]
        )
        assert [
            AudienceRow(1, "+447700900001", "", "", {"tokens": {"a": "x", "b": "%s"}}),
            AudienceRow(2, "", "a@example.org", "", {"tokens": {"a": '"'}, "at": 5}),
            AudienceRow(3, "", "a@example.org", "", {"tokens": {"a": "x", "b": "100%"}, "at": 6}),
            AudienceRow(4, "", "", "token", NOTHING_MORE),
            AudienceRow(5, "+447700900005", "", "", {"tokens": {"a": "y", "b": "z"}}),
        ] == await bench.store.read(read_rows, 0, number, 0, 10)

    async def test_a_block_may_have_any_number_of_rows(self, bench: Bench) -> None:
        """However many of them an engine writes at once; their numbers go on from the block's first."""
        (number,) = bench.ids.take(1)
        names = [f"Ada {at}" for at in range(1_300)]
        block = AudienceBlock(7, 1_300, None, None, names, {"name": names}, {})
        await bench.store.write(store_batches, [UploadBatch(number, (), (), [stored_block(block)])])
        found = await bench.store.read(read_rows, 0, number, 0, 2_000)
        assert [
            AudienceRow(at, "", "", name, {"tokens": {"name": name}}) for at, name in enumerate(names, 7)
        ] == found

    async def test_it_cannot_be_used_before_its_end_and_not_by_another(self, bench: Bench) -> None:
        """Both are as if there were none."""
        halfway = await received(bench, UploadState.RECEIVING)
        assert await bench.store.read(read_upload, 1, halfway.upload_id) is None
        upload = await received(bench)
        assert await bench.store.read(read_upload, 2, upload.upload_id) is None

    async def test_what_was_left_halfway_is_found_and_removed(self, bench: Bench) -> None:
        """In small batches, and with all that belongs to it; what is whole stays."""
        upload = await received(bench)
        halfway = await received(bench, UploadState.RECEIVING)
        assert await bench.store.read(read_abandoned, halfway.upload_id) is None
        assert halfway.upload_id == await bench.store.read(read_abandoned, halfway.upload_id + 1)
        wish = UploadSweep(halfway.upload_id, 3, whole=True)
        swept = [(await bench.store.write(sweep_uploads, [wish]))[0] for _ in range(2)]
        assert [True, False] == swept
        assert await bench.store.read(read_abandoned, halfway.upload_id + 1) is None
        assert [] == await bench.store.read(read_refused_rows, halfway.upload_id, 0, 10)
        assert 4 == await bench.store.read(read_audience_size, upload.upload_id)

    async def test_an_old_upload_goes_once_nothing_is_sent_to_it_any_more(self, bench: Bench) -> None:
        """A draft or a broadcast that is held still needs it; while it is removed nobody can use it."""
        upload = await received(bench)
        draft = Kept(bench, await make(bench, BroadcastState.DRAFT, upload_id=upload.upload_id))
        held = Kept(bench, await make(bench, upload_id=upload.upload_id))
        await held.move(Move.SUSPEND)
        assert await bench.store.read(read_retirable, NOW_US) is None
        for each in (draft, held):
            assert await bench.store.read(read_retirable, NOW_US + 1) is None
            assert [False] == await bench.store.write(retire_uploads, [upload.upload_id], [1])
            await each.move(Move.DELETE)
        assert (1, upload.upload_id) == await bench.store.read(read_retirable, NOW_US + 1)
        assert [True] == await bench.store.write(retire_uploads, [upload.upload_id], [1])
        assert await bench.store.read(read_upload, 1, upload.upload_id) is None
        assert UploadGone() == await make(bench, upload_id=upload.upload_id)
        assert (1, upload.upload_id) == await bench.store.read(read_retirable, 0)
        wish = UploadSweep(upload.upload_id, 3, whole=True)
        assert [True, False] == [(await bench.store.write(sweep_uploads, [wish]))[0] for _ in range(2)]
        assert await bench.store.read(read_retirable, NOW_US + 1) is None
        assert 0 == await bench.store.read(read_audience_size, upload.upload_id)

    async def test_a_draft_is_not_edited_to_an_upload_that_is_gone(self, bench: Bench) -> None:
        """It stays as it was."""
        upload = await received(bench)
        draft = Kept(bench, await make(bench, BroadcastState.DRAFT))
        await bench.store.write(retire_uploads, [upload.upload_id], [1])
        wish = replace(await draft.now(), upload_id=upload.upload_id)
        assert [UploadGone()] == await bench.store.write(edit_broadcasts, [Edit(wish, b"")], [1])
        assert None is (await draft.now()).upload_id

    async def test_what_is_still_received_is_not_retired(self, bench: Bench) -> None:
        """However old it is."""
        halfway = await received(bench, UploadState.RECEIVING)
        assert await bench.store.read(read_retirable, NOW_US + 1) is None
        assert [False] == await bench.store.write(retire_uploads, [halfway.upload_id], [1])

    async def test_a_refused_file_keeps_what_is_wrong_with_it(self, bench: Bench) -> None:
        """And none of its rows."""
        upload = await received(bench, UploadState.REFUSED)
        assert [False] == await bench.store.write(
            sweep_uploads, [UploadSweep(upload.upload_id, 10, whole=False)]
        )
        assert 0 == await bench.store.read(read_audience_size, upload.upload_id)
        assert 2 == len(await bench.store.read(read_refused_rows, upload.upload_id, 0, 10))
        assert upload == await bench.store.read(read_upload, 1, upload.upload_id)
