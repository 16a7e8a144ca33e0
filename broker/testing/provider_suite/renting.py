"""Cases of keywords: what an upstream that keeps them itself is asked, and what its answers mean."""

from typing import Any

import pytest

from broker.spi import (
    KeywordAvailable,
    KeywordField,
    KeywordKeeping,
    KeywordQuery,
    KeywordRefused,
    KeywordRented,
    KeywordSettings,
    KeywordSetUp,
    KeywordUnavailable,
    NotAccepted,
    Unknown,
)
from broker.testing.provider_suite.asked import Asked, expected
from broker.testing.provider_suite.case import case, waits
from broker.testing.running import RunningProvider
from broker.testing.upstream import Answer, CloseAfterBody, Fault, Hang, NotHttp, ResetAfterBody, Say

FAILURES = [
    Say(Answer(500)),
    Say(Answer.of_text("<html>log in</html>", 200, "text/html")),
    Say(Answer(200, b"")),
    NotHttp(),
    CloseAfterBody(),
    ResetAfterBody(),
]
NAMES = ["500", "page", "empty", "no http", "closed", "reset"]


class RentingCases(Asked):
    """For a provider that declares `keywords`."""

    keyword = "WAYPOST"
    """A word that `upstream` has free."""

    def keyword_settings(self, **changes: Any) -> KeywordSettings:
        """A set-up that the upstream takes, with the named fields changed."""
        fields: dict[str, Any] = {"autoreply": "Thank you for joining our list."}
        return KeywordSettings(self._address(), self.keyword, **(fields | changes))

    def refused_keyword_settings(self) -> dict[KeywordField, KeywordSettings]:
        """Set-ups of which the upstream refuses one field each. What is there is tried."""
        return {}

    def _address(self) -> str:
        keeping = self.built().capabilities.keywords
        if keeping is None:
            pytest.skip("the provider does not declare keywords")
        return min(keeping.addresses)

    def _query(self) -> KeywordQuery:
        return KeywordQuery(self._address(), self.keyword)

    def test_kept_addresses_are_addresses(self) -> None:
        """A number in E.164 or a short code, as the broker asks by it."""
        self._address()
        keeping = self.built().capabilities.keywords
        assert isinstance(keeping, KeywordKeeping)
        wrong = [each for each in keeping.addresses if not each.removeprefix("+").isdecimal()]
        assert [] == wrong
        assert keeping.carries_out <= set(KeywordField)

    @case
    async def test_a_free_keyword_is_rented_once(self) -> None:
        """It is available, then rented, then neither: a second renting is refused and buys nothing."""
        query = self._query()
        async with self.whole_upstream() as (running, _):
            expected(await running.check_keyword(query), KeywordAvailable)
            expected(await running.rent_keyword(query), KeywordRented)
            expected(await running.check_keyword(query), KeywordUnavailable)
            expected(await running.rent_keyword(query), KeywordUnavailable)

    @case
    async def test_a_rented_keyword_is_set_up(self) -> None:
        """Twice is the same."""
        wanted = self.keyword_settings()
        async with self.whole_upstream() as (running, _):
            await running.rent_keyword(self._query())
            for _ in range(2):
                expected(await running.set_up_keyword(wanted), KeywordSetUp)

    @case
    async def test_a_wrong_field_of_a_set_up_is_named(self) -> None:
        """Each for itself; nobody can set up a keyword that was not rented."""
        wrong = self.refused_keyword_settings()
        async with self.whole_upstream() as (running, _):
            unknown = expected(await running.set_up_keyword(self.keyword_settings()), KeywordRefused)
            assert KeywordField.KEYWORD is unknown.field
            await running.rent_keyword(self._query())
            found = {each: await running.set_up_keyword(wanted) for each, wanted in wrong.items()}
        assert list(wrong) == [expected(each, KeywordRefused).field for each in found.values()]

    @pytest.mark.parametrize("fault", FAILURES, ids=NAMES)
    @case
    async def test_a_renting_without_an_answer_is_unknown(self, fault: Fault) -> None:
        """It may be rented, so nobody may think that it is not; and it was asked for once."""
        query = self._query()
        async with self.broken_upstream(fault) as (running, upstream):
            expected(await running.rent_keyword(query), Unknown, why="the request had left")
            assert 1 == len(upstream.requests)

    @waits
    @case
    async def test_a_renting_that_nobody_answers_is_unknown(self) -> None:
        """Within the provider's own time limit."""
        query = self._query()
        async with self.broken_upstream(Hang(), impatient=True) as (running, _):
            expected(await running.rent_keyword(query), Unknown, why="the request had left")

    @case
    async def test_a_renting_at_a_closed_port_was_none(self) -> None:
        """No byte of it left."""
        query = self._query()
        async with (
            self.broken_upstream() as (_, upstream),
            self.running(base_url=upstream.refused_url) as running,
        ):
            expected(await running.rent_keyword(query), NotAccepted)
            await self._said_nothing(running)

    @pytest.mark.parametrize("fault", FAILURES, ids=NAMES)
    @case
    async def test_other_questions_about_keywords_that_failed_say_nothing(self, fault: Fault) -> None:
        """Neither that one is free nor that a field is wrong."""
        self._address()
        async with self.broken_upstream(fault) as (running, _):
            await self._said_nothing(running)

    async def _said_nothing(self, running: RunningProvider) -> None:
        for answer in (
            await running.check_keyword(self._query()),
            await running.set_up_keyword(self.keyword_settings()),
        ):
            expected(answer, NotAccepted, Unknown, why="the upstream said nothing of the keyword")
