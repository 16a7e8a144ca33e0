"""API keys: made once, shown once, stored as a hash."""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict

from broker.domain.access import Principal, Role
from broker.domain.account import is_below
from broker.domain.ids import format_id, parse_id
from broker.spi import Clock
from broker.storage.keeping import NewKey, create_keys, read_account_path, read_key
from broker.storage.store import Store

PREFIX = "wp_"
FRESH_US = 1_000_000
"""How long a look-up is believed, and so how long a revoked key still works at most."""

CACHE_KEYS_MAX = 10_000
SECRET_CHARACTERS_MAX = 128


class Keys:
    """Creates keys and tells who is behind one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cache: OrderedDict[str, tuple[int, Principal | None]] = OrderedDict()
        self._looking: dict[str, asyncio.Future[Principal | None]] = {}
        self._paths: dict[int, str] = {}

    def draw(self, key_id: int, account_id: int, role: Role) -> tuple[str, NewKey]:
        """A new key, `wp_<id>_<256 random bits>`, and what is to be stored of it: its hash."""
        secret = f"{PREFIX}{format_id(key_id)}_{secrets.token_urlsafe(32)}"
        return secret, NewKey(key_id, account_id, role, hash_secret(secret), self._clock.now_us())

    async def create(self, key_id: int, account_id: int, role: Role) -> str:
        """Store a new key; answers it, which cannot be done again."""
        secret, new = self.draw(key_id, account_id, role)
        await self._store.write(create_keys, [new], [account_id])
        return secret

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
        if key is None or not hmac.compare_digest(key.secret_hash, hash_secret(secret)):
            return None  # and not kept: guesses must not push out the keys that work
        expired = key.expire_at_us is not None and key.expire_at_us <= now_us
        principal = None if expired or key.revoked_at_us is not None else key.principal
        self._cache[secret] = (now_us, principal)
        self._cache.move_to_end(secret)
        while len(self._cache) > CACHE_KEYS_MAX:
            self._cache.popitem(last=False)
        return principal


def key_id_of(secret: str) -> int | None:
    """The id within a key; None for what no key looks like."""
    if len(secret) > SECRET_CHARACTERS_MAX or not secret.startswith(PREFIX):
        return None
    written_id, _, _ = secret.removeprefix(PREFIX).partition("_")
    return parse_id(written_id)


def hash_secret(secret: str) -> str:
    """What is stored of a key. It is 256 random bits, so a plain hash cannot be searched backwards."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
