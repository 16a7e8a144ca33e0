"""An amount of money."""

from broker.domain.value import value


@value
class Price:
    """Millionths of a unit of a currency: 1,250,000 is 1.25. The currency is an ISO 4217 code."""

    micros: int
    currency: str
