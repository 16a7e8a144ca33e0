"""Who calls, and for which account."""

from collections.abc import Iterable

from broker.api.convert.ids import account_number
from broker.delivery.keys import Keys
from broker.domain.access import Principal
from broker.errors import BrokerError, ErrorReason

SECRET_CHARACTERS_MAX = 512

_SCHEME = "bearer "


def bearer_secret(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """The secret of `authorization: Bearer <key>`. Raises BrokerError when there is none that could be one."""
    for name, value in metadata or ():
        if name != "authorization":
            continue
        text = value if isinstance(value, str) else value.decode("latin-1")
        secret = text[len(_SCHEME) :].strip()
        if text[: len(_SCHEME)].lower() != _SCHEME or not secret:
            break
        # No key that was ever issued looks like this, so the store is not asked.
        if len(secret) > SECRET_CHARACTERS_MAX or not secret.isascii() or not secret.isprintable():
            raise BrokerError(ErrorReason.KEY_INVALID)
        return secret
    raise BrokerError(ErrorReason.KEY_MISSING)


async def account_for(keys: Keys, caller: Principal, account_id: str) -> int:
    """The account that a request is about: the one it names, or the key's own.

    An account that the key may not choose is as unknown to it as one that does not exist.
    """
    if not account_id:
        return caller.account_id
    number = account_number(account_id)
    if number is not None:
        if number == caller.account_id:
            return number
        if caller.may_choose_account and await keys.may_act_for(caller, number):
            return number
    raise BrokerError(ErrorReason.ACCOUNT_NOT_FOUND)
