"""Accounts: who they are, and where they stand in their tree."""

import re

from broker.domain.account_policy import AccountPolicy
from broker.domain.value import value

DEPTH_MAX = 8
"""Accounts on the way from the top of a tree down to its lowest one, both counted."""

NAME_CHARACTERS_MAX = 200
PERSON_NAME_CHARACTERS_MAX = 100

_PLACE_CHARACTERS = 16
_CONTACT_NUMBER = re.compile(r"\+?[0-9](?:[ ().\-/]*[0-9]){3,19}")


@value
class Profile:
    """Who answers for an account. Everything is empty for the account that a new store begins with."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    contact_number: str = ""
    company: str = ""


@value
class Account:
    """An account as it is stored. `path` tells every account above it. Times are microseconds UTC."""

    account_id: int
    path: str
    name: str
    profile: Profile
    api_access: bool
    policy: AccountPolicy
    created_at_us: int
    updated_at_us: int

    @property
    def parent_account_id(self) -> int | None:
        """The account right above it; None at the top of a tree."""
        above = self.path[-2 * _PLACE_CHARACTERS : -_PLACE_CHARACTERS]
        return int(above, 16) if above else None


def place_of(account_id: int, parent_path: str = "") -> str:
    """The path of an account: every account from the top of its tree down to it, 16 hexadecimal digits each.

    Paths sort a tree from the top down, and all that is below an account begins with its path.
    """
    return f"{parent_path}{account_id:0{_PLACE_CHARACTERS}x}"


def depth_of(path: str) -> int:
    """How many accounts are on the way down to it, itself included."""
    return len(path) // _PLACE_CHARACTERS


def is_below(path: str, above: str) -> bool:
    """Whether an account stands below another one, at whatever distance."""
    return len(path) > len(above) and path.startswith(above)


def email_key(email: str) -> str:
    """What tells two accounts' emails apart: case does not."""
    return email.casefold()


def is_contact_number(written: str) -> bool:
    """Whether somebody can be called by it: 4 to 20 digits with a little between them."""
    return _CONTACT_NUMBER.fullmatch(written) is not None


def default_name(profile: Profile) -> str:
    """What people call an account that nobody named."""
    return profile.company or f"{profile.first_name} {profile.last_name}"
