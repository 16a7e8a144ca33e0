"""What senders are: their kinds, and what may be registered."""

from typing import Any

import pytest

from broker.domain.sender import (
    NORTH_AMERICA,
    PROVIDERS_MAX,
    TAGS_MAX,
    Sender,
    SenderCapability,
    SenderDraft,
    SenderKind,
    is_pool,
    kind_of,
    registered,
)

TOLL_FREE = "+18005550199"
SMS, MMS, TWO_WAY = SenderCapability.SMS, SenderCapability.MMS, SenderCapability.TWO_WAY


def register(value: str, **wishes: Any) -> Any:
    """What becomes of a draft; the instances are "acme" and "post"."""
    return registered(SenderDraft(value, **wishes), 5, 1, 77, {"acme", "post"})


def fields(value: str, **wishes: Any) -> list[str]:
    """The fields that a draft breaks rules of."""
    answer = register(value, **wishes)
    return [] if isinstance(answer, Sender) else [each.field for each in answer]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("12", SenderKind.APPLICATION),
        ("123", SenderKind.SHORT_CODE),
        ("12345678", SenderKind.SHORT_CODE),
        ("123456789", SenderKind.APPLICATION),
        ("+12025550123", SenderKind.LONG_CODE),
        ("+447700900123", SenderKind.LONG_CODE),
        *((f"+1{code}5550199", SenderKind.TOLL_FREE) for code in (800, 833, 844, 855, 866, 877, 888)),
        ("+448001111111", SenderKind.TOLL_FREE),
        ("+9990001112223", SenderKind.LONG_CODE),
        ("ab", SenderKind.APPLICATION),
        ("abc", SenderKind.ALPHANUMERIC),
        ("Shop 24 7 UK", None),
        ("Shop 24 UK x", None),
        ("Shop 24 UKx", SenderKind.ALPHANUMERIC),
        ("abcdefghijk", SenderKind.ALPHANUMERIC),
        ("abcdefghijkl", SenderKind.APPLICATION),
        ("care@shop.example", SenderKind.EMAIL_ADDRESS),
        ("com.shop.app", SenderKind.APPLICATION),
        ("a" * 128, SenderKind.APPLICATION),
        ("a" * 129, None),
        ("Käse", None),
        ("", None),
    ],
)
def test_the_kind_follows_from_the_shape(value: str, kind: SenderKind | None) -> None:
    """At both sides of every length."""
    assert kind == kind_of(value)


def test_a_registered_sender_has_all_that_follows() -> None:
    """Its normal form, its country, and what its kind can do at least."""
    assert Sender(
        5, 1, TOLL_FREE, SenderKind.TOLL_FREE, "US", frozenset({SMS}), created_at_us=77
    ) == register(f" {TOLL_FREE} ")
    mailbox = register("Care@Shop.EXAMPLE", tags=(" VIP ", "vip"), providers=("post", "post"), default=True)
    assert ("Care@shop.example", frozenset({SenderCapability.EMAIL}), "", ("vip",), ("post",), True) == (
        mailbox.value,
        mailbox.capabilities,
        mailbox.country,
        mailbox.tags,
        mailbox.providers,
        mailbox.default,
    )
    app = register("com.shop.app", pool="apps")
    assert (frozenset({SenderCapability.PUSH, SenderCapability.IN_APP}), "apps") == (
        app.capabilities,
        app.pool,
    )


@pytest.mark.parametrize(
    ("value", "wished", "broken"),
    [
        ("12345", SenderKind.SHORT_CODE, []),
        ("12345", SenderKind.LONG_CODE, ["kind"]),
        (TOLL_FREE, SenderKind.TOLL_FREE, []),
        (TOLL_FREE, SenderKind.LONG_CODE, ["kind"]),
        ("+12025550123", SenderKind.TOLL_FREE, ["kind"]),
        ("Shop", SenderKind.ALPHANUMERIC, []),
        ("Shop", SenderKind.EMAIL_ADDRESS, ["kind"]),
        ("Shop", SenderKind.APPLICATION, []),
        ("My shop", SenderKind.APPLICATION, ["kind"]),
        ("care@shop.example", SenderKind.APPLICATION, []),
        ("ü", SenderKind.APPLICATION, ["value"]),
    ],
)
def test_a_wished_kind_is_checked(value: str, wished: SenderKind, broken: list[str]) -> None:
    """An application may look like anything that can be seen."""
    country = "US" if wished is SenderKind.SHORT_CODE else ""
    assert broken == fields(value, kind=wished, country=country)


@pytest.mark.parametrize(
    ("value", "country", "broken"),
    [
        ("12345", "", ["country"]),
        ("12345", "us", []),
        ("12345", "XX", ["country"]),
        ("+447700900123", "", []),
        ("+447700900123", "gb", []),
        ("+447700900123", "US", ["country"]),
        ("+870773111632", "", ["value"]),
        ("Shop", "", []),
        ("Shop", "GB", []),
        ("Shop", "ZZ", ["country"]),
        *(("Shop", country, ["country"]) for country in sorted(NORTH_AMERICA)),
        ("care@shop.example", "GB", ["country"]),
        ("com.shop.app", "GB", ["country"]),
    ],
)
def test_a_country_belongs_to_the_kind(value: str, country: str, broken: list[str]) -> None:
    """Short codes need one, numbers have theirs, alphanumeric senders may have any where they are shown."""
    assert broken == fields(value, country=country)


@pytest.mark.parametrize(
    ("value", "country", "able", "broken"),
    [
        ("12345", "US", {SMS, MMS, TWO_WAY}, []),
        ("12345", "GB", {SMS, MMS}, ["capabilities"]),
        ("+12025550123", "", {MMS}, []),
        ("+14165550123", "", {SMS, MMS}, []),
        ("+447700900123", "", {SMS, MMS}, ["capabilities"]),
        (TOLL_FREE, "", {SMS, MMS, TWO_WAY}, []),
        ("Shop", "", {SMS}, []),
        ("Shop", "", {SMS, MMS}, ["capabilities"]),
        ("Shop", "", {SMS, TWO_WAY}, ["capabilities"]),
        ("12345", "US", {TWO_WAY}, ["capabilities"]),
        ("12345", "US", {SMS, SenderCapability.EMAIL}, ["capabilities"]),
        ("care@shop.example", "", {SenderCapability.EMAIL, TWO_WAY}, []),
        ("care@shop.example", "", {SMS}, ["capabilities", "capabilities"]),
        ("com.shop.app", "", {SenderCapability.PUSH}, []),
    ],
)
def test_capabilities_are_those_that_the_kind_can_have(
    value: str, country: str, able: set[SenderCapability], broken: list[str]
) -> None:
    """MMS in the US and Canada alone, answers to no alphanumeric sender."""
    assert broken == fields(value, country=country, capabilities=frozenset(able))


@pytest.mark.parametrize(
    ("wishes", "broken"),
    [
        ({"pool": "p" * 64}, []),
        ({"pool": "p" * 65}, ["pool"]),
        ({"pool": "two words"}, ["pool"]),
        ({"providers": ("acme", "post")}, []),
        ({"providers": ("acme", "nobody")}, ["providers[1]"]),
        ({"providers": ("acme",) * PROVIDERS_MAX}, []),
        ({"providers": ("acme",) * (PROVIDERS_MAX + 1)}, ["providers"]),
        ({"tags": tuple(map(str, range(TAGS_MAX)))}, []),
        ({"tags": tuple(map(str, range(TAGS_MAX + 1)))}, ["tags"]),
        ({"tags": ("t" * 64,)}, []),
        ({"tags": ("t" * 65, "ok", " ", "a\nb")}, ["tags[0]", "tags[2]", "tags[3]"]),
    ],
)
def test_lists_and_names_have_limits(wishes: dict[str, Any], broken: list[str]) -> None:
    """At both sides."""
    assert broken == fields("+12025550123", **wishes)


def test_every_broken_rule_is_told() -> None:
    """At once."""
    assert ["country", "pool", "tags[0]"] == fields("12345", pool="?", tags=("",))


@pytest.mark.parametrize(("name", "fine"), [("a", True), ("", False), ("A_b-1.c", True), ("ä", False)])
def test_a_pool_has_a_plain_name(name: str, *, fine: bool) -> None:
    """It is named in requests."""
    assert fine == is_pool(name)
