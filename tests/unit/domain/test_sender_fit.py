"""Which sender may be used on which way."""

from typing import Any

import pytest

from broker.domain.sender import Sender, SenderCapability, SenderDraft, SenderKind, registered
from broker.domain.sender_fit import free_misfit, misfit
from broker.domain.vocabulary import Channel, Reason

BRITISH, AMERICAN, CANADIAN, PUERTO_RICAN = "+447700900123", "+12025550123", "+14165550123", "+17875550123"
TOLL_FREE, BRITISH_TOLL_FREE, SATELLITE = "+18005550199", "+448001111111", "+870773111632"
SMS, MMS = SenderCapability.SMS, SenderCapability.MMS
WRONG_KIND, NOT_CAPABLE = Reason.SENDER_WRONG_KIND, Reason.SENDER_NOT_CAPABLE


def sender(value: str, **wishes: Any) -> Sender:
    """A registered sender."""
    made = registered(SenderDraft(value, **wishes), 1, 1, 0, ())
    assert isinstance(made, Sender), made
    return made


def reason(problem: Any) -> Reason | None:
    """For programs."""
    return problem if problem is None or isinstance(problem, Reason) else problem.reason


@pytest.mark.parametrize(
    ("value", "country", "address", "expected"),
    [
        (TOLL_FREE, "", AMERICAN, None),
        (TOLL_FREE, "", CANADIAN, None),
        (TOLL_FREE, "", PUERTO_RICAN, None),
        (TOLL_FREE, "", BRITISH, WRONG_KIND),
        (TOLL_FREE, "", "+18765550123", WRONG_KIND),  # Jamaica shares +1
        (TOLL_FREE, "", SATELLITE, WRONG_KIND),
        (BRITISH_TOLL_FREE, "", BRITISH, None),
        (BRITISH_TOLL_FREE, "", AMERICAN, WRONG_KIND),
        ("12345", "US", AMERICAN, None),
        ("12345", "US", CANADIAN, WRONG_KIND),
        ("12345", "GB", BRITISH, None),
        ("12345", "GB", SATELLITE, WRONG_KIND),
        ("Shop", "", BRITISH, None),
        ("Shop", "", SATELLITE, None),
        ("Shop", "", AMERICAN, WRONG_KIND),
        ("Shop", "", CANADIAN, WRONG_KIND),
        ("Shop", "GB", BRITISH, None),
        ("Shop", "GB", "+33612345678", WRONG_KIND),
        (AMERICAN, "", BRITISH, None),
        (BRITISH, "", AMERICAN, None),
    ],
)
def test_a_registered_sender_reaches_the_countries_of_its_kind(
    value: str, country: str, address: str, expected: Reason | None
) -> None:
    """Toll-free numbers at home, short codes where they are leased, names outside North America."""
    assert expected == reason(misfit(sender(value, country=country), Channel.SMS, address))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            TOLL_FREE,
            "the United States and Canada alone, and the recipient's number is one of GB; name an alphanum",
        ),
        ("12345", "a short code of US works in that country alone, and the recipient's number is one of GB"),
    ],
)
def test_a_wrong_kind_says_why(value: str, words: str) -> None:
    """For people, without the recipient's number."""
    problem = misfit(sender(value, country="US"), Channel.SMS, BRITISH)
    assert problem is not None
    assert words in problem.detail
    assert BRITISH not in problem.detail


@pytest.mark.parametrize(
    ("value", "able", "channel", "expected"),
    [
        (AMERICAN, {SMS, MMS}, Channel.MMS, None),
        (AMERICAN, {SMS}, Channel.MMS, NOT_CAPABLE),
        (AMERICAN, {MMS}, Channel.SMS, NOT_CAPABLE),
        (TOLL_FREE, {MMS}, Channel.MMS, None),
        ("care@shop.example", {SenderCapability.EMAIL}, Channel.EMAIL, None),
        ("care@shop.example", {SenderCapability.EMAIL}, Channel.SMS, Reason.INVALID_SENDER),
        ("com.shop.app", {SenderCapability.PUSH}, Channel.PUSH, None),
        ("com.shop.app", {SenderCapability.PUSH}, Channel.IN_APP, NOT_CAPABLE),
        ("com.shop.app", {SenderCapability.PUSH}, Channel.EMAIL, Reason.INVALID_SENDER),
    ],
)
def test_a_registered_sender_does_what_it_is_registered_for(
    value: str, able: set[SenderCapability], channel: Channel, expected: Reason | None
) -> None:
    """On the channels of its kind."""
    made = sender(value, capabilities=frozenset(able))
    assert expected == reason(misfit(made, channel, AMERICAN))


@pytest.mark.parametrize(
    ("value", "channel", "address", "expected"),
    [
        (TOLL_FREE, Channel.SMS, AMERICAN, None),
        (TOLL_FREE, Channel.SMS, CANADIAN, None),
        (TOLL_FREE, Channel.SMS, BRITISH, WRONG_KIND),
        ("Shop", Channel.SMS, AMERICAN, None),
        ("12345", Channel.SMS, BRITISH, None),
        ("a much too long sender", Channel.SMS, BRITISH, Reason.INVALID_SENDER),
        ("Shop", Channel.EMAIL, "a@b.example", Reason.INVALID_SENDER),
        ("care@shop.example", Channel.EMAIL, "a@b.example", None),
        (AMERICAN, Channel.MMS, AMERICAN, None),
        ("12345", Channel.MMS, AMERICAN, None),
        (BRITISH, Channel.MMS, AMERICAN, NOT_CAPABLE),
        ("Shop", Channel.MMS, AMERICAN, NOT_CAPABLE),
        (TOLL_FREE, Channel.MMS, AMERICAN, None),
        (TOLL_FREE, Channel.MMS, BRITISH, WRONG_KIND),
    ],
)
def test_of_a_free_sender_only_its_shape_is_judged(
    value: str, channel: Channel, address: str, expected: Reason | None
) -> None:
    """What no network would take is refused; the rest is the provider's to say."""
    assert expected == reason(free_misfit(value, channel, address))


def test_every_kind_is_one_of_a_channel() -> None:
    """A sender that fits nowhere could not be used."""
    fine = {SenderKind.SHORT_CODE, SenderKind.LONG_CODE, SenderKind.TOLL_FREE, SenderKind.ALPHANUMERIC}
    made = {
        kind: sender(value, country=country)
        for kind, value, country in (
            (SenderKind.SHORT_CODE, "12345", "GB"),
            (SenderKind.LONG_CODE, BRITISH, ""),
            (SenderKind.TOLL_FREE, BRITISH_TOLL_FREE, ""),
            (SenderKind.ALPHANUMERIC, "Shop", ""),
            (SenderKind.EMAIL_ADDRESS, "care@shop.example", ""),
            (SenderKind.APPLICATION, "com.shop.app", ""),
        )
    }
    assert set(SenderKind) == made.keys()
    assert fine == {kind for kind, each in made.items() if misfit(each, Channel.SMS, BRITISH) is None}
