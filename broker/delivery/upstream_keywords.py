"""Keywords at addresses of an upstream that keeps them itself: it is asked first, and what it answers holds.

A keyword is rented here before it is rented there, in the transaction that takes the money; where the upstream does not
rent it out that is undone. So nobody pays there for a keyword that somebody else has here. A broker that is killed while the
upstream is asked leaves it rented here; setting it up tells whether it is there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import structlog

from broker.delivery.provider_calls import in_time
from broker.delivery.registry import Instance, Registry
from broker.domain.keyword import Keyword
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import (
    KeywordAvailable,
    KeywordDeclined,
    KeywordField,
    KeywordQuery,
    KeywordRefused,
    KeywordRented,
    KeywordSettings,
    KeywordSetUp,
    KeywordUnavailable,
    NotAccepted,
    Unknown,
)

log = structlog.get_logger("waypost.keywords")

ANSWER_S_MAX = 30.0
CODE_CHARACTERS_MAX = 64
TEXT_CHARACTERS_MAX = 1_000

WRONG = Unknown("wrong_answer")
CHECKED = (KeywordAvailable, KeywordUnavailable, KeywordDeclined, NotAccepted, Unknown)
RENTED = (KeywordRented, KeywordUnavailable, KeywordDeclined, NotAccepted, Unknown)
SET_UP = (KeywordSetUp, KeywordRefused, NotAccepted, Unknown)

FIELDS = {
    KeywordField.KEYWORD: (ErrorReason.KEYWORD_INVALID, "keyword"),
    KeywordField.GROUP: (ErrorReason.KEYWORD_GROUP_INVALID, "group_id"),
    KeywordField.AUTOREPLY: (ErrorReason.KEYWORD_AUTOREPLY_INVALID, "autoreply"),
    KeywordField.EMAIL: (ErrorReason.KEYWORD_EMAIL_INVALID, "forward_to_email"),
    KeywordField.URL: (ErrorReason.KEYWORD_URL_INVALID, "callback_url"),
}
NOTHING: frozenset[KeywordField] = frozenset()


class UpstreamKeywords:
    """Asks the instances of a registry about keywords at their addresses, and nobody about others."""

    def __init__(self, registry: Registry, *, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._answer_s_max = answer_s_max
        self._renting: set[asyncio.Task[None]] = set()
        self._keepers: dict[str, Instance] = {}
        for each in registry.all():
            keeping = each.capabilities.keywords
            for address in keeping.addresses if keeping else ():
                self._keepers.setdefault(address, each)

    def keeps(self, address: str) -> bool:
        """Whether an upstream keeps the keywords of an address."""
        return address in self._keepers

    def carries_out(self, address: str) -> frozenset[KeywordField]:
        """What the upstream of an address does itself when somebody texts a keyword."""
        keeper = self._keepers.get(address)
        keeping = keeper.capabilities.keywords if keeper else None
        return keeping.carries_out if keeping else NOTHING

    async def available(self, address: str, word: str) -> bool:
        """Whether its upstream would rent a keyword out; True where there is none.

        Raises BrokerError PAYMENT_DECLINED, UPSTREAM_UNAVAILABLE.
        """
        keeper = self._keepers.get(address)
        if keeper is None:
            return True
        query = KeywordQuery(address, word.upper())
        answer = await self._ask(
            keeper, "check_keyword", CHECKED, lambda: keeper.provider.check_keyword(query)
        )
        if isinstance(answer, KeywordDeclined | NotAccepted | Unknown):
            _fail(answer)
        return isinstance(answer, KeywordAvailable)

    async def rent(self, keyword: Keyword, undo: Callable[[], Awaitable[None]]) -> None:
        """Rent a keyword there; where that fails, `undo` what was done here.

        It goes to its end also when the caller does not wait for it: what is paid there must hold here.

        Raises BrokerError KEYWORD_TAKEN, PAYMENT_DECLINED, UPSTREAM_UNAVAILABLE, or KEYWORD_RENT_UNKNOWN, after which it
        may be rented there all the same.
        """
        task = asyncio.create_task(self._rent(self._keepers[keyword.sender], keyword, undo))
        self._renting.add(task)
        task.add_done_callback(self._rented)
        await asyncio.shield(task)

    def _rented(self, task: "asyncio.Task[None]") -> None:
        self._renting.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, in case nobody waits for it any more

    async def _rent(self, keeper: Instance, keyword: Keyword, undo: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._rent_there(keeper, keyword)
        except BaseException:
            await undo()
            raise

    async def _rent_there(self, keeper: Instance, keyword: Keyword) -> None:
        query = KeywordQuery(keyword.sender, keyword.shown)
        answer = await self._ask(keeper, "rent_keyword", RENTED, lambda: keeper.provider.rent_keyword(query))
        match answer:
            case KeywordRented():
                log.info("keyword.rented_upstream", instance=keeper.name)
            case KeywordUnavailable():
                raise BrokerError(ErrorReason.KEYWORD_TAKEN)
            case Unknown():
                log.error("keyword.rent_unknown", instance=keeper.name, reason=answer.code)
                raise BrokerError(ErrorReason.KEYWORD_RENT_UNKNOWN, metadata=_told(answer.code))
            case _:
                _fail(answer)

    async def set_up(self, keyword: Keyword, group_name: str) -> None:
        """Set a keyword up there. Raises BrokerError UPSTREAM_UNAVAILABLE, and for a wrong field its own reason."""
        keeper = self._keepers.get(keyword.sender)
        if keeper is None:
            return
        wanted = KeywordSettings(
            keyword.sender, keyword.shown, keyword.autoreply, group_name, keyword.forward_to
        )
        answer = await self._ask(
            keeper, "set_up_keyword", SET_UP, lambda: keeper.provider.set_up_keyword(wanted)
        )
        if isinstance(answer, KeywordRefused):
            reason, field = FIELDS[answer.field]
            rule = answer.text or "is not taken by the provider"
            raise BrokerError(reason, violations=[Violation(field, rule)], metadata=_told(answer.code))
        if not isinstance(answer, KeywordSetUp):
            _fail(answer)

    async def _ask(
        self, keeper: Instance, method: str, kinds: tuple[type, ...], call: Callable[[], Awaitable[Any]]
    ) -> Any:
        """What a provider answers; Unknown where it raises, hangs, or answers nonsense."""

        async def called() -> Any:
            return await call()

        task = asyncio.create_task(called())
        if not await in_time(task, self._answer_s_max):
            answer: Any = Unknown("timeout")
        elif task.cancelled() or task.exception() is not None:
            answer = Unknown("exception")
        else:
            answer = task.result() if _is_sound(task.result(), kinds) else WRONG
        if isinstance(answer, NotAccepted | Unknown):
            log.warning(
                "provider.upstream_unavailable", instance=keeper.name, method=method, reason=answer.code
            )
        return answer


def _is_sound(answer: object, kinds: tuple[type, ...]) -> bool:
    """Whether it is one of the kinds, and what it says can be told on."""
    if type(answer) not in kinds:
        return False
    for name, most in (("code", CODE_CHARACTERS_MAX), ("text", TEXT_CHARACTERS_MAX)):
        told = getattr(answer, name, "")
        if not isinstance(told, str) or len(told) > most or not told.isprintable():
            return False
    return isinstance(getattr(answer, "field", KeywordField.KEYWORD), KeywordField)


def _fail(answer: KeywordDeclined | NotAccepted | Unknown) -> NoReturn:
    declined = isinstance(answer, KeywordDeclined)
    reason = ErrorReason.PAYMENT_DECLINED if declined else ErrorReason.UPSTREAM_UNAVAILABLE
    raise BrokerError(reason, metadata=_told(answer.code))


def _told(code: str) -> dict[str, str]:
    """The provider's own word, for whoever asks its support."""
    return {"provider_code": code} if code else {}
