"""Going on by another channel: when a message does so instead of ending, and when it does not.

A message has one *way* at a time: a channel, an address on it, and the providers that may carry it there. A caller
who allows it gives a message several, in the order of preference. It stays one message: the ways come one
after the other, each with an end of its own in time, and only what happens on the last can end it badly.
"""

from broker.domain.decision import Note
from broker.domain.encoding import Encoding
from broker.domain.lifecycle import Fact
from broker.domain.value import value
from broker.domain.vocabulary import Channel, Reason


@value
class ChannelFallback:
    """A caller's wish that a message goes on by the next channel where one fails for good.

    It also does so once it is `after_us` old on a channel without having been delivered; None: only on a failure.
    """

    after_us: int | None = None


@value
class PlannedWay:
    """How a message may go. `candidates` are the instances that may carry it, in the order to try them.

    `sender` is whom it is from there where that is another one than the submission's.
    """

    channel: Channel
    recipient: str
    candidates: tuple[str, ...]
    units: int
    encoding: Encoding | None
    sender: str | None = None


@value
class Standing:
    """Where a message stands among its ways: its channel, the ways `ahead`, and until when it may take one."""

    channel: Channel
    ahead: tuple[PlannedWay, ...]
    after_us: int | None
    expire_at_us: int


@value
class Going:
    """It goes on by `way`, and has until `until_us` there. `doubtful`: it may still arrive by the one it leaves."""

    way: PlannedWay
    until_us: int
    note: Note
    doubtful: bool


_FAILURES = frozenset({Fact.REFUSED_UPSTREAM, Fact.UNDELIVERED, Fact.EXHAUSTED})
"""It surely does not arrive by this channel."""

_FOR_GOOD = frozenset({Reason.ATTEMPTS_CRASHED, Reason.OPTED_OUT, Reason.OPTED_OUT_GLOBALLY})

_OPEN_ENDS = frozenset({Fact.LAPSED, Fact.LOST})
"""Nobody can tell, or the time was up."""


def way_ends_at(after_us: int | None, ahead: int, now_us: int, expire_at_us: int) -> int:
    """Until when a message that gets onto a way at `now_us` stays on it, with so many ways `ahead`."""
    if after_us is None or not ahead:
        return expire_at_us
    return min(expire_at_us, now_us + after_us)


def going_on(fact: Fact, note: Note, standing: Standing, now_us: int) -> Going | None:
    """What follows instead of an end by `fact`; None: it does end.

    Who said STOP is not written to by another channel. A message in which the process died several times is
    not tried elsewhere: it might kill it there too. One
    that may have got through goes on only where the caller set a time, since only then is a second copy asked for.
    """
    if not standing.ahead or now_us >= standing.expire_at_us or note.reason in _FOR_GOOD:
        return None
    way, ahead = standing.ahead[0], len(standing.ahead) - 1
    until_us = way_ends_at(standing.after_us, ahead, now_us, standing.expire_at_us)
    failed = fact in _FAILURES
    if not failed and (fact not in _OPEN_ENDS or standing.after_us is None):
        return None
    why = Note(
        note.reason if failed else Reason.NOT_DELIVERED_IN_TIME,
        note.detail if failed else "",
        part=note.part,
        code=note.code,
        text=note.text,
        next_attempt_at_us=now_us,
        next_provider=way.candidates[0],
        previous_channel=standing.channel,
    )
    return Going(way, until_us, why, doubtful=fact is Fact.LOST)
