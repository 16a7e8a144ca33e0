# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of what provider instances keep: found again, replaced, forgotten, counted; and callback secrets."""

from pathlib import Path

import pytest

from broker.storage.keepsakes import (
    ENTRIES_MAX,
    DrawnSecret,
    Keepsake,
    delete_keepsakes,
    keep_callback_secrets,
    put_keepsakes,
    read_keepsake,
)
from broker.storage.store import Store
from broker.testing.store_suite.opening import OpenedStore


class KeepsakeCases(OpenedStore):
    """A durable space of each instance."""

    async def test_what_is_kept_is_found(self, store: Store) -> None:
        """Byte for byte, and nothing under another key or of another instance."""
        assert [True] == await store.write(put_keepsakes, [Keepsake("acme", "cursor", b"\x00\xff")])
        places = [("acme", "cursor"), ("acme", "Cursor"), ("other", "cursor")]
        assert [b"\x00\xff", None, None] == [await store.read(read_keepsake, *place) for place in places]

    async def test_the_last_one_put_counts(self, store: Store) -> None:
        """Within a call and across calls."""
        await store.write(put_keepsakes, [Keepsake("acme", "k", b"1")])
        await store.write(put_keepsakes, [Keepsake("acme", "k", b"2"), Keepsake("acme", "k", b"3")])
        assert b"3" == await store.read(read_keepsake, "acme", "k")

    async def test_what_is_deleted_is_gone(self, store: Store) -> None:
        """Only that; what was never there may be deleted too."""
        await store.write(put_keepsakes, [Keepsake("acme", "a", b"1"), Keepsake("acme", "b", b"")])
        await store.write(delete_keepsakes, [("acme", "a"), ("acme", "never"), ("other", "b")])
        assert [None, b""] == [await store.read(read_keepsake, "acme", key) for key in "ab"]

    async def test_an_instance_keeps_so_many_and_no_more(self, store: Store) -> None:
        """What it has can be replaced all the same, and other instances have room of their own."""
        full = [Keepsake("acme", str(number), b"x") for number in range(ENTRIES_MAX)]
        assert [True] * ENTRIES_MAX == await store.write(put_keepsakes, full)
        more = [Keepsake("acme", "one more", b"x"), Keepsake("acme", "7", b"y"), Keepsake("other", "7", b"z")]
        assert [False, True, True] == await store.write(put_keepsakes, more)
        kept = [await store.read(read_keepsake, "acme", key) for key in ("one more", "7")]
        assert [None, b"y"] == kept
        await store.write(delete_keepsakes, [("acme", "0")])
        assert [True] == await store.write(put_keepsakes, more[:1])

    async def test_keepsakes_survive_a_restart(self, tmp_path: Path) -> None:
        """That is what they are for."""
        async with self.open_store(tmp_path) as store:
            await store.write(put_keepsakes, [Keepsake("acme", "k", b"1")])
        async with self.open_store(tmp_path) as store:
            assert b"1" == await store.read(read_keepsake, "acme", "k")

    @pytest.mark.parametrize("drawn", [["first"], ["first", "second"]], ids=["alone", "with another start's"])
    async def test_an_instance_has_one_callback_secret_for_ever(self, store: Store, drawn: list[str]) -> None:
        """The first one drawn: upstreams hold addresses with it."""
        for each in drawn:
            answers = await store.write(
                keep_callback_secrets, [DrawnSecret("acme", each), DrawnSecret("other", f"other {each}")]
            )
            assert ["first", "other first"] == answers
