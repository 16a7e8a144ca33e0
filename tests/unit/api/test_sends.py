"""Calls of Send that come together are answered together, and each on its own."""

import asyncio

import pytest

from broker.api.sends import GROUP_CALLS_MAX, Sends
from broker.domain.access import Principal, Role
from broker.errors import BrokerError, ErrorReason
from waypost.v1 import send_pb2

CALLER = Principal(key_id=1, account_id=1, role=Role.SEND)


class Held:
    """Answers a group when told to; a request of a text in `bad` is a defect, one in `refused` is refused."""

    def __init__(self, *, bad=(), refused=()):
        self.groups = []
        self.free = asyncio.Event()
        self._bad, self._refused = bad, refused

    async def of(self, asked):
        """The names are kept, and answered once `free` is set."""
        names = [request.client_reference for _, request in asked]
        self.groups.append(names)
        await self.free.wait()
        if any(name in self._bad for name in names):
            raise ZeroDivisionError
        return [BrokerError(ErrorReason.QUEUE_FULL) if name in self._refused else () for name in names]


def _call(sends, name):
    return asyncio.create_task(sends.answer(CALLER, send_pb2.SendRequest(client_reference=str(name))))


async def _settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_lone_call_goes_at_once():
    """It waits for nobody."""
    held = Held()
    held.free.set()
    await _call(Sends(held), "a")
    assert [["a"]] == held.groups


async def test_calls_that_come_meanwhile_make_up_the_next_group():
    """As soon as the one under way has ended, with everybody who came since, in order."""
    held = Held()
    sends = Sends(held)
    calls = []
    for name in "abcd":
        calls.append(_call(sends, name))
        await _settled()
    assert [["a"]] == held.groups
    held.free.set()
    await asyncio.gather(*calls)
    assert [["a"], ["b", "c", "d"]] == held.groups
    await _call(sends, "e")
    assert ["e"] == held.groups[-1]


async def test_calls_of_one_turn_go_together_up_to_the_limit():
    """No group is larger, and nobody is left behind."""
    held = Held()
    held.free.set()
    sends = Sends(held)
    await asyncio.gather(*[_call(sends, number) for number in range(GROUP_CALLS_MAX + 1)])
    assert [GROUP_CALLS_MAX, 1] == [len(group) for group in held.groups]


async def test_a_refused_call_harms_no_other():
    """Its refusal is its own."""
    held = Held(refused={"b"})
    held.free.set()
    sends = Sends(held)
    answers = await asyncio.gather(*[_call(sends, name) for name in "abc"], return_exceptions=True)
    assert [True, False, True] == [isinstance(each, send_pb2.SendResponse) for each in answers]
    assert ErrorReason.QUEUE_FULL is answers[1].reason


async def test_a_defect_belongs_to_the_call_that_it_came_of():
    """The others of its group are answered all the same, each alone."""
    held = Held(bad={"b"})
    held.free.set()
    sends = Sends(held)
    answers = await asyncio.gather(*[_call(sends, name) for name in "abc"], return_exceptions=True)
    assert [False, True, False] == [isinstance(each, ZeroDivisionError) for each in answers]
    assert [["a", "b", "c"], ["a"], ["b"], ["c"]] == held.groups


async def test_an_outcome_that_cannot_be_told_harms_no_other():
    """It fails the call that it is of; those of its group and those that come later get their answers."""

    class Odd:
        """Answers one request with what is no result."""

        async def of(self, asked):
            return [[object()] if request.client_reference == "b" else () for _, request in asked]

    sends = Sends(Odd())
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*[_call(sends, name) for name in "abc"], return_exceptions=True)
        assert send_pb2.SendResponse() == await _call(sends, "d")
    assert [False, True, False] == [isinstance(each, AttributeError) for each in answers]


async def test_a_caller_who_goes_away_leaves_its_group_whole():
    """What it asked for is done, and the others get their answers."""
    held = Held()
    sends = Sends(held)
    gone, stays = _call(sends, "a"), _call(sends, "b")
    await _settled()
    gone.cancel()
    held.free.set()
    assert send_pb2.SendResponse() == await stays
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert [["a", "b"]] == held.groups


@pytest.mark.parametrize("field", ["contact_id", "external_id"])
async def test_a_call_that_names_contacts_joins_no_group(field):
    """Nobody is refused for how many people another caller reaches; and it waits for no group."""
    held = Held()
    sends = Sends(held)
    calls = [_call(sends, "first")]
    await _settled()
    named = send_pb2.SendRequest(client_reference="people", recipients=[{field: "x"}])
    calls += [_call(sends, "waits"), asyncio.create_task(sends.answer(CALLER, named))]
    await _settled()
    assert [["first"], ["people"]] == held.groups
    held.free.set()
    await asyncio.gather(*calls)
    assert [["waits"]] == held.groups[2:]
