"""Accounts as callers work with them."""

from broker.delivery.identities import Identities
from broker.domain.account import Account, Profile, email_key
from broker.domain.account_policy import NO_POLICY, AccountPolicy
from broker.domain.value import value
from broker.errors import BrokerError, ErrorReason, Violation
from broker.spi import Clock
from broker.storage.accounts import (
    AccountChange,
    AccountQuery,
    AccountsFull,
    AccountWish,
    EmailTaken,
    NoSuchAccount,
    TreeTooDeep,
    add_accounts,
    change_accounts,
    read_account,
    read_account_by_email,
    read_accounts,
)
from broker.storage.store import Store

__all__ = ["AccountChange", "Accounts", "NewAccount"]

STAYS = "stays as it is; leave it out"


@value
class NewAccount:
    """What a caller wants an account to be. `sandbox_only` None: as the account above it."""

    parent_account_id: int | None
    name: str
    profile: Profile
    api_access: bool
    sandbox_only: bool | None
    policy: AccountPolicy = NO_POLICY


class Accounts:
    """Keeps accounts. The broker may have `accounts_max`. Who may see or change which, the API decides."""

    def __init__(self, store: Store, identities: Identities, clock: Clock, *, accounts_max: int) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self._accounts_max = accounts_max

    async def create(self, new: NewAccount) -> Account:
        """Add an account. Raises BrokerError for an email that another has, and where there is no room."""
        (account_id,) = await self._identities.take(1)
        wish = AccountWish(
            account_id=account_id,
            parent_account_id=new.parent_account_id,
            name=new.name,
            profile=new.profile,
            api_access=new.api_access,
            sandbox_only=new.sandbox_only,
            now_us=self._clock.now_us(),
            accounts_max=self._accounts_max,
            policy=new.policy,
        )
        (answer,) = await self._store.write(add_accounts, [wish], [account_id])
        match answer:
            case EmailTaken():
                raise BrokerError(ErrorReason.EMAIL_TAKEN)
            case NoSuchAccount():
                raise BrokerError(ErrorReason.ACCOUNT_NOT_FOUND)
            case TreeTooDeep(allowed):
                raise BrokerError(ErrorReason.TREE_TOO_DEEP, metadata={"allowed": str(allowed)})
            case AccountsFull(allowed):
                raise BrokerError(ErrorReason.TOO_MANY_ACCOUNTS, metadata={"allowed": str(allowed)})
            case _:
                return answer

    async def account(self, account_id: int) -> Account:
        """One account. Raises BrokerError ACCOUNT_NOT_FOUND."""
        return _found(await self._store.read(read_account, account_id))

    async def by_email(self, email: str) -> Account:
        """The account with an email, whatever its case. Raises BrokerError ACCOUNT_NOT_FOUND."""
        return _found(await self._store.read(read_account_by_email, email))

    async def page(
        self, below: Account | None, *, after: str, page_size: int, children_only: bool
    ) -> list[Account]:
        """Accounts below one, or all of them, after a path."""
        within = "" if below is None else below.path
        return await self._store.read(
            read_accounts, AccountQuery(within, after, page_size, children_only=children_only)
        )

    async def change(self, change: AccountChange, *, email: str = "", parent: int | None = None) -> Account:
        """Change an account. A caller that names its email or the account above it has to name the right one."""
        found = await self.account(change.account_id)
        violations = []
        if email and email_key(email) != email_key(found.profile.email):
            violations.append(Violation("account.email", STAYS))
        if parent is not None and parent != found.parent_account_id:
            violations.append(Violation("account.parent_account_id", STAYS))
        if violations:
            raise BrokerError(ErrorReason.INVALID_REQUEST, violations=violations)
        (answer,) = await self._store.write(change_accounts, [change], [change.account_id])
        if isinstance(answer, NoSuchAccount):
            raise BrokerError(ErrorReason.ACCOUNT_NOT_FOUND)
        return answer

    def now_us(self) -> int:
        """The time that a change is dated with."""
        return self._clock.now_us()


def _found(account: Account | None) -> Account:
    if account is None:
        raise BrokerError(ErrorReason.ACCOUNT_NOT_FOUND)
    return account
