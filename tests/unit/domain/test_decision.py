"""What follows from a provider's answer: every outcome, for every guarantee and capability, at every edge."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.decision import (
    CODE_CHARACTERS_MAX,
    TEXT_CHARACTERS_MAX,
    Ask,
    AwaitReceipt,
    Decision,
    DeliveryPolicy,
    Done,
    MessageTraits,
    Note,
    Retry,
    after_doubt,
    after_question,
    after_receipt_question,
    after_submit,
    no_receipt_yet,
)
from broker.domain.lifecycle import ENDS, Fact, State, advance
from broker.domain.outcome import Accepted, NotAccepted, Outcome, Receipt, ReceiptStatus, Rejected, Unknown
from broker.domain.retry import RetryPolicy
from broker.domain.vocabulary import Guarantee, Reason

NOW_US = 1_000_000_000
SECOND_US = 1_000_000
EXPIRE_US = NOW_US + 3_600 * SECOND_US
POLICY = DeliveryPolicy(retry=RetryPolicy(attempts_max=3, base_s=8.0, cap_s=100.0))
BOTH = list(product(Guarantee, [False, True]))
ALL = list(product(Guarantee, [False, True], [False, True]))
ONCE, AGAIN = Guarantee.AT_MOST_ONCE, Guarantee.AT_LEAST_ONCE

OUTCOMES = st.one_of(
    st.builds(Accepted, st.lists(st.text(max_size=5), max_size=3).map(tuple)),
    st.builds(Rejected, st.sampled_from(Reason), st.text(), st.text()),
    st.builds(NotAccepted, st.none() | st.floats(), st.text(), st.text()),
    st.builds(Unknown, st.text(), st.text()),
)
RECEIPTS = st.builds(Receipt, st.text(), st.sampled_from(ReceiptStatus))
TRAITS = st.builds(
    MessageTraits,
    attempt=st.integers(1, 5),
    expire_at_us=st.integers(NOW_US - 10, NOW_US + 10**12),
    guarantee=st.sampled_from(Guarantee),
    asked=st.integers(0, 200),
    gives_receipts=st.booleans(),
    answers_questions=st.booleans(),
    doubtful=st.booleans(),
    provider=st.sampled_from("abx"),
    candidates=st.sampled_from([(), ("a",), ("a", "b"), ("a", "b", "c")]),
    shut=st.frozensets(st.sampled_from("abc")),
    hops=st.integers(0, 30),
    rounds=st.integers(0, 30),
    crashes=st.integers(0, 4),
    keeps_keys=st.booleans(),
)


def traits(**changes: Any) -> MessageTraits:
    """A first attempt at a message that is valid for an hour, with the named fields changed."""
    fields: dict[str, Any] = {"attempt": 1, "expire_at_us": EXPIRE_US, "guarantee": AGAIN}
    return MessageTraits(**(fields | changes))


def submitted(outcome: Outcome, chance: float = 0.5, **changes: Any) -> Decision:
    """What follows from a hand-over."""
    return after_submit(outcome, traits(**changes), POLICY, now_us=NOW_US, chance=chance)


def asked(answer: Outcome | Receipt, **changes: Any) -> Decision:
    """What follows from a question about an unknown outcome."""
    given_ = traits(**({"answers_questions": True} | changes))
    return after_question(answer, given_, POLICY, now_us=NOW_US, chance=0.5)


def facts(decision: Decision) -> list[Fact]:
    """What is recorded."""
    return [fact for fact, _ in decision.facts]


class TestHandOvers:
    """Outcomes of submit."""

    @pytest.mark.parametrize(("guarantee", "asks"), BOTH)
    def test_what_was_accepted_waits_for_its_receipt(self, guarantee: Guarantee, asks: bool) -> None:
        """Asked for soon where that is possible, else until the end of validity."""
        decision = submitted(Accepted(("x",)), guarantee=guarantee, answers_questions=asks)
        at_us = NOW_US + 30 * SECOND_US if asks else EXPIRE_US
        expected = Decision(((Fact.HANDED_OVER, Note(provider_message_ids=("x",))),), AwaitReceipt(at_us))
        assert expected == decision

    @pytest.mark.parametrize(("guarantee", "asks"), BOTH)
    def test_what_was_accepted_without_receipts_has_ended(self, guarantee: Guarantee, asks: bool) -> None:
        """SENT is all that will ever be known."""
        decision = submitted(Accepted(), guarantee=guarantee, answers_questions=asks, gives_receipts=False)
        assert Decision(((Fact.HANDED_OVER_UNTRACKED, Note()),), Done()) == decision

    @pytest.mark.parametrize(("ids", "parts"), [((), 1), (("a",), 1), (("a", "b", "c"), 3), (("a", "a"), 1)])
    def test_each_id_is_a_part_to_be_delivered(self, ids: tuple[str, ...], parts: int) -> None:
        """A provider that gives none still delivers one message; one that repeats an id reports on it once."""
        then = submitted(Accepted(ids)).then
        assert isinstance(then, AwaitReceipt)
        assert parts == then.parts

    def test_aliases_are_no_parts(self) -> None:
        """They are kept behind the id, each once; what the provider said beside is cut to its limits."""
        outcome = Accepted(("a",), aliases=("b", "", "a", "b"), code="c" * 100, text="warned")
        decision = submitted(outcome)
        note = Note(provider_message_ids=("a", "b"), aliases=1, code="c" * 64, text="warned")
        assert ((Fact.HANDED_OVER, note),) == decision.facts
        assert isinstance(decision.then, AwaitReceipt)
        assert 1 == decision.then.parts

    @pytest.mark.parametrize(("guarantee", "asks", "receipts"), ALL)
    def test_a_refusal_ends_the_message(self, guarantee: Guarantee, asks: bool, receipts: bool) -> None:
        """With the provider's reason, code and text."""
        outcome = Rejected(Reason.OPTED_OUT, "21", "no")
        decision = submitted(outcome, guarantee=guarantee, answers_questions=asks, gives_receipts=receipts)
        note = Note(Reason.OPTED_OUT, code="21", text="no")
        assert Decision(((Fact.REFUSED_UPSTREAM, note),), Done()) == decision

    @pytest.mark.parametrize(("guarantee", "asks"), BOTH)
    def test_what_was_surely_not_taken_is_tried_again(self, guarantee: Guarantee, asks: bool) -> None:
        """Whatever the guarantee: it cannot become two messages."""
        decision = submitted(NotAccepted(code="503"), guarantee=guarantee, answers_questions=asks)
        at_us = NOW_US + 4 * SECOND_US
        note = Note(Reason.PROVIDER_UNAVAILABLE, code="503", next_attempt_at_us=at_us)
        assert Decision(((Fact.DEFERRED, note),), Retry(at_us, rounds=1)) == decision

    @pytest.mark.parametrize("guarantee", Guarantee)
    def test_what_is_unknown_is_asked_about(self, guarantee: Guarantee) -> None:
        """Where it can be, whatever the guarantee."""
        decision = submitted(Unknown("t", "lost"), guarantee=guarantee, answers_questions=True)
        note = Note(Reason.AMBIGUOUS, code="t", text="lost")
        assert Decision(((Fact.DOUBTED, note),), Ask(NOW_US + SECOND_US)) == decision

    def test_what_stays_unknown_is_sent_again_at_least_once(self) -> None:
        """And is doubtful from then on."""
        at_us = NOW_US + 4 * SECOND_US
        note = Note(Reason.AMBIGUOUS, code="t", next_attempt_at_us=at_us)
        assert Decision(((Fact.DEFERRED, note),), Retry(at_us, doubtful=True, rounds=1)) == submitted(
            Unknown("t")
        )

    def test_what_stays_unknown_stops_at_most_once(self) -> None:
        """UNKNOWN, not failed: it may have arrived."""
        note = Note(Reason.AMBIGUOUS, code="t")
        assert Decision(((Fact.LOST, note),), Done()) == submitted(Unknown("t"), guarantee=ONCE)

    def test_a_providers_words_are_cut(self) -> None:
        """They may be a page of HTML."""
        ((_, note),) = submitted(Rejected(code="c" * 5_000, text="t" * 5_000)).facts
        assert (CODE_CHARACTERS_MAX, TEXT_CHARACTERS_MAX) == (len(note.code), len(note.text))


class TestRetries:
    """When, and how often."""

    @pytest.mark.parametrize(
        ("rounds", "chance", "seconds"), [(0, 0.0, 0), (0, 0.5, 4), (0, 1.0, 8), (1, 0.5, 8), (1, 1.0, 16)]
    )
    def test_delays_double_and_are_drawn_whole(self, rounds: int, chance: float, seconds: int) -> None:
        """Full jitter: from nothing to the ceiling, by the rounds that failed before."""
        expected = Retry(NOW_US + seconds * SECOND_US, rounds=rounds + 1)
        assert expected == submitted(NotAccepted(), chance, rounds=rounds).then

    @pytest.mark.parametrize(
        ("wish_s", "seconds"), [(None, 4.0), (0.0, 4.0), (-5.0, 4.0), (3.0, 4.0), (60.0, 60.0), (0.5, 4.0)]
    )
    def test_a_providers_wish_is_the_least_delay(self, wish_s: float | None, seconds: float) -> None:
        """Never the most."""
        assert Retry(NOW_US + round(seconds * SECOND_US), rounds=1) == submitted(NotAccepted(wish_s)).then

    @pytest.mark.parametrize("wish_s", [3_600.0, 1e9, float("inf")])
    def test_no_retry_is_planned_beyond_validity(self, wish_s: float) -> None:
        """At its end the message is found expired."""
        ((_, note),) = submitted(NotAccepted(wish_s)).facts
        assert (Retry(EXPIRE_US, rounds=1), EXPIRE_US) == (
            submitted(NotAccepted(wish_s)).then,
            note.next_attempt_at_us,
        )

    def test_the_last_refusal_fails_the_message(self) -> None:
        """With what the provider said to it."""
        note = Note(Reason.ATTEMPTS_EXHAUSTED, code="503", text="busy")
        decision = submitted(NotAccepted(code="503", text="busy"), attempt=3)
        assert Decision(((Fact.EXHAUSTED, note),), Done()) == decision

    @pytest.mark.parametrize(
        ("outcome", "doubtful"), [(Unknown("t"), False), (Unknown("t"), True), (NotAccepted(code="t"), True)]
    )
    def test_a_doubt_makes_the_last_attempt_unknown(self, outcome: Outcome, doubtful: bool) -> None:
        """SENDING_FAILED says that no provider took it, and nobody can say that any more."""
        note = Note(Reason.AMBIGUOUS, code="t")
        assert Decision(((Fact.LOST, note),), Done()) == submitted(outcome, attempt=3, doubtful=doubtful)

    def test_the_last_attempt_in_doubt_is_still_asked_about(self) -> None:
        """The provider may know."""
        assert [Fact.DOUBTED] == facts(submitted(Unknown(), attempt=3, answers_questions=True))


class TestCandidates:
    """Which provider gets the next attempt."""

    def routed(self, outcome: Outcome, **changes: Any) -> Retry:
        """What is planned for a message of the candidates a, b and c, of which b had the attempt."""
        fields: dict[str, Any] = {"provider": "b", "candidates": ("a", "b", "c")}
        decision = submitted(outcome, **(fields | changes))
        ((fact, note),) = decision.facts
        assert isinstance(decision.then, Retry)
        assert (Fact.DEFERRED, decision.then.provider, decision.then.at_us) == (
            fact,
            note.next_provider,
            note.next_attempt_at_us,
        )
        return decision.then

    @pytest.mark.parametrize("wish_s", [None, 60.0])
    def test_what_was_surely_not_taken_goes_to_the_next_at_once(self, wish_s: float | None) -> None:
        """Its provider's wish to wait is its provider's alone."""
        assert Retry(NOW_US, provider="c", rounds=0) == self.routed(NotAccepted(wish_s))

    def test_after_the_last_candidate_the_first_is_next_after_a_pause(self) -> None:
        """That is the end of a round; the wish of another provider does not count."""
        expected = Retry(NOW_US + 8 * SECOND_US, provider="a", rounds=2)
        assert expected == self.routed(NotAccepted(60.0), provider="c", rounds=1)

    @pytest.mark.parametrize(
        ("shut", "provider", "pauses"),
        [("c", "a", True), ("a", "c", False), ("ac", "b", True), ("abc", "b", True)],
    )
    def test_who_takes_nothing_is_passed_over(self, shut: str, provider: str, pauses: bool) -> None:
        """Where nobody takes anything, it stays where it is."""
        then = self.routed(NotAccepted(), shut=frozenset(shut))
        assert (provider, pauses) == (then.provider, then.at_us > NOW_US)

    def test_the_only_one_left_is_waited_for_as_it_wishes(self) -> None:
        """Nobody else takes messages."""
        expected = Retry(NOW_US + 60 * SECOND_US, provider="b", rounds=1)
        assert expected == self.routed(NotAccepted(60.0), shut=frozenset("ac"))

    def test_without_hops_left_a_message_stays(self) -> None:
        """And pauses after each attempt."""
        assert ("b", 1) == (
            self.routed(NotAccepted(), hops=24).provider,
            self.routed(NotAccepted(), hops=24).rounds,
        )
        assert "c" == self.routed(NotAccepted(), hops=23).provider

    @pytest.mark.parametrize(("keeps_keys", "provider"), [(False, "c"), (True, "b")])
    def test_an_unknown_outcome_stays_with_whom_knows_its_key(self, keeps_keys: bool, provider: str) -> None:
        """Elsewhere it could become two messages; without a key it can anyway."""
        then = self.routed(Unknown(), keeps_keys=keeps_keys)
        assert (provider, True) == (then.provider, then.doubtful)

    @pytest.mark.parametrize("keeps_keys", [False, True])
    def test_a_clear_refusal_goes_on_whatever_the_keys(self, keeps_keys: bool) -> None:
        """It was not taken."""
        assert "c" == self.routed(NotAccepted(), keeps_keys=keeps_keys).provider

    def test_at_most_once_goes_on_after_a_clear_refusal_only(self) -> None:
        """After a doubt it ends."""
        assert "c" == self.routed(NotAccepted(), guarantee=ONCE).provider
        ended = submitted(Unknown(), guarantee=ONCE, provider="b", candidates=("a", "b", "c"))
        assert ([Fact.LOST], Done()) == (facts(ended), ended.then)


class TestCrashes:
    """Messages that were there when the process died."""

    @pytest.mark.parametrize(
        ("crashes", "fact"), [(0, Fact.DEFERRED), (2, Fact.DEFERRED), (3, Fact.EXHAUSTED)]
    )
    @pytest.mark.parametrize("outcome", [NotAccepted(), Unknown()], ids=["not accepted", "unknown"])
    def test_the_third_crash_is_the_last(self, outcome: Outcome, crashes: int, fact: Fact) -> None:
        """It is not handed over again, whatever attempts are left."""
        ((found, note),) = submitted(outcome, crashes=crashes).facts
        assert (fact, crashes == 3) == (found, note.reason is Reason.ATTEMPTS_CRASHED)

    @pytest.mark.parametrize("crashes", [1, 3])
    def test_at_most_once_is_lost_whatever_the_crashes(self, crashes: int) -> None:
        """Nobody can tell whether it was taken."""
        ((fact, note),) = submitted(Unknown(), crashes=crashes, guarantee=ONCE).facts
        assert (Fact.LOST, Reason.AMBIGUOUS) == (fact, note.reason)

    def test_what_was_taken_after_all_goes_its_way(self) -> None:
        """Its provider says so."""
        assert [Fact.HANDED_OVER] == facts(asked(Accepted(("x",)), crashes=3))


class TestQuestions:
    """Answers about an unknown outcome."""

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (Accepted(("y",)), [Fact.HANDED_OVER]),
            (Rejected(), [Fact.REFUSED_UPSTREAM]),
            (NotAccepted(), [Fact.DEFERRED]),
            (Unknown(), []),
            (Receipt("y", ReceiptStatus.SENT), [Fact.HANDED_OVER]),
            (Receipt("y", ReceiptStatus.UNKNOWN), [Fact.HANDED_OVER]),
            (Receipt("y", ReceiptStatus.DELIVERED), [Fact.HANDED_OVER, Fact.DELIVERED]),
            (Receipt("y", ReceiptStatus.READ), [Fact.HANDED_OVER, Fact.DELIVERED, Fact.READ]),
            (Receipt("y", ReceiptStatus.DELIVERY_FAILED), [Fact.HANDED_OVER, Fact.UNDELIVERED]),
        ],
    )
    @pytest.mark.parametrize("guarantee", Guarantee)
    def test_an_answer_is_worth_an_outcome(
        self, guarantee: Guarantee, answer: Outcome | Receipt, expected: list[Fact]
    ) -> None:
        """Whatever the guarantee."""
        assert expected == facts(asked(answer, guarantee=guarantee))

    @pytest.mark.parametrize(
        ("count", "seconds"), [(0, 1), (1, 2), (5, 32), (11, 2_048), (12, 3_600), (99, 3_600)]
    )
    def test_each_question_waits_twice_as_long(self, count: int, seconds: int) -> None:
        """Up to the cap."""
        assert Decision((), Ask(NOW_US + seconds * SECOND_US)) == asked(Unknown(), asked=count)

    @pytest.mark.parametrize("guarantee", Guarantee)
    @pytest.mark.parametrize(("left_us", "lost"), [(1, False), (0, True), (-1, True)])
    def test_a_doubt_is_lost_at_the_end_of_validity(
        self, guarantee: Guarantee, left_us: int, lost: bool
    ) -> None:
        """Whatever the guarantee: what is no longer valid is not sent again."""
        decision = asked(Unknown(), guarantee=guarantee, expire_at_us=NOW_US + left_us)
        assert (Done() if lost else Ask(NOW_US + left_us)) == decision.then
        assert ([Fact.LOST] if lost else []) == facts(decision)

    def test_what_the_provider_never_got_is_no_longer_in_doubt(self) -> None:
        """The retry is not marked doubtful."""
        then = asked(NotAccepted()).then
        assert isinstance(then, Retry)
        assert not then.doubtful

    @pytest.mark.parametrize(("guarantee", "expected"), [(AGAIN, Fact.DEFERRED), (ONCE, Fact.LOST)])
    def test_a_doubt_that_nobody_can_settle_follows_the_guarantee(
        self, guarantee: Guarantee, expected: Fact
    ) -> None:
        """(C32)."""
        note = Note(Reason.AMBIGUOUS)
        decision = after_doubt(note, traits(guarantee=guarantee), POLICY, now_us=NOW_US, chance=0.5)
        assert [expected] == facts(decision)


class TestMissingReceipts:
    """Answers about a message that was taken."""

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (Receipt("y", ReceiptStatus.DELIVERED), [Fact.DELIVERED]),
            (Receipt("y", ReceiptStatus.READ), [Fact.DELIVERED, Fact.READ]),
            (Receipt("y", ReceiptStatus.DELIVERY_FAILED), [Fact.UNDELIVERED]),
            (Rejected(code="21"), [Fact.UNDELIVERED]),
            (Receipt("y", ReceiptStatus.SENT), []),
            (Receipt("y", ReceiptStatus.UNKNOWN), []),
            (Accepted(), []),
            (NotAccepted(), []),
            (Unknown(), []),
        ],
    )
    @pytest.mark.parametrize("guarantee", Guarantee)
    def test_a_message_that_was_taken_is_never_sent_again(
        self, guarantee: Guarantee, answer: Outcome | Receipt, expected: list[Fact]
    ) -> None:
        """It ends, or it waits on."""
        decision = after_receipt_question(answer, traits(guarantee=guarantee), POLICY, now_us=NOW_US)
        assert expected == facts(decision)
        assert isinstance(decision.then, Done if expected else AwaitReceipt)

    @pytest.mark.parametrize(("left_us", "lost"), [(1, False), (0, True)])
    def test_a_receipt_is_waited_for_until_the_end_of_validity(self, left_us: int, lost: bool) -> None:
        """Then it is lost for want of one."""
        decision = no_receipt_yet(traits(expire_at_us=NOW_US + left_us), POLICY, now_us=NOW_US)
        expected = Decision(((Fact.LOST, Note(Reason.NO_RECEIPT)),), Done())
        assert (expected if lost else Decision((), AwaitReceipt(NOW_US + left_us))) == decision

    @pytest.mark.parametrize(("count", "seconds"), [(0, 30), (1, 60), (2, 120), (6, 1_920), (7, 3_600)])
    def test_each_wait_is_twice_as_long(self, count: int, seconds: int) -> None:
        """From half a minute to the cap."""
        long = traits(asked=count, expire_at_us=NOW_US + 10**12)
        assert AwaitReceipt(NOW_US + seconds * SECOND_US) == no_receipt_yet(long, POLICY, now_us=NOW_US).then


def check_decision(decision: Decision, state: State, expire_at_us: int) -> None:
    """The facts can happen in their order, an end is Done, and nothing is planned beyond validity."""
    for fact, _ in decision.facts:
        state = advance(state, fact).state
    assert (state in ENDS) == isinstance(decision.then, Done)
    if not isinstance(decision.then, Done):
        assert decision.then.at_us <= max(expire_at_us, NOW_US)


@given(OUTCOMES, TRAITS, st.floats(0, 1, exclude_max=True))
def test_every_outcome_leads_to_a_move_that_can_be(
    outcome: Outcome, given_: MessageTraits, chance: float
) -> None:
    """From PROCESSING, with either an end or one thing that is due."""
    decision = after_submit(outcome, given_, POLICY, now_us=NOW_US, chance=chance)
    check_decision(decision, State.PROCESSING, given_.expire_at_us)


@given(OUTCOMES | RECEIPTS, TRAITS)
def test_every_answer_leads_to_a_move_that_can_be(answer: Outcome | Receipt, given_: MessageTraits) -> None:
    """From a doubt, and from a missing receipt."""
    decision = after_question(answer, given_, POLICY, now_us=NOW_US, chance=0.5)
    check_decision(decision, State.PROCESSING, given_.expire_at_us)
    decision = after_receipt_question(answer, given_, POLICY, now_us=NOW_US)
    check_decision(decision, State.SENT, given_.expire_at_us)


def test_a_refusal_after_a_doubt_does_not_claim_that_nothing_was_sent() -> None:
    """The usual answer of a provider that took the attempt before is "duplicate"."""
    traits = MessageTraits(2, NOW_US + 1, Guarantee.AT_LEAST_ONCE, doubtful=True)
    decision = after_submit(Rejected(code="duplicate"), traits, DeliveryPolicy(), now_us=NOW_US, chance=0)
    ((fact, note),) = decision.facts
    assert (Fact.LOST, Reason.AMBIGUOUS, "duplicate", Done()) == (fact, note.reason, note.code, decision.then)


def test_an_empty_provider_id_is_none() -> None:
    """It would match every receipt that has none."""
    traits = MessageTraits(1, NOW_US + 1, Guarantee.AT_LEAST_ONCE)
    decision = after_submit(Accepted(("", "x")), traits, DeliveryPolicy(), now_us=NOW_US, chance=0)
    ((_, note),) = decision.facts
    assert ("x",) == note.provider_message_ids
