"""What the benchmark holds the broker against follows the broker's own statements, and has to go with them."""

from bench.raw_rows import MESSAGES_A_COMMIT, RawRows


def test_the_rows_of_accepted_messages_can_be_put_into_a_store_by_nothing_else(tmp_path):
    """A statement that acceptance reads by, and that this does not know, would fail here and not in the benchmark."""
    assert RawRows(MESSAGES_A_COMMIT).insert(tmp_path / "data", share=1.0) > 0
