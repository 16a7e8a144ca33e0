"""Account ids as clients write them: like every id, 13 characters of Crockford's base32."""

from functools import lru_cache

from broker.domain.ids import format_id, parse_id


@lru_cache(maxsize=4096)  # every event names its account, and they are few
def account_text(account_id: int) -> str:
    """The account's id as clients see it."""
    return format_id(account_id)


def account_number(text: str) -> int | None:
    """The account that `text` names, whether or not there is one; None when it cannot name any."""
    return parse_id(text)
