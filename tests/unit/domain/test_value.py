"""Values compare, hash and show themselves as a dataclass would."""

from dataclasses import field, replace

from broker.domain.value import value


@value
class Point:
    """Two fields."""

    x: int
    y: int = 0


@value
class Place(Point):
    """Fields of its own besides those of another."""

    name: str = ""
    code: str = field(default="", repr=False)
    seen: int = field(default=0, compare=False)


@value
class Hidden:
    """Shows itself in its own way."""

    secret: str

    def __repr__(self) -> str:
        return "Hidden(...)"


@value
class Nothing:
    """No fields."""


def test_equal_fields_make_equal_values() -> None:
    """And an equal hash, so that either finds the other in a set."""
    assert Point(1, 2) == Point(1, 2)
    assert {Point(1, 2)} == {Point(1, 2), Point(y=2, x=1)}
    assert Point(1, 2) != Point(2, 1)
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())


def test_values_of_two_classes_are_never_equal() -> None:
    """Not even where one is a kind of the other."""
    assert Point(1, 2) != Place(1, 2)
    assert Point(1, 2) != (1, 2)


def test_a_field_that_is_not_compared_makes_no_difference() -> None:
    """Neither to equality nor to the hash."""
    assert Place(1, seen=1) == Place(1, seen=2)
    assert hash(Place(1, seen=1)) == hash(Place(1, seen=2))
    assert Place(1, name="here") != Place(1, name="there")


def test_a_value_shows_its_fields() -> None:
    """But those that are not to be shown."""
    assert "Point(x=1, y=2)" == repr(Point(1, 2))
    assert "Place(x=1, y=0, name='here', seen=0)" == repr(Place(1, name="here", code="secret"))
    assert "Nothing()" == repr(Nothing())
    assert "Hidden(...)" == repr(Hidden("x"))


def test_a_value_has_slots_and_is_replaced() -> None:
    """It takes no other attribute, and a changed one is another."""
    assert not hasattr(Point(1), "__dict__")
    assert Point(1, 3) == replace(Point(1, 2), y=3)
