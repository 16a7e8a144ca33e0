"""Rows of audiences as they are stored."""

from broker.domain.audience import AudienceBlock
from broker.storage.audience_rows import StoredBlock, join_blocks, stored_block


def test_blocks_with_the_same_columns_become_one() -> None:
    """So that a file with odd lines here and there is not written a few rows at a time."""
    blocks = [
        AudienceBlock(1, 2, ["+447700900001", "+447700900002"], None, None, {}, {}),
        AudienceBlock(3, 1, None, ["a@example.org"], None, {}, {}),
        AudienceBlock(4, 1, ["+447700900004"], None, None, {}, {}),
    ]
    assert [
        StoredBlock(3, ([1, 2, 4], ["+447700900001", "+447700900002", "+447700900004"], "", "", "")),
        StoredBlock(1, ([3], "", ["a@example.org"], "", "")),
    ] == join_blocks(list(map(stored_block, blocks)))
