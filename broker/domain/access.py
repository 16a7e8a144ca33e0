"""Who calls, and what a role may do."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What a key is for. Numbers are stored."""

    ADMIN = 1
    PARTNER = 2
    SEND = 3
    READ = 4
    URL_SENDING = 5


@dataclass(frozen=True, slots=True)
class Principal:
    """The key behind a call."""

    key_id: int
    account_id: int
    role: Role
    api_access: bool = True
    """Whether its account's keys may call."""
    calls_per_second: int = 0
    """How many calls it may make; 0: no limit of its own."""

    @property
    def may_send(self) -> bool:
        """Whether it may create or change messages."""
        return self.role in {Role.ADMIN, Role.PARTNER, Role.SEND}

    @property
    def may_choose_account(self) -> bool:
        """Whether it may name an account other than its own: any of them, or those below its own."""
        return self.role in {Role.ADMIN, Role.PARTNER}

    @property
    def may_manage(self) -> bool:
        """Whether it may see and change what accounts are made of: themselves, their keys and their webhooks."""
        return self.role in {Role.ADMIN, Role.PARTNER}

    @property
    def may_administer(self) -> bool:
        """Whether it may see and change what belongs to all accounts: providers and routes."""
        return self.role is Role.ADMIN
