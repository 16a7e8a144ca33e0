"""Turns: everybody gets one, in order, and nobody's part is lost."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from broker.domain.fairness import fair_portion, in_turns

QUEUES = st.dictionaries(st.integers(1, 9), st.lists(st.integers(), max_size=20), max_size=6)


def test_accounts_alternate_until_they_run_out() -> None:
    """In the order that is given; who has nothing left leaves the rest to the others."""
    queues = {7: ["a", "b", "c"], 3: ["x"], 5: ["m", "n"]}
    expected = [(7, "a"), (3, "x"), (5, "m"), (7, "b"), (5, "n"), (7, "c")]
    assert expected == list(in_turns(queues))


def test_a_weight_is_the_size_of_a_turn() -> None:
    """Twice the weight, twice as many."""
    queues = {1: "abcd", 2: "wxyz"}
    taken = [item for _, item in in_turns(queues, lambda account_id: account_id)]
    assert "awxbyzcd" == "".join(taken)


@given(QUEUES)
def test_nothing_is_lost_and_no_order_changes(queues: dict[int, list[int]]) -> None:
    """Each account's messages come in their own order."""
    taken = list(in_turns(queues))
    assert queues == {each: [item for account, item in taken if account == each] for each in queues}


@given(QUEUES.filter(bool), st.integers(1, 50))
def test_no_account_is_more_than_one_turn_ahead(queues: dict[int, list[int]], room: int) -> None:
    """Wherever the taking stops: who still has something got as many as any other, or one less."""
    taken = Counter(account for account, _ in list(in_turns(queues))[:room])
    hungry = [taken[each] for each, queue in queues.items() if taken[each] < len(queue)]
    assert not hungry or max(taken.values()) - min(hungry) <= 1


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.integers(1, 500))
def test_portions_fill_the_room(weights: list[int], room: int) -> None:
    """Where every account has enough, the turns of their portions are as many as there is room for."""
    accounts = list(range(len(weights)))
    portion = fair_portion(accounts, room, weights.__getitem__)
    queues = {account_id: ["x"] * portion for account_id in accounts}
    first = list(in_turns(queues, weights.__getitem__))[:room]
    assert room == len(first)
