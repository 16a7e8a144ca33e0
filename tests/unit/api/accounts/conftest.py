"""AccountService with a real store and real keys behind it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broker.delivery.accounts import Accounts
from broker.delivery.identities import Identities
from broker.delivery.keys import Keys
from broker.domain.access import Role
from broker.domain.ids import first_id_at
from broker.storage.keeping import NewAccount, create_accounts
from broker.storage.migrate import load_migrations, migrate
from broker.storage.sqlite import SqliteEngine
from broker.storage.store import Store
from broker.testing.builders import NOW_US, ManualClock
from waypost.v1 import account_pb2, account_service_pb2

ADA: dict[str, Any] = {
    "name": "Engines",
    "first_name": "Ada",
    "last_name": "Byron",
    "email": "Ada@Example.ORG",
    "contact_number": "+44 (0)20 7946-0000",
    "company": "Engines Ltd",
}
ADMIN_ACCOUNT, PARTNER_ACCOUNT, STRANGER_ACCOUNT = 1, 2, 3
ACCOUNTS_MAX = 40


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An administrator's account, a partner's, and a stranger's."""
    engine = SqliteEngine(tmp_path)
    connection = engine.connect()
    migrate(connection, load_migrations(), NOW_US)
    connection.close()
    store = Store(engine)
    new = [NewAccount(each, f"account {each}", NOW_US) for each in (1, 2, 3)]
    await store.write(create_accounts, new, (1, 2, 3))
    yield store
    await store.close()


@pytest.fixture
def clock() -> ManualClock:
    """Stands still unless a test moves it."""
    return ManualClock()


@pytest.fixture
def keys(store: Store, clock: ManualClock) -> Keys:
    """Over the store."""
    return Keys(store, clock, b"p" * 32)


@pytest.fixture
def identities(store: Store, clock: ManualClock) -> Identities:
    """Ids of accounts and keys."""
    return Identities(store, clock, node=0, last=first_id_at(NOW_US // 1_000))


@pytest.fixture
def accounts(store: Store, identities: Identities, clock: ManualClock) -> Accounts:
    """Room for some."""
    return Accounts(store, identities, clock, accounts_max=ACCOUNTS_MAX)


@pytest.fixture
async def secrets(keys: Keys) -> dict[str, str]:
    """Keys by what they are for."""
    wanted = {
        "admin": (ADMIN_ACCOUNT, Role.ADMIN),
        "partner": (PARTNER_ACCOUNT, Role.PARTNER),
        "send": (PARTNER_ACCOUNT, Role.SEND),
        "read": (PARTNER_ACCOUNT, Role.READ),
        "stranger": (STRANGER_ACCOUNT, Role.PARTNER),
    }
    return {
        name: await keys.create(number, account_id, role)
        for number, (name, (account_id, role)) in enumerate(wanted.items(), 7)
    }


@pytest.fixture
def call(api: Any, secrets: dict[str, str]) -> Any:
    """A call of the service with one of the keys."""

    async def ask(method: str, key: str = "admin", **fields: Any) -> Any:
        request = getattr(account_service_pb2, f"{method}Request")(**fields)
        response = getattr(account_service_pb2, f"{method}Response")
        return await api.call(f"AccountService/{method}", request, response, key=secrets[key])

    return ask


@pytest.fixture
def ada() -> Any:
    """What an account is made with, with some fields changed."""

    def write(**changes: Any) -> dict[str, Any]:
        return ADA | changes

    return write


@pytest.fixture
def made(call: Any, ada: Any) -> Any:
    """Makes an account with an email of its own."""

    async def make(number: int, key: str = "admin", **changes: Any) -> account_pb2.Account:
        response = await call("CreateAccount", key, account=ada(email=f"{number}@example.org", **changes))
        account: account_pb2.Account = response.account
        return account

    return make
