"""API keys: who is behind one, and how long that is believed."""

import asyncio
from dataclasses import replace

import pytest

from broker.delivery.keys import Keys, KeyWish, hash_secret
from broker.delivery.pepper import hash_with
from broker.domain.access import Principal, Role
from broker.domain.account import Profile
from broker.domain.api_key import checksum
from broker.domain.ids import format_id
from broker.storage.accounts import AccountWish, add_accounts
from broker.storage.keeping import NewKey, create_keys
from broker.storage.store import Store
from broker.storage.transaction import Transaction
from broker.testing.builders import NOW_US, SECOND_US, ManualClock

PEPPER = b"p" * 32


@pytest.fixture
def keys(store: Store, clock: ManualClock) -> Keys:
    """Over a real store."""
    return Keys(store, clock, PEPPER)


async def revoke_elsewhere(store: Store, key_id: int) -> None:
    """End a key behind this process's back, as another node does."""

    def verb(tx: Transaction, items: list[int]) -> list[None]:
        tx._connection.execute("UPDATE api_keys SET revoked_at = 1 WHERE key_id = ?", items)  # type: ignore[attr-defined]
        return [None]

    await store.write(verb, [key_id])


async def test_a_new_key_tells_who_holds_it(keys: Keys) -> None:
    """Its account and role."""
    secret = await keys.create(77, 2, Role.SEND)
    assert Principal(77, 2, Role.SEND) == await keys.authenticate(secret)


async def test_a_key_names_its_id_and_is_never_the_same_twice(keys: Keys) -> None:
    """256 random bits follow the id."""
    one, two = await keys.create(1, 1, Role.READ), await keys.create(2, 1, Role.READ)
    assert one.startswith(f"wpk_{format_id(1)}_")
    assert len(one) == len(f"wpk_{format_id(1)}_") + 49
    assert one[-49:-6] != two[-49:-6]


async def test_only_the_hash_of_a_key_is_stored(keys: Keys, store: Store) -> None:
    """Who reads the database cannot use it."""
    secret = await keys.create(77, 1, Role.ADMIN)
    (row,) = await store.read(lambda tx: tx.all("key_by_id", key_id=77))
    assert hash_with(PEPPER, secret) in row
    assert hash_secret(secret) not in row
    assert not any(secret[-49:] in str(column) for column in row)


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        lambda secret: secret[:-1],
        lambda secret: secret + "A",
        lambda secret: "xx" + secret[2:],
        lambda secret: secret.replace("_", "-"),
        lambda secret: f"wpk_{format_id(78)}_" + secret[-49:],
        lambda secret: secret.replace("wpk_", "wpu_"),
        lambda secret: secret.replace("wpk_", "wp_"),
        lambda _secret: "",
        lambda _secret: "wp_",
        lambda _secret: "wp__",
        lambda _secret: "wp_" + "Z" * 13 + "_x",
        lambda _secret: "x" * 5_000,
        lambda secret: secret + "\udc80",
    ],
)
async def test_anything_but_the_key_is_nobody(keys: Keys, change) -> None:
    """Nor a raise."""
    secret = await keys.create(77, 1, Role.ADMIN)
    assert await keys.authenticate(change(secret)) is None


@pytest.mark.parametrize(("late_us", "valid"), [(-1, True), (0, False)], ids=["a moment before", "exactly"])
async def test_a_key_expires(keys: Keys, store: Store, clock: ManualClock, late_us: int, valid: bool) -> None:
    """At its time."""
    secret = f"wp_{format_id(77)}_secret"
    new = NewKey(77, 1, Role.SEND, hash_secret(secret), NOW_US, NOW_US + 60 * SECOND_US)
    await store.write(create_keys, [new], [1])
    clock.time_us = NOW_US + 60 * SECOND_US + late_us
    assert valid == (await keys.authenticate(secret) is not None)


async def test_a_revoked_key_works_for_a_second_at_most(keys: Keys, store: Store, clock: ManualClock) -> None:
    """A look-up is believed that long, and then made again."""
    secret = await keys.create(77, 1, Role.SEND)
    assert await keys.authenticate(secret) is not None
    await revoke_elsewhere(store, 77)
    clock.advance(0.999)
    assert await keys.authenticate(secret) is not None
    clock.advance(0.001)
    assert await keys.authenticate(secret) is None


async def test_a_look_up_is_not_believed_longer_because_the_clock_went_back(
    keys: Keys, store: Store, clock: ManualClock
) -> None:
    """The clock may follow a step of up to a minute."""
    secret = await keys.create(77, 1, Role.SEND)
    assert await keys.authenticate(secret) is not None
    await revoke_elsewhere(store, 77)
    clock.time_us -= 30 * SECOND_US
    assert await keys.authenticate(secret) is None


async def test_a_key_that_nobody_had_works_a_second_after_it_was_made(
    keys: Keys, store: Store, clock: ManualClock
) -> None:
    """Being unknown is believed as long as being known."""
    secret = f"wp_{format_id(77)}_secret"
    assert await keys.authenticate(secret) is None
    await store.write(create_keys, [NewKey(77, 1, Role.SEND, hash_secret(secret), NOW_US)], [1])
    clock.advance(1)
    assert await keys.authenticate(secret) is not None


async def test_a_believed_key_is_not_looked_up(keys: Keys, store: Store, monkeypatch) -> None:
    """Every call carries one, so the store is asked once a second."""
    secret = await keys.create(77, 1, Role.SEND)
    await keys.authenticate(secret)
    monkeypatch.setattr(store, "read", None)
    assert await keys.authenticate(secret) is not None


async def test_only_so_many_look_ups_are_kept(keys: Keys, monkeypatch) -> None:
    """The memory does not grow with the number of keys."""
    monkeypatch.setattr("broker.delivery.keys.CACHE_KEYS_MAX", 3)
    for number in range(10):
        assert await keys.authenticate(await keys.create(100 + number, 1, Role.SEND))
    assert 3 == len(keys._cache)


async def test_guesses_push_out_no_key_that_works(keys: Keys) -> None:
    """Whoever tries many secrets costs a look-up each and nothing else."""
    secret = await keys.create(100, 1, Role.SEND)
    assert await keys.authenticate(secret)
    for number in range(10):
        guess = f"{secret[:-10]}{number:04}"
        assert None is await keys.authenticate(guess + checksum(guess))
        assert None is await keys.authenticate(f"wp_{number}")
    assert [secret] == list(keys._cache)


async def test_calls_that_come_together_share_a_look_up(keys: Keys, monkeypatch) -> None:
    """A thousand callers with one key ask the store once."""
    secret = await keys.create(100, 1, Role.SEND)
    reads = []
    read = keys._store.read
    monkeypatch.setattr(keys._store, "read", lambda *given: reads.append(given) or read(*given))
    found = await asyncio.gather(*(keys.authenticate(secret) for _ in range(1_000)))
    assert (1, {Principal(100, 1, Role.SEND)}) == (len(reads), set(found))


async def test_an_account_exists_once_it_was_created(keys: Keys) -> None:
    """And is not looked up again."""
    assert [True, False, True] == [await keys.account_exists(number) for number in (1, 99, 1)]


async def test_a_partner_acts_for_what_is_below_its_account(keys: Keys, store: Store) -> None:
    """At any distance, and for its own; for no other, and a key that only sends for its own alone."""
    who = Profile("A", "B", "x@example.org", "1234")
    tree = [(50, 1), (51, 50), (52, 2)]
    wishes = [
        AccountWish(number, above, "n", replace(who, email=f"{number}@example.org"), True, None, NOW_US, 100)
        for number, above in tree
    ]
    await store.write(add_accounts, wishes, [50, 51, 52])
    for role, expected in (
        (Role.PARTNER, [1, 50, 51]),
        (Role.SEND, [1]),
        (Role.READ, [1]),
        (Role.ADMIN, [1, 2, 50, 51, 52]),
    ):
        caller = Principal(7, 1, role)
        assert expected == [each for each in (1, 2, 50, 51, 52, 99) if await keys.may_act_for(caller, each)]


async def test_a_key_that_is_revoked_here_ends_at_once(keys: Keys) -> None:
    """Others go on."""
    secret, other = await keys.create(77, 1, Role.SEND), await keys.create(78, 1, Role.SEND)
    assert await keys.authenticate(secret)
    assert await keys.authenticate(other)
    await keys.revoke(1, 77, None)
    assert [None, 78] == [(each := await keys.authenticate(one)) and each.key_id for one in (secret, other)]


async def test_a_key_of_another_pepper_is_nobodys(keys: Keys, store: Store, clock: ManualClock) -> None:
    """Who has the store alone cannot make one that works; keys of before there was a pepper do."""
    secret = await keys.create(77, 1, Role.SEND)
    others = Keys(store, clock, b"q" * 32)
    assert None is await others.authenticate(secret)
    old = f"wp_{format_id(78)}_secret"
    await store.write(create_keys, [NewKey(78, 1, Role.SEND, hash_secret(old), NOW_US)], [1])
    assert [78, 78] == [(found := await each.authenticate(old)) and found.key_id for each in (keys, others)]


async def test_a_drawn_key_is_as_it_was_wished(keys: Keys) -> None:
    """With what is stored of it."""
    wish = KeyWish(2, Role.URL_SENDING, NOW_US + 5, "till", 9)
    secret, new = keys.draw(77, wish)
    assert secret.startswith("wpu_")
    assert NewKey(77, 2, Role.URL_SENDING, hash_with(PEPPER, secret), NOW_US, NOW_US + 5, "till", 9) == new
