"""The fold of consent against a model that is written another way, over sequences that hypothesis finds."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import sampled_from

from broker.domain.consent import (
    Act,
    Consent,
    ConsentChange,
    ConsentSource,
    Scope,
    Wish,
    WishKey,
    effects,
    fold,
    in_force,
    refusal,
    sender_key,
)
from broker.domain.consent_answers import ANSWER_CHARACTERS_MAX, answer_to
from broker.domain.vocabulary import Reason

ADA, BOB = "+447700900001", "+447700900002"
ACCOUNTS, SENDERS, RECIPIENTS = (1, 2), ("", "Shop", "Bank"), (ADA, BOB)


def change(act: Act = Act.OPT_OUT, **changes: Any) -> ConsentChange:
    """Ada about Shop, told to account 1 by a call."""
    fields: dict[str, Any] = {
        "account_id": 1,
        "sender": "Shop",
        "recipient": ADA,
        "act": act,
        "source": ConsentSource.CALL,
        "at_us": 1,
    }
    return ConsentChange(**(fields | changes))


class ConsentMachine(RuleBasedStateMachine):
    """The model keeps every change and answers by reading them from the newest back; the fold keeps states."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[WishKey, Wish] = {}
        self.said: list[ConsentChange] = []

    @rule(
        account_id=sampled_from(ACCOUNTS),
        sender=sampled_from(SENDERS),
        recipient=sampled_from(RECIPIENTS),
        act=sampled_from(Act),
        source=sampled_from(ConsentSource),
        scope=sampled_from(Scope),
    )
    def say(
        self, account_id: int, sender: str, recipient: str, act: Act, source: ConsentSource, scope: Scope
    ) -> None:
        """Something is said."""
        said = ConsentChange(account_id, sender, recipient, act, source, len(self.said) + 1, scope)
        self.known |= effects(said, self.known)
        self.said.append(said)

    @invariant()
    def agrees_with_the_model(self) -> None:
        """About everybody and every sender."""
        for account_id in ACCOUNTS:
            for recipient in RECIPIENTS:
                states = {sender: self._in_force(account_id, sender, recipient) for sender in SENDERS}
                for sender, state in states.items():
                    assert state is in_force(self.known, account_id, sender, recipient).state
                    expected = self._refusal({state} if sender else set(states.values()))
                    assert expected is refusal(self.known, account_id, sender, recipient)

    def teardown(self) -> None:
        """The record alone makes the same states."""
        assert self.known == fold(self.said)

    def _in_force(self, account_id: int, sender: str, recipient: str) -> Consent:
        mine = [each for each in self.said if each.recipient == recipient]
        for each in reversed(mine if sender else []):
            if each.sender == sender and each.act is Act.OPT_OUT and each.scope is Scope.GLOBAL:
                return Consent.OPTED_OUT_GLOBALLY
            if each.sender == sender and each.act is not Act.OPT_OUT and each.source is ConsentSource.INBOUND:
                break
        for each in reversed(mine):
            if each.account_id != account_id or each.sender not in {sender, ""} or each.act is Act.HELP:
                continue
            if each.act is Act.OPT_IN:
                return Consent.OPTED_IN
            if each.scope is Scope.ACCOUNT or not each.sender:
                return Consent.OPTED_OUT
        return Consent.UNSET

    @staticmethod
    def _refusal(states: set[Consent]) -> Reason | None:
        if Consent.OPTED_OUT_GLOBALLY in states:
            return Reason.OPTED_OUT_GLOBALLY
        return Reason.OPTED_OUT if Consent.OPTED_OUT in states else None


TestConsent = ConsentMachine.TestCase
TestConsent.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_consent_for_long() -> None:
    """The same over 100,000 steps."""
    often = settings(
        max_examples=1_000, stateful_step_count=100, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(ConsentMachine, settings=often)


@pytest.mark.parametrize(
    ("act", "source", "lifted"),
    [
        (Act.OPT_IN, ConsentSource.CALL, False),
        (Act.HELP, ConsentSource.CALL, False),
        (Act.OPT_IN, ConsentSource.RECEIPT, False),
        (Act.OPT_IN, ConsentSource.INBOUND, True),
        (Act.HELP, ConsentSource.INBOUND, True),
        (Act.OPT_OUT, ConsentSource.INBOUND, False),
    ],
)
def test_a_global_opt_out_is_lifted_by_the_recipient_alone(
    act: Act, source: ConsentSource, lifted: bool
) -> None:
    """Whatever an account says, and whichever account hears it."""
    known = fold([change(scope=Scope.GLOBAL), change(act, source=source, account_id=2)])
    assert lifted is not (refusal(known, 3, "Shop", ADA) is Reason.OPTED_OUT_GLOBALLY)


@pytest.mark.parametrize(
    ("written", "key"),
    [("Shop", "shop"), (" SHOP ", "shop"), ("+44 (7700) 900-001", ADA), ("80800", "80800"), ("", "")],
)
def test_senders_are_compared_in_one_form(written: str, key: str) -> None:
    """However they are written."""
    assert key == sender_key(written)


@pytest.mark.parametrize("state", Consent)
@pytest.mark.parametrize("name", ["", "Acme", "A very long name of an organisation " * 5])
def test_what_to_tell_the_recipient_fits_one_sms(state: Consent, name: str) -> None:
    """With the organisation's name, as much of it as there is room for."""
    text = answer_to(Wish(state, 1, "Shop", name))
    assert len(text) <= ANSWER_CHARACTERS_MAX
    assert text.isascii()
    assert text.startswith(name[:4] or ("Reply" if state is Consent.UNSET else "You"))


def test_a_repeated_wish_is_as_old_as_its_first_saying() -> None:
    """And keeps names that are not said again."""
    known = fold([
        change(organisation_name="Acme", recipient_name="Ada"),
        change(at_us=2),
        change(at_us=3, recipient_name="Ada L."),
    ])
    assert Wish(Consent.OPTED_OUT, 1, "Shop", "Acme", "Ada L.") == known[1, ADA, "shop"]
