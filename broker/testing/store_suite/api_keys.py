# ruff: noqa: SIM300 - tests are written `expected == actual`
"""Cases of API keys: what is shown of them, how many there may be, and how they end."""

from typing import Any

from broker.domain.access import Principal, Role
from broker.domain.api_key import KEYS_MAX, REVOKED_KEPT_MAX, ApiKey
from broker.storage.api_keys import (
    KeyQuery,
    KeySpared,
    NoSuchKey,
    Revocation,
    TooManyKeys,
    add_keys,
    read_keys,
    revoke_keys,
)
from broker.storage.keeping import (
    NewKey,
    PepperMark,
    StoredKey,
    boot,
    keep_pepper_mark,
    read_first_account,
    read_key,
)
from broker.testing.builders import NOW_US
from broker.testing.store_suite.bench import Bench
from broker.testing.store_suite.opening import OpenedStore


def _new(key_id: int, account_id: int = 1, role: Role = Role.SEND, **changes: Any) -> NewKey:
    return NewKey(key_id, account_id, role, f"hash {key_id}", NOW_US, **changes)


async def _revoke(bench: Bench, key_id: int, account_id: int = 1, spare: Role | None = None) -> Any:
    item = Revocation(account_id, key_id, bench.now_us, spare)
    (answer,) = await bench.store.write(revoke_keys, [item], [account_id])
    return answer


async def _listed(
    bench: Bench, *, account_id: int = 1, after: int = 0, with_revoked: bool = False
) -> list[int]:
    query = KeyQuery(account_id, after, 2_000, with_revoked)
    return [each.key_id for each in await bench.store.read(read_keys, query)]


class ApiKeyCases(OpenedStore):
    """Keys in the store."""

    async def test_a_key_is_shown_as_it_was_asked_for(self, bench: Bench) -> None:
        """And whoever calls with it is known by its limit."""
        new = _new(7, expire_at_us=NOW_US + 5, description="till", calls_per_second=9)
        (made,) = await bench.store.write(add_keys, [new], [1])
        assert ApiKey(7, 1, Role.SEND, NOW_US, "till", 9, NOW_US + 5) == made
        assert [made] == await bench.store.read(read_keys, KeyQuery(1, 0, 10, with_revoked=False))
        principal = Principal(7, 1, Role.SEND, calls_per_second=9)
        assert StoredKey(principal, "hash 7", NOW_US + 5, None) == await bench.store.read(read_key, 7)

    async def test_an_account_has_so_many_keys(self, bench: Bench) -> None:
        """Those that were revoked are not counted, and other accounts have their own."""
        full = [_new(number) for number in range(10, 10 + KEYS_MAX)]
        assert {ApiKey} == {type(each) for each in await bench.store.write(add_keys, full, [1])}
        more = [_new(500), _new(501, 2)]
        answers = await bench.store.write(add_keys, more, [1, 2])
        assert (TooManyKeys(KEYS_MAX), ApiKey) == (answers[0], type(answers[1]))
        await _revoke(bench, 10)
        assert [ApiKey] == [type(each) for each in await bench.store.write(add_keys, more[:1], [1])]

    async def test_a_revoked_key_stays_revoked_since_then(self, bench: Bench) -> None:
        """It is shown to who asks for it."""
        await bench.store.write(add_keys, [_new(7), _new(8)], [1])
        revoked = await _revoke(bench, 7)
        assert ApiKey(7, 1, Role.SEND, NOW_US, revoked_at_us=NOW_US) == revoked
        bench.wait(5)
        assert revoked == await _revoke(bench, 7)
        assert ([8], [7, 8]) == (await _listed(bench), await _listed(bench, with_revoked=True))
        stored = await bench.store.read(read_key, 7)
        assert stored is not None
        assert NOW_US == stored.revoked_at_us

    async def test_anothers_key_is_like_one_that_is_not_there(self, bench: Bench) -> None:
        """It is neither ended nor shown."""
        await bench.store.write(add_keys, [_new(7)], [1])
        assert [NoSuchKey()] * 2 == [await _revoke(bench, 7, 2), await _revoke(bench, 99, 1)]
        assert ([], [7]) == (await _listed(bench, account_id=2), await _listed(bench))

    async def test_a_role_may_be_spared(self, bench: Bench) -> None:
        """A partner ends no administrator's key."""
        await bench.store.write(add_keys, [_new(7, role=Role.ADMIN)], [1])
        assert KeySpared() == await _revoke(bench, 7, spare=Role.ADMIN)
        assert [7] == await _listed(bench)

    async def test_pages_follow_the_order_of_making(self, bench: Bench) -> None:
        """After a key, so many."""
        await bench.store.write(add_keys, [_new(number) for number in range(10, 15)], [1])
        page = await bench.store.read(read_keys, KeyQuery(1, 11, 2, with_revoked=False))
        assert [12, 13] == [each.key_id for each in page]

    async def test_of_revoked_keys_the_newest_are_kept(self, bench: Bench) -> None:
        """However often keys are changed, and those that work are never forgotten."""
        await bench.store.write(add_keys, [_new(5)], [1])
        for start in range(0, REVOKED_KEPT_MAX + 50, 50):
            numbers = range(10 + start, 60 + start)
            await bench.store.write(add_keys, [_new(number) for number in numbers], [1])
            await bench.store.write(revoke_keys, [Revocation(1, number, NOW_US) for number in numbers], [1])
        assert [5, *range(60, 60 + REVOKED_KEPT_MAX)] == await _listed(bench, with_revoked=True)

    async def test_the_mark_of_the_pepper_is_the_first_one_unless_it_is_replaced(self, bench: Bench) -> None:
        """Each answer is what was there before."""
        await bench.store.write(boot, [b"8 bytes!"])
        marks = [
            PepperMark("a", False),
            PepperMark("b", False),
            PepperMark("c", True),
            PepperMark("d", False),
        ]
        assert ["", "a", "a", "c"] == await bench.store.write(keep_pepper_mark, marks)
        assert 1 == await bench.store.read(read_first_account)
