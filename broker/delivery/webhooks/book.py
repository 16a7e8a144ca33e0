"""An account's webhooks, as the account service manages them."""

import secrets
from collections.abc import Sequence

from broker.delivery.identities import Identities
from broker.domain.callback import Webhook
from broker.domain.lifecycle import Fact
from broker.domain.network import AddressPolicy
from broker.domain.signature import SECRET_BYTES, secret_of
from broker.domain.vocabulary import EventKind
from broker.errors import BrokerError, ErrorReason
from broker.spi import Clock
from broker.storage.store import Store
from broker.storage.webhooks import (
    WEBHOOKS_MAX,
    NewWebhook,
    Rotation,
    TooManyWebhooks,
    create_webhooks,
    delete_webhooks,
    read_webhooks,
    rotate_secrets,
)


class Webhooks:
    """Makes, lists and deletes webhooks, and changes their secrets. `network` says where they may lead."""

    def __init__(self, store: Store, identities: Identities, clock: Clock, network: AddressPolicy) -> None:
        self._store = store
        self._identities = identities
        self._clock = clock
        self.network = network

    async def create(
        self,
        account_id: int,
        url: str,
        *,
        description: str = "",
        kinds: Sequence[EventKind] = (),
        facts: Sequence[Fact] = (),
    ) -> tuple[Webhook, str]:
        """A new webhook and its secret, which cannot be read again. Raises BrokerError TOO_MANY_WEBHOOKS."""
        (webhook_id,) = await self._identities.take(1)
        webhook = Webhook(
            webhook_id=webhook_id,
            account_id=account_id,
            url=url,
            description=description,
            kinds=tuple(kinds),
            facts=tuple(facts),
            created_at_us=self._clock.now_us(),
        )
        secret = draw_secret()
        (made,) = await self._store.write(create_webhooks, [NewWebhook(webhook, secret)], [account_id])
        if isinstance(made, TooManyWebhooks):
            raise BrokerError(ErrorReason.TOO_MANY_WEBHOOKS, metadata={"webhooks_max": str(WEBHOOKS_MAX)})
        return made, secret

    async def list(self, account_id: int) -> Sequence[Webhook]:
        """The account's webhooks, oldest first."""
        return await self._store.read(read_webhooks, account_id)

    async def rotate(self, account_id: int, webhook_id: int, overlap_us: int) -> tuple[str, int]:
        """A new secret, and until when those before it still sign. Webhook 0: the message callbacks'.

        Raises BrokerError WEBHOOK_NOT_FOUND.
        """
        now_us, secret = self._clock.now_us(), draw_secret()
        item = Rotation(account_id, webhook_id, secret, now_us, now_us + overlap_us)
        (mine,) = await self._store.write(rotate_secrets, [item], [account_id])
        if not mine:
            raise BrokerError(ErrorReason.WEBHOOK_NOT_FOUND)
        return secret, now_us + overlap_us

    async def delete(self, account_id: int, webhook_id: int) -> None:
        """Call it no more. Raises BrokerError WEBHOOK_NOT_FOUND."""
        (mine,) = await self._store.write(delete_webhooks, [(account_id, webhook_id)], [account_id])
        if not mine:
            raise BrokerError(ErrorReason.WEBHOOK_NOT_FOUND)


def draw_secret() -> str:
    """A secret that nobody else has."""
    return secret_of(secrets.token_bytes(SECRET_BYTES))
