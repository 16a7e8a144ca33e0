"""What an upstream asks over HTTP, and what it is answered: at once, or once that is known."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.domain.outcome import ReportedFact


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """An HTTP request that the upstream made to the instance's callback address.

    `path` is what follows the secret, without a leading slash, "" for nothing. Names of `headers` are in
    lower case. `body` is at most 1 MiB. `query` holds the decoded pairs in their order.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What a callback meant, and what to answer once that is committed.

    A request that is forged or makes no sense is answered with a 4xx `status` and no facts.

    `later`: what to answer is not known yet, as where the upstream passes the answer on to whoever wrote. Where
    that brings nothing, the rest of this is answered.
    """

    facts: Sequence[ReportedFact] = ()
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    later: "LateAnswer | None" = None


class LateAnswer(ABC):
    """An answer to a callback that comes after its facts are committed."""

    @abstractmethod
    async def answer(self) -> CallbackAnswer:
        """What to answer, without facts and nothing later still.

        Asked when the facts are committed, and cancelled after 60 s, when the upstream hangs up, and when the broker
        drains. An upstream that gets no answer may call again, so do not raise.
        """

    @abstractmethod
    def written(self, whole: bool) -> None:
        """Called once and last: whether what `answer` said was written to a connection that was still open."""
