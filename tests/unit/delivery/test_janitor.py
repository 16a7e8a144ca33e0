"""The janitor clears away what removed groups left."""

from broker.delivery import janitor as chores
from broker.delivery.janitor import Janitor
from broker.metrics import Metrics
from broker.storage.groups import read_any_group_removed
from broker.testing.store_suite.directory_bench import DirectoryBench


async def test_a_round_sweeps_all_removed_groups(store, clock, monkeypatch) -> None:
    """In as many batches as it takes; groups that are there keep their members."""
    monkeypatch.setattr(chores, "SWEEP_ROWS_MAX", 2)
    people = DirectoryBench(store)
    members = [await people.add() for _ in range(5)]
    kept = await people.group("Kept", *members)
    for name in ("Year 7", "Year 8"):
        group = await people.group(name, *members)
        await people.remove_group(group.group_id)
    await Janitor(store, clock, receipt_memory_s=60, metrics=Metrics()).sweep()
    assert not await store.read(read_any_group_removed)
    assert 5 == len(await people.listed(group_id=kept.group_id))
