"""Routes in the settings."""

from enum import IntEnum
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
)

from broker.domain.ids import parse_id
from broker.domain.routes import Route, normal_route
from broker.domain.vocabulary import Channel, Traffic

Word = TypeVar("Word", bound=IntEnum)


def _word(enumeration: type[Word]) -> Any:
    """A validator of an enumeration's names in lower case, as "in_app"."""

    def word(written: object) -> object:
        names = {each.name.lower(): each for each in enumeration}
        if isinstance(written, str) and written in names:
            return names[written]
        raise ValueError(f"must be one of {', '.join(names)}")

    return BeforeValidator(word)


def _account(written: object) -> object:
    number = parse_id(written) if isinstance(written, str) else None
    if number is None:
        raise ValueError("must be an account id: 13 characters of Crockford base32")
    return number


class RouteSettings(BaseModel):
    """One of `[[routes]]`, under the names of the proto's Route; `domain.routes` has the rules."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    provider: str
    channels: tuple[Annotated[Channel, _word(Channel)], ...] = ()
    prefixes: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    account_ids: tuple[Annotated[int, BeforeValidator(_account)], ...] = ()
    tags: tuple[str, ...] = ()
    traffic: tuple[Annotated[Traffic, _word(Traffic)], ...] = ()
    priority: int = 0
    weight: int = 1
    cost_micros: int = 0

    def route(self) -> Route:
        """It as routing takes it."""
        return normal_route(Route(**dict(self)))
