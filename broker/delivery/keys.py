"""API keys: made once, shown once, stored as a keyed hash."""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict

from broker.delivery.identities import Identities
from broker.delivery.pepper import hash_with
from broker.domain.access import Principal, Role
from broker.domain.account import is_below
from broker.domain.api_key import RANDOM_BITS, ApiKey, is_old, key_id_of, write_secret
from broker.domain.value import value
from broker.errors import BrokerError, ErrorReason
from broker.spi import Clock
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
from broker.storage.keeping import NewKey, create_keys, read_account_path, read_key
from broker.storage.store import Store

__all__ = ["KeyQuery", "KeyWish", "Keys"]

FRESH_US = 1_000_000
"""How long a look-up is believed, and so how long a revoked key still works at most on other nodes."""

CACHE_KEYS_MAX = 10_000


@value
class KeyWish:
    """A key as a caller wants it."""

    account_id: int
    role: Role
    expire_at_us: int | None = None
    description: str = ""
    calls_per_second: int = 0


class Keys:
    """Creates keys and tells who is behind one. Their hashes are made with the `pepper`."""

    def __init__(self, store: Store, clock: Clock, pepper: bytes) -> None:
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self._cache: OrderedDict[str, tuple[int, Principal | None]] = OrderedDict()
        self._looking: dict[str, asyncio.Future[Principal | None]] = {}
        self._paths: dict[int, str] = {}

    def draw(self, key_id: int, wish: KeyWish) -> tuple[str, NewKey]:
        """A new secret, and what is to be stored of it: its hash."""
        secret = write_secret(key_id, wish.role, secrets.randbits(RANDOM_BITS))
        return secret, NewKey(
            key_id,
            wish.account_id,
            wish.role,
            hash_with(self._pepper, secret),
            self._clock.now_us(),
            wish.expire_at_us,
            wish.description,
            wish.calls_per_second,
        )

    async def create(self, key_id: int, account_id: int, role: Role) -> str:
        """Store a new key; answers it, which cannot be done again."""
        secret, new = self.draw(key_id, KeyWish(account_id, role))
        await self._store.write(create_keys, [new], [account_id])
        return secret

    async def issue(self, identities: Identities, wish: KeyWish) -> tuple[ApiKey, str]:
        """Store a new key and answer it with its secret. Raises BrokerError TOO_MANY_KEYS."""
        (key_id,) = await identities.take(1)
        secret, new = self.draw(key_id, wish)
        (answer,) = await self._store.write(add_keys, [new], [wish.account_id])
        if isinstance(answer, TooManyKeys):
            raise BrokerError(ErrorReason.TOO_MANY_KEYS, metadata={"allowed": str(answer.allowed)})
        return answer, secret

    async def revoke(self, account_id: int, key_id: int, spare_role: Role | None) -> ApiKey:
        """End a key: here at once, on other nodes within a second. Raises BrokerError.

        One of `spare_role` is not for this caller to end.
        """
        item = Revocation(account_id, key_id, self._clock.now_us(), spare_role)
        (answer,) = await self._store.write(revoke_keys, [item], [account_id])
        match answer:
            case NoSuchKey():
                raise BrokerError(ErrorReason.KEY_NOT_FOUND)
            case KeySpared():
                raise BrokerError(ErrorReason.ROLE_INSUFFICIENT, "only an admin key ends an admin key")
            case _:
                self._forget(key_id)
                return answer

    async def page(self, query: KeyQuery) -> list[ApiKey]:
        """A page of an account's keys."""
        return await self._store.read(read_keys, query)

    def now_us(self) -> int:
        """The time that keys are dated with."""
        return self._clock.now_us()

    def _forget(self, key_id: int) -> None:
        for secret in [each for each in self._cache if key_id_of(each) == key_id]:
            del self._cache[secret]

    async def authenticate(self, secret: str) -> Principal | None:
        """Who holds this key; None when it is unknown, expired or revoked."""
        now_us = self._clock.now_us()
        cached = self._cache.get(secret)
        if cached is not None and 0 <= now_us - cached[0] < FRESH_US:  # not also while a clock catches up
            return cached[1]
        key_id = key_id_of(secret)
        if key_id is None:
            return None
        looking = self._looking.get(secret)
        if looking is None:  # the calls that come together share one look-up
            looking = asyncio.ensure_future(self._look_up(key_id, secret, now_us))
            self._looking[secret] = looking
            looking.add_done_callback(lambda _: self._looking.pop(secret, None))
        return await asyncio.shield(looking)

    async def account_exists(self, account_id: int) -> bool:
        """Whether there is such an account."""
        return await self._path_of(account_id) is not None

    async def may_act_for(self, caller: Principal, account_id: int) -> bool:
        """Whether there is such an account, and the key is its own, an admin's, or a partner's above it."""
        path = await self._path_of(account_id)
        if path is None:
            return False
        if caller.role is Role.ADMIN or account_id == caller.account_id:
            return True
        own = await self._path_of(caller.account_id)
        return caller.may_choose_account and own is not None and is_below(path, own)

    async def _path_of(self, account_id: int) -> str | None:
        # Accounts are never moved nor removed, so what was found is kept; they are as many as the broker may have.
        path = self._paths.get(account_id)
        if path is None:
            path = await self._store.read(read_account_path, account_id)
            if path is not None:
                self._paths[account_id] = path
        return path

    async def _look_up(self, key_id: int, secret: str, now_us: int) -> Principal | None:
        key = await self._store.read(read_key, key_id)
        offered = hash_secret(secret) if is_old(secret) else hash_with(self._pepper, secret)
        if key is None or not hmac.compare_digest(key.secret_hash, offered):
            return None  # and not kept: guesses must not push out the keys that work
        expired = key.expire_at_us is not None and key.expire_at_us <= now_us
        principal = None if expired or key.revoked_at_us is not None else key.principal
        self._cache[secret] = (now_us, principal)
        self._cache.move_to_end(secret)
        while len(self._cache) > CACHE_KEYS_MAX:
            self._cache.popitem(last=False)
        return principal


def hash_secret(secret: str) -> str:
    """What is stored of a key of before there was a pepper: it has 256 random bits, so nobody searches it backwards."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
