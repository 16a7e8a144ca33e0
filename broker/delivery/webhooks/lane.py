"""What this process has claimed of one endpoint, in an order in which it may be called."""

from collections import OrderedDict, deque

from broker.storage.calling import Call


class Lane:
    """Claimed calls of one endpoint: those of a message follow each other, those of several run side by side."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, deque[Call]] = OrderedDict()
        self._begun: dict[int, deque[Call]] = {}
        self._queued = 0

    @property
    def running(self) -> int:
        """Calls under way: one for each message that was begun."""
        return len(self._begun)

    @property
    def held(self) -> int:
        """Calls that are claimed: waiting or under way."""
        return self._queued + self.running

    @property
    def has_waiting(self) -> bool:
        """Whether another message's calls could begin."""
        return bool(self._waiting)

    def add(self, call: Call) -> None:
        """One more, behind those of the same message."""
        self._queued += 1
        message_id = call.callback.message_id
        if message_id in self._begun:
            self._begun[message_id].append(call)
        else:
            self._waiting.setdefault(message_id, deque()).append(call)

    def begin(self) -> int:
        """The message that has waited longest; until `end`, more of it may be added."""
        message_id, calls = self._waiting.popitem(last=False)
        self._begun[message_id] = calls
        return message_id

    def next_call(self, message_id: int) -> Call | None:
        """The next call of a message that was begun, None when there is none now."""
        calls = self._begun[message_id]
        if not calls:
            return None
        self._queued -= 1
        return calls.popleft()

    def end(self, message_id: int) -> None:
        """A message is through; what was not called of it is forgotten here, and found again by the store."""
        self._queued -= len(self._begun.pop(message_id))

    def take_back(self) -> list[Call]:
        """All that is not under way, which is then no longer held."""
        chains = [*self._waiting.values(), *self._begun.values()]
        calls = [call for chain in chains for call in chain]
        self._waiting.clear()
        for chain in self._begun.values():
            chain.clear()
        self._queued = 0
        return calls
