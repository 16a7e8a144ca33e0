"""Verbs of what provider instances keep over a restart: few and small things, by instance and key."""

from collections import defaultdict

from broker.domain.value import value
from broker.storage.transaction import Transaction

ENTRIES_MAX = 1_000
"""Of one instance."""


@value
class Keepsake:
    """Something that an instance wants to find again."""

    provider: str
    key: str
    content: bytes


def put_keepsakes(tx: Transaction, items: list[Keepsake]) -> list[bool]:
    """Keep each in place of what its key had, in order; False for one that would be past ENTRIES_MAX."""
    kept: defaultdict[str, set[str]] = defaultdict(set)
    for provider in {item.provider for item in items}:
        kept[provider].update(row[0] for row in tx.all("keepsake_keys", provider=provider))
    answers = []
    newest: dict[tuple[str, str], bytes] = {}
    for item in items:
        keys = kept[item.provider]
        fits = item.key in keys or len(keys) < ENTRIES_MAX
        if fits:
            keys.add(item.key)
            newest[item.provider, item.key] = item.content
        answers.append(fits)
    tx.bulk("put_keepsakes", [(*place, content) for place, content in newest.items()])
    return answers


def delete_keepsakes(tx: Transaction, items: list[tuple[str, str]]) -> list[None]:
    """Forget what is kept under each (provider, key), if anything is."""
    tx.bulk("delete_keepsakes", items)
    return [None] * len(items)


def read_keepsake(tx: Transaction, provider: str, key: str) -> bytes | None:
    """What an instance keeps under a key, None for nothing."""
    row = tx.one("read_keepsake", provider=provider, key=key)
    return None if row is None else bytes(row[0])


@value
class DrawnSecret:
    """A secret for an instance's callback address, should it have none yet."""

    provider: str
    secret: str


def keep_callback_secrets(tx: Transaction, items: list[DrawnSecret]) -> list[str]:
    """The secret of each instance: the one that it has, else the one drawn for it now."""
    tx.bulk("insert_callback_secrets", [(item.provider, item.secret) for item in items])
    providers = [item.provider for item in items]
    secrets: dict[str, str] = dict(tx.all("read_callback_secrets", providers=providers))
    return [secrets[provider] for provider in providers]
