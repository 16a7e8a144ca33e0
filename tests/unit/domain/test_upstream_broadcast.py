"""What follows where nobody knows whether an upstream took a broadcast."""

from itertools import pairwise

import pytest

from broker.domain.broadcast import Broadcast, BroadcastState
from broker.domain.outcome import Unknown
from broker.domain.upstream_broadcast import (
    ASKS_MAX,
    HandOver,
    Phase,
    Turn,
    UpstreamBroadcast,
    after_call,
    after_question,
)
from broker.testing.builders import NOW_US, SECOND_US

POLL_US = 10 * SECOND_US
RUNNING = Broadcast(7, 1, "spring", BroadcastState.RUNNING, None, 0, None, NOW_US, upstream_provider="acme")
CALLING = HandOver(7, 1, "acme", Phase.CALLING, "", 2, 1, 0, NOW_US, NOW_US)


@pytest.mark.parametrize("answer", [Unknown(), UpstreamBroadcast("", BroadcastState.RUNNING)], ids=str)
@pytest.mark.parametrize("doubt_us", [SECOND_US // 20, SECOND_US])
def test_each_question_comes_after_twice_as_long_and_the_last_ends_it(
    answer: Unknown | UpstreamBroadcast, doubt_us: int
) -> None:
    """An answer without an id names nothing that could be asked about. It is never handed over again."""
    turn = after_call(CALLING, RUNNING, Unknown(), NOW_US, doubt_us)
    turns: list[Turn] = [turn]
    while turn.hand_over.phase is Phase.DOUBTED:
        turn = after_question(turn.hand_over, RUNNING, answer, turn.hand_over.at_us, POLL_US, doubt_us)
        turns.append(turn)
    times = [NOW_US, *(each.hand_over.at_us for each in turns[:-1])]
    assert [doubt_us << count for count in range(ASKS_MAX)] == [b - a for a, b in pairwise(times)]
    assert (Phase.OVER, BroadcastState.UNKNOWN) == (turn.hand_over.phase, turn.state)
    assert {1} == {each.hand_over.attempts for each in turns}
