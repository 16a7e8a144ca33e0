"""A message's life in a few lines, for random schedules to be compared with.

It knows what the store must answer and where each message must stand, and nothing of how: no events,
no rows. There is no jitter in it: what is retried is due at once, or at the provider's wish. Every message
may go through the same three instances, in an order of its own.
"""

from dataclasses import dataclass

from broker.domain.decision import DeliveryPolicy
from broker.domain.lifecycle import State
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Receipt, ReceiptStatus, Rejected, Unknown
from broker.domain.retry import RetryPolicy
from broker.domain.vocabulary import Guarantee
from broker.testing.builders import SECOND_US
from broker.testing.store_suite.bench import LEASE_US

POLICY = DeliveryPolicy(retry=RetryPolicy(attempts_max=5, hops_max=4, base_s=1.0, cap_s=8.0), crashes_max=3)
INSTANCES = ("acme", "west", "east")
GRAVE = 2

WAITING, OPEN, DOUBT, TAKEN, ENDED = "waiting", "open", "doubt", "taken", "ended"


@dataclass
class Life:
    """One message. `until_us` is when something happens by itself: a claim, a lease, a question.

    `ready`: it waits in the lane of its provider, and no longer for its time.
    """

    message_id: int
    account_id: int
    guarantee: Guarantee
    state: State
    until_us: int
    expire_us: int
    candidates: tuple[str, ...]
    provider: str
    ready: bool = False
    place: str = WAITING
    attempt: int = 0
    fence: int = 0
    asked: int = 0
    doubtful: bool = False
    parts: frozenset[str] = frozenset()
    hops: int = 0
    crashes: int = 0

    def end(self, state: State) -> None:
        """It has ended, once."""
        self.place, self.state = ENDED, state

    def lapse(self) -> None:
        """It expired while it waited."""
        self.end(State.UNKNOWN if self.doubtful else State.EXPIRED)

    def open(self, now_us: int, fence: int) -> None:
        """An attempt was opened."""
        self.place, self.state = OPEN, State.PROCESSING
        self.attempt, self.fence, self.asked = self.attempt + 1, fence, 0
        self.until_us = now_us + LEASE_US

    def plan(self, at_us: int, now_us: int) -> None:
        """It waits for its time, or in the lane."""
        self.place, self.until_us = WAITING, min(at_us, self.expire_us)
        self.ready = self.until_us <= now_us

    def die(self) -> None:
        """The process died while an attempt was open."""
        if self.place == OPEN and self.fence:
            self.crashes, self.fence = self.crashes + 1, 0

    def reroute(self, shut: frozenset[str]) -> bool:
        """Its provider takes nothing; whether it went to another one."""
        at = self.candidates.index(self.provider)
        others = [name for name in self.candidates[at + 1 :] + self.candidates[:at] if name not in shut]
        if not others or self.hops >= POLICY.retry.hops_max:
            return False
        self.provider, self.hops = others[0], self.hops + 1
        return True

    def outcome(
        self, outcome: Outcome, now_us: int, *, asks: bool, shut: frozenset[str] = frozenset()
    ) -> None:
        """Its provider answered to the attempt. `asks`: it can be asked later."""
        match outcome:
            case Accepted(ids):
                self.place, self.state, self.asked = TAKEN, State.SENT, 0
                self.parts = frozenset(ids) or frozenset({""})
                self.until_us = min(now_us + 30 * SECOND_US, self.expire_us) if asks else self.expire_us
            case Rejected():
                self.end(State.UNKNOWN if self.doubtful else State.REJECTED)
            case NotAccepted(wish_s):
                self.again(now_us, shut, wish_s or 0)
            case _ if asks:
                self.place, self.until_us = DOUBT, min(now_us + SECOND_US, self.expire_us)
            case _:
                self.doubt(now_us, shut)

    def answer(self, answer: Outcome | Receipt, now_us: int) -> None:
        """Its provider answered to a question about the attempt."""
        match answer:
            case Receipt(identity):
                self.outcome(Accepted((identity,)), now_us, asks=True)
                self.receipt_answer(answer, now_us)
            case Unknown() if self.expire_us <= now_us:
                self.end(State.UNKNOWN)
            case Unknown():
                self.until_us = min(now_us + SECOND_US * 2**self.asked, self.expire_us)
            case _:
                self.outcome(answer, now_us, asks=True)

    def doubt(self, now_us: int, shut: frozenset[str] = frozenset()) -> None:
        """Nobody can tell, and nobody can be asked."""
        if self.guarantee is Guarantee.AT_MOST_ONCE:
            self.end(State.UNKNOWN)
        else:
            self.doubtful = True
            self.again(now_us, shut)

    def again(self, now_us: int, shut: frozenset[str], wish_s: float = 0) -> None:
        """It goes to the next candidate at once, or to the first after the last."""
        if self.crashes >= POLICY.crashes_max:
            self.end(State.SENDING_FAILED)
            return
        if self.attempt >= POLICY.retry.attempts_max:
            self.end(State.UNKNOWN if self.doubtful else State.SENDING_FAILED)
            return
        before, wait_us = self.provider, 0
        if self.hops < POLICY.retry.hops_max:
            behind = self.candidates[self.candidates.index(before) + 1 :]
            open_behind = [name for name in behind if name not in shut]
            anew = [name for name in self.candidates if name not in shut]
            self.provider = [*open_behind, *anew, before][0]
            wait_us = 0 if open_behind else round(wish_s * SECOND_US)
        else:
            wait_us = round(wish_s * SECOND_US)
        if self.provider != before:
            self.hops, wait_us = self.hops + 1, 0
        self.plan(now_us + wait_us, now_us)

    def unanswerable(self, now_us: int) -> None:
        """It is overdue and nobody can be asked."""
        if self.place == TAKEN:
            if self.expire_us <= now_us:
                self.end(State.UNKNOWN)
            else:
                self.until_us = min(now_us + 30 * SECOND_US * 2**self.asked, self.expire_us)
        else:
            self.doubt(now_us)

    def ask(self, now_us: int) -> None:
        """A question about it was claimed."""
        self.place = TAKEN if self.place == TAKEN else DOUBT
        self.asked += 1
        self.until_us = now_us + LEASE_US

    def receipt_answer(self, answer: Outcome | Receipt, now_us: int) -> None:
        """Its provider answered to a question about its receipt."""
        match answer:
            case Receipt(status=ReceiptStatus.DELIVERED | ReceiptStatus.READ):
                self.end(State.DELIVERED)
            case Receipt(status=ReceiptStatus.DELIVERY_FAILED) | Rejected():
                self.end(State.DELIVERY_FAILED)
            case Receipt() if (
                self.asked == 0
            ):  # it was in doubt until now, and has its first receipt to wait for
                return
            case _ if self.expire_us <= now_us:
                self.end(State.UNKNOWN)
            case _:
                self.until_us = min(now_us + 30 * SECOND_US * 2**self.asked, self.expire_us)

    def receive(self, receipt: Receipt) -> None:
        """A receipt came about one of its ids."""
        if self.place != TAKEN:
            return
        if receipt.status is ReceiptStatus.DELIVERY_FAILED:
            self.end(State.DELIVERY_FAILED)
        elif receipt.status in {ReceiptStatus.DELIVERED, ReceiptStatus.READ}:  # who read it has it
            self.parts -= {receipt.provider_message_id}
            if not self.parts:
                self.end(State.DELIVERED)
