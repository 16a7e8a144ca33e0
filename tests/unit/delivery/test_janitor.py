"""The janitor clears away what nobody needs any more."""

from broker.delivery import janitor as chores
from broker.delivery.janitor import Janitor
from broker.domain.sender_pool import CHOICE_MEMORY_US
from broker.metrics import Metrics
from broker.storage.groups import read_any_group_removed
from broker.storage.senders import ChoiceWish, SenderChoice, keep_choices, read_choices
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


async def test_a_round_forgets_choices_of_pools_that_nobody_used(store, clock, monkeypatch) -> None:
    """All that are past their memory, in as many batches as it takes; one that is not stays."""
    monkeypatch.setattr(chores, "SWEEP_ROWS_MAX", 2)
    now_us = clock.now_us()
    ages_us = {str(number): CHOICE_MEMORY_US + number for number in range(5)}
    choices = [SenderChoice(1, "care", each, "x", now_us - age_us) for each, age_us in ages_us.items()]
    await store.write(keep_choices, choices, [1])
    await Janitor(store, clock, receipt_memory_s=60, metrics=Metrics()).forget()
    assert [{"0": "x"}] == await store.read(read_choices, [ChoiceWish(1, "care", list(ages_us))])
