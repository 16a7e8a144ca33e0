"""What becomes of a charge: for every charge and state."""

import pytest

from broker.domain.charging import FAILED, SENT, Charge, charge_after
from broker.domain.lifecycle import ENDS, State


def test_every_end_charges_or_gives_back() -> None:
    """No credit stays held for a message that has ended."""
    assert set() == {state for state in ENDS if charge_after(Charge.HELD, state) is Charge.HELD}
    assert set() == SENT & FAILED


@pytest.mark.parametrize("state", list(State))
def test_what_is_given_back_stays_so_and_what_was_not_charged_too(state: State) -> None:
    """Whatever happens afterwards."""
    assert (Charge.REFUNDED, Charge.NONE) == (
        charge_after(Charge.REFUNDED, state),
        charge_after(Charge.NONE, state),
    )


def test_a_charge_waits_until_a_provider_took_the_message() -> None:
    """Accepted, scheduled and being handed over."""
    waiting = {state for state in State if charge_after(Charge.HELD, state) is Charge.HELD}
    assert {State.ACCEPTED, State.SCHEDULED, State.PROCESSING} == waiting
